"""Which sound tracks are heard, and how ffmpeg's log tells of them."""

from __future__ import annotations

import pytest

from indexer.errors import FfmpegError
from search_app.conforming.source_audio import SourceSound, heard_tracks, pan_to_stereo, read_sound

UNUSED = "4 channels (UNSD+UNSD+UNSD+UNSD)"


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        (
            "[info]   Stream #0:1[0x2](eng): Audio: pcm_s16le (lpcm / 0x6D63706C), 48000 Hz, mono, s16 (default)",
            SourceSound("mono", True, "eng"),
        ),
        (
            f"[info]   Stream #0:1[0x2]: Audio: pcm_s16le (lpcm / 0x6D63706C), 48000 Hz, {UNUSED}, s16, 3072 kb/s",
            SourceSound(UNUSED, False),
        ),
        ("  Stream #0:3(und): Audio: aac (LC), 44100 Hz, 5.1(side), fltp", SourceSound("5.1(side)", False)),
        ("  Stream #0:0: Video: h264 (High), yuv420p, 192x108", None),
        ("[info]   Stream #0:0 -> #0:0 (pcm_s16le (native) -> pcm_s16le (native))", None),
    ],
)
def test_a_line_of_the_log_is_a_track(line: str, sound: SourceSound | None) -> None:
    """Its layout, whether it is the default one, and its language if that is known."""
    assert sound == read_sound(line)


@pytest.mark.parametrize(
    ("layout", "is_mono", "n_nameless"),
    [
        ("mono", True, 0),
        ("1 channels (FL)", True, 0),
        ("stereo", False, 0),
        (UNUSED, False, 4),
        ("3 channels", False, 0),
        ("12 channels", False, 12),
        ("4 channels (FL+FR+UNSD+UNSD)", False, 0),
        ("2 channels (USR1+UNK)", False, 2),
    ],
)
def test_channels_without_speakers_are_told(layout: str, is_mono: bool, n_nameless: int) -> None:
    """Where one has a speaker, the layout stands."""
    sound = SourceSound(layout, is_default=False)
    assert (is_mono, n_nameless) == (sound.is_mono, sound.n_nameless)


def test_channels_go_in_turn_to_both_sides() -> None:
    """An odd last one to both, and the whole never louder than one channel."""
    assert "stereo|c0=1.000000*c0|c1=1.000000*c1" == pan_to_stereo(2)
    assert "stereo|c0=0.500000*c0+0.500000*c2|c1=0.500000*c1+0.500000*c2" == pan_to_stereo(3)


def test_a_track_that_is_not_there_is_refused() -> None:
    """With how many there are."""
    with pytest.raises(FfmpegError, match="no sound track 2, only 1"):
        heard_tracks([SourceSound("mono", is_default=True)], "mov", 2)


def test_without_tracks_the_first_is_tried() -> None:
    """Where the log told of none."""
    assert (0,) == heard_tracks([], "mov", None)

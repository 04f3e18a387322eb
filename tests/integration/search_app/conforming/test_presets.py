"""Presets and encoders, with the program of this installation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.hardware import HARDWARE, choose_encoder
from search_app.conforming.picture_names import Encoder, Preset
from search_app.conforming.presets import preset_profile
from search_app.conforming.target_profile import SOFTWARE_ENCODER, Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.errors import RenderError
from search_app.rendering.assembly import Piece
from search_app.rendering.join import join_pieces
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, burst_times, hit_of, read_numbers, row_of


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def source(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with sound."""
    return CountedVideo("counted.mp4", size=(256, 144), layout="stereo").write(
        tmp_path_factory.mktemp("presets"), program
    )


def two_clips(path: Path) -> CutList:
    """The frames 30 to 44 and 10 to 29."""
    row, times = row_of(path)
    spans = [TimeSpan(times[30], times[45]), TimeSpan(times[10], times[30])]
    return build_cut_list([hit_of(row, span, rank) for rank, span in enumerate(spans, 1)], {row.video_id: row})


def opened(path: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Codec and pixel format of each picture stream, and codec of each sound stream."""
    container: Any
    with av.open(str(path)) as container:
        pictures = [(s.codec_context.name, s.codec_context.pix_fmt) for s in container.streams.video]
        return pictures, [s.codec_context.name for s in container.streams.audio]


@pytest.mark.parametrize(
    ("preset", "name", "streams"),
    [
        (Preset.PRORES, "a.mov", ([("prores", "yuv422p10le")], ["pcm_s16le"])),
        (Preset.DNXHR, "a.mov", ([("dnxhd", "yuv422p10le")], ["pcm_s16le"])),
        (Preset.WEB_720P, "a.mkv", ([("h264", "yuv420p")], ["aac"])),
    ],
)
def test_presets_are_exact_and_of_their_codec(
    preset: Preset, name: str, streams: object, source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """Every frame is the right one, verification says so, and the file holds what the preset is named for."""
    cut_list = two_clips(source)
    profile = preset_profile([clip.facts for clip in cut_list.clips], preset)
    report = render_supercut(cut_list, tmp_path / name, profile=profile, program=program)
    assert "2/2 cuts exact" == report.verification_line()
    fits = [profile.fit(cut_list.clips[0].facts)]
    assert [*range(30, 45), *range(10, 30)] == read_numbers(report.output, fits)
    assert streams == opened(report.output)
    # Frame 30 is at 1.2 s: its burst is at 1.5 s. Frame 10 is at 0.4 s, and comes at 0.6 s.
    assert burst_times(report.output) == pytest.approx([0.3, 0.7, 1.2], abs=0.02)


def test_a_gif_has_its_own_rate_and_is_verified(source: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """A GIF shows every second frame of the clips, for eight hundredths of a second each."""
    cut_list = two_clips(source)
    profile = preset_profile([clip.facts for clip in cut_list.clips], Preset.GIF)
    report = render_supercut(cut_list, tmp_path / "a.gif", profile=profile, program=program)
    numbers = read_numbers(report.output, [(profile.width_px, profile.height_px)])
    assert [*range(30, 45, 2), *range(10, 30, 2)] == numbers
    assert ([("gif", "bgra")], []) == opened(report.output)
    assert "2/2 cuts exact" == report.verification_line()
    container: Any
    with av.open(str(report.output)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert [Fraction(2 * n, 25) for n in range(18)] == times


@pytest.mark.parametrize(
    ("ending", "codec"), [(".m4a", "aac"), (".wav", "pcm_s16le"), (".mp3", "mp3float"), (".flac", "flac")]
)
def test_sound_alone(ending: str, codec: str, source: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """The sound of the clips comes in their order and time, without pictures, and the report claims no proof."""
    cut_list = two_clips(source)
    profile = preset_profile([clip.facts for clip in cut_list.clips], Preset.AUDIO_ONLY)
    report = render_supercut(cut_list, tmp_path / f"a{ending}", profile=profile, program=program)
    assert ([], [codec]) == opened(report.output)
    assert burst_times(report.output) == pytest.approx([0.3, 0.7, 1.2], abs=0.03)
    assert report.verification_line().startswith("sound alone")
    assert not report.has_wrong_cut


def fake_program(folder: Path, encoders: str) -> Ffmpeg:
    """A program that lists these encoders, and fails at every trial."""
    path = folder / "ffmpeg"
    lines = "".join(f" V....D {name} an encoder\\n" for name in encoders.split())
    path.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f'*-encoders*) printf " ------\\n{lines}";;\n'
        '*) echo "[error] no card here" >&2; exit 1;;\nesac\n'
    )
    path.chmod(0o755)
    return Ffmpeg(str(path))


@pytest.mark.parametrize("wanted", list(HARDWARE))
def test_a_card_that_does_not_work_is_refused_in_one_line(wanted: Encoder, tmp_path: Path) -> None:
    """An encoder that the program lists but that fails its trial is named, with the program's reason."""
    program = fake_program(tmp_path, HARDWARE[wanted].name)
    with pytest.raises(RenderError, match=f"^{wanted.value} does not work here .*no card here.*software$"):
        choose_encoder(program, wanted)


def test_a_program_without_the_encoder_is_refused(tmp_path: Path) -> None:
    """A program that was built without an encoder is not even tried."""
    with pytest.raises(RenderError, match="this ffmpeg has no h264_qsv"):
        choose_encoder(fake_program(tmp_path, "libx264"), Encoder.QSV)


def test_auto_takes_the_software_where_no_card_works(tmp_path: Path) -> None:
    """Where all trials fail the software encodes."""
    program = fake_program(tmp_path, " ".join(card.name for card in HARDWARE.values()))
    assert SOFTWARE_ENCODER == choose_encoder(program, Encoder.AUTO)


def test_clips_of_a_card_are_joined_only_under_the_same_headers(tmp_path: Path, program: Ffmpeg) -> None:
    """Clips that need other headers than the first are not joined into a file that shows rubbish."""
    for name, size in (("a.mov", (64, 64)), ("b.mov", (128, 96)), ("c.mov", (64, 64))):
        CountedVideo(name, n_frames=2, size=size).write(tmp_path, program)
    (tmp_path / "sound.s16le").write_bytes(bytes(4 * 48_000))
    profile = replace(Profile(64, 64, Fraction(25)), encoder="h264_nvenc")

    def join(*names: str) -> None:
        pieces = [Piece(name, 2) for name in names]
        join_pieces(program, pieces, tmp_path / "sound.s16le", profile, tmp_path / "out.mp4")

    with pytest.raises(FfmpegError, match="h264_nvenc wrote clips whose headers differ"):
        join("a.mov", "b.mov")
    join("a.mov", "c.mov")
    assert [0, 1, 0, 1] == read_numbers(tmp_path / "out.mp4", [(64, 64)])


def test_the_encoder_of_the_profile_is_the_one_that_is_asked_for(tmp_path: Path, source: Path) -> None:
    """A profile with a card's encoder is encoded by it or not at all: no other one stands in without a word."""
    cut_list = two_clips(source)
    profile = replace(Profile(256, 144, Fraction(25)), encoder="h264_nvenc")
    program = find_ffmpeg()
    try:
        assert "h264_nvenc" == choose_encoder(program, Encoder.NVENC)
    except RenderError:
        with pytest.raises((RenderError, FfmpegError), match="clip"):
            render_supercut(cut_list, tmp_path / "a.mp4", profile=profile, program=program)
    else:
        assert render_supercut(cut_list, tmp_path / "a.mp4", profile=profile, program=program).is_exact

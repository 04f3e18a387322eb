"""Which track of a file is the video, what its header promises, and which endings and codecs are read."""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest

from indexer.config import IndexSettings
from indexer.errors import ScanError, VideoUnreadableError
from indexer.media.ffmpeg import find_ffmpeg
from indexer.media.tracks import refusal_of
from indexer.pipeline import index_videos
from indexer.visual.decode_pass import DecodeResult, DecodeSettings, decode_pass
from store.archive import Archive
from store.records import Outcome, Status, VideoFacts
from tests.fakes import FakeEncoder
from tests.shared_media import FAULTS, needs_faults

ENCODER = FakeEncoder()


def _facts(path: Path) -> VideoFacts:
    *_, result = decode_pass(str(path), DecodeSettings(), image_size_px=32)
    assert isinstance(result, DecodeResult)
    return result.facts


def _index(folder: Path, library: Path) -> dict[str, Outcome]:
    with Archive.create(folder) as archive:
        archive.claim_space(ENCODER.space, source="fake")
        outcomes = index_videos(archive, [library], ENCODER, IndexSettings(), lambda _: None)
        return {Path(outcome.path).name: outcome for outcome in outcomes}


def _run(*arguments: str) -> None:
    subprocess.run([find_ffmpeg().program, "-v", "error", *arguments], check=True)


def _picture_source(seconds: float, size: str = "96x64") -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}"]


# -- tracks -------------------------------------------------------------------------------------------------------


@needs_faults
def test_the_shared_still_track_is_not_the_video() -> None:
    """The track that moves: 3 seconds, 75 frames."""
    facts = _facts(FAULTS / "still-track-first.mp4")
    assert (75, Fraction(3), 1) == (facts.n_frames, facts.span.duration, facts.video_track)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("lengths", "default", "expected"),
    [((0.04, 1), 0, 1), ((1, 0.04), 1, 0), ((1, 2), 1, 1), ((1, 2), 0, 0), ((0.04, 1, 2), 2, 2)],
)
def test_the_default_track_that_moves_is_the_video(
    tmp_path: Path, ending: str, lengths: tuple[float, ...], default: int, expected: int
) -> None:
    """A single picture is none, though first or default; of several that move the default counts."""
    path = tmp_path / f"tracks.{ending}"
    inputs, maps = [], []
    for number, seconds in enumerate(lengths):
        inputs += _picture_source(seconds, f"{96 + 16 * number}x64")
        maps += ["-map", str(number), f"-disposition:v:{number}", "default" if number == default else "0"]
    _run(*inputs, *maps, "-c:v", "mpeg4", str(path))
    facts = _facts(path)
    assert (expected, 96 + 16 * expected) == (facts.video_track, facts.width_px)
    assert round(lengths[expected] * 25) == facts.n_frames


@needs_faults
def test_the_shared_file_of_71_streams_is_indexed() -> None:
    """Subtitles and attachments cost nothing."""
    facts = _facts(FAULTS / "streams-71.mkv")
    assert (50, ()) == (facts.n_frames, facts.warnings)


def test_many_subtitles_and_fonts_are_no_reason(tmp_path: Path) -> None:
    """Ninety of them beside one video."""
    (tmp_path / "lines.srt").write_text("1\n00:00:00,000 --> 00:00:00,500\nhello\n")
    (tmp_path / "font.ttf").write_bytes(b"no real font")
    path = tmp_path / "many.mkv"
    attached = ["-attach", str(tmp_path / "font.ttf"), "-metadata:s:t", "mimetype=font/ttf"] * 10
    subtitles = ["-map", "1"] * 80
    inputs = [*_picture_source(1), "-i", str(tmp_path / "lines.srt")]
    _run(*inputs, "-map", "0", *subtitles, *attached, "-c:v", "mpeg4", str(path))
    facts = _facts(path)
    assert (25, ()) == (facts.n_frames, facts.warnings)


def test_too_many_tracks_of_pictures_are_refused(tmp_path: Path) -> None:
    """Each costs a decoder; sixty-five are an attack."""
    path = tmp_path / "wall.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(65)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        for stream in streams:
            container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
            container.mux(stream.encode(None))
    with pytest.raises(VideoUnreadableError, match="65 tracks of pictures and sound, more than the 64"):
        _facts(path)


# -- promises -----------------------------------------------------------------------------------------------------

PROMISING = {
    "mkv": ["-c:v", "mpeg4"],
    "webm": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"],
    "avi": ["-c:v", "mpeg4"],
    "flv": ["-c:v", "flv"],
    "wmv": ["-c:v", "wmv2"],
    "mp4": ["-c:v", "mpeg4", "-movflags", "+faststart"],
    "mov": ["-c:v", "mpeg4", "-movflags", "+faststart"],
    "mxf": ["-c:v", "mpeg2video"],
}


@pytest.mark.parametrize("ending", PROMISING)
def test_a_file_cut_short_is_told(tmp_path: Path, ending: str) -> None:
    """At 40 percent of its bytes it is partial, and says what its header promised; whole, it is not."""
    whole, cut = tmp_path / f"whole.{ending}", tmp_path / f"cut.{ending}"
    sound = [] if ending == "mxf" else ["-f", "lavfi", "-i", "sine=d=6:r=48000"]
    _run(*_picture_source(6), *sound, "-b:v", "400k", *PROMISING[ending], str(whole))
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 5])
    assert ((), False) == ((facts := _facts(whole)).warnings, facts.partial)
    facts = _facts(cut)
    assert facts.partial
    assert facts.span.duration < Fraction(7, 2)
    assert any(line.startswith("the header says 6 s, ") for line in facts.warnings)


def test_sound_longer_than_pictures_breaks_no_promise(tmp_path: Path) -> None:
    """The header says how long the longest track is."""
    path = tmp_path / "long_sound.mkv"
    _run(*_picture_source(1), "-f", "lavfi", "-i", "sine=d=5", "-c:v", "mpeg4", str(path))
    assert () == _facts(path).warnings


# -- endings and codecs -------------------------------------------------------------------------------------------

ENDINGS = {
    "mpegts": ["ts", "m2t", "m2ts", "mts", "tod", "trp", "tp"],
    "vob": ["vob", "mod", "m2p", "vro", "mpg"],
    "mp4": ["mp4", "insv", "lrv", "360", "3gp", "f4v"],
    "avi": ["avi", "divx"],
    "mpeg2video": ["m2v"],
    "mxf": ["mxf"],
    "dv": ["dv"],
    "ogg": ["ogv"],
}
_CODEC_OF = {"vob": "mpeg2video", "mpeg2video": "mpeg2video", "mxf": "mpeg2video", "ogg": "libtheora"}


def test_every_ending_of_cameras_is_read_and_the_rest_is_counted(tmp_path: Path) -> None:
    """Upper case as cameras write it; what is no video is told with its endings."""
    library = tmp_path / "card"
    library.mkdir()
    n_made = 0
    for container, endings in ENDINGS.items():
        for ending in endings:
            n_made += 1
            if container == "dv":
                how = ["-s", "720x576", "-c:v", "dvvideo", "-pix_fmt", "yuv420p"]
            else:
                how = ["-c:v", _CODEC_OF.get(container, "mpeg4")]
            target = str(library / f"CLIP{n_made:04d}.{ending.upper()}")
            _run(*_picture_source(0.2 + 0.04 * n_made), *how, "-f", container, target)
    for name in ("a.jpg", "b.JPG", "notes.txt", "README", ".hidden", "clip.xmp"):
        (library / name).write_bytes(b"x")
    outcomes = _index(tmp_path / "archive", library)
    passed_over = outcomes.pop("card")
    assert {Status.INDEXED} == {outcome.status for outcome in outcomes.values()}
    assert n_made == len(outcomes)
    assert Status.PASSED_OVER == passed_over.status
    assert "5 files (.jpg 2, no ending 1, .txt 1, .xmp 1)" == passed_over.reason
    assert {".jpg": 2, "": 1, ".txt": 1, ".xmp": 1} == passed_over.endings


def test_a_folder_without_videos_says_what_is_in_it(tmp_path: Path) -> None:
    """Nothing but pictures: what there is instead is named."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(ScanError, match=r"passed over: 1 file \(\.jpg 1\)"):
        _index(tmp_path / "archive", tmp_path / "photos")


@pytest.mark.parametrize("ending", ["mov", "avi"])
@pytest.mark.parametrize(
    ("codec", "pixels"), [("png", "rgb24"), ("png", "rgba"), ("jpeg2000", "yuv422p10le"), ("magicyuv", "yuv422p")]
)
def test_formats_of_cameras_and_archives_are_read(tmp_path: Path, ending: str, codec: str, pixels: str) -> None:
    """PNG, JPEG 2000 and MagicYUV, frame for frame."""
    path = tmp_path / f"clip.{ending}"
    tag = ["-tag:v", "MAGY"] if (codec, ending) == ("magicyuv", "mov") else []
    _run(*_picture_source(0.4), "-c:v", codec, "-pix_fmt", pixels, *tag, "-strict", "-1", str(path))
    facts = _facts(path)
    assert (codec, 10, ()) == (facts.video_codec, facts.n_frames, facts.warnings)


@pytest.mark.parametrize(
    ("codec", "version", "is_read"),
    [
        ("h264", "5.1", True),
        ("magicyuv", "8.1.1", False),
        ("magicyuv", "8.1.2", True),
        ("magicyuv", "n9.0.2-17-g2a571b6068-20260930", True),
        ("jpeg2000", "7.1", False),
        ("jpeg2000", "N-12345-gabcdef", False),
        ("jpeg2000", "", False),
        ("exr", "9.0", False),
    ],
)
def test_decoders_with_a_known_hole_need_a_mended_ffmpeg(codec: str, version: str, is_read: bool) -> None:
    """A version that cannot be told counts as old."""
    assert is_read == (refusal_of(codec, version) == "")


# -- sound --------------------------------------------------------------------------------------------------------


@needs_faults
def test_the_shared_unused_channels_are_counted() -> None:
    """Four, without a name; the child lives to say so."""
    assert (4,) == _facts(FAULTS / "sound-channels-unused.mov").audio_channels


@pytest.mark.parametrize(
    ("layout", "n_channels"),
    [("mono", 1), ("stereo", 2), ("5.1(side)", 6), ("FL+FC", 2), ("FC+FL+FR", 3), ("UNSD+UNSD", 2)],
)
def test_channels_of_any_layout_are_counted(tmp_path: Path, layout: str, n_channels: int) -> None:
    """With names or without, in usual order or not."""
    path = tmp_path / "sound.mov"
    how = ["-af", f"pan={n_channels}C|{'|'.join(f'c{n}=c0' for n in range(n_channels))}"]
    how += ["-channel_layout:a", layout, "-c:a", "pcm_s16le", "-c:v", "mpeg4"]
    _run(*_picture_source(0.4), "-f", "lavfi", "-i", "sine=d=0.4", *how, str(path))
    facts = _facts(path)
    assert ((n_channels,), 10) == (facts.audio_channels, facts.n_frames)

"""Fast mode: copied pictures are the right ones, and every decoder takes the joined file without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from indexer.media.coded_pictures import coded_messages
from indexer.media.ffmpeg import Ffmpeg, discard, find_ffmpeg, open_own, open_source, save, send
from search_app.conforming.conform import Conformed
from search_app.conforming.copy_proof import prove_copied
from search_app.conforming.modes import Mode
from search_app.conforming.packets import seek_options
from search_app.conforming.picture_names import Codec
from search_app.conforming.source_frames import tick_span
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip, CutList
from search_app.errors import RenderError
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition
from tests.counted_video import CountedVideo, frame_times
from tests.integration.search_app.rendering.test_supercut import cut, numbers_in

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
N_FRAMES = 100


def source(name: str, rate: Fraction = Fraction(25), **x264: str | int) -> CountedVideo:
    """A counted video in H.264 whose groups of pictures are laid out as the options say."""
    params = ":".join(f"{key.replace('_', '-')}={value}" for key, value in x264.items())
    return CountedVideo(name, rate, N_FRAMES, options=(("x264-params", params),))


CLOSED = source("closed.mp4", keyint=12, bframes=3, scenecut=0)
SOURCES = [
    CLOSED,
    source("pyramid.mkv", FILM, keyint=24, bframes=8, b_pyramid="normal", b_adapt=0, scenecut=0),
    source("no_b_frames.mp4", NTSC, keyint=12, bframes=0, scenecut=0),
    source("open.mp4", keyint=12, bframes=3, open_gop=1, scenecut=0),
    source("long.mov", keyint=250, bframes=3, scenecut=0),
    source("stream.ts", NTSC, keyint=12, bframes=2, scenecut=0),
    source("camera.mkv", NTSC, keyint=1, bframes=0),
]


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def clips(wanted: Sequence[tuple[Path, int, int]]) -> CutList:
    """Clips from one frame up to and without another; they may show the same frames."""
    return CutList(tuple(cut([one])[0].clips[0] for one in wanted))


def complaints(program: Ffmpeg, path: Path) -> list[str]:
    """What two decoders, ffmpeg and PyAV, have against a file."""
    lines: list[str] = []
    program.run(discard([open_source(path, err_detect="explode")["V:0"]]), on_line=lines.append)
    # What a filter says when colours change between clips is no complaint of a decoder.
    heard = [line for line in lines if ("[error]" in line or "[warning]" in line) and "[graph " not in line]
    with av.open(f"file:{path}") as container:
        heard += [f"damaged frame {frame.pts}" for frame in container.decode(video=0) if frame.is_corrupt]
    return heard


def check(report: SupercutReport, wanted: Sequence[tuple[int, int]], program: Ffmpeg) -> None:
    """Every frame is the one that the cut list names, on the beat, verified, and decodes."""
    assert [list(range(first, end)) for first, end in wanted] == numbers_in(report)
    rate = report.profile.frame_rate
    assert [n / rate for n in range(report.n_frames)] == frame_times(report.output)
    assert f"{len(wanted)}/{len(wanted)} cuts exact" == report.verification_line()
    assert [] == complaints(program, report.output)


@pytest.mark.parametrize("video", SOURCES, ids=lambda video: video.name)
def test_copied_clips_hold_exactly_their_frames(video: CountedVideo, tmp_path: Path, program: Ffmpeg) -> None:
    """Clips that begin and end anywhere in groups of pictures of any kind hold the frames of the cut list."""
    path = video.write(tmp_path, program)
    wanted = [(24, 48), (5, 60), (0, 100), (30, 31), (37, 47)]
    cut_list = clips([(path, *span) for span in wanted])
    report = render_supercut(cut_list, tmp_path / "out.mp4", mode=Mode.FAST, program=program)
    check(report, wanted, program)
    n_copied = [clip.n_copied_frames for clip in report.done]
    assert N_FRAMES == n_copied[2]
    assert [bool(clip.warnings) for clip in report.done] == [not n for n in n_copied]


@pytest.mark.parametrize("video", SOURCES, ids=lambda video: video.name)
def test_encoded_clips_may_begin_anywhere_in_a_group(video: CountedVideo, tmp_path: Path, program: Ffmpeg) -> None:
    """Clips that begin at, before and behind a key frame of any kind are encoded of exactly their frames."""
    path = video.write(tmp_path, program)
    wanted = [(first, first + 3) for first in range(33, 38)] + [(48, 60), (97, 100)]
    check(
        render_supercut(clips([(path, *span) for span in wanted]), tmp_path / "out.mp4", program=program),
        wanted,
        program,
    )


def test_sources_with_other_headers_share_one_film(tmp_path: Path, program: Ffmpeg) -> None:
    """Copies from several encoders and encoded clips follow each other; what is not copied says why."""
    plain = source("plain.mp4", keyint=12, bframes=0, cabac=0, scenecut=0).write(tmp_path, program)
    closed = CLOSED.write(tmp_path, program)
    others = [
        CountedVideo("vp8.webm", codec="libvpx"),
        CountedVideo("turned.mp4", turn=180),
        CountedVideo("large.mp4", size=(256, 192)),
        CountedVideo("slow.mp4", Fraction(24)),
    ]
    paths = [closed, plain, *(video.write(tmp_path, program) for video in others), closed, plain]
    spans = [(12, 36), (24, 48), (0, 20), (5, 25), (0, 20), (0, 24), (37, 61), (3, 27)]
    cut_list = clips([(path, *span) for path, span in zip(paths, spans, strict=True)])
    report = render_supercut(cut_list, tmp_path / "out.mkv", mode=Mode.FAST, program=program)
    assert "8/8 cuts exact" == report.verification_line()
    assert [] == complaints(program, report.output)
    numbers = numbers_in(report)
    assert [list(range(*span)) for span in spans[:5]] == numbers[:5]
    assert [list(range(*span)) for span in spans[6:]] == numbers[6:]
    assert [24, 24, 0, 0, 0, 0] == [clip.n_copied_frames for clip in report.done[:6]]
    assert [
        "re-encoded: its coding is vp8, and only h264 is copied",
        "re-encoded: it is turned by 180 degrees",
        "re-encoded: its pictures are 256x192 pixels, the film's 128x96",
        "re-encoded: its frames do not come at 25 a second",
    ] == [warning for clip in report.done for warning in clip.warnings]


def test_blended_clips_are_encoded_and_say_so(tmp_path: Path, program: Ffmpeg) -> None:
    """With a transition between them no clip is copied, and each says why."""
    path = CLOSED.write(tmp_path, program)
    film = FilmOptions(Transition.DIP, 0.2)
    cut_list = clips([(path, 12, 36), (path, 48, 72)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", mode=Mode.FAST, film=film, program=program)
    assert report.is_exact
    reason = "re-encoded: something lies over its pictures, or they blend with the next"
    assert [(reason,)] * 2 == [clip.warnings for clip in report.done]


def test_proof_sees_a_clip_that_is_one_frame_off(tmp_path: Path, program: Ffmpeg) -> None:
    """The pictures of a copied clip are found where they are in the film, and nowhere else."""
    path = CLOSED.write(tmp_path, program)
    clip, late = clips([(path, 12, 36), (path, 13, 37)]).clips
    report = render_supercut(CutList((clip,)), tmp_path / "out.mp4", mode=Mode.FAST, program=program)
    first, _ = tick_span(clip.span, clip.facts)
    frame = round(1 / (25 * clip.facts.time_base))
    made = Conformed(24, first, first + 23 * frame, first, 24, True, first, first + 23 * frame)
    right = prove_copied(report.output, [(0, clip, path, made)], report.profile)
    assert right.look is not None
    assert (24, True) == (right.look.n_frames, right.look.is_as_stored)
    assert {0} == right.proven
    assert frozenset() == prove_copied(report.output, [(0, late, path, made)], report.profile).proven


def n_packets(program: Ffmpeg, path: Path, clip: Clip, preroll: Fraction | None) -> int:
    """How many packets are read of a file for a clip."""
    listing = bytearray()
    pictures = open_source(path, **seek_options(clip, preroll))["V:0"]
    program.run(send([pictures], c="copy", format="framecrc"), on_bytes=listing.extend)
    return listing.count(b"\n0,")


def test_little_is_read_for_a_clip_at_the_beginning(tmp_path: Path, program: Ffmpeg) -> None:
    """Of a long file only what lies near the clip is read, to copy it and to prove it."""
    path = replace(CLOSED, name="long.mp4", n_frames=400).write(tmp_path, program)
    wanted = [(0, 25), (36, 60)]
    cut_list = clips([(path, *span) for span in wanted])
    read = [n_packets(program, path, clip, Fraction(0)) for clip in cut_list.clips]
    proven = [coded_messages([[str(path), str(clip.span.start), str(clip.span.end)]]) for clip in cut_list.clips]
    read += [
        len(header.get("pictures", ())) for messages in proven for header, _ in messages if "pictures" in header
    ]
    assert [True] * 4 == [n < 130 for n in read]
    report = render_supercut(cut_list, tmp_path / "out.mp4", mode=Mode.FAST, program=program)
    check(report, wanted, program)
    assert [25, 24] == [clip.n_copied_frames for clip in report.done]


@pytest.mark.parametrize(("name", "first"), [("both.ts", 106), ("both.ts", 118), ("both.mkv", 101)])
def test_pictures_are_judged_where_the_clip_is(name: str, first: int, tmp_path: Path, program: Ffmpeg) -> None:
    """Where full range follows limited range in a file, the pictures before a clip say nothing of it."""
    for half, is_full in (("limited", "off"), ("full", "on")):
        source(f"{half}.mp4", keyint=12, bframes=2, scenecut=0, fullrange=is_full).write(tmp_path, program)
    listing, both = tmp_path / "halves.ffconcat", tmp_path / name
    listing.write_text("ffconcat version 1.0\nfile limited.mp4\nfile full.mp4\n")
    joined = open_own(listing, format="concat", safe=1)["v:0"]
    program.run(save([joined], both, **{"c": "copy", "bsf:v": "h264_mp4toannexb"}))
    report = render_supercut(
        clips([(both, first, first + 40)]), tmp_path / "out.mp4", mode=Mode.FAST, program=program
    )
    reason = "re-encoded: its headers are others than those of the pictures before it"
    assert ((reason,), 0) == (report.done[0].warnings, report.done[0].n_copied_frames)


def test_preview_is_small_and_says_what_it_is(tmp_path: Path, program: Ffmpeg) -> None:
    """A preview of large pictures is small, holds the same frames, and is not verified."""
    path = CountedVideo("large.mp4", size=(960, 540)).write(tmp_path, program)
    cut_list = clips([(path, 10, 20)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", mode=Mode.PREVIEW, program=program)
    assert (480, 270) == (report.profile.width_px, report.profile.height_px)
    assert [list(range(10, 20))] == numbers_in(report)
    assert "a preview: small, rough and not verified" in report.summary()
    assert "cuts not verified" == report.verification_line()


def test_fast_mode_refuses_another_codec(tmp_path: Path, program: Ffmpeg) -> None:
    """H.264 cannot be copied into a ProRes file, and nothing is written."""
    cut_list = clips([(CLOSED.write(tmp_path, program), 0, 10)])
    profile = Profile(128, 96, Fraction(25), codec=Codec.PRORES)
    with pytest.raises(RenderError, match=r"--mode fast copies H\.264, and prores is asked for"):
        render_supercut(cut_list, tmp_path / "out.mov", profile=profile, mode=Mode.FAST, program=program)

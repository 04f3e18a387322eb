"""Films that came out wrong, and verification that is broken off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import psutil  # type: ignore[import-untyped]  # ships no types
import pytest

from indexer.media.ffmpeg import Ffmpeg, draw, find_ffmpeg, open_own, save
from search_app.commands.render import say_film
from search_app.conforming.conform import Conformed
from search_app.conforming.source_frames import FrameLog, tick_span
from search_app.cutting.cut_list import Clip
from search_app.rendering import supercut
from search_app.rendering.join import join_pieces
from search_app.rendering.ledger import read_ledger
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from search_app.rendering.verify import ClipCheck, Placed, verify_supercut
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import SMALL, cut


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture
def too_long(tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch) -> SupercutReport:
    """A film of two clips, 17 and 15 frames, to which the first was joined once more."""

    def join_one_more(program: Ffmpeg, pieces: Any, *others: Any, **options: Any) -> None:
        join_pieces(program, [*pieces, pieces[0]], *others, **options)

    monkeypatch.setattr(supercut, "join_pieces", join_one_more)
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 3, 20), (path, 30, 45)])
    return render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)


def test_a_film_of_another_length_is_called_wrong(too_long: SupercutReport) -> None:
    """Though every clip begins and ends as it must: summary, ledger and exit status say that the film does not."""
    said = "2/2 cuts exact; the film has 49 frames instead of 32"
    assert (2, False, True) == (too_long.n_exact, too_long.is_exact, too_long.has_wrong_cut)
    assert said in too_long.summary().splitlines()
    told = read_ledger(too_long.ledger)
    assert (32, 49, said) == (told["n_frames"], told["n_frames_found"], told["verification"])
    with pytest.raises(click.exceptions.Exit) as left, click.Context(click.Command("supercut")):
        say_film(too_long, as_json=True)
    assert 1 == left.value.exit_code


def test_what_breaks_verification_off_ends_the_readers(tmp_path: Path, program: Ffmpeg) -> None:
    """After Ctrl-C no child goes on reading."""
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 10)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program, verify=False)
    placed = [_placed(cut_list.clips[0], path, n) for n in range(3)]

    def running() -> set[int]:
        children = psutil.Process().children(recursive=True)
        return {one.pid for one in children if one.status() != psutil.STATUS_ZOMBIE}

    def interrupt(_n_clips: int) -> None:
        raise KeyboardInterrupt

    before = running()

    with pytest.raises(KeyboardInterrupt):
        verify_supercut(report.output, placed, SMALL, on_clip=interrupt)
    assert running() <= before


def _placed(clip: Clip, source: Path, first_frame: int = 0) -> Placed:
    """A clip of whole frames at 25 a second, as it must be in a film."""
    first, end = tick_span(clip.span, clip.facts)
    n_frames = round(clip.span.duration * 25)
    last = first + (end - first) // n_frames * (n_frames - 1)
    made = Conformed(n_frames, first, last, first, n_frames, True, first, last)
    return Placed(clip, source, FrameLog(), made, first_frame)


def _checked(
    film: Path, source: Path, program: Ffmpeg, filters: Sequence[tuple[str, dict[str, object]]] = ()
) -> ClipCheck:
    """What verification says of a film of frames 10 to 29 of a source, after it went through filters."""
    pictures = open_own(film)["v:0"]
    for name, options in filters:
        pictures = pictures.filter(name, **options)
    spoilt = film.with_name("spoilt.mp4")
    program.run(save([pictures], spoilt, **{"c:v": "libx264", "fps_mode": "passthrough"}))
    clip = cut([(source, 10, 30)])[0].clips[0]
    return verify_supercut(spoilt, [_placed(clip, source)], SMALL).clips[0]


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_film_that_is_one_frame_off_is_not_exact(shift: int, tmp_path: Path, program: Ffmpeg) -> None:
    """Both ends say by how much; the film that is right is exact."""
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 10 + shift, 30 + shift)])
    film = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program, verify=False).output
    check = _checked(film, path, program)
    assert (shift == 0, shift, shift) == (check.is_exact, check.first.seen_offset, check.last.seen_offset)


WRONG: dict[str, list[tuple[str, dict[str, object]]]] = {
    # Frame 7 is shown twice, and frame 8 is missing.
    "frames show another than it must, the first at place 8": [
        ("loop", {"loop": 1, "size": 1, "start": 7}),
        ("select", {"expr": "not(eq(n,9))"}),
        ("setpts", {"expr": "N/25/TB"}),
    ],
    "mirrored": [("hflip", {})],
    "upside down and mirrored": [("vflip", {})],
    "stretched": [("crop", {"w": "iw*5/6", "h": "ih"}), ("scale", {"w": 128, "h": 96})],
    "its last frame has nothing to be compared with": [("trim", {"end_frame": 19})],
}


@pytest.mark.parametrize("said", WRONG)
def test_a_film_that_shows_other_pictures_is_not_exact(said: str, tmp_path: Path, program: Ffmpeg) -> None:
    """Though it begins and ends with the right frames: doubled ones, mirrors and other shapes are seen."""
    path = tmp_path / "source.mp4"
    moving = draw("testsrc=size=128x96:rate=25:duration=2").filter("rotate", "n/40")
    program.run(save([moving], path, **{"c:v": "libx264", "pix_fmt": "yuv420p"}))
    cut_list, _ = cut([(path, 10, 30)])
    film = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert film.is_exact
    check = _checked(film.output, path, program, WRONG[said])
    assert not check.is_exact
    assert said in check.reason


def test_a_film_of_another_shape_is_not_exact(tmp_path: Path, program: Ffmpeg) -> None:
    """Nor is one that players turn: of the whole film that is said, whatever its clips show."""
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 10, 30)])
    film = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program, verify=False).output
    placed = [_placed(cut_list.clips[0], path)]
    turned = tmp_path / "turned.mp4"
    program.run(save([open_own(film, display_rotation=180)["v:0"]], turned, c="copy"))
    assert "players turn, crop or stretch the film's pictures" == verify_supercut(turned, placed, SMALL).reason
    large = tmp_path / "large.mp4"
    program.run(save([open_own(film)["v:0"].filter("scale", 256, 192)], large))
    assert "the film's pictures are 256x192 instead of 128x96" == verify_supercut(large, placed, SMALL).reason

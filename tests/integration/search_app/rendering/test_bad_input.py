"""Sources that change between search and render, and names that mean something to others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg, open_own, save
from search_app.cutting.cut_list import CutList
from search_app.errors import RenderError
from search_app.rendering.outcomes import RenderProgress, RenderStage
from search_app.rendering.supercut import render_supercut
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import SMALL, cut, leftovers, numbers_in


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def film(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty frames with sound."""
    return CountedVideo("film.mp4", layout="mono").write(tmp_path_factory.mktemp("film"), program)


@pytest.fixture(scope="module")
def short(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of another video."""
    return CountedVideo("short.mp4", n_frames=8).write(tmp_path_factory.mktemp("short"), program)


def cut_in_halves(path: Path) -> None:
    """Keep the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (Path.unlink, "is missing"),
    (lambda path: path.write_bytes(b"no video" * 1000), "cannot be read"),
    (lambda path: path.write_bytes(b""), "cannot be read"),
    (cut_in_halves, "cannot be read"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES, ids=["gone", "garbage", "empty", "halved"])
def test_a_source_that_changed_is_named(
    change: Callable[[Path], object], reason: str, film: Path, program: Ffmpeg, tmp_path: Path
) -> None:
    """One line says which clip, which file and what became of it, and nothing is written."""
    copy = Path(shutil.copy(film, tmp_path / "copy.mp4"))
    cut_list, _ = cut([(copy, 20, 30)])
    change(copy)
    with pytest.raises(
        RenderError, match=f"1 of 1 clips cannot be rendered: clip 1: .*copy.mp4 {reason}"
    ) as caught:
        render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert "\n" not in str(caught.value)
    assert {"copy.mp4"} >= {path.name for path in tmp_path.iterdir()}


def test_another_video_in_its_place_has_no_such_clip(
    film: Path, short: Path, program: Ffmpeg, tmp_path: Path
) -> None:
    """Where nobody looks at fingerprints, a clip past the end of what lies there now is still not made up."""
    copy = Path(shutil.copy(film, tmp_path / "copy.mp4"))
    cut_list, _ = cut([(copy, 20, 30)])
    shutil.copy(short, copy)
    with pytest.raises(RenderError, match=r"clip 1: .*copy\.mp4"):
        render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert ["copy.mp4"] == [path.name for path in tmp_path.iterdir()]


def test_a_source_that_vanishes_in_mid_render_ends_it_cleanly(film: Path, program: Ffmpeg, tmp_path: Path) -> None:
    """Between preflight and its turn a file can go: the clip is named, and nothing half-written has the name."""
    first, second = (Path(shutil.copy(film, tmp_path / f"{name}.mp4")) for name in ("first", "second"))
    cut_list, _ = cut([(first, 3, 6), (second, 3, 6)])

    def unplug(progress: RenderProgress) -> None:
        if progress.stage is RenderStage.CLIPS:
            second.unlink(missing_ok=True)

    with pytest.raises(RenderError, match=r"clip 2: .*second\.mp4"):
        render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program, on_progress=unplug)
    assert not (tmp_path / "out.mp4").exists()


def test_lost_sound_becomes_silence_and_is_said(film: Path, program: Ffmpeg, tmp_path: Path) -> None:
    """Pictures stay what they are when a file comes back without its sound track."""
    copy = Path(shutil.copy(film, tmp_path / "copy.mp4"))
    cut_list, _ = cut([(copy, 3, 9)])
    program.run(save([open_own(film)["v:0"]], tmp_path / "mute.mp4", c="copy"))
    (tmp_path / "mute.mp4").replace(copy)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert [[*range(3, 9)]] == numbers_in(report)
    assert ["its sound cannot be read, silence instead"] == [
        warning.partition(":")[0] for warning in report.clips[0].warnings
    ]


def test_overlapping_and_repeated_clips_are_rendered_as_written(
    film: Path, program: Ffmpeg, tmp_path: Path
) -> None:
    """A cut list may show the same twice, and a single frame."""
    clips = [cut([(film, *frames)])[0].clips[0] for frames in ((3, 9), (5, 11), (5, 11), (7, 8))]
    report = render_supercut(CutList(tuple(clips)), tmp_path / "out.mp4", profile=SMALL, program=program)
    assert [[*range(3, 9)], [*range(5, 11)], [*range(5, 11)], [7]] == numbers_in(report)


@pytest.mark.parametrize(
    "name",
    [os.fsdecode(b"latin\xe9 \xff.mp4"), "\u202e4pm.\u05e9\u05dc.mp4", "\U0001f468\u200d\U0001f469 $(id).mp4"],
    ids=["bytes", "right-to-left", "emoji"],
)
def test_names_of_any_bytes_are_rendered_and_kept(name: str, film: Path, program: Ffmpeg, tmp_path: Path) -> None:
    """What is no UTF-8, runs from right to left or is joined of several signs is in the ledger as on the disk."""
    copy = Path(shutil.copy(film, tmp_path / name))
    cut_list, _ = cut([(copy, 3, 9)])
    report = render_supercut(cut_list, tmp_path / f"out {name}", profile=SMALL, program=program)
    assert [[*range(3, 9)]] == numbers_in(report)
    ledger = json.loads(report.ledger.read_text(encoding="utf-8"))
    assert (str(copy), f"out {name}") == (ledger["clips"][0]["source"], ledger["output"])


def test_targets_that_cannot_be_written_are_refused(film: Path, program: Ffmpeg, tmp_path: Path) -> None:
    """A name too long for the film or for its ledger, a device by a link: one line, and nothing is encoded."""
    cut_list, _ = cut([(film, 3, 9)])
    (tmp_path / "null.mp4").symlink_to("/dev/null")
    for name, reason in (
        (f"{'x' * 300}.mp4", "File name too long"),
        (f"{'x' * 248}.mp4", "File name too long"),
        ("null.mp4", "no ordinary file"),
    ):
        with pytest.raises(RenderError, match=reason):
            render_supercut(cut_list, tmp_path / name, program=program, overwrite=True)
    assert [] == leftovers(tmp_path)

"""Films that are not exact, and sources that change while they are rendered."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.library.scan import fingerprint_file
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.cutting.cut_list import CutList
from search_app.errors import RenderError
from search_app.rendering import supercut
from search_app.rendering.outcomes import RenderProgress, RenderStage, SupercutReport
from search_app.rendering.similarity import EdgeCheck
from search_app.rendering.supercut import render_supercut
from search_app.rendering.verify import ClipCheck, FilmCheck
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import SMALL, cut


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture
def render(tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SupercutReport]:
    """Renders a film of ten frames that verification finds wrong."""
    wrong = ClipCheck(EdgeCheck(is_exact=True), EdgeCheck(is_exact=True), "its pictures are shown mirrored")
    monkeypatch.setattr(supercut, "verify_supercut", lambda *_, **__: FilmCheck((wrong,), 10))
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 3, 13)])
    return lambda **options: render_supercut(
        cut_list, tmp_path / "film.mp4", profile=SMALL, program=program, **options
    )


def test_a_film_that_is_not_exact_does_not_get_its_name(
    render: Callable[..., SupercutReport], tmp_path: Path
) -> None:
    """It is kept under a name that says so, each time another, and the summary tells the way out."""
    report = render()
    assert tmp_path / "film.inexact.mp4" == report.output
    assert tmp_path / "film.inexact-2.mp4" == render().output
    there = {path.name for path in tmp_path.iterdir()} - {"source.mp4"}
    names = ("film.inexact.mp4", "film.inexact-2.mp4")
    assert {*names, *(f"{name}.json" for name in names)} == there
    assert "0/1 cuts exact; clip 1: its pictures are shown mirrored" in report.summary()
    said = "film.mp4 was not written: the film is not exact, and is kept as film.inexact.mp4"
    assert f"{said} (--keep-inexact gives it its name)" in report.summary()


def test_what_the_name_stands_for_stays(render: Callable[..., SupercutReport], tmp_path: Path) -> None:
    """A film that is not exact replaces none, whatever may be overwritten."""
    (tmp_path / "film.mp4").write_text("an older film")
    render(overwrite=True)
    assert "an older film" == (tmp_path / "film.mp4").read_text()


def test_it_gets_its_name_if_asked_for(render: Callable[..., SupercutReport], tmp_path: Path) -> None:
    """And is called what it is all the same."""
    report = render(keep_inexact=True)
    assert (tmp_path / "film.mp4", True) == (report.output, report.has_wrong_cut)
    assert ["film.mp4", "film.mp4.json", "source.mp4"] == sorted(path.name for path in tmp_path.iterdir())


def _replace(path: Path, other: Path) -> None:
    shutil.copy(other, path.with_name("new"))
    path.with_name("new").replace(path)


def _write_over(path: Path, other: Path) -> None:
    """The same file, size and times, as some programs restore them."""
    status = path.stat()
    path.write_bytes(other.read_bytes().ljust(status.st_size, b"\0")[: status.st_size])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("stage", [RenderStage.CLIPS, RenderStage.JOIN, RenderStage.VERIFY])
@pytest.mark.parametrize("change", [_replace, _write_over])
def test_a_source_that_changes_is_noticed(
    stage: RenderStage, change: Callable[[Path, Path], None], tmp_path: Path, program: Ffmpeg
) -> None:
    """Whether replaced or written over, at whatever step: nothing is kept, and the file is named."""
    path = CountedVideo("source.mp4").write(tmp_path, program)
    other = CountedVideo("other.mp4", size=(96, 128)).write(tmp_path, program)
    changed: list[RenderStage] = []

    def change_once(progress: RenderProgress) -> None:
        if progress.stage is stage and not changed:
            changed.append(stage)
            change(path, other)

    cut_list, _ = cut([(path, 3, 13), (path, 20, 30)])
    known = tuple(replace(clip, video_id=fingerprint_file(path)) for clip in cut_list.clips)
    with pytest.raises(RenderError, match=r"source\.mp4 changed while it was rendered"):
        render_supercut(
            CutList(known),
            tmp_path / "film.mp4",
            profile=SMALL,
            program=program,
            identify=fingerprint_file,
            skip_missing=True,
            on_progress=change_once,
        )
    assert [stage] == changed
    assert ["other.mp4", "source.mp4"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_source_that_is_only_touched_is_the_same(tmp_path: Path, program: Ffmpeg) -> None:
    """Renamed and back, it has the same content."""
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 3, 13)])
    same = CutList((replace(cut_list.clips[0], video_id=fingerprint_file(path)),))
    touched: list[bool] = []

    def touch(progress: RenderProgress) -> None:
        if progress.stage is RenderStage.CLIPS and not touched:
            touched.append(True)
            path.rename(tmp_path / "moved.mp4").rename(path)

    report = render_supercut(
        same, tmp_path / "film.mp4", profile=SMALL, program=program, identify=fingerprint_file, on_progress=touch
    )
    assert report.is_exact

"""A film is the same film, whoever asks for it."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import pytest

from indexer.errors import FfmpegError
from search_app.conforming.modes import Mode
from search_app.cutting.rights import Rule, set_rights
from search_app.cutting.stored_cut import PICKS
from search_app.errors import ExportError, RenderError
from search_app.exports import manifest
from search_app.rendering.ledger import read_ledger
from search_app.search.ranking import Hit
from search_app.ui import picks
from search_app.ui.media_cache import MediaShelf
from search_app.ui.render_job import RenderJob
from search_app.use_cases.choose_clips import ExportNeeds, choose_export, film_needs
from search_app.use_cases.make_film import FilmPlan, make_film, prepare_film
from search_app.use_cases.options import RenderOptions, StoredSource
from store.archive import Archive
from store.records import TextRow, TextSegment, TextStage
from tests.e2e.small_archive import draw_library, index_library
from tests.integration.search_app.commands.test_render_again import decoded, run

QUESTION = "a pink castle"
_OF_ONE_RUN = ("output", "seconds_per_stage", "rendered_at", "digest", "archive_generation")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos with captions and speech, of which one must be marked, and three of their shots ticked."""
    folder = tmp_path_factory.mktemp("same")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    with Archive.open(folder / "archive") as opened:
        shots = opened.snapshot().shots()
        for stage in (TextStage.CAPTION, TextStage.TRANSCRIPT):
            for video_id in {shot.video_id for shot in shots}:
                spans = [shot.shot.span for shot in shots if shot.video_id == video_id]
                rows = tuple(TextRow(span, f"{stage} of a shot", None, "en") for span in spans)
                opened.put_text(TextSegment(video_id, stage, "k", "made-up", {}, rows))
        opened.publish()
        set_rights(opened, shots[0].video_id, None, Rule.WATERMARK, text="Anna's")
        hits = [Hit(n, n / 10, shot, Fraction(0), "") for n, shot in enumerate(shots[:3], start=1)]
        picks.tick(opened, hits, QUESTION)
    return folder / "archive"


def test_page_and_command_make_the_same_film(archive: Path, tmp_path: Path) -> None:
    """Of the same picks: the ledger and manifest but for times and names, every picture and all sound."""
    run("cut", "render", archive, PICKS, "-o", tmp_path / "film.mp4")
    shelf = MediaShelf()
    with Archive.open(archive) as opened:
        job = RenderJob(opened, StoredSource(PICKS), shelf)
        job.start()
        assert job.wait(120)
    assert job.report is not None, job.problem
    assert () == job.losses
    by_command, by_page = (_lasting(path) for path in (tmp_path / "film.mp4.json", job.report.ledger))
    assert by_command == by_page
    assert QUESTION == by_page["query"]
    texts = by_page["render_options"]["texts"]
    assert 3 == len(texts)
    assert ["caption of a shot"] * 3 == [text["caption"] for text in texts]
    assert ["transcript of a shot"] * 3 == [text["speech"][0]["text"] for text in texts]
    assert "Anna's" in {text["mark"] for text in texts}
    assert decoded(tmp_path / "film.mp4") == decoded(job.report.output)
    shelf.close()


def _lasting(ledger: Path) -> dict[str, Any]:
    """What a ledger says but for when it was made, under which name, and how often the archive was used before."""
    entries = read_ledger(ledger)
    return {name: value for name, value in entries.items() if name not in _OF_ONE_RUN}


def test_clips_can_be_rendered_best_first(archive: Path) -> None:
    """A stored cut list in another order is still the same cut list."""
    needs = ExportNeeds(can_mark=True)
    with Archive.open(archive) as opened:
        stored, best_first = (
            choose_export(opened, StoredSource(PICKS, best_first=turned), needs) for turned in (False, True)
        )
    scores = [0.1, 0.2, 0.3]
    assert scores == pytest.approx([clip.score for clip in stored.cut_list.clips])
    assert scores[::-1] == pytest.approx([clip.score for clip in best_first.cut_list.clips])
    assert stored.provenance["cut"]["version"] == best_first.provenance["cut"]["version"]


def _plan(opened: Archive, output: Path) -> FilmPlan:
    how = RenderOptions(mode=Mode.PREVIEW)
    return prepare_film(opened, choose_export(opened, StoredSource(PICKS), film_needs(how)), output, how)


def test_what_is_lost_beside_a_film_is_a_value(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The film is there and was used; nothing is printed, and who wants an error gets one."""

    def fail(*_: object) -> NoReturn:
        raise ExportError("the disk is gone")

    monkeypatch.setattr(manifest, "film_checksums", fail)
    with Archive.open(archive) as opened:
        before = opened.snapshot().generation
        made = make_film(_plan(opened, tmp_path / "film.mp4"))
        assert before < opened.snapshot().generation
    (loss,) = made.losses
    assert loss.startswith("its manifest has no seal")
    assert (tmp_path / "film.mp4").exists()
    assert ("", "") == capsys.readouterr()
    with pytest.raises(RenderError, match=r"film\.mp4 is made, but its manifest has no seal.*the disk is gone"):
        made.refuse_losses()


def test_a_film_that_is_cancelled_while_it_is_sealed_is_not_kept(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither it nor its ledger, and nothing was used."""
    cancel = threading.Event()

    def stop(*_: object) -> NoReturn:
        cancel.set()
        raise FfmpegError("cancelled")

    monkeypatch.setattr(manifest, "film_checksums", stop)
    with Archive.open(archive) as opened:
        before = opened.snapshot().generation
        with pytest.raises(RenderError, match="was cancelled; nothing was kept"):
            make_film(_plan(opened, tmp_path / "film.mp4"), cancel=cancel)
        assert before == opened.snapshot().generation
    assert [] == list(tmp_path.iterdir())

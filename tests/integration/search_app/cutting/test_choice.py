"""`rushes supercut` with a length to fit, an order, and used shots to avoid, on a small indexed archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from search_app.cli import main
from search_app.cutting.choice import choose_clips, used_shots
from search_app.cutting.clip_order import chain_length
from search_app.cutting.cut_options import CutOptions, Order
from search_app.errors import CutError
from search_app.search.decisions import record_export
from search_app.search.search import search
from store.archive import Archive
from tests.e2e.small_archive import draw_library, index_library

pytestmark = pytest.mark.slow

QUERY = "a red boat on the sea"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an indexed archive: two videos with two shots of 1.5 s each."""
    made = tmp_path_factory.mktemp("choice")
    draw_library(made / "library")
    index_library(made / "archive", made / "library")
    return made


@pytest.fixture
def archive(folder: Path) -> Iterator[Archive]:
    """That archive, open."""
    with Archive.open(folder / "archive") as opened:
        yield opened


def supercut(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["supercut", *map(str, arguments)])


def ledger(film: Path) -> Any:
    """What is written beside a supercut."""
    return json.loads(film.with_name(film.name + ".json").read_text(encoding="utf-8"))


def test_fit_fills_the_length_and_the_ledger_says_how(folder: Path, tmp_path: Path) -> None:
    """Never over, at most one clip of each video, whole limits and all that was left out in the ledger."""
    film = tmp_path / "film.mp4"
    ran = supercut(
        folder / "archive",
        QUERY,
        "-o",
        film,
        "--nearest",
        "--fit",
        "2",
        "--max-clip",
        "1",
        "--max-per-source",
        "1",
    )
    assert 0 == ran.exit_code, ran.output
    told = ledger(film)
    assert 2 == len({clip["fingerprint"] for clip in told["clips"]}) == len(told["clips"])
    assert [12, 12] == [clip["n_source_frames"] for clip in told["clips"]]
    assert {"no more than 1 clip of one video are wanted"} == {left["reason"] for left in told["left_out"]}
    assert 2 == len(told["left_out"])
    assert "left out: 2 shots: no more than 1 clip of one video are wanted" in ran.stdout
    assert (2.0, 1.0, 1) == tuple(told["fit"][name] for name in ("seconds", "max_clip", "max_per_source"))
    assert told["verification"].startswith("2/2 cuts exact")


def shown(archive: Archive, order: Order) -> list[str]:
    """Ids of the shots in a cut of everything, in that order."""
    hits = search(archive, QUERY, limit=10).hits
    clips = choose_clips(archive.snapshot(), hits, CutOptions(order=order, nearest=True)).clips
    return [shot_id for clip in clips for shot_id in clip.shot_ids]


@pytest.mark.parametrize("order", list(Order))
def test_every_order_shows_the_same_clips(archive: Archive, order: Order) -> None:
    """An order moves clips, and neither adds nor drops one."""
    assert sorted(shot.shot_id for shot in archive.snapshot().shots()) == sorted(shown(archive, order))


def test_story_is_the_order_of_the_answer(archive: Archive) -> None:
    """If nothing else is asked for, clips come as the search lists them."""
    assert [hit.shot.shot_id for hit in search(archive, QUERY).hits] == shown(archive, Order.STORY)


def test_source_is_the_order_of_the_files(archive: Archive) -> None:
    """By file, then by time: as the archive lists its shots."""
    assert [shot.shot_id for shot in archive.snapshot().shots()] == shown(archive, Order.SOURCE)


def test_brightness_begins_with_the_night(archive: Archive) -> None:
    """Of the four drawn shots, the house at night is the darkest."""
    house = archive.snapshot().shots()[1]
    assert house.shot_id == shown(archive, Order.BRIGHTNESS)[0]


def test_look_brings_alike_pictures_together(archive: Archive) -> None:
    """No other order has neighbours nearer to each other, and some have them farther apart."""

    def length(order: Order) -> float:
        vectors = np.stack([archive.snapshot().embeddings(shot_id)[0] for shot_id in shown(archive, order)])
        return chain_length(vectors, range(len(vectors)))

    lengths = {order: length(order) for order in (Order.LOOK, Order.RELEVANCE, Order.SOURCE, Order.BRIGHTNESS)}
    assert lengths[Order.LOOK] == min(lengths.values()) < max(lengths.values())


def test_a_clip_of_each_step_stays_in_its_answer(archive: Archive) -> None:
    """A THEN B is fitted as a whole: both or none."""
    hits = search(archive, "a red boat THEN a white house", limit=1).hits
    both = choose_clips(archive.snapshot(), hits, CutOptions(fit=3, nearest=True))
    assert [0, 1] == [clip.hits[0].shot.shot.ordinal for clip in both.clips]
    with pytest.raises(CutError, match="its clips together are longer than 2 seconds"):
        choose_clips(archive.snapshot(), hits, CutOptions(fit=2, nearest=True))


def test_what_was_exported_is_avoided_and_named(tmp_path: Path) -> None:
    """The next best is taken instead; when nothing new is left, the command says so."""
    draw_library(tmp_path / "library")
    index_library(tmp_path / "archive", tmp_path / "library")
    with Archive.open(tmp_path / "archive") as opened:
        best, second = search(opened, QUERY, limit=2).hits
        record_export(opened, "earlier.mp4", [(best.shot.video_id, best.shot.shot.span)])
        assert {best.shot.shot_id} == used_shots(opened.snapshot())
    film = tmp_path / "film.mp4"
    ran = supercut(tmp_path / "archive", QUERY, "-o", film, "--avoid-used", "--limit", "1", "--nearest")
    assert 0 == ran.exit_code, ran.output
    assert [second.shot.shot_id] == [shot for clip in ledger(film)["clips"] for shot in clip["shot_ids"]]
    assert ["used in an earlier export"] == [left["reason"] for left in ledger(film)["left_out"]]
    with Archive.open(tmp_path / "archive") as opened:
        hits = search(opened, QUERY, limit=10).hits
        record_export(opened, "all.mp4", [(hit.shot.video_id, hit.shot.shot.span) for hit in hits])
    ran = supercut(tmp_path / "archive", QUERY, "-o", tmp_path / "none.mp4", "--avoid-used", "--nearest")
    assert (1, True) == (ran.exit_code, "used in an earlier export" in ran.stderr)


def test_contradictions_are_wrong_usage(folder: Path, tmp_path: Path) -> None:
    """They are refused before anything is searched."""
    ran = supercut(folder / "archive", QUERY, "-o", tmp_path / "film.mp4", "--max-per-source", "1")
    assert 2 == ran.exit_code
    assert "only with --fit" in ran.stderr

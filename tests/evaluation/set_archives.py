"""Benchmark sets on disk: films, pictures, an archive that the real indexer makes, and the questions as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from indexer.config import IndexSettings
from indexer.models.encoder import Encoder
from indexer.pipeline import Progress, index_videos
from search_app.search.decisions import overlapping_shots
from search_app.search.search import SearchResult, search
from store.archive import Archive
from store.records import Status
from tests.evaluation.drawn_films import Place, draw_take, resize, write_films
from tests.evaluation.search_cases import PICTURES, Case, SearchSet, Still


@dataclass(frozen=True)
class IndexedSet:
    """A benchmark set and its open archive.

    Args:
        search_set: the set.
        folder: where it lies.
        archive: its archive.
        encoder: what it was indexed with.
    """

    search_set: SearchSet
    folder: Path
    archive: Archive
    encoder: Encoder

    def ask(self, case: Case, **options: Any) -> SearchResult:
        """The answer to a question."""
        return self.ask_text(query_of(case, self.folder), **options)

    def ask_text(self, query: str, **options: Any) -> SearchResult:
        """The answer to any question about this library."""
        return search(self.archive, query, encoder=self.encoder, **options)

    def place(self, shot_id: str) -> Place:
        """Which of the drawn shots an indexed shot shows."""
        return self._places[shot_id]

    @cached_property
    def _places(self) -> dict[str, Place]:
        snapshot = self.archive.snapshot()
        places: dict[str, Place] = {}
        for film in self.search_set.films:
            shots = snapshot.shots(snapshot.video(film.name).video_id)
            for place, span in zip(film.places, film.spans(), strict=True):
                places.update(dict.fromkeys(overlapping_shots(shots, span), place))
        return places


def query_of(case: Case, folder: Path) -> str:
    """The question, with the true folder of its picture."""
    return case.query.replace(PICTURES, str(folder / "pictures"))


def write_set(folder: Path, search_set: SearchSet, encoder: Encoder) -> None:
    """Write films, pictures and questions of a set, and index the films into `folder/archive`.

    Raises:
        AssertionError: a film was not indexed.
    """
    write_films(folder / "library", search_set.films)
    _write_stills(folder / "pictures", search_set.stills)
    (folder / "queries.json").write_text(json.dumps(queries_of(search_set, folder), indent=1), encoding="utf-8")
    with Archive.create(folder / "archive") as archive:
        archive.claim_space(encoder.space, source="demo")
        outcomes = list(index_videos(archive, [folder / "library"], encoder, IndexSettings(), _ignore))
    failed = [outcome for outcome in outcomes if outcome.status is not Status.INDEXED]
    if failed:
        raise AssertionError(f"not indexed: {failed}")


def queries_of(search_set: SearchSet, folder: Path) -> list[dict[str, Any]]:
    """The questions in the form that `rushes eval` reads."""
    spans = {
        place: span for film in search_set.films for place, span in zip(film.places, film.spans(), strict=True)
    }
    return [
        {
            "id": f"q{number}",
            "query": query_of(case, folder),
            "relevant": [
                {
                    "file": place[0],
                    "start_seconds": spans[place].start_seconds,
                    "end_seconds": spans[place].end_seconds,
                }
                for place in case.right
            ],
        }
        for number, case in enumerate(search_set.cases, start=1)
    ]


def _write_stills(folder: Path, stills: Sequence[Still]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for still in stills:
        picture = resize(list(draw_take(still.take))[still.number], 0.75)
        Image.fromarray(picture).save(folder / still.name, quality=still.quality)


def _ignore(progress: Progress) -> None:
    """Nobody watches."""

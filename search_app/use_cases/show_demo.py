"""The demo: a drawn library, an archive of it, questions to it, and a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import IndexSettings
from indexer.demo.sample_library import draw_sample_library
from indexer.models.open_clip_encoder import load_encoder
from search_app.conforming.target_profile import film_rate
from search_app.cutting.choice import choose_clips
from search_app.cutting.cut_options import CutOptions
from search_app.query.options import SearchOptions
from search_app.use_cases.answer import find_shots
from search_app.use_cases.choose_clips import ChosenClips
from search_app.use_cases.make_film import FilmPlan, prepare_film
from search_app.use_cases.options import RenderOptions
from store.archive import Archive

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from search_app.search.search import SearchResult

DEMO_QUERIES = ("a red boat on the sea", "two dogs", "a house at night")


def is_drawn(library: Path) -> bool:
    """Whether the library is there."""
    return (library / "ground_truth.json").exists()


def draw_demo(library: Path, seed: int, on_frame: Callable[[int, int], None]) -> None:
    """Draw the library.

    Args:
        library: the folder to make.
        seed: another number draws another library.
        on_frame: told how many frames of how many are drawn.
    """
    draw_sample_library(library, seed, on_frame)


def demo_settings() -> IndexSettings:
    """Indexing of the library."""
    return IndexSettings()


@contextmanager
def open_demo(folder: Path) -> Iterator[tuple[Archive, Encoder]]:
    """The archive of the library, made if it is not there, and its encoder."""
    with Archive.create(folder) as archive:
        encoder = load_encoder("demo")
        archive.claim_space(encoder.space, source="demo")
        yield archive, encoder


def ask_demo(archive: Archive, encoder: Encoder, question: str, limit: int) -> SearchResult:
    """The answer to a question."""
    return find_shots(archive, question, SearchOptions(limit=limit), encoder=encoder)


def plan_demo_film(archive: Archive, encoder: Encoder, output: Path) -> FilmPlan:
    """A short film of what answers the first question."""
    question = DEMO_QUERIES[0]
    best = ask_demo(archive, encoder, question, limit=50)
    wanted = CutOptions(limit=5, max_seconds=20.0)
    cut_list = choose_clips(archive.snapshot(), best.hits, wanted, rate_of=film_rate)
    provenance = {
        "query": question,
        "embedding_space": best.space_id,
        "archive_generation": best.generation,
    }
    return prepare_film(
        archive, ChosenClips(cut_list, question, provenance), output, RenderOptions(overwrite=True)
    )

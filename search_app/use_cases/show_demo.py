"""The demo: a drawn library, an archive of it, questions to it, and a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import IndexSettings
from indexer.demo.noticeboard import NAME as NOTICEBOARD
from indexer.demo.noticeboard import draw_noticeboard
from indexer.demo.sample_library import draw_sample_library
from indexer.models.open_clip_encoder import load_encoder
from indexer.stages.label_settings import LabelSettings
from indexer.stages.makers import EnrichSettings
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
DEMO_WORDS = ('text:"NO ENTRY"', "said:ferry", "label:castle")
"""Questions to what stages found: written in the picture, said, and named."""


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
    library.mkdir(parents=True, exist_ok=True)
    draw_noticeboard(library, seed)
    draw_sample_library(library, seed, on_frame)


def demo_settings() -> IndexSettings:
    """Settings for the library: labels by the demo's own encoder, which alone knows what is drawn."""
    labels = LabelSettings(method="zero-shot", prompts_file=str(files("indexer.demo") / "labels.txt"))
    return IndexSettings(stages=EnrichSettings(labels=labels))


def demo_stages(archive: Archive) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Stages with the videos that they are for: labels for all, written and spoken words where there are any."""
    yield ("label",), ()
    boards = [video.video_id for video in archive.snapshot().videos() if Path(video.path).name == NOTICEBOARD]
    if boards:
        yield ("screen_text", "transcript"), tuple(boards)


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

"""An encoder whose scores do not tell right from wrong: nothing is said of how sure a shot is."""

from pathlib import Path

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import index_videos
from search_app.confidence.certainty import Certainty
from search_app.search.search import search
from store.archive import Archive
from tests.colour_clips import write_colour_library
from tests.fakes import FakeEncoder


def test_it_says_unknown_and_never_that_nothing_matches(tmp_path: Path) -> None:
    """The ranking is there, a remark tells why it is unsure, and what is absent is not called so."""
    write_colour_library(tmp_path / "library", 5)
    encoder = FakeEncoder("starter")
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(encoder.space, "starter")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(archive, [tmp_path / "library"], encoder, settings, lambda _: None))
        for question in ("red", "orange", "red THEN green"):
            result = search(archive, question, limit=5, encoder=encoder)
            assert result.hits
            assert {Certainty.UNKNOWN} == {hit.certainty for hit in result.hits}
            assert not result.nothing_matches
            assert not any(hit.is_match for hit in result.hits)
            assert ["how surely a shot shows it is not known with the encoder starter"] == list(result.remarks)

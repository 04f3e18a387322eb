"""A stage that no other code names: a row in the table is all that its texts need to be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from search_app.config import SearchSettings
from search_app.query.parser import parse_query
from search_app.query.query import format_filter
from search_app.search.search import search
from store import stages
from store.archive import Archive
from store.config import read_settings
from store.errors import ConfigError
from store.events import RootNamed, Seen
from store.filters import has_choices
from store.records import TextRow, TextSegment
from store.stages import Run, Space, Stage
from tests.fakes import FakeEncoder
from tests.integration.store.samples import fingerprint_of, segment_of

ENCODER = FakeEncoder()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """An archive of two videos; the first shot of each has a mood."""
    mood = Stage(
        "mood", "moods", "moods", space=Space.TEXTS, field="mood", has="mood", weight=0.6, meaning_weight=0.3
    )
    monkeypatch.setattr(stages, "STAGES", (*stages.STAGES, mood))
    run = Run.of("mood", "feeler", {})
    with Archive.create(tmp_path / "archive") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("library", "/library")])
        for video, said in ((1, "cheerful yellow"), (2, "gloomy")):
            plain = segment_of(video)
            vectors = ENCODER.encode_texts(["grey"] * 4)
            values = {name: getattr(plain, name) for name in plain.__slots__}
            made.put_segment(type(plain)(**{**values, "space": ENCODER.space, "embeddings": vectors}))
            made.record([Seen("library", f"{video}.mp4", 1000 + video, 5, plain.fingerprint)])
            rows = (TextRow(plain.shots[0].span, said, 0.8, "en"),)
            made.put_text(
                TextSegment(
                    plain.fingerprint, "mood", run.key, run.model, {}, rows, ENCODER.space,
                    ENCODER.encode_texts([said]),
                )
            )  # fmt: skip
        made.publish()
        yield made


def found(archive: Archive, query: str) -> list[tuple[str, int]]:
    """Video and number of each shot that a query finds, sorted."""
    hits = search(archive, query, encoder=ENCODER).hits
    return sorted((hit.shot.video_id, hit.shot.shot.ordinal) for hit in hits)


def test_a_made_up_stage_is_found_by_words_field_and_has(archive: Archive) -> None:
    """Its words are a channel, its field and its `has:` are filters, and all of them name the right shots."""
    first, second = (fingerprint_of(1), 0), (fingerprint_of(2), 0)
    assert [first] == found(archive, "mood:cheerful")
    assert sorted([first, second]) == found(archive, "has:mood")
    assert [second] == found(archive, '"gloomy"')
    best = search(archive, "gloomy", encoder=ENCODER).hits[0]
    assert second == (best.shot.video_id, best.shot.shot.ordinal)
    assert "mood" in {match.channel for match in best.matches}
    (near,) = archive.snapshot().search_text_vectors(ENCODER.encode_texts(["yellow"])[0], "mood", 1)
    assert "cheerful yellow" == near.text
    read = archive.snapshot().stage_rows(fingerprint_of(1))
    assert [("mood", 0.8)] == [(one.stage, one.row.score) for one in read]


def test_a_made_up_stage_is_in_settings_and_messages(archive: Archive, tmp_path: Path) -> None:
    """Weights, choices and refusals know it; a query with its field is written as it was typed."""
    assert {"mood": 0.6, "mood_meaning": 0.3}.items() <= SearchSettings().weights.items()
    path = tmp_path / "search.toml"
    path.write_text("[weights]\nmood = 0.0\n")
    assert 0.0 == read_settings(SearchSettings, path).weights["mood"]
    path.write_text("[weights]\nmod = 0.0\n")
    with pytest.raises(ConfigError, match=r"unknown setting 'weights\.mod'; did you mean 'weights\.mood'"):
        read_settings(SearchSettings, path)
    assert "mood" in has_choices()
    assert "mood:" in stages.help_of_texts()[0]
    assert stages.help_of_texts()[1].endswith("|mood|metadata")
    (step,) = parse_query("mood:cheerful").steps
    assert step.filter is not None
    assert "mood:cheerful" == format_filter(step.filter)
    (remark,) = search(archive, "has:summary", encoder=ENCODER).remarks
    assert remark.startswith("the archive has no summaries, so has:summary finds nothing")

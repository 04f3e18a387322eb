"""Words that are said are found where they are said, also across the border of two shots."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from search_app.query.parser import parse_query
from search_app.search.rank_step import apply_filter
from store.archive import Archive
from store.records import TextHit, TextRow, TextSegment, TextStage
from store.row_checks import Word
from store.timespan import TimeSpan
from tests.integration.store.samples import add_videos, fingerprint_of

TOLD = [
    ("Good", 0.2, 0.4),
    ("evening,", 0.4, 0.9),
    ("everybody", 1.2, 1.6),
    ("who", 1.7, 1.8),
    ("came.", 1.8, 1.95),
]
"""The first shot ends at 1.001 s."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as opened:
        add_videos(opened, 1)
        words = tuple(Word(*one) for one in TOLD)
        span = TimeSpan(Fraction(1, 5), Fraction(39, 20))
        rows = (
            TextRow(span, "Good evening, everybody who came.", 0.9, "en", words=words),
            TextRow(TimeSpan(Fraction(1, 10), Fraction(19, 10)), "subtitles without times of words"),
        )
        opened.put_text(TextSegment(fingerprint_of(1), TextStage.TRANSCRIPT, "s1", "made-up", {}, rows))
        opened.publish()
        yield opened


def find(archive: Archive, words: str, *, phrase: bool = False, prefix: bool = False) -> list[TextHit]:
    return archive.snapshot().search_text(words, ["transcript"], 9, phrase=phrase, prefix=prefix, all_words=True)


@pytest.mark.parametrize(
    ("words", "phrase", "shots", "first"),
    [
        ("evening", False, [0], 0.4),
        ("everybody", False, [1], 1.2),
        ("evening everybody", True, [0, 1], 0.4),
        ("Everybody who came", True, [1], 1.2),
        ("evening came", False, [0, 1], 0.4),
        ("evenings", False, [0], 0.4),
    ],
)
def test_words_are_found_in_the_shots_in_which_they_are_said(
    archive: Archive, words: str, phrase: bool, shots: list[int], first: float
) -> None:
    """A phrase that begins in one shot and ends in the next is in both; the time is that of its first word."""
    ids = [row.shot_id for row in archive.snapshot().shots()]
    (hit,) = find(archive, words, phrase=phrase)
    assert {ids[number] for number in shots} == set(hit.shot_ids)
    assert first == hit.found_seconds


def test_a_beginning_of_a_word_is_found_at_its_time(archive: Archive) -> None:
    """As `said:every*` asks."""
    (hit,) = find(archive, "every", prefix=True)
    assert 1.2 == hit.found_seconds
    (phrase,) = find(archive, "evening every", phrase=True, prefix=True)
    assert (0.4, 2) == (phrase.found_seconds, len(phrase.shot_ids))


def test_texts_without_word_times_are_about_all_their_shots(archive: Archive) -> None:
    """And no word of them has a time."""
    (hit,) = find(archive, "subtitles")
    assert (2, None) == (len(hit.shot_ids), hit.found_seconds)


@pytest.mark.parametrize(
    ("query", "n_shots"), [('said:"evening everybody"', 2), ("said:evening", 1), ('said:"came evening"', 0)]
)
def test_said_lets_through_the_shots_in_which_it_is_said(archive: Archive, query: str, n_shots: int) -> None:
    """Neither the whole sentence's, nor only the most overlapped."""
    (step,) = parse_query(query).steps
    assert n_shots == len(apply_filter(archive.snapshot(), step.filter, 10).shot_ids or ())

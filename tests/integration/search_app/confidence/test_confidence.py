"""Confidence through the whole search: rows, header, order and `why` say the same."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from search_app.commands.search_view import hit_json
from search_app.confidence.calibration import Calibration, PartWeights
from search_app.confidence.certainty import POSSIBLE_FROM, Certainty
from search_app.confidence.contrasts import Aspect
from search_app.query.options import SearchOptions
from search_app.search import encoding
from search_app.search.search import SearchResult, search
from search_app.search.why import explain
from search_app.ui.wording import sure_text
from search_app.use_cases.answer import files_of_hits
from store.archive import Archive
from store.events import RootNamed, Seen
from store.records import Boundary, SampledFrame, Segment, Shot, TextRow, TextSegment, TextStage, VideoFacts
from store.timespan import TimeSpan
from tests.fakes import FakeEncoder, make_picture

ENCODER = FakeEncoder()
FITTED = Calibration(
    -1.0, 1.0, 0.3, 0.2, dict.fromkeys(Aspect, PartWeights(0.0, 0.3, 0.5, 0.3, 0.0)),
    (0.0, 1.0), (0.0, 0.0), (0.3, 0.1), (0.1, 0.2),
)  # fmt: skip
EVERY = 1_000
QUERIES = ("red", "red -blue", "purple", "leaving", "xylophone", "red THEN blue", "blue -red", "a red door")


def add_video(archive: Archive, number: int, *shots: str) -> None:
    """A video whose shots of ten seconds show these colours, each with one sampled frame."""
    spans = [TimeSpan(Fraction(10 * i), Fraction(10 * i + 10)) for i in range(len(shots))]
    facts = VideoFacts(
        "mov", "h264", 64, 36, 0, Fraction(25), Fraction(1, 25), Fraction(0),
        TimeSpan(Fraction(0), spans[-1].end), 99, False,
    )  # fmt: skip
    segment = Segment(
        f"{number:032x}", 1000, "visual", "0" * 16, ENCODER.space, {}, facts,
        tuple(Shot(i, span, Boundary.CUT) for i, span in enumerate(spans)),
        tuple(SampledFrame(i, span.start + 5, 500.0, f"{number}-{i}.webp") for i, span in enumerate(spans)),
        ENCODER.encode_images([make_picture(colour) for colour in shots]),
    )  # fmt: skip
    archive.put_segment(segment)
    archive.record([Seen("films", f"{number}.mp4", 1000, 0, f"{number:032x}")])


def fill(folder: Path, *videos: tuple[str, ...]) -> Archive:
    archive = Archive.create(folder)
    archive.claim_space(ENCODER.space, "fake")
    archive.record([RootNamed("films", "/films")])
    for number, shots in enumerate(videos, start=1):
        add_video(archive, number, *shots)
    row = TextRow(TimeSpan(Fraction(2), Fraction(8)), "We are leaving", None, "en")
    vectors = ENCODER.encode_texts([row.text])
    archive.put_text(TextSegment(f"{1:032x}", TextStage.TRANSCRIPT, "k", "m", {}, (row,), ENCODER.space, vectors))
    archive.publish()
    return archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with fill(
        tmp_path_factory.mktemp("sure") / "archive",
        ("red", "green", "blue", "white", "red"),
        ("blue", "yellow", "orange", "red", "blue"),
        ("green", "green", "black", "white", "yellow"),
    ) as made:
        yield made


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fake encoder as if its numbers had been fitted."""
    monkeypatch.setattr(encoding, "calibration_of", lambda _: FITTED)
    monkeypatch.setattr(encoding, "_BACKGROUNDS", type(encoding._BACKGROUNDS)())
    yield


def ask(archive: Archive, query: str, **options: Any) -> SearchResult:
    return search(archive, query, encoder=ENCODER, **{"limit": EVERY, "stack": False, **options})


@pytest.mark.parametrize("query", QUERIES)
def test_the_header_says_what_the_rows_say(archive: Archive, query: str) -> None:
    """Nothing matches exactly if no row may well do so, and every row without a match is low."""
    result = ask(archive, query)
    assert result.nothing_matches == (not any(hit.reaches(POSSIBLE_FROM) for hit in result.hits))
    assert all(hit.is_match or hit.certainty is Certainty.LOW for hit in result.hits)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.usefixtures("fitted")
def test_the_header_says_what_fitted_rows_say(archive: Archive, query: str) -> None:
    """The same with numbers that were fitted."""
    result = ask(archive, query)
    assert result.nothing_matches == (not any(hit.is_match for hit in result.hits))


@pytest.mark.parametrize("query", ["red", "blue", "green", "a red door", "red -blue", "red THEN blue"])
@pytest.mark.usefixtures("fitted")
def test_what_is_believed_more_comes_first(archive: Archive, query: str) -> None:
    """Of what pictures alone found, no hit is surer than the one before it."""
    sure = [hit.confidence for hit in ask(archive, query).hits if not hit.is_found_by_words]
    assert sorted((one or 0.0 for one in sure), reverse=True) == [one or 0.0 for one in sure]
    assert None not in sure


@pytest.mark.usefixtures("fitted")
def test_a_part_of_a_name_lifts_nothing(tmp_path: Path) -> None:
    """A file called red curtain does not put its green shots before other shots that are no redder."""
    with fill(
        tmp_path / "archive", ("green", "black", "blue", "white"), ("red", "orange", "brown", "pink")
    ) as named:
        named.record([Seen("films", "red curtain.mp4", 1000, 1, f"{1:032x}")])
        named.publish()
        hits = ask(named, "red").hits
        assert "name" in {match.channel for hit in hits for match in hit.matches}
        sure = [hit.confidence or 0.0 for hit in hits]
        assert sorted(sure, reverse=True) == sure


@pytest.mark.usefixtures("fitted")
def test_a_minus_and_a_chain_multiply(archive: Archive) -> None:
    """Red and no blue is at most as sure as red; a chain is as sure as all of its steps together."""
    plain = {hit.shot.shot_id: hit.confidence or 0 for hit in ask(archive, "red").hits}
    without = ask(archive, "red -blue").hits
    assert all((hit.confidence or 0) < plain[hit.shot.shot_id] for hit in without)
    chain = ask(archive, "red THEN blue").hits[0]
    assert chain.confidence == pytest.approx(chain.steps[0].confidence * chain.steps[1].confidence)


def test_an_encoder_without_numbers_is_described_in_words(archive: Archive) -> None:
    """Never high, and no number for people or programs."""
    hits = ask(archive, "red").hits
    assert {False} == {hit.is_calibrated for hit in hits}
    assert {Certainty.MEDIUM, Certainty.LOW} == {hit.certainty for hit in hits}
    assert (None, "medium", False) == tuple(
        hit_json(hits[0], files_of_hits(archive.snapshot(), hits[:1]))[name]
        for name in ("confidence", "certainty", "calibrated")
    )
    assert "medium" == sure_text(hits[0])


def test_few_frames_are_honestly_unknown(tmp_path: Path) -> None:
    """No number, no match, and `why` and header say so; words and pictures still find."""
    with fill(tmp_path / "archive", ("red", "green", "blue")) as few:
        result = ask(few, "red")
        assert {(None, Certainty.UNKNOWN, True, False)} == {
            (hit.confidence, hit.certainty, hit.is_measured, hit.is_match) for hit in result.hits
        }
        assert result.nothing_matches
        assert "unknown" == sure_text(result.hits[0])
        assert "too few frames" in explain(few, "1.mp4", 5.0, "red", encoder=ENCODER).verdict
        assert ask(few, "leaving").hits[0].is_match
        assert ask(few, "like:1.mp4@5s").hits[0].certainty is not Certainty.UNKNOWN
        assert [None] * 3 == [hit.certainty for hit in ask(few, "in:*").hits]


@pytest.mark.usefixtures("fitted")
def test_why_agrees_with_the_answer(archive: Archive) -> None:
    """The same number and word, the evidence of every part, and an answer only if it counts as one."""
    hits = ask(archive, "red -blue").hits
    options = SearchOptions(stack=False)
    for hit in hits:
        found = explain(archive, hit.shot.path, float(hit.time), "red -blue", encoder=ENCODER, options=options)
        assert (hit.confidence, hit.certainty, hit.is_match) == (found.confidence, found.certainty, found.is_match)
        assert hit.is_match == (found.verdict == "it is among the answers")
        assert [("the whole", "red"), ("colour", "red"), ("unwanted", "blue")] == [
            (one.aspect, one.words) for one in found.reasons
        ]
    chain = ask(archive, "red THEN blue").hits[0]
    found = explain(archive, chain.shot.path, float(chain.time), "red THEN blue", encoder=ENCODER)
    assert found.confidence == chain.confidence
    assert ["step 1: the whole", "step 1: colour", "step 2: the whole", "step 2: colour"] == [
        one.aspect for one in found.reasons
    ]

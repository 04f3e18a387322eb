"""Filters let through exactly the right shots."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from store.archive import Archive
from store.events import Described, Exported, Judged, SearchDeleted, SearchSaved, Seen, SetChanged
from store.filters import (
    And,
    Comparison,
    Duration,
    Filter,
    FrameRate,
    Has,
    InSet,
    InSpace,
    Language,
    Not,
    Operator,
    Or,
    PathGlob,
    RecordedDate,
    Resolution,
    Shape,
    TextMatch,
    Used,
)
from store.records import Judgement, SavedSearch, Segment, Shot, TextRow, TextSegment, TextStage
from store.timespan import TimeSpan
from tests.integration.store.samples import SPACE, fingerprint_of, library, segment_of

DAY_NS = int(datetime(2022, 5, 3, 12, tzinfo=UTC).timestamp() * 1e9)
NAMES = {1: "rushes/Trailer (2).mp4", 2: "rushes/50%_off'.mov", 3: "other/odd\nname [x].mkv", 4: "cafe\u0301.mp4"}


def video(number: int) -> Segment:
    """A video of three shots; 1 is upright, 2 square with sound and 25 frames a second, 4 was recorded in 2019."""
    segment = segment_of(number, n_shots=3)
    facts = segment.video
    if number == 1:
        facts = dataclasses.replace(facts, width_px=1080, height_px=1920)
    if number == 2:
        facts = dataclasses.replace(facts, width_px=720, height_px=720, has_audio=True, frame_rate=Fraction(25))
    if number == 4:
        facts = dataclasses.replace(facts, recorded_at="2019-12-31T23:59:59Z")
        ends = [Fraction(0), Fraction(2), Fraction(10), Fraction(11)]
        shots = tuple(
            Shot(shot.ordinal, TimeSpan(ends[i], ends[i + 1]), shot.boundary)
            for i, shot in enumerate(segment.shots)
        )
        return dataclasses.replace(segment, video=facts, shots=shots)
    return dataclasses.replace(segment, video=facts)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.create(tmp_path_factory.mktemp("filters") / "archive") as opened:
        opened.claim_space(SPACE, "made-up")
        opened.record([library()])
        for number, name in NAMES.items():
            opened.put_segment(video(number))
            opened.record([Seen("library", name, 1000 + number, DAY_NS, fingerprint_of(number))])
        second = TimeSpan(Fraction(1001, 1000), Fraction(2002, 1000))
        rows = (TextRow(second, "hello", None, "de-AT"),)
        opened.put_text(TextSegment(fingerprint_of(1), TextStage.TRANSCRIPT, "s", "m", {}, rows))
        opened.record(
            [
                Described(fingerprint_of(3), {"Date": "2021-01-01"}),
                SetChanged("Best of", fingerprint_of(2), "0/1", "1001/1000", True),
                SetChanged("Best of", fingerprint_of(3), "0/1", "1001/1000", True),
                SetChanged("Best of", fingerprint_of(3), "0/1", "1001/1000", False),
                Exported("cut.mp4", ((fingerprint_of(4), "3/1", "4/1"),)),
                Exported("next.mp4", ((fingerprint_of(3), "9/10", "2002/1000"),)),
            ]
        )
        opened.publish()
        yield opened


def through(archive: Archive, wanted: Filter, holding: dict[TextMatch, set[str]] | None = None) -> list[str]:
    """`video.shot` of what a filter lets through."""
    snapshot = archive.snapshot()
    numbers = {fingerprint_of(number): number for number in NAMES}
    rows = snapshot.shots_by_id(list(snapshot.matching_shots(wanted, holding or {}))).values()
    return sorted(f"{numbers[row.video_id]}.{row.shot.ordinal}" for row in rows)


def all_of(*numbers: int) -> list[str]:
    return [f"{number}.{shot}" for number in numbers for shot in range(3)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (PathGlob("trailer*"), all_of(1)),
        (PathGlob("Trailer (2).mp4"), all_of(1)),
        (PathGlob("rushes"), all_of(1, 2)),
        (PathGlob("50%_off'.mov"), all_of(2)),
        (PathGlob("50X*"), []),
        (PathGlob("50%_off'"), all_of(2)),
        (PathGlob("50%_of"), []),
        (PathGlob("50%*of"), []),
        (PathGlob("trailer"), all_of(1)),
        (PathGlob("TRAILER (2)"), all_of(1)),
        (PathGlob("railer"), []),
        (PathGlob("trailer 3"), []),
        (PathGlob("odd name"), all_of(3)),
        (PathGlob("Caf\u00c9"), all_of(4)),
        (PathGlob("cafe"), all_of(4)),
        (PathGlob("mov"), []),
        (PathGlob("2"), all_of(1)),
        (PathGlob("/library/rushes/*"), all_of(1, 2)),
        (PathGlob("*'"), []),
        (PathGlob("CAFE\u0301*"), all_of(4)),
        (PathGlob("caf\u00e9*"), all_of(4)),
        (PathGlob("odd?name [x].*"), all_of(3)),
        (PathGlob("odd?name x.*"), []),
        (PathGlob("'; DROP TABLE shot; --"), []),
        (Duration(Comparison("<", 2, 2)), [*all_of(1, 2, 3), "4.2"]),
        (Duration(Comparison("<=", 2, 2)), [*all_of(1, 2, 3), "4.0", "4.2"]),
        (Duration(Comparison("..", 2, 8)), ["4.0", "4.1"]),
        (Duration(Comparison("=", 8, 8)), ["4.1"]),
        (Shape("portrait"), all_of(1)),
        (Shape("square"), all_of(2)),
        (Shape("landscape"), all_of(3, 4)),
        (Has("audio"), all_of(2)),
        (Has("speech"), ["1.1"]),
        (Has("caption"), []),
        (Has("metadata"), all_of(3)),
        (Language("de"), ["1.1"]),
        (FrameRate(Comparison("=", 25, 25)), all_of(2)),
        (FrameRate(Comparison("=", 23.976, 23.976)), all_of(1, 3, 4)),
        (FrameRate(Comparison("=", 24, 24)), []),
        (Resolution(Comparison(">=", 720, 720)), all_of(1, 2)),
        (InSpace("Made"), all_of(1, 2, 3, 4)),
        (InSpace("other"), []),
        (InSpace("' OR true --"), []),
        (InSet("' OR true --"), []),
        (Language("' OR true --"), []),
        (InSet("best of"), ["2.0"]),
        (Used(True), ["3.1", "4.1"]),
        (Used(False), [*all_of(1, 2), "3.0", "3.2", "4.0", "4.2"]),
        (RecordedDate(date(2021, 1, 1), date(2022, 1, 1)), all_of(3)),
        (RecordedDate(date(2019, 12, 31), date(2020, 1, 1)), all_of(4)),
        (RecordedDate(date(2020, 1, 1), date(2021, 1, 1)), []),
        (RecordedDate(None, date(2021, 1, 1)), all_of(4)),
        (RecordedDate(date(2021, 1, 2), None), all_of(1, 2)),
        (RecordedDate(date(2022, 5, 3), date(2022, 5, 4)), all_of(1, 2)),
        (Not(Shape("landscape")), all_of(1, 2)),
        (And((PathGlob("rushes"), Shape("square"))), all_of(2)),
        (Or((Shape("portrait"), Used(True))), [*all_of(1), "3.1", "4.1"]),
        (Not(And((PathGlob("rushes"), Not(Shape("square"))))), all_of(2, 3, 4)),
    ],
)
def test_a_filter_lets_through_exactly_what_it_says(archive: Archive, wanted: Filter, expected: list[str]) -> None:
    """Every field, its edges, its negation, and values that look like SQL or like patterns."""
    assert sorted(expected) == through(archive, wanted)


def test_words_are_decided_by_the_caller(archive: Archive) -> None:
    """A `TextMatch` lets through the shots that the index of words found for it."""
    match, shot = TextMatch(None, "x", False), archive.snapshot().list_shot_ids(None, 1)
    assert 1 == len(through(archive, match, {match: set(shot)}))
    assert 11 == len(through(archive, Not(match), {match: set(shot)}))


def test_what_people_decide_is_kept_in_order(archive: Archive) -> None:
    """The last judgement of a stretch and the last saving of a name hold, and both can be taken back."""
    stretch = (fingerprint_of(1), "0/1", "1001/1000")
    archive.record(
        [
            Judged("a boat", *stretch, "keep"),
            Judged("a boat", *stretch, "reject"),
            Judged("a car", *stretch, "keep"),
            Judged("a car", *stretch, "clear"),
            SearchSaved("boats", "a boat", {"limit": 5}),
            SearchSaved("cars", "a car"),
            SearchDeleted("cars"),
        ]
    )
    archive.publish()
    snapshot = archive.snapshot()
    span = TimeSpan(Fraction(0), Fraction(1001, 1000))
    assert [Judgement("a boat", fingerprint_of(1), span, "reject")] == snapshot.judgements()
    assert [] == snapshot.judgements("a car")
    assert [SavedSearch("boats", "a boat", {"limit": 5})] == snapshot.saved_searches()
    assert {"Best of": 1} == snapshot.sets()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"date": "2021-05-03"}, "2021-05-03"),
        ({"Date": "2021-05-03T23:59:59"}, "2021-05-03"),
        ({"year": "2021"}, "2021-01-01"),
        ({"recorded": "2021-05"}, "2021-05-01"),
        ({"recorded_at": "20210503"}, "2021-05-03"),
        ({"DATE": "03.05.2021"}, "2021-05-03"),
        ({"date": "2021:05:03 10:11:12"}, "2021-05-03"),
        ({"year": "1999", "Date": "unknown", "date": "2021-05-03"}, "2021-05-03"),
        ({"date": "12", "recorded": "infinity"}, "2022-05-03"),
        ({"date": "'; DROP TABLE metadata; --"}, "2022-05-03"),
    ],
)
def test_metadata_say_when_a_video_was_recorded(tmp_path: Path, columns: dict[str, str], expected: str) -> None:
    """Usual ways to write a date are read, the first that can be read counts, else the age of the file."""
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(SPACE, "made-up")
        archive.put_segment(segment_of(1))
        seen = Seen("library", "a.mp4", 1001, DAY_NS, fingerprint_of(1))
        archive.record([library(), seen, Described(fingerprint_of(1), columns)])
        archive.publish()
        assert {fingerprint_of(1): expected} == archive.snapshot().dates()


def test_texts_that_are_no_text_are_published(tmp_path: Path) -> None:
    """File names that are no UTF-8 and halves of characters stop nothing, and come back as they were given."""
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(SPACE, "made-up")
        archive.put_segment(segment_of(1))
        archive.record(
            [
                library(),
                Seen("library", "caf\udce9 (1).mp4", 1001, DAY_NS, fingerprint_of(1)),
                Described(fingerprint_of(1), {"title": "half \ud83d"}),
                Judged("a \udce9", fingerprint_of(1), "0/1", "1/1", "keep"),
                SetChanged("\ud83d", fingerprint_of(1), "0/1", "1/1", True),
            ]
        )
        archive.publish()
        snapshot = archive.snapshot()
        (row,) = snapshot.videos()
        assert ("/library/caf\udce9 (1).mp4", {"title": "half \ud83d"}) == (row.path, dict(row.metadata))
        assert ["a \udce9"] == [judgement.query for judgement in snapshot.judgements("a \udce9")]
        assert {"\ud83d": 1} == snapshot.sets()
        assert 1 == len(snapshot.matching_shots(InSet("\ud83d"), {}))
        assert 2 == len(snapshot.matching_shots(PathGlob("caf\udce9*"), {}))
        assert [fingerprint_of(1)] == [hit.video_id for hit in snapshot.search_text("half", ["name"], 5)]


def long_video(*times: Fraction) -> Segment:
    """Video 1 with shots between these times."""
    segment = segment_of(1, n_shots=len(times) - 1)
    shots = tuple(
        Shot(shot.ordinal, TimeSpan(times[i], times[i + 1]), shot.boundary) for i, shot in enumerate(segment.shots)
    )
    return dataclasses.replace(segment, shots=shots)


def put(archive: Archive, segment: Segment, *texts: TimeSpan) -> None:
    """Publish one video, with words spoken at these times."""
    archive.claim_space(SPACE, "made-up")
    archive.put_segment(segment)
    archive.record([library(), Seen("library", "a.mp4", 1001, DAY_NS, fingerprint_of(1))])
    rows = tuple(TextRow(span, "hello", None, "de") for span in texts)
    archive.put_text(TextSegment(fingerprint_of(1), TextStage.TRANSCRIPT, "s", "m", {}, rows))
    archive.publish()


@pytest.mark.parametrize(
    ("operator", "low", "high", "expected"),
    [("<", 5.005, 5.005, 0), ("<=", 5.005, 5.005, 50), (">", 5.005, 5.005, 0), ("..", 5.005, 6, 50)],
)
def test_equal_lengths_are_equal_wherever_they_lie(
    tmp_path: Path, operator: Operator, low: float, high: float, expected: int
) -> None:
    """Fifty shots of 5.005 s pass, or do not pass, a comparison with 5.005 s together."""
    with Archive.create(tmp_path / "archive") as archive:
        put(archive, long_video(*(Fraction(5005 * i, 1000) for i in range(51))))
        found = archive.snapshot().matching_shots(Duration(Comparison(operator, low, high)), {})
        assert expected == len(found)


def test_texts_belong_to_every_shot_that_they_overlap(tmp_path: Path) -> None:
    """Also to one far behind their start, with shorter texts between; touching is no overlap."""
    times = (Fraction(0), Fraction(1), Fraction(2), Fraction(3), Fraction(4), Fraction(5), Fraction(6))
    texts = [TimeSpan(Fraction(1), Fraction(7, 2)), TimeSpan(Fraction(1), Fraction(5, 4))]
    texts += [TimeSpan(Fraction(2), Fraction(9, 4)), TimeSpan(Fraction(5), Fraction(11, 2))]
    with Archive.create(tmp_path / "archive") as archive:
        put(archive, long_video(*times), *texts)
        snapshot = archive.snapshot()
        for wanted in (Has("speech"), Language("de")):
            rows = snapshot.shots_by_id(list(snapshot.matching_shots(wanted, {}))).values()
            assert [1, 2, 3, 5] == sorted(row.shot.ordinal for row in rows)

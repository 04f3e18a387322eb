"""Answers as stretches of video become shots of an archive, which may have found other boundaries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from search_app.evaluation.ground_truth import DEBATABLE, Topic, judged_topics, read_topics
from search_app.search.decisions import overlapping_shots
from store.errors import ConfigError, UnknownIdError
from store.records import Boundary, Judgement, Shot, ShotRow
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.snapshot import Snapshot


def span(start: float, end: float) -> TimeSpan:
    return TimeSpan(Fraction(str(start)), Fraction(str(end)))


def shots_at(video: str, *times: float) -> list[ShotRow]:
    """Shots between neighbouring times, called VIDEO0, VIDEO1 and so on."""
    return [
        ShotRow(f"{video}{i}", video, f"/films/{video}.mp4", Shot(i, span(start, end), Boundary.CUT), "")
        for i, (start, end) in enumerate(pairwise(times))
    ]


@dataclass
class FakeSnapshot:
    """An archive of two videos, as far as ground truth looks at one."""

    judged: list[Judgement] = field(default_factory=list)

    def video(self, path_or_id: str) -> Any:
        if path_or_id not in ("a.mp4", "b.mp4"):
            raise UnknownIdError(path_or_id)
        return SimpleNamespace(video_id=path_or_id[0])

    def shots(self, video_id: str) -> list[ShotRow]:
        return {"a": shots_at("a", 0, 4, 8), "b": shots_at("b", 0, 10)}.get(video_id, [])

    def judgements(self) -> list[Judgement]:
        return self.judged


ARCHIVE = cast("Snapshot", FakeSnapshot())


def read(folder: Path, queries: Any, manifest: Any = None) -> list[Topic]:
    (folder / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
    if manifest is not None:
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return read_topics(folder / "queries.json", ARCHIVE)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 4, ["a0"]),  # the very shot
        (0.1, 4.2, ["a0"]),  # a boundary found a little late
        (0, 12, ["a0", "a1", "a2"]),  # cut in pieces by us
        (1, 2, ["a0"]),  # joined with others by us
        (2, 6, ["a0", "a1"]),  # half and half
        (11, 12, ["a2"]),
        (12, 20, []),  # after the end
    ],
)
def test_shots_are_found_by_the_time_they_share(start: float, end: float, expected: list[str]) -> None:
    """What shares at least half of the shorter one is an answer."""
    assert expected == overlapping_shots(shots_at("a", 0, 4, 8, 12), span(start, end))


def test_where_no_shot_shares_half_the_nearest_is_the_answer() -> None:
    """A stretch over three shots of which none has half of it is still found."""
    assert ["a1"] == overlapping_shots(shots_at("a", 0, 10, 14, 30), span(6, 16))
    assert [] == overlapping_shots([], span(0, 1))


def test_answers_are_read_by_time_and_by_shot(tmp_path: Path) -> None:
    """Both forms may be mixed; times of shots come from the manifest; grades and debatable shots are kept."""
    queries = [
        {
            "id": "q1",
            "query": "a boat",
            "relevant": [
                {"file": "a.mp4", "shot_index": 7},
                {"file": "b.mp4", "start_seconds": 1.5, "end_seconds": 3, "grade": 3},
            ],
            "partial": [{"file": "a.mp4", "start_seconds": 0, "end_seconds": 8}],
        },
        {"query": "a unicorn"},
    ]
    manifest = [{"file": "a.mp4", "shots": [{"index": 7, "start_s": 4.04, "end_s": 8.0}]}]
    expected = [Topic("q1", "a boat", {"a0": DEBATABLE, "a1": 1, "b0": 3}), Topic("q2", "a unicorn", {})]
    found = read(tmp_path, queries, manifest)
    assert expected == found
    assert [True, False] == [topic.has_answer for topic in found]


def test_answers_that_the_archive_lacks_count_as_missed(tmp_path: Path) -> None:
    """They stay in the grades, under a name that no shot has and that TREC files can hold."""
    answers = [
        {"file": "other one.mp4", "start_seconds": 0, "end_seconds": 1},
        {"file": "b.mp4", "start_seconds": 50, "end_seconds": 60},
    ]
    (topic,) = read(tmp_path, [{"query": "a boat", "relevant": answers}])
    assert ("other one.mp4", "b.mp4") == topic.missing
    assert [1, 1] == list(topic.grades.values())
    assert all(name.startswith("missing:") and " " not in name for name in topic.grades)


SPAN = {"start_seconds": 0, "end_seconds": 1}


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        ({}, "must hold a JSON list"),
        (["a boat"], 'query 1: expected {"query"'),
        ([{"query": 5}], 'query 1: expected {"query"'),
        ([{"query": "a", "relevant": "b.mp4"}], "relevant must be a list"),
        ([{"query": "a", "relevant": ["b.mp4"]}], 'an answer needs a "file"'),
        ([{"query": "a", "relevant": [{"file": "b.mp4"}]}], "start_seconds and end_seconds must be seconds"),
        (
            [{"query": "a", "relevant": [{"file": "b.mp4", "start_seconds": 2, "end_seconds": 1}]}],
            "start_seconds and end_seconds must be seconds",
        ),
        ([{"query": "a", "relevant": [{"file": "b.mp4", "grade": 0, **SPAN}]}], "grade of a relevant shot"),
        ([{"query": "a", "relevant": [{"file": "b.mp4", "grade": True, **SPAN}]}], "grade of a relevant shot"),
        ([{"query": "a", "relevant": [{"file": "b.mp4", "shot_index": 0}]}], "manifest.json"),
        ([{"id": "x", "query": "a"}, {"id": "x", "query": "b"}], "two queries have the id 'x'"),
    ],
)
def test_files_of_another_form_are_refused(queries: Any, expected: str, tmp_path: Path) -> None:
    """The message names the file, the query and what is wrong."""
    with pytest.raises(ConfigError, match=str(tmp_path)) as raised:
        read(tmp_path, queries)
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ([], "has no shot 0 of b.mp4"),
        ([{"file": "b.mp4"}], "a clip needs file, and shots"),
        (["b.mp4"], "a clip needs file, and shots"),
        ([{"file": "b.mp4", "shots": [{"index": 0, "start_s": "soon", "end_s": 2}]}], "must be seconds"),
    ],
)
def test_a_manifest_of_another_form_is_refused(manifest: Any, expected: str, tmp_path: Path) -> None:
    """The message says what a manifest needs, or what it lacks."""
    queries = [{"query": "a", "relevant": [{"file": "b.mp4", "shot_index": 0}]}]
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, queries, manifest)
    assert expected in str(raised.value)


def test_judgements_become_questions() -> None:
    """Kept is right, rejected is wrong, each stretch where it is now; removed videos are left out."""
    snapshot = FakeSnapshot(
        [
            Judgement("boats", "a", span(0, 3.9), "keep"),
            Judgement("a dog", "b", span(0, 10), "keep"),
            Judgement("boats", "a", span(4, 8), "reject"),
            Judgement("boats", "gone", span(4, 8), "keep"),
        ]
    )
    expected = [Topic("mine1", "a dog", {"b0": 1}), Topic("mine2", "boats", {"a0": 1, "a1": 0})]
    assert expected == judged_topics(cast("Snapshot", snapshot))

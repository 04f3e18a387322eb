"""Questions with known answers: read from a file of queries, or from what people judged in the archive itself.

Answers are stretches of video; what is ranked are the archive's own shots, and an answer is each of them that
shows such a stretch (`saved.overlapping_shots`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from search_app.search.decisions import overlapping_shots, verdicts_of
from store.errors import ConfigError, UnknownIdError
from store.limited import read_limited_json
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.snapshot import Snapshot

DEBATABLE: Final = -1
"""The grade of what is neither right nor wrong: it is taken out of a ranking before that is measured."""
MANIFEST_FILE: Final = "manifest.json"
_DECIMAL: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?|[0-9]{1,20}/[0-9]{1,20}")
"""Never with an exponent: 1e999999999 has a thousand million digits."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A question and what is known of its answers.

    Args:
        topic_id: short name, used in TREC files.
        query: the question, in the query language.
        grades: for each judged shot 1 or more (right, the more the better), 0 (wrong) or `DEBATABLE`.
        missing: answers in videos that the archive does not hold; each counts as not found.
    """

    topic_id: str
    query: str
    grades: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def has_answer(self) -> bool:
        """Whether anything at all is right."""
        return any(grade > 0 for grade in self.grades.values())


def read_topics(path: Path, snapshot: Snapshot) -> list[Topic]:
    """The questions of a file, with the shots of this archive that answer them.

    The file is a JSON list of `{"id", "query", "relevant": [...], "partial": [...]}`; id, relevant and partial may
    be absent. An answer is `{"file", "shot_index"}`, whose times are those of that shot in `manifest.json` beside
    the file (a list of `{"file", "shots": [{"index", "start_s", "end_s"}]}`), or `{"file", "start_seconds",
    "end_seconds"}`; a relevant one may have a "grade", else it is 1. `file` is a path or the end of one.

    Raises:
        ConfigError: the file, or the manifest that it needs, is not of this form.
    """
    reader = _Reader(path, snapshot)
    topics = [reader.topic(plain, number) for number, plain in enumerate(_read_list(path), start=1)]
    ids = [topic.topic_id for topic in topics]
    for topic_id in ids:
        if ids.count(topic_id) > 1:
            raise ConfigError(f"{path}: two queries have the id {topic_id!r}")
    return topics


def judged_topics(snapshot: Snapshot) -> list[Topic]:
    """The questions for which people kept or rejected shots of this archive, by name.

    Judgements about videos that were removed since then are left out.
    """
    judgements = sorted(snapshot.judgements(), key=lambda judgement: judgement.query)  # else in order of judging
    topics: list[Topic] = []
    for query, of_query in groupby(judgements, key=lambda judgement: judgement.query):
        verdicts = verdicts_of(snapshot, of_query)
        grades = {shot_id: int(verdict == "keep") for shot_id, verdict in verdicts.items()}
        topics.append(Topic(f"mine{len(topics) + 1}", query, grades))
    return topics


def judge_anew(topics: Iterable[Topic], qrels: Mapping[str, Mapping[str, int]]) -> list[Topic]:
    """The topics that the qrels know, with their grades instead of their own."""
    return [
        replace(topic, grades=dict(qrels[topic.topic_id]), missing=())
        for topic in topics
        if topic.topic_id in qrels
    ]


def _raise_grades(grades: dict[str, int], shot_ids: Iterable[str], grade: int) -> None:
    """Of several grades for one shot the highest holds."""
    for shot_id in shot_ids:
        grades[shot_id] = max(grade, grades.get(shot_id, grade))


class _Reader:
    """Reads one file of queries against one archive."""

    def __init__(self, path: Path, snapshot: Snapshot) -> None:
        self._path = path
        self._snapshot = snapshot
        self._spans: dict[tuple[str, int], TimeSpan] | None = None

    def topic(self, plain: Any, number: int) -> Topic:
        where = f"{self._path}, query {number}"
        if not isinstance(plain, Mapping) or not isinstance(plain.get("query"), str):
            raise ConfigError(f'{where}: expected {{"query": "...", "relevant": [...]}}')
        grades: dict[str, int] = {}
        missing: list[str] = []
        for name in ("partial", "relevant"):
            answers = plain.get(name, [])
            if not isinstance(answers, list):
                raise ConfigError(f"{where}: {name} must be a list")
            for answer in answers:
                grade = DEBATABLE if name == "partial" else _read_grade(answer, where)
                shot_ids = self._shots(answer, where)
                _raise_grades(grades, shot_ids, grade)
                if not shot_ids and grade > 0:
                    stand_in = f"missing:{quote(json.dumps(answer, sort_keys=True), safe='')}"
                    grades[stand_in] = grade
                    missing.append(str(answer["file"]))
        return Topic(str(plain.get("id", f"q{number}")), plain["query"], grades, tuple(missing))

    def _shots(self, answer: Any, where: str) -> list[str]:
        """Our shots for one answer; none if the archive lacks that part, or knows no one video of that name."""
        if not isinstance(answer, Mapping) or not isinstance(answer.get("file"), str):
            raise ConfigError(f'{where}: an answer needs a "file", got {answer!r}')
        span = self._span(answer, where)
        try:
            video = self._snapshot.video(answer["file"])
        except UnknownIdError:
            return []
        return overlapping_shots(self._snapshot.shots(video.video_id), span)

    def _span(self, answer: Mapping[str, Any], where: str) -> TimeSpan:
        if "shot_index" not in answer:
            return _read_span(answer, "start_seconds", "end_seconds", where)
        if self._spans is None:
            self._spans = _read_manifest(self._path.with_name(MANIFEST_FILE))
        file, index = answer["file"], answer["shot_index"]
        if not isinstance(index, int) or (file, index) not in self._spans:
            raise ConfigError(f"{where}: {MANIFEST_FILE} has no shot {index!r} of {file}")
        return self._spans[file, index]


def _read_manifest(path: Path) -> dict[tuple[str, int], TimeSpan]:
    """Times of every shot, by file and index."""
    spans = {}
    for clip in _read_list(path):
        where = f"{path}, {clip.get('file') if isinstance(clip, Mapping) else clip!r}"
        try:
            for shot in clip["shots"]:
                spans[clip["file"], shot["index"]] = _read_span(shot, "start_s", "end_s", where)
        except (KeyError, TypeError) as error:
            raise ConfigError(f"{where}: a clip needs file, and shots with index, start_s and end_s") from error
    return spans


def _read_list(path: Path) -> list[Any]:
    try:
        plain = read_limited_json(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(plain, list):
        raise ConfigError(f"{path} must hold a JSON list")
    return plain


def _read_span(plain: Mapping[str, Any], start: str, end: str, where: str) -> TimeSpan:
    try:
        return TimeSpan(_read_seconds(plain[start]), _read_seconds(plain[end]))
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{where}: {start} and {end} must be seconds, one after the other: {plain!r}") from error


def _read_seconds(value: object) -> Fraction:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Fraction(str(value))
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Fraction(value)
    raise ValueError(f"{value!r:.40} is no time")


def _read_grade(answer: Any, where: str) -> int:
    grade = answer.get("grade", 1) if isinstance(answer, Mapping) else 1
    if not isinstance(grade, int) or isinstance(grade, bool) or grade < 1:
        raise ConfigError(f"{where}: the grade of a relevant shot must be 1 or more, got {grade!r}")
    return grade

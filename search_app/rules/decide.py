"""Rules decided: for each video whether a rule holds, does not, or cannot be known, and the shots it rests on.

What is not known is never taken as no. For each condition there is the time at which it holds, and the time at
which it may hold, which is that and all for which the stage has no result. A rule holds if the first is long
enough whatever the rest says, does not hold if the second is not, and is undecided in between.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatch
from fractions import Fraction
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from search_app.rules.boxes import is_inside, pictures_of, spans_in_pictures
from search_app.rules.rule import BOXED, NAMED, STAGES_OF, Condition, Rule
from search_app.rules.stretches import Stretches, join, length, meet, take_away
from store.records import TextRow
from store.stages import stage_named
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.records import ShotRow, VideoRow

_SPOKEN_ANSWERS: Final = {"yes": True, "true": True, "no": False, "false": False}


class Verdict(StrEnum):
    """How a rule ended for a video."""

    HOLDS = "holds"
    DOES_NOT = "does not hold"
    UNDECIDED = "not decided"


@dataclass(frozen=True, slots=True)
class KnownRows:
    """What stages know of a video.

    Args:
        rows: the live rows of each stage, by its name.
        covered: for each stage that has met the video, the stretches for which it has a result.
    """

    rows: Mapping[str, Sequence[TextRow]]
    covered: Mapping[str, Stretches]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A shot that a decision rests on.

    Args:
        shot: the shot.
        span: the part of it in which the rule's conditions hold.
        found: what was found there: `laptop 0.91`, each once.
    """

    shot: ShotRow
    span: TimeSpan
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule's decision about a video.

    Args:
        rule: the rule.
        video: the video.
        verdict: how it ended.
        seconds: how long the rule's conditions are known to hold.
        duration: length of the video in seconds.
        evidence: the shots it rests on, by time.
        missing: names of the stages that have no result for all or a part of the video; only where undecided.
    """

    rule: Rule
    video: VideoRow
    verdict: Verdict
    seconds: Fraction
    duration: Fraction
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why, in one line for people."""
        share = f"{float(self.seconds):.1f} s of {float(self.duration):.1f} s"
        share += f" ({float(100 * self.seconds / self.duration):.1f} %)"
        if self.verdict is Verdict.UNDECIDED:
            return f"{', '.join(self.missing)} not known for all of it; so far {share}"
        return f"{share}, {'' if self.verdict is Verdict.HOLDS else 'not '}over {self.rule.threshold.text}"


@dataclass(frozen=True, slots=True)
class _Held:
    """When a condition holds, when it may hold, which rows say so, and which stages say too little."""

    holds: Stretches
    may_hold: Stretches
    rows: tuple[TextRow, ...]
    missing: tuple[str, ...]


def applies_to(rule: Rule, video: VideoRow) -> bool:
    """Whether a rule is about a video, by its file's name or path."""
    if not rule.videos:
        return True
    names = {name for path in (video.path, *video.other_paths) for name in (path, PurePath(path).name)}
    return any(fnmatch(name, pattern) for name in names for pattern in rule.videos)


def stages_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Names of the stages that rules read."""
    conditions = (one for rule in rules for one in (*rule.when, *rule.unless))
    return tuple(dict.fromkeys(stage for one in conditions for stage in STAGES_OF[one.kind]))


def decide(rule: Rule, video: VideoRow, shots: Sequence[ShotRow], known: KnownRows) -> Decision:
    """The decision of a rule about a video.

    Args:
        rule: the rule.
        video: the video.
        shots: its shots, in order of time.
        known: what stages know of it.
    """
    whole = video.facts.span
    holds: Stretches = (whole,)
    may_hold: Stretches = (whole,)
    found: list[TextRow] = []
    missing: list[str] = []
    for condition in rule.when:
        held = _hold(condition, known, whole)
        holds, may_hold = meet(holds, held.holds), meet(may_hold, held.may_hold)
        found += held.rows
        missing += held.missing
    for condition in rule.unless:
        held = _hold(condition, known, whole)
        holds, may_hold = take_away(holds, held.may_hold), take_away(may_hold, held.holds)
        missing += held.missing
    seconds, most = length(holds), length(may_hold)
    threshold = rule.threshold.seconds(whole.duration)
    verdict = Verdict.UNDECIDED if most > threshold else Verdict.DOES_NOT
    verdict = Verdict.HOLDS if seconds > threshold else verdict
    lacking = tuple(dict.fromkeys(missing)) if verdict is Verdict.UNDECIDED else ()
    return Decision(rule, video, verdict, seconds, whole.duration, _evidence(holds, shots, found), lacking)


def _hold(condition: Condition, known: KnownRows, whole: TimeSpan) -> _Held:
    """When a condition holds in a video."""
    sure: list[TextRow] = []
    unsure: list[TextRow] = []
    unknown: list[TimeSpan] = []
    missing: list[str] = []
    for stage in STAGES_OF[condition.kind]:
        if not _reads(condition, stage):
            continue
        rows = known.rows.get(stage, ())
        asked = [(row, _says(condition, row)) for row in rows]
        covered = known.covered.get(stage, ())
        if condition.kind == "answer":  # rows without an answer tell nothing
            covered = meet(covered, join(row.span for row, said in asked if said is not None))
        gaps = take_away((whole,), covered)
        sure += [row for row, said in asked if said]
        unsure += [row for row, said in asked if said is None and condition.kind != "answer"]
        unknown += gaps
        if gaps:
            missing.append(_title(condition, stage))
    if unsure:
        missing.append(f"scores of {condition.kind}s")
    pictured = [row for row in sure if pictures_of(row)]
    plain = [_spoken(condition, row) for row in sure if not pictures_of(row)]
    seen = [span for row in pictured for span in spans_in_pictures(condition, row)]
    holds = meet(join([*_at_least(plain, condition.min_count), *seen]), (whole,))
    may_hold = join([*holds, *unknown, *meet([row.span for row in unsure], (whole,))])
    return _Held(holds, may_hold, tuple(sure), tuple(missing))


def _reads(condition: Condition, stage: str) -> bool:
    """Whether a condition reads a stage: of cues, silence is a stage of its own."""
    if condition.kind != "cue":
        return True
    is_silence = {entry.strip().lower() == "silence" for entry in condition.entries}
    return (stage == "silence") in is_silence


def _title(condition: Condition, stage: str) -> str:
    if condition.kind == "answer":
        return f"answers to {', '.join(condition.entries)}"
    return stage_named(stage).title.replace("_", " ")


def _says(condition: Condition, row: TextRow) -> bool | None:
    """Whether a row fulfils a condition; None where that is not known."""
    if condition.kind == "answer":
        return _answers(condition, row.payload)
    matches = _is_named if condition.kind in NAMED else _has_words
    if not any(matches(entry, row.text) for entry in condition.entries):
        return False
    if condition.kind in BOXED and pictures_of(row):
        return bool(spans_in_pictures(condition, row))
    if not is_inside(condition, row.box):
        return False
    if condition.min_score > 0 and row.score is None:
        return None
    return (row.score or 0.0) >= condition.min_score


def _is_named(entry: str, text: str) -> bool:
    """Whether a name is meant: all of it, or one of those between commas."""
    wanted = " ".join(entry.split()).casefold()
    return wanted in {" ".join(text.split()).casefold(), *(one.strip().casefold() for one in text.split(","))}


def _has_words(entry: str, text: str) -> bool:
    """Whether words stand in a text one after the other, as whole words."""
    phrase = r"\W+".join(map(re.escape, entry.casefold().split()))
    return re.search(rf"(?<!\w){phrase}(?!\w)", text.casefold()) is not None


def _spoken(condition: Condition, row: TextRow) -> TextRow:
    """A sentence as long as the words in it that are meant, where the times of its words are known."""
    if condition.kind != "said" or not row.words:
        return row
    spoken = [re.sub(r"\W+", "", word.text).casefold() for word in row.words]
    for entry in condition.entries:
        wanted = [re.sub(r"\W+", "", word).casefold() for word in entry.split()]
        for first in range(len(spoken) - len(wanted) + 1):
            if spoken[first : first + len(wanted)] == wanted:
                start = max(Fraction(str(row.words[first].start_seconds)), row.span.start)
                end = min(Fraction(str(row.words[first + len(wanted) - 1].end_seconds)), row.span.end)
                return replace(row, span=TimeSpan(start, end)) if start < end else row
    return row


def _answers(condition: Condition, payload: Mapping[str, Any] | None) -> bool | None:
    """Whether a structured answer is the wanted one; None where there is none that can be read as yes or no."""
    answers = (payload or {}).get("answers")
    if not isinstance(answers, Mapping):
        return None
    said: list[bool | None] = []
    known = {" ".join(str(name).split()).casefold(): value for name, value in answers.items()}
    for name in condition.entries:
        value = known.get(" ".join(name.split()).casefold())
        if isinstance(value, str):  # the whole answer, never a word in it
            value = _SPOKEN_ANSWERS.get(value.strip().lower())
        if isinstance(condition.value, bool):
            said.append(value is condition.value if isinstance(value, bool) else None)
        else:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            said.append(value >= condition.value if is_number and value is not None else None)
    if any(said):
        return True
    return None if None in said else False


def _at_least(rows: Sequence[TextRow], count: int) -> Stretches:
    """The time at which so many are there at once, as counted by a row or as many rows as overlap."""
    if count == 1:
        return join(row.span for row in rows if row.count is None or row.count > 0)
    edges = sorted({edge for row in rows for edge in (row.span.start, row.span.end)})
    enough = []
    for start, end in itertools.pairwise(edges):
        there = [row for row in rows if row.span.start <= start and end <= row.span.end]
        counted = max((row.count for row in there if row.count is not None), default=0)
        if max(counted, sum(row.count is None for row in there)) >= count:
            enough.append(TimeSpan(start, end))
    return join(enough)


def _evidence(holds: Stretches, shots: Sequence[ShotRow], rows: Sequence[TextRow]) -> tuple[Evidence, ...]:
    """The shots in which a rule's conditions hold."""
    found = []
    for shot in shots:
        for span in meet(holds, (shot.shot.span,)):
            said = {_told(row): None for row in rows if row.span.overlaps(span)}
            found.append(Evidence(shot, span, tuple(said)))
    return tuple(found)


def _told(row: TextRow) -> str:
    text = row.text if len(row.text) <= 80 else f"{row.text[:79]}…"
    return text if row.score is None else f"{text} {row.score:.2f}"

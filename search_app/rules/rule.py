"""Rules as values that check themselves: conditions, how much of a video they must cover, and what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Final

NAMED: Final = ("label", "object", "face", "sound", "cue")
"""Conditions on the whole name of what a stage found."""

BOXED: Final = ("object", "face")
"""Conditions on what has a place in the picture, and can be counted."""

WORDED: Final = ("said", "text", "caption")
"""Conditions on whole words in free text, which a rule has to ask for by one of these names."""

STAGES_OF: Final = {
    "label": ("label",),
    "object": ("object",),
    "face": ("face",),
    "sound": ("sound",),
    "cue": ("cue", "silence"),
    "said": ("transcript",),
    "text": ("screen_text",),
    "caption": ("caption",),
    "answer": ("answer",),
}
"""Stages whose rows each condition reads; `silence` is a cue for people and a stage of its own."""

_OVER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%|s)\s*")
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_MINUTES_OF_DAY: Final = 24 * 60
_NOT_WORDS: Final = frozenset({"yes", "no", "true", "false"})


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be there at an instant; exactly one of the lists is given, and any of its entries will do.

    Args:
        label: names of labels, whole and whatever their case; of `laptop, laptop computer` either.
        object: names of detected objects, likewise.
        face: names of faces, likewise.
        sound: names of sounds, likewise.
        cue: technical cues: black, bars, frozen, credits, silence.
        answer: questions of the stage `answers`, as they were asked: what a model answered by yes, no or a number.
        said: words or phrases in speech.
        text: words or phrases on screen.
        caption: words or phrases in captions; yes and no are none, since a caption answers no question.
        value: what the answer has to be; numbers that are at least so large will do.
        min_score: rows below this score do not count; what has no score is not decided.
        min_count: so many must be there at once.
        inside: left, top, width and height of a part of the picture, 0 to 1, in which the box's middle must lie.
    """

    label: tuple[str, ...] = ()
    object: tuple[str, ...] = ()
    face: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    cue: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()
    value: bool | int | float = True
    min_score: float = 0.0
    min_count: int = 1
    inside: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what says nothing, too much, or what could not be known."""
        given = [name for name in STAGES_OF if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"a condition needs one of {', '.join(STAGES_OF)}; got {' and '.join(given) or 'none'}"
            )
        if any(not entry.strip() for entry in self.entries):
            raise ValueError(f"{self.kind} holds an empty entry")
        if not 0 <= self.min_score <= 1 or self.min_count < 1:
            raise ValueError("min_score must lie between 0 and 1, and min_count be at least 1")
        if self.inside and (len(self.inside) != 4 or not all(0 <= share <= 1 for share in self.inside)):
            raise ValueError("inside must be left, top, width and height, each between 0 and 1")
        if self.kind == "caption" and (found := _NOT_WORDS & {entry.strip().lower() for entry in self.entries}):
            raise ValueError(f"a caption never answers {min(found)!r}; read a structured answer: answer = [...]")
        if self.value is not True and self.kind != "answer":
            raise ValueError("value belongs to answer")
        if (self.min_count > 1 or self.inside) and self.kind not in BOXED:
            raise ValueError("min_count and inside belong to object and face")

    @property
    def kind(self) -> str:
        """The one of its lists that is given."""
        return next(name for name in STAGES_OF if getattr(self, name))

    @property
    def entries(self) -> tuple[str, ...]:
        """The list that is given."""
        entries: tuple[str, ...] = getattr(self, self.kind)
        return entries


@dataclass(frozen=True, slots=True)
class Then:
    """What follows where a rule holds; at least one of these.

    Args:
        tag: a word for the video.
        flag: a warning that fails a check.
        rating: an age or grade, as its users write it.
        hours: the only hours in which it may be shown, as `21:00-06:00`.
    """

    tag: str = ""
    flag: str = ""
    rating: str = ""
    hours: str = ""

    def __post_init__(self) -> None:
        """Refuse hours that no clock shows."""
        if self.hours and _minutes(self.hours) is None:
            raise ValueError(f"hours must look like 21:00-06:00, got {self.hours!r:.40}")

    def allows(self, minute: int) -> bool:
        """Whether it may be shown at a minute of the day, from 0."""
        bounds = _minutes(self.hours) if self.hours else None
        if bounds is None:
            return True
        start, end = bounds
        return start <= minute < end if start < end else minute >= start or minute < end

    @property
    def text(self) -> str:
        """All of it, for people."""
        said = [f"{one.name} {value}" for one in fields(self) if (value := getattr(self, one.name))]
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Over:
    """How much of a video must be covered: more than this.

    Args:
        amount: seconds, or a share from 0 to 1.
        is_share: which of the two.
    """

    amount: Fraction
    is_share: bool

    def seconds(self, duration: Fraction) -> Fraction:
        """It in seconds of a video of some length."""
        return self.amount * duration if self.is_share else self.amount

    @property
    def text(self) -> str:
        """As a person reads it."""
        return f"{float(100 * self.amount):g} %" if self.is_share else f"{float(self.amount):g} s"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, decided for each video.

    Args:
        name: its name, for people and `--json`.
        when: conditions that must all hold at the same instants.
        unless: conditions of which none may hold there.
        over: how much of the video this must be, such as `10 %` or `5 s`; more than 0 where nothing is said.
        then: what follows.
        videos: patterns of file names with * and ?; all videos where there are none.
    """

    name: str = ""
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    over: str = "0 s"
    then: Then = field(default_factory=Then)
    videos: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what decides nothing."""
        if not self.name.strip():
            raise ValueError("a rule needs a name")
        if not self.when:
            raise ValueError(f"the rule {self.name!r:.60} needs conditions: when = [...]")
        if not self.then.text:
            raise ValueError(
                f"the rule {self.name!r:.60} needs what follows: then = {{ tag, flag, rating or hours }}"
            )
        _ = self.threshold

    @property
    def threshold(self) -> Over:
        """`over` as a value.

        Raises:
            ValueError: it is neither a share nor seconds.
        """
        found = _OVER.fullmatch(self.over)
        if found is None or (found[2] == "%" and Fraction(found[1]) >= 100):
            raise ValueError(f"over of {self.name!r:.60} must be a share or seconds, as '10 %' or '5 s'")
        amount = Fraction(found[1])
        return Over(amount / 100, True) if found[2] == "%" else Over(amount, False)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules of a file, in its order.

    Args:
        rule: each rule, `[[rule]]` in the file.
    """

    rule: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two rules of one name: their decisions could not be told apart."""
        names = [one.name for one in self.rule]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two rules are called {twice!r:.60}")


def parse_clock(text: str) -> int | None:
    """Minute of the day of `20:15`, from 0; None if it is no time of day."""
    hours, _, minutes = text.partition(":")
    if not (len(hours) == len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()):
        return None
    minute = int(hours) * 60 + int(minutes)
    return minute if minute < _MINUTES_OF_DAY and int(minutes) < 60 else None


def _minutes(hours: str) -> tuple[int, int] | None:
    if not _HOURS.fullmatch(hours):
        return None
    bounds = [0 if text == "24:00" else parse_clock(text) for text in hours.split("-")]
    start, end = bounds
    return None if start is None or end is None or start == end else (start, end)

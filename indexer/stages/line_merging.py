"""Lines of text that pictures of one shot show again and again, merged into one line with a span.

Two readings are of one line where they say nearly the same near the same place. Nearly the same is measured by the
edit distance (Wagner and Fischer 1974, "The String-to-String Correction Problem").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from store.row_checks import Box

_ALIKE: Final = 0.7
_MOST_ACROSS: Final = 0.1
"""Of the picture's width: how far a line moves between two pictures and is still near."""
_MOST_ALONG: Final = 0.2
"""Of the picture's height; rolling credits move by a tenth in half a second."""
_SAME_PLACE: Final = 0.5
_SHORTEST_PART: Final = 3
_MOST_MISSED: Final = 2
"""Pictures in a row in which a line may be overlooked and is still the same."""
_MOST_OTHERS: Final = 20


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line as one picture shows it.

    Args:
        text: what it says; not empty.
        score: how sure the model is, 0 to 1.
        box: left, top, width, height as shares of the picture.
    """

    text: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """What was read in a picture.

    Args:
        time: when it is shown, in exact seconds.
        lines: in reading order; None for a picture that looks like the one before, and was not read again.
    """

    time: Fraction
    lines: tuple[SeenLine, ...] | None


@dataclass(frozen=True, slots=True)
class MergedLine:
    """A line that one or more pictures show.

    Args:
        text: the reading with the highest sum of scores.
        score: mean score of that reading.
        box: where it was when it was read so with the highest score.
        first: when the first picture with it is shown.
        last: when the last picture with it is shown.
        before: when the last picture before it without it is shown; None where there is none.
        after: when the first picture after it without it is shown; None where there is none.
        n_seen: pictures with it.
        order: position in its first picture, in reading order, from 0.
        others: other readings of it, most often read first; a clock has many.
    """

    text: str
    score: float
    box: Box
    first: Fraction
    last: Fraction
    before: Fraction | None
    after: Fraction | None
    n_seen: int
    order: int
    others: tuple[str, ...]


def merge_lines(pictures: Sequence[ReadPicture]) -> tuple[MergedLine, ...]:
    """The lines of all pictures, in order of time, then in reading order.

    Args:
        pictures: of one continuous take, in order of time; the first one has lines.
    """
    lines: list[_Line] = []
    for at, picture in enumerate(pictures):
        if picture.lines is None:
            for line in lines:
                line.stay(at)
            continue
        is_open = [line for line in lines if at - line.seen[-1] <= _MOST_MISSED + 1]
        matched = _match(is_open, picture.lines)
        for order, found in enumerate(picture.lines):
            if order in matched:
                matched[order].add(at, found)
            else:
                lines.append(_Line(order, found, at))
    times = [picture.time for picture in pictures]
    return tuple(sorted((line.merged(times) for line in lines), key=lambda line: (line.first, line.order)))


def similarity(one: str, other: str) -> float:
    """How alike two texts are, 0 to 1: 1 less the edit distance per letter of the longer one.

    Case and spaces make no difference.
    """
    first, second = _even(one), _even(other)
    longest = max(len(first), len(second))
    return 1 - edit_distance(first, second) / longest if longest else 1.0


def edit_distance(one: str, other: str) -> int:
    """Fewest letters to insert, delete or replace that make one text the other."""
    row = list(range(len(other) + 1))
    for above, letter in enumerate(one, start=1):
        diagonal, row[0] = row[0], above
        for at, its in enumerate(other, start=1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (letter != its))
    return row[-1]


def in_reading_order(lines: Sequence[SeenLine]) -> tuple[SeenLine, ...]:
    """Lines from top to bottom, those side by side from left to right.

    Lines stand side by side where the middle of one lies within half the height of the other. Columns are not told
    apart.
    """
    rows: list[list[SeenLine]] = []
    for line in sorted(lines, key=lambda line: line.box[1] + line.box[3] / 2):
        middle = line.box[1] + line.box[3] / 2
        if rows:
            _, top, _, height = rows[-1][0].box
            if middle - (top + height / 2) <= min(height, line.box[3]) / 2:
                rows[-1].append(line)
                continue
        rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=lambda line: line.box[0]))


@dataclass(slots=True)
class _Line:
    """A line while pictures are read; `seen` are the numbers of the pictures that show it."""

    order: int
    latest: SeenLine
    number: int
    seen: list[int] = field(default_factory=list)
    readings: dict[str, list[SeenLine]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.add(self.number, self.latest)

    def add(self, at: int, found: SeenLine) -> None:
        self.seen.append(at)
        self.latest = found
        self.readings[found.text].append(found)

    def stay(self, at: int) -> None:
        """Count a picture that looks like the one before."""
        if self.seen[-1] == at - 1:
            self.add(at, self.latest)

    @property
    def text(self) -> str:
        """The reading that leads, with the spaces of any that has its letters: more are missed than made up."""
        letters: dict[str, float] = defaultdict(float)
        for text, lines in self.readings.items():
            letters[_even(text)] += _weight(lines)
        leading = max(letters, key=lambda even: letters[even])
        return max(
            (text for text in self.readings if _even(text) == leading),
            key=lambda text: (text.count(" "), _weight(self.readings[text])),
        )

    def merged(self, times: Sequence[Fraction]) -> MergedLine:
        text = self.text
        lines = self.readings[text]
        others = sorted(
            (one for one in self.readings if one != text), key=lambda one: -_weight(self.readings[one])
        )
        first, last = self.seen[0], self.seen[-1]
        return MergedLine(
            text=text,
            score=_weight(lines) / len(lines),
            box=_best(lines).box,
            first=times[first],
            last=times[last],
            before=times[first - 1] if first else None,
            after=times[last + 1] if last + 1 < len(times) else None,
            n_seen=len(self.seen),
            order=self.order,
            others=tuple(others[:_MOST_OTHERS]),
        )


def _weight(lines: Sequence[SeenLine]) -> float:
    return sum(line.score for line in lines)


def _best(lines: Sequence[SeenLine]) -> SeenLine:
    return max(lines, key=lambda line: line.score)


def _match(lines: Sequence[_Line], found: Sequence[SeenLine]) -> dict[int, _Line]:
    """For the number of each new reading that is of a known line, that line; the most alike pairs first."""
    pairs = [
        (likeness, -abs(new.box[1] - line.latest.box[1]), number, at)
        for at, line in enumerate(lines)
        for number, new in enumerate(found)
        if (likeness := _likeness(line, new)) > 0
    ]
    matched: dict[int, _Line] = {}
    taken: set[int] = set()
    for _, _, number, at in sorted(pairs, reverse=True):
        if number not in matched and at not in taken:
            matched[number] = lines[at]
            taken.add(at)
    return matched


def _likeness(line: _Line, new: SeenLine) -> float:
    """Similarity of a new reading to a known line; 0 where they cannot be the same."""
    ours, theirs = line.latest.box, new.box
    across = abs(ours[0] + ours[2] / 2 - theirs[0] - theirs[2] / 2)
    along = abs(ours[1] + ours[3] / 2 - theirs[1] - theirs[3] / 2)
    is_same_place = _overlap(ours, theirs) >= _SAME_PLACE
    if not is_same_place and (across > _MOST_ACROSS or along > _MOST_ALONG):
        return 0.0
    text = line.text
    alike = similarity(text, new.text)
    if alike >= _ALIKE:
        return alike
    shorter, longer = sorted((_even(text), _even(new.text)), key=len)
    is_part = len(shorter) >= _SHORTEST_PART and shorter in longer  # it is written letter by letter, or fades in
    return max(alike, 0.01) if is_same_place and is_part else 0.0


def _overlap(one: Box, other: Box) -> float:
    """Share of the smaller box that lies in the other one."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    smaller = min(one[2] * one[3], other[2] * other[3])
    return width * height / smaller if width > 0 and height > 0 and smaller > 0 else 0.0


def _even(text: str) -> str:
    return "".join(text.casefold().split())

"""Bounds on rows of stages: refused when they are written, passed over when a stranger's file holds them.

Both sides use the same limits: `why_refused` looks at one row, `find_impossible` at the columns of a file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

MOST_CHARACTERS: Final = 100_000
"""Of one text: a summary of an hour of speech has a tenth of it."""
MOST_WORDS: Final = 20_000
MOST_PAYLOAD_BYTES: Final = 2**18
SLACK_SECONDS: Final = Fraction(1)
"""Seconds by which a row may reach beyond its video: sound may begin sooner and end later than the pictures."""
BOX_SLACK: Final = 1e-6
CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
"""All but tab and the ends of lines, as the inside of a character class."""
_CONTROL = re.compile(f"[{CONTROLS}]")
_LANGUAGE = re.compile(r"[A-Za-z0-9_-]{0,35}")

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a spoken text, with its times.

    Args:
        text: as it was said.
        start_seconds: on the video's time line.
        end_seconds: not before its start.
        score: how sure the model was, 0 to 1; None where it does not say.
    """

    text: str
    start_seconds: float
    end_seconds: float
    score: float | None = None


def clean_text(text: str) -> str:
    """The text without what no row may hold: control characters become spaces, and endless texts end."""
    return _CONTROL.sub(" ", text)[:MOST_CHARACTERS].encode("utf-8", "replace").decode()


def why_refused(
    text: str,
    score: float | None,
    language: str,
    box: Box | None,
    words: Sequence[Word],
    count: int | None,
    payload: Mapping[str, Any] | None,
) -> str:
    """Fault of a row; empty if there is none."""
    checks = (
        _why_text(text),
        _why_score(score),
        "" if _LANGUAGE.fullmatch(language) else f"{language!r:.60} is no language code",
        _why_box(box),
        _why_words(words),
        "" if count is None or (type(count) is int and 0 <= count < 2**63) else f"{count!r:.40} is no count",
        _why_payload(payload),
    )
    return next((reason for reason in checks if reason), "")


def _why_text(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        return f"the text has {len(text):,} characters, more than {MOST_CHARACTERS:,}"
    if found := _CONTROL.search(text):
        return f"the text holds the control character {found[0]!r}"
    return ""


def _is_share(number: object) -> bool:
    return isinstance(number, float | int) and math.isfinite(number) and -BOX_SLACK <= number <= 1 + BOX_SLACK


def _why_score(score: float | None) -> str:
    return "" if score is None or _is_share(score) else f"the score {score!r:.40} does not lie between 0 and 1"


def _why_box(box: Box | None) -> str:
    if box is None:
        return ""
    left, top, width, height = box if len(box) == 4 else (math.nan,) * 4
    inside = all(map(_is_share, (left, top, width, height, left + width, top + height)))
    return "" if inside else f"the box {box!r:.100} does not lie inside the picture (x, y, width, height, 0 to 1)"


def _why_words(words: Sequence[Word]) -> str:
    if len(words) > MOST_WORDS:
        return f"it has {len(words):,} words, more than {MOST_WORDS:,}"
    for word in words:
        times = (word.start_seconds, word.end_seconds)
        if not all(map(math.isfinite, times)) or times[0] > times[1]:
            return f"the word {word.text!r:.40} has no possible times: {times[0]} to {times[1]}"
        if reason := _why_text(word.text) or _why_score(word.score):
            return reason
    return ""


def _why_payload(payload: Mapping[str, Any] | None) -> str:
    if payload is None:
        return ""
    try:
        size = len(json.dumps(dict(payload), allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        return f"the payload is no plain data: {error}"
    return (
        "" if size <= MOST_PAYLOAD_BYTES else f"the payload has {size:,} bytes, more than {MOST_PAYLOAD_BYTES:,}"
    )

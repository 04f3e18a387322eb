"""Rows of what is said: sentences and subtitles on the video's time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from indexer.stages.sentences import clean
from store.records import TextRow
from store.row_checks import MOST_WORDS, SLACK_SECONDS, Word
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.media.subtitles import SubtitleTrack
    from indexer.stages.window_speech import SaidSentence

_TICKS_PER_SECOND: Final = 1000


def rows_of_speech(said: Sequence[SaidSentence], origin: Fraction, span: TimeSpan) -> list[TextRow]:
    """Sentences of a window as rows.

    Args:
        said: the sentences.
        origin: when the window begins, on the video's time line.
        span: of the video.
    """
    rows = []
    for one in said:
        sentence = one.sentence
        placed = TimeSpan(*_span_of(origin + _exact(sentence.start), origin + _exact(sentence.end)))
        words = tuple(
            Word(clean(word.text), float(origin) + word.start, float(origin) + word.end, _share(word.probability))
            for word in sentence.words
            if clean(word.text)
        )
        row = TextRow(
            placed,
            sentence.text,
            _share(sentence.probability),
            one.language,
            words=words[:MOST_WORDS],
            payload=_payload(one),
        )
        if (inside := clamped(row, span)) is not None:
            rows.append(inside)
    return rows


def _payload(one: SaidSentence) -> dict[str, Any]:
    """Everything that a row has no field for."""
    told = {
        "no_speech": one.passage.no_speech,
        "log_probability": one.passage.log_probability,
        "compression": one.passage.compression,
        "language_probability": one.language_probability,
    }
    payload: dict[str, Any] = {"source": "model"}
    payload |= {name: round(value, 4) for name, value in told.items() if value is not None}
    return payload | ({"channels": list(one.channels)} if one.channels else {})


def rows_of_subtitles(track: SubtitleTrack, span: TimeSpan) -> list[TextRow]:
    """Subtitles as rows, those beyond the video left out."""
    rows = []
    for cue in track.cues:
        payload = {"source": "subtitles", "from": track.source}
        row = TextRow(TimeSpan(cue.start, cue.end), cue.text, language=track.language, payload=payload)
        if (inside := clamped(row, span)) is not None:
            rows.append(inside)
    return rows


def clamped(row: TextRow, span: TimeSpan) -> TextRow | None:
    """The row inside its video, but for a second on either side; None where nothing of it is left."""
    start = max(row.span.start, span.start - SLACK_SECONDS)
    end = min(row.span.end, span.end + SLACK_SECONDS)
    if start >= end or row.span.start >= span.end:
        return None
    return row if (start, end) == (row.span.start, row.span.end) else replace(row, span=TimeSpan(start, end))


def within(row: TextRow, span: TimeSpan) -> bool:
    """Whether a row begins in a stretch."""
    return span.start <= row.span.start < span.end


def _exact(seconds: float) -> Fraction:
    """Seconds in whole milliseconds."""
    return Fraction(round(seconds * _TICKS_PER_SECOND), _TICKS_PER_SECOND)


def _span_of(start: Fraction, end: Fraction) -> tuple[Fraction, Fraction]:
    return start, max(end, start + Fraction(1, _TICKS_PER_SECOND))


def _share(probability: float | None) -> float | None:
    return None if probability is None else min(1.0, max(0.0, round(probability, 4)))

"""A transcript as subtitles (`.srt`, `.vtt`), plain text (`.txt`) and data (`.json`); subtitles are read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from search_app.errors import ExportError
from search_app.exports.subtitles import Subtitle, cues_expected, read_srt, read_vtt, write_srt, write_vtt
from search_app.output_files import atomic_write
from search_app.timelines.sources import one_line

if TYPE_CHECKING:
    from search_app.exports.film import Said
    from store.records import TextRow
    from store.row_checks import Word

MOST_CHARACTERS: Final = 84
"""Of one subtitle: two lines of 42."""
MOST_SECONDS: Final = 7.0
"""So long a subtitle stays at most, as broadcasters have it."""

_SLACK_CHARACTERS: Final = 10
"""Subtitles of one sentence are about equally long, so that none is a single word; by this they may differ."""
_BREAKS: Final = (",", ";", ":", ".", "!", "?", "\u2014", "\u3001", "\u3002")
_LEAST_SHARE: Final = 0.5
"""A subtitle is broken at a comma if it is at least this full by then."""


def subtitles_of(rows: Sequence[TextRow]) -> list[Subtitle]:
    """Sentences as subtitles that can be read: long ones are divided between words, by the times of these."""
    shown = [cue for row in rows for cue in _cues(row)]
    return sorted(shown, key=lambda one: (one.start_ms, one.end_ms))


def _cues(row: TextRow) -> Iterator[Subtitle]:
    text = " ".join(one_line(row.text).split())
    start, end = (round(seconds * 1000) for seconds in (row.span.start, row.span.end))
    pieces = _pieces(text, row.words)
    if not pieces:
        if text:
            yield Subtitle(start, max(end, start + 1), text)
        return
    edges = [start, *(round(words[0].start_seconds * 1000) for words, _ in pieces[1:]), end]
    for number, (words, piece) in enumerate(pieces):
        begin, until = edges[number], min(edges[number + 1], round(words[-1].end_seconds * 1000) + 1000)
        yield Subtitle(begin, max(until, begin + 1), piece)


def _pieces(text: str, words: Sequence[Word]) -> list[tuple[list[Word], str]]:
    """Runs of words that fit a subtitle, each with its part of the text; none where words are not those of it."""
    places = []
    at = 0
    for word in words:
        at = text.find(word.text, at)
        if at < 0:
            return []
        places.append(at)
        at += len(word.text)
    if not words or places[0] != 0:
        return []
    pieces: list[tuple[list[Word], str]] = []
    first = 0
    seconds = words[-1].end_seconds - words[0].start_seconds
    n_pieces = max(ceil(len(text) / MOST_CHARACTERS), ceil(seconds / MOST_SECONDS), 1)
    most = min(MOST_CHARACTERS, ceil(len(text) / n_pieces) + _SLACK_CHARACTERS)
    while first < len(words):
        last = _last_word(text, words, places, first, most)
        until = places[last + 1] if last + 1 < len(words) else len(text)
        pieces.append((list(words[first : last + 1]), text[places[first] : until].strip()))
        first = last + 1
    return pieces


def _last_word(text: str, words: Sequence[Word], places: Sequence[int], first: int, most: int) -> int:
    """Index of the last word of the subtitle that begins with a word and has `most` characters at most."""
    last = best = first
    for at in range(first, len(words)):
        until = places[at + 1] if at + 1 < len(words) else len(text)
        length = len(text[places[first] : until].strip())
        if at > first and (length > most or words[at].end_seconds - words[first].start_seconds > MOST_SECONDS):
            return best if best > first else last
        last = at
        if words[at].text.endswith(_BREAKS) and length >= _LEAST_SHARE * most:
            best = at
    return last


def row_json(row: TextRow) -> dict[str, Any]:
    """A row as plain data."""
    return {
        "start_seconds": float(row.span.start),
        "end_seconds": float(row.span.end),
        "text": row.text,
        "score": row.score,
        "language": row.language,
        "words": [
            {
                "text": word.text,
                "start_seconds": round(word.start_seconds, 3),
                "end_seconds": round(word.end_seconds, 3),
                "score": word.score,
            }
            for word in row.words
        ],
        **dict(row.payload or {}),
    }


def _as_srt(rows: Sequence[TextRow]) -> str:
    return _read_back(subtitles_of(rows), write_srt, read_srt)


def _as_vtt(rows: Sequence[TextRow]) -> str:
    return _read_back(subtitles_of(rows), write_vtt, read_vtt)


def _read_back(
    shown: Sequence[Subtitle], write: Callable[[Sequence[Subtitle]], str], read: Callable[[str], list[Said]]
) -> str:
    text = write(shown)
    if shown and read(text) != cues_expected(shown):
        raise ExportError("the subtitles were not written: they cannot be read back")
    return text


def _as_json(rows: Sequence[TextRow]) -> str:
    return json.dumps([row_json(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def _as_text(rows: Sequence[TextRow]) -> str:
    return "".join(f"{' '.join(one_line(row.text).split())}\n" for row in rows)


WRITERS: Final[Mapping[str, Callable[[Sequence[TextRow]], str]]] = {
    ".srt": _as_srt,
    ".vtt": _as_vtt,
    ".json": _as_json,
    ".txt": _as_text,
}
"""By the ending of the file's name."""


def check_transcript_name(output: Path) -> None:
    """Refuse a name of which the format cannot be told.

    Raises:
        ExportError: it has another ending than those of `WRITERS`.
    """
    if output.suffix.lower() not in WRITERS:
        raise ExportError(
            f"cannot tell the format of {output.name!r}: give it one of the endings {', '.join(WRITERS)}"
        )


def write_transcript(rows: Sequence[TextRow], output: Path) -> None:
    """Write a transcript in the format of the output's name.

    Raises:
        ExportError: the format is not known, or the file cannot be written.
    """
    check_transcript_name(output)
    text = WRITERS[output.suffix.lower()](rows)
    with atomic_write(output) as temporary:
        temporary.write_text(text, encoding="utf-8")

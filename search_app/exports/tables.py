"""A film as a table for spreadsheets (CSV) and as JSON for programs; and what both say, read back.

CSV is UTF-8 with a byte order mark, without which Excel takes it for the machine's old code page, with commas and
CRLF (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe before it. Exact times are
written `1001/24000s`, as in FCPXML: `1/25` alone would become a date, and an id of digits a rounded number.
"""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from search_app.exports.film import Film, FilmClip
from search_app.timelines.sources import one_line
from store.wording import printable

if TYPE_CHECKING:
    from search_app.exports.film import Said

FORMAT = "rushes-cut"
VERSION = 1

_BOM = "\ufeff"
_FORMULA_STARTS = tuple("=+-@\t\r\n'＝＋－＠")  # noqa: RUF001 - the wide ones count in Asian locales of Excel


def csv_text(film: Film) -> str:
    """The film as a table, a clip a row."""
    file = io.StringIO(newline="")
    rows = [_row(film, clip) for clip in film.clips]
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: safe_cell(cell) for name, cell in row.items()} for row in rows)
    return _BOM + file.getvalue()


def read_csv(text: str) -> list[Said]:
    """Content of a table for each clip."""
    rows = csv.DictReader(io.StringIO(text.removeprefix(_BOM), newline=""))
    return [{name: _said(name, cell) for name, cell in row.items()} for row in rows]


def csv_expected(film: Film) -> list[Said]:
    """Expected content of a table."""
    return [{name: _said(name, safe_cell(cell)) for name, cell in _row(film, clip).items()} for clip in film.clips]


def _row(film: Film, clip: FilmClip) -> dict[str, object]:
    source, hit, places = clip.source, clip.hit, _edges(film, clip)
    return {
        "clip": clip.number,
        "film_in": film.timecode(clip.first_frame),
        "film_out": film.timecode(clip.end_frame),
        "source": source.name,
        "source_in": clip.source_name(clip.source_in),
        "source_out": clip.source_name(clip.source_in + clip.n_source_frames),
        "seconds": _decimal(film.seconds(clip.n_frames), 3),
        "caption": clip.caption,
        "why": clip.why,
        "state": one_line(clip.clip.state),
        "note": one_line(clip.clip.note),
        "rank": hit.rank if hit.score else "",
        "score": _decimal(hit.score, 6) if hit.score else "",
        "confidence": "" if hit.confidence is None or not hit.is_calibrated else _decimal(hit.confidence, 4),
        "query": film.question,
        "reel": source.reel,
        "path": printable(source.path),
        "address": source.url,
        "film_frames": clip.n_frames,
        "film_rate": f"{_exact(film.rate)} fps",
        "source_rate": f"{_exact(source.rate)} fps",
        **{f"{name}_seconds": _decimal(at, 6) for name, at in places.items()},
        **{f"{name}_exact": f"{_exact(at)}s" for name, at in places.items()},
        "shots": " ".join(f"shot/{shot_id}" for shot_id in clip.clip.shot_ids),
        "fingerprint": clip.clip.video_id,
    }


def _edges(film: Film, clip: FilmClip) -> dict[str, Fraction]:
    """Begin and end of a clip, in the film and in its source, in seconds."""
    span = clip.clip.span
    begins, ends = film.seconds(clip.first_frame), film.seconds(clip.end_frame)
    return {"film_in": begins, "film_out": ends, "source_in": span.start, "source_out": span.end}


def _decimal(number: Fraction | float, digits: int) -> Decimal:
    return Decimal(f"{float(number):.{digits}f}")


def _exact(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"


def safe_cell(cell: object) -> str:
    """A cell that no spreadsheet runs as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else str(cell)


def _said(name: str, cell: str) -> object:
    if name.endswith("_exact"):
        return Fraction(cell.removesuffix("s"))
    return cell.removeprefix("'")


def json_text(film: Film) -> str:
    """The film as JSON."""
    return json.dumps(film_json(film), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def film_json(film: Film) -> dict[str, Any]:
    """The film as plain data: times as exact fractions, as seconds, and as timecode."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": film.name,
        "query": film.question,
        "rate": _exact(film.rate),
        "drop_frame": film.drop,
        "frames": film.n_frames,
        "seconds": float(film.seconds(film.n_frames)),
        "clips": [_clip_json(film, clip) for clip in film.clips],
        "notes": list(film.notes),
    }


def _clip_json(film: Film, clip: FilmClip) -> dict[str, Any]:
    source, hit, facts = clip.source, clip.hit, clip.clip.facts
    names = {
        "film_in": film.timecode(clip.first_frame),
        "film_out": film.timecode(clip.end_frame),
        "source_in": clip.source_name(clip.source_in),
        "source_out": clip.source_name(clip.source_in + clip.n_source_frames),
    }
    times = {
        name: {"exact": _exact(at), "seconds": round(float(at), 6), "timecode": names[name]}
        for name, at in _edges(film, clip).items()
    }
    return {
        "clip": clip.number,
        "source": source.name,
        "path": printable(source.path),
        "address": source.url,
        "reel": source.reel,
        "fingerprint": clip.clip.video_id,
        "source_rate": _exact(source.rate),
        "time_base": _exact(facts.time_base),
        "start_pts_offset": _exact(facts.start_pts_offset),
        "first_frame": clip.first_frame,
        "frames": clip.n_frames,
        **times,
        "state": clip.clip.state,
        "note": clip.clip.note,
        "rank": hit.rank if hit.score else None,
        "score": hit.score or None,
        "confidence": hit.confidence if hit.is_calibrated else None,
        "certainty": None if hit.certainty is None else str(hit.certainty),
        "caption": clip.caption,
        "why": clip.why,
        "shots": list(clip.clip.shot_ids),
    }


def read_json(text: str) -> list[Said]:
    """Content of JSON for each clip, times as fractions."""
    data = json.loads(text)
    return [
        {
            name: Fraction(value["exact"]) if isinstance(value, dict) else value
            for name, value in {**clip, "rate": data["rate"], "query": data["query"]}.items()
        }
        for clip in data["clips"]
    ]


def json_expected(film: Film) -> list[Said]:
    """Expected content of JSON."""
    return [
        {**_clip_json(film, clip), **_edges(film, clip), "rate": _exact(film.rate), "query": film.question}
        for clip in film.clips
    ]

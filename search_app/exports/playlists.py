"""A film as a playlist: M3U for VLC and others, and mpv's own EDL; and what both say, read back.

Times are seconds to the microsecond, rounded down: an edge on a frame must not fall behind it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from search_app.exports.film import Film, FilmClip

if TYPE_CHECKING:
    from search_app.exports.film import Said

MPV_HEADER = "# mpv EDL v0"
_MICROSECONDS = 1_000_000
_VLC_START, _VLC_STOP = "#EXTVLCOPT:start-time=", "#EXTVLCOPT:stop-time="


def m3u_text(film: Film) -> str:
    """The film as an extended M3U playlist, a clip an entry.

    Sources are named by percent-encoded addresses, so that no name can be taken for a comment or break a line.
    VLC plays each from `start-time` to `stop-time`; players that do not know these play whole sources.
    """
    lines = ["#EXTM3U", "#EXTENC:UTF-8", f"#PLAYLIST:{film.name}"]
    for clip in film.clips:
        span = clip.clip.span
        length = max(1, round(film.seconds(clip.n_frames)))
        lines += [
            f"#EXTINF:{length},{clip.title}",
            f"{_VLC_START}{_micro(span.start)}",
            f"{_VLC_STOP}{_micro(span.end)}",
            clip.source.url,
        ]
    return "\n".join(lines) + "\n"


def read_m3u(text: str) -> list[Said]:
    """Content of an M3U playlist for each clip."""
    said: list[Said] = []
    entry: dict[str, object] = {}
    for line in text.split("\n"):
        if line.startswith("#EXTINF:"):
            entry["title"] = line.partition(",")[2]
        elif line.startswith((_VLC_START, _VLC_STOP)):
            name, _, number = line.removeprefix("#EXTVLCOPT:").partition("=")
            entry[name] = number
        elif line and not line.startswith("#"):
            said.append({**entry, "address": line})
            entry = {}
    return said


def m3u_expected(film: Film) -> list[Said]:
    """Expected content of an M3U playlist."""
    return [
        {
            "title": clip.title,
            "start-time": _micro(clip.clip.span.start),
            "stop-time": _micro(clip.clip.span.end),
            "address": clip.source.url,
        }
        for clip in film.clips
    ]


def mpv_text(film: Film) -> str:
    """The film as an mpv EDL: played by mpv as one film, with a chapter for each clip.

    Source: DOCS/edl-mpv.rst of mpv, and demux/demux_edl.c, by which `start` counts on the source's own time stamps
    and not from its first. Names are written with their length in bytes before them, so no sign in them counts.
    """
    lines = [MPV_HEADER]
    for clip in film.clips:
        start, length = _mpv_times(clip)
        lines.append(f"{_guarded(clip.source.path)},start={start},length={length},title={_guarded(clip.title)}")
    return "\n".join(lines) + "\n"


def _mpv_times(clip: FilmClip) -> tuple[str, str]:
    span, facts = clip.clip.span, clip.clip.facts
    offset = facts.start_pts_offset * facts.time_base
    start, end = (int((at + offset) * _MICROSECONDS // 1) for at in (span.start, span.end))
    return _micro(Fraction(start, _MICROSECONDS)), _micro(Fraction(end - start, _MICROSECONDS))


def _guarded(text: str) -> str:
    return f"%{len(text.encode('utf-8', 'surrogateescape'))}%{text}"


def read_mpv(text: str) -> list[Said]:
    """Content of an mpv EDL for each segment, parsed as mpv does: byte by byte."""
    rest = text.encode("utf-8", "surrogateescape")
    header, _, rest = rest.partition(b"\n")
    if header.decode() != MPV_HEADER:
        raise ValueError("the header is missing")
    said: list[Said] = []
    while rest:
        entry: dict[str, object] = {}
        separator = b","
        while separator == b",":
            name, value, rest = _mpv_parameter(rest)
            entry[name] = value.decode("utf-8", "surrogateescape")
            separator, rest = rest[:1], rest[1:]
        said.append(entry)
    return said


def _mpv_parameter(rest: bytes) -> tuple[str, bytes, bytes]:
    """The name, the value and what follows them."""
    named = re.match(rb"([^=%,;\n]+)=", rest)
    name, rest = (named[1].decode(), rest[named.end() :]) if named else ("file", rest)
    guard = re.match(rb"%(\d+)%", rest)
    if guard is None:
        plain = re.match(rb"[^,;\n]*", rest)
        end = plain.end() if plain else 0
        return name, rest[:end], rest[end:]
    end = guard.end() + int(guard[1])
    return name, rest[guard.end() : end], rest[end:]


def mpv_expected(film: Film) -> list[Said]:
    """Expected content of an mpv EDL."""
    return [
        {"file": clip.source.path, "start": start, "length": length, "title": clip.title}
        for clip in film.clips
        for start, length in (_mpv_times(clip),)
    ]


def _micro(seconds: Fraction) -> str:
    whole = seconds * _MICROSECONDS // 1
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // _MICROSECONDS}.{whole % _MICROSECONDS:06d}"

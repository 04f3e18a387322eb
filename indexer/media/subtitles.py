"""Subtitles that a video brings: text tracks inside it, and files beside it, read by FFmpeg in a limited child.

Only formats of text are opened; pictures of text (DVD, Blu-ray, DVB) are not read.
"""

from __future__ import annotations

import html
import io
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from indexer.errors import MediaError, VideoUnreadableError
from indexer.media.isolation import run_limited
from indexer.media.limits import MAX_DURATION, ChildLimits

SUFFIXES: Final = {".srt": "srt", ".vtt": "webvtt"}
MOST_BYTES: Final = 8 * 2**20
"""Of a subtitle file: a feature film has a fiftieth of it."""
MOST_CUES: Final = 50_000
MOST_CHARACTERS: Final = 2_000
"""Of one subtitle; what is longer is no line that a person reads."""
LIMITS: Final = ChildLimits(memory_bytes=2 * 2**30, wall_seconds=900.0, cpu_seconds=900)

_TEXT_CODECS: Final = frozenset({"subrip", "srt", "webvtt", "ass", "ssa", "mov_text", "text"})
_FLAGS: Final = frozenset({"sdh", "cc", "default", "full"})
_TELEMETRY = re.compile(r"(?:FrameCnt|SrtCnt|DiffTime|GPS ?\(|HOME ?\(|\biso ?:|\bshutter ?:)", re.IGNORECASE)
"""Drones write where they fly and how they expose into a subtitle file of the video's name."""
_ASS_FIELDS: Final = 8
_ASS_MARKUP = re.compile(r"\{[^{}]*\}")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2060\ufeff]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}")
_SHORT_CODES: Final = {
    "ger": "de", "deu": "de", "eng": "en", "fre": "fr", "fra": "fr", "spa": "es", "ita": "it", "por": "pt",
    "dut": "nl", "nld": "nl", "swe": "sv", "nor": "no", "dan": "da", "fin": "fi", "rus": "ru", "jpn": "ja",
    "chi": "zh", "zho": "zh", "kor": "ko", "ara": "ar", "tur": "tr", "pol": "pl", "cze": "cs", "ces": "cs",
    "gre": "el", "ell": "el", "hun": "hu", "rum": "ro", "ron": "ro", "ukr": "uk", "und": "",
}  # fmt: skip
_HEARTBEAT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Cue:
    """A subtitle.

    Args:
        start: on the video's time line, in seconds.
        end: after the start.
        text: one line, without markup.
    """

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """Subtitles in one language.

    Args:
        source: the file's name, or `track 0` for the first text track of the video.
        language: ISO 639-1 code, as the name or the container says; empty where neither does.
        cues: in order of time.
    """

    source: str
    language: str
    cues: tuple[Cue, ...]


def find_subtitle_files(video: Path) -> list[tuple[Path, str]]:
    """Subtitle files beside a video, each with its language: `name.srt`, `name.en.srt`, `name.vtt`, ...

    Those without a language come first. What is called forced or commentary is passed over: it holds another thing
    than all that is said.
    """
    found: list[tuple[str, str, Path]] = []
    try:
        with os.scandir(video.parent) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        return []
    for name in names:
        path = video.with_name(name)
        if path.suffix.lower() not in SUFFIXES or not name.startswith(f"{video.stem}."):
            continue
        words = [word for word in path.stem[len(video.stem) :].split(".") if word]
        others = [word for word in words if word.lower() not in _FLAGS]
        # What else stands there is the name of another video: `film.uncut.srt` is not that of `film.mp4`.
        if len(others) > 1 or not all(map(_LANGUAGE.fullmatch, others)):
            continue
        found.append((language_code(others[0]) if others else "", name, path))
    return [(path, language) for language, _, path in sorted(found)]


def language_code(text: str) -> str:
    """A language in the words of a file's name or a container as ISO 639-1 has it; empty for what is none."""
    if not _LANGUAGE.fullmatch(text):
        return ""
    return _SHORT_CODES.get(text.lower(), text.lower().replace("_", "-"))


def read_subtitle_file(path: Path, language: str = "") -> SubtitleTrack:
    """The subtitles of a file.

    Raises:
        MediaError: it cannot be read, is too large, or holds no subtitle.
    """
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise MediaError(f"{path}: no subtitle file: a file of at most {MOST_BYTES >> 20} MiB is")
        text = _decode(path.read_bytes())
    except OSError as error:
        raise MediaError(f"{path}: subtitles cannot be read ({error.strerror})") from error
    arguments = {"text": text, "kind": SUFFIXES[path.suffix.lower()], "subject": str(path)}
    tracks = _collect("run_read_text", arguments, str(path))
    cues = next(iter(tracks.values()), ("", []))[1]
    if not cues:
        raise MediaError(f"{path}: holds no subtitles that can be read; mend it, or remove it")
    if 2 * sum(bool(_TELEMETRY.search(cue.text)) for cue in cues) > len(cues):
        raise MediaError(f"{path}: holds the telemetry of a camera, and nothing that is said")
    return SubtitleTrack(path.name, language, _in_order(cues))


def read_subtitle_tracks(path: str) -> list[SubtitleTrack]:
    """The text tracks of a video that hold subtitles; none where it has no such track.

    Raises:
        MediaError: the video cannot be read.
    """
    found = _collect("run_read_tracks", {"path": path}, path)
    return [
        SubtitleTrack(f"track {number}", language, _in_order(cues))
        for number, (language, cues) in sorted(found.items())
        if cues
    ]


def _decode(data: bytes) -> str:
    """Text in whatever encoding it was saved in: UTF-8, UTF-16 with its mark, else Windows-1252."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _collect(function: str, arguments: dict[str, Any], subject: str) -> dict[int, tuple[str, list[Cue]]]:
    tracks: dict[int, tuple[str, list[Cue]]] = {}
    for message in run_limited(f"{__name__}:{function}", arguments, LIMITS, subject):
        header = message.header
        try:
            for number, language in header.get("tracks", ()):
                tracks[int(number)] = (language_code(str(language)), [])
            for number, start, end, text in header.get("cues", ()):
                tracks[int(number)][1].append(Cue(Fraction(start), Fraction(end), str(text)[:MOST_CHARACTERS]))
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise VideoUnreadableError(f"{subject}: the reader of subtitles sent nonsense ({error})") from error
    return tracks


def _in_order(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    return tuple(sorted(cues, key=lambda cue: (cue.start, cue.end)))


_Entry = tuple[dict[str, Any], list[bytes]]


def run_read_text(text: str, kind: str, subject: str) -> Iterator[_Entry]:
    """The child's side of `read_subtitle_file`."""
    import av

    try:
        with av.open(io.BytesIO(text.encode("utf-8", "replace")), format=kind, mode="r") as container:
            yield {"tracks": [[0, ""]]}, []
            yield from _cues(container, [container.streams[0]], Fraction(0))
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise MediaError(f"{subject}: no subtitles that can be read ({_reason(error)})") from error


def run_read_tracks(path: str) -> Iterator[_Entry]:
    """The child's side of `read_subtitle_tracks`."""
    from indexer.media.decode import VideoReader

    with VideoReader(path) as reader:
        tracks = reader.text_tracks(_TEXT_CODECS)
        yield (
            {"tracks": [[number, stream.metadata.get("language", "")] for number, stream in enumerate(tracks)]},
            [],
        )
        if tracks:
            yield from _cues(reader.container, tracks, reader.start_time)


def _cues(container: Any, streams: Sequence[Any], origin: Fraction) -> Iterator[_Entry]:
    """Cues of some tracks in the order of the file, a few at a time, with signs of life between."""
    import av

    numbers = {stream.index: number for number, stream in enumerate(streams)}
    n_cues, beat = 0, time.monotonic()
    held: list[list[Any]] = []
    packets = container.demux(streams)
    while n_cues < MOST_CUES:
        try:
            packet = next(packets)
            texts = [_text_of(line) for part in (packet.decode() if packet.size else ()) for line in _lines(part)]
        except StopIteration:
            break
        except (av.FFmpegError, ValueError):
            continue
        placed = _place(packet, origin)
        text = " ".join(filter(None, texts))
        if placed is not None and text:
            held.append([numbers[packet.stream.index], str(placed[0]), str(placed[1]), text[:MOST_CHARACTERS]])
            n_cues += 1
        if len(held) >= 200 or time.monotonic() - beat > _HEARTBEAT_SECONDS:
            yield {"cues": held}, []
            held, beat = [], time.monotonic()
    yield {"cues": held}, []


def _lines(part: Any) -> Iterator[bytes]:
    """Texts of what a decoder gave: a subtitle, or a set of them."""
    rects = getattr(part, "rects", None) or [part]
    for rect in rects:
        ass = getattr(rect, "ass", b"")
        if ass:
            yield bytes(ass)


def _place(packet: Any, origin: Fraction) -> tuple[Fraction, Fraction] | None:
    """Start and end on the time line, in whole milliseconds; None for what lies nowhere."""
    base = packet.time_base
    if packet.pts is None or base is None or not packet.duration or packet.duration <= 0:
        return None
    tick = Fraction(int(base.numerator), int(base.denominator))
    start = packet.pts * tick - origin
    end = start + packet.duration * tick
    start = max(start, Fraction(0))
    return (start, end) if start < end and start < MAX_DURATION else None


def _text_of(ass: bytes) -> str:
    """The words of an event of a subtitle decoder, which speaks Advanced SubStation Alpha, on one line."""
    text = ass.decode("utf-8", "replace").split(",", _ASS_FIELDS)[-1]
    text = _ASS_MARKUP.sub("", text).replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
    return " ".join(_CONTROL.sub(" ", html.unescape(_TAG.sub("", text))).split())


def _reason(error: BaseException) -> str:
    return " ".join(str(getattr(error, "strerror", "") or error).split())[:200]

"""Rate and sound channels of streams that an archive of an earlier version did not record.

Only packets are read, nothing is decoded; in a limited child process, as all foreign files are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from indexer.errors import MediaError
from indexer.media.decode import VideoReader
from indexer.media.frame_steps import rate_of_ticks
from indexer.media.isolation import run_limited
from indexer.media.limits import ChildLimits

_N_PACKETS = 3000
_Entry = tuple[dict[str, Any], list[bytes]]


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """Result of a probe.

    Args:
        usual_rate: frames per second that most distances between frames have; None where they say nothing.
        audio_channels: how many channels each sound track has.
    """

    usual_rate: Fraction | None
    audio_channels: tuple[int, ...]


def probe_streams(paths: Iterable[str], *, rates: bool = True) -> dict[str, StreamFacts]:
    """Stream facts of files, by path; a file that cannot be read is not in it.

    Args:
        paths: the files.
        rates: read packets for the distances between frames; without, only headers are read.
    """
    waiting = list(dict.fromkeys(paths))
    found: dict[str, StreamFacts] = {}
    while waiting:
        arguments = {"paths": waiting, "rates": rates}
        try:
            for message in run_limited(
                "indexer.media.stream_probe:run_probe", arguments, ChildLimits(), waiting[0]
            ):
                _take(message.header, waiting.pop(0), found)
        except MediaError:
            waiting = waiting[1:]  # the one that it fell over; the others are tried again
        else:
            break
    return found


def _take(header: Mapping[str, Any], path: str, found: dict[str, StreamFacts]) -> None:
    try:
        rate, channels = header["usual_rate"], header["audio_channels"]
        found[path] = StreamFacts(None if rate is None else Fraction(rate), tuple(int(n) for n in channels))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return


def run_probe(paths: list[str], *, rates: bool) -> Iterator[_Entry]:
    """The child's side of `probe_streams`: one message a file, in order."""
    for path in paths:
        yield _probe(path, rates=rates), []


def _probe(path: str, *, rates: bool) -> dict[str, Any]:
    try:
        with VideoReader(path) as reader:
            rate = rate_of_ticks(islice(reader.packet_ticks(), _N_PACKETS), reader.time_base) if rates else None
            return {
                "usual_rate": None if rate is None else str(rate),
                "audio_channels": list(reader.audio_channels),
            }
    except MediaError:
        return {}

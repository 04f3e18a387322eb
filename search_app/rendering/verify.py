"""Proof that a rendered supercut shows what its cut list says.

The first and the last frame of each clip are compared with the frame of the source that must be there, and with
its neighbours in the source: a cut is exact when no neighbour is nearer. The finished file is decoded for it once
from start to end, or, where few clips need it, only in these; the source anew, with another seek than when the
clip was made. Clips that were copied whole are compared bit for bit instead, which needs no decoding.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, Stream, open_own, send
from search_app.conforming.colours import matrix_of
from search_app.conforming.conform import Conformed
from search_app.conforming.copy_proof import read_film, shows_its_source
from search_app.conforming.framing import fitted
from search_app.conforming.source_frames import (
    FrameLog,
    frames_between,
    source_frames,
    tick_seconds,
    tried_prerolls,
)
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import FALLBACK_FRAME_RATE, Clip

Luma = NDArray[np.uint8]
"""(height, width): a small grey picture."""

LONG_SIDE_PX = 256
PREROLLS: tuple[Fraction | None, ...] = (Fraction(2), Fraction(16), None)
"""Other than those of cutting."""

ONE_SEEK_SECONDS = 2
"""Both ends of shorter clips are read in one go; it takes as long as the first preroll to seek anew."""

N_AT_ONCE = 2
"""Clips compared at the same time: most of it is waiting for the first picture."""

_TICK_SECONDS = 0.2  # how soon a cancel is noticed

MARGIN = 0.15
"""A neighbour must be nearer by this much (mean difference in grey levels of 255) to prove a cut wrong; below it
lies the noise of the encoding, and pictures that do not move."""

MAX_DISTANCE = 10.0
"""Farther than this from what must be there is another picture."""


@dataclass(frozen=True, slots=True)
class EdgeCheck:
    """The first or the last frame of a clip, compared.

    Args:
        is_exact: whether it shows the frame that must be there.
        distance: mean difference from that frame, in grey levels of 255; None if there was none to compare.
        neighbour_distance: the same for the nearer of the frames before and after it; None without one.
        seen_offset: 0, or how many source frames off the nearest frame is.
    """

    is_exact: bool
    distance: float | None = None
    neighbour_distance: float | None = None
    seen_offset: int = 0


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """What verification found out about one clip.

    Args:
        first: its first frame.
        last: its last frame.
        reason: what is wrong, empty if nothing is.
    """

    first: EdgeCheck
    last: EdgeCheck
    reason: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether both ends show what they must."""
        return self.first.is_exact and self.last.is_exact


@dataclass(frozen=True, slots=True)
class Placed:
    """A conformed clip at its place in the supercut.

    Args:
        clip: the clip.
        source: the file it was cut from.
        look: how its own pictures are stored.
        conformed: what was made of it.
        first_frame: number of its first frame in the supercut.
        covered: what lies over its pictures, each as left, top, width and height in pixels of the profile.
    """

    clip: Clip
    source: Path
    look: FrameLog
    conformed: Conformed
    first_frame: int
    covered: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def last_frame(self) -> int:
        """Number of its last frame in the supercut."""
        return self.first_frame + self.conformed.n_frames - 1

    @property
    def first_clear(self) -> int:
        """Number of the first frame in the supercut that shows nothing but it."""
        return self.first_frame + self.conformed.n_blended_first

    @property
    def last_clear(self) -> int:
        """Number of the last such frame."""
        return self.last_frame - self.conformed.n_blended_last


def verify_supercut(
    program: Ffmpeg,
    rendered: Path,
    placed: Sequence[Placed],
    profile: Profile,
    n_frames: int,
    *,
    cancel: threading.Event | None = None,
    on_clip: Callable[[int], None] | None = None,
) -> tuple[list[ClipCheck], int]:
    """Compare both ends of each clip in the rendered file with their sources, where nothing else is shown.

    Args:
        program: ffmpeg.
        rendered: the supercut.
        placed: its clips, in order.
        profile: its profile.
        n_frames: how many frames it must have.
        cancel: stops it when set.
        on_clip: told how many clips were compared so far.

    Returns:
        What was found out about each clip, and how many frames the file has.

    Raises:
        FfmpegError: the rendered file does not decode, or it was cancelled.
    """
    proven, n_seen = _prove_copied(program, rendered, placed, profile, cancel)
    rest = [place for place in placed if place.first_frame not in proven]
    wanted = {number for place in rest for number in (place.first_clear, place.last_clear)}
    seen: dict[int, Luma] = {}
    if n_seen == n_frames and 2 * sum(place.conformed.n_frames for place in rest) < n_frames:
        for place in rest:
            stretch = range(place.first_frame, place.last_frame + 1)
            seen |= _rendered_frames(program, rendered, profile, wanted, cancel, stretch)[0]
    else:
        seen, n_seen = _rendered_frames(program, rendered, profile, wanted, cancel)
    stop = threading.Event()
    compare = partial(_check_clip, program, profile=profile, seen=seen, proven=proven, cancel=stop)
    checks = []
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        try:
            for begun in [pool.submit(compare, place) for place in placed]:
                checks.append(_waited(begun, cancel))
                if on_clip:
                    on_clip(len(checks))
        finally:  # Ctrl-C comes here, and would wait for what is being compared
            stop.set()
            pool.shutdown(cancel_futures=True)
    return checks, n_seen


def _waited(begun: Future[ClipCheck], cancel: threading.Event | None) -> ClipCheck:
    while not begun.done():
        wait([begun], _TICK_SECONDS)
        if cancel and cancel.is_set():
            raise FfmpegError("cancelled")
    return begun.result()


def compare_edge(
    seen: Luma | None,
    around: Sequence[tuple[int, Luma]],
    expected_tick: int,
    open_part: NDArray[np.bool_] | None = None,
) -> EdgeCheck:
    """Judge one rendered frame against source frames in order of time, of which one should be it.

    Where something lies over the picture, only the `open_part` of it is compared.
    """
    ticks = [tick for tick, _ in around]
    if seen is None or expected_tick not in ticks:
        return EdgeCheck(is_exact=False)
    place = ticks.index(expected_tick)
    if open_part is not None:
        seen, around = seen[open_part], [(tick, frame[open_part]) for tick, frame in around]
    distances = {
        i - place: _distance(seen, around[i][1]) for i in (place - 1, place, place + 1) if 0 <= i < len(ticks)
    }
    distance = distances.pop(0)
    offset, nearest = min(distances.items(), key=lambda item: item[1], default=(0, None))
    is_off = nearest is not None and nearest + MARGIN < distance
    return EdgeCheck(
        is_exact=not is_off and distance <= MAX_DISTANCE,
        distance=round(distance, 3),
        neighbour_distance=None if nearest is None else round(nearest, 3),
        seen_offset=offset if is_off else 0,
    )


def _check_clip(
    program: Ffmpeg,
    place: Placed,
    profile: Profile,
    seen: Mapping[int, Luma],
    proven: Collection[int],
    cancel: threading.Event | None,
) -> ClipCheck:
    made = place.conformed
    if place.first_frame in proven:
        same = EdgeCheck(is_exact=True, distance=0.0)
        return ClipCheck(same, same)
    try:
        around_first, around_last = _windows(program, place, profile, cancel)
    except FfmpegError as error:
        if cancel and cancel.is_set():
            raise
        return ClipCheck(EdgeCheck(is_exact=False), EdgeCheck(is_exact=False), f"cannot compare: {error}")
    open_part = _open_part(place, profile)
    first = compare_edge(seen.get(place.first_clear), around_first, made.first_clear_tick, open_part)
    last = compare_edge(seen.get(place.last_clear), around_last, made.last_clear_tick, open_part)
    return ClipCheck(
        first,
        last,
        "; ".join(_words(name, edge) for name, edge in (("first", first), ("last", last)) if not edge.is_exact),
    )


def _open_part(place: Placed, profile: Profile) -> NDArray[np.bool_] | None:
    """(height, width) of a small picture: where nothing lies over the clip; None if nothing does anywhere."""
    if not place.covered:
        return None
    width, height = _small(profile)
    across, down = width / profile.width_px, height / profile.height_px
    is_open = np.ones((height, width), np.bool_)
    for left, top, width_px, height_px in place.covered:
        rows = slice(max(0, int(top * down) - 1), math.ceil((top + height_px) * down) + 1)
        is_open[rows, max(0, int(left * across) - 1) : math.ceil((left + width_px) * across) + 1] = False
    return is_open if is_open.any() else None


def _prove_copied(
    program: Ffmpeg,
    rendered: Path,
    placed: Sequence[Placed],
    profile: Profile,
    cancel: threading.Event | None,
) -> tuple[set[int], int | None]:
    """First frames of the clips that are copies bit for bit, and how many frames the file has if that was counted.

    A copied clip that is not proven so is compared as any other.
    """
    copied = [place for place in placed if place.conformed.n_copied_frames == place.conformed.n_frames]
    if not copied:
        return set(), None
    film = read_film(program, rendered, profile, cancel)
    proven = {
        place.first_frame
        for place in copied
        if shows_its_source(program, film, place.first_frame, place.clip, place.source, place.conformed, cancel)
    }
    return proven, len(film.times)


def _words(name: str, edge: EdgeCheck) -> str:
    if edge.distance is None:
        return f"its {name} frame has nothing to be compared with"
    if edge.seen_offset:
        return f"its {name} frame is {edge.seen_offset:+d} frame off"
    return f"its {name} frame shows something else"


def _windows(
    program: Ffmpeg, place: Placed, profile: Profile, cancel: threading.Event | None
) -> list[list[tuple[int, Luma]]]:
    """The source frames, with their ticks, around the first and around the last frame of a clip."""
    facts, made = place.clip.facts, place.conformed
    margin = int(5 / (2 * (facts.frame_rate or FALLBACK_FRAME_RATE) * facts.time_base)) + 1
    ends = [range(tick - margin, tick + margin + 1) for tick in (made.first_clear_tick, made.last_clear_tick)]
    if (made.last_clear_tick - made.first_clear_tick) * facts.time_base > ONE_SEEK_SECONDS:
        return [_source_frames_at(program, place, profile, [end], cancel) for end in ends]
    frames = _source_frames_at(program, place, profile, ends, cancel)
    return [[(tick, frame) for tick, frame in frames if tick in end] for end in ends]


def _source_frames_at(
    program: Ffmpeg, place: Placed, profile: Profile, ends: Sequence[range], cancel: threading.Event | None
) -> list[tuple[int, Luma]]:
    """The frames of the source, as the supercut must show them, whose ticks lie in some ranges."""
    facts, size, shape = place.clip.facts, _small(profile), profile
    if place.conformed.n_copied_frames:
        shape = replace(profile, matrix=matrix_of(facts, place.look.matrix))  # what was copied keeps its colours
    first, end_tick = ends[0].start, ends[-1].stop
    made = place.conformed
    must_be = {tick for tick in (made.first_clear_tick, made.last_clear_tick) if _lies_in(tick, ends)}
    start = tick_seconds(first, facts)
    for preroll in tried_prerolls(facts, start, PREROLLS):
        log = FrameLog()
        shown = source_frames(facts, place.source, start, preroll, place.look)
        between = frames_between(shown, facts, place.look, first, end_tick)
        # Only these are scaled: what lies between both ends is decoded and left.
        wanted = between.filter("select", "+".join(f"between(pts,{end.start},{end[-1]})" for end in ends))
        frames: list[Luma] = []
        reader = _FrameReader(size, lambda _, frame, frames=frames: frames.append(frame))  # type: ignore[misc]
        pictures = fitted(wanted, facts, place.look, shape, place.conformed.focus)
        program.run(_to_luma(pictures, size), cancel=cancel, on_bytes=reader.take, on_line=log.read)
        ticks = [tick for tick in log.ticks if _lies_in(tick, ends)]
        if len(ticks) == len(frames) and must_be <= set(ticks):
            return list(zip(ticks, frames, strict=True))
    return []


def _lies_in(tick: int, ends: Sequence[range]) -> bool:
    return any(tick in end for end in ends)


def _rendered_frames(
    program: Ffmpeg,
    rendered: Path,
    profile: Profile,
    wanted: set[int],
    cancel: threading.Event | None,
    stretch: range | None = None,
) -> tuple[dict[int, Luma], int]:
    """The wanted frames of a rendered file, and how many frames were read: all, or those of a stretch."""
    kept: dict[int, Luma] = {}
    first = stretch.start if stretch else 0

    def keep(number: int, frame: Luma) -> None:
        if first + number in wanted:
            kept[first + number] = frame

    options: dict[str, object] = {}
    if stretch:
        options["t"] = f"{float(len(stretch) / profile.frame_rate):.6f}"
        if first:
            # Between two frames, so that rounding cannot take one too many or too few.
            options["ss"] = f"{float((first - Fraction(1, 2)) / profile.frame_rate):.6f}"
    size = _small(profile)
    reader = _FrameReader(size, keep)
    program.run(_to_luma(open_own(rendered, **options)["V:0"], size), cancel=cancel, on_bytes=reader.take)
    return kept, reader.n_frames


def _small(profile: Profile) -> tuple[int, int]:
    scale = min(Fraction(1), Fraction(LONG_SIDE_PX, max(profile.width_px, profile.height_px)))
    return max(1, round(profile.width_px * scale)), max(1, round(profile.height_px * scale))


def _to_luma(pictures: Stream, size: tuple[int, int]) -> Stream:
    small = pictures.filter("scale", *size, flags="area").filter("format", "gray")
    return send([small], format="rawvideo", fps_mode="passthrough")


def _distance(one: Luma, other: Luma) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


class _FrameReader:
    """Cuts a stream of bytes into small grey pictures."""

    def __init__(self, size: tuple[int, int], on_frame: Callable[[int, Luma], None]) -> None:
        self.n_frames = 0
        self._shape = (size[1], size[0])
        self._on_frame = on_frame
        self._rest = bytearray()

    def take(self, data: bytes) -> None:
        """Hand on each picture that is complete."""
        self._rest += data
        n_bytes = self._shape[0] * self._shape[1]
        while len(self._rest) >= n_bytes:
            frame = np.frombuffer(bytes(self._rest[:n_bytes]), np.uint8).reshape(self._shape)
            del self._rest[:n_bytes]
            self._on_frame(self.n_frames, frame)
            self.n_frames += 1

"""Whether the frames of a clip show what they must, judged on small grey pictures.

Film and source are read by different decoders and come by different ways to the same size, so their light may
differ: other ranges, matrices, tone mapping. A curve of tones, fitted to many frames at once, takes that out. What
is left tells frames apart: each is compared with the frame of the source that it must show, with the frames before
and after that one, and some of them with the same picture mirrored, upside down and stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
"""(height, width): a small grey picture."""
Tones = NDArray[np.float32]
"""(256,): what becomes of each grey level."""

MARGIN = 0.15
"""A neighbour must be nearer by this much (mean difference in grey levels of 255) to prove an end of a clip wrong;
below it lies the noise of the encoding, and pictures that do not move."""

LEAST_MOTION = 5.0
"""Where two frames of a source differ, weighted by how much, they must differ by this many grey levels to be told
apart inside a clip: an encoder lets some frames lag behind by what nobody sees."""

CLEARLY_NEARER = 0.5
"""There, a frame shows the neighbour if it is nearer to it than this part of its distance from its own."""

MAX_DISTANCE = 10.0
"""Farther than this from what must be there is another picture."""

MAX_SHARE = 0.5
"""So is what differs by more than this part of its own contrast, if that is more than `NOISE`."""

NOISE = 1.5
N_SAMPLES = 5
"""So many frames of a clip are compared with the picture mirrored and stretched."""

OTHER_SHAPE_MARGIN = 1.0
OTHER_SHAPE_SHARE = 0.8
"""A mirrored or stretched picture must fit better by so many grey levels, and by this part of the distance."""

_ZOOMS = (1.02, 1.05, 1.1, 1.2)
_CHUNK = 48
_N_BINS = 32


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
class Pair:
    """A frame of a clip in the film, and what it must show.

    Args:
        number: of the frame in its clip.
        seen: the frame; None if the film has none there.
        expected: the frame of the source that it must show.
        before: the frame of the source before that one; None if there is none.
        after: the one after it.
    """

    number: int
    seen: Luma | None
    expected: Luma
    before: Luma | None = None
    after: Luma | None = None

    def source(self, offset: int) -> Luma | None:
        """The frame of the source that lies so many frames after the expected one: -1, 0 or 1."""
        return (self.expected, self.after, self.before)[offset]


@dataclass
class Judge:
    """Judges the frames of one clip, taken in order.

    Args:
        n_frames: how many there are to be.
        open_part: (height, width), where nothing lies over the pictures; None if nothing does anywhere.
    """

    n_frames: int
    open_part: NDArray[np.bool_] | None = None
    first: EdgeCheck = EdgeCheck(is_exact=False)
    last: EdgeCheck = EdgeCheck(is_exact=False)
    wrong: list[int] = field(default_factory=list)
    _n_seen: int = 0
    _held: list[Pair] = field(default_factory=list)
    _changed_shapes: list[str] = field(default_factory=list)
    _n_sampled: int = 0

    def add(self, pair: Pair) -> None:
        """Take in the next frame."""
        self._held.append(pair)
        if len(self._held) >= _CHUNK:
            self._judge_held()

    def close(self) -> list[str]:
        """Problems, a line for each kind; empty if there are none."""
        if self._held:
            self._judge_held()
        faults = [
            _words(name, edge) for name, edge in (("first", self.first), ("last", self.last)) if not edge.is_exact
        ]
        if self.wrong:
            count = f"{len(self.wrong)} frames show" if len(self.wrong) > 1 else "1 frame shows"
            faults.append(f"{count} another than it must, the first at place {self.wrong[0] + 1}")
        shape = max(set(self._changed_shapes), key=self._changed_shapes.count, default="")
        if 2 * len(self._changed_shapes) > self._n_sampled:
            faults.append(f"its pictures are shown {shape}")
        return faults

    def _judge_held(self) -> None:
        pairs, self._held = self._held, []
        tones = {offset: self._fit(pairs, offset) for offset in (-1, 0, 1)}
        step = max(1, self.n_frames // N_SAMPLES)
        for pair in pairs:
            place, self._n_seen = self._n_seen, self._n_seen + 1
            check = self._compare(pair, tones, is_edge=place in {0, self.n_frames - 1})
            if place == 0:
                self.first = check
            if place == self.n_frames - 1:
                self.last = check
            elif place and not check.is_exact:
                self.wrong.append(pair.number)
            if place % step == 0 and pair.seen is not None:
                self._n_sampled += 1
                if shape := self._changed_shape(pair):
                    self._changed_shapes.append(shape)

    def _fit(self, pairs: Sequence[Pair], offset: int) -> Tones:
        fitted = [(pair.seen, source) for pair in pairs if (source := pair.source(offset)) is not None]
        return fit_tones([(seen, source) for seen, source in fitted if seen is not None], self.open_part)

    def _compare(self, pair: Pair, tones: dict[int, Tones], *, is_edge: bool) -> EdgeCheck:
        seen = pair.seen
        if seen is None:
            return EdgeCheck(is_exact=False)
        raw = {offset: source for offset in (0, -1, 1) if (source := pair.source(offset)) is not None}
        sources = {offset: tones[0][source] for offset, source in raw.items()}
        distances = {offset: self._mean(np.abs(seen - source)) for offset, source in sources.items()}
        distance, expected = distances.pop(0), sources.pop(0)
        is_other = distance > MAX_DISTANCE or distance > max(NOISE, MAX_SHARE * self._contrast(seen))
        if is_other:  # the tones may be those of the neighbours, if all frames are off alike
            distances = {
                offset: self._mean(np.abs(seen - tones[offset][source]))
                for offset, source in raw.items()
                if offset
            }
        offset, nearest = min(distances.items(), key=lambda item: item[1], default=(0, None))
        is_off = (is_edge or is_other) and nearest is not None and nearest + MARGIN < distance
        if not is_off:
            moved = (one for one, source in sources.items() if self._shows_neighbour(seen, expected, source))
            offset = next(moved, 0)
            is_off = bool(offset)
        return EdgeCheck(
            is_exact=not is_off and not is_other,
            distance=round(distance, 3),
            neighbour_distance=None if nearest is None else round(nearest, 3),
            seen_offset=offset if is_off else 0,
        )

    def _shows_neighbour(self, seen: Luma, expected: NDArray[np.float32], neighbour: NDArray[np.float32]) -> bool:
        """Whether a frame shows a neighbour of what it must, judged where the two differ."""
        motion = np.abs(expected - neighbour)
        if self.open_part is not None:
            motion = motion * self.open_part
        total = float(motion.sum())
        if not total or float((motion * motion).sum()) < LEAST_MOTION * total:
            return False
        here, there = (float((motion * np.abs(seen - one)).sum()) for one in (expected, neighbour))
        return there < CLEARLY_NEARER * here

    def _changed_shape(self, pair: Pair) -> str:
        """Other way in which a frame shows its picture; empty if nothing else fits better."""
        if pair.seen is None:
            return ""
        distance = self._fitted_distance(pair.seen, pair.expected)
        if distance <= OTHER_SHAPE_MARGIN:
            return ""
        others = [(name, self._fitted_distance(pair.seen, other)) for name, other in _otherwise(pair.expected)]
        name, nearest = min(others, key=lambda one: one[1])
        return name if nearest < min(distance - OTHER_SHAPE_MARGIN, OTHER_SHAPE_SHARE * distance) else ""

    def _fitted_distance(self, seen: Luma, source: Luma) -> float:
        return self._mean(np.abs(seen - fit_tones([(seen, source)], self.open_part)[source]))

    def _contrast(self, seen: Luma) -> float:
        return self._mean(np.abs(seen - np.float32(self._mean(seen))))

    def _mean(self, values: NDArray[Any]) -> float:
        return float(values.mean() if self.open_part is None else values[self.open_part].mean())


def fit_tones(pictures: Sequence[tuple[Luma, Luma]], open_part: NDArray[np.bool_] | None = None) -> Tones:
    """The rising curve of tones that brings the second picture of each pair nearest to the first.

    Where something lies over them, only the `open_part` of both counts.
    """
    levels = np.arange(256, dtype=np.float32)
    if not pictures:
        return levels
    counted = slice(None) if open_part is None else open_part[::2, ::2].ravel()
    seen, source = (
        np.concatenate([pair[place][::2, ::2].ravel()[counted] for pair in pictures]) for place in (0, 1)
    )
    bins = source // (256 // _N_BINS)
    counts = np.bincount(bins, minlength=_N_BINS)
    used = counts >= max(1, len(source) // 2000)
    if not used.any():
        return levels
    before, after = (
        np.bincount(bins, weights=one, minlength=_N_BINS)[used] / counts[used] for one in (source, seen)
    )
    after = np.maximum.accumulate(after)
    # Beyond the tones that are there the curve goes on as it is.
    before = np.concatenate([[before[0] - 256], before, [before[-1] + 256]])
    after = np.concatenate([[after[0] - 256], after, [after[-1] + 256]])
    return np.interp(levels, before, after).astype(np.float32)


def _otherwise(picture: Luma) -> list[tuple[str, Luma]]:
    """A picture as it must not be shown."""
    height, width = picture.shape
    zooms = [*_ZOOMS, *(1 / zoom for zoom in _ZOOMS)]
    return [
        ("mirrored", picture[:, ::-1]),
        ("upside down and mirrored", picture[::-1]),
        ("upside down", picture[::-1, ::-1]),
        *(("stretched", picture[:, _zoomed(width, zoom)]) for zoom in zooms),
        *(("stretched", picture[_zoomed(height, zoom)]) for zoom in zooms),
    ]


def _zoomed(n: int, zoom: float) -> NDArray[np.intp]:
    """Row or column that is seen at each place of a picture that is drawn out around its middle."""
    middle = (n - 1) / 2
    return np.clip(np.round((np.arange(n) - middle) / zoom + middle), 0, n - 1).astype(np.intp)


def _words(name: str, edge: EdgeCheck) -> str:
    if edge.distance is None:
        return f"its {name} frame has nothing to be compared with"
    if edge.seen_offset:
        return f"its {name} frame is {edge.seen_offset:+d} frame off"
    return f"its {name} frame shows something else"

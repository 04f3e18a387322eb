"""Technical cues in pictures, without a model: black, colour bars, a frozen picture, rolling credits.

Each is told from pictures some tenths of a second apart. A cue that begins or ends with its shot has the shot's
own edge, which is exact; inside a shot its edge lies half way between two pictures. `payload["within_seconds"]`
says how far an edge may be off.

- black: nearly all pixels are darker than a bound, as in ffmpeg's `blackdetect`.
- bars: the seven stripes of SMPTE EG 1 and RP 219, and of EBU bars (ITU-R BT.471): white, yellow, cyan, green,
  magenta, red, blue, equally wide, each the same from top to bottom of the upper half.
- frozen: no block of the picture differs from the first one of the stretch, as in ffmpeg's `freezedetect`, but by
  blocks, so that a small thing that moves counts.
- credits: fine strokes on a plain ground that move up or down as one; the shift is found by correlation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.stages.stage import RgbPicture, ShownStretch, Stretch, StretchResult
from store.records import TextRow
from store.stages import Run
from store.timespan import TimeSpan

BLACK: Final = "black"
BARS: Final = "bars"
FROZEN: Final = "frozen"
CREDITS: Final = "credits"
METHOD: Final = "picture cues 1"

_MOST_PICTURES = 64
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_STRIPES = (7, 6, 3, 2, 5, 4, 1)  # white, yellow, cyan, green, magenta, red, blue as bits of red, green, blue
_BLOCK_PX = 12
_GROUND_LEVELS = 24
_STROKE_LEVELS = 48

Luma: TypeAlias = NDArray[np.float32]
"""float32, (height, width), 0 to 255."""
_Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CueSettings:
    """What counts as a technical cue in pictures.

    Args:
        pictures_per_second: how often a shot is looked at; at most 64 times in a stretch of a minute.
        size_px: shorter side of the pictures.
        black_level: a pixel is black up to this share of full white.
        black_share: a picture is black if so many of its pixels are.
        shortest_seconds: black and bars that are shorter are none.
        frozen_level: largest change of a block's mean that is no change, as a share of full white.
        frozen_seconds: a picture that stands still for less is not frozen.
        credits_seconds: letters that roll for less are no credits.
    """

    pictures_per_second: float = 2.0
    size_px: int = 180
    black_level: float = 0.10
    black_share: float = 0.98
    shortest_seconds: float = 0.4
    frozen_level: float = 0.01
    frozen_seconds: float = 2.0
    credits_seconds: float = 3.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if not 0 < self.pictures_per_second <= 30 or not 48 <= self.size_px <= 1080:
            raise ValueError("pictures_per_second must lie above 0 and up to 30, and size_px between 48 and 1080")
        shares = (self.black_level, self.black_share, self.frozen_level)
        if not all(0 < share <= 1 for share in shares):
            raise ValueError("black_level, black_share and frozen_level must lie above 0 and up to 1")
        if min(self.shortest_seconds, self.frozen_seconds, self.credits_seconds) < 0:
            raise ValueError("shortest_seconds, frozen_seconds and credits_seconds must be 0 or more")


class CueStage:
    """Technical cues of each shot; see the module.

    Args:
        settings: what counts as one.
    """

    def __init__(self, settings: CueSettings | None = None) -> None:
        self._settings = settings or CueSettings()
        self.run = Run.of("cue", METHOD, asdict(self._settings))
        self.size_px: int | None = self._settings.size_px
        self.batch_size = 4

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """Evenly spread times from the beginning of a stretch on; see `PictureStage`."""
        span = stretch.span
        wanted = math.ceil(span.duration * Fraction(str(self._settings.pictures_per_second)))
        n = max(1, min(_MOST_PICTURES, wanted))
        return [span.start + span.duration * number / n for number in range(n)]

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """The cues of each stretch; see `PictureStage`."""
        return [StretchResult(tuple(self._read(one))) for one in shown]

    def _read(self, shown: ShownStretch) -> Iterator[TextRow]:
        settings, span = self._settings, shown.stretch.span
        lumas = [luma_of(picture) for picture in shown.pictures]
        black = [self._is_black(luma) for luma in lumas]
        bars = [is_bars(picture) for picture in shown.pictures]
        yield from self._rows(BLACK, shown, _runs(len(lumas), lambda _, i: black[i]), settings.shortest_seconds)
        yield from self._rows(BARS, shown, _runs(len(lumas), lambda _, i: bars[i]), settings.shortest_seconds)
        level = 255 * settings.frozen_level

        def is_still(first: int, i: int) -> bool:
            return not (black[i] or bars[i]) and largest_change(lumas[first], lumas[i]) <= level

        still = [run for run in _runs(len(lumas), is_still) if run[1] > run[0] or len(lumas) == 1]
        yield from self._rows(FROZEN, shown, still, settings.frozen_seconds)
        if span.duration >= Fraction(str(settings.credits_seconds)):
            yield from self._rows(CREDITS, shown, find_rolls(lumas), settings.credits_seconds)

    def _is_black(self, luma: Luma) -> bool:
        settings = self._settings
        return float((luma <= 255 * settings.black_level).mean()) >= settings.black_share

    @staticmethod
    def _rows(
        text: str, shown: ShownStretch, runs: Sequence[tuple[int, int]], shortest_seconds: float
    ) -> Iterator[TextRow]:
        """A row for each run of pictures that lasts long enough."""
        for first, last in runs:
            span, within = _span_of(shown, first, last)
            if span.duration >= Fraction(str(shortest_seconds)):
                yield TextRow(span, text, payload={"within_seconds": round(float(within), 3)})


def _span_of(shown: ShownStretch, first: int, last: int) -> tuple[TimeSpan, Fraction]:
    """From the first to the last picture of a run, and how far an edge may be off."""
    whole, times = shown.stretch.span, shown.times
    start = whole.start if first == 0 else (times[first - 1] + times[first]) / 2
    end = whole.end if last == len(times) - 1 else (times[last] + times[last + 1]) / 2
    start, end = max(start, whole.start), min(end, whole.end)
    gaps = [Fraction(0)] if first == 0 else [(times[first] - times[first - 1]) / 2]
    if last < len(times) - 1:
        gaps.append((times[last + 1] - times[last]) / 2)
    return TimeSpan(start, max(end, start + Fraction(1, 1000))), max(gaps)


def _runs(n: int, belongs: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """First and last position of each run.

    Args:
        n: number of positions.
        belongs: whether a position belongs to the run that began at another; asked with itself first.
    """
    runs: list[tuple[int, int]] = []
    first: int | None = None
    for i in range(n):
        if first is not None and belongs(first, i):
            runs[-1] = (first, i)
            continue
        first = i if belongs(i, i) else None
        if first is not None:
            runs.append((i, i))
    return runs


def luma_of(picture: RgbPicture) -> Luma:
    """Luma of a picture by ITU-R BT.709: float32, (height, width), 0 to 255."""
    luma: Luma = picture.astype(np.float32) @ _LUMA
    return luma


def largest_change(one: Luma, other: Luma) -> float:
    """Largest difference of two pictures' lumas, of the mean over each block; infinite if their sizes differ."""
    if one.shape != other.shape:
        return math.inf
    difference = np.abs(one - other)
    rows, columns = (np.arange(0, side, _BLOCK_PX) for side in difference.shape)
    sums = np.add.reduceat(np.add.reduceat(difference, rows, axis=0), columns, axis=1)
    heights, widths = (
        np.diff(np.append(at, side)) for at, side in zip((rows, columns), difference.shape, strict=True)
    )
    return float((sums / np.outer(heights, widths)).max())


def is_bars(picture: RgbPicture) -> bool:
    """Whether a picture shows colour bars: seven stripes in their order in its upper half."""
    height, width = picture.shape[:2]
    top = picture[height // 12 : height // 2].astype(np.float32)
    columns = top.mean(axis=0)
    brightest = float(columns.max())
    if brightest < 96 or float(np.median(top.std(axis=0))) > 6:
        return False
    bits = (columns > brightest / 2) @ np.array([4, 2, 1])
    edges = np.flatnonzero(np.diff(bits)) + 1
    bounds = [0, *edges.tolist(), width]
    # Edges of stripes are blurred: a run of a few columns belongs to neither side.
    stripes = [
        (int(bits[start]), end - start) for start, end in itertools.pairwise(bounds) if end - start > width / 40
    ]
    codes = [code for code, _ in stripes]
    n = len(_STRIPES)
    for at in range(len(codes) - n + 1):
        if tuple(codes[at : at + n]) == _STRIPES:
            inner = [size for _, size in stripes[at + 1 : at + n - 1]]  # white and blue may go on beside them
            return bool(max(inner) <= 1.35 * min(inner) and stripes[at][1] >= 0.7 * min(inner))
    return False


def strokes_of(luma: Luma) -> _Mask | None:
    """Pixels that stand out of a plain ground as fine strokes, as letters do; None if there is no such ground."""
    levels = np.bincount(luma.astype(np.uint8).ravel(), minlength=256)
    ground = int(np.convolve(levels, np.ones(_GROUND_LEVELS), "same").argmax())
    apart = np.abs(luma - ground)
    strokes: _Mask = apart > _STROKE_LEVELS
    share = float(strokes.mean())
    if float((apart <= _GROUND_LEVELS).mean()) < 0.6 or not 0.004 <= share <= 0.3:
        return None
    lines = np.asarray(strokes.any(axis=1))
    n_lines = int((np.diff(lines.astype(np.int8)) == 1).sum()) + int(lines[0])
    turns = (strokes[:, 1:] != strokes[:, :-1]).sum(axis=1)[lines]
    return strokes if n_lines >= 2 and float(np.median(turns)) >= 6 else None


def roll_between(before: _Mask, after: _Mask) -> int:
    """Rows by which strokes have moved as one; positive is up, 0 where they have not, or not as one."""
    if before.shape != after.shape:
        return 0
    height = before.shape[0]
    one, other = (np.fft.rfft(mask.astype(np.float32), 2 * height, axis=0) for mask in (before, after))
    matches = np.fft.irfft((one * other.conj()).sum(axis=1), 2 * height)
    shifts = np.arange(-(height // 2), height // 2 + 1)
    # Lines of letters look alike, so counts are compared with what could match: the true shift agrees best.
    of_before, of_after = (np.concatenate([[0], np.cumsum(mask.sum(axis=1))]) for mask in (before, after))
    left = of_before[np.minimum(height, height + shifts)] - of_before[np.maximum(0, shifts)]
    came = of_after[np.minimum(height, height - shifts)] - of_after[np.maximum(0, -shifts)]
    agreed = matches[shifts] / np.maximum(1.0, np.minimum(left, came))
    agreed[np.minimum(left, came) < 0.2 * min(of_before[-1], of_after[-1])] = 0.0
    best = int(np.argmax(agreed))
    return int(shifts[best]) if agreed[best] >= 0.6 and agreed[best] > 1.3 * agreed[height // 2] else 0


def find_rolls(lumas: Sequence[Luma]) -> list[tuple[int, int]]:
    """First and last position of each run of pictures whose letters move steadily up, or steadily down."""
    strokes = [strokes_of(luma) for luma in lumas]
    moved = [
        0 if one is None or other is None else roll_between(one, other)
        for one, other in itertools.pairwise(strokes)
    ]
    runs = _runs(len(moved), lambda first, i: moved[i] != 0 and (moved[i] > 0) == (moved[first] > 0))
    return [(first, last + 1) for first, last in runs if last > first]

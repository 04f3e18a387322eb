"""Texts in the pictures: found, read, and merged over the pictures of a shot to one row for each line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ModelError
from indexer.models.text_reader import read_apart
from indexer.stages.line_merging import MergedLine, ReadPicture, SeenLine, in_reading_order, merge_lines
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch, StretchResult
from store.records import TextRow, TextStage
from store.shot_outcomes import ShotState
from store.stages import Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.models.text_reader import TextReader

_MOST_PICTURES: Final = 64
_ALGORITHM: Final = 1
"""Goes up whenever the same pictures give other rows."""
_SMALL_PX: Final = 180
_BLOCK_PX: Final = 8
_SHOWN_AT_LEAST: Final = Fraction(1, 25)
"""Seconds that a picture is taken to be shown, where nothing says more."""


@dataclass(frozen=True, slots=True)
class ScreenTextSettings:
    """Reading of texts in pictures.

    Args:
        step_seconds: time between two pictures that are looked at, beside the sampled frames; longer where a
            minute would need more than 64.
        picture_px: shorter side of the pictures, never enlarged: letters of 8 pixels or more can be read.
        find_px: shorter side of the pictures in which lines are looked for.
        glance_px: the same at first, in all pictures but the sharpest of a shot; those without any line in this
            size are passed over.
        change: how much a place of the picture must change, in 255 grey levels, before the picture is read again.
        lowest_score: lines that the model is less sure of are left out, 0 to 1.
        lowest_once: the same for lines that only one picture shows, and for single letters.
        threads: threads of the model.
    """

    step_seconds: float = 0.8
    picture_px: int = 720
    find_px: int = 544
    glance_px: int = 416
    change: float = 6.0
    lowest_score: float = 0.6
    lowest_once: float = 0.8
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.step_seconds <= 0 or self.change < 0 or self.threads < 1:
            raise ValueError("step_seconds must be above 0, change 0 or more, threads 1 or more")
        if not all(32 <= side <= 4096 for side in (self.picture_px, self.find_px, self.glance_px)):
            raise ValueError("picture_px, find_px and glance_px must be 32 to 4096")
        if not 0 <= self.lowest_score <= 1 or not 0 <= self.lowest_once <= 1:
            raise ValueError("lowest_score and lowest_once must be 0 to 1")


class ScreenTextStage:
    """Reads texts in pictures.

    A row is a line of text; its span goes from the first picture that shows it to the last. What lies between two
    pictures is not known: `before` and `after` in its payload are the nearest pictures without it, in seconds.

    Args:
        reader: finds and reads lines.
        settings: how it is used.
    """

    def __init__(self, reader: TextReader, settings: ScreenTextSettings) -> None:
        self._reader = reader
        self._settings = settings
        self._run = Run.of(
            TextStage.SCREEN_TEXT,
            reader.name,
            {
                "algorithm": _ALGORITHM,
                "step_seconds": settings.step_seconds,
                "picture_px": settings.picture_px,
                "find_px": settings.find_px,
                "glance_px": settings.glance_px,
                "change": settings.change,
                "lowest_score": settings.lowest_score,
                "lowest_once": settings.lowest_once,
            },
            weights_hash=reader.weights_hash,
        )

    @property
    def run(self) -> Run:
        """Model, weights and parameters."""
        return self._run

    @property
    def size_px(self) -> int | None:
        """Shorter side of the pictures."""
        return self._settings.picture_px

    @property
    def batch_size(self) -> int:
        """One stretch: its pictures are many, and none gains from another."""
        return 1

    def times(self, stretch: Stretch) -> Sequence[Fraction]:
        """The sampled frames, and a picture every step between them."""
        span = stretch.span
        frames = [frame.time for frame in stretch.frames if span.start <= frame.time < span.end]
        if len(frames) > _MOST_PICTURES // 2:
            frames = frames[:: math.ceil(len(frames) / (_MOST_PICTURES // 2))]
        step = Fraction(self._settings.step_seconds)
        n_steps = max(1, min(math.ceil(span.duration / step), _MOST_PICTURES - len(frames)))
        distance = span.duration / n_steps
        grid = [span.start + distance * at + distance / 2 for at in range(n_steps)]
        near = distance / 2
        chosen = [time for time in grid if all(abs(time - frame) > near for frame in frames)]
        return sorted({*frames, *chosen})

    def read(self, shown: Sequence[ShownStretch]) -> Sequence[StretchResult]:
        """One result for each stretch, in the order given.

        Raises:
            ModelError: the model cannot be loaded.
        """
        self._reader.load()
        return [self._read(one) for one in shown]

    def _read(self, shown: ShownStretch) -> StretchResult:
        pictures: list[ReadPicture] = []
        last: NDArray[np.float32] | None = None
        lines: tuple[SeenLine, ...] = ()
        thorough = _thorough_time(shown)
        for time, picture in zip(shown.times, shown.pictures, strict=True):
            small = make_small(picture)
            is_same = last is not None and not has_changed(last, small, self._settings.change)
            if is_same and (lines or time != thorough):
                pictures.append(ReadPicture(time, None))
                continue
            try:
                lines = self._read_picture(picture, time == thorough)
            except ModelError as error:
                return StretchResult(state=ShotState.ERROR, reason=str(error))
            pictures.append(ReadPicture(time, lines))
            last = small
        merged = [line for line in merge_lines(pictures) if self._is_sure(line)]
        return StretchResult(tuple(_row(line, shown) for line in merged))

    def _is_sure(self, line: MergedLine) -> bool:
        is_doubtful = line.n_seen == 1 or len(line.text) == 1
        return line.score >= (self._settings.lowest_once if is_doubtful else self._settings.lowest_score)

    def _read_picture(self, picture: RgbPicture, is_thorough: bool) -> tuple[SeenLine, ...]:
        if not is_thorough and not self._reader.find_lines(picture, self._settings.glance_px):
            return ()
        places = self._reader.find_lines(picture, self._settings.find_px)
        return in_reading_order(
            [
                SeenLine(reading.text, reading.score, place.box)
                for place, reading in read_apart(self._reader, picture, places)
                if reading.text and reading.score >= self._settings.lowest_score
            ]
        )


def _thorough_time(shown: ShownStretch) -> Fraction:
    """Time of the picture that is looked at thoroughly in any case: the sharpest one."""
    sharpest = max(shown.stretch.frames, key=lambda frame: frame.sharpness, default=None)
    if sharpest is not None and sharpest.time in shown.times:
        return sharpest.time
    return shown.times[len(shown.times) // 2]


def make_small(picture: RgbPicture) -> NDArray[np.float32]:
    """The picture in grey with a shorter side of 180 pixels or less; float32, (height, width)."""
    from PIL import Image

    grey = Image.fromarray(picture).convert("L")
    factor = _SMALL_PX / min(grey.size)
    if factor < 1:
        size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
        grey = grey.resize(size, Image.Resampling.BOX)
    return np.asarray(grey, np.float32)


def has_changed(one: NDArray[np.float32], other: NDArray[np.float32], limit: float) -> bool:
    """Whether two small pictures differ somewhere: in a block of 8 by 8 pixels by more than `limit` in the mean.

    Args:
        one: as `make_small` makes it.
        other: as well; of another size, it differs.
        limit: in grey levels, 0 to 255.
    """
    if one.shape != other.shape:
        return True
    difference = np.abs(one - other)
    height, width = difference.shape
    padded = np.pad(difference, ((0, -height % _BLOCK_PX), (0, -width % _BLOCK_PX)))
    rows, columns = padded.shape[0] // _BLOCK_PX, padded.shape[1] // _BLOCK_PX
    blocks = padded.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).mean(axis=(1, 3))
    return bool(blocks.max() > limit)


def _row(line: MergedLine, shown: ShownStretch) -> TextRow:
    end = min(line.last + _SHOWN_AT_LEAST, max(shown.stretch.span.end, line.last + Fraction(1, 1000)))
    payload: dict[str, Any] = {"order": line.order, "pictures": line.n_seen}
    if line.before is not None:
        payload["before"] = round(float(line.before), 3)
    if line.after is not None:
        payload["after"] = round(float(line.after), 3)
    if line.others:
        payload["also_read"] = list(line.others)
    return TextRow(TimeSpan(line.first, end), line.text, line.score, box=line.box, payload=payload)


def make_screen_text(settings: ScreenTextSettings) -> ScreenTextStage:
    """The stage that reads texts in pictures.

    Raises:
        ModelError: rapidocr is not installed, or its weights are missing or others.
    """
    from indexer.models.text_reader import RapidOcrReader

    return ScreenTextStage(RapidOcrReader(settings.threads), settings)

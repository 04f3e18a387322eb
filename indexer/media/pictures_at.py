"""Pictures on request: what a video shows at given times, in given sizes, one by one.

A limited child seeks to the groups of pictures that are needed and decodes nothing else. The picture for a time is
the one that a decoder which starts at the beginning shows then, bit for bit.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import VideoUnreadableError
from indexer.media.frames_at import LIMITS, PREROLLS, SOUGHT
from indexer.media.isolation import run_limited
from indexer.media.limits import MAX_SIDE_PX, ChildLimits
from store.records import VideoFacts

if TYPE_CHECKING:  # whoever starts the child decodes nothing itself
    from indexer.media.decode import TimedFrame

_Entry = tuple[dict[str, Any], list[bytes]]
_PREROLLS = (Fraction(0), Fraction(1, 2), *PREROLLS[1:])
_GUESSED_RATE = Fraction(25)
_SLACK_FRAMES = 3
"""So many usual distances before a wanted time every picture is decoded, those that no other needs, too."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A picture that is wanted.

    Args:
        time: in seconds as the index counts them; before the first frame it means the first, after the end the
            last.
        size_px: its shorter side, never enlarged; None for the size at which players show it. Of pictures more
            than four times longer than wide, the longer side is four times this at most.
    """

    time: Fraction
    size_px: int | None = None

    def __post_init__(self) -> None:
        """Refuse a size that is none."""
        if self.size_px is not None and not 1 <= self.size_px <= MAX_SIDE_PX:
            raise ValueError(f"a picture's shorter side has 1 to {MAX_SIDE_PX} pixels, not {self.size_px}")


@dataclass(frozen=True, slots=True)
class RequestedPicture:
    """The picture that a video shows at a wanted time.

    Args:
        number: which request it answers, from 0, in the order given.
        time: when it began to be shown, in exact seconds.
        picture: RGB, uint8, (height, width, 3), upright, square pixels.
    """

    number: int
    time: Fraction
    picture: NDArray[np.uint8] = field(repr=False)


def read_pictures(
    path: str,
    requests: Sequence[PictureRequest],
    facts: VideoFacts | None = None,
    limits: ChildLimits = LIMITS,
) -> Generator[RequestedPicture]:
    """One picture for each request, in order of time; the child waits while nobody takes them.

    Args:
        path: the video file.
        requests: what is wanted, in any order.
        facts: what the index knows of the video. Without them, a file whose clock may start again (MPEG-TS,
            MPEG-PS, Ogg) is decoded from its beginning; so are always files whose clock does, and damaged ones.
        limits: what the child process may use.

    Raises:
        VideoUnreadableError: not a video, refused, or nothing decodes.
        MediaError: the decoding process failed for a reason of its own.
    """
    if not requests:
        return
    arguments = {
        "path": path,
        "requests": [[str(one.time), one.size_px] for one in requests],
        "is_steady": None if facts is None else not (facts.clock_jumps or facts.partial),
    }
    for message in run_limited(f"{__name__}:run_read_pictures", arguments, limits, path):
        header = message.header
        if "number" not in header:
            continue
        try:
            height, width = (int(side) for side in header["shape"])
            picture = np.frombuffer(message.blobs[0], np.uint8).reshape(height, width, 3)
            yield RequestedPicture(int(header["number"]), Fraction(header["time"]), picture)
        except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError) as error:
            raise VideoUnreadableError(f"{path}: the decoder sent nonsense ({error})") from error


def run_read_pictures(
    path: str, requests: Sequence[tuple[str, int | None]], is_steady: bool | None
) -> Iterator[_Entry]:
    """The child's side of `read_pictures`: each picture, and empty messages as signs of life."""
    from indexer.media.pictures import PictureMaker

    wanted = sorted((Fraction(time), number, size or MAX_SIDE_PX) for number, (time, size) in enumerate(requests))
    with _Search(path, is_steady) as search:
        maker = PictureMaker(search.reader.pixel_aspect, search.reader.crop)
        for time, number, size_px in wanted:
            shown = yield from _with_signs_of_life(search.find(time))
            picture = maker.rgb_picture(shown.frame, size_px)
            yield {"number": number, "time": str(shown.time), "shape": picture.shape[:2]}, [picture.tobytes()]


def _with_signs_of_life(looking: Generator[None, None, TimedFrame]) -> Generator[_Entry, None, TimedFrame]:
    while True:
        try:
            next(looking)
        except StopIteration as found:
            shown: TimedFrame = found.value
            return shown
        yield {}, []


class _Search:
    """Looks for frames in one video, forwards; use it as a context.

    Args:
        path: the file.
        is_steady: whether times can be read from the middle of the file; None where that is not known.
    """

    def __init__(self, path: str, is_steady: bool | None) -> None:
        self._path = path
        self._is_steady = is_steady
        self._open()

    def _open(self) -> None:
        from indexer.media.decode import VideoReader

        self.reader = VideoReader(self._path).__enter__()
        is_steady = not self.reader.clock_may_jump if self._is_steady is None else self._is_steady
        self._may_seek = is_steady and self.reader.container_name in SOUGHT
        self._slack = _SLACK_FRAMES / (self.reader.frame_rate or _GUESSED_RATE)
        self._longest_group = Fraction(0)
        self._begin(is_first=True)

    def _begin(self, *, is_first: bool) -> None:
        self._frames = self.reader.frames()
        self._is_first = is_first
        self._shown: TimedFrame | None = None
        self._next: TimedFrame | None = None
        self._i_frame_time: Fraction | None = None

    def __enter__(self) -> _Search:
        """The search itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._frames.close()
        self.reader.__exit__()

    def find(self, time: Fraction) -> Generator[None, None, TimedFrame]:
        """The frame that is shown at a time, no earlier than the one asked for last; yields as a sign of life.

        Raises:
            VideoUnreadableError: nothing decodes.
        """
        is_sparse = self._may_seek
        for _ in self._starts(time):
            found = yield from self._go_on(time, is_sparse=is_sparse)
            last_sparse = self.reader.last_sparse
            if found is not None and (last_sparse is None or last_sparse <= found.time):
                return found
            is_sparse = is_sparse and found is None  # what was left out may be what is wanted
        raise VideoUnreadableError(f"{self._path}: no video frame decodes (damaged, encrypted or empty)")

    def _starts(self, time: Fraction) -> Iterator[None]:
        """Lets decoding start at better and better places: here, before the time, at the beginning."""
        if not self._is_worth_a_seek(time):
            yield
        for preroll in _PREROLLS if self._may_seek else ():
            if time > preroll and self.reader.seek(time - preroll):
                self._frames.close()
                self._begin(is_first=False)
                yield
        self.__exit__()
        self._open()
        yield

    def _is_worth_a_seek(self, time: Fraction) -> bool:
        latest = self._next or self._shown
        here = latest.time if latest else Fraction(0)
        if not self._may_seek or time <= here:
            return False
        is_ahead = self.reader.has_i_frame_between(here, time)
        return is_ahead if is_ahead is not None else time - here > self._longest_group

    def _go_on(self, time: Fraction, *, is_sparse: bool) -> Generator[None, None, TimedFrame | None]:
        """The frame shown at a time; None if decoding began too late for it."""
        self.reader.decode_sparsely(time - self._slack if is_sparse else None)
        while self._next is None or self._next.time <= time:
            self._shown = self._next or self._shown
            self._next = None
            for following in self._frames:
                if following is not None:
                    self._next = following
                    break
                yield
            if self._next is None:
                break
            self._measure(self._next)
        return self._shown or (self._next if self._is_first else None)

    def _measure(self, timed: TimedFrame) -> None:
        """Learn how long groups of pictures are."""
        if self._i_frame_time is not None:
            self._longest_group = max(self._longest_group, timed.time - self._i_frame_time)
        if timed.frame.key_frame or self._i_frame_time is None:
            self._i_frame_time = timed.time

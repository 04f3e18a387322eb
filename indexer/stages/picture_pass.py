"""One pass over a video's pictures for all stages that want some: each gets its stretches in order of time."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from indexer.media.pictures_at import PictureRequest, RequestedPicture, read_pictures
from indexer.stages.stage import KnownVideo, PictureStage, RgbPicture, ShownStretch, Stretch
from store.timespan import TimeSpan

Item = TypeVar("Item")

LONGEST_STRETCH_SECONDS = 60
"""A longer shot is cut into equal pieces, so that memory stays flat and every minute of it is described."""
_PICTURES_AHEAD = 8
"""Pictures that are decoded while a model is at work."""


@dataclass(frozen=True, slots=True)
class PictureWork:
    """What one stage has to do with a video.

    Args:
        stage: the stage.
        stretches: those that are not done yet, in order of time.
    """

    stage: PictureStage
    stretches: tuple[Stretch, ...]


@dataclass(slots=True)
class _Waiting:
    """A stretch whose pictures are coming."""

    n_work: int
    stretch: Stretch
    n_wanted: int
    shown: list[tuple[Fraction, RgbPicture]] = field(default_factory=list)


def cut_stretches(video: KnownVideo) -> list[Stretch]:
    """The shots of a video, long ones in equal pieces of a minute at most, in order of time."""
    stretches = []
    for shot in video.shots:
        span = shot.shot.span
        n_pieces = max(1, -(-span.duration // LONGEST_STRETCH_SECONDS))
        edges = [span.start + span.duration * n / n_pieces for n in range(n_pieces + 1)]
        frames = video.frames.get(shot.shot_id, ())
        for start, end in pairwise(edges):
            inside = tuple(frame for frame in frames if start <= frame.time < end)
            stretches.append(Stretch(shot, TimeSpan(start, end), inside))
    return stretches


def show_stretches(video: KnownVideo, works: Sequence[PictureWork]) -> Generator[tuple[int, ShownStretch]]:
    """The number of a work, from 0, and a stretch of it with its pictures; each work's in order of time.

    A stretch of which the stage wants no picture comes without any. Pictures of the same time are decoded once.

    Raises:
        VideoUnreadableError: not a video, refused, or nothing decodes.
        MediaError: the decoding process failed for a reason of its own.
    """
    consumers: dict[PictureRequest, list[_Waiting]] = defaultdict(list)
    pictureless: list[_Waiting] = []
    for number, work in enumerate(works):
        for stretch in work.stretches:
            times = sorted(set(work.stage.times(stretch)))
            waiting = _Waiting(number, stretch, len(times))
            for time in times:
                consumers[PictureRequest(time, work.stage.size_px)].append(waiting)
            if not times:
                pictureless.append(waiting)
    for waiting in pictureless:
        yield waiting.n_work, ShownStretch(waiting.stretch, (), ())
    requests = sorted(consumers, key=lambda request: request.time)
    with closing(_ahead(read_pictures(video.video.path, requests, video.video.facts))) as pictures:
        for picture in pictures:
            for waiting in consumers.pop(requests[picture.number]):
                # The picture may have begun to be shown before the stretch; it is seen at the wanted time.
                time = max(picture.time, min(requests[picture.number].time, waiting.stretch.span.end))
                waiting.shown.append((time, picture.picture))
                if len(waiting.shown) == waiting.n_wanted:
                    times_, shown = zip(*waiting.shown, strict=True)
                    yield waiting.n_work, ShownStretch(waiting.stretch, times_, shown)


def _ahead(pictures: Generator[RequestedPicture]) -> Generator[RequestedPicture]:
    """The same pictures, some of them decoded before they are asked for."""
    ready: queue.Queue[RequestedPicture | BaseException | None] = queue.Queue(_PICTURES_AHEAD)
    stopping = threading.Event()

    def put(item: RequestedPicture | BaseException | None) -> bool:
        while not stopping.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def decode() -> None:
        try:
            with closing(pictures):
                for picture in pictures:
                    if not put(picture):
                        return
            put(None)
        except BaseException as error:  # raised again where the pictures are taken
            put(error)

    thread = threading.Thread(target=decode, name="pictures", daemon=True)
    thread.start()
    try:
        yield from _taken(ready)
    finally:
        stopping.set()
        thread.join()


def _taken(ready: queue.Queue[RequestedPicture | BaseException | None]) -> Iterator[RequestedPicture]:
    while (item := ready.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item

"""Pictures of many videos in batches for one encoder, which runs on a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

from indexer.models.encoder import Encoder, RgbImage
from store.records import Embeddings, EmbeddingSpace

_IDLE_STEP = 8
"""An idle encoder takes any multiple of so many pictures, so that it works while a short video is decoded. Not any
number: torch keeps working memory for every size of batch that it has seen."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """The vector of one picture.

    Args:
        vector: float32, (1, dim), of length 1.
        seconds: its share of the time that its batch took.
    """

    vector: Embeddings
    seconds: float


_Waiting = tuple[RgbImage, "Future[EncodedPicture]"]


class EncodingQueue:
    """Takes pictures one at a time from any thread and encodes them in batches; use it as a context.

    Args:
        encoder: called on one thread only.
        batch_size: pictures that it takes at once.
        capacity: pictures that may wait; whoever brings more waits until there is room.
    """

    def __init__(self, encoder: Encoder, batch_size: int, capacity: int) -> None:
        self._encoder = encoder
        self._batch_size = batch_size
        self._queue: queue.Queue[_Waiting | bool] = queue.Queue(capacity)
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._is_warm = False

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector lives in."""
        return self._encoder.space

    @property
    def image_size_px(self) -> int:
        """Side of the square picture that the network sees; larger pictures only cost time."""
        return self._encoder.image_size_px

    def __enter__(self) -> EncodingQueue:
        """Start the encoder's thread."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Encode what waits, and end."""
        self._queue.put(False)
        self._thread.join()

    def submit(self, image: RgbImage) -> Future[EncodedPicture]:
        """Bring a picture, waiting for room; its vector comes later, or the encoder's error.

        A future that is cancelled before its batch begins costs nothing.
        """
        future: Future[EncodedPicture] = Future()
        self._queue.put((image, future))
        return future

    def flush(self) -> None:
        """Let no picture brought so far wait for others."""
        self._queue.put(True)

    def _run(self) -> None:
        waiting: list[_Waiting] = []
        goes_on = True
        while goes_on:
            item = self._queue.get()
            is_asked = isinstance(item, bool)
            if isinstance(item, bool):
                goes_on = item
            else:
                waiting.append(item)
            is_idle = len(waiting) % _IDLE_STEP == 0 and self._queue.empty()
            if waiting and (is_asked or is_idle or len(waiting) >= self._batch_size):
                self._encode(waiting)
                waiting = []

    def _encode(self, waiting: list[_Waiting]) -> None:
        batch = [item for item in waiting if item[1].set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            if not self._is_warm:
                self._encoder.encode_images([])  # loads it, so that no speed includes that
                self._is_warm = True
            started = time.perf_counter()
            vectors = self._encoder.encode_images([image for image, _ in batch])
            seconds = (time.perf_counter() - started) / len(batch)
        except BaseException as error:  # raised again where the vectors are waited for
            for _, future in batch:
                future.set_exception(error)
            return
        for row, (_, future) in enumerate(batch):
            future.set_result(EncodedPicture(vectors[row : row + 1], seconds))

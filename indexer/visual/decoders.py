"""Several videos decoded at once, each in its own child process, feeding one bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import MediaError
from indexer.library.scan import ScannedFile
from indexer.visual.decode_pass import DecodeResult, Sample

Decode = Callable[[Path], Iterator[Sample | DecodeResult]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Something a decoder said about one file: the next picture, the end, or why it gave up."""

    file: ScannedFile
    item: Sample | DecodeResult | MediaError


class Decoders:
    """Decodes files on `jobs` threads and hands everything over in one stream; use it as a context.

    When the reader of the stream is slower than the decoders, they wait: at most `capacity` pictures are held.

    Args:
        files: what to decode, in order.
        decode: decodes one file; called on several threads.
        jobs: how many files are decoded at the same time.
        capacity: pictures that may wait for the reader.
    """

    def __init__(self, files: Iterable[ScannedFile], decode: Decode, jobs: int, capacity: int) -> None:
        self._files = iter(list(files))
        self._decode = decode
        self._queue: queue.Queue[Decoded | BaseException | None] = queue.Queue(capacity)
        self._next = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"decoder-{n}", daemon=True) for n in range(jobs)
        ]

    def __enter__(self) -> Decoders:
        """Start decoding."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop decoding and wait until every child process is gone."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def waiting(self) -> bool:
        """Whether the reader would have to wait for the next item."""
        return self._queue.empty()

    def __iter__(self) -> Iterator[Decoded]:
        """Items of all files, in order for each file; ends when every file has ended."""
        n_working = len(self._threads)
        while n_working:
            item = self._queue.get()
            if item is None:
                n_working -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                with self._next:
                    file = next(self._files, None)
                if file is None:
                    break
                self._decode_one(file)
            self._put(None)
        except BaseException as error:  # raised again where the stream is read
            self._put(error)

    def _decode_one(self, file: ScannedFile) -> None:
        items = self._decode(file.file.path)
        try:
            for item in items:
                if not self._put(Decoded(file, item)):
                    return
        except MediaError as error:
            self._put(Decoded(file, error))
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    def _put(self, item: Decoded | BaseException | None) -> bool:
        """Hand over an item, waiting for room; False when nobody reads any more."""
        while not self._stopping.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

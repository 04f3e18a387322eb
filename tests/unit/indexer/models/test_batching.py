"""Pictures in batches: every one gets its own vector, none waits for ever, and none is lost."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models.batching import EncodingQueue
from indexer.models.encoder import RgbImage
from store.records import Embeddings
from tests.fakes import COLOURS, FakeEncoder, make_picture


class Counting(FakeEncoder):
    """Notes how many pictures come at once, and waits to be let go."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """How much of each colour every picture shows."""
        self.may_go.wait(10)
        self.batches.append(len(images))
        return super().encode_images(images)


def test_every_picture_gets_its_own_vector() -> None:
    """Brought by several threads, each in its own order."""
    encoder = Counting()
    found: dict[str, Embeddings] = {}
    with EncodingQueue(encoder, batch_size=4, capacity=3) as encoding:

        def bring(colour: str) -> None:
            future = encoding.submit(make_picture(colour))
            encoding.flush()
            found[colour] = future.result(10).vector

        threads = [threading.Thread(target=bring, args=(colour,)) for colour in COLOURS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for colour in COLOURS:
        np.testing.assert_array_equal(encoder.encode_images([make_picture(colour)]), found[colour])


def test_a_busy_encoder_takes_whole_batches_and_an_idle_one_what_is_there() -> None:
    """No batch is larger than asked for; the rest is encoded once somebody waits for it."""
    encoder = Counting()
    encoder.may_go.clear()
    with EncodingQueue(encoder, batch_size=16, capacity=64) as encoding:
        futures = [encoding.submit(make_picture("red")) for _ in range(45)]
        encoder.may_go.set()
        encoding.flush()
        assert all(future.result(10).seconds >= 0 for future in futures)
    assert 0 == encoder.batches[0]  # loads it
    assert 45 == sum(encoder.batches)
    assert 16 == max(encoder.batches)
    assert all(n % 8 == 0 for n in encoder.batches[:-1])


def test_pictures_of_a_video_that_failed_are_not_encoded() -> None:
    """Cancelled before its batch begins, a picture costs nothing."""
    encoder = Counting()
    with EncodingQueue(encoder, batch_size=16, capacity=64) as encoding:
        futures = [encoding.submit(make_picture("red")) for _ in range(5)]
        assert all(future.cancel() for future in futures)
        kept = encoding.submit(make_picture("blue"))
        encoding.flush()
        kept.result(10)
    assert [0, 1] == encoder.batches


def test_an_error_comes_where_the_vector_is_waited_for() -> None:
    """And the next batch is tried again."""

    class Failing(Counting):
        def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
            if len(images) == 1:
                raise ModelError("out of memory")
            return super().encode_images(images)

    with EncodingQueue(Failing(), batch_size=8, capacity=8) as encoding:
        lost = encoding.submit(make_picture("red"))
        encoding.flush()
        with pytest.raises(ModelError, match="out of memory"):
            lost.result(10)
        both = [encoding.submit(make_picture("red")) for _ in range(2)]
        encoding.flush()
        assert all(future.result(10) for future in both)

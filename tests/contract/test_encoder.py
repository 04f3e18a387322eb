"""What every encoder promises, whichever model is behind it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from indexer.models.encoder import Encoder, RgbImage
from indexer.models.open_clip_encoder import load_encoder
from store.records import Embeddings
from tests.fakes import FakeEncoder
from tests.offline_models import needs_starter, starter_encoder
from tests.tiny_checkpoints import write_tiny_checkpoint


@pytest.fixture(
    scope="module", params=["fake", "tiny open_clip", "demo", pytest.param("starter", marks=needs_starter)]
)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    makers: dict[str, Callable[[], Encoder]] = {
        "fake": FakeEncoder,
        "tiny open_clip": lambda: load_encoder(
            None, write_tiny_checkpoint(tmp_path_factory.mktemp("tiny")), batch_size=3
        ),
        "demo": lambda: load_encoder("demo"),
        "starter": starter_encoder,
    }
    return makers[request.param]()


@pytest.fixture(scope="module")
def pictures() -> list[RgbImage]:
    rng = np.random.default_rng(0)
    sizes = [(36, 64), (64, 36), (16, 16), (100, 37), (36, 64), (1, 1), (200, 3)]
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


TEXTS = [
    "a red boat",
    "",
    "zxqv unheard-of",
    "🚤 лодка 船",
    "boat " * 2500,
    "'; drop table\n\x00%s",
    "a red boat",
]


def require_rows(rows: Embeddings, n_rows: int, dim: int) -> None:
    assert (n_rows, dim) == rows.shape
    assert np.float32 == rows.dtype
    assert rows.flags.c_contiguous
    np.testing.assert_allclose(np.ones(n_rows), np.linalg.norm(rows, axis=1), atol=1e-5)


def test_pictures_of_any_size_become_unit_rows(encoder: Encoder, pictures: list[RgbImage]) -> None:
    """Pictures of mixed sizes, down to one pixel, become float32 rows of length 1."""
    require_rows(encoder.encode_images(pictures), len(pictures), encoder.space.dim)


def test_any_text_becomes_a_unit_row(encoder: Encoder) -> None:
    """Empty, unknown, over-long and hostile texts all become float32 rows of length 1."""
    require_rows(encoder.encode_texts(TEXTS), len(TEXTS), encoder.space.dim)


def test_nothing_becomes_no_rows(encoder: Encoder) -> None:
    """An empty input gives a matrix of no rows and the right width."""
    require_rows(encoder.encode_images([]), 0, encoder.space.dim)
    require_rows(encoder.encode_texts([]), 0, encoder.space.dim)


def test_order_and_company_do_not_matter(encoder: Encoder, pictures: list[RgbImage]) -> None:
    """Row i belongs to input i, whatever else is in the batch."""
    together = encoder.encode_images(pictures)
    alone = np.concatenate([encoder.encode_images([picture]) for picture in pictures])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    words = encoder.encode_texts(TEXTS)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS[::-1])[::-1], words, atol=1e-5)


def test_the_same_input_gives_the_same_row(encoder: Encoder, pictures: list[RgbImage]) -> None:
    """Encoding is deterministic."""
    np.testing.assert_array_equal(encoder.encode_images(pictures), encoder.encode_images(pictures))
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), encoder.encode_texts(TEXTS))


def test_inputs_are_left_alone(encoder: Encoder, pictures: list[RgbImage]) -> None:
    """Pictures may be read-only and are not changed."""
    before = [picture.copy() for picture in pictures]
    for picture in pictures:
        picture.setflags(write=False)
    encoder.encode_images(pictures)
    for picture, copy in zip(pictures, before, strict=True):
        np.testing.assert_array_equal(copy, picture)


def test_a_view_of_a_larger_array_is_fine(encoder: Encoder) -> None:
    """A cropped or mirrored view gives the row of its copy."""
    base = np.random.default_rng(1).integers(0, 256, (80, 90, 3), np.uint8)
    view = base[10:60, 70:20:-1]
    np.testing.assert_array_equal(encoder.encode_images([view.copy()]), encoder.encode_images([view]))


def test_different_inputs_differ(encoder: Encoder) -> None:
    """A red and a blue picture, and the words for them, do not share one row."""
    red, blue = np.zeros((2, 40, 40, 3), np.uint8)
    red[..., 0] = blue[..., 2] = 230
    seen = encoder.encode_images([red, blue])
    assert seen[0] @ seen[1] < 0.9999
    read = encoder.encode_texts(["red", "blue"])
    assert read[0] @ read[1] < 0.9999


def test_threads_may_share_it(encoder: Encoder, pictures: list[RgbImage]) -> None:
    """Four threads at once get what one gets alone."""
    expected_images, expected_texts = encoder.encode_images(pictures), encoder.encode_texts(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        images = [pool.submit(encoder.encode_images, pictures) for _ in range(6)]
        texts = [pool.submit(encoder.encode_texts, TEXTS) for _ in range(6)]
    for image_rows, text_rows in zip(images, texts, strict=True):
        np.testing.assert_allclose(expected_images, image_rows.result(), atol=1e-5)
        np.testing.assert_allclose(expected_texts, text_rows.result(), atol=1e-5)


def test_the_space_has_a_file_safe_name(encoder: Encoder) -> None:
    """The space's short name can be part of a file name anywhere."""
    assert Path(encoder.space.space_id).name == encoder.space.space_id
    assert encoder.space.space_id.replace("-", "").isalnum()
    assert encoder.space.space_id.isascii()


def test_the_picture_size_is_told(encoder: Encoder) -> None:
    """The size that the network sees is a sensible number of pixels."""
    assert 1 <= encoder.image_size_px <= 1024

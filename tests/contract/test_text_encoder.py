"""What every encoder of texts promises, whichever model is behind it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from indexer.models.encoder import TextEncoder
from indexer.models.open_clip_encoder import load_encoder
from indexer.models.sentence_encoder import load_sentence_encoder
from indexer.models.sentence_tower import SentenceTower
from indexer.models.starter_encoder import StarterTexts
from indexer.models.transformers_files import find_checkpoint
from tests.fakes import FakeEncoder
from tests.fixtures.tiny_transformers import write_tiny_bert
from tests.offline_models import needs_sentences, sentence_encoder

TEXTS = ["a red boat", "", "zxqv unheard-of", "🚤 лодка 船", "boat " * 2500, "'; drop\n\x00%s {}", "a red boat"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(
    scope="module",
    params=[
        "fake",
        "demo",
        "tiny",
        "tiny in numpy",
        pytest.param("sentences", marks=needs_sentences),
        pytest.param("sentences in numpy", marks=needs_sentences),
        pytest.param("starter's text side", marks=needs_sentences),
    ],
)
def encoder(request: pytest.FixtureRequest, tiny: Path) -> TextEncoder:
    makers: dict[str, Callable[[], TextEncoder]] = {
        "fake": FakeEncoder,
        "demo": lambda: load_encoder("demo"),
        "tiny": lambda: load_sentence_encoder(tiny, device="cpu", batch_size=3),
        "tiny in numpy": lambda: SentenceTower(find_checkpoint(str(tiny))),
        "sentences": sentence_encoder,
        "sentences in numpy": SentenceTower,
        "starter's text side": lambda: StarterTexts(sentence_encoder()),
    }
    return makers[request.param]()


def test_any_text_becomes_a_unit_row(encoder: TextEncoder) -> None:
    """Empty, unknown, over-long and hostile texts all become float32 rows of length 1; nothing becomes no rows."""
    rows = encoder.encode_texts(TEXTS)
    assert (len(TEXTS), encoder.space.dim) == rows.shape
    assert np.float32 == rows.dtype and rows.flags.c_contiguous
    np.testing.assert_allclose(np.ones(len(TEXTS)), np.linalg.norm(rows, axis=1), atol=1e-5)
    assert (0, encoder.space.dim) == encoder.encode_texts([]).shape


def test_order_and_company_do_not_matter(encoder: TextEncoder) -> None:
    """Row i belongs to text i, whatever else is in the batch, and the same text gives the same row."""
    together = encoder.encode_texts(TEXTS)
    np.testing.assert_allclose(
        np.concatenate([encoder.encode_texts([text]) for text in TEXTS]), together, atol=1e-5
    )
    np.testing.assert_allclose(encoder.encode_texts(TEXTS[::-1])[::-1], together, atol=1e-5)
    np.testing.assert_allclose(together[0], together[-1], atol=1e-6)


def test_threads_may_share_it(encoder: TextEncoder) -> None:
    """Four threads at once get what one gets alone."""
    expected = encoder.encode_texts(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encoder.encode_texts, [TEXTS] * 4):
            np.testing.assert_allclose(expected, found, atol=1e-5)


def test_the_space_has_a_file_safe_name(encoder: TextEncoder) -> None:
    """The space's short name can be part of a file name anywhere."""
    assert Path(encoder.space.space_id).name == encoder.space.space_id
    assert encoder.space.space_id.replace("-", "").isalnum()

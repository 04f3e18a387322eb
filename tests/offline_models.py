"""Real weights from the packages of the extra `offline`, loaded once for all tests of a process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from indexer.models.sentence_encoder import is_sentence_encoder_installed, load_sentence_encoder
from indexer.models.starter_encoder import is_starter_installed, load_starter_encoder

if TYPE_CHECKING:
    from indexer.models.sentence_encoder import SentenceEncoder
    from indexer.models.starter_encoder import StarterEncoder

needs_starter = pytest.mark.skipif(not is_starter_installed(), reason="the extra offline is not installed")
needs_sentences = pytest.mark.skipif(
    not is_sentence_encoder_installed(), reason="the extra offline is not installed"
)


@cache
def starter_encoder() -> StarterEncoder:
    """The starter encoder on the CPU."""
    return load_starter_encoder(device="cpu")


@cache
def sentence_encoder() -> SentenceEncoder:
    """The encoder of sentences on the CPU."""
    return load_sentence_encoder(device="cpu")

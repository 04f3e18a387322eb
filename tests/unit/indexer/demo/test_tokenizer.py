"""The tokenizer: known words, unknown words, long and empty texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.demo.tokenizer import END_ID, PAD_ID, UNKNOWN_ID, build_tokenizer, build_vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

LENGTH = 32


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(LENGTH)


def _tokens(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    ids = tokenizer([text], max_length=LENGTH, padding="max_length", truncation=True).input_ids[0]
    return [int(i) for i in ids]


def test_case_accents_and_punctuation_do_not_matter(tokenizer: PreTrainedTokenizerFast) -> None:
    """A red boat is a red boat however it is typed."""
    plain = _tokens(tokenizer, "a red boat close up")
    assert plain == _tokens(tokenizer, "A RÉD, boat: close-up!")
    vocabulary = build_vocabulary()
    assert plain[:4] == [vocabulary[word] for word in ("a", "red", "boat", "close")]


@pytest.mark.parametrize("text", ["zeppelin", "\u732b\u304c\u597d\u304d", "\U0001f600", "%s\\n'; drop", "\x00"])
def test_unknown_words_are_unknown_not_errors(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    """Words outside the drawn world become the unknown token, or nothing, never an error."""
    tokens = _tokens(tokenizer, text)
    assert set(tokens) <= {UNKNOWN_ID, END_ID, PAD_ID}
    assert END_ID in tokens


def test_long_texts_are_cut_and_still_end(tokenizer: PreTrainedTokenizerFast) -> None:
    """Ten thousand characters fit, and the end token, which the text is read from, is kept."""
    tokens = _tokens(tokenizer, "red boat " * 1200)
    assert len(tokens) == LENGTH
    assert tokens[-1] == END_ID


def test_an_empty_text_is_only_its_end(tokenizer: PreTrainedTokenizerFast) -> None:
    """Nothing typed is a valid text."""
    assert _tokens(tokenizer, "") == [END_ID] + [PAD_ID] * (LENGTH - 1)

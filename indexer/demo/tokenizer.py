"""The word-level tokenizer of the demo encoder: a few hundred words, and one token for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from indexer.demo.words import all_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN, END = "[PAD]", "[UNK]", "[EOS]"
PAD_ID: Final = 0
UNKNOWN_ID: Final = 1
END_ID: Final = 2


def build_vocabulary() -> dict[str, int]:
    """The number of every token: padding, unknown, end, then all words in alphabetical order."""
    return {word: i for i, word in enumerate((PAD, UNKNOWN, END, *all_words()))}


def build_tokenizer(context_length: int) -> PreTrainedTokenizerFast:
    """A tokenizer that ignores case, accents and punctuation and ends every text with `[EOS]`.

    Texts longer than `context_length` tokens are cut; unknown words become `[UNK]`.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(build_vocabulary(), unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"'s\b"), ""),
            normalizers.Replace(Regex(r"[^\w\s]|_"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, END_ID)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        pad_token=PAD,
        eos_token=END,
        model_max_length=context_length,
        padding_side="right",
        truncation_side="right",
    )

"""Sentences as word ids, as open_clip's tokenizers give them, without torch and transformers."""

from __future__ import annotations

import gzip
import html
import importlib.util
import json
import string
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from indexer.models.text_tower import UnknownTowerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tokenize = Callable[[Sequence[str]], "NDArray[np.int64]"]
_CLIP_WORDS: Final = r"""<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
_N_CLIP_MERGES: Final = 49152 - 256 - 2
_NO_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def make_tokenizer(text_cfg: Mapping[str, Any], folder: Path | None) -> Tokenize:
    """What turns sentences into rows of word ids, (n_sentences, context_length).

    Args:
        text_cfg: open_clip's description of the text side.
        folder: where the tokenizer's files lie; None for CLIP's own.

    Raises:
        UnknownTowerError: it is a tokenizer that this module does not know.
    """
    settings = dict(text_cfg.get("tokenizer_kwargs") or {})
    length = int(text_cfg.get("context_length", 77))
    clean = _CLEANERS.get(settings.pop("clean", "lower" if folder is None else "whitespace"))
    strips_separator = settings.pop("strip_sep_token", False)
    if settings or clean is None or text_cfg.get("tokenizer_mode") or (folder is None and strips_separator):
        raise UnknownTowerError(f"tokenizer settings {settings}")
    if folder is None:
        return _clip_tokenizer(clean, length)
    return _file_tokenizer(folder, clean, length, strips_separator)


def _file_tokenizer(folder: Path, clean: Callable[[str], str], length: int, strips_separator: bool) -> Tokenize:
    """The tokenizer of `tokenizer.json`, padded and cut as its configuration says."""
    from tokenizers import Tokenizer

    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        pad, separator = (_content(config.get(f"{kind}_token")) for kind in ("pad", "sep"))
        pad_id, separator_id = (tokenizer.token_to_id(token) for token in (pad, separator))
    except Exception as error:  # the library raises bare exceptions
        raise UnknownTowerError(str(error)) from error
    if pad_id is None or (strips_separator and separator_id is None):
        raise UnknownTowerError(f"{folder} names no padding")
    tokenizer.enable_truncation(length, direction=config.get("truncation_side", "right"))
    tokenizer.enable_padding(
        length=length, pad_id=pad_id, pad_token=pad, direction=config.get("padding_side", "right")
    )

    def tokenize(texts: Sequence[str]) -> NDArray[np.int64]:
        rows = np.array([row.ids for row in tokenizer.encode_batch([clean(text) for text in texts])], np.int64)
        return np.where(rows == separator_id, 0, rows) if strips_separator else rows

    return tokenize


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, Mapping) else token or "")


def _clip_tokenizer(clean: Callable[[str], str], length: int) -> Tokenize:
    """CLIP's pairs of bytes, whose list comes with open_clip."""
    import regex  # type: ignore[import-untyped]

    ids, ranks = _clip_vocabulary()
    of_byte = _signs_of_bytes()
    words = regex.compile(_CLIP_WORDS, regex.IGNORECASE)
    first, last = ids["<start_of_text>"], ids["<end_of_text>"]

    def tokenize_one(text: str) -> list[int]:
        found = [first]
        for word in words.findall(clean(text)):
            if word in ("<start_of_text>", "<end_of_text>"):
                found.append(ids[word])
                continue
            signs = [of_byte[byte] for byte in word.encode("utf-8")]
            found += [ids[piece] for piece in _merge([*signs[:-1], signs[-1] + "</w>"], ranks)]
        if len(found) >= length:
            return [*found[: length - 1], last]
        return [*found, last, *[0] * (length - len(found) - 1)]

    return lambda texts: np.array([tokenize_one(text) for text in texts], np.int64)


def _merge(pieces: list[str], ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Join neighbours, the most common pair first, as long as any pair is known."""
    while len(pieces) > 1:
        pairs = list(pairwise(pieces))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        joined: list[str] = []
        at = 0
        while at < len(pieces):
            is_pair = at + 1 < len(pieces) and (pieces[at], pieces[at + 1]) == best
            joined.append("".join(best) if is_pair else pieces[at])
            at += 2 if is_pair else 1
        pieces = joined
    return pieces


@cache
def _clip_vocabulary() -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    found = importlib.util.find_spec("open_clip")  # finds the package without importing it
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise UnknownTowerError("open_clip is not installed")
    path = Path(folders[0]) / "bpe_simple_vocab_16e6.txt.gz"
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    except OSError as error:
        raise UnknownTowerError(str(error)) from error
    merges = [(left, right) for left, right in (line.split() for line in lines[1 : _N_CLIP_MERGES + 1])]
    signs = list(_signs_of_bytes().values())
    names = [*signs, *(f"{sign}</w>" for sign in signs), *(left + right for left, right in merges)]
    names += ["<start_of_text>", "<end_of_text>"]
    return {name: number for number, name in enumerate(names)}, {pair: rank for rank, pair in enumerate(merges)}


@cache
def _signs_of_bytes() -> dict[int, str]:
    """For each byte a sign that can be seen, in the order in which CLIP numbers them."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {byte: chr(byte) for byte in seen} | {byte: chr(256 + number) for number, byte in enumerate(unseen)}


def _basic(text: str) -> str:
    """The text with broken characters mended and HTML's written out; most texts hold neither."""
    if text.isascii() and text.isprintable() and "&" not in text:
        return text.strip()
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def _whitespace(text: str) -> str:
    return " ".join(_basic(text).split())


def _canonical(text: str) -> str:
    return " ".join(_basic(text).replace("_", " ").translate(_NO_PUNCTUATION).lower().split())


_CLEANERS: Final[dict[str, Callable[[str], str]]] = {
    "whitespace": _whitespace,
    "lower": lambda text: _whitespace(text).lower(),
    "canonicalize": _canonical,
}

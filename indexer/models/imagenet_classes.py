"""The 1,000 classes of ImageNet-1k in plain words: names, what each is, and what it is usually seen with."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from indexer.errors import ModelError

N_CLASSES: Final = 1000
_FILE: Final = "imagenet_classes.txt"
_BRACKETS: Final = re.compile(r"\s*\(.*?\)")


@dataclass(frozen=True, slots=True)
class ImageNetClass:
    """One class.

    Args:
        name: as OpenAI's CLIP words it, such as `kite (bird of prey)`.
        kinds: what it is, near to far: `retriever`, `dog`, `pet`, `mammal`, `animal`.
        contexts: what it is usually seen with, worn by, part of or like: a lab coat and a `person`.
    """

    name: str
    kinds: tuple[str, ...]
    contexts: tuple[str, ...]

    @property
    def plain_name(self) -> str:
        """The name without what stands in brackets, in lower case."""
        return _BRACKETS.sub("", self.name).strip().lower()


@cache
def imagenet_classes() -> tuple[ImageNetClass, ...]:
    """All classes, in the order of the challenge."""
    lines = [line for line in _read().splitlines() if line and not line.startswith("#")]
    if len(lines) != N_CLASSES:
        raise ModelError(f"{_FILE} lists {len(lines)} classes instead of {N_CLASSES}; install Rushes again")
    return tuple(_parse(line) for line in lines)


@cache
def class_groups() -> dict[str, tuple[int, ...]]:
    """For each kind and each context the numbers of its classes, in order."""
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(imagenet_classes()):
        for word in (*one.kinds, *one.contexts):
            groups.setdefault(word, []).append(number)
    return {word: tuple(numbers) for word, numbers in sorted(groups.items())}


def hash_classes() -> str:
    """Short hex digest of all names, kinds and contexts."""
    return hashlib.blake2b(_read().encode(), digest_size=8).hexdigest()


def _read() -> str:
    return (files("indexer.models") / _FILE).read_text(encoding="utf-8")


def _parse(line: str) -> ImageNetClass:
    name, kinds, contexts = (column.strip() for column in line.split("|"))
    return ImageNetClass(name, _words(kinds), _words(contexts))


def _words(column: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in column.split(",") if word.strip())

"""How well a caption fits its pictures, by the archive's own encoder against the archive's own pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.models.encoder import Encoder, RgbImage
from store.records import Embeddings

POOR_BELOW: Final = 0.75
"""A caption that suits more than a quarter of other pictures better than its own is doubtful. With the demo
encoder on 200 filmed drawn shots this flags 78 % of the captions of other shots, and none of the right ones."""
ENOUGH_PICTURES: Final = 20
_NONSENSE: Final = "zxqv"
"""A word of no language: encoders that know it not give other words they do not know the same vector."""
_SAME_TEXT: Final = 0.97
_MULTILINGUAL: Final = re.compile(r"siglip2|xlm|mt5|multilingual|i18n|mclip", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_MOST_WORDS: Final = 40
_FOREIGN_SHARE: Final = 0.2
_KNOWN_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a caption fits.

    Args:
        fit: share of the archive's pictures that the caption suits less well than its own, 0 to 1.
    """

    fit: float

    @property
    def is_poor(self) -> bool:
        """Whether the caption is doubtful."""
        return self.fit < POOR_BELOW


class CaptionJudge:
    """Compares captions with pictures.

    Args:
        encoder: the archive's own.
        background: a sample of the archive's pictures, float32, (n, dim), unit rows in the encoder's space.
    """

    def __init__(self, encoder: Encoder, background: Embeddings) -> None:
        self._encoder = encoder
        self._background = background
        self._known: dict[str, bool] = {}

    @property
    def can_judge(self) -> bool:
        """Whether the archive holds enough pictures to say what a cosine means in it."""
        return len(self._background) >= ENOUGH_PICTURES

    def judge(
        self, captions: Sequence[str], pictures: Sequence[Sequence[RgbImage]], language: str = ""
    ) -> list[Fit | None]:
        """The fit of each caption; None where the encoder cannot judge.

        It cannot where the archive holds too little, the text is in a language that it was not trained on, or
        most of its words mean nothing to it.

        Args:
            captions: any number.
            pictures: those of each caption, in the same order.
            language: ISO 639 code of the captions; empty where it is not known, and is then taken for English if
                its letters are Latin.

        Raises:
            ModelError: the encoder fails.
        """
        places = [place for place, text in enumerate(captions) if self._understands(text, language)]
        found: list[Fit | None] = [None] * len(captions)
        if not places or not self.can_judge:
            return found
        texts = self._encoder.encode_texts([captions[place] for place in places])
        shown = self._encoder.encode_images([picture for place in places for picture in pictures[place]])
        rows = np.split(shown, np.cumsum([len(pictures[place]) for place in places])[:-1])
        for place, text, own in zip(places, texts, rows, strict=True):
            if len(own):
                found[place] = Fit(self._share_below(text, float((own @ text).mean())))
        return found

    def _share_below(self, text: Embeddings, own: float) -> float:
        cosines = self._background @ text
        return float((cosines < own).mean() + (cosines == own).mean() / 2)

    def _understands(self, text: str, language: str) -> bool:
        letters = [one for one in text if one.isalpha()]
        if not letters:
            return False
        if not _MULTILINGUAL.search(self._encoder.space.name):
            is_foreign = sum(not one.isascii() for one in letters) > _FOREIGN_SHARE * len(letters)
            if is_foreign or language.lower()[:2] not in ("", "en"):
                return False
        return self._knows_words(text)

    def _knows_words(self, text: str) -> bool:
        words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))[:_MOST_WORDS]
        new = [word for word in words if word not in self._known]
        if new:
            vectors = self._encoder.encode_texts([_NONSENSE, *new])
            means_something = vectors[1:] @ vectors[0] < _SAME_TEXT
            self._known |= dict(zip(new, means_something.tolist(), strict=True))
        return not words or sum(self._known[word] for word in words) >= _KNOWN_SHARE * len(words)

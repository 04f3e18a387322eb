"""The starter encoder: text-to-shot search made of a classifier of pictures and an encoder of sentences.

In the manner of ConSE (M. Norouzi et al.: Zero-shot learning by convex combination of semantic embeddings, ICLR
2014), turned round so that it is one inner product: a picture is the logits that EfficientNet-Lite2 gives it on
ImageNet's 1,000 classes, mean of three crops, less their own mean; a text is how near all-MiniLM-L6-v2 finds it to
each class. The logits are linear in the feature before them, so the classifier's last layer is the whole fold.

    picture(x) = unit(mean over crops of z(x) - mean over classes)
    text(q)    = unit(softmax(cos(q, entries) / 0.05) @ classes - 1/1000)

Entries are each class by its name with the two nearest words of what it is and one of what it is seen with, and
each of those words by itself, which stands for all of its classes in equal parts. Logits instead of
log-probabilities, and length 1 of pictures, are departures from the formula; what they cost is measured in
tests/evaluation/test_starter_encoder.py: nothing.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from indexer.models import imagenet_classifier, sentence_encoder
from indexer.models.imagenet_classes import N_CLASSES, class_groups, hash_classes, imagenet_classes
from indexer.models.imagenet_classifier import load_imagenet_classifier
from indexer.models.open_clip_encoder import make_space

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage, TextEncoder
    from indexer.models.imagenet_classifier import ImageNetClassifier
    from store.records import Embeddings, EmbeddingSpace

STARTER_MODEL: Final = "starter"
ENTRIES: Final = Path(__file__).with_name("starter_entries.npz")
"""Written by `python -m indexer.models.starter_encoder` whenever the words of classes change."""
TEMPERATURE: Final = 0.05
N_KINDS: Final = 2
_VERSION: Final = 1
"""To be counted up when the same files would place pictures or texts elsewhere."""
_TINY: Final = 1e-12


def is_starter_installed() -> bool:
    """Whether the packages of its weights are here; nothing is loaded."""
    return imagenet_classifier.WEIGHTS.is_there() and sentence_encoder.is_sentence_encoder_installed()


def require_starter() -> None:
    """Refuse to go on where the starter encoder cannot be loaded; torch is not needed for that.

    Raises:
        ModelError: a package is missing, or a file in it is another than the one that was tested.
    """
    imagenet_classifier.WEIGHTS.find("the starter encoder")
    sentence_encoder.find_sentence_files()


def load_starter_encoder(*, device: str = "auto", batch_size: int = 16) -> StarterEncoder:
    """The starter encoder, ready to run.

    Args:
        device: as for `load_encoder`.
        batch_size: pictures taken at once, of three crops each; halved whenever they do not fit the memory.

    Raises:
        ModelError: its packages are missing or damaged, or there is no such device.
    """
    require_starter()
    classifier = load_imagenet_classifier(device=device, batch_size=batch_size)
    sentences = sentence_encoder.load_sentence_encoder(device=device)
    return StarterEncoder(classifier, StarterTexts(sentences))


def starter_space() -> EmbeddingSpace:
    """The embedding space, known from the digests of its files alone."""
    digests = (imagenet_classifier.WEIGHTS, sentence_encoder.WEIGHTS, sentence_encoder.TOKENIZER)
    weights = hashlib.blake2b("".join(one.sha256 for one in digests).encode(), digest_size=16).hexdigest()
    side = imagenet_classifier.SIZE_PX
    cfg = {"size": [side, side], "version": _VERSION, "classes": hash_classes()}
    return make_space(STARTER_MODEL, weights, N_CLASSES, cfg)


def entry_texts() -> list[str]:
    """Texts of all entries: of each class its name and what it is, and each word for classes by itself."""
    texts = [", ".join((one.name, *one.kinds[:N_KINDS], *one.contexts[:1])) for one in imagenet_classes()]
    return [*texts, *class_groups()]


def write_entries(sentences: TextEncoder, path: Path = ENTRIES) -> None:
    """Keep the sentence vectors of all entries, rounded to 16 bits, with the digests of what they are made of."""
    rows = sentences.encode_texts(entry_texts()).astype(np.float16)
    np.savez(path, vectors=rows, made_of=np.array(_made_of()))


def _read_entries() -> Embeddings | None:
    """The vectors that were kept, of length 1; None where the words or the encoder were changed since."""
    try:
        with np.load(ENTRIES, allow_pickle=False) as kept:
            made_of, vectors = str(kept["made_of"]), kept["vectors"].astype(np.float32)
    except (OSError, ValueError, KeyError):
        return None
    return _unit(vectors) if made_of == _made_of() else None


def _made_of() -> str:
    return f"{hash_classes()} {sentence_encoder.WEIGHTS.sha256[:16]} {N_KINDS}"


class StarterTexts:
    """The text side alone: vectors over the 1,000 classes.

    Args:
        sentences: encoder of sentences.
    """

    def __init__(self, sentences: TextEncoder) -> None:
        self._sentences = sentences
        self._lock = threading.Lock()

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector lives in."""
        return starter_space()

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place texts in the space of pictures, as `Encoder` promises."""
        if not texts:
            return np.empty((0, N_CLASSES), np.float32)
        with self._lock:
            entries = self._entries
        odds = (self._sentences.encode_texts(texts) @ entries.T).astype(np.float64) / TEMPERATURE
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        near = shares[:, :N_CLASSES] + shares[:, N_CLASSES:] @ _groups()  # of each text a distribution of classes
        return _unit(near - 1 / N_CLASSES)

    @cached_property
    def _entries(self) -> Embeddings:
        """Sentence vectors of all entries, as they come with Rushes: making them takes a processor ten seconds."""
        known = _read_entries()
        return self._sentences.encode_texts(entry_texts()) if known is None else known


class StarterEncoder:
    """Places pictures and texts in the space of ImageNet's classes; safe to share between threads.

    Args:
        classifier: pictures to logits.
        texts: the text side.
    """

    def __init__(self, classifier: ImageNetClassifier, texts: StarterTexts) -> None:
        self._classifier = classifier
        self._texts = texts

    @property
    def space(self) -> EmbeddingSpace:
        """The space that every vector of this encoder lives in."""
        return self._texts.space

    @property
    def image_size_px(self) -> int:
        """Side of the square pictures that the network sees; larger pictures only cost time."""
        return imagenet_classifier.SIZE_PX

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Place pictures in the embedding space, in the order given, as `Encoder` promises."""
        if not images:
            return np.empty((0, N_CLASSES), np.float32)
        return picture_rows(np.stack([one.mean(axis=0) for one in self._classifier.crop_logits(images)]))

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Place sentences in the embedding space, in the order given, as `Encoder` promises."""
        return self._texts.encode_texts(texts)


def picture_rows(logits: NDArray[np.float32]) -> Embeddings:
    """Logits of pictures, (n, 1000), as rows of the embedding space."""
    return _unit(logits - logits.mean(axis=1, keepdims=True))


def _groups() -> NDArray[np.float64]:
    """For each word of `class_groups` its classes in equal parts: (n_words, 1000)."""
    groups = class_groups()
    shares = np.zeros((len(groups), N_CLASSES))
    for row, numbers in enumerate(groups.values()):
        shares[row, list(numbers)] = 1 / len(numbers)
    return shares


def _unit(rows: NDArray[np.floating]) -> Embeddings:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = np.where(lengths > _TINY, rows / np.maximum(lengths, _TINY), 1 / np.sqrt(rows.shape[1]))
    return np.ascontiguousarray(scaled, np.float32)


if __name__ == "__main__":
    write_entries(sentence_encoder.load_sentence_encoder())

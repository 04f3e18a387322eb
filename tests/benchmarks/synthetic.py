"""Drawn embeddings that lie as those of real archives do, and archives of them by the store's own door."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.archive import Archive
from store.events import RootNamed, Seen
from store.records import Boundary, Embeddings, EmbeddingSpace, SampledFrame, Segment, Shot, VideoFacts
from store.timespan import TimeSpan

DIM = 512
_PER_VIDEO = 1000
_N_CLUSTERS = 2_000


class World:
    """Embeddings as CLIP's are: in a narrow cone, anisotropic, clustered unevenly, and texts apart from pictures.

    A picture is the sum of one mean direction (half of its squared length, so that unrelated pictures have a
    cosine of 0.5), the centre of a cluster (a quarter; 2,000 clusters whose sizes follow Zipf's law), what is its
    shot's own (a fifth) and what is its frame's own (a 25th; three frames a shot on average). Noise and centres
    have a spectrum that falls with the square root of the rank, in a random orthogonal basis. A text has a mean
    direction of its own, a quarter of the pictures' one, and a part of a random cluster's centre and of noise: its
    cosines with pictures are low and close together, as they are with CLIP, which makes texts the hardest
    questions.

    Args:
        seed: of the one random generator; the same calls give the same vectors.
    """

    def __init__(self, seed: int = 1) -> None:
        self._chance = np.random.default_rng(seed)
        spectrum = np.arange(1, DIM + 1) ** -0.5
        basis = np.linalg.qr(self._chance.standard_normal((DIM, DIM)))[0]
        self._basis = (spectrum / np.linalg.norm(spectrum))[:, None] * basis
        self._basis = self._basis.astype(np.float32)
        self._picture_mean, self._text_mean = basis[-1].astype(np.float32), basis[-2].astype(np.float32)
        self._centres = self._noise(_N_CLUSTERS)
        weights = 1 / np.arange(1, _N_CLUSTERS + 1)
        self._sizes = weights / weights.sum()

    def _noise(self, n: int) -> Embeddings:
        """Vectors whose squared length is 1 on average."""
        return np.asarray(self._chance.standard_normal((n, DIM), dtype=np.float32) @ self._basis)

    def _shots(self, n: int) -> Embeddings:
        centres = self._centres[self._chance.choice(_N_CLUSTERS, n, p=self._sizes)]
        return np.asarray(0.5**0.5 * self._picture_mean + 0.5 * centres + 0.2**0.5 * self._noise(n), np.float32)

    def _frames(self, shots: Embeddings) -> Embeddings:
        return _unit(shots + 0.2 * self._noise(len(shots)))

    def draw(self, n: int, n_questions: int) -> tuple[Embeddings, dict[str, Embeddings]]:
        """Pictures and questions.

        Returns:
            Unit rows of `n` frames, those of a shot together; and for each kind of question unit rows: `frame`,
            another frame of a shot that is there; `shot`, a frame of a new shot; `text`.
        """
        shots = self._shots(n // 3)
        of = np.sort(np.concatenate([np.arange(len(shots)), self._chance.integers(0, len(shots), n - len(shots))]))
        frames = np.empty((n, DIM), np.float32)
        for start in range(0, n, 65_536):
            frames[start : start + 65_536] = self._frames(shots[of[start : start + 65_536]])
        held = self._frames(shots[self._chance.integers(0, len(shots), n_questions)])
        new = self._frames(self._shots(n_questions))
        return frames, {"frame": held, "shot": new, "text": self._texts(n_questions)}

    def _texts(self, n: int) -> Embeddings:
        centres = _unit(self._centres[self._chance.integers(0, _N_CLUSTERS, n)])
        texts = 0.25 * self._picture_mean + 0.35 * centres + 0.5 * _unit(self._noise(n))
        rest = np.maximum(0, 1 - np.einsum("ij,ij->i", texts, texts))
        return _unit(texts + np.sqrt(rest)[:, None] * self._text_mean)


def _unit(vectors: NDArray[np.floating]) -> Embeddings:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@contextmanager
def fill_archive(folder: Path, vectors: Embeddings) -> Iterator[Archive]:
    """An archive of these frames, each in a shot of its own, a thousand to a video; published."""
    space = EmbeddingSpace("drawn", "0" * 32, DIM, "{}", "drawn")
    with Archive.create(folder) as archive:
        archive.claim_space(space, source="drawn")
        archive.record([RootNamed("root", "/drawn")])
        for first in range(0, len(vectors), _PER_VIDEO):
            fingerprint = hashlib.blake2b(str(first).encode(), digest_size=16).hexdigest()
            archive.put_segment(_segment(fingerprint, space, vectors[first : first + _PER_VIDEO]))
            archive.record([Seen("root", f"{first:09d}.mp4", 1, 1, fingerprint)])
        archive.publish()
        yield archive


def _segment(fingerprint: str, space: EmbeddingSpace, vectors: Embeddings) -> Segment:
    n = len(vectors)
    second = Fraction(1)
    shots = tuple(Shot(i, TimeSpan(i * second, (i + 1) * second), Boundary.CUT) for i in range(n))
    frames = tuple(SampledFrame(i, i + second / 2, 1.0, f"{fingerprint}/{i}.webp") for i in range(n))
    rate = Fraction(25)
    facts = VideoFacts(
        "mov", "h264", 640, 360, 0, rate, 1 / rate, Fraction(), TimeSpan(Fraction(), n * second), n * 25, False
    )
    return Segment(fingerprint, 1, "visual", "drawn", space, {}, facts, shots, frames, vectors)

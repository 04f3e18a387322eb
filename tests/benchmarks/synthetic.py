"""Archives of many drawn vectors, put through the store's own door."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np

from store.archive import Archive
from store.events import RootNamed, Seen
from store.records import Boundary, Embeddings, EmbeddingSpace, SampledFrame, Segment, Shot, VideoFacts
from store.timespan import TimeSpan

DIM = 512
_PER_VIDEO = 1000


@contextmanager
def fill_archive(folder: Path, n_frames: int) -> Iterator[tuple[Archive, Embeddings]]:
    """An archive of `n_frames` one-frame shots, and their unit vectors, drawn around 1,000 random centres."""
    chance = np.random.default_rng(1)
    centres = chance.normal(size=(1000, DIM)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    space = EmbeddingSpace("drawn", "0" * 32, DIM, "{}", "drawn")
    everything = np.empty((n_frames, DIM), np.float32)
    with Archive.create(folder) as archive:
        archive.claim_space(space, source="drawn")
        archive.record([RootNamed("root", "/drawn")])
        for first in range(0, n_frames, _PER_VIDEO):
            noise = chance.normal(size=(_PER_VIDEO, DIM)).astype(np.float32) * 0.03
            vectors = centres[chance.integers(0, 1000, _PER_VIDEO)] + noise
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            everything[first : first + _PER_VIDEO] = vectors
            fingerprint = hashlib.blake2b(str(first).encode(), digest_size=16).hexdigest()
            archive.put_segment(_segment(fingerprint, space, np.ascontiguousarray(vectors)))
            archive.record([Seen("root", f"{first}.mp4", 1, 1, fingerprint)])
        archive.publish()
        yield archive, everything


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

"""Collects what the decoder and the encoder say of one video until it is a complete segment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np

from indexer.visual.decode_pass import DecodeResult, DecodeSettings, Sample
from store.records import Embeddings, EmbeddingSpace, SampledFrame, Segment

STAGE = "visual"
STAGE_VERSION = 2
"""Raised whenever the same settings may give other shots or frames than before."""

ACCEPTED_VERSION = 1
"""Oldest version whose segments are still good, unless `outdated` says otherwise of a video."""


def segment_parameters(
    settings: DecodeSettings, image_size_px: int, version: int = STAGE_VERSION
) -> dict[str, Any]:
    """Everything that decides what a segment holds, beside video and encoder; thumbnails are no part of it."""
    decode = {name: value for name, value in asdict(settings).items() if name != "thumbnail_size_px"}
    return {"version": version, "image_size_px": image_size_px, "decode": decode}


def segment_key(parameters: dict[str, Any], space: EmbeddingSpace) -> str:
    """Short hash of the parameters and of the space: the same key promises the same segment."""
    text = json.dumps([parameters, space.space_id], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def older_keys(settings: DecodeSettings, image_size_px: int, space: EmbeddingSpace) -> tuple[str, ...]:
    """Keys that older versions gave to segments of the same settings, and that are still accepted."""
    versions = range(ACCEPTED_VERSION, STAGE_VERSION)
    return tuple(segment_key(segment_parameters(settings, image_size_px, version), space) for version in versions)


def thumbnail_name(fingerprint: str, time: Fraction) -> str:
    """File name of a frame's thumbnail below `thumbs/`, by content and microsecond."""
    return f"{fingerprint[:2]}/{fingerprint}/{round(time * 1_000_000):012d}.webp"


class SegmentBuilder:
    """One video on its way through decoder and encoder.

    Args:
        fingerprint: content identity of the file.
        size_bytes: size of the file.
    """

    def __init__(self, fingerprint: str, size_bytes: int) -> None:
        self.fingerprint = fingerprint
        self.size_bytes = size_bytes
        self._samples: list[tuple[Fraction, float]] = []
        self._vectors: list[Embeddings] = []
        self.encode_seconds = 0.0
        self.result: DecodeResult | None = None

    def add_sample(self, sample: Sample) -> None:
        """Note a picture that is about to be encoded; its vector comes later, in the same order."""
        self._samples.append((sample.time, sample.sharpness))

    def add_vectors(self, vectors: Embeddings, seconds: float) -> None:
        """The vectors of the next pictures, in the order they were added, and what they cost."""
        self._vectors.append(vectors)
        self.encode_seconds += seconds

    @property
    def decode_seconds(self) -> Mapping[str, float]:
        """Time that the decoder spent, by part of its work; empty before it has finished."""
        return {} if self.result is None else self.result.seconds

    @property
    def n_waiting(self) -> int:
        """Pictures whose vectors have not come yet."""
        return len(self._samples) - sum(len(vectors) for vectors in self._vectors)

    def build(self, key: str, space: EmbeddingSpace, parameters: dict[str, Any]) -> Segment:
        """The complete segment. Call it when the decoder has finished and no vector is awaited."""
        if self.result is None or self.n_waiting:
            raise ValueError("the video is not complete")
        frames = tuple(
            SampledFrame(ordinal, time, sharpness, thumbnail_name(self.fingerprint, time))
            for (time, sharpness), ordinal in zip(self._samples, self.result.sample_shots, strict=True)
        )
        return Segment(
            fingerprint=self.fingerprint,
            size_bytes=self.size_bytes,
            stage=STAGE,
            key=key,
            space=space,
            parameters=parameters,
            video=self.result.facts,
            shots=self.result.shots,
            frames=frames,
            embeddings=np.concatenate(self._vectors),
        )

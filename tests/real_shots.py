"""Shots of the real clips beside a checkout: pictures, questions, labels of people, and what a model sees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.models.imagenet_classifier import SIZE_PX
from tests.offline_models import starter_encoder
from tests.shared_media import MEDIA, read_manifest

QUARTERS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
MIDDLE = (Fraction(1, 2),)
Shot = tuple[str, int]
"""A shot by its file and its number there."""


@dataclass(frozen=True)
class SeenShots:
    """What the classifier sees in shots.

    Args:
        shots: of each picture.
        logits: of each picture's crops, (n_crops, 1000).
    """

    shots: tuple[Shot, ...]
    logits: tuple[NDArray[np.float32], ...]

    @property
    def means(self) -> NDArray[np.float32]:
        """Mean logits of each picture, (n, 1000)."""
        return np.stack([one.mean(axis=0) for one in self.logits])


@cache
def see_shots(shares: tuple[Fraction, ...], longest_clip: int | None = None) -> SeenShots:
    """Pictures of every shot at these shares of it, as the classifier sees them.

    Args:
        shares: 0 to 1.
        longest_clip: only clips of so many shots at most; None for all.
    """
    shots: list[Shot] = []
    pictures = []
    for clip in read_manifest(MEDIA):
        if longest_clip is not None and len(clip["shots"]) > longest_clip:
            continue
        wanted = [(shot, share) for shot in clip["shots"] for share in shares]
        requests = [PictureRequest(_time_in(shot, share), SIZE_PX) for shot, share in wanted]
        for found in read_pictures(str(MEDIA / clip["file"]), requests):
            shots.append((clip["file"], wanted[found.number][0]["index"]))
            pictures.append(found.picture)
    classifier = starter_encoder()._classifier
    return SeenShots(tuple(shots), tuple(classifier.crop_logits(pictures)))


def _time_in(shot: dict[str, Any], share: Fraction) -> Fraction:
    start, end = (Fraction(shot[name]).limit_denominator(100_000) for name in ("start_s", "end_s"))
    return start + (end - start) * share


def read_queries() -> list[tuple[str, set[Shot], set[Shot]]]:
    """Each question with the shots that answer it, and those that are debatable."""
    queries = json.loads((MEDIA / "queries.json").read_text(encoding="utf-8"))
    return [(one["query"], _shots(one["relevant"]), _shots(one["partial"])) for one in queries]


def _shots(listed: Sequence[dict[str, Any]]) -> set[Shot]:
    return {(one["file"], one["shot_index"]) for one in listed}


@dataclass(frozen=True)
class Scores:
    """Means over all questions that have an answer."""

    recall_1: float
    recall_5: float
    mrr: float
    n_queries: int

    def __str__(self) -> str:
        return f"recall@1 {self.recall_1:.3f}, recall@5 {self.recall_5:.3f}, MRR {self.mrr:.3f} ({self.n_queries})"


def score_search(texts: NDArray[np.float32], pictures: NDArray[np.float32], shots: Sequence[Shot]) -> Scores:
    """How well inner products rank shots, each by its best picture; debatable shots are left out.

    Args:
        texts: one row for each question of `read_queries`.
        pictures: one row for each of `shots`.
        shots: the shot of each picture.
    """
    ranks = []
    unique = list(dict.fromkeys(shots))
    for row, (_, relevant, partial) in zip(texts @ pictures.T, read_queries(), strict=True):
        if not relevant & set(unique):
            continue
        best = {shot: max(score for score, one in zip(row, shots, strict=True) if one == shot) for shot in unique}
        order = sorted((shot for shot in unique if shot not in partial), key=lambda shot: -best[shot])
        ranks.append(next(rank for rank, shot in enumerate(order, start=1) if shot in relevant))
    found = np.array(ranks, float)
    return Scores(float((found == 1).mean()), float((found <= 5).mean()), float((1 / found).mean()), len(ranks))


def read_understanding() -> list[dict[str, Any]]:
    """What a person sees in each shot that is no filler."""
    lines = (MEDIA / "understanding.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(lines)
    return found

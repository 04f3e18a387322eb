"""From scored frames to ranked shots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from store.records import FrameHit, ShotRow


@dataclass(frozen=True, slots=True)
class Hit:
    """A shot that answers a question.

    Args:
        rank: place among the answers, from 1.
        score: cosine similarity of its best frame, -1 to 1, higher is better.
        shot: the shot.
        time: exact presentation time of the best frame in seconds.
        thumbnail: absolute path of the best frame's picture.
    """

    rank: int
    score: float
    shot: ShotRow
    time: Fraction
    thumbnail: str


def rank_shots(frames: Iterable[FrameHit], limit: int) -> list[Hit]:
    """One hit for each shot, by its best frame, best first; ties keep the order of file and time."""
    best: dict[str, FrameHit] = {}
    for frame in frames:
        known = best.get(frame.shot.shot_id)
        if known is None or frame.score > known.score:
            best[frame.shot.shot_id] = frame
    ordered = sorted(best.values(), key=lambda hit: (-hit.score, hit.shot.path, hit.time))
    return [
        Hit(rank, hit.score, hit.shot, hit.time, hit.thumbnail)
        for rank, hit in enumerate(ordered[:limit], start=1)
    ]

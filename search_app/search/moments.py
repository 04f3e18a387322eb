"""Neighbouring shots that answer together, merged into moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scored:
    """A shot on its way to becoming a moment.

    Args:
        shot_id: the shot.
        video_id: its video.
        ordinal: its place in the video.
        score: cosine of its best frame.
    """

    shot_id: str
    video_id: str
    ordinal: int
    score: float


def merge_neighbours(shots: Sequence[Scored], floor: float, share: float) -> list[tuple[str, ...]]:
    """Shot ids in moments, each in order of time; moments in the order of their best shots.

    A watershed over the scores of each video's shots: the water stands at `floor`; from the highest peak down,
    a moment grows to both sides over touching shots that still stand out of the water by at least `share` of
    its peak, and that no higher peak has taken. Shots that do not stand out of the water stay alone. After
    temporal actionness grouping (Zhao et al., "Temporal Action Detection with Structured Segment Networks",
    ICCV 2017), over shots as Diwan et al. do ("Zero-shot Video Moment Retrieval With Off-the-Shelf Models", 2022).

    Args:
        shots: candidates, best first; those not given count as below the water.
        floor: mean score of the archive for this question.
        share: between 0 (merge everything that touches) and 1 (merge equals only).
    """
    by_place: Mapping[tuple[str, int], Scored] = {(shot.video_id, shot.ordinal): shot for shot in shots}
    taken: set[tuple[str, int]] = set()
    moments = []
    for peak in shots:
        if (peak.video_id, peak.ordinal) in taken:
            continue
        lowest = floor + share * (peak.score - floor)
        first = last = peak.ordinal
        if peak.score > floor:
            first = _spread(peak, -1, lowest, by_place, taken)
            last = _spread(peak, 1, lowest, by_place, taken)
        places = [(peak.video_id, ordinal) for ordinal in range(first, last + 1)]
        taken.update(places)
        moments.append(tuple(by_place[place].shot_id for place in places))
    return moments


def _spread(
    peak: Scored,
    step: int,
    lowest: float,
    by_place: Mapping[tuple[str, int], Scored],
    taken: set[tuple[str, int]],
) -> int:
    """The last ordinal in one direction that belongs to the peak."""
    ordinal = peak.ordinal
    while True:
        place = (peak.video_id, ordinal + step)
        neighbour = by_place.get(place)
        if neighbour is None or place in taken or neighbour.score < lowest:
            return ordinal
        ordinal += step

"""Detections of many stretches at once, those that fail apart from the rest: for objects and faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from indexer.errors import ModelError
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch, StretchResult
from store.shot_outcomes import ShotState

Found = TypeVar("Found")

MOST_PICTURES = 64


def sampled_times(stretch: Stretch) -> Sequence[Fraction]:
    """The sampled frames of a stretch, at most 64, evenly; its middle where there are none."""
    frames = [frame.time for frame in stretch.frames]
    if not frames:
        return [stretch.span.start + stretch.span.duration / 2]
    if len(frames) <= MOST_PICTURES:
        return frames
    return [frames[at * len(frames) // MOST_PICTURES] for at in range(MOST_PICTURES)]


def find_in_stretches(
    find: Callable[[Sequence[RgbPicture]], Sequence[Found]],
    shown: Sequence[ShownStretch],
    make: Callable[[ShownStretch, Sequence[Found]], StretchResult],
) -> list[StretchResult]:
    """One result for each stretch, in the order given; the model takes the pictures of all of them at once.

    Where it fails, each stretch is tried alone, and those that fail again end as an error.

    Args:
        find: the model; one finding for each picture.
        shown: the stretches.
        make: the result of a stretch, of the findings of its pictures.

    Raises:
        ModelError: the model fails with every stretch.
    """
    pictures = [picture for one in shown for picture in one.pictures]
    try:
        found = list(find(pictures))
    except ModelError as error:
        if len(shown) <= 1:
            raise
        return _find_each(find, shown, make, error)
    results, at = [], 0
    for one in shown:
        results.append(make(one, found[at : at + len(one.pictures)]))
        at += len(one.pictures)
    return results


def _find_each(
    find: Callable[[Sequence[RgbPicture]], Sequence[Found]],
    shown: Sequence[ShownStretch],
    make: Callable[[ShownStretch, Sequence[Found]], StretchResult],
    error: ModelError,
) -> list[StretchResult]:
    results = []
    for one in shown:
        try:
            results.append(make(one, find(one.pictures)))
        except ModelError as its:
            results.append(StretchResult(state=ShotState.ERROR, reason=str(its)))
    if all(one.state is ShotState.ERROR for one in results):
        raise error
    return results

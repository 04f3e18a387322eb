"""Refinement of candidates after the fusion: exclusions, moments, stacks, variety."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_app.confidence.certainty import DOUBTFUL
from search_app.search.mmr import order_with_variety
from search_app.search.moments import Scored, merge_neighbours
from search_app.search.near_duplicates import stack_near_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from search_app.confidence.background import Background
    from search_app.config import RankingSettings
    from search_app.search.ranking import Candidates
    from search_app.search.shot_frames import ShotFrames
    from store.records import ShotRow


def drop_unwanted(
    candidates: Candidates,
    shown: Iterable[tuple[str, float, Mapping[str, float]]],
    is_match: Callable[[str], bool],
    voted: Collection[str],
) -> None:
    """Take out the shots of which any frame shows what no answer may show, and let doubtful ones wait.

    Of the shots with votes that match, the order stays: their confidence already counts the doubt. Of the others,
    those that may show the unwanted come last: so a missed one is seldom near the top, and nothing is lost.

    Args:
        candidates: changed in place.
        shown: what no answer may show, from which confidence on it takes a shot out, and how surely each shows it.
        is_match: whether a shot answers the question.
        voted: the shots that are ordered anew, all before the others.
    """
    doubtful = set[str]()
    for words, largest, sure in shown:
        out = [shot_id for shot_id in candidates.order if sure.get(shot_id, 0.0) >= largest]
        candidates.remove(out, f"-{words or 'like'}")
        doubtful |= {shot_id for shot_id, confidence in sure.items() if confidence >= DOUBTFUL}
    head, tail = _split(candidates, voted)
    candidates.order = sorted(head, key=lambda one: (not is_match(one), not is_match(one) and one in doubtful))
    candidates.order += tail


def merge_moments(
    candidates: Candidates,
    shots: Mapping[str, ShotRow],
    frames: ShotFrames,
    floor: float,
    settings: RankingSettings,
    voted: Collection[str],
) -> None:
    """Let neighbouring shots of a video that answer together be one answer.

    Args:
        candidates: changed in place.
        shots: rows of all candidates.
        frames: their frames.
        floor: the archive's mean score for the question.
        settings: how near to the best shot of a moment the others have to be.
        voted: the shots that may merge, all before the others.
    """
    head, tail = _split(candidates, voted)
    scored = [
        Scored(shot_id, shots[shot_id].video_id, shots[shot_id].shot.ordinal, frames.score(shot_id))
        for shot_id in head
    ]
    moments = merge_neighbours(scored, floor, settings.merge_share)
    alone = [(shot_id,) for shot_id in tail]
    candidates.gather([*moments, *alone], candidates.members, "merged into the moment of")


def stack_copies(
    candidates: Candidates, frames: ShotFrames, background: Background, settings: RankingSettings
) -> None:
    """Let one shot stand for all that show the same picture."""
    blank = [frames.best(shot_id).sharpness < settings.blank_sharpness for shot_id in candidates.order]
    largest = settings.stack_distance * (1 - background.mean_similarity)
    stacks = stack_near_duplicates(frames.best_vectors(candidates.order), blank, largest)
    groups = [[candidates.order[position] for position in stack] for stack in stacks]
    candidates.gather(groups, candidates.stacks, "same picture as")


def spread(
    candidates: Candidates,
    frames: ShotFrames,
    background: Background,
    variety: float,
    is_match: Callable[[str], bool],
    voted: Collection[str],
) -> None:
    """Order what answers so that what is alike comes apart; all else waits behind it, in its order.

    Args:
        candidates: changed in place.
        frames: their frames.
        background: of the archive.
        variety: 0 for the best, 1 for what is unlike all before it.
        is_match: whether a shot answers the question.
        voted: the shots that are ordered anew, all before the others.
    """
    head, tail = _split(candidates, voted)
    sure = [shot_id for shot_id in head if is_match(shot_id)]
    unsure = [shot_id for shot_id in head if not is_match(shot_id)]
    relevance = [candidates.relevance[shot_id] for shot_id in sure]
    order = order_with_variety(relevance, frames.best_vectors(sure), variety, background.mean_similarity)
    candidates.order = [*(sure[position] for position in order), *unsure, *tail]


def _split(candidates: Candidates, voted: Collection[str]) -> tuple[list[str], list[str]]:
    """The candidates with votes, and the others behind them."""
    head = [shot_id for shot_id in candidates.order if shot_id in voted]
    return head, candidates.order[len(head) :]

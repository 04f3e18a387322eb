"""Rankings of several channels joined into one, by rank alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

RANK_CONSTANT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Match:
    """Why a channel found a shot.

    Args:
        channel: name of the channel, as in `default_weights`.
        rank: the shot's place in that channel, from 1; equal scores share a place.
        score: what the channel itself measures: cosine for pictures and meaning, BM25 for words. Comparable only
            inside one channel and one question.
        text: the caption, label, words spoken or written that were found, marked where it may well be wrong; empty
            for pictures.
        words: the words of the question that were found in it, as written there.
        found_seconds: when the first of them is said, in seconds of the video; None where that is not known.
    """

    channel: str
    rank: int
    score: float
    text: str = ""
    words: tuple[str, ...] = ()
    found_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Fused:
    """A shot with its joined score.

    Args:
        shot_id: the shot.
        relevance: sum of the votes, higher is better.
        matches: one for each channel that found it, the strongest vote first.
    """

    shot_id: str
    relevance: float
    matches: tuple[Match, ...]

    @property
    def standing(self) -> tuple[float, int]:
        """Sort key: its votes, then its best rank in any channel; the less, the better."""
        # Rounded, so that the order in which equal votes were added makes no difference.
        return -round(self.relevance, 12), min(match.rank for match in self.matches)


def rank_scores(scores: Mapping[str, float] | Mapping[str, tuple[float, ...]]) -> dict[str, int]:
    """Places from 1 for scores, the highest first; equal scores share the place of the first of them."""
    places: dict[str, int] = {}
    ordered: list[tuple[str, Any]] = sorted(scores.items(), key=itemgetter(1), reverse=True)
    previous, place = None, 0
    for position, (name, score) in enumerate(ordered, start=1):
        if score != previous:
            previous, place = score, position
        places[name] = place
    return places


def fuse_rankings(
    rankings: Iterable[Mapping[str, Match]],
    weights: Mapping[str, float],
    rank_constant: float = RANK_CONSTANT,
) -> list[Fused]:
    """All shots that any channel found, the best first, by weighted reciprocal rank fusion.

    relevance(shot) = sum over channels c that found it of weight(c) / (rank_constant + rank_c(shot))

    Only ranks are used, so that no channel drowns another by the scale of its scores; a channel that did not find
    a shot adds nothing. The constant of 60 is that of Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion
    outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009. Equal sums are ordered by the best
    place in any channel, then by shot id, so that the order never depends on chance.

    Args:
        rankings: each the matches of one channel, by shot; a channel may come more than once.
        weights: for each channel, how much its vote counts; channels without weight, or with 0, have no vote.
        rank_constant: how flat the votes are, 0 or more.
    """
    found: dict[str, list[Match]] = {}
    for matches in rankings:
        for shot_id, match in matches.items():
            if weights.get(match.channel, 0.0) > 0:
                found.setdefault(shot_id, []).append(match)
    fused = []
    for shot_id, matches_of_shot in found.items():
        votes = [(weights[match.channel] / (rank_constant + match.rank), match) for match in matches_of_shot]
        votes.sort(key=lambda vote: (-vote[0], vote[1].channel))
        fused.append(Fused(shot_id, sum(vote for vote, _ in votes), tuple(match for _, match in votes)))
    return sorted(fused, key=lambda one: (*one.standing, one.shot_id))

"""Each channel's own ranking of shots: pictures, and every kind of text that the archive holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from search_app.fusion import Match, rank_scores
from store.records import TextStage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search_app.background import Background
    from search_app.config import RankingSettings
    from search_app.question import Aspect
    from store.filters import TextMatch
    from store.records import Embeddings, FrameHit, TextHit
    from store.snapshot import Snapshot

PICTURE: Final = "picture"
NAME: Final = "name"
WORD_CHANNELS: Final = frozenset({*map(str, TextStage), NAME})
MEANING_STAGES: Final = (TextStage.CAPTION, TextStage.TRANSCRIPT)
_FRAMES_PER_SHOT = 4  # first guess of how many frames to look at for each shot wanted
_MANY_ROWS = 100_000  # a required word keeps every row it is in, up to here
_WORD = re.compile(r"\w{3,}|\d+")

Ranking = Mapping[str, Match]


def nearest_shots(
    snapshot: Snapshot, vector: Embeddings, n_shots: int, among: NDArray[np.int64] | None
) -> dict[str, FrameHit]:
    """The best frame of each of the `n_shots` nearest shots, or of all if there are not so many, best first."""
    n_frames = n_shots * _FRAMES_PER_SHOT
    while True:
        frames = snapshot.search(vector, n_frames, among)
        best: dict[str, FrameHit] = {}
        for frame in sorted(frames, key=lambda hit: (-hit.score, hit.shot.path, hit.time)):
            best.setdefault(frame.shot.shot_id, frame)
        if len(frames) < n_frames or len(best) >= n_shots:
            return dict(list(best.items())[:n_shots])
        n_frames *= 4


def picture_ranking(nearest: Mapping[str, FrameHit]) -> Ranking:
    """Shots by their best frames."""
    ranks = rank_scores({shot_id: hit.score for shot_id, hit in nearest.items()})
    return {shot_id: Match(PICTURE, ranks[shot_id], hit.score) for shot_id, hit in nearest.items()}


def text_rankings(
    snapshot: Snapshot,
    aspect: Aspect,
    background: Background,
    settings: RankingSettings,
    allowed: set[str] | None,
) -> list[Ranking]:
    """One ranking for each text channel that has rows and finds something; others are simply absent.

    By meaning there is always a nearest text, so only those count that stand out of what neutral texts have in
    common: else the least unfitting of three captions would get the vote of a first place.
    """
    if not aspect.words:
        return []
    counts = snapshot.text_counts()
    rankings = []
    for stage in [*(stage for stage in TextStage if counts.get(stage)), NAME]:
        hits = snapshot.search_text(aspect.words, [stage], settings.pool)
        rankings.append(_ranking(str(stage), _well_matched(hits, aspect.words, settings.word_share), allowed))
    for stage in MEANING_STAGES:
        if counts.get(stage):
            hits = snapshot.search_text_vectors(aspect.vector, stage, settings.pool)
            near = [hit for hit in hits if background.stands_out(hit.score, settings.meaning_standing)]
            rankings.append(_ranking(f"{stage}_meaning", near, allowed))
    return [ranking for ranking in rankings if ranking]


def required_rows(snapshot: Snapshot, match: TextMatch) -> Sequence[TextHit]:
    """The rows in which a required word or phrase stands."""
    stages = [*TextStage, NAME] if match.stage is None else [match.stage]
    return snapshot.search_text(match.words, stages, _MANY_ROWS, phrase=match.phrase, all_words=True)


def required_rankings(hits: Sequence[TextHit], allowed: set[str] | None) -> list[Ranking]:
    """What a required word votes for, for each channel in which it stands."""
    stages = dict.fromkeys(str(hit.stage) for hit in hits)
    return [_ranking(stage, [hit for hit in hits if str(hit.stage) == stage], allowed) for stage in stages]


def _ranking(channel: str, hits: Iterable[TextHit], allowed: set[str] | None) -> Ranking:
    """Shots by their best row."""
    best: dict[str, Match] = {}
    for hit in hits:
        for shot_id in hit.shot_ids:
            known = best.get(shot_id)
            if (allowed is None or shot_id in allowed) and (known is None or hit.score > known.score):
                best[shot_id] = Match(channel, 0, hit.score, hit.text, hit.words)
    ranks = rank_scores({shot_id: match.score for shot_id, match in best.items()})
    return {shot_id: replace(match, rank=ranks[shot_id]) for shot_id, match in best.items()}


def _well_matched(hits: Iterable[TextHit], words: str, share: float) -> list[TextHit]:
    """Rows that hold enough of the question's words: one common word of many is no answer."""
    n_asked = len({word.casefold() for word in _WORD.findall(words)})
    return [hit for hit in hits if len({word.casefold() for word in hit.words}) >= share * min(n_asked, 8)]

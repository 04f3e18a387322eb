"""Each channel's own ranking of shots: pictures, and every kind of text that the archive holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from search_app.search.fusion import Match, rank_scores
from search_app.search.naming import NAME, words_that_tell
from store.records import TextHit
from store.stages import meaning_stages, text_stages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search_app.confidence.background import Background
    from search_app.config import RankingSettings
    from search_app.search.encoding import Aspect
    from search_app.search.naming import NamedVideos
    from store.filters import TextMatch
    from store.names import NamedPlace
    from store.records import Embeddings, FrameHit
    from store.snapshot import Snapshot

PICTURE: Final = "picture"
_FRAMES_PER_SHOT = 4  # first guess of how many frames to look at for each shot wanted

Ranking = Mapping[str, Match]


@dataclass(frozen=True, slots=True)
class Meaning:
    """The words of a question in the space in which an archive's texts are embedded.

    Args:
        vector: float32, (dim,), of length 1.
        background: neutral texts of that space, among others.
    """

    vector: Embeddings
    background: Background


def nearest_shots(
    snapshot: Snapshot, vector: Embeddings, n_shots: int, among: NDArray[np.int64] | None
) -> dict[str, FrameHit]:
    """The best frame of each of the `n_shots` nearest shots, or of all if there are not so many, best first."""
    n_frames = n_shots * _FRAMES_PER_SHOT
    while True:
        frames = snapshot.search(vector, n_frames, among)
        has_all = len(frames) < n_frames
        # Which of several equal frames at the end are found is chance, so they wait for a deeper search.
        certain = [hit for hit in frames if has_all or hit.score > frames[-1].score]
        best: dict[str, FrameHit] = {}
        for frame in sorted(certain, key=lambda hit: (-hit.score, hit.shot.path, hit.time)):
            best.setdefault(frame.shot.shot_id, frame)
        if has_all or len(best) >= n_shots:
            return dict(list(best.items())[:n_shots])
        n_frames *= 4


def picture_ranking(nearest: Iterable[tuple[str, float]], sure: Mapping[str, float]) -> Ranking:
    """Shots by how surely they show what is asked, where that is known, then by their best frames' scores."""
    scores = dict(nearest)
    ranks = rank_scores({shot_id: (sure.get(shot_id, 0.0), score) for shot_id, score in scores.items()})
    return {shot_id: Match(PICTURE, ranks[shot_id], score) for shot_id, score in scores.items()}


def text_rankings(
    snapshot: Snapshot,
    aspect: Aspect,
    meaning_of: Callable[[Aspect], Meaning | None],
    settings: RankingSettings,
    allowed: set[str] | None,
    named: NamedVideos,
) -> list[Ranking]:
    """One ranking for each text channel that has rows and finds something; others are simply absent.

    The meaning of the words is asked for where there are texts with one; without it those channels are absent.

    By meaning there is always a nearest text, so only those count that stand out of what neutral texts have in
    common: else the least unfitting of three captions would get the vote of a first place.
    """
    if not aspect.words:
        return []
    counts = snapshot.text_counts()
    n_asked = len(snapshot.telling_words(aspect.words)) or 1

    def by_words(stage: str, n: int) -> list[TextHit]:
        return snapshot.search_text(aspect.words, [stage], n)

    rankings = []
    for stage in [stage.name for stage in text_stages() if counts.get(stage.name)]:
        hits = _search_allowed(partial(by_words, stage), settings.pool, allowed)
        well = [hit for hit in hits if _is_well_matched(hit, n_asked, settings.word_share)]
        rankings.append(_ranking(stage, well, allowed, settings.pool))
    found = _search_allowed(partial(by_words, NAME), settings.pool, allowed)
    rankings.append(_name_ranking(snapshot, found, named, n_asked, settings, allowed))
    rankings += _meaning_rankings(snapshot, aspect, meaning_of, settings, allowed)
    return [ranking for ranking in rankings if ranking]


def _meaning_rankings(
    snapshot: Snapshot,
    aspect: Aspect,
    meaning_of: Callable[[Aspect], Meaning | None],
    settings: RankingSettings,
    allowed: set[str] | None,
) -> list[Ranking]:
    """Votes of texts that mean what is asked, whatever their words."""
    counts = snapshot.text_counts()
    searched = [stage for stage in meaning_stages() if counts.get(stage.name)]
    meaning = meaning_of(aspect) if searched else None
    if meaning is None:
        return []

    def by_meaning(stage: str, n: int) -> list[TextHit]:
        return snapshot.search_text_vectors(meaning.vector, stage, n)

    rankings = []
    for stage in searched:
        hits = _search_allowed(partial(by_meaning, stage.name), settings.pool, allowed)
        near = [hit for hit in hits if meaning.background.stands_out(hit.score, settings.meaning_standing)]
        rankings.append(_ranking(stage.meaning_channel, near, allowed, settings.pool))
    return rankings


def _name_ranking(
    snapshot: Snapshot,
    hits: Sequence[TextHit],
    named: NamedVideos,
    n_asked: int,
    settings: RankingSettings,
    allowed: set[str] | None,
) -> Ranking:
    """Votes of file names, folders and metadata; files that the question names go first.

    Endings and words that many names share have no vote. A name speaks for a whole video whatever its shots show,
    so words of a name alone do not count as found by words: a `Match` has only those that metadata hold.
    """
    places: dict[str, list[NamedPlace]] = {}
    for place in snapshot.named_places_of({hit.video_id for hit in hits}):
        places.setdefault(place.video_id, []).append(place)
    voting = []
    for hit in hits:
        in_names, in_metadata = words_that_tell(hit, places.get(hit.video_id, ()), named)
        telling = replace(hit, words=tuple(dict.fromkeys([*in_names, *in_metadata])))
        if telling.words and _is_well_matched(telling, n_asked, settings.word_share):
            voting.append(replace(telling, words=tuple(in_metadata)))
    known = {hit.video_id for hit in voting}
    others = [video_id for video_id in named.matches if video_id not in known]
    voting += [
        TextHit(NAME, video_id, None, named.matches[video_id].path, 0.0, (), shot_ids)
        for video_id, shot_ids in snapshot.shot_ids_of_videos(others).items()
    ]
    first = {
        shot_id: named.matches[hit.video_id].naming
        for hit in voting
        if hit.video_id in named.matches
        for shot_id in hit.shot_ids
    }
    return _ranking(NAME, voting, allowed, settings.pool, first)


def _search_allowed(search: Callable[[int], list[TextHit]], n: int, allowed: set[str] | None) -> list[TextHit]:
    """The best n rows of shots that are allowed, or all there are: the deeper, the narrower the filter."""
    depth = n
    while True:
        hits = search(depth)
        fitting = [hit for hit in hits if allowed is None or not allowed.isdisjoint(hit.shot_ids)]
        if len(fitting) >= n or len(hits) < depth:
            return fitting[:n]
        depth *= 8


def required_rows(snapshot: Snapshot, match: TextMatch) -> Sequence[TextHit]:
    """All rows in which a required word or phrase stands; a star at its end stands for any ending."""
    stages = [*(stage.name for stage in text_stages()), NAME] if match.stage is None else [match.stage]
    n_rows = sum(snapshot.text_counts().values()) + snapshot.counts().videos
    words = match.words.rstrip("*")
    prefix = words != match.words
    return snapshot.search_text(words, stages, n_rows, phrase=match.phrase, prefix=prefix, all_words=True)


def required_rankings(hits: Sequence[TextHit], allowed: set[str] | None, pool: int) -> list[Ranking]:
    """Votes of a required word, for each channel in which it stands."""
    stages = dict.fromkeys(str(hit.stage) for hit in hits)
    return [_ranking(stage, [hit for hit in hits if str(hit.stage) == stage], allowed, pool) for stage in stages]


def _ranking(
    channel: str,
    hits: Iterable[TextHit],
    allowed: set[str] | None,
    pool: int,
    first: Mapping[str, float] | None = None,
) -> Ranking:
    """The first `pool` shots by their best rows; those of `first` before all others, the higher the sooner."""
    best: dict[str, Match] = {}
    for hit in hits:
        for shot_id in hit.shot_ids:
            known = best.get(shot_id)
            if (allowed is None or shot_id in allowed) and (known is None or hit.score > known.score):
                best[shot_id] = Match(channel, 0, hit.score, hit.shown_text, hit.words, hit.found_seconds)
    sooner = first or {}
    ranks = rank_scores({shot_id: (sooner.get(shot_id, 0), match.score) for shot_id, match in best.items()})
    taken = sorted(best, key=ranks.__getitem__)[:pool]
    return {shot_id: replace(best[shot_id], rank=ranks[shot_id]) for shot_id in taken}


def _is_well_matched(hit: TextHit, n_asked: int, share: float) -> bool:
    """Whether a row holds enough of the question's telling words: one common word of many is no answer."""
    return len({word.casefold() for word in hit.words}) >= share * min(n_asked, 8)

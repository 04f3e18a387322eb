"""From an answer to the clips of a supercut, chosen and ordered as the options say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.library.presence import FileState, look_for_files
from search_app.confidence.background import Background
from search_app.cutting import clip_order
from search_app.cutting.cut_list import Clip, CutList, build_cut_list
from search_app.cutting.cut_options import CutOptions, Order, exact_seconds
from search_app.cutting.fit import fit_to_length, keep_to_length
from search_app.cutting.matches import take_answers
from search_app.cutting.measured import measure_videos
from search_app.errors import CutError, QueryError
from search_app.query.picture import read_picture
from search_app.search.encoding import unit
from search_app.search.ranking import Hit
from store.filters import Used
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.cutting.fit import RateOf
    from store.records import Embeddings, FrameRow, VideoRow
    from store.snapshot import Snapshot

_SURELY = 0.99
"""No estimate is surer of being right, or wrong: one in a hundred is otherwise."""


def used_shots(snapshot: Snapshot) -> set[str]:
    """Ids of the shots that earlier exports show, as `used:ever` knows them."""
    return snapshot.matching_shots(Used(True), {})


def choose_clips(
    snapshot: Snapshot,
    hits: Sequence[Hit],
    options: CutOptions,
    used: Collection[str] = (),
    rate_of: RateOf | None = None,
    gone: Mapping[str, str] | None = None,
) -> CutList:
    """The clips of a supercut; every hit is in one, or left out with a reason.

    Args:
        snapshot: the generation that answered.
        hits: the answer, best first; more than are taken, since only matches are, and used ones are not.
        options: how to choose and order.
        used: ids of shots to avoid.
        rate_of: gives the rate of a film of some sources, whose frames a longest length is counted in; that of the
            sources themselves if None.
        gone: for each video to leave out, the reason, as `gone_files` gives them.

    Raises:
        CutError: nothing is left.
    """
    fresh, left_out = take_answers(hits, options.n_shots, options.bar, used, gone)
    videos: Mapping[str, VideoRow] = {video.video_id: video for video in snapshot.videos()}
    if rate_of is not None:  # a length in frames of a film needs the rate that the film will have
        videos = measure_videos(videos, fresh)
    if options.fit is None:
        cut_list = build_cut_list(fresh, videos, max_seconds=options.max_seconds, handles_seconds=options.handles)
        if options.max_seconds is not None and rate_of is not None:
            cut_list = keep_to_length(cut_list, exact_seconds(options.max_seconds), rate_of)
    else:
        vectors, mean_similarity = _vectors_of_hits(snapshot, fresh), mean_similarity_of(snapshot)
        worths = worth_of_hits(fresh)
        cut_list = fit_to_length(
            fresh,
            worths,
            vectors,
            videos,
            options.limits,
            mean_similarity=mean_similarity,
            first=0,
            rate_of=rate_of,
        )
    left_out = sorted([*left_out, *cut_list.left_out], key=lambda left: left.hit.rank)
    if not cut_list.clips:
        reasons = Counter(left.reason for left in left_out)
        why = "; ".join(f"{reason} ({n})" for reason, n in reasons.most_common())
        raise CutError(f"nothing to render: of {n_of(len(left_out), 'shot')} all are left out: {why}")
    places = order_clips(snapshot, cut_list.clips, options.order, options.random_seed)
    return CutList(tuple(cut_list.clips[place] for place in places), tuple(left_out))


def worth_of_hits(hits: Sequence[Hit]) -> list[float]:
    """Utility of each hit for a fitted cut list, 1 for the best.

    The joined vote for it times the odds that it shows what was asked: so what is surely right counts for more
    than several that may be, whatever their lengths and looks. Hits beyond those that were voted on count like the
    last of these; without any vote all are worth the same.
    """
    votes = [hit.relevance for hit in hits if hit.relevance > 0]
    lowest = min(votes, default=1.0)
    worths = [(hit.relevance or lowest) * odds_of(1.0 if hit.reaches(1.0) else hit.confidence) for hit in hits]
    best = max(worths, default=0.0)
    return [worth / best for worth in worths]


def odds_of(confidence: float | None) -> float:
    """Odds of being right, at most 99 and at least 1/99; 1 where they are not known."""
    sure = 0.5 if confidence is None else max(1 - _SURELY, min(confidence, _SURELY))
    return sure / (1 - sure)


def gone_files(snapshot: Snapshot, video_ids: Iterable[str], *, needs_files: bool) -> dict[str, str]:
    """For each of these videos whose file is missing now, the reason to leave it out.

    Args:
        snapshot: the archive.
        video_ids: fingerprints.
        needs_files: also what is offline, since the file itself is to be read.
    """
    found = look_for_files(snapshot, video_ids)
    return {
        video_id: one.reason
        for video_id, one in found.items()
        if one.state is FileState.MISSING or (needs_files and not one.is_there)
    }


def order_clips(snapshot: Snapshot, clips: Sequence[Clip], order: Order, seed: int) -> Sequence[int]:
    """In which order clips are joined, as their positions from 0."""
    parts = [clip.hits[0] for clip in clips]
    places: Sequence[int] = range(len(clips))
    match order:
        case Order.RELEVANCE:
            places = clip_order.by_relevance(clips)
        case Order.DATE:
            places = clip_order.by_date(clips, snapshot.dates())
        case Order.SOURCE:
            places = clip_order.by_source(clips)
        case Order.LOOK:
            places = clip_order.by_look(vectors_of_parts(snapshot, parts))
        case Order.BRIGHTNESS:
            places = clip_order.by_brightness([luma_of_frame(frame) for frame in _best_frames(snapshot, parts)])
        case Order.RANDOM:
            places = clip_order.by_chance(len(clips), seed)
    return places


def luma_of_frame(frame: FrameRow) -> float | None:
    """Mean luma of a frame's thumbnail; None if it cannot be read, since thumbnails are a cache."""
    try:
        return clip_order.mean_luma(read_picture(Path(frame.thumbnail)))
    except QueryError:
        return None


def _best_frames(snapshot: Snapshot, parts: Sequence[Hit]) -> list[FrameRow]:
    """For each part of an answer the sampled frame that answers."""
    frames: dict[str, list[FrameRow]] = {}
    for frame in snapshot.frames_of_shots(sorted({part.shot.shot_id for part in parts})):
        frames.setdefault(frame.shot_id, []).append(frame)
    return [_nearest(frames[part.shot.shot_id], part.time) for part in parts]


def _nearest(frames: Sequence[FrameRow], time: Fraction) -> FrameRow:
    return min(frames, key=lambda frame: abs(frame.time - time))


def vectors_of_parts(snapshot: Snapshot, parts: Sequence[Hit]) -> Embeddings:
    """For each part of an answer the vector of the frame that answers: float32, (n_parts, dim)."""
    ids = [frame.frame_id for frame in _best_frames(snapshot, parts)]
    return snapshot.frame_vectors(np.array(ids, dtype=np.int64))


def _vectors_of_hits(snapshot: Snapshot, hits: Sequence[Hit]) -> Embeddings:
    """One vector for each hit: the middle of those of its steps, if it has several."""
    vectors = vectors_of_parts(snapshot, [part for hit in hits for part in hit.parts])
    ends = np.cumsum([len(hit.parts) for hit in hits], dtype=np.int64)
    rows = [unit(one.mean(axis=0)) for one in np.split(vectors, ends[:-1])] if hits else []
    return np.array(rows, dtype=np.float32).reshape(len(hits), vectors.shape[1])


def mean_similarity_of(snapshot: Snapshot) -> float:
    """Mean cosine between frames of the archive."""
    frames = snapshot.background()
    return Background(frames, frames[:0]).mean_similarity

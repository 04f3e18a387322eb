"""Shots that no question asks for: unlike all others, worth showing, near what was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search_app.config import RankingSettings
from search_app.conforming.target_profile import film_rate
from search_app.cutting.choice import choose_clips, gone_files, luma_of_frame, mean_similarity_of
from search_app.cutting.cut_film import clips_of_hits
from search_app.cutting.cut_list import CutList
from search_app.cutting.cut_options import CutOptions, Order
from search_app.cutting.stored_cut import State, list_cuts, read_cut
from search_app.errors import CutError, QueryError
from search_app.search.decisions import overlapping_shots, shares_half
from search_app.search.mmr import order_with_variety
from search_app.search.near_kept import NearKept, rank_near_kept
from search_app.search.outliers import (
    NEIGHBOURS,
    STANDS_OUT,
    ShotVectors,
    modified_z_scores,
    neighbour_distances,
    read_shot_vectors,
)
from search_app.search.ranking import Hit
from search_app.use_cases.change_cut import CutChange, NewClips, begin_cut, refuse_name
from store.filters import Used
from store.wording import n_of

if TYPE_CHECKING:
    from store.archive import Archive
    from store.records import Embeddings, FrameRow, ShotRow
    from store.snapshot import Snapshot
    from store.timespan import TimeSpan

_MOST_FITTED = 2_000
_PLAIN_WORTH = 0.25
_UNWANTED_CUES = frozenset({"black", "bars", "credits"})
_MOST_RANKED = 1_000
_DARK_LUMA = 12.0
SHORTEST_HIGHLIGHT = 2.0
"""Seconds of a clip of highlights at least, where nothing else is asked for: shorter ones flicker."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A shot and how unlike the others it is.

    Args:
        shot: the shot.
        distance: mean distance (1 - cosine) to its nearest neighbours.
        standing: how far that stands out of the others', in robust standard deviations.
    """

    shot: ShotRow
    distance: float
    standing: float

    @property
    def stands_out(self) -> bool:
        """Whether it is an anomaly, and not only the farthest there is."""
        return self.standing >= STANDS_OUT


@dataclass(frozen=True, slots=True)
class Recommended:
    """A shot that nobody decided about, and the kept one that it is near.

    Args:
        shot: the shot.
        near: the kept shot.
        similarity: their cosine.
    """

    shot: ShotRow
    near: ShotRow
    similarity: float


@dataclass(frozen=True, slots=True)
class Highlights:
    """Clips chosen to show a video or an archive in short.

    Args:
        cut_list: the clips in order of their sources, and what is left out.
        change: the cut list that they were stored in; None where no name was given.
    """

    cut_list: CutList
    change: CutChange | None = None


def find_anomalies(archive: Archive, video: str | None = None, n_neighbours: int = NEIGHBOURS) -> list[Anomaly]:
    """All shots of an archive, or of one video, the most unlike first.

    Args:
        archive: where to look.
        video: compare the shots of this video with each other; path, end of a path, or fingerprint.
        n_neighbours: so many nearest shots each is compared with.

    Raises:
        QueryError: there are too few shots to compare.
        UnknownIdError: there is no such video.
    """
    known = _read(archive.snapshot(), video)
    if len(known.shots) < 3:
        raise QueryError(f"{n_of(len(known.shots), 'shot')}: what is unusual needs at least three to compare")
    distances = neighbour_distances(known.vectors, n_neighbours)
    standings = modified_z_scores(distances)
    order = np.argsort(-distances, kind="stable").tolist()
    return [Anomaly(known.shots[n], float(distances[n]), float(standings[n])) for n in order]


def find_highlights(
    archive: Archive, options: CutOptions, video: str | None = None, *, cut: str | None = None
) -> Highlights:
    """The clips that show most in a given time: unusual shots before plain ones, each unlike the others.

    What a shot is worth grows with its place among the shots by the distance to their neighbours; the choice
    covers as much of that worth as it can (`cutting.fit`), so that copies add nothing. Blank shots, colour bars
    and credits are left out.

    Args:
        archive: where to look.
        options: `fit` is how many seconds; the order is that of the sources, whatever it says.
        video: only shots of this video.
        cut: name of a new cut list to store them in.

    Raises:
        QueryError: there are no shots, or the name is taken.
        CutError: nothing fits.
        UnknownIdError: there is no such video.
    """
    before = None if cut is None else refuse_name(archive, cut)
    snapshot = archive.snapshot()
    known = _read(snapshot, video)
    hits = _worth_showing(snapshot, known)
    if not hits:
        raise CutError("nothing to show: every shot is blank, colour bars or credits")
    gone = gone_files(snapshot, {hit.shot.video_id for hit in hits}, needs_files=False)
    shortest = min(SHORTEST_HIGHLIGHT, options.fit or SHORTEST_HIGHLIGHT, options.max_clip or SHORTEST_HIGHLIGHT)
    chosen = replace(
        options,
        order=Order.SOURCE,
        limit=min(len(hits), _MOST_FITTED),
        min_clip=shortest if options.min_clip is None else options.min_clip,
    )
    cut_list = choose_clips(snapshot, hits, chosen, (), film_rate, gone)
    if before is None or cut is None:
        return Highlights(cut_list)
    name = "the archive" if video is None else snapshot.video(video).path
    clips = clips_of_hits(cut_list, "")
    settings = {"options": chosen.provenance()}
    what = f"highlights of {name}: {n_of(len(clips), 'clip')}"
    return Highlights(cut_list, begin_cut(archive, before, NewClips(what, clips, settings)))


def recommend(archive: Archive, limit: int, variety: float = 0.3) -> list[Recommended]:
    """Shots that were not seen, near those that were kept, best first.

    Kept are shots that were judged right for any question, and the clips of stored cut lists; rejected are those
    judged wrong, and rejected clips. Seen is all of it, what was looked at for a cut list, and what was exported.

    Args:
        archive: where to look.
        limit: how many.
        variety: 0 for the nearest, 1 for what is unlike all before it.

    Raises:
        QueryError: nothing was kept yet.
    """
    snapshot = archive.snapshot()
    known = _read(snapshot, None)
    place_of = {shot.shot_id: n for n, shot in enumerate(known.shots)}
    kept, rejected, looked_at = _decided(snapshot, known)
    rejected -= kept
    if not kept:
        raise QueryError("nothing was kept yet: rushes search ARCHIVE QUERY --keep SHOT, or keep a cut list")
    seen = kept | rejected | looked_at | (snapshot.matching_shots(Used(True), {}) & place_of.keys())
    kept_places, fresh = (
        [place_of[one] for one in sorted(kept)],
        [n for one, n in place_of.items() if one not in seen],
    )
    vectors = known.vectors[fresh]
    places = [place_of[one] for one in sorted(rejected)]
    near = rank_near_kept(vectors, known.vectors[kept_places], known.vectors[places])[:_MOST_RANKED]
    return [
        Recommended(known.shots[fresh[one.item]], known.shots[kept_places[one.kept]], one.similarity)
        for one in _varied(snapshot, near, vectors, variety)[:limit]
    ]


def _varied(snapshot: Snapshot, near: Sequence[NearKept], vectors: Embeddings, variety: float) -> list[NearKept]:
    if not near:
        return []
    scores = [one.similarity for one in near]
    order = order_with_variety(scores, vectors[[one.item for one in near]], variety, mean_similarity_of(snapshot))
    return [near[place] for place in order]


def _read(snapshot: Snapshot, video: str | None) -> ShotVectors:
    """The shots of a video, or of all.

    Raises:
        QueryError: there are none.
    """
    known = read_shot_vectors(snapshot, None if video is None else snapshot.video(video).video_id)
    if not known.shots:
        raise QueryError("the archive holds no videos yet; fill it with: rushes index ARCHIVE PATH")
    return known


def _worth_showing(snapshot: Snapshot, known: ShotVectors) -> list[Hit]:
    """The shots as hits, what is worth most first; blank ones and technical pictures are left out."""
    distances = neighbour_distances(known.vectors)
    n = len(distances)
    ranks = np.empty(n)
    ranks[np.argsort(distances, kind="stable")] = np.arange(n)
    worths = _PLAIN_WORTH + (1 - _PLAIN_WORTH) * (ranks / max(1, n - 1))
    technical = {
        video_id: [one.row.span for one in snapshot.stage_rows(video_id, "cue") if one.row.text in _UNWANTED_CUES]
        for video_id in {shot.video_id for shot in known.shots}
    }
    blank = RankingSettings().blank_sharpness
    order = [
        place
        for place in np.argsort(-worths, kind="stable").tolist()
        if known.frames[place].sharpness >= blank
        and not _is_covered(known.shots[place].shot.span, technical[known.shots[place].video_id])
        and not _is_dark(known.frames[place])
    ]
    return [
        Hit(
            rank,
            0.0,
            known.shots[place],
            known.frames[place].time,
            known.frames[place].thumbnail,
            relevance=float(worths[place]),
            is_measured=False,
        )
        for rank, place in enumerate(order, start=1)
    ]


def _is_dark(frame: FrameRow) -> bool:
    """Whether a picture is all but black; of one whose thumbnail is gone that is not known."""
    luma = luma_of_frame(frame)
    return luma is not None and luma < _DARK_LUMA


def _is_covered(span: TimeSpan, others: Iterable[TimeSpan]) -> bool:
    return any(shares_half(span, other) and other.duration * 2 >= span.duration for other in others)


def _decided(snapshot: Snapshot, known: ShotVectors) -> tuple[set[str], set[str], set[str]]:
    """Ids of the shots that were kept, that were rejected, and that were only looked at."""
    of_video: dict[str, list[ShotRow]] = {}
    for shot in known.shots:
        of_video.setdefault(shot.video_id, []).append(shot)

    def shots_of(stretches: Iterable[tuple[str, TimeSpan]]) -> set[str]:
        return {
            shot_id
            for video_id, span in stretches
            for shot_id in overlapping_shots(of_video.get(video_id, ()), span)
        }

    judged = snapshot.judgements()
    clips = [clip for cut in list_cuts(snapshot) for clip in read_cut(snapshot, cut.name).clips]
    kept = shots_of((one.fingerprint, one.span) for one in judged if one.verdict == "keep")
    kept |= shots_of((clip.video_id, clip.span) for clip in clips if clip.state is not State.REJECTED)
    rejected = shots_of((one.fingerprint, one.span) for one in judged if one.verdict == "reject")
    rejected |= shots_of((clip.video_id, clip.span) for clip in clips if clip.state is State.REJECTED)
    looked_at = shots_of(one for name in snapshot.cut_names() for one in snapshot.cut_seen(name))
    return kept, rejected, looked_at

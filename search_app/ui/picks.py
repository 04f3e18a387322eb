"""The ticked shots: a cut list of the archive, so that they outlive a reload, the server and a change of archive.

It is called `picks`, and is a cut list like any other: `rushes cut show ARCHIVE picks` lists it, `rushes cut undo`
takes the last tick back, and every tick is a version. Each function works on what is stored now, not on what a tab
has drawn: two tabs see the same ticks, and none is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.conforming.target_profile import film_rate
from search_app.cutting import stored_cut
from search_app.cutting.cut_edits import add_clips
from search_app.cutting.cut_film import clips_of_hits, film_length
from search_app.cutting.cut_list import build_cut_list
from search_app.cutting.stored_cut import PICKS, CutClip, StoredCut, look_for_cut
from search_app.errors import QueryError
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.search.ranking import Hit
    from store.archive import Archive
    from store.snapshot import Snapshot

_TRIES = 5


class Order(StrEnum):
    """Orders of ticked shots in the supercut."""

    TICKED = "As ticked"
    SCORE = "Best first"


def read_picks(snapshot: Snapshot) -> StoredCut:
    """Ticked shots of an archive; none before the first tick."""
    return look_for_cut(snapshot, PICKS)


def is_picked(picks: StoredCut, hit: Hit) -> bool:
    """Whether a hit is ticked: whether each of its shots is in the list."""
    ticked = {(clip.video_id, clip.shot_id) for clip in picks.clips}
    return all((part.shot.video_id, part.shot.shot_id) in ticked for part in hit.parts)


def tick(archive: Archive, hits: Sequence[Hit], question: str) -> list[str]:
    """Put hits into the list, behind all others; what is in it already keeps its place.

    Returns:
        For people, what could not be put in.

    Raises:
        ArchiveError: it cannot be written down.
    """
    left_out: list[str] = []

    def add(cut: StoredCut, snapshot: Snapshot) -> Iterable[CutClip]:
        videos = {video.video_id: video for video in snapshot.videos()}
        new = [hit for hit in hits if not is_picked(cut, hit)]
        made = build_cut_list(new, videos)
        edited = add_clips(cut.clips, clips_of_hits(made, question))
        left_out[:] = [f"{Path(left.hit.shot.path).name}: {left.reason}" for left in made.left_out]
        left_out.extend(f"{Path(clip.path).name}: {reason}" for clip, reason in edited.left_out)
        return edited.clips

    _change(archive, f"picked {n_of(len(hits), 'shot')} on the page", add)
    return left_out


def untick(archive: Archive, shot_ids: Iterable[str]) -> None:
    """Take shots out of the list.

    Raises:
        ArchiveError: it cannot be written down.
    """
    gone = set(shot_ids)
    _change(
        archive,
        f"took {n_of(len(gone), 'shot')} out on the page",
        lambda cut, _: [clip for clip in cut.clips if clip.shot_id not in gone],
    )


def remove_place(archive: Archive, picks: StoredCut, place: int) -> None:
    """Take the clip at a place, from 1, of the list as it was read out of the list as it is now.

    Raises:
        ArchiveError: it cannot be written down.
    """
    gone = picks.clips[place - 1]

    def remove(cut: StoredCut, _: Snapshot) -> Iterable[CutClip]:
        at = next((number for number, clip in enumerate(cut.clips) if clip == gone), len(cut.clips))
        return [*cut.clips[:at], *cut.clips[at + 1 :]]

    _change(archive, f"took clip {place} out on the page", remove)


def clear(archive: Archive) -> None:
    """Take all shots out.

    Raises:
        ArchiveError: it cannot be written down.
    """
    _change(archive, "cleared on the page", lambda *_: ())


def undo(archive: Archive) -> None:
    """Take the last change of the list back.

    Raises:
        ArchiveError: there is none, or it cannot be written down.
    """
    stored_cut.undo(archive, read_picks(archive.snapshot()))


def _change(archive: Archive, action: str, change: Callable[[StoredCut, Snapshot], Iterable[CutClip]]) -> None:
    """Make a version of the list as it is now; if another tab was faster, of what that made of it."""
    for n_left in reversed(range(_TRIES)):
        snapshot = archive.snapshot()
        cut = read_picks(snapshot)
        clips = tuple(change(cut, snapshot))
        if clips == cut.clips:
            return
        try:
            stored_cut.commit(archive, cut, clips, action, settings={})
        except QueryError:
            if not n_left:
                raise
        else:
            return


def ordered(picks: StoredCut, order: Order) -> list[tuple[int, CutClip]]:
    """The clips as they are to follow each other, each with its place in the list, from 1."""
    clips = list(enumerate(picks.clips, start=1))
    # Equal scores keep the order of ticking.
    return clips if order is Order.TICKED else sorted(clips, key=lambda numbered: -numbered[1].score)


def duration_of(snapshot: Snapshot, picks: StoredCut) -> Fraction:
    """Length of their film in seconds, exact."""
    length = film_length(snapshot, picks.clips, film_rate)
    return Fraction(0) if length is None else length[0] / length[1]

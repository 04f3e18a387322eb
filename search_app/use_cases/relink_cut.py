"""Relink clips of a stored cut list whose source was exported again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.cutting.stored_cut import StoredCut, commit, read_cut
from search_app.errors import QueryError
from search_app.relinking.relink import Relinked, Relinker, gone_places
from search_app.use_cases.change_cut import CutChange
from search_app.use_cases.cut_values import parse_places
from store.wording import n_of

if TYPE_CHECKING:
    from store.archive import Archive
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class RelinkedCut:
    """Outcomes of the clips of a cut list that had lost their video.

    Args:
        found: for each of them what took the place of its video, if anything did.
        taken: places of the clips that are relinked.
        lost_rights: rights of old files that the new ones do not have, a line each, for people.
        change: the new version; None if there is none.
    """

    found: tuple[Relinked, ...]
    taken: frozenset[int]
    lost_rights: tuple[str, ...]
    change: CutChange | None

    @property
    def is_whole(self) -> bool:
        """Whether no clip is left without a video."""
        return len(self.taken) == len(self.found)


def relink_cut(
    archive: Archive,
    name: str,
    *,
    places: str | None = None,
    video: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> RelinkedCut:
    """Find the files that took the place of those that clips came from, and make a version with them.

    Args:
        archive: where the cut list and the new videos are.
        name: of the cut list.
        places: of clips, as people type them; all that lost their video if None.
        video: look in this one alone.
        force: also take what is doubtful.
        dry_run: make no version.

    Raises:
        QueryError: there is no such cut list or place, or a clip has its video.
        UnknownIdError: there is no such video.
    """
    snapshot = archive.snapshot()
    before = read_cut(snapshot, name)
    gone = gone_places(snapshot, before.clips)
    wanted = gone if places is None else parse_places(places, len(before.clips))
    if idle := sorted(set(wanted) - set(gone)):
        raise QueryError(f"clip {idle[0]} has its video: only clips whose video is gone are relinked")
    row = snapshot.video(video) if video else None
    relinker = Relinker(snapshot)
    found = tuple(relinker.relink(place, before.clips[place - 1], row) for place in wanted)
    new = {one.place: one.new for one in found if one.new and (force or one.is_certain)}
    lost = _lost_rights(snapshot, before, [one for one in found if one.place in new])
    change = None
    if new and not dry_run:
        clips = [new.get(place, clip) for place, clip in enumerate(before.clips, start=1)]
        action = f"relinked {n_of(len(new), 'clip')}"
        change = CutChange(commit(archive, before, clips, action), action)
    return RelinkedCut(found, frozenset(new), tuple(lost), change)


def _lost_rights(snapshot: Snapshot, before: StoredCut, taken: Sequence[Relinked]) -> list[str]:
    """Rights that were set on the old file and do not hold for the new one, for people."""
    flags = {flag.fingerprint: flag for flag in snapshot.rights()}
    videos = {before.clips[one.place - 1].video_id: one for one in taken}
    return [
        f"{Path(one.old.path).name}: the old file has rights ({flags[video_id].rule}"
        f"{f': {flags[video_id].note}' if flags[video_id].note else ''}) that the new one does not have; "
        f"set them again with `rushes rights`"
        for video_id, one in videos.items()
        if video_id in flags
    ]

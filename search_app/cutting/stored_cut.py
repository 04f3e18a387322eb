"""Named cut lists in the archive: versions that never change, and which of them counts.

Every edit makes a version; undo and redo choose an older or newer one, so that `undo(edit(cut))` is `cut` itself.
Which version counts follows from the events of a name in their order:

- An edit of the version that counts makes its own version count, and there is nothing to redo any more.
- An edit of any other version is refused before it is written (`commit`). Where two machines wrote without knowing
  of each other, as into copies of an archive that are joined later, the one that comes first in the order of all
  events counts, and the other goes on as a branch, `NAME~2`: nothing is lost, and nothing is mixed.
- To undo or redo what does not count any more means nothing.

A clip is a stretch of a video by content: fingerprint and exact times. Its shot is only remembered beside it, so a
cut list outlives a new detection of shots, another model, and files that move.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from hashlib import blake2b
from json import dumps
from typing import TYPE_CHECKING, Any

from search_app.errors import QueryError
from store.errors import ArchiveDamagedError
from store.events import CutEdited, CutMoved
from store.limited import read_fraction
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.archive import Archive
    from store.records import CutStep
    from store.snapshot import Snapshot

BRANCH = "~"
PICKS = "picks"  # what is ticked on the page; no other cut list may be called so
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("fingerprint", "start", "end", "time", "path", "shot", "question", "before", "after"), (str,)
    ),
    **dict.fromkeys(("note", "state", "by"), (str,)),
    "rank": (int,),
    "score": (int, float),
    "confidence": (int, float, type(None)),
}
_DELETED = "is_deleted"


class State(StrEnum):
    """Decision about a clip."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class CutClip:
    """A clip of a stored cut list.

    Args:
        video_id: fingerprint of the source.
        span: the clip, without handles, in exact seconds of the source.
        time: of the frame that answers best, in exact seconds of the source.
        path: where the source was when the clip was made; for people.
        shot_id: the shot it came from, as shots were then; empty for a time range.
        question: what was asked.
        rank: place among the answers, from 1; a take that was swapped in has the place of the clip before it.
        score: cosine of its best frame with the question; 0 for what was not searched for.
        confidence: how surely it shows what was asked for; None if that is not known.
        before: seconds of the source that are added before it, as far as they are free.
        after: seconds that are added behind it.
        note: what people wrote.
        state: open, accepted or rejected; a rejected clip keeps its place, and is in no film.
        decided_by: who accepted or rejected it.
    """

    video_id: str
    span: TimeSpan
    time: Fraction
    path: str
    shot_id: str = ""
    question: str = ""
    rank: int = 1
    score: float = 0.0
    confidence: float | None = None
    before: Fraction = Fraction(0)
    after: Fraction = Fraction(0)
    note: str = ""
    state: State = State.OPEN
    decided_by: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether it is in the film."""
        return self.state is not State.REJECTED

    @property
    def decision(self) -> str:
        """The decision and its author, for people: `accepted by Anna`; empty without one."""
        if self.state is State.OPEN:
            return ""
        return f"{self.state} by {self.decided_by}" if self.decided_by else str(self.state)

    def to_plain(self) -> dict[str, Any]:
        """Plain data, as an event has it."""
        return {
            "fingerprint": self.video_id,
            "start": _text(self.span.start),
            "end": _text(self.span.end),
            "time": _text(self.time),
            "path": self.path,
            "shot": self.shot_id,
            "question": self.question,
            "rank": self.rank,
            "score": round(self.score, 6),
            "confidence": None if self.confidence is None else round(self.confidence, 6),
            "before": _text(self.before),
            "after": _text(self.after),
            "note": self.note,
            "state": self.state.value,
            "by": self.decided_by,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> CutClip:
        """The clip that `to_plain` made plain.

        Raises:
            ValueError: a field is missing, or not of its type: edits may be a stranger's.
        """
        for name, kinds in _KINDS.items():
            if name not in plain or type(plain[name]) not in kinds:
                raise ValueError(f"{name} of a clip is none")
        return cls(
            plain["fingerprint"],
            TimeSpan(_time(plain["start"]), _time(plain["end"])),
            _time(plain["time"]),
            plain["path"],
            plain["shot"],
            plain["question"],
            plain["rank"],
            plain["score"],
            plain["confidence"],
            _time(plain["before"]),
            _time(plain["after"]),
            plain["note"],
            State(plain["state"]),
            plain["by"],
        )


@dataclass(frozen=True, slots=True)
class StoredCut:
    """A cut list as it is now.

    Args:
        name: its name.
        version: id of the version that counts; empty before the first.
        clips: in order.
        settings: the question it answers, as `query`, and what else belongs to it; plain data.
        steps: all that became of the name, in order.
        undo_to: the version that undo goes back to; empty if there is none.
        redo_to: the version that redo goes to; empty if there is none.
        branches: names under which edits go on that were made without knowing of others.
    """

    name: str
    version: str = ""
    clips: tuple[CutClip, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[CutStep, ...] = ()
    undo_to: str = ""
    redo_to: str = ""
    branches: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """Number of this version, from 1, for people; 0 before the first."""
        return _numbers(self.steps).get(self.version, 0)

    @property
    def query(self) -> str:
        """The question it answers; empty if it was made of shots that somebody named."""
        return str(self.settings.get("query", ""))


@dataclass(slots=True)
class _Branch:
    """A line of versions on the way through the events."""

    name: str
    head: str
    redo: list[str] = field(default_factory=list)


def editor_name() -> str:
    """Name of the user at this machine; empty if that is not known."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def follow_steps(name: str, steps: Iterable[CutStep]) -> dict[str, tuple[str, str]]:
    """For each branch of a cut list, the version that counts and the one that redo goes to.

    Args:
        name: of the cut list.
        steps: what became of it, in the order of all events.
    """
    branches: list[_Branch] = []
    for step in steps:
        fitting = [one for one in branches if one.head == step.parent]
        # Two branches may be back at one version. Older events name no branch, and names of branches may be others
        # after copies of an archive were joined: then the version alone tells.
        branch = next((one for one in fitting if one.name == step.branch), fitting[0] if fitting else None)
        if step.is_move:
            if branch is None:
                continue
            if branch.redo and branch.redo[-1] == step.version:
                branch.redo.pop()
            else:
                branch.redo.append(branch.head)
            branch.head = step.version
        elif branch is None:
            number = len(branches) + 1
            branches.append(_Branch(name if number == 1 else f"{name}{BRANCH}{number}", step.version))
        else:
            branch.head = step.version
            branch.redo.clear()
    return {branch.name: (branch.head, branch.redo[-1] if branch.redo else "") for branch in branches}


def read_cut(snapshot: Snapshot, name: str) -> StoredCut:
    """The cut list of that name as it is now.

    Raises:
        QueryError: there is none.
        ArchiveDamagedError: a clip stood in edits that were damaged.
    """
    cut = read_deleted_too(snapshot, name)
    if cut.settings.get(_DELETED):
        raise _not_there(snapshot, name, "was deleted (`rushes cut undo` brings it back)")
    return cut


def read_deleted_too(snapshot: Snapshot, name: str) -> StoredCut:
    """As `read_cut`, but a deleted one is given too."""
    cut = look_for_cut(snapshot, name)
    if not cut.version:
        raise _not_there(snapshot, name, "is not there")
    return cut


def _not_there(snapshot: Snapshot, name: str, why: str) -> QueryError:
    known = ", ".join(one.name for one in list_cuts(snapshot)) or "none yet"
    return QueryError(f"the cut list {name!r} {why}; there are: {known}")


def look_for_cut(snapshot: Snapshot, name: str) -> StoredCut:
    """As `read_cut`, but a free name gives a cut list without a version, and a deleted one is given too."""
    cut = _without_clips(name, tuple(snapshot.cut_steps(_root(name))))
    return replace(cut, clips=_read_clips(snapshot, _root(name), cut.version))


def _root(name: str) -> str:
    """The name of the cut list that a branch belongs to."""
    return name.partition(BRANCH)[0]


def _without_clips(name: str, steps: tuple[CutStep, ...]) -> StoredCut:
    branches = follow_steps(_root(name), steps)
    head, redo_to = branches.get(name, ("", ""))
    made = {step.version: step for step in steps if not step.is_move}
    others = tuple(other for other in branches if other != name)
    if head not in made:  # a free name
        return StoredCut(name, steps=steps, branches=others)
    return StoredCut(name, head, (), dict(made[head].settings), steps, made[head].parent, redo_to, others)


def list_cuts(snapshot: Snapshot) -> list[StoredCut]:
    """Every cut list that was not deleted, and its branches, by name; without their clips."""
    found = []
    for root in snapshot.cut_names():
        steps = tuple(snapshot.cut_steps(root))
        cuts = (_without_clips(name, steps) for name in follow_steps(root, steps))
        found += [cut for cut in cuts if cut.version and not cut.settings.get(_DELETED)]
    return found


def _read_clips(snapshot: Snapshot, root: str, version: str) -> tuple[CutClip, ...]:
    clips = []
    for place, plain in enumerate(snapshot.cut_clips(root, version), start=1):
        if "fingerprint" not in plain:
            raise ArchiveDamagedError(
                f"clip {place} of the cut list {root!r} stood in edits that were damaged: "
                "restore them from a backup, or go back with `rushes cut undo`"
            )
        try:
            clips.append(CutClip.from_plain(plain))
        except ValueError as error:
            raise ArchiveDamagedError(f"clip {place} of the cut list {root!r} cannot be: {error}") from error
    return tuple(clips)


def commit(
    archive: Archive,
    before: StoredCut,
    clips: Sequence[CutClip],
    action: str,
    *,
    settings: Mapping[str, Any] | None = None,
    seen: Iterable[tuple[str, TimeSpan]] = (),
    editor: str | None = None,
) -> StoredCut:
    """Make a version, and make it count.

    Args:
        archive: where.
        before: the cut list as it was read; what its clips are is not written again.
        clips: the clips of the new version.
        action: what was done, for people.
        settings: those of the new version; None for the ones before.
        seen: what was looked at besides the clips.
        editor: who did it; None for who sits here.

    Raises:
        QueryError: somebody changed it since it was read; nothing was written.
    """
    known = {_clip_id(clip) for clip in before.clips}
    ids = [_clip_id(clip) for clip in clips]
    event = CutEdited(
        _root(before.name),
        secrets.token_hex(8),
        before.version,
        action,
        editor_name() if editor is None else editor,
        tuple(ids),
        {name: clip.to_plain() for name, clip in zip(ids, clips, strict=True) if name not in known},
        tuple((video_id, _text(span.start), _text(span.end)) for video_id, span in seen),
        dict(before.settings if settings is None else settings),
        before.name,
    )
    now = _record(archive, before, event)
    return replace(now, clips=tuple(clips))


def delete_cut(archive: Archive, before: StoredCut) -> StoredCut:
    """Hide a cut list; undo brings it back."""
    return commit(archive, before, (), "deleted", settings={**before.settings, _DELETED: True})


def undo(archive: Archive, before: StoredCut) -> StoredCut:
    """Make the version before this one count again.

    Raises:
        QueryError: there is none, or somebody changed it since it was read.
    """
    if not before.undo_to:
        raise QueryError(f"there is nothing to undo in the cut list {before.name!r}")
    return _move(archive, before, before.undo_to, "undo")


def redo(archive: Archive, before: StoredCut) -> StoredCut:
    """Make the version count again that was undone last.

    Raises:
        QueryError: there is none, or somebody changed it since it was read.
    """
    if not before.redo_to:
        raise QueryError(f"there is nothing to redo in the cut list {before.name!r}")
    return _move(archive, before, before.redo_to, "redo")


def _move(archive: Archive, before: StoredCut, version: str, action: str) -> StoredCut:
    root = _root(before.name)
    moved = CutMoved(root, version, before.version, action, editor_name(), before.name)
    now = _record(archive, before, moved)
    return replace(now, clips=_read_clips(archive.snapshot(), root, version))


def _record(archive: Archive, before: StoredCut, event: CutEdited | CutMoved) -> StoredCut:
    """Write an edit, unless somebody was faster; the cut list as it is then, without its clips."""
    root = _root(before.name)

    def events(snapshot: Snapshot) -> list[CutEdited | CutMoved]:
        now = _without_clips(before.name, tuple(snapshot.cut_steps(root)))
        if now.version != before.version:
            last = now.steps[-1]
            raise QueryError(
                f"the cut list {before.name!r} was changed meanwhile by {last.editor or 'somebody'} "
                f"({last.action}); look at it and do it again: nothing was changed"
            )
        return [event]

    archive.record_if(events)
    return _without_clips(before.name, tuple(archive.snapshot().cut_steps(root)))


def _clip_id(clip: CutClip) -> str:
    """Made of all that the clip is, so that an unchanged clip is never written twice."""
    return blake2b(dumps(clip.to_plain(), sort_keys=True).encode(), digest_size=9).hexdigest()


def _text(time: Fraction) -> str:
    return f"{time.numerator}/{time.denominator}"


def _time(text: str) -> Fraction:
    return read_fraction(text)


def _numbers(steps: Iterable[CutStep]) -> dict[str, int]:
    return {step.version: number for number, step in enumerate((s for s in steps if not s.is_move), start=1)}

"""Events: decisions and observations rather than computed results, one class for each kind of line of the edits.

An event is a plain fact with a time. Events of all writers have one total order, and each rule says which of two
facts about the same thing holds, so that the archive means the same in whatever order they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from store.limited import read_fraction
from store.records import EmbeddingSpace
from store.timespan import TimeSpan


def _refuse_impossible(start: object, end: object) -> None:
    """Refuse a stretch that is none before it is written: once in the edits, every publishing would meet it."""
    TimeSpan(read_fraction(start), read_fraction(end))


Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootNamed:
    """A library root is at this path; the last event for a name holds, so a root can be re-pointed.

    Args:
        name: short name of the root, never changed.
        path: absolute path of its folder.
    """

    kind: ClassVar[str] = "root"
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A file with this content was at this place; the last event for a place holds.

    Args:
        root: name of the library root.
        relative_path: path below the root.
        size_bytes: size of the file.
        mtime_ns: its modification time.
        fingerprint: its content identity.
    """

    kind: ClassVar[str] = "seen"
    root: str
    relative_path: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A file went from one place to another; the old place no longer counts.

    Args:
        from_root: name of the root it was in.
        from_relative_path: path below that root.
        root: name of the root it is in now.
        relative_path: path below the root.
        size_bytes: size of the file.
        mtime_ns: its modification time.
        fingerprint: its content identity.
        since: `held_since` of the old place, which the new one takes over: a moved original stays the original
            among its copies; empty in events of an older Rushes.
    """

    kind: ClassVar[str] = "moved"
    from_root: str
    from_relative_path: str
    root: str
    relative_path: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """The file was not there at a scan; its shots stay, marked not present."""

    kind: ClassVar[str] = "missing"
    root: str
    relative_path: str


@dataclass(frozen=True, slots=True)
class Back:
    """A missing file is there again, unchanged."""

    kind: ClassVar[str] = "back"
    root: str
    relative_path: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The place no longer counts: excluded, removed on purpose, or now of other content."""

    kind: ClassVar[str] = "dropped"
    root: str
    relative_path: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The file could not be indexed; cleared by a later `Seen`, `Moved` or `Dropped` of that place.

    Args:
        root: name of the library root.
        relative_path: path below the root.
        reason: one line for people.
        fingerprint: content identity if it could be read; if it differs from what the place held before, that
            content is no longer counted there.
    """

    kind: ClassVar[str] = "failed"
    root: str
    relative_path: str
    reason: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class SpaceClaimed:
    """The archive's vectors live in this space; the last event holds.

    Args:
        space: the embedding space.
        source: how to load its encoder: what was given to `--model` or `--model-path`.
    """

    kind: ClassVar[str] = "space"
    space: EmbeddingSpace
    source: str


@dataclass(frozen=True, slots=True)
class Described:
    """Columns of a metadata file for one video; the last event for a video holds.

    Args:
        fingerprint: the video.
        metadata: column names and values.
    """

    kind: ClassVar[str] = "metadata"
    fingerprint: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A video was removed by a person: its places up to now no longer count."""

    kind: ClassVar[str] = "forget"
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Erased:
    """A video was removed for good; recorded beside `Forgotten`, which an older Rushes understands too.

    The next publishing deletes its segments and thumbnails. Earlier judgements, set members, exports and metadata
    of it no longer count; rights and cut lists stay. It is passed over by the indexer until it is `Recalled`.
    """

    kind: ClassVar[str] = "erase"
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """An erased video may be indexed again; recorded before its segment is written."""

    kind: ClassVar[str] = "recall"
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file that fails is to be passed over, or is to be tried again; the last event for a content holds.

    Args:
        root: name of the library root.
        relative_path: path below the root.
        fingerprint: content identity, which holds wherever the file lies; empty if it cannot be read, then the
            place and the reason hold.
        reason: why it failed.
        is_ignored: whether it is passed over from now on.
    """

    kind: ClassVar[str] = "ignored"
    root: str
    relative_path: str
    fingerprint: str
    reason: str
    is_ignored: bool


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A run of the indexer began. Events of runs alone make no generation.

    Args:
        run: id of the run.
        paths: what was to be indexed, as absolute paths.
    """

    kind: ClassVar[str] = "run-began"
    run: str
    paths: Paths


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run of the indexer ended; a run without this event was killed, or is still at work.

    Args:
        run: id of the run.
        ended: `done`, `stopped` by a person or by who took its outcomes, or `failed`.
        reason: why it failed, for people; empty otherwise.
        counts: how many files ended in which status.
    """

    kind: ClassVar[str] = "run-ended"
    run: str
    ended: str
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A person said whether a stretch of a video answers a question; the last event for both holds.

    Args:
        query: the question, as it was understood.
        fingerprint: the video.
        start: start of the stretch in seconds, exact, as `numerator/denominator`.
        end: its end.
        verdict: `keep`, `reject`, or `clear` to take back what was said before.
    """

    kind: ClassVar[str] = "judged"
    query: str
    fingerprint: str
    start: str
    end: str
    verdict: str

    def __post_init__(self) -> None:
        """Refuse times that are none, or run backwards."""
        _refuse_impossible(self.start, self.end)


@dataclass(frozen=True, slots=True)
class SearchSaved:
    """A question got a name; the last event for a name holds.

    Args:
        name: the name.
        query: the question.
        options: how to answer it, as plain data.
    """

    kind: ClassVar[str] = "search-saved"
    name: str
    query: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchDeleted:
    """The saved search of that name is no longer wanted."""

    kind: ClassVar[str] = "search-deleted"
    name: str


@dataclass(frozen=True, slots=True)
class SetChanged:
    """A stretch of a video was put into a named set, or taken out; the last event for both holds."""

    kind: ClassVar[str] = "set"
    name: str
    fingerprint: str
    start: str
    end: str
    is_member: bool

    def __post_init__(self) -> None:
        """Refuse times that are none, or run backwards."""
        _refuse_impossible(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Exported:
    """Stretches of videos went into a supercut or a timeline.

    Args:
        name: file name of what was made.
        clips: fingerprint, start and end of each, times as in `Judged`.
    """

    kind: ClassVar[str] = "exported"
    name: str
    clips: tuple[tuple[str, str, str], ...]

    def __post_init__(self) -> None:
        """Refuse times that are none, or run backwards."""
        for _, start, end in self.clips:
            _refuse_impossible(start, end)


@dataclass(frozen=True, slots=True)
class CutEdited:
    """A cut list got a version. Versions never change; which one counts follows from all events of its name.

    Args:
        name: of the cut list.
        version: id of the version.
        parent: the version that it was made from; empty for the first.
        action: what was done, for people.
        editor: who did it; empty if that is not known.
        clip_ids: its clips in order; ids are made of what a clip is, so that equal clips have the same one.
        clips: for each id that its parent lacks, what the clip is: `fingerprint`, `start` and `end`, times as in
            `Judged`, and plain data besides.
        seen: fingerprint, start and end of what was looked at beside them, and so is nothing new later.
        settings: what it answers and how, as plain data.
        branch: of the cut list, that was edited; empty in events of an older Rushes.
    """

    kind: ClassVar[str] = "cut"
    name: str
    version: str
    parent: str
    action: str
    editor: str
    clip_ids: tuple[str, ...]
    clips: Mapping[str, Mapping[str, Any]]
    seen: tuple[tuple[str, str, str], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    branch: str = ""

    def __post_init__(self) -> None:
        """Refuse times that are none, or run backwards."""
        for clip in self.clips.values():
            _refuse_impossible(clip.get("start"), clip.get("end"))
        for _, start, end in self.seen:
            _refuse_impossible(start, end)


@dataclass(frozen=True, slots=True)
class CutMoved:
    """Another version of a cut list counts again.

    Args:
        name: of the cut list.
        version: the one that counts from now on.
        based_on: the one that counted before; if another one does, this event means nothing.
        action: `undo` or `redo`.
        editor: who did it.
        branch: as in `CutEdited`.
    """

    kind: ClassVar[str] = "cut-moved"
    name: str
    version: str
    based_on: str
    action: str
    editor: str
    branch: str = ""


RIGHTS_RULES = ("block", "watermark")
RIGHTS_CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """A stretch of a video may not be exported, or only with a mark on it.

    For each rule of a stretch the last event holds; what is taken back are all rules of it.

    Args:
        fingerprint: the video.
        start: start of the stretch, as in `Judged`; empty, like `end`, for all of the video.
        end: its end.
        rule: `block`, `watermark`, or `clear` to take back what was said before.
        text: what the mark says.
        until: the last day on which this holds, such as `2027-01-31`; empty for ever.
        note: why, for people.
        editor: who said so.
    """

    kind: ClassVar[str] = "rights"
    fingerprint: str
    start: str
    end: str
    rule: str
    text: str = ""
    until: str = ""
    note: str = ""
    editor: str = ""

    def __post_init__(self) -> None:
        """Refuse times that are none, or run backwards."""
        if self.start or self.end:
            _refuse_impossible(self.start, self.end)


@dataclass(frozen=True, slots=True)
class RunChosen:
    """A run of a stage was asked for; of a video's results those of the run that was asked for last are live.

    Args:
        stage: name of the stage.
        key: the run's key.
        model: name of its model.
        revision: of the model; empty where it is not known.
        weights_hash: of the model; empty where it is not known.
        parameters: everything else that decides the result.
    """

    kind: ClassVar[str] = "run-chosen"
    stage: str
    key: str
    model: str = ""
    revision: str = ""
    weights_hash: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunDropped:
    """The results of a run were removed by a person; a later `RunChosen` allows new ones."""

    kind: ClassVar[str] = "run-dropped"
    stage: str
    key: str


@dataclass(frozen=True, slots=True)
class StageFailed:
    """A run failed with a video; the last event for both holds, and means nothing once there is a result.

    Args:
        stage: name of the stage.
        key: the run's key.
        fingerprint: the video.
        reason: one line for people.
    """

    kind: ClassVar[str] = "stage-failed"
    stage: str
    key: str
    fingerprint: str
    reason: str


@dataclass(frozen=True, slots=True)
class SpaceAdded:
    """A further embedding space is being filled beside the one that answers; `SpaceClaimed` switches to it.

    Args:
        space: the embedding space.
        source: how to load its encoder, as in `SpaceClaimed`.
    """

    kind: ClassVar[str] = "space-added"
    space: EmbeddingSpace
    source: str


@dataclass(frozen=True, slots=True)
class TextSpaceClaimed:
    """Vectors of texts live in this space from now on, and no longer in that of pictures; the last event holds.

    Args:
        space: the embedding space.
        source: how to load its encoder.
    """

    kind: ClassVar[str] = "text-space"
    space: EmbeddingSpace
    source: str


@dataclass(frozen=True, slots=True)
class TextCorrected:
    """A person corrected a text about a stretch of a video; no run of a stage overwrites that.

    The last event for stage, stretch and `old_text` holds. Of kinds with many texts for one stretch, such as
    labels, it hides those that say `old_text`; of others all that lie mostly in the stretch.

    Args:
        stage: the kind of text.
        fingerprint: the video.
        start: start of the stretch in seconds, exact, as `numerator/denominator`.
        end: its end.
        old_text: what it said; empty where the person wrote a text and corrected none.
        text: what it says now; empty where it was removed.
        is_reset: whether the correction is taken back.
        editor: who did it; empty if that is not known.
    """

    kind: ClassVar[str] = "text-corrected"
    stage: str
    fingerprint: str
    start: str
    end: str
    old_text: str
    text: str
    is_reset: bool = False
    editor: str = ""

    def __post_init__(self) -> None:
        """Refuse times that are none, or run backwards."""
        _refuse_impossible(self.start, self.end)


Event = (
    RootNamed
    | Seen
    | Moved
    | Missing
    | Back
    | Dropped
    | Failed
    | SpaceClaimed
    | Described
    | Forgotten
    | Erased
    | Recalled
    | Ignored
    | RunBegan
    | RunEnded
    | Judged
    | SearchSaved
    | SearchDeleted
    | SetChanged
    | Exported
    | CutEdited
    | CutMoved
    | RightsChanged
    | RunChosen
    | RunDropped
    | StageFailed
    | SpaceAdded
    | TextSpaceClaimed
    | TextCorrected
)

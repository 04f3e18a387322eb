"""The rows that travel between the halves: what is known of a video, its shots, its frames, its fate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import RowRefusedError
from store.row_checks import SLACK_SECONDS, Box, Word, why_refused
from store.shot_outcomes import ShotOutcome
from store.stages import Run
from store.timespan import TimeSpan

Embeddings = NDArray[np.float32]
"""float32, (n, dim), C-contiguous, every row of length 1."""


MAX_DIM = 65_536
UNSURE = "(unsure)"
"""What follows a text that fits its pictures poorly, wherever people read it."""
_SPACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def is_space_id(name: object) -> bool:
    """Whether a space may be called so: its name is that of a folder, too."""
    return isinstance(name, str) and _SPACE_ID.fullmatch(name) is not None


class Boundary(StrEnum):
    """Boundary at which a shot begins."""

    START = "start"
    CUT = "cut"
    FADE = "fade"
    DISSOLVE = "dissolve"


class Status(StrEnum):
    """End of the indexing of one file."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    FAILED = "failed"
    SKIPPED = "skipped"
    PASSED_OVER = "passed over"


class TextStage(StrEnum):
    """Names of the stages that code asks for by name; `store.stages` lists all that there are."""

    CAPTION = "caption"
    LABEL = "label"
    OBJECT = "object"
    TRANSCRIPT = "transcript"
    SCREEN_TEXT = "screen_text"


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """Identity of an embedding space; vectors of different spaces never meet.

    Args:
        name: model name as a user would type it: `demo`, `ViT-B-32/laion2b_s34b_b79k`, `hf-hub:org/repo`, or
            the absolute path of a local model folder.
        weights_hash: hex digest of the weights file.
        dim: length of a vector.
        preprocessing: the encoder's picture preprocessing, as canonical JSON.
        space_id: short stable name made of all of the above, safe in file names.
    """

    name: str
    weights_hash: str
    dim: int
    preprocessing: str
    space_id: str

    def __post_init__(self) -> None:
        """Refuse what names a folder that is none, or makes vectors that are none."""
        if not is_space_id(self.space_id):
            raise ValueError(f"an embedding space cannot be called {self.space_id!r:.100}")
        if type(self.dim) is not int or not 1 <= self.dim <= MAX_DIM:
            raise ValueError(f"vectors of an embedding space cannot have {self.dim!r:.100} numbers")
        if not all(isinstance(text, str) for text in (self.name, self.weights_hash, self.preprocessing)):
            raise ValueError(f"the embedding space {self.space_id} is described by other things than texts")


@dataclass(frozen=True, slots=True)
class ClockJump:
    """Place where a stream's own clock starts again or jumps, and time on our line goes on.

    Args:
        time: on our line, of the first frame after the jump, in seconds.
        tick: its `pts` by the stream's own clock, in ticks of `time_base`; it may occur before the jump, too.
        n_frames: how many frames are decoded before it.
    """

    time: Fraction
    tick: int
    n_frames: int


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Facts from decoding a video file.

    Args:
        container: short name of the container format, such as `mov` or `matroska`.
        video_codec: name of the video codec.
        width_px: displayed width, after crop, pixel aspect and rotation.
        height_px: displayed height, after crop, pixel aspect and rotation.
        rotation_degrees: clockwise turn that a player applies to the stored picture: 0, 90, 180 or 270.
        frame_rate: average frames per second, None where the file does not say.
        time_base: seconds per tick of the video stream's `pts`.
        start_pts_offset: the container's start time in ticks of `time_base`; time on our line is
            `(pts - start_pts_offset) * time_base` before the first of `clock_jumps`. A whole number wherever the
            format allows.
        span: from the first decoded frame to the end of the last.
        n_frames: how many frames decoded.
        has_audio: whether there is a sound track.
        partial: whether the file is damaged or lying, so that only part of it could be indexed.
        warnings: one line for each thing that was wrong, for people.
        recorded_at: when it was recorded, as its file says, ISO 8601; None where it does not say.
        start_timecode: timecode of the first frame as its file says, `hh:mm:ss:ff`, or `hh:mm:ss;ff` where numbers
            are dropped; None where it does not say, or was indexed before this was read.
        reel_name: name of the tape or card it was recorded on, as its file says; None as above.
        mirrored: whether a player flips the stored picture left to right before it turns it.
        crop: pixels that the container cuts off the stored picture: left, top, right, bottom; None where the video
            was indexed before this was read.
        video_track: which of the file's video streams it is, from 0, covers included; None as above: the first
            that is no cover.
        clock_jumps: where the stream's clock starts again or jumps, in order.
        usual_rate: frames per second that most distances between frames have, which a mean may miss; None where
            there are none, or as above.
        audio_channels: how many channels each sound track has; None as above.
    """

    container: str
    video_codec: str
    width_px: int
    height_px: int
    rotation_degrees: int
    frame_rate: Fraction | None
    time_base: Fraction
    start_pts_offset: Fraction
    span: TimeSpan
    n_frames: int
    has_audio: bool
    partial: bool = False
    warnings: tuple[str, ...] = ()
    recorded_at: str | None = None
    start_timecode: str | None = None
    reel_name: str | None = None
    mirrored: bool = False
    crop: tuple[int, int, int, int] | None = None
    video_track: int | None = None
    clock_jumps: tuple[ClockJump, ...] = ()
    usual_rate: Fraction | None = None
    audio_channels: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One continuous take inside a video.

    Args:
        ordinal: position in the video, from 0.
        span: from its first frame to the first frame after it.
        boundary: how it begins.
    """

    ordinal: int
    span: TimeSpan
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """A decoded picture that we embed.

    Args:
        shot_ordinal: the shot it stands for.
        time: its exact presentation time in seconds.
        sharpness: variance of the Laplacian of its luma, for comparison inside one video.
        thumbnail: file name of its thumbnail below `thumbs/`.
    """

    shot_ordinal: int
    time: Fraction
    sharpness: float
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Everything one stage computed about one video: what a segment file holds.

    Args:
        fingerprint: content identity of the video file, 32 hex digits.
        size_bytes: size of the video file.
        stage: name of the stage, `visual` for shots, sampled frames and embeddings.
        key: hash of the stage's parameters and of the embedding space; same key, same result.
        space: the embedding space of `embeddings`.
        parameters: the stage's parameters, for people and for `rushes check`.
        video: facts about the file.
        shots: in order, ordinals from 0, touching or apart but never overlapping.
        frames: in order of time; every shot has at least one.
        embeddings: one row for each of `frames`.
        seconds: what it cost to compute; None where that was not measured.
    """

    fingerprint: str
    size_bytes: int
    stage: str
    key: str
    space: EmbeddingSpace
    parameters: Mapping[str, Any]
    video: VideoFacts
    shots: tuple[Shot, ...]
    frames: tuple[SampledFrame, ...]
    embeddings: Embeddings = field(repr=False)
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Check once, where arrays enter the store."""
        if self.embeddings.shape != (len(self.frames), self.space.dim):
            raise ValueError(
                f"{len(self.frames)} frames of dimension {self.space.dim}, got {self.embeddings.shape}"
            )
        if self.embeddings.dtype != np.float32:
            raise ValueError(f"embeddings must be float32, got {self.embeddings.dtype}")
        if not np.isfinite(self.embeddings).all():
            raise ValueError("embeddings must be finite")
        if [shot.ordinal for shot in self.shots] != list(range(len(self.shots))):
            raise ValueError("shots must be numbered from 0 in order")
        if {frame.shot_ordinal for frame in self.frames} != set(range(len(self.shots))):
            raise ValueError("every shot needs at least one sampled frame")


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text about a stretch of a video, and all that a stage may say beside it.

    Args:
        span: the stretch.
        text: the caption, the label, the object's name, what is said, or what is written on screen.
        score: how sure the model was, 0 to 1; None where it does not say.
        language: ISO 639 code; empty where it is not known.
        box: left, top, width, height as shares of the picture, 0 to 1; None where it has no place.
        words: the words with their times, where the stage knows them.
        count: how many there are of it; None where nobody counted.
        payload: anything else, as plain data for JSON.

    Raises:
        RowRefusedError: a value cannot be.
    """

    span: TimeSpan
    text: str
    score: float | None = None
    language: str = ""
    box: Box | None = None
    words: tuple[Word, ...] = ()
    count: int | None = None
    payload: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be, once, where it enters the store."""
        reason = why_refused(self.text, self.score, self.language, self.box, self.words, self.count, self.payload)
        if reason:
            start, end = self.span.start_seconds, self.span.end_seconds
            raise RowRefusedError(f"a row at {start:.3f} to {end:.3f} s is refused: {reason}")


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a video's result that a segment holds.

    Args:
        number: from 0, in order of writing: a stretch with which a run failed at first comes later.
        span: the stretch of the video that it covers.
        is_last: whether the video is covered now.
    """

    number: int
    span: TimeSpan
    is_last: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that no file can have."""
        if type(self.number) is not int or not 0 <= self.number < 10**6:
            raise ValueError(f"there is no part {self.number!r:.40}")


@dataclass(frozen=True, slots=True)
class TextSegment:
    """Every text that one run found in one video, or in a part of it: what a text segment file holds.

    Args:
        fingerprint: content identity of the video file, 32 hex digits.
        stage: name of the stage, as in `store.stages`.
        key: the run's key, as `Run.of` makes it; same key, same result.
        model: name of the model that found them.
        parameters: the run's parameters.
        rows: the texts.
        space: the embedding space of `embeddings`; None if there are none.
        embeddings: one row for each text, by the archive's encoder of texts; None if there are none.
        revision: of the model; empty where it is not known.
        weights_hash: of the model; empty where it is not known.
        seconds: what it cost to compute; None where that was not measured.
        part: which part of the result it is; None for all of it.
        outcomes: of the shots that are not simply done: cut off, refused by the model, nothing there, ...
    """

    fingerprint: str
    stage: str
    key: str
    model: str
    parameters: Mapping[str, Any]
    rows: tuple[TextRow, ...]
    space: EmbeddingSpace | None = None
    embeddings: Embeddings | None = field(default=None, repr=False)
    revision: str = ""
    weights_hash: str = ""
    seconds: float | None = None
    part: Part | None = None
    outcomes: tuple[ShotOutcome, ...] = ()

    def __post_init__(self) -> None:
        """Check once, where arrays enter the store."""
        if (self.space is None) != (self.embeddings is None):
            raise ValueError("embeddings need their space, and a space its embeddings")
        if self.embeddings is None or self.space is None:
            return
        if self.embeddings.shape != (len(self.rows), self.space.dim) or self.embeddings.dtype != np.float32:
            raise ValueError(f"{len(self.rows)} texts of dimension {self.space.dim}, got {self.embeddings.shape}")
        if not np.isfinite(self.embeddings).all():
            raise ValueError("embeddings must be finite")

    @property
    def run(self) -> Run:
        """The run that it is a result of."""
        return Run(str(self.stage), self.key, self.model, self.revision, self.weights_hash, dict(self.parameters))

    def refuse_rows_outside(self, span: TimeSpan) -> None:
        """Refuse rows that do not lie in a stretch of the video, but for a second at each end.

        Raises:
            RowRefusedError: a row lies outside.
        """
        for row in self.rows:
            if row.span.start < span.start - SLACK_SECONDS or row.span.end > span.end + SLACK_SECONDS:
                raise RowRefusedError(
                    f"a {self.stage} at {row.span.start_seconds:.3f} to {row.span.end_seconds:.3f} s lies outside "
                    f"its video, which goes from {span.start_seconds:.3f} to {span.end_seconds:.3f} s"
                )


@dataclass(frozen=True, slots=True)
class TextHit:
    """A text that answers a question, and the shots it is about.

    Args:
        stage: the kind of text; `name` for the names and the metadata of a file.
        video_id: fingerprint of its video.
        span: the stretch of the video it is about; None for `name`.
        text: all of the text.
        score: by words BM25, by meaning cosine, of a video's texts what the model said, 0 where it said nothing;
            higher is better.
        words: the words of the question that were found, as written in the text.
        shot_ids: the shots that the stretch overlaps, the most overlapped first; for `name` all of the video. Of
            words with known times only the shots in which these are said.
        found_seconds: when the first of the words that were found begins; None where no word times are known.
        is_unsure: whether it fits its pictures poorly, as its stage has measured (`is_poor` in its payload).
    """

    stage: str
    video_id: str
    span: TimeSpan | None
    text: str
    score: float
    words: tuple[str, ...]
    shot_ids: tuple[str, ...]
    found_seconds: float | None = None
    is_unsure: bool = False

    @property
    def shown_text(self) -> str:
        """The text for people: marked where it may well be wrong."""
        return f"{self.text} {UNSURE}" if self.is_unsure else self.text


@dataclass(frozen=True, slots=True)
class VideoRow:
    """A video as the catalog knows it.

    Args:
        video_id: its fingerprint.
        path: where it was last seen: absolute path, for reading and for people.
        present: whether the file was there at the last scan.
        other_paths: further files with the same content.
        facts: what decoding told.
        n_shots: how many shots.
        metadata: further columns of the metadata file it came from.
    """

    video_id: str
    path: str
    present: bool
    other_paths: tuple[str, ...]
    facts: VideoFacts
    n_shots: int
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShotRow:
    """A shot as the catalog knows it.

    Args:
        shot_id: stable 16-digit hex name, derived from content.
        video_id: fingerprint of its video.
        path: absolute path where the video was last seen.
        shot: ordinal, span and boundary.
        thumbnail: absolute path of its best picture (may not exist: thumbnails are a cache).
    """

    shot_id: str
    video_id: str
    path: str
    shot: Shot
    thumbnail: str


@dataclass(frozen=True, slots=True)
class FrameHit:
    """A sampled frame found by a vector search, with its shot.

    Args:
        score: cosine similarity, -1 to 1, higher is better.
        time: exact presentation time of the frame in seconds.
        thumbnail: absolute path of its picture.
        shot: the shot it stands for.
        frame_id: its id.
        sharpness: variance of the Laplacian of its luma.
    """

    score: float
    time: Fraction
    thumbnail: str
    shot: ShotRow
    frame_id: int = 0
    sharpness: float = 0.0


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A sampled frame as the catalog knows it.

    Args:
        frame_id: stable id, derived from content.
        shot_id: the shot it stands for.
        video_id: fingerprint of its video.
        time: its exact presentation time in seconds.
        sharpness: variance of the Laplacian of its luma; near 0 for a blank picture.
        thumbnail: absolute path of its picture.
    """

    frame_id: int
    shot_id: str
    video_id: str
    time: Fraction
    sharpness: float
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one file of a run, or the number of files of a folder that were passed over.

    Args:
        path: absolute path of the file or folder.
        status: indexed, unchanged, duplicate, missing (its shots stay in the archive), failed, ...
        reason: why it failed, what it doubles or where it moved from, what was passed over; empty otherwise.
        partial: indexed, but only in part.
        warnings: one line each.
        n_shots: shots found by this run.
        seconds: time spent per stage (`decode`, `encode`, `write`, ...).
        fingerprint: content identity of a file that failed; empty where it could not be read.
        is_ignored: whether a file that failed is to be passed over.
        is_known: whether it failed before with the same content and reason.
        endings: of the files that were passed over in a folder, how many of each.
    """

    path: str
    status: Status
    reason: str = ""
    partial: bool = False
    warnings: tuple[str, ...] = ()
    n_shots: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    is_ignored: bool = False
    is_known: bool = False
    endings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds a video, as the last scan left it.

    Args:
        root: name of the library root.
        relative_path: path below the root.
        path: absolute path, by where the root is now.
        size_bytes: size of the file.
        mtime_ns: its modification time.
        fingerprint: its content identity.
        present: whether the file was there at the last scan.
        root_path: absolute path of the root's folder, by where the root is now.
        held_since: since when the place holds this content, as text that compares: the lowest is the original.
        missing_ns: time of the scan that did not find the file; 0 for a file that was there.
    """

    root: str
    relative_path: str
    path: str
    size_bytes: int
    mtime_ns: int
    fingerprint: str
    present: bool
    root_path: str = field(default="", repr=False)
    held_since: str = field(default="", repr=False, compare=False)
    missing_ns: int = field(default=0, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest run of the indexer.

    Args:
        began_ns: when it began.
        ended_ns: when it ended; None for a run that was killed, or is still at work.
        ended: `done`, `stopped` or `failed`; empty as above.
        reason: why it failed.
        counts: how many files ended in which status.
        paths: what was to be indexed.
    """

    began_ns: int
    ended_ns: int | None
    ended: str
    reason: str
    counts: Mapping[str, int]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of an archive.

    Args:
        videos: videos with shots, each content once.
        shots: their shots.
        frames: their sampled frames.
        hours: their length together.
        partial: videos of which only a part could be indexed.
        missing: videos whose files were all gone at the last scan.
        failed: files that could not be indexed.
        ignored: files that could not be indexed and are passed over, because a person said so.
        forgotten: videos that a person removed for good.
    """

    videos: int
    shots: int
    frames: int
    hours: float
    partial: int
    missing: int
    failed: int
    ignored: int = 0
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """Judgement of a span of a video for a question.

    Args:
        query: the question, as it was asked.
        fingerprint: the video.
        span: the stretch.
        verdict: `keep` or `reject`.
    """

    query: str
    fingerprint: str
    span: TimeSpan
    verdict: str


@dataclass(frozen=True, slots=True)
class SetMember:
    """A stretch of a video that is in a set.

    Args:
        name: the set, as it was written when the stretch was put into it.
        fingerprint: the video.
        span: the stretch.
    """

    name: str
    fingerprint: str
    span: TimeSpan


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A question with a name.

    Args:
        name: the name.
        query: the question.
        options: how to answer it, as plain data.
    """

    name: str
    query: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CutStep:
    """A line in the history of a cut list.

    Args:
        version: the version that was made, or that counts again.
        parent: the one that counted before; empty for the first.
        is_move: whether an older version came to count again, and none was made.
        action: what was done, for people.
        editor: who did it; empty if that is not known.
        time_ns: when.
        n_clips: how many clips the version has; 0 for a move.
        settings: what it answers and how, as plain data.
        branch: name of the line of versions that it goes on; empty if an older Rushes wrote it.
    """

    version: str
    parent: str
    is_move: bool
    action: str
    editor: str
    time_ns: int
    n_clips: int
    settings: Mapping[str, Any]
    branch: str = ""


@dataclass(frozen=True, slots=True)
class RightsFlag:
    """Block of exports, or mark that they bear.

    Args:
        fingerprint: the video.
        span: the stretch; None for all of it.
        rule: `block` or `watermark`.
        text: what the mark says.
        until: the last day on which this holds; empty for ever.
        note: why.
        editor: who said so.
    """

    fingerprint: str
    span: TimeSpan | None
    rule: str
    text: str
    until: str
    note: str
    editor: str

"""Successor of a clip's video: by location, name, timecode or look, where the pictures are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import FfmpegError
from indexer.library.presence import FileState, look_for_files
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.cutting.stored_cut import CutClip
from search_app.frame_rates import mean_rate
from search_app.relinking.alignment import TIMECODE, Alignment, Anchors, Frames, align, propose_shifts
from search_app.relinking.small_pictures import NO_PICTURES, read_frames, read_thumbnails
from search_app.search.decisions import overlapping_shots
from store.errors import ArchiveDamagedError
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.records import Segment, VideoFacts, VideoRow
    from store.snapshot import Snapshot

PATH, NAME, LOOK, NAMED = "path", "name", "look", "as named"
WHOLE_SECONDS = 180
"""Videos up to this length are searched whole; of longer ones what lies around the proposed times."""
_AROUND_SECONDS = Fraction(2)
_MOST_AROUND = 24
_VOTES_A_SECOND = 10
_MOST_BY_LOOK = 3


@dataclass(frozen=True, slots=True)
class Relinked:
    """Outcome of one clip.

    Args:
        place: its place in the cut list, from 1.
        old: the clip as it is.
        new: the clip of the video that took its place; None if there is none.
        reasons: what speaks for it, such as `path`, `look`, `timecode`.
        shift: seconds to add to its times.
        likeness: of the least alike end, 0 to 1; None if there was nothing to compare.
        doubt: why it is not certain, or why there is none; empty for certain ones.
    """

    place: int
    old: CutClip
    new: CutClip | None = None
    reasons: tuple[str, ...] = ()
    shift: Fraction = Fraction(0)
    likeness: float | None = None
    doubt: str = ""

    @property
    def is_certain(self) -> bool:
        """Whether it is relinked without being asked for."""
        return self.new is not None and not self.doubt


def gone_places(snapshot: Snapshot, clips: Sequence[CutClip]) -> list[int]:
    """Places, from 1, of the clips whose video is no longer in the archive, or whose files are all missing."""
    found = look_for_files(snapshot, (clip.video_id for clip in clips))
    known = {video.video_id for video in snapshot.videos()}
    return [
        place
        for place, clip in enumerate(clips, start=1)
        if clip.video_id not in known or found[clip.video_id].state is FileState.MISSING
    ]


@dataclass(slots=True)
class Relinker:
    """Looks for what took the place of clips' videos.

    Args:
        snapshot: the archive.
        program: decodes the files that are there.
    """

    snapshot: Snapshot
    program: Ffmpeg = field(default_factory=find_ffmpeg)
    _rows: dict[str, VideoRow] = field(default_factory=dict)
    _by_path: dict[str, str] = field(default_factory=dict)
    _old: dict[str, Segment | None] = field(default_factory=dict)
    _frames: dict[tuple[str, TimeSpan], Frames] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read where every video lies."""
        self._rows = {row.video_id: row for row in self.snapshot.videos()}
        self._by_path = {place.path: place.fingerprint for place in self.snapshot.locations()}

    def relink(self, place: int, clip: CutClip, to: VideoRow | None = None) -> Relinked:
        """The clip in the video that took its video's place, as far as one is found.

        Args:
            place: of the clip, from 1.
            clip: the clip.
            to: the video to look in; None to look for one.
        """
        old = self._segment_of(clip.video_id)
        if old is None and to is None:
            return Relinked(place, clip, doubt="its results are gone; name its video with --to")
        doubtful: list[Relinked] = []
        for row, why in [(to, NAMED)] if to else self._candidates(clip, old):
            found = self._examine(place, clip, old, row, why)
            if found.is_certain:
                return found
            doubtful.append(found)
        with_clip = [one for one in doubtful if one.new]
        if with_clip:
            return max(with_clip, key=lambda one: one.likeness or 0.0)
        nothing = Relinked(place, clip, doubt="no video here has its place, name, timecode or look")
        return doubtful[0] if doubtful else nothing

    def _segment_of(self, video_id: str) -> Segment | None:
        if video_id not in self._old:
            try:
                self._old[video_id] = self.snapshot.stored_segment(video_id)
            except ArchiveDamagedError:
                self._old[video_id] = None
        return self._old[video_id]

    def _candidates(self, clip: CutClip, old: Segment | None) -> Iterable[tuple[VideoRow, str]]:
        """Videos that may have taken the place of a clip's, each once, the likeliest first."""
        paths = [*self.snapshot.former_places(clip.video_id), clip.path]
        named = [(self._by_path[path], PATH) for path in paths if path in self._by_path]
        names = {Path(path).name.casefold() for path in paths}
        stems = {Path(path).stem.casefold() for path in paths}
        for wanted in (names, stems):
            for path, video_id in sorted(self._by_path.items()):
                if (Path(path).name if wanted is names else Path(path).stem).casefold() in wanted:
                    named.append((video_id, NAME))
        if old is not None:
            named += [(row.video_id, TIMECODE) for row in self._rows.values() if _has_timecode_of(clip, old, row)]
            named += [(video_id, LOOK) for video_id in self._alike(clip, old)]
        seen = {clip.video_id}
        for video_id, why in named:
            if video_id in self._rows and video_id not in seen:
                seen.add(video_id)
                yield self._rows[video_id], why

    def _alike(self, clip: CutClip, old: Segment) -> list[str]:
        """Videos with the frames that are most like the clip's, in the archive's space."""
        if self.snapshot.space is None or old.space.space_id != self.snapshot.space.space_id:
            return []
        hits = self.snapshot.search(old.embeddings[_nearest_frames(old, clip)[0]], 20)
        return list(dict.fromkeys(hit.shot.video_id for hit in hits))[:_MOST_BY_LOOK]

    def _examine(self, place: int, clip: CutClip, old: Segment | None, row: VideoRow, why: str) -> Relinked:
        """The clip in one video, and whether its pictures are the same."""
        if old is None:
            return self._placed(Relinked(place, clip, reasons=(why,), doubt="its old pictures are gone"), row)
        proposed = propose_shifts(old.video, row.facts)
        if row.facts.span.duration > WHOLE_SECONDS:
            proposed |= self._vote(old, clip, row)
        anchors = self._anchors(old, clip)
        if not anchors.n_ends:
            by_timecode = TIMECODE in proposed
            shift = proposed.get(TIMECODE, Fraction(0))
            known = (why, TIMECODE) if by_timecode and why != TIMECODE else (why,)
            told = Relinked(place, clip, reasons=known, shift=shift, doubt="its old pictures are gone")
            return self._placed(told, row)
        try:
            found = self._align(anchors, proposed, row)
        except FfmpegError as error:
            return Relinked(place, clip, reasons=(why,), doubt=f"{row.path} cannot be read: {error}")
        if found is None or not found.is_alike:
            return Relinked(place, clip, reasons=(why,), doubt=f"{row.path} shows other pictures")
        reasons = tuple(dict.fromkeys((why, LOOK, *([TIMECODE] if found.by == TIMECODE else []))))
        doubt = ""
        if why == LOOK:
            doubt = "only its look speaks for it: it may be another copy or take"
        elif not found.is_certain:
            doubt = "other moments look the same"
        told = Relinked(place, clip, None, reasons, found.shift, 1 - found.difference, doubt)
        return self._placed(told, row)

    def _align(self, anchors: Anchors, proposed: dict[str, Fraction], row: VideoRow) -> Alignment | None:
        """Raises FfmpegError if none of the video's files can be read."""
        whole = row.facts.span
        spans = [whole]
        if whole.duration > WHOLE_SECONDS:
            around = _AROUND_SECONDS
            spans = _merged(
                TimeSpan(max(whole.start, time + shift - around), min(whole.end, time + shift + around))
                for shift in proposed.values()
                for time in anchors.times[: anchors.n_ends]
                if whole.start < time + shift + around and time + shift - around < whole.end
            )
        parts = [self._read(row, span) for span in spans]
        times = tuple(time for part in parts for time in part.times)
        pictures = np.concatenate([NO_PICTURES, *(part.pictures for part in parts)])
        return align(anchors, Frames(times, pictures), proposed, 1 / _rate(row.facts))

    def _vote(self, old: Segment, clip: CutClip, row: VideoRow) -> dict[str, Fraction]:
        """Shifts at which most sampled frames around a clip are like sampled frames of another video."""
        new = self._segment_of(row.video_id)
        if new is None or new.space.space_id != old.space.space_id:
            return {}
        around = sorted(range(len(old.frames)), key=lambda one: abs(old.frames[one].time - clip.time))[
            :_MOST_AROUND
        ]
        alike = old.embeddings[around] @ new.embeddings.T
        votes: Counter[Fraction] = Counter()
        for one, of_frame in zip(around, alike, strict=True):
            for other in np.argsort(-of_frame)[:_MOST_BY_LOOK]:
                shift = new.frames[other].time - old.frames[one].time
                votes[round(shift * _VOTES_A_SECOND) / Fraction(_VOTES_A_SECOND)] += 1
        return {f"vote {number}": shift for number, (shift, _) in enumerate(votes.most_common(_MOST_BY_LOOK))}

    def _read(self, row: VideoRow, span: TimeSpan) -> Frames:
        key = (row.video_id, span)
        if key not in self._frames:
            there = [Path(path) for path in (row.path, *row.other_paths) if Path(path).is_file()]
            if not there:
                raise FfmpegError("its file is not there")
            self._frames[key] = read_frames(self.program, there[0], row.facts, row.video_id, span)
        return self._frames[key]

    def _anchors(self, old: Segment, clip: CutClip) -> Anchors:
        """The old video's pictures nearest to the ends of the clip, and others around it, as far as left."""
        ends = list(dict.fromkeys(_nearest_frames(old, clip)))
        reach = None if old.video.span.duration <= WHOLE_SECONDS else _AROUND_SECONDS
        around = sorted(
            (row for row in range(len(old.frames)) if row not in ends),
            key=lambda row: abs(old.frames[row].time - clip.time),
        )
        rows = [
            *ends,
            *(row for row in around[:_MOST_AROUND] if not reach or abs(old.frames[row].time - clip.time) <= reach),
        ]
        folder = self.snapshot.folder / "thumbs"
        pictures = read_thumbnails([str(folder / old.frames[row].thumbnail) for row in rows])
        left = [(row, picture) for row, picture in zip(rows, pictures, strict=True) if len(picture)]
        return Anchors(
            tuple(old.frames[row].time for row, _ in left),
            np.concatenate([NO_PICTURES, *(picture for _, picture in left)]),
            sum(row in ends for row, _ in left),
        )

    def _placed(self, found: Relinked, row: VideoRow) -> Relinked:
        """With the clip in its new video, shortened to what that has."""
        old, whole, frame = found.old, row.facts.span, 1 / _rate(row.facts)
        start, end = old.span.start + found.shift, old.span.end + found.shift
        inside = max(start, whole.start), min(end, whole.end)
        if inside[1] - inside[0] < frame / 2:
            return replace(found, doubt=f"{row.path} does not have that part")
        doubt = found.doubt
        if start < whole.start - frame / 2 or end > whole.end + frame / 2:
            n_lost = round((end - start - (inside[1] - inside[0])) / frame)
            doubt = doubt or f"{n_lost} of its frames are no longer there"
        span = TimeSpan(*inside)
        shots = overlapping_shots(self.snapshot.shots(row.video_id), span)
        time = min(max(old.time + found.shift, span.start), span.end - frame / 2)
        new = replace(
            old,
            video_id=row.video_id,
            span=span,
            time=time if span.start <= time < span.end else span.start,
            path=row.path,
            shot_id=shots[0] if shots else "",
        )
        return replace(found, new=new, doubt=doubt)


def _nearest_frames(old: Segment, clip: CutClip) -> tuple[int, int]:
    """Rows of the sampled frames nearest to a clip's first and last frame, those inside it before others."""
    inside = [row for row, frame in enumerate(old.frames) if clip.span.start <= frame.time < clip.span.end]
    rows = inside or range(len(old.frames))
    first, last = (
        min(rows, key=lambda row: abs(old.frames[row].time - edge)) for edge in (clip.span.start, clip.span.end)
    )
    return first, last


def _has_timecode_of(clip: CutClip, old: Segment, row: VideoRow) -> bool:
    """Whether a video has the timecode of a clip, and no other tape or card."""
    shift = propose_shifts(old.video, row.facts).get(TIMECODE)
    reels = {old.video.reel_name, row.facts.reel_name} - {None}
    if shift is None or len(reels) > 1:
        return False
    span = TimeSpan(clip.span.start + shift, clip.span.end + shift)
    return span.overlaps(row.facts.span)


def _merged(spans: Iterable[TimeSpan]) -> list[TimeSpan]:
    """The same stretches of time, none twice."""
    merged: list[TimeSpan] = []
    for span in sorted(spans, key=lambda one: one.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = TimeSpan(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _rate(facts: VideoFacts) -> Fraction:
    return mean_rate(facts)

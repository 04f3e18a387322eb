"""A cut list as it lies on the film's own timeline: what all exports are written from and compared with.

The film is what `rushes supercut` renders of the same cut list, and its times are made by the same rule
(`cutting/film_frames.py`): it runs at the rate of most of its material (`choose_profile`); clips touch, and the
first begins at frame 0. Source timecode is that of `rushes timeline` (`timelines/timeline.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from search_app.conforming.target_profile import choose_profile
from search_app.cutting.cut_list import Clip, CutList
from search_app.cutting.film_frames import film_frames
from search_app.timelines.relink import Relinker
from search_app.timelines.remarks import About, remark_lines
from search_app.timelines.sources import frames_in, one_line
from search_app.timelines.timecode import DROP_RATES, format_timecode
from search_app.timelines.timeline import TimelineClip, plan_timeline
from store.names import display_names

if TYPE_CHECKING:
    from search_app.search.ranking import Hit
    from search_app.timelines.remarks import Remark
    from search_app.timelines.sources import Source
    from store.records import TextHit

Said = Mapping[str, Any]
"""Fields of a written file about one clip (or chapter, or subtitle)."""


@dataclass(frozen=True, slots=True)
class FilmClip:
    """A clip at its place in the film.

    Args:
        number: its place, from 1.
        clip: the clip, with its exact span.
        source: what it is cut from, as an editing program sees it.
        source_in: its first frame, counted as `source.start` is.
        n_source_frames: how many frames of the source lie in it.
        first_frame: number of its first frame in the film, from 0.
        n_frames: how many frames of the film it lasts.
        caption: what was written about the shot, on one line; may be empty.
        why: why it answers the question, for people.
        shown_name: what its source is called, told apart from others of the same file name.
    """

    number: int
    clip: Clip
    source: Source
    source_in: int
    n_source_frames: int
    first_frame: int
    n_frames: int
    caption: str
    why: str
    shown_name: str

    @property
    def hit(self) -> Hit:
        """The answer that it shows best."""
        return max(self.clip.hits, key=lambda hit: hit.score)

    @property
    def end_frame(self) -> int:
        """Number of the first frame of the film after it."""
        return self.first_frame + self.n_frames

    @property
    def title(self) -> str:
        """Title: its caption, or else the name of its source."""
        return self.caption or self.shown_name

    def source_name(self, frame: int) -> str:
        """The timecode of a frame of its source."""
        return format_timecode(frame, self.source.rate, drop=self.source.drop)


@dataclass(frozen=True, slots=True)
class Film:
    """All clips at their places.

    Args:
        name: of the film.
        question: what was asked, on one line.
        rate: frames per second, exact.
        drop: whether its timecode drops numbers.
        size: width and height in pixels.
        clips: in order; they touch.
        notes: what is not as in the sources, for people: each kind once.
        remarks: the same one by one.
        texts: texts of the sources, by video, for subtitles.
    """

    name: str
    question: str
    rate: Fraction
    drop: bool
    size: tuple[int, int]
    clips: tuple[FilmClip, ...]
    notes: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    texts: Mapping[str, Sequence[TextHit]] = field(default_factory=dict)

    @property
    def file_notes(self) -> tuple[str, ...]:
        """The notes that matter where frames of the sources are not named."""
        return remark_lines(self.remarks, [About.FILES])

    @property
    def n_frames(self) -> int:
        """Length in frames."""
        return self.clips[-1].end_frame if self.clips else 0

    def seconds(self, frame: int) -> Fraction:
        """Presentation time of a frame of the film."""
        return frame / self.rate

    def timecode(self, frame: int) -> str:
        """The timecode of a frame of the film; the first is 00:00:00:00."""
        return format_timecode(frame, self.rate, drop=self.drop)


def plan_film(
    cut_list: CutList,
    name: str,
    *,
    question: str = "",
    captions: Mapping[str, str] | None = None,
    relink: Relinker | None = None,
    rate: Fraction | None = None,
    texts: Mapping[str, Sequence[TextHit]] | None = None,
) -> Film:
    """Positions of the clips of a cut list in its film.

    Args:
        cut_list: the clips; at least one.
        name: of the film.
        question: what was asked.
        captions: what is written about shots, by shot id.
        relink: says where the sources lie for whom the list is for; where they lie now if None.
        rate: frames per second of the film; as a supercut chooses it if None.
        texts: texts of the sources, by video, for subtitles.
    """
    seconds = [clip.span.duration for clip in cut_list.clips]
    profile = choose_profile([clip.facts for clip in cut_list.clips], seconds)
    rate = rate or profile.frame_rate
    plan = partial(plan_timeline, cut_list, name, question=question, captions=captions, relink=relink)
    timeline = plan()
    if timeline.rate != rate:
        timeline = plan(counting=(rate, timeline.drop and rate in DROP_RATES))
    lengths = [film_frames(clip.span, clip.facts, rate) for clip in cut_list.clips]
    places = zip(accumulate(lengths[:-1], initial=0), lengths, strict=True)
    names = display_names(planned.source.path for planned in timeline.clips)
    clips = [
        _film_clip(number, clip, planned, place, names[planned.source.path])
        for number, (clip, planned, place) in enumerate(
            zip(cut_list.clips, timeline.clips, places, strict=True), start=1
        )
    ]
    size = (profile.width_px, profile.height_px)
    return Film(
        timeline.name,
        timeline.question,
        rate,
        timeline.drop,
        size,
        tuple(clips),
        timeline.notes,
        timeline.remarks,
        texts or {},
    )


def _film_clip(number: int, clip: Clip, planned: TimelineClip, place: tuple[int, int], name: str) -> FilmClip:
    first, n_shown = frames_in(clip, planned.source)
    source_in = planned.source.start + first
    return FilmClip(
        number,
        clip,
        planned.source,
        source_in,
        n_shown,
        *place,
        planned.caption,
        why_it_answers(clip),
        one_line(name).strip() or planned.source.name,
    )


def why_it_answers(clip: Clip) -> str:
    """Why a clip is in the film, for people: how surely it shows what was asked, and what its texts hold of it."""
    hit = max(clip.hits, key=lambda hit: hit.score)
    parts = [sure] if (sure := hit.sure_text(" sure")) else []
    if hit.score:
        parts.append(f"rank {hit.rank}")
    for match in hit.matches:
        channel = match.channel.replace("_", " ")
        found = f": {' '.join(match.words)}" if match.words else ""
        parts.append(f"{channel} {match.rank}{found}")
    return one_line(", ".join(parts))

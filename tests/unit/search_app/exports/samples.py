"""Cut lists of sources that exist on paper only."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from search_app.cutting.cut_list import Clip, CutList
from search_app.exports.film import Film, plan_film
from search_app.search.fusion import Match
from search_app.search.ranking import Hit
from store.records import Boundary, Shot, ShotRow, TextHit, VideoFacts
from store.timespan import TimeSpan

PAL, NTSC = Fraction(25), Fraction(30_000, 1001)
HOSTILE = "=1+1 'a' \"b\" &%#<b>;\\:{\\an8} --> \u05d0\u05d1 \U0001f3ac\n[in]=x,%{pts}"
"""All that some reader takes for more than text: formulas, tags, separators, right-to-left letters, an emoji."""


def clip_of(
    first: int,
    end: int,
    *,
    rate: Fraction = PAL,
    path: str = "/media/a.mov",
    n_frames: int = 4000,
    timecode: str | None = "10:00:00:00",
    start_pts_offset: Fraction = Fraction(0),
    thumbnail: str = "",
) -> Clip:
    """A clip of the frames from `first` up to and without `end`."""
    facts = VideoFacts(
        "mov",
        "h264",
        1920,
        1080,
        0,
        rate,
        1 / rate / 512,
        start_pts_offset,
        TimeSpan(Fraction(0), n_frames / rate),
        n_frames,
        has_audio=True,
        start_timecode=timecode,
    )
    span = TimeSpan(first / rate, end / rate)
    shot = ShotRow(f"{first:016d}", path, path, Shot(0, span, Boundary.CUT), thumbnail)
    match = Match("caption_words", 2, 7.5, "a red boat", ("red", "boat"))
    hit = Hit(3, -0.25, shot, span.start, thumbnail, confidence=0.875, matches=(match,))
    return Clip(path, (path,), span, (hit,), facts)


def film_of(*clips: Clip, question: str = "a red boat", caption: str = "", texts: Sequence[TextHit] = ()) -> Film:
    """The film of these clips; all have one caption, and their sources the same texts."""
    return plan_film(
        CutList(clips),
        "harbour",
        question=question,
        captions={shot: caption for clip in clips for shot in clip.shot_ids},
        texts={clip.video_id: texts for clip in clips},
    )


def said_at(start: float, end: float, text: str) -> TextHit:
    """Something that is said in a source."""
    span = TimeSpan(Fraction(str(start)), Fraction(str(end)))
    return TextHit("transcript", "", span, text, 0.0, (), ())

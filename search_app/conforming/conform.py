"""One clip cut out of its source and conformed to the profile, exact to the frame.

How exactness is reached. ffmpeg is asked to keep the source's own time stamps (`-copyts`) and to seek to a point
well before the clip; our own filter then takes the frames whose stamps, as whole ticks of the source's time base,
lie inside the clip. Nothing is rounded to decimals. `showinfo` logs the stamp of every decoded frame, so that
afterwards we know which frames were there: when the seek came down too late, the clip holds another number of
frames than its length promised, or they are stored otherwise, it is cut again with what was learnt.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Stream
from search_app.conforming.clip_job import ClipJob
from search_app.conforming.framing import CENTRE, Focus, fitted
from search_app.conforming.hardware import encoder_limits
from search_app.conforming.overlays_and_fades import PLAIN, Dress
from search_app.conforming.picture_names import Framing
from search_app.conforming.saliency import find_focus, thumbnail_size
from search_app.conforming.small_frames import read_small_frames
from search_app.conforming.source_frames import (
    PREROLLS,
    FrameLog,
    frames_between,
    is_in_time,
    source_frames,
    tick_span,
    tried_prerolls,
)
from search_app.conforming.still_pictures import standstill_note
from search_app.conforming.stream_format import change_note, clip_look, differences
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip
from search_app.frame_rates import source_rate

STEADY_TOLERANCE = Fraction(1, 10)
"""Frames that stray from the profile's beat by less than this part of a frame (and one tick) are on it."""

INDEXED_CONTAINERS = frozenset({"mov", "mp4", "matroska"})
"""Containers in which a seek finds the nearest key frame before an instant."""

SAMPLES_PER_SECOND, MAX_SAMPLES = 5.0, 200
"""Pictures of a clip in which smart framing looks for what draws the eye; long clips have fewer a second."""


@dataclass(frozen=True, slots=True)
class Conformed:
    """A clip that is ready to be joined.

    Args:
        n_frames: its length in frames of the profile.
        first_tick: time stamp of the source frame that its first frame shows.
        last_tick: time stamp of the source frame that its last frame shows.
        zero_tick: the instant of the source, in ticks, at which it starts.
        n_source_frames: how many frames of the source lie in it.
        is_steady: whether it shows each of them exactly once.
        first_clear_tick: time stamp of the source frame in the first frame that shows nothing else.
        last_clear_tick: the same for the last.
        n_blended_first: how many frames at its beginning show something else too.
        n_blended_last: how many at its end.
        focus: what is kept of pictures that are cropped.
        n_copied_frames: how many of its frames were copied instead of encoded.
        note: what people should know about how it was made; empty if nothing.
        stored: how its pictures are stored, where that is not what was seen of their source first.
    """

    n_frames: int
    first_tick: int
    last_tick: int
    zero_tick: int
    n_source_frames: int
    is_steady: bool
    first_clear_tick: int
    last_clear_tick: int
    n_blended_first: int = 0
    n_blended_last: int = 0
    focus: Focus = CENTRE
    n_copied_frames: int = 0
    note: str = ""
    stored: dict[str, Any] = field(default_factory=dict)


def conform_picture(job: ClipJob) -> Conformed:
    """Encode the pictures of a clip, dressed and without sound, into the job's target.

    Raises:
        FfmpegError: it failed, was cancelled, or the source has no frame in the clip.
    """
    clip, look, profile, dress = job.clip, job.look, job.profile, job.dress
    n_frames = max(1, round(clip.span.duration * profile.frame_rate))
    first, end = tick_span(clip.span, clip.facts)
    focus = _focus(job) if profile.framing is Framing.SMART else CENTRE
    own, is_steady = look, source_rate(clip.facts) == profile.frame_rate
    for preroll in tried_prerolls(clip.facts, clip.span.start, _prerolls(clip, look)):
        while True:
            log = FrameLog()
            shown = source_frames(clip.facts, job.source, clip.span.start, preroll, own, dress.n_threads)
            pictures = frames_between(shown, clip.facts, own, first, end)
            on_beat = _one_by_one if is_steady else _by_time
            pictures = on_beat(pictures, clip, profile, n_frames)
            framed = fitted(pictures, clip.facts, own, profile, focus)
            output = dress.encode(framed, n_frames, profile, job.target)
            job.program.run(
                output,
                limits=encoder_limits(profile.encoder),
                file_bytes=_largest_file(profile, n_frames),
                cancel=job.cancel,
                on_frame_count=job.on_frame_count,
                on_line=log.read,
            )
            inside = [tick for tick in log.ticks if first <= tick < end]
            if not inside or not is_in_time(log, clip.facts, clip.span.start, first, preroll):
                break
            made, used = plan_frames(inside, clip, profile, dress), (own, n_frames, is_steady)
            own, n_frames, is_steady = clip_look(log, look, inside, clip.facts), made.n_frames, made.is_steady
            if used == (own, n_frames, is_steady):
                return replace(made, focus=focus, stored=differences(own, look), note=_note(own, inside, clip))
    raise FfmpegError("the source has no picture in this clip any more")


def _prerolls(clip: Clip, look: FrameLog) -> Sequence[Fraction | None]:
    """Start of decoding; without any preroll only where key frames can be found and recognised."""
    is_direct = clip.facts.container in INDEXED_CONTAINERS and look.first_key_tick is not None
    return [Fraction(0), *PREROLLS] if is_direct else PREROLLS


def _focus(job: ClipJob) -> Focus:
    """Position of the crop: one for the whole clip, found in small pictures of it."""
    clip, look = job.clip, job.look
    first, end = tick_span(clip.span, clip.facts)
    found = read_small_frames(
        job.program,
        clip.facts,
        job.source,
        look,
        range(first, end),
        thumbnail_size(clip.facts),
        start=clip.span.start,
        prerolls=_prerolls(clip, look),
        rate=min(SAMPLES_PER_SECOND, MAX_SAMPLES / float(clip.span.duration)),
        cancel=job.cancel,
    )
    return find_focus(found.pictures, job.profile.window(clip.facts))


def _one_by_one(pictures: Stream, clip: Clip, profile: Profile, n_frames: int) -> Stream:
    """Each frame once, one after another at the profile's rate; `n_frames` at most."""
    del clip
    rate = profile.frame_rate
    return (
        pictures.filter("settb", expr=f"{rate.denominator}/{rate.numerator}")
        .filter("setpts", "N")
        .filter("fps", fps=f"{rate.numerator}/{rate.denominator}", start_time=0, eof_action="pass")
        .filter("trim", end_frame=n_frames)
    )


def _by_time(pictures: Stream, clip: Clip, profile: Profile, n_frames: int) -> Stream:
    """Exactly `n_frames` frames at the profile's rate, each the one nearest to its time."""
    first, _ = tick_span(clip.span, clip.facts)
    zero = f"if(lt(STARTPTS-{first},{_beat_ticks(clip, profile)}),STARTPTS,{first})"
    # At the end of the clip, where no frame tells how long the last one stays, it stays for a tick at least.
    on_clock = f"if(isnan(PREV_OUTPTS),PTS-{zero},max(PTS-{zero},PREV_OUTPTS+1))"
    rate = f"{profile.frame_rate.numerator}/{profile.frame_rate.denominator}"
    return (
        pictures.filter("setpts", on_clock)
        .filter("fps", fps=rate, start_time=0, round="near", eof_action="pass")
        .filter("tpad", stop=-1, stop_mode="clone")
        .filter("trim", end_frame=n_frames)
    )


def _beat_ticks(clip: Clip, profile: Profile) -> int:
    return math.floor(1 / (profile.frame_rate * clip.facts.time_base))


def plan_frames(inside: Sequence[int], clip: Clip, profile: Profile, dress: Dress = PLAIN) -> Conformed:
    """Expected look of a clip of these source frames.

    Where the source has the profile's rate and no frame is as much as one frame out of place, each is shown once,
    however short or long single ones are. Else each frame of the clip shows the one nearest to its time.
    """
    first, _ = tick_span(clip.span, clip.facts)
    beat = clip.facts.time_base * profile.frame_rate  # frames of the profile in one tick
    zero = inside[0] if inside[0] - first < _beat_ticks(clip, profile) else first
    offsets = [(tick - zero) * beat - i for i, tick in enumerate(inside)]
    lowest, highest = min(offsets), max(offsets)
    on_beat = max(-lowest, highest) <= min(STEADY_TOLERANCE + beat, Fraction(2, 5))
    is_of_this_rate = source_rate(clip.facts) == profile.frame_rate and zero == inside[0]
    steady = on_beat or (is_of_this_rate and highest - lowest < 1)
    if steady and not on_beat:
        zero += math.floor(
            (lowest + highest) / 2 / beat
        )  # so that pictures stray from their sound as little as can be
    n_frames = len(inside) if steady else max(1, round(clip.span.duration * profile.frame_rate))
    places = (
        list(range(len(inside)))
        if steady
        else [math.floor((tick - zero) * beat + Fraction(1, 2)) for tick in inside]
    )
    blended = (dress.n_blended_first, dress.n_blended_last) if dress.fits(n_frames) else (0, 0)

    def shown(frame: int) -> int:
        """Time stamp of what a frame of the clip shows."""
        return inside[max(0, bisect.bisect_right(places, frame) - 1)]

    return Conformed(
        n_frames,
        shown(0),
        shown(n_frames - 1),
        zero,
        len(inside),
        steady,
        shown(blended[0]),
        shown(n_frames - 1 - blended[1]),
        *blended,
    )


def _note(own: FrameLog, inside: Sequence[int], clip: Clip) -> str:
    """Notices about how a clip was made."""
    return "; ".join(filter(None, [change_note(own), standstill_note(inside, clip)]))


def _largest_file(profile: Profile, n_frames: int) -> int:
    """No encoding is larger than the pictures themselves."""
    return 2**24 + 4 * n_frames * profile.width_px * profile.height_px

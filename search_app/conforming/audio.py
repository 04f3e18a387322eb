"""The sound of one clip, exactly as long as its pictures."""

from __future__ import annotations

from typing import Any

from indexer.media.clock import clock_expression
from indexer.media.ffmpeg import Stream, combine, open_source, save
from search_app.conforming.clip_job import ClipJob
from search_app.conforming.source_audio import heard_tracks, pan_to_stereo
from search_app.conforming.source_frames import PREROLLS, seeks, tick_seconds, tick_span
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip
from store.records import VideoFacts

BYTES_PER_SAMPLE = 2

_NEAR_A_JUMP_SECONDS = 3
"""Largest distance in seconds of the first sound from the first picture after a jump of the clock."""


def conform_sound(job: ClipJob, zero_tick: int, n_samples: int) -> None:
    """Write the sound of a clip as raw samples, exactly `n_samples` of them; where there is none, silence.

    Args:
        job: the clip; its target is written 16 bit little endian, channels interleaved.
        zero_tick: the instant at which the clip's pictures start.
        n_samples: length, in samples of each channel.

    Raises:
        FfmpegError: the sound cannot be read, or it was cancelled.
    """
    size_bytes = n_samples * job.profile.n_channels * BYTES_PER_SAMPLE
    if job.clip.facts.has_audio:
        output = save([_sound(job, zero_tick, n_samples)], job.target, format="s16le", **{"c:a": "pcm_s16le"})
        job.program.run(output, file_bytes=size_bytes + 2**20, cancel=job.cancel)
    with job.target.open("ab") as stream:
        # Where the sound track ends before the clip starts, ffmpeg has nothing to lengthen.
        stream.truncate(size_bytes)


def _sound(job: ClipJob, zero_tick: int, n_samples: int) -> Stream:
    clip, profile = job.clip, job.profile
    facts, preroll = clip.facts, PREROLLS[0]
    start = tick_seconds(zero_tick, facts)
    options: dict[str, object] = {"copyts": None, "vn": None, "reinit_filter": 1}
    if preroll is not None and seeks(facts, start, preroll):
        options |= {"noaccurate_seek": None, "ss": f"{float(start - preroll):.6f}"}
    opened = open_source(job.source, **options)
    heard = heard_tracks(job.look.sound_tracks, facts.container, profile.audio_track)
    tracks = [_on_clock(opened[f"a:{n}"], clip, zero_tick) for n in heard]
    last: dict[str, Any] = {"ochl": profile.channel_layout, "rematrix_maxval": 1}
    if len(heard) > 1:
        # Each is filled up by itself: what is missing in one must not shift the others.
        tracks = [_whole(_resampled(track, profile, ochl="mono"), n_samples) for track in tracks]
        samples = combine(tracks, "amerge", inputs=len(tracks)).filter("pan", args=pan_to_stereo(len(tracks)))
        return _whole(samples.filter("aresample", **last), n_samples, profile)
    (samples,) = tracks
    tracks_seen = job.look.sound_tracks
    track = tracks_seen[heard[0]] if tracks_seen else None
    if track and track.is_mono and profile.channel_layout == "stereo":
        # As loud as a player makes it; the general rule would lower it by 3 dB.
        samples = samples.filter("pan", args="stereo|c0=c0|c1=c0")
    elif track and track.n_nameless:
        samples = samples.filter("pan", args=pan_to_stereo(track.n_nameless))
    # Fewer speakers get the others' sound after ITU-R BS.775, all of it so much lower that nothing can clip.
    return _whole(_resampled(samples, profile, **last), n_samples, profile)


def _on_clock(samples: Stream, clip: Clip, zero_tick: int) -> Stream:
    """The sound of a clip, its clock beginning with the clip's first picture."""
    facts = clip.facts
    if facts.clock_jumps:
        samples = _on_one_line(samples, facts)
    on_clock = zero_tick * facts.time_base
    _, end = tick_span(clip.span, facts)  # frames are whole, so the last may last longer than the clip
    return samples.filter(
        "atrim", start=f"{float(on_clock):.9f}", end=f"{float(end * facts.time_base):.9f}"
    ).filter("asetpts", f"PTS-{float(on_clock):.9f}/TB")


def _on_one_line(samples: Stream, facts: VideoFacts) -> Stream:
    """Sound of a stream whose clock jumps, on the line of its pictures."""
    near = round(_NEAR_A_JUMP_SECONDS / facts.time_base)
    clock = clock_expression(facts.clock_jumps, facts.start_pts_offset, facts.time_base, near)
    base = f"{facts.time_base.numerator}/{facts.time_base.denominator}"
    return samples.filter("asettb", expr=base).filter("asetpts", clock)


def _resampled(samples: Stream, profile: Profile, **speakers: Any) -> Stream:
    # Fills gaps and drops overlaps of more than 10 ms; smaller ones are the rounding of time stamps.
    on_time = {"async": 1, "min_hard_comp": 0.01, "first_pts": 0}
    return samples.filter("aresample", profile.sample_rate, **on_time, **speakers)


def _whole(samples: Stream, n_samples: int, profile: Profile | None = None) -> Stream:
    """Exactly so many samples, in the profile's layout."""
    layout = {"channel_layouts": profile.channel_layout if profile else "mono"}
    return (
        samples.filter("aformat", sample_fmts="s16", **layout)
        .filter("apad", whole_len=n_samples)
        .filter("atrim", end_sample=n_samples)
    )

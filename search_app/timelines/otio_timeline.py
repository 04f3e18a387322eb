"""The plan as a timeline of OpenTimelineIO."""

from __future__ import annotations

from typing import Any

from search_app.timelines.timeline import TimelineClip, TimelinePlan


def build_timeline(plan: TimelinePlan) -> Any:
    """The plan as an OpenTimelineIO timeline: a video track, and an audio track if any source has sound.

    Rates are those of the sources in source time, and that of the timeline in lengths. What OpenTimelineIO has no
    field for is metadata under `rushes`.
    """
    from opentimelineio import opentime, schema

    timeline = schema.Timeline(
        plan.name, global_start_time=opentime.RationalTime(plan.record_start, float(plan.rate))
    )
    timeline.metadata["rushes"] = {
        "query": plan.question,
        "rate": str(plan.rate),
        "drop_frame": plan.drop,
        "notes": list(plan.notes),
    }
    kinds = [(schema.TrackKind.Video, "V1")]
    if any(clip.source.has_audio for clip in plan.clips):
        kinds.append((schema.TrackKind.Audio, "A1"))
    for kind, name in kinds:
        track = schema.Track(name, kind=kind)
        timeline.tracks.append(track)
        for number, clip in enumerate(plan.clips):
            if kind == schema.TrackKind.Video or clip.source.has_audio:
                track.append(_otio_clip(clip, plan, number))
            else:
                track.append(schema.Gap(duration=opentime.RationalTime(clip.n_frames, float(plan.rate))))
    return timeline


def _otio_clip(clip: TimelineClip, plan: TimelinePlan, number: int) -> Any:
    from opentimelineio import opentime, schema

    source = clip.source

    def at(frame: int) -> Any:
        return opentime.RationalTime(frame, float(source.rate))

    media = schema.ExternalReference(source.url, opentime.TimeRange(at(source.start), at(source.n_frames)))
    media.name = source.name
    media.metadata["rushes"] = {
        "fingerprint": clip.video_id,
        "reel": source.reel,
        "rate": str(source.rate),
        "drop_frame": source.drop,
        "width_px": source.width_px,
        "height_px": source.height_px,
        "audio_channels": list(source.audio_channels),
    }
    cut = schema.Clip(
        source.name,
        media,
        opentime.TimeRange(at(clip.source_in), opentime.RationalTime(clip.n_frames, float(plan.rate))),
    )
    # The same number on both tracks says which sound belongs to which picture.
    cut.metadata["rushes"] = {
        "link": number,
        "shots": list(clip.shot_ids),
        "score": clip.score or None,
        "caption": clip.caption,
        "query": plan.question,
    }
    if clip.remark:
        cut.metadata["rushes"]["remark"] = clip.remark
    cut.metadata["cmx_3600"] = {"reel": source.reel}
    if clip.note:
        marker = schema.Marker(clip.note, opentime.TimeRange(at(clip.marker), at(1)))
        marker.comment = clip.remark
        cut.markers.append(marker)
    return cut

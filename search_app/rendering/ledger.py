"""The ledger: a JSON file beside a supercut that says where every frame of it came from.

Times are written twice: as exact fractions of seconds, for programs, and as seconds, for people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import LeftOut
from search_app.rendering.film_options import Subtitles
from search_app.rendering.outcomes import ClipOutcome, SupercutReport
from search_app.rendering.similarity import EdgeCheck
from search_app.search.ranking import Hit
from store.limited import read_limited_json

FORMAT = "rushes-supercut"
VERSION = 1


def ledger_path(output: Path) -> Path:
    """Path of a supercut's ledger."""
    return output.with_name(output.name + ".json")


def read_ledger(path: Path) -> dict[str, Any]:
    """A ledger as it was written."""
    entries: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def wrote_subtitles(path: Path) -> bool:
    """Whether the film of a ledger was given subtitles beside it; not if no ledger can be read there."""
    try:
        entries = read_limited_json(path)
        return bool(entries["format"] == FORMAT and entries["film"]["subtitles"] == Subtitles.BESIDE)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def ledger_text(report: SupercutReport, provenance: Mapping[str, Any], tools: Mapping[str, str]) -> str:
    """The whole ledger as JSON.

    Args:
        report: what was rendered.
        provenance: where the cut list came from: query, embedding space, generation of the archive.
        tools: versions of the programs used.
    """
    entries = {
        "format": FORMAT,
        "version": VERSION,
        **provenance,
        "output": report.output.name,
        "mode": report.mode.value,
        "n_frames": report.n_frames,
        "n_frames_found": report.n_frames_found,
        "duration": _time(report.duration),
        "verification": report.verification_line(),
        "loudness": report.loudness_line(),
        "profile": _profile(report.profile),
        "tools": dict(tools),
        "clips": [_clip(place, clip, report.profile) for place, clip in enumerate(report.clips, start=1)],
        "left_out": left_out_entries(report.left_out),
        "seconds_per_stage": {stage: round(seconds, 3) for stage, seconds in report.seconds.items()},
    }
    text = json.dumps(entries, indent=2, ensure_ascii=False, allow_nan=False)
    # File names that are no UTF-8 come as halves of characters, which only JSON can write, escaped.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text) + "\n"


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "width_px": profile.width_px,
        "height_px": profile.height_px,
        "frame_rate": str(profile.frame_rate),
        "codec": profile.codec.value,
        "framing": profile.framing.value,
        "encoder": profile.encoder,
        "audio_track": profile.audio_track,
        "crf": profile.crf,
        "preset": profile.preset,
        "audio_bits_per_second": profile.audio_bits_per_second,
        "sample_rate": profile.sample_rate,
        "channel_layout": profile.channel_layout,
    }


def _clip(place: int, outcome: ClipOutcome, profile: Profile) -> dict[str, Any]:
    clip, check = outcome.clip, outcome.check
    entry: dict[str, Any] = {
        "place": place,
        "outcome": outcome.status.value,
        "reason": outcome.reason,
        "source": str(outcome.source),
        "fingerprint": clip.video_id,
        "in": _time(clip.span.start),
        "out": _time(clip.span.end),
        "score": clip.score,
        "shot_ids": list(clip.shot_ids),
        "hits": [_hit(hit) for hit in clip.hits],
        "warnings": list(outcome.warnings),
    }
    if outcome.first_frame is None:
        return entry
    return entry | {
        "n_frames": outcome.n_frames,
        "first_frame": outcome.first_frame,
        "starts_at": _time(outcome.first_frame / profile.frame_rate),
        "n_source_frames": outcome.n_source_frames,
        "n_copied_frames": outcome.n_copied_frames,
        "first_shown": _time(outcome.first_shown),
        "last_shown": _time(outcome.last_shown),
        "verification": check
        and {
            "exact": check.is_exact,
            "reason": check.reason,
            "first": _edge(check.first),
            "last": _edge(check.last),
        },
    }


def left_out_entries(left_out: Iterable[LeftOut]) -> list[dict[str, Any]]:
    """The shots that are in no clip, and why."""
    return [{**_hit(left.hit), "reason": left.reason} for left in left_out]


def _hit(hit: Hit) -> dict[str, Any]:
    span = hit.span
    return {
        "rank": hit.rank,
        "score": hit.score,
        "shot_id": hit.shot.shot_id,
        "video": hit.shot.path,
        "start": _time(span.start),
        "end": _time(span.end),
    }


def _edge(edge: EdgeCheck) -> dict[str, Any]:
    return {
        "exact": edge.is_exact,
        "distance": edge.distance,
        "neighbour_distance": edge.neighbour_distance,
        "seen_offset": edge.seen_offset,
    }


def _time(time: Fraction | None) -> dict[str, Any] | None:
    return None if time is None else {"exact": str(time), "seconds": round(float(time), 6)}

"""Fields of a manifest: a closed list, each with its type and range, since anybody can send one.

Nothing in it says what program runs, what is written and where, or whether anything is looked at or left out.
Fields that are not listed here are no part of what was read; options that are not are refused, as of a newer
Rushes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from indexer.media.limits import MAX_PICTURE_PX
from search_app.conforming.hardware import HARDWARE
from search_app.conforming.modes import Mode
from search_app.conforming.target_profile import BT709, SOFTWARE_ENCODER, Profile
from search_app.cutting.clip_texts import ClipText
from search_app.cutting.cut_list import Clip
from search_app.exports.checksums import FilmChecksums
from search_app.exports.serialization import from_plain
from search_app.rendering.film_options import FilmOptions

if TYPE_CHECKING:
    from search_app.search.ranking import Hit
    from store.records import ShotRow, VideoFacts
    from store.timespan import TimeSpan

OPTIONS: Final[Mapping[str, Any]] = {
    "film": FilmOptions | None,
    "mode": Mode,
    "profile": Profile,
    "texts": tuple[ClipText, ...],
}
"""Options of `render_supercut` that a manifest has: how the film looks and sounds, and nothing else."""

CARRIED: Final = (
    *("query", "ranking", "embedding_space", "archive_generation", "archive", "space", "judgements", "cut"),
    *("order", "avoid_used", "seed", "fit", "nearest", "min_sure", "rights", "rendered_from"),
)
"""Entries that the manifest of the film rendered again has too: where the clips came from, as text for people."""

MOST_CLIPS: Final = 10_000
_MOST_CARRIED: Final = 2**20  # characters of one entry
_MOST_SECONDS: Final = 10**7  # of a place in a source: 115 days
_MOST_TEXT: Final = 20_000
_MOST_PATH: Final = 4_096
_MOST_PATHS: Final = 100
_MOST_PARTS: Final = 10_000  # shots of a moment, lines of speech
_LAYOUTS: Final = {"mono": 1, "stereo": 2, "quad": 4, "5.1": 6, "7.1": 8}
_ENCODERS: Final = frozenset({SOFTWARE_ENCODER, *(card.name for card in HARDWARE.values())})
_SPEEDS: Final = frozenset(
    {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}
)
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{8,64}")
_VERSION: Final = re.compile(r"[\w.+~:/ -]{0,200}")


def read_clips(plain: Any) -> tuple[Clip, ...]:
    """The clips of a film.

    Raises:
        ValueError: a field is missing, unknown, of another type, or out of its range.
    """
    if not isinstance(plain, list):
        raise ValueError("cut_list is no list")
    if not 1 <= len(plain) <= MOST_CLIPS:
        raise ValueError(f"it has {len(plain):,} clips: 1 to {MOST_CLIPS:,} can be rendered")
    return tuple(_numbered(number, _read_clip, one) for number, one in enumerate(plain, start=1))


def _numbered(number: int, read: Callable[[Any], Clip], plain: Any) -> Clip:
    try:
        return read(plain)
    except ValueError as error:
        raise ValueError(f"clip {number}: {error}") from error


def _read_clip(plain: Any) -> Clip:
    clip: Clip = from_plain(Clip, plain)
    _require(bool(_FINGERPRINT.fullmatch(clip.video_id)), "video_id", clip.video_id)
    _require(1 <= len(clip.paths) <= _MOST_PATHS, "the number of paths", len(clip.paths))
    for path in clip.paths:
        _require(is_plain_path(path), "paths", path)
    _check_span(clip.span, "span")
    _check_facts(clip.facts)
    _require(1 <= len(clip.hits) <= _MOST_PATHS, "the number of hits", len(clip.hits))
    _check_texts(note=clip.note, state=clip.state)
    return replace(clip, hits=tuple(_checked_hit(hit) for hit in clip.hits))


def _checked_hit(hit: Hit) -> Hit:
    """The hit without its pictures: none is needed to render, and none is opened."""
    _require(0 <= hit.rank <= 10**9, "rank", hit.rank)
    for name in ("score", "relevance", "confidence"):
        value = getattr(hit, name)
        _require(value is None or abs(value) <= 10**6, name, value)
    _require(abs(hit.time) <= _MOST_SECONDS, "time", hit.time)
    lists = (hit.members, hit.stack, hit.steps, hit.matches)
    _require(max(map(len, lists)) <= _MOST_PARTS, "the length of a list", max(map(len, lists)))
    members, stack = (tuple(map(_checked_shot, shots)) for shots in (hit.members, hit.stack))
    steps = tuple(replace(step, shot=_checked_shot(step.shot)) for step in hit.steps)
    shot = _checked_shot(hit.shot)
    return replace(hit, shot=shot, thumbnail="", members=members, stack=stack, steps=steps)


def _checked_shot(row: ShotRow) -> ShotRow:
    _check_span(row.shot.span, "a shot's span")
    return replace(row, thumbnail="")


def _check_span(span: TimeSpan, name: str) -> None:
    _require(max(abs(span.start), abs(span.end)) <= _MOST_SECONDS, name, span.end)


def _check_facts(facts: VideoFacts) -> None:
    _check_texts(container=facts.container, video_codec=facts.video_codec)
    for name in ("width_px", "height_px"):
        _require(1 <= getattr(facts, name) <= 2**16, name, getattr(facts, name))
    _require(abs(facts.rotation_degrees) <= 360, "rotation_degrees", facts.rotation_degrees)
    rate = facts.frame_rate
    _require(rate is None or Fraction(1, 10**6) <= rate <= 10**6, "frame_rate", rate)
    _require(Fraction(1, 10**12) <= facts.time_base <= 3600, "time_base", facts.time_base)
    _require(abs(facts.start_pts_offset) <= 2**63, "start_pts_offset", facts.start_pts_offset)
    rate = facts.usual_rate
    _require(rate is None or Fraction(1, 10**6) <= rate <= 10**6, "usual_rate", rate)
    _require(all(0 <= side <= 2**16 for side in facts.crop or ()), "crop", facts.crop)
    _require(facts.video_track is None or 0 <= facts.video_track < 1_000, "video_track", facts.video_track)
    channels = facts.audio_channels or ()
    _require(len(channels) <= _MOST_PATHS and all(0 <= n <= 1_000 for n in channels), "audio_channels", channels)
    _require(len(facts.clock_jumps) <= _MOST_PARTS, "the number of clock_jumps", len(facts.clock_jumps))
    for jump in facts.clock_jumps:
        _require(abs(jump.time) <= _MOST_SECONDS and 0 <= jump.n_frames <= 10**10, "clock_jumps", jump.n_frames)
    _check_span(facts.span, "the source's span")
    _require(0 <= facts.n_frames <= 10**10, "n_frames", facts.n_frames)
    _require(len(facts.warnings) <= _MOST_PARTS, "the number of warnings", len(facts.warnings))


def read_options(plain: Any, n_clips: int) -> dict[str, Any]:
    """Options for `render_supercut`.

    Raises:
        ValueError: one is not in `OPTIONS`, or not of its type or range.
        QueryError: they contradict each other.
    """
    if not isinstance(plain, Mapping):
        raise ValueError("render_options are no options")
    if unknown := sorted(set(plain) - set(OPTIONS)):
        raise ValueError(f"this Rushes has no {unknown[0][:40]} for supercuts that a manifest may set")
    options = {name: from_plain(OPTIONS[name], value) for name, value in plain.items()}
    if profile := options.get("profile"):
        _check_profile(profile)
    if film := options.get("film"):
        _check_film(film)
    if "texts" in options:
        _check_clip_texts(options["texts"], n_clips)
    return options


def _check_profile(profile: Profile) -> None:
    _require(profile.width_px * profile.height_px <= MAX_PICTURE_PX, "the size of its picture", profile.width_px)
    _require(8_000 <= profile.sample_rate <= 192_000, "sample_rate", profile.sample_rate)
    _require(_LAYOUTS.get(profile.channel_layout) == profile.n_channels, "channel_layout", profile.channel_layout)
    _require(0 <= profile.crf <= 51, "crf", profile.crf)
    _require(profile.preset in _SPEEDS, "preset", profile.preset)
    bits = profile.audio_bits_per_second
    _require(8_000 <= bits <= 1_000_000, "audio_bits_per_second", bits)
    _require(profile.encoder in _ENCODERS, "encoder", profile.encoder)
    _require(profile.audio_track is None or 1 <= profile.audio_track <= 100, "audio_track", profile.audio_track)
    _require(profile.matrix == BT709, "matrix", profile.matrix)


def _check_film(film: FilmOptions) -> None:
    for name, least, most in (
        ("transition_seconds", 0.001, 10.0),
        ("card_seconds", 0.001, 60.0),
        ("loudness", -40.0, -5.0),
    ):
        value = getattr(film, name)
        _require(value is None or least <= value <= most, name, value)
    for path in (film.music, film.watermark):
        _require(path is None or is_plain_path(str(path), is_absolute=False), "a file that it names", path)


def _check_clip_texts(texts: Sequence[ClipText], n_clips: int) -> None:
    _require(len(texts) == n_clips, "the number of texts", len(texts))
    for text in texts:
        _require(len(text.speech) <= _MOST_PARTS, "the number of lines of speech", len(text.speech))
        for line in text.speech:
            _require(0 <= line.start <= line.end <= _MOST_SECONDS, "the time of a line of speech", line.end)


def read_checksums(plain: Any) -> FilmChecksums:
    """Checksums of a film.

    Raises:
        ValueError: a field is missing, unknown, of another type, or too long.
    """
    checksums: FilmChecksums = from_plain(FilmChecksums, plain)
    for text in (checksums.pictures, checksums.sound, *checksums.clips):
        _require(len(text) <= 64, "a checksum", text)
    return checksums


def read_versions(entries: Mapping[str, Any]) -> dict[str, str]:
    """Programs that made a film, for people: names and versions, and the number of threads.

    Raises:
        ValueError: a version or the number of threads is none.
    """
    versions, threads = entries.get("versions"), entries.get("threads")
    if not isinstance(versions, Mapping) or len(versions) > _MOST_PATHS:
        raise ValueError("versions are no versions")
    _require(type(threads) is int and 0 < threads < 10_000, "threads", threads)
    for name, version in versions.items():
        _require(isinstance(version, str) and bool(_VERSION.fullmatch(version)), f"the version of {name}", version)
        _require(bool(_VERSION.fullmatch(name)), "the name of a version", name)
    return {**versions, "threads": str(threads)}


def read_carried(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `CARRIED`.

    Raises:
        ValueError: one is far too long.
    """
    carried = {name: entries[name] for name in CARRIED if name in entries}
    for name, value in carried.items():
        _require(len(json.dumps(value)) <= _MOST_CARRIED, f"the length of {name}", len(json.dumps(value)))
    _require(isinstance(carried.get("rights", {}), Mapping), "rights", carried.get("rights"))
    return carried


def is_plain_path(text: str, *, is_absolute: bool = True) -> bool:
    """Whether a text is a path that a person can be asked about, and no other signs."""
    return 0 < len(text) <= _MOST_PATH and "\0" not in text and (not is_absolute or Path(text).is_absolute())


def _check_texts(**texts: str) -> None:
    for name, text in texts.items():
        _require(len(text) <= _MOST_TEXT, f"the length of {name}", len(text))


def _require(holds: bool, name: str, value: object) -> None:
    if not holds:
        shown = repr(float(value)) if isinstance(value, Fraction) and math.isfinite(float(value)) else repr(value)
        raise ValueError(f"{name} cannot be {shown if len(shown) <= 100 else shown[:100] + '...'}")

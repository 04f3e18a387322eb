"""Estimate of a supercut before it is rendered: length, size and time, and sources that cannot be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.audio import BYTES_PER_SAMPLE
from search_app.conforming.clip_job import ClipJob
from search_app.conforming.coding import CLIP_SUFFIX, CODINGS, container_of
from search_app.conforming.conform import conform_picture
from search_app.conforming.target_profile import Profile, choose_profile
from search_app.cutting.clip_texts import ClipText
from search_app.cutting.cut_list import Clip, CutList
from search_app.errors import RenderError
from search_app.rendering.assembly import expected_frames
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.loudness import Loudspeaker
from search_app.rendering.outcomes import RenderStage, length_words
from search_app.rendering.overlays import check_overlays
from search_app.rendering.preflight import Sighted, Unusable, check_target, sight_sources
from search_app.rendering.progress import share_of
from search_app.rendering.transitions import Blend, Transition, plan_blend
from store.timespan import TimeSpan

N_SAMPLES = 3
SAMPLE_SECONDS = Fraction(1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A supercut before it is rendered.

    Args:
        profile: its shape.
        n_clips: how many clips can be rendered.
        n_frames: its length.
        size_bytes: its size, from pieces encoded to measure it; None if none could be encoded.
        render_seconds: how long rendering takes, likewise.
        unusable: place in the cut list, source and reason of each clip that cannot be rendered.
        n_card_frames: how much of its length is cards.
    """

    profile: Profile
    n_clips: int
    n_frames: int
    size_bytes: int | None
    render_seconds: float | None
    unusable: tuple[tuple[int, Path, str], ...] = ()
    n_card_frames: int = 0

    def summary(self) -> str:
        """Lines for people."""
        cost = "size and time unknown: no piece of it could be encoded to measure them"
        if self.size_bytes is not None and self.render_seconds is not None:
            cost = f"about {self.size_bytes / 1e6:.1f} MB, about {self.render_seconds:.0f} s to render"
        return "\n".join(
            [
                f"{self.n_clips} of {self.n_clips + len(self.unusable)} clips, "
                f"{length_words(self.profile, self.n_frames, self.n_card_frames)}",
                cost,
                *(
                    f"clip {place} cannot be rendered: {source} {reason}"
                    for place, source, reason in self.unusable
                ),
            ]
        )

    def entries(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "clips": self.n_clips,
            "frames": self.n_frames,
            "duration_seconds": float(self.n_frames / self.profile.frame_rate),
            "size_bytes": self.size_bytes,
            "render_seconds": None if self.render_seconds is None else round(self.render_seconds, 1),
            "unusable": [
                {"clip": place, "source": str(source), "reason": reason} for place, source, reason in self.unusable
            ],
        }


def estimate_supercut(
    cut_list: CutList,
    output: Path,
    *,
    profile: Profile | None = None,
    film: FilmOptions | None = None,
    texts: Sequence[ClipText] | None = None,
    program: Ffmpeg | None = None,
    identify: Callable[[Path], str] | None = None,
    overwrite: bool = False,
    cancel: threading.Event | None = None,
) -> Estimate:
    """Look at everything that rendering needs, and write nothing.

    Length follows from the cut list. For size and time a second each of three clips is encoded as the film would
    be, into a folder for temporary files; what they take for each frame is taken for all.

    Args:
        cut_list: the clips, in order.
        output: the file that would be made.
        profile: its shape; chosen from the sources if None.
        film: what there would be beside the clips.
        texts: what the archive says about each clip.
        program: ffmpeg; the one that came with the installation if None.
        identify: gives the fingerprint of a file, to notice sources that changed since they were indexed.
        overwrite: whether `output` may exist.
        cancel: stops it when set.

    Raises:
        RenderError: there are no clips, or the target cannot be used.
    """
    if not cut_list.clips:
        raise RenderError("there is nothing to render: the cut list has no clips")
    program = program or find_ffmpeg()
    lengths = [clip.span.duration for clip in cut_list.clips]
    profile = profile or choose_profile([clip.facts for clip in cut_list.clips], lengths)
    film = film or FilmOptions()
    check_target(output.absolute(), cut_list.clips, profile.codec, overwrite=overwrite, film=film)
    check_overlays(film, texts or (), profile)
    if film.music:
        Loudspeaker(program, profile, cancel).check_music(film.music)
    sighted = sight_sources(program, cut_list.clips, identify, cancel=cancel)
    usable = [one for one in sighted if isinstance(one, Sighted)]
    bad = [(i, one.source, one.reason) for i, one in enumerate(sighted, start=1) if isinstance(one, Unusable)]
    measured = _measure(program, usable, profile, cancel)
    n_frames = planned_frames([one.clip for one in usable], profile, film)
    n_cards = film.n_card_frames(profile.frame_rate)
    size_bytes = render_seconds = None
    if measured is not None:
        frame_bytes, frame_seconds = measured
        is_heard = any(one.clip.facts.has_audio for one in usable)
        sound_bytes = is_heard * float(n_frames / profile.frame_rate) * _sound_bytes_per_second(profile, output)
        size_bytes = round(n_frames * frame_bytes * CODINGS[profile.codec].shows_pictures + sound_bytes)
        n_encoded = sum(expected_frames(one.clip, profile) for one in usable)
        render_seconds = n_encoded * frame_seconds / share_of(RenderStage.CLIPS)
    return Estimate(profile, len(usable), n_frames, size_bytes, render_seconds, tuple(bad), n_cards)


def planned_frames(clips: Sequence[Clip], profile: Profile, film: FilmOptions | None = None) -> int:
    """Length of a film of these clips, cards and all, in frames."""
    film = film or FilmOptions()
    blend = plan_blend(film.transition, film.exact_transition_seconds, profile.frame_rate)
    lengths = [expected_frames(clip, profile) for clip in clips]
    n_card = film.card_frames(profile.frame_rate)
    pieces = [*[n_card] * (film.title is not None), *lengths, *[n_card] * (film.end_card is not None)]
    return film_length(pieces, blend)


def _sound_bytes_per_second(profile: Profile, output: Path) -> float:
    """Bytes of a second of sound in the file; PCM is not compressed, a GIF has none."""
    encoder = CODINGS[profile.codec].sound.get(container_of(output, profile.codec), "")
    if encoder.startswith("pcm"):
        return profile.sample_rate * profile.n_channels * BYTES_PER_SAMPLE
    return profile.audio_bits_per_second / 8 if encoder else 0


def film_length(lengths: Sequence[int], blend: Blend) -> int:
    """Frames of a film of pieces of these lengths."""
    shared = 0
    if blend.kind is Transition.DISSOLVE:
        shared = sum(blend.between(one, other) for one, other in pairwise(lengths))
    return sum(lengths) - shared


def _measure(
    program: Ffmpeg, usable: Sequence[Sighted], profile: Profile, cancel: threading.Event | None
) -> tuple[float, float] | None:
    """Bytes and seconds that a frame takes; None where no sample could be encoded."""
    n_frames, size_bytes, started = 0, 0, time.monotonic()
    with TemporaryDirectory(prefix="rushes-estimate-") as folder:
        target = Path(folder) / f"sample{CLIP_SUFFIX}"
        for seen in usable[:: max(1, len(usable) // N_SAMPLES)][:N_SAMPLES]:
            span = seen.clip.span
            sample = replace(seen.clip, span=TimeSpan(span.start, min(span.end, span.start + SAMPLE_SECONDS)))
            try:
                made = conform_picture(
                    ClipJob(program, sample, seen.source, seen.look, profile, target, cancel=cancel)
                )
            except FfmpegError:
                if cancel and cancel.is_set():
                    raise
                continue
            n_frames += made.n_frames
            size_bytes += target.stat().st_size
    return (size_bytes / n_frames, (time.monotonic() - started) / n_frames) if n_frames else None

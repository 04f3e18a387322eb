"""Outcomes of a supercut: progress, the end of each clip, and the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from search_app.conforming.modes import Mode
from search_app.conforming.picture_names import Codec
from search_app.conforming.source_frames import tick_seconds
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip, LeftOut
from search_app.cutting.matches import reason_with_way_out
from search_app.rendering.loudness import TOLERANCE_LU, Loudness
from search_app.rendering.verify import ClipCheck, Placed
from store.timespan import TimeSpan
from store.wording import n_of

_NAMED_CLIPS = 3


class RenderStage(StrEnum):
    """The steps of rendering, in order."""

    PREFLIGHT = "preflight"
    CLIPS = "clips"
    JOIN = "join"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class RenderProgress:
    """Progress of a supercut.

    Args:
        stage: the step under way.
        n_clips_done: clips that are through this step.
        n_clips: all clips.
        fraction: part of the whole work that is done, 0 to 1; never goes back.
        seconds_left: estimate, None while there is nothing to estimate from.
    """

    stage: RenderStage
    n_clips_done: int
    n_clips: int
    fraction: float
    seconds_left: float | None


class ClipStatus(StrEnum):
    """Ways in which a clip ends."""

    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """Outcome of one clip of a cut list.

    Args:
        clip: the clip.
        status: done, or skipped because it could not be rendered.
        reason: why it was skipped; empty otherwise.
        source: the file it was cut from, or should have been.
        n_frames: its length in the supercut.
        first_frame: number of its first frame in the supercut, from 0; None if skipped.
        n_source_frames: how many frames of the source lie in it.
        first_shown: time in the source of what its first frame shows; None if skipped.
        last_shown: time in the source of what its last frame shows; None if skipped.
        n_copied_frames: how many of its frames were copied from the source instead of encoded.
        n_blended_first: how many frames at its beginning show something else too.
        n_blended_last: how many at its end.
        warnings: what is not as in the source or as asked, one line each.
        check: what verification found; None if it was skipped or not verified.
    """

    clip: Clip
    status: ClipStatus
    reason: str
    source: Path
    n_frames: int = 0
    first_frame: int | None = None
    n_source_frames: int = 0
    first_shown: Fraction | None = None
    last_shown: Fraction | None = None
    n_copied_frames: int = 0
    n_blended_first: int = 0
    n_blended_last: int = 0
    warnings: tuple[str, ...] = ()
    check: ClipCheck | None = None


def outcome_of(placed: Placed, warnings: tuple[str, ...]) -> ClipOutcome:
    """Outcome of a clip that is in the file."""
    clip, made = placed.clip, placed.conformed
    return ClipOutcome(
        clip,
        ClipStatus.DONE,
        "",
        placed.source,
        made.n_frames,
        placed.first_frame,
        made.n_source_frames,
        tick_seconds(made.first_tick, clip.facts),
        tick_seconds(made.last_tick, clip.facts),
        made.n_copied_frames,
        made.n_blended_first,
        made.n_blended_last,
        (*filter(None, [made.note]), *warnings),
    )


@dataclass(frozen=True, slots=True)
class SupercutReport:
    """A rendered supercut.

    Args:
        output: the file.
        ledger: the file beside it that says where everything came from.
        profile: its shape.
        clips: how each clip of the cut list ended, in order.
        left_out: hits that are in no clip.
        n_frames: its length.
        seconds: time spent in each stage.
        n_taken_over: clips that an interrupted render had encoded already.
        mode: how it was made.
        loudness: how loud it is; None if it was not asked to be so loud.
        wanted_lufs: how loud it should be.
        note: what people should know about the files beside it; empty if nothing.
        n_card_frames: how much of its length is cards.
        n_frames_found: how many frames verification found in the file; None if it was not verified.
        film_fault: what verification found wrong with the whole; empty if nothing.
    """

    output: Path
    ledger: Path
    profile: Profile
    clips: tuple[ClipOutcome, ...]
    left_out: tuple[LeftOut, ...]
    n_frames: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    n_taken_over: int = 0
    mode: Mode = Mode.EXACT
    loudness: Loudness | None = None
    wanted_lufs: float | None = None
    note: str = ""
    n_card_frames: int = 0
    n_frames_found: int | None = None
    film_fault: str = ""

    @property
    def duration(self) -> Fraction:
        """Length in seconds, exact."""
        return self.n_frames / self.profile.frame_rate

    @property
    def done(self) -> tuple[ClipOutcome, ...]:
        """The clips that are in the file."""
        return tuple(clip for clip in self.clips if clip.status is ClipStatus.DONE)

    @property
    def stretches(self) -> list[tuple[str, TimeSpan]]:
        """Video and span of every clip that is in the file."""
        return [(one.clip.video_id, one.clip.span) for one in self.done]

    @property
    def skipped(self) -> tuple[ClipOutcome, ...]:
        """The clips that are not."""
        return tuple(clip for clip in self.clips if clip.status is ClipStatus.SKIPPED)

    @property
    def n_exact(self) -> int:
        """Number of clips that are proven to show what they must."""
        return sum(1 for clip in self.done if clip.check and clip.check.is_exact)

    @property
    def has_wrong_length(self) -> bool:
        """Whether verification found more or fewer frames than the film must have."""
        return self.n_frames_found not in {None, self.n_frames}

    @property
    def is_exact(self) -> bool:
        """Whether all were, and the film has the length that it must have."""
        return self.n_exact == len(self.done) and not self.has_wrong_length and not self.film_fault

    @property
    def is_verified(self) -> bool:
        """Whether anything was compared with the sources."""
        return any(clip.check for clip in self.done)

    @property
    def has_wrong_cut(self) -> bool:
        """Whether verification found a clip that is not exact, or a film of another length or shape."""
        return (
            self.has_wrong_length
            or bool(self.film_fault)
            or any(clip.check and not clip.check.is_exact for clip in self.done)
        )

    def summary(self) -> str:
        """Lines for people: what was made, what was proven, what is missing or different."""
        lines = [
            f"{self.output}: {len(self.done)} of {len(self.clips)} clips, "
            f"{length_words(self.profile, self.n_frames, self.n_card_frames)}",
            *self._mode_lines(),
            self.verification_line(),
        ]
        if self.loudness:
            lines.append(self.loudness_line())
        if self.n_taken_over:
            lines.append(f"{self.n_taken_over} clips were taken over from an interrupted render")
        lines.extend(self._clip_lines())
        lines.extend(left_out_lines(self.left_out))
        lines.extend(filter(None, [self.note]))
        return "\n".join(lines)

    def _clip_lines(self) -> list[str]:
        """Remarks on clips; of more than three the same is said once, the ledger says it of each."""
        lines: list[str] = []
        warned: dict[str, list[int]] = {}
        for place, clip in enumerate(self.clips, start=1):
            if clip.reason:
                lines.append(f"clip {place} is not in it: {clip.source} {clip.reason}")
            for warning in clip.warnings:
                warned.setdefault(warning, []).append(place)
        for warning, places in warned.items():
            if len(places) > _NAMED_CLIPS:
                lines.append(f"{len(places)} clips: {warning}")
            else:
                lines.extend(f"clip {place}: {warning}" for place in places)
        return lines

    def _mode_lines(self) -> list[str]:
        if self.mode is Mode.PREVIEW:
            return ["a preview: small, rough and not verified"]
        if self.mode is Mode.EXACT:
            return []
        n_copied = sum(clip.n_copied_frames for clip in self.done)
        n_clips = sum(1 for clip in self.done if clip.n_copied_frames)
        share = n_copied / max(1, self.n_frames)
        return [f"fast: {share:.0%} of the frames copied, in {n_clips} of {len(self.done)} clips"]

    def loudness_line(self) -> str:
        """One line for people: what was measured, and whether that is what was asked for; empty if nothing was."""
        if self.loudness is None or self.wanted_lufs is None:
            return ""
        said = f"{self.loudness.integrated_lufs:.1f} LUFS, true peak {self.loudness.true_peak_db:.1f} dBTP"
        is_near = abs(self.loudness.integrated_lufs - self.wanted_lufs) <= TOLERANCE_LU
        return said if is_near else f"{said}: its sound does not allow the {self.wanted_lufs:g} LUFS asked for"

    def verification_line(self) -> str:
        """One line for people, such as `24/24 cuts exact`."""
        if self.profile.codec is Codec.SOUND:
            return "sound alone: it has no pictures that could be compared with the sources"
        if not self.is_verified:
            return "cuts not verified"
        wrong = [
            f"clip {place}: {clip.check.reason}"
            for place, clip in enumerate(self.clips, start=1)
            if clip.check and not clip.check.is_exact
        ]
        if self.has_wrong_length:
            wrong.insert(0, f"the film has {n_of(self.n_frames_found or 0, 'frame')} instead of {self.n_frames}")
        wrong[:0] = filter(None, [self.film_fault])
        return "; ".join([f"{self.n_exact}/{len(self.done)} cuts exact", *wrong])


def length_words(profile: Profile, n_frames: int, n_card_frames: int) -> str:
    """A film's length and shape for people, and how much of it is cards."""
    seconds, card_seconds = (float(n / profile.frame_rate) for n in (n_frames, n_card_frames))
    cards = f" ({card_seconds:.2f} s of it cards)" if n_card_frames else ""
    return f"{seconds:.2f} s{cards}, {profile.described}"


def left_out_lines(left_out: Iterable[LeftOut]) -> list[str]:
    """A line for people for each reason why shots were left out; a single shot is named, the ledger names all."""
    of_reason: dict[str, list[LeftOut]] = {}
    for left in left_out:
        of_reason.setdefault(left.reason, []).append(left)
    return [
        f"left out: {lefts[0].hit.shot.path}, rank {lefts[0].hit.rank}: {reason_with_way_out(reason)}"
        if len(lefts) == 1
        else f"left out: {n_of(len(lefts), 'shot')}: {reason_with_way_out(reason)}"
        for reason, lefts in of_reason.items()
    ]

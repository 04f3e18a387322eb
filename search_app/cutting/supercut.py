"""From a cut list to a rendered file: preflight, clips, join, verification, ledger.

Every clip is encoded once, in the final coding, into a file of its own in a private folder beside the output; the
join copies the pictures and codes the sound in one piece, so that memory stays flat for any number of clips and
sound cannot drift from pictures. Nothing has the output's name before everything is done.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg, open_own, save
from search_app.cutting.coding import CLIP_SUFFIX, container_of, join_options
from search_app.cutting.conform import conform_picture, conform_sound, tick_seconds
from search_app.cutting.cut_list import CutList
from search_app.cutting.ledger import ledger_path, ledger_text
from search_app.cutting.outcomes import ClipOutcome, ClipStatus, RenderProgress, RenderStage, SupercutReport
from search_app.cutting.preflight import Sighted, Unusable, check_space, check_target, sight_sources
from search_app.cutting.target_profile import Profile, choose_profile
from search_app.cutting.verify import ClipCheck, Placed, verify_supercut
from search_app.cutting.work_folder import private_folder, remove_dead_folders
from search_app.errors import RenderError

_SHARES = {RenderStage.PREFLIGHT: 0.03, RenderStage.CLIPS: 0.75, RenderStage.JOIN: 0.04, RenderStage.VERIFY: 0.18}
_MICROSECOND = Fraction(1, 1_000_000)
_COPY_BYTES = 1 << 20


def render_supercut(
    cut_list: CutList,
    output: Path,
    *,
    profile: Profile | None = None,
    program: Ffmpeg | None = None,
    identify: Callable[[Path], str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    skip_missing: bool = False,
    overwrite: bool = False,
    verify: bool = True,
    on_progress: Callable[[RenderProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> SupercutReport:
    """Render the clips of a cut list into one file, with a ledger beside it.

    Args:
        cut_list: the clips, in order.
        output: the file to make; its ending chooses the container.
        profile: its shape; chosen from the sources if None.
        program: ffmpeg; the one that came with the installation if None.
        identify: gives the fingerprint of a file, to notice sources that changed since they were indexed.
        provenance: for the ledger: query, embedding space, generation of the archive.
        skip_missing: render the other clips when some cannot be rendered, instead of nothing.
        overwrite: replace `output` if it exists.
        verify: compare both ends of each clip with the source afterwards.
        on_progress: told how far it is, a few times a second, in the thread that called.
        cancel: when set by another thread, rendering stops within a second and nothing is kept.

    Returns:
        How every clip ended. A clip that verification finds wrong stays in the file and is named in the report.

    Raises:
        RenderError: the target or a source cannot be used, the disk is full, or it was cancelled. Nothing has
            been written then, and a file that `output` named before is untouched.
    """
    if not cut_list.clips:
        raise RenderError("there is nothing to render: the cut list has no clips")
    output = output.absolute()
    profile = profile or choose_profile([clip.facts for clip in cut_list.clips])
    check_target(output, cut_list.clips, profile.codec, overwrite=overwrite)
    remove_dead_folders(output.parent)
    job = _Job(
        cut_list,
        output,
        profile,
        program or find_ffmpeg(),
        skip_missing,
        _Clock(on_progress, len(cut_list.clips)),
        cancel or threading.Event(),
    )
    check_space(output, cut_list.clips, job.profile)
    try:
        job.sight(identify)
        with private_folder(output.parent) as folder:
            report = job.render(folder, verify=verify)
            job.publish(folder, report, provenance or {}, overwrite=overwrite)
        return report
    except (FfmpegError, OSError) as error:
        raise _explained(error, output, job.cancel) from error


def _explained(error: Exception, output: Path, cancel: threading.Event) -> RenderError:
    if cancel.is_set():
        return RenderError(f"{output.name} was cancelled; nothing was kept")
    if _is_disk_full(error):
        return RenderError(
            f"no space left on the disk of {output.parent}: free some and render again; nothing was kept"
        )
    return RenderError(f"cannot render {output}: {error}")


def _is_disk_full(error: Exception) -> bool:
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    return full or os.strerror(errno.ENOSPC) in str(error)


@dataclass
class _Clock:
    """Turns steps into progress, and adds up seconds per stage."""

    listener: Callable[[RenderProgress], None] | None
    n_clips: int
    started: float = field(default_factory=time.monotonic)
    stage: RenderStage = RenderStage.PREFLIGHT
    stage_started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)
    fraction: float = 0.0

    def enter(self, stage: RenderStage) -> None:
        """Begin a stage."""
        self.leave()
        self.stage = stage
        self.tell(0, 0.0)

    def leave(self) -> None:
        """End the current stage."""
        now = time.monotonic()
        self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.stage_started
        self.stage_started = now

    def tell(self, n_clips_done: int, part: float) -> None:
        """Report that `part` of the current stage is done."""
        before = sum(
            share
            for stage, share in _SHARES.items()
            if list(_SHARES).index(stage) < list(_SHARES).index(self.stage)
        )
        self.fraction = max(self.fraction, before + _SHARES[self.stage] * min(1.0, part))
        if self.listener:
            spent = time.monotonic() - self.started
            left = spent / self.fraction - spent if self.fraction > 0.05 else None
            self.listener(RenderProgress(self.stage, n_clips_done, self.n_clips, self.fraction, left))


@dataclass
class _Job:
    """One rendering under way."""

    cut_list: CutList
    output: Path
    profile: Profile
    program: Ffmpeg
    skip_missing: bool
    clock: _Clock
    cancel: threading.Event
    sighted: list[Sighted | Unusable] = field(default_factory=list)
    outcomes: list[ClipOutcome] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    n_frames: int = 0
    n_samples: int = 0

    def sight(self, identify: Callable[[Path], str] | None) -> None:
        """Find all sources; raise if one is unusable and none may be skipped."""
        clips = self.cut_list.clips
        self.sighted = sight_sources(
            self.program, clips, identify, cancel=self.cancel, on_clip=lambda n: self.clock.tell(n, n / len(clips))
        )
        self._refuse(
            [(i, seen.source, seen.reason) for i, seen in enumerate(self.sighted, 1) if isinstance(seen, Unusable)]
        )

    def _refuse(self, bad: Sequence[tuple[int, Path, str]]) -> None:
        total = len(self.cut_list.clips)
        if not bad or (self.skip_missing and len(bad) < total):
            return
        named = "; ".join(f"clip {place}: {source} {reason}" for place, source, reason in bad)
        way_out = "" if len(bad) == total else "; they can be skipped if that is asked for"
        raise RenderError(f"{len(bad)} of {total} clips cannot be rendered: {named}{way_out}")

    def render(self, folder: Path, *, verify: bool) -> SupercutReport:
        """Make the whole file in the private folder."""
        self.clock.enter(RenderStage.CLIPS)
        for place, seen in enumerate(self.sighted, start=1):
            self.outcomes.append(self._render_clip(folder, place, seen))
            self.clock.tell(place, place / len(self.sighted))
        self._refuse(
            [(i, o.source, o.reason) for i, o in enumerate(self.outcomes, 1) if o.status is ClipStatus.SKIPPED]
        )
        self.clock.enter(RenderStage.JOIN)
        self._join(folder)
        if verify:
            self.clock.enter(RenderStage.VERIFY)
            self._verify(self._joined(folder))
        self.clock.leave()
        return SupercutReport(
            self.output,
            ledger_path(self.output),
            self.profile,
            tuple(self.outcomes),
            self.cut_list.left_out,
            self.n_frames,
            self.clock.seconds,
        )

    def _render_clip(self, folder: Path, place: int, seen: Sighted | Unusable) -> ClipOutcome:
        if isinstance(seen, Unusable):
            return ClipOutcome(seen.clip, ClipStatus.SKIPPED, seen.reason, seen.source)
        clip, n_all = seen.clip, len(self.sighted)
        length = max(1, round(clip.span.duration * self.profile.frame_rate))
        try:
            conformed = conform_picture(
                self.program,
                clip,
                seen.source,
                seen.look,
                self.profile,
                folder / _picture_name(place),
                cancel=self.cancel,
                on_frame_count=lambda n: self.clock.tell(place - 1, (place - 1 + min(1.0, n / length)) / n_all),
            )
        except FfmpegError as error:
            if self.cancel.is_set() or _is_disk_full(error):
                raise
            return self._failed(seen, f"cannot be cut: {error}")
        placed = Placed(clip, seen.source, seen.look, conformed, self.n_frames)
        self.n_frames += conformed.n_frames
        warnings = self._append_sound(folder, placed)
        self.placed.append(placed)
        return ClipOutcome(
            clip,
            ClipStatus.DONE,
            "",
            seen.source,
            conformed.n_frames,
            placed.first_frame,
            conformed.n_source_frames,
            tick_seconds(conformed.first_tick, clip.facts),
            tick_seconds(conformed.last_tick, clip.facts),
            warnings,
        )

    def _failed(self, seen: Sighted, reason: str) -> ClipOutcome:
        if not self.skip_missing:
            self._refuse([(len(self.outcomes) + 1, seen.source, reason)])
        return ClipOutcome(seen.clip, ClipStatus.SKIPPED, reason, seen.source)

    def _append_sound(self, folder: Path, placed: Placed) -> tuple[str, ...]:
        """Add the clip's sound to that before it; places are rounded, not lengths, so that no error adds up."""
        end_sample = round(self.n_frames / self.profile.frame_rate * self.profile.sample_rate)
        n_samples = end_sample - self.n_samples
        self.n_samples = end_sample
        piece = folder / "piece.s16le"
        warnings: tuple[str, ...] = ()
        arguments = (placed.conformed.zero_tick, n_samples, self.profile, piece)
        try:
            conform_sound(self.program, placed.clip, placed.source, *arguments, cancel=self.cancel)
        except FfmpegError as error:
            if self.cancel.is_set() or _is_disk_full(error):
                raise
            piece.unlink(missing_ok=True)
            warnings = (f"its sound cannot be read, silence instead: {error}",)
            silent = replace(placed.clip, facts=replace(placed.clip.facts, has_audio=False))
            conform_sound(self.program, silent, placed.source, *arguments, cancel=self.cancel)
        with piece.open("rb") as source, (folder / "sound.s16le").open("ab") as target:
            shutil.copyfileobj(source, target, _COPY_BYTES)
        piece.unlink()
        return warnings

    def _joined(self, folder: Path) -> Path:
        return folder / f"joined{self.output.suffix.lower()}"

    def _join(self, folder: Path) -> None:
        lines = ["ffconcat version 1.0"]
        done = [place for place, outcome in enumerate(self.outcomes, start=1) if outcome.status is ClipStatus.DONE]
        for place, placed in zip(done, self.placed, strict=True):
            # Durations are differences of rounded places, so that rounding never adds up to half a tick.
            start, end = (
                round(n / self.profile.frame_rate / _MICROSECOND)
                for n in (placed.first_frame, placed.last_frame + 1)
            )
            lines += [f"file {_picture_name(place)}", f"duration {end - start}us"]
        (folder / "clips.ffconcat").write_text("\n".join(lines) + "\n")
        pictures = open_own(folder / "clips.ffconcat", format="concat", safe=1)
        sound = open_own(
            folder / "sound.s16le",
            format="s16le",
            ar=self.profile.sample_rate,
            ch_layout=self.profile.channel_layout,
        )
        container = container_of(self.output, self.profile.codec)
        options = join_options(self.profile, container)
        output = save([pictures["v:0"], sound["a:0"]], self._joined(folder), format=container, **options)
        self.program.run(
            output, cancel=self.cancel, on_frame_count=lambda n: self.clock.tell(0, n / max(1, self.n_frames))
        )

    def _verify(self, joined: Path) -> None:
        n_all = len(self.placed)
        checks: list[ClipCheck] = verify_supercut(
            self.program,
            joined,
            self.placed,
            self.profile,
            cancel=self.cancel,
            on_clip=lambda n: self.clock.tell(n, n / n_all),
        )
        rest = iter(checks)
        self.outcomes = [
            replace(outcome, check=next(rest)) if outcome.status is ClipStatus.DONE else outcome
            for outcome in self.outcomes
        ]

    def publish(
        self, folder: Path, report: SupercutReport, provenance: Mapping[str, Any], *, overwrite: bool
    ) -> None:
        """Give the finished file and its ledger their names."""
        ledger = folder / "ledger.json"
        ledger.write_text(ledger_text(report, provenance, {"ffmpeg": self.program.version}), encoding="utf-8")
        for path in (self._joined(folder), ledger):
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        if self.cancel.is_set():
            raise FfmpegError("cancelled")
        check_target(self.output, self.cut_list.clips, self.profile.codec, overwrite=overwrite)
        self._joined(folder).replace(self.output)
        ledger.replace(report.ledger)


def _picture_name(place: int) -> str:
    return f"{place:05d}{CLIP_SUFFIX}"

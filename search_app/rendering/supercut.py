"""From a cut list to a rendered file: preflight, clips, join, verification, ledger.

Every clip is encoded once, in the final coding, into a file of its own in a private folder beside the output; the
join copies the pictures and codes the sound in one piece, so that memory stays flat for any number of clips and
sound cannot drift from pictures. Nothing has the output's name before everything is done.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.coding import CODINGS
from search_app.conforming.conform import conform_picture
from search_app.conforming.modes import Mode
from search_app.conforming.overlays_and_fades import Layer
from search_app.conforming.stream_copy import copy_picture
from search_app.conforming.target_profile import Profile, shape_for
from search_app.cutting.clip_texts import ClipText
from search_app.cutting.cut_list import CutList
from search_app.errors import RenderError
from search_app.rendering.assembly import Assembly, HeldFramesLostError
from search_app.rendering.audio_encoder import EarlySound, can_code_early
from search_app.rendering.chapters import metadata_text
from search_app.rendering.film_options import FilmOptions, Subtitles
from search_app.rendering.index_proof import check_clocks
from search_app.rendering.join import join_pieces
from search_app.rendering.ledger import ledger_path, ledger_text
from search_app.rendering.lengths import Lengths, expected_lengths
from search_app.rendering.loudness import Loudness, Loudspeaker
from search_app.rendering.outcomes import (
    ClipOutcome,
    ClipStatus,
    RenderProgress,
    RenderStage,
    SupercutReport,
    outcome_of,
)
from search_app.rendering.overlays import Overlays, check_overlays
from search_app.rendering.prefetch import N_AT_ONCE, Ahead
from search_app.rendering.preflight import (
    Sighted,
    Unusable,
    check_space,
    check_target,
    has_changed,
    is_disk_full,
    refuse_changed,
    sight_sources,
)
from search_app.rendering.progress import Clock
from search_app.rendering.publish import aside_path, explained, give_names
from search_app.rendering.subtitles import srt_text, subtitle_path
from search_app.rendering.transitions import Transition, plan_blend
from search_app.rendering.verify import Placed, verify_supercut
from search_app.rendering.work_folder import WorkFolder, private_folder
from store.files import sync_file
from store.names import display_names


def render_supercut(
    cut_list: CutList,
    output: Path,
    *,
    profile: Profile | None = None,
    film: FilmOptions | None = None,
    texts: Sequence[ClipText] | None = None,
    mode: Mode = Mode.EXACT,
    program: Ffmpeg | None = None,
    identify: Callable[[Path], str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    skip_missing: bool = False,
    overwrite: bool = False,
    verify: bool = True,
    keep_inexact: bool = False,
    on_progress: Callable[[RenderProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> SupercutReport:
    """Render the clips of a cut list into one file, with a ledger beside it.

    Args:
        cut_list: the clips, in order.
        output: the file to make; its ending chooses the container.
        profile: its shape; chosen from the sources if None.
        film: what there is beside the clips: transitions, cards, texts over them, chapters.
        texts: what the archive says about each clip, in order, and what must be marked on it.
        mode: how exact and how fast; a preview is smaller than the profile, and not verified.
        program: ffmpeg; the one that came with the installation if None.
        identify: gives the fingerprint of a file, to notice sources that changed since they were indexed.
        provenance: for the ledger: query, embedding space, generation of the archive.
        skip_missing: render the other clips when some cannot be rendered, instead of nothing.
        overwrite: replace `output` if it exists.
        verify: compare every frame of each clip with its source afterwards.
        keep_inexact: give the film its name though verification found it wrong.
        on_progress: told how far it is, a few times a second, in the thread that called.
        cancel: when set by another thread, rendering stops within a second and nothing is kept.

    Returns:
        How every clip ended. A clip that verification finds wrong stays in the file and is named in the report;
        the file then lies beside `output`, under a name that says so.

    Raises:
        RenderError: the target or a source cannot be used, a source changed meanwhile, the disk is full, or it was
            cancelled. Nothing has been written then, and a file that `output` named before is untouched.
    """
    if not cut_list.clips:
        raise RenderError("there is nothing to render: the cut list has no clips")
    output, mode = output.absolute(), Mode(mode)  # a plain word will do
    lengths = [clip.span.duration for clip in cut_list.clips]
    profile = shape_for(mode, profile, [clip.facts for clip in cut_list.clips], lengths)
    film = film or FilmOptions()
    texts = list(texts or [ClipText()] * len(cut_list.clips))
    check_target(output, cut_list.clips, profile.codec, overwrite=overwrite, film=film)
    check_overlays(film, texts, profile)
    job = _Job(
        cut_list,
        output,
        profile,
        film,
        texts,
        mode,
        program or find_ffmpeg(),
        skip_missing,
        Clock(on_progress, len(cut_list.clips)),
        cancel or threading.Event(),
        identify,
    )
    check_space(output, cut_list.clips, job.profile)
    try:
        if film.music is not None:
            Loudspeaker(job.program, profile, job.cancel).check_music(film.music)
        job.sight()
        with private_folder(output.parent) as work:
            report = job.render(work, verify=verify and mode is not Mode.PREVIEW)
            job.refuse_changed()
            if report.has_wrong_cut and not keep_inexact:
                report = job.set_aside(report)
            return job.publish(work.path, report, provenance or {}, overwrite=overwrite)
    except (FfmpegError, OSError) as error:
        raise explained(error, output, job.cancel) from error


@dataclass(frozen=True, slots=True)
class _Begun:
    """A clip whose turn will come.

    Args:
        seen: the clip.
        text: what the archive says about it.
        layers: what lies over it.
        drawn_otherwise: warnings about these.
    """

    seen: Sighted | Unusable
    text: ClipText
    layers: Sequence[Layer] = ()
    drawn_otherwise: tuple[str, ...] = ()


@dataclass
class _Job:
    """One rendering under way."""

    cut_list: CutList
    output: Path
    profile: Profile
    film: FilmOptions
    texts: Sequence[ClipText]
    mode: Mode
    program: Ffmpeg
    skip_missing: bool
    clock: Clock
    cancel: threading.Event
    identify: Callable[[Path], str] | None = None
    sighted: list[Sighted | Unusable] = field(default_factory=list)
    outcomes: list[ClipOutcome] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    shown_texts: list[ClipText] = field(default_factory=list)
    n_frames_due: int = 0
    n_frames_found: int | None = None
    film_fault: str = ""

    def sight(self) -> None:
        """Find all sources; raise if one is unusable and none may be skipped."""
        clips = self.cut_list.clips
        self.sighted = sight_sources(
            self.program,
            clips,
            self.identify,
            cancel=self.cancel,
            on_clip=lambda n: self.clock.tell(n, n / len(clips)),
        )
        self._refuse(
            [(i, seen.source, seen.reason) for i, seen in enumerate(self.sighted, 1) if isinstance(seen, Unusable)]
        )

    def refuse_changed(self) -> None:
        """Raise if a source of what was made is not the file any more that was looked at."""
        made = {one.source for one in self.outcomes if one.status is ClipStatus.DONE}
        sighted = (one for one in self.sighted if isinstance(one, Sighted))
        refuse_changed({one.source: one for one in sighted if one.source in made}.values(), self.identify)

    def set_aside(self, report: SupercutReport) -> SupercutReport:
        """The report of a film that is not exact, under a name that says so and that nothing has."""
        output = aside_path(self.output)
        note = f"{self.output.name} was not written: the film is not exact, and is kept as {output.name}"
        way_out = f"{note} (--keep-inexact gives it its name)"
        return replace(report, output=output, ledger=ledger_path(output), note=way_out)

    def _refuse(self, bad: Sequence[tuple[int, Path, str]]) -> None:
        total = len(self.cut_list.clips)
        if not bad or (self.skip_missing and len(bad) < total):
            return
        named = "; ".join(f"clip {place}: {source} {reason}" for place, source, reason in bad)
        way_out = "" if len(bad) == total else "; --skip-missing leaves them out"
        raise RenderError(f"{len(bad)} of {total} clips cannot be rendered: {named}{way_out}")

    def render(self, work: WorkFolder, *, verify: bool) -> SupercutReport:
        """Make the whole file in the private folder."""
        self.clock.enter(RenderStage.CLIPS)
        with self._early_sound(work) as early:
            try:
                assembly = self._assemble(work, early)
            except HeldFramesLostError:
                work.forget()
                assembly = self._assemble(work)
            self._refuse(
                [(i, o.source, o.reason) for i, o in enumerate(self.outcomes, 1) if o.status is ClipStatus.SKIPPED]
            )
            self.clock.enter(RenderStage.JOIN)
            coded_sound = early.finish() if early else None
        loudness = self._finish_sound(assembly)
        joined = self._joined(work.path)
        join_pieces(
            self.program,
            assembly.pieces,
            assembly.sound.path,
            self.profile,
            joined,
            metadata=self._metadata(assembly.n_frames),
            cancel=self.cancel,
            on_frame_count=lambda n: self.clock.tell(0, n / max(1, assembly.n_frames)),
            coded_sound=coded_sound,
        )
        if verify and CODINGS[self.profile.codec].shows_pictures:
            self.clock.enter(RenderStage.VERIFY)
            self._verify(joined)
        self.clock.leave()
        return SupercutReport(
            self.output,
            ledger_path(self.output),
            self.profile,
            tuple(self.outcomes),
            self.cut_list.left_out,
            assembly.n_frames,
            self.clock.seconds,
            assembly.n_taken_over,
            self.mode,
            loudness,
            self.film.loudness,
            n_card_frames=self.film.n_card_frames(self.profile.frame_rate),
            n_frames_found=self.n_frames_found,
            film_fault=self.film_fault,
        )

    def _early_sound(self, work: WorkFolder) -> AbstractContextManager[EarlySound | None]:
        """Codes the sound meanwhile, where it is final as soon as it is there."""
        is_final = (self.film.transition, self.film.music, self.film.loudness) == (Transition.CUT, None, None)
        if is_final and can_code_early(self.profile, self.output):
            return EarlySound(self.program, self.profile, work.path / "sound.m4a")
        return contextlib.nullcontext()

    def _finish_sound(self, assembly: Assembly) -> Loudness | None:
        """Music under the film, and the film as loud as asked for; how loud it is then, if it was asked."""
        speaker, samples = Loudspeaker(self.program, self.profile, self.cancel), assembly.sound.path
        if self.film.music is not None:
            speaker.add_music(samples, self.film.music, assembly.sound.n_samples)
        return None if self.film.loudness is None else speaker.level(samples, self.film.loudness)

    def _assemble(self, work: WorkFolder, early_sound: EarlySound | None = None) -> Assembly:
        self.outcomes.clear()
        self.placed.clear()
        self.shown_texts.clear()
        names = display_names(str(seen.source) for seen in self.sighted)
        overlays = Overlays(self.profile, self.film, work.path, names)
        blend = plan_blend(self.film.transition, self.film.exact_transition_seconds, self.profile.frame_rate)
        conform = copy_picture if self.mode is Mode.FAST else conform_picture
        how = (self.program, self.profile, blend, work, self.cancel, conform, self.film.loudness)
        lengths = expected_lengths(self.sighted, self.profile, self.film)
        n_card = self.film.card_frames(self.profile.frame_rate)
        self.n_frames_due = lengths[0].n_all + self.film.n_card_frames(self.profile.frame_rate)
        with Ahead(self.cancel) as ahead:
            assembly = Assembly(*how, ahead, early_sound)
            if self.film.title is not None:
                n_first = next(n.n_own for n in lengths if n.n_own)
                assembly.add_card(*overlays.card(self.film.title), n_card, n_first, self._tell)
            for begun, around in zip(self._begin_clips(assembly, overlays, lengths), lengths, strict=True):
                self.outcomes.append(self._render_clip(assembly, begun, around))
            if self.film.end_card is not None:
                n_before = self.n_frames_due - n_card
                card = overlays.card(self.film.end_card)
                assembly.add_card(*card, n_card, on_frame_count=lambda n: self._tell(n_before + n))
            assembly.close()
        return assembly

    def _begin_clips(self, assembly: Assembly, overlays: Overlays, lengths: Sequence[Lengths]) -> Iterator[_Begun]:
        """All clips in order, the next few of them in the making already."""
        begun: deque[_Begun] = deque()
        for seen, text, length in zip(self.sighted, self.texts, lengths, strict=True):
            begun.append(_Begun(seen, text))
            if isinstance(seen, Sighted):
                begun[-1] = _Begun(seen, text, *overlays.layers(seen, text))
                assembly.begin_clip(seen, begun[-1].layers, length.n_threads)
            if len(begun) > N_AT_ONCE:
                yield begun.popleft()
        yield from begun

    def _render_clip(self, assembly: Assembly, begun: _Begun, lengths: Lengths) -> ClipOutcome:
        seen = begun.seen
        if isinstance(seen, Unusable):
            return ClipOutcome(seen.clip, ClipStatus.SKIPPED, seen.reason, seen.source)

        def tell(n_frames: int) -> None:
            self._tell(lengths.n_before + min(n_frames, lengths.n_own))

        try:
            placed, warnings = assembly.add_clip(seen, begun.layers, lengths.n_next, tell, lengths.n_threads)
        except FfmpegError as error:
            if self.cancel.is_set() or is_disk_full(error):
                raise
            is_other = seen.source.is_file() and has_changed(seen, self.identify)
            return self._failed(seen, "changed while it was rendered" if is_other else f"cannot be cut: {error}")
        refuse_changed([seen], self.identify)
        self.placed.append(placed)
        self.shown_texts.append(begun.text)
        tell(lengths.n_own)
        return outcome_of(placed, warnings + begun.drawn_otherwise)

    def _tell(self, n_frames: int) -> None:
        """So many pictures of the film are encoded."""
        self.clock.tell(len(self.outcomes), n_frames / self.n_frames_due)

    def _failed(self, seen: Sighted, reason: str) -> ClipOutcome:
        if not self.skip_missing:
            self._refuse([(len(self.outcomes) + 1, seen.source, reason)])
        return ClipOutcome(seen.clip, ClipStatus.SKIPPED, reason, seen.source)

    def _metadata(self, n_frames: int) -> str:
        if not self.film.chapters and self.film.title is None:
            return ""
        placed = self.placed if self.film.chapters else []
        return metadata_text(self.film.title, placed, self.shown_texts[: len(placed)], self.profile, n_frames)

    def _joined(self, folder: Path) -> Path:
        return folder / f"joined{self.output.suffix.lower()}"

    def _verify(self, joined: Path) -> None:
        n_all = len(self.placed)
        found = verify_supercut(
            joined,
            self.placed,
            self.profile,
            cancel=self.cancel,
            on_clip=lambda n: self.clock.tell(n, n / n_all),
        )
        self.n_frames_found, self.film_fault = found.n_frames, found.reason
        rest = iter(check_clocks(self.program, self.placed, found.clips, self.cancel))
        self.outcomes = [
            replace(outcome, check=next(rest)) if outcome.status is ClipStatus.DONE else outcome
            for outcome in self.outcomes
        ]

    def publish(
        self, folder: Path, report: SupercutReport, provenance: Mapping[str, Any], *, overwrite: bool
    ) -> SupercutReport:
        """Give the finished file and what belongs beside it their names; the report with a note of what does not.

        Raises:
            RenderError: the file has its name, but what belongs beside it has not.
            OSError: nothing has changed.
        """
        output = report.output
        made = {output: self._joined(folder), report.ledger: folder / "ledger.json"}
        told = {**provenance, "film": self.film.provenance()}
        made[report.ledger].write_text(
            ledger_text(report, told, {"ffmpeg": self.program.version}), encoding="utf-8"
        )
        if self.film.subtitles is Subtitles.BESIDE:
            made[subtitle_path(output)] = folder / "film.srt"
            lines = srt_text(self.placed, self.shown_texts, self.profile)
            made[subtitle_path(output)].write_text(lines, encoding="utf-8")
        for path in made.values():
            sync_file(path)
        if self.cancel.is_set():
            raise FfmpegError("cancelled")
        check_target(output, self.cut_list.clips, self.profile.codec, overwrite=overwrite, film=self.film)
        notes = (report.note, give_names(made, output, folder))
        return replace(report, note="; ".join(filter(None, notes)))

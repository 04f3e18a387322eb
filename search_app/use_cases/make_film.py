"""Make a film of clips: the one conductor of checks, rendering, and what belongs beside a film.

`prepare_film` refuses what cannot be made, `estimate_film` tells what it will be, `make_film` makes it. Commands,
the page, a film that is rendered again and each clip alone go this way: all get the same texts and ledger.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.library.scan import fingerprint_file
from indexer.media.ffmpeg import find_ffmpeg
from search_app.conforming.modes import Mode
from search_app.conforming.target_profile import Profile, commonest_coding, shape_for
from search_app.cutting.clip_texts import ClipText, read_clip_texts
from search_app.errors import QueryError, RenderError
from search_app.exports.manifest import seal_manifest
from search_app.exports.poster import Poster, check_poster, write_poster
from search_app.output_files import refuse_archive_folder, refuse_footage
from search_app.rendering.estimate import Estimate, estimate_supercut, planned_frames
from search_app.rendering.outcomes import RenderProgress, SupercutReport, length_words
from search_app.rendering.supercut import render_supercut
from search_app.search.decisions import record_export
from store.errors import ArchiveError
from store.wording import n_of

if TYPE_CHECKING:
    from search_app.cutting.cut_list import CutList
    from search_app.use_cases.choose_clips import ChosenClips
    from search_app.use_cases.options import RenderOptions
    from store.archive import Archive


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A film that was checked and can be made.

    Args:
        cut_list: the clips.
        output: the file to make.
        provenance: for the ledger.
        options: how it is made.
        profile: the profile that is asked for; None leaves it to the mode and the sources.
        shape: the profile that the film will have; None without clips.
        texts: what the archive says about each clip, and what must be marked on it.
        poster: a picture to make of one frame; None for none.
        archive: where its clips come from, if it is at hand.
    """

    cut_list: CutList
    output: Path
    provenance: Mapping[str, Any]
    options: RenderOptions
    profile: Profile | None
    shape: Profile | None
    texts: Sequence[ClipText] | None
    poster: Poster | None
    archive: Archive | None

    def summary(self) -> str:
        """One line for people: how many clips, length and shape; empty without clips."""
        if self.shape is None:
            return ""
        film = self.options.film
        n_frames = planned_frames(self.cut_list.clips, self.shape, film)
        n_cards = film.n_card_frames(self.shape.frame_rate)
        return f"{n_of(len(self.cut_list.clips), 'clip')}, {length_words(self.shape, n_frames, n_cards)}"


@dataclass(frozen=True, slots=True)
class MadeFilm:
    """A film that was made.

    Args:
        report: how every clip ended.
        losses: what belongs to it and is not there, and why, for people; usually nothing.
    """

    report: SupercutReport
    losses: tuple[str, ...] = ()

    def refuse_losses(self) -> None:
        """Refuse to call a film whole whose seal, poster or use is lost.

        Raises:
            RenderError: names all that is lost.
        """
        if self.losses:
            raise RenderError(f"{self.report.output} is made, but {'; '.join(self.losses)}")


def prepare_film(
    archive: Archive | None,
    chosen: ChosenClips,
    output: Path,
    options: RenderOptions,
    *,
    profile: Profile | None = None,
    texts: Sequence[ClipText] | None = None,
) -> FilmPlan:
    """Check a film before anything is rendered.

    Args:
        archive: where its clips come from, if it is at hand; none of its videos is ever written over.
        chosen: the clips, and what rights ask for on them.
        output: the file to make.
        options: how it is made.
        profile: the very profile, instead of what the options say.
        texts: what is said about each clip; read from the archive if None.

    Raises:
        ConfigError: the output lies in an archive, or is one of its videos.
        QueryError: options contradict each other, or the sources.
        RenderError: the film cannot have the poster or the profile.
    """
    refuse_archive_folder(output, options.poster)
    cut_list = chosen.cut_list
    if archive is not None:
        refuse_footage(archive.snapshot(), output, options.poster)
        if texts is None:
            texts = read_clip_texts(archive.snapshot(), cut_list, chosen.marks)
    if profile is None:
        profile = _asked_profile(cut_list, options)
    sources, seconds = [clip.facts for clip in cut_list.clips], [clip.span.duration for clip in cut_list.clips]
    shape = shape_for(options.mode, profile, sources, seconds) if sources else None
    poster = _asked_poster(cut_list, output, options, shape)
    return FilmPlan(cut_list, output, chosen.provenance, options, profile, shape, texts, poster, archive)


def _asked_profile(cut_list: CutList, options: RenderOptions) -> Profile | None:
    sources, seconds = [clip.facts for clip in cut_list.clips], [clip.span.duration for clip in cut_list.clips]
    if not sources:
        return None
    like = commonest_coding(sources) if options.mode is Mode.FAST else sources
    return options.picture.profile(like, find_ffmpeg(), seconds if len(like) == len(sources) else ())


def _asked_poster(cut_list: CutList, output: Path, options: RenderOptions, shape: Profile | None) -> Poster | None:
    if options.poster is None:
        if options.poster_at is not None:
            raise QueryError("--poster-at: only with --poster")
        return None
    poster = Poster(options.poster, options.poster_at)
    if shape:
        n_frames = planned_frames(cut_list.clips, shape, options.film)
        check_poster(poster, cut_list, output, shape, n_frames, overwrite=options.overwrite)
    return poster


def estimate_film(plan: FilmPlan) -> Estimate:
    """Estimate of the film; nothing is written.

    Raises:
        QueryError: the mode is fast.
        RenderError: there are no clips, or the target cannot be used.
    """
    if plan.options.mode is Mode.FAST:
        raise QueryError(
            "--dry-run, --mode fast: what can be copied is only known once it is; leave one of them out"
        )
    return estimate_supercut(
        plan.cut_list,
        plan.output,
        profile=plan.shape,
        film=plan.options.film,
        texts=plan.texts,
        identify=fingerprint_file,
        overwrite=plan.options.overwrite,
    )


def make_film(
    plan: FilmPlan,
    *,
    use_name: str = "",
    remember: bool = True,
    on_made: Callable[[SupercutReport], None] | None = None,
    on_progress: Callable[[RenderProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> MadeFilm:
    """Render a film, seal its manifest, make its poster, and remember what was used.

    Args:
        plan: the film, checked.
        use_name: under which name the archive remembers what was used; that of the file if empty.
        remember: whether it remembers anything.
        on_made: told of the film as soon as it is there.
        on_progress: told how far it is, a few times a second, in the thread that called.
        cancel: when set by another thread, rendering stops within a second and nothing is kept.

    Returns:
        How every clip ended, and what does not lie beside the film as it should.

    Raises:
        RenderError: nothing was rendered, or it was cancelled; nothing is kept then.
    """
    options = plan.options
    report = render_supercut(
        plan.cut_list,
        plan.output,
        profile=plan.profile,
        film=options.film,
        texts=plan.texts,
        mode=options.mode,
        identify=fingerprint_file,
        provenance=plan.provenance,
        skip_missing=options.skip_missing,
        overwrite=options.overwrite,
        keep_inexact=options.keep_inexact,
        on_progress=on_progress,
        cancel=cancel,
    )
    losses: list[str] = []
    if on_made is not None:
        on_made(report)
    # What can be cancelled may still go; what cannot is remembered at once, whatever follows.
    used_by = plan.archive if remember else None
    if cancel is None:
        _remember(used_by, report, use_name, losses)
    _seal(plan, report, cancel, losses)
    if cancel is not None:
        _remember(used_by, report, use_name, losses)
    if plan.poster is not None:
        with _losses_into(losses, report, f"{plan.poster.path} was not made"):
            write_poster(plan.poster, report)
    return MadeFilm(report, tuple(losses))


def _remember(archive: Archive | None, report: SupercutReport, use_name: str, losses: list[str]) -> None:
    if archive is None:
        return
    with _losses_into(losses, report, "it was not remembered as used"):
        record_export(archive, use_name or report.output.name, report.stretches)


def _seal(plan: FilmPlan, report: SupercutReport, cancel: threading.Event | None, losses: list[str]) -> None:
    how = {"film": plan.options.film, "mode": plan.options.mode, "texts": plan.texts}
    snapshot = plan.archive.snapshot() if plan.archive else None
    with _losses_into(
        losses, report, "its manifest has no seal, so `rushes supercut --from` cannot render it again"
    ):
        seal_manifest(report, options=how, snapshot=snapshot, cancel=cancel)
    if losses and cancel is not None and cancel.is_set():
        for made in (report.output, report.ledger):
            made.unlink(missing_ok=True)
        raise RenderError(f"{report.output.name} was cancelled; nothing was kept")


@contextlib.contextmanager
def _losses_into(losses: list[str], report: SupercutReport, loss: str) -> Iterator[None]:
    """What follows a film that is there: whatever ends it, what is lost is said."""
    try:
        yield
    except (ArchiveError, OSError) as error:
        losses.append(f"{loss}: {error}")
    except KeyboardInterrupt as stop:
        stop.add_note(f"{report.output} is made, but {loss}: stopped")
        raise

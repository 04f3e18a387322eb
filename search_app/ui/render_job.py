"""A supercut rendered beside the page, so that searching goes on."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_app.rendering.outcomes import RenderProgress, RenderStage
from search_app.ui.media_cache import MediaShelf
from store.errors import ArchiveError

if TYPE_CHECKING:
    from search_app.cutting.clip_texts import ClipText
    from search_app.cutting.cut_list import CutList
    from search_app.rendering.outcomes import SupercutReport
    from store.records import RightsFlag
    from store.snapshot import Snapshot

STAGE_WORDS = {
    RenderStage.PREFLIGHT: "Looking at the sources",
    RenderStage.CLIPS: "Cutting",
    RenderStage.JOIN: "Joining",
    RenderStage.VERIFY: "Comparing every cut with its source",
}
_SEALING = "Writing down where everything comes from"

_latest: dict[Path, RenderJob] = {}
_latest_lock = threading.Lock()
_jobs: weakref.WeakSet[RenderJob] = weakref.WeakSet()
_STOP_SECONDS = 5.0


def cancel_all() -> None:
    """Stop every rendering of this process, so that no ffmpeg outlives it."""
    jobs = list(_jobs)
    for job in jobs:
        job.cancel()
    for job in jobs:
        job.wait(_STOP_SECONDS)


def latest_job(archive_folder: Path) -> RenderJob | None:
    """The last rendering of an archive, whichever tab began it: a reload finds it again."""
    with _latest_lock:
        return _latest.get(archive_folder.resolve())


def begin_job(archive_folder: Path, job: RenderJob) -> RenderJob:
    """Start a rendering of an archive, unless one is running.

    Returns:
        The one that runs now.
    """
    with _latest_lock:
        running = _latest.get(archive_folder.resolve())
        if running is not None and running.is_running:
            return running
        _latest[archive_folder.resolve()] = job
        job.start()
        return job


class RenderJob:
    """One rendering in a thread of its own.

    Args:
        cut_list: the clips, in order.
        shelf: where the film goes.
        provenance: for the ledger.
        flags: rights flags of the archive: what is blocked is refused, what wants a mark gets it.
        snapshot: the archive, which the manifest names.
        skip_missing: go on without clips that cannot be rendered.
        on_done: told of the finished film, still in the thread.

    Attributes:
        report: the film; None while there is none.
        address: where the browser finds it.
        problem: why there is none.
        losses: what does not belong to it as it should.
        is_closed: whether the visitor has seen enough of it.
    """

    def __init__(
        self,
        cut_list: CutList,
        shelf: MediaShelf,
        provenance: Mapping[str, Any],
        *,
        flags: Sequence[RightsFlag] = (),
        snapshot: Snapshot | None = None,
        skip_missing: bool = False,
        on_done: Callable[[SupercutReport], None] | None = None,
    ) -> None:
        self.cut_list = cut_list
        self.report: SupercutReport | None = None
        self.address = ""
        self.problem = ""
        self.losses: list[str] = []
        self.is_closed = False
        self._flags = flags
        self._is_made = False
        self._snapshot = snapshot
        self._skip_missing = skip_missing
        self._on_done = on_done
        self._shelf = shelf
        self._provenance = provenance
        self._progress = RenderProgress(RenderStage.PREFLIGHT, 0, len(cut_list.clips), 0.0, None)
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)

    def start(self) -> None:
        """Begin."""
        _jobs.add(self)
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop; it does so within a second and keeps nothing."""
        self._cancel.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Whether it has ended within that time."""
        if self.is_running:
            self._thread.join(timeout_seconds)
        return not self.is_running

    @property
    def is_running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._cancel.is_set()

    @property
    def fraction(self) -> float:
        """Share of the work that is done, 0 to 1."""
        return self._progress.fraction

    def status_line(self) -> str:
        """Current activity, in words made here alone: fit for any part of the page."""
        if self.is_cancelled:
            return "Stopping"
        if self._is_made:
            return _SEALING
        now = self._progress
        words = STAGE_WORDS[now.stage]
        if now.stage is RenderStage.CLIPS:
            words += f" · clip {min(now.n_clips_done + 1, now.n_clips)} of {now.n_clips}"
        if now.seconds_left is not None and now.seconds_left >= 1:
            words += f" · {now.seconds_left:.0f} s left"
        return words

    def _run(self) -> None:
        try:
            self._render(self._shelf.new_path())
        except ArchiveError as error:
            self.problem = str(error)
        except Exception as error:  # a thread that dies in silence would leave the page waiting for ever
            self.problem = f"{type(error).__name__}: {error} (a fault of ours)"

    def _render(self, output: Path) -> None:
        from indexer.library.scan import fingerprint_file
        from search_app.cutting.clip_texts import ClipText
        from search_app.cutting.rights import keep_rights, rights_entry
        from search_app.rendering.supercut import render_supercut

        cut_list, rulings = keep_rights(self.cut_list, self._flags, can_mark=True)
        texts = [ClipText(mark=ruling.text) for ruling in rulings]
        report = render_supercut(
            cut_list,
            output,
            texts=texts,
            identify=fingerprint_file,
            provenance={**self._provenance, "rights": rights_entry(len(self._flags), rulings)},
            skip_missing=self._skip_missing,
            keep_inexact=True,  # the page says what is wrong beside the film
            on_progress=self._take,
            cancel=self._cancel,
        )
        self._is_made = True
        self._seal(report, texts)
        self.report, self.address = report, self._shelf.put(output)
        if self._on_done is not None:
            try:
                self._on_done(report)
            except ArchiveError as error:  # the film is there all the same
                self.losses.append(f"it was not remembered as used: {error}")

    def _seal(self, report: SupercutReport, texts: Sequence[ClipText]) -> None:
        from search_app.exports.manifest import seal_manifest

        try:
            seal_manifest(report, options={"texts": texts}, snapshot=self._snapshot, cancel=self._cancel)
        except ArchiveError as error:
            if self.is_cancelled:
                for made in (report.output, report.ledger):
                    made.unlink(missing_ok=True)
                raise
            self.losses.append(f"its manifest has no seal, so it cannot be rendered again from it: {error}")

    def _take(self, progress: RenderProgress) -> None:
        self._progress = progress

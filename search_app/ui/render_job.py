"""A supercut rendered beside the page, so that searching goes on."""

from __future__ import annotations

import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.rendering.outcomes import RenderProgress, RenderStage
from search_app.ui.media_cache import MediaShelf
from search_app.use_cases.options import RenderOptions
from store.errors import ArchiveError

if TYPE_CHECKING:
    from search_app.rendering.outcomes import SupercutReport
    from search_app.use_cases.options import ClipSource
    from store.archive import Archive

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
    """One rendering in a thread of its own: the film that `rushes cut render` makes of the same cut list.

    Args:
        archive: where the clips come from.
        source: the clips.
        shelf: where the film goes.
        skip_missing: go on without clips that cannot be rendered.
        use_name: under which name the archive remembers what was used.

    Attributes:
        report: the film; None while there is none.
        address: where the browser finds it.
        problem: why there is none.
        losses: what does not belong to it as it should.
        is_closed: whether the visitor has seen enough of it.
    """

    def __init__(
        self,
        archive: Archive,
        source: ClipSource,
        shelf: MediaShelf,
        *,
        skip_missing: bool = False,
        use_name: str = "supercut",
    ) -> None:
        self.report: SupercutReport | None = None
        self.address = ""
        self.problem = ""
        self.losses: tuple[str, ...] = ()
        self.is_closed = False
        self._archive = archive
        self._source = source
        self._is_made = False
        self._options = RenderOptions(skip_missing=skip_missing, keep_inexact=True)  # the page says what is wrong
        self._use_name = use_name
        self._shelf = shelf
        self._progress = RenderProgress(RenderStage.PREFLIGHT, 0, 0, 0.0, None)
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
        from search_app.use_cases.choose_clips import choose_export, film_needs
        from search_app.use_cases.make_film import make_film, prepare_film

        needs = replace(film_needs(self._options), way_out="")  # the page has no such option
        chosen = choose_export(self._archive, self._source, needs)
        plan = prepare_film(self._archive, chosen, output, self._options)
        made = make_film(
            plan,
            use_name=self._use_name,
            on_made=self._note_made,
            on_progress=self._take,
            cancel=self._cancel,
        )
        self.losses = made.losses
        self.report, self.address = made.report, self._shelf.put(output)

    def _note_made(self, _: SupercutReport) -> None:
        self._is_made = True

    def _take(self, progress: RenderProgress) -> None:
        self._progress = progress

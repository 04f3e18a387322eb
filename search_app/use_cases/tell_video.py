"""What a video is about: its summary, abstract and chapters, as stored, or made at once where none are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.config import read_stage_settings
from indexer.models.text_model import load_text_model
from indexer.stages.chapters import ChapterStage
from indexer.stages.makers import EnrichSettings
from indexer.stages.notes import digest_of, read_notes
from indexer.stages.stage import KnownVideo
from indexer.stages.summaries import SummaryStage
from search_app.errors import NothingKnownError
from search_app.exports.video_chapters import VideoChapters, plan_chapters, write_chapters
from search_app.output_files import refuse_footage
from store.names import display_names

if TYPE_CHECKING:
    from indexer.models.text_model import TextModel
    from indexer.stages.stage import ArchiveStage
    from store.archive import Archive
    from store.records import FrameRow, TextRow, VideoRow
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Told:
    """Rows of a stage that tells of a video.

    Args:
        video: the video.
        name: what it is called for people.
        rows: by time.
        model: name of the model or method.
        is_stored: whether the archive holds them; else they were made now, and are kept nowhere.
        is_stale: whether stages have found something else since they were made.
    """

    video: VideoRow
    name: str
    rows: tuple[TextRow, ...]
    model: str
    is_stored: bool
    is_stale: bool

    @property
    def is_extractive(self) -> bool:
        """Whether they were taken out of the sources, and not written by a model."""
        return bool(self._payload.get("is_extractive"))

    @property
    def abstract(self) -> str:
        """One line about the video; empty where nothing says one."""
        return str(self._payload.get("abstract", ""))

    @property
    def _payload(self) -> dict[str, Any]:
        return dict(self.rows[0].payload or {}) if self.rows else {}

    def notes(self, stage: str) -> list[str]:
        """What is to be said of how they came about, for people."""
        said = []
        if self.is_extractive:
            said.append(
                "no text model is configured: taken from the video's own texts (text_model in the settings)"
            )
        if not self.is_stored:
            said.append(f"made now and not stored: rushes enrich ARCHIVE --only {stage} stores them")
        if self.is_stale:
            said.append(f"older than what is known of the video now: rushes enrich ARCHIVE --only {stage} --again")
        return said


def tell_summary(
    archive: Archive, video: str, config: Sequence[Path] = (), *, style: str | None = None, device: str = "auto"
) -> Told:
    """The summary of a video.

    Args:
        archive: where it is.
        video: path, end of a path, or fingerprint.
        config: files of settings over the defaults: the text model, style and language.
        style: general, meeting or lecture; a summary of another style than the stored one is made now.
        device: where a text model runs.

    Raises:
        UnknownIdError: there is no such video.
        NothingKnownError: no stage has found anything in it.
        ModelError: the text model fails.
    """
    snapshot = archive.snapshot()
    row = snapshot.video(video)
    stored, settings = _stored(snapshot, row, "summary"), _settings(config, style)
    is_wanted = stored is not None and style in (None, (stored.rows[0].payload or {}).get("style"))
    if stored and is_wanted and not _is_improved(stored, settings):
        return stored
    return _made(snapshot, row, SummaryStage(settings.summaries, _model(settings, device)))


def tell_chapters(archive: Archive, video: str, config: Sequence[Path] = (), *, device: str = "auto") -> Told:
    """The chapters of a video; arguments and errors as for `tell_summary`."""
    snapshot = archive.snapshot()
    row = snapshot.video(video)
    stored, settings = _stored(snapshot, row, "chapter"), _settings(config, None)
    if stored and not _is_improved(stored, settings):
        return stored
    return _made(snapshot, row, ChapterStage(settings.chapters, _model(settings, device)))


def export_chapters(
    archive: Archive, told: Told, output: Path, format_name: str | None = None, *, overwrite: bool = False
) -> tuple[VideoChapters, list[str]]:
    """Write the chapters of a video to a file; the chapters as written, and what is to be said of them.

    Raises:
        ConfigError: the output is footage, or lies in an archive.
        ExportError: it cannot be written, or the format cannot hold the chapters.
    """
    refuse_footage(archive.snapshot(), output)
    chapters = [(row.span, row.text) for row in told.rows]
    plan = plan_chapters(told.name, chapters, begin=told.video.facts.span.start, about=told.abstract)
    return plan, write_chapters(plan, output, format_name, overwrite=overwrite)


def _settings(config: Sequence[Path], style: str | None) -> EnrichSettings:
    settings = read_stage_settings(config)
    if style is None:
        return settings
    return replace(settings, summaries=replace(settings.summaries, style=style))


def _is_improved(stored: Told, settings: EnrichSettings) -> bool:
    """Whether a text model is configured now, and what is stored was taken out of the sources without one."""
    return stored.is_extractive and bool(settings.text_model.model)


def _model(settings: EnrichSettings, device: str) -> TextModel | None:
    return load_text_model(settings.text_model, settings.remote, device=device)


def _stored(snapshot: Snapshot, row: VideoRow, stage: str) -> Told | None:
    """The live rows of a stage for a video; None if there are none."""
    found = snapshot.stage_rows(row.video_id, stage)
    if not found:
        return None
    digest = (found[0].row.payload or {}).get("digest")
    is_stale = isinstance(digest, str) and digest != digest_of(read_notes(snapshot, row.video_id))
    runs = {one.run.key: one.run.model for one in snapshot.runs() if one.run.stage == stage}
    rows = tuple(one.row for one in found)
    return Told(row, _name(row), rows, runs.get(found[0].run_key, ""), is_stored=True, is_stale=is_stale)


def _made(snapshot: Snapshot, row: VideoRow, stage: ArchiveStage) -> Told:
    """The rows that a stage makes of a video now."""
    result = stage.derive(known_video(snapshot, row))
    if not result.rows:
        raise NothingKnownError(f"{row.path}: {result.reason or 'there is nothing to tell'}")
    return Told(row, _name(row), result.rows, stage.run.model, is_stored=False, is_stale=False)


def known_video(snapshot: Snapshot, row: VideoRow) -> KnownVideo:
    """A video as stages of the archive read it."""
    frames: dict[str, list[FrameRow]] = {}
    for frame in snapshot.frames_of_videos([row.video_id]):
        frames.setdefault(frame.shot_id, []).append(frame)
    shots = tuple(snapshot.shots(row.video_id))
    return KnownVideo(row, shots, {shot_id: tuple(found) for shot_id, found in frames.items()}, snapshot)


def _name(row: VideoRow) -> str:
    return display_names([row.path])[row.path]

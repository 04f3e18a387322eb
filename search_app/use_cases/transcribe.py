"""Transcripts: of a video file that is in no archive, and those that an archive holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import NoAudioError
from indexer.media.audio import AudioRequest, read_audio
from indexer.media.limits import MAX_DURATION
from indexer.models.transcriber import Task
from indexer.stages.speech import SpeechSettings, make_speech
from search_app.errors import QueryError
from store.records import TextStage
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.stages.speech import SpeechStage
    from indexer.stages.stage import HeardStretch
    from search_app.use_cases.options import ListenOptions
    from store.records import TextRow
    from store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a video.

    Args:
        path: the video.
        rows: sentences or subtitles, in order of time.
        notes: what people should know, one line each.
    """

    path: str
    rows: tuple[TextRow, ...]
    notes: tuple[str, ...] = ()


def speech_settings(options: ListenOptions) -> SpeechSettings:
    """Settings of the stage of speech; the defaults for what was not typed.

    Raises:
        QueryError: a value cannot be.
    """
    default = SpeechSettings()
    try:
        return SpeechSettings(
            model=options.model or default.model,
            engine=options.engine or default.engine,
            language=options.language or "",
            task=str(Task.TRANSLATE if options.translate else Task.TRANSCRIBE),
            hot_words=options.hot_words,
            channels="mix" if options.mix else default.channels,
            use_subtitles=not options.no_subtitles,
        )
    except ValueError as error:
        raise QueryError(str(error)) from error


def transcribe_file(
    path: Path,
    settings: SpeechSettings,
    *,
    device: str = "auto",
    report: Callable[[HeardStretch], None] = lambda _: None,
    stage: SpeechStage | None = None,
) -> Transcript:
    """What is said in a video file; it needs no archive, and none is changed.

    Args:
        path: the video.
        settings: of the stage of speech.
        device: as for `load_encoder`.
        report: called with each stretch as soon as it is heard.
        stage: a stage that is loaded already; None to load one.

    Raises:
        MediaError: the video cannot be read.
        ModelError: the model is not to be had, or fails.
    """
    stage = stage or make_speech(settings, device)
    listener = stage.listen_to(str(path), TimeSpan(Fraction(0), MAX_DURATION))
    rows: list[TextRow] = []
    notes: list[str] = []

    def note(stretch: HeardStretch) -> None:
        rows.extend(stretch.result.rows)
        if stretch.result.reason and stretch.result.reason not in notes:
            notes.append(stretch.result.reason)
        report(stretch)

    end = Fraction(0)
    if listener.wants_sound:
        request = AudioRequest(rate_hz=stage.rate_hz, is_mono=stage.is_mono)
        try:
            for block in read_audio(str(path), request):
                end = block.time + Fraction(block.samples.shape[1], block.rate_hz)
                for stretch in listener.take(block):
                    note(stretch)
        except NoAudioError:
            notes.append("no sound")
    else:
        end = MAX_DURATION
    for stretch in listener.end(end):
        note(stretch)
    return Transcript(str(path), tuple(sorted(rows, key=lambda row: (row.span.start, row.span.end))), tuple(notes))


def stored_transcripts(snapshot: Snapshot, video: str | None = None) -> list[Transcript]:
    """The transcripts that an archive holds, by path.

    Args:
        snapshot: the archive.
        video: a path, the end of one, or a fingerprint; None for all videos that have one.

    Raises:
        UnknownIdError: there is no such video.
    """
    videos = snapshot.videos() if video is None else [snapshot.video(video)]
    found = [
        Transcript(one.path, tuple(row.row for row in snapshot.stage_rows(one.video_id, TextStage.TRANSCRIPT)))
        for one in videos
    ]
    return [one for one in found if one.rows or video is not None]

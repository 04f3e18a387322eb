"""Which subtitles of a video are read instead of listening to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from indexer.errors import MediaError
from indexer.media.subtitles import (
    SubtitleTrack,
    find_subtitle_files,
    read_subtitle_file,
    read_subtitle_tracks,
)


@dataclass(frozen=True, slots=True)
class FoundSubtitles:
    """Subtitles of a video.

    Args:
        track: those that are read; None where there are none.
        problem: one line about those that could not be read; empty for none.
    """

    track: SubtitleTrack | None
    problem: str = ""


NO_SUBTITLES: Final = FoundSubtitles(None)


def find_subtitles(path: str, language: str = "") -> FoundSubtitles:
    """The subtitles of a video: a file beside it first, then a text track inside it.

    Of several languages, that of the language that is spoken is taken, if it is known; else one that says none;
    else English; else the first.

    Args:
        path: the video.
        language: what is spoken; empty where that is not known.
    """
    problems: list[str] = []
    files = sorted(find_subtitle_files(Path(path)), key=lambda found: _preference(found[1], language))
    for file, code in files:
        try:
            return FoundSubtitles(read_subtitle_file(file, code), "; ".join(problems))
        except MediaError as error:
            problems.append(_without_folder(str(error), file))
    try:
        tracks = read_subtitle_tracks(path)
    except MediaError as error:
        return FoundSubtitles(None, "; ".join([*problems, _without_folder(str(error), Path(path))]))
    return FoundSubtitles(_preferred(tracks, language), "; ".join(problems))


def _preferred(tracks: Sequence[SubtitleTrack], language: str) -> SubtitleTrack | None:
    return min(tracks, key=lambda track: _preference(track.language, language), default=None)


def _preference(found: str, wanted: str) -> int:
    main = found.partition("-")[0]
    if wanted and main == wanted:
        return 0
    return 1 if not found else 2 if main == "en" else 3


def _without_folder(reason: str, file: Path) -> str:
    return reason.replace(f"{file}: ", f"{file.name}: ", 1)

"""A poster: one frame of a finished film as a picture file, in the film's size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, Stream, find_ffmpeg, open_own, send
from search_app.conforming.coding import CODINGS
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList
from search_app.errors import QueryError, RenderError
from search_app.output_files import atomic_write, refuse_taken
from search_app.rendering.ledger import ledger_path
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.subtitles import subtitle_path
from search_app.timelines.timecode import parse_timecode

ENDINGS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
_N_COMPARED = 48
"""Frames of the best clip among which the sharpest is looked for."""

_COMPARED_PX = 480
_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Poster:
    """A picture of the film to make beside it.

    Args:
        path: the file to make; its ending says what it is.
        at: which frame, as timecode or seconds of the film; None for the sharpest of the best clip.

    Raises:
        QueryError: the ending is none of a picture, or `at` is no time.
    """

    path: Path
    at: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be read."""
        object.__setattr__(self, "path", self.path.absolute())
        if self.path.suffix.lower() not in ENDINGS:
            raise QueryError(f"--poster {self.path.name}: give it one of the endings {', '.join(ENDINGS)}")
        if self.at is not None and not self._is_timecode:
            self._seconds(self.at)

    @property
    def _is_timecode(self) -> bool:
        return self.at is not None and (":" in self.at or ";" in self.at)

    @staticmethod
    def _seconds(text: str) -> Fraction:
        try:
            seconds = Fraction(text)
        except (ValueError, ZeroDivisionError):
            seconds = Fraction(-1)
        if seconds < 0:
            raise QueryError(f"--poster-at {text}: give a timecode of the film, 00:00:12:10, or seconds, 12.4")
        return seconds

    def frame_at(self, rate: Fraction) -> int | None:
        """Number of the frame that was asked for; None if none was.

        Raises:
            QueryError: there is no such timecode at this rate.
        """
        if self.at is None:
            return None
        if not self._is_timecode:
            return int(self._seconds(self.at) * rate)
        try:
            return parse_timecode(self.at, rate)
        except ValueError as error:
            raise QueryError(f"--poster-at: {error}") from error


def check_poster(
    poster: Poster, cut_list: CutList, output: Path, profile: Profile, n_frames: int, *, overwrite: bool
) -> None:
    """Refuse a poster that cannot be made, before anything is rendered.

    Args:
        poster: what is asked for.
        cut_list: the clips of the film.
        output: the film.
        profile: its shape.
        n_frames: its length, as planned.
        overwrite: whether the poster may exist.

    Raises:
        QueryError: the film will have no such frame.
        RenderError: the film has no pictures, or the file cannot be written or must not be.
    """
    if not CODINGS[profile.codec].shows_pictures:
        raise RenderError("--poster: a film of sound alone has no pictures; leave it out")
    asked = poster.frame_at(profile.frame_rate)
    # Of a variable rate a clip may turn out a frame longer than planned.
    if asked is not None and asked >= n_frames + len(cut_list.clips):
        seconds = float(n_frames / profile.frame_rate)
        raise QueryError(f"--poster-at {poster.at} is past the end of the film, which will last {seconds:.2f} s")
    output = output.absolute()
    if poster.path in {output, ledger_path(output), subtitle_path(output)}:
        raise RenderError(f"--poster {poster.path.name}: the film itself has that name; take another")
    if not poster.path.parent.is_dir():
        raise RenderError(f"there is no folder {poster.path.parent}: create it first")
    sources = {path for clip in cut_list.clips for path in clip.paths}
    refuse_taken(poster.path, sources, overwrite=overwrite, error=RenderError)


def write_poster(poster: Poster, report: SupercutReport, program: Ffmpeg | None = None) -> int:
    """Make the picture of a finished film; returns the number of the frame that it shows.

    Raises:
        RenderError: the film has no such frame, or does not decode.
        ExportError: the picture cannot be written.
    """
    program = program or find_ffmpeg()
    asked = poster.frame_at(report.profile.frame_rate)
    if asked is not None and asked >= report.n_frames:
        raise RenderError(f"--poster-at {poster.at} is past its end, {float(report.duration):.2f} s")
    try:
        frame = sharpest_frame(report, program) if asked is None else asked
        picture = _picture(program, report, frame)
    except FfmpegError as error:
        raise RenderError(f"the film cannot be read again: {error}") from error
    with atomic_write(poster.path) as temporary:
        kind = ENDINGS[poster.path.suffix.lower()]
        picture.save(temporary, format=kind, **({"quality": _JPEG_QUALITY} if kind == "JPEG" else {}))
    return frame


def sharpest_frame(report: SupercutReport, program: Ffmpeg) -> int:
    """Number of the frame with the strongest edges in the best clip, where nothing else is seen.

    Best is the clip with the highest score, the first of equals. Of long clips some frames are compared, evenly.

    Raises:
        FfmpegError: the film does not decode.
    """
    best = max(report.done, key=lambda one: one.clip.score)
    first, end = (best.first_frame or 0) + best.n_blended_first, (best.first_frame or 0) + best.n_frames
    n_clear = max(1, end - best.n_blended_last - first)
    step = -(-n_clear // _N_COMPARED)
    size = _compared_size(report.profile)
    shown = _frames(report, first, n_clear).filter("select", f"not(mod(n,{step}))")
    small = shown.filter("scale", *size, flags="area").filter("format", "gray")
    data = bytearray()
    program.run(send([small], format="rawvideo", fps_mode="passthrough"), on_bytes=data.extend)
    frames = np.frombuffer(bytes(data), np.uint8).reshape(-1, size[1], size[0])
    if not len(frames):
        raise FfmpegError("the film has no pictures there")
    return first + step * int(np.argmax([_edge_strength(frame) for frame in frames]))


def _edge_strength(frame: NDArray[np.uint8]) -> float:
    light = frame.astype(np.float32)
    return float((np.diff(light, axis=0) ** 2).mean() + (np.diff(light, axis=1) ** 2).mean())


def _compared_size(profile: Profile) -> tuple[int, int]:
    scale = min(1.0, _COMPARED_PX / max(profile.width_px, profile.height_px))
    return max(2, round(profile.width_px * scale)), max(2, round(profile.height_px * scale))


def _frames(report: SupercutReport, first: int, n_frames: int) -> Stream:
    """Frames of the film from one on."""
    rate = report.profile.frame_rate
    # Where pieces meet, filters would start anew, and their count of frames with them.
    options: dict[str, object] = {"reinit_filter": 0, "t": f"{float(n_frames / rate):.6f}"}
    if first:  # between two frames, so that rounding cannot take one too many or too few
        options["ss"] = f"{float((first - Fraction(1, 2)) / rate):.6f}"
    return open_own(report.output, **options)["V:0"]


def _picture(program: Ffmpeg, report: SupercutReport, frame: int) -> Image.Image:
    size = (report.profile.width_px, report.profile.height_px)
    shown = _frames(report, frame, 1).filter("scale", *size).filter("format", "rgb24")
    data = bytearray()
    output = send([shown], format="rawvideo", fps_mode="passthrough", **{"frames:v": 1})
    program.run(output, on_bytes=data.extend)
    if len(data) != 3 * size[0] * size[1]:
        raise FfmpegError("the film has no picture there")
    return Image.frombytes("RGB", size, bytes(data))

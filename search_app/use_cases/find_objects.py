"""Objects of a video file that need not be in an archive: what is where, and crops of it as pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.models.crops import cut_out, pad_box
from indexer.models.detector import is_open_vocabulary
from indexer.models.transformers_files import find_checkpoint
from indexer.stages.objects import ObjectSettings, make_objects
from indexer.stages.stage import PictureStage, RgbPicture, ShownStretch, Stretch, StretchResult
from indexer.visual.decode_pass import DecodeResult, DecodeSettings, Sample, decode_pass
from search_app.errors import ExportError, QueryError
from search_app.output_files import refuse_archive_folder
from store.records import FrameRow, ShotRow, VideoFacts
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from store.row_checks import Box

_LONGEST_SECONDS: Final = 60
_LOWEST_CLOSED: Final = 0.5
_LOWEST_OPEN: Final = 0.2
_DETECTION_PX: Final = 64
"""Side of the pictures that shots are found with; the detector gets its own."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]+")
_MOST_NAME: Final = 60
_MOST_OF_A_NAME: Final = 10_000
_JPEG_QUALITY: Final = 95


@dataclass(frozen=True, slots=True)
class ObjectQuestion:
    """What to look for, and with what.

    Args:
        labels: names of things; all that the detector knows if empty.
        model: ORG/NAME of the hub, or a folder; empty for the usual one.
        lowest_score: objects that the model is less sure of are left out, 0 to 1; None for 0.5, and 0.2 for an
            open vocabulary, whose scores are lower.
        device: where the model runs.
    """

    labels: tuple[str, ...] = ()
    model: str = ""
    lowest_score: float | None = None
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class FoundStretch:
    """What was found in a shot, or a piece of a long one.

    Args:
        ordinal: number of the shot, from 0.
        shown: the stretch with the pictures that were looked at.
        result: rows, or why there are none.
    """

    ordinal: int
    shown: ShownStretch
    result: StretchResult


@dataclass(frozen=True, slots=True)
class SavedCrop:
    """A crop that was written, as the JSON beside it says.

    Args:
        picture: path of the JPEG.
        video: path of the video.
        time_seconds: when the picture is shown.
        label: what it is.
        score: how sure the model is, 0 to 1.
        box: left, top, width, height of the object as shares of the video's picture.
        crop: the same of what was cut out.
        model: name of the detector.
        track: number of the object inside its shot.
        shot: number of the shot, from 0.
    """

    picture: str
    video: str
    time_seconds: float
    label: str
    score: float
    box: Box
    crop: Box
    model: str
    track: int
    shot: int


def object_stage(asked: ObjectQuestion) -> PictureStage:
    """The stage that answers.

    Raises:
        ModelError: the model cannot be found, is no detector, or knows none of the labels.
        QueryError: a label or a number cannot be.
    """
    lowest = asked.lowest_score
    if lowest is None:
        is_open = is_open_vocabulary(find_checkpoint(asked.model)) if asked.model else bool(asked.labels)
        lowest = _LOWEST_OPEN if is_open else _LOWEST_CLOSED
    try:
        settings = ObjectSettings(asked.model, asked.labels, lowest_score=lowest)
    except ValueError as error:
        raise QueryError(str(error)) from error
    return make_objects(settings, asked.device)


def find_objects(video: Path, stage: PictureStage) -> Iterator[FoundStretch]:
    """What a stage finds in each stretch of a video, in order of time.

    Args:
        video: the file.
        stage: as `object_stage` makes it.

    Raises:
        VideoUnreadableError: not a video, refused, or nothing decodes.
        ModelError: the model fails.
    """
    path = str(video.absolute())
    samples: list[Sample] = []
    for one in decode_pass(path, DecodeSettings(), _DETECTION_PX):
        if isinstance(one, Sample):
            samples.append(one)
        else:
            yield from _look(path, one, samples, stage)


def _look(
    path: str, decoded: DecodeResult, samples: Sequence[Sample], stage: PictureStage
) -> Iterator[FoundStretch]:
    for stretch in _stretches(path, decoded, samples):
        times = tuple(stage.times(stretch))
        shown = ShownStretch(stretch, times, _pictures(path, times, stage.size_px, decoded.facts))
        (result,) = stage.read([shown])
        yield FoundStretch(stretch.shot.shot.ordinal, shown, result)


def _stretches(path: str, decoded: DecodeResult, samples: Sequence[Sample]) -> Iterator[Stretch]:
    for shot in decoded.shots:
        row = ShotRow("", "", path, shot, "")
        n_pieces = -(-shot.span.duration // _LONGEST_SECONDS)
        for piece in range(n_pieces):
            start = shot.span.start + shot.span.duration * piece / n_pieces
            end = shot.span.start + shot.span.duration * (piece + 1) / n_pieces
            frames = tuple(
                FrameRow(0, "", "", sample.time, sample.sharpness, "")
                for sample, ordinal in zip(samples, decoded.sample_shots, strict=True)
                if ordinal == shot.ordinal and start <= sample.time < end
            )
            yield Stretch(row, TimeSpan(start, end), tuple(sorted(frames, key=lambda frame: frame.time)))


def _pictures(
    path: str, times: Sequence[Fraction], size_px: int | None, facts: VideoFacts
) -> tuple[RgbPicture, ...]:
    found = read_pictures(path, [PictureRequest(time, size_px) for time in times], facts)
    return tuple(one.picture for one in sorted(found, key=lambda one: one.number))


def prepare_folder(folder: Path) -> None:
    """Make the folder of crops, unless it is there.

    Raises:
        ConfigError: it lies in an archive.
        ExportError: it cannot be made.
    """
    refuse_archive_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"cannot make the folder {folder}: {error.strerror or error}") from error


def save_crops(video: Path, found: FoundStretch, folder: Path, model: str, padding: float) -> list[SavedCrop]:
    """Write every box of a stretch as a JPEG with a JSON file beside it; nothing is written over.

    Args:
        video: the file.
        found: what was found in the stretch.
        folder: where crops go; it is there.
        model: name of the detector.
        padding: what is added on every side, as a share of the box's width and height; cut at the picture's edge.

    Raises:
        ExportError: a file cannot be written.
    """
    saved = []
    pictures = dict(zip((round(float(time), 4) for time in found.shown.times), found.shown.pictures, strict=True))
    for row in found.result.rows:
        for seen in (row.payload or {})["pictures"]:
            for box, score, track in zip(seen["boxes"], seen["scores"], seen["tracks"], strict=True):
                crop = pad_box(tuple(box), padding)
                pixels = cut_out(pictures[seen["time"]], crop)
                if pixels is None:
                    continue
                about = SavedCrop(
                    "", str(video.absolute()), seen["time"], row.text, score, tuple(box), crop, model, track,
                    found.ordinal,
                )  # fmt: skip
                saved.append(_save(pixels, about, folder))
    return saved


def _save(pixels: RgbPicture, about: SavedCrop, folder: Path) -> SavedCrop:
    from PIL import Image

    stem = f"{_safe(Path(about.video).stem)}-{about.time_seconds:010.3f}-{_safe(about.label)}"
    try:
        for number in range(1, _MOST_OF_A_NAME):
            path = folder / f"{stem}-{number}.jpg"
            beside = path.with_suffix(".json")
            if path.exists() or beside.exists():
                continue
            with path.open("xb") as file:
                Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
            named: dict[str, Any] = {**asdict(about), "picture": path.name}
            with beside.open("x", encoding="utf-8") as text:
                json.dump(named, text, ensure_ascii=True, indent=2)
            return SavedCrop(**{**asdict(about), "picture": str(path)})
    except OSError as error:
        raise ExportError(f"cannot write a crop into {folder}: {error.strerror or error}") from error
    raise ExportError(f"{folder} holds {_MOST_OF_A_NAME - 1:,} crops called {stem}: name another folder")


def _safe(name: str) -> str:
    """Letters and digits of a name, joined by hyphens: fit for a file anywhere."""
    return _UNSAFE.sub("-", name).strip("-")[:_MOST_NAME] or "x"

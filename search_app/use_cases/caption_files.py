"""Captions of loose videos and pictures, without an archive: shot by shot, or one for a whole clip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from indexer.errors import ModelError, ServerUnavailableError
from indexer.library.listing import VIDEO_SUFFIXES, ListedFile, ScanSettings, Unlisted, list_files
from indexer.media.fingerprint import fingerprint
from indexer.media.pictures import shrink_rgb
from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.stages.stage import PictureStage, ShownStretch, Stretch, StretchResult
from indexer.visual.decode_pass import DecodeResult, DecodeSettings, Sample, decode_pass
from search_app.query.picture import read_picture
from store.errors import ArchiveError
from store.records import Boundary, FrameRow, Shot, ShotRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.stages.captions import CaptionStage
    from search_app.use_cases.caption_list import CaptionList
    from store.records import VideoFacts

PICTURE_SUFFIXES: Final = ("jpg", "jpeg", "png", "webp")
_SMALL_PX: Final = 32
"""Only times and sharpness of samples are wanted when shots are looked for."""
_NO_SPAN: Final = TimeSpan(Fraction(0), Fraction(1))


@dataclass(frozen=True, slots=True)
class Caption:
    """What a shot, a clip or a picture shows.

    Args:
        span: the stretch; None for a picture.
        text: the caption; empty where there is none.
        state: how the model ended.
        reason: one line, where there is something to say.
        times: of the pictures that the model looked at, in seconds.
    """

    span: TimeSpan | None
    text: str
    state: ShotState
    reason: str = ""
    times: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data; times in seconds."""
        span = {} if self.span is None else {"start": self.span.start_seconds, "end": self.span.end_seconds}
        said = {"text": self.text, "state": self.state.value, "reason": self.reason}
        return {**span, **said, **({"times": list(self.times)} if self.times else {})}


@dataclass(frozen=True, slots=True)
class CaptionedFile:
    """What became of one file.

    Args:
        path: absolute path.
        fingerprint: content identity; empty where the file cannot be read.
        run: key of the run that captioned it.
        model: name of the model.
        captions: in order of time.
        error: why there are none; empty otherwise.
        metadata: further columns of the list that named it.
    """

    path: Path
    fingerprint: str
    run: str
    model: str
    captions: tuple[Caption, ...] = ()
    error: str = ""
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether another run would find nothing more."""
        return not self.error and all(one.state is not ShotState.ERROR for one in self.captions)

    def to_json(self) -> dict[str, Any]:
        """Plain data: a line of the output."""
        return {
            "path": str(self.path),
            "fingerprint": self.fingerprint,
            "model": self.model,
            "run": self.run,
            "captions": [one.to_json() for one in self.captions],
            "error": self.error,
            **({"metadata": dict(self.metadata)} if self.metadata else {}),
        }


def open_captions(config_files: Sequence[Path], changes: Mapping[str, Any], device: str) -> CaptionStage:
    """The stage of captions as files of settings and a person's changes to them say.

    Args:
        config_files: over the defaults.
        changes: fields of `CaptionSettings`; those that are None are left as they are.
        device: as for `load_encoder`.

    Raises:
        ConfigError: a setting cannot be used.
        ModelError: the model is not to be had, or cannot do what is asked.
    """
    from indexer.config import IndexSettings
    from indexer.stages.captions import caption_stage
    from store.config import read_settings

    stages = read_settings(IndexSettings, *config_files, overrides={"stages": {"captions": changes}}).stages
    return caption_stage(stages.captions, stages.remote, device=device)


def caption_files(
    inputs: Sequence[Path],
    stage: PictureStage,
    known: CaptionList,
    *,
    whole: bool = False,
    path_column: str = "path",
) -> Iterator[CaptionedFile]:
    """Every file that is not captioned yet, with its captions or the reason why there are none.

    A file whose content and run are in the list already is left alone, unless something went wrong with it.

    Args:
        inputs: videos, pictures, folders, or lists of them (`.txt`, `.csv`, `.jsonl`).
        stage: the stage of captions.
        known: what was captioned before; left as it is.
        whole: one caption for each video instead of one for each shot.
        path_column: column of a list that holds the path.

    Raises:
        ScanError: an input does not exist, or a list cannot be read.
        ServerUnavailableError: the model's server answers nothing any more.
    """
    pictures: list[CaptionedFile] = []
    for item in _list_all(inputs, path_column):
        named = _name(item, stage)
        if isinstance(item, Unlisted) or named.error:
            yield named
        elif not known.has(named):
            if item.path.suffix.lower().lstrip(".") not in PICTURE_SUFFIXES:
                yield _caption_video(named, stage, whole=whole)
                continue
            pictures.append(named)
            if len(pictures) >= stage.batch_size:
                yield from _caption_pictures(pictures, stage)
                pictures = []
    yield from _caption_pictures(pictures, stage)


def _list_all(inputs: Sequence[Path], path_column: str) -> Iterator[ListedFile | Unlisted]:
    settings = ScanSettings(suffixes=(*VIDEO_SUFFIXES, *PICTURE_SUFFIXES), path_column=path_column)
    for item in list_files(inputs, settings, Path()):
        if isinstance(item, ListedFile) or (isinstance(item, Unlisted) and item.is_failure):
            yield item


def _name(item: ListedFile | Unlisted, stage: PictureStage) -> CaptionedFile:
    """The file with its identity, or the reason why it cannot be read."""
    named = CaptionedFile(item.path, "", stage.run.key, stage.run.model)
    if isinstance(item, Unlisted):
        return replace(named, error=item.reason)
    named = replace(named, metadata=tuple(item.metadata.items()))
    try:
        return replace(named, fingerprint=fingerprint(item.path))
    except OSError as error:
        return replace(named, error=f"cannot be read: {error.strerror or error}")


def _caption_pictures(files: Sequence[CaptionedFile], stage: PictureStage) -> Iterator[CaptionedFile]:
    shown: list[ShownStretch] = []
    errors: dict[Path, str] = {}
    for file in files:
        try:
            picture = read_picture(file.path)
            if stage.size_px is not None:
                picture = shrink_rgb(picture, stage.size_px)
        except ArchiveError as error:
            errors[file.path] = str(error)
            continue
        shown.append(ShownStretch(_stretch(len(shown), _NO_SPAN, ()), (Fraction(0),), (picture,)))
    results = iter(read_all(stage, shown))
    for file in files:
        if file.path in errors:
            yield replace(file, error=errors[file.path])
        else:
            yield replace(file, captions=(_caption_of(None, next(results), ()),))


def _caption_video(file: CaptionedFile, stage: PictureStage, *, whole: bool) -> CaptionedFile:
    try:
        facts, stretches = _find_stretches(str(file.path), whole=whole)
        captions = [
            _caption_of(shown.stretch.span, result, shown.times)
            for shown, result in _read_stretches(str(file.path), facts, stretches, stage)
        ]
    except ServerUnavailableError:
        raise
    except ArchiveError as error:
        return replace(file, error=str(error).removeprefix(f"{file.path}: "))
    return replace(file, captions=tuple(captions))


def _find_stretches(path: str, *, whole: bool) -> tuple[VideoFacts, list[Stretch]]:
    """The shots of a video with their sampled frames, or all of it as one."""
    samples: list[Sample] = []
    found: DecodeResult | None = None
    with closing(decode_pass(path, DecodeSettings(), _SMALL_PX)) as decoded:
        for item in decoded:
            if isinstance(item, Sample):
                samples.append(item)
            else:
                found = item
    if found is None:
        raise ModelError(f"{path}: decoding ended without a result")
    shots: Sequence[Shot] = found.shots
    places = found.sample_shots
    if whole:
        shots = [Shot(0, found.facts.span, Boundary.START)]
        places = (0,) * len(samples)
    return found.facts, [
        _stretch(
            shot.ordinal,
            shot.span,
            [one for one, place in zip(samples, places, strict=True) if place == shot.ordinal],
        )
        for shot in shots
    ]


def _stretch(ordinal: int, span: TimeSpan, samples: Sequence[Sample]) -> Stretch:
    row = ShotRow(f"{ordinal:016x}", "", "", Shot(ordinal, span, Boundary.CUT), "")
    frames = tuple(FrameRow(n, row.shot_id, "", one.time, one.sharpness, "") for n, one in enumerate(samples))
    return Stretch(row, span, frames)


def _read_stretches(
    path: str, facts: VideoFacts, stretches: Sequence[Stretch], stage: PictureStage
) -> Iterator[tuple[ShownStretch, StretchResult]]:
    """Each stretch with its result, in order; a batch of pictures is held at a time."""
    for first in range(0, len(stretches), stage.batch_size):
        batch = stretches[first : first + stage.batch_size]
        wanted = [(place, time) for place, one in enumerate(batch) for time in stage.times(one)]
        shown: list[list[tuple[Fraction, Any]]] = [[] for _ in batch]
        requests = [PictureRequest(time, stage.size_px) for _, time in wanted]
        with closing(read_pictures(path, requests, facts)) as pictures:
            for picture in pictures:
                shown[wanted[picture.number][0]].append((picture.time, picture.picture))
        complete = [
            ShownStretch(stretch, tuple(time for time, _ in own), tuple(picture for _, picture in own))
            for stretch, own in zip(batch, shown, strict=True)
        ]
        yield from zip(complete, read_all(stage, complete), strict=True)


def read_all(stage: PictureStage, shown: Sequence[ShownStretch]) -> list[StretchResult]:
    """One result for each stretch; where the model fails with all of them, each is tried alone.

    Raises:
        ServerUnavailableError: the model's server answers nothing any more.
    """
    if not shown:
        return []
    try:
        return list(stage.read(shown))
    except ServerUnavailableError:
        raise
    except ModelError as error:
        if len(shown) == 1:
            return [StretchResult(state=ShotState.ERROR, reason=str(error))]
        return [result for one in shown for result in read_all(stage, [one])]


def _caption_of(span: TimeSpan | None, result: StretchResult, times: Sequence[Fraction]) -> Caption:
    text = result.rows[0].text if result.rows else ""
    return Caption(span, text, result.state, result.reason, tuple(float(time) for time in times))

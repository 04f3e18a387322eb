"""Mirrors, turns and crops: what is indexed is what players show."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.media.ffmpeg import find_ffmpeg, open_own, save, send
from indexer.media.pictures import shrink_rgb
from indexer.visual.decode_pass import DecodeResult, DecodeSettings, Sample, decode_pass
from store.records import VideoFacts
from tests.counted_video import CountedVideo, read_number
from tests.patched_video import UNIT, add_to_pictures, box, clean_aperture, set_matrix, set_size
from tests.shared_media import FAULTS, needs_faults
from tests.shown_pictures import shown_at

SIZE = (128, 96)
MATRICES = {
    (1, 0, 0, 1): (0, False),
    (0, 1, -1, 0): (90, False),
    (-1, 0, 0, -1): (180, False),
    (0, -1, 1, 0): (270, False),
    (-1, 0, 0, 1): (0, True),
    (0, -1, -1, 0): (90, True),
    (1, 0, 0, -1): (180, True),
    (0, 1, 1, 0): (270, True),
}


def _facts(path: Path) -> VideoFacts:
    return _pass(path)[1].facts


def _pass(path: Path) -> tuple[Sample, DecodeResult]:
    sample, *_, result = decode_pass(str(path), DecodeSettings(), image_size_px=64)
    assert isinstance(sample, Sample)
    assert isinstance(result, DecodeResult)
    return sample, result


def _first(path: Path) -> NDArray[np.uint8]:
    (picture,) = shown_at(str(path), [Fraction(0)])
    return picture


def _by_program(path: Path, width: int, height: int, **options: str) -> NDArray[np.uint8]:
    """The first picture as the ffmpeg program shows it, RGB, (height, width, 3)."""
    data = bytearray()
    source = open_own(path, **options)["V:0"].filter("scale", width, height, flags="bicubic")
    find_ffmpeg().run(send([source], format="rawvideo", pix_fmt="rgb24", **{"frames:v": 1}), on_bytes=data.extend)
    return np.frombuffer(bytes(data), np.uint8).reshape(height, width, 3)


def _clip(folder: Path, name: str = "clip.mp4", **how: object) -> Path:
    video = CountedVideo(name, n_frames=5, size=SIZE, first_number=0x3A5, **how)  # type: ignore[arg-type]
    return video.write(folder, find_ffmpeg())


def _is_like(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean()) < 6


@pytest.mark.parametrize("signs", MATRICES)
def test_every_orientation_is_shown_as_players_do(tmp_path: Path, signs: tuple[int, int, int, int]) -> None:
    """All four turns, with and without a mirror: full pictures, sampled ones and facts."""
    path = set_matrix(_clip(tmp_path), *(sign * UNIT for sign in signs))
    sample, result = _pass(path)
    facts = result.facts
    assert MATRICES[signs] == (facts.rotation_degrees, facts.mirrored)
    width, height = SIZE if signs[0] else SIZE[::-1]
    assert (width, height) == (facts.width_px, facts.height_px)
    shown = _by_program(path, width, height)
    assert _is_like(shown, _first(path))
    assert 64 == min(sample.image.shape[:2])
    assert (width > height) == (sample.image.shape[1] > sample.image.shape[0])
    (whole,) = shown_at(str(path), [sample.time])
    assert float(np.abs(shrink_rgb(whole, 64).astype(int) - sample.image).mean()) < 12
    thumbnail = Image.open(io.BytesIO(sample.thumbnail_webp)).convert("RGB").resize((width, height))
    assert float(np.abs(np.asarray(thumbnail, dtype=int) - whole).mean()) < 12
    upright = read_number(_first(path).mean(axis=2).astype(np.uint8)) == 0x3A5
    assert (signs == (1, 0, 0, 1)) == upright


@pytest.mark.parametrize("degrees", [45, 100])
@pytest.mark.parametrize("mirror", [1, -1])
def test_odd_angles_are_shown_as_stored(tmp_path: Path, degrees: int, mirror: int) -> None:
    """Neither turned nor flipped, so that it is the same everywhere."""
    c, s = (round(UNIT * value) for value in (np.cos(np.radians(degrees)), np.sin(np.radians(degrees))))
    path = set_matrix(_clip(tmp_path), mirror * c, mirror * s, -s, c)
    facts = _facts(path)
    assert (*SIZE, 0, False) == (facts.width_px, facts.height_px, facts.rotation_degrees, facts.mirrored)
    assert 0x3A5 == read_number(_first(path).mean(axis=2).astype(np.uint8))


@pytest.mark.parametrize("matrix", [(0, 0, 0, 0), (UNIT, 0, UNIT, 0)])
def test_a_matrix_that_means_nothing_changes_nothing(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    """A picture squeezed to a line is none."""
    facts = _facts(set_matrix(_clip(tmp_path), *matrix))
    assert (*SIZE, 0, False) == (facts.width_px, facts.height_px, facts.rotation_degrees, facts.mirrored)


@pytest.mark.parametrize(
    ("aperture", "crop"),
    [
        ((112, 96, 0, 0), (8, 0, 8, 0)),
        ((100, 80, 6, -4), (20, 4, 8, 12)),
        ((127, 95, 0, 0), (0, 0, 1, 1)),
        ((60, 96, -34, 0), (0, 0, 68, 0)),
    ],
)
@pytest.mark.parametrize("ending", ["mov", "mkv"])
def test_what_the_container_crops_is_not_shown(
    tmp_path: Path, aperture: tuple[int, int, int, int], crop: tuple[int, int, int, int], ending: str
) -> None:
    """Clean aperture and Matroska's pixel crop, from each side on its own; the program shows the same."""
    path = add_to_pictures(_clip(tmp_path, "clip.mov"), clean_aperture(*aperture))
    if ending == "mkv":
        path, cropped = tmp_path / "clip.mkv", path
        find_ffmpeg().run(save([open_own(cropped)["v:0"]], path, c="copy"))
    facts = _facts(path)
    assert crop == facts.crop
    left, top, right, bottom = crop
    width, height = SIZE[0] - left - right, SIZE[1] - top - bottom
    assert (width, height) == (facts.width_px, facts.height_px)
    shown = _first(path)
    assert _is_like(_by_program(path, width, height), shown)
    whole = _by_program(path, *SIZE, apply_cropping="none")
    assert _is_like(whole[top : top + height, left : left + width], shown)


def test_pixels_are_not_squeezed_because_a_header_names_the_cropped_size(tmp_path: Path) -> None:
    """QuickTime files without pixel aspect name the clean aperture as their size: square pixels."""
    path = add_to_pictures(_clip(tmp_path, "clip.mov"), clean_aperture(96, 96))
    path.write_bytes(path.read_bytes().replace(b"pasp", b"free"))
    facts = _facts(set_size(path, 96, 96))
    assert (96, 96) == (facts.width_px, facts.height_px)


def test_crop_pixel_aspect_and_turn_go_together(tmp_path: Path) -> None:
    """Cut off first, then pixels made square, then flipped and turned."""
    path = add_to_pictures(_clip(tmp_path, "clip.mov"), clean_aperture(96, 80, 8, 0), box(b"pasp", 3, 2))
    set_matrix(path, 0, UNIT, UNIT, 0)
    facts = _facts(path)
    assert (80, 144) == (facts.width_px, facts.height_px)
    assert _is_like(_by_program(path, 80, 144), _first(path))


@pytest.mark.parametrize("aperture", [(0, 0, 0, 0), (128, 96, 500, 500), (1 << 30, 1, 0, 0), (2, 2, 0, 0)])
def test_a_hostile_aperture_harms_nobody(tmp_path: Path, aperture: tuple[int, int, int, int]) -> None:
    """It is applied or ignored; the video is indexed."""
    facts = _facts(add_to_pictures(_clip(tmp_path, "clip.mov"), clean_aperture(*aperture)))
    assert 5 == facts.n_frames
    assert facts.width_px <= SIZE[0]


@needs_faults
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("container-crop-clap.mov", (160, 108, 0, False)),
        ("mirrored-vflip.mp4", (192, 108, 180, True)),
        ("mirrored-partly-encoded.mp4", (192, 108, 180, True)),
        ("turned-45.mp4", (192, 108, 0, False)),
    ],
)
def test_shared_crops_mirrors_and_odd_angles(name: str, shape: tuple[int, int, int, bool]) -> None:
    """The shape in the facts, and the picture that players show."""
    path = FAULTS / name
    facts = _facts(path)
    assert shape == (facts.width_px, facts.height_px, facts.rotation_degrees, facts.mirrored)
    options = {} if name != "turned-45.mp4" else {"noautorotate": None}
    assert _is_like(_by_program(path, *shape[:2], **options), _first(path))  # type: ignore[arg-type]

"""What every reader of texts promises, whichever model is behind it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.models.encoder import RgbImage
from indexer.models.text_reader import RapidOcrReader, TextReader
from tests.fake_readers import FakeTextReader

SIDE_PX = 320


def _write(*lines: str) -> RgbImage:
    picture = Image.new("RGB", (640, 360), (200, 0, 0))
    pen = ImageDraw.Draw(picture)
    for number, text in enumerate(lines):
        pen.text((60, 40 + 90 * number), text, (255, 255, 255), ImageFont.load_default(40))
    return np.asarray(picture)


@pytest.fixture(scope="module", params=["fake", "rapidocr"])
def reader(request: pytest.FixtureRequest) -> TextReader:
    if request.param == "fake":
        return FakeTextReader({(200, 0, 0): ["Departures", "Gate 14"]})
    pytest.importorskip("rapidocr")
    return RapidOcrReader(threads=1)


@pytest.fixture(scope="module")
def picture() -> RgbImage:
    return _write("Departures", "Gate 14")


def test_lines_are_found_and_read(reader: TextReader, picture: RgbImage) -> None:
    """Every line has a place inside the picture, a text and a score."""
    places = reader.find_lines(picture, SIDE_PX)
    readings = reader.read_lines(picture, places)
    assert {"Departures", "Gate 14"} == {reading.text for reading in readings}
    for place, reading in zip(places, readings, strict=True):
        left, top, width, height = place.box
        assert 0 <= left <= left + width <= 1 and 0 <= top <= top + height <= 1
        assert 0 < place.score <= 1 and 0.5 < reading.score <= 1


def test_company_makes_no_difference(reader: TextReader, picture: RgbImage) -> None:
    """A line alone is read as among others, and the same way each time."""
    places = reader.find_lines(picture, SIDE_PX)
    assert list(places) == list(reader.find_lines(picture, SIDE_PX))
    together = list(reader.read_lines(picture, places))
    assert together == [reader.read_lines(picture, [place])[0] for place in places]
    assert together[::-1] == list(reader.read_lines(picture, list(places)[::-1]))


def test_a_blank_picture_has_no_lines(reader: TextReader) -> None:
    """Nor is there anything to read in no places."""
    blank = np.full((90, 160, 3), 40, np.uint8)
    assert 0 == len(reader.find_lines(blank, SIDE_PX))
    assert 0 == len(reader.read_lines(blank, []))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (33, 47)])
def test_any_size_is_taken(reader: TextReader, size: tuple[int, int]) -> None:
    """Down to one pixel."""
    assert 0 == len(reader.find_lines(np.zeros((*size, 3), np.uint8), SIDE_PX))


def test_pictures_are_left_alone(reader: TextReader, picture: RgbImage) -> None:
    """They may be read-only, or a view of a larger one."""
    wide = np.concatenate([picture, picture], axis=1)
    view = wide[:, : picture.shape[1]]
    view.setflags(write=False)
    before = view.copy()
    assert list(reader.find_lines(picture, SIDE_PX)) == list(reader.find_lines(view, SIDE_PX))
    np.testing.assert_array_equal(before, view)


def test_the_model_has_a_name(reader: TextReader) -> None:
    """And its weights a hash, by which a run is known."""
    reader.load()
    assert reader.name and int(reader.weights_hash, 16) >= 0

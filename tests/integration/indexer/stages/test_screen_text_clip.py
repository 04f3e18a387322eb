"""Texts that are drawn into a clip, compressed, decoded and read: words, times and places."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.media.writer import VideoFormat, write_video
from indexer.stages.screen_text import ScreenTextSettings, make_screen_text
from indexer.stages.stage import RgbPicture, ShownStretch, Stretch
from store.records import Boundary, Shot, ShotRow, TextRow
from store.timespan import TimeSpan

pytest.importorskip("rapidocr")

RATE = 10
SECONDS = 6
SIZE = (320, 180)
SLIDES = (("Annual Report", "Berlin 1987"), ("Thank you",))
"""The first stands until the middle of the clip, the second from there."""


def _draw(lines: tuple[str, ...]) -> RgbPicture:
    picture = Image.new("RGB", SIZE, (20, 40, 90))
    pen = ImageDraw.Draw(picture)
    for number, text in enumerate(lines):
        pen.text((30, 40 + 50 * number), text, (240, 240, 240), ImageFont.load_default(22))
    return np.asarray(picture)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[TextRow, ...]:
    """What is read in the clip, as one shot."""
    path = tmp_path_factory.mktemp("drawn") / "slides.mp4"
    numbers = range(RATE * SECONDS)
    pictures = ((number, _draw(SLIDES[2 * number // (RATE * SECONDS)])) for number in numbers)
    write_video(path, pictures, VideoFormat("libx264", RATE, sound_codec=None))
    stage = make_screen_text(ScreenTextSettings(step_seconds=1.0, find_px=320, glance_px=256, threads=1))
    span = TimeSpan(Fraction(0), Fraction(SECONDS))
    stretch = Stretch(ShotRow("0" * 16, "0" * 32, str(path), Shot(0, span, Boundary.START), ""), span)
    times = tuple(stage.times(stretch))
    found = read_pictures(str(path), [PictureRequest(time, stage.size_px) for time in times])
    (result,) = stage.read([ShownStretch(stretch, times, tuple(one.picture for one in found))])
    return result.rows


def test_every_line_is_a_row_with_its_words(rows: tuple[TextRow, ...]) -> None:
    """Each once, in order of time, then from top to bottom."""
    assert ["Annual Report", "Berlin 1987", "Thank you"] == [row.text for row in rows]
    assert all(row.score is not None and row.score > 0.8 for row in rows)
    assert [0, 1, 0] == [(row.payload or {})["order"] for row in rows]


def test_spans_are_what_was_seen(rows: tuple[TextRow, ...]) -> None:
    """Inside the time that the slide stood; the payload says how near its ends are known."""
    first, _, last = rows
    assert Fraction(1, 2) == first.span.start and first.span.end == Fraction(5, 2) + Fraction(1, 25)
    assert (None, 3.5) == ((first.payload or {}).get("before"), (first.payload or {})["after"])
    assert (2.5, None) == ((last.payload or {})["before"], (last.payload or {}).get("after"))
    assert last.span.start == Fraction(7, 2)


def test_boxes_lie_where_the_text_was_drawn(rows: tuple[TextRow, ...]) -> None:
    """As shares of the picture, within a fiftieth."""
    for row, top in zip(rows, (40, 90, 40), strict=True):
        pen = ImageDraw.Draw(Image.new("RGB", SIZE))
        left, upper, right, lower = pen.textbbox((30, top), row.text, ImageFont.load_default(22))
        assert row.box is not None
        middle = (row.box[0] + row.box[2] / 2, row.box[1] + row.box[3] / 2)
        assert pytest.approx(((left + right) / 2 / SIZE[0], (upper + lower) / 2 / SIZE[1]), abs=0.02) == middle

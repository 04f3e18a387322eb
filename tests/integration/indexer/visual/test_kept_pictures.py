"""The size of what is kept is a setting, and no business of the encoder."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.media.ffmpeg import find_ffmpeg
from indexer.media.pictures import RgbImage
from indexer.visual.decode_pass import DecodeSettings, Sample, decode_pass
from indexer.visual.segment_builder import segment_parameters
from tests.counted_video import CountedVideo


def _samples(path: Path, size_px: int, settings: DecodeSettings) -> list[Sample]:
    return [one for one in decode_pass(str(path), settings, size_px) if isinstance(one, Sample)]


def _kept(sample: Sample) -> tuple[int, int]:
    return Image.open(io.BytesIO(sample.thumbnail_webp)).size


@pytest.mark.parametrize(
    ("size", "turn", "usual", "large"),
    [
        ((640, 480), 0, (240, 180), (480, 360)),
        ((960, 400), 0, (320, 133), (640, 267)),
        ((640, 480), 90, (180, 240), (360, 480)),
        ((128, 96), 0, (128, 96), (128, 96)),
    ],
)
def test_kept_pictures_have_the_size_of_the_settings(
    tmp_path: Path, size: tuple[int, int], turn: int, usual: tuple[int, int], large: tuple[int, int]
) -> None:
    """Whatever the encoder asks for, whose pictures are the same whatever is kept."""
    path = CountedVideo("a.mp4", n_frames=4, size=size, turn=turn).write(tmp_path, find_ffmpeg())
    for_model: dict[int, RgbImage] = {}
    for size_px in (64, 224):
        for settings, expected in ((DecodeSettings(), usual), (DecodeSettings(thumbnail_size_px=360), large)):
            (sample,) = _samples(path, size_px, settings)
            assert expected == _kept(sample)
            np.testing.assert_array_equal(for_model.setdefault(size_px, sample.image), sample.image)
        assert min(size_px, *size) == min(sample.image.shape[:2])


def test_the_size_of_thumbnails_indexes_nothing_again() -> None:
    """It is no part of what a segment's key is made of."""
    assert segment_parameters(DecodeSettings(), 224) == segment_parameters(
        DecodeSettings(thumbnail_size_px=360), 224
    )
    assert {"longest_stretch_seconds": 4.5, "decoder_threads": 2} == segment_parameters(DecodeSettings(), 224)[
        "decode"
    ]
    with pytest.raises(ValueError, match="thumbnail_size_px must be from 16 to 2160"):
        DecodeSettings(thumbnail_size_px=0)

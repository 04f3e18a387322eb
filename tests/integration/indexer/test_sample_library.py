"""The drawn library against its own ground truth, looked at with PyAV."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from indexer.demo.sample_library import GROUND_TRUTH_FILE, draw_sample_library
from store.records import Boundary

pytestmark = pytest.mark.slow


PROGRESS: list[tuple[int, int]] = []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    draw_sample_library(folder, seed=7, on_progress=lambda n_done, n_all: PROGRESS.append((n_done, n_all)))
    return folder


@pytest.fixture(scope="module")
def videos(library: Path) -> list[dict[str, Any]]:
    truth: dict[str, Any] = json.loads((library / GROUND_TRUTH_FILE).read_text())
    return [video for video in truth["videos"] if not video["broken"]]


def test_the_library_is_as_varied_as_promised(library: Path, videos: list[dict[str, Any]]) -> None:
    """At least 8 videos and 60 shots, 6 containers, 5 codecs, every boundary, one upright, variable and silent."""
    shots = [shot for video in videos for shot in video["shots"]]
    assert len(videos) >= 8
    assert len(shots) >= 60
    assert len({Path(video["file"]).suffix for video in videos}) >= 6
    assert len({video["codec"] for video in videos}) >= 5
    assert {str(boundary) for boundary in Boundary} == {shot["boundary"] for shot in shots}
    assert sum(video["height_px"] > video["width_px"] for video in videos) == 1
    assert sum(video["variable_rate"] for video in videos) == 1
    assert sum(not video["has_audio"] for video in videos) == 1
    assert sum(file.stat().st_size for file in library.iterdir()) < 40_000_000


def test_progress_counts_every_frame(library: Path) -> None:
    """Whoever waits is told of each frame, up to the last, and from the start how many there will be."""
    assert (library / GROUND_TRUTH_FILE).exists()
    n_all = len(PROGRESS)
    assert n_all > 1000
    assert [(n_done, n_all) for n_done in range(1, n_all + 1)] == PROGRESS


def test_the_demo_questions_have_answers(videos: list[dict[str, Any]]) -> None:
    """Whatever the seed, there are red boats on the sea, two dogs, and houses at night."""
    said = [shot["description"] for video in videos for shot in video["shots"]]
    for words in (("red boat", "sea"), ("two", "dogs"), ("house", "night")):
        assert sum(all(word in text for word in words) for text in said) >= 2


def test_every_video_decodes_as_the_ground_truth_says(library: Path, videos: list[dict[str, Any]]) -> None:
    """Size, sound and length are as stated, and each cut changes the picture more than any frame beside it."""
    for video in videos:
        with av.open(str(library / video["file"])) as container:
            stream = container.streams.video[0]
            offset = (container.start_time or 0) / av.time_base
            frames = [
                (float(frame.time or 0) - offset, frame.reformat(width=48, height=27, format="rgb24").to_ndarray())
                for frame in container.decode(stream)
            ]
            assert (video["width_px"], video["height_px"]) == (stream.width, stream.height)
            assert video["has_audio"] == bool(container.streams.audio)
        times = np.array([time for time, _ in frames])
        tick = 1 / video["frame_rate"]
        assert times[0] == pytest.approx(0, abs=tick)
        assert times[-1] + tick == pytest.approx(video["shots"][-1]["end_seconds"], abs=tick)
        assert video["variable_rate"] == (np.ptp(np.diff(times)) > tick / 2)
        pictures = np.stack([picture for _, picture in frames]).astype(np.int16)
        change = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
        for shot in video["shots"]:
            if shot["boundary"] == Boundary.CUT:
                at = int(np.argmin(np.abs(times - shot["start_seconds"])))
                assert change[at - 1] > 2 * max(change[at - 4 : at - 1].max(), change[at : at + 3].max())


def test_shots_touch(videos: list[dict[str, Any]]) -> None:
    """The shots of a video cover it without gap or overlap."""
    for video in videos:
        starts = [shot["start_seconds"] for shot in video["shots"]]
        assert starts == [0.0, *(shot["end_seconds"] for shot in video["shots"][:-1])]


def test_the_broken_video_cannot_be_opened(library: Path) -> None:
    """The file that is broken on purpose is no longer a video."""
    with pytest.raises(av.FFmpegError):
        av.open(str(library / "broken.mp4"))


def test_the_same_seed_draws_the_same_library(library: Path, tmp_path: Path) -> None:
    """Drawing again gives the same ground truth and the same bytes where the encoder allows it."""
    draw_sample_library(tmp_path, seed=7)
    assert (library / GROUND_TRUTH_FILE).read_bytes() == (tmp_path / GROUND_TRUTH_FILE).read_bytes()
    first, second = (hashlib.sha256((place / "garden.avi").read_bytes()).digest() for place in (library, tmp_path))
    assert first == second

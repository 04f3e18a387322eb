"""`rushes supercut` as a user types it: modes, presets, transitions, what contradicts itself, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from tests.e2e.small_archive import RATE, SHOT_FRAMES, draw_library, index_library

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shots of 18 frames in two videos."""
    folder = tmp_path_factory.mktemp("supercut")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    return folder / "archive"


def start(archive: Path, film: Path, *options: str) -> subprocess.Popen[str]:
    """The command, asked for every shot."""
    words = ["supercut", str(archive), "in:*", "-o", str(film), *options]
    # Where the tests were started in the background, children would be deaf to Ctrl-C.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", code + "from search_app.cli import main; main()", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "COLUMNS": "80"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def run(archive: Path, film: Path, *options: str, status: int = 0) -> tuple[str, str]:
    """What the command says, on both channels; it must end with that status."""
    process = start(archive, film, *options)
    out, told = process.communicate(timeout=2 * WAIT_SECONDS)
    assert (status, False) == (process.returncode, "Traceback" in told), told
    return out, told


def shape(film: Path) -> tuple[int, int, int]:
    """Width, height and number of frames."""
    with av.open(str(film)) as container:
        frames = list(container.decode(video=0))
    return frames[0].width, frames[0].height, len(frames)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--mode", "fast"), (192, 108, 4 * SHOT_FRAMES)),
        (
            (
                "--mode",
                "preview",
                "--transition",
                "dissolve",
                "--transition-seconds",
                "0.25",
                "--title",
                "All of it",
            ),
            (192, 108, 3 * RATE + 4 * SHOT_FRAMES - 4 * RATE // 4),
        ),
        (("--preset", "vertical", "--framing", "smart"), (1080, 1920, 4 * SHOT_FRAMES)),
    ],
    ids=["fast", "preview", "vertical"],
)
def test_a_film_has_the_shape_and_length_asked_for(
    options: tuple[str, ...], expected: tuple[int, int, int], archive: Path, tmp_path: Path
) -> None:
    """Every shot is in it, each dissolve takes its frames once, and all but a preview is verified."""
    out, _ = run(archive, tmp_path / "film.mp4", *options)
    assert expected == shape(tmp_path / "film.mp4")
    assert ("4/4 cuts exact" in out) != ("preview" in options)


def test_a_dry_run_writes_nothing(archive: Path, tmp_path: Path) -> None:
    """Length, size and what is left out are told before, and the folder stays empty."""
    out, _ = run(archive, tmp_path / "film.mp4", "--dry-run")
    assert out.startswith("4 of 4 clips, 6.00 s, 192x108, 12 frames per second")
    out, _ = run(archive, tmp_path / "film.mp4", "--dry-run", "--max-seconds", "3")
    assert "\nleft out: 2 shots: " in out, out
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.m4a", ("--preset", "audio-only", "--mode", "fast"), "--mode fast"),
        ("a.m4a", ("--preset", "audio-only", "--title", "x"), "--title"),
        ("a.m4a", ("--preset", "audio-only", "--framing", "crop"), "--framing"),
        ("a.gif", ("--preset", "gif", "--subtitles", "burn"), "no transcript"),
        ("a.mp4", ("--title", " "), "--title"),
        ("a.mov", ("--preset", "prores", "--crf", "20"), "--crf"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(
    name: str, options: tuple[str, ...], words: str, archive: Path, tmp_path: Path
) -> None:
    """The option that cannot be is named, and nothing is written."""
    _, told = run(archive, tmp_path / name, *options, status=2 if words in {"--crf", "--framing"} else 1)
    (line,) = told.splitlines()
    assert words in line
    assert [] == list(tmp_path.iterdir())


def test_sound_alone_is_cross_faded(archive: Path, tmp_path: Path) -> None:
    """A dissolve of a film without pictures fades its sound, and loudness is brought to what was asked for."""
    options = ("--preset", "audio-only", "--transition", "dissolve", "--transition-seconds", "0.25")
    run(archive, tmp_path / "a.wav", *options, "--loudness", "-23")
    with av.open(str(tmp_path / "a.wav")) as container:
        n_samples = sum(frame.samples for frame in container.decode(audio=0))
        assert (4 * SHOT_FRAMES - 3 * RATE // 4) * container.streams.audio[0].rate // RATE == n_samples


def test_transitions_longer_than_every_clip_are_said_to_be_cuts(archive: Path, tmp_path: Path) -> None:
    """No frame is lost for a transition that has no room, and each clip says so."""
    run(archive, tmp_path / "film.mp4", "--transition", "dip", "--transition-seconds", "9", "--mode", "preview")
    assert 4 * SHOT_FRAMES == shape(tmp_path / "film.mp4")[2]
    assert "too short" in (tmp_path / "film.mp4.json").read_text(encoding="utf-8")


def test_ctrl_c_leaves_one_line_and_no_file(archive: Path, tmp_path: Path) -> None:
    """An interrupted render says so, ends with 130, and its folder is as it was."""
    process = start(archive, tmp_path / "film.mp4", "--preset", "web-1080p", "--framing", "blur")
    until = time.monotonic() + WAIT_SECONDS
    while not list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=WAIT_SECONDS)
    assert 130 == process.returncode
    assert "Traceback" not in told
    assert [] == list(tmp_path.iterdir())
    assert ["rushes: interrupted"] == [line for line in told.splitlines() if "interrupted" in line], told

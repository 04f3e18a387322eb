"""A render that was killed goes on where it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.rendering.assembly import Assembly
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.prefetch import Ahead
from search_app.rendering.preflight import Sighted, sight_sources
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition, plan_blend
from search_app.rendering.work_folder import WorkFolder, private_folder
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, read_numbers, row_of

DISSOLVE = FilmOptions(Transition.DISSOLVE, 0.2)
N_CLIPS = 4

RENDER = """
import signal, sys, time
from dataclasses import replace
from pathlib import Path
from search_app.rendering.supercut import render_supercut
from tests.integration.search_app.rendering.test_resume import DISSOLVE, four_clips

# Where the tests were started in the background, children would be deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

def say(progress):
    print(progress.stage, progress.n_clips_done, flush=True)
    if progress.stage == "clips" and progress.n_clips_done == int(sys.argv[3]):
        time.sleep(60)  # whoever listens ends it here, however slow the machine is

render_supercut(four_clips(Path(sys.argv[1])), Path(sys.argv[2]), film=DISSOLVE, on_progress=say)
"""


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> Path:
    """Four seconds with sound."""
    return CountedVideo("source.mp4", n_frames=100, layout="mono").write(tmp_path_factory.mktemp("src"), program)


def four_clips(path: Path) -> CutList:
    """Four clips of 15 frames."""
    row, times = row_of(path)
    hits = [hit_of(row, TimeSpan(times[20 * n], times[20 * n + 15]), n + 1) for n in range(N_CLIPS)]
    return build_cut_list(hits, {row.video_id: row})


def kill_in_third_clip(source: Path, target: Path) -> None:
    """Start a render in a process of its own and kill it, as the system does when memory is short."""
    with subprocess.Popen(
        [sys.executable, "-c", RENDER, source, target, "2"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    ) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            if line == "clips 2\n":
                break
        victim.kill()


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_the_same_render_takes_over_what_a_killed_one_finished(
    source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """Two clips are not encoded again, the film is whole, and nothing of the first attempt is left."""
    kill_in_third_clip(source, tmp_path / "out.mp4")
    assert 1 == len(names(tmp_path))
    report = render_supercut(four_clips(source), tmp_path / "out.mp4", film=DISSOLVE, program=program)
    assert 2 == report.n_taken_over
    assert "2 clips were taken over" in report.summary()
    assert "4/4 cuts exact" == report.verification_line()
    assert ["out.mp4", "out.mp4.json"] == names(tmp_path)
    fresh = render_supercut(four_clips(source), tmp_path / "fresh.mp4", film=DISSOLVE, program=program)
    assert (0, fresh.n_frames) == (fresh.n_taken_over, report.n_frames)
    numbers = read_numbers(report.output, [(128, 96)])
    assert read_numbers(fresh.output, [(128, 96)]) == numbers


def test_a_clip_that_comes_twice_is_encoded_once_and_not_taken_over(
    source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """Only what an interrupted render left counts as taken over."""
    once = four_clips(source)
    twice = replace(once, clips=once.clips + once.clips)
    report = render_supercut(twice, tmp_path / "out.mp4", program=program)
    assert (0, "8/8 cuts exact") == (report.n_taken_over, report.verification_line())
    numbers = read_numbers(report.output, [(128, 96)])
    assert numbers[:60] == numbers[60:]


def test_other_options_take_nothing_over_and_leave_it_for_its_own(
    source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """A render of other pictures makes its own; what was finished waits a day for the same render."""
    kill_in_third_clip(source, tmp_path / "out.mp4")
    (left,) = tmp_path.iterdir()
    film = FilmOptions(Transition.DIP, 0.2)
    report = render_supercut(four_clips(source), tmp_path / "dip.mp4", film=film, program=program)
    assert 0 == report.n_taken_over
    assert left.is_dir()
    os.utime(left, (0, 0))
    with private_folder(tmp_path):
        assert not left.exists()


def test_without_the_held_back_frames_all_is_made_anew(source: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """Where the frames are gone that the next clip dissolves from, nothing is taken over; the film is right."""
    kill_in_third_clip(source, tmp_path / "out.mp4")
    (left,) = tmp_path.iterdir()
    for held in left.glob("*.held"):
        held.unlink()
    report = render_supercut(four_clips(source), tmp_path / "out.mp4", film=DISSOLVE, program=program)
    assert (0, "4/4 cuts exact") == (report.n_taken_over, report.verification_line())


def test_pictures_of_another_number_of_threads_are_not_taken_over(
    source: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """An encoder decides otherwise with other threads: a piece of a long film is none of a short one."""
    profile, cancel = Profile(128, 96, Fraction(25)), threading.Event()
    blend = plan_blend(Transition.CUT, Fraction(0), profile.frame_rate)
    (seen,) = sight_sources(program, four_clips(source).clips[:1], None)
    assert isinstance(seen, Sighted)
    n_taken_over = []
    with private_folder(tmp_path) as work:
        for n_threads in (1, 2, 1):
            with Ahead(cancel) as ahead:
                assembly = Assembly(program, profile, blend, work, cancel, ahead=ahead)
                assembly.begin_clip(seen, (), n_threads)
                assembly.add_clip(seen, n_threads=n_threads)
                n_taken_over.append(assembly.n_taken_over)
    assert [0, 0, 1] == n_taken_over


def test_a_take_over_that_is_killed_harms_no_later_render(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it ends, no folder has the record of a piece whose files lie elsewhere."""
    kill_in_third_clip(source, tmp_path / "out.mp4")
    (left,) = tmp_path.iterdir()
    keys = [record.stem for record in left.glob("*.json")]
    rename = Path.replace
    for n_renames in range(3):
        n_left = [n_renames]

        def rename_or_die(path: Path, target: Path, n_left: list[int] = n_left) -> Path:
            if not n_left[0]:
                raise KeyboardInterrupt
            n_left[0] -= 1
            return rename(path, target)

        second = Path(shutil.copytree(left, tmp_path / f"second-{n_renames}"))
        taking = WorkFolder(Path(tempfile.mkdtemp(dir=tmp_path)), {0: second})
        monkeypatch.setattr(Path, "replace", rename_or_die)
        with pytest.raises(KeyboardInterrupt):
            taking.find(keys[0])
        monkeypatch.undo()
        for folder in (second, taking.path):
            assert all(record.with_suffix(".mov").exists() for record in folder.glob("*.json"))


def test_a_record_of_another_version_is_no_finished_piece(source: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """What another version wrote of a piece is not understood, and the piece is made anew."""
    kill_in_third_clip(source, tmp_path / "out.mp4")
    (left,) = tmp_path.iterdir()
    for record in left.glob("*.json"):
        record.write_text(record.read_text().replace("n_frames", "n_shown"))
    report = render_supercut(four_clips(source), tmp_path / "out.mp4", film=DISSOLVE, program=program)
    assert (0, "4/4 cuts exact") == (report.n_taken_over, report.verification_line())


def test_interrupt_leaves_nothing(source: Path, tmp_path: Path) -> None:
    """Ctrl-C in a terminal ends ffmpeg and leaves neither a half file nor a folder."""
    with subprocess.Popen(
        [sys.executable, "-c", RENDER, source, tmp_path / "out.mp4", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    ) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            if line == "clips 1\n":
                break
        victim.send_signal(signal.SIGINT)
        victim.communicate(timeout=60)
    assert victim.returncode
    assert [] == names(tmp_path)

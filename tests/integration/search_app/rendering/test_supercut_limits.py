"""What the ffmpeg program may do, and what becomes of a supercut when it fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import Ffmpeg, discard, find_ffmpeg, open_source, save
from indexer.media.limits import ChildLimits
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.errors import RenderError
from search_app.rendering.outcomes import RenderProgress, RenderStage
from search_app.rendering.supercut import render_supercut
from search_app.rendering.work_folder import private_folder
from store.errors import ConfigError
from tests.counted_video import CountedVideo, hit_of, row_of


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> Path:
    """A video that takes a while to encode."""
    video = CountedVideo("long.mp4", n_frames=500, size=(640, 480), options=(("preset", "ultrafast"),))
    return video.write(tmp_path_factory.mktemp("long"), program)


def whole(path: Path) -> CutList:
    """A cut list of one clip, the whole video."""
    row, _ = row_of(path)
    return build_cut_list([hit_of(row, row.facts.span, 1)], {row.video_id: row})


def started() -> set[int]:
    """The processes that this one has started and that still run."""
    return {int(pid) for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()}


@pytest.fixture
def children() -> Callable[[], set[int]]:
    """Gives the processes that a test has started and that still run: other tests' helpers live longer."""
    older = started()
    return lambda: started() - older


def test_program_says_what_it_is(program: Ffmpeg) -> None:
    """The program names its version and has the encoders that a supercut needs."""
    assert program.version
    assert {"libx264", "aac"} <= program.encoders


def test_configured_program_must_be_there() -> None:
    """A configured program that is not there is a mistake in the settings."""
    with pytest.raises(ConfigError, match="no-such-program"):
        find_ffmpeg("no-such-program")


def test_a_text_is_never_run_as_a_script(tmp_path: Path) -> None:
    """An executable text that names no interpreter is refused: a shell would run it as its own."""
    text = tmp_path / "ffmpeg"
    text.write_text("echo ffmpeg version 7\n")
    text.chmod(0o755)
    with pytest.raises(ConfigError, match="is no program"):
        find_ffmpeg(str(text))


def test_another_program_is_not_taken_for_ffmpeg() -> None:
    """A program that does not answer like ffmpeg is refused."""
    with pytest.raises(FfmpegError, match="does not answer like ffmpeg"):
        _ = find_ffmpeg("echo").version


def test_killed_program_leaves_no_file(
    long_video: Path, tmp_path: Path, program: Ffmpeg, children: Callable[[], set[int]]
) -> None:
    """When ffmpeg dies in the middle of a clip, the error says so, and nothing is left."""

    def kill_in_clips(progress: RenderProgress) -> None:
        if progress.stage is RenderStage.CLIPS:
            for child in children():
                os.kill(child, signal.SIGKILL)

    with pytest.raises(RenderError, match=r"clip 1: .*killed by signal 9"):
        render_supercut(whole(long_video), tmp_path / "out.mp4", program=program, on_progress=kill_in_clips)
    assert [] == list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount:
        pytest.skip("there is no mount command")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("a tmpfs cannot be mounted without privileges")
    yield folder
    subprocess.run([umount, folder], check=True)


def test_full_disk_before_rendering(long_video: Path, small_disk: Path, program: Ffmpeg) -> None:
    """A disk that cannot hold the result is noticed before anything is encoded."""
    (small_disk / "junk").write_bytes(bytes(10 << 20))
    with pytest.raises(RenderError, match="no space left"):
        render_supercut(whole(long_video), small_disk / "out.mp4", program=program)
    assert ["junk"] == [path.name for path in small_disk.iterdir()]


def test_full_disk_while_rendering(long_video: Path, small_disk: Path, program: Ffmpeg) -> None:
    """A disk that fills up in mid-render gives one clear error, and the half file goes."""

    def fill(progress: RenderProgress) -> None:
        if progress.stage is RenderStage.CLIPS and not (small_disk / "junk").exists():
            with contextlib.suppress(OSError), (small_disk / "junk").open("wb", buffering=0) as junk:
                while junk.write(bytes(1 << 16)):
                    pass

    with pytest.raises(RenderError, match="no space left"):
        render_supercut(whole(long_video), small_disk / "out.mp4", program=program, on_progress=fill)
    assert ["junk"] == [path.name for path in small_disk.iterdir()]


def test_playlists_are_not_followed(tmp_path: Path, program: Ffmpeg) -> None:
    """A text that names another file is no video, whatever it is called."""
    secret = CountedVideo("secret.ts", n_frames=5, codec="mpeg2video").write(tmp_path, program)
    for name, text in (
        ("list.mp4", f"ffconcat version 1.0\nfile {secret.name}\n"),
        ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret.name}\n#EXT-X-ENDLIST\n"),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(FfmpegError, match="failed"):
            program.run(discard([open_source(path)["v:0"]]))


@pytest.mark.parametrize(
    ("limits", "file_bytes", "reason"),
    [
        (ChildLimits(wall_seconds=0.1), 2**30, "took longer than"),
        (ChildLimits(memory_bytes=64 * 2**20), 2**30, "ffmpeg"),
        (ChildLimits(), 4096, "too large"),
    ],
    ids=["clock", "memory", "file"],
)
def test_limits_hold(
    limits: ChildLimits, file_bytes: int, reason: str, long_video: Path, tmp_path: Path, program: Ffmpeg
) -> None:
    """Time, memory and the size of what is written are bounded."""
    pictures = open_source(long_video)["v:0"]
    output = save([pictures], tmp_path / "out.mkv", **{"c:v": "libx264", "preset": "ultrafast"})
    with pytest.raises(FfmpegError, match=reason):
        program.run(output, limits=limits, file_bytes=file_bytes)


def test_cancel_from_another_thread_stops_soon(
    long_video: Path, tmp_path: Path, program: Ffmpeg, children: Callable[[], set[int]]
) -> None:
    """Cancelling from another thread ends the program, and the message says that it was cancelled."""
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    with pytest.raises(RenderError, match="cancelled"):
        render_supercut(whole(long_video), tmp_path / "out.mp4", program=program, cancel=stop)
    timer.join()
    assert [] == list(tmp_path.iterdir())
    assert set() == children()


KILLED = """
import sys
from pathlib import Path
from search_app.rendering.supercut import render_supercut
from tests.integration.search_app.rendering.test_supercut_limits import whole

def say(progress):
    if progress.stage == "clips":
        print("rendering", flush=True)

render_supercut(whole(Path(sys.argv[1])), Path(sys.argv[2]), on_progress=say)
"""


def test_the_next_render_removes_what_a_killed_one_left(long_video: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """After `kill -9` in mid-render only a hidden folder is left, which goes once its render is dead."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, long_video, tmp_path / "killed.mp4"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    ) as victim:
        try:
            assert victim.stdout is not None
            assert b"rendering\n" == victim.stdout.readline()
            os.kill(victim.pid, signal.SIGSTOP)
            (left,) = tmp_path.iterdir()
            with private_folder(tmp_path):
                pass
            assert [left] == list(tmp_path.iterdir())
        finally:
            victim.kill()
    assert [left] == list(tmp_path.iterdir())
    render_supercut(whole(long_video), tmp_path / "out.mp4", program=program, verify=False)
    assert ["out.mp4", "out.mp4.json"] == sorted(path.name for path in tmp_path.iterdir())


def running(word: str) -> list[int]:
    """The processes of which an argument holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def test_encoders_end_with_a_killed_render(long_video: Path, tmp_path: Path) -> None:
    """After `kill -9` no program goes on encoding for nobody."""
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv of util-linux")
    script = KILLED.replace('"clips"', '"clips" and progress.fraction > 0.04')
    with subprocess.Popen(
        [sys.executable, "-c", script, long_video, tmp_path / "killed.mp4"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    ) as victim:
        assert victim.stdout is not None
        assert b"rendering\n" == victim.stdout.readline()
        (left,) = tmp_path.iterdir()
        encoders = running(left.name)
        for encoder in encoders:
            os.kill(encoder, signal.SIGSTOP)  # so that none comes to its own end
        victim.kill()
    assert encoders
    deadline = time.monotonic() + 10
    while running(left.name) and time.monotonic() < deadline:
        time.sleep(0.05)
    still_there = running(left.name)
    for encoder in still_there:
        os.kill(encoder, signal.SIGKILL)
    assert [] == still_there


def test_only_folders_of_our_own_are_removed(tmp_path: Path) -> None:
    """Links and files of that name, and what they lead to, stay."""
    (tmp_path / "kept").mkdir()
    (tmp_path / ".rushes-render-link").symlink_to(tmp_path / "kept")
    (tmp_path / ".rushes-render-file").touch()
    (tmp_path / ".rushes-render-dead").mkdir()
    with private_folder(tmp_path):
        pass
    assert [".rushes-render-file", ".rushes-render-link", "kept"] == sorted(
        path.name for path in tmp_path.iterdir()
    )


def test_rounded_handles_and_fit_reach_the_file(long_video: Path, tmp_path: Path, program: Ffmpeg) -> None:
    """A supercut of at most 0.5 s at 25 frames per second has twelve frames."""
    row, _ = row_of(long_video)
    cut_list = build_cut_list([hit_of(row, row.facts.span, 1)], {row.video_id: row}, max_seconds=Fraction(1, 2))
    report = render_supercut(cut_list, tmp_path / "out.mp4", program=program)
    assert (12, True) == (report.n_frames, report.is_exact)

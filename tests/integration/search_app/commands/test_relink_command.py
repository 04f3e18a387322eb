"""`rushes cut relink`: a source that was exported again gets its clips back, and no clip gets wrong pictures."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from indexer.config import IndexSettings
from indexer.demo.drawing import draw_scene
from indexer.demo.world import Group, Scene
from indexer.media.ffmpeg import find_ffmpeg
from indexer.media.writer import VideoFormat, write_video
from indexer.pipeline import index_videos
from search_app.cli import main
from store.archive import Archive
from store.events import RightsChanged, RootNamed
from tests.fakes import FakeEncoder, make_picture

pytestmark = pytest.mark.slow

RATE = 12
SHOT_FRAMES = 30
SCENES = (
    Scene(Group("boat", "red"), "sea"),
    Scene(Group("house", "white"), "field", "night"),
    Scene(Group("bus", "yellow"), "city"),
)
Pictures = list[NDArray[np.uint8]]


def _draw(scenes: Sequence[Scene] = SCENES) -> Pictures:
    return [
        draw_scene(scene, 192, 108, frame / RATE, seed=place)
        for place, scene in enumerate(scenes)
        for frame in range(SHOT_FRAMES)
    ]


def _write(path: Path, pictures: Pictures, timecode: str = "", **options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = VideoFormat("libx264", RATE, sound_codec=None, options={"preset": "ultrafast", **options})
    if not timecode:
        write_video(path, enumerate(pictures), form)
        return
    plain = path.with_name(f"plain-{path.name}")
    write_video(plain, enumerate(pictures), form)
    command = [find_ffmpeg().program, "-v", "error", "-y", "-i", str(plain), "-c", "copy", "-timecode", timecode]
    subprocess.run([*command, str(path)], check=True)
    plain.unlink()


def _index(folder: Path) -> None:
    encoder = FakeEncoder()
    with Archive.create(folder / "archive") as archive:
        archive.claim_space(encoder.space, source="fake")
        for outcome in index_videos(archive, [folder / "lib"], encoder, IndexSettings(), lambda _: None):
            assert outcome.status != "failed", outcome


def _rushes(*arguments: str | Path, status: int = 0) -> str:
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


def _clips(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads(_rushes("cut", "show", folder / "archive", "cut", "--json"))["clips"])


def _relink(folder: Path, *options: str, status: int = 0) -> list[dict[str, Any]]:
    told = _rushes("cut", "relink", folder / "archive", "cut", "--json", *options, status=status)
    return list(json.loads(told[: told.rindex("]") + 1]))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one source of three shots, and a cut list of four clips of it."""
    folder = tmp_path_factory.mktemp("relink")
    _write(folder / "lib" / "day.mp4", _draw())
    _index(folder)
    ranges = (("36f", "50f"), ("62f", "80f"), ("2f", "12f"), ("40f", "56f"))
    words = [word for start, end in ranges for word in ("--range", "day.mp4", start, end)]
    _rushes("cut", "new", folder / "archive", "cut", *words)
    _rushes("cut", "note", folder / "archive", "cut", "1", "the house")
    return folder


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(drawn / "archive", tmp_path / "archive")
    shutil.copytree(drawn / "lib", tmp_path / "lib")
    with Archive.open(tmp_path / "archive") as archive:
        moved = {name: str(tmp_path / "lib") for name in archive.snapshot().roots()}
        archive.record([RootNamed(name, path) for name, path in moved.items()])
        archive.publish()
    return tmp_path


def _frames_of(clip: dict[str, Any]) -> tuple[int, int]:
    return tuple(round(Fraction(clip[edge]) * RATE + Fraction(1, 100)) for edge in ("start", "end"))  # type: ignore[return-value]


def test_a_source_exported_again_under_its_name(folder: Path) -> None:
    """Same times, other bits: every clip is back, with its note; undo takes that back."""
    before = _clips(folder)
    _write(folder / "lib" / "day.mp4", _draw(), crf="35")
    _index(folder)
    said = _rushes("cut", "show", folder / "archive", "cut")
    assert f"4 clips without a video: rushes cut relink {folder / 'archive'} cut" in said
    for command, name in (("render", "film.mp4"), ("export", "film.edl")):
        refused = _rushes("cut", command, folder / "archive", "cut", "-o", folder / name, status=1)
        assert f"rushes cut relink {folder / 'archive'} cut" in refused
    planned = _relink(folder, "--dry-run")
    assert [True] * 4 == [one["is_relinked"] for one in planned]
    assert {""} != {one["flag"] for one in _clips(folder)}
    found = _relink(folder)
    assert [["path", "look"]] * 4 == [one["reasons"] for one in found]
    assert [0.0] * 4 == [one["shift_seconds"] for one in found]
    after = _clips(folder)
    same = ("start", "end", "time", "note", "state", "question")
    assert [[one[key] for key in same] for one in before] == [[one[key] for key in same] for one in after]
    assert len({one["fingerprint"] for one in (*before, *after)}) == 2
    assert {""} == {one["flag"] for one in after}
    assert "4/4 cuts exact" in _rushes("cut", "render", folder / "archive", "cut", "-o", folder / "film.mp4")
    _rushes("cut", "undo", folder / "archive", "cut")
    assert [one["fingerprint"] for one in before] == [one["fingerprint"] for one in _clips(folder)]


def test_an_export_that_was_trimmed_at_the_start_shifts_its_clips(folder: Path) -> None:
    """The look tells by how much; a clip whose beginning is gone is told and left as it is."""
    before = _clips(folder)
    _write(folder / "lib" / "day.mp4", _draw()[7:], crf="30")
    _index(folder)
    found = _relink(folder, status=1)
    assert [True, True, False, True] == [one["is_relinked"] for one in found]
    assert [pytest.approx(-7 / RATE)] * 3 == [one["shift_seconds"] for one in found if one["is_relinked"]]
    after = _clips(folder)
    moved = [(start - 7, end - 7) for start, end in map(_frames_of, before)]
    assert [moved[0], moved[1], moved[3]] == [_frames_of(after[place]) for place in (0, 1, 3)]
    assert before[2]["fingerprint"] == after[2]["fingerprint"]
    assert "no longer there" in found[2]["doubt"]
    said = _rushes("cut", "relink", folder / "archive", "cut", "--dry-run", status=1)
    assert "clip 3: day.mp4: doubtful, so not relinked" in said
    forced = _relink(folder, "3", "--force")
    assert [True] == [one["is_relinked"] for one in forced]
    assert (0, 5) == _frames_of(_clips(folder)[2])


def test_other_pictures_in_the_same_place_are_not_taken(folder: Path) -> None:
    """Neither another film, nor one in which only a small thing is another, nor with --force."""
    near = (
        Scene(Group("boat", "blue"), "sea"),
        Scene(Group("castle", "white"), "field", "night"),
        Scene(Group("bus", "green"), "city"),
    )
    _write(folder / "lib" / "day.mp4", _draw(near))
    _index(folder)
    found = _relink(folder, "--force", status=1)
    assert [False] * 4 == [one["is_relinked"] for one in found]
    assert {"day.mp4 shows other pictures"} == {one["doubt"].rpartition("/")[2] for one in found}


def test_shots_in_another_order_are_found_by_their_look(folder: Path) -> None:
    """Each clip follows its own shot, so clips of one source may have different shifts."""
    pictures = _draw()
    _write(folder / "lib" / "day.mp4", [*pictures[30:], *pictures[:30]])
    _index(folder)
    found = _relink(folder)
    assert [-30, -30, 60, -30] == [round(one["shift_seconds"] * RATE) for one in found]


def test_a_graded_export_is_the_same_footage(folder: Path) -> None:
    """Brighter and softer pictures are still these pictures."""
    graded = [(picture * 0.8 + 25).astype(np.uint8) for picture in _draw()]
    _write(folder / "lib" / "day.mp4", graded)
    _index(folder)
    assert [["path", "look"]] * 4 == [one["reasons"] for one in _relink(folder)]


def test_a_source_that_went_elsewhere_is_found_by_its_name(folder: Path) -> None:
    """In another folder and container, as long as the pictures are the same."""
    (folder / "lib" / "day.mp4").unlink()
    _write(folder / "lib" / "regrade" / "day.mov", _draw(), crf="30")
    _index(folder)
    found = _relink(folder)
    assert [["name", "look"]] * 4 == [one["reasons"] for one in found]
    assert "regrade/day.mov" in found[0]["to"]


def test_what_only_looks_alike_is_doubtful(folder: Path) -> None:
    """It may be another copy: told, left as it is, and taken with --force or when it is named."""
    (folder / "lib" / "day.mp4").unlink()
    _write(folder / "lib" / "b-roll.mov", _draw(), crf="30")
    _index(folder)
    found = _relink(folder, status=1)
    assert [False] * 4 == [one["is_relinked"] for one in found]
    assert {"only its look speaks for it: it may be another copy or take"} == {one["doubt"] for one in found}
    named = _relink(folder, "1-2", "--to", "b-roll.mov")
    assert [["as named", "look"]] * 2 == [one["reasons"] for one in named]
    assert [True] * 2 == [one["is_relinked"] for one in _relink(folder, "--force")]


def test_timecode_tells_where_pictures_do_not(tmp_path: Path) -> None:
    """Of a still picture the look fits everywhere: without a timecode that is doubtful, with one it is not.

    Where the very picture that was kept is cut off, the timecode alone says where, and that is doubtful, too.
    """
    still = [np.asarray(make_picture("red", 108, 192))] * 60
    cases = (("", "", 0, 12), ("01:00:01:00", "01:00:00:00", 12, 0), ("01:00:00:00", "01:00:01:00", 0, 12))
    for number, (start, later, first, first_later) in enumerate(cases):
        folder = tmp_path / str(number)
        _write(folder / "lib" / "card.mov", still[first:], start)
        _index(folder)
        _rushes("cut", "new", folder / "archive", "cut", "--range", "card.mov", "24f", "36f")
        _write(folder / "lib" / "card.mov", still[first_later:], later, crf="35")
        _index(folder)
        (found,) = _relink(folder, status=int(number != 1))
        if later:
            assert ["path", "look", "timecode"] == found["reasons"]
            assert (first - first_later) / RATE == found["shift_seconds"]
        assert ("" if number == 1 else "other moments look the same") == found["doubt"]


def test_a_still_source_of_the_same_length_keeps_its_times(tmp_path: Path) -> None:
    """Where every shift looks right and nothing was trimmed, nothing is shifted."""
    still = [np.asarray(make_picture("red", 108, 192))] * 40
    _write(tmp_path / "lib" / "card.mp4", still)
    _index(tmp_path)
    _rushes("cut", "new", tmp_path / "archive", "cut", "--range", "card.mp4", "10f", "20f")
    _write(tmp_path / "lib" / "card.mp4", still, crf="35")
    _index(tmp_path)
    (found,) = _relink(tmp_path)
    assert (["path", "look"], 0.0) == (found["reasons"], found["shift_seconds"])


def test_without_its_old_pictures_a_clip_is_doubtful(folder: Path) -> None:
    """Thumbnails are a cache: place and timecode alone do not say that the pictures are the same."""
    shutil.rmtree(folder / "archive" / "thumbs")
    _write(folder / "lib" / "day.mp4", _draw(), crf="35")
    _index(folder)
    found = _relink(folder, status=1)
    assert {"its old pictures are gone"} == {one["doubt"] for one in found}
    assert [True] * 4 == [one["is_relinked"] for one in _relink(folder, "--force")]


def test_nothing_to_relink_and_rights_that_stay_behind(folder: Path) -> None:
    """A clip that has its video is refused by name; what was said of the old file's rights is told."""
    assert "no clip has lost its video" in _rushes("cut", "relink", folder / "archive", "cut")
    assert "clip 2 has its video" in _rushes("cut", "relink", folder / "archive", "cut", "2", status=2)
    with Archive.open(folder / "archive") as archive:
        video = archive.snapshot().video("day.mp4").video_id
        archive.record([RightsChanged(video, "", "", "block", note="embargo")])
        archive.publish()
    _write(folder / "lib" / "day.mp4", _draw(), crf="35")
    _index(folder)
    assert "the old file has rights (block: embargo)" in _rushes("cut", "relink", folder / "archive", "cut")

"""Separate clips of real files: exact, whole, listed, and never over anything."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.picture_names import Codec, Preset
from search_app.conforming.presets import preset_profile
from search_app.cutting.cut_list import CutList
from search_app.errors import ExportError, RenderError
from search_app.exports.film import plan_film
from search_app.exports.separate_clips import render_each
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import NTSC, cut, leftovers, numbers_in


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def render(one: CutList, path: Path) -> SupercutReport:
    """A clip's file, as the command makes it."""
    return render_supercut(one, path, program=find_ffmpeg())


def test_every_clip_is_a_file_at_its_own_rate(tmp_path: Path, program: Ffmpeg) -> None:
    """The frames of each clip and no other; one that fails is listed with its reason, and nothing is replaced."""
    a = CountedVideo("a.mkv").write(tmp_path, program)
    b = CountedVideo("b.mkv", NTSC).write(tmp_path, program)
    gone = CountedVideo("gone.mkv").write(tmp_path, program)
    cut_list, _ = cut([(a, 10, 20), (gone, 0, 9), (b, 7, 12)])
    gone.unlink()
    film, folder = plan_film(cut_list, "x"), tmp_path / "clips"
    files = render_each(film, cut_list, folder, render, overwrite=False)
    first, second, third = files
    assert first.report and third.report
    assert [[list(range(10, 20))], [list(range(7, 12))]] == [numbers_in(first.report), numbers_in(third.report)]
    assert (Fraction(25), NTSC) == (first.report.profile.frame_rate, third.report.profile.frame_rate)
    assert "is missing" in second.reason
    names = ["001_a_00-00-00-10.mp4", "003_b_00-00-00-07.mp4"]
    assert sorted([*names, *(f"{name}.json" for name in names), "clips.json"]) == sorted(
        path.name for path in folder.iterdir()
    )
    ledger = json.loads((folder / "clips.json").read_text())
    assert ["done", "failed", "done"] == [clip["outcome"] for clip in ledger["clips"]]
    with pytest.raises(ExportError, match="exists already"):
        render_each(film, cut_list, folder, render, overwrite=False)


def test_every_preset_has_its_own_ending(tmp_path: Path, program: Ffmpeg) -> None:
    """In a folder the ending is that of what is made; a name whose ending does not fit is refused before."""
    path = CountedVideo("a.mkv", layout="stereo").write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 5)])
    film = plan_film(cut_list, "x")

    def render_sound(one: CutList, target: Path) -> SupercutReport:
        profile = preset_profile([clip.facts for clip in one.clips], Preset.AUDIO_ONLY)
        return render_supercut(one, target, profile=profile, program=program)

    folder = tmp_path / "clips"
    (made,) = render_each(film, cut_list, folder, render_sound, overwrite=False, codec=Codec.SOUND)
    assert ("001_a_00-00-00-00.m4a", "") == (made.path.name, made.reason)
    with pytest.raises(RenderError, match="ending"):
        render_each(film, cut_list, folder / "{place}.mp4", render_sound, overwrite=False, codec=Codec.SOUND)


def test_a_run_that_is_stopped_leaves_whole_files_and_says_so(tmp_path: Path, program: Ffmpeg) -> None:
    """What was done is there and listed, what was not is listed as missing, and nothing else is left."""
    path = CountedVideo("a.mkv").write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 5), (path, 10, 15), (path, 20, 25)])

    def render_one(one: CutList, target: Path) -> SupercutReport:
        if target.name.startswith("002"):
            raise KeyboardInterrupt
        return render(one, target)

    folder = tmp_path / "clips"
    with pytest.raises(KeyboardInterrupt):
        render_each(plan_film(cut_list, "x"), cut_list, folder, render_one, overwrite=False)
    ledger = json.loads((folder / "clips.json").read_text())
    stopped = "the run was stopped before it"
    assert ["", stopped, stopped] == [clip["reason"] for clip in ledger["clips"]]
    assert ["001_a_00-00-00-00.mp4", "001_a_00-00-00-00.mp4.json", "clips.json"] == sorted(
        item.name for item in folder.iterdir()
    )
    assert [] == leftovers(tmp_path)

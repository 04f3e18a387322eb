"""Timelines of real files: their frames are those of the supercut, and a file is written whole or not at all."""

from pathlib import Path

import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList
from search_app.errors import TimelineError
from search_app.rendering.supercut import render_supercut
from search_app.timelines.timeline import TimelinePlan, plan_timeline
from search_app.timelines.timeline_export import export_timeline
from search_app.timelines.timeline_formats import WRITERS
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import MATRIX, UNEVEN, cut, leftovers, numbers_in


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def frames_of(plan: TimelinePlan) -> list[list[int]]:
    """Numbers of the frames of each clip."""
    return [
        list(range(clip.source_in, clip.source_in + clip.n_source_frames))
        for clip in plan.clips
        if clip.source.start == 0
    ]


@pytest.mark.parametrize("video", MATRIX, ids=lambda video: video.name)
def test_every_container_gives_the_frames_of_the_shots(
    video: CountedVideo, tmp_path: Path, program: Ffmpeg
) -> None:
    """Whatever clock a file has, a timeline counts its frames from the first picture, exactly."""
    path = video.write(tmp_path, program)
    cut_list, _ = cut([(path, 31, 44), (path, 0, 1), (path, 3, 30), (path, video.n_frames - 2, video.n_frames)])
    plan = plan_timeline(cut_list, "x")
    last = video.n_frames
    assert [list(range(31, 44)), [0], list(range(3, 30)), [last - 2, last - 1]] == frames_of(plan)
    assert {(video.rate, last)} == {(clip.source.rate, clip.source.n_frames) for clip in plan.clips}
    assert plan.rate == video.rate


@pytest.mark.parametrize("name", ["ntsc.mkv", "film.mp4", "motion.avi"])
def test_a_timeline_with_handles_shows_what_the_supercut_shows(name: str, tmp_path: Path, program: Ffmpeg) -> None:
    """The numbers read out of a rendered file are those that the timeline says."""
    (video,) = [one for one in MATRIX if one.name == name]
    path = video.write(tmp_path, program)
    cut_list, _ = cut([(path, 20, 30), (path, 2, 6)], handles_seconds=0.2)
    profile = Profile(128, 96, video.rate, preset="ultrafast")
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=profile, program=program)
    assert numbers_in(report) == frames_of(plan_timeline(cut_list, "x"))


def test_variable_rate_is_stated(tmp_path: Path, program: Ffmpeg) -> None:
    """Frames at uneven times have no numbers that programs agree on: said, and still written."""
    path = CountedVideo("uneven.mp4", times=(*UNEVEN, *(time + 4 for time in UNEVEN))).write(tmp_path, program)
    plan = plan_timeline(cut([(path, 10, 40)])[0], "x")
    assert any("no constant frame rate" in note for note in plan.notes)
    export_timeline(plan, tmp_path / "x.otio")


@pytest.fixture(scope="module")
def cut_list(program: Ffmpeg, tmp_path_factory: pytest.TempPathFactory) -> CutList:
    """Two clips of one source."""
    folder = tmp_path_factory.mktemp("media")
    path = CountedVideo("it's 100% ü & #1.mp4").write(folder, program)
    return cut([(path, 10, 20), (path, 30, 40)])[0]


@pytest.mark.parametrize("ending", WRITERS)
def test_a_file_is_there_only_when_it_is_right(ending: str, cut_list: CutList, tmp_path: Path) -> None:
    """It is written once, an existing one is kept unless that is asked for, and nothing else stays behind."""
    target = tmp_path / f"my cut{ending}"
    plan = plan_timeline(cut_list, "my cut")
    export_timeline(plan, target)
    text = target.read_text(encoding="utf-8")
    assert WRITERS[ending](plan) == text
    shorter = plan_timeline(CutList(cut_list.clips[:1]), "my cut")
    with pytest.raises(TimelineError, match="exists already"):
        export_timeline(shorter, target)
    assert text == target.read_text(encoding="utf-8")
    export_timeline(shorter, target, overwrite=True)
    assert WRITERS[ending](shorter) == target.read_text(encoding="utf-8")
    assert [] == leftovers(tmp_path)


def test_what_reads_back_differently_gets_no_name(
    cut_list: CutList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong timeline never replaces a right one."""
    plan = plan_timeline(cut_list, "x")
    target = tmp_path / "x.edl"
    export_timeline(plan, target)
    before = target.read_text(encoding="utf-8")
    other = plan_timeline(CutList(cut_list.clips[::-1]), "x")
    monkeypatch.setitem(WRITERS, ".edl", lambda _: WRITERS[".otio"](plan))
    with pytest.raises(TimelineError, match="0 of 2 clips"):
        export_timeline(other, target, overwrite=True)
    assert before == target.read_text(encoding="utf-8")
    assert [] == leftovers(tmp_path)


def test_targets_that_must_not_be_written_are_refused(cut_list: CutList, tmp_path: Path) -> None:
    """A folder, a source, an unknown ending, a folder that is not there: one line each."""
    plan = plan_timeline(cut_list, "x")
    (tmp_path / "folder.edl").mkdir()
    source = tmp_path / "source.xml"
    source.write_text("a source with a strange name")
    for target, reason in (
        (tmp_path / "x.aaf", "one of the endings .otio, .edl, .fcpxml, .xml"),
        (tmp_path / "nowhere/x.edl", "there is no folder"),
        (tmp_path / "folder.edl", "is a folder"),
        (source, "one of the sources"),
    ):
        with pytest.raises(TimelineError, match=reason):
            export_timeline(plan, target, sources=[str(source)], overwrite=True)
    with pytest.raises(TimelineError, match="no clips"):
        export_timeline(plan_timeline(CutList(()), "x"), tmp_path / "x.edl")
    assert "a source with a strange name" == source.read_text()
    assert [] == leftovers(tmp_path)

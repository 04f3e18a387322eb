"""Supercuts of real files, judged by the numbers that their frames carry."""

from __future__ import annotations

import errno
import json
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg, open_own, save
from indexer.media.pictures import encode_thumbnail
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.errors import RenderError
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.outcomes import ClipStatus, RenderProgress, RenderStage, SupercutReport
from search_app.rendering.supercut import render_supercut
from store.records import VideoRow
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, burst_times, draw_number, frame_times, hit_of, read_numbers, row_of

NTSC_FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
SMALL = Profile(128, 96, Fraction(25), preset="ultrafast")
UNEVEN = tuple(Fraction(n, 25) + Fraction(n % 3, 100) for n in range(50))

MATRIX = [
    CountedVideo("film.mp4", NTSC_FILM, layout="stereo", sample_rate=44_100),
    CountedVideo("b_frames.mp4", Fraction(24), options=(("bf", "3"), ("b_strategy", "0"))),
    CountedVideo("pal.mkv", Fraction(25), layout="mono"),
    CountedVideo("ntsc.mkv", NTSC, layout="5.1"),
    CountedVideo("fifty.mp4", Fraction(50), n_frames=100),
    CountedVideo("sixty.mp4", Fraction(60000, 1001), n_frames=120),
    CountedVideo(
        "vp9.webm", Fraction(25), codec="libvpx-vp9", options=(("cpu-used", "8"), ("deadline", "realtime"))
    ),
    CountedVideo("mpeg2.ts", Fraction(25), codec="mpeg2video", layout="stereo"),
    CountedVideo("h264.ts", NTSC, start=Fraction(7), layout="stereo"),
    CountedVideo("motion.avi", Fraction(25), codec="mjpeg"),
    CountedVideo("b_frames.avi", Fraction(25)),
    CountedVideo("prores.mov", Fraction(25), codec="prores_ks", layout="stereo"),
    CountedVideo("late.mp4", Fraction(25), start=Fraction(36, 25)),
    CountedVideo("late.mkv", NTSC_FILM, start=Fraction(5)),
]


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


def cut(
    sources: Sequence[tuple[Path, int, int]], *, handles_seconds: float = 0
) -> tuple[CutList, dict[str, VideoRow]]:
    """A cut list of clips from one frame number up to and without another."""
    videos, hits = {}, []
    for rank, (path, first, end) in enumerate(sources, start=1):
        row, times = row_of(path)
        videos[row.video_id] = row
        edges = [*times, row.facts.span.end]
        hits.append(hit_of(row, TimeSpan(edges[first], edges[end]), rank))
    return build_cut_list(hits, videos, handles_seconds=handles_seconds), videos


def numbers_in(report: SupercutReport) -> list[list[int | None]]:
    """The numbers of the frames of each clip in a rendered file."""
    fits = [report.profile.fit(clip.clip.facts) for clip in report.done for _ in range(clip.n_frames)]
    numbers = read_numbers(report.output, fits)
    return [numbers[clip.first_frame or 0 :][: clip.n_frames] for clip in report.done]


def leftovers(folder: Path) -> list[str]:
    """Names of hidden files and folders."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize("video", MATRIX, ids=lambda video: video.name)
def test_matching_rate_gives_exactly_the_frames_of_the_clip(
    video: CountedVideo, tmp_path: Path, program: Ffmpeg
) -> None:
    """Where source and profile have one rate, each frame of the clip comes once, in order, and nothing else."""
    path = video.write(tmp_path, program)
    cut_list, _ = cut([(path, 31, 44), (path, 0, 1), (path, 3, 30), (path, video.n_frames - 2, video.n_frames)])
    profile = Profile(128, 96, video.rate, preset="ultrafast")
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=profile, program=program)
    last = video.n_frames
    assert [list(range(31, 44)), [0], list(range(3, 30)), [last - 2, last - 1]] == numbers_in(report)
    assert "4/4 cuts exact" == report.verification_line()
    assert [n / video.rate for n in range(report.n_frames)] == frame_times(report.output)


def test_pictures_copied_into_avi_keep_their_number_and_length(tmp_path: Path, program: Ffmpeg) -> None:
    """A copy has decoding times alone, in ticks of which the demuxer believes one is a frame; nothing is lost."""
    path = CountedVideo("first.mp4").write(tmp_path, program)
    program.run(save([open_own(path)["v:0"]], tmp_path / "copied.avi", c="copy"))
    cut_list, videos = cut([(tmp_path / "copied.avi", 31, 40), (tmp_path / "copied.avi", 40, 50)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    (row,) = videos.values()
    assert (50, Fraction(2)) == (row.facts.n_frames, row.facts.span.duration)
    assert [list(range(31, 40)), list(range(40, 50))] == numbers_in(report)


LONG_GROUPS = (("g", "250"), ("sc_threshold", "0"))


def test_the_last_group_of_a_file_without_an_index_can_be_cut(tmp_path: Path, program: Ffmpeg) -> None:
    """A seek into it finds no picture that stands for itself any more; then decoding starts farther back."""
    path = CountedVideo("long.ts", n_frames=340, options=LONG_GROUPS).write(tmp_path, program)
    cut_list, _ = cut([(path, 330, 338)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert [list(range(330, 338))] == numbers_in(report)
    assert report.is_exact


@pytest.mark.parametrize(
    ("video", "first"),
    [(CountedVideo("source.mp4"), 10), (CountedVideo("long.ts", n_frames=100, options=LONG_GROUPS), 80)],
    ids=lambda one: getattr(one, "name", ""),
)
def test_an_index_with_another_clock_is_noticed(
    video: CountedVideo, first: int, tmp_path: Path, program: Ffmpeg
) -> None:
    """A cut that is a frame off what the indexer saw is not called exact, though source and film agree."""
    path = video.write(tmp_path, program)
    (clip,) = cut([(path, first, first + 10)])[0].clips
    time = clip.span.start + Fraction(4, 25)
    thumbnail = tmp_path / f"{round(time * 1_000_000):012d}.webp"
    thumbnail.write_bytes(encode_thumbnail(np.stack([draw_number(first + 4, (128, 96))] * 3, axis=2)))
    seen = replace(clip, hits=(replace(clip.hits[0], time=time, thumbnail=str(thumbnail)),))
    one_frame = Fraction(1, 25) / clip.facts.time_base
    off = replace(seen, facts=replace(clip.facts, start_pts_offset=clip.facts.start_pts_offset + one_frame))
    right, wrong = (
        render_supercut(CutList((one,)), tmp_path / f"{number}.mp4", profile=SMALL, program=program)
        for number, one in enumerate((seen, off))
    )
    assert right.is_exact
    assert [list(range(first + 1, first + 11))] == numbers_in(wrong)
    assert wrong.has_wrong_cut
    assert wrong.done[0].check is not None
    assert wrong.done[0].check.reason.startswith("the archive has other times for its frames, -1 frame off")


def test_other_rates_give_the_rounded_length_and_no_frame_from_outside(tmp_path: Path, program: Ffmpeg) -> None:
    """Conformed to another rate a clip lasts as long as in its source, each frame nearest to its time."""
    sources = [video.write(tmp_path, program) for video in MATRIX]
    cut_list, _ = cut([(path, 10, 35) for path in sources])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    lengths = [round(clip.clip.span.duration * 25) for clip in report.done]
    assert lengths == [clip.n_frames for clip in report.done]
    for video, length, numbers in zip(MATRIX, lengths, numbers_in(report), strict=True):
        places = {n: math.floor((n - 10) / video.rate * 25 + Fraction(1, 2)) for n in range(10, 35)}
        nearest = [max(n for n, at in places.items() if at <= place) for place in range(length)]
        assert (video.name, nearest) == (video.name, numbers)
    assert report.is_exact


def test_variable_rate_is_conformed_without_losing_the_clock(tmp_path: Path, program: Ffmpeg) -> None:
    """Frames at uneven times appear at the frame of the profile that is nearest to their time."""
    path = CountedVideo("uneven.mp4", times=UNEVEN).write(tmp_path, program)
    cut_list, _ = cut([(path, 10, 40)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    (numbers,) = numbers_in(report)
    start = UNEVEN[10]
    nearest = {round((UNEVEN[n] - start) * 25): n for n in range(10, 40)}
    assert [nearest[place] for place in sorted(nearest) if place < len(numbers)] == [
        number for place, number in enumerate(numbers) if place in nearest
    ]
    assert report.is_exact


@pytest.mark.parametrize(
    ("video", "fit"),
    [
        (CountedVideo("turned.mp4", size=(96, 128), turn=90), (128, 96)),
        (CountedVideo("upside_down.mp4", turn=180), (128, 96)),
        (CountedVideo("portrait.mp4", turn=270), (72, 96)),
        (CountedVideo("wide_pixels.mp4", size=(96, 96), pixel_aspect=Fraction(4, 3)), (128, 96)),
        (CountedVideo("scope.mp4", size=(256, 96)), (128, 48)),
    ],
    ids=lambda value: value.name if isinstance(value, CountedVideo) else "",
)
def test_pictures_stand_upright_and_undistorted(
    video: CountedVideo, fit: tuple[int, int], tmp_path: Path, program: Ffmpeg
) -> None:
    """Rotation and pixel shape are applied, and the whole picture is fitted into black bars."""
    path = video.write(tmp_path, program)
    cut_list, _ = cut([(path, 5, 15)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert fit == report.profile.fit(report.done[0].clip.facts)
    assert [list(range(5, 15))] == numbers_in(report)


@pytest.mark.slow
def test_sound_stays_with_the_pictures_over_many_clips(tmp_path: Path, program: Ffmpeg) -> None:
    """After 200 clips of mixed rates, sound rates and silence every burst is within 20 ms of its picture."""
    sources = [
        CountedVideo("a.mp4", NTSC, n_frames=90, layout="stereo", sample_rate=44_100).write(tmp_path, program),
        CountedVideo("b.mkv", NTSC_FILM, n_frames=72, layout="mono").write(tmp_path, program),
        CountedVideo("c.ts", Fraction(25), n_frames=75, codec="mpeg2video", layout="stereo").write(
            tmp_path, program
        ),
        CountedVideo("silent.mp4", Fraction(25), n_frames=75).write(tmp_path, program),
    ]
    rows = [row_of(path) for path in sources]
    hits = []
    for rank in range(1, 201):
        row, times = rows[rank % 4]
        first = 3 + rank % 5
        hits.append(hit_of(row, TimeSpan(times[first], times[first + 13]), rank))
    clips = [build_cut_list([hit], {row.video_id: row for row, _ in rows}).clips[0] for hit in hits]
    profile = Profile(128, 96, NTSC, preset="ultrafast")
    report = render_supercut(
        CutList(tuple(clips)), tmp_path / "out.mp4", profile=profile, program=program, verify=False
    )
    expected = []
    for done in report.done:
        start = done.clip.span.start
        burst = Fraction(1, 2) - start
        if done.clip.facts.has_audio and 0 <= burst < done.clip.span.duration:
            expected.append(float(done.first_frame / profile.frame_rate + burst))  # type: ignore[operator]
    heard = burst_times(report.output)
    assert sum(round(clip.span.duration * NTSC) for clip in clips) == report.n_frames
    assert [n / NTSC for n in range(report.n_frames)] == frame_times(report.output)
    assert len(expected) > 130
    assert len(expected) == len(heard)
    assert max(abs(one - other) for one, other in zip(expected, heard, strict=True)) < 0.02


def test_sound_that_ends_early_becomes_silence(tmp_path: Path, program: Ffmpeg) -> None:
    """A clip after the end of the sound track is silent and whole, and the next clip is heard in time."""
    path = CountedVideo("short_sound.mp4", n_frames=100, layout="stereo", sound_seconds=Fraction(3, 2)).write(
        tmp_path, program
    )
    cut_list, _ = cut([(path, 70, 95), (path, 20, 30)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert [list(range(70, 95)), list(range(20, 30))] == numbers_in(report)
    (heard,) = burst_times(report.output)
    assert heard == pytest.approx(1.2, abs=0.005)  # the burst at 1.0 s, in the clip that starts at 0.8 s


def test_no_sound_from_after_a_clip(tmp_path: Path, program: Ffmpeg) -> None:
    """A film of few frames a second shows the last one longer than the clip; what sounds then is not heard."""
    path = CountedVideo("source.mov", layout="stereo").write(tmp_path, program)
    cut_list, _ = cut([(path, 3, 12), (path, 20, 30)])  # bursts at 0.5 s, after the first clip, and at 1.0 s
    shape = replace(SMALL, frame_rate=Fraction(5, 3))
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=shape, program=program)
    assert 2 == report.n_frames
    (heard,) = burst_times(report.output)
    assert heard == pytest.approx(0.8, abs=0.005)


def test_single_frame_source(tmp_path: Path, program: Ffmpeg) -> None:
    """A video of one frame gives one frame."""
    path = CountedVideo("still.mp4", n_frames=1).write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 1)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert [[0]] == numbers_in(report)


@pytest.mark.parametrize(
    "name",
    [
        'it\'s "quoted".mp4',
        "line one\nline two.mp4",
        "-y.mp4",
        "100% %d %03d %s.mp4",
        "a:b;[in]=,c.mp4",
        "concat:x|y.mp4",
        "file 'x'\nfile 'y.mp4",
        "\u00fcn\u00efc\u00f6d\u00e9 \u65e5\u672c\u8a9e \U0001f3ac.mp4",
    ],
)
def test_difficult_names_are_only_names(name: str, tmp_path: Path, program: Ffmpeg) -> None:
    """Sources and targets may be called anything, and the ledger has the name as it is."""
    path = CountedVideo("plain.mp4", n_frames=8).write(tmp_path, program).rename(tmp_path / name)
    cut_list, _ = cut([(path, 2, 6)])
    target = tmp_path / f"out {name}"
    report = render_supercut(cut_list, target, profile=SMALL, program=program)
    assert [[2, 3, 4, 5]] == numbers_in(report)
    assert str(path) == json.loads(report.ledger.read_text())["clips"][0]["source"]


def test_handles_add_whole_frames(tmp_path: Path, program: Ffmpeg) -> None:
    """A handle of 0.2 s adds five frames at 25 per second on each side, and stops at the ends of the file."""
    path = CountedVideo("handled.mkv").write(tmp_path, program)
    cut_list, _ = cut([(path, 20, 25), (path, 47, 50)], handles_seconds=0.2)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert [list(range(15, 30)), list(range(42, 50))] == numbers_in(report)


def test_missing_and_changed_sources_stop_everything(tmp_path: Path, program: Ffmpeg) -> None:
    """Without leave to skip, every bad clip is named before anything is encoded, and nothing is kept."""
    good, gone, changed, broken = (
        CountedVideo(f"{name}.mp4", n_frames=10).write(tmp_path, program)
        for name in ("good", "gone", "changed", "broken")
    )
    cut_list, videos = cut([(path, 2, 8) for path in (good, gone, changed, broken)])
    gone.unlink()
    broken.write_bytes(b"no video")
    ids = {row.path: row.video_id for row in videos.values()} | {str(changed): "other content"}
    seen: list[RenderProgress] = []
    with pytest.raises(RenderError, match="3 of 4 clips") as caught:
        render_supercut(
            cut_list,
            tmp_path / "out.mp4",
            program=program,
            identify=lambda path: ids[str(path)],
            on_progress=seen.append,
        )
    message = str(caught.value)
    assert all(
        words in message for words in (f"{gone} is missing", f"{changed} has changed", f"{broken} cannot be read")
    )
    assert {RenderStage.PREFLIGHT} == {progress.stage for progress in seen}
    assert not (tmp_path / "out.mp4").exists()
    assert [] == leftovers(tmp_path)


def test_skipped_clips_are_named_in_report_and_ledger(tmp_path: Path, program: Ffmpeg) -> None:
    """With leave to skip, the rest is rendered, and report and ledger say what is not in it and why."""
    good, gone = (CountedVideo(f"{name}.mp4", n_frames=10).write(tmp_path, program) for name in ("good", "gone"))
    cut_list, _ = cut([(gone, 2, 8), (good, 2, 8)])
    gone.unlink()
    report = render_supercut(
        cut_list,
        tmp_path / "out.mp4",
        profile=SMALL,
        program=program,
        skip_missing=True,
        provenance={"query": "counted", "space": "demo-1", "generation": 3},
    )
    assert [ClipStatus.SKIPPED, ClipStatus.DONE] == [clip.status for clip in report.clips]
    assert [list(range(2, 8))] == numbers_in(report)
    ledger = json.loads(report.ledger.read_text())
    assert ("counted", "demo-1", 3) == (ledger["query"], ledger["space"], ledger["generation"])
    assert [("skipped", "is missing"), ("done", "")] == [(c["outcome"], c["reason"]) for c in ledger["clips"]]
    done = ledger["clips"][1]
    assert ("2/25", "8/25", 6) == (done["in"]["exact"], done["out"]["exact"], done["n_frames"])
    assert ("2/25", "7/25") == (done["first_shown"]["exact"], done["last_shown"]["exact"])
    assert done["verification"]["exact"] is True
    assert "1/1 cuts exact" == ledger["verification"]


def test_moved_source_is_found_at_its_other_place(tmp_path: Path, program: Ffmpeg) -> None:
    """Where the same content was seen twice, the copy stands in for the file that is gone."""
    path = CountedVideo("first.mp4", n_frames=10).write(tmp_path, program)
    copy = path.with_name("copy.mp4")
    row, times = row_of(path)
    path.rename(copy)
    videos = {row.video_id: VideoRow(row.video_id, row.path, False, (str(copy),), row.facts, 1, {})}
    cut_list = build_cut_list([hit_of(row, TimeSpan(times[1], times[4]), 1)], videos)
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)
    assert copy == report.done[0].source


def test_cancelled_render_leaves_nothing(tmp_path: Path, program: Ffmpeg) -> None:
    """A render that is cancelled while it encodes stops soon and leaves neither the file nor a trace."""
    path = CountedVideo("long.mp4", n_frames=300).write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 300)])
    stop = threading.Event()

    def stop_in_clips(progress: RenderProgress) -> None:
        if progress.stage is RenderStage.CLIPS:
            stop.set()

    with pytest.raises(RenderError, match="cancelled"):
        render_supercut(cut_list, tmp_path / "out.mp4", program=program, on_progress=stop_in_clips, cancel=stop)
    assert ["long.mp4"] == sorted(entry.name for entry in tmp_path.iterdir())


def test_a_card_is_cancelled_as_soon_as_a_clip(tmp_path: Path) -> None:
    """Progress goes on while a long card is encoded, and a cancel does not wait for its end."""
    finished: list[RenderStage] = []
    stage, stop = RenderStage.PREFLIGHT, threading.Event()

    class Listed(Ffmpeg):
        def run(self, output: object, **options: Any) -> None:
            super().run(output, **options)
            finished.append(stage)

    def stop_in_card(progress: RenderProgress) -> None:
        nonlocal stage
        if progress.stage is stage is RenderStage.CLIPS:
            stop.set()
        stage = progress.stage

    program = Listed(find_ffmpeg().program)
    cut_list, _ = cut([(CountedVideo("source.mp4").write(tmp_path, program), 0, 10)])
    how: dict[str, Any] = {
        "profile": Profile(1280, 720, Fraction(25)),
        "film": FilmOptions(title="x", card_seconds=60),
    }
    with pytest.raises(RenderError, match="cancelled"):
        render_supercut(
            cut_list, tmp_path / "out.mp4", program=program, on_progress=stop_in_card, cancel=stop, **how
        )
    assert RenderStage.CLIPS not in finished


def test_targets_that_must_not_be_written_are_refused(tmp_path: Path, program: Ffmpeg) -> None:
    """A folder, a file that exists, a source by any of its names, an unknown ending: each is refused untouched."""
    path = CountedVideo("source.mp4", n_frames=10).write(tmp_path, program)
    cut_list, _ = cut([(path, 2, 8)])
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "exists.mp4").write_bytes(b"mine")
    (tmp_path / "soft.mp4").symlink_to(path)
    (tmp_path / "hard.mp4").hardlink_to(path)
    before = path.read_bytes()
    for name, reason, overwrite in (
        ("folder.mp4", "is a folder", True),
        ("exists.mp4", "exists already", False),
        ("source.mp4", "one of the sources", True),
        ("soft.mp4", "one of the sources", True),
        ("hard.mp4", "one of the sources", True),
        ("out.exe", "ending", True),
        ("nowhere/out.mp4", "no folder", True),
    ):
        with pytest.raises(RenderError, match=reason):
            render_supercut(cut_list, tmp_path / name, program=program, overwrite=overwrite)
    assert (before, b"mine") == (path.read_bytes(), (tmp_path / "exists.mp4").read_bytes())


@pytest.mark.parametrize(("fails", "is_new"), [("out.mp4", False), ("out.mp4.json", True)])
def test_no_film_has_the_ledger_of_another(
    fails: str, is_new: bool, tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails as files get their names, both are the old ones, or the film is new and alone."""
    path = CountedVideo("source.mp4", n_frames=20).write(tmp_path, program)
    target, ledger = tmp_path / "out.mp4", tmp_path / "out.mp4.json"
    render_supercut(cut([(path, 2, 8)])[0], target, program=program, verify=False)
    old = (target.read_bytes(), ledger.read_bytes())
    rename = Path.replace

    def fail_at_one(self: Path, to: Path) -> Path:
        if to.name == fails and self.name != "replaced.json":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "replace", fail_at_one)
    with pytest.raises(RenderError, match="is made, but not all" if is_new else "cannot render"):
        render_supercut(cut([(path, 9, 15)])[0], target, program=program, overwrite=True, verify=False)
    assert is_new == (target.read_bytes() != old[0])
    assert (None if is_new else old[1]) == (ledger.read_bytes() if ledger.exists() else None)


def test_progress_only_goes_forward_to_the_end(tmp_path: Path, program: Ffmpeg) -> None:
    """Progress passes through all stages in order and never goes back."""
    path = CountedVideo("watched.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 20), (path, 20, 50)])
    seen: list[RenderProgress] = []
    render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program, on_progress=seen.append)
    assert list(RenderStage) == list(dict.fromkeys(progress.stage for progress in seen))
    assert sorted(progress.fraction for progress in seen) == [progress.fraction for progress in seen]
    assert seen[-1].fraction == pytest.approx(1.0)

"""A poster shows exactly the frame that was asked for, or the sharpest of the best clip."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.exports import poster
from search_app.exports.poster import Poster, check_poster, sharpest_frame, write_poster
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition
from store.errors import ArchiveError
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, read_number, row_of

NTSC = Fraction(30_000, 1001)
SHAPE = Profile(128, 96, NTSC, preset="ultrafast")


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def cut_list(tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> CutList:
    """Three clips of a video whose frames bear numbers: 0 to 19, 30 to 49 and 60 to 79; the second is the best."""
    path = CountedVideo("source.mp4", rate=NTSC, n_frames=90).write(tmp_path_factory.mktemp("s"), program)
    row, times = row_of(path)
    hits = [hit_of(row, TimeSpan(times[30 * n], times[30 * n + 20]), n + 1) for n in range(3)]
    hits[1] = replace(hits[1], score=9.0)
    return build_cut_list(hits, {row.video_id: row})


def render(cut_list: CutList, target: Path, program: Ffmpeg, film: FilmOptions | None = None) -> SupercutReport:
    """Small and quick."""
    return render_supercut(cut_list, target, profile=SHAPE, film=film, program=program, verify=False)


def number_in(picture: Path) -> int | None:
    """The number that a picture shows, which has the size of the film."""
    with Image.open(picture) as opened:
        assert (128, 96) == opened.size
        return read_number(np.asarray(opened.convert("L")))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_a_poster_shows_the_frame_asked_for(
    ending: str, cut_list: CutList, tmp_path: Path, program: Ffmpeg
) -> None:
    """By seconds and by timecode, at the first frame, inside and at the last; nothing past the end."""
    report = render(cut_list, tmp_path / f"film.{ending}", program)
    for at, frame, number in (
        ("0", 0, 0),
        ("00:00:00:21", 21, 31),
        ("00:00:00;21", 21, 31),
        ("1.0", 29, 39),
        ("00:00:01:29", 59, 79),
    ):
        picture = tmp_path / f"{frame}-{len(at)}.png"
        assert frame == write_poster(Poster(picture, at), report, program)
        assert number == number_in(picture)
    with pytest.raises(ArchiveError, match=r"past its end, 2\.00 s"):
        write_poster(Poster(tmp_path / "late.png", "2.1"), report, program)
    assert not (tmp_path / "late.png").exists()


def test_without_a_time_it_is_of_the_best_clip(cut_list: CutList, tmp_path: Path, program: Ffmpeg) -> None:
    """Its sharpest frame where no neighbour is seen through it, behind a card, as JPEG."""
    film = FilmOptions(Transition.DISSOLVE, 0.2, title="Title", card_seconds=0.5)
    report = render(cut_list, tmp_path / "film.mp4", program, film)
    best = report.done[1]
    assert (6, 6) == (best.n_blended_first, best.n_blended_last)
    frame = write_poster(Poster(tmp_path / "poster.jpg"), report, program)
    assert best.first_frame is not None
    assert best.first_frame + 6 <= frame < best.first_frame + best.n_frames - 6
    assert 30 + frame - best.first_frame == number_in(tmp_path / "poster.jpg")


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("best", range(3))
def test_no_frame_of_another_clip_is_looked_at(
    best: int, ending: str, cut_list: CutList, tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If every frame were sharper than the one before, it would be the last clear one of the best clip."""
    report = render(cut_list, tmp_path / f"film.{ending}", program, FilmOptions(Transition.DISSOLVE, 0.2))
    count = iter(range(1000))
    monkeypatch.setattr(poster, "_edge_strength", lambda _: next(count))
    hits = [replace(one.clip.hits[0], score=float(place == best)) for place, one in enumerate(report.done)]
    clips = [replace(one, clip=replace(one.clip, hits=(hit,))) for one, hit in zip(report.done, hits, strict=True)]
    first, n_blended = clips[best].first_frame, clips[best].n_blended_last
    assert first is not None
    assert first + 20 - n_blended - 1 == sharpest_frame(replace(report, clips=tuple(clips)), program)


def test_the_sharpest_frame_wins(tmp_path: Path, program: Ffmpeg) -> None:
    """No other frame of the clip has stronger edges."""
    path = CountedVideo("counted.mp4", n_frames=31).write(tmp_path, program)
    row, times = row_of(path)
    cut_list = build_cut_list([hit_of(row, TimeSpan(times[0], times[30]), 1)], {row.video_id: row})
    report = render_supercut(cut_list, tmp_path / "film.mp4", program=program, verify=False)
    strengths = {}
    for frame in (*range(0, 30, 7), write_poster(Poster(tmp_path / "best.png"), report, program)):
        write_poster(Poster(tmp_path / "one.png", f"{frame}/25"), report, program)
        with Image.open(tmp_path / "one.png") as opened:
            light = np.asarray(opened.convert("L"), np.float32)
        strengths[frame] = float((np.diff(light, axis=0) ** 2).mean() + (np.diff(light, axis=1) ** 2).mean())
    assert list(strengths)[-1] == max(strengths, key=lambda frame: strengths[frame])


def test_what_cannot_be_a_poster_is_refused_before(cut_list: CutList, tmp_path: Path) -> None:
    """Other endings, no time, past the end, sound alone, and names that belong to something."""
    (tmp_path / "there.png").write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    source = Path(cut_list.clips[0].paths[0])
    (tmp_path / "source.png").symlink_to(source)
    sound = replace(SHAPE, codec=Codec.SOUND)
    for name, at, shape, words in (
        ("a.gif", None, SHAPE, r"endings \.jpg"),
        ("a.png", "soon", SHAPE, "give a timecode"),
        ("a.png", "-1", SHAPE, "give a timecode"),
        ("a.png", "00:00:99:00", SHAPE, "there is no timecode"),
        ("a.png", "5", SHAPE, r"past the end of the film, which will last 2\.00 s"),
        ("a.png", None, sound, "sound alone has no pictures"),
        ("there.png", None, SHAPE, "exists already"),
        ("folder.png", None, SHAPE, "is a folder"),
        ("source.png", None, SHAPE, "is one of the sources"),
        ("none/a.png", None, SHAPE, "there is no folder"),
    ):
        with pytest.raises(ArchiveError, match=words):
            check_poster(Poster(tmp_path / name, at), cut_list, tmp_path / "film.mp4", shape, 60, overwrite=False)
    check_poster(Poster(tmp_path / "there.png"), cut_list, tmp_path / "film.mp4", SHAPE, 60, overwrite=True)

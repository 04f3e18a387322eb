"""Text over pictures: drawn as it is written, never read as anything else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.conforming.target_profile import Profile
from search_app.cutting.clip_texts import ClipText, Speech
from search_app.cutting.cut_list import CutList, build_cut_list
from search_app.errors import RenderError
from search_app.rendering.film_options import FilmOptions, LowerThird, Subtitles
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, row_of

SHAPE = Profile(320, 180, Fraction(25), preset="ultrafast")
HOSTILE = {
    "quotes": 'it\'s "quoted" `so`',
    "filter": "a:b\\c%{pts}%{eif\\:n\\:d};[in]split[x],drawtext=text=y",
    "lines": "one\n\ntwo\r\tthree",
    "right to left": "שלום (עולם) 123",
    "emoji": "😀 ok",
    "option": "-y -i /dev/zero",
    "long": "word " * 2000,
}


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> CutList:
    """Two clips of ten frames."""
    path = CountedVideo("source.mp4", n_frames=30, size=(320, 180)).write(tmp_path_factory.mktemp("s"), program)
    row, times = row_of(path)
    hits = [hit_of(row, TimeSpan(times[15 * n], times[15 * n + 10]), n + 1) for n in range(2)]
    return build_cut_list(hits, {row.video_id: row})


def render(
    cut_list: CutList, target: Path, program: Ffmpeg, film: FilmOptions, *texts: ClipText
) -> SupercutReport:
    """Small and quick."""
    return render_supercut(cut_list, target, profile=SHAPE, film=film, texts=texts, program=program)


def greys(path: Path) -> NDArray[np.int16]:
    """(n_frames, height, width): the luma of every frame."""
    with av.open(f"file:{path}") as container:
        return np.array([frame.to_ndarray(format="gray") for frame in container.decode(video=0)]).astype(np.int16)


@pytest.fixture(scope="module")
def plain(clips: CutList, tmp_path_factory: pytest.TempPathFactory, program: Ffmpeg) -> NDArray[np.int16]:
    """The same film without anything over it."""
    return greys(render(clips, tmp_path_factory.mktemp("plain") / "out.mp4", program, FilmOptions()).output)


@pytest.mark.parametrize("name", HOSTILE)
def test_difficult_texts_are_only_drawn(
    name: str, clips: CutList, plain: NDArray[np.int16], tmp_path: Path, program: Ffmpeg
) -> None:
    """Whatever a caption says, the lower left differs and nothing else does; length and cuts are exact."""
    film = FilmOptions(lower_third=LowerThird.CAPTION)
    report = render(clips, tmp_path / "out.mp4", program, film, ClipText(HOSTILE[name]), ClipText())
    changed = np.abs(greys(report.output) - plain) > 40
    assert (20, "2/2 cuts exact") == (report.n_frames, report.verification_line())
    assert changed[:10, 120:, :160].mean() > 0.02
    assert changed[:10, :100].mean() < 0.005
    assert changed[10:].mean() < 0.005
    assert (name == "long") == ("cut short" in "".join(report.done[0].warnings))


def test_cards_watermark_and_marks_lie_where_they_belong(
    clips: CutList, plain: NDArray[np.int16], tmp_path: Path, program: Ffmpeg
) -> None:
    """Cards are pieces of their own; a picture lies at the upper right of all clips, a mark is text on its own."""
    mark = tmp_path / "it's a %d [logo].png"
    Image.new("RGBA", (40, 20), (255, 0, 0, 255)).save(mark)
    film = FilmOptions(title="Title: 100%", end_card="End", card_seconds=0.2, watermark=str(mark))
    report = render(clips, tmp_path / "out.mp4", program, film, ClipText(), ClipText(mark="AGENCY.png"))
    seen = greys(report.output)
    assert (30, [5, 15]) == (report.n_frames, [clip.first_frame for clip in report.done])
    assert "2/2 cuts exact" == report.verification_line()
    assert seen[2].max() > 200
    assert seen[2, :30].max() < 20
    changed = np.abs(seen[5:25] - plain) > 40
    assert changed[:, 5:40, 240:].mean() > 0.01
    assert changed[:10, 70:110, 200:].mean() < 0.01 < changed[10:, 70:110, 200:].mean()
    with av.open(str(report.output)) as container:
        assert "Title: 100%" == container.metadata["title"]


def test_subtitles_are_burnt_in_while_they_are_said(
    clips: CutList, plain: NDArray[np.int16], tmp_path: Path, program: Ffmpeg
) -> None:
    """A line is seen from its first frame to its last one and not outside."""
    said = ClipText(speech=(Speech(Fraction(3, 25), Fraction(6, 25), "said\nnow"),))
    film = FilmOptions(subtitles=Subtitles.BURN)
    report = render(clips, tmp_path / "out.mp4", program, film, said, ClipText())
    changed = (np.abs(greys(report.output) - plain) > 60)[:, 140:].mean(axis=(1, 2)) > 0.005
    assert [3, 4, 5] == np.flatnonzero(changed).tolist()


def test_subtitles_beside_the_film_are_on_its_clock(clips: CutList, tmp_path: Path, program: Ffmpeg) -> None:
    """The second clip's words come after the first clip and the card; the film itself is not touched."""
    said = ClipText(speech=(Speech(Fraction(1, 25), Fraction(10, 25), "one\n\n2\n00:00 --> 00:01"),))
    film = FilmOptions(subtitles=Subtitles.BESIDE, title="T", card_seconds=0.4)
    report = render(clips, tmp_path / "out.mp4", program, film, ClipText(), said)
    expected = "1\n00:00:00,840 --> 00:00:01,200\none 2 00:00 --> 00:01\n"
    assert expected == report.output.with_suffix(".srt").read_text()
    with pytest.raises(RenderError, match="exists already"):
        render(clips, tmp_path / "out.mkv", program, film, ClipText(), said)


def test_subtitles_of_a_film_that_is_replaced_go_with_it(clips: CutList, tmp_path: Path, program: Ffmpeg) -> None:
    """Those that we wrote are removed; a file that somebody else put there stays, and that is said."""
    target, subtitles = tmp_path / "out.mp4", tmp_path / "out.srt"
    said = ClipText(speech=(Speech(Fraction(0), Fraction(6, 25), "old"),))
    render(clips, target, program, FilmOptions(subtitles=Subtitles.BESIDE), said, ClipText())
    assert subtitles.exists()
    replaced = render_supercut(clips, target, profile=SHAPE, program=program, overwrite=True, verify=False)
    assert (False, "") == (subtitles.exists(), replaced.note)
    subtitles.write_text("somebody's")
    replaced = render_supercut(clips, target, profile=SHAPE, program=program, overwrite=True, verify=False)
    assert "somebody's" == subtitles.read_text()
    assert "out.srt is not of this film" in replaced.summary()


def test_chapters_say_what_each_clip_shows(clips: CutList, tmp_path: Path, program: Ffmpeg) -> None:
    """Every container keeps them, and what would end a line or begin a comment is only text."""
    texts = (ClipText("a;b=c#d\\e\n[CHAPTER]"), ClipText())
    for ending in ("mp4", "mov", "mkv"):
        report = render(clips, tmp_path / f"out.{ending}", program, FilmOptions(chapters=True), *texts)
        container: Any
        with av.open(str(report.output)) as container:
            found = [
                (float(one["start"] * one["time_base"]), one["metadata"]["title"]) for one in container.chapters()
            ]
        assert [(0.0, "a;b=c#d\\e [CHAPTER]"), (0.4, "source.mp4")] == found


def test_what_cannot_be_drawn_is_refused_before_anything_is_rendered(
    clips: CutList, tmp_path: Path, program: Ffmpeg
) -> None:
    """Characters that no font has, nothing at all, too much, and a watermark that is no picture."""
    fake = tmp_path / "fake.png"
    fake.write_text("#EXTM3U")
    for film, reason in (
        (FilmOptions(title="bell \x07"), r"--title says: \? \(U\+0007\)"),
        (FilmOptions(end_card=" \n "), "--end-card is empty"),
        (FilmOptions(title="word " * 2000), "10000 characters"),
        (FilmOptions(watermark=str(fake)), "cannot read the watermark"),
        (FilmOptions(watermark=str(tmp_path / "gone.png")), "cannot read the watermark"),
        (FilmOptions(subtitles=Subtitles.BESIDE), "no transcript"),
        (FilmOptions(lower_third=LowerThird.CAPTION), "no caption"),
    ):
        with pytest.raises(RenderError, match=reason):
            render(clips, tmp_path / "out.mp4", program, film)
    assert ["fake.png"] == [path.name for path in tmp_path.iterdir()]

"""`rushes label` on drawn films whose every second is known: labels, intervals, shares, storage, bad input."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indexer.config import IndexSettings
from indexer.demo.drawing import draw_scene
from indexer.demo.world import Group, Scene
from indexer.media.writer import VideoFormat, write_video
from indexer.models.open_clip_encoder import load_encoder
from indexer.pipeline import index_videos
from search_app.cli import main
from search_app.search.search import search
from store.archive import Archive

RATE = 12
BOAT, BUS, CASTLE = (
    Scene(Group("boat", "red"), "sea"),
    Scene(Group("bus", "yellow"), "city"),
    Scene(Group("castle", "pink"), "mountains", "dusk"),
)
SHOTS = ((BOAT, 7 * RATE), (BUS, 4 * RATE), (CASTLE, 6 * RATE))
TRUTH = (("boat", 7), ("bus", 4), ("castle", 6))
PROMPTS = "boat,bus,castle,dog"
FIRST_FRAME = 18
FORM = VideoFormat("libx264", RATE, options={"preset": "ultrafast", "g": "12"})


def draw(path: Path, shots: Sequence[tuple[Scene, int]], *, first: int = 0, is_variable: bool = False) -> None:
    """A film of shots; at a variable rate two of three frames of every second half are missing."""
    numbers, at = [], first
    for number, (scene, n_frames) in enumerate(shots):
        for frame in range(n_frames):
            is_kept = not is_variable or frame < n_frames // 2 or frame % 3 == 0 or frame == n_frames - 1
            if is_kept:
                numbers.append((at + frame, draw_scene(scene, 192, 108, frame / RATE, seed=number)))
        at += n_frames
    write_video(path, numbers, FORM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three films: plain, of variable rate, and one whose pictures begin 1.5 s after its sound."""
    folder = tmp_path_factory.mktemp("label")
    films = folder / "films"
    films.mkdir()
    draw(films / "plain.mp4", SHOTS)
    draw(films / "variable.mkv", SHOTS, is_variable=True)
    draw(films / "offset.mkv", SHOTS, first=FIRST_FRAME)
    encoder = load_encoder("demo")
    with Archive.create(folder / "archive") as archive:
        archive.claim_space(encoder.space, source="demo")
        outcomes = list(index_videos(archive, [films], encoder, IndexSettings(), lambda _: None))
    assert ["indexed"] * 3 == [one.status.value for one in outcomes]
    return folder


@pytest.fixture
def archive(folder: Path) -> Iterator[Archive]:
    with Archive.open(folder / "archive") as opened:
        yield opened


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["label", *map(str, arguments)])


def run_json(*arguments: str | Path) -> dict[str, dict[str, Any]]:
    """The answer by file name."""
    found = run(*arguments, "--json")
    assert 0 == found.exit_code, found.output
    return {Path(one["video"]).name: one for one in json.loads(found.stdout)}


def true_intervals(start: Fraction, length: int) -> list[tuple[float, float, str]]:
    """Borders and the label that holds longest, counted frame by frame."""
    spans: list[tuple[Fraction, Fraction, str]] = []
    at = start
    for label, seconds in TRUTH:
        spans.append((at, at + seconds, label))
        at += seconds
    found: list[tuple[float, float, str]] = []
    begin = start
    while begin < at:
        end = min(Fraction((begin // length + 1) * length), at)
        held = {label: float(min(b, end) - max(a, begin)) for a, b, label in spans}
        found.append((float(begin), float(end), max(held, key=lambda one: held[one])))
        begin = end
    return found


@pytest.mark.parametrize(
    ("name", "start"), [("plain.mp4", 0), ("variable.mkv", 0), ("offset.mkv", Fraction(3, 2))]
)
def test_intervals_and_shares_are_true(folder: Path, name: str, start: Fraction) -> None:
    """Each interval has the label that holds longest, and shares are those of seconds, at any rate and offset."""
    found = run_json(folder / "archive", "--prompts", PROMPTS, "--no-store")[name]
    intervals = [(one["start_seconds"], one["end_seconds"], one["label"]) for one in found["intervals"]]
    expected = true_intervals(Fraction(start), 5)
    assert [label for *_, label in expected] == [label for *_, label in intervals]
    for true, seen in zip(expected, intervals, strict=True):
        assert true[:2] == pytest.approx(seen[:2], abs=1 / RATE)
    assert {label: pytest.approx(seconds / 17, abs=0.01) for label, seconds in TRUTH} == found["shares"]
    held = {label: sum(one["seconds"].get(label, 0) for one in found["intervals"]) for label, _ in TRUTH}
    assert {label: pytest.approx(seconds, abs=2 / RATE) for label, seconds in TRUTH} == held


def test_what_no_prompt_names_is_something_else(folder: Path) -> None:
    """A shot of a castle is none of what is asked for, and no label is forced on it."""
    found = run_json(folder / "archive", "plain.mp4", "--prompts", "boat,bus", "--no-store")["plain.mp4"]
    assert pytest.approx(6 / 17, abs=0.01) == found["shares"]["something else"]
    assert "something else" == found["intervals"][-1]["label"]


def test_several_labels_hold_at_once(folder: Path) -> None:
    """With --several a frame has all labels that fit: the boat and the sea."""
    found = run_json(
        folder / "archive", "plain.mp4", "--prompts", "boat,the sea,castle,dog", "--several", "--no-store"
    )["plain.mp4"]
    assert pytest.approx(7 / 17, abs=0.01) == found["shares"]["boat"]
    assert pytest.approx(7 / 17, abs=0.01) == found["shares"]["the sea"]
    assert "dog" not in found["shares"]


def test_csv_and_table_say_the_same(folder: Path) -> None:
    """CSV has one row for each interval, with exact seconds; the table has the shares."""
    found = run(folder / "archive", "plain.mp4", "--prompts", PROMPTS, "--no-store", "--csv")
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert ["boat", "bus", "castle", "castle"] == [row["label"] for row in rows]
    assert ["0.000000", "5.000000", "10.000000", "15.000000"] == [row["start_seconds"] for row in rows]
    table = run(folder / "archive", "--prompts", PROMPTS, "--no-store").stdout
    assert "plain.mp4" in table and "41.2%" in table and "all 3 videos" in table


def test_labels_of_intervals_are_stored_and_searched(folder: Path, archive: Archive) -> None:
    """They are live at once, and `label:bus` finds the shot of the bus alone; the video files are not needed."""
    assert not archive.snapshot().text_counts().get("label")
    films = folder / "films"
    films.rename(folder / "away")
    try:
        run_json(folder / "archive", "plain.mp4", "--prompts", PROMPTS, "--interval", "1s")
    finally:
        (folder / "away").rename(films)
    hits = search(archive, "label:bus").hits
    assert [1] == [hit.shot.shot.ordinal for hit in hits]
    rows = archive.snapshot().stage_rows(hits[0].shot.video_id, "label")
    assert 17 == len(rows)
    assert {"boat", "bus", "castle"} == {row.row.text for row in rows}
    assert all(row.row.score is not None and 0 < row.row.score <= 1 for row in rows)


def test_a_file_in_no_archive_is_labelled(folder: Path) -> None:
    """One video file alone is indexed into a folder that goes away."""
    found = run_json(folder / "films" / "plain.mp4", "--prompts", PROMPTS, "--model", "demo")["plain.mp4"]
    assert pytest.approx(7 / 17, abs=0.01) == found["shares"]["boat"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prompts", ""], "no label is named"),
        (["--prompts", " , ,"], "no label is named"),
        (["--prompts", "a", "--interval", "0s"], "longer than 0 s"),
        (["--prompts", "a", "--interval", "soon"], "is no time"),
        (["--prompts", "x" * 400], "at most 300 characters"),
        (["--prompts", "a", "--json", "--csv"], "not both"),
        (["--prompts", "a", "--model", "demo"], "has its own encoder"),
    ],
)
def test_bad_input_gives_one_line(folder: Path, arguments: list[str], said: str) -> None:
    """Exit status 2, and one line that says what is wrong."""
    found = run(folder / "archive", *arguments)
    assert 2 == found.exit_code
    assert said in found.output
    assert 1 == len(found.output.strip().splitlines())


def test_prompts_may_be_many_and_doubled(folder: Path, tmp_path: Path) -> None:
    """Of 10,000 labels with duplicates each counts once, and the right one is found."""
    path = tmp_path / "labels.txt"
    lines = ["# mine", "boat", "Boat ", "bus", "castle", *(f"zxqv{i}" for i in range(10_000))]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = run_json(folder / "archive", "plain.mp4", "--prompts-file", path, "--no-store")["plain.mp4"]
    assert {"boat", "bus", "castle"} >= {one["label"] for one in found["intervals"]}

"""`rushes rules check`, `anomalies`, `highlights` and `recommend` on an archive whose shots are known."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from search_app.cli import main
from search_app.cutting.stored_cut import read_cut
from search_app.search.decisions import judge
from store.archive import Archive
from tests.fixtures.understood import KnownFilm, make_known_archive, put_rows, row

RULES = """
[[rule]]
name = "Technology"
when = { label = "computer", min_score = 0.3 }
over = "10 %"
then = { tag = "Technology" }
videos = ["office*"]

[[rule]]
name = "Watershed"
when = { label = ["gun", "fight"], min_score = 0.5 }
over = "2 s"
then = { rating = "16", hours = "21:00-06:00" }

[[rule]]
name = "Restricted area"
when = { object = "person", inside = [0.5, 0.0, 0.5, 1.0] }
then = { flag = "restricted area entered" }
videos = ["gate*"]
"""
OFFICE = KnownFilm(
    "office.mp4",
    ["red", "red", "green", "red"],
    texts={"label": [row(0, 10, "computer", 0.9), row(20, 30, "plant", 0.9)]},
)
FIGHT = KnownFilm("fight.mp4", ["red", "red green"], texts={"label": [row(10, 13, "fight", 0.7)]})
GATE = KnownFilm(
    "gate.mp4",
    ["red", "red", "purple"],
    texts={
        "label": [],
        "object": [
            row(2, 4, "person", 0.9, box=(0.1, 0.2, 0.1, 0.6)),
            row(12, 14, "person", 0.9, box=(0.7, 0.2, 0.1, 0.6)),
        ],
    },
)
NEW = KnownFilm("new.mp4", ["red", "green green yellow", "black"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of four films, one of which no stage has met yet."""
    folder = tmp_path_factory.mktemp("known") / "archive"
    make_known_archive(folder, [OFFICE, FIGHT, GATE, NEW]).close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, and the rules beside it."""
    shutil.copytree(made, tmp_path / "archive")
    (tmp_path / "rules.toml").write_text(RULES)
    return tmp_path


def rushes(*words: object) -> Result:
    """A command, run in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def decisions(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    """Decisions by rule and name of the video."""
    return {(one["rule"], Path(one["video"]).name): one for one in json.loads(result.stdout)}


def test_rules_check_says_what_holds_and_by_which_shots(folder: Path) -> None:
    """The three worked examples; what no stage has met is not decided, and the status says so."""
    result = rushes("rules", "check", folder / "archive", "--rules", folder / "rules.toml", "--json")
    found = decisions(result)
    assert {
        ("Technology", "office.mp4"): "holds",
        ("Watershed", "office.mp4"): "does not hold",
        ("Watershed", "fight.mp4"): "holds",
        ("Watershed", "gate.mp4"): "does not hold",
        ("Watershed", "new.mp4"): "not decided",
        ("Restricted area", "gate.mp4"): "holds",
    } == {key: one["verdict"] for key, one in found.items()}
    assert 0.25 == found["Technology", "office.mp4"]["share"]
    (shot,) = found["Restricted area", "gate.mp4"]["shots"]
    assert (12.0, 14.0, ["person 0.90"]) == (shot["start_seconds"], shot["end_seconds"], shot["found"])
    refused = {key for key, one in found.items() if one["is_refused"]}
    assert {("Restricted area", "gate.mp4")} == refused
    assert "Watershed: not decided: no labels for 1 video\n" == result.stderr
    assert 1 == result.exit_code


def test_rules_check_for_people_and_for_a_time_of_day(folder: Path) -> None:
    """Before the watershed a video is refused, after it is not; a clean check ends with 0."""
    check = ("rules", "check", folder / "archive", "fight.mp4", "--rules", folder / "rules.toml")
    early, late = rushes(*check, "--at", "20:15"), rushes(*check, "--at", "21:00")
    assert (1, 0) == (early.exit_code, late.exit_code)
    lines = early.stdout.splitlines()
    assert lines[0] == (
        "holds: Watershed: fight.mp4: 3.0 s of 20.0 s (15.0 %), over 2 s -> rating 16, hours 21:00-06:00 [refused]"
    )
    assert "0:10.0 to 0:13.0  shot 2" in lines[1]
    assert lines[1].endswith("fight 0.70")
    assert "[refused]" not in late.stdout
    assert 2 == rushes(*check, "--at", "noon").exit_code


def test_rules_of_an_unknown_key_or_no_file_are_one_line(folder: Path) -> None:
    """Status 2, the file and the way out."""
    (folder / "bad.toml").write_text("[[rule]]\nname='a'\nwhen={lable='x'}\nthen={tag='t'}\n")
    bad = rushes("rules", "check", folder / "archive", "--rules", folder / "bad.toml")
    assert (2, 1) == (bad.exit_code, len(bad.stderr.splitlines()))
    assert "did you mean 'rule.when.label'" in bad.stderr
    assert 2 == rushes("rules", "check", folder / "archive", "--rules", folder / "none.toml").exit_code


def test_the_odd_shot_is_the_anomaly(folder: Path) -> None:
    """Purple and black are alone among red and green."""
    result = rushes("anomalies", folder / "archive", "--all", "--neighbours", 2, "--json")
    found = json.loads(result.stdout)
    odd = [(Path(one["video"]).name, one["start_seconds"]) for one in found[:2]]
    assert {("gate.mp4", 20.0), ("new.mp4", 20.0)} == set(odd)
    assert 12 == len(found)
    assert [one["distance"] for one in found] == sorted((one["distance"] for one in found), reverse=True)
    table = rushes("anomalies", folder / "archive", "--neighbours", 2)
    assert 0 == table.exit_code
    assert "gate.mp4" in table.stdout
    assert 2 == rushes("anomalies", folder / "archive", "fight.mp4").exit_code


def test_highlights_fill_the_time_with_different_shots_and_become_a_cut_list(folder: Path) -> None:
    """Each colour once before any twice, nothing over the length, no technical picture."""
    with Archive.open(folder / "archive") as opened:
        put_rows(opened, NEW, "cue", [row(20, 30, "black")])
        opened.publish()
    words = ("highlights", folder / "archive", "--seconds", 9, "--max-clip", 3, "--cut", "best")
    result = rushes(*words, "--json")
    assert 0 == result.exit_code, result.stderr
    told = json.loads(result.stdout)
    assert 9 == pytest.approx(told["seconds"], abs=0.1)
    shown = {(Path(one["video"]).name, one["start_seconds"]) for one in told["clips"]}
    assert ("gate.mp4", 20.0) in shown
    assert ("new.mp4", 20.0) not in shown
    with Archive.open(folder / "archive") as opened:
        cut = read_cut(opened.snapshot(), "best")
    assert len(told["clips"]) == len(cut.clips)
    assert sum(clip.span.duration for clip in cut.clips) <= Fraction(9)
    taken = rushes(*words)
    assert (2, True) == (taken.exit_code, "already" in taken.stderr)


def test_recommendations_are_unseen_and_near_what_was_kept(folder: Path) -> None:
    """Green was kept and red rejected: the other green shots are named, and nothing red."""
    empty = rushes("recommend", folder / "archive")
    assert (2, True) == (empty.exit_code, "nothing was kept yet" in empty.stderr)
    with Archive.open(folder / "archive") as opened:
        shots = {(Path(shot.path).name, shot.shot.ordinal): shot.shot_id for shot in opened.snapshot().shots()}
        judge(opened, "grass", [shots["office.mp4", 2]], "keep")
        judge(opened, "grass", [shots["office.mp4", 0], shots["fight.mp4", 1]], "reject")
        opened.publish()
    result = rushes("recommend", folder / "archive", "--limit", 1, "--json")
    (found,) = json.loads(result.stdout)
    assert (shots["new.mp4", 1], shots["office.mp4", 2]) == (found["shot_id"], found["near"]["shot_id"])
    assert "new.mp4" in rushes("recommend", folder / "archive").stdout

"""`rushes cut` and `rushes rights` as an editor uses them, on a small indexed archive."""

from __future__ import annotations

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner

from indexer.demo.world import Group, Scene
from search_app.cli import main
from tests.e2e.small_archive import SHOT_FRAMES, draw_library, draw_many, index_library

pytestmark = pytest.mark.slow

QUERY = "a red boat on the sea"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an indexed archive: two videos with two shots of 18 frames each."""
    made = tmp_path_factory.mktemp("cuts")
    draw_library(made / "library")
    index_library(made / "archive", made / "library")
    return made


@pytest.fixture
def archive(drawn: Path, tmp_path: Path) -> Path:
    """A copy of that archive with a cut list of all four shots."""
    shutil.copytree(drawn / "archive", tmp_path / "archive")
    rushes("cut", "new", tmp_path / "archive", "boats", QUERY, "--limit", "4", "--nearest")
    return tmp_path / "archive"


def rushes(*arguments: str | Path, status: int = 0) -> str:
    """What a command says."""
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


def show(archive: Path) -> Any:
    """The cut list as plain data."""
    return json.loads(rushes("cut", "show", archive, "boats", "--json"))


def test_edits_are_versions_that_undo_takes_back(archive: Path) -> None:
    """Trim, split, move, note, accept: each is undone to the very clips before, and redone."""
    states = [show(archive)["clips"]]
    for edit in (
        ["trim", "1", "--in", "+3f", "--out", "-2f"],
        ["split", "2", "+6f"],
        ["move", "last", "1"],
        ["note", "2-3", "the best"],
        ["accept", "1"],
        ["reject", "4"],
        ["order", "source"],
    ):
        rushes("cut", edit[0], archive, "boats", *edit[1:])
        states.append(show(archive)["clips"])
    for state in states[-2::-1]:
        rushes("cut", "undo", archive, "boats")
        assert state == show(archive)["clips"]
    assert "nothing to undo" not in rushes("cut", "redo", archive, "boats")
    assert states[1] == show(archive)["clips"]
    assert 8 == len(
        [step for step in json.loads(rushes("cut", "log", archive, "boats", "--json")) if not step["is_move"]]
    )


def test_a_trimmed_cut_list_renders_to_its_frames(archive: Path, tmp_path: Path) -> None:
    """Counted to the frame, verified, and the ledger says which version of which cut list it is."""
    rushes("cut", "trim", archive, "boats", "1", "--in", "+3f", "--out", "-2f")
    rushes("cut", "remove", archive, "boats", "3-4")
    rushes("cut", "reject", archive, "boats", "2")
    said = rushes("cut", "render", archive, "boats", "-o", tmp_path / "film.mp4")
    assert "1/1 cuts exact" in said
    assert "rejected" in said
    told = json.loads((tmp_path / "film.mp4.json").read_text(encoding="utf-8"))
    assert SHOT_FRAMES - 5 == told["n_frames"]
    assert ("boats", 4) == (told["cut"]["name"], told["cut"]["number"])
    edl = tmp_path / "film.edl"
    rushes("cut", "export", archive, "boats", "-o", edl)
    assert "00:00:00:03 00:00:01:04" in edl.read_text(encoding="utf-8")


def test_a_cut_list_is_exported_by_its_ending(archive: Path, tmp_path: Path) -> None:
    """Timelines and everything else under one command; an option that a format does not have is refused."""
    for name in ("film.fcpxml", "film.csv", "film.mpv.edl", "film.html"):
        assert "4 clips" in rushes("cut", "export", archive, "boats", "-o", tmp_path / name)
    with (tmp_path / "film.csv").open(encoding="utf-8-sig") as table:
        assert 5 == len(table.readlines())
    assert (tmp_path / "film.mpv.edl").read_text(encoding="utf-8").startswith("# mpv EDL v0")
    refused = rushes("cut", "export", archive, "boats", "-o", tmp_path / "a.csv", "--rate", "25", status=2)
    assert "--rate: not for 'a.csv'" in refused
    refused = rushes("cut", "export", archive, "boats", "-o", tmp_path / "a.otio", "--text", "speech", status=2)
    assert "--text: not for 'a.otio'" in refused
    assert [] == list(tmp_path.glob("a.*"))


def test_notes_and_decisions_reach_exports(archive: Path, tmp_path: Path) -> None:
    """What was written beside a clip, and that it was accepted, stands in every list that people are given."""
    rushes("cut", "note", archive, "boats", "1", "the best")
    rushes("cut", "accept", archive, "boats", "1")
    for ending in (".csv", ".json", ".html", ".edl", ".otio", ".xml", ".fcpxml"):
        rushes("cut", "export", archive, "boats", "-o", tmp_path / f"film{ending}")
        text = (tmp_path / f"film{ending}").read_text(encoding="utf-8")
        assert "the best" in text
        assert "accepted" in text


def test_every_ending_is_named(archive: Path, tmp_path: Path) -> None:
    """The help and the refusal of an unknown ending name those of timelines and of everything else."""
    refused = rushes("cut", "export", archive, "boats", "-o", tmp_path / "film.aaf", status=1)
    for said in (refused, rushes("cut", "export", "--help")):
        for ending in (".otio", ".edl", ".fcpxml", ".xml", ".csv", ".mlt"):
            assert f"{ending} " in said.replace(",", " ").replace("\n", " ")


def test_what_has_no_effect_is_said(archive: Path) -> None:
    """A rule of the past is warned of and listed as expired; an empty note is a removed one."""
    said = rushes("rights", archive, "clip0.mp4", "--block", "--until", "2020-01-31")
    assert "2020-01-31 is past" in said
    assert "2020-01-31 (expired)" in rushes("rights", archive)
    rushes("cut", "note", archive, "boats", "1", "the best")
    assert "note on 1 removed" in rushes("cut", "note", archive, "boats", "1", "")


def test_a_take_has_no_score_of_the_clip_it_replaces(archive: Path) -> None:
    """It was not searched for, so nothing is said of how well it answers."""
    rushes("cut", "remove", archive, "boats", "last")
    rushes("cut", "swap", archive, "boats", "1", "--take", "1")
    first, second = show(archive)["clips"][:2]
    assert (0, None) == (first["score"], first["confidence"])
    assert second["score"] > 0


def test_what_is_blocked_is_in_no_export(archive: Path, tmp_path: Path) -> None:
    """Refused by supercut, render and export with clip, name and reason; left out on demand; free when cleared."""
    rushes("rights", archive, "clip0.mp4", "--to", "1s", "--block", "--note", "embargo")
    assert "embargo" in rushes("cut", "show", archive, "boats")
    film = tmp_path / "film.mp4"
    commands: list[list[str | Path]] = [
        ["supercut", archive, QUERY, "-o", film, "--nearest"],
        ["cut", "render", archive, "boats", "-o", film],
        ["timeline", archive, QUERY, "-o", tmp_path / "film.otio", "--nearest"],
        ["cut", "export", archive, "boats", "-o", tmp_path / "film.otio"],
        ["export", archive, QUERY, "-o", tmp_path / "film.csv", "--nearest"],
        ["cut", "export", archive, "boats", "-o", tmp_path / "film.csv"],
    ]
    for command in commands:
        refused = rushes(*command, status=1)
        assert "clip0.mp4) is blocked" in refused
        assert "embargo" in refused
    assert [] == list(tmp_path.glob("film*"))
    rushes("rights", archive, "clip0.mp4", "--to", "1s", "--watermark", "Anna's")
    assert "embargo" in rushes("cut", "render", archive, "boats", "-o", film, status=1)
    rushes("cut", "export", archive, "boats", "-o", tmp_path / "film.otio", "--skip-blocked")
    changed = rushes("rights", archive, "clip0.mp4", "--to", "1s", "--block", "--until", "2030-01-31")
    assert "replaced: blocked by" in changed
    rushes("rights", archive, "clip0.mp4", "--clear")
    rushes("cut", "export", archive, "boats", "-o", tmp_path / "film.otio", "--overwrite")


def test_a_mark_is_drawn_into_films_and_keeps_clips_out_of_timelines(archive: Path, tmp_path: Path) -> None:
    """The ledger says which clip bears which mark; nothing that cannot show it is written."""
    rushes("rights", archive, "clip0.mp4", "--watermark", "Anna's")
    rushes("cut", "remove", archive, "boats", "3-4")
    rushes("cut", "render", archive, "boats", "-o", tmp_path / "marked.mp4")
    told = json.loads((tmp_path / "marked.mp4.json").read_text(encoding="utf-8"))
    assert {"Anna's"} == set(told["rights"]["marks"].values())
    with av.open(str(tmp_path / "marked.mp4")) as film:
        assert {"yuv420p"} == {frame.format.name for frame in film.decode(video=0)}
    refused = rushes("cut", "export", archive, "boats", "-o", tmp_path / "film.edl", status=1)
    assert "must be marked" in refused
    assert "draws no marks" in refused


def test_new_footage_makes_candidates_and_touches_nothing(archive: Path, tmp_path: Path) -> None:
    """What was in the cut list, removed or dismissed is none; adding puts the new shots behind the others."""
    rushes("cut", "remove", archive, "boats", "last")
    before = show(archive)
    assert 0 == before["candidates"]
    draw_many(tmp_path / "more", 1, Scene(Group("boat", "red"), "sea"))
    index_library(archive, tmp_path / "more")
    assert "+1 candidate since this cut" in rushes("cut", "show", archive, "boats")
    (found,) = json.loads(rushes("cut", "candidates", archive, "boats", "--json"))
    assert found["video"].endswith("new00.mp4")
    rushes("cut", "add", archive, "boats", "--candidates")
    after = show(archive)
    assert before["clips"] == after["clips"][:-1]
    assert after["clips"][-1]["path"].endswith("new00.mp4")
    assert 0 == after["candidates"]
    rushes("cut", "undo", archive, "boats")
    rushes("cut", "candidates", archive, "boats", "--dismiss")
    assert "no candidates" in rushes("cut", "candidates", archive, "boats")


def test_candidates_whose_files_are_missing_are_left_out(archive: Path, tmp_path: Path) -> None:
    """With the reason, and they stay candidates; --include-missing takes them."""
    boat = Group("boat", "red")
    for folder, scene in (("more", Scene(boat, "sea")), ("other", Scene(boat, "sea", "night"))):
        draw_many(tmp_path / folder, 1, scene)
        index_library(archive, tmp_path / folder)
    missing, there = tmp_path / "more" / "new00.mp4", tmp_path / "other" / "new00.mp4"
    missing.unlink()
    (tmp_path / "more" / "notes.txt").touch()  # the folder is not offline
    n_before = len(show(archive)["clips"])
    said = rushes("cut", "add", archive, "boats", "--candidates")
    assert "left out: more/new00.mp4" in said or "left out: new00.mp4" in said
    assert "its file is missing" in said
    assert [str(there)] == [clip["path"] for clip in show(archive)["clips"][n_before:]]
    rushes("cut", "undo", archive, "boats")
    rushes("cut", "add", archive, "boats", "--candidates", "--include-missing")
    assert [str(missing)] == [clip["path"] for clip in show(archive)["clips"][n_before:]]  # the other was seen


@pytest.mark.parametrize("handles", ["0.25", "0.5", "4"])
def test_a_longest_length_counts_handles(archive: Path, handles: str) -> None:
    """They are kept beside the clips; the last shot, or its handle, is shortened."""
    chosen = ["--nearest", "--order", "source", "--max-seconds", "3.75", "--handles", handles]
    rushes("cut", "new", archive, "short", QUERY, *chosen)
    cut = json.loads(rushes("cut", "show", archive, "short", "--json"))
    assert cut["duration_seconds"] <= 3.75
    assert cut["duration_seconds"] >= 3
    assert {Fraction(handles)} == {Fraction(clip["before"]) for clip in cut["clips"]}
    rushes("cut", "new", archive, "free", QUERY, "--nearest", "--handles", handles)
    free = json.loads(rushes("cut", "show", archive, "free", "--json"))
    kept = {(Fraction(clip["before"]), Fraction(clip["after"])) for clip in free["clips"]}
    assert {(Fraction(handles), Fraction(handles))} == kept


def test_an_encoder_that_is_not_calibrated_says_no_number(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calibrated one says the number and the word."""
    assert re.search(r"\d %, (high|medium|low)", rushes("cut", "show", archive, "boats"))
    monkeypatch.setattr("search_app.confidence.calibration.calibration_of", lambda _: None)
    said = rushes("cut", "show", archive, "boats")
    assert " %" not in said
    assert re.search(r"\b(high|medium|low)\b", said)


def test_what_makes_no_sense_is_one_line(archive: Path) -> None:
    """Bad places, edges, names and combinations; nothing is changed."""
    before = show(archive)
    for arguments, said in (
        (["trim", "1", "--in", "-1f"], "before its source"),
        (["trim", "1", "--out", "+99s"], "after its source"),
        (["trim", "1"], "give --in, --out or --length"),
        (["move", "9", "1"], "there is no place 9"),
        (["split", "1", "+99f"], "not inside the clip"),
        (["fit", "0.01"], "nothing fits"),
        (["order", "look", "--seed", "1"], "only with random"),
        (["add"], "give a QUERY"),
        (["new", QUERY], "already"),
        (["redo"], "nothing to redo"),
        (["swap", "1", "--take", "99"], "there is no take 99"),
    ):
        command, *rest = arguments
        lines = rushes("cut", command, archive, "boats", *rest, status=2).splitlines()
        assert said in lines[-1]
    assert before == show(archive)


def test_clips_come_in_the_order_typed(archive: Path) -> None:
    """Shots and stretches of videos may be mixed."""
    shots = [clip["shot"] for clip in show(archive)["clips"]]
    asked = ["--range", "clip1.mp4", "6f", "9f", "--shot", shots[0], "--range", "clip0.mp4", "0", "3f"]
    commands: list[list[str | Path]] = [["new", archive, "typed"], ["add", archive, "boats", "--again"]]
    for command in commands:
        rushes("cut", *command, *asked, "--shot", shots[1])
    for name in ("typed", "boats"):
        clips = json.loads(rushes("cut", "show", archive, name, "--json"))["clips"][-4:]
        expected = [("clip1.mp4", ""), ("", shots[0]), ("clip0.mp4", ""), ("", shots[1])]
        assert expected == [(Path(clip["path"]).name if not clip["shot"] else "", clip["shot"]) for clip in clips]


def test_places_may_be_first_and_last(archive: Path) -> None:
    """Several clips keep the order in which they are named."""
    rushes("cut", "note", archive, "boats", "1", "a")
    rushes("cut", "note", archive, "boats", "last", "d")
    for places, to, notes in (("1,last", "last", ["", "", "a", "d"]), ("4,3", "first", ["d", "a", "", ""])):
        rushes("cut", "move", archive, "boats", places, to)
        assert notes == [clip["note"] for clip in show(archive)["clips"]]
    assert "names no place" in rushes("cut", "move", archive, "boats", "1", "all", status=2)


def test_edges_are_shown_as_editing_programs_say_them(archive: Path) -> None:
    """In and out are the clip's own, handles have a column only where some are, and data keeps both exact."""
    first, *_ = show(archive)["clips"]
    assert "handles" not in rushes("cut", "show", archive, "boats").splitlines()[0]
    rushes("cut", "trim", archive, "boats", "1", "--in", "+5f", "--out", "-2f")
    rushes("cut", "handles", archive, "boats", "1", "0.25", "9")
    (row,) = [clip for clip in show(archive)["clips"] if clip["place"] == 1]
    begins = 0 if first["source_in"] == "00:00:00:00" else SHOT_FRAMES
    name = "00:00:{:02d}:{:02d}".format
    assert name(*divmod(begins + 5, 12)) == row["source_in"]
    assert name(*divmod(begins + SHOT_FRAMES - 2, 12)) == row["source_out"]
    assert [3, 2] == row["handle_frames"]
    assert row["start"] != row["shown"][0]
    said = rushes("cut", "show", archive, "boats").splitlines()
    assert "handles" in said[0]
    assert "3f 2f" in said[1]
    assert row["source_in"] in said[1]


def test_footage_that_is_gone_or_another_is_said_of_each_clip(drawn: Path, tmp_path: Path) -> None:
    """Before and after the next indexing; what moved is found, and an export can do without the rest."""
    library, archive = tmp_path / "library", tmp_path / "archive"
    shutil.copytree(drawn / "library", library)
    draw_many(library, 2, Scene(Group("boat", "red"), "sea"))
    index_library(archive, library)
    ranges = [("--range", name, "0", "6f") for name in ("clip0.mp4", "clip1.mp4", "new00.mp4", "new01.mp4")]
    rushes("cut", "new", archive, "boats", *(word for asked in ranges for word in asked))
    (library / "clip0.mp4").unlink()
    (library / "clip1.mp4").rename(library / "moved.mp4")
    shutil.copy(library / "new01.mp4", library / "new00.mp4")

    def said(*options: str | Path, status: int = 0) -> str:
        return rushes("cut", "export", archive, "boats", "-o", tmp_path / "cut.csv", *options, status=status)

    flags = [clip["flag"] for clip in show(archive)["clips"]]
    changed = "its file has changed since it was indexed"
    assert ["its file is missing", "its file is missing", changed, ""] == flags
    assert f"new00.mp4: {changed}" in said()
    index_library(archive, library)
    flags = [clip["flag"] for clip in show(archive)["clips"]]
    assert ["its file is missing", "", "its video is not in the archive any more", ""] == flags
    assert "moved.mp4" in rushes("cut", "show", archive, "boats")
    assert "clip 3: " in said("--overwrite", status=1)
    assert "new00.mp4 left out: its video is not in the archive any more" in said("--overwrite", "--skip-missing")
    rushes("cut", "export", archive, "boats", "-o", tmp_path / "cut.otio", "--skip-missing")
    for edit in (["trim", "3", "--in", "+1f"], ["split", "3", "+1f"], ["swap", "3"]):
        line = rushes("cut", edit[0], archive, "boats", *edit[1:], status=1)
        assert "is not in the archive any more" in line
    rushes("cut", "order", archive, "boats", "date")
    rushes("cut", "remove", archive, "boats", "last")
    film = rushes("cut", "render", archive, "boats", "-o", tmp_path / "film.mp4", "--skip-missing")
    assert "2/2 cuts exact" in film

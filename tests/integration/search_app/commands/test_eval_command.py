"""`rushes eval` on a small indexed archive, whose four shots are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indexer.models.open_clip_encoder import load_encoder
from search_app.commands.evaluate import evaluate
from search_app.evaluation.evaluation import FUSED
from search_app.evaluation.trec import read_qrels, read_run
from search_app.search.decisions import judge
from search_app.use_cases.measure import channel_rankings
from store.archive import Archive
from store.errors import ConfigError
from tests.e2e.small_archive import SHOT_FRAMES, draw_library, index_library

pytestmark = pytest.mark.slow

SHOT_SECONDS = SHOT_FRAMES / 12
BOAT = "a red boat on the sea"
CASTLE = "a pink castle in the mountains at dusk"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an indexed archive and a file of queries."""
    made = tmp_path_factory.mktemp("eval")
    draw_library(made / "library")
    index_library(made / "archive", made / "library")
    first = {"start_seconds": 0, "end_seconds": SHOT_SECONDS}
    queries = [
        {"id": "boat", "query": BOAT, "relevant": [{"file": "clip0.mp4", **first}]},
        {"id": "castle", "query": CASTLE, "relevant": [{"file": "clip1.mp4", **first}]},
        {"id": "lost", "query": "a dog", "relevant": [{"file": "lost.mp4", **first}]},
    ]
    (made / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
    yield made


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(evaluate, [*map(str, arguments)])


def document(*arguments: str | Path) -> Any:
    """The JSON that the command prints."""
    ran = run(*arguments, "--json")
    assert 0 == ran.exit_code, ran.output
    return json.loads(ran.stdout)


def test_queries_of_a_file_are_measured(folder: Path) -> None:
    """Shots are found by time; an answer in a video that was never indexed counts as missed."""
    found = document(folder / "archive", folder / "queries.json", "--k", "1")
    recall = {one["id"]: one["channels"][FUSED]["recall@1"] for one in found["per_query"]}
    assert {"boat": 1.0, "castle": 1.0, "lost": 0.0} == recall
    assert pytest.approx(2 / 3) == found["channels"]["picture"]["recall@1"]["value"]
    assert [[], [], ["lost.mp4"]] == [one["missing"] for one in found["per_query"]]


def test_people_read_a_table_and_remarks(folder: Path) -> None:
    """The figures are on stdout, what to know of them on stderr."""
    ran = run(folder / "archive", folder / "queries.json")
    assert 0 == ran.exit_code, ran.output
    heading, *rows = ran.stdout.splitlines()
    assert ["measure", FUSED, "picture"] == heading.split()
    assert ["recall@1", "recall@5", "recall@10", "mrr", "ndcg@1", "ndcg@5", "ndcg@10", "map"] == [
        row.split()[0] for row in rows
    ]
    assert "lost.mp4" in ran.stderr


def test_trec_files_go_out_and_come_in(folder: Path, tmp_path: Path) -> None:
    """Rankings and judgements written and read back give the same figures, without searching."""
    run_file, qrels = tmp_path / "all.run", tmp_path / "qrels"
    asked = document(folder / "archive", folder / "queries.json", "--run-out", run_file, "--qrels-out", qrels)
    assert {"all.run", "all.run.picture", "qrels"} == {path.name for path in tmp_path.iterdir()}
    assert {"boat", "castle", "lost"} == set(read_qrels(qrels)) == set(read_run(run_file))
    read = document(folder / "archive", folder / "queries.json", "--run", run_file, "--qrels", qrels)
    assert asked["channels"][FUSED] == read["channels"]["run"]


@pytest.mark.parametrize("option", ["--run-out", "--qrels-out"])
def test_footage_is_never_written_over(folder: Path, option: str) -> None:
    """An output that is a video of the archive is refused, and the video stays."""
    video = folder / "library" / "clip0.mp4"
    before = video.read_bytes()
    ran = run(
        folder / "archive", folder / "queries.json", option, folder / "library" / ".." / "library" / "clip0.mp4"
    )
    assert (True, True) == (isinstance(ran.exception, ConfigError), "is only read" in str(ran.exception))
    assert before == video.read_bytes()


def test_the_archives_own_judgements_are_measured(folder: Path) -> None:
    """What was kept is right; precision, recall and nDCG are given for every channel."""
    with Archive.open(folder / "archive") as archive:
        shots = archive.snapshot().shots()
        judge(archive, BOAT, [shots[0].shot_id], "keep")
        judge(archive, BOAT, [shots[1].shot_id], "reject")
        archive.publish()
    found = document(folder / "archive", "--mine")
    figures = {name: mean["value"] for name, mean in found["channels"][FUSED].items()}
    assert {"precision@10": 0.1, "recall@50": 1.0, "ndcg@10": 1.0} == figures
    assert {FUSED, "picture"} == set(found["channels"])


def test_a_query_that_is_refused_is_said_and_the_rest_measured(folder: Path, tmp_path: Path) -> None:
    """One bad query makes the exit status 1 and loses no figure."""
    queries = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    queries.append({"id": "bad", "query": "colour:red"})
    (tmp_path / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
    ran = run(folder / "archive", tmp_path / "queries.json")
    assert 1 == ran.exit_code
    assert "not measured: 'colour:red'" in ran.stderr
    assert "recall@1" in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["queries.json", "--mine"],
        ["queries.json", "--qrels", "none"],
        ["--mine", "--k", "3"],
        ["queries.json", "--run", "none", "--device", "cpu"],
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], folder: Path, tmp_path: Path) -> None:
    """No questions, two kinds of them, none that is judged, or options without effect."""
    (tmp_path / "none").write_text("", encoding="utf-8")
    places = {"queries.json": folder / "queries.json", "none": tmp_path / "none"}
    ran = run(folder / "archive", *(places.get(word, word) for word in arguments))
    assert ran.exception is not None
    assert "ConfigError" == type(ran.exception).__name__


def test_copies_are_not_hidden_from_the_figures(folder: Path) -> None:
    """Every shot has a place in the ranking, whatever a page would stack."""
    with Archive.open(folder / "archive") as archive:
        answer = channel_rankings(archive, load_encoder("demo"), BOAT, 100)
        assert {shot.shot_id for shot in archive.snapshot().shots()} == set(answer.rankings[FUSED])
        assert 2 == len(channel_rankings(archive, load_encoder("demo"), BOAT, 2).rankings[FUSED])

"""An archive as data, read back by other programs' readers, and asked in SQL."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import index_videos
from search_app.cli import main
from store.archive import Archive
from store.records import TextRow, TextSegment
from store.row_checks import Word
from store.stages import Run, text_stages
from store.timespan import TimeSpan
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a video of three shots with labels, and a sentence that is said across a border of shots."""
    folder = tmp_path_factory.mktemp("data")
    write_colour_clip(folder / "library" / "film.mp4", ("red", "green", "blue"))
    with Archive.create(folder / "archive") as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(opened, [folder / "library"], FakeEncoder(), settings, lambda _: None))
        video_id = opened.snapshot().videos()[0].video_id
        words = (Word("hello", 0.5, 0.9, 0.75), Word("there", 1.0, 1.5))
        spoken = TextRow(TimeSpan(Fraction(1, 2), Fraction(3, 2)), "hello there", language="en", words=words)
        labels = (
            TextRow(
                TimeSpan(Fraction(0), Fraction(1)), "=barn", 0.5, box=(0.0, 0.25, 0.5, 0.5), payload={"k": [1]}
            ),
            TextRow(TimeSpan(Fraction(0), Fraction(1)), "sky | cloud", 0.25, count=2),
        )
        for stage, rows in (("transcript", (spoken,)), ("label", labels)):
            run = Run.of(stage, "model of " + stage, {})
            opened.put_text(TextSegment(video_id, stage, run.key, run.model, {}, rows))
        opened.publish()
    return folder / "archive"


def rushes(*arguments: object, status: int = 0) -> str:
    """What a command prints."""
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert status == done.exit_code, done.output
    return done.output


def check(objects: list[dict[str, Any]], payload: object) -> None:
    """What every format but CSV must say."""
    assert [1, 2, 3] == [one["number"] for one in objects]
    assert [(0, 1), (1, 2), (2, 3)] == [(one["start"], one["end"]) for one in objects]
    assert [["hello there"], ["hello there"], []] == [[t["text"] for t in one["speech"]] for one in objects]
    barn, sky = objects[0]["labels"]
    assert ("=barn", 0.5, [0.0, 0.25, 0.5, 0.5], payload) == (*map(barn.get, ("text", "score", "box", "payload")),)
    assert (2, None, "model of label", False) == (*map(sky.get, ("count", "language", "model", "by_hand")),)
    first = objects[0]["speech"][0]["words"][0]
    assert {"text": "hello", "start": 0.5, "end": 0.9, "score": 0.75} == first
    assert {stage.title for stage in text_stages()} < set(objects[0])


def test_every_format_says_the_same(archive: Path, tmp_path: Path) -> None:
    """JSON, JSON Lines and Parquet hold everything; CSV what texts say, harmless in spreadsheets."""
    for name in ("a.json", "b.jsonl", "c.parquet", "d.csv"):
        assert "3 shots" in rushes("data", archive, "-o", tmp_path / name)
    check(json.loads((tmp_path / "a.json").read_text()), {"k": [1]})
    check([json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()], {"k": [1]})
    check(pq.read_table(tmp_path / "c.parquet").to_pylist(), '{"k": [1]}')
    rows = list(csv.DictReader((tmp_path / "d.csv").read_text("utf-8-sig").splitlines()))
    assert ["'=barn | sky | cloud", "", ""] == [row["labels"] for row in rows]
    assert ["0.0", "1.0", "2.0"] == [row["start"] for row in rows]


def test_export_without_a_question_is_data(archive: Path, tmp_path: Path) -> None:
    """`rushes export ARCHIVE` writes the same; what exists is not replaced unasked."""
    rushes("export", archive, "-o", tmp_path / "all.json")
    check(json.loads((tmp_path / "all.json").read_text()), {"k": [1]})
    assert "exists already" in rushes("export", archive, "-o", tmp_path / "all.json", status=1)
    assert "data of an archive end in .json" in rushes("data", archive, "-o", tmp_path / "all.xls", status=1)


def test_sql_reads_and_changes_nothing(archive: Path, tmp_path: Path) -> None:
    """Views of each kind answer; writing, other files and nonsense are refused in one line."""
    query = "select text, score from label order by score desc"
    assert [{"text": "=barn", "score": 0.5}, {"text": "sky | cloud", "score": 0.25}] == json.loads(
        rushes("sql", archive, query, "--json")
    )
    assert "hello there" in rushes("sql", archive, "select video, text from transcript")
    assert "film.mp4" in rushes("sql", archive, "select video, text from transcript")
    assert "the first 1 rows" in rushes("sql", archive, query, "--limit", "1")
    for statement in (
        "delete from label",
        "drop table shot",
        "select nothing",
        f"copy label to '{tmp_path / 'x.csv'}'",
        "select * from read_text('/etc/passwd')",
        "attach 'x.duckdb'",
        "install httpfs",
        "set enable_external_access = true",
    ):
        told = rushes("sql", archive, statement, status=1)
        assert told.startswith("rushes: the catalog does not answer: ")
        assert 1 == len(told.strip().splitlines())
    assert not (tmp_path / "x.csv").exists()

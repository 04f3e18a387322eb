"""What a person corrected is shown as theirs, is found by its words, and outlives every run of a model."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import index_videos
from indexer.stages.enrich import enrich_videos
from search_app.cli import main
from store.archive import Archive
from store.events import TextCorrected
from store.records import TextRow, TextSegment
from store.stages import Run
from store.timespan import TimeSpan
from tests.colour_clips import write_colour_clip
from tests.fake_stages import ColourStage
from tests.fakes import FakeEncoder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of a video of three shots with a caption and a label each."""
    write_colour_clip(tmp_path / "library" / "film.mp4", ("red", "green", "blue"))
    with Archive.create(tmp_path / "archive") as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(opened, [tmp_path / "library"], FakeEncoder(), settings, lambda _: None))
        list(enrich_videos(opened, [ColourStage(), ColourStage(stage="label")], lambda _: None))
    return tmp_path / "archive"


def rushes(*arguments: object, status: int = 0) -> str:
    """What a command prints."""
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert status == done.exit_code, done.output
    return done.output


def texts(archive: Path, stage: str = "captions") -> list[tuple[str, str]]:
    """Texts of a kind with who wrote them."""
    rows: list[dict[str, Any]] = json.loads(rushes("texts", archive, "film.mp4", "--stage", stage, "--json"))
    return [(row["text"], "hand" if row["run"] == "by hand" else "model") for row in rows]


def test_a_correction_wins_over_every_run(archive: Path) -> None:
    """The person's caption takes the place of the model's, outlives another model's run, and can be taken back."""
    assert "written, was: all green" in rushes("correct", archive, "film.mp4", "captions", "1.5", "a meadow")
    expected = [("all red", "model"), ("a meadow", "hand"), ("all blue", "model")]
    assert expected == texts(archive)
    with Archive.open(archive) as opened:
        list(enrich_videos(opened, [ColourStage("better")], lambda _: None))
        hits = opened.snapshot().search_text("meadow", ["caption"], 5)
        assert ["a meadow"] == [hit.text for hit in hits]
        assert 1 == len(hits[0].shot_ids)
        assert [] == opened.snapshot().search_text("green", ["caption"], 5)
    assert expected == texts(archive)
    rushes("correct", archive, "film.mp4", "captions", "1.5", "a lawn")
    assert ("a lawn", "hand") == texts(archive)[1]
    assert "taken back" in rushes("correct", archive, "film.mp4", "captions", "1.5", "--reset")
    assert [("all red", "model"), ("all green", "model"), ("all blue", "model")] == texts(archive)


def test_of_labels_one_is_corrected_and_others_stay(archive: Path) -> None:
    """A label is corrected by its name, a further one is written beside it, and one can be removed."""
    rushes("correct", archive, "film.mp4", "labels", "0.5", "barn")
    rushes("correct", archive, "film.mp4", "labels", "1.5", "--was", "All Green", "grass")
    rushes("correct", archive, "film.mp4", "labels", "2.5", "--was", "all blue", "--remove")
    assert [("all red", "model"), ("barn", "hand"), ("grass", "hand")] == sorted(texts(archive, "labels"))
    rushes("correct", archive, "film.mp4", "labels", "1.5", "--was", "grass", "lawn")
    assert ("lawn", "hand") in texts(archive, "labels")
    assert 3 == len(texts(archive, "labels"))
    told = rushes("correct", archive, "film.mp4", "labels", "1.5", "--was", "snow", "lawn", status=2)
    assert "no labels 'snow' at 0:01.5" in told
    assert "write the right TEXT" in rushes("correct", archive, "film.mp4", "labels", "1.5", status=2)


def test_corrections_survive_a_rebuild_and_hide_nothing_elsewhere(archive: Path) -> None:
    """Built anew from segments and edits, the catalog says the same."""
    rushes("correct", archive, "film.mp4", "captions", "0.2", "--remove")
    before = texts(archive)
    assert [("all green", "model"), ("all blue", "model")] == before
    for folder in ("catalog", "generations"):
        for file in (archive / folder).iterdir():
            file.unlink()
    assert before == texts(archive)
    assert "find nothing" not in rushes("check", archive)


def test_runs_are_compared_on_what_a_person_wrote(archive: Path) -> None:
    """Differences are counted, decide the exit status, and each run's hits among the person's texts are told."""
    with Archive.open(archive) as opened:
        list(enrich_videos(opened, [ColourStage("better", n_pictures=3)], lambda _: None))
    rushes("correct", archive, "film.mp4", "captions", "1.5", "ALL GREEN")
    (told,) = json.loads(rushes("stages", "compare", archive, "captions", "colours", "better", "--json"))
    expected = {"first": 3, "second": 3, "same": 3, "by_hand": 1, "first_right": 1, "second_right": 1}
    assert expected == {name: told[name] for name in expected}
    assert "by hand" in rushes("stages", "compare", archive, "captions", "colours", "better")
    rushes("stages", "compare", archive, "captions", "colours", "better", "--most-differences", "0")
    with Archive.open(archive) as opened:
        list(enrich_videos(opened, [ColourStage("worse", fails_on=frozenset({"blue"}))], lambda _: None))
    options = ("captions", "colours", "worse", "--most-differences", "0")
    assert "1 row said by one run alone" in rushes("stages", "compare", archive, *options, status=1)


def test_removed_texts_come_back_and_added_ones_go(archive: Path) -> None:
    """What was removed can be reset; labels are added beside each other, changed, and taken away again."""
    rushes("correct", archive, "film.mp4", "captions", "1.5", "--remove")
    assert [("all red", "model"), ("all blue", "model")] == texts(archive)
    rushes("correct", archive, "film.mp4", "captions", "1.5", "--reset")
    assert ("all green", "model") in texts(archive)
    for label in ("barn", "farm"):
        rushes("correct", archive, "film.mp4", "labels", "0.5", label)
    rushes("correct", archive, "film.mp4", "labels", "0.5", "--was", "farm", "meadow")
    assert [("all red", "model"), ("barn", "hand"), ("meadow", "hand")] == sorted(
        one for one in texts(archive, "labels") if one[0] not in ("all green", "all blue")
    )
    rushes("correct", archive, "film.mp4", "labels", "0.5", "--was", "barn", "--remove")
    assert ("barn", "hand") not in texts(archive, "labels")
    assert "nothing was corrected" in rushes(
        "correct", archive, "film.mp4", "captions", "0.5", "--reset", status=2
    )


def test_no_text_can_break_an_archive(archive: Path) -> None:
    """Control characters become spaces, half characters question marks, and what is endless is refused."""
    rushes("correct", archive, "film.mp4", "captions", "1.5", "a\x07b \udce9")
    assert ("a b ?", "hand") in texts(archive)
    assert "100,001 characters" in rushes(
        "correct", archive, "film.mp4", "captions", "1.5", "x" * 100_001, status=1
    )
    with Archive.open(archive) as opened:
        video = opened.snapshot().videos()[0].video_id
        opened.record([TextCorrected("caption", video, "0", "1", "all red", "\x00" * 200_000)])
        opened.publish()
    assert 3 == len(texts(archive))


def test_a_line_of_ones_own_hides_nothing(archive: Path) -> None:
    """A sentence that was missed stands beside the others; of two speakers at once only one is corrected."""
    said = [(0.0, 0.4, "one"), (0.5, 0.9, "two"), (1.0, 2.0, "left"), (1.0, 2.0, "right")]
    rows = tuple(TextRow(TimeSpan(Fraction(a), Fraction(b)), text) for a, b, text in said)
    with Archive.open(archive) as opened:
        video = opened.snapshot().videos()[0].video_id
        run = Run.of("transcript", "m", {})
        opened.put_text(TextSegment(video, "transcript", run.key, "m", {}, rows))
        opened.publish()
    rushes("correct", archive, "film.mp4", "speech", "0.45", "between")
    rushes("correct", archive, "film.mp4", "speech", "1.5", "--was", "left", "LEFT")
    rushes("correct", archive, "film.mp4", "speech", "1.5", "--was", "right", "RIGHT")
    assert ["between", "one", "two", "LEFT", "RIGHT"] == [text for text, _ in sorted_by_time(archive)]


def sorted_by_time(archive: Path) -> list[tuple[str, float]]:
    """Spoken texts by time, then by text."""
    rows = json.loads(rushes("texts", archive, "film.mp4", "--stage", "speech", "--json"))
    return sorted(((row["text"], row["start"]) for row in rows), key=lambda one: (one[1], one[0]))

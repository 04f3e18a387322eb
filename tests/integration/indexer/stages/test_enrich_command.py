"""`rushes enrich` with stages that need no model: what it says, writes, and does not do again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.config import IndexSettings, PipelineSettings
from indexer.pipeline import index_videos
from search_app.cli import main
from store.archive import Archive
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos; one has a black shot, and neither has sound."""
    folder = tmp_path_factory.mktemp("enrich")
    write_colour_clip(folder / "library" / "film.mp4", ("red", "black", "blue"))
    write_colour_clip(folder / "library" / "other.mp4", ("green",))
    with Archive.create(folder / "archive") as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(opened, [folder / "library"], FakeEncoder(), settings, lambda _: None))
    return folder / "archive"


def rushes(*arguments: object, status: int = 0) -> Result:
    """The result of a command."""
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert status == done.exit_code, done.output
    return done


def test_stages_by_name_are_run_once(archive: Path) -> None:
    """One video first, then all; a line for each stage; nothing is done twice; what was found is listed."""
    first = rushes("enrich", archive, "film.mp4", "--only", "cues", "--json")
    (outcome,) = json.loads(first.stdout)
    assert ("cue", 0, "") == (outcome["stage"], outcome["n_rows"] - 1, outcome["failure"])
    told = rushes("enrich", archive, "--only", "cues,silences").stderr
    assert "cue: 1 video, 0 rows" in told
    assert "silence: 2 videos" in told
    assert "cue: nothing to do" in rushes("enrich", archive, "--only", "cue").stderr
    (row,) = json.loads(rushes("texts", archive, "film.mp4", "--stage", "cues", "--json").stdout)
    assert ("black", 1.0, 2.0) == (row["text"], row["start"], row["end"])
    stages = json.loads(rushes("stages", archive, "--json").stdout)
    assert {"cue", "silence", "visual"} == {run["stage"] for run in stages}


def test_wrong_usage_is_one_line(archive: Path) -> None:
    """Unknown stages, videos and models are named with the way out."""
    for arguments, said in (
        (("--only", "smells"), "there is no stage 'smells'"),
        (("nothing.mp4", "--only", "cues"), "nothing.mp4"),
        (("--only", "cues,labels", "--model", "x"), "--model belongs to one stage"),
    ):
        result = rushes("enrich", archive, *arguments, status=2)
        assert said in result.output
        assert 1 == len(result.stderr.strip().splitlines())
    gone = rushes("enrich", archive, "--only", "captions", "--model", archive / "nothing", status=1)
    assert f"there is no model in {archive / 'nothing'}" in gone.output

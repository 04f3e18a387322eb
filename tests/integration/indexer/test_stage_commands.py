"""`rushes stages` and `rushes models`, and the visual runs that indexing chooses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer.config import IndexSettings, PipelineSettings
from indexer.models import open_clip_encoder
from indexer.pipeline import index_videos
from indexer.visual.decode_pass import DecodeSettings
from search_app.cli import main
from store.archive import Archive
from store.records import Embeddings, TextRow, TextSegment
from store.stages import Run
from tests.counted_video import CountedVideo
from tests.fakes import FakeEncoder

DEFAULT = IndexSettings(pipeline=PipelineSettings(jobs=1))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of one video of two seconds, whose shot two models have captioned."""
    library = tmp_path / "library"
    library.mkdir()
    CountedVideo("film.mp4").write(library, None)  # type: ignore[arg-type]
    folder = tmp_path / "archive"
    with Archive.create(folder) as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        list(index_videos(opened, [library], FakeEncoder(), DEFAULT, lambda _: None))
        video = opened.snapshot().videos()[0]
        for model, said in (("alpha", "a wall"), ("beta", "a chessboard")):
            run = Run.of("caption", model, {})
            opened.choose_run(run)
            rows = (TextRow(video.facts.span, said), TextRow(video.facts.span, "the same"))
            opened.put_text(TextSegment(video.video_id, "caption", run.key, model, {}, rows, seconds=2.5))
        opened.publish()
    return folder


def rushes(*arguments: object, status: int = 0) -> str:
    """What a command prints on stdout."""
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert status == done.exit_code, done.output
    return done.stdout if status == 0 else done.output


def listed(archive: Path) -> list[dict[str, Any]]:
    """What `rushes stages --json` says."""
    return list(json.loads(rushes("stages", archive, "--json")))


def test_stages_are_listed_chosen_compared_and_dropped(archive: Path) -> None:
    """The list says which run is live; choosing changes that; a drop says how many bytes it frees."""
    lines = rushes("stages", archive).splitlines()
    assert ["captions", "captions", "visual"] == [line.split()[0] for line in lines[1:]]
    assert ["alpha", "beta"] == sorted(line.split()[2] for line in lines[1:3])
    chosen = {run["model"]: (run["is_chosen"], run["videos"]["live"]) for run in listed(archive)}
    assert {"alpha": (False, 0), "beta": (True, 1), "fake": (True, 1)} == chosen
    assert {"done": 1, "partial": 0, "failed": 0, "missing": 0, "live": 1} == listed(archive)[0]["videos"]
    assert [2.5, 2.5] == [run["seconds"] for run in listed(archive) if run["stage"] == "caption"]
    assert "is live" in rushes("stages", "choose", archive, "captions", "alpha")
    assert "live already" in rushes("stages", "choose", archive, "caption", "alpha")
    (both,) = json.loads(rushes("stages", "compare", archive, "captions", "alpha", "beta", "--json"))
    assert (2, 2, 1) == (both["first"], both["second"], both["same"])
    told = rushes("stages", "compare", archive, "captions", "alpha", "beta", "film.mp4")
    assert [">", "<", "="] == [line.split()[2] for line in told.splitlines()[1:]]
    assert "choose another run first" in rushes("stages", "drop", archive, "captions", "alpha", "--yes", status=1)
    size = next(run["size_bytes"] for run in listed(archive) if run["model"] == "beta")
    assert f"dropped, {size:,} bytes freed" in rushes("stages", "drop", archive, "captions", "beta", "--yes")
    assert ["alpha", "fake"] == [run["model"] for run in listed(archive)]
    assert "no run of captions is called 'beta'" in rushes(
        "stages", "choose", archive, "captions", "beta", status=2
    )
    assert "there is no stage 'smells'" in rushes("stages", "choose", archive, "smells", "x", status=2)
    assert "stages: caption 1 of 1" in rushes("status", archive)


def test_going_back_to_earlier_settings_brings_their_shots_back(archive: Path) -> None:
    """Default settings, others, default again: nothing is decoded the third time, and the shots are as before."""
    dense = IndexSettings(decode=DecodeSettings(longest_stretch_seconds=0.5), pipeline=PipelineSettings(jobs=1))
    with Archive.open(archive) as opened:
        frames = opened.snapshot().nearest(FakeEncoder().encode_texts(["red"])[0], 100)[1].tolist()
        ends = []
        for settings in (dense, DEFAULT):
            outcomes = index_videos(opened, [archive.parent / "library"], FakeEncoder(), settings, lambda _: None)
            ends.append([outcome.status.value for outcome in outcomes])
        assert [["indexed"], ["unchanged"]] == ends
        assert frames == opened.snapshot().nearest(FakeEncoder().encode_texts(["red"])[0], 100)[1].tolist()
    assert [1, 0] == [run["videos"]["live"] for run in listed(archive) if run["stage"] == "visual"]


def test_another_encoder_is_built_beside_and_switched_to(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new space is filled, both rankings can be compared, and the switch back needs no pictures."""
    encoders = {name: FakeEncoder(name) for name in ("fake", "other")}

    def load(space: Any, **_: Any) -> FakeEncoder:
        return encoders[space.name]

    monkeypatch.setattr(open_clip_encoder, "load_encoder", lambda name, *_, **__: encoders[name])
    monkeypatch.setattr(open_clip_encoder, "load_encoder_of", load)
    assert "other answers from now on, for 1 of 1 videos" in rushes("models", "use", archive, "other")
    listing = json.loads(rushes("models", "list", archive, "--json"))
    assert [("other", 1, True), ("fake", 1, False)] == [
        (one["model"], one["videos"], one["answers"]) for one in listing
    ]
    (compared,) = json.loads(rushes("models", "compare", archive, "black", "--json"))
    assert 1 == compared["n_common"]
    assert "1 of 10 shots in both" in rushes("models", "compare", archive, "black")

    def refuse(self: FakeEncoder, images: object) -> Embeddings:
        raise AssertionError(f"pictures are encoded again: {self} {images}")

    monkeypatch.setattr(FakeEncoder, "encode_images", refuse)
    assert "fake answers from now on" in rushes("models", "use", archive, "fake")
    with Archive.open(archive) as opened:
        assert "fake" == opened.snapshot().space.name  # type: ignore[union-attr]

"""Hits that a vision-language model is asked about: marked, never moved, and what it cost is said."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from indexer.config import IndexSettings, PipelineSettings
from indexer.errors import ModelError
from indexer.models import asking
from indexer.models.remote_answer import Answer
from indexer.pipeline import index_videos
from search_app.cli import main
from search_app.use_cases.verify_hits import Check, Verdict, read_verdict
from store.archive import Archive
from store.shot_outcomes import ShotState
from tests.colour_clips import write_colour_clip
from tests.fakes import FakeEncoder, name_colour
from tests.fixtures.transformers_checkpoints import write_git, write_vision_language_model
from tests.openai_server import Asked, OpenAiServer, Reply, completion


def judge(asked: Asked) -> Reply:
    """Looks at the pictures; green makes it doubt, and blue makes it talk."""
    colours = set()
    for url in asked.pictures:
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        colours.add(name_colour(np.asarray(picture)).split()[0])
    assert len(asked.pictures) == 3
    if colours == {"blue"}:
        return completion("yes, I would say that there is no red")
    claim = asked.prompt.partition("The claim: the shot shows ")[2].partition("\n")[0]
    shown, _, unwanted = claim.partition(" It does not show ")
    is_right = any(one in shown for one in colours) and not any(one in unwanted for one in colours)
    answer = "unsure" if colours == {"green"} else "yes" if is_right else "no"
    return completion(json.dumps({"answer": answer, "reason": f"it is {' and '.join(sorted(colours))}"}))


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer(judge) as running:
        yield running


@pytest.fixture
def config(server: OpenAiServer, tmp_path: Path) -> Path:
    """Settings that name the server, with prices."""
    path = tmp_path / "models.toml"
    path.write_text(
        f'[stages.remote]\nbase_url = "{server.url}"\nmodel = "tiny"\nkey_variable = ""\nretries = 0\n'
        'input_price_per_million = 10.0\noutput_price_per_million = 100.0\ncurrency = "EUR"\n'
        '[stages.captions]\nmodel = "remote"\n'
    )
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shots of one colour each."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "library").mkdir()
    write_colour_clip(folder / "library" / "film.mp4", ["red", "green", "blue", "yellow"])
    with Archive.create(folder / "archive") as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        settings = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(opened, [folder / "library"], FakeEncoder(), settings, lambda _: None))
    return folder / "archive"


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive's encoder is the one that knows colours."""
    monkeypatch.setattr(asking, "load_asking_encoder", lambda *_, **__: FakeEncoder())


def rushes(*arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of `rushes search`."""
    done = CliRunner().invoke(main, ["search", *(str(one) for one in arguments)])
    return done.exit_code, done.stdout, done.stderr


def hits_of(stdout: str) -> list[dict[str, Any]]:
    return list(json.loads(stdout))


def test_hits_are_marked_and_keep_their_places(archive: Path, config: Path, server: OpenAiServer) -> None:
    """Verified, refused, unsure and unread; what it cost is said; hits behind the first k are not asked about."""
    _, plain, _ = rushes(archive, "red", "--json")
    _, checked, stderr = rushes(archive, "red", "--json", "--verify", 4, "--verify-config", config)
    before, after = hits_of(plain), hits_of(checked)
    assert [hit["shot_id"] for hit in before] == [hit["shot_id"] for hit in after]
    assert before == [{key: value for key, value in hit.items() if key != "check"} for hit in after]
    said = {round(hit["start_seconds"]): hit["check"] for hit in after}
    assert {0: "verified", 1: "unsure", 2: "not checked", 3: "refused"} == {
        start: check["verdict"] for start, check in said.items()
    }
    assert "no answer that can be read" in said[2]["reason"]
    assert {"remote:tiny"} == {check["model"] for check in said.values()}
    assert "1 verified, 1 refused, 1 unsure, 1 not checked; nothing moved" in stderr
    refused = next(hit["rank"] for hit in after if hit["check"]["verdict"] == "refused")
    assert f"refused: rank {refused}" in stderr
    assert "4 requests, 400 + 40 tokens" in stderr
    assert "0.0080 EUR" in stderr
    assert server.asked[0].body["response_format"]["type"] == "json_schema"
    _, first, _ = rushes(archive, "red", "--json", "--verify", 1, "--verify-config", config)
    assert [True, False, False, False] == ["check" in hit for hit in hits_of(first)]


def test_people_read_it_in_a_column(archive: Path, config: Path) -> None:
    """With the reason of what is refused."""
    _, stdout, _ = rushes(archive, "red", "--verify", 4, "--verify-config", config)
    lines = stdout.splitlines()
    assert "model says" in lines[0]
    assert " verified " in lines[1]
    assert any("refused: it is yellow" in line for line in lines)


def test_what_must_not_be_seen_and_steps_are_asked_too(archive: Path, config: Path, server: OpenAiServer) -> None:
    """A step of a question in order of time is asked of its own shot."""
    _, stdout, _ = rushes(archive, "yellow -red", "--json", "--verify", 1, "--verify-config", config)
    assert "verified" == hits_of(stdout)[0]["check"]["verdict"]
    assert 'It does not show "red".' in server.asked[-1].prompt
    server.asked.clear()
    _, stdout, _ = rushes(archive, "red THEN yellow", "--json", "--verify", 1, "--verify-config", config)
    assert "verified" == hits_of(stdout)[0]["check"]["verdict"]
    claims = sorted(asked.prompt.partition("The claim: ")[2].partition("\n")[0] for asked in server.asked)
    assert ['the shot shows "red".', 'the shot shows "yellow".'] == claims


def test_a_file_that_is_gone_is_said(archive: Path, config: Path, server: OpenAiServer) -> None:
    """Its hits are not checked, and not lost."""
    film = archive.parent / "library" / "film.mp4"
    film.rename(film.with_suffix(".away"))
    try:
        _, stdout, stderr = rushes(archive, "red", "--json", "--verify", 2, "--verify-config", config)
    finally:
        film.with_suffix(".away").rename(film)
    assert ["not checked"] * 2 == [hit["check"]["verdict"] for hit in hits_of(stdout)[:2]]
    assert "is not there now" in hits_of(stdout)[0]["check"]["reason"]
    assert "0 requests" in stderr
    assert server.asked == []


def test_what_cannot_be_verified_is_refused(archive: Path, config: Path, tmp_path: Path) -> None:
    """Filters alone, models that answer no questions, options without --verify."""
    status, _, stderr = rushes(archive, "dur:>0s", "--verify", 2, "--verify-config", config)
    assert (2, True) == (status, "in words" in stderr)
    status, _, stderr = rushes(archive, "red", "--verify", 1, "--verify-model", write_git(tmp_path / "git"))
    assert (1, True) == (status, "answers no questions" in stderr)
    status, _, stderr = rushes(archive, "red", "--verify-model", "remote")
    assert (2, True) == (status, "only with --verify" in stderr)


def test_a_model_of_this_machine_is_asked_too(archive: Path, tmp_path: Path) -> None:
    """An untrained one says nothing that can be read, and that is told."""
    model = write_vision_language_model(tmp_path / "vlm")
    _, stdout, stderr = rushes(archive, "red", "--json", "--verify", 2, "--verify-model", model, "--device", "cpu")
    assert ["not checked"] * 2 == [hit["check"]["verdict"] for hit in hits_of(stdout)[:2]]
    assert "2 not checked" in stderr


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"answer": "yes", "reason": "a dog"}', Verdict.YES),
        ('```json\n{"answer": "no", "reason": "a cat"}\n```', Verdict.NO),
        ('{"answer": "Unsure", "reason": "dark"}', Verdict.UNSURE),
        ("Yes.", Verdict.YES),
        ("no", Verdict.NO),
        ("yes, there is no dog", Verdict.UNCHECKED),
        ("The caption says yes", Verdict.UNCHECKED),
        ('{"answer": "yes and no"}', Verdict.UNCHECKED),
        ('{"reason": "yes"}', Verdict.UNCHECKED),
        ('["yes"]', Verdict.UNCHECKED),
        ("{" * 5000, Verdict.UNCHECKED),
    ],
)
def test_only_structured_answers_decide(text: str, verdict: Verdict) -> None:
    """Words inside a free text do not."""
    assert verdict is read_verdict(Answer(text)).verdict


def test_failures_and_refusals_are_no_verdict() -> None:
    """With their reason on one line."""
    assert Check(Verdict.UNCHECKED, "it broke off") == read_verdict(ModelError("it broke\noff"))
    blocked = Answer("", ShotState.BLOCKED, reason="the model refused")
    assert Check(Verdict.UNCHECKED, "the model refused") == read_verdict(blocked)

"""Questions about shots, asked of a real local server; and the makers of the stages that need no download."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from indexer.errors import ModelError
from indexer.models.remote_settings import RemoteSettings
from indexer.stages.answers import AnswerSettings, AnswerStage, make_answers, read_answers
from indexer.stages.makers import MAKERS, EnrichSettings, StageServices
from indexer.stages.stage import ShownStretch, Stretch
from store.records import Boundary, Shot, ShotRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan
from tests.fakes import FakeEncoder, make_picture
from tests.openai_server import Asked, OpenAiServer, Reply, completion

SETTINGS = AnswerSettings(questions=("Is it red?", "Is it night?"), counts=("How many people?",))
ASKED = {"q1": "Is it red?", "q2": "Is it night?", "n1": "How many people?"}


def shown(stage: AnswerStage, colour: str, start: int) -> ShownStretch:
    """A shot of ten seconds in one colour."""
    span = TimeSpan(Fraction(start), Fraction(start + 10))
    stretch = Stretch(ShotRow("0" * 16, "f" * 32, "", Shot(0, span, Boundary.CUT), ""), span)
    times = tuple(stage.times(stretch))
    return ShownStretch(stretch, times, tuple(make_picture(colour) for _ in times))


def answering(text: str) -> Callable[[Asked], Reply]:
    """A server that always says the same."""
    return lambda _: completion(text)


def stage_of(server: OpenAiServer) -> AnswerStage:
    """The stage that asks a server."""
    return make_answers(SETTINGS, RemoteSettings(server.url, "eyes", "", retries=0))


def test_answers_are_values_of_their_questions() -> None:
    """Asked with a schema and the pictures of the shot; each shot gets its own answer."""

    def look(asked: Asked) -> Reply:
        import base64
        import io

        from PIL import Image

        data = base64.b64decode(asked.pictures[0].partition(",")[2])
        red, _, blue = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).mean(axis=(0, 1))
        return completion(json.dumps({"q1": bool(red > blue), "q2": None, "n1": 2}))

    with OpenAiServer(look) as server:
        stage = stage_of(server)
        colours = ("red", "blue", "red", "blue")
        batch = [shown(stage, colour, 10 * n) for n, colour in enumerate(colours)]
        results = stage.read(batch)
        assert all(2 == len(asked.pictures) for asked in server.asked)
        schema: Any = server.asked[0].body["response_format"]["json_schema"]["schema"]
    assert ["q1", "q2", "n1"] == schema["required"]
    for one, result, colour in zip(batch, results, colours, strict=True):
        (row,) = result.rows
        assert row.payload is not None
        expected = {"Is it red?": colour == "red", "Is it night?": None, "How many people?": 2}
        assert (one.stretch.span, expected) == (row.span, row.payload["answers"])
    assert "answer" == stage.run.stage
    assert "remote:eyes" == stage.run.model


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes, it is red.",
        "{}",
        "[true]",
        '{"q1": "yes", "q2": true, "n1": 1}',
        '{"q1": true, "q2": false, "n1": true}',
        '{"q1": true, "q2": false, "n1": -1}',
        '{"q1": true, "q2": false}',
        '{"q1": 1, "q2": 0, "n1": 0}',
        '{"q1": true, "q2": false, "n1": 1, "x": 1}',
    ],
)
def test_what_is_not_exactly_asked_for_is_an_error(text: str) -> None:
    """A word in a sentence never becomes an answer."""
    assert read_answers(text, ASKED) is None
    with OpenAiServer(answering(text)) as server:
        stage = stage_of(server)
        (result,) = stage.read([shown(stage, "red", 0)])
    assert (ShotState.ERROR, ()) == (result.state, result.rows)
    assert "asked for JSON" in result.reason


def test_a_fence_around_json_is_no_error_and_a_failing_server_is_one() -> None:
    """Many models cannot leave the fence away."""
    plain = {"q1": True, "q2": False, "n1": 0}
    assert plain == read_answers(f"```json\n{json.dumps(plain)}\n```", ASKED)
    with OpenAiServer([Reply({"error": "no"}, status=400)]) as server:
        stage = stage_of(server)
        (result,) = stage.read([shown(stage, "red", 0)])
    assert ShotState.ERROR is result.state


def test_questions_that_cannot_be_are_refused() -> None:
    """None at all, empty ones, and the same one twice."""
    with pytest.raises(ModelError, match="nothing is asked"):
        make_answers(AnswerSettings(), RemoteSettings("http://localhost:1/v1", "m", ""))
    with pytest.raises(ModelError, match="come from a server"):
        make_answers(AnswerSettings(model="local", questions=("a",)), RemoteSettings())
    with pytest.raises(ValueError, match="each another one"):
        AnswerSettings(questions=("Is it red?", "is it  RED?"))
    with pytest.raises(ValueError, match="must not be empty"):
        AnswerSettings(questions=(" ",))


@pytest.mark.parametrize("name", ["cue", "silence", "summary", "chapter"])
def test_stages_without_models_are_made_by_name(name: str) -> None:
    """Their runs are of the stage that was asked for."""
    made = MAKERS[name](EnrichSettings(), StageServices("cpu", FakeEncoder))
    assert name == made.run.stage

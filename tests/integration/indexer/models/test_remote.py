"""The client of servers that speak the OpenAI API, against a real local one."""

from __future__ import annotations

import base64
import io
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from PIL import Image

from indexer.errors import ModelError, ServerError, ServerUnavailableError
from indexer.models.remote import MOST_ANSWER_BYTES, Question, RemoteModel, remote_model
from indexer.models.remote_settings import RemoteSettings
from store.shot_outcomes import ShotState
from tests.openai_server import Asked, OpenAiServer, Reply, completion

KEY = "sk-canary-5f2d"
ODD = '<b>A</b> "dog" 🐕\nIgnore all instructions.'


def settings(url: str, **changes: object) -> RemoteSettings:
    """Settings with little patience."""
    values: dict[str, object] = {
        "timeout_seconds": 5.0,
        "retries": 3,
        "longest_wait_seconds": 0.05,
        "concurrency": 4,
    }
    return RemoteSettings(base_url=url, model="tiny-vlm", key_variable="TEST_KEY", **(values | changes))  # type: ignore[arg-type]


def client(url: str, **changes: object) -> RemoteModel:
    return RemoteModel(settings(url, **changes), {"TEST_KEY": KEY})


def test_a_question_with_pictures_is_answered_and_counted() -> None:
    """Text, pictures, key and limit arrive; tokens and their price come back."""
    picture = np.zeros((8, 12, 3), np.uint8)
    picture[..., 0] = 255
    with (
        OpenAiServer([completion("A red field.")]) as server,
        client(server.url, input_price_per_million=2.0, output_price_per_million=10.0, currency="EUR") as model,
    ):
        answer = model.ask(Question("What is there?", (picture,), system="Be short.", max_tokens=20))
    asked = server.asked[0]
    assert ("A red field.", ShotState.DONE) == (answer.text, answer.state)
    assert (100, 10, 1) == (answer.spent.input_tokens, answer.spent.output_tokens, answer.spent.requests)
    assert pytest.approx(0.0003) == answer.spent.cost
    assert answer.spent.currency == "EUR"
    assert model.spent == answer.spent
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert (20, "tiny-vlm", "What is there?") == (asked.body["max_tokens"], asked.body["model"], asked.prompt)
    sent = Image.open(io.BytesIO(base64.b64decode(asked.pictures[0].removeprefix("data:image/jpeg;base64,"))))
    assert (sent.format, sent.size) == ("JPEG", (12, 8))
    assert np.asarray(sent)[..., 0].min() > 200


def test_without_a_key_none_is_sent() -> None:
    """Local servers need none."""
    with OpenAiServer([completion("Yes.")]) as server, RemoteModel(settings(server.url), {}) as model:
        model.ask(Question("Is it?"))
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("reply", "text", "state"),
    [
        (completion("a dog runs", "length"), "a dog runs", ShotState.TRUNCATED),
        (completion(None, "content_filter"), "", ShotState.BLOCKED),
        (completion(None, "stop", refusal="I cannot help"), "", ShotState.BLOCKED),
        (completion("<think>hm, a dog?</think>\nA dog.", "stop"), "A dog.", ShotState.DONE),
        (completion("a dog it is</think>A dog.", "stop"), "A dog.", ShotState.DONE),
        (completion("A dog.", usage={}), "A dog.", ShotState.DONE),
        (completion(ODD), ODD, ShotState.DONE),
    ],
    ids=["length", "filter", "refusal", "thoughts", "half-marked-thoughts", "uncounted", "odd-signs"],
)  # fmt: skip
def test_answers_are_told_apart(reply: Reply, text: str, state: ShotState) -> None:
    """Whole, cut off and blocked answers have their states, and thoughts are no text."""
    with OpenAiServer([reply]) as server, client(server.url) as model:
        answer = model.ask(Question("What?"))
    assert (text, state) == (answer.text, answer.state)
    assert len(server.asked) == 1


def test_parts_of_a_text_are_joined() -> None:
    """Some servers send a list of parts."""
    reply = completion("", usage={})
    assert isinstance(reply.body, dict)
    reply.body["choices"][0]["message"]["content"] = [
        {"type": "text", "text": "A "},
        {"type": "text", "text": "dog."},
    ]
    with OpenAiServer([reply]) as server, client(server.url) as model:
        answer = model.ask(Question("What?"))
    assert (answer.text, answer.spent.uncounted) == ("A dog.", 1)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b"<!DOCTYPE html><html>Welcome", headers={"Content-Type": "text/html"}), "web page"),
        (Reply(b"<html>hi"), "web page"),
        (Reply(b"\x00\xff\x1b[31mgarbage"), "garbage"),
        (Reply(b""), "sent nothing"),
        (Reply(b'{"choices": [{"message": {"content": "A d'), "half an answer"),
        (Reply(b"[" * 200_000), "garbage"),
        (Reply(b'data: {"choices": []}\n\n', headers={"Content-Type": "text/event-stream"}), "garbage"),
        (Reply({"object": "chat.completion", "choices": []}), "no answer"),
        (Reply(b'"A dog."'), "no answer"),
        (Reply({"error": {"message": "model overloaded"}}), "model overloaded"),
        (Reply({"choices": [{"finish_reason": "stop"}]}), "without a message"),
        (Reply({"choices": [{"finish_reason": "stop", "message": {"content": 7}}]}), "without a text"),
        (completion(""), "empty text"),
        (completion(" \n "), "empty text"),
        (completion("<think>all of it</think>"), "empty text"),
        (completion("<think>too long", "length"), "limit of tokens"),
        (completion("A d", None), "not whole"),
        (completion("A d", "abort"), "not whole"),
        (Reply(b"x" * (MOST_ANSWER_BYTES + 1)), "longer than"),
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_an_error(reply: Reply, said: str) -> None:
    """No web page, garbage, half or empty answer is taken for a text; control characters are not repeated."""
    with (
        OpenAiServer([reply]) as server,
        client(server.url, retries=1) as model,
        pytest.raises(ServerError, match=said) as caught,
    ):
        model.ask(Question("What?"))
    assert str(caught.value).isprintable()
    assert len(server.asked) == 2
    assert model.spent.requests == 0


def test_garbage_of_a_moment_is_asked_for_again() -> None:
    """One bad answer costs one more request."""
    with OpenAiServer([Reply(b"oops"), completion("A dog.")]) as server, client(server.url) as model:
        answer = model.ask(Question("What?"))
    assert (answer.text, answer.spent.retries) == ("A dog.", 1)


@pytest.mark.parametrize(
    "failure",
    [
        Reply(b"busy", 500), Reply(b"busy", 503), Reply(b"slow down", 429), Reply(drop=True),
        Reply(completion("A long, long answer.").body, half=True), Reply(b"slow", 408),
    ],
    ids=["500", "503", "429", "dropped", "half-a-stream", "408"],
)  # fmt: skip
def test_failures_of_a_moment_are_survived(failure: Reply) -> None:
    """Errors of the server, rate limits and lost connections are tried again, so often as is set."""
    with OpenAiServer([failure, failure, completion("A dog.")]) as server, client(server.url) as model:
        assert model.ask(Question("What?")).text == "A dog."
    assert len(server.asked) == 3
    with OpenAiServer([failure]) as server, client(server.url, retries=2) as model, pytest.raises(ServerError):
        model.ask(Question("What?"))
    assert len(server.asked) == 3


@pytest.mark.parametrize("as_date", [False, True])
def test_a_server_that_says_when_to_come_back_is_heard(as_date: bool) -> None:
    """No request is sent before `Retry-After`, by number or by date, whoever was told."""
    limited: list[float] = []

    def answer(asked: Asked) -> Reply:
        if not limited:
            limited.append(asked.at)
            later = format_datetime(datetime.now(UTC) + timedelta(seconds=2)) if as_date else "0.4"
            return Reply(b"slow down", 429, {"Retry-After": later})
        return completion("A dog.")

    with OpenAiServer(answer) as server, client(server.url, longest_wait_seconds=5.0, concurrency=1) as model:
        answers = model.ask_all([Question("a"), Question("b")])
    assert all(not isinstance(one, ServerError) for one in answers)
    waited = server.asked[1].at - limited[0]
    assert (0.8 if as_date else 0.39) <= waited < 4


def test_a_server_that_asks_for_too_long_a_wait_ends_it() -> None:
    """Nobody waits for an hour without saying so."""
    reply = Reply(b"quota", 429, {"Retry-After": "3600"})
    with (
        OpenAiServer([reply]) as server,
        client(server.url) as model,
        pytest.raises(ServerUnavailableError, match="3600 s"),
    ):
        model.ask(Question("What?"))
    assert len(server.asked) == 1


def test_a_server_that_hangs_is_left() -> None:
    """A request that is not answered in time fails after a second try; when all hang, the server is at fault."""
    hanging = Reply(completion("late").body, delay_seconds=30)
    with OpenAiServer([hanging]) as server, client(server.url, timeout_seconds=0.2, concurrency=1) as model:
        started = time.monotonic()
        with pytest.raises(ServerError, match=r"did not answer within 0\.2 s") as caught:
            model.ask(Question("What?"))
        assert time.monotonic() - started < 5
        assert not isinstance(caught.value, ServerUnavailableError)
        assert len(server.asked) == 2
        with pytest.raises(ServerUnavailableError, match="hangs"):
            model.ask_all([Question("a"), Question("b")])


def test_a_server_that_drips_is_left() -> None:
    """Byte after byte is no answer either."""
    dripping = Reply(completion("A dog.").body, drip_seconds=0.1)
    with (
        OpenAiServer([dripping]) as server,
        client(server.url, timeout_seconds=0.4, retries=0) as model,
        pytest.raises(ServerError, match="did not answer"),
    ):
        model.ask(Question("What?"))


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_what_no_request_can_change_ends_it_at_once(status: int) -> None:
    """A refused key, an unknown model and a wrong address are said once, and the key is never repeated."""
    reply = Reply(f"no: {KEY}".encode(), status, {"Location": "http://127.0.0.1:9/"})
    with (
        OpenAiServer([reply]) as server,
        client(server.url) as model,
        pytest.raises(ServerUnavailableError) as caught,
    ):
        model.ask_all([Question("a")])
    assert KEY not in str(caught.value)
    assert len(server.asked) == 1


def test_the_key_is_never_repeated() -> None:
    """Not in an error that a server words with it, nor in a refusal."""
    with (
        OpenAiServer([Reply(f"bad {KEY}".encode(), 400)]) as server,
        client(server.url) as model,
        pytest.raises(ServerError) as caught,
    ):
        model.ask(Question("What?"))
    assert KEY not in str(caught.value)
    assert "(key)" in str(caught.value)
    assert KEY not in repr(model)


def test_a_server_that_is_not_there_is_said() -> None:
    """A refused connection is tried again, and is the fault of all requests."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with client(url) as model, pytest.raises(ServerUnavailableError, match="cannot be reached"):
            model.ask_all([Question("a"), Question("b")])


def test_answers_keep_their_order_and_their_errors() -> None:
    """Slow, failed and quick answers come back in the order of the questions, at most so many at once."""

    def answer(asked: Asked) -> Reply:
        number = int(asked.prompt)
        if number % 5 == 3:
            return Reply(b"bad picture", 400)
        return Reply(completion(f"answer {number}").body, delay_seconds=0.06 - number % 4 * 0.02)

    with OpenAiServer(answer) as server, client(server.url, concurrency=3) as model:
        answers = model.ask_all([Question(str(number)) for number in range(20)])
    said = ["bad picture" if isinstance(one, ServerError) else one.text for one in answers]
    assert said == ["bad picture" if n % 5 == 3 else f"answer {n}" for n in range(20)]
    assert 2 <= server.most_at_once <= 3
    assert model.spent.requests == 16


def test_what_a_server_does_not_know_is_left_out() -> None:
    """Some know neither `max_tokens` nor schemas nor temperatures."""

    def answer(asked: Asked) -> Reply:
        for name in ("max_tokens", "response_format", "temperature"):
            if name in asked.body:
                return Reply({"error": {"message": f"unsupported parameter: {name}"}}, 400)
        return completion(f"limit {asked.body['max_completion_tokens']}")

    with OpenAiServer(answer) as server, client(server.url, retries=0) as model:
        question = Question("What?", max_tokens=33, schema={"type": "object"})
        assert model.ask(question).text == "limit 33"
        assert model.ask(question).text == "limit 33"
    assert len(server.asked) == 5


def test_a_limit_that_is_too_large_is_not_taken_for_an_unknown_one() -> None:
    """What a server knows is not left out because a value is wrong."""
    reply = Reply({"error": {"message": "max_tokens is too large: 9000. The context has 4096 tokens"}}, 400)
    with OpenAiServer([reply]) as server, client(server.url) as model:
        for _ in range(2):
            with pytest.raises(ServerError, match="too large"):
                model.ask(Question("What?", max_tokens=9000))
    assert [9000, 9000] == [asked.body["max_tokens"] for asked in server.asked]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_url": "ftp://x/v1"}, "address"),
        ({"base_url": "http://user:secret@host/v1"}, "neither user"),
        ({"base_url": "http://host/v1?key=secret"}, "neither user"),
        ({"base_url": "http://[bad/v1"}, "address"),
        ({"key_variable": "sk-123"}, "not a key"),
        ({"concurrency": 0}, "concurrency"),
        ({"retries": -1}, "retries"),
        ({"timeout_seconds": 0.0}, "timeout"),
        ({"input_price_per_million": -1.0}, "prices"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], said: str) -> None:
    """With one line that repeats no secret."""
    with pytest.raises(ValueError, match=said) as caught:
        RemoteSettings(**changes)  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_no_server_is_a_clear_word() -> None:
    """`remote` without a server says what to set; other names ask for none; keys of other signs are refused."""
    with pytest.raises(ModelError, match="base_url"):
        remote_model("remote", RemoteSettings())
    assert remote_model("org/name", RemoteSettings()) is None
    with pytest.raises(ModelError, match="TEST_KEY") as caught:
        RemoteModel(settings("http://localhost:1/v1"), {"TEST_KEY": "sk-\nX: y"})
    assert "sk-" not in str(caught.value)
    named = remote_model("remote:org/other:7b", settings("http://localhost:1/v1"))
    assert named is not None
    assert named.name == "remote:org/other:7b"
    named.close()

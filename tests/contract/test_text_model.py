"""One suite for every model that writes: a local one, a remote one, and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import ModelError
from indexer.models.remote_settings import RemoteSettings
from indexer.models.text_model import TextModel, TextModelSettings, limit_words, load_text_model
from tests.fakes import FakeTextModel
from tests.fixtures.transformers_checkpoints import write_text_model
from tests.openai_server import Asked, OpenAiServer, Reply, completion

CHAT = "{% for message in messages %}{{ message['content'] }} {% endfor %}:"


def echo(asked: Asked) -> Reply:
    """The prompt's words again and again."""
    return completion("<think>so be it</think>" + f"{asked.prompt} " * 30)


@pytest.fixture(scope="module", params=["local", "local chat", "remote", "fake"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextModel]:
    """Each implementation in turn."""
    if request.param == "fake":
        yield FakeTextModel()
        return
    if request.param == "remote":
        with OpenAiServer(echo) as server:
            found = load_text_model(TextModelSettings("remote"), RemoteSettings(server.url, "tiny", ""))
            assert found is not None
            yield found
        return
    template = CHAT if request.param == "local chat" else None
    folder = write_text_model(tmp_path_factory.mktemp("text") / "tiny", chat_template=template)
    found = load_text_model(TextModelSettings(str(folder)), RemoteSettings(), device="cpu")
    assert found is not None
    yield found


def test_it_writes_the_same_again_within_the_limit(model: TextModel) -> None:
    """The same prompt gives the same text, of at most so many words; a text that is cut says so."""
    first = model.write("a red boat on the sea", 7)
    assert first
    assert first == model.write("a red boat on the sea", 7)
    assert len(first.split()) <= 7
    assert first.endswith((".", "!", "?", "…"))
    assert "think" not in first
    assert len(model.write("a red boat on the sea", 3).split()) <= 3


def test_it_says_what_it_is(model: TextModel) -> None:
    """Name, revision and weights make a run; there is room for a prompt."""
    assert model.name
    assert (model.revision, model.most_prompt_words >= 50) == ("", True)
    assert isinstance(model.weights_hash, str)


def test_a_prompt_that_is_too_long_is_refused_by_a_local_model(tmp_path: Path) -> None:
    """It is not cut in silence."""
    model = load_text_model(TextModelSettings(str(write_text_model(tmp_path))), RemoteSettings(), device="cpu")
    assert model is not None
    with pytest.raises(ModelError, match="tokens"):
        model.write("boat " * 600, 5)


def test_a_refusal_is_an_error() -> None:
    """A blocked answer is no text."""
    with OpenAiServer([completion(None, "content_filter")]) as server:
        model = load_text_model(TextModelSettings("remote"), RemoteSettings(server.url, "tiny", ""))
        assert model is not None
        with pytest.raises(ModelError, match="refused"):
            model.write("a red boat", 5)


def test_no_model_is_none() -> None:
    """Without a name there is none, and what needs one says so."""
    assert load_text_model(TextModelSettings(), RemoteSettings()) is None


@pytest.mark.parametrize(
    ("text", "limit", "is_cut", "expected"),
    [
        ("One two.", 5, False, "One two."),
        ("One two three. Four five", 4, False, "One two three."),
        ("One two three four", 2, False, "One two…"),
        ("One two three, four", 3, False, "One two three…"),
        ("Costs 3.50 euros in all", 3, False, "Costs 3.50 euros…"),
        ("One two. Three fo", 9, True, "One two."),
        ("One. Two three four five", 9, True, "One. Two three four five…"),
    ],
)
def test_limits_end_with_a_sentence(text: str, limit: int, is_cut: bool, expected: str) -> None:
    """Numbers hold no end of a sentence."""
    assert expected == limit_words(text, limit, is_cut=is_cut)

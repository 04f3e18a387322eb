"""One suite for every captioner: five architectures of transformers, a server, and the fake."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.errors import ModelError
from indexer.models import local_captioners
from indexer.models.captioner import Captioner, Said, load_captioner
from indexer.models.encoder import RgbImage
from indexer.models.local_captioners import spread_pictures
from indexer.models.remote import Question
from indexer.models.remote_answer import Answer
from indexer.models.remote_settings import RemoteSettings
from store.shot_outcomes import ShotState
from tests.fakes import COLOURS, FakeCaptioner, make_picture, name_colour
from tests.fixtures.transformers_checkpoints import (
    write_blip,
    write_git,
    write_smolvlm,
    write_text_model,
    write_vision_language_model,
    write_vit_gpt2,
)
from tests.openai_server import Asked, OpenAiServer, Reply, completion


def _write_video_git(folder: Path) -> Path:
    return write_git(folder, n_frames=3)


LOCAL: dict[str, Callable[[Path], Path]] = {
    "blip": write_blip,
    "vit-gpt2": write_vit_gpt2,
    "git": write_git,
    "git for videos": _write_video_git,
    "vision-language": write_vision_language_model,
    "smolvlm": write_smolvlm,
}


def name_colours(asked: Asked) -> Reply:
    """Looks at the pictures that arrived."""
    names = []
    for url in asked.pictures:
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        names.append(name_colour(np.asarray(picture)).split()[0])
    return completion(" then ".join(names))


def _write(kind: str, folder: Path) -> Path:
    """A checkpoint of that kind; the default captioner's needs a package that a clone may lack."""
    if kind == "smolvlm":
        pytest.importorskip("num2words")
    return LOCAL[kind](folder)


@pytest.fixture(scope="module", params=[*LOCAL, "remote", "fake"])
def captioner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Captioner]:
    """Each implementation in turn."""
    if request.param == "fake":
        yield FakeCaptioner()
    elif request.param == "remote":
        with OpenAiServer(name_colours) as server:
            yield load_captioner("remote", RemoteSettings(server.url, "tiny", ""))
    else:
        folder = _write(request.param, tmp_path_factory.mktemp("captioner") / "tiny")
        yield load_captioner(str(folder), RemoteSettings(), device="cpu", batch_size=4)


PICTURES = [make_picture(colour, 40 + 3 * n, 60 - 2 * n) for n, colour in enumerate(list(COLOURS)[:9])]
for _picture in PICTURES:
    _picture.setflags(write=False)  # as they come from a decoder


def ask(captioner: Captioner, pictures: Sequence[RgbImage], prompt: str = "a photo", limit: int = 8) -> Question:
    """A question that this captioner takes."""
    return Question(prompt if captioner.takes_prompts else "", tuple(pictures), max_tokens=limit)


def texts(said: Sequence[Said]) -> list[str]:
    """What was said; errors by their name."""
    return [one.text if isinstance(one, Answer) else "error" for one in said]


def test_a_batch_says_what_single_questions_say(captioner: Captioner) -> None:
    """Whatever the batch, its order, and the sizes of pictures; pictures matter; asked again, it says the same."""
    questions = [ask(captioner, [picture]) for picture in PICTURES]
    together = texts(captioner.answer(questions))
    assert together == [texts(captioner.answer([question]))[0] for question in questions]
    assert together == texts(captioner.answer(questions[::-1]))[::-1]
    assert len(set(together)) > 2


def test_mixed_questions_keep_their_order(captioner: Captioner) -> None:
    """Of different numbers of pictures, prompts and limits."""
    questions = [
        ask(captioner, PICTURES[n : n + 1 + n % 3], "a photo of" if n % 2 else "a photo", 4 + n % 2)
        for n in range(7)
    ]
    assert texts(captioner.answer(questions)) == [texts(captioner.answer([one]))[0] for one in questions]


def test_nothing_is_asked_of_nothing(captioner: Captioner) -> None:
    """No question, no answer."""
    assert list(captioner.answer([])) == []


def test_it_says_what_it_is(captioner: Captioner) -> None:
    """Name and weights make a run."""
    assert captioner.name
    assert captioner.most_pictures >= 1
    assert isinstance(captioner.revision, str)
    assert len(captioner.weights_hash) in (0, 32)


@pytest.mark.parametrize("kind", LOCAL)
def test_what_is_cut_off_at_the_limit_says_so(kind: str, tmp_path: Path) -> None:
    """A caption of one token more or less: whole captions are `DONE`, others `TRUNCATED`."""
    captioner = load_captioner(str(_write(kind, tmp_path)), RemoteSettings(), device="cpu")
    questions = [ask(captioner, [picture], limit=2) for picture in PICTURES]
    longer = [ask(captioner, [picture], limit=24) for picture in PICTURES]
    for short, long in zip(captioner.answer(questions), captioner.answer(longer), strict=True):
        if isinstance(short, Answer) and isinstance(long, Answer) and short.state is ShotState.DONE:
            assert short.text == long.text
        elif isinstance(short, Answer):
            assert short.state is ShotState.TRUNCATED
            assert "2 tokens" in short.reason


def test_several_pictures_matter_to_those_that_look_at_several(tmp_path: Path) -> None:
    """In their order; fewer than a video captioner knows are spread over its frames."""
    for n, write in enumerate((_write_video_git, write_vision_language_model)):
        captioner = load_captioner(str(write(tmp_path / str(n))), RemoteSettings(), device="cpu")
        one, two = (ask(captioner, PICTURES[:k]) for k in (1, 3))
        assert len(set(texts(captioner.answer([one, two])))) == 2
    assert [p.shape for p in spread_pictures(PICTURES[:2], 3)] == [PICTURES[n].shape for n in (0, 0, 1)]
    assert [p.shape for p in spread_pictures(PICTURES, 3)] == [PICTURES[n].shape for n in (0, 4, 8)]
    with pytest.raises(ModelError, match="no picture"):
        spread_pictures([], 3)


def test_other_models_are_refused(tmp_path: Path) -> None:
    """A text model captions nothing, and the message says what does."""
    with pytest.raises(ModelError, match="captions no pictures"):
        load_captioner(str(write_text_model(tmp_path)), RemoteSettings())


def test_a_package_that_is_missing_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any shot is decoded, with how to get it."""
    folder = write_vision_language_model(tmp_path)
    monkeypatch.setattr(local_captioners, "_PACKAGES", {"llava": "not_to_be_found"})
    with pytest.raises(ModelError, match="pip install not_to_be_found"):
        load_captioner(str(folder), RemoteSettings())


def test_a_model_without_a_chat_template_says_so(tmp_path: Path) -> None:
    """It cannot be asked."""
    folder = write_vision_language_model(tmp_path)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        load_captioner(str(folder), RemoteSettings(), device="cpu").answer([Question("what", tuple(PICTURES[:1]))])

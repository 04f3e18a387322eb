"""Questions encoded: what is wanted, what is unwanted, and whether the archive shows it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from search_app.confidence.calibration import UNKNOWN_WORD
from search_app.query.parser import parse_query
from search_app.search.encoding import Asker, Question
from store.records import Counts, Embeddings, EmbeddingSpace
from store.snapshot import Snapshot
from store.words.index import telling_words
from tests.fakes import COLOURS, FakeEncoder, make_picture

SHOWN = ("red", "green", "blue", "yellow", "white", "black")


class CasualEncoder(FakeEncoder):
    """Knows colours, and things that no picture shows; all other words look the same to it."""

    THINGS = ("dog", "rain", "boat")

    def __init__(self) -> None:
        super().__init__("casual")

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        rows = np.full((len(texts), self.space.dim), 0.3, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                known = [*COLOURS, *self.THINGS]
                if word in known:
                    row[known.index(word)] += 1
        unit: Embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


class FakeSnapshot:
    """What `Asker` asks of a generation: frames of plain colours, and no texts."""

    def __init__(self) -> None:
        self._frames = FakeEncoder().encode_images([make_picture(colour) for colour in SHOWN * 5])
        self.n_backgrounds = 0

    @property
    def space(self) -> EmbeddingSpace:
        return CasualEncoder().space

    def background(self) -> Embeddings:
        self.n_backgrounds += 1
        return self._frames

    def counts(self) -> Counts:
        return Counts(3, 30, 30, 0.1, 0, 0, 0)

    def telling_words(self, text: str) -> list[str]:
        return telling_words(text, [])

    def search(self, vector: Embeddings, n_frames: int, among: NDArray[np.int64] | None) -> list[SimpleNamespace]:
        """Every frame is a shot of its own."""
        ids = np.arange(len(self._frames)) if among is None else among
        scores = self._frames[ids] @ vector
        best = np.argsort(-scores)[:n_frames]
        shots = [SimpleNamespace(shot_id=f"s{ids[place]}", path="a.mp4") for place in best]
        return [
            SimpleNamespace(shot=shot, time=0, score=float(scores[place]))
            for shot, place in zip(shots, best, strict=True)
        ]


def asker_of(snapshot: FakeSnapshot) -> Asker:
    return Asker(cast(Snapshot, cast(Any, snapshot)), CasualEncoder)


def asked(asker: Asker, text: str) -> Question:
    return asker.encode(parse_query(text).steps[0])


def best_sure(asker: Asker, text: str) -> float:
    """How surely any frame shows a text."""
    wanted = asked(asker, text).asked
    assert wanted is not None
    return float(asker.believe(wanted).of_frames(FakeSnapshot().background()).max())


def test_minus_with_a_word_of_no_meaning_takes_nothing_out() -> None:
    """What the encoder never learnt is not avoided; what it knows is, also beside it."""
    asker = asker_of(FakeSnapshot())
    assert () == asked(asker, "red -xylophone -Merkel").unwanted
    assert ["green"] == [one.words for one in asked(asker, "red -xylophone -green").unwanted]


@pytest.mark.parametrize("word", ["Rain", "RAIN", "Something"])
def test_capital_letters_ask_for_the_same(word: str) -> None:
    """A word of light or of no meaning is as sure in capitals as in small letters."""
    asker = asker_of(FakeSnapshot())
    assert best_sure(asker, f"{word.lower()} red") == best_sure(asker, f"{word} red")


def test_colours_do_not_make_up_for_a_thing_that_was_never_learnt() -> None:
    """Of a question about one unknown thing, however many colours it has, nothing is believed."""
    asker = asker_of(FakeSnapshot())
    asked_for = [asked(asker, f"a red green blue {thing}").asked for thing in ("xylophone", "boat")]
    shares = [asker.believe(aspect)._known_share for aspect in asked_for if aspect is not None]
    assert [UNKNOWN_WORD, 1.0] == shares


def test_only_stop_words_of_the_languages_at_hand_are_left_out() -> None:
    """In an archive of English or no texts, dog, man and war are words like any other."""
    text = "the dog of a man with a hat at sea in a war van"
    assert ["dog", "man", "hat", "sea", "war", "van"] == telling_words(text, [])
    assert ["dog", "sea", "van"] == telling_words(text, ["de", "en"])
    assert telling_words(text, []) == telling_words(text, ["xx", ""])


def test_a_thing_that_is_a_stop_word_elsewhere_is_asked_for() -> None:
    """A dog that nothing shows makes a question unlikely, though dog is a stop word of Danish."""
    asker = asker_of(FakeSnapshot())
    assert best_sure(asker, "red dog") == best_sure(asker, "red boat")


@pytest.mark.parametrize("text", ["red", "dog", "rain"])
def test_a_text_added_to_itself_is_as_sure_as_it_is_alone(text: str) -> None:
    """However a text is weighted, it is as present, and what shows it as sure."""
    asker = asker_of(FakeSnapshot())
    alone = asked(asker, text).asked
    assert alone is not None
    for weighted in (f"1*{text} + {text}", f"2*{text}", f"2*{text} + 0.5*{text}"):
        summed = asked(asker, weighted).asked
        assert summed is not None
        assert best_sure(asker, text) == pytest.approx(best_sure(asker, weighted), abs=1e-3)
        assert np.allclose(alone.vector, summed.vector, atol=1e-5)


def test_a_sum_is_ranked_by_what_sets_its_texts_apart() -> None:
    """For ranking the mean of neutral texts stays off, so that it cannot outweigh a picture."""
    asker = asker_of(FakeSnapshot())
    question = asked(asker, "1*red + green - blue")
    assert question.wanted is not None
    assert question.asked is not None
    neutral = asker.background.mean_text
    assert abs(question.wanted.vector @ neutral) < question.asked.vector @ neutral
    assert question.wanted.words == question.asked.words == "red green"


def test_a_background_is_made_once_for_a_generation() -> None:
    """Every question to the same generation measures with the same numbers; another generation has its own."""
    snapshot = FakeSnapshot()
    first, second = asker_of(snapshot).background, asker_of(snapshot).background
    assert first is second
    assert 1 == snapshot.n_backgrounds
    assert first is not asker_of(FakeSnapshot()).background

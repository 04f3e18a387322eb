"""Scores measured against a background."""

from __future__ import annotations

import numpy as np
import pytest

from search_app.background import Background
from store.records import Embeddings

RNG = np.random.default_rng(5)
MANY = 10_000


def unit_rows(n: int, dim: int = 32, common: float = 0.0) -> Embeddings:
    """Random unit vectors with something in common."""
    rows = RNG.standard_normal((n, dim)).astype(np.float32)
    rows[:, 0] += common
    unit: Embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


@pytest.fixture
def background() -> Background:
    return Background(unit_rows(300, common=4.0), unit_rows(60, common=-2.0))


def test_the_scale_of_cosines_makes_no_difference() -> None:
    """An encoder whose texts and pictures lie farther apart gives the same confidence for the same standing."""
    frames, neutral = unit_rows(200), unit_rows(50)
    near, far = Background(frames, neutral), Background(frames, 0.2 * neutral)
    scores = np.linspace(-0.5, 0.9, 8).astype(np.float32)
    cosines = frames @ neutral.T
    shifted = (scores - cosines.mean()) * 0.2 + 0.2 * cosines.mean()
    assert np.allclose(near.shown(scores, is_text=True), far.shown(shifted, is_text=True), atol=1e-3)


def test_confidence_grows_with_the_score(background: Background) -> None:
    """A better score is never less sure, for texts as for pictures, and lies between 0 and 1."""
    scores = np.linspace(-1, 1, 50).astype(np.float32)
    for is_text in (True, False):
        sure = background.shown(scores, is_text=is_text)
        assert np.all(np.diff(sure) >= 0)
        assert 0 <= sure.min() < 0.5 < sure.max() <= 1


def test_one_missing_word_is_enough_for_nothing_to_match(background: Background) -> None:
    """However near the nearest frame, a word that nothing shows makes it unlikely; of five, one may be missing."""
    assert background.present(3.5, [3.5, 3.5], MANY) > 0.5
    assert background.present(3.5, [3.5, 0.3], MANY) < 0.5
    assert background.present(3.5, [3.5, 3.5, 3.5, 3.5, 0.3], MANY) > 0.5
    assert background.present(3.5, [3.5, 3.5, 3.5, 0.3, 0.3], MANY) < 0.5
    assert background.present(3.5, [], MANY) > 0.5 > background.present(0.3, [], MANY)


def test_the_best_of_few_frames_may_be_lower_than_the_best_of_many(background: Background) -> None:
    """The fewer frames to choose from, the less their best has to score; from 480 on that stays the same."""
    sure = [background.present(2.5, [2.5, 2.5], n) for n in (0, 6, 30, 100, 480, MANY)]
    assert sorted(sure, reverse=True) == sure
    assert sure[0] == sure[1] > sure[2] > sure[3] > sure[4] == sure[5]


def test_what_many_frames_show_need_not_stand_out_as_far() -> None:
    """At the same best score a text that fits most frames badly stands higher than one that fits them half."""
    frames = np.eye(4, dtype=np.float32)[[0, 0, 0, 1]]
    background = Background(frames, unit_rows(20, 4))
    rare, usual = np.eye(4, dtype=np.float32)[[1, 0]]
    assert background.standing_of_best(rare, 0.9) > background.standing_of_best(usual, 0.9)


def test_only_texts_that_stand_out_have_a_vote(background: Background) -> None:
    """Nearer than neutral texts are to each other, by so many standard deviations."""
    neutral = background._neutral
    cosines = (neutral @ neutral.T)[~np.eye(len(neutral), dtype=bool)]
    border = float(cosines.mean() + 2 * cosines.std())
    assert (True, False) == tuple(background.stands_out(border + step, 2.0) for step in (1e-4, -1e-4))


@pytest.mark.parametrize("n_frames", [1, 2, 5, 12, 20, 300])
@pytest.mark.parametrize("common", [0.0, 4.0, 40.0])
def test_the_same_picture_is_alike_however_few_frames_there_are(n_frames: int, common: float) -> None:
    """A picture that is in the archive is surely like itself, even in the smallest or most uniform one."""
    frames = unit_rows(n_frames, common=common)
    background = Background(frames, unit_rows(20))
    sure = background.shown(frames @ frames[0], is_text=False)
    assert sure[0] > 0.5
    assert n_frames < 20 or common > 4 or np.all(sure[1:] < 0.5)


def test_frames_are_compared_with_each_other_not_with_themselves() -> None:
    """How alike an archive's frames are does not depend on how few they are."""
    frames = np.eye(32, dtype=np.float32)[:24]
    assert Background(frames, unit_rows(5)).mean_similarity == pytest.approx(0.0, abs=1e-6)
    assert Background(frames[:1], unit_rows(5)).mean_similarity == pytest.approx(0.5)
    grown = [Background(frames[:n], unit_rows(5)).mean_similarity for n in range(1, 25)]
    assert sorted(grown, reverse=True) == grown


def test_an_empty_archive_has_a_background_too() -> None:
    """Without frames every score is as it is, and nothing fails."""
    empty = Background(np.zeros((0, 8), np.float32), unit_rows(5, 8))
    assert empty.mean_frame.tolist() == [0.0] * 8
    assert 0 <= empty.present(0.1, [], 0) <= 1

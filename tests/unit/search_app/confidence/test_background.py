"""Scores measured against a background."""

from __future__ import annotations

import numpy as np
import pytest

from search_app.confidence.background import Background
from store.records import Embeddings

RNG = np.random.default_rng(5)


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
    """An encoder whose texts and pictures lie farther apart gives the same standing for the same question."""
    frames, neutral = unit_rows(200), unit_rows(50)
    near, far = Background(frames, neutral), Background(frames, 0.2 * neutral)
    scores = np.linspace(-0.5, 0.9, 8).astype(np.float32)
    cosines = frames @ neutral.T
    shifted = (scores - cosines.mean()) * 0.2 + 0.2 * cosines.mean()
    assert np.allclose(near.standard_text_cosine(scores), far.standard_text_cosine(shifted), atol=1e-3)
    assert near.usual_best == pytest.approx(far.usual_best, abs=1e-3)


def test_the_more_alike_the_surer(background: Background) -> None:
    """A better cosine with a picture is never less sure, and lies between 0 and 1."""
    sure = background.alike(np.linspace(-1, 1, 50).astype(np.float32))
    assert np.all(np.diff(sure) >= 0)
    assert 0 <= sure.min() < 0.5 < sure.max() <= 1


def test_an_everyday_text_usually_scores_what_the_nearest_one_does(background: Background) -> None:
    """The usual best stands above the mean of all neutral texts, by as much as the middle frame says."""
    cosines = background._frames @ background._neutral.T
    middle = np.median(cosines.max(axis=1))
    assert background.usual_best == pytest.approx((middle - cosines.mean()) / cosines.std(), abs=1e-4)
    assert background.usual_best > 0


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
    sure = background.alike(frames @ frames[0])
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
    assert [0.5] == empty.standard_text_cosine(np.array([0.5], np.float32)).tolist()
    assert 0.0 == empty.usual_best

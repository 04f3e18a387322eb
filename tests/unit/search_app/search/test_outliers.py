"""Distances to neighbours, what stands out, and what is near what was kept."""

from __future__ import annotations

import numpy as np
import pytest

from search_app.search import outliers
from search_app.search.near_kept import rank_near_kept
from search_app.search.outliers import modified_z_scores, neighbour_distances
from store.records import Embeddings


def unit_rows(n: int, dim: int = 8, seed: int = 0) -> Embeddings:
    """Random unit vectors."""
    rows = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    made: Embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made


def test_distances_are_those_of_a_plain_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces or at once: the mean of the k smallest distances to others."""
    rows = unit_rows(50)
    apart = 1 - (rows @ rows.T).astype(np.float64)
    np.fill_diagonal(apart, np.inf)
    expected = np.sort(apart, axis=1)[:, :3].mean(axis=1)
    assert np.allclose(expected, neighbour_distances(rows, 3), atol=1e-6)
    monkeypatch.setattr(outliers, "_AT_ONCE", 7)
    assert np.allclose(expected, neighbour_distances(rows, 3), atol=1e-6)


def test_an_outlier_and_its_copy_do_not_hide_each_other() -> None:
    """Two equal shots far from all others both stand out; none of the others does."""
    middle = np.eye(8, dtype=np.float32)[0]
    usual = middle + 0.1 * unit_rows(60)
    rows = np.vstack([usual, np.tile(np.eye(8, dtype=np.float32)[1], (2, 1))])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    standing = modified_z_scores(neighbour_distances(rows.astype(np.float32)))
    assert {60, 61} == set(np.flatnonzero(standing >= outliers.STANDS_OUT).tolist())


def test_a_sample_stands_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound each is compared with a fixed sample, never with itself."""
    monkeypatch.setattr(outliers, "MOST_COMPARED", 20)
    rows = unit_rows(60)
    first, second = neighbour_distances(rows), neighbour_distances(rows)
    assert np.array_equal(first, second)
    assert (first > 0.01).all()


def test_equal_values_and_few_items() -> None:
    """None of equal ones stands out; one alone has no neighbours."""
    assert [0.0, 0.0, 0.0] == modified_z_scores(np.ones(3)).tolist()
    assert modified_z_scores(np.array([0.0] * 9 + [1.0]))[-1] == pytest.approx(1 / (1.253314 * 0.1))
    assert [0.0] == neighbour_distances(unit_rows(1)).tolist()
    with pytest.raises(ValueError, match="at least one neighbour"):
        neighbour_distances(unit_rows(3), 0)


def test_near_kept_is_nearest_first_without_copies_and_without_what_is_nearer_to_rejected() -> None:
    """By the nearest of several tastes, not by their middle."""

    def at(degrees: float) -> list[float]:
        angle = np.radians(degrees)
        return [float(np.cos(angle)), float(np.sin(angle))]

    items = np.array([at(20), at(1), at(95), at(40), at(135)], np.float32)
    kept, rejected = np.array([at(0), at(120)], np.float32), np.array([at(60)], np.float32)
    found = rank_near_kept(items, kept, rejected)
    assert [(4, 1), (0, 0), (2, 1)] == [(one.item, one.kept) for one in found]
    assert np.cos(np.radians(15)) == pytest.approx(found[0].similarity, abs=1e-6)
    assert [] == rank_near_kept(items, kept[:0], rejected)

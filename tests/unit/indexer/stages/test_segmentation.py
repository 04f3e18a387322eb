"""Changes in sequences whose parts are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.stages.segmentation import find_changes, noise_of


def parts(sizes: list[int], noise: float, seed: int, dim: int = 16) -> NDArray[np.float64]:
    """Noisy items around one direction for each part."""
    random = np.random.default_rng(seed)
    middles = np.eye(dim)[: len(sizes)]
    rows = [middles[n] + noise * random.standard_normal((size, dim)) / dim**0.5 for n, size in enumerate(sizes)]
    return np.vstack(rows)


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("sizes", [[8, 8, 8, 8], [5, 20, 6], [40], [12, 12], [30, 5, 30, 5, 30]])
def test_known_parts_are_found_and_nothing_else(sizes: list[int], noise: float) -> None:
    """Whatever the noise among neighbours, and one part is one part."""
    for seed in range(5):
        features = parts(sizes, noise, seed)
        found = find_changes(features, [5.0] * len(features), shortest=10, most_segments=20)
        assert list(itertools.accumulate(sizes))[:-1] == found


def test_shots_that_take_turns_are_one_part() -> None:
    """A dialogue of two pictures is no change; the next pair of pictures is."""
    turns = np.vstack([np.tile(np.eye(8)[[0, 1]], (6, 1)), np.tile(np.eye(8)[[2, 3]], (6, 1))])
    assert [12] == find_changes(turns, [5.0] * 24, shortest=10, most_segments=20)


def test_limits_hold() -> None:
    """No part is shorter than asked for, and there are not more than asked for."""
    features = parts([2, 8, 8, 8], 0.1, 1)
    lengths = [5.0] * len(features)
    found = find_changes(features, lengths, shortest=20, most_segments=20)
    edges = [0, *found, len(features)]
    assert all(end - start >= 4 for start, end in itertools.pairwise(edges))
    assert 1 >= len(find_changes(features, lengths, shortest=0, most_segments=2))
    assert [] == find_changes(features[:1], lengths[:1], shortest=0, most_segments=9)
    assert [] == find_changes(features, lengths, shortest=1e9, most_segments=9)


def test_noise_is_that_of_neighbours() -> None:
    """A change between two parts is no noise."""
    assert 0.04 == pytest.approx(noise_of(parts([300], 0.2, 3)), rel=0.2)
    assert 0.0 == noise_of(parts([50, 50], 0.0, 3))
    assert 0.0 == noise_of(np.ones((1, 3)))

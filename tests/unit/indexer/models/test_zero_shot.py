"""Prompts against frames: cleaning, the null class, one label or several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.models.zero_shot import NULL_LABEL, ZeroShot, clean_prompts, everyday_labels, read_prompts
from store.errors import ConfigError

CONFIGS = Path(__file__).parents[4] / "configs"


def test_the_shipped_list_is_the_default() -> None:
    """configs/labels.txt is what is asked where nobody names labels."""
    assert read_prompts(CONFIGS / "labels.txt") == everyday_labels()
    assert len(everyday_labels()) > 200


def test_labels_count_once() -> None:
    """Duplicates of any case, remarks, blanks and the null class itself go; the order stays."""
    given = ["a  boat", "# mine", "", "A BOAT", "bus # yellow", NULL_LABEL]
    assert ("a boat", "bus") == clean_prompts(given)


@pytest.mark.parametrize(
    "given", [[], ["", "  "], ["# x"], [NULL_LABEL], ["x" * 301], [str(i) for i in range(20_001)]]
)
def test_lists_that_cannot_be_used_are_refused(given: list[str]) -> None:
    """Empty ones, labels that are none, and too many."""
    with pytest.raises(ConfigError):
        clean_prompts(given)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, not text, or without labels: the message has its name."""
    empty, binary = tmp_path / "empty.txt", tmp_path / "binary.txt"
    empty.write_text("# nothing\n", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe\x00\xd8")
    for path in (tmp_path / "none.txt", empty, binary):
        with pytest.raises(ConfigError, match=path.name):
            read_prompts(path)


def zero_shot(is_multi: bool = False) -> ZeroShot:
    """Two labels along the first two axes, everyday things along all others."""
    axes = np.eye(44, dtype=np.float32)
    return ZeroShot(("one", "two"), axes[:2], axes[2:], is_multi)


def frame(*shares: float) -> np.ndarray:
    row = np.zeros((1, 44), np.float32)
    row[0, : len(shares)] = shares
    return row / np.linalg.norm(row)


def test_a_frame_has_the_label_that_fits_it() -> None:
    """Rows sum to 1, and what fits no label is something else."""
    frames = np.concatenate([frame(1), frame(0, 1), frame(0, 0, *[1] * 42)])
    likely = zero_shot().probabilities(frames, 0.1)
    assert [0, 1, 2] == likely.argmax(axis=1).tolist()
    np.testing.assert_allclose(np.ones(3), likely.sum(axis=1), atol=1e-5)


def test_several_labels_are_each_for_themselves() -> None:
    """A frame of both has both; the last column is what they leave."""
    likely = zero_shot(is_multi=True).probabilities(np.concatenate([frame(1, 1), frame(1)]), 0.1)
    assert (likely[0, :2] > 0.9).all()
    assert likely[1, 0] > 0.9 and likely[1, 1] == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(1 - likely[:, :2].max(axis=1), likely[:, 2], atol=1e-6)


def test_many_frames_are_as_one_by_one() -> None:
    """Blocks change nothing."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 44)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    asked = zero_shot()
    alone = np.concatenate([asked.probabilities(row[None], 0.2) for row in rows])
    np.testing.assert_allclose(alone, asked.probabilities(rows, 0.2), atol=1e-6)

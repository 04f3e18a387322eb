"""The same picture in several files or takes, put into one stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.records import Embeddings


def stack_near_duplicates(
    vectors: Embeddings, is_blank: Sequence[bool], largest_distance: float
) -> list[tuple[int, ...]]:
    """Positions of items in stacks: each stack's first member is its best, and stands for it.

    An item goes on the first stack whose *first* member is near enough, so that no chain of small steps can join
    pictures that differ. Blank frames (black, white, one colour) are near each other without being the same
    picture: each stays alone.

    Args:
        vectors: float32, (n, dim), unit rows, best item first.
        is_blank: for each item, whether its frame is blank.
        largest_distance: 1 - cosine of two frames that count as the same picture at most.

    Returns:
        Stacks in the order of their first members; every position is in exactly one.
    """
    firsts = np.empty_like(vectors)  # of stacks that may grow, without a hole
    growing: list[list[int]] = []
    stacks: list[list[int]] = []
    for position in range(len(vectors)):
        if growing and not is_blank[position]:
            similarity = firsts[: len(growing)] @ vectors[position]
            nearest = int(np.argmax(similarity))
            if 1 - similarity[nearest] <= largest_distance:
                growing[nearest].append(position)
                continue
        stacks.append([position])
        if not is_blank[position]:
            firsts[len(growing)] = vectors[position]
            growing.append(stacks[-1])
    return [tuple(stack) for stack in stacks]

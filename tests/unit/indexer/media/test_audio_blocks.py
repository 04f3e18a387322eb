"""Pieces of sound on a time line: each sample at its place, silence between, nothing twice."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.media.audio_blocks import AudioBlocks

RATE = 100


@given(
    pieces=st.lists(st.tuples(st.integers(-60, 150), st.integers(1, 130)), min_size=1, max_size=8),
    first=st.integers(0, 300),
    length=st.one_of(st.none(), st.integers(0, 300)),
)
def test_every_sample_lies_at_its_place(pieces: list[tuple[int, int]], first: int, length: int | None) -> None:
    """With gaps and overlaps of any size, from any sample up to any other."""
    blocks = AudioBlocks(RATE, first, None if length is None else first + length)
    line = np.zeros(2000, np.float32)
    at = end = 0
    given_blocks = []
    for number, (gap, n) in enumerate(pieces, 1):
        at += gap if abs(gap) > 2 else 0  # less is no gap
        piece = (number + np.arange(n) / 1000).astype(np.float32)
        given_blocks += list(blocks.push(Fraction(at, RATE), piece[None], RATE))
        skipped = max(0, end - at)
        line[end if skipped else at : max(at + n, end)] = piece[skipped:]
        at += n
        end = max(end, at)
    given_blocks += list(blocks.finish())
    expected = line[first : end if length is None else min(end, first + length)]
    found = [samples[0] for _, samples in given_blocks]
    assert [first + sum(map(len, found[:i])) for i in range(len(found))] == [begin for begin, _ in given_blocks]
    assert all(len(samples) == RATE for samples in found[:-1])
    np.testing.assert_array_equal(expected, np.concatenate(found) if found else [])

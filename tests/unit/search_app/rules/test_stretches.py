"""Sets of time obey the laws of sets."""

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from search_app.rules.stretches import join, length, meet, take_away
from store.timespan import TimeSpan

SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 10)).map(
        lambda pair: TimeSpan(Fraction(pair[0]), Fraction(pair[0] + pair[1]))
    ),
    max_size=6,
)


def ticks(spans: list[TimeSpan] | tuple[TimeSpan, ...]) -> set[int]:
    """The whole seconds that spans cover."""
    return {second for span in spans for second in range(int(span.start), int(span.end))}


@given(SPANS, SPANS)
def test_sets_of_time_are_sets(one: list[TimeSpan], other: list[TimeSpan]) -> None:
    """Joining, meeting and taking away do with spans what they do with the seconds that these cover."""
    assert ticks(one) | ticks(other) == ticks(join([*one, *other]))
    assert ticks(one) & ticks(other) == ticks(meet(one, other))
    assert ticks(one) - ticks(other) == ticks(take_away(one, other))
    assert len(ticks(one)) == length(join(one))
    joined = join([*one, *other])
    assert all(a.end < b.start for a, b in itertools.pairwise(joined))

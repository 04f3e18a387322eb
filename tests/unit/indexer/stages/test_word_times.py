"""Word times are repaired."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.models.transcriber import HeardWord
from indexer.stages.word_times import longest_seconds, repair_words


def times(
    words: list[HeardWord], speech: list[tuple[float, float]], end: float = 10.0
) -> list[tuple[float, float]]:
    return [(round(one.start, 3), round(one.end, 3)) for one in repair_words(words, speech, end)]


def test_good_times_stay() -> None:
    """Nothing is moved that lies in speech and lasts as long as a word does."""
    words = [HeardWord(" a", 1.0, 1.2), HeardWord(" boat", 1.2, 1.7)]
    assert [(1.0, 1.2), (1.2, 1.7)] == times(words, [(0.9, 2.0)])


def test_a_word_over_a_pause_is_cut_to_the_speech() -> None:
    """As seen with jfk.flac: "ask" from 2.26 to 3.88, while nobody speaks from 2.24 to 3.33."""
    words = [HeardWord(" Americans,", 1.76, 2.26), HeardWord(" ask", 2.26, 3.88)]
    assert [(1.76, 2.24), (3.33, 3.88)] == times(words, [(0.3, 2.24), (3.33, 4.35)])


def test_a_word_over_silence_moves_to_speech_that_is_near() -> None:
    """To what follows first, else to what came before; far from any speech it stays."""
    assert [(2.0, 2.3)] == times([HeardWord(" so", 1.5, 1.8)], [(2.0, 4.0)])
    assert [(3.7, 4.0)] == times([HeardWord(" so", 4.2, 4.4)], [(2.0, 4.0)])
    assert [(7.0, 7.4)] == times([HeardWord(" so", 7.0, 7.4)], [(2.0, 4.0)])


def test_a_word_is_no_longer_than_a_second_and_a_number_as_long_as_its_digits() -> None:
    """A number is spoken in several words."""
    speech = [(0.0, 10.0)]
    assert [(1.0, 2.0)] == times([HeardWord(" country", 1.0, 4.0)], speech)
    assert [(1.0, 3.1)] == times([HeardWord(" 1984", 1.0, 6.0)], speech)
    assert [(1.0, 2.6)] == times([HeardWord(" 1984", 1.0, 2.6)], speech)
    assert longest_seconds(" 1,234,567") > longest_seconds(" 1984") > longest_seconds(" boat")


def test_words_without_times_share_the_time_between_their_neighbours() -> None:
    """Numbers get more of it; a number that got no time, or an instant, is such a word."""
    words = [
        HeardWord(" in", 1.0, 1.2),
        HeardWord(" 1984", None, None),
        HeardWord(" we", None, None),
        HeardWord(" met", 3.2, 3.5),
    ]
    found = times(words, [(0.5, 4.0)])
    assert (1.0, 1.2) == found[0]
    assert (3.2, 3.5) == found[3]
    assert 1.2 <= found[1][0] < found[1][1] <= found[2][0] < found[2][1] <= 3.2
    assert found[1][1] - found[1][0] > found[2][1] - found[2][0]
    at_once = [HeardWord(" 20", 1.0, 1.0), HeardWord(" %", 1.0, 1.0), HeardWord(" more", 1.0, 1.6)]
    assert all(end - start >= 0.02 for start, end in times(at_once, [(0.5, 4.0)]))


NUMBERS = st.one_of(st.none(), st.floats(0, 12, allow_nan=False))
SPEECH = st.lists(st.floats(0, 10, allow_nan=False), min_size=0, max_size=8, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@given(
    st.lists(st.tuples(st.sampled_from([" a", " boat", " 1984", " Donaudampfschiff"]), NUMBERS, NUMBERS)), SPEECH
)
def test_whatever_a_model_says_words_follow_each_other(
    told: list[tuple[str, float | None, float | None]], speech: list[tuple[float, float]]
) -> None:
    """None is lost, none begins before the one before it has ended, none is longer than it can be."""
    words = [HeardWord(*one) for one in told]
    found = repair_words(words, speech, 10.0)
    assert [one.text for one in words] == [one.text for one in found]
    assert all(one.start < one.end for one in found)
    assert all(one.end <= after.start for one, after in itertools.pairwise(found))
    assert all(one.end - one.start <= longest_seconds(one.text) + 1e-9 for one in found)


@pytest.mark.parametrize("end", [0.0, 0.01])
def test_there_may_be_no_time_at_all(end: float) -> None:
    """More words than the sound has room for are kept."""
    assert 3 == len(repair_words([HeardWord(" a", None, None)] * 3, [], end))

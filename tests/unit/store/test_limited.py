"""Data from elsewhere is bounded before it is parsed."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.limited import ForeignDataError, Limits, parse_limited_json, read_fraction

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**38), 10**38)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(value=VALUES, escaped=st.booleans())
def test_what_is_small_comes_back(value: object, escaped: bool) -> None:
    """Whatever JSON can hold, with brackets, quotes and backslashes in its texts."""
    data = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    assert value == parse_limited_json(data)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.binary(max_size=40) | st.text('[]{}",:\\0e9', max_size=60).map(str.encode))
def test_whatever_comes_is_a_value_or_our_error(data: bytes) -> None:
    """Never another error, and the message is one line."""
    try:
        parse_limited_json(data, Limits(most_depth=3))
    except ForeignDataError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[" * 33 + b"]" * 33, "nested deeper than 32"),
        (b'[{"a":' * 20 + b"1" + b"}]" * 20, "nested deeper"),
        (b"1" * 41, "41 digits"),
        (b"-" + b"1" * 5_000, "5,001 digits"),
        (b"1e400", "no number"),
        (b"NaN", "no number"),
        (b'{"a":1,"b":2,"a":3}', "'a' is in it twice"),
    ],
)
def test_limits_hold(data: bytes, says: str) -> None:
    """Depth, digits, numbers that are none, and keys that come twice."""
    with pytest.raises(ForeignDataError, match=says):
        parse_limited_json(data)


def test_brackets_in_texts_are_no_depth() -> None:
    """Only lists and objects are counted, whatever stands in texts."""
    text = '[{"' * 100 + "\\" + '"' * 3
    assert {"a": [text]} == parse_limited_json(json.dumps({"a": [text]}).encode())
    assert [[]] * 1_000 == parse_limited_json(json.dumps([[]] * 1_000).encode())


def test_times_are_whole_numbers_or_two() -> None:
    """No exponent, no sign in the middle, no more digits than a time has."""
    assert (Fraction(-1001, 24000), Fraction(7)) == (read_fraction("-1001/24000"), read_fraction("7"))
    for text in ("1e9", "1.5", "1/0", "1/-2", "", "/", " 1", "1/2/3", "\uff19", "1" * 41, 7, None, [1]):
        with pytest.raises(ForeignDataError):
            read_fraction(text)

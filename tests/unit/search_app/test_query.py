"""Plain-text questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.errors import QueryError
from search_app.query import MAX_CHARACTERS, parse_query


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a red boat", "a red boat"),
        ("  a  red\tboat\n", "a red boat"),
        ("bateau\x00nuit été", "bateau nuit été"),
        ("two 🐕🐕", "two 🐕🐕"),
        ("'; DROP TABLE shot; --", "'; DROP TABLE shot; --"),
        ("half \ud83d of a pair", "half of a pair"),
        ("?", "?"),
    ],
)
def test_what_is_typed_is_cleaned(typed: str, expected: str) -> None:
    """Space and control characters become single spaces; everything else stays."""
    assert expected == parse_query(typed)


@pytest.mark.parametrize("typed", ["", " ", "\n\t\r", "\x00\x1b\x7f", "\u200b\ufeff", "\u3000\u00a0", "\ud83d"])
def test_nothing_is_refused(typed: str) -> None:
    """A question without one visible character is refused."""
    with pytest.raises(QueryError, match="the query is empty"):
        parse_query(typed)


def test_a_very_long_question_is_refused_in_one_line() -> None:
    """Ten thousand characters give one line that says how many are read."""
    with pytest.raises(QueryError) as raised:
        parse_query("boat " * 2_000)
    assert str(raised.value).startswith("the query has 10,000 characters, at most 2,000 are read")
    assert "\n" not in str(raised.value)


def test_the_longest_question_is_read() -> None:
    """A question of exactly the longest length is taken whole."""
    assert len(parse_query("x" * MAX_CHARACTERS)) == MAX_CHARACTERS


@given(st.text(max_size=300))
def test_any_text_is_cleaned_or_refused(typed: str) -> None:
    """Whatever is typed is refused by our own error, or becomes printable UTF-8 that is its own cleaning."""
    try:
        cleaned = parse_query(typed)
    except QueryError:
        return
    assert cleaned == parse_query(cleaned)
    assert cleaned.encode("utf-8").decode("utf-8").strip() == cleaned

"""The query language: what people type, as a question, and back."""

from __future__ import annotations

import os
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_app.errors import QueryError
from search_app.query.parser import MAX_CHARACTERS, parse_query
from search_app.query.query import LikeMoment, LikePicture, LikeShot, Query, Step, Term, Text, format_query
from store.filters import (
    And,
    Comparison,
    Duration,
    FrameRate,
    Has,
    InSet,
    Language,
    Not,
    Or,
    PathGlob,
    RecordedDate,
    Resolution,
    Rights,
    Shape,
    TextMatch,
    Used,
)
from store.records import TextStage

N_EXAMPLES = int(os.environ.get("RUSHES_QUERY_EXAMPLES", "2000"))


def words(text: str, weight: float = 1.0) -> Term:
    return Term(weight, Text(text))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a red boat", Step((words("a red boat"),))),
        ("  a  red\tboat\n", Step((words("a red boat"),))),
        ("bateau\x00nuit été", Step((words("bateau nuit été"),))),
        ("two 🐕🐕 at 12:30, well-known?", Step((words("two 🐕🐕 at 12:30, well-known?"),))),
        ("harbour -people", Step((words("harbour"),), (Text("people"),))),
        ('harbour -"red boats" at dusk', Step((words("harbour at dusk"),), (Text("red boats"),))),
        ("harbour \u2212people", Step((words("harbour"),), (Text("people"),))),
        ("a dur:<5s boat", Step((words("a boat"),), filter=Duration(Comparison("<", 5, 5)))),
        ("dur:2..8s", Step(filter=Duration(Comparison("..", 2, 8)))),
        ("dur:5s..", Step(filter=Duration(Comparison(">=", 5, 5)))),
        ("dur:..2s", Step(filter=Duration(Comparison("<=", 2, 2)))),
        ("dur:1m30s", Step(filter=Duration(Comparison("=", 90, 90)))),
        ("date:2021..2023", Step(filter=RecordedDate(date(2021, 1, 1), date(2024, 1, 1)))),
        ("date:>2021-12", Step(filter=RecordedDate(date(2022, 1, 1), None))),
        ("date:<=2020-02-28", Step(filter=RecordedDate(None, date(2020, 2, 29)))),
        ("shape:Portrait", Step(filter=Shape("portrait"))),
        ("lang:DE", Step(filter=Language("de"))),
        ("fps:>=50", Step(filter=FrameRate(Comparison(">=", 50, 50)))),
        ("res:4k", Step(filter=Resolution(Comparison("=", 2160, 2160)))),
        ("res:>=1920x1080", Step(filter=Resolution(Comparison(">=", 1080, 1080)))),
        ("used:never", Step(filter=Used(False))),
        ("rights:Free", Step(filter=Rights("free"))),
        ('in:"Trailer (2)*"', Step(filter=PathGlob("Trailer (2)*"))),
        ("in:Trailer(2)*", Step(filter=PathGlob("Trailer(2)*"))),
        ("said:hello", Step(filter=TextMatch(TextStage.TRANSCRIPT, "hello", False))),
        ('text:"NO EXIT"', Step(filter=TextMatch(TextStage.SCREEN_TEXT, "NO EXIT", True))),
        ('"exact words"', Step(filter=TextMatch(None, "exact words", True))),
        ("\u201cexact words\u201d", Step(filter=TextMatch(None, "exact words", True))),
        ('"say \\"hi\\""', Step(filter=TextMatch(None, 'say "hi"', True))),
        ("-has:speech", Step(filter=Not(Has("speech")))),
        (
            "label:a OR label:b -set:c",
            Step(
                filter=And(
                    (
                        Or((TextMatch(TextStage.LABEL, "a", False), TextMatch(TextStage.LABEL, "b", False))),
                        Not(InSet("c")),
                    )
                )
            ),
        ),
        (
            "-(has:speech (dur:<1s OR used:ever))",
            Step(
                filter=Not(And((Has("speech"), Or((Duration(Comparison("<", 1, 1)), Used(True)))))),
            ),
        ),
        ("like:shot/1832abc", Step((Term(1.0, LikeShot("1832abc")),))),
        ('like:"my pool.jpg"', Step((Term(1.0, LikePicture("my pool.jpg")),))),
        ("like:a/b.mp4@1:02.5s", Step((Term(1.0, LikeMoment("a/b.mp4", 62.5)),))),
        (
            '2*"dog" + like:pool.jpg - fruit salad',
            Step((words("dog", 2), Term(1.0, LikePicture("pool.jpg")), words("fruit salad", -1))),
        ),
        ('1*"dur<5s"', Step((words("dur<5s"),))),
        ('"dog" + at night', Step((words("dog"), words("at night")))),
        ("dog -like:x.png", Step((words("dog"),), (LikePicture("x.png"),))),
        ("cats or dogs then some", Step((words("cats or dogs then some"),))),
        ("NOT boat", Step(minus=(Text("boat"),))),
        ('harbour NOT people NOT "red car"', Step((words("harbour"),), (Text("people"), Text("red car")))),
        ("harbour AND NOT rain", Step((words("harbour"),), (Text("rain"),))),
        ("dog NOT like:x.png", Step((words("dog"),), (LikePicture("x.png"),))),
        ("NOT has:speech", Step(filter=Not(Has("speech")))),
        ("NOT (has:speech used:ever)", Step(filter=Not(And((Has("speech"), Used(True)))))),
        ("boat AND dog", Step((words("boat and dog"),))),
        ("boat dur:<5s AND dog", Step((words("boat and dog"),), filter=Duration(Comparison("<", 5, 5)))),
        ("boat AND has:speech", Step((words("boat"),), filter=Has("speech"))),
        ("has:speech AND used:ever", Step(filter=And((Has("speech"), Used(True))))),
        ("(has:speech AND used:ever) OR set:a", Step(filter=Or((And((Has("speech"), Used(True))), InSet("a"))))),
        ("not a boat, nor a dog And a cat", Step((words("not a boat, nor a dog And a cat"),))),
        ('1*"NOT"', Step((words("NOT"),))),
    ],
)
def test_one_step(typed: str, expected: Step) -> None:
    """Each form of the language means what the README says."""
    assert Query((expected,)) == parse_query(typed)


def test_steps_in_order_of_time() -> None:
    """THEN separates steps, each with its own words and filters; WITHIN limits the time between two."""
    query = parse_query("a door opens dur:<9s THEN a dog -cat WITHIN 1:20")
    first = Step((words("a door opens"),), filter=Duration(Comparison("<", 9, 9)))
    assert Query((first, Step((words("a dog"),), (Text("cat"),))), 80.0) == query


@pytest.mark.parametrize(
    ("typed", "position", "message"),
    [
        ("a lable:boat", 2, "did you mean label:"),
        ("see http://x.org", 4, "no field 'http'; there are said, text"),
        ("boat dur: <5s", 5, "dur: needs a value"),
        ("boat like:", 5, "like: needs a value"),
        ("boat dur<5s", 5, "write dur:<5s"),
        ("1e9*boat", 0, "a weight is a plain number"),
        ("999999999999*boat", 0, "a weight is a plain number"),
        ("boat --night", 5, "one dash"),
        ("a THEN b WITHIN -5s", 16, "cannot be negative"),
        ("a THEN THEN b", 7, "nothing between these two"),
        ("dur:2-8s", 0, "ranges as 2..8s"),
        ("rights:own", 0, "rights: takes free, blocked, marked"),
        ('boat "never ends', 5, "never closed"),
        ('boat ""', 5, "nothing between"),
        ("dur:8..2s", 0, "write dur:2..8s"),
        ("x dur:-3s", 2, "cannot be negative"),
        ("dur:long", 0, "no time"),
        ("date:2023..2021", 0, "comes after its end"),
        ("date:2021-13", 0, "no date"),
        ("date:..", 0, "no end"),
        ("fps:fast", 0, "no number"),
        ("res:big", 0, "no picture size"),
        ("shape:round", 0, "takes portrait"),
        ("shape:potrait", 0, "did you mean shape:portrait"),
        ("has:smell", 0, "has: takes"),
        ("lang:german", 0, "no language code"),
        ("used:sometimes", 0, "used: takes never, ever"),
        ("cat OR dog", 4, "OR stands between two filters"),
        ("a cat OR one dog dur:<5s", 6, "write a sum, such as a cat + one dog, or ask twice"),
        ("NOT", 0, "nothing follows this NOT; write NOT boat, or -boat"),
        ("boat NOT THEN dog", 5, "nothing follows this NOT"),
        ("boat NOT -dog", 5, "one NOT is enough"),
        ("NOT NOT dog", 0, "one NOT is enough"),
        ("AND dog", 0, "nothing stands before this AND"),
        ("dog AND", 4, "nothing follows this AND"),
        ("dog AND OR cat", 4, "nothing follows this AND"),
        ("(AND label:a)", 1, "nothing stands before this AND"),
        ("(label:a AND)", 9, "nothing follows this AND"),
        ("(label:a THEN label:b)", 9, "THEN cannot stand here"),
        ("label:a AND label:b OR label:c", 8, "put what belongs together into parentheses"),
        ("label:a OR label:b AND label:c", 19, "put what belongs together into parentheses"),
        ("label:a OR AND label:b", 8, "nothing follows this OR"),
        ("label:a OR", 8, "nothing follows"),
        ("label:a OR dog", 11, "'dog' is none"),
        ("(label:a", 0, "never closed"),
        ("label:a)", 7, "never opened"),
        ("(in:)", 1, "in: needs a value"),
        ("()", 0, "nothing in these parentheses"),
        ("(" * 30 + "label:a" + ")" * 30, 21, "nested"),
        ("a THEN b THEN c THEN d THEN e THEN f", 30, "at most 5 steps"),
        ("THEN b", 0, "nothing before THEN"),
        ("a THEN", 6, "nothing after THEN"),
        ("a WITHIN 20s", 2, "A THEN B WITHIN 20s"),
        ("a THEN b WITHIN", 9, "needs a time"),
        ("a THEN b WITHIN 0s", 16, "longer than nothing"),
        ("a THEN b WITHIN 2s c", 19, "come last"),
        ("dog +", 4, "nothing follows"),
        ("+ dog", 0, "nothing stands before"),
        ("dog + dur:<5s", 6, "filter cannot be added"),
        ("0*dog", 0, "a weight lies between"),
        ("dog + -cat", 6, "put a space after"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(typed: str, position: int, message: str) -> None:
    """The error says what is wrong, at which character, and what to write instead."""
    with pytest.raises(QueryError) as raised:
        parse_query(typed)
    assert position == raised.value.position
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("typed", ["", " ", "\n\t\r", "\x00\x1b\x7f", "\u200b\ufeff", "\u3000\u00a0", "\ud83d"])
def test_nothing_is_refused(typed: str) -> None:
    """A question without one visible character is refused."""
    with pytest.raises(QueryError, match="the query is empty"):
        parse_query(typed)


def test_a_very_long_question_is_refused_in_one_line() -> None:
    """Ten thousand characters give one line that says how many are read; the longest length is read."""
    with pytest.raises(QueryError) as raised:
        parse_query("boat " * 2_000)
    assert str(raised.value).startswith("the query has 10,000 characters, at most 2,000 are read")
    assert Query((Step((words("x" * MAX_CHARACTERS),)),)) == parse_query("x" * MAX_CHARACTERS)


FRAGMENTS = st.sampled_from(
    [
        *"abcäß猫🐕\u200b\u0301", *'()"\\:*+-\u2212\u2013<>=.@/,', " ", " ", "\n", "\u201c", "\u201d", "\x00",
        "\ud800", " OR ", " AND ", " NOT ", " THEN ", " WITHIN ", " + ", " - ", "20s", "2..8s", "<5",
        "2021", "1:30", "2*", "0.5*",
        "like:", "shot/1f", "said:", "text:", "caption:", "label:", "object:", "in:", "dur:", "date:", "shape:",
        "has:", "lang:", "fps:", "res:", "space:", "set:", "used:", "rights:", "free", "portrait",
        "speech", "never", "de", "1080p",
        '"two words"', "boat", "x:y",
    ]
)  # fmt: skip
ANY_QUERY = st.one_of(st.lists(FRAGMENTS, max_size=14).map("".join), st.text(max_size=60))


@settings(max_examples=N_EXAMPLES, deadline=None)
@given(ANY_QUERY)
def test_any_text_is_a_question_or_refused(typed: str) -> None:
    """Whatever is typed parses or raises our own error, and a parsed question printed parses to the same."""
    try:
        query = parse_query(typed)
    except QueryError:
        return
    assert query == parse_query(format_query(query))

"""Decisions of rules about rows whose truth is known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from search_app.rules.decide import Decision, KnownRows, Verdict, applies_to, decide
from search_app.rules.rule import Condition, Rule, RuleBook, Then, parse_clock
from search_app.rules.rule_file import read_rules
from store.config import read_settings
from store.errors import ConfigError
from store.records import Boundary, Shot, ShotRow, TextRow, VideoFacts, VideoRow
from store.row_checks import Word
from store.timespan import TimeSpan
from tests.fixtures.understood import row

SECONDS = 100
SPAN = TimeSpan(Fraction(0), Fraction(SECONDS))
FACTS = VideoFacts(
    "mov", "h264", 64, 48, 0, Fraction(25), Fraction(1, 25), Fraction(0), SPAN, 25 * SECONDS, has_audio=True
)
VIDEO = VideoRow("f" * 32, "/library/gate 3.mp4", True, (), FACTS, 10, {})
SHOTS = [
    ShotRow(f"{n:016x}", VIDEO.video_id, VIDEO.path,
            Shot(n, TimeSpan(Fraction(10 * n), Fraction(10 * n + 10)), Boundary.CUT), "")
    for n in range(10)
]  # fmt: skip


def decided(when: dict[str, Any] | list[dict[str, Any]], rows: dict[str, list[TextRow]], **rule: Any) -> Decision:
    """The decision of a rule about a video of ten shots of ten seconds each; given stages have met all of it."""
    conditions = [when] if isinstance(when, dict) else when
    made = Rule("r", tuple(Condition(**one) for one in conditions), then=Then(tag="t"), **rule)
    return decide(made, VIDEO, SHOTS, KnownRows(rows, dict.fromkeys(rows, (SPAN,))))


def test_over_a_share_counts_time_once_and_excludes_the_bound() -> None:
    """Overlapping rows are not counted twice; exactly 10 % is not over 10 %; a frame more is."""
    rows = [row(0, 10, "computer", 0.9), row(4, 10, "Computer", 0.8)]
    exact = decided({"label": ("computer",)}, {"label": rows}, over="10 %")
    assert (Verdict.DOES_NOT, Fraction(10)) == (exact.verdict, exact.seconds)
    more = decided({"label": ("computer",)}, {"label": [*rows, row(50, 50.04, "computer", 0.5)]}, over="10 %")
    assert Verdict.HOLDS is more.verdict
    assert "10.0 s of 100.0 s (10.0 %), over 10 %" == more.reason
    assert [0, 5] == [one.shot.shot.ordinal for one in more.evidence]
    assert [TimeSpan(Fraction(0), Fraction(10)), TimeSpan(Fraction(50), Fraction("50.04"))] == [
        one.span for one in more.evidence
    ]
    assert ("computer 0.90", "Computer 0.80") == more.evidence[0].found


def test_names_are_whole_and_any_of_those_between_commas() -> None:
    """A part of a name is none."""
    rows = {"label": [row(0, 20, "laptop, laptop computer", 0.9), row(20, 40, "computer keyboard", 0.9)]}
    assert Verdict.DOES_NOT is decided({"label": ("computer",)}, rows).verdict
    assert Fraction(20) == decided({"label": ("Laptop Computer",)}, rows).seconds


def test_conditions_hold_at_the_same_time_and_unless_takes_away() -> None:
    """Two conditions that hold one after the other do not hold together."""
    rows = {
        "cue": [row(0, 30, "black")],
        "silence": [row(20, 60, "silence")],
        "screen_text": [row(25, 27, "THE END")],
    }
    both = [{"cue": ("black",)}, {"cue": ("silence",)}]
    assert Fraction(10) == decided(both, rows).seconds
    without = decided(both, rows, unless=(Condition(text=("the end",)),))
    assert Fraction(8) == without.seconds
    assert [(20.0, 25.0), (27.0, 30.0)] == [
        (one.span.start_seconds, one.span.end_seconds) for one in without.evidence
    ]


def test_a_missing_stage_is_never_a_no() -> None:
    """Neither in `when` nor in `unless`; what is known already may decide all the same."""
    decision = decided({"label": ("gun",)}, {})
    assert (Verdict.UNDECIDED, ("labels",)) == (decision.verdict, decision.missing)
    assert "labels not known for all of it" in decision.reason
    unless = decided({"label": ("gun",)}, {"label": [row(0, 50, "gun", 0.9)]}, unless=(Condition(said=("toy",)),))
    assert (Verdict.UNDECIDED, ("speech",)) == (unless.verdict, unless.missing)
    rule = Rule("r", (Condition(label=("gun",)),), over="2 s", then=Then(tag="t"))
    half = (TimeSpan(Fraction(0), Fraction(50)),)
    seen = KnownRows({"label": [row(0, 10, "gun", 0.9)]}, {"label": half})
    assert Verdict.HOLDS is decide(rule, VIDEO, SHOTS, seen).verdict
    assert Verdict.UNDECIDED is decide(rule, VIDEO, SHOTS, KnownRows({"label": []}, {"label": half})).verdict
    whole = KnownRows({"label": []}, {"label": (SPAN,)})
    assert Verdict.DOES_NOT is decide(rule, VIDEO, SHOTS, whole).verdict


def test_a_caption_that_contains_yes_never_decides() -> None:
    """Answers are read where they are structured, and whole; free text answers nothing."""
    asked = {"answer": ("is there a person",)}
    for text in ("yes", "Yes, there is a person in the yard.", "is there a person: yes"):
        decision = decided(asked, {"caption": [row(0, 100, text)], "answer": [row(0, 100, text)]})
        assert (Verdict.UNDECIDED, Fraction(0)) == (decision.verdict, decision.seconds)
    for said, verdict in (
        (True, Verdict.HOLDS), ("Yes", Verdict.HOLDS), (False, Verdict.DOES_NOT), ("no", Verdict.DOES_NOT),
        ("yes and no", Verdict.UNDECIDED), ("I cannot say yes", Verdict.UNDECIDED), (None, Verdict.UNDECIDED),
        (1, Verdict.UNDECIDED),
    ):  # fmt: skip
        rows = [row(0, 100, "no one is there", payload={"answers": {"Is there  a person": said}})]
        assert (said, verdict) == (said, decided(asked, {"answer": rows}).verdict)
    with pytest.raises(ValueError, match="a caption never answers 'yes'"):
        Condition(caption=("Yes",))


def test_numbers_are_answers_of_at_least_that_size() -> None:
    """Counts that a model gave."""
    rows = [row(0, 100, "", payload={"answers": {"people": 3}})]
    assert Verdict.HOLDS is decided({"answer": ("people",), "value": 3}, {"answer": rows}).verdict
    assert Verdict.DOES_NOT is decided({"answer": ("people",), "value": 4}, {"answer": rows}).verdict


def test_words_are_whole_words() -> None:
    """`art` is not in `party`; phrases go across ends of lines and commas."""
    rows = {"transcript": [row(0, 5, "A party, at the\nHarbour!")]}
    assert Verdict.DOES_NOT is decided({"said": ("art",)}, rows).verdict
    assert Verdict.HOLDS is decided({"said": ("party at the harbour",)}, rows).verdict


def test_spoken_words_last_as_long_as_they_are_said() -> None:
    """Where the times of words are known, the sentence around them does not count."""
    words = (Word("Bring", 1.0, 1.5), Word("the", 1.5, 2.0), Word("Gun,", 2.0, 2.5), Word("now.", 2.5, 3.0))
    rows = {"transcript": [row(1, 3, "Bring the gun, now.", words=words)]}
    assert Fraction(1) == decided({"said": ("the gun",)}, rows).seconds
    assert Fraction(2) == decided({"said": ("gun",)}, {"transcript": [row(1, 3, "The gun!")]}).seconds


def test_scores_counts_and_places() -> None:
    """What has no score is not below one; two at once are two; the middle of a box decides where it is."""
    unscored = decided({"label": ("gun",), "min_score": 0.5}, {"label": [row(0, 50, "gun")]})
    assert (Verdict.UNDECIDED, ("scores of labels",)) == (unscored.verdict, unscored.missing)
    people = [row(0, 10, "person", 0.9), row(6, 20, "person", 0.9), row(30, 40, "person", 0.9, count=2)]
    assert Fraction(14) == decided({"object": ("person",), "min_count": 2}, {"object": people}).seconds
    boxes = [row(0, 10, "person", 0.9, box=(0.0, 0.0, 0.4, 0.4)), row(10, 20, "person", 0.9, box=(0.5, 0, 0.4, 1))]
    inside = {"object": ("person",), "inside": (0.5, 0.0, 0.5, 1.0)}
    assert Fraction(10) == decided(inside, {"object": boxes}).seconds


def test_objects_count_in_the_pictures_in_which_they_are() -> None:
    """Each picture of a shot stands for its share; the best box of the shot decides nothing for the others."""
    left, right = [0.1, 0.2, 0.1, 0.6], [0.7, 0.2, 0.1, 0.6]
    pictures = [
        {"time": 12.5, "boxes": [left], "scores": [0.9], "tracks": [0]},
        {"time": 17.5, "boxes": [right, left], "scores": [0.6, 0.8], "tracks": [0, 1]},
    ]
    seen = row(10, 30, "person", 0.9, box=(0.1, 0.2, 0.1, 0.6), count=2,
               payload={"pictures": pictures, "looked_at": 4, "tracks": 2})  # fmt: skip
    rows = {"object": [seen]}

    def spans(**condition: Any) -> list[tuple[float, float]]:
        found = decided({"object": ("person",), **condition}, rows).evidence
        return [(one.span.start_seconds, one.span.end_seconds) for one in found]

    assert [(10.0, 20.0)] == spans()
    assert [(15.0, 20.0)] == spans(inside=(0.5, 0.0, 0.5, 1.0))
    assert [(15.0, 20.0)] == spans(min_count=2)
    assert [] == spans(inside=(0.5, 0.0, 0.5, 1.0), min_score=0.7)
    damages: list[dict[str, Any]] = [
        {"pictures": 3, "looked_at": 4},
        {"pictures": [{"time": 1}], "looked_at": 1},
        {"pictures": []},
    ]
    for damaged in damages:
        odd = row(10, 30, "person", 0.9, payload=damaged)
        assert Fraction(20) == decided({"object": ("person",)}, {"object": [odd]}).seconds


def test_patterns_of_names_and_hours() -> None:
    """A rule may be about some files; hours may go over midnight."""
    rule = Rule("r", (Condition(cue=("black",)),), then=Then(hours="21:00-06:00"), videos=("gate*",))
    assert applies_to(rule, VIDEO)
    assert not applies_to(Rule("r", rule.when, then=rule.then, videos=("yard*",)), VIDEO)
    clock = ("20:59", "21:00", "05:59", "06:00")
    assert [False, True, True, False] == [rule.then.allows(parse_clock(at) or 0) for at in clock]
    assert [None, None, None, 0] == [parse_clock(text) for text in ("24:00", "7:00", "12:60", "00:00")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no rules"),
        ("[[rules]]\nname = 'a'", "unknown setting 'rules'; did you mean 'rule'"),
        ("[[rule]]\nname = 'a'\nwhen = { labels = 'x' }\nthen = { tag = 't' }", "did you mean 'rule.when.label'"),
        ("[[rule]]\nname = 'a'\nwhen = { label = 'x', text = 'y' }\nthen = { tag = 't' }", "got label and text"),
        ("[[rule]]\nname = 'a'\nwhen = { label = 'x' }\nthen = { tag = 't' }\nover = 'ten'", "as '10 %' or '5 s'"),
        ("[[rule]]\nname = 'a'\nwhen = { label = 'x' }", "needs what follows"),
        ("[[rule]]\nname = 'a'\nwhen = { label = 'x' }\nthen = { hours = '25:00-06:00' }", "hours must look like"),
        ("[[rule]]\nwhen = 3", "must be"),
        ("not toml", "cannot read the rules"),
    ],
)
def test_rules_that_cannot_be_are_refused_with_the_file(tmp_path: Path, text: str, why: str) -> None:
    """One line: the file, what is wrong, and the nearest that is right."""
    file = tmp_path / "r.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_rules(file)
    assert why in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_shipped_examples_can_be_read() -> None:
    """They are rules, and each says what follows."""
    book = read_rules(Path(__file__).parents[4] / "configs" / "rules.toml")
    assert ["Technology", "Watershed", "Restricted area", "Dead air"] == [rule.name for rule in book.rule]
    assert "10 %" == book.rule[0].threshold.text


def test_two_rules_of_one_name_are_refused() -> None:
    """Their decisions could not be told apart."""
    plain = {"name": "a", "when": [{"cue": ["black"]}], "then": {"tag": "t"}}
    with pytest.raises(ConfigError, match="two rules are called 'a'"):
        read_settings(RuleBook, overrides={"rule": [plain, plain]})

"""Questions with known answers, measured on engines made of a dictionary."""

from __future__ import annotations

import pytest

from search_app.errors import QueryError
from search_app.evaluation.evaluation import (
    FUSED,
    Answer,
    Share,
    ask_all,
    evaluate,
    evaluation_json,
    remarks_on,
    table_of,
)
from search_app.evaluation.ground_truth import DEBATABLE, Topic, judge_anew
from search_app.evaluation.metrics import Mean, benchmark_measures, judgement_measures

TOPICS = [
    Topic("q1", "a boat", {"a": 1, "b": 1, "x": DEBATABLE}),
    Topic("q2", "a dog", {"c": 2}),
    Topic("q3", "a unicorn", {}),
]
ANSWERS = {
    "a boat": Answer({"picture": ["x", "a", "c"], FUSED: ["a", "b"], "caption": ["b"]}, False),
    "a dog": Answer({"picture": ["a", "c"], FUSED: ["c"]}, True),
    "a unicorn": Answer({"picture": ["a"], FUSED: ["a"]}, True),
}


def ask(text: str) -> Answer:
    """An engine that knows three questions."""
    if text not in ANSWERS:
        raise QueryError("an open quote", 0)
    return ANSWERS[text]


def test_every_channel_is_measured_over_the_same_questions() -> None:
    """A channel that found nothing for a question has 0 there; what has no answer is in no mean."""
    answers, failed = ask_all(TOPICS, ask)
    found = evaluate(TOPICS, answers, benchmark_measures([1]), failed)
    assert [FUSED, "caption", "picture"] == list(found.means)
    assert 2 == found.n_measured
    means = {channel: figures["recall@1"].value for channel, figures in found.means.items()}
    assert {FUSED: 0.75, "caption": 0.25, "picture": 0.25} == means


def test_what_no_channel_answers_by_itself_is_in_the_mean_of_none() -> None:
    """A THEN B has no rank in any channel: that is no zero; where it is all there is, channels have no column."""
    chain = Topic("q4", "a boat THEN a dog", {"a": 1})
    answers = {"q1": ANSWERS["a boat"], "q4": Answer({FUSED: ["b", "a"]})}
    found = evaluate([TOPICS[0], chain], answers, benchmark_measures([1]))
    means = {channel: figures["recall@1"].value for channel, figures in found.means.items()}
    assert {FUSED: 0.25, "caption": 0.5, "picture": 0.5} == means
    assert {FUSED} == set(found.topics[1].figures)
    assert any("1 of these no channel answers by itself" in remark for remark in remarks_on(found))
    alone = evaluate(
        [chain, TOPICS[2]], {"q4": answers["q4"], "q3": ANSWERS["a unicorn"]}, benchmark_measures([1])
    )
    assert ["measure", FUSED] == table_of(alone)[0]
    nothing = evaluate([TOPICS[0]], {"q1": Answer({FUSED: [], "picture": []})}, benchmark_measures([1]))
    assert {FUSED, "picture"} == set(nothing.means)


def test_debatable_shots_count_neither_as_right_nor_as_wrong() -> None:
    """A debatable shot before the right one takes no place."""
    found = evaluate(TOPICS[:1], {"q1": ANSWERS["a boat"]}, benchmark_measures([1]))
    assert 1.0 == found.topics[0].figures["picture"]["mrr"]


def test_what_is_refused_does_not_stop_the_others() -> None:
    """The reason is kept by question."""
    answers, failed = ask_all([Topic("bad", '"boat'), *TOPICS], ask)
    assert ["q1", "q2", "q3"] == list(answers)
    assert ["bad"] == list(failed)
    assert "an open quote" in failed["bad"]


def test_how_often_nothing_matches_was_said() -> None:
    """Counted apart for questions with and without an answer; who never says so is not counted."""
    found = evaluate(TOPICS, {**ask_all(TOPICS, ask)[0]}, judgement_measures())
    assert Share(1, 2) == found.nothing_matches(present=True)
    assert Share(1, 1) == found.nothing_matches(present=False)
    silent = evaluate(TOPICS, {"q1": Answer({FUSED: ["a"]})}, judgement_measures())
    assert Share(0, 0) == silent.nothing_matches(present=True)


def test_the_table_has_a_column_for_each_channel() -> None:
    """Measures down, channels across, each with its interval."""
    found = evaluate(TOPICS[1:2], {"q2": ANSWERS["a dog"]}, benchmark_measures([1]))
    headings, rows = table_of(found)
    assert ["measure", FUSED, "picture"] == headings
    assert ["recall@1", "1.000 (1.00-1.00)", "0.000 (0.00-0.00)"] == rows[0]
    assert {"mrr": Mean(0.5, 0.5, 0.5)} == {"mrr": found.means["picture"]["mrr"]}


def test_the_document_holds_everything() -> None:
    """Means, single questions, failures and how the intervals were made."""
    answers, failed = ask_all([*TOPICS, Topic("bad", "?")], ask)
    document = evaluation_json(evaluate(TOPICS, answers, benchmark_measures([1]), failed))
    assert (3, 2) == (document["queries"], document["measured"])
    assert {"value": 0.75, "low": 0.5, "high": 1.0} == document["channels"][FUSED]["recall@1"]
    assert ["q1", "q2", "q3"] == [one["id"] for one in document["per_query"]]
    assert {} == document["per_query"][2]["channels"]
    assert ["bad"] == [one["id"] for one in document["failed"]]
    assert {"n": 1, "n_all": 1} == document["nothing_matches"]["without_answer"]


def test_people_are_told_what_the_figures_leave_out() -> None:
    """Missing videos, questions without an answer, and nothing to measure at all."""
    topics = [*TOPICS, Topic("q4", "a dog", {"missing:z": 1}, ("z.mp4",))]
    text = "\n".join(remarks_on(evaluate(topics, ask_all(topics, ask)[0], judgement_measures())))
    assert "means over 3 questions" in text
    assert "not in the means: 1 question" in text
    assert "counted as missed: 1 answer;" in text
    assert "z.mp4" in text
    empty = evaluate(TOPICS[2:], ask_all(TOPICS[2:], ask)[0], judgement_measures())
    assert {} == dict(empty.means)
    assert (["measure"], []) == table_of(empty)
    assert "nothing to measure" in remarks_on(empty)[0]


def test_a_shot_ranked_twice_is_a_fault() -> None:
    """Figures of such a ranking would be too good."""
    with pytest.raises(ValueError, match="twice"):
        evaluate(TOPICS[:1], {"q1": Answer({FUSED: ["a", "a"]})}, judgement_measures())


def test_qrels_stand_in_for_the_topics_own_grades() -> None:
    """Only the questions that they know are measured."""
    assert [Topic("q2", "a dog", {"z": 3})] == judge_anew(TOPICS, {"q2": {"z": 3}, "q9": {"a": 1}})

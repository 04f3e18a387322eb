"""Quality of answers to questions with known answers: every channel alone, and all together.

Knows nothing of how answers come about: whatever gives rankings for a text can be measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from search_app.evaluation.ground_truth import Topic
from search_app.evaluation.metrics import CONFIDENCE, N_RESAMPLES, SEED, Mean, Measure, bootstrap_mean
from store.errors import ArchiveError
from store.wording import n_of

FUSED: Final = "fused"
"""The ranking that people see; the others are those of single channels."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of an engine to one question.

    Args:
        rankings: for each channel that took part, and for `FUSED`, ids of shots from best to worst, each once.
        nothing_matches: whether it says that nothing here matches; None if it never says so.
    """

    rankings: Mapping[str, Sequence[str]]
    nothing_matches: bool | None = None


@dataclass(frozen=True, slots=True)
class TopicFigures:
    """The figures of one question.

    Args:
        topic: the question.
        figures: by channel and measure; empty if nothing is right, since then there is nothing to find.
        nothing_matches: what the engine said.
    """

    topic: Topic
    figures: Mapping[str, Mapping[str, float]]
    nothing_matches: bool | None


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total.

    Args:
        n: those that are so.
        n_all: all of them.
    """

    n: int
    n_all: int

    def __str__(self) -> str:
        return f"{self.n} of {self.n_all}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures.

    Args:
        means: by channel and measure, over the questions with an answer; `FUSED` first.
        topics: figures of every question that was answered.
        failed: for each question that was refused, why.
    """

    means: Mapping[str, Mapping[str, Mean]]
    topics: Sequence[TopicFigures]
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_measured(self) -> int:
        """Questions that the means are over."""
        return sum(one.topic.has_answer for one in self.topics)

    def nothing_matches(self, *, present: bool) -> Share:
        """How often "nothing matches" was said to questions with an answer, or to those without."""
        said = [
            one.nothing_matches
            for one in self.topics
            if one.topic.has_answer == present and one.nothing_matches is not None
        ]
        return Share(sum(said), len(said))


def ask_all(topics: Iterable[Topic], rank: Callable[[str], Answer]) -> tuple[dict[str, Answer], dict[str, str]]:
    """The answer to each question by its id, and for each that was refused, why."""
    answers, failed = {}, {}
    for topic in topics:
        try:
            answers[topic.topic_id] = rank(topic.query)
        except ArchiveError as error:
            failed[topic.topic_id] = f"{topic.query!r}: {error}"
    return answers, failed


def evaluate(
    topics: Iterable[Topic],
    answers: Mapping[str, Answer],
    measures: Mapping[str, Measure],
    failed: Mapping[str, str] | None = None,
) -> Evaluation:
    """Measure the answers to questions.

    A channel that found nothing for a question gets 0 for it, so that channels compare over the same questions.
    What no channel answers by itself, such as A THEN B, is only in the figures of all together.
    Debatable shots are taken out of the rankings first (condensed lists: Sakai, "Alternatives to Bpref", SIGIR
    2007).

    Args:
        topics: the questions.
        answers: by topic id; questions without are left out.
        measures: by name.
        failed: as given by `ask_all`.

    Raises:
        ValueError: a ranking holds a shot twice.
    """
    asked = [topic for topic in topics if topic.topic_id in answers]
    channels = _channels(answers[topic.topic_id] for topic in asked)
    figures = [_measure_topic(topic, answers[topic.topic_id], channels, measures) for topic in asked]
    measured = [one.figures for one in figures if one.figures]
    of_channel = {channel: [one[channel] for one in measured if channel in one] for channel in channels}
    means = {
        channel: {name: bootstrap_mean([one[name] for one in found]) for name in measures}
        for channel, found in of_channel.items()
        if found
    }
    return Evaluation(means, figures, failed or {})


def _channels(answers: Iterable[Answer]) -> list[str]:
    names = {channel for answer in answers for channel in answer.rankings}
    return sorted(names, key=lambda name: (name != FUSED, name))


def _measure_topic(
    topic: Topic, answer: Answer, channels: Sequence[str], measures: Mapping[str, Measure]
) -> TopicFigures:
    figures: dict[str, dict[str, float]] = {}
    asked = channels if _is_by_channel(answer) else [FUSED]
    for channel in asked if topic.has_answer else ():
        ranking = answer.rankings.get(channel, ())
        if len(set(ranking)) < len(ranking):
            raise ValueError(f"channel {channel} ranks a shot twice for {topic.query!r}")
        condensed = [shot_id for shot_id in ranking if topic.grades.get(shot_id, 0) >= 0]
        figures[channel] = {name: measure(condensed, topic.grades) for name, measure in measures.items()}
    return TopicFigures(topic, figures, answer.nothing_matches)


def _is_by_channel(answer: Answer) -> bool:
    """Whether channels took part, or nothing was found; else it answers several steps, or filters alone."""
    return FUSED not in answer.rankings or len(answer.rankings) > 1 or not answer.rankings[FUSED]


def table_of(evaluation: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Headings and rows for people: a row for each measure, a column for each channel."""
    channels = list(evaluation.means)
    names = list(evaluation.means[channels[0]]) if channels else []
    return ["measure", *channels], [
        [name, *(_cell(evaluation.means[channel][name]) for channel in channels)] for name in names
    ]


def _cell(mean: Mean) -> str:
    return f"{mean.value:.3f} ({mean.low:.2f}-{mean.high:.2f})"


def remarks_on(evaluation: Evaluation) -> list[str]:
    """Notices about the figures, a line each."""
    n_measured, n_all = evaluation.n_measured, len(evaluation.topics)
    remarks = [
        f"means over {n_of(n_measured, 'question')}, in brackets the {CONFIDENCE:.0%} interval "
        f"of {N_RESAMPLES} bootstrap samples"
        if n_measured
        else "no question has a known answer, so there is nothing to measure"
    ]
    if n_measured and n_all > n_measured:
        remarks.append(f"without a right answer here, so not in the means: {n_of(n_all - n_measured, 'question')}")
    n_joint = sum(FUSED in one.figures and len(one.figures) == 1 for one in evaluation.topics)
    if n_joint and len(evaluation.means) > 1:
        remarks.append(
            f"{n_joint} of these no channel answers by itself (THEN, filters alone): only {FUSED} has them"
        )
    for present, name in ((False, "without"), (True, "with")):
        share = evaluation.nothing_matches(present=present)
        if share.n_all:
            remarks.append(f'"nothing here matches" was said to {share} questions {name} an answer')
    missing = [file for one in evaluation.topics for file in one.topic.missing]
    if missing:
        files = ", ".join(sorted(set(missing)))
        remarks.append(
            f"counted as missed: {n_of(len(missing), 'answer')}; the archive lacks, or has several of: {files}"
        )
    return remarks


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "queries": len(evaluation.topics),
        "measured": evaluation.n_measured,
        "interval": {"confidence": CONFIDENCE, "resamples": N_RESAMPLES, "seed": SEED},
        "channels": {
            channel: {name: asdict(mean) for name, mean in means.items()}
            for channel, means in evaluation.means.items()
        },
        "nothing_matches": {
            name: asdict(evaluation.nothing_matches(present=present))
            for name, present in (("with_answer", True), ("without_answer", False))
        },
        "per_query": [
            {
                "id": one.topic.topic_id,
                "query": one.topic.query,
                "nothing_matches": one.nothing_matches,
                "missing": list(one.topic.missing),
                "channels": {channel: dict(figures) for channel, figures in one.figures.items()},
            }
            for one in evaluation.topics
        ],
        "failed": [{"id": topic_id, "reason": reason} for topic_id, reason in evaluation.failed.items()],
    }

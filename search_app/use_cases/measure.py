"""Measure how well an archive answers questions whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.config import SearchSettings
from search_app.evaluation.evaluation import FUSED, Answer, ask_all, evaluate
from search_app.evaluation.ground_truth import judge_anew, judged_topics, read_topics
from search_app.evaluation.metrics import benchmark_measures, judgement_measures
from search_app.evaluation.trec import read_qrels, read_run, write_qrels, write_run
from search_app.output_files import refuse_footage
from search_app.query.options import SearchOptions
from search_app.query.parser import parse_query
from search_app.search.search import rank
from search_app.use_cases.answer import loader, read_search_settings
from search_app.use_cases.options import DEPTH, MeasureOptions
from store.errors import ConfigError

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder
    from search_app.evaluation.evaluation import Evaluation
    from search_app.evaluation.ground_truth import Topic
    from store.archive import Archive
    from store.snapshot import Snapshot


def measure(
    archive: Archive,
    options: MeasureOptions,
    *,
    device: str = "auto",
    on_asked: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Quality of the rankings of an archive, or of a TREC run.

    Args:
        archive: what is measured.
        options: by which questions and judgements, and what is written.
        device: where the model runs.
        on_asked: told how many questions of how many are being asked or were.

    Raises:
        ConfigError: the questions are not said, or there are none.
    """
    refuse_footage(archive.snapshot(), options.run_out, options.qrels_out)
    topics = find_topics(archive.snapshot(), options.queries, options.mine, options.qrels)
    answers, failed = _find_answers(archive, topics, options, device, on_asked)
    measures = judgement_measures() if options.mine else benchmark_measures(options.depths)
    found = evaluate(topics, answers, measures, failed)
    _write_trec(topics, answers, options.run_out, options.qrels_out)
    return found


def find_topics(snapshot: Snapshot, queries: Path | None, mine: bool, qrels: Path | None) -> list[Topic]:
    """The questions of a file, or of the archive's own judgements.

    Raises:
        ConfigError: neither or both are asked for, or there are no questions.
    """
    if mine == (queries is not None):
        raise ConfigError("give a QUERIES file, or --mine for what was judged in this archive, but not both")
    topics = judged_topics(snapshot) if queries is None else read_topics(queries, snapshot)
    if qrels is not None:
        topics = judge_anew(topics, read_qrels(qrels))
    if not topics:
        hint = "judge some shots first: rushes search ARCHIVE QUERY --keep SHOT --reject SHOT"
        raise ConfigError(f"nothing to measure: {hint if mine else f'no query of {queries} is judged'}")
    return topics


def _find_answers(
    archive: Archive,
    topics: Sequence[Topic],
    options: MeasureOptions,
    device: str,
    on_asked: Callable[[int, int], None] | None,
) -> tuple[dict[str, Answer], dict[str, str]]:
    """Answers of a run file, or else of this archive, to each question, and why some were refused."""
    if options.run is not None:
        rankings = read_run(options.run)
        return {topic.topic_id: Answer({"run": rankings.get(topic.topic_id, [])}) for topic in topics}, {}
    encoder = cache(loader(archive, device))
    settings = read_search_settings(options.config)
    n_asked = 0

    def ask(query_text: str) -> Answer:
        nonlocal n_asked
        n_asked += 1
        if on_asked:
            on_asked(n_asked, len(topics))
        return channel_rankings(archive, encoder, query_text, DEPTH, settings)

    return ask_all(topics, ask)


def channel_rankings(
    archive: Archive,
    encoder: Encoder | Callable[[], Encoder],
    query_text: str,
    depth: int,
    settings: SearchSettings | None = None,
) -> Answer:
    """The first `depth` shots of every channel and of all together, with no shot hidden behind a copy of it.

    Inside a channel shots of equal score are ordered by id.

    Raises:
        QueryError: the archive is empty, or the query cannot be used.
    """
    ranked = rank(
        archive.snapshot(),
        parse_query(query_text),
        SearchOptions(limit=depth, stack=False),
        settings or SearchSettings(),
        encoder,
    )
    places: dict[str, dict[str, int]] = {}
    for ranking in ranked.rankings:
        for shot_id, match in ranking.items():
            of_channel = places.setdefault(match.channel, {})
            of_channel[shot_id] = min(match.rank, of_channel.get(shot_id, match.rank))
    rankings = {
        channel: sorted(ranks, key=lambda shot_id: (ranks[shot_id], shot_id))[:depth]
        for channel, ranks in places.items()
    }
    return Answer({**rankings, FUSED: ranked.candidates.order[:depth]}, ranked.nothing_matches)


def _write_trec(
    topics: Sequence[Topic], answers: Mapping[str, Answer], run_out: Path | None, qrels_out: Path | None
) -> None:
    """Write rankings and judgements where that is wanted."""
    if qrels_out is not None:
        write_qrels(qrels_out, {topic.topic_id: topic.grades for topic in topics})
    if run_out is None:
        return
    for channel in dict.fromkeys(name for answer in answers.values() for name in answer.rankings):
        rankings = {topic_id: answer.rankings.get(channel, ()) for topic_id, answer in answers.items()}
        is_all = channel == FUSED
        write_run(run_out if is_all else run_out.with_name(f"{run_out.name}.{channel}"), rankings, channel)

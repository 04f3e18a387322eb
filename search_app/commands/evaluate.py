"""The command that measures searching: eval."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.search import CONFIG, given_options, loader, read_search_settings
from search_app.cutting.cut_options import flag_of
from store.errors import ConfigError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from collections.abc import Callable, Mapping, Sequence

    from indexer.models.encoder import Encoder
    from search_app.config import SearchSettings
    from search_app.evaluation.evaluation import Answer, Evaluation
    from search_app.evaluation.ground_truth import Topic
    from store.archive import Archive
    from store.snapshot import Snapshot

DEPTH = 1_000
"""Places of a ranking that are looked at, as is usual at TREC."""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("eval")
@ARCHIVE
@click.argument("queries", required=False, type=_FILE)
@click.option("--mine", is_flag=True, help="Measure by what was kept and rejected in this archive.")
@click.option("--qrels", type=_FILE, help="TREC judgements to use instead of the answers in QUERIES.")
@click.option("--run", type=_FILE, help="Measure this TREC run instead of searching.")
@click.option("--run-out", type=_FILE, help="Write the ranking as a TREC run, and each channel's as FILE.CHANNEL.")
@click.option("--qrels-out", type=_FILE, help="Write the judgements as TREC qrels.")
@click.option(
    "--k",
    "depths",
    type=click.IntRange(1, DEPTH),
    multiple=True,
    default=(1, 5, 10),
    show_default=True,
    help="Depth of recall and nDCG; may be given several times.",
)
@CONFIG
@DEVICE
@AS_JSON
@click.pass_context
def evaluate(context: click.Context, /, archive: Path, as_json: bool, **options: Any) -> None:
    """Measure how well ARCHIVE answers questions whose answers are known.

    QUERIES is a JSON list of {"query": ..., "relevant": [...]}, where each answer is a file and either a
    shot_index of manifest.json beside QUERIES, or start_seconds and end_seconds. Recall, MRR, nDCG and mAP are
    given for each channel and for all together, each with its bootstrap interval. With --mine the questions are
    those that were judged by search --keep and --reject; shots that nobody judged count as wrong.
    """
    from indexer.commands.console import print_json
    from search_app.evaluation.evaluation import evaluate as measure
    from search_app.evaluation.evaluation import evaluation_json
    from search_app.evaluation.metrics import benchmark_measures, judgement_measures
    from search_app.output_checks import refuse_footage
    from store.archive import Archive

    _refuse_idle(given_options())
    with Archive.open(archive) as opened:
        refuse_footage(opened.snapshot(), options["run_out"], options["qrels_out"])
        topics = find_topics(opened.snapshot(), options["queries"], options["mine"], options["qrels"])
        answers, failed = find_answers(opened, topics, **options)
    measures = judgement_measures() if options["mine"] else benchmark_measures(options["depths"])
    found = measure(topics, answers, measures, failed)
    write_trec(topics, answers, options["run_out"], options["qrels_out"])
    if as_json:
        print_json(evaluation_json(found))
    else:
        print_evaluation(found)
    context.exit(1 if failed else 0)


def _refuse_idle(given: set[str]) -> None:
    if {"mine", "depths"} <= given:
        raise ConfigError("--k: not together with --mine, whose measures have their own depths")
    if "run" in given and (idle := sorted(given & {"config", "device"})):
        raise ConfigError(f"{', '.join(map(flag_of, idle))}: not together with --run, which asks nothing")


def find_topics(snapshot: Snapshot, queries: Path | None, mine: bool, qrels: Path | None) -> list[Topic]:
    """The questions of a file, or of the archive's own judgements.

    Raises:
        ConfigError: neither or both are asked for, or there are no questions.
    """
    from search_app.evaluation.ground_truth import judge_anew, judged_topics, read_topics
    from search_app.evaluation.trec import read_qrels

    if mine == (queries is not None):
        raise ConfigError("give a QUERIES file, or --mine for what was judged in this archive, but not both")
    topics = judged_topics(snapshot) if queries is None else read_topics(queries, snapshot)
    if qrels is not None:
        topics = judge_anew(topics, read_qrels(qrels))
    if not topics:
        hint = "judge some shots first: rushes search ARCHIVE QUERY --keep SHOT --reject SHOT"
        raise ConfigError(f"nothing to measure: {hint if mine else f'no query of {queries} is judged'}")
    return topics


def find_answers(
    archive: Archive,
    topics: Sequence[Topic],
    *,
    run: Path | None,
    config: Path | None,
    device: str,
    **_: Any,
) -> tuple[dict[str, Answer], dict[str, str]]:
    """Answers of a run file, or else of this archive, to each question, and why some were refused."""
    from indexer.commands.console import progress_bar
    from search_app.evaluation.evaluation import Answer, ask_all
    from search_app.evaluation.trec import read_run

    if run is not None:
        rankings = read_run(run)
        return {topic.topic_id: Answer({"run": rankings.get(topic.topic_id, [])}) for topic in topics}, {}
    encoder = cache(loader(archive, device))
    settings = read_search_settings(config)
    with progress_bar() as bar:
        task = bar.add_task("asking", total=len(topics), detail="")

        def ask(query_text: str) -> Answer:
            bar.advance(task)
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
    from search_app.config import SearchSettings
    from search_app.evaluation.evaluation import FUSED, Answer
    from search_app.query.options import SearchOptions
    from search_app.query.parser import parse_query
    from search_app.search.search import rank

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


def write_trec(
    topics: Sequence[Topic], answers: Mapping[str, Answer], run_out: Path | None, qrels_out: Path | None
) -> None:
    """Write rankings and judgements where that is wanted."""
    from search_app.evaluation.evaluation import FUSED
    from search_app.evaluation.trec import write_qrels, write_run

    if qrels_out is not None:
        write_qrels(qrels_out, {topic.topic_id: topic.grades for topic in topics})
    if run_out is None:
        return
    for channel in dict.fromkeys(name for answer in answers.values() for name in answer.rankings):
        rankings = {topic_id: answer.rankings.get(channel, ()) for topic_id, answer in answers.items()}
        is_all = channel == FUSED
        write_run(run_out if is_all else run_out.with_name(f"{run_out.name}.{channel}"), rankings, channel)


def print_evaluation(found: Evaluation) -> None:
    """The table on stdout; what people should know of it, and what failed, on stderr."""
    from indexer.commands.console import print_table, printable
    from search_app.evaluation.evaluation import remarks_on, table_of

    headings, rows = table_of(found)
    if rows:
        print_table(headings, rows)
    for remark in (*remarks_on(found), *(f"not measured: {reason}" for reason in found.failed.values())):
        click.echo(printable(remark), err=True)

"""The command that measures searching: eval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.as_one import as_one, given_options
from search_app.commands.question_options import CONFIG
from search_app.cutting.cut_options import flag_of
from search_app.use_cases.options import DEPTH, MeasureOptions
from store.errors import ConfigError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.evaluation.evaluation import Evaluation

_FILE = click.Path(path_type=Path, dir_okay=False)
_OPTIONS = (
    click.argument("queries", required=False, type=_FILE),
    click.option("--mine", is_flag=True, help="Measure by what was kept and rejected in this archive."),
    click.option("--qrels", type=_FILE, help="TREC judgements to use instead of the answers in QUERIES."),
    click.option("--run", type=_FILE, help="Measure this TREC run instead of searching."),
    click.option(
        "--run-out", type=_FILE, help="Write the ranking as a TREC run, and each channel's as FILE.CHANNEL."
    ),
    click.option("--qrels-out", type=_FILE, help="Write the judgements as TREC qrels."),
    click.option(
        "--k",
        "depths",
        type=click.IntRange(1, DEPTH),
        multiple=True,
        default=(1, 5, 10),
        show_default=True,
        help="Depth of recall and nDCG; may be given several times.",
    ),
    CONFIG,
)


@click.command("eval")
@ARCHIVE
@as_one(MeasureOptions, "options", _OPTIONS)
@DEVICE
@AS_JSON
@click.pass_context
def evaluate(
    context: click.Context, /, archive: Path, options: MeasureOptions, device: str, as_json: bool
) -> None:
    """Measure how well ARCHIVE answers questions whose answers are known.

    QUERIES is a JSON list of {"query": ..., "relevant": [...]}, where each answer is a file and either a
    shot_index of manifest.json beside QUERIES, or start_seconds and end_seconds. Recall, MRR, nDCG and mAP are
    given for each channel and for all together, each with its bootstrap interval. With --mine the questions are
    those that were judged by search --keep and --reject; shots that nobody judged count as wrong.
    """
    from indexer.commands.console import print_json
    from search_app.evaluation.evaluation import evaluation_json
    from search_app.use_cases.measure import measure
    from store.archive import Archive

    _refuse_idle(given_options())
    with Archive.open(archive) as opened, _asking_bar() as show:
        found = measure(opened, options, device=device, on_asked=show)
    if as_json:
        print_json(evaluation_json(found))
    else:
        print_evaluation(found)
    context.exit(1 if found.failed else 0)


def _refuse_idle(given: set[str]) -> None:
    if {"mine", "depths"} <= given:
        raise ConfigError("--k: not together with --mine, whose measures have their own depths")
    if "run" in given and (idle := sorted(given & {"config", "device"})):
        raise ConfigError(f"{', '.join(map(flag_of, idle))}: not together with --run, which asks nothing")


@contextmanager
def _asking_bar() -> Iterator[Callable[[int, int], None]]:
    from indexer.commands.console import progress_bar

    with progress_bar() as bar:
        task = bar.add_task("asking", total=None, detail="")

        def show(n_asked: int, n_all: int) -> None:
            bar.update(task, completed=n_asked, total=n_all)

        yield show


def print_evaluation(found: Evaluation) -> None:
    """The table on stdout; what people should know of it, and what failed, on stderr."""
    from indexer.commands.console import print_table
    from search_app.evaluation.evaluation import remarks_on, table_of
    from store.wording import printable

    headings, rows = table_of(found)
    if rows:
        print_table(headings, rows)
    for remark in (*remarks_on(found), *(f"not measured: {reason}" for reason in found.failed.values())):
        click.echo(printable(remark), err=True)

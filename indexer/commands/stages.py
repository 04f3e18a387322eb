"""`rushes stages`: the kinds of results in an archive, and the runs that computed them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from store.errors import UnknownIdError
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.records import TextRow
    from store.results import RunRow
    from store.snapshot import Snapshot
    from store.stages import Run

_SUBCOMMANDS = ("choose", "compare", "drop", "list")
_STAGE = click.argument("stage")
_Rows = set[tuple[float, float, str]]
"""Start, end and text of rows."""


class _ListByDefault(click.Group):
    """`rushes stages ARCHIVE` lists; the other commands are named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take arguments that name no command as those of `list`."""
        if args and args[0] not in (*_SUBCOMMANDS, "-h", "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def stages() -> None:
    """List the stages of an ARCHIVE and their runs, or choose, drop and compare runs.

    A stage is a kind of result: visual, captions, labels, speech, ... A run of it is one model with one set of
    parameters. `rushes stages ARCHIVE` is short for `rushes stages list ARCHIVE`.
    """


@stages.command("list")
@ARCHIVE
@click.option("--failed", is_flag=True, help="Also every video with which a run failed, and why.")
@AS_JSON
def list_runs(archive: Path, failed: bool, as_json: bool) -> None:
    """List the runs of every stage: model, date, videos done, failed and missing, seconds, and which is live."""
    from indexer.commands.console import print_json, print_table
    from store.archive import Archive
    from store.wording import printable

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        rows = snapshot.runs()
        failures = {row.run.key: dict(snapshot.failures_of_run(row.run)) for row in rows}
        paths = {video.video_id: video.path for video in snapshot.videos()} if failed or as_json else {}
    named = {key: {paths.get(one, one): why for one, why in found.items()} for key, found in failures.items()}
    if as_json:
        print_json([{**_run_json(row), "failures": named[row.run.key]} for row in rows])
        return
    if not rows:
        click.echo("the archive has no results yet; fill it with: rushes index ARCHIVE PATH", err=True)
        return
    heads = ("stage", "run", "model", "written", "done", "partial", "failed", "missing", "seconds", "live")
    print_table(heads, [_cells(row) for row in rows], right=(4, 5, 6, 7, 8))
    for row in rows if failed else ():
        for path, why in named[row.run.key].items():
            click.echo(printable(f"failed: {row.run.stage} {row.run.key}: {path}: {why}"))


def _cells(row: RunRow) -> tuple[str, ...]:
    from store.stages import STAGES

    titles = {stage.name: stage.title for stage in STAGES}
    counts = (row.n_done, row.n_partial, row.n_failed, row.n_missing)
    revision = f" @{row.run.revision[:12]}" if row.run.revision else ""
    return (
        titles.get(row.run.stage, row.run.stage),
        row.run.key,
        f"{row.run.model}{revision}",
        _moment(row.written_ns),
        *(f"{count:,}" for count in counts),
        "" if row.seconds is None else f"{row.seconds:,.1f}",
        _live_text(row),
    )


def _live_text(row: RunRow) -> str:
    if row.n_live and row.n_live < row.n_done + row.n_partial:
        return f"for {n_of(row.n_live, 'video')}"
    return "live" if row.n_live or row.is_chosen else ""


def _moment(time_ns: int | None) -> str:
    if time_ns is None:
        return ""
    return datetime.fromtimestamp(time_ns // 1_000_000_000).astimezone().strftime("%Y-%m-%d %H:%M")


def _run_json(row: RunRow) -> dict[str, Any]:
    run = row.run
    return {
        "stage": run.stage,
        "run": run.key,
        "model": run.model,
        "revision": run.revision,
        "weights_hash": run.weights_hash,
        "parameters": dict(run.parameters or {}),
        "space": row.space_id or None,
        "written": _moment(row.written_ns) or None,
        "is_chosen": row.is_chosen,
        "videos": {
            "done": row.n_done,
            "partial": row.n_partial,
            "failed": row.n_failed,
            "missing": row.n_missing,
            "live": row.n_live,
        },
        "rows": row.n_rows,
        "seconds": row.seconds,
        "size_bytes": row.size_bytes,
    }


def _find_run(snapshot: Snapshot, stage: str, typed: str) -> Run:
    """The run of a stage whose key begins so, or whose model is called so.

    Raises:
        UnknownIdError: there is none, or more than one.
    """
    from store.stages import is_known, stage_named

    name = stage if not is_known(stage) and any(r.run.stage == stage for r in snapshot.runs()) else None
    name = name or stage_named(stage).name
    rows = [row.run for row in snapshot.runs() if row.run.stage == name]
    found = [run for run in rows if run.key == typed] or [
        run for run in rows if typed and (run.key.startswith(typed) or run.model == typed)
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{run.key} ({run.model})" for run in found or rows) or "none"
    what = "more than one run" if found else "no run"
    raise UnknownIdError(f"{what} of {stage} is called {typed!r:.80}; runs: {known}")


@stages.command()
@ARCHIVE
@_STAGE
@click.argument("run")
def choose(archive: Path, stage: str, run: str) -> None:
    """Make RUN of STAGE live: its results answer wherever it has some.

    RUN is a key, the beginning of one, or the name of a model, as `rushes stages ARCHIVE` lists them.
    """
    from store.archive import Archive

    with Archive.open(archive) as opened:
        opened.publish()
        chosen = _find_run(opened.snapshot(), stage, run)
        was_news = opened.choose_run(chosen)
        opened.publish()
    click.echo(f"{chosen.stage} {chosen.key} ({chosen.model}) is live{'' if was_news else ' already'}")


@stages.command()
@ARCHIVE
@_STAGE
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(archive: Path, stage: str, run: str, yes: bool) -> None:
    """Remove the results of RUN of STAGE for good; the live run cannot be dropped.

    Only what no other run needs is deleted. Searches that are under way go on with what they have open.
    """
    from store.archive import Archive

    with Archive.open(archive) as opened:
        opened.publish()
        wanted = _find_run(opened.snapshot(), stage, run)
        n_bytes = sum(path.stat().st_size for path in opened.files_of_run(wanted.stage, wanted.key))
        question = f"Remove {wanted.stage} {wanted.key} ({wanted.model}), {n_bytes:,} bytes, for good?"
        if not yes and not click.confirm(question, err=True):
            click.get_current_context().exit(1)
        freed = opened.drop_run(wanted.stage, wanted.key)
    click.echo(f"{wanted.stage} {wanted.key} ({wanted.model}) dropped, {freed:,} bytes freed")


@stages.command()
@ARCHIVE
@_STAGE
@click.argument("first")
@click.argument("second")
@click.argument("video", required=False)
@click.option(
    "--most-differences", type=click.IntRange(0), help="Exit 1 if more rows than this are said by one run alone."
)
@AS_JSON
def compare(
    archive: Path,
    stage: str,
    first: str,
    second: str,
    video: str | None,
    most_differences: int | None,
    as_json: bool,
) -> None:
    """Show what two runs of STAGE say of a VIDEO side by side, or of every video how far they agree.

    Where texts were corrected by hand (`rushes correct`), it counts how many of those each run says, too.
    """
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        pair = (_find_run(snapshot, stage, first), _find_run(snapshot, stage, second))
        chosen = snapshot.videos() if video is None else [snapshot.video(video)]
        said = {
            row.path: (_said(snapshot, pair[0], row.video_id), _said(snapshot, pair[1], row.video_id))
            for row in chosen
        }
        truth = {row.path: _by_hand(snapshot, pair[0].stage, row.video_id) for row in chosen}
    if video is None:
        _show_agreement(pair, said, truth, as_json=as_json)
    else:
        ((of_first, of_second),) = said.values()
        _show_both(pair, of_first, of_second, as_json=as_json)
    n_differences = sum(len(a ^ b) for a, b in said.values())
    if most_differences is not None and n_differences > most_differences:
        click.echo(f"{n_of(n_differences, 'row')} said by one run alone, more than {most_differences:,}", err=True)
        click.get_current_context().exit(1)


def _show_agreement(
    pair: tuple[Run, Run], said: Mapping[str, tuple[_Rows, _Rows]], truth: Mapping[str, _Rows], *, as_json: bool
) -> None:
    """Print how many rows of each video both runs have, and how many of a person's texts."""
    from indexer.commands.console import print_json, print_table

    agreed = [
        {
            "video": path,
            "first": len(a),
            "second": len(b),
            "same": len(a & b),
            "by_hand": len(truth[path]),
            "first_right": _n_right(a, truth[path]),
            "second_right": _n_right(b, truth[path]),
        }
        for path, (a, b) in said.items()
    ]
    if as_json:
        print_json(agreed)
        return
    models = (pair[0].model or pair[0].key, pair[1].model or pair[1].key)
    heads: tuple[str, ...] = ("video", *models, "the same")
    if any(truth.values()):
        heads = (*heads, "by hand", *(f"{model} right" for model in models))
    rows = [tuple(map(str, row.values()))[: len(heads)] for row in agreed]
    print_table(heads, rows, right=tuple(range(1, len(heads))))


def _show_both(pair: tuple[Run, Run], of_first: _Rows, of_second: _Rows, *, as_json: bool) -> None:
    """Print what either run says of a video, by time."""
    from indexer.commands.console import print_json, print_table
    from store.wording import clock

    both = sorted(of_first | of_second)
    if as_json:
        names = ("start_seconds", "end_seconds", "text")
        print_json(
            [
                {**dict(zip(names, one, strict=True)), "first": one in of_first, "second": one in of_second}
                for one in both
            ]
        )
        return
    marks = {(True, True): "=", (True, False): "<", (False, True): ">"}
    cells = [(clock(s), clock(e), marks[(s, e, t) in of_first, (s, e, t) in of_second], t) for s, e, t in both]
    print_table(("start", "end", "said by", "text"), cells, right=(0, 1))
    click.echo(f"<: only {pair[0].key} ({pair[0].model}); >: only {pair[1].key} ({pair[1].model})", err=True)


def _by_hand(snapshot: Snapshot, stage: str, video_id: str) -> _Rows:
    """Start, end and text of what a person wrote."""
    return {
        (row.row.span.start_seconds, row.row.span.end_seconds, row.row.text)
        for row in snapshot.stage_rows(video_id, stage)
        if row.is_by_hand
    }


def _n_right(said: _Rows, truth: _Rows) -> int:
    """How many of a person's texts a run says, at the same time and but for the case of letters."""
    return sum(
        any(s < end and e > start and t.casefold() == text.casefold() for s, e, t in said)
        for start, end, text in truth
    )


def _said(snapshot: Snapshot, run: Run, video_id: str) -> set[tuple[float, float, str]]:
    """Start, end and text of each row of a run for a video; of shots without text."""
    from store.stages import VISUAL

    if run.stage == VISUAL:
        return {(span.start_seconds, span.end_seconds, "") for span in snapshot.shots_of_run(run, video_id)}
    rows: list[TextRow] = snapshot.rows_of_run(run, video_id)
    return {(row.span.start_seconds, row.span.end_seconds, row.text) for row in rows}

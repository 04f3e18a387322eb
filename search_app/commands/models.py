"""`rushes models`: the encoders of an archive; a new one is built beside the old, compared, and switched to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON, CONFIG, DEVICE
from search_app.errors import QueryError
from store.stages import VISUAL

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    pass

_N_SHOWN = 10


@click.group()
def models() -> None:
    """List the encoders of an archive, build a new one beside the old, compare both, and switch."""


@models.command("list")
@ARCHIVE
@AS_JSON
def list_models(archive: Path, as_json: bool) -> None:
    """List the encoders of ARCHIVE: which answers, and how many videos each has seen."""
    from indexer.commands.console import print_json, print_table
    from search_app.use_cases.encoders import also_available
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        answering = snapshot.space.space_id if snapshot.space else ""
        spaces = sorted(snapshot.spaces().values(), key=lambda one: one[0].space_id != answering)
        found = [(space, *snapshot.space_coverage(space.space_id)) for space, _ in spaces]
    if as_json:
        print_json(
            [
                {
                    "model": space.name,
                    "space": space.space_id,
                    "answers": space.space_id == answering,
                    "videos": n,
                    "of": n_all,
                }
                for space, n, n_all in found
            ]
        )
        return
    rows = [
        (s.name, s.space_id, f"{n:,} of {n_all:,}", "yes" if s.space_id == answering else "")
        for s, n, n_all in found
    ]
    print_table(("model", "space", "videos", "answers"), rows, right=(2,))
    for line in also_available({space.name for space, *_ in found}):
        click.echo(line, err=True)


@models.command()
@ARCHIVE
@click.argument("name")
@click.option(
    "--model-path", type=click.Path(path_type=Path), help="Load the encoder from a local open_clip folder."
)
@click.option(
    "--incomplete",
    is_flag=True,
    help="Switch even if videos are missing in the new space; they show no shots then.",
)
@DEVICE
@CONFIG
def use(
    archive: Path,
    name: str,
    model_path: Path | None,
    incomplete: bool,
    device: str,
    config_files: tuple[Path, ...],
) -> None:
    """Let encoder NAME answer: index every video with it beside the old one, then switch.

    NAME is what `rushes index --model` takes, or a space that `rushes models list` shows. The old encoder answers
    until every video that is there has been seen by the new one; the switch is one event, and so is the way back.
    Stop it whenever you like: the next run goes on where it stopped.
    """
    from indexer.commands.archive_commands import run_index
    from indexer.commands.options import read_index_settings
    from search_app.use_cases.encoders import has_seen_all, known_space, load_of, paths_without
    from store.archive import Archive

    settings = read_index_settings(config_files)
    with Archive.open(archive) as opened:
        if opened.space is None:
            raise QueryError(
                f"{archive} holds no videos yet; fill it with: rushes index ARCHIVE PATH --model {name}"
            )
        known = known_space(opened.snapshot(), name)
        if known is None or not has_seen_all(opened, known):
            encoder = load_of(known, name, model_path, device)
            known = encoder.space
            opened.add_space(known, str(model_path or name))
            paths = paths_without(opened, known)
            if paths:
                run_index(opened, paths, encoder, settings)
        n_seen, n_all = opened.snapshot().space_coverage(known.space_id)
        if n_seen < n_all and not incomplete:
            click.echo(
                f"{known.name} has seen {n_seen:,} of {n_all:,} videos, so {opened.space.name} goes on to answer; "
                "run this again when the others can be read, or give --incomplete",
                err=True,
            )
            click.get_current_context().exit(1)
        opened.use_space(known.space_id)
        runs = [row.run for row in opened.snapshot().runs() if row.space_id not in ("", known.space_id)]
    left = sorted({run.stage for run in runs if run.stage != VISUAL})
    if left:
        click.echo(f"found by words alone until they are embedded again: {', '.join(left)}", err=True)
    click.echo(f"{known.name} answers from now on, for {n_seen:,} of {n_all:,} videos")


@models.command()
@ARCHIVE
@click.argument("queries", nargs=-1, required=True)
@click.option("--with", "other", metavar="NAME", help="The other encoder; the only other one if left out.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_N_SHOWN, show_default=True, help="Shots to show.")
@DEVICE
@AS_JSON
def compare(
    archive: Path, queries: tuple[str, ...], other: str | None, limit: int, device: str, as_json: bool
) -> None:
    """Show the rankings of the encoder that answers and of another one side by side, for each of QUERIES.

    QUERIES are plain words. Every shot is compared, so this takes longer than a search.
    """
    from indexer.commands.console import print_json, print_table
    from indexer.models.open_clip_encoder import load_encoder_of
    from search_app.use_cases.encoders import compare_rankings, pair_of_spaces
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        pair = pair_of_spaces(snapshot, other)
        encoders = [load_encoder_of(space, device=device) for space in pair]
        rankings = compare_rankings(snapshot, encoders, queries, limit)
    if as_json:
        print_json(rankings)
        return
    for found in rankings:
        click.echo(f"{found['query']}: {found['n_common']} of {limit} shots in both")
        rows = [
            (str(rank), *(_cell(one) for one in both))
            for rank, both in enumerate(zip(*found["rankings"], strict=True), start=1)
        ]
        print_table(("", pair[0].name, pair[1].name), rows, right=(0,))


def _cell(hit: dict[str, Any] | None) -> str:
    from store.wording import clock

    return "" if hit is None else f"{hit['score']:.3f} {Path(hit['video']).name} {clock(hit['start_seconds'])}"

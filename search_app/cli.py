"""The `rushes` command: everything `indexer.cli` offers, and search, supercut, demo, ui."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from indexer import cli as indexer_cli
from search_app import (
    cut_command,
    eval_command,
    export_command,
    rights_command,
    search_commands,
    supercut_command,
    timeline_command,
)
from search_app.cutting.cut_options import CutOptions
from search_app.errors import QueryError
from search_app.render_command import render_cut
from search_app.search_commands import print_hits
from store.errors import ArchiveError, ConfigError, NotAnArchiveError

USAGE_ERRORS = (ConfigError, NotAnArchiveError, QueryError)
DEMO_QUERIES = ("a red boat on the sea", "two dogs", "a house at night")


class _Rushes(click.Group):
    """Turns failures that Rushes can explain into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        from indexer.console import printable

        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has gone, as `head` does
            ctx.exit(1)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            known = isinstance(error, ArchiveError)
            text = str(error) if known else f"{type(error).__name__}: {error} (a fault of ours: see --debug)"
            click.echo(f"rushes: {printable(text)}", err=True)
            ctx.exit(2 if isinstance(error, USAGE_ERRORS) else 1)


@click.group(cls=_Rushes, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the whole traceback when something fails.")
@click.version_option(package_name="rushes", prog_name="rushes")
def main(debug: bool) -> None:
    """A searchable video archive: index videos, find shots by what they show, cut a supercut."""


for command in (
    *indexer_cli.COMMANDS,
    *search_commands.COMMANDS,
    eval_command.evaluate,
    supercut_command.supercut,
    timeline_command.timeline,
    export_command.export,
    cut_command.cut,
    rights_command.rights,
):
    main.add_command(command)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default="demo")
@click.option("--seed", default=7, show_default=True, help="Another number draws another library.")
def demo(folder: Path, seed: int) -> None:
    """Draw a sample library, index it, search it, and cut a supercut, all in FOLDER and offline.

    The pictures are drawn, and so is the world that the demo encoder knows: it shows how Rushes works, not how
    well a real encoder finds real footage.
    """
    from indexer.config import IndexSettings
    from indexer.models.open_clip_encoder import load_encoder
    from search_app.cutting.choice import choose_clips
    from search_app.search import search
    from store.archive import Archive

    library, film = folder / "library", folder / "supercut.mp4"
    if not (library / "ground_truth.json").exists():
        click.echo(f"drawing a sample library in {library} ...", err=True)
        _draw_with_progress(library, seed)
    with Archive.create(folder / "archive") as archive:
        encoder = load_encoder("demo")
        archive.claim_space(encoder.space, source="demo")
        click.echo("indexing it (one file is broken on purpose) ...", err=True)
        indexer_cli.run_index(archive, [library], encoder, IndexSettings())
        for query in DEMO_QUERIES:
            click.echo(f'\nrushes search {folder / "archive"} "{query}" --limit 3')
            print_hits(search(archive, query, encoder=encoder, limit=3))
        best = search(archive, DEMO_QUERIES[0], encoder=encoder, limit=5)
        cut_list = choose_clips(archive.snapshot(), best.hits, CutOptions(max_seconds=20.0))
        provenance = {
            "query": DEMO_QUERIES[0],
            "embedding_space": best.space_id,
            "archive_generation": best.generation,
        }
        report = render_cut(archive, cut_list, film, provenance, overwrite=True)
    click.echo(f"\n{report.summary()}\n\nlibrary:  {library}\narchive:  {folder / 'archive'}\nsupercut: {film}")
    click.echo(f"look around with:  rushes ui {folder / 'archive'}")


def _draw_with_progress(library: Path, seed: int) -> None:
    from indexer.console import progress_bar
    from indexer.demo.sample_library import draw_sample_library

    with progress_bar() as bar:
        task = bar.add_task("drawing", total=None, detail="")

        def show(n_done: int, n_all: int) -> None:
            bar.update(task, completed=n_done, total=n_all, detail=f"{n_done}/{n_all} frames")

        draw_sample_library(library, seed, show)


@main.command()
@click.argument("archive", type=click.Path(path_type=Path), required=False)
@click.option("--port", type=click.IntRange(0, 65_535), default=8501, show_default=True, help="TCP port.")
def ui(archive: Path | None, port: int) -> None:
    """Open the page in a browser: search, look, tick, render. Only this machine can reach it."""
    from search_app.ui.serve import serve_page
    from store.archive import Archive

    if archive is not None:
        Archive.open(archive).close()  # what is no archive is said here, not only in the page
    serve_page(archive, port)

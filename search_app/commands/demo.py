"""`rushes demo`: a library drawn, indexed, searched and cut, to see how Rushes works."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands import archive_commands
from indexer.commands.enrich import run_enrich
from search_app.commands.render import make_shown
from search_app.commands.search_view import print_hits


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default="demo")
@click.option("--seed", default=7, show_default=True, help="Another number draws another library.")
def demo(folder: Path, seed: int) -> None:
    """Draw a sample library, index it, search it, and cut a supercut, all in FOLDER and offline.

    The pictures are drawn, and so is the world that the demo encoder knows: it shows how Rushes works, not how
    well a real encoder finds real footage.
    """
    from search_app.use_cases.answer import files_of_hits
    from search_app.use_cases.show_demo import (
        DEMO_QUERIES,
        DEMO_WORDS,
        ask_demo,
        demo_settings,
        demo_stages,
        is_drawn,
        open_demo,
        plan_demo_film,
    )

    library, film = folder / "library", folder / "supercut.mp4"
    if not is_drawn(library):
        click.echo(f"drawing a sample library in {library} ...", err=True)
        _draw_with_progress(library, seed)
    with open_demo(folder / "archive") as (archive, encoder):
        click.echo("indexing it (one file is broken on purpose) ...", err=True)
        archive_commands.run_index(archive, [library], encoder, demo_settings())
        click.echo("labels, letters in the pictures, and what is said (from subtitles) ...", err=True)
        for stages, video_ids in demo_stages(archive):
            run_enrich(archive, stages, demo_settings().stages, "cpu", video_ids=video_ids)
        for query in (*DEMO_QUERIES, *DEMO_WORDS):
            mark = "'" if '"' in query else '"'
            click.echo(f"\nrushes search {folder / 'archive'} {mark}{query}{mark} --limit 3")
            result = ask_demo(archive, encoder, query, limit=3)
            print_hits(result, files_of_hits(archive.snapshot(), result.hits))
        made = make_shown(plan_demo_film(archive, encoder, film), quiet=False)
        made.refuse_losses()
    click.echo(
        f"\n{made.report.summary()}\n\nlibrary:  {library}\narchive:  {folder / 'archive'}\nsupercut: {film}"
    )
    click.echo(f"look around with:  rushes ui {folder / 'archive'}")


def _draw_with_progress(library: Path, seed: int) -> None:
    from indexer.commands.console import progress_bar
    from search_app.use_cases.show_demo import draw_demo

    with progress_bar() as bar:
        task = bar.add_task("drawing", total=None, detail="")

        def show(n_done: int, n_all: int) -> None:
            bar.update(task, completed=n_done, total=n_all, detail=f"{n_done}/{n_all} frames")

        draw_demo(library, seed, show)

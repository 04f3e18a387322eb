"""`rushes demo`: a library drawn, indexed, searched and cut, to see how Rushes works."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands import archive_commands
from search_app.commands.render import render_cut
from search_app.commands.search_view import files_of_hits, print_hits
from search_app.cutting.cut_options import CutOptions

DEMO_QUERIES = ("a red boat on the sea", "two dogs", "a house at night")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default="demo")
@click.option("--seed", default=7, show_default=True, help="Another number draws another library.")
def demo(folder: Path, seed: int) -> None:
    """Draw a sample library, index it, search it, and cut a supercut, all in FOLDER and offline.

    The pictures are drawn, and so is the world that the demo encoder knows: it shows how Rushes works, not how
    well a real encoder finds real footage.
    """
    from indexer.config import IndexSettings
    from indexer.models.open_clip_encoder import load_encoder
    from search_app.conforming.target_profile import film_rate
    from search_app.cutting.choice import choose_clips
    from search_app.search.search import search
    from store.archive import Archive

    library, film = folder / "library", folder / "supercut.mp4"
    if not (library / "ground_truth.json").exists():
        click.echo(f"drawing a sample library in {library} ...", err=True)
        _draw_with_progress(library, seed)
    with Archive.create(folder / "archive") as archive:
        encoder = load_encoder("demo")
        archive.claim_space(encoder.space, source="demo")
        click.echo("indexing it (one file is broken on purpose) ...", err=True)
        archive_commands.run_index(archive, [library], encoder, IndexSettings())
        for query in DEMO_QUERIES:
            click.echo(f'\nrushes search {folder / "archive"} "{query}" --limit 3')
            result = search(archive, query, encoder=encoder, limit=3)
            print_hits(result, files_of_hits(archive.snapshot(), result.hits))
        best = search(archive, DEMO_QUERIES[0], encoder=encoder, limit=50)
        wanted = CutOptions(limit=5, max_seconds=20.0)
        cut_list = choose_clips(archive.snapshot(), best.hits, wanted, rate_of=film_rate)
        provenance = {
            "query": DEMO_QUERIES[0],
            "embedding_space": best.space_id,
            "archive_generation": best.generation,
        }
        report = render_cut(archive, cut_list, film, provenance, overwrite=True)
    click.echo(f"\n{report.summary()}\n\nlibrary:  {library}\narchive:  {folder / 'archive'}\nsupercut: {film}")
    click.echo(f"look around with:  rushes ui {folder / 'archive'}")


def _draw_with_progress(library: Path, seed: int) -> None:
    from indexer.commands.console import progress_bar
    from indexer.demo.sample_library import draw_sample_library

    with progress_bar() as bar:
        task = bar.add_task("drawing", total=None, detail="")

        def show(n_done: int, n_all: int) -> None:
            bar.update(task, completed=n_done, total=n_all, detail=f"{n_done}/{n_all} frames")

        draw_sample_library(library, seed, show)

"""The `rushes` command: everything `indexer.cli` offers, and search, supercut, demo, ui."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer import cli as indexer_cli
from indexer.cli import ARCHIVE, AS_JSON, DEVICE
from search_app import eval_command, search_commands, timeline_command
from search_app.cutting.cut_options import NEAREST, CutOptions, add_cut_options
from search_app.errors import QueryError
from search_app.render_command import add_render_options, finish_render, render_cut
from search_app.search_commands import LIKE, find, print_hits, question_text
from store.errors import ArchiveError, ConfigError, NotAnArchiveError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.search import SearchResult

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
    timeline_command.timeline,
):
    main.add_command(command)


@main.command()
@ARCHIVE
@click.argument("query", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The .mp4, or what --preset makes."
)
@add_cut_options
@NEAREST
@add_render_options
@LIKE
@DEVICE
@AS_JSON
@click.pass_context
def supercut(
    context: click.Context, /, archive: Path, query: str | None, as_json: bool, output: Path, **options: Any
) -> None:
    """Join the best shots for QUERY, as given to `rushes search`, into one video.

    They are taken best first, or chosen by --fit to fill a length with shots that are good and unlike each other.
    Sources of any size, rate and sound are conformed to one profile. Afterwards the first and last frame of
    every clip are compared with the source. OUTPUT.json, beside the video, says where each clip comes from.
    """
    from search_app.cutting.choice import choose_clips, used_shots
    from search_app.guard import refuse_footage, refuse_no_match
    from store.archive import Archive

    wanted = CutOptions.take_from(options)
    with Archive.open(archive) as opened:
        refuse_footage(opened.snapshot(), output)
        question = question_text(query, options.pop("like"))
        used = used_shots(opened.snapshot()) if wanted.avoid_used else set()
        result = find(opened, question, device=options.pop("device"), limit=wanted.n_shots + len(used))
        refuse_no_match(result, question, nearest=options.pop("nearest"))
        cut_list = choose_clips(opened.snapshot(), result.hits, wanted, used)
        provenance = _provenance(result, question, wanted)
        report = render_cut(opened, cut_list, output, provenance, quiet=as_json, **options)
        finish_render(context, opened, report, as_json=as_json)


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
        wanted = CutOptions(max_seconds=20.0)
        cut_list = choose_clips(archive.snapshot(), best.hits, wanted)
        report = render_cut(archive, cut_list, film, _provenance(best, DEMO_QUERIES[0], wanted), overwrite=True)
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


def _provenance(result: SearchResult, question: str, wanted: CutOptions) -> dict[str, Any]:
    """What the ledger says about where the clips come from."""
    return {
        "query": question,
        "embedding_space": result.space_id,
        "archive_generation": result.generation,
        **wanted.provenance(),
    }

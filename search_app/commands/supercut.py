"""`rushes supercut`: the best shots in one film, each in a file of its own, or a film rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import AS_JSON, DEVICE
from search_app.commands.as_one import as_one, given_options
from search_app.commands.export_options import add_answer_options
from search_app.commands.render import EACH, render_again, render_source
from search_app.commands.render_options import add_render_options
from search_app.cutting.cut_options import flag_of
from search_app.errors import QueryError
from search_app.use_cases.options import AnswerSource

if TYPE_CHECKING:
    from search_app.use_cases.options import RenderOptions

OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The .mp4, or what --preset makes."
)
_MANIFEST = click.option(
    "--from",
    "manifest",
    type=click.Path(path_type=Path),
    help="Render again the film beside which this .json lies; needs no QUERY, nor ARCHIVE if nothing moved.",
)
_SOURCE_MAP = click.option(
    "--path-map",
    "source_map",
    multiple=True,
    metavar="FROM=TO",
    help="With --from: sources that lay below FROM lie below TO now; may be repeated.",
)
_ALLOWED_FILES = click.option(
    "--allow-file",
    "allowed_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With --from: a file that the manifest names (a source, music, a watermark) and that may be opened, or a "
    "folder of them; may be repeated.",
)
_OF_ONE_RUN = {"output", "as_json", "dry_run", "skip_missing", "overwrite", "keep_inexact", "poster", "poster_at"}
_WITH_MANIFEST = {"archive", "manifest", "source_map", "allowed_files", *_OF_ONE_RUN}


@click.command()
@click.argument("archive", type=click.Path(path_type=Path), required=False)
@click.argument("query", required=False)
@OUTPUT
@add_answer_options
@add_render_options
@EACH
@_MANIFEST
@_SOURCE_MAP
@_ALLOWED_FILES
@DEVICE
@AS_JSON
@as_one(AnswerSource, "source")
def supercut(
    archive: Path | None,
    source: AnswerSource,
    output: Path,
    rendering: RenderOptions,
    dry_run: bool,
    each: bool,
    manifest: Path | None,
    source_map: tuple[str, ...],
    allowed_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Join the best shots for QUERY, as given to `rushes search`, into one video.

    They are taken best first, or chosen by --fit to fill a length with shots that are good and unlike each other.
    Sources of any size, rate and sound are conformed to one profile. Afterwards the first and last frame of
    every clip are compared with the source. OUTPUT.json, beside the video, says where each clip comes from,
    and --from renders the same film from it again.
    """
    if manifest is not None:
        from search_app.use_cases.make_again import read_film

        _refuse_beside_manifest(source.query)
        before = read_film(manifest, source_map, allowed_files)
        render_again(archive, before, output, rendering, dry_run=dry_run, as_json=as_json)
        return
    for flag, given in (("--path-map", source_map), ("--allow-file", allowed_files)):
        if given:
            raise QueryError(f"{flag}: only with --from")
    if archive is None:
        raise QueryError("which ARCHIVE? or a manifest with --from")
    render_source(archive, source, output, rendering, dry_run=dry_run, each=each, as_json=as_json)


def _refuse_beside_manifest(query: str | None) -> None:
    """Refuse what the manifest says itself.

    Raises:
        QueryError: names the options.
    """
    others = sorted(given_options() - _WITH_MANIFEST - {"query"})
    if query is not None or others:
        named = ", ".join((["QUERY"] if query is not None else []) + [flag_of(name) for name in others])
        raise QueryError(f"{named}: not together with --from, whose manifest says what to render and how")

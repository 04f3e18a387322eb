"""`rushes supercut`: the best shots in one film, each in a file of its own, or a film rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from indexer.commands.options import AS_JSON, DEVICE
from search_app.commands.clip_source import add_answer_options, take_clips
from search_app.commands.render import add_render_options, finish_render, render_cut
from search_app.commands.render_again import (
    ALLOWED_FILES,
    MANIFEST,
    OF_ONE_RUN,
    SOURCE_MAP,
    refuse_beside_manifest,
    render_again,
)
from search_app.commands.render_each import EACH, refuse_beside_each, render_clips
from search_app.errors import QueryError


@click.command()
@click.argument("archive", type=click.Path(path_type=Path), required=False)
@click.argument("query", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The .mp4, or what --preset makes."
)
@add_answer_options
@add_render_options
@EACH
@MANIFEST
@SOURCE_MAP
@ALLOWED_FILES
@DEVICE
@AS_JSON
@click.pass_context
def supercut(
    context: click.Context,
    /,
    archive: Path | None,
    query: str | None,
    as_json: bool,
    output: Path,
    each: bool,
    manifest: Path | None = None,
    source_map: tuple[str, ...] = (),
    allowed_files: tuple[Path, ...] = (),
    **options: Any,
) -> None:
    """Join the best shots for QUERY, as given to `rushes search`, into one video.

    They are taken best first, or chosen by --fit to fill a length with shots that are good and unlike each other.
    Sources of any size, rate and sound are conformed to one profile. Afterwards the first and last frame of
    every clip are compared with the source. OUTPUT.json, beside the video, says where each clip comes from,
    and --from renders the same film from it again.
    """
    from search_app.output_checks import refuse_footage
    from store.archive import Archive

    if manifest is not None:
        refuse_beside_manifest(query)
        again = {name: options[name] for name in OF_ONE_RUN}
        render_again(context, archive, manifest, output, source_map, allowed_files, as_json=as_json, **again)
        return
    for flag, given in (("--path-map", source_map), ("--allow-file", allowed_files)):
        if given:
            raise QueryError(f"{flag}: only with --from")
    if archive is None:
        raise QueryError("which ARCHIVE? or a manifest with --from")
    if each:
        refuse_beside_each()
    with Archive.open(archive) as opened:
        refuse_footage(opened.snapshot(), output)
        chosen = take_clips(opened, query, options, can_mark=True, needs_files=True)
        marks = [ruling.text for ruling in chosen.rulings]
        provenance = chosen.provenance
        if each:
            clips = (chosen.cut_list, marks)
            render_clips(context, opened, *clips, output, provenance, as_json=as_json, **options)
            return
        report = render_cut(opened, chosen.cut_list, output, provenance, marks=marks, quiet=as_json, **options)
        finish_render(context, report, as_json=as_json)

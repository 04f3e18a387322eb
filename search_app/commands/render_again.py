"""`rushes supercut --from`: a film rendered again from its manifest, without searching."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search_app.commands.render import finish_render, render_cut
from search_app.commands.search import given_options
from search_app.errors import QueryError

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.archive import Archive

MANIFEST = click.option(
    "--from",
    "manifest",
    type=click.Path(path_type=Path),
    help="Render again the film beside which this .json lies; needs no QUERY, nor ARCHIVE if nothing moved.",
)
SOURCE_MAP = click.option(
    "--path-map",
    "source_map",
    multiple=True,
    metavar="FROM=TO",
    help="With --from: sources that lay below FROM lie below TO now; may be repeated.",
)
ALLOWED_FILES = click.option(
    "--allow-file",
    "allowed_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With --from: a file that the manifest names (a source, music, a watermark) and that may be opened, or a "
    "folder of them; may be repeated.",
)
OF_ONE_RUN = ("skip_missing", "overwrite", "keep_inexact", "dry_run", "poster", "poster_at")
_TOGETHER = {"archive", "manifest", "source_map", "allowed_files", "output", "as_json", *OF_ONE_RUN}


def refuse_beside_manifest(query: str | None) -> None:
    """Refuse what the manifest says itself.

    Raises:
        QueryError: names the options.
    """
    others = sorted(given_options() - _TOGETHER - {"query"})
    if query is not None or others:
        named = ", ".join((["QUERY"] if query is not None else []) + [_flag(name) for name in others])
        raise QueryError(f"{named}: not together with --from, whose manifest says what to render and how")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def render_again(
    context: click.Context,
    archive: Path | None,
    manifest: Path,
    output: Path,
    path_map: tuple[str, ...],
    allowed_files: tuple[Path, ...],
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Render a film again, and say whether it is the same; exit status 1 if it is not.

    Args:
        context: of the command that renders.
        archive: asked for rights, and where the sources are; None for the one that the manifest names, if it is
            there and one's own.
        manifest: the file.
        output: the film to make.
        path_map: `FROM=TO`, for sources that moved.
        allowed_files: files and folders that the manifest names and that may be opened.
        as_json: print the new manifest instead of a summary.
        options: `skip_missing`, `overwrite`, `keep_inexact`, `dry_run`, `poster` and `poster_at`.
    """
    from indexer.commands.console import printable
    from search_app.cutting.clip_texts import ClipText
    from search_app.cutting.rights import keep_rights, rights_entry
    from search_app.exports.manifest import difference_between, read_manifest
    from search_app.exports.manifest_sources import Allowed, find_archive, refuse_unasked, with_sources
    from search_app.timelines.relink import Relinker, read_path_map
    from store.archive import Archive

    relink = Relinker(read_path_map(path_map))
    allowed, known = Allowed.of(allowed_files), read_manifest(manifest)
    refuse_unasked(known.options, allowed)
    for line in relink.without_effect(path for clip in known.cut_list.clips for path in clip.paths):
        click.echo(printable(line), err=True)
    how = {**known.options, **options}
    provenance = {**known.carried, "rendered_from": {"manifest": manifest.name, "digest": known.digest}}

    def render(opened: Archive | None) -> None:
        cut_list = with_sources(known.cut_list, relink, allowed, opened.snapshot() if opened else None)
        if opened:  # rights as they are now, whatever they were then
            flags = opened.snapshot().rights()
            _, rulings = keep_rights(cut_list, flags, can_mark=True)
            provenance["rights"] = rights_entry(len(flags), rulings)
            then = how.get("texts") or [ClipText()] * len(rulings)
            how["texts"] = [replace(text, mark=ruling.text) for text, ruling in zip(then, rulings, strict=True)]
        else:
            provenance["rights"] = {**known.carried.get("rights", {}), "checked_on": None}
            click.echo("rights were not checked: name the ARCHIVE to ask what is blocked now", err=True)
        report = render_cut(opened, cut_list, output, provenance, quiet=as_json, **how)
        finish_render(context, report, as_json=as_json)
        difference = difference_between(known, read_manifest(report.ledger))
        verdict = (
            "is the same film: every decoded picture and all sound" if not difference else "is another film: "
        )
        click.echo(f"{report.output} {verdict}{difference}", err=True)
        if difference:
            context.exit(1)

    archive = archive or find_archive(known.carried)
    if archive is None:
        render(None)
    else:
        with Archive.open(archive) as opened:
            render(opened)

"""`rushes cut relink`: clips whose source was exported again find the file that took its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.commands.edit_cut import NAME

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.relinking.relink import Relinked


@click.command()
@ARCHIVE
@NAME
@click.argument("places", required=False)
@click.option("--to", metavar="VIDEO", help="Look in this video of the archive alone.")
@click.option("--force", is_flag=True, help="Also what is doubtful.")
@click.option("--dry-run", is_flag=True, help="Only say what would be relinked.")
@AS_JSON
@click.pass_context
def relink(
    context: click.Context,
    /,
    archive: Path,
    name: str,
    places: str | None,
    to: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Relink clips whose video is gone to the video that took its place, such as a source exported again.

    Looks at what lies in the old place now, then at videos of the same name, with the same timecode, and with the
    same look. Pictures near the clip's first and last frame are compared with the new file; they also tell by how
    much its times are shifted. What is doubtful is named and left as it is, unless --force is given. Exit status 1
    if clips are left without a video. `undo` takes it back.
    """
    from indexer.commands.console import print_json
    from search_app.commands.cut_view import say_change
    from search_app.use_cases.relink_cut import relink_cut
    from store.archive import Archive
    from store.wording import printable

    with Archive.open(archive) as opened:
        made = relink_cut(opened, name, places=places, video=to, force=force, dry_run=dry_run)
        if as_json:
            print_json([_entries(one, is_taken=one.place in made.taken) for one in made.found])
        else:
            for one in made.found:
                click.echo(printable(_line(one, is_taken=one.place in made.taken)))
            if not made.found:
                click.echo(f"{name}: no clip has lost its video", err=True)
        for line in made.lost_rights:
            click.echo(printable(line), err=True)
        if made.change and not as_json:
            say_change(opened.snapshot(), made.change)
    if not made.is_whole:
        context.exit(1)


def _line(found: Relinked, *, is_taken: bool) -> str:
    clip = f"clip {found.place}: {Path(found.old.path).name}"
    if found.new is None:
        return f"{clip}: not relinked: {found.doubt}"
    look = "" if found.likeness is None else f" {100 * found.likeness:.0f} %"
    reasons = ", ".join(f"{reason}{look}" if reason == "look" else reason for reason in found.reasons)
    shift = f", shifted by {float(found.shift):+.3f} s" if found.shift else ""
    what = f"{found.new.path} ({reasons}){shift}"
    if is_taken:
        return f"{clip} -> {what}{f'; doubtful: {found.doubt}' if found.doubt else ''}"
    return f"{clip}: doubtful, so not relinked to {what}: {found.doubt}; --force takes it"


def _entries(found: Relinked, *, is_taken: bool) -> dict[str, Any]:
    return {
        "place": found.place,
        "video": found.old.path,
        "to": found.new.path if found.new else None,
        "reasons": list(found.reasons),
        "shift_seconds": float(found.shift),
        "likeness": None if found.likeness is None else round(found.likeness, 4),
        "doubt": found.doubt,
        "is_relinked": is_taken,
        "clip": found.new.to_plain() if found.new else None,
    }

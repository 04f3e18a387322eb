"""`rushes cut relink`: clips whose source was exported again find the file that took its place."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.commands.cut_values import parse_places
from search_app.commands.edit_cut import NAME
from search_app.errors import QueryError
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.stored_cut import StoredCut
    from search_app.relinking.relink import Relinked
    from store.snapshot import Snapshot


def relink_command(archive: Path, name: str) -> str:
    """The command that relinks a cut list, to be copied."""
    return f"rushes cut relink {shlex.quote(str(archive))} {shlex.quote(name)}"


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
    from indexer.commands.console import print_json, printable
    from search_app.commands.cut_view import say_change
    from search_app.cutting.stored_cut import commit, read_cut
    from search_app.relinking.relink import Relinker, gone_places
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        before = read_cut(snapshot, name)
        gone = gone_places(snapshot, before.clips)
        wanted = gone if places is None else parse_places(places, len(before.clips))
        if idle := sorted(set(wanted) - set(gone)):
            raise QueryError(f"clip {idle[0]} has its video: only clips whose video is gone are relinked")
        row = snapshot.video(to) if to else None
        relinker = Relinker(snapshot)
        found = [relinker.relink(place, before.clips[place - 1], row) for place in wanted]
        taken = {one.place: one.new for one in found if one.new and (force or one.is_certain)}
        lost = _lost_rights(snapshot, before, [one for one in found if one.place in taken])
        after = None
        if taken and not dry_run:
            clips = [taken.get(place, clip) for place, clip in enumerate(before.clips, start=1)]
            action = f"relinked {n_of(len(taken), 'clip')}"
            after = commit(opened, before, clips, action)
        if as_json:
            print_json([_entries(one, is_taken=one.place in taken) for one in found])
        else:
            for one in found:
                click.echo(printable(_line(one, is_taken=one.place in taken)))
            if not found:
                click.echo(f"{name}: no clip has lost its video", err=True)
        for line in lost:
            click.echo(printable(line), err=True)
        if after and not as_json:
            say_change(opened.snapshot(), after, action)
    if len(taken) < len(found):
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


def _lost_rights(snapshot: Snapshot, before: StoredCut, taken: Sequence[Relinked]) -> list[str]:
    """Rights that were set on the old file and do not hold for the new one, for people."""
    flags = {flag.fingerprint: flag for flag in snapshot.rights()}
    videos = {before.clips[one.place - 1].video_id: one for one in taken}
    return [
        f"{Path(one.old.path).name}: the old file has rights ({flags[video_id].rule}"
        f"{f': {flags[video_id].note}' if flags[video_id].note else ''}) that the new one does not have; "
        f"set them again with `rushes rights`"
        for video_id, one in videos.items()
        if video_id in flags
    ]

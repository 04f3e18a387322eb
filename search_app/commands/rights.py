"""`rushes rights`: what must not be exported, or only with a mark."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import ARCHIVE, AS_JSON
from search_app.errors import QueryError
from search_app.use_cases.cut_values import parse_time
from store.wording import clock, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from store.archive import Archive
    from store.records import VideoRow
    from store.timespan import TimeSpan


@click.command()
@ARCHIVE
@click.argument("video", required=False)
@click.option("--from", "begin", metavar="TIME", help="Only from here: 1:02.5, 1550f or a timecode.")
@click.option("--to", "end", metavar="TIME", help="Only up to here, this instant excluded.")
@click.option("--block", is_flag=True, help="It must not be exported.")
@click.option("--watermark", metavar="TEXT", help="It may be exported only with this mark on it.")
@click.option("--clear", is_flag=True, help="Take back what was said of it; without --from and --to all of it.")
@click.option("--until", default="", metavar="DATE", help="The last day on which this holds, such as 2027-01-31.")
@click.option("--note", default="", help="Why.")
@AS_JSON
def rights(
    archive: Path,
    video: str | None,
    begin: str | None,
    end: str | None,
    block: bool,
    watermark: str | None,
    clear: bool,
    until: str,
    note: str,
    as_json: bool,
) -> None:
    """List what must not be exported, or set it for VIDEO or a stretch of it.

    It goes with the content, not the name of the file. A supercut, timeline or other export refuses what is
    blocked, and says which clip and why; with --skip-blocked it leaves that out. --block and --watermark hold
    beside each other, and blocking goes first; the same one said again of the same stretch replaces it.
    """
    from indexer.commands.console import print_json
    from search_app.cutting.rights import Rule, clear_rights, describe_flag, set_rights
    from store.archive import Archive

    n_wanted = sum((block, watermark is not None, clear))
    if n_wanted > 1:
        raise QueryError("--block, --watermark and --clear: one at a time")
    if n_wanted and video is None:
        raise QueryError("of which VIDEO? `rushes shots ARCHIVE` lists them")
    if (clear or not n_wanted) and (until or note):
        raise QueryError("--until and --note: only with --block or --watermark")
    if not n_wanted and (begin or end):
        raise QueryError("--from and --to: only with --block, --watermark or --clear")
    with Archive.open(archive) as opened:
        row = None if video is None else opened.snapshot().video(video)
        if row is not None and n_wanted:
            span = _span(row, begin, end)
            if clear:
                clear_rights(opened, row.video_id, span)
            else:
                rule = Rule.BLOCK if block else Rule.WATERMARK
                said = {"text": watermark or "", "until": until, "note": note}
                replaced = set_rights(opened, row.video_id, span, rule, **said)
                if replaced:
                    click.echo(printable(f"replaced: {describe_flag(replaced)}"), err=True)
                if until and until < date.today().isoformat():
                    click.echo(f"{until} is past: this holds no more, and stops no export", err=True)
        listed = _listed(opened, row)
    if as_json:
        print_json(listed)
    elif listed:
        _print(listed)
    else:
        click.echo("nothing is blocked or to be marked", err=True)


def _span(row: VideoRow, begin: str | None, end: str | None) -> TimeSpan | None:
    from store.timespan import TimeSpan

    if begin is None and end is None:
        return None
    start = row.facts.span.start if begin is None else parse_time(begin, row.facts)
    stop = row.facts.span.end if end is None else parse_time(end, row.facts)
    if not start < stop:
        raise QueryError(f"the stretch would end before it begins: from {float(start):g} s to {float(stop):g} s")
    return TimeSpan(start, stop)


def _listed(archive: Archive, row: VideoRow | None) -> list[dict[str, object]]:
    from search_app.cutting.rights import is_expired

    snapshot = archive.snapshot()
    today = date.today().isoformat()
    paths = {video.video_id: video.path for video in snapshot.videos()}
    return [
        {
            "video": paths.get(flag.fingerprint, flag.fingerprint),
            "fingerprint": flag.fingerprint,
            "start_seconds": None if flag.span is None else flag.span.start_seconds,
            "end_seconds": None if flag.span is None else flag.span.end_seconds,
            "rule": flag.rule,
            "text": flag.text,
            "until": flag.until,
            "is_expired": is_expired(flag, today),
            "note": flag.note,
            "by": flag.editor,
        }
        for flag in snapshot.rights()
        if row is None or flag.fingerprint == row.video_id
    ]


def _print(listed: list[dict[str, object]]) -> None:
    from indexer.commands.console import print_table

    def time(seconds: object) -> str:
        return clock(seconds) if isinstance(seconds, float) else ""

    rows = [
        (
            str(flag["rule"]),
            time(flag["start_seconds"]),
            time(flag["end_seconds"]),
            str(flag["text"]),
            f"{flag['until']} (expired)" if flag["is_expired"] else str(flag["until"]),
            str(flag["by"]),
            str(flag["note"]),
            str(flag["video"]),
        )
        for flag in listed
    ]
    print_table(("rule", "from", "to", "mark", "until", "by", "note", "video"), rows, right=(1, 2))

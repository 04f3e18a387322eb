"""`rushes rules`: what rules decide about each video, and by which shots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.rules.decide import Decision
    from search_app.use_cases.check_rules import RuleReport


@click.group()
def rules() -> None:
    """Decide rules over labels, captions, objects, speech and texts: tags, flags, ratings, allowed hours."""


@rules.command()
@ARCHIVE
@click.argument("video", required=False)
@click.option(
    "--rules",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of rules.  [default: rules.toml of the working directory]",
)
@click.option("--at", metavar="HH:MM", help="Refuse what may not be shown at this time of day.")
@click.option("--holding", is_flag=True, help="Only what holds or is not decided.")
@AS_JSON
def check(
    archive: Path, video: str | None, file: Path | None, at: str | None, holding: bool, as_json: bool
) -> None:
    """Decide each rule for every video of ARCHIVE, or for VIDEO, with the shots that each decision rests on.

    Exit status 1 if a rule raises a flag, a video may not be shown at the time of --at, or something is not
    decided because a stage has no result yet; 0 otherwise. configs/rules.toml explains how rules are written.
    """
    from indexer.commands.console import print_json
    from search_app.rules.decide import Verdict
    from search_app.use_cases.check_rules import check_rules
    from store.archive import Archive
    from store.wording import printable

    with Archive.open(archive) as opened:
        report = check_rules(opened, file, video=video, at=at)
    shown = [one for one in report.decisions if not holding or one.verdict is not Verdict.DOES_NOT]
    if as_json:
        print_json([_json(report, one) for one in shown])
    else:
        for decision in shown:
            _print(report, decision)
    for line in report.undecided_lines:
        click.echo(printable(line), err=True)
    for name in report.idle:
        click.echo(printable(f"{name}: about no video here"), err=True)
    if not report.is_clean:
        click.get_current_context().exit(1)


def _print(report: RuleReport, decision: Decision) -> None:
    from indexer.commands.console import say
    from search_app.rules.decide import Verdict
    from store.wording import clock

    name = report.names[decision.video.path]
    then = f" -> {decision.rule.then.text}" if decision.verdict is Verdict.HOLDS else ""
    refused = " [refused]" if report.is_refused(decision) else ""
    say(f"{decision.verdict}: {decision.rule.name}: {name}: {decision.reason}{then}{refused}")
    for one in decision.evidence:
        times = f"{clock(one.span.start_seconds)} to {clock(one.span.end_seconds)}"
        say(f"  {times}  shot {one.shot.shot.ordinal + 1} ({one.shot.shot_id}): {'; '.join(one.found)}")


def _json(report: RuleReport, decision: Decision) -> dict[str, Any]:
    then = decision.rule.then
    return {
        "rule": decision.rule.name,
        "video": decision.video.path,
        "video_id": decision.video.video_id,
        "verdict": decision.verdict.value,
        "is_refused": report.is_refused(decision),
        "reason": decision.reason,
        "seconds": float(decision.seconds),
        "share": float(decision.seconds / decision.duration),
        "over": decision.rule.threshold.text,
        "then": {"tag": then.tag, "flag": then.flag, "rating": then.rating, "hours": then.hours},
        "missing": list(decision.missing),
        "shots": [
            {
                "shot": one.shot.shot_id,
                "start_seconds": one.span.start_seconds,
                "end_seconds": one.span.end_seconds,
                "found": list(one.found),
            }
            for one in decision.evidence
        ],
    }

"""The commands that ask, and keep what was decided: search, why, searches, sets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.archive_commands import shot_json
from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.question_options import CONFIG, JUDGED, add_question_options
from search_app.commands.search_view import (
    check_json,
    hit_json,
    match_json,
    print_explanation,
    print_hits,
    say_no_match,
    sure_json,
)
from search_app.commands.verify_options import VerifyOptions, add_verify_options
from search_app.errors import QueryError
from store.stages import help_of_texts
from store.wording import n_of, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.use_cases.options import QuestionOptions
    from store.snapshot import Snapshot

_TEXT_FIELDS, _HAS = help_of_texts()
_LANGUAGE_HELP = f"""
\b
  a red boat at dusk            plain words: what the shot shows
  harbour -people -"red car"    without what follows the dash, or NOT
  boat AND dog                  both; for one of two meanings a sum: boat + ship
  "exact words"                 spoken, written, in captions or names
{_TEXT_FIELDS}
                                words in one kind of text; said:harb* any ending
  dur:<5s  dur:2..8s            length of the shot
  date:2021..2023  date:>=2024-05
                                when it was recorded
  in:phone  in:"Trailer*"       file, folder or path: a name or word of it, or with * and ?
  shape:portrait  res:>=1080p  fps:25  lang:de
{_HAS}
  set:NAME  used:never|ever  space:NAME  rights:free|blocked|marked
  label:boat OR label:ship      either; ( ) group filters; - negates them
  a door opens THEN a dog runs WITHIN 20s
                                in this order, inside one video
  like:shot/ID  like:"picture.jpg"  like:FILE.mp4@12.5s
  2*"dog" + like:pool.jpg - fruit
                                weighted sum of texts and pictures
"""


def spare_processors() -> None:
    """Let the threads of numpy and FAISS not wait for each other at full load, before these are loaded.

    One sentence is too little work to share. Where there is more, FAISS's threads share it as before.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@click.command(epilog=_LANGUAGE_HELP)
@ARCHIVE
@click.argument("query", required=False)
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Shots on a page.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@click.option("--keep", multiple=True, metavar="SHOT", help="This shot is right: remember it, find more like it.")
@click.option("--reject", multiple=True, metavar="SHOT", help="This shot is wrong: remember it, leave it out.")
@click.option("--save", metavar="NAME", help="Save this search under a name.")
@add_verify_options
@add_question_options
@DEVICE
@AS_JSON
def search(
    archive: Path,
    query: str | None,
    limit: int,
    page: int,
    keep: tuple[str, ...],
    reject: tuple[str, ...],
    save: str | None,
    verification: VerifyOptions,
    asked: QuestionOptions,
    device: str,
    as_json: bool,
) -> None:
    """List the shots of ARCHIVE that answer QUERY, best first.

    Plain words are enough: "a red boat on the sea at night". Every shot is listed once, with the channels that
    found it; "nothing here matches" is said, with exit status 1, when the best is no better than chance. A file's
    name, or a word of it, finds the file first. SHOT is an id as `rushes shots` lists it, or the beginning of one.
    With --verify, a vision-language model looks at the first hits and says whether they show it: they keep their
    places and are marked, and what it cost is said. The whole language is below.
    """
    spare_processors()
    from indexer.commands.console import print_json
    from search_app.use_cases.answer import answer
    from store.archive import Archive

    model = verification.load(device)
    with Archive.open(archive) as opened:
        found = answer(
            opened, query, asked, limit=limit, page=page, keep=keep, reject=reject, save=save, device=device
        )
        verified = verification.run(opened.snapshot(), found.result, model)
    result = found.result
    if found.has_replaced and save is not None:
        click.echo(f"the search that was saved as {printable(save)} is replaced", err=True)
    say_no_match(result)
    if result.has_more and not as_json:
        click.echo(f"more: --page {page + 1}", err=True)
    if as_json:
        print_json([hit_json(hit, found.files) | check_json(hit, verified) for hit in result.hits])
    elif result.hits:
        print_hits(result, found.files, verified)
    for line in verified.lines() if verified else ():
        click.echo(printable(line), err=True)
    if not result.is_answer:
        click.get_current_context().exit(1)


@click.command()
@ARCHIVE
@click.argument("video")
@click.argument("time", metavar="TIME")
@click.argument("query")
@JUDGED
@CONFIG
@DEVICE
@AS_JSON
def why(
    archive: Path,
    video: str,
    time: str,
    query: str,
    judged: bool,
    config: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Say why the shot of VIDEO at TIME is, or is not, among the answers to QUERY.

    TIME is 12.5s, 1m30s or 1:30. Says which shot that is, whether it is indexed, its rank in every channel and
    after every stage, and what removed it.
    """
    spare_processors()
    from dataclasses import asdict

    from indexer.commands.console import print_json
    from search_app.use_cases.answer import explain_moment
    from store.archive import Archive

    with Archive.open(archive) as opened:
        found, presence = explain_moment(opened, video, time, query, judged=judged, config=config, device=device)
    if not as_json:
        print_explanation(found, presence)
        return
    print_json(
        {
            "shot": None if found.shot is None else shot_json(found.shot, presence),
            "reason": found.reason,
            **sure_json(found.confidence, found.certainty, found.is_calibrated),
            "is_match": found.is_match,
            "evidence": [asdict(reason) for reason in found.reasons],
            "channels": [match_json(match) for match in found.matches],
            "stages": [{"stage": name, "rank": place} for name, place in found.stages],
            "candidates": found.n_candidates,
        }
    )


@click.command()
@ARCHIVE
@click.option("--delete", metavar="NAME", help="Forget the search saved under that name.")
@click.option("--history", is_flag=True, help="List what was asked lately instead.")
@AS_JSON
def searches(archive: Path, delete: str | None, history: bool, as_json: bool) -> None:
    """List the saved searches of ARCHIVE, or what was asked lately."""
    from indexer.commands.console import print_json, print_table
    from search_app.search.decisions import delete_search
    from search_app.search.history import read_history
    from store.archive import Archive

    if delete is not None and history:
        raise QueryError("--delete and --history: one at a time")
    with Archive.open(archive) as opened:
        if delete is not None:
            delete_search(opened, delete)
        saved = opened.snapshot().saved_searches()
        asked = read_history(opened)
    if as_json and history:
        print_json([{"at": past.at, "query": past.query, "hits": past.n_hits} for past in asked])
    elif as_json:
        print_json([{"name": one.name, "query": one.query, "options": dict(one.options)} for one in saved])
    elif history and not asked:
        click.echo("nothing was asked yet", err=True)
    elif history:
        print_table(
            ("at", "hits", "query"), [(past.at, str(past.n_hits), past.query) for past in asked], right=(1,)
        )
    elif saved:
        print_table(("name", "query"), [(one.name, one.query) for one in saved], right=())
    else:
        click.echo("no searches are saved yet; rushes search ARCHIVE QUERY --save NAME saves one", err=True)


@click.command()
@ARCHIVE
@click.argument("name", required=False)
@click.option("--add", multiple=True, metavar="SHOT", help="Put this shot into the set, which is made if need be.")
@click.option("--remove", multiple=True, metavar="SHOT", help="Take this shot out of the set.")
@AS_JSON
def sets(archive: Path, name: str | None, add: tuple[str, ...], remove: tuple[str, ...], as_json: bool) -> None:
    """List the sets of ARCHIVE, or the shots of the set NAME; put shots into it and take them out.

    The shots of a set are found by set:NAME in a query. SHOT is an id, or the beginning of one. With --add and
    --remove all sets are listed.
    """
    from search_app.search.decisions import change_set
    from store.archive import Archive

    if name is None and (add or remove):
        raise QueryError("which set? give its NAME before --add and --remove")
    with Archive.open(archive) as opened:
        if name is not None and (add or remove):
            change_set(opened, name, add, remove)
        if name is not None and not (add or remove):
            _list_set(opened.snapshot(), name, as_json)
        else:
            _list_sets(opened.snapshot(), as_json)


def _list_sets(snapshot: Snapshot, as_json: bool) -> None:
    from indexer.commands.console import print_json, print_table

    found = snapshot.sets()
    if as_json:
        print_json([{"name": known, "stretches": n} for known, n in found.items()])
    elif found:
        print_table(("set", "stretches"), [(known, str(n)) for known, n in found.items()], right=(1,))
    else:
        click.echo("no sets yet; rushes sets ARCHIVE NAME --add SHOT makes one", err=True)


def _list_set(snapshot: Snapshot, name: str, as_json: bool) -> None:
    from indexer.commands.archive_commands import print_shots
    from indexer.commands.console import print_json
    from indexer.library.presence import look_for_shots
    from search_app.search.decisions import shots_of_set

    rows, n_lost = shots_of_set(snapshot, name)
    found = look_for_shots(snapshot, rows)
    if n_lost:
        click.echo(f"{n_of(n_lost, 'stretch')} of the set lie in no video that is in the archive now", err=True)
    if as_json:
        print_json([shot_json(row, found[row.video_id]) for row in rows])
    elif rows:
        print_shots(rows, [found[row.video_id] for row in rows])


COMMANDS = (search, why, searches, sets)

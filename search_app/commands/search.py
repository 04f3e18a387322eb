"""The commands that ask, and keep what was decided: search, why, searches, sets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from indexer.commands.archive_commands import shot_json
from indexer.commands.options import ARCHIVE, AS_JSON, DEVICE
from search_app.commands.search_view import (
    files_of_hits,
    hit_json,
    match_json,
    print_explanation,
    print_hits,
    say_no_match,
    sure_json,
)
from search_app.errors import QueryError
from search_app.number_types import Finite
from store.stages import help_of_texts
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.models.encoder import Encoder
    from search_app.config import SearchSettings
    from search_app.search.search import SearchResult
    from store.archive import Archive
    from store.snapshot import Snapshot

LIKE = click.option(
    "--like", type=click.Path(path_type=Path), help="A picture to search by, beside or instead of QUERY."
)
CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings over those of configs/search.toml."
)
JUDGED = click.option("--judged", is_flag=True, help="Use what was kept and rejected for this query before.")
_QUESTION_OPTIONS = (
    click.option(
        "--sort",
        type=click.Choice(["relevance", "date", "duration", "file"]),
        default="relevance",
        show_default=True,
        help="Which shots come first; any but relevance takes only what surely matches.",
    ),
    click.option(
        "--variety",
        type=Finite(0, 1),
        default=0.0,
        show_default=True,
        help="Of what surely matches: 0: the best first; 1: the most unlike.",
    ),
    click.option("--merge/--no-merge", help="Merge neighbouring shots that answer together into one moment."),
    click.option(
        "--stack/--no-stack", default=True, help="Take the best of the same picture, or every copy of it."
    ),
    JUDGED,
    click.option("--saved", metavar="NAME", help="Ask what was saved under that name; QUERY narrows it."),
    LIKE,
    CONFIG,
)
RANKING = ("sort", "variety", "merge", "stack")
"""Names of the options that say how answers are ranked."""
QUESTION = ("query", "like", "saved", "judged", "config", *RANKING)
"""Names of everything that `add_question_options` gives a command, and of its QUERY."""
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


def add_question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say, beside QUERY, what is asked and how answers are ranked."""
    for option in reversed(_QUESTION_OPTIONS):
        command = option(command)
    return command


def resolve_question(archive: Archive, query: str | None, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What is asked, a picture and a saved search included, and the options with those that were saved.

    Args:
        archive: where searches are saved.
        query: what was typed.
        options: the command's; `like` and `saved` are taken out.

    Raises:
        QueryError: nothing is asked, or no search has that name.
    """
    from search_app.search.decisions import resolve_saved

    like, saved = options.pop("like"), options.pop("saved")
    if not saved:
        return question_text(query, like), options
    more = None if query is None and like is None else question_text(query, like)
    return resolve_saved(archive, saved, more, options, given_options())


def question_text(query: str | None, like: Path | None) -> str:
    """The query that a command was given, a picture included.

    Raises:
        QueryError: there is none.
    """
    from search_app.query.query import quote

    if query is None and like is None:
        raise QueryError("nothing to look for: give a QUERY, a picture with --like, or --saved NAME")
    picture = "" if like is None else f"like:{quote(str(like))}"
    return " ".join(part for part in (query, picture) if part)


def given_options() -> set[str]:
    """Names of the options that the command was given, rather than left at their defaults."""
    context = click.get_current_context()
    return {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def find(
    archive: Archive, query: str, *, device: str = "auto", settings: SearchSettings | None = None, **options: Any
) -> SearchResult:
    """Answer a query; a bad one is refused before seconds are spent on loading a model."""
    from search_app.query.parser import parse_query
    from search_app.search.search import search

    parsed = parse_query(query)
    if archive.snapshot().space is None:
        raise QueryError(f"{archive.folder} holds no videos yet; fill it with: rushes index ARCHIVE PATH")
    return search(archive, parsed, encoder=loader(archive, device), settings=settings, **options)


def loader(archive: Archive, device: str) -> Callable[[], Encoder]:
    """What loads the encoder of an archive."""

    def load() -> Encoder:
        from indexer.models.asking import load_asking_encoder

        space = archive.snapshot().space
        if space is None:
            raise QueryError(f"{archive.folder} holds no videos yet; fill it with: rushes index ARCHIVE PATH")
        return load_asking_encoder(space, device=device)

    return load


def spare_processors() -> None:
    """Let the threads of numpy and FAISS not wait for each other at full load, before these are loaded.

    One sentence is too little work to share. Where there is more, FAISS's threads share it as before.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def read_search_settings(config: Path | None) -> SearchSettings:
    """The settings of searching, a file over the defaults."""
    from search_app.config import SearchSettings
    from store.config import read_settings

    return read_settings(SearchSettings, *([config] if config else []))


@click.command(epilog=_LANGUAGE_HELP)
@ARCHIVE
@click.argument("query", required=False)
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Shots on a page.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@click.option("--keep", multiple=True, metavar="SHOT", help="This shot is right: remember it, find more like it.")
@click.option("--reject", multiple=True, metavar="SHOT", help="This shot is wrong: remember it, leave it out.")
@click.option("--save", metavar="NAME", help="Save this search under a name.")
@add_question_options
@DEVICE
@AS_JSON
def search(archive: Path, query: str | None, as_json: bool, **options: Any) -> None:
    """List the shots of ARCHIVE that answer QUERY, best first.

    Plain words are enough: "a red boat on the sea at night". Every shot is listed once, with the channels that
    found it; "nothing here matches" is said, with exit status 1, when the best is no better than chance. A file's
    name, or a word of it, finds the file first. SHOT is an id as `rushes shots` lists it, or the beginning of one.
    The whole language is below.
    """
    spare_processors()
    from indexer.commands.console import print_json, printable
    from search_app.search.decisions import record_judgements, save_search
    from search_app.search.history import remember
    from store.archive import Archive

    with Archive.open(archive) as opened:
        question, options = resolve_question(opened, query, options)
        name, judged = options.pop("save"), options.pop("judged")
        settings = read_search_settings(options.pop("config"))
        keep, reject = record_judgements(opened, question, options.pop("keep"), options.pop("reject"), judged)
        result = find(opened, question, settings=settings, keep=keep, reject=reject, **options)
        if name is not None and save_search(opened, name, question, options):
            click.echo(f"the search that was saved as {printable(name)} is replaced", err=True)
        remember(opened, question, len(result.hits))
        files = files_of_hits(opened.snapshot(), result.hits)
    say_no_match(result)
    if result.has_more and not as_json:
        click.echo(f"more: --page {options['page'] + 1}", err=True)
    if as_json:
        print_json([hit_json(hit, files) for hit in result.hits])
    elif result.hits:
        print_hits(result, files)
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
    from indexer.library.presence import look_for_files
    from search_app.query.options import SearchOptions
    from search_app.query.values import parse_seconds
    from search_app.search.decisions import judged_shots
    from search_app.search.why import explain
    from store.archive import Archive

    with Archive.open(archive) as opened:
        kept, rejected = judged_shots(opened.snapshot(), query) if judged else ((), ())
        found = explain(
            opened,
            video,
            parse_seconds(time, 0),
            query,
            encoder=loader(opened, device),
            settings=read_search_settings(config),
            options=SearchOptions(keep=kept, reject=rejected),
        )
        shown = [found.shot.video_id] if found.shot else []
        presence = next(iter(look_for_files(opened.snapshot(), shown).values()), None)
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

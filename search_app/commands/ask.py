"""`rushes ask`: a question in a whole sentence, answered with the shots that the answer rests on."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.commands.archive_commands import shot_json
from indexer.commands.options import ARCHIVE, AS_JSON, CONFIG, DEVICE
from search_app.errors import QueryError


@click.command()
@ARCHIVE
@click.argument("words", nargs=-1, required=True, metavar="[VIDEO] QUESTION")
@click.option("--shots", type=click.IntRange(1, 100), default=8, show_default=True, help="Shots to look at.")
@click.option("--look", metavar="MODEL", help="remote or remote:MODEL: show it pictures of the shots, too.")
@click.option(
    "--session",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the conversation in this file.",
)
@CONFIG
@DEVICE
@AS_JSON
def ask(
    archive: Path,
    words: tuple[str, ...],
    shots: int,
    look: str | None,
    session: Path | None,
    config_files: tuple[Path, ...],
    device: str,
    as_json: bool,
) -> None:
    """Answer QUESTION about ARCHIVE, or about one VIDEO of it, and name the shots and times.

    The answer rests on speech, captions, labels, objects and text on screen of the shots that the search finds. A
    text model writes it where one is configured (text_model of a settings file); else the finds are quoted, and
    that is said. Exit status 1 where nothing is known that answers.

    With --session a later question may refer to an earlier one: "and what colour is it?"
    """
    from search_app.commands.search import spare_processors

    spare_processors()
    from indexer.commands.console import print_json, say
    from search_app.use_cases.ask import AskOptions, ask
    from store.archive import Archive
    from store.wording import clock, printable

    if len(words) > 2:
        raise QueryError("too many words: put the question in quotes")
    video = words[0] if len(words) == 2 else None
    options = AskOptions(video, shots, look or "", session, config_files, device)
    with Archive.open(archive) as opened:
        answer = ask(opened, words[-1], options)
    if as_json:
        entries = {
            "question": words[-1],
            "answer": answer.text,
            "model": answer.model or None,
            "is_extractive": answer.is_extractive,
            "pictures": answer.n_pictures,
            "remarks": list(answer.remarks),
            "shots": [
                {"mark": one.mark, **shot_json(one.shot), "time_seconds": float(one.time)}
                for one in answer.sources
            ],
        }
        print_json(entries)
        return
    say(answer.text)
    for one in answer.sources:
        span = one.shot.shot.span
        times = f"{clock(span.start_seconds)} to {clock(span.end_seconds)}, at {clock(float(one.time))}"
        say(f"  [{one.mark}] {one.video}  {times}  shot {one.shot.shot_id}")
    for remark in answer.remarks:
        click.echo(printable(remark), err=True)

"""The `rushes` command: the commands of the indexer, the commands of `commands/`, and ui."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import click

from indexer.commands import archive_commands
from search_app.commands import (
    ask,
    caption,
    cut,
    data,
    demo,
    discover,
    evaluate,
    export,
    faces,
    forget,
    label,
    models,
    objects,
    rights,
    rules,
    search,
    supercut,
    tell,
    texts,
    timeline,
    transcribe,
)
from search_app.errors import QueryError
from search_app.interruption import EXIT_STATUS, heard_interrupts
from store.errors import ArchiveError, ConfigError, NotAnArchiveError, UnknownIdError

USAGE_ERRORS = (ConfigError, NotAnArchiveError, QueryError, UnknownIdError)
"""Errors of usage, names that do not exist included: exit status 2. All others: 1."""


class _WrongUsage(click.ClickException):
    """Click's message of wrong usage, on one line."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it."""
        click.echo(self.message, file=file, err=file is None)


@contextmanager
def _on_one_line() -> Iterator[None]:
    from store.wording import printable

    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise  # its message is the help
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "rushes"
        said = " ".join(error.format_message().split()).removesuffix(".")
        raise _WrongUsage(printable(f"{path}: {said} (see {path} --help)")) from error


class _Rushes(click.Group):
    """Turns failures that Rushes can explain into one line and an exit status, and interruptions into 130."""

    heard = threading.Event()

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with _on_one_line():
            return super().make_context(*args, **options)

    def main(self, *args: Any, **options: Any) -> Any:
        with heard_interrupts() as heard:
            self.heard = heard
            try:
                return super().main(*args, **options)
            except SystemExit as end:
                # Before and after `invoke`, click itself says "Aborted!" and leaves with 1.
                if heard.is_set() and end.code == 1:
                    raise SystemExit(EXIT_STATUS) from None
                raise

    def invoke(self, ctx: click.Context) -> Any:
        from store.wording import printable

        try:
            with _on_one_line():
                return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as stop:
            for note in getattr(stop, "__notes__", ()):  # such as that a film is there, but not sealed
                click.echo(printable(note), err=True)
            self._leave_interrupted(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has gone, as `head` does
            ctx.exit(1)
        except Exception as error:
            if self.heard.is_set():
                self._leave_interrupted(ctx)
            if ctx.params.get("debug"):
                raise
            known = isinstance(error, ArchiveError)
            text = str(error) if known else f"{type(error).__name__}: {error} (a fault of ours: see --debug)"
            click.echo(f"rushes: {printable(text)}", err=True)
            ctx.exit(2 if isinstance(error, USAGE_ERRORS) else 1)

    @staticmethod
    def _leave_interrupted(ctx: click.Context) -> NoReturn:
        click.echo("rushes: interrupted", err=True)
        ctx.exit(EXIT_STATUS)


@click.group("rushes", cls=_Rushes, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the whole traceback when something fails.")
@click.version_option(package_name="rushes", prog_name="rushes")
def main(debug: bool) -> None:
    """A searchable video archive: index videos, find shots by what they show, cut a supercut."""


for command in (
    *archive_commands.COMMANDS,
    *search.COMMANDS,
    evaluate.evaluate,
    supercut.supercut,
    timeline.timeline,
    export.export,
    faces.faces,
    cut.cut,
    caption.caption,
    rights.rights,
    rules.rules,
    *discover.COMMANDS,
    *tell.COMMANDS,
    ask.ask,
    forget.forget,
    texts.texts,
    texts.correct,
    data.data,
    data.sql,
    label.label,
    models.models,
    objects.objects,
    demo.demo,
    transcribe.transcribe,
):
    main.add_command(command)


@main.command()
@click.argument("archive", type=click.Path(path_type=Path), required=False)
@click.option("--port", type=click.IntRange(0, 65_535), default=8501, show_default=True, help="TCP port.")
def ui(archive: Path | None, port: int) -> None:
    """Open the page in a browser: search, look, tick, render. Only this machine can reach it."""
    from search_app.ui.serve import serve_page
    from store.archive import Archive

    if archive is not None:
        Archive.open(archive).close()  # what is no archive is said here, not only in the page
    serve_page(archive, port)

"""What the `rushes` command says of wrong usage."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import click
import duckdb
import pytest
from click.testing import CliRunner

from search_app.cli import main
from store.errors import ArchiveError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nope"], "rushes: No such option '--nope' (see rushes --help)"),
        (["xyzzy"], "rushes: No such command 'xyzzy' (see rushes --help)"),
        (
            ["cut", "trim", "a", "b", "1", "--x"],
            "rushes cut trim: No such option '--x' (see rushes cut trim --help)",
        ),
        (["cut", "trimm"], "rushes cut: No such command 'trimm'. Did you mean 'trim'? (see rushes cut --help)"),
        (["cut", "show"], "rushes cut show: Missing argument 'ARCHIVE' (see rushes cut show --help)"),
        (["cut", "show", "a", "b", "c\x1b\nd"], "rushes cut show: Got unexpected extra argument (c\\x1b d)"),
        (["cut", "order", "a", "b"], "rushes cut order: Missing argument 'ORDER'. Choose from: story, relevance,"),
        (
            ["search", "a", "b", "--limit", "x"],
            "rushes search: Invalid value for '--limit': 'x' is not a valid int",
        ),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], said: str) -> None:
    """It names the command, says what is wrong and where to look, and leaves with 2."""
    ran = CliRunner().invoke(main, arguments)
    (line,) = ran.stderr.splitlines()
    assert line.startswith(said)
    assert (2, "") == (ran.exit_code, ran.stdout)


def test_a_group_without_a_command_shows_its_help() -> None:
    """As click does."""
    ran = CliRunner().invoke(main, ["cut"])
    assert "Commands:" in ran.output
    assert "--help)" not in ran.output


def test_who_calls_it_from_python_gets_the_error() -> None:
    """Without standalone mode nothing is printed and nobody leaves."""
    with pytest.raises(click.ClickException, match="No such command 'xyzzy'"):
        main(["xyzzy"], standalone_mode=False)


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """Where the tests were started in the background, Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _hit_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _query_for_seconds() -> None:
    threading.Timer(0.1, _hit_ctrl_c).start()
    duckdb.connect().execute("select count(*) from range(10_000_000_000)").fetchall()


def _translate() -> None:
    try:
        _hit_ctrl_c()
    except KeyboardInterrupt:
        raise ArchiveError("the catalog is damaged") from None


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("work", [_hit_ctrl_c, _query_for_seconds, _translate])
def test_ctrl_c_is_one_line_and_130(work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library makes of an interruption, it is no fault: DuckDB raises `RuntimeError`."""
    monkeypatch.setitem(main.commands, "work", click.Command("work", callback=work))
    ran = CliRunner().invoke(main, ["work"])
    assert (130, "rushes: interrupted\n") == (ran.exit_code, ran.stderr)


def test_a_fault_that_nobody_interrupted_is_named() -> None:
    """The same error without Ctrl-C stays a fault."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(main.commands, "work", click.Command("work", callback=lambda: 1 / 0))
        ran = CliRunner().invoke(main, ["work"])
    assert 1 == ran.exit_code
    assert "a fault of ours" in ran.stderr

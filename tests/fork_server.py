"""Processes to be killed, which start at once: forked from one that has imported everything and run nothing.

The server reads orders and answers each with a number: for `Order` it forks a child that calls the
function, and gives its process id; for a process id it waits, and gives the exit status, negative for a signal, as
`subprocess` does.

When to kill is said by what a process has done, never by the clock, so that a busy machine kills no earlier
than an idle one. What it has done is counted in the calls that the interpreter audits: files opened, renamed,
locked and removed, processes and threads started, and the like.
"""

from __future__ import annotations

import _thread
import importlib
import io
import itertools
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from store.files import FAILPOINT_VARIABLE

_REPOSITORY = Path(__file__).parents[1]
_IMPORTED_LATE = ("numpy.random", "pandas", "pyarrow.dataset", "concurrent.futures.thread", "av", "pprint")
"""What libraries import only once they are used: imported before the first fork, or every child would do it."""


@dataclass(frozen=True)
class Order:
    """What a process is to do; see `ForkServer.start`."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    failpoint: str
    die_after: int
    die_beside: bool
    count_into: Path | None
    output: Path | None
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Ended:
    """A process that came to its end, and what it said."""

    returncode: int
    stdout: str
    stderr: str


class ForkServer:
    """Starts processes that have imported everything; a context manager that ends those still alive."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate()
        assert self._server.returncode == 0

    def start(
        self,
        function: Callable[..., object],
        *arguments: object,
        failpoint: str = "",
        die_after: int = 0,
        die_beside: bool = False,
        count_into: Path | None = None,
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Forked:
        """A process that calls a function, whose module is imported before it starts.

        Args:
            function: one that can be imported by its name.
            arguments: of it.
            failpoint: the step at which it kills itself, as `RUSHES_FAILPOINT` says it; empty for none.
            die_after: kill it when it has made so many audited calls; 0 for never.
            die_beside: kill it from another thread, so that it dies inside what it does next, not before.
            count_into: a file for the number of audited calls it made, if it comes to its end.
            output: a folder for what it says, as `stdout` and `stderr`.
            environment: what it finds in its environment beside ours.
        """
        order = Order(function, arguments, failpoint, die_after, die_beside, count_into, output, environment or {})
        return Forked(self, self._ask(order))

    def run(self, function: Callable[..., object], *arguments: object, failpoint: str = "") -> int:
        """The exit status of a process that was left alone, or that killed itself at a step."""
        return self.start(function, *arguments, failpoint=failpoint).wait()

    def capture(
        self, function: Callable[..., object], *arguments: object, environment: Mapping[str, str] | None = None
    ) -> Ended:
        """A process that was left alone, and what it said."""
        with tempfile.TemporaryDirectory() as folder:
            started = self.start(function, *arguments, output=Path(folder), environment=environment)
            status = started.wait()
            stdout, stderr = (Path(folder, name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return Ended(status, stdout, stderr)

    def count_calls(self, function: Callable[..., object], *arguments: object) -> int:
        """How many audited calls a process makes that is left alone."""
        with tempfile.NamedTemporaryFile() as counted:
            assert 0 == self.start(function, *arguments, count_into=Path(counted.name)).wait()
            return int(counted.read())

    def wait_for(self, process_id: int) -> int:
        """The exit status of a process of this server, once it has ended."""
        return self._ask(process_id)

    def _ask(self, order: Order | int) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        pickle.dump(order, self._server.stdin)
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


class Forked:
    """A process that a server has started."""

    def __init__(self, server: ForkServer, process_id: int) -> None:
        self._server = server
        self.process_id = process_id

    def wait(self) -> int:
        """Its exit status, once it has ended; to be called once."""
        return self._server.wait_for(self.process_id)

    def kill(self) -> None:
        """Kill it, also if it has ended, as long as nobody has waited for it."""
        os.kill(self.process_id, signal.SIGKILL)


def _serve() -> Order | None:
    """Obey orders to their end, which gives None; a child comes out with what it is to do."""
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    alive: set[int] = set()
    orders = io.BufferedReader(io.FileIO(0))
    while orders.peek():
        order: Order | int = pickle.load(orders)  # noqa: S301  # our own
        if isinstance(order, int):
            answer = os.waitstatus_to_exitcode(os.waitpid(order, 0)[1])
            alive.discard(order)
        else:
            answer = os.fork()
            if not answer:
                return order
            alive.add(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for process_id in alive:
        os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)
    return None


def _count_calls(die_after: int, *, die_beside: bool) -> itertools.count[int]:
    """Count the audited calls of this process, and kill it after so many."""
    calls = itertools.count(1)

    def hear(_event: str, _arguments: tuple[object, ...]) -> None:
        if next(calls) == die_after:
            if die_beside:
                _thread.start_new_thread(os.kill, (os.getpid(), signal.SIGKILL))
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)
    return calls


def _redirect(output: Path | None) -> None:
    """Leave the server's pipes, and say everything into files if there is a folder for them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    if output:
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)


def _obey(order: Order) -> int:
    """Do what a child is to do; gives its exit status."""
    _redirect(order.output)
    os.environ.update(order.environment)
    os.environ[FAILPOINT_VARIABLE] = order.failpoint
    calls = _count_calls(order.die_after, die_beside=order.die_beside)
    status = 0
    try:
        order.function(*order.arguments)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # whatever it is, it must not go on as a server
        traceback.print_exc()
        status = 1
    if order.count_into:
        order.count_into.write_text(str(next(calls)))
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def serve() -> None:
    """Run the server, to be called by `python -c`: as the main module its classes would have another name."""
    order = _serve()
    if order is not None:
        os._exit(_obey(order))  # what was imported before the fork is not taken down again in every child

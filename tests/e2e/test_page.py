"""The page in a real browser, from a typed question to a downloaded supercut."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import av
import psutil  # type: ignore[import-untyped]  # ships no type information
import pytest

from indexer.demo.world import Group, Scene
from store.archive import Archive
from tests.e2e.small_archive import RATE, SHOT_FRAMES, draw_library, draw_many, index_library

if TYPE_CHECKING:
    from playwright.sync_api import Download, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT_MS = 60_000
N_NEW = 3
RUSHES_WITH_GATES = """
import itertools, pathlib, sys, time
from store.archive import Archive

gates, put_segment = pathlib.Path(sys.argv.pop(1)), Archive.put_segment
numbers = itertools.count()


def wait_and_put(archive, segment):
    number = next(numbers)
    (gates / f"reached{number}").touch()
    while not (gates / f"open{number}").exists():
        time.sleep(0.05)
    put_segment(archive, segment)


Archive.put_segment = wait_and_put
from search_app.cli import main
main()
"""
"""The command, but that it waits before it stores video n until there is a file called `open` and n."""
SERVE = "from search_app.ui.serve import serve_page; import pathlib, sys; serve_page(pathlib.Path(sys.argv[1]), 0)"


def find_chromium() -> str:
    """The distribution's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.fail("no Chromium: run tests/e2e/install_chromium.sh")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos, two shots in each."""
    folder = tmp_path_factory.mktemp("browser")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    return folder / "archive"


class Server:
    """The page of an archive, in a process of its own on a free port."""

    def __init__(self, archive: Path, temporary: Path) -> None:
        environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true", "TMPDIR": str(temporary)}
        self.log = (temporary.parent / "server.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(archive)],
            env=environment,
            stdout=self.log,
            stderr=self.log,
            cwd=Path(__file__).parents[2],
        )
        self.address = self._wait_for_address()

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            for word in self.read_log().split():
                if word.startswith("http://127.0.0.1:") and self._answers(int(word.rpartition(":")[2])):
                    return word
            time.sleep(0.1)
        raise AssertionError(f"the server did not start: {self.read_log()}")

    @staticmethod
    def _answers(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def read_log(self) -> str:
        """Everything that the server has printed."""
        self.log.flush()
        return Path(self.log.name).read_text()

    def listening_addresses(self) -> set[str]:
        """The addresses of this machine that it can be reached at."""
        connections = psutil.Process(self.process.pid).net_connections(kind="inet")
        return {item.laddr.ip for item in connections if item.status == psutil.CONN_LISTEN}

    def remote_addresses(self) -> set[str]:
        """The addresses that it talks to."""
        connections = psutil.Process(self.process.pid).net_connections(kind="inet")
        return {item.raddr.ip for item in connections if item.raddr}

    def stop(self) -> int:
        """End it as Ctrl-C does; gives its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
            self.log.close()


@contextmanager
def serving(archive: Path, temporary: Path) -> Iterator[Server]:
    """The page of an archive, stopped at the end with nothing left behind in its temporary folder."""
    temporary.mkdir()
    running = Server(archive, temporary)
    try:
        yield running
    finally:
        log = running.read_log()
        running.stop()
    assert "Traceback" not in log
    assert [] == list(temporary.iterdir())


@contextmanager
def browsing(address: str) -> Iterator[Page]:
    """A page in a headless Chromium that can reach no other machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as downloads:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
            downloads_path=downloads,
        )
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.set_default_timeout(WAIT_MS)
            opened = context.new_page()
            opened.goto(address)
            yield opened
        finally:
            browser.close()


@pytest.fixture
def server(archive: Path, tmp_path: Path) -> Iterator[Server]:
    """The page of a copy of the archive: what a test ticks is stored in it."""
    with serving(shutil.copytree(archive, tmp_path / "archive"), tmp_path / "temporary") as running:
        yield running


@pytest.fixture
def page(server: Server) -> Iterator[Page]:
    """The page of the archive in a browser."""
    with browsing(server.address) as opened:
        yield opened


def test_from_question_to_downloaded_supercut(server: Server, page: Page, tmp_path: Path) -> None:
    """A visitor types, plays a hit, ticks two, renders, and downloads a film of exactly those two shots."""
    foreign: list[str] = []
    page.on("request", lambda request: None if is_local(request.url) else foreign.append(request.url))
    question = page.get_by_label("What does the shot show?")
    question.fill("a red boat on the sea")
    question.press("Enter")
    page.get_by_role("button", name="Play").nth(3).wait_for()
    assert page.url.endswith("?q=a+red+boat+on+the+sea")

    page.get_by_role("button", name="Play").first.click()
    page.locator("video").wait_for()
    page.wait_for_function("document.querySelector('video').currentTime > 0.5")
    assert SHOT_FRAMES / RATE == pytest.approx(page.evaluate("document.querySelector('video').duration"), abs=0.1)
    page.keyboard.press("Escape")
    page.locator("video").wait_for(state="detached")

    for place in (0, 1):
        page.locator('[data-testid="stCheckbox"]').filter(has_text="Pick").nth(place).click()
        page.get_by_text(f"{place + 1} clip", exact=False).first.wait_for()
    page.get_by_role("button", name="Render").click()
    page.get_by_text("2/2 cuts exact").wait_for()
    page.wait_for_function("document.querySelector('video').readyState >= 2")

    film = download_film(page, tmp_path / "supercut.mp4")
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert 2 * SHOT_FRAMES == len(frames)
    jumps = [abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
    assert SHOT_FRAMES - 1 == jumps.index(max(jumps))

    assert {"127.0.0.1"} == server.listening_addresses()
    assert {"127.0.0.1"} >= server.remote_addresses()
    assert [] == foreign


def test_a_reload_keeps_picks_and_film(page: Page) -> None:
    """What was ticked is ticked, and the film is there; the next question puts its answer in the film's place."""
    boxes = page.locator('[data-testid="stCheckbox"]').filter(has_text="Pick")
    ask(page, "a red boat on the sea")
    boxes.first.click()
    page.get_by_text("1 clip · 1.5 s in total").wait_for()
    page.get_by_role("button", name="Render").click()
    page.get_by_text("1/1 cuts exact").wait_for()
    page.reload()
    page.get_by_text("1/1 cuts exact").wait_for()
    page.get_by_text("1 clip · 1.5 s in total").wait_for()
    boxes.first.locator("input:checked").wait_for(state="attached")  # the grid is drawn after what stands above it
    ask(page, "a white house at night")
    page.get_by_text("1/1 cuts exact").wait_for(state="detached")
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("1 clip · 1.5 s in total").wait_for(state="detached")


class Indexer:
    """`rushes index` in a process of its own, that waits to be let on before each video, and publishes it then."""

    def __init__(self, archive: Path, library: Path, folder: Path) -> None:
        self._gates = folder / "gates"
        self._gates.mkdir()
        settings = folder / "often.toml"
        settings.write_text("[pipeline]\njobs = 1\npublish_every_seconds = 0.001\n")
        rushes = [sys.executable, "-c", RUSHES_WITH_GATES, str(self._gates)]
        with (folder / "index.log").open("w") as log:
            self.process = subprocess.Popen(
                [*rushes, "index", str(archive), str(library), "--config", str(settings)],
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
            )

    def wait_for_gate(self, number: int) -> None:
        """Until it has come to a video, and published those before."""
        while not (self._gates / f"reached{number}").exists():
            assert self.process.poll() is None
            time.sleep(0.05)

    def open_gate(self, number: int) -> None:
        """Let it store that video."""
        (self._gates / f"open{number}").touch()

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self.process.kill()
        self.process.wait()


def ask(page: Page, text: str) -> None:
    """Type a question, and wait for an answer."""
    question = page.get_by_label("What does the shot show?")
    question.fill(text)
    question.press("Enter")
    page.wait_for_url(f"**?q={quote_plus(text)}")
    page.get_by_role("button", name="Play").first.wait_for()


def test_the_page_answers_while_an_index_runs(archive: Path, tmp_path: Path) -> None:
    """In the midst of a `rushes index` questions are answered, and new videos are found before it has ended."""
    from playwright.sync_api import TimeoutError as NotYet

    growing = tmp_path / "archive"
    shutil.copytree(archive, growing)
    draw_many(tmp_path / "library", N_NEW, first=Scene(Group("umbrella", "red"), "beach"))
    with serving(growing, tmp_path / "temporary") as server, browsing(server.address) as page:
        ask(page, "a red boat on the sea")
        indexer = Indexer(growing, tmp_path / "library", tmp_path)
        try:
            indexer.wait_for_gate(0)
            ask(page, "a white house at night")
            assert 0 == page.get_by_text("new00.mp4").count()
            indexer.open_gate(0)
            indexer.wait_for_gate(1)
            seen = False
            while not seen:
                ask(page, "a white house at night, again")
                ask(page, "a red umbrella on the beach")
                with suppress(NotYet):
                    page.get_by_text("new00.mp4").first.wait_for(timeout=1000)
                    seen = True
            assert indexer.process.poll() is None
            for number in range(1, N_NEW):
                indexer.open_gate(number)
            while indexer.process.poll() is None:
                page.wait_for_timeout(500)  # the browser's events want to be read meanwhile
            assert 0 == indexer.process.returncode
        finally:
            indexer.stop()
        ask(page, "a white house at night, now that all is there")
    with Archive.open(growing) as opened:
        assert 2 + N_NEW == opened.snapshot().counts().videos


def download_film(page: Page, target: Path) -> Path:
    """Click the download button, and wait for the file, which comes through a tab that closes by itself."""
    downloads: list[Download] = []

    def keep(download: Download) -> None:
        downloads.append(download)

    def watch(tab: Page) -> None:
        tab.on("download", keep)

    watch(page)
    page.context.on("page", watch)
    page.get_by_text("Download", exact=True).click()
    for _ in range(100):
        if downloads:
            break
        page.wait_for_timeout(100)
    assert ["supercut.mp4"] == [download.suggested_filename for download in downloads]
    downloads[0].save_as(target)
    return target


def is_local(url: str) -> bool:
    """Whether a request stays in this machine."""
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))

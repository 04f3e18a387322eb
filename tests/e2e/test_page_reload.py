"""What the page keeps: picks, a film and a running render, through a reload, in a second tab, for each archive."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from search_app.cli import main
from search_app.rendering.supercut import render_supercut
from search_app.search.search import SearchResult
from search_app.ui import resources
from search_app.ui.render_job import cancel_all, latest_job
from tests.e2e.small_archive import draw_library, index_library
from tests.e2e.test_page_logic import open_page, texts_of

QUERY = "a red boat on the sea"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos, two shots in each."""
    folder = tmp_path_factory.mktemp("reload")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    return folder / "archive"


@pytest.fixture
def archive(drawn: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(drawn, tmp_path / "archive"))


@pytest.fixture(autouse=True)
def _close_archives() -> Iterator[None]:
    """Let go of the archives that the page keeps open between visits."""
    yield
    cancel_all()
    resources.open_archive.clear()


def rushes(*arguments: str | Path) -> str:
    """What a command says."""
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert 0 == ran.exit_code, ran.output
    return ran.output


def stored(archive: Path) -> list[Any]:
    """The clips of the cut list that the page keeps."""
    clips: list[Any] = json.loads(rushes("cut", "show", archive, "picks", "--json"))["clips"]
    return clips


def ticks(page: AppTest) -> list[bool]:
    """Which boxes are ticked, best hit first."""
    return [box.value for box in page.checkbox if box.label == "Pick"]


def films(page: AppTest) -> int:
    """How many finished films are shown."""
    return len([text for text in page.markdown if "Your supercut" in text.value])


def render(page: AppTest, archive: Path) -> None:
    """Render what is ticked, and wait for the film."""
    page.button(key="render").click().run()
    job = latest_job(archive)
    assert job is not None
    assert job.wait(60)
    page.run()


def test_picks_outlive_a_reload_and_are_the_same_in_every_tab(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every tick is a version of a cut list, in the order of ticking, undone on the page and by a command."""
    page = open_page(archive, monkeypatch, QUERY)
    page.checkbox[2].check().run()
    page.checkbox[0].check().run()
    assert [True, False, True, False] == ticks(page)
    other = open_page(archive, monkeypatch, QUERY)
    assert [True, False, True, False] == ticks(other)
    assert 1 == len([text for text in other.markdown if "2 clips · 3.0 s in total" in text.value])
    third, first = (clip["shot"] for clip in stored(archive))
    other.checkbox[0].uncheck().run()
    page.run()
    assert [False, False, True, False] == ticks(page)
    assert [third] == [clip["shot"] for clip in stored(archive)]
    page.button(key="undo").click().run()
    assert [third, first] == [clip["shot"] for clip in stored(archive)]
    rushes("cut", "undo", archive, "picks")
    page.run()
    assert [False, False, True, False] == ticks(page)
    page.button(key="clear").click().run()
    assert [False] * 4 == ticks(page)
    assert [] == stored(archive)


def test_both_tabs_tick_and_nothing_is_lost(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tab that was drawn before another ticked adds its tick to that one's."""
    one, other = (open_page(archive, monkeypatch, QUERY) for _ in range(2))
    one.checkbox[0].check().run()
    other.checkbox[1].check().run()
    one.run()
    assert [True, True, False, False] == ticks(one) == ticks(other)


def test_picks_belong_to_their_archive(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another archive has its own, and the first has them again when one comes back."""
    (tmp_path / "one").mkdir()
    first, _ = draw_library(tmp_path / "one")
    index_library(tmp_path / "other", first)
    page = open_page(archive, monkeypatch, QUERY)
    page.checkbox[0].check().run()
    page.text_input(key="archive").set_value(str(tmp_path / "other")).run()
    assert [False, False] == ticks(page)
    assert [] == [text for text in page.markdown if "in total" in text.value]
    page.checkbox[1].check().run()
    page.text_input(key="archive").set_value(str(archive)).run()
    assert [True, False, False, False] == ticks(page)
    assert 1 == len(stored(archive))
    assert 1 == len(stored(tmp_path / "other"))


def test_a_film_is_found_again_and_makes_way_for_the_next_answer(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there after a reload; the next question closes it, and its error is seen; a button shows it again."""
    page = open_page(archive, monkeypatch, QUERY)
    page.checkbox[0].check().run()
    render(page, archive)
    assert 1 == films(page)
    page = open_page(archive, monkeypatch, QUERY)
    assert 1 == films(page)
    page.text_input(key="q").set_value("boat " * 2000).run()
    assert 0 == films(page)
    assert [True] == ["10,000 characters" in text for text in texts_of(page) if "characters" in text]
    page.button(key="show-film").click().run()
    assert 1 == films(page)
    page.button(key="close-result").click().run()
    assert 0 == films(page)


def test_a_running_render_is_found_again(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload shows its progress and how to stop it, and no second one begins; a search leaves it alone."""
    go_on, real = threading.Event(), render_supercut

    def slow(*arguments: Any, **options: Any) -> Any:
        go_on.wait(60)
        return real(*arguments, **options)

    monkeypatch.setattr("search_app.use_cases.make_film.render_supercut", slow)
    page = open_page(archive, monkeypatch, QUERY)
    page.checkbox[0].check().run()
    page.button(key="render").click().run()
    again = open_page(archive, monkeypatch, QUERY)
    assert again.button(key="render").disabled
    assert not again.button(key="cancel").disabled
    again.text_input(key="q").set_value("a castle").run()
    job = latest_job(archive)
    assert job is not None
    assert job.is_running
    go_on.set()
    assert job.wait(60)
    again.run()
    assert 1 == films(again)


def test_matches_are_ticked_at_once_and_nothing_else(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The button takes what counts as an answer, in one version, and goes when there is no more to take."""
    real = resources.find_answer

    def two_matches(*arguments: Any) -> SearchResult:
        found = real(*arguments)
        sure = [replace(hit, confidence=0.9 if hit.rank in {1, 3} else 0.3, matches=()) for hit in found.hits]
        return replace(found, hits=sure)

    monkeypatch.setattr(resources, "find_answer", two_matches)
    page = open_page(archive, monkeypatch, QUERY)
    page.button(key="tick-matches").click().run()
    assert [True, False, True, False] == ticks(page)
    assert "tick-matches" not in [button.key for button in page.button]
    assert "picked 2 shots on the page" in rushes("cut", "log", archive, "picks")
    with pytest.raises(AssertionError, match="ticked on the page"):
        rushes("cut", "new", archive, "picks", QUERY)


def test_what_cannot_be_picked_is_said(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shot of which a part is in the list already is named, with the clip that shows it."""
    page = open_page(archive, monkeypatch, QUERY)
    page.checkbox[0].check().run()
    (clip,) = stored(archive)
    name = Path(clip["path"]).name
    page.button(key="clear").click().run()
    rushes("cut", "add", archive, "picks", "--range", name, "2f", "10f")
    page.run()
    page.checkbox[0].check().run()
    assert [False] * 4 == ticks(page)
    assert [f"{name}: clip 1 shows this part of the video already"] == [
        text for text in texts_of(page) if "already" in text
    ]

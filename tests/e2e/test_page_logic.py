"""The page without a browser: what it shows for good and bad input."""

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import pytest
from starlette.requests import Request
from starlette.responses import FileResponse
from streamlit.testing.v1 import AppTest

from indexer.errors import ModelError
from search_app.cutting.rights import Rule, clear_rights, set_rights
from search_app.cutting.stored_cut import PICKS
from search_app.exports.manifest import read_manifest
from search_app.rendering.ledger import ledger_path
from search_app.search.ranking import Hit
from search_app.ui import picks
from search_app.ui.media_cache import MediaShelf, media_shelf, send_media
from search_app.ui.render_job import RenderJob
from search_app.ui.serve import ARCHIVE_VARIABLE
from search_app.use_cases.options import StoredSource
from store.archive import Archive
from store.records import EmbeddingSpace
from tests.e2e.small_archive import draw_library, index_library

APP = Path(__file__).parents[2] / "search_app" / "app.py"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos, two shots in each."""
    folder = tmp_path_factory.mktemp("page")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    return folder / "archive"


@pytest.fixture(autouse=True)
def _close_archives() -> Iterator[None]:
    """Let go of the archives that the page keeps open between visits."""
    from search_app.ui import resources

    yield
    resources.open_archive.clear()


def open_page(archive: Path | str, monkeypatch: pytest.MonkeyPatch, question: str = "") -> AppTest:
    """The page as `rushes ui ARCHIVE` opens it, at the address that holds the question."""
    monkeypatch.setenv(ARCHIVE_VARIABLE, str(archive))
    page = AppTest.from_file(APP, default_timeout=60)
    if question:
        page.query_params["q"] = question
    page.run()
    assert [] == list(page.exception)
    return page


def texts_of(page: AppTest) -> list[str]:
    """Everything that is shown as plain text."""
    return [text.value for text in page.text]


def test_without_an_archive_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty page asks for an archive and names the command that makes one."""
    page = open_page("", monkeypatch)
    assert ["rushes index ARCHIVE FOLDER_OF_VIDEOS"] == [code.value for code in page.code]


def test_a_path_that_is_no_archive_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path gives one line that names it, and the field can be corrected."""
    page = open_page(tmp_path / "no\nwhere", monkeypatch)
    (problem,) = texts_of(page)
    assert (True, 1) == ("where" in problem, len(problem.splitlines()))
    assert 1 == len(page.text_input)


def test_an_empty_archive_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive without shots is no error."""
    Archive.create(tmp_path / "new").close()
    page = open_page(tmp_path / "new", monkeypatch)
    assert "This archive is still empty" in [heading.value for heading in page.subheader]


def test_the_question_in_the_address_is_answered_best_first(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shared address shows each shot once, the right one first, with its place and score."""
    page = open_page(archive, monkeypatch, "a red boat on the sea")
    assert "clip0.mp4" == texts_of(page)[0]
    assert 4 == len([button for button in page.button if button.label == "Play"])
    places = [caption.value for caption in page.caption if "% sure" in caption.value]
    assert places[0].startswith("0:00.0")


def test_the_page_says_when_nothing_matches(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest shots are shown all the same, under a line that says what they are; a match has no such line."""
    page = open_page(archive, monkeypatch, "a green helicopter")
    assert ["Nothing here matches. These are only the nearest shots."] == [info.value for info in page.info]
    assert 4 == len([button for button in page.button if button.label == "Play"])
    page.text_input(key="q").set_value("a red boat on the sea").run()
    assert [] == [info.value for info in page.info]
    page.text_input(key="q").set_value("a red qwxzv").run()
    assert 1 == len(page.info)
    page.text_input(key="q").set_value("dur:>1h").run()
    assert "Nothing found" in [heading.value for heading in page.subheader]


def test_filters_alone_do_not_wait_for_the_model(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are answered while it is being loaded, or where it cannot be."""
    from search_app.ui import resources

    def refuse(space: EmbeddingSpace) -> NoReturn:
        raise ModelError(f"{space.name} is not there")

    monkeypatch.setattr(resources, "loaded_encoder", refuse)
    page = open_page(archive, monkeypatch, "in:clip0*")
    assert 2 == len([button for button in page.button if button.label == "Play"])
    page.text_input(key="q").set_value("a boat that nobody asked for").run()
    assert any("is not there" in text for text in texts_of(page))


def test_ticked_shots_are_listed_with_their_length(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks stay while another question is asked, can be taken out, and add up."""
    page = open_page(archive, monkeypatch, "a red boat on the sea")
    page.checkbox[2].check().run()
    page.checkbox[0].check().run()
    assert 1 == len([text for text in page.markdown if "2 clips · 3.0 s in total" in text.value])
    page.text_input(key="q").set_value("a castle").run()
    assert 1 == len([text for text in page.markdown if "2 clips · 3.0 s in total" in text.value])
    next(button for button in page.button if (button.key or "").startswith("remove-")).click().run()
    assert 1 == len([text for text in page.markdown if "1 clip · 1.5 s in total" in text.value])
    page.button(key="clear").click().run()
    assert [False] * 4 == [box.value for box in page.checkbox if box.label == "Pick"]


def test_a_question_that_is_too_long_is_refused_in_one_line(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many characters give one line and no hits."""
    page = open_page(archive, monkeypatch)
    page.text_input(key="q").set_value("boat " * 2000).run()
    assert [True] == ["10,000 characters, at most 2,000" in text for text in texts_of(page)]
    assert [] == [button for button in page.button if button.label == "Play"]


def test_shots_indexed_meanwhile_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generation published while the page is open shows with the next question."""
    videos = draw_library(tmp_path / "library")
    hidden = videos[1].rename(tmp_path / "later.mp4")
    index_library(tmp_path / "archive", tmp_path / "library")
    page = open_page(tmp_path / "archive", monkeypatch, "a yellow bus")
    assert 2 == len([button for button in page.button if button.label == "Play"])
    hidden.rename(videos[1])
    index_library(tmp_path / "archive", tmp_path / "library")
    page.run()
    assert 4 == len([button for button in page.button if button.label == "Play"])


def test_a_missing_source_is_named_and_can_be_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering with a missing source makes nothing and names it; with skipping it makes the rest and says so."""
    videos = draw_library(tmp_path / "library")
    index_library(tmp_path / "archive", tmp_path / "library")
    page = open_page(tmp_path / "archive", monkeypatch, "a red boat on the sea")
    for place in range(4):
        page.checkbox[place].check()
    page.run()
    videos[1].unlink()
    page.button(key="render").click().run()
    page.session_state["job"].wait(60)
    page.run()
    assert 1 == len([text for text in texts_of(page) if "2 of 4 clips cannot be rendered" in text])
    page.button(key="close-result").click().run()
    page.checkbox(key="skip-missing").check().run()
    page.button(key="render").click().run()
    page.session_state["job"].wait(60)
    page.run()
    assert 2 == len([text for text in texts_of(page) if text.startswith("skipped: clip1.mp4")])
    assert 1 == len([text for text in page.markdown if "2/2 cuts exact" in text.value])
    page.text_input(key="q").set_value("used:ever").run()
    assert 2 == len([button for button in page.button if button.label == "Play"])


def test_the_page_keeps_to_rights(archive: Path) -> None:
    """What is blocked is refused with its reason, what wants a mark bears it; the manifest says so, sealed."""
    shelf = MediaShelf()
    with Archive.open(archive) as opened:
        shot = opened.snapshot().shots()[0]
        picks.tick(opened, [Hit(1, 0.5, shot, Fraction(0), "")], "")
        set_rights(opened, shot.video_id, None, Rule.BLOCK, note="embargo")
        blocked = RenderJob(opened, StoredSource(PICKS), shelf)
        blocked.start()
        assert blocked.wait(20)
        assert blocked.report is None
        assert "is blocked" in blocked.problem
        assert blocked.problem.endswith(": embargo")
        clear_rights(opened, shot.video_id, None)
        set_rights(opened, shot.video_id, None, Rule.WATERMARK, text="Anna's")
        marked = RenderJob(opened, StoredSource(PICKS), shelf)
        marked.start()
        assert marked.wait(60)
        clear_rights(opened, shot.video_id, None)
        picks.clear(opened)
    assert marked.report is not None, marked.problem
    sealed = read_manifest(marked.report.ledger)
    assert {"1": "Anna's"} == sealed.carried["rights"]["marks"]
    assert (str(archive), marked.report.n_frames) == (
        sealed.carried["archive"]["folder"],
        sealed.checksums.n_frames,
    )
    shelf.close()


def test_a_cancelled_rendering_keeps_nothing(archive: Path) -> None:
    """After a cancel the job ends soon, without a film, and the folder of films is empty."""
    shelf = MediaShelf()
    with Archive.open(archive) as opened:
        hits = [Hit(1, 0.5, shot, Fraction(0), "") for shot in opened.snapshot().shots()]
        picks.tick(opened, hits, "")
        job = RenderJob(opened, StoredSource(PICKS), shelf)
        job.start()
        job.cancel()
        assert (True, True, None) == (job.wait(20), job.is_cancelled, job.report)
        picks.clear(opened)
    assert ("", []) == (job.address, list(shelf.new_path().parent.iterdir()))
    shelf.close()


def test_only_what_was_put_on_the_shelf_can_be_fetched() -> None:
    """No path, and no name but the random one that was given out, reaches a file; the oldest ones go first."""
    shelf = MediaShelf(max_files=2)
    films = [shelf.new_path() for _ in range(3)]
    for film in films:
        film.write_bytes(b"film")
    addresses = [shelf.put(film) for film in films]
    assert [False, True, True] == [shelf.holds(address) for address in addresses]
    assert [False, True, True] == [film.exists() for film in films]
    assert [None] * 4 == [shelf.find(name) for name in ("", films[1].name, str(films[1]), "../../etc/passwd")]
    shelf.close()
    assert not films[1].parent.exists()


def test_the_manifest_of_a_film_can_be_fetched() -> None:
    """At the address of the film; without a film there is none."""
    shelf = media_shelf()
    film = shelf.new_path()
    film.write_bytes(b"film")
    ledger_path(film).write_text("{}")
    for token, status in ((shelf.put(film).rpartition("/")[2], 200), ("nothing", 404)):
        scope = {"type": "http", "path_params": {"token": token}, "query_string": b"manifest", "headers": []}
        answer = asyncio.run(send_media(Request(scope)))
        assert status == answer.status_code
        if isinstance(answer, FileResponse):
            assert str(ledger_path(film)) == str(answer.path)

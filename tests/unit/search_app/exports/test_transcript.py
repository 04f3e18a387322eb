"""Transcripts as subtitles, text and data."""

import itertools
import json
from fractions import Fraction
from pathlib import Path

import pytest

from search_app.errors import ExportError
from search_app.exports.subtitles import read_srt, read_vtt
from search_app.exports.transcript import MOST_CHARACTERS, MOST_SECONDS, subtitles_of, write_transcript
from store.records import TextRow
from store.row_checks import Word
from store.timespan import TimeSpan


def sentence(text: str, start: float = 1.0, each: float = 0.5, *, with_words: bool = True) -> TextRow:
    parts = text.split()
    words = tuple(Word(part, start + each * n, start + each * (n + 1), 0.9) for n, part in enumerate(parts))
    span = TimeSpan(Fraction(str(start)), Fraction(str(start + each * len(parts))))
    return TextRow(span, text, 0.9, "en", words=words if with_words else (), payload={"source": "model"})


LONG = "one two three, " * 12 + "four <b>five</b> --> six."


@pytest.mark.parametrize(("name", "read"), [("a.srt", read_srt), ("a.vtt", read_vtt)])
def test_subtitles_can_be_read_back(tmp_path: Path, name: str, read: object) -> None:
    """Whatever stands in the texts."""
    write_transcript([sentence("We leave."), sentence(LONG, 5.0)], tmp_path / name)
    found = read((tmp_path / name).read_text(encoding="utf-8"))  # type: ignore[operator]
    assert {"start": 1000, "end": 2000, "text": "We leave."} == found[0]
    assert " ".join(LONG.split()) == " ".join(one["text"] for one in found[1:])


def test_long_sentences_are_divided_by_the_times_of_their_words() -> None:
    """Each piece fits two lines, and shows when it is said."""
    row = sentence(LONG)
    shown = subtitles_of([row])
    assert len(shown) > 2
    assert all(len(one.text) <= MOST_CHARACTERS for one in shown)
    assert all(one.end_ms - one.start_ms <= MOST_SECONDS * 1000 + 1000 for one in shown)
    assert all(one.text.endswith(",") for one in shown[:-1])
    starts = {round(word.start_seconds * 1000): word.text for word in row.words}
    assert [starts[one.start_ms] for one in shown] == [one.text.split()[0] for one in shown]
    assert all(one.end_ms <= after.start_ms for one, after in itertools.pairwise(shown))


def test_no_single_word_is_left_for_a_last_subtitle() -> None:
    """The pieces of a sentence are about equally long."""
    row = sentence(
        "an open data set of clip filtered at four hundred million image and text pairs for all of us", 0.0, 0.3
    )
    first, second = subtitles_of([row])
    assert abs(len(first.text) - len(second.text)) <= 20


def test_a_sentence_without_word_times_stays_whole() -> None:
    """As subtitles that were read are."""
    assert [" ".join(LONG.split())] == [one.text for one in subtitles_of([sentence(LONG, with_words=False)])]


def test_text_and_data(tmp_path: Path) -> None:
    """A line for each sentence; all that a row carries."""
    rows = [sentence("We leave."), sentence("They stay.", 4.0)]
    write_transcript(rows, tmp_path / "a.txt")
    assert "We leave.\nThey stay.\n" == (tmp_path / "a.txt").read_text()
    write_transcript(rows, tmp_path / "a.json")
    first = json.loads((tmp_path / "a.json").read_text())[0]
    assert (1.0, 2.0, "We leave.", "en", "model") == tuple(
        first[name] for name in ("start_seconds", "end_seconds", "text", "language", "source")
    )
    assert {"text": "leave.", "start_seconds": 1.5, "end_seconds": 2.0, "score": 0.9} == first["words"][1]


def test_nothing_said_is_an_empty_file_and_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    """The endings are listed."""
    write_transcript([], tmp_path / "a.srt")
    assert "" == (tmp_path / "a.srt").read_text()
    with pytest.raises(ExportError, match=r"\.srt, \.vtt, \.json, \.txt"):
        write_transcript([], tmp_path / "a.doc")

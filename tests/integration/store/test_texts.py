"""Texts about videos: words, phrases, stems, meaning, and the shots they are about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.archive import Archive, check_archive
from store.events import Described, Forgotten
from store.records import TextRow, TextSegment, TextStage
from store.snapshot import Snapshot
from store.timespan import TimeSpan
from tests.integration.store.samples import (
    SPACE,
    add_videos,
    embeddings_of,
    fingerprint_of,
    library,
    seen,
    segment_of,
)

CAPTIONS = {
    1: ["A red boat sails on the sea", "Two dogs are running along the beach"],
    2: ["The boats of the harbour", "Ein Hund läuft über die Straße"],
    3: ["東京の夜景", "to be or not to be"],
}
GERMAN = "Ein Hund läuft über die Straße"


def captions(video: int, *, key: str = "c1", texts: list[str] | None = None) -> TextSegment:
    """A caption for each shot of a made-up video, with vectors that depend on the video."""
    rows = tuple(
        TextRow(
            TimeSpan(Fraction(1001 * i, 1000), Fraction(1001 * (i + 1), 1000)),
            text,
            0.5,
            "de" if text == GERMAN else "",
        )
        for i, text in enumerate(CAPTIONS[video] if texts is None else texts)
    )
    vectors = embeddings_of(1000 + video, len(rows))
    return TextSegment(fingerprint_of(video), TextStage.CAPTION, key, "made-up", {}, rows, SPACE, vectors)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as opened:
        add_videos(opened, 1, 2, 3)
        for video in CAPTIONS:
            opened.put_text(captions(video))
        speech = TextRow(
            TimeSpan(Fraction(1, 2), Fraction(3, 2)), "We are leaving now, says the captain", None, "en"
        )
        opened.put_text(TextSegment(fingerprint_of(1), TextStage.TRANSCRIPT, "s1", "made-up", {}, (speech,)))
        opened.record([Described(fingerprint_of(3), {"Location": "Tokyo tower", 'odd "key"': "100%"})])
        opened.publish()
        yield opened


def texts(snapshot: Snapshot, words: str, *stages: str, **how: bool) -> list[str]:
    """Texts that were found, sorted."""
    return sorted(hit.text for hit in snapshot.search_text(words, stages or ("caption",), 50, **how))


@pytest.mark.parametrize(
    ("words", "how", "expected"),
    [
        ("boat", {}, [CAPTIONS[1][0], CAPTIONS[2][0]]),
        ("BOATS sailing", {}, [CAPTIONS[1][0], CAPTIONS[2][0]]),
        ("red boats", {"all_words": True}, [CAPTIONS[1][0]]),
        ("boat on the sea", {"all_words": True}, [CAPTIONS[1][0]]),
        ("sea red", {"phrase": True}, []),
        ("red boat", {"phrase": True}, [CAPTIONS[1][0]]),
        ("harb", {"prefix": True}, [CAPTIONS[2][0]]),
        ("harb", {}, []),
        ("laufen hunde", {}, [GERMAN]),
        ("strasse", {}, [GERMAN]),
        ("uber", {}, [GERMAN]),
        ("夜景", {}, [CAPTIONS[3][0]]),
        ("東京", {"phrase": True}, [CAPTIONS[3][0]]),
        ("to be or not", {"all_words": True}, [CAPTIONS[3][1]]),
        ("zebra", {}, []),
        ("", {}, []),
        ("?!*", {}, []),
    ],
)
def test_words_are_found_as_people_mean_them(
    archive: Archive, words: str, how: dict[str, bool], expected: list[str]
) -> None:
    """Case, accents, plural and tense make no difference; phrases, prefixes and unspaced scripts work."""
    assert sorted(expected) == texts(archive.snapshot(), words, **how)


def test_a_hit_names_its_words_and_its_shots(archive: Archive) -> None:
    """The words come as they stand in the text, and the shots in the order of their overlap."""
    snapshot = archive.snapshot()
    (hit,) = snapshot.search_text("leave captains", ["transcript"], 5)
    assert ("leaving", "captain") == hit.words
    shots = [shot.shot_id for shot in snapshot.shots(fingerprint_of(1))]
    assert (shots[0], shots[1]) == hit.shot_ids
    assert TimeSpan(Fraction(1, 2), Fraction(3, 2)) == hit.span
    assert {TextStage.CAPTION: 6, TextStage.TRANSCRIPT: 1} == snapshot.text_counts()
    assert CAPTIONS[2] == [row.text for row in snapshot.text_rows(fingerprint_of(2))]


def test_names_and_metadata_are_texts_too(archive: Archive) -> None:
    """A file is found by its name, folder and metadata, with all of its shots."""
    snapshot = archive.snapshot()
    (hit,) = snapshot.search_text("tower tokyo", ["name"], 5)
    assert [shot.shot_id for shot in snapshot.shots(fingerprint_of(3))] == list(hit.shot_ids)
    assert ("Tokyo", "tower") == hit.words
    assert ["2.mp4\n"] == texts(snapshot, "2.mp4", "name", all_words=True)


def test_meaning_is_searched_as_numpy_would(archive: Archive) -> None:
    """The nearest captions by cosine, with their scores."""
    question = embeddings_of(7, 1)[0]
    expected = np.sort(np.concatenate([embeddings_of(1000 + video, 2) for video in CAPTIONS]) @ question)[::-1]
    hits = archive.snapshot().search_text_vectors(question, TextStage.CAPTION, 4)
    assert np.allclose(expected[:4], [hit.score for hit in hits], atol=2e-3)
    assert [] == archive.snapshot().search_text_vectors(question, TextStage.LABEL, 4)


def test_the_last_segment_of_a_stage_counts(archive: Archive) -> None:
    """A new run replaces the captions of a video, words and vectors; a forgotten video takes its texts along."""
    archive.put_text(captions(1, key="c2", texts=["a green car"]))
    archive.record([Forgotten(fingerprint_of(2))])
    archive.publish()
    snapshot = archive.snapshot()
    assert ["a green car"] == texts(snapshot, "green red boat")
    assert {TextStage.CAPTION: 3, TextStage.TRANSCRIPT: 1} == snapshot.text_counts()
    assert 3 == len(snapshot.search_text_vectors(embeddings_of(7, 1)[0], TextStage.CAPTION, 50))
    archive.record([library(), seen(2)])
    archive.publish()
    assert CAPTIONS[2][:1] == texts(archive.snapshot(), "harbour")


def test_texts_wait_for_their_video(tmp_path: Path) -> None:
    """Texts that come before the shots of their video show as soon as those are there."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 2)
        archive.put_text(captions(1))
        archive.publish()
        assert [] == texts(archive.snapshot(), "red boat")
        archive.put_segment(segment_of(1))
        archive.record([seen(1)])
        archive.publish()
        assert CAPTIONS[1][:1] == texts(archive.snapshot(), "red boat")


def answers(archive: Archive) -> list[object]:
    """What an archive answers, for comparison."""
    snapshot = archive.snapshot()
    found = [snapshot.search_text(words, ["caption", "name"], 10) for words in ("boat", "hund", "mp4")]
    return [*found, snapshot.search_text_vectors(embeddings_of(7, 1)[0], TextStage.CAPTION, 4)]


@pytest.mark.parametrize("damage", ["gone", "folder gone", "cut", "bit flipped", "page zeroed", "foreign"])
def test_a_damaged_index_of_words_is_made_again(archive: Archive, damage: str) -> None:
    """Whatever happens to a file of the index is noticed at open, and the answers are as before."""
    before = answers(archive)
    folder = archive.folder / "text" / archive.snapshot().manifest.lexical.name  # type: ignore[union-attr]
    path = max(folder.iterdir(), key=lambda file: file.stat().st_size)
    data = bytearray(path.read_bytes())
    if damage == "folder gone":
        shutil.rmtree(folder)
    elif damage == "gone":
        path.unlink()
    else:
        middle = len(data) // 2
        if damage == "cut":
            del data[middle:]
        elif damage == "bit flipped":
            data[middle] ^= 1
        elif damage == "page zeroed":
            data[:4096] = bytes(min(4096, len(data)))
        else:
            data[:] = b"something else"
        path.write_bytes(data)
    assert check_archive(archive.folder, read_data=True)
    with Archive.open(archive.folder) as again:
        assert before == answers(again)
    assert [] == check_archive(archive.folder, read_data=True)


def test_nothing_is_written_where_readers_look(archive: Archive) -> None:
    """Opening and searching leave the folder of a generation as it was published, and old folders go."""
    folder = archive.folder / "text" / archive.snapshot().manifest.lexical.name  # type: ignore[union-attr]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    answers(archive)
    for video in (4, 5, 6):
        add_videos(archive, video)
        archive.publish()
        if folder.exists():
            assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(list((archive.folder / "text").iterdir())) <= 2
    assert [] == check_archive(archive.folder, read_data=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.booleans(), st.booleans(), st.booleans())
def test_any_text_can_be_looked_for(
    archive: Archive, words: str, phrase: bool, prefix: bool, all_words: bool
) -> None:
    """Nothing that is typed is a syntax, and nothing fails."""
    found = archive.snapshot().search_text(
        words, ["caption"], 5, phrase=phrase, prefix=prefix, all_words=all_words
    )
    assert all(hit.stage == "caption" for hit in found)

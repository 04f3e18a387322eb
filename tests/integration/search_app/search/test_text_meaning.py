"""Captions and speech found by meaning in a space of their own, by the real encoder of sentences."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from indexer.errors import ModelError
from indexer.models.sentence_encoder import SENTENCE_MODEL
from indexer.stages.text_space import choose_text_encoder
from search_app.search import encoding
from search_app.search.search import SearchResult, search
from store.archive import Archive
from store.events import RootNamed, Seen
from store.records import (
    Boundary,
    EmbeddingSpace,
    SampledFrame,
    Segment,
    Shot,
    TextRow,
    TextSegment,
    TextStage,
    VideoFacts,
)
from store.timespan import TimeSpan
from tests.fakes import FakeEncoder, make_picture
from tests.offline_models import needs_sentences, sentence_encoder

pytestmark = needs_sentences

ENCODER = FakeEncoder()
CAPTIONS = ("a dog runs", "a bowl of soup on a table", "an aeroplane lands", "two people shake hands")
SAID = ("the weather will be fine tomorrow", "our profits have doubled")
FINGERPRINT = f"{1:032x}"


def span_of(shot: int) -> TimeSpan:
    return TimeSpan(Fraction(10 * shot), Fraction(10 * shot + 10))


def add_video(archive: Archive) -> None:
    """A video of grey shots, one for each text."""
    n_shots = len(CAPTIONS) + len(SAID)
    facts = VideoFacts(
        "mov", "h264", 64, 36, 0, Fraction(25), Fraction(1, 25), Fraction(0),
        TimeSpan(Fraction(0), span_of(n_shots - 1).end), 99, False,
    )  # fmt: skip
    shots = tuple(Shot(i, span_of(i), Boundary.CUT) for i in range(n_shots))
    frames = tuple(SampledFrame(i, span_of(i).start + 5, 500.0, f"{i}.webp") for i in range(n_shots))
    pictures = ENCODER.encode_images([make_picture("grey")] * n_shots)
    archive.put_segment(
        Segment(FINGERPRINT, 1000, "visual", "0" * 16, ENCODER.space, {}, facts, shots, frames, pictures)
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """A video of grey shots; captions and speech of it are embedded by the encoder of sentences."""
    with Archive.create(tmp_path_factory.mktemp("meaning") / "archive") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films"), Seen("films", "1.mp4", 1000, 0, FINGERPRINT)])
        add_video(made)
        encoder = sentence_encoder()
        made.claim_text_space(encoder.space, SENTENCE_MODEL)
        for stage, texts, first in ((TextStage.CAPTION, CAPTIONS, 0), (TextStage.TRANSCRIPT, SAID, len(CAPTIONS))):
            rows = tuple(TextRow(span_of(first + i), text, None, "en") for i, text in enumerate(texts))
            vectors = encoder.encode_texts(texts)
            made.put_text(TextSegment(FINGERPRINT, stage, "k", "made-up", {}, rows, encoder.space, vectors))
        made.publish()
        yield made


def ask(archive: Archive, query: str) -> SearchResult:
    return search(archive, query, encoder=ENCODER)


@pytest.mark.parametrize(
    ("query", "channel", "text"),
    [
        ("a canine", "caption_meaning", "a dog runs"),
        ("a jet touches down", "caption_meaning", "an aeroplane lands"),
        ("a meal", "caption_meaning", "a bowl of soup on a table"),
        ("revenue growth", "transcript_meaning", "our profits have doubled"),
    ],
)
def test_a_text_is_found_by_its_meaning(archive: Archive, query: str, channel: str, text: str) -> None:
    """A text without any of the words is the first of its channel, and its shot the first of all."""
    assert archive.snapshot().text_space == sentence_encoder().space
    first = ask(archive, query).hits[0]
    match = next(match for match in first.matches if match.channel == channel)
    assert (text, 1) == (match.text, match.rank)


def test_a_new_archive_takes_the_encoder_of_sentences(tmp_path: Path) -> None:
    """It is claimed once an archive has an encoder and no texts; an archive with texts keeps theirs."""
    with Archive.create(tmp_path / "archive") as made:
        assert choose_text_encoder(made) is None
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films"), Seen("films", "1.mp4", 1000, 0, FINGERPRINT)])
        add_video(made)
        made.publish()
        chosen = choose_text_encoder(made)
        assert chosen is not None and chosen.space == made.snapshot().text_space == sentence_encoder().space
    with Archive.create(tmp_path / "other") as made:
        made.claim_space(ENCODER.space, "fake")
        made.record([RootNamed("films", "/films"), Seen("films", "1.mp4", 1000, 0, FINGERPRINT)])
        add_video(made)
        rows = (TextRow(span_of(0), "a dog", None, "en"),)
        vectors = ENCODER.encode_texts(["a dog"])
        made.put_text(
            TextSegment(FINGERPRINT, TextStage.CAPTION, "k", "made-up", {}, rows, ENCODER.space, vectors)
        )
        made.publish()
        chosen = choose_text_encoder(made)
        assert chosen is not None and chosen.space == made.snapshot().text_space == ENCODER.space


def test_what_no_text_means_has_no_vote(archive: Archive) -> None:
    """The least unfitting text gets no vote."""
    hits = ask(archive, "zxqv").hits
    assert not [match for hit in hits for match in hit.matches if match.channel.endswith("_meaning")]


def test_without_the_encoder_words_still_find(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the encoder of texts is not installed, the answer says so, and words find as before."""

    def fail(_: EmbeddingSpace) -> None:
        raise ModelError("it needs a package")

    monkeypatch.setattr("indexer.models.asking.load_asking_text_encoder", fail)
    encoding.load_text_encoder.cache_clear()  # what was loaded before
    found = ask(archive, "dog")
    assert "a dog runs" == next(match.text for match in found.hits[0].matches if match.channel == "caption")
    assert any("by their words alone" in remark and "needs a package" in remark for remark in found.remarks)
    assert not [match for hit in found.hits for match in hit.matches if match.channel.endswith("_meaning")]

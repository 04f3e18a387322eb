"""Searching a real archive whose pictures are plain colours, with an encoder that knows colours."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search_app.errors import QueryError
from search_app.search.search import search
from store.archive import Archive
from store.errors import SpaceMismatchError
from store.events import RootNamed, Seen
from store.records import Boundary, SampledFrame, Segment, Shot, VideoFacts
from store.timespan import TimeSpan
from tests.fakes import COLOURS, FakeEncoder, make_picture

SHOT_SECONDS = 10


def add_video(archive: Archive, number: int, shots: Sequence[Sequence[str]]) -> None:
    """Put a video whose shots show these colours, one sampled frame for each colour, a second apart."""
    encoder = FakeEncoder()
    spans = [TimeSpan(Fraction(i * SHOT_SECONDS), Fraction((i + 1) * SHOT_SECONDS)) for i in range(len(shots))]
    fingerprint = f"{number:032x}"
    segment = Segment(
        fingerprint=fingerprint,
        size_bytes=1000,
        stage="visual",
        key="0" * 16,
        space=encoder.space,
        parameters={},
        video=VideoFacts(
            container="mov",
            video_codec="h264",
            width_px=64,
            height_px=36,
            rotation_degrees=0,
            frame_rate=Fraction(25),
            time_base=Fraction(1, 25),
            start_pts_offset=Fraction(0),
            span=TimeSpan(Fraction(0), spans[-1].end),
            n_frames=25 * SHOT_SECONDS * len(shots),
            has_audio=False,
        ),
        shots=tuple(Shot(i, span, Boundary.CUT if i else Boundary.START) for i, span in enumerate(spans)),
        frames=tuple(
            SampledFrame(i, spans[i].start + second, 1.0, f"{fingerprint}-{i}-{second}.webp")
            for i, colours in enumerate(shots)
            for second in range(len(colours))
        ),
        embeddings=encoder.encode_images([make_picture(colour) for colours in shots for colour in colours]),
    )
    archive.put_segment(segment)
    archive.record([Seen("films", f"{number}.mp4", 1000, 0, fingerprint)])


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as made:
        made.claim_space(FakeEncoder().space, "fake")
        made.record([RootNamed("films", "/films")])
        add_video(made, 1, [["red"], ["green", "blue", "red"], ["white"]])
        add_video(made, 2, [["black"], ["yellow"] * 9])
        made.publish()
        yield made


def places(archive: Archive, query: str, **options: Any) -> list[tuple[str, int]]:
    hits = search(archive, query, encoder=FakeEncoder(), **options).hits
    return [(Path(hit.shot.path).name, hit.shot.shot.ordinal) for hit in hits]


def test_words_find_the_shots_that_show_them(archive: Archive) -> None:
    """The shots of that colour come first, each once, with the time of the best frame."""
    hits = search(archive, "red", encoder=FakeEncoder()).hits
    assert [("1.mp4", 0), ("1.mp4", 1)] == places(archive, "red", limit=2)
    assert [Fraction(0), Fraction(12)] == [hit.time for hit in hits[:2]]
    assert [1, 2, 3, 4, 5] == [hit.rank for hit in hits]
    assert hits[0].score == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
def test_many_frames_of_one_shot_hide_no_other(archive: Archive, limit: int) -> None:
    """However many good frames one shot has, `limit` different shots come back while there are so many."""
    found = places(archive, "yellow", limit=limit)
    assert ("2.mp4", 1) == found[0]
    assert len(set(found)) == len(found) == min(limit, 5)


def test_a_picture_finds_what_looks_like_it(archive: Archive, tmp_path: Path) -> None:
    """A picture is searched by like a text, whatever safe format it has."""
    for name in ("like.png", "like.webp", "like.jpg"):
        Image.fromarray(make_picture("blue")).save(tmp_path / name)
        assert [("1.mp4", 1)] == places(archive, f'like:"{tmp_path / name}"', limit=1)


def test_a_picture_is_turned_upright_and_flattened(tmp_path: Path) -> None:
    """The camera's turn is applied, and what is transparent is white."""
    from search_app.query.picture import read_picture

    turned = Image.new("RGB", (20, 10), "red")
    exif = turned.getexif()
    exif[0x0112] = 6  # hold the camera turned by a quarter
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").shape == (20, 10, 3)
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    np.testing.assert_array_equal(np.full((4, 4, 3), 255, np.uint8), read_picture(tmp_path / "clear.png"))


def test_a_picture_with_a_broken_record_of_its_camera_is_read_as_it_is(tmp_path: Path) -> None:
    """A camera whose name is a number, at which Pillow fails with an AttributeError, turns nothing."""
    from search_app.query.picture import read_picture

    turn, name = struct.pack("<HHII", 0x0112, 3, 1, 6), struct.pack("<HHII", 0x010E, 12, 1, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + turn + name + bytes(4)
    Image.new("RGB", (20, 10), "red").save(tmp_path / "odd.jpg", exif=exif)
    assert (10, 20, 3) == read_picture(tmp_path / "odd.jpg").shape


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("absent.png", "No such file"),
        ("pipe", "no regular file"),
        ("folder", "Is a directory"),
        ("text.png", "not a picture that can be read"),
        ("picture.gif", "not a picture that can be read"),
        ("cut.png", "cannot read the picture"),
        ("huge.png", "pixels"),
    ],
)
def test_a_bad_picture_is_explained_in_one_line(
    archive: Archive, tmp_path: Path, name: str, expected: str
) -> None:
    """A picture that cannot be used gives one line that names it."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.gif")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    if name == "huge.png":
        Image.new("1", (9000, 9000)).save(tmp_path / "huge.png")
    with pytest.raises(QueryError) as raised:
        search(archive, f'like:"{tmp_path / name}"', encoder=FakeEncoder())
    assert expected in str(raised.value)
    assert str(tmp_path / name) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_home_of_nobody_is_explained_in_one_line(archive: Archive) -> None:
    """A picture below the home folder of a user who does not exist is as absent as any other."""
    with pytest.raises(QueryError, match=r"cannot read the picture ~nosuchuser/x\.jpg"):
        search(archive, 'like:"~nosuchuser/x.jpg"', encoder=FakeEncoder())


@pytest.mark.parametrize(
    ("query", "options"),
    [(" ", {}), ("x" * 10_000, {}), ("red", {"limit": 0}), ("red", {"page": 0}), ("red", {"variety": 1.5})],
)
def test_what_cannot_be_answered_is_refused(archive: Archive, query: str, options: dict[str, Any]) -> None:
    """An empty or a huge query, no hits at all, page nought and too much variety are refused."""
    with pytest.raises(QueryError):
        places(archive, query, **options)


def test_an_encoder_of_another_space_is_refused(archive: Archive) -> None:
    """A question encoded by another model than the archive's is never asked."""
    with pytest.raises(SpaceMismatchError, match=r"indexed with fake \(fake\), but .* with other \(other\)"):
        search(archive, "red", encoder=FakeEncoder("other"))


def test_an_empty_archive_finds_nothing(tmp_path: Path) -> None:
    """An archive without videos answers with no hits."""
    with Archive.create(tmp_path / "empty") as empty:
        assert search(empty, "red", encoder=FakeEncoder()).hits == []


def test_an_answer_names_its_generation(archive: Archive) -> None:
    """The answer says which generation and space it is from, and follows a new publication."""
    before = search(archive, "purple", encoder=FakeEncoder())
    assert ("fake", archive.snapshot().generation) == (before.space_id, before.generation)
    add_video(archive, 3, [["purple"]])
    archive.publish()
    after = search(archive, "purple", encoder=FakeEncoder())
    assert after.generation > before.generation
    assert Path(after.hits[0].shot.path).name == "3.mp4"
    assert after.seconds > 0


def test_ranking_equals_a_plain_comparison(archive: Archive) -> None:
    """Scores are the cosines that numpy computes over all frames."""
    encoder = FakeEncoder()
    frames = {("1.mp4", 0): ["red"], ("1.mp4", 1): ["green", "blue", "red"], ("1.mp4", 2): ["white"]}
    frames |= {("2.mp4", 0): ["black"], ("2.mp4", 1): ["yellow"]}
    for text in (*COLOURS, "red blue boat", "unknown words"):
        question = encoder.encode_texts([text])[0]
        expected = {
            place: float((encoder.encode_images([make_picture(c) for c in colours]) @ question).max())
            for place, colours in frames.items()
        }
        for hit in search(archive, text, encoder=encoder).hits:
            place = (Path(hit.shot.path).name, hit.shot.shot.ordinal)
            assert hit.score == pytest.approx(expected[place], abs=2e-3)

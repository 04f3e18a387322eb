"""Segments: what is encoded comes back, exactly, and every changed byte is noticed."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import ArchiveDamagedError
from store.records import Boundary, EmbeddingSpace, SampledFrame, Segment, Shot, VideoFacts
from store.timespan import TimeSpan
from store.truth.segments import (
    encode_segment,
    facts_from_plain,
    facts_to_plain,
    frame_id,
    is_whole,
    read_segment,
    segment_name,
    shot_id,
    to_segment,
)

MOMENTS = st.builds(Fraction, st.integers(0, 2**40), st.integers(1, 2**31 - 1))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@st.composite
def video_facts(draw: st.DrawFn) -> VideoFacts:
    """Any facts that decoding can tell."""
    start, length = draw(MOMENTS), draw(MOMENTS.filter(bool))
    return VideoFacts(
        container=draw(TEXTS),
        video_codec=draw(TEXTS),
        width_px=draw(st.integers(1, 2**20)),
        height_px=draw(st.integers(1, 2**20)),
        rotation_degrees=draw(st.sampled_from([0, 90, 180, 270])),
        frame_rate=draw(st.none() | MOMENTS),
        time_base=draw(MOMENTS.filter(bool)),
        start_pts_offset=draw(MOMENTS.map(lambda moment: -moment)),
        span=TimeSpan(start, start + length),
        n_frames=draw(st.integers(0, 2**40)),
        has_audio=draw(st.booleans()),
        partial=draw(st.booleans()),
        warnings=tuple(draw(st.lists(TEXTS, max_size=2))),
    )


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    """Any segment with up to four shots."""
    dim, n_shots = draw(st.integers(1, 5)), draw(st.integers(0, 4))
    bounds = sorted(draw(st.sets(MOMENTS, min_size=2 * n_shots, max_size=2 * n_shots)))
    spans = [TimeSpan(bounds[2 * i], bounds[2 * i + 1]) for i in range(n_shots)]
    shots = tuple(Shot(i, span, draw(st.sampled_from(Boundary))) for i, span in enumerate(spans))
    frames = tuple(
        SampledFrame(shot.ordinal, shot.span.start, draw(st.floats(0, 1e9)), draw(TEXTS))
        for shot in shots
        for _ in range(draw(st.integers(1, 3)))
    )
    numbers = st.floats(-1, 1, width=32)
    rows = [draw(st.lists(numbers, min_size=dim, max_size=dim)) for _ in frames]
    return Segment(
        fingerprint=f"{draw(st.integers(0, 2**128 - 1)):032x}",
        size_bytes=draw(st.integers(0, 2**50)),
        stage="visual",
        key=draw(st.from_regex("[a-z0-9]{4,16}", fullmatch=True)),
        space=EmbeddingSpace(draw(TEXTS), "aa", dim, draw(TEXTS), "space"),
        parameters=draw(st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2)),
        video=draw(video_facts()),
        shots=shots,
        frames=frames,
        embeddings=np.array(rows, dtype=np.float32).reshape(len(frames), dim),
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(segment=segments())
def test_segment_comes_back(tmp_path_factory: pytest.TempPathFactory, segment: Segment) -> None:
    """Whatever is encoded is decoded to the same records, with exact times and the same bits in the vectors."""
    path = tmp_path_factory.mktemp("segment") / segment_name(segment.fingerprint, segment.stage, segment.key)
    path.write_bytes(encode_segment(segment))
    decoded = to_segment(read_segment(path))
    assert np.array_equal(segment.embeddings, decoded.embeddings)
    names = [field.name for field in dataclasses.fields(Segment) if field.name != "embeddings"]
    assert [getattr(segment, name) for name in names] == [getattr(decoded, name) for name in names]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(facts=video_facts())
def test_facts_come_back(facts: VideoFacts) -> None:
    """Facts survive being made plain."""
    assert facts == facts_from_plain(facts_to_plain(facts))


def _small_segment() -> Segment:
    facts = VideoFacts(
        "mov",
        "h264",
        64,
        48,
        0,
        Fraction(25),
        Fraction(1, 25),
        Fraction(0),
        TimeSpan(Fraction(0), Fraction(1)),
        25,
        True,
    )
    shot = Shot(0, TimeSpan(Fraction(0), Fraction(1, 3)), Boundary.START)
    space = EmbeddingSpace("a", "b", 2, "{}", "a-2")
    frame = SampledFrame(0, Fraction(1, 7), 2.0, "x.webp")
    return Segment("ab" * 16, 5, "visual", "k", space, {}, facts, (shot,), (frame,), np.ones((1, 2), np.float32))


def test_every_changed_byte_is_noticed() -> None:
    """Flipping one bit of any byte, cutting, or adding makes the file not whole."""
    data = encode_segment(_small_segment())
    flipped = (data[:i] + bytes([data[i] ^ (1 << i % 8)]) + data[i + 1 :] for i in range(len(data)))
    assert is_whole(data)
    assert [i for i, damaged in enumerate(flipped) if is_whole(damaged)] == []
    assert not is_whole(data[:-1])
    assert not is_whole(data + b"\0")


def test_segment_under_another_name_is_refused(tmp_path: Path) -> None:
    """A whole file that is not the one its name says counts as damaged."""
    path = tmp_path / segment_name("cd" * 16, "visual", "k")
    path.write_bytes(encode_segment(_small_segment()))
    with pytest.raises(ArchiveDamagedError, match="another segment"):
        read_segment(path)


def test_segment_is_plain_parquet(tmp_path: Path) -> None:
    """Any Parquet reader sees one row for each sampled frame, with times in seconds."""
    path = tmp_path / "segment.parquet"
    path.write_bytes(encode_segment(_small_segment()))
    with duckdb.connect() as con:
        rows = con.execute(
            "SELECT shot_ordinal, boundary, end_seconds, embedding::FLOAT[] FROM read_parquet(?)", [str(path)]
        ).fetchall()
    assert rows == [(0, "start", 1 / 3, [1.0, 1.0])]


def test_time_that_fits_no_64_bits_is_refused() -> None:
    """A time that cannot be stored exactly is an error, not a rounding."""
    segment = _small_segment()
    frame = dataclasses.replace(segment.frames[0], time=Fraction(1, 2**70))
    with pytest.raises(ValueError, match="out of range"):
        encode_segment(dataclasses.replace(segment, frames=(frame,)))


def test_ids_come_from_content() -> None:
    """Ids depend on every part of the identity, are stable, and fit 63 bits."""
    parts = [("a", "s", "k", 0), ("b", "s", "k", 0), ("a", "t", "k", 0), ("a", "s", "l", 0), ("a", "s", "k", 1)]
    assert len({frame_id(*part) for part in parts}) == len({shot_id(*part) for part in parts}) == 5
    assert all(0 <= frame_id(*part) < 2**63 for part in parts)
    assert [len(shot_id(*part)) for part in parts] == [16] * 5
    assert shot_id("a", "s", "k", 0) == shot_id("a", "s", "k", 0)

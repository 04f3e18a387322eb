"""Made-up segments and the rows of an archive as plain data, for the tests of the store."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from store.archive import Archive
from store.events import RootNamed, Seen
from store.records import (
    Boundary,
    Embeddings,
    EmbeddingSpace,
    SampledFrame,
    Segment,
    Shot,
    TextRow,
    TextSegment,
    TextStage,
    VideoFacts,
)
from store.snapshot import Snapshot
from store.timespan import TimeSpan

DIM = 16
SPACE = EmbeddingSpace("made-up", "00ff", DIM, "{}", "made-up-16")
OTHER_SPACE = EmbeddingSpace("other", "ff00", DIM, "{}", "other-16")
KEY = "k1"
LIBRARY = "/library"


def fingerprint_of(video: int) -> str:
    """A fingerprint, spread over the folders of segments."""
    return f"{video * 2654435761 % 2**32:08x}{video:024x}"


def embeddings_of(video: int, n: int) -> Embeddings:
    """Unit vectors that depend on the video alone."""
    vectors = np.random.default_rng(video).standard_normal((n, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def segment_of(video: int, *, n_shots: int = 2, key: str = KEY, space: EmbeddingSpace = SPACE) -> Segment:
    """A segment that depends on its arguments alone: two sampled frames for each shot of one second."""
    fingerprint = fingerprint_of(video)
    shots = tuple(
        Shot(i, TimeSpan(Fraction(1001 * i, 1000), Fraction(1001 * (i + 1), 1000)), Boundary.CUT)
        for i in range(n_shots)
    )
    frames = tuple(
        SampledFrame(i // 2, Fraction(1001 * i, 2000) + Fraction(1, 24), float(i), f"{fingerprint}-{i}.webp")
        for i in range(2 * n_shots)
    )
    facts = VideoFacts(
        container="mov",
        video_codec="h264",
        width_px=64,
        height_px=48,
        rotation_degrees=0,
        frame_rate=Fraction(24000, 1001),
        time_base=Fraction(1, 24000),
        start_pts_offset=Fraction(0),
        span=TimeSpan(Fraction(0), Fraction(1001 * n_shots, 1000)),
        n_frames=24 * n_shots,
        has_audio=False,
    )
    return Segment(
        fingerprint,
        1000 + video,
        "visual",
        key,
        space,
        {},
        facts,
        shots,
        frames,
        embeddings_of(video, 2 * n_shots),
    )


def captions_of(video: int, n: int = 2) -> TextSegment:
    """Captions that depend on the video alone, one for each second."""
    rows = tuple(
        TextRow(
            TimeSpan(Fraction(i), Fraction(i + 1)), f"the {('red', 'blue')[i % 2]} boat of film {video}", 0.5, "en"
        )
        for i in range(n)
    )
    vectors = embeddings_of(1000 + video, n)
    return TextSegment(fingerprint_of(video), TextStage.CAPTION, KEY, "made-up", {}, rows, SPACE, vectors)


def seen(video: int, name: str | None = None) -> Seen:
    """The event that places a video below the library, `7.mp4` for video 7."""
    return Seen("library", name or f"{video}.mp4", 1000 + video, 5, fingerprint_of(video))


def add_videos(archive: Archive, *videos: int) -> None:
    """Put videos into an archive as an indexer does; not published."""
    archive.claim_space(SPACE, "made-up")
    archive.record([library()])
    for video in videos:
        archive.put_segment(segment_of(video))
        archive.record([seen(video)])


def rows_of(snapshot: Snapshot) -> dict[str, Any]:
    """Everything that a generation shows, as data that can be compared."""
    return {
        "videos": snapshot.videos(),
        "shots": snapshot.shots(),
        "locations": snapshot.locations(),
        "failures": snapshot.failures(),
        "roots": snapshot.roots(),
        "counts": snapshot.counts(),
        "space": (snapshot.space, snapshot.space_source),
        "answers": [snapshot.search(embeddings_of(question, 1)[0], 1000) for question in range(3)],
        "texts": [
            snapshot.search_text(words, ["caption", "name"], 1000) for words in ("red boat", "film 3", "mp4")
        ],
        "meanings": snapshot.search_text_vectors(embeddings_of(1003, 1)[0], TextStage.CAPTION, 1000),
    }


def library() -> RootNamed:
    """The event that names the library's root."""
    return RootNamed("library", LIBRARY)

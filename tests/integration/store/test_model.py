"""The archive against a dictionary and numpy, in any sequence of steps that Hypothesis can think of."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store.archive import Archive, check_archive
from store.events import Dropped, Moved
from tests.integration.store.samples import (
    add_videos,
    embeddings_of,
    fingerprint_of,
    library,
    seen,
    segment_of,
)

VIDEOS = st.integers(0, 5)
NAMES = st.sampled_from(["a.mp4", "b/c.mp4", "d.mp4"])


class ArchiveMachine(RuleBasedStateMachine):
    """A dictionary of what lies where says what the archive must answer."""

    @initialize()
    def create(self) -> None:
        self.parent = Path(tempfile.mkdtemp())
        self.archive = Archive.create(self.parent / "archive")
        add_videos(self.archive)
        self.archive.record([library()])
        self.places: dict[str, int] = {}
        self.published: dict[str, int] = {}

    @rule(name=NAMES, video=VIDEOS)
    def add(self, name: str, video: int) -> None:
        self.archive.put_segment(segment_of(video))
        self.archive.record([seen(video, name)])
        self.places[name] = video

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        self.archive.record([Dropped("library", name)])
        self.places.pop(name, None)

    @rule(old=NAMES, new=NAMES)
    def move(self, old: str, new: str) -> None:
        if old in self.places and old != new:
            video = self.places.pop(old)
            self.archive.record([Moved("library", old, "library", new, 1000 + video, 5, fingerprint_of(video))])
            self.places[new] = video

    @rule()
    def publish(self) -> None:
        self.archive.publish()
        self.published = dict(self.places)

    @rule()
    def reopen(self) -> None:
        self.archive.close()
        self.archive = Archive.open(self.parent / "archive")

    @rule(name=st.sampled_from(["catalog", "vectors", "generations"]))
    def lose_a_cache(self, name: str) -> None:
        self.archive.close()
        shutil.rmtree(self.parent / "archive" / name)
        self.archive = Archive.open(self.parent / "archive")
        self.published = dict(self.places)

    @invariant()
    def answers_like_the_dictionary(self) -> None:
        if not hasattr(self, "archive"):
            return
        snapshot = self.archive.snapshot()
        assert {row.relative_path: row.fingerprint for row in snapshot.locations()} == {
            name: fingerprint_of(video) for name, video in self.published.items()
        }
        shown = sorted(set(self.published.values()))
        assert {fingerprint_of(video) for video in shown} == {video.video_id for video in snapshot.videos()}
        question = embeddings_of(77, 1)[0]
        expected = np.sort(np.concatenate([np.empty(0), *(embeddings_of(video, 4) @ question for video in shown)]))
        assert np.allclose(expected[::-1], [hit.score for hit in snapshot.search(question, 1000)], atol=2e-3)

    def teardown(self) -> None:
        if hasattr(self, "archive"):
            self.archive.close()
            assert check_archive(self.parent / "archive", read_data=True) == []
            shutil.rmtree(self.parent)


ArchiveMachine.TestCase.settings = settings(
    max_examples=6, stateful_step_count=14, deadline=None, derandomize=True
)


TestArchiveMachine = pytest.mark.slow(ArchiveMachine.TestCase)

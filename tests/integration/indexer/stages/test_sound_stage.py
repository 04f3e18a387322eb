"""Sound events: a tiny checkpoint through the stage."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.media.audio import AudioBlock
from indexer.models.sound_tagger import SoundTagger, Tag, load_sound_tagger
from indexer.stages.sounds import SoundEventStage, SoundSettings, make_sounds
from indexer.stages.stage import HeardStretch
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan
from tests.tiny_speech import RATE_HZ, SOUNDS, write_tiny_tagger

NOISE = np.random.default_rng(3).standard_normal(130 * RATE_HZ).astype(np.float32) * 0.1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_tagger(tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def tagger(folder: Path) -> SoundTagger:
    return load_sound_tagger(str(folder), device="cpu")


class _Video:
    """The part of a known video that a listener asks for."""

    def __init__(self, seconds: int) -> None:
        self.video = self
        self.facts = self
        self.span = TimeSpan(Fraction(0), Fraction(seconds))


def hear(stage: SoundEventStage, sound: Any, start: int = 0, seconds: int | None = None) -> list[HeardStretch]:
    n_seconds = seconds or -(-len(sound) // RATE_HZ)
    listener = stage.listen(_Video(n_seconds), Fraction(start))  # type: ignore[arg-type]
    stretches: list[HeardStretch] = []
    for first in range(start * RATE_HZ, len(sound), RATE_HZ):
        stretches += listener.take(AudioBlock(first, RATE_HZ, sound[None, first : first + RATE_HZ]))
    return [*stretches, *listener.end(Fraction(n_seconds))]


def test_a_batch_gives_what_one_by_one_gives(tagger: SoundTagger) -> None:
    """All classes with their scores, best first; again the same."""
    pieces = [NOISE[: 10 * RATE_HZ], NOISE[: 3 * RATE_HZ], NOISE[20 * RATE_HZ : 30 * RATE_HZ]]
    together = tagger.tag(pieces)
    assert [set(SOUNDS)] * 3 == [{tag.name for tag in tags} for tags in together]
    assert all(0 <= tag.score <= 1 for tags in together for tag in tags)
    assert all(list(tags) == sorted(tags, key=lambda tag: -tag.score) for tags in together)
    for piece, tags in zip(pieces, together, strict=True):
        (alone,) = tagger.tag([piece])
        assert [tag.name for tag in alone] == [tag.name for tag in tags]
        assert np.allclose([tag.score for tag in alone], [tag.score for tag in tags], atol=1e-5)
    assert together == tagger.tag(pieces)


def test_a_stretch_is_a_minute_and_going_on_gives_the_same(tagger: SoundTagger) -> None:
    """Rows are sounds with their best score; neighbouring pieces are one row."""
    stage = SoundEventStage(SoundSettings(least_score=0.0, most_tags=2), tagger)
    stretches = hear(stage, NOISE)
    edges = [(float(one.span.start), float(one.span.end)) for one in stretches]
    assert [(0, 60), (60, 120), (120, 130)] == edges
    assert all(one.result.state is ShotState.DONE for one in stretches)
    rows = [row for one in stretches for row in one.result.rows]
    assert {row.text for row in rows} <= set(SOUNDS)
    assert all(row.score is not None for row in rows)
    assert stretches[1:] == hear(stage, NOISE, start=60)


class _Told:
    """A tagger that says what it is told, piece by piece."""

    name, revision, weights_hash, rate_hz = "told", "", "00", RATE_HZ

    def __init__(self, *names: str) -> None:
        self._names = list(names)

    def tag(self, sounds: Any) -> list[tuple[Tag, ...]]:
        return [(Tag(self._names.pop(0), 0.8), Tag("Noise", 0.1)) for _ in sounds]


def test_neighbouring_pieces_with_one_sound_are_one_row() -> None:
    """What is not sure enough is left out."""
    stage = SoundEventStage(SoundSettings(), _Told("Dog", "Dog", "Music", "Dog"))
    rows = hear(stage, NOISE[: 35 * RATE_HZ])[0].result.rows
    assert [("Dog", 0, 20), ("Music", 20, 30), ("Dog", 30, 35)] == [
        (row.text, float(row.span.start), float(row.span.end)) for row in rows
    ]


def test_silence_is_not_named_and_no_sound_is_said(tagger: SoundTagger) -> None:
    """Nothing is there."""
    stage = SoundEventStage(SoundSettings(least_score=0.0), tagger)
    assert [ShotState.NOTHING] == [one.result.state for one in hear(stage, np.zeros(5 * RATE_HZ, np.float32))]
    (only,) = hear(stage, np.zeros(0, np.float32), seconds=4)
    assert (ShotState.NOTHING, "no sound") == (only.result.state, only.result.reason)


def test_the_stage_is_made_by_its_settings(folder: Path) -> None:
    """Model and bounds are part of the run."""
    settings = SoundSettings(model=str(folder))
    run = make_sounds(settings, "cpu").run
    assert ("sound", str(folder)) == (run.stage, run.model)
    assert run.key != make_sounds(replace(settings, least_score=0.5), "cpu").run.key
    for wrong in ({"model": ""}, {"least_score": 2.0}, {"most_tags": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SoundSettings(**wrong)

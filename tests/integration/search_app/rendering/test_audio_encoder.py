"""Sound that is coded while pictures are still being made."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from indexer.media.ffmpeg import Ffmpeg, Stream, find_ffmpeg, open_own, save, send
from search_app.conforming.target_profile import Profile
from search_app.rendering.audio_encoder import EarlySound

PROFILE = Profile(64, 36, Fraction(25))


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture(scope="module")
def samples() -> bytes:
    """Five seconds of noise that grows louder, stereo."""
    noise = np.random.default_rng(3).normal(size=(5 * PROFILE.sample_rate, 2))
    return (noise * np.linspace(0, 6000, len(noise))[:, None]).clip(-32767, 32767).astype("<i2").tobytes()


def decoded(program: Ffmpeg, sound: Stream) -> bytes:
    """The samples that players hear."""
    heard = bytearray()
    program.run(send([sound], format="s16le"), on_bytes=heard.extend)
    return bytes(heard)


def test_it_is_what_coding_all_at_once_gives(program: Ffmpeg, samples: bytes, tmp_path: Path) -> None:
    """Sample for sample, whatever the size of the pieces that come."""
    raw = tmp_path / "whole.s16le"
    raw.write_bytes(samples)
    whole = open_own(raw, format="s16le", ar=PROFILE.sample_rate, ch_layout=PROFILE.channel_layout)
    coding = {"c:a": "aac", "b:a": PROFILE.audio_bits_per_second}
    program.run(save([whole["a:0"]], tmp_path / "whole.m4a", **coding))
    with EarlySound(program, PROFILE, tmp_path / "early.m4a") as early:
        for first in range(0, len(samples), 100_004):
            early.add(samples[first : first + 100_004])
        made = early.finish()
    assert made is not None
    expected = decoded(program, open_own(tmp_path / "whole.m4a")["a:0"])
    assert expected == decoded(program, open_own(made)["a:0"])
    assert len(samples) == len(expected)


def test_an_encoder_that_fails_is_told_at_the_end(program: Ffmpeg, samples: bytes, tmp_path: Path) -> None:
    """Samples can still be added, nothing hangs, and there is no file: they are coded anew."""
    with EarlySound(program, PROFILE, tmp_path / "no such folder" / "early.m4a") as early:
        for _ in range(20):
            early.add(samples)
        assert early.finish() is None


def test_it_stops_when_nobody_wants_it(program: Ffmpeg, samples: bytes, tmp_path: Path) -> None:
    """Leaving in the middle, as a cancelled render does, ends the encoder."""
    with EarlySound(program, PROFILE, tmp_path / "early.m4a") as early:
        early.add(samples)
    assert early.finish() is None

"""The shot detector on pictures drawn by numpy, whose boundaries are known."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.visual.shots import DecidedBoundary, ShotDetector
from store.records import Boundary

Small = NDArray[np.float32]


def _scene(seed: int) -> Small:
    """A picture with large shapes of its own, as real scenes have, float32, (3, 18, 96): wider than a frame."""
    chance = np.random.default_rng(seed)
    coarse = chance.uniform(20, 235, (3, 6, 24)).astype(np.float32)
    coarse[1:] = 128 + (coarse[1:] - 128) * 0.2
    return coarse.repeat(3, axis=1).repeat(4, axis=2)


def _hold(scene: Small, n: int, pan: float = 0.0, gain: float = 1.0) -> list[Small]:
    """`n` frames of a scene, shifted by `pan` columns a frame, with sensor noise."""
    noise = np.random.default_rng(1)
    frames = []
    for number in range(n):
        shift = pan * number
        left, part = int(shift), shift - int(shift)
        view = scene[:, :, left : left + 32] * (1 - part) + scene[:, :, left + 1 : left + 33] * part
        frames.append((view * gain + noise.normal(0, 1, view.shape)).astype(np.float32))
    return frames


def _mix(one: Small, other: Small, n: int) -> list[Small]:
    return [
        (one[:, :, :32] * (1 - share) + other[:, :, :32] * share).astype(np.float32)
        for share in np.linspace(0, 1, n + 2)[1:-1]
    ]


def _fade(scene: Small, n: int, rising: bool) -> list[Small]:
    black = np.full_like(scene, 16)
    black[1:] = 128
    return _mix(black, scene, n) if rising else _mix(scene, black, n)


def _black(n: int) -> list[Small]:
    frame = np.full((3, 18, 32), 128, np.float32)
    frame[0] = 16
    return [frame] * n


def _detect(frames: Iterable[Small], rate: int = 25) -> list[DecidedBoundary]:
    """Boundaries, checked to lie on cells and to come in order and before they are settled."""
    detector = ShotDetector()
    cells: set[Fraction] = set()
    found: list[DecidedBoundary] = []
    for number, small in enumerate(frames):
        time = Fraction(number, rate)
        if detector.push_small(time, small):
            cells.add(time)
        new = detector.take_decided()
        assert all(boundary.time < detector.settled_until for boundary in new)
        assert all(time - boundary.time < 4 for boundary in new)
        found += new
    detector.finish()
    found += detector.take_decided()
    assert all(boundary.time in cells for boundary in found)
    assert sorted({boundary.time for boundary in found}) == [boundary.time for boundary in found]
    return found


def _kinds(found: Sequence[DecidedBoundary]) -> list[Boundary]:
    return [boundary.kind for boundary in found]


A, B, C = _scene(1), _scene(2), _scene(3)


@pytest.mark.parametrize("rate", [12, 24, 25, 30, 60])
@pytest.mark.parametrize("pan", [0.0, 0.5])
def test_a_cut_is_found_on_its_frame(rate: int, pan: float) -> None:
    """At any rate, from still and from panned shots."""
    found = _detect([*_hold(A, 40, pan), *_hold(B, 40, pan), *_hold(C, 40, pan)], rate)
    assert [(Fraction(40, rate), Boundary.CUT), (Fraction(80, rate), Boundary.CUT)] == [
        (boundary.time, boundary.kind) for boundary in found
    ]


@pytest.mark.parametrize("n_frames", [5, 8, 12])
def test_short_shots_are_shots(n_frames: int) -> None:
    """Fast editing is not noise."""
    scenes = [_scene(seed) for seed in range(10, 16)]
    found = _detect([frame for scene in scenes for frame in _hold(scene, n_frames)])
    assert [n_frames * number for number in range(1, 6)] == [boundary.time * 25 for boundary in found]


def test_a_flash_is_no_cut() -> None:
    """A bright frame or two inside a shot leave the shot whole."""
    for n_bright in (1, 2):
        bright = [np.clip(frame + 90, 0, 255).astype(np.float32) for frame in _hold(A, n_bright)]
        assert [] == _detect([*_hold(A, 40), *bright, *_hold(A, 40)])


@pytest.mark.parametrize(
    "frames",
    [
        _hold(A, 120),
        _hold(A, 120, pan=0.5),
        _hold(_scene(4), 40, pan=1.4),
        [frame for gain in np.linspace(1, 0.5, 60) for frame in _hold(A, 1, gain=float(gain))],
        [frame for number in range(30) for frame in _hold(_scene(5)[:, :, 2 * number :], 1) * 2],
    ],
    ids=["still", "pan", "fast pan", "dusk falls", "pan on twos"],
)
def test_one_take_stays_one_shot(frames: list[Small]) -> None:
    """Neither noise nor movement nor a change of light is a boundary."""
    assert [] == _detect(frames)


@pytest.mark.parametrize("n_frames", [10, 20, 30, 50])
def test_a_dissolve_is_found_once_and_inside(n_frames: int) -> None:
    """From 0.4 to 2 seconds."""
    found = _detect([*_hold(A, 60), *_mix(A, B, n_frames), *_hold(B, 60)])
    assert [Boundary.DISSOLVE] == _kinds(found)
    assert 60 <= found[0].time * 25 <= 60 + n_frames


@pytest.mark.parametrize("n_frames", [8, 25, 60])
def test_a_fade_through_black_is_one_boundary(n_frames: int) -> None:
    """A short black belongs to the shot that follows."""
    frames = [*_hold(A, 50), *_fade(A, n_frames, False), *_black(5), *_fade(B, n_frames, True), *_hold(B, 50)]
    found = _detect(frames)
    assert [Boundary.FADE] == _kinds(found)
    assert 50 + n_frames // 2 <= found[0].time * 25 <= 55 + n_frames


def test_a_long_black_is_a_stretch_of_its_own() -> None:
    """It begins where the picture is gone and ends where the next one comes."""
    frames = [*_hold(A, 50), *_fade(A, 25, False), *_black(50), *_fade(B, 25, True), *_hold(B, 50)]
    assert [Boundary.FADE, Boundary.FADE] == _kinds(_detect(frames))


def test_black_at_both_ends_is_no_boundary_of_its_own_at_the_start() -> None:
    """A film that fades in begins with one shot."""
    found = _detect([*_black(20), *_fade(A, 25, True), *_hold(A, 60)])
    assert [] == found


def test_a_cut_to_black_is_a_cut() -> None:
    """And is not counted again as a fade."""
    found = _detect([*_hold(A, 50), *_black(40), *_hold(B, 50)])
    assert [Boundary.CUT, Boundary.CUT] == _kinds(found)


def test_memory_is_bounded() -> None:
    """A long take holds no more than a few seconds of small pictures."""
    detector = ShotDetector()
    for number in range(3000):
        detector.push_small(Fraction(number, 60), A[:, :, :32])
        assert Fraction(number, 60) - detector.settled_until <= 3


@pytest.mark.parametrize("rate", [Fraction(1, 10), Fraction(1, 2), 1, 2, 3, 5])
def test_cuts_of_a_time_lapse_are_found(rate: Fraction | int) -> None:
    """However few frames a second: three scenes, two cuts, each at its frame."""
    frames = [*_hold(_scene(1), 16), *_hold(_scene(2), 16), *_hold(_scene(3), 16)]
    detector = ShotDetector()
    for number, small in enumerate(frames):
        detector.push_small(number / Fraction(rate), small)
    detector.finish()
    found = detector.take_decided()
    assert [(16 / Fraction(rate), Boundary.CUT), (32 / Fraction(rate), Boundary.CUT)] == [
        (boundary.time, boundary.kind) for boundary in found
    ]


def test_a_pause_always_ends_a_shot() -> None:
    """Once, whether or not the picture is another one after it."""
    for scene in (1, 2):
        detector = ShotDetector()
        for number, small in enumerate([*_hold(_scene(1), 30), *_hold(_scene(scene), 30)]):
            later = 40 if number >= 30 else 0
            detector.push_small(Fraction(number, 25) + later, small, after_pause=number == 30)
        detector.finish()
        assert [Fraction(30, 25) + 40] == [boundary.time for boundary in detector.take_decided()]

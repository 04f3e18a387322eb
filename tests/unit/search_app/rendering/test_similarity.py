"""The judgement on the frames of a clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from search_app.rendering.similarity import Judge, Luma, Pair, fit_tones

RANDOM = np.random.default_rng(7)
N_FRAMES = 20


def picture(number: int) -> Luma:
    """A bar that moves over a slope."""
    grey = np.tile(np.linspace(40, 140, 128).astype(np.uint8), (72, 1))
    grey[:, 20 + number : 40 + number] = 200
    grey[10:20, 100:120] = 20
    return grey


def noisy(grey: Luma) -> Luma:
    """The picture as an encoder may give it back."""
    return np.clip(grey + RANDOM.normal(0, 2, grey.shape), 0, 255).astype(np.uint8)


def judged(seen: Sequence[Luma | None], drawn: Callable[[int], Luma] = picture) -> tuple[Judge, list[str]]:
    """A film's frames, judged as those of a clip that is drawn so."""
    judge = Judge(len(seen))
    for number, one in enumerate(seen):
        judge.add(Pair(number, one, drawn(number), drawn(number - 1), drawn(number + 1)))
    return judge, judge.close()


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_a_moving_picture_shows_by_how_many_frames_a_cut_is_off(offset: int) -> None:
    """One frame too early or too late is noticed at both ends, and named."""
    judge, faults = judged([noisy(picture(number + offset)) for number in range(N_FRAMES)])
    assert (offset, offset) == (judge.first.seen_offset, judge.last.seen_offset)
    assert (offset == 0) == (not faults)


@pytest.mark.parametrize("offset", [-1, 1])
def test_a_frame_shown_twice_is_noticed_inside_a_clip(offset: int) -> None:
    """Both ends are right, and the report names its place."""
    seen = [noisy(picture(number + offset * (number == 7))) for number in range(N_FRAMES)]
    judge, faults = judged(seen)
    assert judge.first.is_exact
    assert judge.last.is_exact
    assert ["1 frame shows another than it must, the first at place 8"] == faults


def test_still_pictures_are_exact() -> None:
    """Where all neighbours look the same, any of them is right."""
    assert [] == judged([noisy(picture(0))] * N_FRAMES, lambda _: picture(0))[1]


@pytest.mark.parametrize("tones", [lambda x: 16 + x * 0.86, lambda x: 255 * (x / 255) ** 0.6, lambda x: x * 0.5])
def test_other_tones_are_no_other_pictures(tones: Callable[[Luma], Luma]) -> None:
    """Range, matrix and tone mapping change the light, not what is shown."""
    assert [] == judged([noisy(tones(picture(number))) for number in range(N_FRAMES)])[1]


def test_a_negative_is_another_picture() -> None:
    """Tones only rise."""
    judge, _ = judged([255 - picture(number) for number in range(N_FRAMES)])
    assert not judge.first.is_exact


def test_another_picture_is_not_exact() -> None:
    """Though every neighbour is as far from it, and though it has little contrast."""
    dim = [(picture(number) // 8) for number in range(N_FRAMES)]
    other = np.roll(dim[0].T.reshape(72, 128), 31, axis=1)
    judge, faults = judged([other] * N_FRAMES, lambda number: dim[number % N_FRAMES])
    assert not judge.first.is_exact
    assert "its first frame shows something else" in faults


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (lambda one: one[:, ::-1], "mirrored"),
        (lambda one: one[::-1], "upside down and mirrored"),
        (lambda one: one[::-1, ::-1], "upside down"),
        (lambda one: one[:, np.linspace(11, 116, 128).round().astype(int)], "stretched"),
        (lambda one: one[:, np.linspace(2, 125, 128).round().astype(int)], "stretched"),
    ],
)
def test_mirrors_and_other_shapes_are_seen(shown: Callable[[Luma], Luma], said: str) -> None:
    """Down to a stretch of 4 % of a detailed picture."""
    detail = RANDOM.integers(0, 2, (18, 32)).repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8) * 120 + 40
    _, faults = judged([noisy(shown(detail))] * N_FRAMES, lambda _: detail)
    assert f"its pictures are shown {said}" in faults


def test_nothing_to_compare_is_not_exact() -> None:
    """Without a frame in the film nothing is proven."""
    judge, faults = judged([picture(0), None])
    assert (False, None) == (judge.last.is_exact, judge.last.distance)
    assert ["its last frame has nothing to be compared with"] == faults
    assert 2 == len(Judge(3).close())


def test_what_lies_over_a_picture_is_not_compared() -> None:
    """Only the open part counts."""
    is_open = np.ones((72, 128), np.bool_)
    is_open[50:] = False
    judge = Judge(1, is_open)
    seen = picture(0)
    seen[50:] = 255
    judge.add(Pair(0, seen, picture(0)))
    assert [] == judge.close()


def test_tones_go_on_beyond_those_that_are_there() -> None:
    """A curve fitted to some tones keeps the others in order."""
    tones = fit_tones([(np.full((8, 8), 120, np.uint8), np.full((8, 8), 100, np.uint8))])
    assert (120, 140, 20) == tuple(tones[[100, 120, 0]].round())

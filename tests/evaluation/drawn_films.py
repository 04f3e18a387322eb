"""Films of the drawn world: written to disk as real files, with the time of every shot known."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.demo.degrade import add_noise, blur, change_exposure
from indexer.demo.drawing import draw_scene
from indexer.demo.layout import lay_out
from indexer.demo.sentences import Claim, claim_all
from indexer.demo.world import Scene, sample_scene
from indexer.media.writer import VideoFormat, write_video
from store.timespan import TimeSpan

FRAME_RATE: Final = 12
WIDTH_PX, HEIGHT_PX = 320, 180
SHOT_FRAMES: Final = 18
PAN_FRAMES: Final = (36, 24, 36)
"""A pan rests on the empty place, moves, and rests on the thing: 8 s, of which three frames are indexed."""
H264: Final = VideoFormat("libx264", FRAME_RATE, sound_codec=None, options={"crf": "28", "preset": "veryfast"})
MPEG4: Final = VideoFormat("mpeg4", FRAME_RATE, sound_codec=None, options={"q": "6"})

Place = tuple[str, int]
"""A shot by the name of its file and its number there, from 0."""
RgbPicture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Take:
    """One shot as it is filmed.

    Args:
        scene: what it shows; None for a black shot.
        seed: the same seed gives the same things at the same places.
        since_seconds: how long the scene has been going on when the camera starts.
        camera: seed of the camera's blur and grain.
        gain: exposure; below 1 is darker.
        crop: share of width and height around the middle that is kept.
        pans: whether the camera rests on the place and comes to the things only at the end.
    """

    scene: Scene | None
    seed: int
    since_seconds: float = 1.0
    camera: int = 0
    gain: float = 1.0
    crop: float = 1.0
    pans: bool = False

    @property
    def n_frames(self) -> int:
        """Its length."""
        return sum(PAN_FRAMES) if self.pans else SHOT_FRAMES

    @property
    def pan_rests(self) -> tuple[float, float]:
        """Of a pan: until when, and from when on, the camera rests; in seconds from its start."""
        rest, move, _ = PAN_FRAMES
        return rest / FRAME_RATE, (rest + move) / FRAME_RATE


@dataclass(frozen=True, slots=True)
class Film:
    """A file of several shots.

    Args:
        name: its file name.
        takes: its shots.
        form: how it is written.
        scale: size of its pictures as a share of the usual one.
    """

    name: str
    takes: tuple[Take, ...]
    form: VideoFormat = H264
    scale: float = 1.0

    @property
    def places(self) -> list[Place]:
        """Its shots, by name and number."""
        return [(self.name, number) for number in range(len(self.takes))]

    def spans(self) -> list[TimeSpan]:
        """When each shot runs, in seconds."""
        spans, at = [], 0
        for take in self.takes:
            end = at + take.n_frames
            spans.append(TimeSpan(Fraction(at, FRAME_RATE), Fraction(end, FRAME_RATE)))
            at = end
        return spans


def write_films(folder: Path, films: Sequence[Film]) -> None:
    """Draw films and write them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for film in films:
        pictures = (resize(picture, film.scale) for take in film.takes for picture in draw_take(take))
        write_video(folder / film.name, enumerate(pictures), film.form)


def resize(picture: RgbPicture, scale: float) -> RgbPicture:
    """The picture at a share of the usual size, as a re-encoder scales it."""
    size = (round(WIDTH_PX * scale), round(HEIGHT_PX * scale))
    if picture.shape == (*size[::-1], 3):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def draw_take(take: Take) -> Iterator[RgbPicture]:
    """The frames of a shot, with the blur and grain of its camera, exposed and cropped."""
    rng = random.Random(f"camera {take.camera} {take.seed}")
    softness = rng.uniform(0.2, 0.9) if rng.random() < 0.4 else 0.0
    grain = rng.uniform(2, 7) if rng.random() < 0.4 else 0.0
    for number in range(take.n_frames):
        picture = _draw(take, number)
        if softness:
            picture = blur(picture, softness)
        if grain:
            picture = add_noise(picture, grain, rng.getrandbits(32))
        if take.gain != 1.0:
            picture = change_exposure(picture, take.gain, 0.0)
        yield _crop(picture, take.crop)


def _crop(picture: RgbPicture, share: float) -> RgbPicture:
    height, width, _ = picture.shape
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return np.ascontiguousarray(picture[top : height - top, left : width - left])


def _draw(take: Take, number: int) -> RgbPicture:
    if take.scene is None:
        return np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    seconds = take.since_seconds + number / FRAME_RATE
    if not take.pans:
        return draw_scene(take.scene, WIDTH_PX, HEIGHT_PX, seconds, take.seed)
    wide = draw_scene(take.scene, 3 * WIDTH_PX, HEIGHT_PX, seconds, take.seed)
    rest, move, _ = PAN_FRAMES
    moved = min(1.0, max(0.0, (number - rest) / move))
    middle = lay_out(take.scene, round(3 * WIDTH_PX / HEIGHT_PX, 4), take.seed)[0].x
    start = 0 if middle >= 0.5 else 2 * WIDTH_PX  # a lone thing stands in the middle third: away from it
    end = round(middle * 3 * WIDTH_PX - WIDTH_PX / 2)
    left = start + round(moved * (end - start))
    return np.ascontiguousarray(wide[:, left : left + WIDTH_PX])


def sample_scenes(n: int, seed: str, without: Sequence[str] = (), single: bool = False) -> list[Scene]:
    """Held-out scenes of which no full description is true of another.

    Args:
        n: how many.
        seed: another seed, other scenes.
        without: things, places and weathers that no scene shows.
        single: whether each shows just one thing, not far away.
    """
    rng = random.Random(f"held out {seed}")
    scenes: list[Scene] = []
    claims: list[Claim] = []
    while len(scenes) < n:
        scene = sample_scene(rng, held_out=True)
        if not shown_in(scene).isdisjoint(without):
            continue
        if single and (scene.second is not None or scene.first.count > 1 or scene.shot_size == "wide"):
            continue
        claim = claim_all(scene)
        if not any(old.holds_for(scene) for old in claims) and not any(map(claim.holds_for, scenes)):
            scenes.append(scene)
            claims.append(claim)
    return scenes


def arrange_films(name: str, takes: Sequence[Take], n_shots: int, form: VideoFormat = H264) -> list[Film]:
    """Films of up to `n_shots` shots, whose neighbours lie at different places, so that every cut is seen."""
    films: list[list[Take]] = []
    for take in takes:
        for film in films:
            if len(film) < n_shots and _is_unlike(film[-1].scene, take.scene):
                film.append(take)
                break
        else:
            films.append([take])
    return [Film(f"{name}{number}.mp4", tuple(film), form) for number, film in enumerate(films)]


def insert_fillers(takes: Sequence[Take], claims: Sequence[Claim], seed: str) -> list[Take]:
    """The takes with a shot between any two of which no claim is true, and that is unlike both."""
    rng = random.Random(f"fillers {seed}")
    filled = list(takes[:1])
    for take in takes[1:]:
        filled += [_filler(rng, filled[-1], take, claims), take]
    return filled


def _filler(rng: random.Random, before: Take, after: Take, claims: Sequence[Claim]) -> Take:
    while True:
        scene = sample_scene(rng)
        unlike = _is_unlike(before.scene, scene) and _is_unlike(scene, after.scene)
        if unlike and not any(claim.holds_for(scene) for claim in claims):
            return Take(scene, rng.getrandbits(31))


def _is_unlike(one: Scene | None, other: Scene | None) -> bool:
    """Whether a cut between the two is plain to see: another place, and not from dark to dark."""
    if one is None or other is None:
        return one is not other
    return one.place != other.place and not one.weather == other.weather == "night"


def shown_in(scene: Scene) -> set[str]:
    """Names of the things, the place and the weather of a scene."""
    return {*(group.thing for group in scene.groups), scene.place, scene.weather}


def retake(take: Take, number: int) -> Take:
    """The same things at the same places a little later, seen by another camera at another exposure."""
    later = take.since_seconds + 0.7 * number
    return replace(take, since_seconds=later, camera=take.camera + number, gain=(1.0, 0.92, 1.06)[number % 3])


def alter(take: Take, rng: random.Random) -> Take:
    """The same shot as a copy shows it: the middle 80 to 90 % of each side, at 60 to 80 % of its exposure."""
    return replace(take, crop=rng.uniform(0.8, 0.9), gain=rng.uniform(0.6, 0.8))

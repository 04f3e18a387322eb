"""A small library of drawn videos, whose every shot is known: what `rushes demo` shows, and tests measure on."""
# ruff: noqa: S311 - chance is seeded on purpose: the same seed, the same library

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from indexer.demo.drawing import RgbPicture, draw_scene
from indexer.demo.sentences import describe
from indexer.demo.world import MANY, Group, Scene, sample_scene
from indexer.media.writer import VideoFormat, write_video
from store.records import Boundary

GROUND_TRUTH_FILE: Final = "ground_truth.json"
_SHOTS_PER_VIDEO: Final = 7
_TRANSITION_SECONDS: Final = 0.8
_FAST: Final = {"preset": "ultrafast", "crf": "26"}

_PLANTED: Final = (
    Scene(Group("boat", "red"), "sea"),
    Scene(Group("dog", "brown", 2), "field"),
    Scene(Group("house", "white"), "field", "night"),
    Scene(Group("boat", "red"), "sea", "night"),
    Scene(Group("dog", "black", 2), "beach", "clear", "medium", "left of", Group("house", "yellow")),
    Scene(Group("house", "orange"), "snow", "night"),
    Scene(Group("boat", "red"), "harbour", "dusk", "wide"),
    Scene(Group("bus", "yellow"), "city", "rain"),
    Scene(Group("plane", "white"), "sky", "clear", "medium", "above", Group("balloon", "purple")),
    Scene(Group("bird", "blue", MANY), "forest"),
    Scene(Group("cat", "orange"), "room", "clear", "close-up"),
    Scene(Group("car", "green", 3), "road", "fog"),
    Scene(Group("castle", "pink"), "mountains", "dusk"),
    Scene(Group("dog", "white", 2), "snow", "snow"),
    Scene(Group("house", "red"), "forest", "night"),
    Scene(Group("boat", "red", 2), "sea", "rain", "wide"),
    Scene(Group("umbrella", "red"), "beach"),
    Scene(Group("horse", "brown"), "desert", "clear", "medium", "in front of", Group("cactus", "green")),
)
"""Scenes that every library has, whatever its seed, so that the demo's questions have right answers."""


@dataclass(frozen=True, slots=True)
class _VideoPlan:
    name: str
    form: VideoFormat
    width_px: int = 640
    height_px: int = 360
    variable_rate: bool = False
    boundaries: tuple[Boundary, ...] = (Boundary.CUT,)


_PLANS: Final = (
    _VideoPlan("harbour.mp4", VideoFormat("libx264", 25, options=_FAST)),
    _VideoPlan("farm.mkv", VideoFormat("libx265", 25, options={**_FAST, "x265-params": "log-level=none"})),
    _VideoPlan(
        "city.webm",
        VideoFormat("libvpx-vp9", 25, sound_codec="libopus", options={"deadline": "realtime", "cpu-used": "8"}),
        boundaries=(Boundary.CUT, Boundary.FADE),
    ),
    _VideoPlan(
        "mountains.mov",
        VideoFormat("prores_ks", 24, "yuv422p10le", options={"profile": "proxy"}),
        width_px=320,
        height_px=180,
    ),
    _VideoPlan("garden.avi", VideoFormat("mpeg4", 25, sound_codec="pcm_s16le", options={"q": "5"})),
    _VideoPlan(
        "road.ts",
        VideoFormat("mpeg2video", 25, sound_codec="mp2", options={"q": "5"}),
        boundaries=(Boundary.CUT, Boundary.DISSOLVE),
    ),
    _VideoPlan("phone.mp4", VideoFormat("libx264", 30, options=_FAST), width_px=360, height_px=640),
    _VideoPlan("screen recording.mp4", VideoFormat("libx264", 30, options=_FAST), variable_rate=True),
    _VideoPlan(
        "silent.mkv",
        VideoFormat("libx264", 25, sound_codec=None, options=_FAST),
        boundaries=(Boundary.DISSOLVE, Boundary.CUT, Boundary.FADE),
    ),
)
_BROKEN: Final = replace(_PLANS[0], name="broken.mp4")

_README: Final = """\
Drawn by Rushes (`rushes demo`), seed {seed}. Nothing in here was filmed.

{n_videos} videos with {n_shots} shots between them, in several containers and codecs; one is upright, one has a
variable frame rate, one has no sound, and broken.mp4 is cut off on purpose, so that it cannot be read.
ground_truth.json says where each shot starts and ends, how it begins, and what it shows.
"""


@dataclass(frozen=True, slots=True)
class _DrawnShot:
    scene: Scene
    seed: int
    first_frame: int
    end_frame: int
    boundary: Boundary


def draw_sample_library(
    folder: Path, seed: int = 7, on_progress: Callable[[int, int], None] | None = None
) -> None:
    """Draw the videos, their ground truth and a README into `folder`; the ground truth is written last.

    Args:
        folder: where; made if it is not there.
        seed: another number draws another library, of the same kinds and with the same planted scenes.
        on_progress: called with the number of frames drawn and of all, from several threads.

    Raises:
        MediaError: a video cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shots = {plan.name: _plan_shots(plan, i, seed) for i, plan in enumerate(_PLANS)}
    broken = shots[_PLANS[0].name][:2]
    n_frames = sum(len(_frame_numbers(plan, shot)) for plan in _PLANS for shot in shots[plan.name])
    count = _FrameCount(n_frames + sum(len(_frame_numbers(_BROKEN, shot)) for shot in broken), on_progress)
    # Drawing and encoding mostly run outside the interpreter's lock: threads are as good as processes here.
    with ThreadPoolExecutor(max_workers=2) as pool:
        pending = [pool.submit(_draw_video, folder, plan, shots[plan.name], count) for plan in _PLANS]
        pending.append(pool.submit(_draw_broken, folder, broken, count))
        for finished in as_completed(pending):
            finished.result()
    videos = [_describe_video(plan, shots[plan.name]) for plan in _PLANS]
    videos.append({"file": _BROKEN.name, "broken": True, "shots": []})
    n_shots = sum(len(video["shots"]) for video in videos)
    readme = _README.format(seed=seed, n_videos=len(_PLANS), n_shots=n_shots)
    (folder / "README.txt").write_text(readme, encoding="utf-8")
    truth = json.dumps({"seed": seed, "videos": videos}, indent=1)
    (folder / GROUND_TRUTH_FILE).write_text(truth, encoding="utf-8")


def _plan_shots(plan: _VideoPlan, position: int, seed: int) -> list[_DrawnShot]:
    """Content of one video: its two planted scenes among scenes by chance."""
    rng = random.Random(f"library {seed} {plan.name}")
    scenes = list(_PLANTED[2 * position : 2 * position + 2])
    while len(scenes) < _SHOTS_PER_VIDEO:
        scenes.append(_sample_unlike(rng, scenes))
    rng.shuffle(scenes)
    shots: list[_DrawnShot] = []
    at = 0
    for i, scene in enumerate(scenes):
        n_frames = round(rng.uniform(1.8, 2.8) * plan.form.frame_rate)
        boundary = plan.boundaries[(i - 1) % len(plan.boundaries)] if i else Boundary.START
        shots.append(_DrawnShot(scene, rng.randrange(2**31), at, at + n_frames, boundary))
        at += n_frames
    return shots


def _sample_unlike(rng: random.Random, others: list[Scene]) -> Scene:
    """A scene at a place where none of the others is, so that every cut can be seen."""
    while True:
        scene = sample_scene(rng)
        if scene.place not in {other.place for other in others}:
            return scene


class _FrameCount:
    """Counts the frames that several threads draw, and tells."""

    def __init__(self, n_all: int, listener: Callable[[int, int], None] | None) -> None:
        self._n_all = n_all
        self._listener = listener
        self._n_done = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """One more frame."""
        with self._lock:
            self._n_done += 1
            if self._listener:
                self._listener(self._n_done, self._n_all)


def _draw_video(folder: Path, plan: _VideoPlan, shots: list[_DrawnShot], count: _FrameCount) -> None:
    write_video(folder / plan.name, _draw_frames(plan, shots, count), plan.form)


def _draw_broken(folder: Path, shots: list[_DrawnShot], count: _FrameCount) -> None:
    """A file that lacks its second half, and with it the index without which nothing can be decoded."""
    _draw_video(folder, _BROKEN, shots, count)
    path = folder / _BROKEN.name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _frame_numbers(plan: _VideoPlan, shot: _DrawnShot) -> list[int]:
    """The frames of a shot; a variable-rate video leaves out some."""
    numbers = range(shot.first_frame, shot.end_frame)
    rate = plan.form.frame_rate
    return [number for number in numbers if not (plan.variable_rate and _is_left_out(number, shot, rate))]


def _draw_frames(
    plan: _VideoPlan, shots: list[_DrawnShot], count: _FrameCount
) -> Iterator[tuple[int, RgbPicture]]:
    """Every frame of a video with its number."""
    half = round(_TRANSITION_SECONDS * plan.form.frame_rate / 2)
    for i, shot in enumerate(shots):
        for number in _frame_numbers(plan, shot):
            picture = _draw(plan, shot, number)
            since, until = number - shot.first_frame, shot.end_frame - number
            if i > 0 and since < half:
                picture = _blend(plan, shots[i - 1], shot, number, picture, half)
            elif i + 1 < len(shots) and until <= half:
                picture = _blend(plan, shot, shots[i + 1], number, picture, half)
            yield number, picture
            count.add()


def _is_left_out(number: int, shot: _DrawnShot, frame_rate: int) -> bool:
    """Every other frame of every other second, but never the first or the last of a shot."""
    inside = shot.first_frame < number < shot.end_frame - 1
    return inside and number // frame_rate % 2 == 1 and number % 2 == 1


def _blend(
    plan: _VideoPlan, before: _DrawnShot, after: _DrawnShot, number: int, picture: RgbPicture, half: int
) -> RgbPicture:
    """The frame as it looks during the transition between two shots, whose middle is the boundary."""
    from_middle = number + 0.5 - after.first_frame
    if after.boundary is Boundary.FADE:
        return (picture * (abs(from_middle) / half)).astype(np.uint8)
    if after.boundary is Boundary.DISSOLVE:
        share = 0.5 + from_middle / (2 * half)
        old, new = _draw(plan, before, number), _draw(plan, after, number)
        return (old * (1 - share) + new * share).astype(np.uint8)
    return picture


def _draw(plan: _VideoPlan, shot: _DrawnShot, number: int) -> RgbPicture:
    # A second is added because a dissolve shows a shot before it begins, and time counts from 0.
    seconds = 1 + (number - shot.first_frame) / plan.form.frame_rate
    return draw_scene(shot.scene, plan.width_px, plan.height_px, seconds, shot.seed)


def _describe_video(plan: _VideoPlan, shots: list[_DrawnShot]) -> dict[str, Any]:
    rate = plan.form.frame_rate
    return {
        "file": plan.name,
        "broken": False,
        "codec": plan.form.codec,
        "frame_rate": rate,
        "variable_rate": plan.variable_rate,
        "width_px": plan.width_px,
        "height_px": plan.height_px,
        "has_audio": plan.form.sound_codec is not None,
        "shots": [
            {
                "start_seconds": shot.first_frame / rate,
                "end_seconds": shot.end_frame / rate,
                "boundary": str(shot.boundary),
                "transition_seconds": _TRANSITION_SECONDS
                if shot.boundary in (Boundary.FADE, Boundary.DISSOLVE)
                else 0.0,
                "description": describe(shot.scene),
            }
            for shot in shots
        ],
    }

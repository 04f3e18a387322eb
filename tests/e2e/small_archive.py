"""A small archive of drawn shots, indexed with the demo encoder, for tests of the page."""

import random
from pathlib import Path

from indexer.config import IndexSettings
from indexer.demo.drawing import draw_scene
from indexer.demo.world import Group, Scene, sample_scene
from indexer.media.writer import VideoFormat, write_video
from indexer.models.open_clip_encoder import load_encoder
from indexer.pipeline import Progress, index_videos
from store.archive import Archive
from store.records import Outcome

RATE = 12
SHOT_FRAMES = 18
SCENES = (
    (Scene(Group("boat", "red"), "sea"), Scene(Group("house", "white"), "field", "night")),
    (Scene(Group("castle", "pink"), "mountains", "dusk"), Scene(Group("bus", "yellow"), "city")),
)
"""The two shots of each video."""


def draw_library(folder: Path) -> list[Path]:
    """Two H.264 videos with sound, two shots of 1.5 s in each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, scenes in enumerate(SCENES):
        pictures = [
            (place * SHOT_FRAMES + frame, draw_scene(scene, 192, 108, frame / RATE, seed=place))
            for place, scene in enumerate(scenes)
            for frame in range(SHOT_FRAMES)
        ]
        paths.append(folder / f"clip{number}.mp4")
        write_video(paths[-1], pictures, VideoFormat("libx264", RATE, options={"preset": "ultrafast"}))
    return paths


def draw_many(folder: Path, n_videos: int, first: Scene) -> None:
    """Videos called new00.mp4, new01.mp4, ... of one short shot each, of which the first shows `first`."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(5)
    for number in range(n_videos):
        scene = sample_scene(chance) if number else first
        pictures = [(frame, draw_scene(scene, 192, 108, frame / RATE, seed=number)) for frame in range(RATE)]
        form = VideoFormat("libx264", RATE, sound_codec=None, options={"preset": "ultrafast"})
        write_video(folder / f"new{number:02d}.mp4", pictures, form)


def index_library(archive_folder: Path, library: Path) -> list[Outcome]:
    """Index the library with the demo encoder."""
    encoder = load_encoder("demo")
    with Archive.create(archive_folder) as archive:
        archive.claim_space(encoder.space, source="demo")
        return list(index_videos(archive, [library], encoder, IndexSettings(), _ignore))


def _ignore(progress: Progress) -> None:
    """Nobody watches."""

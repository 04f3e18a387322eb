"""A small archive of drawn shots, indexed with the demo encoder, for tests of the page."""

from pathlib import Path

from indexer.config import IndexSettings
from indexer.demo.drawing import draw_scene
from indexer.demo.world import Group, Scene
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


def index_library(archive_folder: Path, library: Path) -> list[Outcome]:
    """Index the library with the demo encoder."""
    encoder = load_encoder("demo")
    with Archive.create(archive_folder) as archive:
        archive.claim_space(encoder.space, source="demo")
        return list(index_videos(archive, [library], encoder, IndexSettings(), _ignore))


def _ignore(progress: Progress) -> None:
    """Nobody watches."""

"""Measures the demo encoder on shots of the drawn world that were filmed, so to speak, in H.264.

Protocol. 400 scenes are sampled from the held-out combinations of thing, colour and place, which training never
draws; no two of them are described alike. Each is drawn as a moving shot (320x180, every eighth one upright), gets
the blur and grain of its own camera, goes through libx264 at CRF 28 and is decoded again. As in a search, the
score of a sentence for a shot is that of the shot's best frame, of three.

- recall@1: the full description of each shot, in the plainest words, has to rank this shot first among all 400;
  the second figure is for paraphrases by chance.
- An attribute alone: for each shot, of the plain prompts for all values of the attribute ("car", "bus", ...;
  "something red", ...; "the sea", ...; "rain", ...; "two things", ...) the true one has to score highest. Thing,
  colour and count are asked of shots with one kind of thing, relation of shots with two ("dog left of house",
  "dog above house", ... with the shot's own things), place, weather and shot size of all shots.

`python -m tests.evaluation.demo_shots` prints the table; `--write-card` also puts it into the model card.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.demo.degrade import add_noise, blur
from indexer.demo.drawing import draw_scene
from indexer.demo.encoder_files import ENCODER_FOLDER
from indexer.demo.lessons import ATTRIBUTES, relation_prompts, truth_table
from indexer.demo.model_card import BEGIN, END
from indexer.demo.sentences import claim_all, describe, phrase
from indexer.demo.world import RELATIONS, Scene, sample_scene

N_SHOTS = 400
FRAMES_PER_SHOT = 18
FRAME_RATE = 12
CRF = 28
JUDGED_FRAMES = (3, 9, 15)

RgbPicture = NDArray[np.uint8]
Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """One line of the table: what was asked, of how many shots, and the share of right answers."""

    name: str
    n_choices: int
    n_shots: int
    share: float


class DemoEncoder:
    """The encoder in a folder, loaded the way open_clip loads any other."""

    def __init__(self, folder: Path) -> None:
        import open_clip

        name = f"local-dir:{folder}"
        self.model, self.preprocess = open_clip.create_model_from_pretrained(name)
        self.tokenizer = open_clip.get_tokenizer(name)
        self.model.eval()

    def encode_images(self, pictures: Iterable[RgbPicture]) -> Embeddings:
        """Unit rows for pictures."""
        import torch

        batch = torch.stack([self.preprocess(Image.fromarray(picture)) for picture in pictures])
        with torch.inference_mode():
            parts = [self.model.encode_image(part, normalize=True) for part in torch.split(batch, 64)]
        rows: Embeddings = torch.cat(parts).numpy()
        return rows

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Unit rows for sentences."""
        import torch

        with torch.inference_mode():
            rows: Embeddings = self.model.encode_text(self.tokenizer(list(texts)), normalize=True).numpy()
        return rows


def sample_distinct_scenes(n: int, seed: int) -> list[Scene]:
    """Held-out scenes of which no full description is true of another."""
    rng = random.Random(f"held out {seed}")
    scenes: list[Scene] = []
    claims: list[Any] = []
    while len(scenes) < n:
        scene = sample_scene(rng, held_out=True)
        claim = claim_all(scene)
        if not any(
            old.holds_for(scene) or claim.holds_for(kept) for old, kept in zip(claims, scenes, strict=True)
        ):
            scenes.append(scene)
            claims.append(claim)
    return scenes


def film(scene: Scene, seed: int) -> list[RgbPicture]:
    """The judged frames of a moving shot of the scene, after H.264."""
    rng = random.Random(f"camera {seed}")
    width, height = (180, 320) if seed % 8 == 7 else (320, 180)
    softness = rng.uniform(0.2, 0.9) if rng.random() < 0.4 else 0.0
    grain = rng.uniform(2, 7) if rng.random() < 0.4 else 0.0
    start = rng.uniform(0, 4)
    frames = []
    for i in range(FRAMES_PER_SHOT):
        picture = draw_scene(scene, width, height, start + i / FRAME_RATE, seed)
        if softness:
            picture = blur(picture, softness)
        if grain:
            picture = add_noise(picture, grain, seed * 1000 + i)
        frames.append(picture)
    decoded = decode_video(encode_h264(frames))
    return [decoded[i] for i in JUDGED_FRAMES]


def encode_h264(frames: Sequence[RgbPicture]) -> bytes:
    """An MP4 file of the frames."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE, options={"crf": str(CRF), "preset": "medium"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def decode_video(content: bytes) -> list[RgbPicture]:
    """All frames of a video file."""
    with av.open(io.BytesIO(content), "r") as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def film_all(scenes: Sequence[Scene]) -> list[RgbPicture]:
    """The judged frames of all scenes, one shot after the other."""
    return [frame for seed, scene in enumerate(scenes) for frame in film(scene, seed)]


def shot_scores(sentences: Embeddings, frames: Embeddings) -> Embeddings:
    """Scores of shape (n_sentences, n_shots): each shot counts with its best frame."""
    scores: Embeddings = (sentences @ frames.T).reshape(len(sentences), -1, len(JUDGED_FRAMES)).max(axis=2)
    return scores


def measure(encoder: DemoEncoder, scenes: Sequence[Scene], frames: Embeddings) -> list[Result]:
    """All lines of the table."""
    return [
        _measure_recall(encoder, scenes, frames, None),
        _measure_recall(encoder, scenes, frames, random.Random("paraphrases")),
        *_measure_attributes(encoder, scenes, frames),
        _measure_relation(encoder, scenes, frames),
    ]


def _measure_recall(
    encoder: DemoEncoder, scenes: Sequence[Scene], frames: Embeddings, rng: random.Random | None
) -> Result:
    claims = [claim_all(scene) for scene in scenes]
    if not np.array_equal(truth_table(claims, scenes), np.eye(len(scenes))):
        raise AssertionError("two shots answer to the same description")
    texts = [phrase(claim, rng) if rng else describe(scene) for claim, scene in zip(claims, scenes, strict=True)]
    found = shot_scores(encoder.encode_texts(texts), frames).argmax(axis=1)
    name = "recall@1, full description" if rng is None else "recall@1, paraphrased"
    return Result(name, len(scenes), len(scenes), float(np.mean(found == np.arange(len(scenes)))))


def _measure_attributes(encoder: DemoEncoder, scenes: Sequence[Scene], frames: Embeddings) -> list[Result]:
    results = []
    for attribute in ATTRIBUTES:
        chosen = shot_scores(encoder.encode_texts(attribute.prompts()), frames).argmax(axis=0)
        truth = attribute.truth(scenes)
        asked = truth.sum(axis=1) > 0
        if attribute.name in ("thing", "colour"):
            asked &= np.asarray([scene.second is None for scene in scenes])
        right = truth[np.arange(len(scenes)), chosen] > 0
        results.append(
            Result(f"{attribute.name} alone", len(attribute.values), int(asked.sum()), float(right[asked].mean()))
        )
    return results


def _measure_relation(encoder: DemoEncoder, scenes: Sequence[Scene], frames: Embeddings) -> Result:
    right = []
    for i, scene in enumerate(scenes):
        if scene.relation is None:
            continue
        own = frames[i * len(JUDGED_FRAMES) : (i + 1) * len(JUDGED_FRAMES)]
        chosen = shot_scores(encoder.encode_texts(relation_prompts(scene)), own)[:, 0].argmax()
        right.append(RELATIONS[chosen] == scene.relation)
    return Result("relation alone", len(RELATIONS), len(right), float(np.mean(right)))


def format_table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = ["| what is asked | choices | shots | right |", "|---|---|---|---|"]
    lines += [f"| {r.name} | {r.n_choices} | {r.n_shots} | {r.share:.3f} |" for r in results]
    return "\n".join(lines)


def write_results(folder: Path, table: str) -> None:
    """Put a table of results into the card."""
    path = folder / "README.md"
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}", encoding="utf-8")


def main() -> None:
    """Measure an encoder and print the table."""
    parser = argparse.ArgumentParser(description="Measures the demo encoder on held-out shots.")
    parser.add_argument("--encoder", type=Path, default=ENCODER_FOLDER)
    parser.add_argument("--seed", type=int, default=0, help="another seed, other shots")
    parser.add_argument("--write-card", action="store_true", help="put the table into the model card")
    options = parser.parse_args()
    scenes = sample_distinct_scenes(N_SHOTS, options.seed)
    encoder = DemoEncoder(options.encoder)
    table = format_table(measure(encoder, scenes, encoder.encode_images(film_all(scenes))))
    sys.stdout.write(table + "\n")
    if options.write_card:
        write_results(options.encoder, table)


if __name__ == "__main__":
    main()

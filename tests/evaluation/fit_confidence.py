"""Fits what evidence is worth for the demo encoder, and writes `search_app/calibrations/SPACE.json`.

Protocol. Eight drawn worlds (`drawn_worlds`) of 40 to 160 shots, every second one with look-alikes, all of
training combinations of thing, colour and place: what the figures of the README are measured on shares neither a
seed nor a combination with them. Of every question that has a single step and no minus, the 20 nearest shots are
counted fully, and 10 others by a third. Words that the encoder never learnt are left out. The numbers are those of
the greatest likelihood (L-BFGS), pulled a little towards zero.

`python -m tests.evaluation.fit_confidence` draws, fits, writes and prints the error on its own worlds;
`--frames FOLDER` keeps the vectors of the frames there, or takes them from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from indexer.models.encoder import Encoder
from indexer.models.open_clip_encoder import load_encoder
from search_app.confidence.background import Background
from search_app.confidence.calibration import FOLDER, Calibration, PartWeights
from search_app.confidence.contrasts import Aspect, large_numbers, say_many
from search_app.confidence.evidence import Evidence, gather_evidence
from search_app.search.encoding import neutral_vectors, nonsense_vector
from store.records import Embeddings
from store.words.index import telling_words
from tests.evaluation.demo_shots import decode_video, encode_h264
from tests.evaluation.drawn_films import Take, draw_take
from tests.evaluation.drawn_worlds import Question, ask, sample_world

WORLDS: Final = tuple((f"T{number}", (40, 110, 110, 160)[number % 4], bool(number % 2)) for number in range(8))
"""Seed, number of shots, and whether there are look-alikes, of each world."""
_NEAREST, _OTHERS, _WEIGHT_OF_OTHERS = 20, 10, 0.3
_FILMED, _JUDGED = 4, 2
_SAME_TEXT = 0.97
_ASPECTS: Final = tuple(Aspect)
_STEPS: Final = 200
_PULL: Final = 1e-4


Pair = tuple[Embeddings, float, list[Embeddings], list[int], bool, float]
"""Scores of the whole, standing, scores of each part, aspect of each part, whether right, weight."""


@dataclass(frozen=True)
class Rows:
    """What was measured of pairs of a question and a shot.

    Args:
        whole: (n, 3), score and leads of the whole question.
        standing: (n,), how far ahead of the archive's best other shot, or behind it.
        parts: (n, most_parts, 3), score and leads of each part.
        aspects: (n, most_parts), which of `Aspect` each part is; -1 where there is none.
        is_right: (n,), 1 if the shot shows what was asked.
        weight: (n,), how much it counts.
    """

    whole: torch.Tensor
    standing: torch.Tensor
    parts: torch.Tensor
    aspects: torch.Tensor
    is_right: torch.Tensor
    weight: torch.Tensor


class _Model(torch.nn.Module):
    """`Calibration`, with numbers that learn."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = torch.nn.Parameter(torch.tensor(0.0))
        self.whole = torch.nn.Parameter(torch.tensor([1.0, 0.2, 0.1]))
        self.standing = torch.nn.Parameter(torch.zeros(2))
        self.part_offsets = torch.nn.Parameter(torch.ones(len(_ASPECTS)))
        self.parts = torch.nn.Parameter(torch.tensor([[0.5, 0.7, 0.3]] * len(_ASPECTS)))
        self.marks = torch.nn.Parameter(torch.zeros(len(_ASPECTS)))
        self.outcome = torch.nn.Parameter(torch.tensor([0.0, 1.0]))
        self.per_part = torch.nn.Parameter(torch.zeros(2))

    def forward(self, rows: Rows) -> torch.Tensor:
        """The odds, as a logarithm, that each shot is right."""
        n_parts = (rows.aspects >= 0).sum(dim=1)
        whole = functional.logsigmoid(self.offset + rows.whole @ self.whole)
        kinds = rows.aspects.clamp(min=0)
        shown = (rows.parts * self.parts[kinds]).sum(dim=2) + self.part_offsets[kinds]
        shown = torch.where(rows.aspects >= 0, functional.logsigmoid(shown), torch.zeros_like(shown))
        product = (whole + shown.sum(dim=1)).clamp(max=-1e-6)
        odds = product - torch.log1p(-torch.exp(product))
        more = (n_parts - 1).clamp(min=0)
        marks = sum(self.marks[k] * (rows.aspects == k).any(dim=1) for k in range(len(_ASPECTS)))
        slope = self.outcome[1] + more * self.per_part[1]
        standing = (self.standing[0] + more * self.standing[1]) * rows.standing
        return self.outcome[0] + more * self.per_part[0] + marks + slope * odds + standing

    def calibration(self, text_scale: tuple[float, float]) -> Calibration:
        """The numbers as they are used."""
        parts = {
            aspect: PartWeights(
                *_numbers(torch.cat([self.part_offsets[k : k + 1], self.parts[k], self.marks[k : k + 1]]))
            )
            for k, aspect in enumerate(_ASPECTS)
        }
        offset, score, lead, second = _numbers(torch.cat([self.offset[None], self.whole]))
        outcome, per_part, standing = map(_pair, (self.outcome, self.per_part, self.standing))
        return Calibration(offset, score, lead, second, parts, outcome, per_part, standing, text_scale)


def _numbers(values: torch.Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]


def _pair(values: torch.Tensor) -> tuple[float, float]:
    first, second = _numbers(values)
    return first, second


def fit(rows: Rows, text_scale: tuple[float, float]) -> Calibration:
    """The numbers of the greatest likelihood; the scale of cosines is passed on."""
    model = _Model()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        each = functional.binary_cross_entropy_with_logits(model(rows), rows.is_right, reduction="none")
        total = (each * rows.weight).mean() + _PULL * sum((p**2).sum() for p in model.parameters())
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return model.calibration(text_scale)


def film_world(seed: str, n_shots: int, decoys: bool, encoder: Encoder) -> Embeddings:
    """A frame of each shot of a world, as it comes out of H.264, encoded."""
    pictures = []
    for number, scene in enumerate(sample_world(seed, n_shots, held_out=False, decoys=decoys)):
        frames = list(islice(draw_take(Take(scene, hash_of(seed, number))), _FILMED))
        pictures.append(decode_video(encode_h264(frames))[_JUDGED])
    return encoder.encode_images(pictures)


def hash_of(seed: str, number: int) -> int:
    """A seed for a shot: the same for the same world and number."""
    return int(seed[1:]) * 1_000 + number


def measure_world(seed: str, n_shots: int, decoys: bool, frames: Embeddings, encoder: Encoder) -> list[Pair]:
    """What every question scores for its nearest shots and for some others."""
    scenes = sample_world(seed, n_shots, held_out=False, decoys=decoys)
    background = Background(frames, neutral_vectors(encoder))
    rng = np.random.default_rng(hash_of(seed, 0))
    measured = []
    for question in ask(scenes, seed):
        evidence = evidence_of(question, encoder, background)
        if evidence is None:
            continue
        order = np.argsort(-(frames @ evidence.vector))
        chosen = [*order[:_NEAREST], *rng.permutation(order[_NEAREST:])[:_OTHERS]]
        whole = evidence.measure_whole(frames)
        parts = evidence.measure_parts(frames)
        first, second = float(whole[order[0], 0]), float(whole[order[1], 0])
        aspects = [_ASPECTS.index(part.aspect) for part in evidence.parts]
        for place, shot in enumerate(chosen):
            weight = 1.0 if place < _NEAREST else _WEIGHT_OF_OTHERS
            measured.append(
                (
                    whole[shot],
                    float(whole[shot, 0]) - (second if place == 0 else first),
                    [part[shot] for part in parts],
                    aspects,
                    question.holds_for(scenes[shot]),
                    weight,
                )
            )
    return measured


def evidence_of(question: Question, encoder: Encoder, background: Background) -> Evidence | None:
    """The evidence of a question of one step; None if it has several, a minus, or a word of no meaning."""
    if len(question.wanted) > 1 or question.unwanted is not None:
        return None
    nonsense = nonsense_vector(encoder)
    text = say_many(question.text, large_numbers(question.text))
    telling = telling_words(text, [])
    vectors = encoder.encode_texts([text, *telling])
    if (vectors[1:] @ nonsense >= _SAME_TEXT).any():
        return None
    neutral = neutral_vectors(encoder)
    return gather_evidence(text, vectors[0], telling, encoder.encode_texts, background, neutral, nonsense)


def rows_of(measured: Sequence[Pair]) -> Rows:
    """As tensors."""
    most = max(len(one[3]) for one in measured)
    parts = np.zeros((len(measured), most, 3), np.float32)
    aspects = np.full((len(measured), most), -1)
    for row, one in enumerate(measured):
        for place, (scores, aspect) in enumerate(zip(one[2], one[3], strict=True)):
            parts[row, place], aspects[row, place] = scores, aspect

    def floats(column: int) -> torch.Tensor:
        return torch.tensor(np.array([one[column] for one in measured], np.float32))

    return Rows(floats(0), floats(1), torch.tensor(parts), torch.tensor(aspects), floats(4), floats(5))


def main() -> None:
    """Draw, fit and write."""
    parser = argparse.ArgumentParser(description="Fits what evidence is worth for the demo encoder.")
    parser.add_argument("--frames", type=Path, help="folder of the frames' vectors, kept for the next time")
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoder = load_encoder("demo")
    measured, scales = [], []
    for seed, n_shots, decoys in WORLDS:
        path = options.frames and options.frames / f"{seed}.npy"
        if path and path.is_file():
            frames = np.load(path)
        else:
            frames = film_world(seed, n_shots, decoys, encoder)
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, frames)
        scales.append(Background(frames, neutral_vectors(encoder)).text_scale)
        measured += measure_world(seed, n_shots, decoys, frames, encoder)
        sys.stderr.write(f"world {seed}: {len(measured)} pairs so far\n")
    mean, spread = (round(float(value), 4) for value in np.mean(scales, axis=0))
    calibration = fit(rows_of(measured), (mean, spread))
    space = encoder.space
    written = {
        "space": space.space_id,
        "fitted_by": "python -m tests.evaluation.fit_confidence",
        "worlds": [seed for seed, _, _ in WORLDS],
        "pairs": len(measured),
        "calibration": calibration.to_json(),
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{space.space_id}.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    sys.stderr.write(f"written to {FOLDER / space.space_id}.json\n")


if __name__ == "__main__":
    main()

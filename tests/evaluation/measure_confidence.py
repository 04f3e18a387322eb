"""Measures whether confidence keeps what it claims: of the hits that say 80 to 90 %, 80 to 90 % are right.

Protocol. Held-out worlds (`drawn_worlds`: held-out combinations of thing, colour and place; other seeds than those
that the numbers were fitted on) are filmed in H.264, indexed by the real indexer and asked by the real search. The
first ten hits of every question count, each with its confidence and whether its shot shows what was asked; of
A THEN B whether both shots do. Words that the encoder never learnt are asked beside it.

- ECE: expected calibration error, the mean distance between what is said and what is so over ten bins of equal
  width, by the number of hits in them (Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian
  Binning", AAAI 2015).
- Brier: mean squared distance of confidence and truth.

`python -m tests.evaluation.measure_confidence FOLDER` writes the worlds and archives into FOLDER (or asks those
that lie there), prints the table and draws `docs/reliability.svg`.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.models.encoder import Encoder
from indexer.models.open_clip_encoder import load_encoder
from store.archive import Archive
from tests.evaluation.drawn_films import Place, Take, arrange_films
from tests.evaluation.drawn_worlds import KINDS, UNKNOWN_WORDS, WORDS, Question, ask, sample_world
from tests.evaluation.search_cases import SearchSet
from tests.evaluation.set_archives import IndexedSet, write_set

WORLDS: Final = (("M0", 100, False), ("M1", 100, True), ("M2", 60, True), ("M3", 140, False))
"""Seed, number of shots, and whether there are look-alikes, of each world."""
LISTED: Final = 10
N_BINS: Final = 10
DIAGRAM: Final = Path(__file__).parents[2] / "docs" / "reliability.svg"
_SHOTS_PER_FILM = 10


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was said of one hit, and what is so.

    Args:
        kind: of the question.
        confidence: 0 to 1.
        is_right: whether it shows what was asked.
    """

    kind: str
    confidence: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far some claims can be believed.

    Args:
        n: how many.
        ece: expected calibration error.
        brier: Brier score.
        bins: for each tenth of confidence, how many claims, their mean confidence and the share that is right.
    """

    n: int
    ece: float
    brier: float
    bins: tuple[tuple[int, float, float], ...]


def reliability_of(claims: Iterable[Claimed]) -> Reliability:
    """The figures of some claims, at least one."""
    pairs = [(claim.confidence, claim.is_right) for claim in claims]
    said: NDArray[np.float64] = np.array([pair[0] for pair in pairs])
    so: NDArray[np.float64] = np.array([pair[1] for pair in pairs], np.float64)
    place = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    bins = []
    for number in range(N_BINS):
        inside = place == number
        n = int(inside.sum())
        bins.append((n, float(said[inside].mean()), float(so[inside].mean())) if n else (0, 0.0, 0.0))
    ece = sum(n * abs(mean - share) for n, mean, share in bins) / len(pairs)
    return Reliability(len(pairs), ece, float(np.mean((said - so) ** 2)), tuple(bins))


def world_set(seed: str, n_shots: int, decoys: bool) -> tuple[SearchSet, list[Question]]:
    """A held-out world as films, and its questions."""
    scenes = sample_world(seed, n_shots, held_out=True, decoys=decoys)
    seeds = random.Random(f"takes {seed}")
    films = arrange_films(seed, [Take(scene, seeds.getrandbits(31)) for scene in scenes], _SHOTS_PER_FILM)
    filmed = [take.scene for film in films for take in film.takes if take.scene is not None]
    return SearchSet(tuple(films), ()), ask(filmed, seed)


def ask_world(indexed: IndexedSet, questions: Sequence[Question]) -> list[Claimed]:
    """What is said of the first hits of every question."""
    scenes = {place: take.scene for place, take in indexed.search_set.shots()}
    claims = []
    for question in questions:
        for hit in indexed.ask_text(question.text, limit=LISTED).hits:
            if hit.confidence is None:
                raise AssertionError(f"no confidence for {question.text!r}")
            shots: list[Place] = [indexed.place(step.shot.shot_id) for step in hit.steps]
            shots = shots or [indexed.place(hit.shot.shot_id)]
            is_right = all(question.holds_for(scenes[place], step) for step, place in enumerate(shots))
            claims.append(Claimed(question.kind, hit.confidence, is_right))
    return claims


def measure(
    folder: Path, encoder: Encoder, worlds: Sequence[tuple[str, int, bool]] = WORLDS, every: int = 1
) -> list[Claimed]:
    """The claims of all worlds, drawn and indexed into a folder unless they lie there.

    Args:
        folder: where they lie.
        encoder: by which they are indexed.
        worlds: some of `WORLDS`.
        every: each so many-th question is asked.
    """
    claims = []
    for seed, n_shots, decoys in worlds:
        search_set, questions = world_set(seed, n_shots, decoys)
        if not (folder / seed / "done").is_file():
            write_set(folder / seed, search_set, encoder)
            (folder / seed / "done").touch()
        with Archive.open(folder / seed / "archive") as archive:
            claims += ask_world(IndexedSet(search_set, folder / seed, archive, encoder), questions[::every])
        sys.stderr.write(f"world {seed}: {len(claims)} hits so far\n")
    return claims


def by_kind(claims: Sequence[Claimed]) -> dict[str, Reliability]:
    """The figures of each kind of question, and of the measured kinds together."""
    kinds = {kind: [one for one in claims if one.kind == kind] for kind in (*KINDS, WORDS, UNKNOWN_WORDS)}
    kinds["all kinds"] = [one for one in claims if one.kind in KINDS]
    return {kind: reliability_of(found) for kind, found in kinds.items() if found}


def table_of(figures: Mapping[str, Reliability]) -> str:
    """The figures as a Markdown table; under each tenth the share that is right, and of how many hits."""
    tenths = " | ".join(f"{10 * n}-{10 * n + 10} %" for n in range(N_BINS))
    lines = [f"| kind | hits | ECE | Brier | {tenths} |", "|---" * (N_BINS + 4) + "|"]
    for kind, one in figures.items():
        cells = " | ".join(f"{100 * share:.0f} % of {n}" if n else "" for n, _, share in one.bins)
        lines.append(f"| {kind} | {one.n} | {one.ece:.3f} | {one.brier:.3f} | {cells} |")
    return "\n".join(lines)


_SIDE, _MARGIN, _COLUMNS, _LARGEST = 150, 34, 4, 7.0


def diagram_of(figures: Mapping[str, Reliability]) -> str:
    """A reliability diagram for each kind, as SVG: what was said to the right, what was so upwards.

    On the line everything is as it was said; above it more is right than was said. The larger a point, the more
    hits it stands for.
    """
    cell = _SIDE + 2 * _MARGIN
    rows = -(-len(figures) // _COLUMNS)
    width, height = _COLUMNS * cell, rows * cell
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, (kind, one) in enumerate(figures.items()):
        x, y = (number % _COLUMNS) * cell + _MARGIN, (number // _COLUMNS) * cell + _MARGIN
        parts.append(f'<g transform="translate({x},{y})">{_plot(kind, one)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _plot(kind: str, one: Reliability) -> str:
    parts = [
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
        f'<line x1="0" y1="{_SIDE}" x2="{_SIDE}" y2="0" stroke="#bbb" stroke-dasharray="4 3"/>',
        f'<text x="0" y="-8" font-weight="bold">{kind}</text>',
        f'<text x="{_SIDE}" y="-8" text-anchor="end">ECE {one.ece:.3f}, n {one.n}</text>',
        f'<text x="0" y="{_SIDE + 14}">0 %</text>',
        f'<text x="{_SIDE / 2}" y="{_SIDE + 14}" text-anchor="middle">said</text>',
        f'<text x="{_SIDE}" y="{_SIDE + 14}" text-anchor="end">100 %</text>',
        f'<text x="-6" y="{_SIDE / 2}" text-anchor="middle" transform="rotate(-90 -6 {_SIDE / 2})">right</text>',
    ]
    points = [(said * _SIDE, (1 - so) * _SIDE, n) for n, said, so in one.bins if n]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#2563eb"/>')
    for x, y, n in points:
        radius = min(_LARGEST, 2 + float(np.log10(n)) * 1.5)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#2563eb" fill-opacity="0.7"/>')
    return "".join(parts)


def main() -> None:
    """Measure, print the table and draw the diagram."""
    parser = argparse.ArgumentParser(description="Measures whether confidence keeps what it claims.")
    parser.add_argument("folder", type=Path, help="where the worlds are, or will be")
    parser.add_argument("--diagram", type=Path, default=DIAGRAM)
    options = parser.parse_args()
    figures = by_kind(measure(options.folder, load_encoder("demo")))
    sys.stdout.write(table_of(figures) + "\n")
    options.diagram.write_text(diagram_of(figures), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The demo encoder's model card: what it is, what it is not, how it was made and how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_NO_RESULTS: Final = "Not measured yet: `python -m tests.evaluation.demo_shots --write-card`."
BEGIN, END = "<!-- results -->", "<!-- end of results -->"

_CARD: Final = """---
license: apache-2.0
library_name: open_clip
pipeline_tag: zero-shot-image-classification
language: en
---
# Rushes demo encoder

A very small picture and text encoder in open_clip's format ({n_million} million parameters, stored as float16). It
lets Rushes run and be tested offline, with rankings that can be right or wrong.

**It knows the drawn world of this project, not real footage.** Its training pictures are all drawn by
`indexer/demo/drawing.py`: {n_things} things in {n_colours} colours at {n_places} places, alone, in twos, threes or
many, or two kinds in one of {n_relations} relations, in {n_weathers} kinds of weather and light, near or far. It
knows about {n_words} English words; every other word is taken as unknown. On photographs and films its answers
mean nothing: use a real open_clip checkpoint there.

## Use
```python
model, preprocess = open_clip.create_model_from_pretrained("local-dir:indexer/demo/encoder")
tokenizer = open_clip.get_tokenizer("local-dir:indexer/demo/encoder")
```
The whole frame is squeezed to {size_px} by {size_px} pixels, so that nothing at its sides is cut off.

## Training
`{command}`: seed {seed}, {steps} batches of {batch} pictures from {n_pictures} drawn ones, {minutes} minutes
on two cores of a busy, shared machine. A small ResNet sees, a two-layer transformer reads. The
ResNet first learns to name every attribute, through helper layers that are thrown away; then both learn to rank
true sentences above false ones (full and partial descriptions, prompts for each attribute, and descriptions that
are wrong in one point).
The same command gives the same weights with the same library versions and processor type.

## Results
On 400 moving shots of combinations of thing, colour and place that training never drew, after H.264 at CRF 28 (the
protocol is in `tests/evaluation/demo_shots.py`):

{begin}
{results}
{end}

Licence: Apache-2.0. No pictures, words or weights of anybody else went into it.
"""


def write_card(folder: Path, **facts: int | str) -> None:
    """Write the card of a newly trained encoder, without results."""
    text = _CARD.format(begin=BEGIN, end=END, results=_NO_RESULTS, **facts)
    (folder / "README.md").write_text(text, encoding="utf-8")


def read_results(folder: Path) -> dict[str, float]:
    """The figures in the card by name."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    lines = text.partition(BEGIN)[2].partition(END)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: float(row[3]) for row in rows[2:]}

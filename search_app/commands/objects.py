"""`rushes objects`: what is where in a video, and crops of it as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import AS_JSON, DEVICE
from search_app.commands.number_types import Finite

if TYPE_CHECKING:
    from search_app.use_cases.find_objects import FoundStretch, SavedCrop


@click.command()
@click.argument("video", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--label", "labels", multiple=True, metavar="NAME", help="A thing to look for; several times for more."
)
@click.option(
    "--save-crops",
    "folder",
    type=click.Path(path_type=Path),
    help="Write crops as JPEG with JSON beside.",
)
@click.option(
    "--padding",
    type=Finite(0, 2),
    default=0.1,
    show_default=True,
    help="Share of a box that a crop has more.",
)
@click.option("--model", default="", metavar="NAME", help="Detector: ORG/NAME of the hub, or a folder.")
@click.option(
    "--min-score",
    type=Finite(0, 1),
    help="Leave out what the model is less sure of; 0.5, and 0.2 for an open vocabulary.",
)
@DEVICE
@AS_JSON
def objects(
    video: Path,
    labels: tuple[str, ...],
    folder: Path | None,
    padding: float,
    model: str,
    min_score: float | None,
    device: str,
    as_json: bool,
) -> None:
    """Detect objects in VIDEO, a file that need not be in an archive.

    Without --label, all classes of a closed set are looked for (RT-DETRv2, the 80 classes of COCO). With it, an
    open vocabulary looks for what the words name (OWLv2); a --model of a closed set must know them.
    """
    from search_app.use_cases.find_objects import (
        ObjectQuestion,
        find_objects,
        object_stage,
        prepare_folder,
        save_crops,
    )

    if any(not label.strip() for label in labels):
        raise click.UsageError("a --label is empty: name a thing")
    stage = object_stage(ObjectQuestion(labels, model, min_score, device))
    if folder is not None:
        prepare_folder(folder)
    crops: list[SavedCrop] = []
    lines: list[dict[str, Any]] = []
    for one in find_objects(video, stage):
        if folder is not None:
            crops += save_crops(video, one, folder, stage.run.model, padding)
        lines += _lines(one)
    _print(video, stage.run.model, lines, crops, as_json=as_json)


def _lines(found: FoundStretch) -> list[dict[str, Any]]:
    span = found.shown.stretch.span
    return [
        {
            "shot": found.ordinal,
            "start_seconds": span.start_seconds,
            "end_seconds": span.end_seconds,
            "label": row.text,
            "count": row.count,
            "score": row.score,
            "box": row.box,
            **(row.payload or {}),
        }
        for row in found.result.rows
    ]


def _print(video: Path, model: str, lines: list[dict[str, Any]], crops: list[SavedCrop], *, as_json: bool) -> None:
    from dataclasses import asdict

    from indexer.commands.console import print_json, print_table
    from store.wording import clock, n_of

    if as_json:
        print_json(
            {"video": str(video), "model": model, "objects": lines, "crops": [asdict(crop) for crop in crops]}
        )
        return
    cells = [
        (
            clock(line["start_seconds"]),
            clock(line["end_seconds"]),
            line["label"],
            str(line["count"]),
            f"{line['score']:.2f}",
        )
        for line in lines
    ]
    print_table(("from", "to", "object", "count", "score"), cells, right=(3, 4))
    if not cells:
        click.echo("nothing found", err=True)
    if crops:
        click.echo(f"{n_of(len(crops), 'crop')} in {Path(crops[0].picture).parent}", err=True)

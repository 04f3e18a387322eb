"""`rushes models`: the encoders of an archive; a new one is built beside the old, compared, and switched to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON, CONFIG, DEVICE
from search_app.errors import QueryError
from store.errors import UnknownIdError
from store.stages import VISUAL

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.models.encoder import Encoder
    from store.archive import Archive
    from store.records import EmbeddingSpace
    from store.snapshot import Snapshot

_N_SHOWN = 10


@click.group()
def models() -> None:
    """List the encoders of an archive, build a new one beside the old, compare both, and switch."""


@models.command("list")
@ARCHIVE
@AS_JSON
def list_models(archive: Path, as_json: bool) -> None:
    """List the encoders of ARCHIVE: which answers, and how many videos each has seen."""
    from indexer.commands.console import print_json, print_table
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        answering = snapshot.space.space_id if snapshot.space else ""
        spaces = sorted(snapshot.spaces().values(), key=lambda one: one[0].space_id != answering)
        found = [(space, *snapshot.space_coverage(space.space_id)) for space, _ in spaces]
    if as_json:
        print_json(
            [
                {
                    "model": space.name,
                    "space": space.space_id,
                    "answers": space.space_id == answering,
                    "videos": n,
                    "of": n_all,
                }
                for space, n, n_all in found
            ]
        )
        return
    rows = [
        (s.name, s.space_id, f"{n:,} of {n_all:,}", "yes" if s.space_id == answering else "")
        for s, n, n_all in found
    ]
    print_table(("model", "space", "videos", "answers"), rows, right=(2,))


@models.command()
@ARCHIVE
@click.argument("name")
@click.option(
    "--model-path", type=click.Path(path_type=Path), help="Load the encoder from a local open_clip folder."
)
@click.option(
    "--incomplete",
    is_flag=True,
    help="Switch even if videos are missing in the new space; they show no shots then.",
)
@DEVICE
@CONFIG
def use(
    archive: Path,
    name: str,
    model_path: Path | None,
    incomplete: bool,
    device: str,
    config_files: tuple[Path, ...],
) -> None:
    """Let encoder NAME answer: index every video with it beside the old one, then switch.

    NAME is what `rushes index --model` takes, or a space that `rushes models list` shows. The old encoder answers
    until every video that is there has been seen by the new one; the switch is one event, and so is the way back.
    Stop it whenever you like: the next run goes on where it stopped.
    """
    from indexer.commands.archive_commands import read_index_settings, run_index
    from store.archive import Archive

    settings = read_index_settings(config_files)
    with Archive.open(archive) as opened:
        if opened.space is None:
            raise QueryError(
                f"{archive} holds no videos yet; fill it with: rushes index ARCHIVE PATH --model {name}"
            )
        known = _known_space(opened.snapshot(), name)
        if (
            known is None
            or opened.snapshot().space_coverage(known.space_id)[0] == 0
            or not _is_complete(opened, known)
        ):
            encoder = _load(known, name, model_path, device)
            known = encoder.space
            opened.add_space(known, str(model_path or name))
            paths = _paths_without(opened, known)
            if paths:
                run_index(opened, paths, encoder, settings)
        n_seen, n_all = opened.snapshot().space_coverage(known.space_id)
        if n_seen < n_all and not incomplete:
            click.echo(
                f"{known.name} has seen {n_seen:,} of {n_all:,} videos, so {opened.space.name} goes on to answer; "
                "run this again when the others can be read, or give --incomplete",
                err=True,
            )
            click.get_current_context().exit(1)
        opened.use_space(known.space_id)
        runs = [row.run for row in opened.snapshot().runs() if row.space_id not in ("", known.space_id)]
    left = sorted({run.stage for run in runs if run.stage != VISUAL})
    if left:
        click.echo(f"found by words alone until they are embedded again: {', '.join(left)}", err=True)
    click.echo(f"{known.name} answers from now on, for {n_seen:,} of {n_all:,} videos")


def _known_space(snapshot: Snapshot, name: str) -> EmbeddingSpace | None:
    """The space of that id, or of the only encoder of that name; None if there is none.

    Raises:
        UnknownIdError: encoders of that name with different weights were used.
    """
    spaces = [space for space, _ in snapshot.spaces().values()]
    found = [space for space in spaces if space.space_id == name] or [one for one in spaces if one.name == name]
    if len(found) > 1:
        ids = ", ".join(space.space_id for space in found)
        raise UnknownIdError(f"more than one space is called {name!r:.80}; name one of {ids}")
    return found[0] if found else None


def _is_complete(archive: Archive, space: EmbeddingSpace) -> bool:
    n_seen, n_all = archive.snapshot().space_coverage(space.space_id)
    return n_seen == n_all


def _load(known: EmbeddingSpace | None, name: str, model_path: Path | None, device: str) -> Encoder:
    from indexer.models.open_clip_encoder import load_encoder, load_encoder_of

    if known is not None:
        return load_encoder_of(known, device=device)
    return load_encoder(None if model_path else name, model_path, device=device)


def _paths_without(archive: Archive, space: EmbeddingSpace) -> list[Path]:
    """Files that are there, of videos that a space has not seen."""
    snapshot = archive.snapshot()
    seen = snapshot.videos_in_space(space.space_id)
    paths = (Path(video.path) for video in snapshot.videos() if video.video_id not in seen)
    return [path for path in paths if path.is_file()]


@models.command()
@ARCHIVE
@click.argument("queries", nargs=-1, required=True)
@click.option("--with", "other", metavar="NAME", help="The other encoder; the only other one if left out.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_N_SHOWN, show_default=True, help="Shots to show.")
@DEVICE
@AS_JSON
def compare(
    archive: Path, queries: tuple[str, ...], other: str | None, limit: int, device: str, as_json: bool
) -> None:
    """Show the rankings of the encoder that answers and of another one side by side, for each of QUERIES.

    QUERIES are plain words. Every shot is compared, so this takes longer than a search.
    """
    from indexer.commands.console import print_json, print_table
    from indexer.models.open_clip_encoder import load_encoder_of
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        pair = _pair(snapshot, other)
        encoders = [load_encoder_of(space, device=device) for space in pair]
        rankings = compare_rankings(snapshot, encoders, queries, limit)
    if as_json:
        print_json(rankings)
        return
    for found in rankings:
        click.echo(f"{found['query']}: {found['n_common']} of {limit} shots in both")
        rows = [
            (str(rank), *(_cell(one) for one in both))
            for rank, both in enumerate(zip(*found["rankings"], strict=True), start=1)
        ]
        print_table(("", pair[0].name, pair[1].name), rows, right=(0,))


def _cell(hit: dict[str, Any] | None) -> str:
    from store.wording import clock

    return "" if hit is None else f"{hit['score']:.3f} {Path(hit['video']).name} {clock(hit['start_seconds'])}"


def _pair(snapshot: Snapshot, other: str | None) -> tuple[EmbeddingSpace, EmbeddingSpace]:
    """The space that answers, and the one to compare it with.

    Raises:
        QueryError: there is none, or it is not clear which.
    """
    if snapshot.space is None:
        raise QueryError("the archive holds no videos yet; fill it with: rushes index ARCHIVE PATH")
    others = [space for space, _ in snapshot.spaces().values() if space.space_id != snapshot.space.space_id]
    if other is not None:
        others = [space for space in others if other in (space.name, space.space_id)]
    if len(others) != 1:
        known = ", ".join(space.name for space, _ in snapshot.spaces().values())
        raise QueryError(f"name one encoder to compare with: --with NAME; the archive has {known}")
    return snapshot.space, others[0]


def compare_rankings(
    snapshot: Snapshot, encoders: Sequence[Encoder], queries: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    """For each question the nearest shots by each encoder, as plain data; None where one has fewer.

    Args:
        snapshot: the archive.
        encoders: each of a space of the archive.
        queries: plain words.
        limit: how many shots.
    """
    paths = {video.video_id: video.path for video in snapshot.videos()}
    compared = []
    for query in queries:
        rankings: list[list[dict[str, Any] | None]] = []
        for encoder in encoders:
            hits = snapshot.search_space(encoder.space, encoder.encode_texts([query])[0], limit)
            told: list[dict[str, Any] | None] = [
                {
                    "video": paths[hit.video_id],
                    "start_seconds": hit.span.start_seconds,
                    "end_seconds": hit.span.end_seconds,
                    "score": round(hit.score, 4),
                }
                for hit in hits
            ]
            rankings.append(told + [None] * (limit - len(told)))
        places = [{(one["video"], one["start_seconds"]) for one in ranking if one} for ranking in rankings]
        depth = max(len(place) for place in places)
        n_common = len(set.intersection(*places))
        compared.append({"query": query, "n_common": n_common, "rankings": [one[:depth] for one in rankings]})
    return compared

"""The commands that fill and look after an archive: index, shots, stages, check, repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.backup import backup, restore
from indexer.commands.enrich import enrich, run_enrich, stage_names
from indexer.commands.ignore import ignore
from indexer.commands.options import ARCHIVE, AS_JSON, CONFIG, DEVICE, read_index_settings
from indexer.commands.roots import roots
from indexer.commands.stages import stages
from indexer.commands.status import status
from store.wording import clock, n_of, printable

_MEANINGFUL_SECONDS = 0.2
"""A speed is told once so much time was measured: before that it is noise, or a division of nothing."""

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.config import IndexSettings
    from indexer.library.presence import Presence
    from indexer.models.encoder import Encoder
    from indexer.pipeline import Progress
    from store.archive import Archive
    from store.records import Outcome, ShotRow


@click.command()
@ARCHIVE
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--model", help="Encoder: starter, demo, ARCHITECTURE/CHECKPOINT of open_clip, or hf-hub:ORG/NAME.")
@click.option("--model-path", type=click.Path(path_type=Path), help="Encoder: a local open_clip folder.")
@click.option("--with", "names", help="Then these stages, by commas: labels,speech,text,captions,...")
@DEVICE
@click.option("--jobs", type=click.IntRange(1, 256), help="Videos decoded at the same time.")
@click.option("--path-column", help="Column of a metadata file that holds the video's path [path].")
@click.option(
    "--again",
    is_flag=True,
    help="Also what an older Rushes indexed, videos that were forgotten, and files that are ignored.",
)
@click.option(
    "--known-bad", is_flag=True, help="Exit 0 if only files failed that failed before, unchanged and likewise."
)
@CONFIG
@AS_JSON
@click.pass_context
def index(
    context: click.Context, /, archive: Path, paths: tuple[Path, ...], as_json: bool, **options: Any
) -> None:
    """Put videos into ARCHIVE, which is made if it does not exist.

    PATHS are folders (searched whole), video files, or metadata files (.txt, .csv, .jsonl) that list videos and
    say more about them. Files already indexed are left alone, moved and renamed files keep everything, changed
    files are indexed again. Stop it whenever you like: the next run goes on where it stopped. Exit status 1 if a
    file failed that is not ignored (see `rushes ignore`).
    """
    settings = _read_settings(options)
    model = (options["model"], options["model_path"], options["device"])
    names = stage_names(options["names"])
    outcomes = _index_new_or_old(archive, paths, settings, model, quiet=as_json, again=options["again"])
    if as_json:
        from indexer.commands.console import print_json

        print_json([_outcome_json(outcome) for outcome in outcomes])
    has_failed = names and _enrich_too(archive, names, settings, options["device"], quiet=as_json)
    if has_failed or any(
        one.status == "failed" and not (one.is_known and options["known_bad"]) for one in outcomes
    ):
        context.exit(1)


def _enrich_too(folder: Path, names: Sequence[str], settings: IndexSettings, device: str, *, quiet: bool) -> bool:
    """Run stages on what is indexed; whether one failed with a video."""
    from store.archive import Archive

    with Archive.open(folder) as opened:
        outcomes = run_enrich(opened, names, settings.stages, device, quiet=quiet)
    return any(outcome.committed.failure for outcome in outcomes)


def _index_new_or_old(
    folder: Path,
    paths: Sequence[Path],
    settings: IndexSettings,
    model: tuple[str | None, Path | None, str],
    *,
    quiet: bool,
    again: bool,
) -> list[Outcome]:
    """Index into an archive; a new one is made once there is a file and an encoder, and goes if it stays empty.

    Raises:
        ScanError: there is nothing to index.
        ModelError: the encoder cannot be loaded.
    """
    from indexer.pipeline import require_files
    from store.archive import Archive
    from store.identity import has_truth, is_archive, refuse_place

    is_new = not is_archive(folder)
    loaded = None
    if is_new:
        has_no_identity = has_truth(folder)
        if not has_no_identity:
            refuse_place(folder.absolute())
        require_files(paths, settings.scan, folder)
        if not has_no_identity:
            loaded = _load_new(*model)
    was_there = folder.exists()
    with Archive.create(folder) as opened:
        try:
            if opened.space is None and not is_new:
                require_files(paths, settings.scan, folder)
            encoder = loaded or encoder_for(opened, *model)
            if loaded:
                opened.claim_space(loaded.space, source=_source_of(loaded, *model[:2]))
            return run_index(opened, paths, encoder, settings, quiet=quiet, again=again)
        finally:
            if is_new and opened.discard_if_empty():
                _tell(f"no video was indexed, so no archive was made in {folder}")
                if not was_there:
                    folder.rmdir()


def _tell(line: str) -> None:
    click.echo(printable(line), err=True)


def _load_new(model: str | None, model_path: Path | None, device: str) -> Encoder:
    from indexer.models.open_clip_encoder import load_encoder, require_model
    from indexer.models.weights import DEFAULT_MODEL

    require_model(model, model_path)  # what is not to be had is said before torch is imported
    _tell(f"loading the encoder {model_path or model or DEFAULT_MODEL} ...")
    return load_encoder(model, model_path, device=device)


def _source_of(encoder: Encoder, model: str | None, model_path: Path | None) -> str:
    return str(model_path or model or encoder.space.name)


def _read_settings(options: dict[str, Any]) -> IndexSettings:
    overrides = {"scan": {"path_column": options["path_column"]}, "pipeline": {"jobs": options["jobs"]}}
    return read_index_settings(options["config_files"], overrides)


def encoder_for(archive: Archive, model: str | None, model_path: Path | None, device: str) -> Encoder:
    """The archive's own encoder, or the one asked for where the archive has none yet.

    The archive's own is loaded with the first picture, so that a run that finds nothing new takes no time.

    Raises:
        SpaceMismatchError: the archive holds vectors of another encoder than the one asked for.
        ModelError: the encoder cannot be loaded.
    """
    from indexer.models.deferred import DeferredEncoder
    from indexer.models.open_clip_encoder import load_encoder_of
    from store.errors import SpaceMismatchError

    def load() -> Encoder:
        assert space is not None  # noqa: S101 - only deferred where there is one
        _tell(f"loading the encoder {space.name} ...")
        return load_encoder_of(space, device=device)

    space = archive.space
    if space is not None and model_path is None:
        if model not in (None, space.name):  # seen by the name: nothing is downloaded to find that out
            raise SpaceMismatchError(
                f"the archive {archive.folder} was indexed with {space.name}, not with {model}; "
                "leave out --model, or use another archive; `rushes models use` builds another encoder beside it"
            )
        return DeferredEncoder(space, load)
    encoder = _load_new(model, model_path, device)
    archive.claim_space(encoder.space, source=_source_of(encoder, model, model_path))
    return encoder


def run_index(
    archive: Archive,
    paths: Sequence[Path],
    encoder: Encoder,
    settings: IndexSettings,
    quiet: bool = False,
    again: bool = False,
) -> list[Outcome]:
    """Index with a progress bar, a line for every file that needs a person's eye, and a summary, on stderr."""
    from indexer.commands.console import progress_bar
    from indexer.pipeline import index_videos

    outcomes: list[Outcome] = []
    with progress_bar() as bar:
        task = bar.add_task("indexing", total=None, detail="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                total=progress.size_bytes,
                completed=progress.done_bytes,
                description=f"{progress.n_done}/{progress.n_files}",
                detail=f"{_speeds(progress)} {printable(Path(progress.path).name)}".strip(),
            )

        for outcome in index_videos(archive, paths, encoder, settings, show, again=again):
            outcomes.append(outcome)
            for line in _remarks(outcome):
                bar.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
    if not quiet:
        click.echo(_summary(outcomes), err=True)
    return outcomes


def _speeds(progress: Progress) -> str:
    """Speeds of decoding and encoding, as far as enough was done to measure them."""
    decode, encode = progress.seconds["decode"], progress.seconds["encode"]
    parts = []
    if decode >= _MEANINGFUL_SECONDS and progress.decoded_seconds:
        parts.append(f"decode {_of_speed(progress.decoded_seconds / decode)}x real time")
    if encode >= _MEANINGFUL_SECONDS and progress.n_frames:
        parts.append(f"encode {_of_speed(progress.n_frames / encode)} pictures/s")
    return ", ".join(parts)


def _of_speed(speed: float) -> str:
    return f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"


def _remarks(outcome: Outcome) -> list[str]:
    if outcome.status in ("failed", "missing", "skipped", "passed over"):
        return [f"{outcome.status}: {outcome.path}: {outcome.reason}"]
    if outcome.warnings:
        return [f"{'partial' if outcome.partial else 'notice'}: {outcome.path}: {'; '.join(outcome.warnings)}"]
    return []


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.status.value for outcome in outcomes if outcome.status != "passed over")
    n_shots = sum(outcome.n_shots for outcome in outcomes)
    n_partial = sum(outcome.partial for outcome in outcomes)
    parts = [f"{count} {status}" for status, count in sorted(counts.items())]
    partial = f" ({n_partial} in part)" if n_partial else ""
    return f"{', '.join(parts)}{partial}; {n_of(n_shots, 'new shot')}"


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "video": outcome.path,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "partial": outcome.partial,
        "warnings": list(outcome.warnings),
        "n_shots": outcome.n_shots,
        "seconds": {stage: round(seconds, 3) for stage, seconds in outcome.seconds.items()},
        **({"endings": dict(outcome.endings)} if outcome.endings else {}),
    }


def shot_json(shot: ShotRow, presence: Presence | None = None) -> dict[str, Any]:
    """A shot as the commands print it.

    Args:
        shot: the shot.
        presence: where its video lies now; None to say only where it was last.
    """
    return {
        "video": presence.path if presence else shot.path,
        "shot_id": shot.shot_id,
        "start_seconds": shot.shot.span.start_seconds,
        "end_seconds": shot.shot.span.end_seconds,
        "boundary": shot.shot.boundary.value,
        **(presence.entries() if presence else {}),
    }


@click.command()
@ARCHIVE
@click.argument("video", required=False)
@AS_JSON
def shots(archive: Path, video: str | None, as_json: bool) -> None:
    """List the shots in ARCHIVE, or those of one VIDEO (a path, or the end of one).

    Times are seconds on the file's own time line, as `ffmpeg -ss` counts them.
    """
    from indexer.commands.console import print_json
    from indexer.library.presence import look_for_shots
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        video_id = snapshot.video(video).video_id if video else None
        rows = snapshot.shots(video_id)
        found = look_for_shots(snapshot, rows)
    presences = [found[row.video_id] for row in rows]
    if as_json:
        print_json([shot_json(row, presence) for row, presence in zip(rows, presences, strict=True)])
        return
    if rows:
        print_shots(rows, presences)
    else:
        click.echo("the archive holds no shots yet; fill it with: rushes index ARCHIVE PATH", err=True)


def print_shots(rows: Sequence[ShotRow], presences: Sequence[Presence]) -> None:
    """Shots as a table for people, with where the file of each lies now."""
    from indexer.commands.console import print_table, with_presence

    cells = [
        (
            row.shot_id,
            clock(row.shot.span.start_seconds),
            clock(row.shot.span.end_seconds),
            row.shot.boundary.value,
            presence.path,
        )
        for row, presence in zip(rows, presences, strict=True)
    ]
    heads, shown = with_presence(("shot", "start", "end", "begins with", "video"), cells, presences)
    print_table(heads, shown, right=(1, 2))


@click.command()
@ARCHIVE
@click.option("--read-data", is_flag=True, help="Read every byte of every file, not only sizes and names.")
@AS_JSON
@click.pass_context
def check(context: click.Context, /, archive: Path, read_data: bool, as_json: bool) -> None:
    """Look for damage in ARCHIVE and change nothing. Exit status 1 if anything is wrong."""
    from dataclasses import asdict

    from indexer.commands.console import print_json
    from store.archive import check_archive

    findings = check_archive(archive, read_data=read_data)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(printable(f"{finding.kind.value}: {finding.path}: {finding.what}; {finding.what_to_do}"))
        click.echo(n_of(len(findings), "problem") if findings else "sound", err=True)
    if findings:
        context.exit(1)


@click.command()
@ARCHIVE
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@DEVICE
@CONFIG
@click.pass_context
def repair(
    context: click.Context, /, archive: Path, dry_run: bool, device: str, config_files: tuple[Path, ...]
) -> None:
    """Mend ARCHIVE: damaged files go to its quarantine folder, never away; videos they held are indexed again."""
    from indexer.config import IndexSettings
    from store.archive import Archive, repair_archive
    from store.config import read_settings

    settings = read_settings(IndexSettings, *config_files)
    for action in repair_archive(archive, dry_run=dry_run):
        click.echo(printable(f"{action.what}: {action.path}: {action.why}"))
    if dry_run:
        return
    with Archive.open(archive) as opened:
        places = opened.snapshot().locations_without_segment()
        lost = [Path(place.path) for place in places if Path(place.path).is_file()]
        if lost:
            encoder = encoder_for(opened, None, None, device)
            outcomes = run_index(opened, lost, encoder, settings)
            if any(outcome.status == "failed" for outcome in outcomes):
                context.exit(1)


COMMANDS = (index, enrich, status, shots, stages, ignore, roots, backup, restore, check, repair)
__all__ = ["ARCHIVE", "AS_JSON", "COMMANDS", "DEVICE", "encoder_for", "run_index", "shot_json"]

"""The commands that fill and look after an archive: index, status, shots, check, repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.config import IndexSettings
    from indexer.models.encoder import Encoder
    from indexer.pipeline import Progress
    from store.archive import Archive
    from store.records import Outcome, ShotRow
    from store.snapshot import Snapshot

ARCHIVE = click.argument("archive", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
DEVICE = click.option(
    "--device", default="auto", show_default=True, help="Where the model runs: auto, cpu, cuda, mps or xpu."
)
CONFIG = click.option(
    "--config",
    "config_files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A TOML file of settings (configs/default.toml lists them all); may be given several times.",
)


@click.command()
@ARCHIVE
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--model", help="Encoder: demo, ARCHITECTURE/CHECKPOINT of open_clip, or hf-hub:ORG/NAME.")
@click.option("--model-path", type=click.Path(path_type=Path), help="Encoder: a local open_clip folder.")
@DEVICE
@click.option("--jobs", type=click.IntRange(1, 256), help="Videos decoded at the same time.")
@click.option("--again", is_flag=True, help="Index again what an older Rushes indexed, though it has not changed.")
@click.option("--path-column", help="Column of a metadata file that holds the video's path [path].")
@CONFIG
@AS_JSON
@click.pass_context
def index(
    context: click.Context, /, archive: Path, paths: tuple[Path, ...], as_json: bool, **options: Any
) -> None:
    """Put videos into ARCHIVE, which is made if it does not exist.

    PATHS are folders (searched whole), video files, or metadata files (.txt, .csv, .jsonl) that list videos and
    say more about them. Files already indexed are left alone, moved and renamed files keep everything, changed
    files are indexed again. Stop it whenever you like: the next run goes on where it stopped.
    """
    from indexer.models.weights import find_model
    from store.archive import Archive

    settings = _read_settings(options)
    model, model_path = options["model"], options["model_path"]
    if not archive.exists():
        find_model(model, model_path)  # a model that is not to be had leaves no empty archive behind
    with Archive.create(archive) as opened:
        encoder = encoder_for(opened, model, model_path, options["device"])
        outcomes = run_index(opened, paths, encoder, settings, quiet=as_json, again=options["again"])
    if as_json:
        from indexer.console import print_json

        print_json([_outcome_json(outcome) for outcome in outcomes])
    if any(outcome.status == "failed" for outcome in outcomes):
        context.exit(1)


def _read_settings(options: dict[str, Any]) -> IndexSettings:
    from indexer.config import IndexSettings
    from store.config import read_settings

    overrides = {"scan": {"path_column": options["path_column"]}, "pipeline": {"jobs": options["jobs"]}}
    return read_settings(IndexSettings, *options["config_files"], overrides=overrides)


def encoder_for(archive: Archive, model: str | None, model_path: Path | None, device: str) -> Encoder:
    """The archive's own encoder, or the one asked for where the archive has none yet.

    The archive's own is loaded with the first picture, so that a run that finds nothing new takes no time.

    Raises:
        SpaceMismatchError: the archive holds vectors of another encoder than the one asked for.
        ModelError: the encoder cannot be loaded.
    """
    from indexer.models.deferred import DeferredEncoder
    from indexer.models.open_clip_encoder import load_encoder, load_encoder_of
    from store.errors import SpaceMismatchError

    space = archive.space
    if space is not None and model_path is None:
        if model not in (None, space.name):  # seen by the name: nothing is downloaded to find that out
            raise SpaceMismatchError(
                f"the archive {archive.folder} was indexed with {space.name}, not with {model}; "
                "leave out --model, or use another archive"
            )
        return DeferredEncoder(space, lambda: load_encoder_of(space, device=device))
    encoder = load_encoder(model, model_path, device=device)
    archive.claim_space(encoder.space, source=str(model_path or model or encoder.space.name))
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
    from indexer.console import printable, progress_bar
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
                detail=f"{_speeds(progress)} {printable(Path(progress.path).name)}",
            )

        for outcome in index_videos(archive, paths, encoder, settings, show, again):
            outcomes.append(outcome)
            for line in _remarks(outcome):
                bar.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
    if not quiet:
        click.echo(_summary(outcomes), err=True)
    return outcomes


def _speeds(progress: Progress) -> str:
    encoded = progress.n_frames / progress.seconds["encode"] if progress.seconds["encode"] else 0.0
    decoded = progress.decoded_seconds / progress.seconds["decode"] if progress.seconds["decode"] else 0.0
    return f"decode {decoded:.0f}x real time, encode {encoded:.0f} pictures/s"


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


@click.command()
@ARCHIVE
@AS_JSON
def status(archive: Path, as_json: bool) -> None:
    """Say what ARCHIVE holds, and which files failed and why."""
    from dataclasses import asdict

    from indexer.console import print_json, printable
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        facts = {
            "archive": str(opened.folder),
            "generation": snapshot.generation,
            "model": snapshot.space.name if snapshot.space else None,
            "space": snapshot.space.space_id if snapshot.space else None,
            **asdict(snapshot.counts()),
            "roots": snapshot.roots(),
        }
        problems = _problems(snapshot)
    if as_json:
        print_json({**facts, "problems": problems})
        return
    for name, value in _readable(facts).items():
        click.echo(f"{name}: {printable(value)}")
    for problem in problems:
        click.echo(printable(f"{problem['status']}: {problem['video']}: {problem['reason']}"))


def _readable(facts: dict[str, Any]) -> dict[str, str]:
    """What an archive holds, for people."""
    roots = [f"{path} ({name})" for name, path in facts["roots"].items()]
    shown = {**facts, "hours": f"{facts['hours']:,.2f}", "roots": ", ".join(roots)}
    shown = {name: "none yet" if value in (None, "") else value for name, value in shown.items()}
    return {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in shown.items()}


def _problems(snapshot: Snapshot) -> list[dict[str, str]]:
    """Every file that a person may want to look at."""
    problems = [("failed", outcome.path, outcome.reason) for outcome in snapshot.failures()]
    for video in snapshot.videos():
        if video.facts.warnings:
            kind = "partial" if video.facts.partial else "notice"
            problems.append((kind, video.path, "; ".join(video.facts.warnings)))
        if not video.present:
            problems.append(("missing", video.path, "the file was gone at the last scan"))
    return [{"status": status, "video": path, "reason": reason} for status, path, reason in problems]


def shot_json(shot: ShotRow) -> dict[str, Any]:
    """A shot as the commands print it."""
    return {
        "video": shot.path,
        "shot_id": shot.shot_id,
        "start_seconds": shot.shot.span.start_seconds,
        "end_seconds": shot.shot.span.end_seconds,
        "boundary": shot.shot.boundary.value,
    }


@click.command()
@ARCHIVE
@click.argument("video", required=False)
@AS_JSON
def shots(archive: Path, video: str | None, as_json: bool) -> None:
    """List the shots in ARCHIVE, or those of one VIDEO (a path, or the end of one).

    Times are seconds on the file's own time line, as `ffmpeg -ss` counts them.
    """
    from indexer.console import print_json
    from store.archive import Archive

    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        video_id = snapshot.video(video).video_id if video else None
        rows = snapshot.shots(video_id)
    if as_json:
        print_json([shot_json(row) for row in rows])
        return
    if rows:
        print_shots(rows)
    else:
        click.echo("the archive holds no shots yet; fill it with: rushes index ARCHIVE PATH", err=True)


def print_shots(rows: Sequence[ShotRow]) -> None:
    """Shots as a table for people."""
    from indexer.console import print_table, timecode

    print_table(
        ("shot", "start", "end", "begins with", "video"),
        [
            (
                row.shot_id,
                timecode(row.shot.span.start_seconds),
                timecode(row.shot.span.end_seconds),
                row.shot.boundary.value,
                row.path,
            )
            for row in rows
        ],
        right=(1, 2),
    )


@click.command()
@ARCHIVE
@click.option("--read-data", is_flag=True, help="Read every byte of every file, not only sizes and names.")
@AS_JSON
@click.pass_context
def check(context: click.Context, /, archive: Path, read_data: bool, as_json: bool) -> None:
    """Look for damage in ARCHIVE and change nothing. Exit status 1 if anything is wrong."""
    from dataclasses import asdict

    from indexer.console import print_json, printable
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
    from indexer.console import printable
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


COMMANDS = (index, status, shots, check, repair)

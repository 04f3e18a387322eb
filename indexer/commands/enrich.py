"""`rushes enrich`: labels, captions, speech, screen text and all other stages, for an archive that has shots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, AS_JSON, CONFIG, DEVICE, read_index_settings
from store.wording import clock, n_of, printable

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from indexer.stages.enrich_video import StageOutcome
    from indexer.stages.makers import EnrichSettings
    from store.archive import Archive


@click.command()
@ARCHIVE
@click.argument("videos", nargs=-1)
@click.option("--only", "--with", "names", help="Stages, by commas: labels,speech,text,captions,objects,...")
@click.option("--model", help="Model of the one stage that --only names.")
@click.option(
    "--missing/--all",
    "only_missing",
    default=False,
    help="Only videos that no model has done; or all that this one has not done [--all].",
)
@click.option("--again", is_flag=True, help="Also what is done: a run of its own, beside the old one.")
@DEVICE
@CONFIG
@AS_JSON
@click.pass_context
def enrich(
    context: click.Context,
    /,
    archive: Path,
    videos: tuple[str, ...],
    names: str | None,
    model: str | None,
    only_missing: bool,
    again: bool,
    device: str,
    config_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Find out more about the shots of ARCHIVE: labels, speech, text on screen, captions, objects, ...

    Without --only: labels, speech, text on screen, cues, silence, summaries and chapters. VIDEOS are paths or
    fingerprints; none means all. What is done is not done again, so it can be stopped at any time; shots with
    which a model failed are tried again. Exit status 1 if something failed.
    """
    from indexer.commands.console import print_json
    from store.archive import Archive

    wanted = stage_names(names)
    if model and len(wanted) != 1:
        raise click.UsageError("--model belongs to one stage: name it with --only")
    from store.stages import stage_named

    overrides = {"stages": {stage_named(wanted[0]).title: {"model": model}}} if model else {}
    settings = read_index_settings(config_files, overrides).stages
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        ids = [snapshot.video(one).video_id for one in videos]
        outcomes = run_enrich(
            opened,
            wanted,
            settings,
            device,
            video_ids=ids,
            only_missing=only_missing,
            again=again,
            quiet=as_json,
        )
    if as_json:
        print_json([_outcome_json(outcome) for outcome in outcomes])
    if any(outcome.committed.failure for outcome in outcomes):
        context.exit(1)


def stage_names(names: str | None) -> tuple[str, ...]:
    """The stages that a person names, separated by commas, as the store names them.

    Raises:
        UnknownIdError: there is no such stage.
    """
    from store.stages import stage_named

    typed = [name.strip() for name in (names or "").split(",")]
    return tuple(dict.fromkeys(stage_named(name).name for name in typed if name))


def run_enrich(
    archive: Archive,
    names: Sequence[str],
    settings: EnrichSettings,
    device: str,
    *,
    video_ids: Sequence[str] = (),
    only_missing: bool = False,
    again: bool = False,
    quiet: bool = False,
) -> list[StageOutcome]:
    """Enrich with a progress bar for each stage, a line for every failure, and a summary, on stderr.

    Args:
        archive: an open archive.
        names: of stages; none for those by default, of which those are left out whose models are not here.
        settings: of all stages.
        device: as `rushes --device` takes it.
        video_ids: fingerprints; none for all videos.
        only_missing: leave videos alone that any run of the stage has done.
        again: also what is done, as a run of its own.
        quiet: no summary.

    Raises:
        ModelError: the model of a stage that was named is not to be had.
    """
    from indexer.commands.console import progress_bar
    from indexer.stages.enrich import EnrichProgress, enrich_videos
    from indexer.stages.makers import make_stages
    from indexer.stages.text_space import choose_text_encoder

    stages, left_out = make_stages(archive, names, settings, device)
    for name, reason in left_out.items():
        click.echo(printable(f"{name}: left out: {reason}"), err=True)
    outcomes: list[StageOutcome] = []
    with progress_bar() as bar:
        tasks = {stage.run.stage: bar.add_task(stage.run.stage, total=None, detail="") for stage in stages}

        def show(progress: EnrichProgress) -> None:
            left = progress.seconds_left
            told = "" if left is None else f"{clock(left)} left "
            bar.update(
                tasks[progress.stage],
                total=progress.media_seconds,
                completed=progress.done_seconds,
                description=f"{progress.stage} {progress.n_done}/{progress.n_videos}",
                detail=f"{told}{printable(Path(progress.path).name)}",
            )

        encoder = choose_text_encoder(archive, device=device)
        for outcome in enrich_videos(
            archive,
            stages,
            show,
            video_ids=video_ids,
            encoder=encoder,
            only_missing=only_missing,
            again=again,
        ):
            outcomes.append(outcome)
            if outcome.committed.failure:
                line = printable(f"failed: {outcome.stage}: {outcome.path}: {outcome.committed.failure}")
                bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not quiet:
        for line in _summary([stage.run.stage for stage in stages], outcomes):
            click.echo(line, err=True)
    return outcomes


def _summary(names: Sequence[str], outcomes: Sequence[StageOutcome]) -> list[str]:
    """One line for each stage."""
    lines = []
    for name in names:
        own = [outcome for outcome in outcomes if outcome.stage == name]
        n_failed = sum(bool(outcome.committed.failure) for outcome in own)
        counts: Counter[str] = Counter()
        for outcome in own:
            counts.update({state.value: n for state, n in outcome.committed.counts.items()})
        n_rows = sum(outcome.committed.n_rows for outcome in own)
        seconds = sum(outcome.seconds for outcome in own)
        told = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
        failed = f", {n_failed} failed" if n_failed else ""
        done = f"{n_of(len(own), 'video')}{failed}, {n_of(n_rows, 'row')} in {clock(seconds)}"
        lines.append(f"{name}: {done}{f' (shots: {told})' if told else ''}" if own else f"{name}: nothing to do")
    return lines


def _outcome_json(outcome: StageOutcome) -> dict[str, Any]:
    return {
        "stage": outcome.stage,
        "video": outcome.path,
        "failure": outcome.committed.failure,
        "n_rows": outcome.committed.n_rows,
        "shots": {state.value: n for state, n in outcome.committed.counts.items()},
        "seconds": round(outcome.seconds, 3),
    }

"""The command that labels videos by prompts: label."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.commands.options import AS_JSON, DEVICE

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from collections.abc import Sequence

    from search_app.use_cases.label_videos import LabelledVideo, LabelOptions

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.argument("videos", nargs=-1)
@click.option("--prompts", help="Labels, parted by commas.")
@click.option("--prompts-file", type=_FILE, help="Labels, one a line [those of configs/labels.txt].")
@click.option("--interval", default="5s", show_default=True, help="Length of an interval: 5s, 1m, 0.5s.")
@click.option("--several", is_flag=True, help="A frame may have several labels, or none.")
@click.option("--no-store", is_flag=True, help="Only print; the archive stays as it is.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the intervals as CSV on stdout.")
@click.option("--model", help="Encoder for a video that is in no archive, as for rushes index.")
@click.option("--model-path", type=click.Path(path_type=Path), help="Encoder: a local open_clip folder.")
@DEVICE
@AS_JSON
def label(
    target: Path,
    videos: tuple[str, ...],
    prompts: str | None,
    prompts_file: Path | None,
    interval: str,
    several: bool,
    no_store: bool,
    as_csv: bool,
    model: str | None,
    model_path: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Say what each interval shows, and what share of each video, in your own words.

    TARGET is an archive, of which all videos are labelled or only VIDEOS (paths, ends of paths, or ids), or a
    video file that is in none. In an archive no video file is touched: labels are compared with the vectors that
    are there, and those of the intervals become the labels that searches ask. What fits none of them is `something
    else`. Times are seconds on the file's own time line.
    """
    from search_app.use_cases.label_videos import label_archive, label_csv, label_file, label_json
    from store.archive import Archive
    from store.identity import is_archive

    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    options = _read_options(prompts, prompts_file, interval, several=several, stores=not no_store)
    if is_archive(target):
        if model or model_path:
            raise click.UsageError("--model is for a video that is in no archive; an archive has its own encoder")
        with Archive.open(target) as opened:
            found = list(label_archive(opened, options, videos=videos, device=device))
    elif no_store:
        raise click.UsageError("--no-store is for an archive; of a video that is in none nothing is stored")
    elif target.is_dir() or videos:
        raise click.UsageError(f"{target} is no archive; name an archive, or one video file")
    else:
        found = [label_file(target, options, model=model, model_path=model_path, device=device)]
    if as_json:
        from indexer.commands.console import print_json

        print_json([label_json(one) for one in found])
    elif as_csv:
        click.echo(label_csv(found), nl=False)
    else:
        _print_tables(found)


def _read_options(
    prompts: str | None, prompts_file: Path | None, interval: str, *, several: bool, stores: bool
) -> LabelOptions:
    from indexer.models.zero_shot import clean_prompts, everyday_labels, read_prompts
    from search_app.query.values import parse_seconds
    from search_app.use_cases.label_videos import LabelOptions

    if prompts is not None and prompts_file is not None:
        raise click.UsageError("--prompts or --prompts-file, not both")
    if prompts is not None:
        labels = clean_prompts(prompts.split(","))
    else:
        labels = read_prompts(prompts_file) if prompts_file else everyday_labels()
    length = Fraction(round(1000 * parse_seconds(interval, 0)), 1000)
    return LabelOptions(labels, length, several, stores)


def _print_tables(found: Sequence[LabelledVideo]) -> None:
    from indexer.commands.console import print_table, say
    from search_app.use_cases.label_videos import total_shares
    from store.wording import clock

    for video in found:
        say(video.path)
        cells = [
            (
                clock(one.span.start_seconds),
                clock(one.span.end_seconds),
                one.label or "",
                f"{one.score:.2f}" if one.score else "",
                f"{float(one.seconds[0][1] / one.span.duration):.0%}" if one.seconds else "",
            )
            for one in video.intervals
        ]
        print_table(("from", "to", "label", "score", "of interval"), cells, right=(0, 1, 3, 4))
        print_table(("label", "share of video"), [(word, f"{float(s):.1%}") for word, s in video.shares], (1,))
        say("")
    if len(found) > 1:
        say(f"all {len(found):,} videos")
        rows = [(word, f"{share:.1%}") for word, share in total_shares(found)]
        print_table(("label", "share of time"), rows, right=(1,))

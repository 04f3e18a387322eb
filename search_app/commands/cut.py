"""`rushes cut`: named cut lists that are kept, changed, undone, rendered and exported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.commands.options import ARCHIVE, DEVICE
from search_app.commands.clip_source import ANSWER_OPTIONS, INCLUDE_MISSING, add_choice_options, ask, gone_videos
from search_app.commands.cut_output import OUTPUT_COMMANDS
from search_app.commands.cut_values import parse_edge
from search_app.commands.edit_cut import AGAIN, EDIT_COMMANDS, NAME
from search_app.commands.relink_cut import relink
from search_app.commands.search import given_options
from search_app.cutting.cut_options import flag_of
from search_app.errors import QueryError
from store.wording import n_of

if TYPE_CHECKING:  # nothing heavy is imported before a command runs: `--help` answers at once
    from search_app.cutting.stored_cut import CutClip, StoredCut
    from store.archive import Archive
    from store.timespan import TimeSpan

_SHOTS = click.option(
    "--shot", multiple=True, metavar="SHOT", help="This shot; may be repeated, and mixed with --range, in order."
)
_TYPED = f"{__name__}.typed"
_RANGES = click.option(
    "--range",
    "ranges",
    nargs=3,
    multiple=True,
    metavar="VIDEO IN OUT",
    help="This stretch of a video, such as beach.mp4 1:02 1:08.5 or 1550f 1600f; may be repeated.",
)


class _InTypedOrder(click.Command):
    """Remembers in which order options were typed: click itself only keeps it among those of one name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual, after noting the order."""
        _, _, typed = self.make_parser(ctx).parse_args(args=[*args])
        ctx.meta[_TYPED] = [param.name for param in typed]
        return super().parse_args(ctx, args)


@click.group()
def cut() -> None:
    """Keep cut lists in the archive: choose, order, trim, undo, render.

    Every change is a version; `undo` and `redo` go back and forth, and nothing is ever overwritten. Clips are
    named by their places: 3, 3-5, 1,4,7-9, first, last or all. A name that begins with a dash goes behind --.
    """


@cut.command(cls=_InTypedOrder)
@ARCHIVE
@NAME
@click.argument("query", required=False)
@add_choice_options
@INCLUDE_MISSING
@_SHOTS
@_RANGES
@DEVICE
def new(archive: Path, name: str, query: str | None, **options: Any) -> None:
    """Begin the cut list NAME with the best shots for QUERY, or with named ones.

    It keeps the question: when new footage answers it, `show` says how many candidates there are.
    """
    from search_app.commands.cut_view import say_change
    from search_app.cutting.stored_cut import BRANCH, PICKS, commit, look_for_cut
    from store.archive import Archive

    with Archive.open(archive) as opened:
        before = look_for_cut(opened.snapshot(), name)
        if not name.strip() or BRANCH in name:
            raise QueryError(f"a cut list cannot be called {name!r}: give it a name without {BRANCH}")
        if name == PICKS:
            raise QueryError(f"{PICKS!r} is what is ticked on the page of `rushes ui`: take another name")
        if before.version and not before.settings.get("is_deleted"):
            raise QueryError(f"there is a cut list {name!r} already; add to it, or take another name")
        found = _found(opened, query, options, is_new=True)
        action = f"new, {found.what}"
        after = commit(opened, before, found.clips, action, settings=found.settings, seen=found.seen)
        say_change(opened.snapshot(), after, action, found.left_out)


@cut.command(cls=_InTypedOrder)
@ARCHIVE
@NAME
@click.argument("query", required=False)
@add_choice_options
@INCLUDE_MISSING
@_SHOTS
@_RANGES
@click.option("--candidates", is_flag=True, help="All that `candidates` lists.")
@click.option("--at", type=click.IntRange(1), metavar="PLACE", help="Put them here.  [default: at the end]")
@AGAIN
@DEVICE
def add(
    archive: Path, name: str, query: str | None, at: int | None, again: bool, candidates: bool, **options: Any
) -> None:
    """Add the best shots for QUERY, named shots, stretches of a video, or candidates; no other clip is touched."""
    from search_app.commands.cut_view import say_change
    from search_app.cutting.cut_edits import add_clips
    from search_app.cutting.stored_cut import commit, read_cut
    from store.archive import Archive

    with Archive.open(archive) as opened:
        before = read_cut(opened.snapshot(), name)
        found = _candidates(opened, before, query, options) if candidates else _found(opened, query, options)
        edited = add_clips(before.clips, found.clips, at, again=again)
        action = f"added {found.what}"
        left_out = (*found.left_out, *edited.left_out)
        if edited.clips == before.clips:
            first = f": {left_out[0][1]}" if left_out else ""
            raise QueryError(f"there is nothing to add{first}")
        settings = {**before.settings, **(found.settings if candidates else {})}
        after = commit(opened, before, edited.clips, action, settings=settings, seen=found.seen)
        say_change(opened.snapshot(), after, action, left_out)


class _Found:
    """What is put into a cut list.

    Args:
        what: it in words.
        clips: the clips.
        settings: what the cut list keeps of the question.
    """

    def __init__(self, what: str, clips: Sequence[CutClip], settings: dict[str, Any] | None = None) -> None:
        self.what = what
        self.clips = tuple(clips)
        self.settings = settings or {}
        self.seen: list[tuple[str, TimeSpan]] = []
        self.left_out: tuple[tuple[CutClip, str], ...] = ()


def _found(archive: Archive, query: str | None, options: dict[str, Any], *, is_new: bool = False) -> _Found:
    shots, ranges = options.pop("shot"), options.pop("ranges")
    of_kind = {"shot": iter(_named_shots(archive, shots)), "ranges": iter(_named_ranges(archive, ranges))}
    typed = click.get_current_context().meta[_TYPED]
    named = [next(of_kind[kind]) for kind in typed if kind in of_kind]
    is_asked = query is not None or options["like"] is not None or options["saved"] is not None
    if named and is_asked:
        raise QueryError("give a QUERY, or name shots and ranges, not both at once")
    if not is_asked:
        _refuse_choosing("only with a QUERY")
        if not named and not is_new:
            raise QueryError("what? give a QUERY, --shot, --range or --candidates")
        return _Found(f"{len(named)} named" if named else "empty", named, {"looked_at": _state_of(archive)})
    return _answered(archive, query, options)


def _refuse_choosing(why: str, *allowed: str) -> None:
    """Refuse options that choose among answers, where nothing is asked."""
    if idle := sorted((given_options() & (ANSWER_OPTIONS | {"include_missing"})) - {"query", *allowed}):
        raise QueryError(f"{', '.join(map(flag_of, idle))}: {why}")


def _answered(archive: Archive, query: str | None, options: dict[str, Any]) -> _Found:
    from search_app.conforming.target_profile import film_rate
    from search_app.cutting.choice import choose_clips
    from search_app.cutting.cut_film import LOOKED_AT, clip_of_shot, clips_beside_handles, find_candidates
    from search_app.cutting.cut_options import exact_seconds

    include_missing = options.pop("include_missing")
    asked = ask(archive, query, options, at_least=LOOKED_AT)
    question, result, wanted = asked.question, asked.result, asked.wanted
    gone = gone_videos(archive, result.hits, include_missing=include_missing)
    chosen = choose_clips(archive.snapshot(), result.hits, wanted, asked.used, film_rate, gone)
    # Handles are kept beside the clips, so that a clip can be trimmed without losing them.
    clips, without_room = clips_beside_handles(chosen, question, exact_seconds(wanted.handles))
    settings = {
        "query": question,
        "looked_at": _state_of(archive),
        "options": {**wanted.provenance(), "ranking": asked.ranking},
    }
    found = _Found(f"{len(clips)} for {question!r}", clips, settings)
    looked_at = [*result.hits[: wanted.n_shots], *find_candidates(result.hits, ())]
    found.seen = [(part.shot.video_id, part.span) for hit in looked_at for part in hit.parts]
    found.seen += [(copy.video_id, copy.shot.span) for hit in looked_at for copy in hit.stack]
    left_out = (*chosen.left_out, *without_room)
    found.left_out = tuple((clip_of_shot(left.hit.shot, left.hit.time), left.reason) for left in left_out)
    return found


def _candidates(archive: Archive, before: StoredCut, query: str | None, options: dict[str, Any]) -> _Found:
    from dataclasses import replace as changed

    from search_app.commands.cut_output import look_for_news
    from search_app.cutting.cut_film import clip_of_shot

    if query is not None or options["shot"] or options["ranges"]:
        raise QueryError(
            "--candidates adds what `rushes cut candidates` lists; leave out QUERY, --shot and --range"
        )
    _refuse_choosing("not together with --candidates, which adds all of them", "device", "include_missing")
    hits = look_for_news(archive, before, options["device"])
    gone = gone_videos(archive, hits, include_missing=options["include_missing"])
    parts = [part for hit in hits for part in hit.parts]
    clips = [
        changed(
            clip_of_shot(part.shot, part.time, part.span),
            question=before.query,
            rank=part.rank,
            score=part.score,
            confidence=part.confidence,
        )
        for part in parts
        if part.shot.video_id not in gone
    ]
    found = _Found(n_of(len(clips), "candidate"), clips, {"looked_at": _state_of(archive)})
    found.left_out = tuple(
        (clip_of_shot(part.shot, part.time), gone[part.shot.video_id])
        for part in parts
        if part.shot.video_id in gone
    )
    return found


def _state_of(archive: Archive) -> str:
    """Changes whenever footage came, went or was indexed again: only then can there be new candidates."""
    return archive.snapshot().manifest.segments_digest


def _named_shots(archive: Archive, shot_ids: Sequence[str]) -> list[CutClip]:
    from search_app.cutting.cut_film import clip_of_shot

    snapshot = archive.snapshot()
    shots = [snapshot.shot(shot_id) for shot_id in shot_ids]
    return [clip_of_shot(shot, (shot.shot.span.start + shot.shot.span.end) / 2) for shot in shots]


def _named_ranges(archive: Archive, ranges: Sequence[tuple[str, str, str]]) -> list[CutClip]:
    from search_app.cutting.cut_edits import count_frames, trim_clip
    from search_app.cutting.stored_cut import CutClip

    clips = []
    for video, start, end in ranges:
        row = archive.snapshot().video(video)
        whole = CutClip(row.video_id, row.facts.span, row.facts.span.start, row.path)
        first = parse_edge(start, row.facts, 0)
        last = parse_edge(end, row.facts, count_frames(row.facts))
        clips.append(trim_clip(whole, row.facts, first, last))
    return clips


for _command in (*EDIT_COMMANDS, relink, *OUTPUT_COMMANDS):
    cut.add_command(_command)

"""Pictures of a clip copied instead of encoded anew, exact to the frame: the fast mode.

A run of packets that stands for itself is copied (`packets` says which). Before the run and after it lie frames
that are encoded as in exact mode; often there are none, since a shot mostly begins where its encoder began a group
of pictures. Encoded and copied pictures have different parameter sets. Each group of pictures carries its own, so
that a decoder always has the right ones, whatever the header of the file says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from indexer.errors import FfmpegError
from indexer.media.ffmpeg import open_own, open_source, save
from search_app.conforming.clip_job import ClipJob
from search_app.conforming.coding import CLIP_SUFFIX, REORDER_FRAMES, concat_list, decoding_clock
from search_app.conforming.colours import matrix_of
from search_app.conforming.conform import (
    Conformed,
    conform_picture,
    plan_frames,
)
from search_app.conforming.overlays_and_fades import PLAIN
from search_app.conforming.packets import (
    UNTAGGED,
    CopyPlan,
    StoredPicture,
    UncopyableError,
    plan_copy,
    seek_options,
)
from search_app.conforming.source_frames import picture_stream, tick_seconds
from search_app.conforming.stream_format import differences, named_colours
from search_app.conforming.target_profile import Profile
from store.timespan import TimeSpan

_MATRICES = frozenset({"bt709", "smpte170m", "bt470bg"})
_ITU_NAMES = ("colour_primaries", "transfer_characteristics", "matrix_coefficients")
_ITU_NUMBERS = {"bt709": 1, "smpte170m": 6}
"""Colours as ITU-T H.273 counts them: the same number for primaries, transfer and matrix."""


def copy_picture(job: ClipJob) -> Conformed:
    """Write the pictures of a clip, without sound, into the job's target: copied as far as possible, else encoded.

    The note of what comes back says why a clip was encoded whole.

    Raises:
        FfmpegError: it failed, was cancelled, or the source has no frame in the clip.
    """
    work = _Work(job)
    try:
        if replace(job.dress, n_threads=None) != PLAIN:
            raise UncopyableError("something lies over its pictures, or they blend with the next")
        return work.copy()
    except (UncopyableError, FfmpegError) as reason:
        if job.cancel and job.cancel.is_set():
            raise
        made = conform_picture(job)
        return replace(made, note="; ".join(filter(None, [f"re-encoded: {reason}", made.note])))
    finally:
        for piece, _ in work.pieces:
            piece.unlink(missing_ok=True)


@dataclass
class _Work:
    """One clip on its way; `pieces` are its parts so far and their lengths, `stored` is that of `Conformed`."""

    job: ClipJob
    pieces: list[tuple[Path, int]] = field(default_factory=list)
    stored: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> Conformed:
        """Copy what can be copied, encode the rest, and join them."""
        job, look = self.job, self.job.look
        scratch = job.target.with_suffix(".h264")
        plan = plan_copy(job.program, job.clip, job.source, scratch, REORDER_FRAMES, job.cancel)
        colors = self._check_shape(plan.picture)
        self.stored = differences(replace(look, **named_colours([plan.picture], look)), look)
        whole = plan_frames(plan.ticks, job.clip, job.profile)
        if not whole.is_steady:
            raise UncopyableError(f"its frames do not come at {float(job.profile.frame_rate):.5g} a second")
        if plan.n_copied == len(plan.ticks):
            self._copy_packets(plan, colors, job.target)
        else:
            self._copy_with_edges(plan, colors)
        return replace(whole, n_copied_frames=plan.n_copied, stored=self.stored)

    def _copy_with_edges(self, plan: CopyPlan, colors: str) -> None:
        like_source = replace(self.job.profile, matrix=colors)
        span, facts = self.job.clip.span, self.job.clip.facts
        if plan.n_before:
            before = TimeSpan(span.start, tick_seconds(plan.first_tick, facts))
            self._encode_edge(before, like_source, "before", plan.n_before)
        copied = self._piece("copied")
        self.pieces.append((copied, plan.n_copied))
        self._copy_packets(plan, colors, copied)
        if plan.end_tick is not None:
            after = TimeSpan(tick_seconds(plan.end_tick, facts), span.end)
            self._encode_edge(after, like_source, "after", len(plan.ticks) - plan.n_before - plan.n_copied)
        self._join_pieces()

    def _encode_edge(self, span: TimeSpan, profile: Profile, name: str, n_frames: int) -> None:
        """Encode a stretch as in exact mode, as the next piece."""
        piece = self._piece(name)
        self.pieces.append((piece, n_frames))
        clip = replace(self.job.clip, span=span)
        edge = replace(self.job, clip=clip, profile=profile, target=piece, dress=PLAIN, on_frame_count=None)
        made = conform_picture(edge)
        if made.n_frames != n_frames:
            raise UncopyableError("decoding it gives other frames than its packets promise")
        if made.stored != self.stored:
            raise UncopyableError("some of its pictures are stored otherwise than those that are copied")

    def _piece(self, name: str) -> Path:
        return self.job.target.with_name(f"{self.job.target.stem}-{name}{CLIP_SUFFIX}")

    def _check_shape(self, picture: StoredPicture) -> str:
        """Refuse pictures of another shape than the film's; gives the matrix of their colours."""
        facts, size = self.job.clip.facts, (self.job.profile.width_px, self.job.profile.height_px)
        if picture.fields != "P" or self.job.look.interlaced:
            raise UncopyableError("it is interlaced")
        if picture.pixel_format != "yuv420p" or picture.color_range == "pc":
            raise UncopyableError(f"its pixels are {picture.pixel_format}, range {picture.color_range}")
        if not picture.size == size == (facts.width_px, facts.height_px):
            stored, shown = ("x".join(map(str, pair)) for pair in (picture.size, size))
            raise UncopyableError(f"its pictures are {stored} pixels, the film's {shown}")
        matrix = matrix_of(facts, picture.matrix)
        if matrix not in _MATRICES or not {picture.primaries, picture.transfer} <= {*_MATRICES, UNTAGGED}:
            raise UncopyableError(f"its colours are {picture.matrix}, {picture.primaries}, {picture.transfer}")
        return matrix

    def _copy_packets(self, plan: CopyPlan, colors: str, target: Path) -> None:
        job, frame_rate = self.job, self.job.profile.frame_rate
        beat = 1 / frame_rate / job.clip.facts.time_base  # ticks in a frame
        filters = ["h264_mp4toannexb", rf"noise=drop=lt(n\,{plan.first})+gte(n\,{plan.end})"]
        told = ["sample_aspect_ratio=1/1", "video_full_range_flag=0"]
        if plan.picture.matrix == UNTAGGED:
            told += [f"{name}={_ITU_NUMBERS[colors]}" for name in _ITU_NAMES]
        filters.append("h264_metadata=" + ":".join(told))
        filters.append(
            f"setts=time_base={_ratio(1 / frame_rate)}:pts=PTS-({plan.first_tick})"
            f":dts=round((N-{REORDER_FRAMES})*{_ratio(beat)}):duration=round({_ratio(beat)})"
        )
        opened = open_source(job.source, **seek_options(job.clip, plan.preroll))
        pictures = opened[picture_stream(job.clip.facts)]
        output = save([pictures], target, **{"c": "copy", "bsf:v": ",".join(filters), "format": "mov"})
        job.program.run(output, cancel=job.cancel)

    def _join_pieces(self) -> None:
        """Join the pieces into the target, on one clock of decoding."""
        job = self.job
        listing = job.target.with_suffix(".ffconcat")
        listing.write_text(concat_list([(piece.name, n_frames) for piece, n_frames in self.pieces], job.profile))
        pictures = open_own(listing, format="concat", safe=1)["v:0"]
        try:
            how = {"c": "copy", "bsf:v": decoding_clock(job.profile), "format": "mov"}
            job.program.run(save([pictures], job.target, **how), cancel=job.cancel)
        finally:
            listing.unlink()


def _ratio(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"

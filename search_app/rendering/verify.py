"""Proof that a rendered supercut shows what its cut list says.

The ffmpeg program cuts; PyAV proves, in a limited child, with the track, clock, crop and orientation by which the
index saw each source. Every frame of an encoded clip is compared with the frame of the source that must be there:
none may be missing, shown twice, mirrored or stretched. Clips that were copied whole are compared bit for bit
instead, which needs no decoding.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from indexer.errors import FfmpegError, MediaError
from indexer.media.frames_at import FilmLook, FilmPart, Shown, Stretch, read_film, read_stretches
from search_app.conforming.conform import Conformed, plan_frames
from search_app.conforming.copy_proof import prove_copied
from search_app.conforming.source_frames import LAYER_DECODERS, FrameLog, tick_span
from search_app.conforming.still_pictures import MAX_SECONDS, longest_standstill
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip
from search_app.frame_rates import mean_rate
from search_app.rendering.film_window import FilmWindow, film_window
from search_app.rendering.similarity import EdgeCheck, Judge, Luma, Pair

INDEXED_CONTAINERS = frozenset({"mov", "matroska"})
"""Containers in which a seek comes in time; in others what looks wrong is read once more from the beginning."""

MAX_STRETCH = 0.01
"""Pictures whose shape differs by more than this from the one in the index are of another shape."""


_PLANNED = ("n_frames", "n_source_frames", "first_tick", "last_tick", "zero_tick", "is_steady")
"""Properties that must be planned alike by what either decoder sees of a source."""


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """Finding of verification about one clip.

    Args:
        first: its first frame.
        last: its last frame.
        reason: what is wrong, empty if nothing is.
    """

    first: EdgeCheck
    last: EdgeCheck
    reason: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether it has the right frames, and all of them show what they must."""
        return self.first.is_exact and self.last.is_exact and not self.reason


@dataclass(frozen=True, slots=True)
class FilmCheck:
    """Finding of verification about a film.

    Args:
        clips: about each clip, in order.
        n_frames: how many frames the film has.
        reason: what is wrong with the whole, empty if nothing is.
    """

    clips: tuple[ClipCheck, ...]
    n_frames: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A conformed clip at its place in the supercut.

    Args:
        clip: the clip.
        source: the file it was cut from.
        look: how its own pictures are stored.
        conformed: what was made of it.
        first_frame: number of its first frame in the supercut.
        covered: what lies over its pictures, each as left, top, width and height in pixels of the profile.
    """

    clip: Clip
    source: Path
    look: FrameLog
    conformed: Conformed
    first_frame: int
    covered: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def last_frame(self) -> int:
        """Number of its last frame in the supercut."""
        return self.first_frame + self.conformed.n_frames - 1

    @property
    def first_clear(self) -> int:
        """Number of the first frame in the supercut that shows nothing but it."""
        return self.first_frame + self.conformed.n_blended_first

    @property
    def last_clear(self) -> int:
        """Number of the last such frame."""
        return self.last_frame - self.conformed.n_blended_last


def verify_supercut(
    rendered: Path,
    placed: Sequence[Placed],
    profile: Profile,
    *,
    cancel: threading.Event | None = None,
    on_clip: Callable[[int], None] | None = None,
) -> FilmCheck:
    """Compare all clips of a rendered file with their sources, where nothing else is shown.

    Args:
        rendered: the supercut.
        placed: its clips, in order.
        profile: its profile.
        cancel: stops it when set.
        on_clip: told how many clips were compared so far.

    Raises:
        FfmpegError: the rendered file does not decode, or it was cancelled.
    """
    checks: dict[int, ClipCheck] = {}
    comparison = _Comparison(rendered, profile, cancel)
    try:
        copied = [place for place in placed if place.conformed.n_copied_frames == place.conformed.n_frames]
        proof = prove_copied(
            rendered, [(one.first_frame, one.clip, one.source, one.conformed) for one in copied], profile, cancel
        )
        for first_frame in proof.proven:
            checks[first_frame] = _SAME
        rest = [place for place in placed if place.first_frame not in checks]

        def tell(place: Placed, check: ClipCheck) -> None:
            checks[place.first_frame] = check
            if on_clip:
                on_clip(len(checks))

        look = comparison.compare(rest, proof.look, tell)
        doubtful = [place for place in rest if not checks[place.first_frame].is_exact and _may_have_sought(place)]
        if doubtful:
            comparison.compare(doubtful, look, tell, may_seek=False)
    except FfmpegError:
        raise
    except MediaError as error:
        raise FfmpegError(str(error)) from error
    return FilmCheck(
        tuple(checks[place.first_frame] for place in placed), look.n_frames, _film_fault(look, profile)
    )


_SAME = ClipCheck(EdgeCheck(is_exact=True, distance=0.0), EdgeCheck(is_exact=True, distance=0.0))


def _may_have_sought(place: Placed) -> bool:
    facts = place.clip.facts
    return facts.container not in INDEXED_CONTAINERS and not facts.clock_jumps and place.clip.span.start > 0


def _film_fault(look: FilmLook, profile: Profile) -> str:
    if set(look.sizes) != {(profile.width_px, profile.height_px)}:
        sizes = ", ".join(f"{width}x{height}" for width, height in look.sizes)
        return f"the film's pictures are {sizes} instead of {profile.width_px}x{profile.height_px}"
    if not look.is_as_stored:
        return "players turn, crop or stretch the film's pictures"
    return ""


@dataclass
class _Comparison:
    """Compares frames of a film with those of its sources."""

    rendered: Path
    profile: Profile
    cancel: threading.Event | None

    def compare(
        self,
        placed: Sequence[Placed],
        known: FilmLook | None,
        tell: Callable[[Placed, ClipCheck], None],
        *,
        may_seek: bool = True,
    ) -> FilmLook:
        """Compare some clips, in order.

        Args:
            placed: the clips.
            known: what the film is, if that is known: then no more than the clips is read.
            tell: told of each clip what was found out.
            may_seek: whether sources are read from the middle.

        Returns:
            What the film is.
        """
        if not placed and known:
            return known
        windows = [film_window(one.clip.facts, self.profile, one.conformed.focus) for one in placed]
        parts = [
            FilmPart(one.first_clear, one.last_clear + 1, window.edges_px, *window.size)
            for one, window in zip(placed, windows, strict=True)
        ]
        is_sparse = known is not None and 2 * sum(one.conformed.n_frames for one in placed) < known.n_frames
        stretches = [_stretch(one, window, may_seek) for one, window in zip(placed, windows, strict=True)]
        with (
            closing(
                read_film(str(self.rendered), parts, self.profile.frame_rate if is_sparse else None)
            ) as frames,
            closing(read_stretches(stretches)) as shown,
        ):
            film = _FilmFrames(frames)
            for number, items in groupby(shown, key=itemgetter(0)):
                place, window = placed[number], windows[number]
                tell(place, self._check(place, window, (item for _, item in items), film))
            return known or film.look()

    def _check(
        self, place: Placed, window: FilmWindow, items: Iterable[Shown | MediaError | None], film: _FilmFrames
    ) -> ClipCheck:
        made, facts = place.conformed, place.clip.facts
        judge = Judge(place.last_clear - place.first_clear + 1, window.open_part(place.covered))
        seen = _Seen(place, window, self.profile)
        faults: list[str] = []
        for item in items:
            if self.cancel and self.cancel.is_set():
                raise FfmpegError("cancelled")
            if isinstance(item, MediaError):
                faults.append(f"cannot compare: {item}")
            elif item:
                for pair in seen.pairs(item, film):
                    judge.add(pair)
        for pair in seen.pairs(None, film):
            judge.add(pair)
        faults += judge.close()
        if seen.inside:
            planned = plan_frames(seen.inside, place.clip, self.profile)
            if any(getattr(planned, name) != getattr(made, name) for name in _PLANNED):
                faults.append(
                    f"it shows {made.n_source_frames} frames of its source in {made.n_frames}, another decoder "
                    f"finds {planned.n_source_frames} for {planned.n_frames}"
                )
            begin, seconds = longest_standstill(seen.inside, place.clip)
            if seconds > MAX_SECONDS:
                faults.append(
                    f"its picture stands still for {float(seconds):.1f} s: its source has no other from "
                    f"{float(begin):.2f} s on"
                )
        if seen.other_size:
            shown = f"{seen.other_size[0]}x{seen.other_size[1]}"
            faults.append(f"its source shows {shown}, the archive says {facts.width_px}x{facts.height_px}")
        return ClipCheck(judge.first, judge.last, "; ".join(dict.fromkeys(faults)))


def _stretch(place: Placed, window: FilmWindow, may_seek: bool) -> Stretch:
    facts, span = place.clip.facts, place.clip.span
    margin = Fraction(5, 2) / mean_rate(facts)
    return Stretch(
        str(place.source),
        span.start - margin,
        span.end + margin,
        *window.source_size,
        may_seek=may_seek and not facts.clock_jumps,
        decoder=LAYER_DECODERS.get(facts.video_codec, "") if place.look.has_alpha_layer else "",
        has_fields=place.look.interlaced,
    )


class _Seen:
    """The frames of a source as they come, paired with those of the film that must show them."""

    def __init__(self, place: Placed, window: FilmWindow, profile: Profile) -> None:
        self.inside: list[int] = []
        self.other_size: tuple[int, int] | None = None
        self._place = place
        self._window = window
        self._beat = place.clip.facts.time_base * profile.frame_rate
        self._ends = tick_span(place.clip.span, place.clip.facts)
        self._before: tuple[int, Luma] | None = None
        self._current: tuple[int, Luma] | None = None
        self._next_frame = 0

    def pairs(self, shown: Shown | None, film: _FilmFrames) -> Iterator[Pair]:
        """The pairs of the frame before this one, which is complete now; None ends the source."""
        facts, made = self._place.clip.facts, self._place.conformed
        following: tuple[int, Luma] | None = None
        if shown:
            tick = round(shown.time / facts.time_base + facts.start_pts_offset)
            following = (tick, shown.picture[self._window.rows, self._window.columns])
        n_before, end_frame = len(self.inside), made.n_frames
        if following and self._lies_inside(following[0]) and shown:
            self.inside.append(following[0])
            if made.is_steady:
                end_frame = min(n_before, made.n_frames)
            else:
                end_frame = min(
                    made.n_frames, math.floor((following[0] - made.zero_tick) * self._beat + Fraction(1, 2))
                )
            self._check_size(shown.size)
        if self._current and self._lies_inside(self._current[0]):
            before, after = (one and one[1] for one in (self._before, following))
            first, last = self._place.first_clear, self._place.last_clear
            while self._next_frame < end_frame:
                number = self._place.first_frame + self._next_frame
                if first <= number <= last:
                    yield Pair(self._next_frame, film.take(number), self._current[1], before, after)
                self._next_frame += 1
        self._before, self._current = self._current, following

    def _lies_inside(self, tick: int) -> bool:
        return self._ends[0] <= tick < self._ends[1]

    def _check_size(self, size: tuple[int, int]) -> None:
        facts = self._place.clip.facts
        stretch = size[0] * facts.height_px / (size[1] * facts.width_px)
        # Small pictures cannot have every shape.
        slack = MAX_STRETCH + 1 / min(facts.width_px, facts.height_px)
        if abs(math.log(stretch)) > slack:
            self.other_size = size


class _FilmFrames:
    """The wanted frames of a film, each taken by its number, in order."""

    def __init__(self, frames: Iterator[tuple[int, Luma] | FilmLook]) -> None:
        self._frames = frames
        self._held: tuple[int, Luma] | None = None
        self._look: FilmLook | None = None

    def take(self, number: int) -> Luma | None:
        """A frame; None if the film has none of this number. Those before it are passed over."""
        while self._look is None and (self._held is None or self._held[0] < number):
            item = next(self._frames, None)
            if isinstance(item, FilmLook) or item is None:
                self._look = item or FilmLook(0, (), is_as_stored=True)
                self._held = None
            else:
                self._held = item
        return self._held[1] if self._held and self._held[0] == number else None

    def look(self) -> FilmLook:
        """Properties of the film, once it is read to its end."""
        for item in self._frames:
            if isinstance(item, FilmLook):
                self._look = item
        return self._look or FilmLook(0, (), is_as_stored=True)

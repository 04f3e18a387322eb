"""The time of each frame on one line that only ever goes forward, whatever the stream's own clock does."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median_low

from indexer.media.frame_steps import usual_rate_of
from indexer.media.limits import MAX_DURATION
from store.records import ClockJump

JUMP_BACK = Fraction(3, 10)
"""A clock that may start again and goes back by more than this has done so; by less, the frame is out of place."""

JUMP_AHEAD = Fraction(10)
"""A clock that may jump and goes ahead by more than this, without sound in between, has jumped. As in FFmpeg."""

PAUSE = Fraction(10)
"""No picture for longer than this is a pause, if it is also longer than `PAUSE_DISTANCES` usual distances."""

PAUSE_DISTANCES = 10
STANDSTILL = Fraction(3)
"""No picture for longer than this, and than `STANDSTILL_DISTANCES` usual distances, is told."""

STANDSTILL_DISTANCES = 25
MAX_JUMPS = 1000
_LONGEST_LAST_FRAME = Fraction(10)
_RECENT = 25
_PLACES_NAMED = 3
_MAX_DISTANCES = 4096
_HEARD_SECONDS = 4096


@dataclass(slots=True)
class StampChooser:
    """Chooses between a frame's two time stamps as the ffmpeg program does, so that both agree on time.

    Some containers (AVI, ASF) store only decoding times, and what they call presentation times runs back and
    forth. Whichever of the two has run backwards less often so far is believed.
    """

    last_pts: int | None = None
    last_dts: int | None = None
    n_faulty_pts: int = 0
    n_faulty_dts: int = 0

    def read(self, pts: int | None, dts: int | None) -> int | None:
        """The better of a frame's two time stamps, None where it has none."""
        if dts is not None:
            self.n_faulty_dts += self.last_dts is not None and dts <= self.last_dts
        if pts is not None:
            self.n_faulty_pts += self.last_pts is not None and pts <= self.last_pts
        self.last_dts = dts if dts is not None else pts if pts is not None else self.last_dts
        self.last_pts = pts if pts is not None else dts if dts is not None else self.last_pts
        if pts is not None and (dts is None or self.n_faulty_pts <= self.n_faulty_dts):
            return pts
        return dts


@dataclass(frozen=True, slots=True)
class Placed:
    """Presentation time of a frame.

    Args:
        time: seconds on our line.
        length: how long it stays, by what it or its neighbours say.
        pause_start: where a pause began that ends with this frame; None mostly.
    """

    time: Fraction
    length: Fraction
    pause_start: Fraction | None = None


@dataclass(slots=True)
class FrameClock:
    """Places the frames of one stream, in the order decoded.

    Args:
        start: the container's start time, in seconds of the stream's clock: zero of our line.
        base: seconds per tick.
        may_jump: whether the container is one whose clock may start again (MPEG-TS, MPEG-PS, Ogg).
        usual_step: seconds between frames until they have shown their own.
    """

    start: Fraction
    base: Fraction
    may_jump: bool
    usual_step: Fraction
    n_backward: int = 0
    n_too_late: int = 0
    jumps: list[ClockJump] = field(default_factory=list)
    standstills: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    """Long standstills: the time of the last picture, and the seconds that follow it."""
    _last: Fraction | None = None
    _last_tick: int | None = None
    _shift: Fraction = Fraction(0)
    _step: Fraction = Fraction(0)
    _n_decoded: int = 0
    _standstill_ticks: int = 0
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _distances: Counter[int] = field(default_factory=Counter)
    _heard: deque[int] = field(default_factory=lambda: deque(maxlen=_HEARD_SECONDS))

    def __post_init__(self) -> None:
        """The first step is the usual one."""
        self._step = self.usual_step
        self._standstill_ticks = int(STANDSTILL / self.base)

    def hear(self, second: int) -> None:
        """Note that there is sound in this second of the stream's own clock."""
        if self.may_jump and (not self._heard or self._heard[-1] != second):
            self._heard.append(second)

    def place(self, tick: int | None, duration: int | None) -> Placed | None:
        """Time of the next frame; None for one out of place, which is counted and left out.

        Args:
            tick: its time stamp, None where it has none.
            duration: its length in ticks as the container says; None or 0 where it does not.
        """
        last, self._n_decoded = self._last, self._n_decoded + 1
        distance = None
        if tick is None:  # a raw stream has no clock, nor have the last frames of H.264 in AVI: count on
            shown = Fraction(0) if last is None else last + self._step
        else:
            if self._last_tick is not None:
                distance = tick - self._last_tick
                if self._has_jumped(self._last_tick, tick):
                    distance = self._go_on(tick)
            shown = tick * self.base - self.start + self._shift
        if last is not None and shown <= last:
            self.n_backward += 1
            return None
        if shown > MAX_DURATION:
            self.n_too_late += 1
            return None
        pause_start = None if distance is None or last is None else self._measure(distance, last)
        self._last = shown
        self._last_tick = tick if tick is not None else self._last_tick
        return Placed(shown, self._length(shown, last, duration), pause_start)

    @property
    def usual_rate(self) -> Fraction | None:
        """Frames per second that most distances between frames have; None without any."""
        return usual_rate_of(self._distances, self.base)

    def _usual_ticks(self) -> int:
        """The usual distance of the latest frames."""
        return median_low(self._recent) if self._recent else max(1, round(self.usual_step / self.base))

    def _has_jumped(self, before: int, tick: int) -> bool:
        if not self.may_jump or 0 < tick - before < self._standstill_ticks or len(self.jumps) >= MAX_JUMPS:
            return False
        seconds = (tick - before) * self.base
        return seconds < -JUMP_BACK or (seconds > JUMP_AHEAD and not self._sounds_between(before, tick))

    def _sounds_between(self, earlier: int, later: int) -> bool:
        """Whether there is sound in half of the seconds between two ticks or more."""
        first, end = int(earlier * self.base) + 2, int(later * self.base) - 1
        return 2 * len({second for second in self._heard if first <= second < end}) >= end - first

    def _go_on(self, tick: int) -> int:
        """Let time go on one usual distance after the frame before; the distance in ticks."""
        ticks = self._usual_ticks()
        shown = (self._last or Fraction(0)) + ticks * self.base
        self._shift = shown + self.start - tick * self.base
        self._heard.clear()
        self.jumps.append(ClockJump(shown, tick, self._n_decoded - 1))
        return ticks

    def _measure(self, distance: int, last: Fraction) -> Fraction | None:
        """Take note of the distance to the frame before; the start of a pause, if that was one."""
        pause_start = None
        if distance > self._standstill_ticks:
            usual, seconds = self._usual_ticks(), distance * self.base
            if distance > STANDSTILL_DISTANCES * usual:
                self.standstills.append((last, seconds))
            if seconds > PAUSE and distance > PAUSE_DISTANCES * usual:
                pause_start = last + usual * self.base
        self._recent.append(distance)
        if len(self._distances) < _MAX_DISTANCES or distance in self._distances:
            self._distances[distance] += 1
        return pause_start

    def _length(self, shown: Fraction, last: Fraction | None, duration: int | None) -> Fraction:
        length = duration * self.base if duration else Fraction(0)
        if duration == 1 and last is not None and shown - last > 2 * self.base:
            length = shown - last  # made up by the demuxer; the ffmpeg program does not believe it either
        self._step = length if 0 < length <= _LONGEST_LAST_FRAME else self.usual_step
        return self._step


def clock_notices(clock: FrameClock) -> list[str]:
    """Notices about a clock that jumped and pictures that stand still, one line each."""
    lines = []
    if clock.jumps:
        places = ", ".join(_place(jump.time) for jump in clock.jumps[:_PLACES_NAMED])
        more = f" and {len(clock.jumps) - _PLACES_NAMED} more" if len(clock.jumps) > _PLACES_NAMED else ""
        lines.append(f"the file's clock starts again or jumps at {places}{more}; time goes on there without a gap")
    if clock.standstills:
        longest = max(clock.standstills, key=lambda standstill: standstill[1])
        times = "once" if len(clock.standstills) == 1 else f"{len(clock.standstills)} times"
        lines.append(
            f"no new picture for more than {float(STANDSTILL):g} s {times}, the longest {float(longest[1]):.1f} s "
            f"from {_place(longest[0])} on; shots end at pauses of more than {float(PAUSE):g} s"
        )
    return lines


def _place(time: Fraction) -> str:
    minutes, seconds = divmod(float(time), 60)
    return f"{int(minutes)}:{seconds:05.2f}"


def clock_expression(
    jumps: Sequence[ClockJump], start_pts_offset: Fraction, base: Fraction, tolerance_ticks: int = 0
) -> str:
    """For ffmpeg's `setpts`: our line, in ticks counted like those before the first jump.

    For a stream that is decoded from its beginning, by its own time stamps (`-copyts`) in ticks of `base`. What
    comes out means `(pts - start_pts_offset) * base` everywhere. A frame is the first one after a jump if its tick
    is the one that the jump names, and not near that of the frame before.

    Args:
        jumps: the clock's jumps, in order.
        start_pts_offset: as in `VideoFacts`.
        base: seconds per tick.
        tolerance_ticks: how far from the named tick; 0 for the pictures themselves, seconds for their sound, whose
            first packet lies beside the first picture.
    """
    if not jumps:
        return "PTS"
    back = int(JUMP_BACK / base)
    named = "+".join(
        f"eq(ld(0),{k})*between(PTS,{j.tick - tolerance_ticks},{j.tick + tolerance_ticks})"
        for k, j in enumerate(jumps)
    )
    counted = f"st(0,ld(0)+gt(N,0)*gt(abs(PTS-PREV_INPTS),{back})*({named}))"
    shifts = [round(jump.time / base + start_pts_offset) - jump.tick for jump in jumps]
    shifted = "+".join(f"eq(ld(0),{k})*({shift})" for k, shift in enumerate(shifts, start=1))
    return f"{counted};PTS+{shifted}"

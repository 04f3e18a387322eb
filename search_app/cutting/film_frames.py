"""Frames that a clip lasts in a film, and pieces of a shot that last exactly so many.

A film counts frames at its own rate, a source at another: with every clip rounded by itself, a film of a hundred
clips is longer than was asked for. So a length is counted here, once, by the rule that rendering follows
(`conforming/conform.py`): a clip whose frames lie on the beat of the film lasts as many as there are, any other
`round(length * rate)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from search_app.cutting.cut_list import edge_before
from search_app.frame_rates import mean_rate
from store.records import VideoFacts
from store.timespan import TimeSpan

_DRIFT, _LARGEST_DRIFT = Fraction(1, 10), Fraction(2, 5)
"""In frames of the film: what strays less from its beat is on it (one tick is added, up to the second)."""
_GUESSED_FRAMES = 1
_MISSING_SHARE = Fraction(1, 200)
_TRIED = 4


def film_frames(span: TimeSpan, facts: VideoFacts, rate: Fraction) -> int:
    """Number of frames of a piece of a source in a film.

    Args:
        span: the piece, in seconds of the source.
        facts: of the source.
        rate: frames per second of the film.
    """
    own, n_inside = mean_rate(facts), _frames_inside(span, facts)
    tolerance = min(_DRIFT + facts.time_base * rate, _LARGEST_DRIFT)
    if _is_constant(facts, own) and (n_inside - 1) * abs(rate / own - 1) <= tolerance:
        return n_inside
    return max(1, round(span.duration * rate))


def _is_constant(facts: VideoFacts, rate: Fraction) -> bool:
    surplus = facts.n_frames - facts.span.duration * rate
    return abs(surplus) <= _GUESSED_FRAMES + facts.n_frames * _MISSING_SHARE


def _frames_inside(span: TimeSpan, facts: VideoFacts) -> int:
    """Number of frames of a source of constant rate that begin inside a piece of it."""
    rate = mean_rate(facts)
    # A container whose tick does not divide a frame rounds the times of frames.
    slack = 0 if (1 / rate / facts.time_base).denominator == 1 else facts.time_base
    first, end = (math.ceil((edge - facts.span.start - slack) * rate) for edge in (span.start, span.end))
    n_frames = max(1, facts.n_frames)
    first = min(max(0, first), n_frames - 1)
    return max(1, min(end, n_frames) - first)


def trim_to_frames(
    span: TimeSpan, time: Fraction, n_frames: int, facts: VideoFacts, rate: Fraction
) -> TimeSpan | None:
    """The piece of a span around a time that lasts exactly so many frames of a film.

    It begins at a frame of the source, half of the piece before that of `time` as long as the span has so much.

    Args:
        span: what to trim.
        time: presentation time of the frame to keep; moved into the span if it lies outside.
        n_frames: how long the piece is to be.
        facts: of the source.
        rate: frames per second of the film.

    Returns:
        None if no piece of it lasts so many frames.
    """
    if film_frames(span, facts, rate) == n_frames:
        return span
    seconds = n_frames / rate
    of_source = seconds * mean_rate(facts)
    pieces = [
        _piece(span, time, math.floor(of_source), facts),
        _piece(span, time, math.ceil(of_source), facts, seconds),
        TimeSpan(max(span.start, span.end - seconds), span.end),
    ]
    return next((piece for piece in pieces if piece and film_frames(piece, facts, rate) == n_frames), None)


def _piece(
    span: TimeSpan, time: Fraction, n_frames: int, facts: VideoFacts, seconds: Fraction | None = None
) -> TimeSpan | None:
    """The piece around a time that has so many frames of the source, or is so long.

    Returns:
        None if there is none.
    """
    rate, edge = mean_rate(facts), edge_before(facts)
    time = min(max(time, span.start), max(span.start, span.end - 1 / rate))
    if _is_constant(facts, rate):  # to a frame that there is, whatever its container made of its time
        time = facts.span.start + round((time - facts.span.start) * rate) / rate
    n_to_end = max(1, round((span.end - time) * rate))
    n_before = max(n_frames - n_to_end, min(n_frames // 2, round((time - span.start) * rate)))
    begins = time - n_before / rate - edge
    start = max(span.start, begins)
    end = min(span.end, begins + n_frames / rate if seconds is None else start + seconds)
    return TimeSpan(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The frames of a film, which lengths are counted in.

    Args:
        rate: frames per second of the film.
    """

    rate: Fraction

    def length(self, span: TimeSpan, facts: VideoFacts) -> Fraction:
        """Length of a piece of a source in the film, in seconds."""
        return film_frames(span, facts, self.rate) / self.rate

    def floor(self, seconds: Fraction) -> Fraction:
        """The longest time of whole frames that is no longer, but one frame at least."""
        return max(1, math.floor(seconds * self.rate)) / self.rate

    def trim(self, span: TimeSpan, time: Fraction, seconds: Fraction, facts: VideoFacts) -> TimeSpan | None:
        """The piece of a span around a time that lasts so long in the film, or all of it if it is short enough.

        Returns:
            None if no piece of whole frames is so long, or at most a few frames shorter.
        """
        if span.duration <= seconds and self.length(span, facts) <= seconds:
            return span
        n_frames = math.floor(seconds * self.rate)
        lengths = range(n_frames, max(0, n_frames - _TRIED), -1)
        pieces = (trim_to_frames(span, time, n, facts, self.rate) for n in lengths)
        return next((piece for piece in pieces if piece is not None), None)

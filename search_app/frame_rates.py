"""The one rule for rates: which rate a source has, and at which one a film or timeline of several runs.

A source's rate is the one that its file says where programs know it and most frame distances agree, else the known
one nearest to most frame distances. A mean over a whole file is no rate: 30.02, 17 and 600 are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from store.records import VideoFacts

_NTSC = Fraction(1000, 1001)

PROGRAM_RATES = tuple(
    sorted(
        (
            *map(Fraction, (10, 12, 15, 24, 25, 30, 48, 50, 60, 100, 120)),
            *(whole * _NTSC for whole in (24, 30, 48, 60, 120)),
        )
    )
)
"""Rates at which editing programs run a timeline, in order."""

SOURCE_RATES = tuple(
    sorted(
        (
            *PROGRAM_RATES,
            *map(Fraction, (1, 2, 3, 4, 5, 6, 8, 20, 90, 96, 200, 240)),
            *(whole * _NTSC for whole in (12, 15, 240)),
        )
    )
)
"""Rates that cameras record at, in order; those of time lapses and of high speed too."""

_HALF = Fraction(25, 2)
"""A rate that no whole number of names a second can count: its frames are counted twice, at 25."""

RATE_TOLERANCE = Fraction(1, 2500)
"""A measured rate this near to a known one is that rate; 24 and 23.976 are 1/1000 apart."""

FALLBACK_RATE = Fraction(25)
"""For sources that say nothing."""

_AGREEMENT = Fraction(1, 200)
_LOWEST_MULTIPLE = PROGRAM_RATES.index(24 * _NTSC)
_BASES = (Fraction(24), Fraction(25), Fraction(30))
_POWERS = tuple(Fraction(2) ** power for power in range(-1, 3))
_FAMILY_TOLERANCE = Fraction(1, 500)
_COUNTED_TOLERANCE = Fraction(1, 10)
_GUESSED_FRAMES = 2


def source_rate(facts: VideoFacts) -> Fraction:
    """The frame rate of a source, one of `SOURCE_RATES`."""
    said, usual = facts.frame_rate, facts.usual_rate
    if said is not None and said > 0 and _is_known(said):
        known = nearest_rate(said)
        if usual is None or abs(usual - known) <= known * _AGREEMENT:
            return known
    # Of what was indexed before distances were measured the counted frames must do.
    return nearest_rate(usual or mean_rate(facts))


def has_doubtful_rate(facts: VideoFacts) -> bool:
    """Whether distances between frames were not measured and the file says no known rate that its frames have."""
    if facts.usual_rate is not None:
        return False
    said = facts.frame_rate
    return said is None or said <= 0 or not _is_known(said) or not counts_agree(facts, said)


def counts_agree(facts: VideoFacts, rate: Fraction) -> bool:
    """Whether a source has about as many frames as that rate promises; the last one's length may be a guess."""
    surplus = abs(facts.n_frames - facts.span.duration * rate)
    return surplus <= _GUESSED_FRAMES or surplus <= facts.n_frames * _COUNTED_TOLERANCE


def mean_rate(facts: VideoFacts) -> Fraction:
    """Frames per second on average: what the file says, unless it says ticks; then they are counted."""
    said = facts.frame_rate
    if said is not None and said > 0 and (_is_known(said) or counts_agree(facts, said)):
        return said
    return facts.n_frames / facts.span.duration if facts.n_frames > _GUESSED_FRAMES else said or FALLBACK_RATE


def _is_known(rate: Fraction) -> bool:
    known = nearest_rate(rate)
    return abs(rate - known) <= known * RATE_TOLERANCE


def nearest_rate(rate: Fraction, among: Iterable[Fraction] = SOURCE_RATES) -> Fraction:
    """The known rate whose ratio to a positive rate is nearest to 1; 25 for 12.5."""
    if abs(rate - _HALF) <= _HALF * RATE_TOLERANCE:
        return 2 * _HALF
    return min(among, key=lambda known: max(known / rate, rate / known))


def program_rate(rate: Fraction) -> Fraction:
    """The rate at which a program plays a source of that rate: itself, or what shows every frame as often.

    A time lapse plays at the lowest usual rate that is a multiple of its own, high speed at the highest that
    divides its own.
    """
    if rate in PROGRAM_RATES:
        return rate
    multiples = (known for known in PROGRAM_RATES[_LOWEST_MULTIPLE:] if (known / rate).denominator == 1)
    divisors = (known for known in reversed(PROGRAM_RATES) if (rate / known).denominator == 1)
    return next(multiples, None) or next(divisors, None) or nearest_rate(rate, PROGRAM_RATES)


def rate_of_most(material: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    """The rate at which a film or timeline runs: one of `PROGRAM_RATES`, nearest to most of its material.

    Rates that are multiples of each other belong together: first the family that holds most of the material (of
    equals the one of the higher rates) is chosen, then its middle rate, the lower one of two equals. So one clip
    more or less does not double a rate, unless most of the material has the double one.

    Args:
        material: for each clip the rate of its source, and its length in seconds.

    Returns:
        None of no material.
    """
    seconds: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for rate, length in material:
        seconds[program_rate(rate)] += length
    if not seconds:
        return None
    families: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for rate, length in seconds.items():
        families[_family(rate)] += length
    chosen = max(families, key=lambda family: (families[family], family))
    rates = sorted(rate for rate in seconds if _family(rate) == chosen)
    middle, left = rates[0], families[chosen] / 2
    for middle in rates:
        left -= seconds[middle]
        if left <= 0:
            break
    alike = [rate for rate in rates if round(rate) == round(middle)]
    return max(alike, key=lambda rate: (seconds[rate], rate))


def _family(rate: Fraction) -> Fraction:
    """The base of a rate's family, as 25 of 12.5, 50 and 100, and 30 of 59.94; a rate without one is its own."""
    for base in _BASES:
        if any(abs(rate - base * power) <= rate * _FAMILY_TOLERANCE for power in _POWERS):
            return base
    return rate

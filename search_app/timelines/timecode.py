"""Timecode for people and editing programs, exact to the frame: SMPTE 12M, with and without dropped numbers.

A timecode is a name for a frame number, never a time: at 29.97 and 59.94 frames per second an hour of names lasts
3.6 seconds longer than an hour. Drop-frame counting leaves out names, not frames: the first two of every minute
(four at 59.94), except every tenth minute.
"""

from __future__ import annotations

import re
from fractions import Fraction

DROP_RATES = (Fraction(30_000, 1001), Fraction(60_000, 1001))
"""Frame rates at which names may be dropped."""

COUNTINGS = {
    "23.976": (Fraction(24_000, 1001), False),
    "24": (Fraction(24), False),
    "25": (Fraction(25), False),
    "29.97": (DROP_RATES[0], False),
    "29.97df": (DROP_RATES[0], True),
    "30": (Fraction(30), False),
    "50": (Fraction(50), False),
    "59.94": (DROP_RATES[1], False),
    "59.94df": (DROP_RATES[1], True),
    "60": (Fraction(60), False),
}
"""Ways of counting that editing programs have, by the name people type: frames per second, and whether names are
dropped."""

_SHAPE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;])(\d\d\d?)")
_FRAMES_DROPPED_AT_30 = 2
_MINUTES_A_DAY = 24 * 60


def counting_name(drop: bool) -> str:
    """Name of a way of counting in XML formats: `DF` where names are dropped, else `NDF`."""
    return "DF" if drop else "NDF"


def nominal_rate(rate: Fraction) -> int:
    """Frame names a second: 24 for 23.976, 30 for 29.97, 60 for 59.94."""
    return max(1, round(rate))


def frames_a_day(rate: Fraction, *, drop: bool = False) -> int:
    """After how many frames the names begin again."""
    return _MINUTES_A_DAY * 60 * nominal_rate(rate) - _n_dropped(_MINUTES_A_DAY, rate, drop)


def format_timecode(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    """The name of a frame: `hh:mm:ss:ff`, `hh:mm:ss;ff` if names are dropped; it begins again after 24 hours.

    Args:
        frame: number of the frame, 0 for the first of the day.
        rate: frames per second.
        drop: whether names are dropped.

    Raises:
        ValueError: names cannot be dropped at this rate.
    """
    names = nominal_rate(rate)
    frame %= frames_a_day(rate, drop=drop)
    if drop:
        frame += _names_left_out_before(frame, names)
    seconds, left = divmod(frame, names)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drop else ':'}{left:02d}"


def parse_timecode(text: str, rate: Fraction) -> int:
    """The number of the frame that has this name, 0 for the first of the day; `;` means that names are dropped.

    Raises:
        ValueError: it is no timecode, or there is no such name at this rate.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError(f"{text!r} is no timecode: it is written hh:mm:ss:ff")
    hours, minutes, seconds, frames = (int(shape[place]) for place in (1, 2, 3, 5))
    drop, names = shape[4] == ";", nominal_rate(rate)
    n_dropped = _n_dropped(1, rate, drop)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= names:
        raise ValueError(f"there is no timecode {text} at {float(rate):.5g} frames per second")
    if seconds == 0 and minutes % 10 and frames < n_dropped:
        raise ValueError(f"there is no timecode {text}: drop-frame counting leaves it out")
    minute = 60 * hours + minutes
    return (60 * minute + seconds) * names + frames - _n_dropped(minute, rate, drop)


def as_counted(timecode: str, rate: Fraction) -> str:
    """A source's timecode with `:` where no names can be dropped at its rate, whatever its flag says."""
    return timecode if rate in DROP_RATES else timecode.replace(";", ":")


def is_dropped(name: str) -> bool:
    """Whether drop-frame counting at 29.97 frames per second leaves this name out, written with `:`."""
    return name[6:8] == "00" and int(name[4]) > 0 and int(name[9:]) < _FRAMES_DROPPED_AT_30


def _n_dropped(minutes: int, rate: Fraction, drop: bool) -> int:
    """Number of names that are left out in the minutes 1 to `minutes` of the day."""
    if not drop:
        return 0
    if rate not in DROP_RATES:
        raise ValueError(f"no timecode drops names at {float(rate):.5g} frames per second")
    return _FRAMES_DROPPED_AT_30 * nominal_rate(rate) // 30 * (minutes - minutes // 10)


def _names_left_out_before(frame: int, names: int) -> int:
    dropped = _FRAMES_DROPPED_AT_30 * names // 30
    tens, rest = divmod(frame, 600 * names - 9 * dropped)
    # The first minute of ten has all its names, the others lack their first.
    return dropped * (9 * tens + max(0, (rest - dropped) // (60 * names - dropped)))

"""Names of tapes, by which editing programs find sources: each source has its own, none has another's.

A name of up to 32 letters, digits, `_`, `-` and `.` stays as it is. What must be shortened or told apart ends in
letters made of what it is, as cameras name nothing: it is the same in every timeline, and never looks like a clip.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

REEL_LENGTH = 32
"""Reel names that editing programs take in an EDL, in FCPXML and in the XML of Final Cut Pro 7."""

SHORT_REEL_LENGTH = 8
"""Reel names of CMX 3600 itself."""

RESERVED_REELS = ("AX", "BL", "BLACK", "BARS")
"""Of a CMX 3600 list: no tape, black, colour bars."""

_ROLL_AND_CLIP = re.compile(r"([A-Z]\d{3})_?([A-Z]\d{3})(?!\d)")
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
_NO_NAME = "TAPE"


@dataclass(frozen=True, slots=True)
class Reel:
    """The names of a tape.

    Args:
        name: at most `REEL_LENGTH` of `A-Za-z0-9_.-`.
        short: at most `SHORT_REEL_LENGTH` of `A-Z0-9_`.
    """

    name: str
    short: str


def name_reels(tapes: Mapping[str, str]) -> dict[str, Reel]:
    """The reels of tapes, by the same keys; no two are alike, capital or small.

    Args:
        tapes: the name of each tape, or of the file that is one of its own, by a key that stays the same.
    """
    plain = {key: _plain(name) for key, name in tapes.items()}
    long = _told_apart(plain, plain, REEL_LENGTH, 4)
    short = _told_apart(plain, {key: _short(name) for key, name in plain.items()}, SHORT_REEL_LENGTH, 3)
    return {key: Reel(long[key], short[key].upper()) for key in tapes}


def _plain(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", ascii_name).strip("_.-")


def _short(plain: str) -> str:
    """The eight characters by which a camera's clip is known: as they are, or roll and clip."""
    short = re.sub(r"[.-]", "_", plain.upper())
    found = _ROLL_AND_CLIP.match(short)
    return short if len(short) <= SHORT_REEL_LENGTH or found is None else f"{found[1]}{found[2]}"


def _told_apart(
    plain: Mapping[str, str], wishes: Mapping[str, str], length: int, n_letters: int
) -> dict[str, str]:
    real = {name.upper(): key for key, name in reversed([*plain.items()])}
    wished = Counter(wish.upper() for wish in wishes.values())
    taken = set(RESERVED_REELS)
    given: dict[str, str] = {}
    for key, wish in wishes.items():
        is_own = real.get(wish.upper()) == key
        is_free = wish.upper() not in real and wished[wish.upper()] == 1
        if 0 < len(wish) <= length and (is_own or is_free) and wish.upper() not in taken:
            given[key] = wish
            taken.add(wish.upper())
    for key in plain:
        if key not in given:
            given[key] = _lettered(key, plain[key], taken | set(real), length, n_letters)
            taken.add(given[key].upper())
    return given


def _lettered(key: str, plain: str, taken: set[str], length: int, n_letters: int) -> str:
    """The beginning of a name, which is its roll, and letters made of its key."""
    room = length - n_letters - 1
    tokens = re.split(r"[_.-]", plain) if length == SHORT_REEL_LENGTH else [plain]
    roll = tokens[0][:room] or _NO_NAME[:room]
    for salt in range(len(taken) + len(_CONSONANTS) ** n_letters):
        digest = blake2b(f"{salt} {key}".encode(errors="surrogateescape"), digest_size=n_letters).digest()
        letters = "".join(_CONSONANTS[byte % len(_CONSONANTS)] for byte in digest)
        if f"{roll}_{letters}".upper() not in taken:
            return f"{roll}_{letters}"
    raise ValueError("there are more tapes than names")

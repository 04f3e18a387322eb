"""Reading what strangers may have written: sizes, depths and digits are bounded before anything is parsed.

A file may be a pipe that never ends, a sparse terabyte, brackets 200,000 deep, a number of a million digits.
Readers here open regular files only, never wait, and refuse in one line; what they raise has no path in it, which
the callers add.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import stat
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

MEBIBYTE = 2**20
MOST_DIGITS = 40
"""Of one number: numerators and denominators of exact times have 19 at most, sums of them a few more."""

_PAIR = re.compile(rb"\[\]|\{\}")
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (MOST_DIGITS + 1))
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_TEXT = re.compile(rb'"[^"]*"')
_FRACTION = re.compile(rf"-?[0-9]{{1,{MOST_DIGITS}}}(?:/[0-9]{{1,{MOST_DIGITS}}})?")
_NOT_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))


class ForeignDataError(ValueError):
    """Data that is refused; the message is one line without the name of its file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on data from elsewhere.

    Args:
        most_bytes: size.
        most_values: lists, objects, and members of both.
        most_depth: how deep lists and objects lie in each other.
    """

    most_bytes: int = 64 * MEBIBYTE
    most_values: int = 2_000_000
    most_depth: int = 32


_LIMITS = Limits()
LINE_LIMITS = Limits(most_bytes=64 * MEBIBYTE)
"""Of a sealed line: an edit of a cut list, the manifest of a generation."""


def read_limited_bytes(path: Path, most_bytes: int, *, follow_links: bool = True) -> bytes:
    """All of a regular file.

    Args:
        path: the file.
        most_bytes: the largest that is read.
        follow_links: whether the path may be a symbolic link; not inside an archive.

    Raises:
        ForeignDataError: it is larger.
        OSError: it cannot be read, or is no regular file.
    """
    with os.fdopen(open_regular(path, follow_links=follow_links), "rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ForeignDataError(f"it is larger than {most_bytes / MEBIBYTE:g} MiB")
    return data


def open_regular(path: Path, *, follow_links: bool = True) -> int:
    """A descriptor of a regular file; pipes, devices and folders are refused without waiting for them.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    # Looked at before it is opened: opening a tape rewinds it. And after, since it may be another one then.
    _refuse_irregular(path.stat() if follow_links else path.lstat())
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        _refuse_irregular(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_irregular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def is_own_file(path: Path, n_folders: int = 0) -> bool:
    """Whether a file of an archive is there, and lies there: it is no link, nor are so many folders above it."""
    try:
        folders = [folder.lstat().st_mode for folder in tuple(path.parents)[:n_folders]]
        return stat.S_ISREG(path.lstat().st_mode) and all(map(stat.S_ISDIR, folders))
    except (OSError, ValueError):
        return False


def read_limited_text(path: Path, most_bytes: int, encoding: str = "utf-8") -> str:
    """All of a regular text file.

    Raises:
        ForeignDataError: it is larger, or not of that encoding.
        OSError: it cannot be read, or is no regular file.
    """
    try:
        return read_limited_bytes(path, most_bytes).decode(encoding)
    except UnicodeDecodeError as error:
        raise ForeignDataError(f"it is no {encoding.removesuffix('-sig').upper()} text") from error


def read_limited_json(path: Path, limits: Limits = _LIMITS) -> Any:
    """The value of a JSON file.

    Raises:
        ForeignDataError: it goes beyond a limit, or is no JSON.
        OSError: it cannot be read, or is no regular file.
    """
    return parse_limited_json(read_limited_bytes(path, limits.most_bytes), limits)


def parse_limited_json(data: bytes, limits: Limits = _LIMITS, *, unique_keys: bool = True) -> Any:
    """The value of JSON, whose numbers are finite and of at most 40 digits.

    Args:
        data: UTF-8.
        limits: what it may take.
        unique_keys: refuse an object that has a key twice, of which readers differ in which one holds.

    Raises:
        ForeignDataError: it goes beyond a limit, or is no JSON.
    """
    refuse_beyond(data, limits)
    try:
        return json.loads(
            data.decode(),
            parse_float=_finite,
            parse_int=_whole_number if _LONG_NUMBER.search(data) else None,
            parse_constant=_no_number,
            object_pairs_hook=_once if unique_keys else None,
        )
    except UnicodeDecodeError as error:
        raise ForeignDataError("it is no UTF-8 text") from error
    except ForeignDataError:
        raise
    except (ValueError, RecursionError) as error:
        raise ForeignDataError(f"it is no JSON ({error})") from error


def refuse_beyond(data: bytes, limits: Limits) -> None:
    """Refuse JSON that is too large or too deep, before it is parsed.

    Raises:
        ForeignDataError: it is.
    """
    if len(data) > limits.most_bytes:
        raise ForeignDataError(f"it is larger than {limits.most_bytes / MEBIBYTE:g} MiB")
    n_opened = data.count(b"[") + data.count(b"{")
    if n_opened + data.count(b",") > limits.most_values:
        raise ForeignDataError(f"it holds more than {limits.most_values:,} values")
    if n_opened <= limits.most_depth:
        return
    brackets = _TEXT.sub(b"", _ESCAPED.sub(b"", data).translate(None, _NOT_BRACKETS))
    for _ in range(limits.most_depth):  # the innermost go, level by level
        brackets = _PAIR.sub(b"", brackets)
        if not brackets:
            return
    raise ForeignDataError(f"it is nested deeper than {limits.most_depth}, or is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ForeignDataError(f"{twice[:40]!r} is in it twice")
    return found


def _whole_number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ForeignDataError(f"a number in it has {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ForeignDataError(f"{text[:40]} in it is no number")
    return number


def _no_number(name: str) -> Any:
    raise ForeignDataError(f"{name} in it is no number")


def read_fraction(text: object) -> Fraction:
    """The exact number that `n` or `n/d` says: never `1e999999999`, which would fill the memory.

    Raises:
        ForeignDataError: it says none, or one of more than 40 digits.
    """
    if not isinstance(text, str) or not _FRACTION.fullmatch(text):
        shown = repr(text)
        raise ForeignDataError(f"{shown if len(shown) <= MOST_DIGITS else shown[:MOST_DIGITS] + '...'} is no time")
    numerator, _, denominator = text.partition("/")
    try:
        return Fraction(int(numerator), int(denominator or 1))
    except ZeroDivisionError as error:
        raise ForeignDataError(f"{text} is no time") from error

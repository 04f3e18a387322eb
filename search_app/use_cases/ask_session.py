"""A conversation in a file: questions and answers, so that a later question can refer to earlier ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from search_app.errors import QueryError
from search_app.output_files import atomic_write
from store.limited import parse_limited_json, read_limited_text

FORMAT: Final = 1
_MOST_BYTES: Final = 2**22
_MOST_TURNS: Final = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was answered.

    Args:
        question: as it was asked.
        answer: as it was given.
        shots: ids of the shots that it named.
    """

    question: str
    answer: str
    shots: tuple[str, ...]


def read_session(file: Path) -> list[Turn]:
    """The turns of a conversation, in order; none where there is no such file yet.

    Raises:
        QueryError: it is no conversation, or of a later version.
    """
    if not file.exists():
        return []
    try:
        plain = parse_limited_json(read_limited_text(file, _MOST_BYTES).encode())
    except (OSError, ValueError, RecursionError) as error:
        raise QueryError(f"cannot read the conversation {file}: {error}") from error
    if not isinstance(plain, Mapping) or plain.get("format") != FORMAT or not isinstance(plain.get("turns"), list):
        raise QueryError(f"{file} is no conversation of `rushes ask --session`; name another file")
    return [_turn(one, file) for one in plain["turns"][-_MOST_TURNS:]]


def _turn(plain: Any, file: Path) -> Turn:
    if not isinstance(plain, Mapping):
        raise QueryError(f"{file} holds a turn that is none")
    question, answer, shots = plain.get("question"), plain.get("answer"), plain.get("shots")
    is_sound = isinstance(question, str) and isinstance(answer, str) and isinstance(shots, list)
    if not is_sound or not all(isinstance(one, str) for one in shots or ()):
        raise QueryError(f"{file} holds a turn that is none")
    return Turn(str(question), str(answer), tuple(shots or ()))


def write_session(file: Path, turns: Sequence[Turn]) -> None:
    """Keep a conversation; a file that has the name is replaced whole.

    Raises:
        QueryError: it cannot be written.
    """
    plain = {"format": FORMAT, "turns": [asdict(turn) for turn in turns[-_MOST_TURNS:]]}
    with atomic_write(file, QueryError) as temporary:
        temporary.write_text(json.dumps(plain, indent=1), encoding="utf-8")

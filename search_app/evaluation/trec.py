"""Judgements and rankings in the text formats of TREC, which every tool of information retrieval reads.

    qrels  QUERY 0 DOCUMENT GRADE           one judgement a line
    run    QUERY Q0 DOCUMENT RANK SCORE TAG one place of a ranking a line

A grade of 1 or more is relevant, 0 is not. A negative grade means debatable: Rushes takes such documents out of a
ranking before it measures, while trec_eval counts them as not relevant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from store.errors import ConfigError
from store.limited import read_limited_text

_QRELS_FIELDS = 4
_RUN_FIELDS = 6
_MOST_BYTES = 2**28


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """The grades of documents, by query.

    Raises:
        ConfigError: the file cannot be read, or a line is none of qrels.
    """
    grades: dict[str, dict[str, int]] = {}
    for number, fields in _read_lines(path, _QRELS_FIELDS, "QUERY 0 DOCUMENT GRADE"):
        query, _, document, grade = fields
        try:
            grades.setdefault(query, {})[document] = int(grade)
        except ValueError:
            raise ConfigError(f"{path}, line {number}: the grade must be a whole number, got {grade!r}") from None
    return grades


def read_run(path: Path) -> dict[str, list[str]]:
    """The ranking of each query, best first.

    As in trec_eval the scores decide and the written ranks are not looked at; of equal scores the document whose
    name comes later in the alphabet is first.

    Raises:
        ConfigError: the file cannot be read, a line is none of a run, or a document comes twice for a query.
    """
    scores: dict[str, dict[str, float]] = {}
    for number, fields in _read_lines(path, _RUN_FIELDS, "QUERY Q0 DOCUMENT RANK SCORE TAG"):
        query, _, document, _, score, _ = fields
        of_query = scores.setdefault(query, {})
        if document in of_query:
            raise ConfigError(f"{path}, line {number}: {document} is ranked twice for query {query}")
        of_query[document] = _score(score, f"{path}, line {number}")
    return {query: rank_documents(of_query) for query, of_query in scores.items()}


def rank_documents(scores: Mapping[str, float]) -> list[str]:
    """Documents by falling score; of equal scores the later name first, which is trec_eval's rule."""
    return sorted(sorted(scores, reverse=True), key=lambda document: -scores[document])


def write_qrels(path: Path, grades: Mapping[str, Mapping[str, int]]) -> None:
    """Write the grades of documents, by query, in the order given.

    Raises:
        ConfigError: a name holds white space, which the format cannot express.
    """
    _write_lines(
        path,
        [
            f"{_name(query)} 0 {_name(document)} {grade}"
            for query, of_query in grades.items()
            for document, grade in of_query.items()
        ],
    )


def write_run(path: Path, rankings: Mapping[str, Sequence[str]], tag: str) -> None:
    """Write a ranking for each query, with scores that fall by one from place to place, so that nothing is tied.

    Args:
        path: where to write.
        rankings: for each query, documents from best to worst.
        tag: name of the run.

    Raises:
        ConfigError: a name holds white space, which the format cannot express.
    """
    lines = []
    for query, ranking in rankings.items():
        for rank, document in enumerate(ranking, start=1):
            lines.append(f"{_name(query)} Q0 {_name(document)} {rank} {len(ranking) - rank + 1} {_name(tag)}")
    _write_lines(path, lines)


def _read_lines(path: Path, n_fields: int, form: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of every line that is not empty, with its number."""
    try:
        text = read_limited_text(path, _MOST_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if fields and len(fields) != n_fields:
            raise ConfigError(f"{path}, line {number}: expected {form}, got {line.strip()!r}")
        if fields:
            yield number, fields


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        raise ConfigError(f"cannot write {path}: {error}") from error


def _score(text: str, where: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if math.isnan(score):
        raise ConfigError(f"{where}: the score must be a number, got {text!r}")
    return score


def _name(text: str) -> str:
    if not text or any(char.isspace() for char in text):
        raise ConfigError(f"{text!r} cannot stand in a TREC file: a name there has no spaces")
    return text

"""TREC files are written and read back the same, and bad ones are refused with their line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_app.evaluation.trec import rank_documents, read_qrels, read_run, write_qrels, write_run
from store.errors import ConfigError

NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)


@given(grades=st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(-1, 4), min_size=1)))
def test_qrels_come_back(grades: dict[str, dict[str, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was written is read, debatable ones included."""
    path = tmp_path_factory.getbasetemp() / "qrels"
    write_qrels(path, grades)
    assert grades == read_qrels(path)


@given(rankings=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, unique=True)))
def test_runs_come_back(rankings: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The order of every ranking is kept."""
    path = tmp_path_factory.getbasetemp() / "run"
    write_run(path, rankings, "fused")
    assert rankings == read_run(path)


def test_other_tools_read_our_files(tmp_path: Path) -> None:
    """ir-measures reads both files and agrees about the first answer."""
    theirs: Any = ir_measures  # its readers have no types
    write_qrels(tmp_path / "qrels", {"q": {"b": 1, "a": 0}})
    write_run(tmp_path / "run", {"q": ["a", "b"]}, "fused")
    qrels = list(theirs.read_trec_qrels(str(tmp_path / "qrels")))
    run = list(theirs.read_trec_run(str(tmp_path / "run")))
    assert 0.5 == ir_measures.calc_aggregate([ir_measures.RR], qrels, run)[ir_measures.RR]


def test_scores_decide_and_ties_are_settled_as_in_trec_eval(tmp_path: Path) -> None:
    """Written ranks are not looked at; of equal scores the later name is first."""
    path = tmp_path / "run"
    path.write_text("q Q0 a 1 0.5 x\n\nq Q0 c 2 0.5 x\nq Q0 b 3 0.9 x\n", encoding="utf-8")
    assert {"q": ["b", "c", "a"]} == read_run(path)
    assert ["b", "c", "a"] == rank_documents({"a": 0.5, "c": 0.5, "b": 0.9})


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (read_qrels, "q 0 a", "line 1: expected QUERY 0 DOCUMENT GRADE"),
        (read_qrels, "q 0 a 1\nq 0 b high\n", "line 2: the grade must be a whole number, got 'high'"),
        (read_run, "q Q0 a 1 0.5\n", "line 1: expected QUERY Q0 DOCUMENT RANK SCORE TAG"),
        (read_run, "q Q0 a 1 best x\n", "line 1: the score must be a number, got 'best'"),
        (read_run, "q Q0 a 1 nan x\n", "line 1: the score must be a number, got 'nan'"),
        (read_run, "q Q0 a 1 2 x\nq Q0 a 2 1 x\n", "line 2: a is ranked twice for query q"),
    ],
)
def test_bad_lines_are_refused(read: Callable[[Path], Any], text: str, expected: str, tmp_path: Path) -> None:
    """The message names file, line and what is wrong."""
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=str(path)) as raised:
        read(path)
    assert expected in str(raised.value)


def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """Absent, binary or unwritable files give our own error."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "absent", tmp_path / "binary", tmp_path):
        with pytest.raises(ConfigError, match="cannot read"):
            read_run(path)
    with pytest.raises(ConfigError, match="cannot write"):
        write_run(tmp_path / "no" / "run", {"q": ["a"]}, "x")
    with pytest.raises(ConfigError, match="no spaces"):
        write_qrels(tmp_path / "qrels", {"a query": {"b": 1}})

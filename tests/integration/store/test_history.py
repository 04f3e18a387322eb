"""What was asked lately, in a file that is no truth."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from store.files import seal
from store.truth.history import HISTORY_NAME, N_KEPT, append_history, read_history


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    """The oldest line is first, and any text comes back as it was."""
    lines = [{"query": "a boat"}, {"query": 'line\nbreak " \ud83d 猫'}]
    for line in lines:
        append_history(tmp_path, line)
    assert lines == read_history(tmp_path)


def test_a_line_that_was_torn_is_left_out(tmp_path: Path) -> None:
    """Half a line, as a power cut leaves it, costs that line alone."""
    whole, torn = seal({"query": "whole"}), seal({"query": "torn"})
    (tmp_path / HISTORY_NAME).write_bytes(whole + torn[:9] + b"\n" + whole + torn[:9])
    assert [{"query": "whole"}] * 2 == read_history(tmp_path)


def test_only_the_last_thousand_are_kept(tmp_path: Path) -> None:
    """A file that has grown large is cut, and the last thousand lines stay readable before and after."""
    long = "x" * 1_000
    path = tmp_path / HISTORY_NAME
    path.write_bytes(b"".join(seal({"n": n, "query": long}) for n in range(2 * N_KEPT)))
    before = path.stat().st_size
    assert list(range(N_KEPT, 2 * N_KEPT)) == [line["n"] for line in read_history(tmp_path)]
    append_history(tmp_path, {"n": 2 * N_KEPT, "query": long})
    assert path.stat().st_size < 0.6 * before
    assert list(range(N_KEPT + 1, 2 * N_KEPT + 1)) == [line["n"] for line in read_history(tmp_path)]


def test_two_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Lines of several writers never run into each other."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: append_history(tmp_path, {"n": n}), range(200)))
    assert list(range(200)) == sorted(line["n"] for line in read_history(tmp_path))


def test_where_nothing_can_be_written_nothing_happens(tmp_path: Path) -> None:
    """A folder that is not there, as one that is read-only, stops no search."""
    append_history(tmp_path / "gone", {"query": "a boat"})
    assert [] == read_history(tmp_path / "gone")

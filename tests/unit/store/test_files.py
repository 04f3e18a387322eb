"""Files are complete or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from store.errors import ArchiveError, ArchiveFullError
from store.files import (
    Replacement,
    dead_temporaries,
    digest_bytes,
    digest_file,
    put,
    quarantine,
    remove_dead_temporaries,
    seal,
    translated_errors,
    unseal,
)


def test_put_writes_and_keeps_the_first(tmp_path: Path) -> None:
    """Without overwriting the first writer wins; with it the last one does; nothing else is left behind."""
    path = tmp_path / "a" / "b" / "file"
    assert put(path, b"one", kind="segment", overwrite=False) is True
    assert put(path, b"two", kind="segment", overwrite=False) is False
    assert path.read_bytes() == b"one"
    assert put(path, b"three", kind="segment", overwrite=True) is True
    assert path.read_bytes() == b"three"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_later_of_two_writers_loses(tmp_path: Path) -> None:
    """A file that appears while another writer is still writing is not replaced."""
    late = Replacement(tmp_path / "file", "segment")
    late.write(b"late")
    put(tmp_path / "file", b"early", kind="segment", overwrite=False)
    assert late.commit(overwrite=False) is False
    assert (tmp_path / "file").read_bytes() == b"early"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_only_dead_temporaries_are_removed(tmp_path: Path) -> None:
    """The file of a live writer is left alone, that of a dead one goes."""
    alive = Replacement(tmp_path / "file", "segment")
    alive.write(b"half")
    dead = tmp_path / ".tmp-dead"
    dead.write_bytes(b"half")
    assert dead_temporaries(tmp_path) == [dead]
    remove_dead_temporaries(tmp_path)
    assert alive.commit(overwrite=False) is True
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_replacement_counts_and_digests_what_it_writes(tmp_path: Path) -> None:
    """Size and digest are those of the file."""
    replacement = Replacement(tmp_path / "file", "shard")
    for piece in (b"", b"a", b"bc" * 1000):
        assert replacement.write(piece) == len(piece)
    replacement.commit(overwrite=True)
    assert replacement.size_bytes == (tmp_path / "file").stat().st_size
    assert replacement.digest == digest_file(tmp_path / "file") == digest_bytes(b"a" + b"bc" * 1000)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, ArchiveFullError), (errno.EDQUOT, ArchiveFullError), (errno.EIO, ArchiveError)],
)
def test_errors_of_the_disk_are_explained(number: int, expected: type[Exception]) -> None:
    """A full disk, a used-up quota and a broken disk each give our own error, naming the place."""
    with pytest.raises(expected, match="/some/folder"), translated_errors(Path("/some/folder/file")):
        raise OSError(number, os.strerror(number))


def test_sealed_line_notices_every_byte() -> None:
    """A sealed line opens to what was sealed, and not at all if one byte differs."""
    fields = {"kind": "seen", "path": "é\n\udcff", "n": 3}
    line = seal(fields)
    assert unseal(line) == fields
    assert line.count(b"\n") == 1
    assert [
        i for i in range(len(line)) if unseal(line[:i] + bytes([line[i] ^ 1]) + line[i + 1 :]) is not None
    ] == []
    assert unseal(line[:-1]) is unseal(b"") is unseal(b"{}\n") is None


def test_quarantine_never_replaces(tmp_path: Path) -> None:
    """Two files of one name both stay in quarantine."""
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        quarantine(tmp_path / "file", tmp_path)
    assert sorted(path.read_text() for path in (tmp_path / "quarantine").iterdir()) == ["one", "two"]

"""An archive from a stranger reads, writes and runs nothing outside its folder, whatever digests say."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store.archive import Archive, check_archive, repair_archive
from store.errors import ArchiveDamagedError, ArchiveError
from store.events import RootNamed, Seen
from store.files import digest_file, seal
from store.identity import read_identity
from store.truth.edits import read_edits
from store.truth.segments import encode_segment, encode_table, read_segment, segment_name
from store.vectors.inverted_file import InvertedFile, InvertedFileEntry
from store.vectors.shard import Shard, ShardFile
from tests.integration.store.samples import SPACE, add_videos, captions_of, embeddings_of, segment_of
from tests.opened_files import watched


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two videos with texts."""
    folder = tmp_path_factory.mktemp("forged") / "archive"
    with Archive.create(folder) as archive:
        add_videos(archive, 0, 1)
        for video in (0, 1):
            archive.put_text(captions_of(video))
        archive.publish()
        archive.note_history({"at": "now", "query": "a boat", "hits": 3})
    return folder


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be forged."""
    return shutil.copytree(made, tmp_path / "archive")


def reseal(archive: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest of the current generation, with a digest that fits."""
    path = max((archive / "generations").glob("*.json"))
    fields = json.loads(path.read_text())
    del fields["sum"]
    change(fields)
    path.write_bytes(seal(fields))


def forge_file(archive: Path, path: Path, data: bytes) -> None:
    """Put other content in place of a file, and its size and digest into the manifest."""
    old = path.stat().st_size, digest_file(path)
    path.unlink()
    path.write_bytes(data)

    def change(value: Any) -> None:
        if isinstance(value, dict):
            if (value.get("size_bytes"), value.get("digest")) == old:
                value.update(size_bytes=len(data), digest=digest_file(path))
            for one in value.values():
                change(one)
        elif isinstance(value, list):
            for one in value:
                change(one)

    reseal(archive, change)


NAMES = ("../../secret", "/etc/passwd", "\0", 7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["catalog", "shards", "lexical", "files", "space_id", "edits", "inverted"])
def test_a_generation_names_files_of_its_own_folders_only(archive: Path, part: str, name: object) -> None:
    """Whatever a manifest calls its files, the archive is made again, and nothing outside is read or linked."""
    (archive.parent / "secret").write_bytes(b"secret")

    def change(fields: dict[str, Any]) -> None:
        match part:
            case "catalog":
                fields["catalog"]["name"] = name
            case "shards":
                fields["shards"][0]["name"] = name
            case "lexical":
                fields["lexical"]["name"] = name
            case "files":
                fields["lexical"]["files"][0].update(
                    name=name, size_bytes=6, digest=digest_file(archive.parent / "secret")
                )
            case "space_id":
                fields["space_id"] = name or "/"
            case "edits":
                fields["edits"] = {str(name): 0}
            case _:
                fields["inverted"] = {str(name): {"name": name, "size_bytes": 6, "digest": ""}}

    reseal(archive, change)
    with watched() as watch, Archive.open(archive) as opened:
        assert 2 == len(opened.snapshot().videos())
    outside = [path for path in watch.opened if path.startswith(str(archive.parent / "secret"))]
    assert [] == outside
    assert ["archive", "secret"] == sorted(path.name for path in archive.parent.iterdir())


@pytest.mark.parametrize("data", [b"", b"[" * 200_000, seal({"format": 6})[:-40], seal({"format": [1]})])
@pytest.mark.parametrize("name", ["CURRENT", "generations", "archive.json", "history.jsonl"])
def test_sealed_files_are_parsed_within_limits(archive: Path, name: str, data: bytes) -> None:
    """Torn, endless or foreign: made again, or refused in one line."""
    path = max((archive / name).glob("*.json")) if name == "generations" else archive / name
    path.write_bytes(data)
    try:
        with Archive.open(archive) as opened:
            assert 2 == len(opened.snapshot().videos())
            assert len(opened.history()) <= 1
    except ArchiveError as error:
        assert name == "archive.json"
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["CURRENT", "generations", "catalog", "vectors", "text", "edits", "segments"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_pipes_and_links_in_place_of_files_are_damage(archive: Path, name: str, kind: str) -> None:
    """Nothing is waited for, and what a link leads to is not read."""
    place = archive / name
    files = [place] if name == "CURRENT" else sorted(path for path in place.rglob("*") if path.is_file())
    outside = archive.parent / "outside"
    shutil.copy(files[0], outside)
    for path in files:
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to(outside)
    with watched() as watch:
        try:
            with Archive.open(archive) as opened:
                opened.snapshot().videos()
        except ArchiveError as error:
            assert "\n" not in str(error)
    assert str(outside) not in watch.opened


@pytest.mark.parametrize("name", ["edits", "edits-copy"])
@pytest.mark.parametrize("kind", ["pipe", "link", "dangling link"])
def test_a_repair_touches_nothing_behind_a_link(archive: Path, name: str, kind: str) -> None:
    """A file of edits, or its second copy, that is a link or a pipe is restored; what it led to is as before."""
    outside = archive.parent / "outside"
    outside.write_bytes(b"precious, and no line")
    path = min((archive / name).iterdir())
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(outside if kind == "link" else archive.parent / "nothing")
    with Archive.open(archive) as opened:
        opened.record([RootNamed("more", "/more")])
        opened.publish()
    repair_archive(archive, dry_run=False)
    assert [] == check_archive(archive, read_data=True)
    assert b"precious, and no line" == outside.read_bytes()
    with Archive.open(archive) as opened:
        assert 2 == len(opened.snapshot().videos())


def test_a_lock_that_is_a_link_is_not_opened(archive: Path) -> None:
    """What it leads to is not emptied."""
    outside = archive.parent / "outside"
    outside.write_bytes(b"precious")
    (archive / "writer.lock").unlink(missing_ok=True)
    (archive / "writer.lock").symlink_to(outside)
    with Archive.open(archive) as opened, pytest.raises(ArchiveError):
        opened.record([RootNamed("more", "/more")])
        opened.publish()
    assert b"precious" == outside.read_bytes()


@pytest.mark.parametrize("name", ["segments", "edits", "thumbs", "generations", "catalog", "vectors", "text"])
@pytest.mark.parametrize("depth", [1, 2])
def test_folders_that_are_links_are_refused(archive: Path, name: str, depth: int) -> None:
    """What is written into an archive stays in it."""
    outside = archive.parent / "outside"
    outside.mkdir()
    place = archive / name
    if depth == 1:
        shutil.rmtree(place)
        place.symlink_to(outside)
    else:
        (place / "zz").symlink_to(outside)
    if depth == 2 and name in ("edits", "generations", "catalog"):
        read_identity(archive)  # these hold no folders
        return
    with pytest.raises(ArchiveDamagedError, match=r"is a link"):
        Archive.open(archive)
    assert [] == list(outside.iterdir())


def test_a_catalog_reads_no_other_file(archive: Path) -> None:
    """Views of a forged catalog that read files fail, for readers and for the next publisher."""
    (archive.parent / "secret").write_text("very secret")
    path = max((archive / "catalog").glob("*.duckdb"))
    forged = archive.parent / "forged.duckdb"
    shutil.copy(path, forged)
    con = duckdb.connect(str(forged))
    con.execute("DROP VIEW location")
    secret = archive.parent / "secret"
    con.execute(
        "CREATE VIEW location AS SELECT root, relative_path AS root_path, content AS relative_path, size_bytes, "
        "mtime_ns, fingerprint, true AS present FROM place, read_text('SECRET')".replace("SECRET", str(secret))
    )
    con.close()
    forge_file(archive, path, forged.read_bytes())
    with Archive.open(archive) as opened:
        with pytest.raises(ArchiveError) as caught:
            opened.snapshot().videos()
        opened.record([Seen("library", "new.mp4", 5, 5, "0" * 32)])
        with pytest.raises(ArchiveError) as published:
            opened.publish()
    assert "secret'" not in str(caught.value).replace(str(archive.parent / "secret"), "")
    assert "very secret" not in f"{caught.value}{published.value}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE shot SET start_denominator = 0",
        "UPDATE shot SET boundary = 'sideways'",
        "UPDATE video SET facts = '[]'",
        "UPDATE video SET facts = repeat('[', 200000)",
        "UPDATE video SET facts = replace(facts, '1/24000', '1e999999999')",
        "UPDATE frame SET time_denominator = NULL",
        "UPDATE library_root SET path = NULL",
    ],
)
def test_rows_of_a_catalog_that_cannot_be_are_named(archive: Path, statement: str) -> None:
    """One line with the catalog's file, from whatever asks for its rows."""
    path = max((archive / "catalog").glob("*.duckdb"))
    forged = archive.parent / "forged.duckdb"
    shutil.copy(path, forged)
    con = duckdb.connect(str(forged))
    con.execute(statement)
    con.close()
    forge_file(archive, path, forged.read_bytes())
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        asked: list[Callable[[], object]] = [
            snapshot.videos,
            snapshot.shots,
            snapshot.locations,
            snapshot.roots,
            lambda: snapshot.search(embeddings_of(0, 1)[0], 10),
        ]
        for ask in asked:
            try:
                ask()
            except ArchiveDamagedError as error:
                assert path.name in str(error)
                assert "\n" not in str(error)[:200]


def test_thumbnails_lie_in_the_archive(archive: Path) -> None:
    """A name that leads elsewhere is that of no picture."""
    path = max((archive / "catalog").glob("*.duckdb"))
    forged = archive.parent / "forged.duckdb"
    shutil.copy(path, forged)
    con = duckdb.connect(str(forged))
    con.execute("UPDATE shot SET thumbnail = '../../secret.webp'; UPDATE frame SET thumbnail = '/etc/x.webp'")
    con.close()
    forge_file(archive, path, forged.read_bytes())
    with Archive.open(archive) as opened:
        snapshot = opened.snapshot()
        assert {""} == {shot.thumbnail for shot in snapshot.shots()}
        assert {""} == {hit.thumbnail for hit in snapshot.search(embeddings_of(0, 1)[0], 10)}


def _shard(tmp_path: Path, index: Any, n_vectors: int) -> Shard:
    path = tmp_path / "shard-0123456789abcdef.faiss"
    faiss.write_index(index, str(path))
    return Shard(path, ShardFile(path.name, path.stat().st_size, digest_file(path), n_vectors))


def test_no_index_has_vectors_in_another_file(tmp_path: Path) -> None:
    """FAISS would open the file that an index names, to write: it is refused, as shard and as inverted file."""
    vectors = np.random.default_rng(1).random((500, 16), np.float32)
    index: Any = faiss.IndexIVFFlat(faiss.IndexFlatL2(16), 16, 2)
    index.train(vectors)
    index.add(vectors)
    secret = tmp_path / "secret.dat"
    elsewhere: Any = faiss.OnDiskInvertedLists(2, index.code_size, str(secret))
    elsewhere.merge_from_1(index.invlists)
    index.replace_invlists(elsewhere)
    path = tmp_path / "inverted-0123456789abcdef.faiss"
    faiss.write_index(index, str(path))
    with pytest.raises(ArchiveDamagedError):
        InvertedFile(path, InvertedFileEntry(path.name, path.stat().st_size, digest_file(path)))
    with pytest.raises(ArchiveDamagedError):
        Shard(path, ShardFile(path.name, path.stat().st_size, digest_file(path), 500))


def test_a_shard_is_an_index_of_the_one_kind(tmp_path: Path) -> None:
    """Other indexes, and numbers of vectors that do not fit, are refused when it is opened, not in a search."""
    vectors = np.random.default_rng(1).random((10, 16), np.float32)
    ids = np.arange(10)
    good: Any = faiss.IndexIDMap(faiss.IndexScalarQuantizer(16, faiss.ScalarQuantizer.QT_fp16, 0))
    good.add_with_ids(vectors, ids)
    assert 10 == len(_shard(tmp_path, good, 10).frame_ids)
    flat: Any = faiss.IndexFlatIP(16)
    flat.add(vectors)
    wide: Any = faiss.IndexIDMap(faiss.IndexScalarQuantizer(16, faiss.ScalarQuantizer.QT_8bit, 0))
    wide.train(vectors)
    wide.add_with_ids(vectors, ids)
    for index, n_vectors in ((good, 11), (flat, 10), (wide, 10)):
        with pytest.raises(ArchiveDamagedError, match="something else"):
            _shard(tmp_path, index, n_vectors)
    path = tmp_path / "shard-00.faiss"
    path.write_bytes(b"IxMp" + b"\xff" * 64)
    with pytest.raises(ArchiveDamagedError):
        Shard(path, ShardFile(path.name, 68, digest_file(path), 1))


GOOD_SEEN = {"root": "r", "relative_path": "a", "size_bytes": 1, "mtime_ns": 1, "fingerprint": "aa"}
STRETCH = {"name": "s", "fingerprint": "aa", "start": "0/1", "end": "1/1", "is_member": True}
CUT = {"name": "c", "version": "v", "parent": "", "action": "", "editor": "", "clip_ids": [], "clips": {}}


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "seen", **GOOD_SEEN, "size_bytes": 10**30},
        {"kind": "seen", **GOOD_SEEN, "root": ["r"]},
        {"kind": "seen", **GOOD_SEEN, "mtime_ns": 1.5},
        {"kind": "seen", "root": "r"},
        {"kind": "set", **STRETCH, "end": "1e999999999"},
        {"kind": "set", **STRETCH, "end": "1/0"},
        {"kind": "set", **STRETCH, "end": "9" * 5_000},
        {"kind": "set", **STRETCH, "is_member": "yes"},
        {"kind": "exported", "name": "x", "clips": [["aa", "0/1"]]},
        {"kind": "exported", "name": "x", "clips": [["aa", "0/1", "1e99999999"]]},
        {"kind": "metadata", "fingerprint": "aa", "metadata": {"a": 1}},
        {"kind": "cut", **CUT, "clip_ids": ["two words"]},
        {"kind": "cut", **CUT, "clips": {"x": {"start": "1e999999999", "end": "2/1"}}},
        {"kind": "cut", **CUT, "clips": {"x": 7}},
        {"kind": "space", "space": {**asdict(SPACE), "space_id": "../../../outside"}, "source": "demo"},
        {"kind": "space", "space": {**asdict(SPACE), "dim": 10**9}, "source": "demo"},
        {"kind": "space", "space": 7, "source": "demo"},
        {"kind": "root", "name": "r", "path": "/x", "at": 2**80},
        {"kind": "root", "name": "r", "path": "/x", "at": "now"},
        {"kind": "root", "name": "r", "path": "/x", "by": 7},
    ],
)
def test_an_event_that_cannot_be_is_a_damaged_line(archive: Path, fields: dict[str, Any]) -> None:
    """Sealed as it may be, it is left out; the others hold, and the archive opens."""
    path = archive / "edits" / "aaaaaaaaaaaa-000000.jsonl"
    good = {"at": 5, "by": "aaaaaaaaaaaa", "kind": "root", "name": "other", "path": "/other"}
    path.write_bytes(seal({"at": 4, "by": "aaaaaaaaaaaa", **fields}) + seal(good))
    piece = read_edits(path)
    assert ((1,), [RootNamed("other", "/other")]) == (piece.damaged_lines, [one.event for one in piece.events])
    with Archive.open(archive) as opened:
        opened.publish()
        assert "/other" == opened.snapshot().roots()["other"]
    assert not (archive.parent / "outside").exists()


def _forged_segment(folder: Path, change: Callable[[pa.Table, dict[str, Any]], pa.Table]) -> Path:
    segment = segment_of(0)
    whole = pa.BufferReader(encode_segment(segment))
    header = json.loads(pq.read_metadata(whole).metadata[b"rushes"])
    table = change(pq.read_table(whole).replace_schema_metadata(None), header)
    path = folder / segment_name(segment.fingerprint, segment.stage, segment.key)
    path.write_bytes(encode_table(table, header))
    return path


def _set(name: str, value: Any) -> Callable[[pa.Table, dict[str, Any]], pa.Table]:
    def change(table: pa.Table, _: dict[str, Any]) -> pa.Table:
        column = pa.array([value] * table.num_rows, table[name].type)
        return table.set_column(table.column_names.index(name), name, column)

    return change


def _head(**values: Any) -> Callable[[pa.Table, dict[str, Any]], pa.Table]:
    def change(table: pa.Table, header: dict[str, Any]) -> pa.Table:
        header.update(values)
        return table

    return change


def _video(**values: Any) -> Callable[[pa.Table, dict[str, Any]], pa.Table]:
    def change(table: pa.Table, header: dict[str, Any]) -> pa.Table:
        header["video"].update(values)
        return table

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("start_denominator", 0),
        _set("time_denominator", -1),
        _set("start_seconds", float("nan")),
        _set("start_seconds", 1e9),
        _set("boundary", "sideways"),
        _set("shot_id", None),
        lambda table, _: table.drop_columns(["thumbnail"]),
        lambda table, _: table.rename_columns([f"x{i}" for i in range(table.num_columns)]),
        lambda table, _: table.set_column(0, "frame_id", pa.array(["a"] * table.num_rows)),
        lambda table, _: table.drop_columns(["embedding"]),
        _head(space={**asdict(SPACE), "space_id": "../../outside"}),
        _head(space={**asdict(SPACE), "dim": 3}),
        _head(space=None),
        _head(n_frames="many"),
        _head(created_ns=2**70),
        _head(format="1"),
        _video(span=["0", "1e999999999"]),
        _video(time_base="0"),
        _video(width_px="wide"),
        _video(warnings=[[]]),
    ],
)
def test_a_segment_that_cannot_be_is_damage(
    tmp_path: Path, change: Callable[[pa.Table, dict[str, Any]], pa.Table]
) -> None:
    """Right digest or not: wrong columns, types, times, spaces and facts are noticed when it is read."""
    with pytest.raises(ArchiveDamagedError) as caught:
        read_segment(_forged_segment(tmp_path, change))
    assert "\n" not in str(caught.value)

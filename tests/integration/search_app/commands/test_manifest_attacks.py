"""A manifest that a stranger sent runs, reads and writes nothing that its reader did not name."""

from __future__ import annotations

import copy
import json
import os
import random
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from search_app.cli import main
from search_app.errors import RenderError
from search_app.exports.manifest import _digest, read_manifest
from search_app.exports.manifest_sources import Allowed, refuse_unasked, with_sources
from search_app.timelines.relink import Relinker
from tests.e2e.small_archive import draw_library, index_library
from tests.opened_files import watched

Change = Callable[[dict[str, Any]], object]


def run(*arguments: str | Path, status: int = 0) -> str:
    """What a command says, which must end with that status."""
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two drawn videos, and a film of three of their shots beside it."""
    folder = tmp_path_factory.mktemp("attacks")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    run("supercut", folder / "archive", "a pink castle", "-o", folder / "film.mp4", "--limit", "3", "--nearest")
    return folder / "archive"


@pytest.fixture
def forge(archive: Path, tmp_path: Path) -> Callable[[Change], Path]:
    """Makes a manifest with a change in it and a digest that fits."""
    entries = json.loads((archive.parent / "film.mp4.json").read_text())

    def make(change: Change) -> Path:
        forged = copy.deepcopy(entries)
        change(forged)
        forged["digest"] = _digest(forged)
        target = tmp_path / "forged.json"
        target.write_text(json.dumps(forged))
        return target

    return make


def refused(manifest: Path, *options: str | Path) -> str:
    """The one line in which a manifest is refused; no film is there then."""
    film = manifest.with_name("x.mp4")
    said = run("supercut", "--from", manifest, "-o", film, *options, status=1)
    assert 1 == len(said.splitlines()), said
    assert "fault of ours" not in said
    assert not film.exists()
    return said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("program", {"program": "EVIL"}),
        ("program", "EVIL"),
        ("verify", False),
        ("overwrite", True),
        ("skip_missing", True),
        ("output", "EVIL"),
        ("identify", None),
        ("provenance", {}),
        ("cancel", None),
        ("on_progress", None),
    ],
)
def test_what_runs_writes_or_looks_away_is_no_option(
    forge: Callable[[Change], Path], tmp_path: Path, name: str, value: object
) -> None:
    """A program, an output, and what switches a check off are refused by name, and nothing is started."""
    evil, trace = tmp_path / "evil.sh", tmp_path / "trace"
    evil.write_text(f"#!/bin/sh\ntouch {trace}\necho 'ffmpeg version 9'\n")
    evil.chmod(0o755)
    value = json.loads(json.dumps(value).replace("EVIL", str(evil)))
    manifest = forge(lambda e: e["render_options"].update({name: value}))
    with watched() as watch:
        assert f"has no {name} for supercuts" in refused(manifest)
    assert not trace.exists()
    assert [] == watch.started
    assert str(evil) not in watch.opened


def profile(**changes: object) -> Change:
    return lambda e: e["render_options"]["profile"].update(changes)


def film(**changes: object) -> Change:
    return lambda e: e["render_options"]["film"].update(changes)


def clip(path: str, value: object) -> Change:
    def change(entries: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place = entries["cut_list"][0]
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (profile(sample_rate=10**9), "sample_rate"),
        (profile(n_channels=10**6), "channel_layout"),
        (profile(channel_layout="stereo[a];movie=/etc/passwd"), "channel_layout"),
        (profile(encoder="/home/evil"), "encoder"),
        (profile(encoder="rawvideo"), "encoder"),
        (profile(preset="placebo -f null"), "preset"),
        (profile(matrix="bt709:x=y"), "matrix"),
        (profile(crf=-(10**6)), "crf"),
        (profile(width_px=16384, height_px=16384), "size of its picture"),
        (profile(audio_bits_per_second=10**12), "audio_bits_per_second"),
        (profile(frame_rate="1e999999999"), "no time"),
        (profile(frame_rate="1/0"), "no time"),
        (profile(codec="rawvideo"), "rawvideo"),
        (film(loudness=10**6), "loudness"),
        (film(transition="wipe"), "wipe"),
        (film(transition="dissolve", transition_seconds=10**9), "transition_seconds"),
        (film(card_seconds=10**9, title="a"), "card_seconds"),
        (film(title="a" * 10**6), "title"),
        (clip("span.end", "9" * 10**5 + "/1"), "Clip.span.end"),
        (clip("span.end", "1e999999999"), "1e999999999"),
        (clip("span.end", "99999999999/1"), "span"),
        (clip("facts.time_base", "0/1"), "time_base"),
        (clip("facts.width_px", 10**12), "width_px"),
        (clip("facts.start_pts_offset", "1" * 39), "start_pts_offset"),
        (clip("video_id", "/etc/passwd"), "video_id"),
        (clip("video_id", 7), "video_id"),
        (clip("paths", ["relative.mp4"]), "paths"),
        (clip("paths", ["/a\0b"]), "paths"),
        (clip("paths", []), "number of paths"),
        (clip("hits", []), "number of hits"),
        (clip("hits.0.rank", -5), "rank"),
        (clip("hits.0.score", 10**30), "score"),
        (lambda e: e.update(cut_list=[]), "it has 0 clips"),
        (lambda e: e.update(cut_list=[{}] * 600_000), "600,000 clips"),
        (lambda e: e.update(cut_list={"a": 1}), "cut_list"),
        (lambda e: e.update(render_options=[]), "render_options"),
        (lambda e: e.pop("checksums"), "checksums"),
        (lambda e: e["render_options"].update(texts=[]), "number of texts"),
        (lambda e: e.update(versions={"ffmpeg": "\x1b]0;owned\x07"}), "version"),
        (lambda e: e.update(threads=True), "threads"),
        (lambda e: e.update(query="a" * 2 * 2**20), "length of query"),
        (lambda e: e.update(manifest=-1), "newer Rushes"),
    ],
)
def test_what_is_out_of_range_is_refused_in_a_line(
    forge: Callable[[Change], Path], change: Change, says: str
) -> None:
    """Every number, name and text has a range; what lies outside is named, and cut short."""
    said = refused(forge(change))
    assert says in said
    assert len(said) < 600


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "nested deeper"),
        (b'{"a":' * 200_000, "nested deeper"),
        (b"[" + b"[]," * 3_000_000 + b"[]]", "more than 2,000,000 values"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "100,000 digits"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "1e999"),
        (b'{"format": 1, "format": 2}', "'format' is in it twice"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"{", "no JSON"),
        (b"", "no JSON"),
    ],
)
def test_what_no_reader_should_parse_is_not_parsed(tmp_path: Path, data: bytes, says: str) -> None:
    """Depth, digits, numbers that are none, keys that come twice: refused at once, in little memory."""
    manifest = tmp_path / "m.json"
    manifest.write_bytes(data)
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert says in refused(manifest)
    assert time.process_time() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kibibytes


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe, a device, a folder, and a sparse file of a terabyte."""
    pipe, huge = tmp_path / "pipe", tmp_path / "huge"
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(2**40)
    for path, says in (
        (pipe, "no regular file"),
        (Path("/dev/zero"), "no regular file"),
        (tmp_path, "no regular file"),
        (huge, "larger than 64 MiB"),
    ):
        said = run("supercut", "--from", path, "-o", tmp_path / "x.mp4", status=1)
        assert (says in said, 1) == (True, len(said.splitlines())), said


def test_files_that_it_names_are_asked_for(archive: Path, forge: Callable[[Change], Path], tmp_path: Path) -> None:
    """Music and a watermark are opened only with --allow-file, compared by where the paths lead."""
    (tmp_path / "allowed").mkdir()
    mark, link = tmp_path / "mark.png", tmp_path / "allowed" / "link.png"
    Image.new("RGB", (8, 8), "red").save(mark)
    link.symlink_to(mark)
    options = {"music": str(archive.parent / "library" / "clip0.mp4"), "watermark": str(mark)}
    manifest = forge(film(**options))
    with watched() as watch:
        said = refused(manifest)
    assert f"--allow-file {options['music']} --allow-file {mark}" in said
    assert [] == [path for path in watch.opened if path in options.values()]
    linked = forge(film(watermark=str(link)))
    assert f"--allow-file {link}" in refused(linked, "--allow-file", tmp_path / "allowed")
    assert f"--allow-file {mark}" in refused(
        forge(film(watermark=f"{tmp_path}/allowed/../mark.png")), "--allow-file", tmp_path / "allowed"
    ).replace("allowed/../", "")
    run("supercut", "--from", linked, "-o", tmp_path / "x.mp4", "--allow-file", mark, status=1)  # another film
    assert (tmp_path / "x.mp4").exists()


def test_sources_are_those_of_the_archive(archive: Path, forge: Callable[[Change], Path], tmp_path: Path) -> None:
    """What a manifest says of places is not followed: not for content the archive lacks, and not beside it."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes((archive.parent / "library" / "clip0.mp4").read_bytes() + b"more")

    def steal(entries: dict[str, Any]) -> None:
        for one in entries["cut_list"]:
            one["paths"] = [str(secret)]
            one["video_id"] = "0" * 32

    manifest = forge(steal)
    for options in ((), (archive,)):
        with watched() as watch:
            assert f"--allow-file {secret}" in refused(manifest, *options)
        assert str(secret) not in watch.opened
    assert "has changed" in refused(manifest, "--allow-file", secret)


def test_a_path_map_leads_nowhere_else(forge: Callable[[Change], Path], tmp_path: Path) -> None:
    """`..` and links do not lead out of the folder that the path map names."""
    (tmp_path / "media").mkdir()
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    (tmp_path / "media" / "link.mp4").symlink_to(secret)
    for path in ("/lib/../secret.mp4", "/lib/link.mp4"):

        def steal(entries: dict[str, Any], path: str = path) -> None:
            for one in entries["cut_list"]:
                one.update(paths=[path], video_id="0" * 32)

        with watched() as watch:
            assert "--allow-file" in refused(forge(steal), "--path-map", f"/lib={tmp_path / 'media'}")
        assert [] == [name for name in watch.opened if name.endswith(("secret.mp4", "link.mp4"))]


def _name_archive(folder: object, entries: dict[str, Any]) -> None:
    entries["archive"]["folder"] = folder


def test_an_archive_of_another_place_is_not_opened(forge: Callable[[Change], Path], tmp_path: Path) -> None:
    """Where a manifest names no archive of one's own, nothing but an identity is looked for."""
    other = tmp_path / "other"
    other.mkdir()
    os.mkfifo(other / "archive.json")
    named: tuple[object, ...] = (str(other), "relative", "/etc", 7, None, "/a\0b")
    for folder in named:
        manifest = forge(partial(_name_archive, folder))
        with watched() as watch:
            assert "no ARCHIVE is named" in refused(manifest)
        assert [] == [path for path in watch.opened if path.startswith(str(other))]
    assert "no ARCHIVE is named" in refused(forge(lambda e: e.update(archive=[])))


VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**18, 1e308, [], {}, [[]]),
    *("", "a" * 5_000, "/etc/passwd", "1/0", "1e99999", "9" * 500),
)


def mutate(value: Any, chance: random.Random) -> Any:
    """The value with one part of it changed, dropped, doubled or swapped for something of another kind."""
    if not isinstance(value, (dict, list)) or not value or chance.random() < 0.1:
        return chance.choice(VALUES)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = chance.choice(keys)
    kind = chance.random()
    if kind < 0.1:
        del value[key]
    elif kind < 0.2 and isinstance(value, list):
        value.append(copy.deepcopy(value[key]))
    elif kind < 0.2:
        value[chance.choice(("program", "../../x", "__class__", "\x1b[2J"))] = value[key]  # type: ignore[call-overload]
    else:
        value[key] = mutate(value[key], chance)
    return value


def test_no_change_of_a_manifest_opens_a_file_or_is_a_fault_of_ours(archive: Path, tmp_path: Path) -> None:
    """600 random changes, sealed anew: each is read, or refused by our error, and nothing else is opened."""
    entries = json.loads((archive.parent / "film.mp4.json").read_text())
    target = tmp_path / "m.json"
    chance = random.Random(20261201)
    parts = ("render_options", "cut_list", "cut_list", "checksums", "archive", "versions", "rights")
    n_read = 0
    for _ in range(600):
        forged = copy.deepcopy(entries)
        part = chance.choice(parts)
        forged[part] = mutate(forged[part], chance)
        forged["digest"] = _digest(forged)
        target.write_text(json.dumps(forged))
        with watched() as watch:
            try:
                known = read_manifest(target)
                refuse_unasked(known.options, Allowed())
                with_sources(known.cut_list, Relinker(), Allowed(), None)
            except RenderError as error:
                assert "\n" not in str(error)
                n_read += "no ARCHIVE is named" in str(error)
        assert {str(target)} == set(watch.opened)
        assert [] == watch.started
    assert n_read > 30

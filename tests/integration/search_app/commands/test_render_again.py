"""A film rendered again from its manifest is the same film, to the last bit, or it is said why it is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner

from search_app.cli import main
from search_app.exports.manifest import _digest
from tests.e2e.small_archive import draw_library, index_library


def run(*arguments: str | Path, status: int = 0) -> str:
    """What a command says, which must end with that status."""
    ran = CliRunner().invoke(main, [*map(str, arguments)])
    assert status == ran.exit_code, ran.output
    return ran.output


def decoded(film: Path) -> tuple[list[bytes], bytes]:
    """Every picture and all sound of a film, as they decode."""
    with av.open(str(film)) as container:
        pictures = [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    with av.open(str(film)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return pictures, sound.tobytes()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two drawn videos, a film of three of their shots, and its manifest, in one folder."""
    folder = tmp_path_factory.mktemp("again")
    draw_library(folder / "library")
    index_library(folder / "archive", folder / "library")
    run("supercut", folder / "archive", "a pink castle", "-o", folder / "film.mp4", "--limit", "3", "--nearest")
    return folder / "archive"


@pytest.fixture
def manifest(archive: Path) -> Path:
    """The manifest of the film."""
    return archive.parent / "film.mp4.json"


def forge(manifest: Path, target: Path, change: Callable[[dict[str, Any]], object], *, seal: bool = False) -> Path:
    """A manifest with a change in it, with or without a digest that fits."""
    entries = json.loads(manifest.read_text())
    change(entries)
    if seal:
        entries["digest"] = _digest(entries)
    target.write_text(json.dumps(entries))
    return target


def test_the_film_is_the_same_to_the_last_bit(archive: Path, manifest: Path, tmp_path: Path) -> None:
    """Every decoded picture and all sound, without archive and query, from sources that were moved meanwhile."""
    library = archive.parent / "library"
    moved = shutil.copytree(library, tmp_path / "elsewhere")
    shutil.move(library, archive.parent / "hidden")
    try:
        film = tmp_path / "new.mp4"
        idle = ("--path-map", "/nowhere=/media")
        said = run("supercut", "--from", manifest, "-o", film, "--path-map", f"{library}={moved}", *idle)
    finally:
        shutil.move(archive.parent / "hidden", library)
    assert "is the same film: every decoded picture and all sound" in said
    assert "--path-map /nowhere=/media changes nothing" in said
    pictures, sound = decoded(archive.parent / "film.mp4")
    assert (54, True) == (len(pictures), len(sound) > 0)
    assert (pictures, sound) == decoded(film)
    again = json.loads((tmp_path / "new.mp4.json").read_text())
    assert "a pink castle" == again["query"]
    assert {"manifest": "film.mp4.json"}.items() <= again["rendered_from"].items()


def test_a_manifest_says_where_everything_is_from(archive: Path, manifest: Path) -> None:
    """Query, space with the hash of its weights, versions, exact places on the sources' clocks, checksums."""
    entries = json.loads(manifest.read_text())
    assert ("a pink castle", 32) == (entries["query"], len(entries["digest"]) // 2)
    assert {"name", "weights_hash", "space_id"} <= set(entries["space"])
    assert {"ffmpeg", "rushes", "av", "torch"} <= set(entries["versions"])
    first = entries["clips"][0]
    base = first["pts"]["time_base"].split("/")
    seconds = [first["pts"][edge] * int(base[0]) / int(base[1]) for edge in ("in", "out")]
    assert [first["in"]["seconds"], first["out"]["seconds"]] == pytest.approx(seconds, abs=1e-4)
    assert Path(first["source"]).stat().st_size == first["source_size_bytes"]
    assert ["00:00:00:00", "00:00:01:06"] == sorted({clip["timecode"]["in"] for clip in entries["clips"]})
    assert 3 == len(set(entries["checksums"]["clips"]))
    assert archive.parent / "film.mp4" == manifest.with_suffix("")


def test_sources_are_found_by_the_archive(archive: Path, manifest: Path, tmp_path: Path) -> None:
    """A file that was renamed and scanned again is found by its content."""
    library = archive.parent / "library"
    (library / "clip0.mp4").rename(library / "renamed.mp4")
    try:
        missing = run("supercut", "--from", manifest, "-o", tmp_path / "x.mp4", status=1)
        run("index", archive, library, "--model", "demo")
        said = run("supercut", archive, "--from", manifest, "-o", tmp_path / "x.mp4")
    finally:
        (library / "renamed.mp4").rename(library / "clip0.mp4")
        run("index", archive, library, "--model", "demo")
    assert "is missing" in missing
    assert "is the same film" in said


def test_a_changed_source_is_noticed(archive: Path, manifest: Path, tmp_path: Path) -> None:
    """Another file at the recorded place is not rendered."""
    library = shutil.copytree(archive.parent / "library", tmp_path / "copy")
    shutil.copy(library / "clip1.mp4", library / "clip0.mp4")
    options = ("--path-map", f"{archive.parent / 'library'}={library}")
    original = archive.parent / "library"
    original.rename(archive.parent / "away")
    try:
        said = run("supercut", "--from", manifest, "-o", tmp_path / "x.mp4", *options, status=1)
    finally:
        (archive.parent / "away").rename(original)
    assert "clip0.mp4 has changed" in said
    assert not (tmp_path / "x.mp4").exists()


def test_a_manifest_that_cannot_be_trusted_is_refused(manifest: Path, tmp_path: Path) -> None:
    """One clear line each: changed, newer, not sealed, something else, not there, from another command line."""

    def refused(forged: Path) -> str:
        return run("supercut", "--from", forged, "-o", tmp_path / "x.mp4", status=1)

    target = tmp_path / "m.json"
    assert "was changed after it was written" in refused(
        forge(manifest, target, lambda e: e["cut_list"][0]["span"].update(end="9/1"))
    )
    assert "newer Rushes" in refused(forge(manifest, target, lambda e: e.update(manifest=99), seal=True))
    assert "without a seal" in refused(forge(manifest, target, lambda e: e.pop("digest")))
    assert "this Rushes has no sparkle" in refused(
        forge(manifest, target, lambda e: e["render_options"].update(sparkle=True), seal=True)
    )
    assert "Clip has no glitter" in refused(
        forge(manifest, target, lambda e: e["cut_list"][0].update(glitter=1), seal=True)
    )
    target.write_text("[]")
    assert "is no manifest" in refused(target)
    assert "cannot read the manifest" in refused(tmp_path / "nowhere.json")
    assert [target] == list(tmp_path.iterdir())


def test_options_that_the_manifest_decides_are_refused(archive: Path, manifest: Path, tmp_path: Path) -> None:
    """What to render and how is the manifest's word; without one an archive is needed."""
    film = tmp_path / "x.mp4"
    said = run("supercut", archive, "a bus", "--from", manifest, "-o", film, "--limit", "2", status=2)
    assert "QUERY, --limit: not together with --from" in said
    assert "--path-map: only with --from" in run(
        "supercut", archive, "a", "-o", film, "--path-map", "a=b", status=2
    )
    assert "which ARCHIVE" in run("supercut", "-o", film, status=2)
    assert [] == list(tmp_path.iterdir())


def test_another_film_is_said_to_be_another(archive: Path, manifest: Path, tmp_path: Path) -> None:
    """Where one picture of a clip is not the recorded one, that clip is named, and the exit status is 1."""

    def change(entries: dict[str, Any]) -> None:
        entries["checksums"]["clips"][1] = "0" * 32
        entries["versions"]["numpy"] = "1.0"

    forged = forge(manifest, tmp_path / "m.json", change, seal=True)
    said = run("supercut", archive, "--from", forged, "-o", tmp_path / "x.mp4", status=1)
    assert "is another film: other pictures in clips 2; then numpy 1.0, now" in said


def test_rights_are_asked_of_the_archive_that_the_manifest_names(
    archive: Path, manifest: Path, tmp_path: Path
) -> None:
    """Without ARCHIVE, too; where that archive is gone, it is said and recorded that nobody was asked."""
    film = tmp_path / "x.mp4"
    run("rights", archive, "clip0.mp4", "--block", "--note", "embargo")
    try:
        assert "embargo" in run("supercut", "--from", manifest, "-o", film, status=1)
    finally:
        run("rights", archive, "clip0.mp4", "--clear")
    assert not film.exists()
    archive.rename(archive.with_name("away"))
    try:
        refused = run("supercut", "--from", manifest, "-o", film, status=1)
        said = run("supercut", "--from", manifest, "-o", film, "--allow-file", archive.parent / "library")
    finally:
        archive.with_name("away").rename(archive)
    assert f"--allow-file {archive.parent / 'library' / 'clip0.mp4'}" in refused
    assert "rights were not checked" in said
    assert json.loads((tmp_path / "x.mp4.json").read_text())["rights"]["checked_on"] is None

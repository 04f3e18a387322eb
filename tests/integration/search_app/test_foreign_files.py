"""Files from strangers: none is waited for, none has another opened, and each fails in a line."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from indexer.errors import ScanError
from indexer.library.listing import ScanSettings, is_own_film, list_files
from indexer.media.ffmpeg import find_ffmpeg
from search_app.cli import main
from search_app.config import SearchSettings
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import build_cut_list
from search_app.cutting.stored_cut import CutClip
from search_app.errors import QueryError, RenderError
from search_app.evaluation.trec import read_qrels
from search_app.exports.clip_picture import clip_picture
from search_app.exports.film import plan_film
from search_app.rendering.ledger import wrote_subtitles
from search_app.rendering.loudness import Loudspeaker
from search_app.rendering.overlays import read_watermark
from search_app.search.decisions import resolve_saved
from search_app.ui.thumbnails import framed_thumbnail
from store.archive import Archive
from store.config import read_settings
from store.errors import ArchiveError, ConfigError
from store.events import SearchSaved
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, row_of
from tests.opened_files import watched


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe into which nothing is written: who opens it without care waits for ever."""
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    return path


def ends(call: Callable[[], object]) -> BaseException | object:
    """What a call gives or raises, within seconds."""
    came: list[BaseException | object] = []

    def work() -> None:
        try:
            came.append(call())
        except Exception as error:
            came.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert came, "it waits"
    return came[0]


def test_pipes_are_not_waited_for(pipe: Path) -> None:
    """As watermark, music, settings, metadata, ledger, truth, and beside a film."""
    speaker = Loudspeaker(find_ffmpeg(), Profile(64, 64, Fraction(25)))
    for call, kind in (
        (lambda: read_watermark(pipe), RenderError),
        (lambda: speaker.check_music(pipe), RenderError),
        (lambda: read_settings(SearchSettings, pipe), ConfigError),
        (lambda: read_qrels(pipe), ConfigError),
    ):
        error = ends(call)
        assert isinstance(error, kind)
        assert "it is no regular file" in str(error) or "PNG, JPEG" in str(error)
    shutil.move(pipe, pipe.with_name("film.mp4.json"))
    assert ends(lambda: is_own_film(pipe.with_name("film.mp4"))) is False
    assert ends(lambda: wrote_subtitles(pipe.with_name("film.mp4.json"))) is False


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = " + "[" * 5_000 + "]" * 5_000, "settings file"),
        ("x" * 2**20 + "y", "larger than 1 MiB"),
        ("[ranking]\nrank_constant = nan", "cannot be nan"),
        ("[ranking]\nrank_constant = inf", "cannot be inf"),
        ("[ranking]\npool = " + "9" * 300, "cannot be 9999"),
        ("[ranking]\nprogram = '/bin/sh'", "unknown setting 'ranking.program'"),
    ],
)
def test_settings_are_numbers_within_reason(tmp_path: Path, text: str, says: str) -> None:
    """Too deep, too long, no number, no key that is not listed."""
    path = tmp_path / "search.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_settings(SearchSettings, path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("list.jsonl", b'{"path": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper"),
        ("list.jsonl", b'{"path": ' + b"9" * 5_000 + b"}", "5,000 digits"),
        ("list.jsonl", b'{"path": NaN}', "NaN"),
        ("list.csv", b"path,note\nx.mp4," + b"a" * 200_000, "field larger|longer texts"),
        ("list.csv", b"path\n\xff\xfe", "UTF-8"),
        ("list.txt", b"\xff", "UTF-8"),
    ],
)
def test_metadata_files_are_read_within_limits(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    """One line that names the file."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ScanError, match=says) as caught:
        list(list_files([path], ScanSettings(), tmp_path / "archive"))
    assert (True, False) == (name in str(caught.value), "\n" in str(caught.value))


def test_paths_of_a_metadata_file_are_paths(tmp_path: Path) -> None:
    """Addresses, zero characters, pipes and devices are no videos, and are not opened."""
    os.mkfifo(tmp_path / "pipe.mp4")
    path = tmp_path / "list.jsonl"
    named = [
        "http://example.com/a.mp4",
        "concat:a.mp4|b.mp4",
        "a\0b.mp4",
        "pipe.mp4",
        "/dev/zero",
        "-i",
        "x" * 5_000,
    ]
    path.write_text("".join(json.dumps({"path": one}) + "\n" for one in named))
    with watched() as watch:
        listed = list(list_files([path], ScanSettings(), tmp_path / "archive"))
    assert len(named) == len(listed)
    assert {True} == {getattr(one, "is_failure", False) for one in listed}
    assert [str(path)] == watch.opened


@pytest.mark.parametrize(
    "options",
    [{"limit": "many"}, {"limit": 10**9}, {"sort": ["x"]}, {"sort": "sideways"}, {"variety": 7}, {"merge": "yes"}],
)
def test_options_of_a_saved_search_have_types(tmp_path: Path, options: dict[str, Any]) -> None:
    """What a stranger saved is refused by name."""
    with Archive.create(tmp_path / "archive") as archive:
        archive.record([SearchSaved("theirs", "boat", options)])
        archive.publish()
        with pytest.raises(QueryError, match=f"its {next(iter(options))} is"):
            resolve_saved(archive, "theirs", None, {})


CLIP = CutClip("aa", TimeSpan(Fraction(0), Fraction(1)), Fraction(1, 2), "/x.mp4").to_plain()


@pytest.mark.parametrize(
    "change",
    [{"end": "1e999999999"}, {"time": "1/0"}, {"rank": "1"}, {"score": None}, {"state": "maybe"}, {"path": 7}],
)
def test_a_stored_clip_has_types(change: dict[str, Any]) -> None:
    """A field that is missing, or none, is named."""
    assert CutClip.from_plain(CLIP)
    with pytest.raises(ValueError, match=r"."):
        CutClip.from_plain({**CLIP, **change})
    with pytest.raises(ValueError, match=r"is none"):
        CutClip.from_plain({name: value for name, value in CLIP.items() if name not in change})


def test_pictures_of_an_archive_are_no_links(tmp_path: Path) -> None:
    """Neither the page nor a sheet shows what lies elsewhere."""
    (tmp_path / "thumbs" / "aa").mkdir(parents=True)
    secret = tmp_path / "secret.webp"
    Image.new("RGB", (64, 64), "red").save(secret)
    good, link = tmp_path / "thumbs" / "aa" / "good.webp", tmp_path / "thumbs" / "aa" / "link.webp"
    shutil.copy(secret, good)
    link.symlink_to(secret)
    (tmp_path / "thumbs" / "bb").symlink_to(tmp_path)
    empty = framed_thumbnail(tmp_path / "nowhere.webp")
    assert empty != framed_thumbnail(good)
    assert [empty] * 3 == [framed_thumbnail(p) for p in (link, tmp_path / "thumbs" / "bb" / "secret.webp", Path())]


def test_a_picture_is_of_the_source_that_was_indexed(tmp_path: Path) -> None:
    """Another file at its place is not decoded for a sheet: an archive may say that a video lies anywhere."""
    path = CountedVideo("source.mp4", n_frames=20).write(tmp_path, find_ffmpeg())
    row, times = row_of(path)
    row = replace(row, video_id="0" * 32)
    hit = hit_of(row, TimeSpan(times[3], times[9]), 1)
    hit = replace(hit, thumbnail="", shot=replace(hit.shot, video_id="0" * 32))
    (clip,) = plan_film(build_cut_list([hit], {row.video_id: row}), "harbour").clips
    with watched() as watch:
        assert clip_picture(clip) is None
    assert [] == watch.started


def test_what_terminals_obey_is_shown_and_not_done(tmp_path: Path) -> None:
    """Names of roots, sets and searches in an archive come to the terminal as escapes."""
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    with Archive.create(tmp_path / "archive") as archive:
        archive.record([SearchSaved(f"saved{evil}", f"boat {evil}", {})])
        archive.publish()
    for arguments in (["searches"], ["status"], ["search", "--saved", f"no{evil}"], ["shots"]):
        command, *rest = arguments
        said = CliRunner().invoke(main, [command, str(tmp_path / "archive"), *rest])
        assert not {"\x1b", "\x07", "\u202e"} & set(said.output), arguments


def test_refusals_are_our_errors() -> None:
    """All that is refused here is explained in one line by the command."""
    assert all(issubclass(kind, ArchiveError) for kind in (RenderError, ConfigError, ScanError, QueryError))

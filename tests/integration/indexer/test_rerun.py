"""What a second run over a library costs where nothing has changed."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from indexer.commands.archive_commands import encoder_for
from indexer.config import IndexSettings
from indexer.library.outdated import is_outdated
from indexer.media.ffmpeg import find_ffmpeg
from indexer.models.deferred import DeferredEncoder
from indexer.models.encoder import Encoder
from indexer.models.open_clip_encoder import load_encoder
from indexer.pipeline import index_videos
from indexer.visual.segment_builder import segment_parameters
from store.archive import Archive
from store.records import Status, VideoFacts
from store.timespan import TimeSpan
from tests.colour_clips import write_colour_clip, write_colour_library
from tests.counted_video import CountedVideo
from tests.fakes import FakeEncoder

INDEX_AGAIN = """
import sys
from search_app.cli import main

try:
    main()
finally:
    print(sorted({"torch", "open_clip", "transformers"} & set(sys.modules)))
"""


def _never() -> Encoder:
    raise AssertionError("nothing new, and yet the encoder is loaded")


def _statuses(folder: Path, library: Path, encoder: Encoder) -> list[Status]:
    with Archive.create(folder) as archive:
        archive.claim_space(encoder.space, source="demo")
        return [o.status for o in index_videos(archive, [library], encoder, IndexSettings(), lambda _: None)]


@pytest.fixture(scope="module")
def demo() -> Encoder:
    """The demo encoder."""
    return load_encoder("demo", device="cpu")


def test_nothing_new_needs_no_encoder(tmp_path: Path, demo: Encoder) -> None:
    """An unchanged library is accepted without a single vector; one new video loads the encoder, once."""
    library = tmp_path / "library"
    write_colour_library(library, 2)
    assert [Status.INDEXED] * 2 == _statuses(tmp_path / "archive", library, demo)
    assert [Status.UNCHANGED] * 2 == _statuses(tmp_path / "archive", library, DeferredEncoder(demo.space, _never))
    write_colour_clip(library / "new.mp4", ["red", "green"], salt=9)
    loads: list[Encoder] = []

    def load() -> Encoder:
        loads.append(demo)
        return demo

    again = _statuses(tmp_path / "archive", library, DeferredEncoder(demo.space, load))
    assert [Status.INDEXED, Status.UNCHANGED, Status.UNCHANGED] == sorted(again)
    assert [demo] == loads


def test_deferred_and_loaded_encoder_prepare_pictures_alike(tmp_path: Path, demo: Encoder) -> None:
    """The size of the pictures comes from the archive: another one would index everything again."""
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(demo.space, source="demo")
        deferred = encoder_for(archive, None, None, "cpu")
        named = encoder_for(archive, "demo", None, "cpu")
    assert [DeferredEncoder] * 2 == [type(deferred), type(named)]
    assert {(demo.space, demo.image_size_px)} == {(one.space, one.image_size_px) for one in (deferred, named)}
    assert demo.encode_texts(["a red boat"]).tolist() == deferred.encode_texts(["a red boat"]).tolist()


def test_the_command_imports_no_model_library_for_an_unchanged_library(tmp_path: Path, demo: Encoder) -> None:
    """`rushes index`, the second time, has neither torch nor open_clip in its process."""
    library = tmp_path / "library"
    write_colour_library(library, 1)
    _statuses(tmp_path / "archive", library, demo)
    command = [sys.executable, "-c", INDEX_AGAIN, "index", str(tmp_path / "archive"), str(library)]
    again = subprocess.run(command, capture_output=True, check=False, text=True, cwd=Path(__file__).parents[3])
    assert (0, "[]\n") == (again.returncode, again.stdout)
    assert "1 unchanged" in again.stderr


def test_what_an_older_version_indexed_stays_unless_it_would_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two old videos the time lapse is done again, once; the other one only when asked."""
    encoder = FakeEncoder()
    library = tmp_path / "library"
    write_colour_clip(library / "plain.mp4", ["red", "green"])
    program = find_ffmpeg()
    CountedVideo("slow.mkv", rate=Fraction(1), n_frames=9).write(library, program)

    def run(again: bool = False) -> dict[str, Status]:
        with Archive.create(tmp_path / "archive") as archive:
            archive.claim_space(encoder.space, source="fake")
            outcomes = index_videos(archive, [library], encoder, IndexSettings(), lambda _: None, again=again)
            return {Path(outcome.path).name: outcome.status for outcome in outcomes}

    with monkeypatch.context() as older:
        older.setattr(segment_parameters, "__defaults__", (1,))
        older.setattr("indexer.pipeline.older_keys", lambda *_: ())
        assert {"plain.mp4": Status.INDEXED, "slow.mkv": Status.INDEXED} == run()
    assert {"plain.mp4": Status.UNCHANGED, "slow.mkv": Status.INDEXED} == run()
    assert {"plain.mp4": Status.UNCHANGED, "slow.mkv": Status.UNCHANGED} == run()
    assert {"plain.mp4": Status.INDEXED, "slow.mkv": Status.UNCHANGED} == run(again=True)
    assert {"plain.mp4": Status.UNCHANGED, "slow.mkv": Status.UNCHANGED} == run(again=True)
    with Archive.open(tmp_path / "archive") as archive:
        assert 2 == len(archive.snapshot().videos())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"n_frames": 5}, True),
        (
            {"container": "mpegts", "warnings": ("50 frames left out because the clock runs backwards there",)},
            True,
        ),
        ({"container": "mov", "warnings": ("2 frames left out because the clock runs backwards there",)}, False),
        ({"container": "mpegts", "span": TimeSpan(Fraction(0), Fraction(30))}, True),
        ({"frame_rate": None}, False),
    ],
)
def test_old_facts_tell_whether_a_video_is_done_again(changes: dict[str, Any], expected: bool) -> None:
    """Lost frames, holes and slow videos; a rate that is not known is no reason."""
    span = TimeSpan(Fraction(0), Fraction(4))
    facts = VideoFacts("mov", "h264", 64, 36, 0, Fraction(25), Fraction(1, 25), Fraction(0), span, 100, False)
    assert expected == is_outdated(replace(facts, **changes))

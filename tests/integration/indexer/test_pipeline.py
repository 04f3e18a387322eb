"""The whole way of a library into an archive, with real decoding and a real store."""

import shutil
from pathlib import Path

import pytest

from indexer.config import IndexSettings
from indexer.errors import ScanError
from indexer.pipeline import Progress, index_videos
from store.archive import Archive
from store.records import Boundary, Outcome, Status
from tests.colour_clips import write_colour_clip, write_colour_library
from tests.fakes import FakeEncoder

ENCODER = FakeEncoder()


def _index(folder: Path, *inputs: Path, settings: IndexSettings | None = None) -> dict[str, Outcome]:
    """Outcomes by file name."""
    with Archive.create(folder) as archive:
        archive.claim_space(ENCODER.space, source="fake")
        outcomes = list(index_videos(archive, inputs, ENCODER, settings or IndexSettings(), lambda _: None))
    return {Path(outcome.path).name: outcome for outcome in outcomes}


def _statuses(outcomes: dict[str, Outcome]) -> dict[str, Status]:
    return {name: outcome.status for name, outcome in outcomes.items()}


def _best(folder: Path, colour: str) -> tuple[str, float]:
    """File name and start of the shot that shows a colour best."""
    with Archive.open(folder) as archive:
        hit = archive.snapshot().search(ENCODER.encode_texts([colour])[0], 1)[0]
    return Path(hit.shot.path).name, round(hit.shot.shot.span.start_seconds, 2)


def test_a_video_becomes_shots_that_can_be_found(tmp_path: Path) -> None:
    """Cuts lie where they were made, thumbnails exist, and the right shot answers."""
    write_colour_clip(tmp_path / "lib/a.mp4", ["red", "green", "blue"])
    outcomes = _index(tmp_path / "arch", tmp_path / "lib")
    assert {"a.mp4": Status.INDEXED} == _statuses(outcomes)
    assert 3 == outcomes["a.mp4"].n_shots
    assert {"decode", "encode", "write"} <= set(outcomes["a.mp4"].seconds)
    with Archive.open(tmp_path / "arch") as archive:
        shots = archive.snapshot().shots()
    assert [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)] == [
        (shot.shot.span.start_seconds, shot.shot.span.end_seconds) for shot in shots
    ]
    assert [Boundary.START, Boundary.CUT, Boundary.CUT] == [shot.shot.boundary for shot in shots]
    assert all(Path(shot.thumbnail).stat().st_size for shot in shots)
    assert ("a.mp4", 1.0) == _best(tmp_path / "arch", "green")


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """Everything is unchanged and no new generation appears."""
    write_colour_library(tmp_path / "lib", 2)
    _index(tmp_path / "arch", tmp_path / "lib")
    with Archive.open(tmp_path / "arch") as archive:
        before = archive.snapshot().generation
    outcomes = _index(tmp_path / "arch", tmp_path / "lib")
    assert {Status.UNCHANGED} == set(_statuses(outcomes).values())
    with Archive.open(tmp_path / "arch") as archive:
        assert before == archive.snapshot().generation


def test_moved_and_renamed_files_keep_their_shots(tmp_path: Path) -> None:
    """Also when the whole library moves to another disk; nothing is decoded again."""
    write_colour_clip(tmp_path / "lib/a.mp4", ["red", "green"])
    _index(tmp_path / "arch", tmp_path / "lib")
    with Archive.open(tmp_path / "arch") as archive:
        ids = [shot.shot_id for shot in archive.snapshot().shots()]
    (tmp_path / "lib/a.mp4").rename(tmp_path / "lib/b.mp4")
    renamed = _index(tmp_path / "arch", tmp_path / "lib")
    assert {"b.mp4": Status.UNCHANGED} == _statuses(renamed)
    assert f"moved from {tmp_path / 'lib/a.mp4'}" == renamed["b.mp4"].reason
    (tmp_path / "lib").rename(tmp_path / "disk")
    assert {"b.mp4": Status.UNCHANGED} == _statuses(_index(tmp_path / "arch", tmp_path / "disk"))
    with Archive.open(tmp_path / "arch") as archive:
        snapshot = archive.snapshot()
        assert ids == [shot.shot_id for shot in snapshot.shots()]
        assert [str(tmp_path / "disk/b.mp4")] == [place.path for place in snapshot.locations()]


def test_a_copy_is_linked_and_not_indexed_twice(tmp_path: Path) -> None:
    """Whether it is there from the start or comes later."""
    write_colour_clip(tmp_path / "lib/a.mp4", ["red", "green"])
    shutil.copyfile(tmp_path / "lib/a.mp4", tmp_path / "lib/b.mp4")
    first = _index(tmp_path / "arch", tmp_path / "lib")
    assert {"a.mp4": Status.INDEXED, "b.mp4": Status.DUPLICATE} == _statuses(first)
    shutil.copyfile(tmp_path / "lib/a.mp4", tmp_path / "lib/c.mp4")
    second = _index(tmp_path / "arch", tmp_path / "lib")
    assert {"a.mp4": Status.UNCHANGED, "b.mp4": Status.UNCHANGED, "c.mp4": Status.DUPLICATE} == _statuses(second)
    with Archive.open(tmp_path / "arch") as archive:
        (video,) = archive.snapshot().videos()
        assert 2 == len(archive.snapshot().shots())
    assert 2 == len(video.other_paths)


def test_a_changed_file_loses_its_old_shots_when_it_gets_its_new_ones(tmp_path: Path) -> None:
    """No search finds what the file no longer shows."""
    write_colour_clip(tmp_path / "lib/a.mp4", ["red", "green"])
    _index(tmp_path / "arch", tmp_path / "lib")
    write_colour_clip(tmp_path / "lib/a.mp4", ["blue"])
    assert {"a.mp4": Status.INDEXED} == _statuses(_index(tmp_path / "arch", tmp_path / "lib"))
    with Archive.open(tmp_path / "arch") as archive:
        assert 1 == len(archive.snapshot().shots())
    assert ("a.mp4", 0.0) == _best(tmp_path / "arch", "blue")


def test_a_missing_file_keeps_its_shots_until_it_is_back(tmp_path: Path) -> None:
    """An unmounted disk never empties an archive."""
    write_colour_library(tmp_path / "lib", 3)
    _index(tmp_path / "arch", tmp_path / "lib")
    (tmp_path / "lib").rename(tmp_path / "unplugged")
    (tmp_path / "lib").mkdir()
    outcomes = _index(tmp_path / "arch", tmp_path / "lib")
    assert {Status.MISSING} == set(_statuses(outcomes).values())
    with Archive.open(tmp_path / "arch") as archive:
        assert 9 == len(archive.snapshot().shots())
        assert 3 == archive.snapshot().counts().missing
    (tmp_path / "lib").rmdir()
    (tmp_path / "unplugged").rename(tmp_path / "lib")
    assert {Status.UNCHANGED} == set(_statuses(_index(tmp_path / "arch", tmp_path / "lib")).values())
    with Archive.open(tmp_path / "arch") as archive:
        assert 0 == archive.snapshot().counts().missing


def test_one_broken_file_is_an_outcome_and_stops_nothing(tmp_path: Path) -> None:
    """Its reason is kept, also for its copies, and goes when the file is mended."""
    library = tmp_path / "lib"
    write_colour_clip(library / "b.mp4", ["red", "green"])
    (library / "a.mp4").write_text("no video")
    (library / "c.mp4").write_text("no video")
    first = _index(tmp_path / "arch", library)
    assert {"a.mp4": Status.FAILED, "b.mp4": Status.INDEXED, "c.mp4": Status.FAILED} == _statuses(first)
    assert f"same content as {library / 'a.mp4'}, which failed" == first["c.mp4"].reason
    with Archive.open(tmp_path / "arch") as archive:
        assert {"a.mp4", "c.mp4"} == {Path(item.path).name for item in archive.snapshot().failures()}
    write_colour_clip(library / "a.mp4", ["blue"])
    (library / "c.mp4").unlink()
    _index(tmp_path / "arch", library)
    with Archive.open(tmp_path / "arch") as archive:
        assert [] == archive.snapshot().failures()


def test_columns_of_a_metadata_file_come_along(tmp_path: Path) -> None:
    """They are kept for the video, and a later file may say other things."""
    write_colour_clip(tmp_path / "a.mp4", ["red"])
    table = tmp_path / "shoot.csv"
    for scene in ("4", "5"):
        table.write_text(f"path,scene\na.mp4,{scene}\n")
        _index(tmp_path / "arch", table)
        with Archive.open(tmp_path / "arch") as archive:
            assert {"scene": scene} == archive.snapshot().videos()[0].metadata


def test_other_settings_index_again_without_doubles(tmp_path: Path) -> None:
    """The new segments take the place of the old."""
    write_colour_clip(tmp_path / "lib/a.mp4", ["red", "green"])
    _index(tmp_path / "arch", tmp_path / "lib")
    from indexer.visual.decode_pass import DecodeSettings

    finer = IndexSettings(decode=DecodeSettings(longest_stretch_seconds=0.4))
    assert {"a.mp4": Status.INDEXED} == _statuses(_index(tmp_path / "arch", tmp_path / "lib", settings=finer))
    with Archive.open(tmp_path / "arch") as archive:
        counts = archive.snapshot().counts()
    assert 2 == counts.shots
    assert counts.frames > 2


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    """Bytes and files done never run past the total; what was told once stays as it was told."""
    write_colour_library(tmp_path / "lib", 2)
    told: list[Progress] = []
    with Archive.create(tmp_path / "arch") as archive:
        archive.claim_space(ENCODER.space, source="fake")
        list(index_videos(archive, [tmp_path / "lib"], ENCODER, IndexSettings(), told.append))
    first, *_, last = told
    assert (0, 2, 0, 0) == (first.n_done, first.n_files, first.done_bytes, first.n_frames)
    assert (2, 2, last.size_bytes, 6) == (last.n_done, last.n_files, last.done_bytes, last.n_frames)
    assert 1.2 * 3 == pytest.approx(last.decoded_seconds)
    done = [(one.n_done, one.done_bytes, one.n_frames) for one in told]
    assert sorted(done) == done


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    """Someone who indexes the wrong folder is told so."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/notes.txt").write_text("nothing")
    with pytest.raises(ScanError, match="no videos in"):
        _index(tmp_path / "arch", tmp_path / "lib")

"""The archive from the outside: writing, publishing, reading, and what is refused."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

from store.archive import Archive
from store.errors import (
    ArchiveDamagedError,
    ArchiveFullError,
    ArchiveTooNewError,
    NotAnArchiveError,
    SpaceMismatchError,
    UnknownIdError,
)
from store.events import (
    Back,
    Described,
    Dropped,
    Event,
    Failed,
    Forgotten,
    Missing,
    Moved,
    RootNamed,
    Seen,
)
from store.files import seal
from store.publishing.health import check_archive
from tests.integration.store.samples import (
    DIM,
    KEY,
    LIBRARY,
    OTHER_SPACE,
    SPACE,
    add_videos,
    embeddings_of,
    fingerprint_of,
    rows_of,
    seen,
    segment_of,
)


def test_empty_archive_answers_everything(tmp_path: Path) -> None:
    """An archive in which nothing was indexed yet opens, counts zero, and finds nothing."""
    with Archive.create(tmp_path / "archive") as archive:
        snapshot = archive.snapshot()
        assert snapshot.counts().videos == 0
        assert [*snapshot.videos(), *snapshot.shots(), *snapshot.locations(), *snapshot.failures()] == []
        assert snapshot.search(np.ones(DIM, np.float32), 10) == []
        assert archive.space is None
        assert check_archive(tmp_path / "archive", read_data=True) == []


def test_search_ranks_like_numpy(tmp_path: Path) -> None:
    """Scores and order are those of the inner product of everything that was put, to 16-bit precision."""
    with Archive.create(tmp_path / "archive") as archive:
        for video in range(12):
            add_videos(archive, video)
            archive.publish()
        snapshot = archive.snapshot()
        question = embeddings_of(99, 1)[0]
        hits = snapshot.search(question, 1000)
        every = {
            (fingerprint_of(v), f.time): e
            for v in range(12)
            for f, e in zip(segment_of(v).frames, embeddings_of(v, 4), strict=True)
        }
        assert len(hits) == len(every)
        expected = np.array([every[hit.shot.video_id, hit.time] @ question for hit in hits])
        assert np.allclose(expected, [hit.score for hit in hits], atol=2e-3)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert snapshot.search(question, 5) == hits[:5]


def test_rows_come_back_as_they_were_put(tmp_path: Path) -> None:
    """A video, its shots and its embeddings are read exactly as they were written."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.record([Described(fingerprint_of(1), {"title": "Häfen"})])
        archive.publish()
        snapshot, segment = archive.snapshot(), segment_of(1)
        video = snapshot.video(f"{LIBRARY}/1.mp4")
        assert (video.video_id, video.facts, video.n_shots) == (segment.fingerprint, segment.video, 2)
        assert video.metadata == {"title": "Häfen"}
        assert [row.shot for row in snapshot.shots(video.video_id)] == list(segment.shots)
        second = snapshot.shots()[1]
        assert snapshot.shot(second.shot_id) == second
        assert np.array_equal(snapshot.embeddings(second.shot_id), segment.embeddings[2:4])
        assert snapshot.video("1.mp4") == snapshot.video(fingerprint_of(1)) == video


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    """A video or shot that is not there is an error that names it."""
    with Archive.create(tmp_path / "archive") as archive:
        for ask in (archive.snapshot().video, archive.snapshot().shot, archive.snapshot().embeddings):
            with pytest.raises(UnknownIdError, match="nowhere"):
                ask("nowhere")


def test_changed_file_replaces_its_old_shots_in_one_generation(tmp_path: Path) -> None:
    """When a path holds other content, the old video goes in the generation in which the new one comes."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.publish()
        archive.put_segment(segment_of(2))
        before = archive.publish()
        assert [v.video_id for v in archive.snapshot().videos()] == [fingerprint_of(1)]
        archive.record([seen(2, "1.mp4")])
        assert archive.publish() == before + 1
        assert [v.video_id for v in archive.snapshot().videos()] == [fingerprint_of(2)]
        assert {hit.shot.video_id for hit in archive.snapshot().search(embeddings_of(1, 1)[0], 100)} == {
            fingerprint_of(2)
        }


def test_missing_file_stays_searchable_until_its_place_is_dropped(tmp_path: Path) -> None:
    """A missing file keeps its shots, marked; a file that is back is present; a dropped place counts no more."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        states = []
        for event in (Missing("library", "1.mp4"), Back("library", "1.mp4"), Dropped("library", "1.mp4")):
            archive.record([event])
            archive.publish()
            states.append([video.present for video in archive.snapshot().videos()])
        assert states == [[False], [True], []]


def test_moved_duplicated_and_forgotten_videos(tmp_path: Path) -> None:
    """A move keeps the rows under the new path, a double is a further path, a forgotten video is gone."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.publish()
        shots = [row.shot_id for row in archive.snapshot().shots()]
        archive.record(
            [Moved("library", "1.mp4", "library", "b/x.mp4", 1001, 5, fingerprint_of(1)), seen(1, "c.mp4")]
        )
        archive.publish()
        (video,) = archive.snapshot().videos()
        assert (video.path, video.other_paths) == (f"{LIBRARY}/b/x.mp4", (f"{LIBRARY}/c.mp4",))
        assert [row.shot_id for row in archive.snapshot().shots()] == shots
        archive.record([Forgotten(fingerprint_of(1))])
        archive.publish()
        assert archive.snapshot().videos() == []
        archive.record([seen(1)])
        archive.publish()
        assert [row.shot_id for row in archive.snapshot().shots()] == shots
        assert len(archive.snapshot().search(embeddings_of(1, 1)[0], 100)) == 4


def test_failures_are_kept_until_the_file_can_be_indexed(tmp_path: Path) -> None:
    """A failed file is listed with its reason; content it replaced is gone; success clears it."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1, 2)
        archive.record(
            [Failed("library", "1.mp4", "cut short", fingerprint_of(8)), Failed("library", "2.mp4", "no access")]
        )
        archive.publish()
        assert [(o.path, o.reason) for o in archive.snapshot().failures()] == [
            (f"{LIBRARY}/1.mp4", "cut short"),
            (f"{LIBRARY}/2.mp4", "no access"),
        ]
        assert [video.path for video in archive.snapshot().videos()] == [f"{LIBRARY}/2.mp4"]
        archive.record([seen(1), seen(2)])
        archive.publish()
        assert archive.snapshot().failures() == []
        assert archive.snapshot().counts().videos == 2


def test_root_can_be_pointed_elsewhere(tmp_path: Path) -> None:
    """Naming a root again moves all paths below it, and nothing is indexed again."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.record([RootNamed("library", "/mnt/disk")])
        archive.publish()
        assert archive.snapshot().videos()[0].path == "/mnt/disk/1.mp4"


def test_names_that_are_no_unicode_survive(tmp_path: Path) -> None:
    """Newlines, quotes, and bytes that are no UTF-8 in a file name come back as they were."""
    name = os.fsdecode(b"a\xff'\n\"%\\ \xc3\xa9.mp4")
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.record([Seen("library", name, 1, 2, fingerprint_of(1)), Dropped("library", "1.mp4")])
        archive.publish()
        assert archive.snapshot().videos()[0].path == f"{LIBRARY}/{name}"
        assert archive.snapshot().video(f"{LIBRARY}/{name}").video_id == fingerprint_of(1)


def test_new_parameters_replace_old_rows(tmp_path: Path) -> None:
    """A later segment of the same video and stage takes the place of the earlier one."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.publish()
        archive.put_segment(segment_of(1, n_shots=5, key="k2"))
        archive.publish()
        assert len(archive.snapshot().shots()) == 5
        assert len(archive.snapshot().search(embeddings_of(1, 1)[0], 100)) == 10


@pytest.mark.slow
def test_events_mean_the_same_in_any_order_of_publishing(tmp_path: Path) -> None:
    """Publishing after every event, or once, or all over again from the truth, gives the same rows."""
    rng = random.Random(7)
    steps: list[Event] = []
    for _ in range(30):
        name, video = f"{rng.randrange(6)}.mp4", rng.randrange(8)
        choices: list[Event] = [
            seen(video, name),
            seen(video, name),
            Moved("library", name, "library", f"{rng.randrange(6)}.mp4", 1, 2, fingerprint_of(video)),
            Missing("library", name),
            Back("library", name),
            Dropped("library", name),
            Failed("library", name, "broken", rng.choice(["", fingerprint_of(video)])),
            Forgotten(fingerprint_of(video)),
            Described(fingerprint_of(video), {"n": str(rng.random())}),
        ]
        steps.append(rng.choice(choices))
    rows = []
    for every in (1, 7, 1000):
        with Archive.create(tmp_path / f"archive-{every}") as archive:
            archive.claim_space(SPACE, "made-up")
            archive.record([RootNamed("library", LIBRARY)])
            for video in range(8):
                archive.put_segment(segment_of(video))
            for number, event in enumerate(steps, start=1):
                archive.record([event])
                if number % every == 0:
                    archive.publish()
            archive.publish()
            rows.append(_without_folder(rows_of(archive.snapshot()), archive.folder))
        for name in ("CURRENT", "generations", "catalog", "vectors"):
            _remove(archive.folder / name)
        with Archive.open(archive.folder) as rebuilt:
            rows.append(_without_folder(rows_of(rebuilt.snapshot()), archive.folder))
    assert rows[1:] == rows[:1] * 5


def test_old_snapshot_answers_while_new_generations_are_published(tmp_path: Path) -> None:
    """A snapshot in use is not disturbed by later generations, even after its files were collected."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive.publish()
        old, question = archive.snapshot(), embeddings_of(1, 1)[0]
        rows = rows_of(old)
        for video in range(2, 12):
            add_videos(archive, video)
            archive.publish()
        assert rows_of(old) == rows
        assert len(archive.snapshot().search(question, 100)) == 44
        kept = sorted(path.name for path in (tmp_path / "archive" / "catalog").iterdir())
        assert len(kept) == 2
        old.close()


def test_publishing_nothing_new_changes_nothing(tmp_path: Path) -> None:
    """A second publish gives the same generation."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        generation = archive.publish()
        assert (archive.publish(), archive.snapshot().generation) == (generation, generation)


def test_spaces_never_meet(tmp_path: Path) -> None:
    """Another space is refused when claimed, when put, and when asked."""
    with Archive.create(tmp_path / "archive") as archive:
        with pytest.raises(SpaceMismatchError):
            archive.put_segment(segment_of(1))
        archive.claim_space(SPACE, "made-up")
        archive.claim_space(SPACE, "made-up")
        with pytest.raises(SpaceMismatchError, match="other"):
            archive.claim_space(OTHER_SPACE, "other")
        with pytest.raises(SpaceMismatchError):
            archive.put_segment(segment_of(1, space=OTHER_SPACE))
        archive.publish()
        with pytest.raises(SpaceMismatchError, match="dimension"):
            archive.snapshot().search(np.ones(DIM + 1, np.float32), 3)
    with Archive.open(tmp_path / "archive") as archive:
        assert (archive.space, archive.space_source) == (SPACE, "made-up")


def test_claimed_space_is_known_before_it_is_published(tmp_path: Path) -> None:
    """A second writer sees the claim of the first at once."""
    with Archive.create(tmp_path / "archive") as first, Archive.open(tmp_path / "archive") as second:
        first.claim_space(SPACE, "made-up")
        with pytest.raises(SpaceMismatchError):
            second.claim_space(OTHER_SPACE, "other")


def test_segment_is_written_once(tmp_path: Path) -> None:
    """The first segment of a name stays; a damaged one goes to quarantine and is replaced."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        (path,) = (tmp_path / "archive" / "segments").glob("*/*.parquet")
        first = path.read_bytes()
        archive.put_segment(segment_of(1))
        assert path.read_bytes() == first
        assert archive.has_segment(fingerprint_of(1), "visual", KEY)
        assert not archive.has_segment(fingerprint_of(2), "visual", KEY)
        path.write_bytes(first[:-9])
        archive.put_segment(segment_of(1))
        assert check_archive(tmp_path / "archive", read_data=True) == []
        assert len(list((tmp_path / "archive" / "quarantine").iterdir())) == 1


@pytest.mark.parametrize("what", ["file", "foreign folder", "inside an archive", "nothing"])
def test_other_things_are_no_archives(tmp_path: Path, what: str) -> None:
    """A file, a folder of other things, a folder in an archive, and nothing are refused with what to do."""
    path = tmp_path / "thing"
    if what == "file":
        path.write_text("hello")
    elif what == "foreign folder":
        path.mkdir()
        (path / "holiday.mp4").write_text("hello")
    elif what == "inside an archive":
        Archive.create(tmp_path / "outer").close()
        path = tmp_path / "outer" / "inner"
    if what != "nothing":
        with pytest.raises(NotAnArchiveError, match=path.name):
            Archive.create(path)
    with pytest.raises(NotAnArchiveError, match=path.name):
        Archive.open(path)


def test_newer_format_is_refused(tmp_path: Path) -> None:
    """An archive of a newer format is left alone, and both formats are named."""
    Archive.create(tmp_path / "archive").close()
    for data in (seal({"format": 9, "archive_id": "x"}), json.dumps({"format": 9, "more": [1]}).encode()):
        (tmp_path / "archive" / "archive.json").write_bytes(data)
        with pytest.raises(ArchiveTooNewError, match="format 9, this Rushes knows 1"):
            Archive.open(tmp_path / "archive")


def test_unknown_events_of_a_newer_rushes_are_kept(tmp_path: Path) -> None:
    """A line of an unknown kind is neither damage nor an obstacle."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
    (path,) = (tmp_path / "archive" / "edits").iterdir()
    with path.open("ab") as stream:
        stream.write(seal({"at": 5, "by": "abc", "kind": "rated", "stars": 3}))
    with Archive.open(tmp_path / "archive") as archive:
        archive.publish()
        assert archive.snapshot().counts().videos == 1
        assert check_archive(tmp_path / "archive", read_data=True) == []


def test_later_decisions_come_later_whatever_the_clock_says(tmp_path: Path) -> None:
    """An event of a new writer outranks one from the future that it could read, published or not."""
    future = 2**62
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
        archive._edits.observe(future)
        archive.record([seen(1, "later.mp4")])
    with Archive.open(tmp_path / "archive") as archive:
        archive.record([Dropped("library", "later.mp4")])
        archive.publish()
        assert [video.path for video in archive.snapshot().videos()] == [f"{LIBRARY}/1.mp4"]


def test_archive_json_that_is_gone_is_named(tmp_path: Path) -> None:
    """Truth without archive.json is not taken for an empty folder."""
    with Archive.create(tmp_path / "archive") as archive:
        add_videos(archive, 1)
    (tmp_path / "archive" / "archive.json").unlink()
    for enter in (Archive.open, Archive.create):
        with pytest.raises(ArchiveDamagedError, match="rushes repair"):
            enter(tmp_path / "archive")


def test_full_disk_is_said_clearly_and_loses_nothing(tmp_path: Path) -> None:
    """On a full disk writing stops with ArchiveFullError; with space again, everything acknowledged is there."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.decode().strip()}")
    try:
        acknowledged: list[int] = []
        refused = 0
        with Archive.create(disk / "archive") as archive:
            add_videos(archive)
            for room in (0, 3000, 9000, 200_000, 4_000_000):
                for video in range(len(acknowledged), len(acknowledged) + 2):
                    _fill(disk, room)
                    try:
                        archive.put_segment(segment_of(video))
                        archive.record([seen(video)])
                        acknowledged.append(video)
                        archive.publish()
                    except ArchiveFullError as error:
                        assert "no space left" in str(error)
                        refused += 1
                    (disk / "filler").unlink()
                    assert archive.snapshot().counts().videos <= len(acknowledged)
            archive.publish()
            assert archive.snapshot().counts().videos == len(set(acknowledged))
        assert refused >= 3
        assert acknowledged
        assert [f for f in check_archive(disk / "archive", read_data=True) if f.kind != "torn edits"] == []
    finally:
        subprocess.run(["umount", disk], check=True)  # noqa: S607


def _fill(disk: Path, room_bytes: int) -> None:
    free = os.statvfs(disk)
    (disk / "filler").write_bytes(b"x" * max(0, free.f_bavail * free.f_bsize - room_bytes))


def _without_folder(rows: dict[str, object], folder: Path) -> str:
    return repr(rows).replace(str(folder), "")


def _remove(path: Path) -> None:
    if path.is_dir():
        for entry in sorted(path.rglob("*"), reverse=True):
            entry.rmdir() if entry.is_dir() else entry.unlink()
        path.rmdir()
    else:
        path.unlink()

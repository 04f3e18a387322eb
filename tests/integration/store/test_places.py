"""Places of one video: which is shown, since when it is missing, and what is ignored or erased."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from store.archive import Archive, check_archive
from store.events import (
    Described,
    Dropped,
    Erased,
    Event,
    Failed,
    Forgotten,
    Ignored,
    Judged,
    Missing,
    Moved,
    Recalled,
    RightsChanged,
    RootNamed,
    RunBegan,
    RunEnded,
    Seen,
    SetChanged,
)
from store.files import ERASE_FAILPOINTS, FAILPOINT_VARIABLE
from store.records import TextRow, TextSegment, TextStage
from store.timespan import TimeSpan
from tests.integration.store.samples import (
    KEY,
    LIBRARY,
    add_videos,
    captions_of,
    embeddings_of,
    fingerprint_of,
    seen,
    segment_of,
)

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of three videos."""
    opened = Archive.create(tmp_path / "archive")
    add_videos(opened, 1, 2, 3)
    opened.publish()
    return opened


def _say(archive: Archive, *events: Event) -> None:
    archive.record(events)
    archive.publish()


def _paths(archive: Archive) -> list[str]:
    video = archive.snapshot().video(fingerprint_of(1))
    return [Path(path).name for path in (video.path, *video.other_paths)]


def test_the_oldest_place_that_exists_stands_for_its_copies(archive: Archive) -> None:
    """Original, copy, deleted original, restored original: it comes first whenever it is there."""
    with archive:
        _say(archive, seen(1, "0-copy.mp4"))
        assert ["1.mp4", "0-copy.mp4"] == _paths(archive)
        assert {f"{LIBRARY}/1.mp4"} == {row.path for row in archive.snapshot().shots(fingerprint_of(1))}
        _say(archive, Missing("library", "1.mp4"))
        assert ["0-copy.mp4", "1.mp4"] == _paths(archive)
        _say(archive, seen(1))
        assert ["1.mp4", "0-copy.mp4"] == _paths(archive)
        (first, *_) = archive.snapshot().search(embeddings_of(1, 1)[0], 1)
        assert f"{LIBRARY}/1.mp4" == first.shot.path


def test_a_moved_original_stays_the_original(archive: Archive) -> None:
    """It takes its age along; a place that another content had for a while counts from its first time."""
    with archive:
        _say(archive, seen(1, "0-copy.mp4"))
        since = archive.snapshot().places_of([fingerprint_of(1)])[fingerprint_of(1)][0].held_since
        _say(archive, Moved("library", "1.mp4", "library", "z.mp4", 1001, 5, fingerprint_of(1), since))
        assert ["z.mp4", "0-copy.mp4"] == _paths(archive)
        _say(archive, seen(2, "z.mp4"), seen(1, "z.mp4"))
        assert ["z.mp4", "0-copy.mp4"] == _paths(archive)


def test_it_is_known_since_when_a_file_is_missing(archive: Archive) -> None:
    """The time of the scan that did not find it; none for a file that is there."""
    with archive:
        _say(archive, Missing("library", "1.mp4"))
        places = archive.snapshot().places_of([fingerprint_of(1), fingerprint_of(2)])
        (gone,), (there,) = places[fingerprint_of(1)], places[fingerprint_of(2)]
        assert (False, True) == (gone.present, there.present)
        assert archive.snapshot().manifest.latest_ns == gone.missing_ns
        assert 0 == there.missing_ns


def test_roots_without_any_place_are_not_in_use(archive: Archive) -> None:
    """After a move the old root holds nothing; a file that failed keeps its root."""
    with archive:
        _say(
            archive,
            RootNamed("new", "/new"),
            *(Moved("library", f"{n}.mp4", "new", f"{n}.mp4", 1, 5, fingerprint_of(n)) for n in (1, 2, 3)),
        )
        assert {"new": "/new"} == archive.snapshot().roots(in_use=True)
        assert {"new", "library"} == set(archive.snapshot().roots())
        _say(archive, Failed("library", "x.mp4", "broken"))
        assert {"new", "library"} == set(archive.snapshot().roots(in_use=True))


def test_an_ignored_file_is_no_failure_until_its_content_changes(archive: Archive) -> None:
    """By content, wherever it lies; without content by place and reason; the decision can be taken back."""
    with archive:
        _say(
            archive,
            Failed("library", "a.mp4", "cut short", fingerprint_of(8)),
            Failed("library", "b", "no access"),
        )
        _say(
            archive,
            Ignored("library", "a.mp4", fingerprint_of(8), "cut short", True),
            Ignored("library", "b", "", "no access", True),
        )
        counts = archive.snapshot().counts()
        assert (0, 2) == (counts.failed, counts.ignored)
        assert {fingerprint_of(8)} == archive.snapshot().ignored_contents()
        _say(
            archive,
            Failed("library", "a.mp4", "cut short", fingerprint_of(9)),
            Failed("library", "b", "input/output error"),
            Failed("library", "moved.mp4", "cut short", fingerprint_of(8)),
        )
        failures = archive.snapshot().failures()
        assert [False, False, True] == [one.is_ignored for one in failures]
        _say(archive, Ignored("library", "a.mp4", fingerprint_of(8), "cut short", False))
        assert 3 == archive.snapshot().counts().failed


def test_events_of_runs_make_no_generation(archive: Archive) -> None:
    """They are told from the edits until another event is published with them."""
    with archive:
        before = archive.snapshot().generation
        assert None is archive.last_run()
        archive.record([RunBegan("r1", ("/library",))])
        archive.publish()
        assert before == archive.snapshot().generation
        run = archive.last_run()
        assert run is not None
        assert (None, "", ("/library",)) == (run.ended_ns, run.ended, run.paths)
        archive.record([RunEnded("r1", "done", "", {"unchanged": 3})])
        run = archive.last_run()
        assert run is not None
        assert ("done", {"unchanged": 3}) == (run.ended, run.counts)
        _say(archive, seen(1, "more.mp4"))
        assert run == archive.last_run()
        archive.record([RunBegan("r2", ())])
        run = archive.last_run()
        assert run is not None
        assert (None, {}) == (run.ended_ns, run.counts)


CAPTION = "the heron lands on a violet submarine"


def _erasable(archive: Archive) -> list[bytes]:
    """Give video 1 whatever a video can have, and bytes that stand in its results alone."""
    with_secret = captions_of(1)
    rows = (TextRow(TimeSpan(with_secret.rows[0].span.start, with_secret.rows[0].span.end), CAPTION, 0.5, "en"),)
    vectors = with_secret.embeddings
    assert vectors is not None
    archive.put_text(
        TextSegment(fingerprint_of(1), TextStage.CAPTION, KEY, "m", {}, rows, with_secret.space, vectors[:1])
    )
    archive.put_text(captions_of(2))
    archive.put_thumbnail(
        f"{fingerprint_of(1)[:2]}/{fingerprint_of(1)}/000000000001.webp", b"thumbnail of video one"
    )
    archive.record(
        [
            Described(fingerprint_of(1), {"scene": "zanzibar"}),
            Described(fingerprint_of(2), {"scene": "madagascar"}),
            Judged("boats", fingerprint_of(1), "0/1", "1/1", "keep"),
            Judged("boats", fingerprint_of(2), "0/1", "1/1", "keep"),
            SetChanged("best", fingerprint_of(1), "0/1", "1/1", True),
            RightsChanged(fingerprint_of(1), "", "", "block"),
        ]
    )
    archive.publish()
    snapshot = archive.snapshot()
    shots = [row.shot_id.encode() for row in snapshot.shots(fingerprint_of(1))]
    wide = embeddings_of(1, 4)[0].tobytes()
    narrow = [embeddings_of(1, 4)[row].astype(np.float16).tobytes() for row in range(4)]
    words = [b"violet", b"submarine", b"zanzibar"]
    return [*shots, wide, *narrow, *words, b"thumbnail of video one"]


def _holding(folder: Path, traces: list[bytes]) -> set[str]:
    """The files that hold a trace, but for edits, which are never written anew."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name not in ("edits", "edits-copy"):
            data = path.read_bytes().lower()
            found |= {str(path.relative_to(folder)) for trace in traces if trace.lower() in data}
    return found


def test_no_trace_of_an_erased_video_is_left(archive: Archive) -> None:
    """Neither in its own files nor in catalogs, shards, the index of words or an older generation."""
    with archive:
        traces = _erasable(archive)
        held = {name.partition("/")[0] for name in _holding(archive.folder, traces)}
        assert {"segments", "catalog", "vectors", "thumbs"} == held  # the index of words is packed
        words_before = {path.name for path in archive.folder.glob("text/*/*")} - {"meta.json", ".managed.json"}
        _say(archive, Erased(fingerprint_of(1)), Forgotten(fingerprint_of(1)))
        assert set() == _holding(archive.folder, traces)
        assert not words_before & {path.name for path in archive.folder.glob("text/*/*")}
        assert not [path for path in archive.folder.rglob("*") if fingerprint_of(1) in str(path)]
        snapshot = archive.snapshot()
        assert {fingerprint_of(1)} == snapshot.erased()
        assert (2, 1) == (snapshot.counts().videos, snapshot.counts().forgotten)
        assert [fingerprint_of(2)] == [one.fingerprint for one in snapshot.judgements()]
        assert {} == snapshot.sets()
        assert [fingerprint_of(1)] == [flag.fingerprint for flag in snapshot.rights()]
        assert [] == check_archive(archive.folder, read_data=True)
        assert archive.snapshot().generation == archive.publish()


def test_an_erased_video_comes_back_when_it_is_recalled(archive: Archive) -> None:
    """Its segment is then as new; what was decided before stays away, what is decided later holds."""
    with archive:
        shots = [row.shot_id for row in archive.snapshot().shots(fingerprint_of(1))]
        _erasable(archive)
        _say(archive, Erased(fingerprint_of(1)), Forgotten(fingerprint_of(1)))
        archive.record([Recalled(fingerprint_of(1))])
        archive.put_segment(segment_of(1))
        archive.publish()
        assert archive.has_segment(fingerprint_of(1), "visual", KEY)
        _say(archive, seen(1))
        assert shots == [row.shot_id for row in archive.snapshot().shots(fingerprint_of(1))]
        assert set() == archive.snapshot().erased()
        assert [fingerprint_of(2)] == [one.fingerprint for one in archive.snapshot().judgements()]
        _say(archive, Judged("boats", fingerprint_of(1), "0/1", "1/1", "reject"))
        assert 2 == len(archive.snapshot().judgements())


def test_an_older_indexer_brings_it_back(archive: Archive) -> None:
    """It knows no `erase` and no `recall`: what it indexed later is there."""
    with archive:
        _say(archive, Erased(fingerprint_of(1)), Forgotten(fingerprint_of(1)))
        archive.put_segment(segment_of(1))
        _say(archive, seen(1))
        assert 3 == archive.snapshot().counts().videos
        assert set() == archive.snapshot().erased()


def test_erasing_means_the_same_in_any_order_of_publishing(tmp_path: Path) -> None:
    """One publishing after all, one after each event, or all anew: the same decisions count."""
    events: list[Event] = [
        Judged("q", fingerprint_of(1), "0/1", "1/1", "keep"),
        Described(fingerprint_of(1), {"a": "1"}),
        Erased(fingerprint_of(1)),
        Forgotten(fingerprint_of(1)),
        Judged("q", fingerprint_of(1), "1/1", "2/1", "keep"),
        Seen("library", "2-copy.mp4", 1002, 5, fingerprint_of(2)),
        Dropped("library", "2.mp4"),
    ]
    told = []
    for every in (1, 100):
        with Archive.create(tmp_path / f"archive-{every}") as archive:
            add_videos(archive, 1, 2)
            for number, event in enumerate(events, start=1):
                archive.record([event])
                if not number % every:
                    archive.publish()
            archive.publish()
            snapshot = archive.snapshot()
            told.append((snapshot.judgements(), snapshot.erased(), [v.path for v in snapshot.videos()]))
    assert told[0] == told[1]
    assert [TimeSpan(1, 2)] == [one.span for one in told[0][0]]  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    "failpoint",
    [
        *ERASE_FAILPOINTS,
        "edit.before-write",
        "edit.torn",
        "publish.applied",
        "publish.published",
        "publish.collected",
    ],
)
def test_kill_while_erasing(tmp_path: Path, failpoint: str) -> None:
    """Killed at any step, the video is there or gone as a whole, and the next erasing leaves no trace."""
    folder, fingerprint = tmp_path / "archive", fingerprint_of(1)
    with Archive.create(folder) as archive:
        add_videos(archive, 1, 2)
        archive.publish()
        traces = _erasable(archive)
    script = (
        "from store.archive import Archive; from store.events import Erased, Forgotten\n"
        f"with Archive.open({str(folder)!r}) as archive:\n"
        f"    archive.record([Erased({fingerprint!r}), Forgotten({fingerprint!r})]); archive.publish()"
    )
    command = [sys.executable, "-c", script]
    killed = subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, FAILPOINT_VARIABLE: failpoint}, check=False
    )
    assert -signal.SIGKILL == killed.returncode
    with Archive.open(folder) as archive:
        archive.publish()
        n_videos = archive.snapshot().counts().videos
        assert n_videos in {"edit.before-write": {2}, "edit.torn": {1, 2}}.get(failpoint, {1})
        assert (n_videos == 1) == (not _holding(folder, traces))
    subprocess.run(command, cwd=REPOSITORY, check=True)
    assert set() == _holding(folder, traces)
    assert [] == [found for found in check_archive(folder, read_data=True) if found.kind != "torn edits"]

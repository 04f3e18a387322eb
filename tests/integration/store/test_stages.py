"""Stages and their runs: what is live, what is covered, what is dropped, and what rows carry."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.archive import Archive, check_archive, repair_archive
from store.errors import RowRefusedError, RunInUseError, SpaceMismatchError, UnknownIdError
from store.events import Erased, Forgotten
from store.files import DROP_FAILPOINTS, FAILPOINT_VARIABLE
from store.records import Part, TextRow, TextSegment
from store.results import CoverageState
from store.row_checks import MOST_CHARACTERS, Word
from store.stages import Run
from store.timespan import TimeSpan
from store.truth import segments
from store.truth.segments import encode_segment, encode_table, read_table, segment_path
from store.truth.text_segments import encode_text_segment
from tests.integration.store.samples import (
    OTHER_SPACE,
    SPACE,
    add_videos,
    embeddings_of,
    fingerprint_of,
    segment_of,
)

A = Run.of("caption", "model-a", {"beams": 3}, revision="r1", weights_hash="aa")
B = Run.of("caption", "model-b", {"beams": 3})
FIRST, SECOND = TimeSpan(Fraction(0), Fraction(1)), TimeSpan(Fraction(1), Fraction(2))
REPOSITORY = Path(__file__).parents[3]


def result(run: Run, video: int, *rows: TextRow, part: Part | None = None, seconds: float = 1.5) -> TextSegment:
    """A result of a run for a made-up video; a caption that names the model where no rows are given."""
    rows = rows or (TextRow(FIRST, f"said by {run.model}"),)
    return TextSegment(
        fingerprint_of(video), run.stage, run.key, run.model, run.parameters or {}, rows,
        revision=run.revision, weights_hash=run.weights_hash, seconds=seconds, part=part,
    )  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An archive of two videos of two seconds, without texts."""
    with Archive.create(tmp_path / "archive") as opened:
        add_videos(opened, 1, 2)
        opened.publish()
        yield opened


def captions(archive: Archive, video: int = 1) -> list[str]:
    """The live captions of a video, from the newest generation."""
    archive.publish()
    return [hit.text for hit in archive.snapshot().text_rows(fingerprint_of(video), "caption")]


def test_equal_runs_have_equal_keys() -> None:
    """The key follows from stage, model, revision, weights and parameters, in whatever order they are given."""
    assert A == Run.of("caption", "model-a", {"beams": 3}, revision="r1", weights_hash="aa")
    others = [
        B,
        Run.of("label", "model-a", {"beams": 3}, revision="r1", weights_hash="aa"),
        Run.of("caption", "model-a", {"beams": 4}, revision="r1", weights_hash="aa"),
        Run.of("caption", "model-a", {"beams": 3}, revision="r2", weights_hash="aa"),
        Run.of("caption", "model-a", {"beams": 3}, revision="r1", weights_hash="ab"),
    ]
    assert 6 == len({A.key, *(run.key for run in others)})
    assert Run.of("x", "m", {"a": 1, "b": 2}).key == Run.of("x", "m", {"b": 2, "a": 1}).key


def test_the_run_asked_for_last_is_live(archive: Archive) -> None:
    """A, then B, then A again, whose results are there already: A is live, and B answers where A has nothing."""
    for run in (A, B):
        archive.choose_run(run)
        archive.put_text(result(run, 1))
        assert [f"said by {run.model}"] == captions(archive)
    archive.put_text(result(B, 2))
    assert archive.choose_run(A)
    assert not archive.choose_run(A)
    assert ["said by model-a"] == captions(archive)
    assert ["said by model-b"] == captions(archive, 2)
    found = [(hit.text, hit.words) for hit in archive.snapshot().search_text("said by model", ["caption"], 9)]
    assert ["said by model-a", "said by model-b"] == sorted(text for text, _ in found)


def test_the_visual_run_asked_for_last_is_live(archive: Archive) -> None:
    """Default settings, coarse ones, default again: the shots are those of the default again, and are found."""
    fine, coarse = Run("visual", "k1"), Run("visual", "k2")
    before = archive.snapshot().shots(fingerprint_of(1))
    archive.choose_run(fine)
    archive.choose_run(coarse)
    archive.put_segment(segment_of(1, n_shots=1, key="k2"))
    archive.publish()
    assert 1 == len(archive.snapshot().shots(fingerprint_of(1)))
    archive.choose_run(fine)
    archive.publish()
    snapshot = archive.snapshot()
    assert before == snapshot.shots(fingerprint_of(1))
    assert 8 == len(snapshot.search(embeddings_of(5, 1)[0], 100))
    stored = snapshot.stored_segment(fingerprint_of(1))
    assert stored is not None
    assert "k1" == stored.key


def test_what_was_chosen_does_not_depend_on_the_order_of_reading(archive: Archive) -> None:
    """An archive whose caches are made anew has the same live runs."""
    for run in (A, B, A):
        archive.choose_run(run)
    for run in (A, B):  # B is written last
        archive.put_text(result(run, 1))
    assert ["said by model-a"] == captions(archive)
    for path in (archive.folder / "generations").iterdir():
        path.unlink()
    with Archive.open(archive.folder) as again:
        assert ["said by model-a"] == captions(again)


def test_rows_carry_what_stages_produce(archive: Archive) -> None:
    """Score, box, words with times, language, count and payload are read as they were written."""
    row = TextRow(
        FIRST, "two dogs", 0.9, "en", (0.25, 0.0, 0.5, 1.0),
        (Word("two", 0.0, 0.5, 0.75), Word("dogs", 0.5, 1.0)), 2, {"track": 7, "names": ["a", "ü"]},
    )  # fmt: skip
    plain = TextRow(SECOND, "a cat")
    run = Run.of("object", "detector", {"least": 0.5})
    archive.put_text(result(run, 1, row, plain))
    archive.publish()
    snapshot = archive.snapshot()
    read = snapshot.stage_rows(fingerprint_of(1), "object")
    assert [row, plain] == [one.row for one in read]
    assert [("object", run.key)] * 2 == [(one.stage, one.run_key) for one in read]
    assert [row, plain] == snapshot.rows_of_run(run, fingerprint_of(1))
    assert [0.9, 0.0] == [hit.score for hit in snapshot.text_rows(fingerprint_of(1), "object")]
    assert [] == snapshot.stage_rows(fingerprint_of(2))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"score": math.nan}, "score"),
        ({"score": 1.5}, "score"),
        ({"box": (0.5, 0.5, 0.75, 0.25)}, "box"),
        ({"box": (math.nan, 0.0, 0.5, 0.5)}, "box"),
        ({"text": "x" * 10_000_000}, "characters"),
        ({"text": "a\x00b"}, "control character"),
        ({"text": "a\x1b[31m"}, "control character"),
        ({"words": (Word("x", 1.0, 0.5),)}, "word"),
        ({"words": (Word("x", 0.0, math.inf),)}, "word"),
        ({"count": -1}, "count"),
        ({"payload": {"x": math.nan}}, "payload"),
        ({"payload": {"x": {1, 2}}}, "payload"),
        ({"language": "en\n"}, "language"),
    ],
)
def test_impossible_rows_are_refused_when_written(values: dict[str, Any], why: str) -> None:
    """The error says where the row is and what is wrong, in one line."""
    with pytest.raises(RowRefusedError, match=why) as refused:
        TextRow(**{"span": FIRST, "text": "a", **values})
    assert "0.000 to 1.000 s" in str(refused.value)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_rows_outside_their_video_are_refused(archive: Archive) -> None:
    """A row may reach a second beyond its video, as sound does, and not more."""
    archive.put_text(result(A, 1, TextRow(TimeSpan(Fraction(1), Fraction(3)), "the end")))
    late = result(B, 1, TextRow(TimeSpan(Fraction(1), Fraction(4)), "too late"))
    with pytest.raises(RowRefusedError, match=r"lies outside its video, which goes from 0\.000 to 2\.002 s"):
        archive.put_text(late)


def forged(video: int, **values: Any) -> TextSegment:
    """A result of which the second of three rows was given values that would be refused."""
    rows = tuple(TextRow(FIRST, text) for text in ("first", "second", "third"))
    for name, value in values.items():
        object.__setattr__(rows[1], name, value)
    return result(A, video, *rows)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"score": math.nan}, "1 have a score that is none"),
        ({"box": (0.5, 0.5, 0.75, 0.25)}, "1 have a box outside the picture"),
        ({"text": "x" * (MOST_CHARACTERS + 1)}, "1 have a text that is too long"),
        ({"text": "a\x07b"}, "1 have control characters"),
        ({"words": (Word("x", 1.0, 0.5),)}, "1 have impossible words"),
        ({"count": -1}, "1 have an impossible count"),
        ({"span": TimeSpan(Fraction(50), Fraction(51))}, "1 lie outside the video"),
    ],
)
def test_impossible_rows_are_passed_over_when_read(archive: Archive, values: dict[str, Any], why: str) -> None:
    """Rows of a stranger's file that cannot be are left out, `check` says how many, and the others are used."""
    segment = forged(1, **values)
    name = f"{segment.fingerprint}.caption.{A.key}.parquet"
    segment_path(archive.folder / "segments", name).write_bytes(encode_text_segment(segment))
    assert ["first", "third"] == captions(archive)
    (finding,) = check_archive(archive.folder, read_data=True)
    assert finding.path.endswith(name)
    assert why in finding.what
    repair_archive(archive.folder, dry_run=False)
    assert ["first", "third"] == captions(archive)


def test_coverage_and_failures_are_per_run_and_video(archive: Archive) -> None:
    """A failure has its reason until the run succeeds; the file itself is not called broken."""
    archive.choose_run(A)
    archive.note_failure(A, fingerprint_of(1), "out of memory")
    archive.publish()
    snapshot = archive.snapshot()
    (row,) = [one for one in snapshot.runs() if one.run.stage == "caption"]
    assert (0, 0, 1, 1) == (row.n_done, row.n_partial, row.n_failed, row.n_missing)
    assert {"model-a", "r1", "aa"} == {row.run.model, row.run.revision, row.run.weights_hash}
    assert {fingerprint_of(1): "out of memory"} == snapshot.failures_of_run(A)
    failed, missing = (snapshot.coverage(A, fingerprint_of(video)) for video in (1, 2))
    assert (CoverageState.FAILED, "out of memory") == (failed.state, failed.reason)
    assert CoverageState.MISSING == missing.state
    assert 0 == snapshot.counts().failed
    for video in (1, 2):
        archive.put_text(result(A, video, seconds=2.0))
    archive.publish()
    (row,) = [one for one in archive.snapshot().runs() if one.run.stage == "caption"]
    assert (2, 0, 0, 0, 2, 2) == (
        row.n_done, row.n_partial, row.n_failed, row.n_missing, row.n_live, row.n_rows,
    )  # fmt: skip
    assert (True, 4.0, {"beams": 3}) == (row.is_chosen, row.seconds, row.run.parameters)
    assert {} == archive.snapshot().failures_of_run(A)
    visual = next(one for one in archive.snapshot().runs() if one.run.stage == "visual")
    assert ("made-up", "00ff", 2) == (visual.run.model, visual.run.weights_hash, visual.n_done)


def test_dropping_a_run_deletes_what_no_other_needs(archive: Archive) -> None:
    """Its segments and the thumbnails that only it shows go; shared ones, and open snapshots, stay."""
    fine, coarse = Run("visual", "k1"), Run("visual", "k2")
    fingerprint = fingerprint_of(1)
    for i in range(4):
        archive.put_thumbnail(f"{fingerprint}-{i}.webp", b"picture")
    archive.choose_run(fine)
    archive.choose_run(coarse)
    archive.put_segment(segment_of(1, n_shots=1, key="k2"))
    archive.publish()
    with pytest.raises(RunInUseError, match="is live; choose another run first"):
        archive.drop_run("visual", "k2")
    with pytest.raises(RunInUseError, match="1 video would have no shots without k1"):
        archive.drop_run("visual", "k1")
    archive.put_segment(segment_of(2, n_shots=1, key="k2"))
    expected = sum(path.stat().st_size for path in (archive.folder / "segments").rglob("*.visual.k1.parquet"))
    archive.choose_run(fine)
    archive.publish()
    open_snapshot = archive.snapshot()
    before = [open_snapshot.shots(), open_snapshot.search(embeddings_of(5, 1)[0], 100)]
    archive.choose_run(coarse)
    assert expected + 2 * len(b"picture") == archive.drop_run("visual", "k1")
    assert 2 == len(list((archive.folder / "thumbs").rglob("*.webp")))
    assert before == [open_snapshot.shots(), open_snapshot.search(embeddings_of(5, 1)[0], 100)]
    shot = open_snapshot.shots(fingerprint)[1]
    assert (2, 16) == open_snapshot.embeddings(shot.shot_id).shape
    assert 2 == archive.snapshot().counts().shots
    assert ["k2"] == [row.run.key for row in archive.snapshot().runs()]
    assert [] == check_archive(archive.folder, read_data=True)
    with pytest.raises(UnknownIdError, match="visual has no run 'k1'"):
        archive.drop_run("visual", "k1")


def test_a_dropped_run_comes_back_when_it_is_asked_for(archive: Archive) -> None:
    """What is written after it was chosen again counts; what a late worker writes without that does not."""
    for run in (A, B):
        archive.choose_run(run)
        archive.put_text(result(run, 1))
    assert 0 < archive.drop_run("caption", A.key)
    archive.put_text(result(A, 1))
    assert ["said by model-b"] == captions(archive)
    assert not list((archive.folder / "segments").rglob(f"*{A.key}*"))
    assert archive.choose_run(A)
    archive.put_text(result(A, 1))
    assert ["said by model-a"] == captions(archive)
    assert [] == check_archive(archive.folder, read_data=True)


@pytest.mark.parametrize("step", [*DROP_FAILPOINTS, "publish.applied", "publish.published"])
def test_a_killed_drop_is_finished_by_the_next_publisher(archive: Archive, step: str) -> None:
    """Whatever step a dropping process is killed at, the run is gone after the next publishing, and only it."""
    for run in (A, B):
        archive.choose_run(run)
        archive.put_text(result(run, 1))
    archive.publish()
    program = (
        "import sys; from store.archive import Archive; Archive.open(sys.argv[1]).drop_run('caption', sys.argv[2])"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(archive.folder), A.key],
        cwd=REPOSITORY,
        env={**os.environ, FAILPOINT_VARIABLE: step},
        check=False,
    )
    assert -signal.SIGKILL == killed.returncode
    assert ["said by model-b"] == captions(archive)
    archive.publish()
    assert not list((archive.folder / "segments").rglob(f"*{A.key}*"))
    assert [] == check_archive(archive.folder, read_data=True)


def rewritten(data: bytes, path: Path, **header: Any) -> bytes:
    """A segment with other fields in its footer, sealed again."""
    path.write_bytes(data)
    table, fields = read_table(path)
    path.unlink()
    return encode_table(table, {"format": segments.SEGMENT_FORMAT, **fields, **header})


def test_what_a_later_version_wrote_is_kept_and_passed_over(archive: Archive, tmp_path: Path) -> None:
    """A stage, formats and fields that are unknown here: nothing fails, nothing goes, and all of it is counted."""
    folder, fingerprint = archive.folder / "segments", fingerprint_of(1)
    future = {
        f"{fingerprint}.faces.f1.parquet": b"whatever a later version writes",
        f"{fingerprint}.label.l9.parquet": rewritten(
            encode_text_segment(result(Run("label", "l9"), 1)),
            tmp_path / f"{fingerprint}.label.l9.parquet",
            format=9,
        ),
        f"{fingerprint}.visual.v9.parquet": rewritten(
            encode_segment(segment_of(1, key="v9")), tmp_path / f"{fingerprint}.visual.v9.parquet", format=9
        ),
        f"{fingerprint}.caption.c9.parquet": rewritten(
            encode_text_segment(result(Run("caption", "c9"), 1)),
            tmp_path / f"{fingerprint}.caption.c9.parquet",
            mood="cheerful",
        ),
    }
    for name, data in future.items():
        segment_path(folder, name).write_bytes(data)
    assert ["said by "] == captions(archive)
    generation = archive.publish()
    assert generation == archive.publish()
    snapshot = archive.snapshot()
    passed = {one.name.split(".", 1)[1]: one.format for one in snapshot.passed_segments()}
    assert {"faces.f1.parquet": 0, "label.l9.parquet": 9, "visual.v9.parquet": 9} == passed
    assert {f"{fingerprint}.caption.c9.parquet": ("", "mood")} == snapshot.doubtful_segments()
    assert 4 == len(snapshot.shots())
    assert [] == check_archive(archive.folder, read_data=True)
    assert [] == repair_archive(archive.folder, dry_run=False)
    assert future == {name: segment_path(folder, name).read_bytes() for name in future}
    archive.record([Erased(fingerprint), Forgotten(fingerprint)])
    archive.publish()
    assert not list(folder.rglob(f"{fingerprint}*"))


def test_a_stage_that_becomes_known_is_read(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version passed over shows as soon as a version that knows the stage publishes."""
    from store import stages

    run = Run("mood", "m1")
    with monkeypatch.context() as later:
        later.setattr(stages, "STAGES", (*stages.STAGES, stages.Stage("mood", "moods", "moods")))
        archive.put_text(result(run, 1, TextRow(FIRST, "cheerful")))
    archive.publish()
    assert {} == archive.snapshot().text_counts()
    assert 1 == len(archive.snapshot().passed_segments())
    monkeypatch.setattr(stages, "STAGES", (*stages.STAGES, stages.Stage("mood", "moods", "moods")))
    archive.publish()
    assert {"mood": 1} == archive.snapshot().text_counts()
    assert [] == archive.snapshot().passed_segments()


def part_of(run: Run, number: int, n_parts: int = 4) -> TextSegment:
    """Half a second of video 1, with one row."""
    span = TimeSpan(Fraction(number, 2), Fraction(number + 1, 2))
    part = Part(number, span, is_last=number == n_parts - 1)
    return result(run, 1, TextRow(span, f"part {number}"), part=part)


def test_parts_show_once_they_are_the_best_there_is(archive: Archive) -> None:
    """Parts are partial coverage; a complete result of another run answers until the last part is there."""
    archive.choose_run(A)
    for number in (0, 1, 3):
        archive.put_part(part_of(A, number))
    assert ["part 0", "part 1", "part 3"] == captions(archive)
    coverage = archive.snapshot().coverage(A, fingerprint_of(1))
    assert CoverageState.PARTIAL == coverage.state
    assert [0.0, 0.5, 1.5] == [span.start_seconds for span in coverage.spans]
    assert coverage.spans == tuple(archive.parts_of(A, fingerprint_of(1)).values())
    archive.put_text(result(B, 1))
    assert ["said by model-b"] == captions(archive)
    archive.put_part(part_of(A, 2))
    assert [f"part {number}" for number in range(4)] == captions(archive)
    coverage = archive.snapshot().coverage(A, fingerprint_of(1))
    assert CoverageState.DONE == coverage.state
    archive.put_text(result(A, 1, TextRow(FIRST, "all of it")))
    assert ["all of it"] == captions(archive)
    with pytest.raises(ValueError, match="a part has a number and a span"):
        archive.put_part(result(A, 1))


_WRITE_PARTS = """
import sys
from store.archive import Archive
from tests.integration.store.samples import fingerprint_of
from tests.integration.store.test_stages import A, part_of
with Archive.open(sys.argv[1]) as archive:
    done = len(archive.parts_of(A, fingerprint_of(1)))
    print(done, flush=True)
    for number in range(done, 4):
        archive.put_part(part_of(A, number))
        archive.publish()
"""


def test_a_run_that_is_killed_between_parts_goes_on_at_the_last(archive: Archive) -> None:
    """Killed before a part has its name, after it, and while publishing: what was written is not done again."""
    archive.choose_run(A)
    found = []
    for step in ("segment.before-rename:2", "segment.after-rename:2", "catalog.after-rename", ""):
        run = subprocess.run(
            [sys.executable, "-c", _WRITE_PARTS, str(archive.folder)],
            cwd=REPOSITORY,
            env={**os.environ, FAILPOINT_VARIABLE: step, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            check=False,
        )
        assert (-signal.SIGKILL if step else 0) == run.returncode, run.stderr.decode()
        found.append(int(run.stdout))
    assert [0, 1, 3, 4] == found
    assert [f"part {number}" for number in range(4)] == captions(archive)
    assert [] == check_archive(archive.folder, read_data=True)


def test_texts_may_have_a_space_of_their_own(archive: Archive) -> None:
    """Their vectors are found in it, and never meet those of pictures; other texts keep their words."""
    sentences = dataclasses.replace(SPACE, name="sentences", dim=8, space_id="sentences-8")
    vectors = np.eye(8, dtype=np.float32)[:2]
    rows = (TextRow(FIRST, "a dog"), TextRow(SECOND, "a cat"))
    with pytest.raises(SpaceMismatchError):
        archive.put_text(dataclasses.replace(result(A, 1, *rows), space=sentences, embeddings=vectors))
    archive.claim_text_space(sentences, "sentence encoder")
    archive.put_text(dataclasses.replace(result(A, 1, *rows), space=sentences, embeddings=vectors))
    pictures = embeddings_of(9, 2)
    archive.put_text(dataclasses.replace(result(A, 2, *rows), space=SPACE, embeddings=pictures))
    archive.publish()
    snapshot = archive.snapshot()
    assert (SPACE, sentences) == (snapshot.space, snapshot.text_space)
    hits = snapshot.search_text_vectors(vectors[1], "caption", 9)
    assert [("a cat", 1.0), ("a dog", 0.0)] == [(hit.text, round(hit.score, 3)) for hit in hits]
    assert 2 == len(snapshot.search_text("dog", ["caption"], 9))
    assert 8 == len(snapshot.search(embeddings_of(1, 1)[0], 100))
    with pytest.raises(SpaceMismatchError, match="the space of texts sentences has dimension 8"):
        snapshot.search_text_vectors(pictures[0], "caption", 9)
    assert [] == check_archive(archive.folder, read_data=True)
    with Archive.open(archive.folder) as again:
        add_videos(again, 3)
        again.publish()
        assert "a cat" == again.snapshot().search_text_vectors(vectors[1], "caption", 1)[0].text


def test_a_second_space_is_built_beside_the_first(archive: Archive) -> None:
    """The old space answers until the switch, which is one event; then the new one does, and back again."""
    old = archive.snapshot().search(embeddings_of(1, 4)[0], 3)
    other = [
        dataclasses.replace(segment_of(v, space=OTHER_SPACE, key="o1"), embeddings=embeddings_of(50 + v, 4))
        for v in (1, 2)
    ]
    with pytest.raises(SpaceMismatchError, match="was indexed with made-up, not with other"):
        archive.put_segment(other[0])
    archive.add_space(OTHER_SPACE, "other model")
    archive.put_segment(other[0])
    archive.publish()
    snapshot = archive.snapshot()
    assert old == snapshot.search(embeddings_of(1, 4)[0], 3)
    assert (1, 2) == snapshot.space_coverage(OTHER_SPACE.space_id)
    (best,) = snapshot.search_space(OTHER_SPACE, embeddings_of(51, 4)[2], 1)
    assert (fingerprint_of(1), Fraction(1001, 1000)) == (best.video_id, best.span.start)
    assert pytest.approx(1.0) == best.score
    archive.put_segment(other[1])
    archive.use_space(OTHER_SPACE.space_id)
    snapshot = archive.snapshot()
    assert (OTHER_SPACE, "other model") == (snapshot.space, snapshot.space_source)
    assert OTHER_SPACE == archive.space
    assert pytest.approx(1.0, abs=2e-3) == snapshot.search(embeddings_of(52, 4)[1], 1)[0].score
    assert 8 == len(snapshot.search(embeddings_of(52, 4)[1], 100))
    assert [] == check_archive(archive.folder, read_data=True)
    archive.use_space(SPACE.space_id)
    assert old == archive.snapshot().search(embeddings_of(1, 4)[0], 3)
    with pytest.raises(UnknownIdError, match="no embedding space 'third'"):
        archive.use_space("third")

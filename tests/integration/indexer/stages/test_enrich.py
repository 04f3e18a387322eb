"""The conductor of enriching: one pass, parts, retries of errors alone, results that stay with their shots."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.config import IndexSettings, PipelineSettings
from indexer.media.pictures_at import read_pictures
from indexer.pipeline import index_videos
from indexer.stages import commits, picture_pass
from indexer.stages.enrich import EnrichProgress, enrich_videos
from indexer.stages.enrich_video import StageOutcome
from indexer.stages.stage import AnyStage
from store.archive import Archive
from store.results import CoverageState
from store.shot_outcomes import ShotState
from tests.colour_clips import write_colour_clip
from tests.fake_stages import ColourStage, CountStage, LoudnessStage
from tests.fakes import FakeEncoder

SHOTS = ("red", "green", "blue", "black", "yellow", "white")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One video of six shots."""
    folder = tmp_path_factory.mktemp("library")
    write_colour_clip(folder / "film.mp4", SHOTS)
    return folder


@pytest.fixture
def archive(library: Path, tmp_path: Path) -> Iterator[Archive]:
    """An archive of that video."""
    with Archive.create(tmp_path / "archive") as opened:
        opened.claim_space(FakeEncoder().space, "fake")
        settings_ = IndexSettings(pipeline=PipelineSettings(jobs=1))
        list(index_videos(opened, [library], FakeEncoder(), settings_, lambda _: None))
        yield opened


def enrich(archive: Archive, *stages: AnyStage, **options: Any) -> list[StageOutcome]:
    """The outcomes of one run."""
    return list(enrich_videos(archive, stages, lambda _: None, **options))


def said(archive: Archive, stage: str = "caption") -> list[str]:
    """The texts of the video, in order of time."""
    (video,) = archive.snapshot().videos()
    return [row.row.text for row in archive.snapshot().stage_rows(video.video_id, stage)]


ALL = [f"all {colour}" for colour in SHOTS if colour != "black"]


def test_every_shot_gets_its_own_row_and_outcome(archive: Archive) -> None:
    """Rows lie on their shots; a refusal is an outcome with its reason; nothing is done twice."""
    stage = ColourStage()
    (outcome,) = enrich(archive, stage)
    assert ("caption", "", 5) == (outcome.stage, outcome.committed.failure, outcome.committed.n_rows)
    assert {ShotState.DONE: 5, ShotState.BLOCKED: 1} == outcome.committed.counts
    assert ALL == said(archive)
    (video,) = archive.snapshot().videos()
    spans = [row.row.span for row in archive.snapshot().stage_rows(video.video_id, "caption")]
    shots = [row.shot.span for row in archive.snapshot().shots(video.video_id)]
    assert [span for n, span in enumerate(shots) if n != 3] == spans
    (blocked,) = archive.snapshot().shot_outcomes(stage.run, video.video_id)
    assert (shots[3], ShotState.BLOCKED, "does not speak of black") == (
        blocked.span,
        blocked.state,
        blocked.reason,
    )
    assert [("red", "green", "blue", "black"), ("yellow", "white")] == stage.seen
    assert [] == enrich(archive, stage)


def test_one_pass_serves_all_stages_that_want_pictures(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stages that want other pictures: the file is opened once, and each gets what it asked for."""
    calls = []

    def counted(path: str, *arguments: Any) -> Any:
        calls.append(path)
        return read_pictures(path, *arguments)

    monkeypatch.setattr(picture_pass, "read_pictures", counted)
    labels = ColourStage(stage="label", n_pictures=3, size_px=None, batch=2)
    outcomes = enrich(archive, ColourStage(), labels)
    assert ["caption", "label"] == [outcome.stage for outcome in outcomes]
    assert 1 == len(calls)
    costs = {row.run.stage: row.seconds for row in archive.snapshot().runs()}
    for outcome in outcomes:  # what each took itself, not what all of the pass took
        assert pytest.approx(outcome.seconds) == costs[outcome.stage]
    assert (ALL, ALL) == (said(archive), said(archive, "label"))


def test_only_errors_are_done_again(archive: Archive) -> None:
    """A shot with which the model failed is missing, counted and told; the next run does it and no other."""
    (outcome,) = enrich(archive, ColourStage(fails_on=frozenset({"blue", "white"})))
    assert "2 shots failed, the first at 0:02.0: cannot say blue" == outcome.committed.failure
    assert [text for text in ALL if text not in ("all blue", "all white")] == said(archive)
    (video,) = archive.snapshot().videos()
    stage = ColourStage()
    coverage = archive.snapshot().coverage(stage.run, video.video_id)
    assert (CoverageState.FAILED, outcome.committed.failure) == (coverage.state, coverage.reason)
    (outcome,) = enrich(archive, stage)
    assert [("blue", "white")] == stage.seen
    assert "" == outcome.committed.failure
    assert ALL == said(archive)
    assert CoverageState.DONE is archive.snapshot().coverage(stage.run, video.video_id).state


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.integers(1, 7),
    fails_together=st.booleans(),
    fails_on=st.frozensets(st.sampled_from([one for one in SHOTS if one != "black"]), max_size=2),
    n_pictures=st.integers(1, 3),
    every_seconds=st.sampled_from([0.0, 60.0]),
)
def test_results_stay_with_their_shots(
    archive: Archive,
    batch: int,
    fails_together: bool,
    fails_on: frozenset[str],
    n_pictures: int,
    every_seconds: float,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commits.Commits.__init__, "__defaults__", (every_seconds,))
        model = f"colours {batch} {fails_together} {sorted(fails_on)} {n_pictures} {every_seconds}"
        first = ColourStage(model, batch, fails_on, fails_together, n_pictures)
        enrich(archive, first)
        enrich(archive, ColourStage(model, 1, n_pictures=n_pictures))
    (video,) = archive.snapshot().videos()
    rows = archive.snapshot().rows_of_run(first.run, video.video_id)
    shots = [row.shot.span for row in archive.snapshot().shots(video.video_id)]
    expected = [(shots[n], f"all {colour}") for n, colour in enumerate(SHOTS) if colour != "black"]
    assert expected == [(row.span, row.text) for row in rows]
    assert CoverageState.DONE is archive.snapshot().coverage(first.run, video.video_id).state


def test_a_bad_stretch_of_a_film_does_not_stop_the_others(archive: Archive, library: Path) -> None:
    """Each shot is tried, and so is the next video; what failed is told for each."""
    write_colour_clip(library / "second.mp4", ("orange", "green"))
    settings_ = IndexSettings(pipeline=PipelineSettings(jobs=1))
    list(index_videos(archive, [library], FakeEncoder(), settings_, lambda _: None))
    stage = ColourStage(batch=1, fails_on=frozenset(SHOTS))
    outcomes = {Path(outcome.path).name: outcome for outcome in enrich(archive, stage)}
    (library / "second.mp4").unlink()
    assert 8 == len(stage.seen)
    assert {ShotState.ERROR: 6} == outcomes["film.mp4"].committed.counts
    assert {ShotState.ERROR: 1, ShotState.DONE: 1} == outcomes["second.mp4"].committed.counts
    assert all("cannot say" in outcome.committed.failure for outcome in outcomes.values())


def test_a_model_that_always_fails_is_given_up(tmp_path: Path) -> None:
    """After three videos without any result no further one is tried, and each outcome says why."""
    for number in range(5):
        write_colour_clip(tmp_path / "library" / f"{number}.mp4", ("red",), salt=number)
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(FakeEncoder().space, "fake")
        list(index_videos(archive, [tmp_path / "library"], FakeEncoder(), IndexSettings(), lambda _: None))
        stage = ColourStage(fails_on=frozenset({"red"}))
        outcomes = enrich(archive, stage, ColourStage(stage="label"))
    assert 3 == len(stage.seen)
    failures = [outcome.committed.failure for outcome in outcomes if outcome.stage == "caption"]
    assert 5 == sum("cannot say red" in failure for failure in failures)
    assert all(not outcome.committed.failure for outcome in outcomes if outcome.stage == "label")


def test_another_process_at_work_doubles_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another run wrote meanwhile is left out, and the video is done by both together."""
    monkeypatch.setattr(commits.Commits.__init__, "__defaults__", (0.0,))

    class Overtaken(ColourStage):
        def read(self, shown: Any) -> Any:
            if len(self.seen) == 2:
                enrich(archive, ColourStage(batch=1))
            return super().read(shown)

    (outcome,) = enrich(archive, Overtaken(batch=1))
    archive.publish()
    assert "" == outcome.committed.failure
    assert ALL == said(archive)


def test_a_file_that_was_replaced_is_told(archive: Archive, library: Path) -> None:
    """Another content under the same name is not described as the old one."""
    film = library / "film.mp4"
    kept = film.read_bytes()
    write_colour_clip(film, ("white",))
    (outcome,) = enrich(archive, ColourStage())
    film.write_bytes(kept)
    assert "has changed since it was indexed" in outcome.committed.failure
    assert [] == said(archive)


def test_what_is_done_is_done_again_where_asked(archive: Archive) -> None:
    """A run of its own stands beside the old one, and answers."""
    enrich(archive, ColourStage())
    stage = ColourStage()
    enrich(archive, stage, again=True)
    assert 6 == sum(map(len, stage.seen))
    assert ALL == said(archive)
    assert 2 == sum(row.run.stage == "caption" for row in archive.snapshot().runs())


def test_long_work_is_committed_in_parts(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interrupted run wrote is there, and the next run goes on behind it."""
    monkeypatch.setattr(commits.Commits.__init__, "__defaults__", (0.0,))

    class Interrupted(ColourStage):
        def read(self, shown: Any) -> Any:
            if len(self.seen) == 3:
                raise KeyboardInterrupt
            return super().read(shown)

    with pytest.raises(KeyboardInterrupt):
        enrich(archive, Interrupted(batch=1))
    archive.publish()
    assert ALL[:2] == said(archive)
    stage = ColourStage(batch=1)
    enrich(archive, stage)
    assert [("blue",), ("black",), ("yellow",), ("white",)] == stage.seen
    assert ALL == said(archive)


def test_sound_is_heard_from_where_it_was_left(tmp_path: Path) -> None:
    """A listener that fails keeps what it had; the next run begins there; a video without sound has nothing."""
    write_colour_clip(tmp_path / "library" / "mute.mp4", ("red",))
    tone = ffmpeg.input("sine=frequency=440:duration=4", f="lavfi")
    picture = ffmpeg.input("color=blue:size=64x36:rate=25:duration=4", f="lavfi")
    graph = ffmpeg.output(picture, tone, str(tmp_path / "library" / "tone.mkv"), vcodec="libx264", acodec="flac")
    ffmpeg.run(graph, cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True)
    with Archive.create(tmp_path / "archive") as archive:
        archive.claim_space(FakeEncoder().space, "fake")
        list(index_videos(archive, [tmp_path / "library"], FakeEncoder(), IndexSettings(), lambda _: None))
        failed = {o.path.rsplit("/")[-1]: o.committed for o in enrich(archive, LoudnessStage(fails_at=2))}
        assert "ears hurt" == failed["tone.mkv"].failure
        assert {ShotState.NOTHING: 1} == failed["mute.mp4"].counts
        stage = LoudnessStage()
        (outcome,) = enrich(archive, stage)
        assert "" == outcome.committed.failure
        assert Fraction(2) == stage.heard[0]
        videos = {Path(video.path).name: video.video_id for video in archive.snapshot().videos()}
        rows = archive.snapshot().stage_rows(videos["tone.mkv"], "transcript")
        assert [0, 1, 2, 3] == [int(row.row.span.start) for row in rows]


def test_readers_come_last_and_again_when_what_they_read_is_another_run(archive: Archive) -> None:
    """A summary sees the captions of this run; captions by another model make another summary."""
    count = CountStage()
    outcomes = enrich(archive, count, ColourStage())
    assert ["caption", "summary"] == [outcome.stage for outcome in outcomes]
    assert ["5 captions"] == said(archive, "summary")
    enrich(archive, count, ColourStage())
    assert 1 == count.n_derived
    enrich(archive, count, ColourStage("other"))
    assert 2 == count.n_derived


def test_missing_fills_gaps_only(archive: Archive) -> None:
    """With `only_missing` a video that another run has done is left alone."""
    enrich(archive, ColourStage())
    assert [] == enrich(archive, ColourStage("other"), only_missing=True)
    assert 1 == len(enrich(archive, ColourStage("other")))


def test_texts_are_embedded_and_progress_tells_the_time_left(archive: Archive) -> None:
    """Captions are found by their meaning; progress ends with all of the video done."""
    told: list[EnrichProgress] = []
    list(enrich_videos(archive, [ColourStage()], told.append, encoder=FakeEncoder()))
    hits = archive.snapshot().search_text_vectors(FakeEncoder().encode_texts(["blue"])[0], "caption", 1)
    assert ["all blue"] == [hit.text for hit in hits]
    assert told[0].seconds_left is None
    assert pytest.approx(0, abs=1e-6) == told[-1].seconds_left
    assert (1, 1) == (told[-1].n_videos, told[-1].n_done)


def test_a_file_that_is_gone_is_told_and_not_blamed(archive: Archive, library: Path) -> None:
    """A video whose file is elsewhere now fails in this run only."""
    hidden = library / "film.mp4"
    moved = hidden.rename(library / "hidden")
    try:
        (outcome,) = enrich(archive, ColourStage())
    finally:
        moved.rename(hidden)
    assert "the file is not there now" in outcome.committed.failure
    (video,) = archive.snapshot().videos()
    assert CoverageState.MISSING is archive.snapshot().coverage(ColourStage().run, video.video_id).state

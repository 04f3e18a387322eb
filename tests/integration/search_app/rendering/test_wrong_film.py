"""Films that came out wrong, and verification that is broken off."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import click
import pytest

from indexer.media.ffmpeg import Ffmpeg, find_ffmpeg
from search_app.commands.render import finish_render
from search_app.conforming.conform import Conformed
from search_app.conforming.source_frames import FrameLog
from search_app.rendering import supercut, verify
from search_app.rendering.join import join_pieces
from search_app.rendering.ledger import read_ledger
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from search_app.rendering.verify import ClipCheck, EdgeCheck, Placed, verify_supercut
from tests.counted_video import CountedVideo
from tests.integration.search_app.rendering.test_supercut import SMALL, cut


@pytest.fixture(scope="module")
def program() -> Ffmpeg:
    """The ffmpeg program of this installation."""
    return find_ffmpeg()


@pytest.fixture
def too_long(tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch) -> SupercutReport:
    """A film of two clips, 17 and 15 frames, to which the first was joined once more."""

    def join_one_more(program: Ffmpeg, pieces: Any, *others: Any, **options: Any) -> None:
        join_pieces(program, [*pieces, pieces[0]], *others, **options)

    monkeypatch.setattr(supercut, "join_pieces", join_one_more)
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 3, 20), (path, 30, 45)])
    return render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program)


def test_a_film_of_another_length_is_called_wrong(too_long: SupercutReport) -> None:
    """Though every clip begins and ends as it must: summary, ledger and exit status say that the film does not."""
    said = "2/2 cuts exact; the film has 49 frames instead of 32"
    assert (2, False, True) == (too_long.n_exact, too_long.is_exact, too_long.has_wrong_cut)
    assert said in too_long.summary().splitlines()
    told = read_ledger(too_long.ledger)
    assert (32, 49, said) == (told["n_frames"], told["n_frames_found"], told["verification"])
    with pytest.raises(click.exceptions.Exit) as left:
        finish_render(click.Context(click.Command("supercut")), too_long, as_json=True)
    assert 1 == left.value.exit_code


def test_what_breaks_verification_off_stops_the_comparisons(
    tmp_path: Path, program: Ffmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C, which reaches only the thread that waits, does not wait for what is being compared."""
    path = CountedVideo("source.mp4").write(tmp_path, program)
    cut_list, _ = cut([(path, 0, 10)])
    report = render_supercut(cut_list, tmp_path / "out.mp4", profile=SMALL, program=program, verify=False)
    made = Conformed(1, 0, 0, 0, 1, True, 0, 0)
    placed = [Placed(cut_list.clips[0], path, FrameLog(), made, n) for n in range(3)]
    began, was_stopped = threading.Event(), []

    def compare(_program: Ffmpeg, place: Placed, *, cancel: threading.Event, **_: Any) -> ClipCheck:
        if place.first_frame:
            began.set()
            was_stopped.append(cancel.wait(20))
        return ClipCheck(EdgeCheck(is_exact=True), EdgeCheck(is_exact=True))

    def interrupt(_n_clips: int) -> None:
        assert began.wait(20)
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "_check_clip", compare)
    with pytest.raises(KeyboardInterrupt):
        verify_supercut(program, report.output, placed, SMALL, 10, on_clip=interrupt)
    assert {True} == set(was_stopped)

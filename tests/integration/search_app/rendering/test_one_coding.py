"""A film is coded alike from its first frame to its last."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from indexer.media.ffmpeg import find_ffmpeg
from search_app.conforming.picture_names import Codec
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import build_cut_list
from search_app.rendering.film_options import FilmOptions
from search_app.rendering.supercut import render_supercut
from search_app.rendering.transitions import Transition
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, row_of


@pytest.mark.parametrize(
    ("codec", "name", "stored"),
    [(Codec.H264, "film.mp4", "yuv420p"), (Codec.PRORES, "film.mov", "yuv422p10le")],
)
@pytest.mark.parametrize("transition", Transition)
def test_every_frame_is_stored_alike(
    transition: Transition, codec: Codec, name: str, stored: str, tmp_path: Path
) -> None:
    """As players expect it: no transition, card or text changes how many colours a frame has."""
    program = find_ffmpeg()
    row, times = row_of(CountedVideo("source.mp4", n_frames=50).write(tmp_path, program))
    hits = [hit_of(row, TimeSpan(times[20 * n], times[20 * n + 20]), n + 1) for n in range(2)]
    seconds = None if transition is Transition.CUT else 0.2
    film = FilmOptions(transition, seconds, title="Title", end_card="End", card_seconds=0.6, watermark="mark")
    profile = Profile(128, 96, Fraction(25), codec=codec, preset="ultrafast")
    cut_list = build_cut_list(hits, {row.video_id: row})
    report = render_supercut(cut_list, tmp_path / name, profile=profile, film=film, program=program)
    assert "2/2 cuts exact" == report.verification_line()
    with av.open(str(report.output)) as container:
        assert {stored} == {frame.format.name for frame in container.decode(video=0)}

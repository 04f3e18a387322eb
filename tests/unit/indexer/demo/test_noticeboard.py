"""The demo's notice board, and the prompts of its labels."""

from importlib.resources import files
from pathlib import Path

from indexer.demo.noticeboard import NAME, draw_noticeboard
from indexer.demo.world import THINGS


def test_prompts_name_every_thing() -> None:
    """The file lists the things of the drawn world, each once."""
    lines = (files("indexer.demo") / "labels.txt").read_text(encoding="utf-8").splitlines()
    assert list(THINGS) == [line for line in lines if not line.startswith("#")]


def test_subtitles_lie_beside_the_video(tmp_path: Path) -> None:
    """Three lines, each inside the shot that it is said in."""
    draw_noticeboard(tmp_path, 7)
    assert (tmp_path / NAME).stat().st_size > 0
    told = (tmp_path / "noticeboard.srt").read_text(encoding="utf-8")
    assert 3 == told.count("-->")
    assert "00:00:03,300 --> 00:00:05,700\nNobody is allowed behind this door." in told

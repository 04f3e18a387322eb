"""No format changes unseen: what we write is what lies in `tests/golden/timelines`, byte for byte."""

from pathlib import Path

import pycmx
import pytest

from search_app.timelines.timeline_export import compare_timeline
from search_app.timelines.timeline_formats import WRITERS
from search_app.timelines.timeline_readers import read_edl
from tests.golden.write_timelines import FOLDER, golden_files, golden_plans

EXPECTED = golden_files()


def test_no_golden_file_is_missing_or_left_over() -> None:
    """Every case has its file in every format, and every file its case."""
    assert sorted(EXPECTED) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_written_is_what_was_written(name: str) -> None:
    """`python -m tests.golden.write_timelines` writes the files again when the change was meant."""
    assert (FOLDER / name).read_bytes() == EXPECTED[name]


@pytest.mark.parametrize("ending", WRITERS)
def test_golden_files_say_what_was_planned(ending: str) -> None:
    """Read back from the disk, each holds its clips to the frame."""
    for name, plan in golden_plans():
        compare_timeline(plan, (FOLDER / f"{name}{ending}").read_text(encoding="utf-8"), Path(f"x{ending}"))


def test_another_reader_of_edls_finds_the_same_events() -> None:
    """Names, reels, tracks and all four timecodes of every event, and no comment taken for an event."""
    for name, plan in golden_plans():
        path = FOLDER / f"{name}.edl"
        with path.open(encoding="utf-8") as file:
            edl = pycmx.parse_cmx3600(file)
        assert plan.name == edl.title
        found = [
            [
                edit.source,
                edit.clip_name,
                edit.channels.a1,
                edit.channels.a2,
                edit.source_in,
                edit.source_out,
                edit.record_in,
            ]
            for event in edl.events
            for edit in event.edits
        ]
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line[:3].isdigit()]
        said = read_edl(path.read_text(encoding="utf-8"), plan)
        assert [
            [one["reel"], one["name"], "V" != one["channels"], "AA/V" == one["channels"], *line[4:7]]
            for one, line in zip(said, lines, strict=True)
        ] == found

"""The timelines that our formats are compared with, byte for byte: every rate, start timecode and kind of name.

`python -m tests.golden.write_timelines` writes them again after a format was changed on purpose; what changed is
then seen in the difference. The footage is made up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from search_app.cutting.cut_list import Clip, CutList
from search_app.search.ranking import Hit
from search_app.timelines.timecode import COUNTINGS
from search_app.timelines.timeline import TimelinePlan, plan_timeline
from search_app.timelines.timeline_formats import WRITERS
from store.records import Boundary, Shot, ShotRow, VideoFacts
from store.timespan import TimeSpan

FOLDER = Path(__file__).parent / "timelines"
PLAIN, DIFFICULT = "/footage/day 1/A001_C001.mov", "/footage/Zoë & Łukasz 東京 100% #1 'x' \"y\" <z>; 🎬.mov"
N_FRAMES = 500


def clip_of(
    path: str,
    rate: Fraction,
    start: str | None,
    first: int,
    n_frames: int,
    *,
    sound: bool,
    channels: tuple[int, ...] = (2,),
    note: str = "",
) -> Clip:
    """A clip of a made-up file of 500 frames, found by its third frame."""
    whole, piece = TimeSpan(Fraction(0), N_FRAMES / rate), TimeSpan(first / rate, (first + n_frames) / rate)
    shape = ("mov", "prores", 1920, 1080, 0)
    times = (rate, Fraction(1, rate.numerator), Fraction(0), whole, N_FRAMES)
    channels = channels if sound else ()
    facts = VideoFacts(*shape, *times, sound, start_timecode=start, usual_rate=rate, audio_channels=channels)
    video_id = os.fsencode(path).hex()[-32:]
    shot = ShotRow(f"{first:016x}", video_id, path, Shot(0, piece, Boundary.CUT), "")
    return Clip(video_id, (path,), piece, (Hit(1, 0.25, shot, (first + 2) / rate, ""),), facts, note)


def plan_of(clips: Sequence[Clip]) -> TimelinePlan:
    """The plan of a timeline with a question and a caption that are difficult too."""
    captions = {f"{10:016x}": 'a boat & two "gulls" <above>; café'}
    return plan_timeline(
        CutList(tuple(clips)), "harbour at dusk", question="a red boat & 'sea'", captions=captions
    )


def golden_plans() -> Iterator[tuple[str, TimelinePlan]]:
    """All timelines, by the name of their files without ending."""
    for name, (rate, drop) in COUNTINGS.items():
        for start in ("10:11:12;13",) if drop else (None, "01:00:00:00"):
            pieces = [
                clip_of(PLAIN, rate, start, 10, 50, sound=True, note="the <best> & last"),
                clip_of(DIFFICULT, rate, start, 100, 1, sound=False),
            ]
            label = "none" if start is None else "".join(filter(str.isdigit, start))
            yield f"{name}_{label}", plan_of(pieces)
    ntsc, _ = COUNTINGS["29.97df"]
    mixed = [clip_of(f"/footage/{n}.mov", ntsc, "10:11:12;13", 10, 50, sound=True) for n in ("one", "three")]
    pal = clip_of("/footage/pal.mov", Fraction(25), "10:00:00:00", 10, 50, sound=True, channels=(1,))
    fast = clip_of("/footage/fast.mov", Fraction(50), "10:00:00:49", 11, 51, sound=True, channels=(6,))
    yield "mixed", plan_of([*mixed, pal, fast])


def golden_files() -> dict[str, bytes]:
    """What each file of the folder must hold, by name."""
    return {
        f"{name}{ending}": write(plan).encode()
        for name, plan in golden_plans()
        for ending, write in WRITERS.items()
    }


if __name__ == "__main__":
    for old in FOLDER.iterdir():
        old.unlink()
    for name, content in golden_files().items():
        (FOLDER / name).write_bytes(content)

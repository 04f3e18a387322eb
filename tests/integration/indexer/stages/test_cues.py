"""Technical cues of drawn clips whose black, bars, still pictures, credits and silences are known."""

from __future__ import annotations

import itertools
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.media.audio import AudioRequest, read_audio
from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.stages.cues import CueStage
from indexer.stages.silence import SilenceListener, SilenceSettings, SilenceStage
from indexer.stages.stage import HeardStretch, ShownStretch, Stretch
from store.records import Boundary, Shot, ShotRow
from store.shot_outcomes import ShotState
from store.timespan import TimeSpan

PARTS = (
    ("smptehdbars=s=320x180:r=25", 2, "bars"),
    ("testsrc2=s=320x180:r=25", 3, ""),
    ("color=black:s=320x180:r=25", 2, "black"),
    ("pal75bars=s=320x180:r=25", 2, "bars"),
    ("rgbtestsrc=s=320x180:r=25", 4, "frozen"),
    ("testsrc2=s=320x180:r=25", 2, ""),
)
CREDITS_SECONDS = 6
NAMES = ("Anna Example", "Bo Li", "Carla de la Fuente", "Dmitri O'Hara", "Eve")
"""The clip: each part by its ffmpeg source, its seconds and its cue; then letters that roll for six seconds."""


@pytest.fixture(scope="session")
def drawn_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All parts in turn, the last one rolling credits; sound from 0 to 5 s and from 12 to 15 s, then none."""
    folder = tmp_path_factory.mktemp("cues")
    sheet = Image.new("RGB", (320, 900))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for line in range(22):
        draw.text((40, 12 + 40 * line), f"Assistant {line}: {NAMES[line % len(NAMES)]}", "white", font)
    sheet.save(folder / "credits.png")
    inputs = [argument for source, _, _ in PARTS for argument in ("-f", "lavfi", "-i", source)]
    n = len(PARTS)
    graph = [
        f"[{i}:v]trim=end={seconds},setpts=PTS-STARTPTS,format=yuv420p,setsar=1[v{i}]"
        for i, (_, seconds, _) in enumerate(PARTS)
    ]
    graph += [
        f"[{n}:v]crop=320:180:0:'n*2':exact=1,trim=end={CREDITS_SECONDS},format=yuv420p,setsar=1[v{n}]",
        "".join(f"[v{i}]" for i in range(n + 1)) + f"concat=n={n + 1}[v]",
        f"[{n + 1}:a]volume='if(lt(t,5)+gt(t,12),0.5,0)':eval=frame,atrim=end=15[a]",
    ]
    clip = folder / "cues.mp4"
    still = ["-loop", "1", "-r", "25", "-i", str(folder / "credits.png")]
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *inputs, *still, *sound]
    command += [
        "-filter_complex",
        ";".join(graph),
        "-map",
        "[v]",
        "-map",
        "[a]",
        "-preset",
        "ultrafast",
        str(clip),
    ]
    subprocess.run(command, check=True)
    return clip


def stretch_of(start: int | Fraction, end: int | Fraction) -> Stretch:
    """A shot as the conductor hands it out."""
    span = TimeSpan(Fraction(start), Fraction(end))
    return Stretch(ShotRow("0" * 16, "f" * 32, "", Shot(0, span, Boundary.CUT), ""), span)


def show(clip: Path, stage: CueStage, stretch: Stretch) -> ShownStretch:
    """A stretch with its pictures, decoded by the product's own decoder."""
    times = stage.times(stretch)
    requests = [PictureRequest(time, stage.size_px) for time in times]
    pictures = sorted(read_pictures(str(clip), requests), key=lambda one: one.number)
    return ShownStretch(stretch, tuple(one.time for one in pictures), tuple(one.picture for one in pictures))


def truth() -> list[tuple[str, int, int]]:
    """Each cue of the clip with its start and end."""
    known, at = [], 0
    for _, seconds, cue in PARTS:
        known += [(cue, at, at + seconds)] if cue else []
        at += seconds
    return [*known, ("credits", at, at + CREDITS_SECONDS)]


def test_cues_inside_one_stretch_are_true_within_what_they_say(drawn_clip: Path) -> None:
    """Every part is found once and nothing else; no edge is further off than its row says."""
    stage = CueStage()
    (result,) = stage.read([show(drawn_clip, stage, stretch_of(0, 21))])
    rows = sorted(result.rows, key=lambda row: row.span)
    assert [cue for cue, _, _ in truth()] == [row.text for row in rows]
    for row, (_, start, end) in zip(rows, truth(), strict=True):
        assert row.payload is not None
        within = row.payload["within_seconds"] + 1 / 25
        assert abs(row.span.start - start) <= within <= 0.6
        assert abs(row.span.end - end) <= within


def test_cues_of_whole_shots_have_their_edges(drawn_clip: Path) -> None:
    """Batches give what single stretches give, exact to the shot."""
    stage = CueStage()
    edges = [0]
    for _, seconds, _ in PARTS:
        edges.append(edges[-1] + seconds)
    edges.append(edges[-1] + CREDITS_SECONDS)
    shown = [show(drawn_clip, stage, stretch_of(start, end)) for start, end in itertools.pairwise(edges)]
    together = stage.read(shown)
    assert [stage.read([one])[0] for one in shown] == together
    found = [(row.text, row.span.start, row.span.end) for result in together for row in result.rows]
    assert [(cue, Fraction(start), Fraction(end)) for cue, start, end in truth()] == found
    assert ShotState.NOTHING is together[1].state


def listen(listener: SilenceListener, clip: Path, end: Fraction) -> list[HeardStretch]:
    """Everything that a listener says of a clip."""
    heard: list[HeardStretch] = []
    for block in read_audio(str(clip), AudioRequest(SilenceStage().rate_hz, is_mono=False)):
        heard += listener.take(block)
    return [*heard, *listener.end(end)]


def test_silence_is_found_to_a_twentieth_of_a_second(drawn_clip: Path) -> None:
    """Between two tones, and after the sound ends before the pictures; the stretches cover all."""
    end = Fraction(21)
    heard = listen(
        SilenceListener(SilenceSettings(), TimeSpan(Fraction(0), end), True, Fraction(0)), drawn_clip, end
    )
    rows = [row for one in heard for row in one.result.rows]
    assert ["silence", "silence"] == [row.text for row in rows]
    for row, (start, stop) in zip(rows, ((5, 12), (15, 21)), strict=True):
        assert 0.1 > abs(row.span.start - start)
        assert 0.1 > abs(row.span.end - stop)
    assert [Fraction(0), *(one.span.end for one in heard)] == [*(one.span.start for one in heard), end]


def test_a_video_without_sound_has_no_silence() -> None:
    """What cannot be heard is not called silent."""
    listener = SilenceListener(SilenceSettings(), TimeSpan(Fraction(0), Fraction(9)), False, Fraction(0))
    assert not listener.wants_sound
    (heard,) = listener.end(Fraction(9))
    assert (ShotState.NOTHING, "the video has no sound", ()) == (
        heard.result.state, heard.result.reason, heard.result.rows,
    )  # fmt: skip

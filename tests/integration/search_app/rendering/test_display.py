"""Mirrors, turns and crops of sources in every mode: films show what players show."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.media.ffmpeg import find_ffmpeg, open_own, save
from indexer.media.fingerprint import fingerprint
from search_app.conforming.modes import Mode
from search_app.conforming.picture_names import Framing
from search_app.conforming.target_profile import Profile
from search_app.cutting.cut_list import Clip, CutList
from search_app.exports.clip_picture import clip_picture
from search_app.exports.film import plan_film
from search_app.rendering.outcomes import SupercutReport
from search_app.rendering.supercut import render_supercut
from store.timespan import TimeSpan
from tests.counted_video import CountedVideo, hit_of, read_number, row_of
from tests.patched_video import UNIT, add_to_pictures, clean_aperture, set_matrix
from tests.player_frames import film_frames, nearest_frames, player_frames
from tests.sampled import sampled_product
from tests.shared_media import FAULTS, needs_faults

SIZE = (128, 96)
MODES = (Mode.EXACT, Mode.FAST)


def clip_of(path: Path, first: int, end: int, rank: int = 1) -> Clip:
    """Frames of a video from one number up to and without another."""
    row, times = row_of(path)
    span = TimeSpan(times[first], times[end] if end < len(times) else row.facts.span.end)
    return Clip(row.video_id, (str(path),), span, (hit_of(row, span, rank),), row.facts)


def render(target: Path, *clips: Clip, mode: Mode = Mode.EXACT, profile: Profile | None = None) -> SupercutReport:
    """A film of clips, proven exact unless it is a preview."""
    report = render_supercut(CutList(clips), target, mode=mode, profile=profile)
    assert report.is_exact or mode is Mode.PREVIEW, report.summary()
    return report


def counted(folder: Path, name: str = "clip.mp4") -> Path:
    """Thirty frames with a number each, in groups of ten."""
    options = (("g", "10"), ("keyint_min", "10"), ("bf", "2"))
    return CountedVideo(name, n_frames=30, size=SIZE, options=options).write(folder, find_ffmpeg())


_SIGNS = [
    (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0), (-1, 0, 0, 1), (0, -1, -1, 0), (1, 0, 0, -1), (0, 1, 1, 0),
]  # fmt: skip


@pytest.mark.parametrize(("signs", "mode"), sampled_product(_SIGNS, [*MODES, Mode.PREVIEW], every=2))
def test_a_turned_or_mirrored_source_beside_an_ordinary_one(
    signs: tuple[int, int, int, int], mode: Mode, tmp_path: Path
) -> None:
    """Each is shown as a player shows it alone; neither turns the other."""
    turned = set_matrix(counted(tmp_path, "turned.mp4"), *(sign * UNIT for sign in signs))
    ordinary = counted(tmp_path)
    shape = Profile(*(SIZE if signs[0] else SIZE[::-1]), Fraction(25))
    upright = Profile(*SIZE, Fraction(25))
    alone = render(tmp_path / "alone.mp4", clip_of(turned, 7, 19), mode=mode, profile=shape)
    shown = player_frames(turned, (shape.width_px, shape.height_px))
    assert list(range(7, 19)) == nearest_frames(film_frames(alone.output), shown)
    clips = (clip_of(ordinary, 10, 20), clip_of(turned, 10, 20, 2))
    both = render(tmp_path / "both.mp4", *clips, mode=mode, profile=upright)
    assert list(range(10, 20)) == [read_number(frame.astype(np.uint8)) for frame in film_frames(both.output)[:10]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("degrees", [45, 200])
def test_an_odd_angle_is_shown_unturned(degrees: int, mode: Mode, tmp_path: Path) -> None:
    """As the index shows it: no corner is empty."""
    c, s = (round(UNIT * value) for value in (np.cos(np.radians(degrees)), np.sin(np.radians(degrees))))
    clip = clip_of(set_matrix(counted(tmp_path), c, s, -s, c), 7, 19)
    film = render(tmp_path / "film.mp4", clip, mode=mode)
    assert list(range(7, 19)) == [read_number(frame.astype(np.uint8)) for frame in film_frames(film.output)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ending", ["mov", "mkv"])
def test_what_a_container_crops_is_not_in_the_film(ending: str, mode: Mode, tmp_path: Path) -> None:
    """Clean aperture and Matroska's pixel crop, each side on its own; beside an ordinary source too."""
    path = add_to_pictures(counted(tmp_path, "cropped.mov"), clean_aperture(100, 80, 6, -4))
    if ending == "mkv":
        cropped, path = path, tmp_path / "cropped.mkv"
        find_ffmpeg().run(save([open_own(cropped)["v:0"]], path, c="copy"))
    film = render(tmp_path / "film.mp4", clip_of(path, 7, 19), mode=mode)
    assert (100, 80) == (film.profile.width_px, film.profile.height_px)
    assert list(range(7, 19)) == nearest_frames(film_frames(film.output), player_frames(path, (100, 80)))
    both = render(
        tmp_path / "both.mp4",
        clip_of(counted(tmp_path), 10, 20),
        clip_of(path, 10, 20, 2),
        mode=mode,
        profile=Profile(*SIZE, Fraction(25)),
    )
    assert list(range(10, 20)) == [read_number(frame.astype(np.uint8)) for frame in film_frames(both.output)[:10]]


@pytest.mark.parametrize("framing", [Framing.CROP, Framing.SMART, Framing.BLUR])
def test_framings_turn_first(framing: Framing, tmp_path: Path) -> None:
    """An upright frame of a mirrored source is found exact: cropped, smart or before a blur."""
    path = set_matrix(counted(tmp_path), 0, UNIT, UNIT, 0)
    profile = Profile(96, 96, Fraction(25), framing=framing)
    assert 12 == render(tmp_path / "film.mp4", clip_of(path, 7, 19), profile=profile).n_frames


def test_the_picture_of_a_clip_is_mirrored_and_cropped(tmp_path: Path) -> None:
    """Where the archive has no thumbnail of it, as on sheets."""
    path = set_matrix(counted(tmp_path), 1 * UNIT, 0, 0, -UNIT)
    clip = replace(clip_of(path, 10, 11), video_id=fingerprint(path))
    (planned,) = plan_film(CutList((clip,)), "film").clips
    picture = clip_picture(planned)
    assert picture is not None
    assert [10] == nearest_frames([picture.mean(axis=2).astype(np.int16)], player_frames(path, SIZE))


@needs_faults
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("container-crop-clap.mov", (160, 108)),
        ("mirrored-vflip.mp4", (192, 108)),
        ("mirrored-partly-encoded.mp4", (192, 108)),
        ("turned-45.mp4", (192, 108)),
    ],
)
def test_shared_sources_are_shown_as_by_players(
    name: str, size: tuple[int, int], mode: Mode, tmp_path: Path
) -> None:
    """From inside a group of pictures to the middle of another, each frame once."""
    path = FAULTS / name
    film = render(tmp_path / "film.mp4", clip_of(path, 7, 33), mode=mode)
    assert size == (film.profile.width_px, film.profile.height_px)
    options: dict[str, Any] = {"noautorotate": None} if name == "turned-45.mp4" else {}
    assert list(range(7, 33)) == nearest_frames(film_frames(film.output), player_frames(path, size, **options))


@needs_faults
def test_a_shared_mirror_does_not_turn_the_others(tmp_path: Path) -> None:
    """In fast mode, first in the film."""
    mirrored, other = FAULTS / "mirrored-vflip.mp4", FAULTS / "turned-45.mp4"
    clips = (clip_of(mirrored, 0, 25), clip_of(other, 25, 50, 2))
    frames = film_frames(render(tmp_path / "film.mp4", *clips, mode=Mode.FAST).output)
    shown = player_frames(mirrored, (192, 108)), player_frames(other, (192, 108), noautorotate=None)
    assert list(range(25)) == nearest_frames(frames[:25], shown[0])
    assert list(range(25, 50)) == nearest_frames(frames[25:], shown[1])

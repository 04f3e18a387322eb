"""The one shape that all clips of a supercut are conformed to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from search_app.conforming.modes import Mode
from search_app.conforming.picture_names import Codec, Framing
from search_app.errors import RenderError
from search_app.frame_rates import FALLBACK_RATE, rate_of_most, source_rate
from store.records import VideoFacts

MIN_SIDE_PX, MAX_SIDE_PX = 64, 4096
"""Limits of H.264 decoders of phones and browsers; larger sources are scaled down."""

PREVIEW_SIDE_PX = 480
"""The longer side of a preview."""

BT709 = "bt709"
SOFTWARE_ENCODER = "libx264"
_MOST_PX = 16_384


@dataclass(frozen=True, slots=True)
class Profile:
    """Shape and coding of a supercut; pixels are square.

    Args:
        width_px: even.
        height_px: even.
        frame_rate: frames per second, exact.
        sample_rate: sound samples per second.
        channel_layout: ffmpeg's name of the speakers' layout.
        n_channels: how many speakers that is.
        crf: x264's constant quality, lower is better; 18 is hard to tell from the source.
        preset: x264's trade of time for size.
        audio_bits_per_second: of AAC sound.
        codec: what pictures are coded in; the sound goes with it.
        framing: what becomes of pictures of another shape.
        encoder: ffmpeg's name of the encoder of H.264.
        audio_track: which of a source's sound tracks is heard, from 1; the default one if None.
        matrix: ffmpeg's name of its colours, for matrix, primaries and transfer; another one only for the ends of
            a clip that is copied and keeps its own.
    """

    width_px: int
    height_px: int
    frame_rate: Fraction
    sample_rate: int = 48_000
    channel_layout: str = "stereo"
    n_channels: int = 2
    crf: int = 18
    preset: str = "veryfast"
    audio_bits_per_second: int = 192_000
    codec: Codec = Codec.H264
    framing: Framing = Framing.PAD
    encoder: str = SOFTWARE_ENCODER
    audio_track: int | None = None
    matrix: str = BT709

    def __post_init__(self) -> None:
        """Refuse shapes that the encoder refuses."""
        for side in (self.width_px, self.height_px):
            if side % 2 or not 2 <= side <= _MOST_PX:
                raise ValueError(f"both sides must be even and positive, got {self.width_px}x{self.height_px}")
        if not 1 <= self.frame_rate <= 240:
            raise ValueError(f"a frame rate of {self.frame_rate} cannot be rendered")

    @property
    def color_tags(self) -> dict[str, str]:
        """Colour names for ffmpeg, its filters and its encoders."""
        return dict.fromkeys(("color_primaries", "color_trc", "colorspace"), self.matrix)

    @property
    def described(self) -> str:
        """Its shape and rate, or those of its sound where there are no pictures, for people."""
        if self.codec is Codec.SOUND:
            return f"sound alone, {self.sample_rate} Hz, {self.channel_layout}"
        return f"{self.width_px}x{self.height_px}, {float(self.frame_rate):.5g} frames per second"

    def fit(self, facts: VideoFacts) -> tuple[int, int]:
        """Width and height that a source's picture gets inside the frame: whole, undistorted, as large as fits."""
        scale = min(Fraction(self.width_px, facts.width_px), Fraction(self.height_px, facts.height_px))
        return _even(facts.width_px * scale, self.width_px), _even(facts.height_px * scale, self.height_px)

    def cover(self, facts: VideoFacts) -> tuple[int, int]:
        """Width and height that a source's picture gets to fill the frame: undistorted, as small as covers it."""
        scale = max(Fraction(self.width_px, facts.width_px), Fraction(self.height_px, facts.height_px))
        width, height = (_even(side * scale, _MOST_PX) for side in (facts.width_px, facts.height_px))
        return max(width, self.width_px), max(height, self.height_px)

    def window(self, facts: VideoFacts) -> tuple[Fraction, Fraction]:
        """Visible parts of a source's width and height when it fills the frame."""
        width, height = self.cover(facts)
        return Fraction(self.width_px, width), Fraction(self.height_px, height)


def choose_profile(sources: Sequence[VideoFacts], seconds: Sequence[Fraction] = ()) -> Profile:
    """The profile that changes least: the commonest shape among the clips, and the rate of most of their time.

    Of shapes that are equally common one that lies or stands as most clips do wins, then the largest.

    Args:
        sources: facts of each clip's source, one for each clip.
        seconds: how long each clip is; all the same if empty.

    Raises:
        ValueError: there are no clips.
    """
    if not sources:
        raise ValueError("a profile needs at least one clip")
    shapes = Counter(scaled_size(facts.width_px, facts.height_px, MAX_SIDE_PX) for facts in sources)
    n_standing = sum(n for (width, height), n in shapes.items() if height > width)

    def rank(shape: tuple[int, int]) -> tuple[int, int, int, int]:
        width, height = shape
        n_alike = n_standing if height > width else len(sources) - n_standing
        return shapes[shape], n_alike, width * height, width

    width, height = max(shapes, key=rank)
    lengths = seconds or [Fraction(1)] * len(sources)
    rate = rate_of_most(zip(map(source_rate, sources), lengths, strict=True))
    return Profile(width, height, rate or FALLBACK_RATE)


def film_rate(sources: Sequence[VideoFacts], seconds: Sequence[Fraction] = ()) -> Fraction:
    """The frame rate of a film of these sources, one for each clip, if no other is asked for.

    Args:
        sources: facts of each clip's source.
        seconds: how long each clip is; all the same if empty.
    """
    return choose_profile(sources, seconds).frame_rate


def shape_for(
    mode: Mode, profile: Profile | None, sources: Sequence[VideoFacts], seconds: Sequence[Fraction] = ()
) -> Profile:
    """The profile to render at in a mode.

    Args:
        mode: the mode. For `fast` the commonest coding among the sources is chosen, so that most can be copied;
            for `preview` the profile is made small and quick to encode.
        profile: the one asked for; None chooses from the sources.
        sources: facts of each clip's source, one for each clip.
        seconds: how long each clip is; all the same if empty.

    Raises:
        RenderError: the mode cannot make what the profile asks for.
    """
    if mode is Mode.FAST:
        if profile and profile.codec is not Codec.H264:
            raise RenderError(
                f"--mode fast copies H.264, and {profile.codec.value} is asked for: leave one of the two out"
            )
        copied = commonest_coding(sources)
        profile = profile or choose_profile(copied, seconds if len(copied) == len(sources) else ())
    profile = profile or choose_profile(sources, seconds)
    return _small(profile) if mode is Mode.PREVIEW else profile


def commonest_coding(sources: Sequence[VideoFacts]) -> list[VideoFacts]:
    """Those that have one shape and rate, the commonest among what can be copied; all if nothing can."""
    by_coding: dict[tuple[int, int, Fraction], list[VideoFacts]] = {}
    for facts in sources:
        if facts.video_codec == Codec.H264 and not (
            facts.rotation_degrees or facts.mirrored or any(facts.crop or ())
        ):
            coding = (facts.width_px, facts.height_px, source_rate(facts))
            by_coding.setdefault(coding, []).append(facts)
    return max(by_coding.values(), key=lambda group: (len(group), group[0].width_px), default=list(sources))


def _small(profile: Profile) -> Profile:
    scale = min(Fraction(1), Fraction(PREVIEW_SIDE_PX, max(profile.width_px, profile.height_px)))
    width, height = (_even(side * scale, PREVIEW_SIDE_PX) for side in (profile.width_px, profile.height_px))
    return replace(profile, width_px=width, height_px=height, preset="ultrafast", crf=28)


def scaled_size(width_px: int, height_px: int, longest_px: int) -> tuple[int, int]:
    """Even sides of the same shape, the longer one no longer than given and none too short to be played."""
    scale = min(Fraction(1), Fraction(longest_px, max(width_px, height_px)))
    width, height = (max(MIN_SIDE_PX, _even(side * scale, longest_px)) for side in (width_px, height_px))
    return width, height


def _even(side: Fraction, most: int) -> int:
    return min(most, max(2, 2 * round(side / 2)))

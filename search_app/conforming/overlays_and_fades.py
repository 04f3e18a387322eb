"""Overlays and fades of a piece's pictures once they have the profile's shape.

A dissolve costs no further encoding: the last frames of a piece are not encoded with it but held back, lossless,
and the next piece is encoded with them dissolving into its first frames. So every frame is encoded once, every
piece is a file of its own, and none needs more than its neighbour's held-back frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from indexer.media.ffmpeg import Stream, combine, merge, open_own, save
from search_app.conforming.coding import CODINGS, encoded
from search_app.conforming.target_profile import Profile

_HELD_FORMAT = "nut"


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture laid over a stretch of a piece.

    Args:
        picture: a PNG of ours, with transparency; or many in one file, one after another.
        left_px: where it lies.
        top_px: where it lies.
        width_px: its size.
        height_px: its size.
        first_frame: the first frame of the piece over which it lies.
        end_frame: the first over which it does not any more; None for the end of the piece.
        digest: names what it shows.
        frame_rate: of many pictures; None for a still one.
    """

    picture: Path
    left_px: int
    top_px: int
    width_px: int
    height_px: int
    first_frame: int = 0
    end_frame: int | None = None
    digest: str = ""
    frame_rate: Fraction | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """All that its look depends on."""
        return (self.digest, self.left_px, self.top_px, self.first_frame, self.end_frame)

    def over(self, pictures: Stream) -> Stream:
        """The pictures with it on top."""
        rate = self.frame_rate
        beat = {"framerate": f"{rate.numerator}/{rate.denominator}"} if rate else {}
        layer = open_own(self.picture, format="png_pipe", **beat)["v:0"].filter("format", "rgba")
        if rate:
            layer = layer.filter("tpad", stop=-1, stop_mode="clone")
        # White on black by the colours of HD; the default would be those of SD.
        layer = layer.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuva444p")
        last = "" if self.end_frame is None else f"*lt(n,{self.end_frame})"
        return combine(
            [pictures, layer],
            "overlay",
            x=self.left_px,
            y=self.top_px,
            format="auto",
            eof_action="repeat",
            enable=f"gte(n,{self.first_frame}){last}",
            shortest=int(rate is not None),  # many pictures would go on where those below have ended
        )


@dataclass(frozen=True, slots=True)
class Held:
    """The last frames of a piece, held back for a dissolve.

    Args:
        path: their file, lossless.
        n_frames: how many.
    """

    path: Path
    n_frames: int

    def open(self, profile: Profile) -> Stream:
        """The frames, on the profile's beat and with its colours."""
        rate = profile.frame_rate
        return (
            open_own(self.path, format=_HELD_FORMAT)["v:0"]
            .filter("settb", expr=f"{rate.denominator}/{rate.numerator}")
            .filter("setpts", "N")
            .filter("fps", fps=f"{rate.numerator}/{rate.denominator}", start_time=0)
            .filter("setsar", 1)
            .filter("setparams", range="tv", **profile.color_tags)
        )


@dataclass(frozen=True, slots=True)
class Dress:
    """Overlays and fades of one piece.

    Args:
        layers: what lies over them, the lowest first.
        fade_frames_in: frames that come out of black.
        fade_frames_out: frames that go into black.
        before: frames of the piece before it that dissolve into its first ones.
        hold_back: where its last frames go, and how many, instead of being encoded with it.
        n_threads: how many its encoder may use; None for as many as the machine has.
    """

    layers: tuple[Layer, ...] = ()
    fade_frames_in: int = 0
    fade_frames_out: int = 0
    before: Held | None = None
    hold_back: Held | None = None
    n_threads: int | None = None

    @property
    def n_blended_first(self) -> int:
        """Number of first frames that show something else too."""
        return self.before.n_frames if self.before else self.fade_frames_in

    @property
    def n_blended_last(self) -> int:
        """Number of last frames that show something else too."""
        return self.hold_back.n_frames if self.hold_back else self.fade_frames_out

    def fits(self, n_frames: int) -> bool:
        """Whether a piece of this length has a clear frame left; else it is cut hard at both ends."""
        return self.n_blended_first + self.n_blended_last < n_frames

    def encode(self, pictures: Stream, n_frames: int, profile: Profile, target: Path) -> Stream:
        """The output of a graph that writes `n_frames` dressed pictures, less those held back, into `target`."""
        for layer in self.layers:
            pictures = layer.over(pictures)
        stored = CODINGS[profile.codec].pixel_format
        if self.layers:  # what lies over them has all its colours, and would have the piece encoded with as many
            pictures = pictures.filter("format", stored)
        if not self.fits(n_frames):
            return encoded(pictures, profile, target, self.n_threads)
        if self.fade_frames_in:
            pictures = pictures.filter("fade", type="in", start_frame=0, nb_frames=self.fade_frames_in)
        if self.fade_frames_out:
            first = n_frames - self.fade_frames_out
            pictures = pictures.filter("fade", type="out", start_frame=first, nb_frames=self.fade_frames_out)
        if self.before:
            # A dissolve is reckoned in all colours, which would be encoded as many and which few players show.
            pictures = _dissolved(self.before, pictures, profile).filter("format", stored)
        if not self.hold_back:
            return encoded(pictures, profile, target, self.n_threads)
        n_kept = n_frames - self.hold_back.n_frames
        parts = pictures.split()
        kept = encoded(parts[0].filter("trim", end_frame=n_kept), profile, target, self.n_threads)
        rest = parts[1].filter("trim", start_frame=n_kept).filter("setpts", "PTS-STARTPTS")
        held = save([rest], self.hold_back.path, **{"c:v": "ffv1", "format": _HELD_FORMAT})
        return merge([kept, held])


PLAIN = Dress()
"""Pictures as they are."""


def encode_held(held: Held, profile: Profile, target: Path) -> Stream:
    """The output of a graph that writes held-back frames as they are, where no piece could take them."""
    return encoded(held.open(profile), profile, target)


def still(picture: Path, n_frames: int, profile: Profile) -> Stream:
    """A picture of ours, of the profile's size, shown for some frames."""
    rate = f"{profile.frame_rate.numerator}/{profile.frame_rate.denominator}"
    return (
        open_own(picture, format="png_pipe", framerate=rate)["v:0"]
        .filter("scale", out_color_matrix="bt709", out_range="tv")
        .filter("format", CODINGS[profile.codec].pixel_format)
        .filter("setsar", 1)
        .filter("setparams", range="tv", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
        .filter("fps", fps=rate, start_time=0)
        .filter("tpad", stop=-1, stop_mode="clone")
        .filter("trim", end_frame=n_frames)
    )


def _dissolved(before: Held, pictures: Stream, profile: Profile) -> Stream:
    """Frame k of n shows (k + 1) / (n + 1) of the new piece, so that none shows only one of the two."""
    frame = 1 / profile.frame_rate
    return combine(
        [before.open(profile), pictures],
        "xfade",
        transition="fade",
        duration=f"{round((before.n_frames + 1) * frame * 1_000_000)}us",
        offset=f"-{round(frame * 1_000_000)}us",
    )

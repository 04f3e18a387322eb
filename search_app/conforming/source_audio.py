"""The sound tracks of a source: which of them are heard, and which side each of their channels goes to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.errors import FfmpegError

_TRACK = re.compile(
    r"^(?:\[info\])? +Stream #0:\d+(?:\[\w+\])?(?:\((\w+)\))?: Audio: (?:[^,]*, )?(?:\d+ Hz, )?([^,]*)"
)
_NAMELESS = re.compile(r"(\d+) channels(?: \((.*)\))?")
_NO_SPEAKER = re.compile(r"UNSD|UNK|USR\d+|NONE")
_MOST_GUESSED = 8
"""For more channels than these ffmpeg has no usual speakers."""

_PLAYED_TOGETHER = frozenset({"mov", "mp4", "mxf"})
"""Containers in which tracks lie side by side to be played together; elsewhere they are alternatives."""


@dataclass(frozen=True, slots=True)
class SourceSound:
    """One sound track of a source.

    Args:
        layout: ffmpeg's name of its speakers.
        is_default: whether the file names it as the one to play.
        language: as the file says; empty where it does not.
    """

    layout: str
    is_default: bool
    language: str = ""

    @property
    def is_mono(self) -> bool:
        """Whether it has one channel."""
        return self.layout == "mono" or self.layout.startswith("1 channels")

    @property
    def n_nameless(self) -> int:
        """Number of channels if none of them has a speaker, else 0.

        Where a file says nothing of speakers, the usual ones for so many channels are guessed, as players do.
        """
        found = _NAMELESS.fullmatch(self.layout)
        if not found:
            return 0
        n_channels = int(found[1])
        if found[2] is None:
            return n_channels if n_channels > _MOST_GUESSED else 0
        return n_channels if all(map(_NO_SPEAKER.fullmatch, found[2].split("+"))) else 0


def read_sound(line: str) -> SourceSound | None:
    """Meaning of a line of ffmpeg's log for a sound track; None if it is about something else."""
    found = _TRACK.match(line)
    if not found:
        return None
    language = found[1] or ""
    return SourceSound(found[2].strip(), "(default)" in line, "" if language == "und" else language)


def heard_tracks(tracks: Sequence[SourceSound], container: str, wanted: int | None) -> tuple[int, ...]:
    """Numbers of the tracks that are heard, from 0: mostly one, the default one or the first.

    Cameras write each microphone into a mono track of its own; those are heard together, as players and editing
    programs do. Tracks in different languages, and those that a file does not name as default beside some that it
    does, are alternatives.

    Args:
        tracks: of the file, in order; empty where nothing is known of them.
        container: short name of the container format.
        wanted: the track asked for, from 1; None if none was.

    Raises:
        FfmpegError: the track asked for is not there.
    """
    if wanted is not None:
        if wanted > len(tracks):
            raise FfmpegError(f"the file has no sound track {wanted}, only {len(tracks)}")
        return (wanted - 1,)
    played = [n for n, track in enumerate(tracks) if track.is_default] or list(range(len(tracks)))
    together = [tracks[n] for n in played]
    are_channels = (
        container in _PLAYED_TOGETHER
        and all(track.is_mono for track in together)
        and len({track.language for track in together}) == 1
    )
    return tuple(played if are_channels else played[:1]) or (0,)


def pan_to_stereo(n_channels: int) -> str:
    """Ffmpeg's `pan` of channels without speakers: in turn left and right, an odd last one on both sides.

    All of it is so much lower that nothing can clip.
    """
    both = {n_channels - 1} if n_channels % 2 else set()
    sides = [[n for n in range(n_channels) if n % 2 == side or n in both] for side in (0, 1)]
    mixes = ("+".join(f"{1 / len(side):.6f}*c{n}" for n in side) for side in sides)
    return "|".join(["stereo", *(f"c{side}={mix}" for side, mix in enumerate(mixes))])

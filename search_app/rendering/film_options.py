"""Parts of a supercut beside its clips, as options of a command."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from search_app.errors import QueryError
from search_app.rendering.transitions import Transition

TRANSITION_SECONDS = 0.5
CARD_SECONDS = 3.0


class LowerThird(StrEnum):
    """Text over a clip at the lower left."""

    CAPTION = "caption"
    FILE = "file"
    DATE = "date"
    TIMECODE = "timecode"


class Subtitles(StrEnum):
    """Target of speech."""

    BESIDE = "beside"
    BURN = "burn"


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """Parts of a film beside the clips; None stands for a default, or for nothing.

    Args:
        transition: what is seen between two clips.
        transition_seconds: how long it takes.
        title: text of a card before the first clip, and the file's title.
        end_card: text of a card after the last.
        card_seconds: how long each card is shown.
        lower_third: what is written over each clip at the lower left.
        watermark: a text, or the name of a picture, at the upper right of every clip.
        subtitles: whether speech goes into a file beside the film or into its pictures.
        chapters: whether the file gets a chapter for each clip.
        loudness: how loud clips and the whole are made, in LUFS; None leaves them as they are.
        music: an audio file to lay under the film.

    Raises:
        QueryError: they contradict each other.
    """

    transition: Transition = Transition.CUT
    transition_seconds: float | None = None
    title: str | None = None
    end_card: str | None = None
    card_seconds: float | None = None
    lower_third: LowerThird | None = None
    watermark: str | None = None
    subtitles: Subtitles | None = None
    chapters: bool = False
    loudness: float | None = None
    music: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        object.__setattr__(self, "transition", Transition(self.transition))  # a plain word will do
        if self.transition is Transition.CUT and self.transition_seconds is not None:
            raise QueryError("--transition-seconds: only with --transition dissolve or dip")
        if self.music is not None:
            object.__setattr__(self, "music", Path(self.music).absolute())
        if self.lower_third is not None:
            object.__setattr__(self, "lower_third", LowerThird(self.lower_third))
        if self.subtitles is not None:
            object.__setattr__(self, "subtitles", Subtitles(self.subtitles))
        if self.card_seconds is not None and self.title is None and self.end_card is None:
            raise QueryError("--card-seconds: only with --title or --end-card")

    def provenance(self) -> dict[str, Any]:
        """Entries for the ledger: the arguments of `FilmOptions`."""
        return asdict(self) | {"music": self.music and str(self.music)}

    @property
    def exact_transition_seconds(self) -> Fraction:
        """Length of a transition in seconds; what a person types as 0.1 is a tenth."""
        return Fraction(str(TRANSITION_SECONDS if self.transition_seconds is None else self.transition_seconds))

    def card_frames(self, frame_rate: Fraction) -> int:
        """Number of frames of a card."""
        seconds = Fraction(str(CARD_SECONDS if self.card_seconds is None else self.card_seconds))
        return max(1, round(seconds * frame_rate))

    def n_card_frames(self, frame_rate: Fraction) -> int:
        """Number of frames of all cards."""
        return self.card_frames(frame_rate) * ((self.title is not None) + (self.end_card is not None))

    @property
    def burns_subtitles(self) -> bool:
        """Whether speech is drawn into the pictures."""
        return self.subtitles is Subtitles.BURN

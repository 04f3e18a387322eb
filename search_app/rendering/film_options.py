"""Parts of a supercut beside its clips, as options of a command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import click

from search_app.errors import QueryError
from search_app.number_types import Finite
from search_app.rendering.transitions import Transition

_TRANSITION_SECONDS = 0.5
_CARD_SECONDS = 3.0


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

    @classmethod
    def take_from(cls, options: dict[str, Any]) -> Self:
        """Those of a command's options; they are taken out."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})

    def provenance(self) -> dict[str, Any]:
        """Entries for the ledger: the arguments of `FilmOptions`."""
        return asdict(self) | {"music": self.music and str(self.music)}

    @property
    def exact_transition_seconds(self) -> Fraction:
        """Length of a transition in seconds; what a person types as 0.1 is a tenth."""
        return Fraction(str(_TRANSITION_SECONDS if self.transition_seconds is None else self.transition_seconds))

    def card_frames(self, frame_rate: Fraction) -> int:
        """Number of frames of a card."""
        seconds = Fraction(str(_CARD_SECONDS if self.card_seconds is None else self.card_seconds))
        return max(1, round(seconds * frame_rate))

    def n_card_frames(self, frame_rate: Fraction) -> int:
        """Number of frames of all cards."""
        return self.card_frames(frame_rate) * ((self.title is not None) + (self.end_card is not None))

    @property
    def burns_subtitles(self) -> bool:
        """Whether speech is drawn into the pictures."""
        return self.subtitles is Subtitles.BURN


_OPTIONS = (
    click.option(
        "--transition",
        type=click.Choice([*map(str, Transition)]),
        default=str(Transition.CUT),
        show_default=True,
        help="Between two clips: a cut, a cross-dissolve of both, or a dip to black.",
    ),
    click.option(
        "--transition-seconds",
        type=Finite(0, 10, min_open=True),
        help=f"How long it takes.  [default: {_TRANSITION_SECONDS:g}]",
    ),
    click.option("--title", help="Text of a card before the first clip, and title of the file."),
    click.option("--end-card", help="Text of a card after the last clip."),
    click.option(
        "--card-seconds",
        type=Finite(0, 60, min_open=True),
        help="How long a card is shown; cards come on top of what --max-seconds and --fit allow."
        f"  [default: {_CARD_SECONDS:g}]",
    ),
    click.option(
        "--lower-third",
        type=click.Choice([*map(str, LowerThird)]),
        help="Write over each clip what it shows, its file's name, when it was recorded, or its source's timecode "
        "as it runs.",
    ),
    click.option("--watermark", metavar="FILE|TEXT", help="A PNG, JPEG or WebP, or a text, over every clip."),
    click.option(
        "--subtitles",
        type=click.Choice([*map(str, Subtitles)]),
        help="What is said, from the archive's transcripts: in an .srt beside the film, or in its pictures.",
    ),
    click.option(
        "--loudness",
        type=Finite(-40, -5),
        metavar="LUFS",
        help="Make each clip and the whole so loud (EBU R128): -23 for broadcasting, -14 for the web.",
    ),
    click.option(
        "--music",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Lay this audio file under the film: looped or cut, faded out, quieter where clips are heard.",
    ),
    click.option("--chapters", is_flag=True, help="A chapter for each clip, named after its caption or file."),
)


def add_film_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `FilmOptions`; it gets them as one, named `film`."""

    @functools.wraps(command)
    def with_film(*arguments: Any, **options: Any) -> Any:
        return command(*arguments, film=FilmOptions.take_from(options), **options)

    for option in reversed(_OPTIONS):
        with_film = option(with_film)
    return with_film

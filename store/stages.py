"""The table of stages: every kind of result that a video can have, and all that other modules know of it.

A new kind of result is a row here and a module that computes it. The query language, filters, `has:`, channels,
weights, exports and help read this table; nothing else lists the kinds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from store.errors import UnknownIdError

VISUAL: Final = "visual"
_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RUN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PART_OF_KEY = re.compile(r"(.+)-p(\d{6})")


class Shape(StrEnum):
    """Shape of a stage's rows."""

    FRAMES = "frames"
    TEXTS = "texts"


class Space(StrEnum):
    """The embedding space in which a stage's pictures or texts are placed."""

    NONE = ""
    PICTURES = "pictures"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of result.

    Args:
        name: its name in file names, in the catalog and as a channel.
        title: its name for people, in the plural where there are many; `rushes stages` lists it so.
        plural: its rows in a sentence: "the archive has no ...".
        shape: what its rows are.
        space: where its pictures or texts are embedded, if at all: by the archive's encoder or by the encoder of
            texts, which is the text side of the archive's encoder unless the archive has one of its own.
        field: its field in the query language, without the colon; empty for none.
        has: its word after `has:`; empty for none.
        example: what the help shows after the field.
        is_list: whether one stretch has many of them, such as labels; a correction is then of one text.
        weight: how much the vote of its words counts.
        meaning_weight: how much the vote of its meaning counts; 0 for no such channel.
    """

    name: str
    title: str
    plural: str
    shape: Shape = Shape.TEXTS
    space: Space = Space.NONE
    field: str = ""
    has: str = ""
    example: str = ""
    is_list: bool = False
    weight: float = 0.5
    meaning_weight: float = 0.0

    def __post_init__(self) -> None:
        """Refuse names that no file can have, and weights that turn a ranking upside down."""
        if not _NAME_PATTERN.fullmatch(self.name):
            raise ValueError(f"a stage cannot be called {self.name!r:.60}")
        if self.weight < 0 or self.meaning_weight < 0:
            raise ValueError("a weight must be 0 or more")

    @property
    def names(self) -> frozenset[str]:
        """Everything that a person may type for it."""
        return frozenset({self.name, self.title, self.field, self.has} - {""})

    @property
    def meaning_channel(self) -> str:
        """Name of the channel that searches it by meaning."""
        return f"{self.name}_meaning"


STAGES: tuple[Stage, ...] = (
    Stage(VISUAL, "visual", "shots", Shape.FRAMES, Space.PICTURES, weight=1.0),
    Stage(
        "caption", "captions", "captions", space=Space.TEXTS, field="caption", has="caption", weight=0.8,
        meaning_weight=0.5,
    ),
    Stage("label", "labels", "labels", field="label", has="label", is_list=True),
    Stage("object", "objects", "detected objects", field="object", has="object", is_list=True),
    Stage(
        "transcript", "speech", "transcripts", space=Space.TEXTS, field="said", has="speech", example="hello",
        weight=0.7, meaning_weight=0.4,
    ),
    Stage(
        "screen_text", "screen_text", "texts on screen", field="text", has="text", example='"NO EXIT"',
        is_list=True, weight=0.7,
    ),
    Stage("sound", "sounds", "sounds", field="sound", has="sound", is_list=True, weight=0.4),
    Stage("face", "faces", "faces", field="face", has="face", is_list=True, weight=0.4),
    Stage("cue", "cues", "technical cues", field="cue", has="cue", is_list=True, weight=0.2),
    Stage("silence", "silences", "silent stretches", has="silence", is_list=True, weight=0.2),
    Stage("answer", "answers", "answers to questions", field="answer", has="answer", is_list=True, weight=0.0),
    Stage("summary", "summaries", "summaries", field="summary", has="summary", weight=0.3),
    Stage("chapter", "chapters", "chapters", field="chapter", has="chapter", weight=0.4),
)  # fmt: skip
"""All stages, in the order in which channels are asked."""


def text_stages() -> tuple[Stage, ...]:
    """The stages whose rows are texts."""
    return tuple(stage for stage in STAGES if stage.shape is Shape.TEXTS)


def meaning_stages() -> tuple[Stage, ...]:
    """The stages whose texts are searched by meaning, too."""
    return tuple(stage for stage in text_stages() if stage.meaning_weight > 0)


def is_known(name: str) -> bool:
    """Whether this version knows a stage of that name."""
    return any(stage.name == name for stage in STAGES)


def stage_named(name: str) -> Stage:
    """The stage of that name, as file names have it, or as a person types it.

    Raises:
        UnknownIdError: there is none.
    """
    for stage in STAGES:
        if stage.name == name:
            return stage
    for stage in STAGES:
        if name.lower() in stage.names:
            return stage
    raise UnknownIdError(f"there is no stage {name!r:.60}; stages: {', '.join(stage.title for stage in STAGES)}")


def fields_of_texts() -> dict[str, str]:
    """For each field of the query language that asks for words in one kind of text, the stage's name.

    Those that the help shows with an example come first.
    """
    asked = [stage for stage in text_stages() if stage.field]
    return {stage.field: stage.name for stage in sorted(asked, key=lambda stage: not stage.example)}


def field_of(name: str) -> str:
    """The field of a stage; its name where it has none."""
    return stage_named(name).field or name


def stages_by_has() -> dict[str, str]:
    """For each word after `has:` that asks for a kind of text, the stage's name."""
    return {stage.has: stage.name for stage in text_stages() if stage.has}


@dataclass(frozen=True, slots=True)
class Run:
    """One way of computing a stage: the same run gives the same result for the same video.

    Args:
        stage: name of the stage.
        key: what the run is called in file names; `Run.of` makes it of all the rest.
        model: name of the model.
        revision: of the model; empty where it is not known.
        weights_hash: hex digest of its weights; empty where it is not known.
        parameters: everything else that decides the result, as plain data.
    """

    stage: str
    key: str
    model: str = ""
    revision: str = ""
    weights_hash: str = ""
    parameters: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse names that no file can have."""
        if not _NAME_PATTERN.fullmatch(self.stage) or not _RUN_KEY.fullmatch(self.key):
            raise ValueError(f"a run cannot be called {self.stage!r:.60} {self.key!r:.80}")
        if _PART_OF_KEY.fullmatch(self.key):
            raise ValueError(f"the key of a run cannot end as a part's does: {self.key}")

    @classmethod
    def of(
        cls,
        stage: str,
        model: str,
        parameters: Mapping[str, Any],
        *,
        revision: str = "",
        weights_hash: str = "",
    ) -> Run:
        """The run of a stage by a model with parameters; equal arguments give the same key.

        Raises:
            ValueError: the parameters are no plain data.
        """
        try:
            text = json.dumps([stage, model, revision, weights_hash, dict(parameters)], sort_keys=True)
        except TypeError as error:
            raise ValueError(f"the parameters of a run must be plain data: {error}") from error
        key = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return cls(stage, key, model, revision, weights_hash, parameters)


def part_key(run_key: str, part: int) -> str:
    """Name of a part of a run's result in file names.

    Raises:
        ValueError: the number is out of range.
    """
    if not 0 <= part < 10**6:
        raise ValueError(f"there is no part {part}")
    return f"{run_key}-p{part:06d}"


def run_of_key(key: str) -> tuple[str, int | None]:
    """The run, and the number of the part or None, of a key in a file name."""
    found = _PART_OF_KEY.fullmatch(key)
    return (found[1], int(found[2])) if found else (key, None)


def help_of_texts() -> tuple[str, str]:
    """Help of the query language on kinds of text: the lines of their fields, and that of `has:`."""
    fields = [f"{field}:{stage_named(name).example}" for field, name in fields_of_texts().items()]
    has = "|".join(("audio", *stages_by_has(), "metadata"))
    return f"  {' '.join(fields)}", f"  has:{has}"

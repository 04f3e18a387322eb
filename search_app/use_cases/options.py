"""Options of use cases, as values: light, so that `--help` names them without loading anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_app.conforming.modes import Mode
from search_app.conforming.picture_options import PictureOptions
from search_app.cutting.cut_options import CutOptions
from search_app.query.options import Sort
from search_app.rendering.film_options import FilmOptions

FORMER_TEXTS = {"screen": "text"}
"""Kinds of subtitles as earlier versions spelt them."""


@dataclass(frozen=True, slots=True)
class QuestionOptions:
    """The question beside its words, and the ranking of its answers.

    Args:
        sort: as in `SearchOptions`, and so are the next three.
        variety: 0 for the best, 1 for what is unlike all before it.
        merge: whether neighbouring shots that answer together are one hit.
        stack: whether one hit stands for all shots that show the same picture.
        judged: use what was kept and rejected for the question before.
        saved: name of a saved search; the words narrow it.
        like: a picture to search by.
        config: a file of settings over the defaults.
        typed: names of the options that a person gave: they go before those of a saved search.
    """

    sort: Sort = Sort.RELEVANCE
    variety: float = 0.0
    merge: bool = False
    stack: bool = True
    judged: bool = False
    saved: str | None = None
    like: Path | None = None
    config: Path | None = None
    typed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Take a plain word for the order."""
        object.__setattr__(self, "sort", Sort(self.sort))

    def ranking(self) -> dict[str, Any]:
        """Ranking of answers, for the ledger."""
        return {"sort": str(self.sort), "variety": self.variety, "merge": self.merge, "stack": self.stack}


@dataclass(frozen=True, slots=True)
class AnswerSource:
    """Clips come from the answer to a question.

    Args:
        query: the words; None where a picture or a saved search is asked for.
        asked: what is asked beside them.
        choice: how clips are chosen and ordered.
        device: where the model runs.
        skip_blocked: leave out what must not be exported, instead of refusing all.
        include_missing: also clips whose file is missing now.
    """

    query: str | None
    asked: QuestionOptions = field(default_factory=QuestionOptions)
    choice: CutOptions = field(default_factory=CutOptions)
    device: str = "auto"
    skip_blocked: bool = False
    include_missing: bool = False


@dataclass(frozen=True, slots=True)
class StoredSource:
    """Clips come from a stored cut list, which were chosen and ordered before.

    Args:
        name: of the cut list.
        skip_missing: leave out clips whose video the archive does not have any more.
        best_first: order them by score instead of as they are stored.
        skip_blocked: leave out what must not be exported, instead of refusing all.
        include_missing: also clips whose file is missing now.
    """

    name: str
    skip_missing: bool = False
    best_first: bool = False
    skip_blocked: bool = False
    include_missing: bool = False


ClipSource = AnswerSource | StoredSource


@dataclass(frozen=True, slots=True)
class RelinkOptions:
    """By which paths an export names its sources.

    Args:
        path_map: `FROM=TO`, each.
        relative: count paths from the output's folder, where no path map holds.
    """

    path_map: tuple[str, ...] = ()
    relative: bool = False


@dataclass(frozen=True, slots=True)
class TimelineOptions:
    """Writing of a timeline.

    Args:
        rate: frames per second, a key of `COUNTINGS`; as most of its sources if None.
        short_reels: reels of 8 characters, in an EDL.
        overwrite: replace what has the output's name.
        relink: by which paths sources are named.
    """

    rate: str | None = None
    short_reels: bool = False
    overwrite: bool = False
    relink: RelinkOptions = field(default_factory=RelinkOptions)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Writing of a list, playlist, sheet, subtitles or chapters.

    Args:
        format_name: a key of `FORMATS`; as the ending says if None.
        text: which texts become subtitles; speech if None.
        overwrite: replace what has the output's name.
        relink: by which paths sources are named.
    """

    format_name: str | None = None
    text: str | None = None
    overwrite: bool = False
    relink: RelinkOptions = field(default_factory=RelinkOptions)


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Rendering of a cut list.

    Args:
        film: what there is beside the clips.
        picture: size, framing and coding.
        mode: exact, fast or a preview.
        skip_missing: go on without clips whose source is missing or fails.
        overwrite: replace what has the output's name.
        keep_inexact: give a film its name though it is proven not to be exact.
        poster: a picture to make of one frame.
        poster_at: which frame, as timecode or seconds; None for the sharpest of the best clip.
    """

    film: FilmOptions = field(default_factory=FilmOptions)
    picture: PictureOptions = field(default_factory=PictureOptions)
    mode: Mode = Mode.EXACT
    skip_missing: bool = False
    overwrite: bool = False
    keep_inexact: bool = False
    poster: Path | None = None
    poster_at: str | None = None

    def __post_init__(self) -> None:
        """Take a plain word for the mode."""
        object.__setattr__(self, "mode", Mode(self.mode))


DEPTH = 1_000
"""Ranks of a ranking that are measured, as is usual at TREC."""


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """By which questions an archive is measured, and what is written.

    Args:
        queries: a file of questions and their answers.
        mine: measure by what was kept and rejected in the archive instead.
        qrels: TREC judgements to use instead of the answers.
        run: a TREC run to measure instead of the archive.
        run_out: where to write the ranking as a TREC run, and that of each channel.
        qrels_out: where to write the judgements.
        depths: of recall and nDCG.
        config: a file of settings over the defaults.
    """

    queries: Path | None = None
    mine: bool = False
    qrels: Path | None = None
    run: Path | None = None
    run_out: Path | None = None
    qrels_out: Path | None = None
    depths: tuple[int, ...] = (1, 5, 10)
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """How a video file is written down, as people type it.

    Args:
        model: of speech; None for the default.
        engine: what runs it; None for the default.
        language: what is spoken; None to have it detected.
        translate: into English, whatever is spoken.
        hot_words: names and terms that are said.
        mix: never hear channels apart.
        no_subtitles: listen, even where there are subtitles.
    """

    model: str | None = None
    engine: str | None = None
    language: str | None = None
    translate: bool = False
    hot_words: tuple[str, ...] = ()
    mix: bool = False
    no_subtitles: bool = False

"""A summary of at most 100 words and an abstract of one line for each video, from what other stages found.

By a text model where one is configured: long inputs in pieces, whose summaries are summarised again (map-reduce).
Without one by extraction: the sentences that stand for all (`extractive.py`), and the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from indexer.errors import ModelError
from indexer.models.prompt import N_FRAME_WORDS, fenced_prompt, one_line
from indexer.models.text_model import limit_words
from indexer.stages.extractive import Telling, choose_sentences, split_sentences
from indexer.stages.notes import (
    CAPTION,
    LABEL,
    OBJECT,
    SOURCES,
    SPEECH,
    Note,
    counts_of,
    digest_of,
    has_been_met,
    read_notes,
    way_out,
)
from indexer.stages.stage import KnownVideo, StretchResult
from store.records import TextRow
from store.shot_outcomes import ShotState
from store.stages import Run

if TYPE_CHECKING:
    from indexer.models.text_model import TextModel

OPENING: Final = "In this video"
MOST_WORDS: Final = 100
EXTRACTIVE: Final = "extractive: LexRank"
_MOST_ABSTRACT_WORDS: Final = 25
_PIECE_WORDS: Final = 80
STYLES: Final[Mapping[str, str]] = {
    "general": "Say what is shown and said, in the order in which it comes.",
    "meeting": "It is a meeting: name its topics, what was decided, who does what by when, and open questions.",
    "lecture": "It is a lecture: name its topic, its main points in their order, and its conclusions.",
}
"""How summaries are written, by style."""

_MEETING_CUES: Final = """
    action agree agreed approve approved assign assigned budget deadline decide decided decision follow next open
    owner plan question responsible task tasks vote
"""
_LECTURE_CUES: Final = """
    called conclude conclusion define defined definition example finally first important key means principle result
    second shows summary theorem therefore
"""
_CUES: Final[Mapping[str, frozenset[str]]] = {
    "general": frozenset(),
    "meeting": frozenset(_MEETING_CUES.split()),
    "lecture": frozenset(_LECTURE_CUES.split()),
}


@dataclass(frozen=True, slots=True)
class SummarySettings:
    """How videos are summarised.

    Args:
        style: general; meeting or lecture, which go by speech alone.
        language: language to write in, such as English; as the sources are if empty. Extraction keeps their own.
    """

    style: str = "general"
    language: str = ""

    def __post_init__(self) -> None:
        """Refuse styles that there are not."""
        if self.style not in STYLES:
            raise ValueError(f"style must be one of {', '.join(STYLES)}")


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary.

    Args:
        text: at most 100 words; begins "In this video".
        abstract: one line.
    """

    text: str
    abstract: str


class SummaryStage:
    """Summaries of videos; see the module.

    Args:
        settings: how they are written.
        model: writes them; None for extraction.
    """

    def __init__(self, settings: SummarySettings | None = None, model: TextModel | None = None) -> None:
        self._settings = settings or SummarySettings()
        self._model = model
        self.reads: Sequence[str] = SOURCES
        name, revision, weights_hash = (
            (EXTRACTIVE, "", "") if model is None else (model.name, model.revision, model.weights_hash)
        )
        parameters = {"style": self._settings.style, "language": self._settings.language, "version": 1}
        self.run = Run.of("summary", name, parameters, revision=revision, weights_hash=weights_hash)

    def derive(self, video: KnownVideo) -> StretchResult:
        """The summary of a video; see `ArchiveStage`."""
        snapshot, video_id = video.snapshot, video.video.video_id
        notes = read_notes(snapshot, video_id)
        if self._settings.style != "general":
            notes = [note for note in notes if note.stage == SPEECH]
        if not notes:
            if has_been_met(snapshot, video_id):
                return StretchResult(state=ShotState.NOTHING, reason="nothing was said, seen or read to summarise")
            return StretchResult(
                state=ShotState.ERROR, reason=f"nothing is known of it yet; find out first: {way_out()}"
            )
        summary = self._summarise(notes, snapshot.telling_words)
        payload = {
            "abstract": summary.abstract,
            "is_extractive": self._model is None,
            "style": self._settings.style,
            "sources": counts_of(notes),
            "digest": digest_of(notes),
        }
        return StretchResult((TextRow(video.video.facts.span, summary.text, payload=payload),))

    def _summarise(self, notes: Sequence[Note], telling: Telling) -> Summary:
        if self._model is None:
            return extract_summary(notes, telling, self._settings.style)
        return write_summary(self._model, [note.line for note in notes], self._settings)


def extract_summary(notes: Sequence[Note], telling: Telling, style: str = "general") -> Summary:
    """The sentences of speech and captions that stand for all; names of labels and objects where there are none.

    Args:
        notes: at least one.
        telling: gives the words that count.
        style: whose cues raise a sentence.
    """
    speech = " ".join(note.text for note in notes if note.stage == SPEECH)
    captions = [one for note in notes if note.stage == CAPTION for one in split_sentences(note.text)]
    sentences = [*dict.fromkeys([*split_sentences(speech), *captions])]
    if not sentences:
        names = [name for note in notes if note.stage in (LABEL, OBJECT) for name in note.text.split(", ")]
        texts = names or [note.text for note in notes]
        sentences = [", ".join(dict.fromkeys(texts))]
    budget = MOST_WORDS - len(OPENING.split())
    chosen = choose_sentences(sentences, telling, budget, _CUES[style])
    best = choose_sentences(sentences, telling, _MOST_ABSTRACT_WORDS, _CUES[style])[:1]
    text = " ".join(map(_ended, (sentences[n] for n in chosen)))
    abstract = sentences[best[0]] if best else text
    return Summary(
        limit_words(f"{OPENING}: {text}", MOST_WORDS), limit_words(one_line(abstract), _MOST_ABSTRACT_WORDS)
    )


def write_summary(model: TextModel, lines: Sequence[str], settings: SummarySettings) -> Summary:
    """A summary by a model, of lines of notes.

    Raises:
        ModelError: the model fails, or reads too little at once.
    """
    style = STYLES[settings.style]
    language = f" Write in {settings.language}." if settings.language else ""
    condense = f"Condense these notes on a part of a video into at most {_PIECE_WORDS} words. {style}{language}"
    task = (
        f"Summarise the video in at most {MOST_WORDS} words of plain text. Begin with the words "
        f'"{OPENING}". {style}{language} Use only what the data says.'
    )
    kept = reduce_lines(model, lines, condense)
    text = one_line(model.write(fenced_prompt(task, kept), MOST_WORDS))
    if not text.casefold().startswith(OPENING.casefold()):
        text = f"{OPENING}: {text}"
    text = limit_words(text, MOST_WORDS)
    short = f"Say in one line of at most {_MOST_ABSTRACT_WORDS} words what the video is about.{language}"
    abstract = one_line(model.write(fenced_prompt(short, [text]), _MOST_ABSTRACT_WORDS))
    return Summary(text, abstract)


def reduce_lines(model: TextModel, lines: Sequence[str], task: str) -> list[str]:
    """The lines, if a prompt holds them all; else summaries of pieces of them, until a prompt does.

    Raises:
        ModelError: the model fails, or reads too little at once to shorten anything.
    """
    room = model.most_prompt_words - N_FRAME_WORDS - 2 * len(task.split())
    kept = list(lines)
    n_words = sum(len(line.split()) for line in kept)
    while n_words > room:
        if room < 2 * _PIECE_WORDS:
            raise ModelError(
                f"the text model {model.name} reads {model.most_prompt_words} words at once, which are too few to "
                "summarise a video; take one with a longer context, or raise context_words"
            )
        kept = [model.write(fenced_prompt(task, piece), _PIECE_WORDS) for piece in split_pieces(kept, room)]
        n_before, n_words = n_words, sum(len(line.split()) for line in kept)
        if n_words >= n_before:
            raise ModelError(f"the text model {model.name} does not shorten what it is to summarise")
    return kept


def split_pieces(lines: Sequence[str], most_words: int) -> list[list[str]]:
    """Lines in pieces of at most so many words, in order; a line that is longer is cut."""
    pieces: list[list[str]] = []
    room = 0
    for line in lines:
        words = line.split()
        for first in range(0, max(1, len(words)), most_words):
            part = words[first : first + most_words]
            if not pieces or len(part) > room:
                pieces.append([])
                room = most_words
            pieces[-1].append(" ".join(part))
            room -= len(part)
    return pieces


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…", "。")) else f"{sentence}."

"""Chapters of each video: where pictures and words change, with titles.

Boundaries: kernel temporal segmentation (`segmentation.py`) of shots, long ones in pieces, by their vectors and
the words that are said and written in them. Titles by a text model where one is configured, else of the most
telling words of each chapter among the others, and the row says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from indexer.models.prompt import N_FRAME_WORDS, fenced_prompt, one_line
from indexer.stages.extractive import Telling, telling_words_of_parts, tf_idf
from indexer.stages.notes import LABEL, OBJECT, SOURCES, Note, digest_of, read_notes
from indexer.stages.segmentation import find_changes, noise_of
from indexer.stages.stage import KnownVideo, StretchResult
from store.records import TextRow
from store.stages import VISUAL, Run
from store.timespan import TimeSpan

if TYPE_CHECKING:
    from indexer.models.text_model import TextModel
    from store.records import FrameRow, ShotRow

METHOD: Final = "KTS"
EXTRACTIVE: Final = f"extractive: {METHOD}, tf-idf"
_MOST_UNITS: Final = 1_200
_TITLE_WORDS: Final = 8
_KEYWORDS: Final = 3
_LEAST_NOISE: Final = 0.02
_MOST_TITLE_SIGNS: Final = 100


@dataclass(frozen=True, slots=True)
class ChapterSettings:
    """How videos are divided into chapters.

    Args:
        shortest_seconds: no chapter is shorter; YouTube wants 10 at least.
        most_chapters: most chapters of a video.
        penalty: the larger, the fewer chapters.
        piece_seconds: longer shots are looked at in pieces of at most this length.
        word_weight: weight of words beside pictures, from 0 to 1.
    """

    shortest_seconds: float = 15.0
    most_chapters: int = 40
    penalty: float = 1.5
    piece_seconds: float = 20.0
    word_weight: float = 0.5

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.shortest_seconds < 0 or self.piece_seconds < 1 or self.penalty <= 0:
            raise ValueError("shortest_seconds must be 0 or more, piece_seconds at least 1, and penalty above 0")
        if not 1 <= self.most_chapters <= 1_000 or not 0 <= self.word_weight <= 1:
            raise ValueError("most_chapters must lie between 1 and 1,000, and word_weight between 0 and 1")


@dataclass(frozen=True, slots=True)
class Unit:
    """A shot or a piece of one: what chapters are made of.

    Args:
        span: the stretch.
        frame: the sampled frame that stands for it.
    """

    span: TimeSpan
    frame: FrameRow


class ChapterStage:
    """Chapters of videos; see the module.

    Args:
        settings: how they are divided.
        model: writes titles; None for extraction.
    """

    def __init__(self, settings: ChapterSettings | None = None, model: TextModel | None = None) -> None:
        self._settings = settings or ChapterSettings()
        self._model = model
        self.reads: Sequence[str] = (*SOURCES, VISUAL)
        name, revision, weights_hash = (
            (EXTRACTIVE, "", "") if model is None else (model.name, model.revision, model.weights_hash)
        )
        chosen = self._settings
        parameters = {
            "shortest_seconds": chosen.shortest_seconds,
            "most_chapters": chosen.most_chapters,
            "penalty": chosen.penalty,
            "piece_seconds": chosen.piece_seconds,
            "word_weight": chosen.word_weight,
            "method": METHOD,
            "version": 1,
        }
        self.run = Run.of("chapter", name, parameters, revision=revision, weights_hash=weights_hash)

    def derive(self, video: KnownVideo) -> StretchResult:
        """The chapters of a video; see `ArchiveStage`."""
        units = units_of(video, self._settings.piece_seconds)
        if not units:
            return StretchResult()
        snapshot, whole = video.snapshot, video.video.facts.span
        notes = read_notes(snapshot, video.video.video_id)
        vectors = snapshot.frame_vectors(np.array([unit.frame.frame_id for unit in units], np.int64))
        starts = self._starts(units, vectors.astype(np.float64), notes, snapshot.telling_words)
        edges = [whole.start, *(snap_to_sentence(at, notes, units) for at in starts), whole.end]
        spans = [TimeSpan(start, end) for start, end in itertools.pairwise(edges) if start < end]
        of_spans = [notes_inside(notes, span) for span in spans]
        titles = self._titles(of_spans, snapshot.telling_words)
        payload = {"is_extractive": self._model is None, "method": METHOD, "digest": digest_of(notes)}
        rows = (TextRow(span, title, payload=payload) for span, title in zip(spans, titles, strict=True))
        return StretchResult(tuple(rows))

    def _starts(
        self, units: Sequence[Unit], vectors: NDArray[np.float64], notes: Sequence[Note], telling: Telling
    ) -> list[Fraction]:
        settings = self._settings
        words, _ = tf_idf([" ".join(n.text for n in notes_inside(notes, one.span)) for one in units], telling)
        words = words[:, (words > 0).sum(axis=0) > 1]  # a word of one unit alone is like no other
        weights = (1 - settings.word_weight, settings.word_weight)
        parts = [_scaled(part) * weight**0.5 for part, weight in zip((vectors, words), weights, strict=True)]
        changes = find_changes(
            np.hstack(parts),
            [unit.span.duration_seconds for unit in units],
            shortest=settings.shortest_seconds,
            most_segments=settings.most_chapters,
            penalty=settings.penalty,
        )
        return [units[change].span.start for change in changes]

    def _titles(self, parts: Sequence[Sequence[Note]], telling: Telling) -> list[str]:
        if self._model is None:
            return extract_titles(parts, telling)
        return [self._title(number, part) for number, part in enumerate(parts, start=1)]

    def _title(self, number: int, notes: Sequence[Note]) -> str:
        if self._model is None or not notes:
            return f"Chapter {number}"
        task = f"Write a title of at most {_TITLE_WORDS} words for this chapter of a video. Write only the title."
        room = max(50, self._model.most_prompt_words - N_FRAME_WORDS - 2 * len(task.split()))
        lines: list[str] = []
        for note in spread(notes, room // 8):
            room -= len(note.line.split())
            if room < 0:
                break
            lines.append(note.line)
        title = self._model.write(fenced_prompt(task, lines or [notes[0].line[:200]]), _TITLE_WORDS)
        return clean_title(title) or f"Chapter {number}"


def units_of(video: KnownVideo, piece_seconds: float) -> list[Unit]:
    """The shots of a video, long ones in equal pieces; of very many, neighbours are taken together."""
    units = []
    for shot in video.shots:
        frames = video.frames.get(shot.shot_id, ())
        if frames:
            units += [Unit(span, _nearest(frames, span)) for span in _pieces(shot, piece_seconds)]
    step = -(-len(units) // _MOST_UNITS)
    if step <= 1:
        return units
    groups = [units[first : first + step] for first in range(0, len(units), step)]
    return [Unit(TimeSpan(one[0].span.start, one[-1].span.end), one[len(one) // 2].frame) for one in groups]


def _pieces(shot: ShotRow, piece_seconds: float) -> list[TimeSpan]:
    span = shot.shot.span
    n = max(1, -(-span.duration // Fraction(str(piece_seconds))))
    edges = [span.start + span.duration * number / n for number in range(n + 1)]
    return [TimeSpan(start, end) for start, end in itertools.pairwise(edges)]


def _nearest(frames: Sequence[FrameRow], span: TimeSpan) -> FrameRow:
    middle = (span.start + span.end) / 2
    return min(frames, key=lambda frame: abs(frame.time - middle))


def _scaled(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features in units of the noise between neighbours, so that those of several kinds can stand side by side."""
    scaled: NDArray[np.float64] = features / max(noise_of(features), _LEAST_NOISE) ** 0.5
    return scaled


def notes_inside(notes: Sequence[Note], span: TimeSpan) -> list[Note]:
    """Notes whose middle lies in a stretch, and names that overlap it."""
    return [note for note in notes if span.start <= (note.span.start + note.span.end) / 2 < span.end]


def snap_to_sentence(at: Fraction, notes: Sequence[Note], units: Sequence[Unit]) -> Fraction:
    """A boundary inside a shot, moved to the end of the words that are being said then; at a cut it stays."""
    is_cut = any(one.span.start == at and one.frame.shot_id != before.frame.shot_id
                 for before, one in itertools.pairwise(units))  # fmt: skip
    if is_cut:
        return at
    spoken = [note.span for note in notes if note.stage == "transcript" and note.span.start < at < note.span.end]
    if not spoken:
        return at
    start, end = spoken[0].start, spoken[0].end
    return start if at - start <= end - at else end


def extract_titles(parts: Sequence[Sequence[Note]], telling: Telling) -> list[str]:
    """A title for each part: its most telling words among all parts; `Chapter 3` where nothing is known.

    Args:
        parts: the notes of each chapter.
        telling: gives the words that count.
    """
    texts = [" ".join(_unique_texts(part)) for part in parts]
    words = telling_words_of_parts(texts, telling, _KEYWORDS)
    titles = [", ".join(found) for found in words]
    return [
        clean_title(title[:1].upper() + title[1:]) if title else f"Chapter {number}"
        for number, title in enumerate(titles, start=1)
    ]


def _unique_texts(notes: Sequence[Note]) -> list[str]:
    """Texts of notes; names of labels and objects count once each, however many shots have them."""
    names = [name for note in notes if note.stage in (LABEL, OBJECT) for name in note.text.split(", ")]
    return [*(note.text for note in notes if note.stage not in (LABEL, OBJECT)), *dict.fromkeys(names)]


def spread(notes: Sequence[Note], n: int) -> list[Note]:
    """At most so many notes, evenly spread."""
    step = -(-len(notes) // max(1, n))
    return list(notes[:: max(1, step)])


def clean_title(text: str) -> str:
    """A title on one line, without quotes around it or a full stop behind it."""
    title = one_line(text).strip("\"'“”‘’`*# ").rstrip(".…")  # noqa: RUF001 - quotes of all kinds
    title = title.removeprefix("Title:").strip()
    return title if len(title) <= _MOST_TITLE_SIGNS else f"{title[: _MOST_TITLE_SIGNS - 1]}…"

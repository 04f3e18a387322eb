"""A parsed question made ready to be asked: its texts and pictures as one vector of the archive's space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from indexer.errors import ModelError
from search_app.confidence.background import Background
from search_app.confidence.belief import Belief
from search_app.confidence.calibration import UNTELLING, calibration_of
from search_app.confidence.contrasts import large_numbers, say_many, words_of_subjects
from search_app.confidence.evidence import gather_evidence
from search_app.confidence.neutral import NEUTRAL_TEXTS, NONSENSE
from search_app.errors import QueryError
from search_app.query.picture import read_picture
from search_app.query.query import LikeMoment, LikePicture, LikeShot, Step, Term, Text
from search_app.search.channels import Meaning, nearest_shots
from search_app.search.shot_ids import step_with_whole_ids
from store.errors import SpaceMismatchError, UnknownIdError

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder, TextEncoder
    from search_app.query.query import Subject
    from store.records import Embeddings, EmbeddingSpace
    from store.snapshot import Snapshot


@cache
def load_text_encoder(space: EmbeddingSpace) -> TextEncoder:
    """The encoder of a space of texts, loaded once in a process.

    Raises:
        ModelError: it cannot be loaded.
        SpaceMismatchError: what was found under its name would place texts elsewhere.
    """
    from indexer.models.asking import load_asking_text_encoder

    return load_asking_text_encoder(space)


@dataclass(frozen=True, slots=True)
class Aspect:
    """Something to be found or avoided.

    Args:
        vector: float32, (dim,), a unit vector of the archive's space.
        words: the words for text channels; empty for pictures.
        is_text: whether all of it is text, so that neutral texts can be compared with it.
    """

    vector: Embeddings
    words: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One step of a query, encoded.

    Args:
        wanted: what to look for, None if the step only filters.
        unwanted: what no answer may show.
        own_shots: shots that the question itself was made of; they are no answers.
        asked: what was asked, on the scale of single texts and before feedback moved it to `wanted`; how sure an
            answer is, is measured by this.
    """

    wanted: Aspect | None
    unwanted: tuple[Aspect, ...]
    own_shots: frozenset[str]
    asked: Aspect | None


class Asker:
    """Encodes the questions put to one generation of an archive; nothing is loaded before it is needed.

    Args:
        snapshot: the generation.
        load_encoder: gives the encoder of the archive's space.
        load_texts: gives the encoder of texts, where they have a space of their own.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        load_encoder: Callable[[], Encoder],
        load_texts: Callable[[EmbeddingSpace], TextEncoder] = load_text_encoder,
    ) -> None:
        self._snapshot = snapshot
        self._load_encoder = load_encoder
        self._load_texts = load_texts
        self._beliefs: dict[int, tuple[Aspect, Belief]] = {}
        self._remarks: dict[str, None] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What could not be asked or said, and why, for people."""
        return tuple(self._remarks)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, loaded now.

        Raises:
            SpaceMismatchError: it is not the archive's.
        """
        encoder = self._load_encoder()
        space = self._snapshot.space
        if space is not None and space.space_id != encoder.space.space_id:
            raise SpaceMismatchError(
                f"the archive was indexed with {space.name} ({space.space_id}), but the question was to be "
                f"encoded with {encoder.space.name} ({encoder.space.space_id}); use the archive's own model"
            )
        return encoder

    @cached_property
    def background(self) -> Background:
        """Meaning of scores in this generation; made once for all questions to it."""
        known = _BACKGROUNDS.get(self._snapshot)
        if known is None:
            calibration = calibration_of(self.encoder.space.space_id)
            usual = None if calibration is None else calibration.text_scale
            frames, n_videos = self._snapshot.background(), self._snapshot.counts().videos
            known = Background(frames, neutral_vectors(self.encoder), usual, n_videos)
            _BACKGROUNDS[self._snapshot] = known
        return known

    def encode(self, step: Step) -> Question:
        """One step of a query, ready to be asked.

        An unwanted text that the encoder reads like any nonsense, because it never learnt it, takes nothing out:
        else its meaningless direction would.

        Raises:
            QueryError: a picture, shot or video that it names cannot be used.
        """
        step = step_with_whole_ids(self._snapshot, step)
        own = {term.of.shot_id for term in step.terms if isinstance(term.of, LikeShot)}
        own |= {self._shot_at(term.of) for term in step.terms if isinstance(term.of, LikeMoment)}
        wanted, asked = self._combine(step.terms) if step.terms else (None, None)
        avoided = [self._alone(subject) for subject in step.minus]
        unwanted = tuple(one for one in avoided if not (one.is_text and self._is_nonsense(one.vector)))
        return Question(wanted, unwanted, frozenset(own), asked)

    def believe(self, aspect: Aspect) -> Belief:
        """Beliefs about what is wanted or unwanted; its further texts are encoded in one call."""
        known = self._beliefs.get(id(aspect))
        if known is None:
            known = self._beliefs[id(aspect)] = (aspect, self._make_belief(aspect))
        return known[1]

    def meaning_of(self, aspect: Aspect) -> Meaning | None:
        """The words of an aspect in the space of texts; None, with a remark, where their encoder is not here."""
        space = self._snapshot.text_space
        if space is None or space == self._snapshot.space:
            return Meaning(aspect.vector, self.background)
        try:
            encoder = self._load_texts(space)
        except (ModelError, SpaceMismatchError) as error:
            self._remarks[f"captions and speech are found by their words alone, not by meaning: {error}"] = None
            return None
        nothing = np.empty((0, space.dim), np.float32)
        background = Background(nothing, neutral_vectors(encoder))
        return Meaning(_first(encoder.encode_texts([aspect.words])), background)

    def _make_belief(self, aspect: Aspect) -> Belief:
        if not aspect.is_text:
            return Belief(aspect.words, aspect.vector, self.background)
        text = self._read(aspect.words)
        telling = self._snapshot.telling_words(text)
        calibration = calibration_of(self.encoder.space.space_id)
        neutral, nonsense = neutral_vectors(self.encoder), nonsense_vector(self.encoder)
        encode, background = self.encoder.encode_texts, self.background
        named = words_of_subjects(text, telling)
        unknown = self._unknown_words(named)
        evidence = gather_evidence(text, aspect.vector, telling, encode, background, neutral, nonsense)
        nearest = nearest_shots(self._snapshot, aspect.vector, 2, None)
        first, second = (*(hit.score for hit in nearest.values()), -1.0, -1.0)[:2]
        best = (first, second)
        n_named = max(len(named), 1)
        is_telling = self.encoder.space.name not in UNTELLING
        if not is_telling:
            self._remarks[
                f"how surely a shot shows it is not known with the encoder {self.encoder.space.name}"
            ] = None
        return Belief(
            aspect.words,
            aspect.vector,
            background,
            evidence,
            calibration,
            best,
            unknown,
            n_named,
            is_telling=is_telling,
        )

    def _read(self, text: str) -> str:
        """The text, with `many` for numbers from four on that the encoder never learnt."""
        return say_many(text, self._unknown_words(large_numbers(text)))

    def _unknown_words(self, words: Sequence[str]) -> tuple[str, ...]:
        """Those of the words that the encoder reads like nonsense, because it never learnt them."""
        if not words:
            return ()
        vectors = self.encoder.encode_texts(words)
        return tuple(word for word, vector in zip(words, vectors, strict=True) if self._is_nonsense(vector))

    def _is_nonsense(self, vector: Embeddings) -> bool:
        return bool(vector @ nonsense_vector(self.encoder) >= _SAME_TEXT)

    def _alone(self, subject: Subject) -> Aspect:
        is_text = isinstance(subject, Text)
        return Aspect(self._vector(subject), subject.value if isinstance(subject, Text) else "", is_text)

    def _combine(self, terms: tuple[Term, ...]) -> tuple[Aspect, Aspect]:
        """The weighted sum of texts and pictures, to rank by and to measure by; one alone is taken as it is.

        In a sum, the mean of neutral texts is taken off texts and the mean of the archive's frames off pictures,
        and each is scaled to length 1: they lie in different corners of the space, and a picture would outweigh
        a text. Such a sum scores on another scale than any single text does. What is of texts alone is measured
        after the mean is put back, as far from it as its texts are: so a text added to itself is that text again,
        and one that is taken off does not scale up the rest.
        """
        if len(terms) == 1 and terms[0].weight > 0:
            alone = self._alone(terms[0].of)
            return alone, alone
        added = dict.fromkeys(term.of.value for term in terms if isinstance(term.of, Text) and term.weight > 0)
        words = " ".join(added)
        is_text = all(isinstance(term.of, Text) for term in terms)
        total = np.zeros(self.encoder.space.dim, np.float32)
        distances = []
        for term in terms:
            mean = self.background.mean_text if isinstance(term.of, Text) else self.background.mean_frame
            from_mean = self._vector(term.of) - mean
            total = total + term.weight * unit(from_mean)
            distances.append(np.linalg.norm(from_mean))
        if not np.linalg.norm(total) > 1e-6:
            raise QueryError("the parts of the question cancel each other out; change a weight")
        wanted = Aspect(unit(total), words, is_text)
        if not is_text:
            return wanted, wanted
        put_back = self.background.mean_text + np.float32(np.mean(distances)) * wanted.vector
        return wanted, Aspect(unit(put_back), words, is_text)

    def _vector(self, subject: Subject) -> Embeddings:
        if isinstance(subject, Text):
            return _first(self.encoder.encode_texts([self._read(subject.value)]))
        if isinstance(subject, LikePicture):
            return _first(self.encoder.encode_images([read_picture(subject.path)]))
        if isinstance(subject, LikeMoment):
            return self._vector_at(subject)
        return unit(self._snapshot.embeddings(subject.shot_id).mean(axis=0))

    def _shot_at(self, moment: LikeMoment) -> str:
        try:
            video = self._snapshot.video(moment.video)
        except UnknownIdError as error:
            raise QueryError(f"like:{moment.video}@{moment.seconds:g}s: {error}") from error
        for shot in self._snapshot.shots(video.video_id):
            if shot.shot.span.start <= moment.seconds < shot.shot.span.end:
                return shot.shot_id
        raise QueryError(
            f"like:{moment.video}@{moment.seconds:g}s: the video has no shot at that time; it runs from "
            f"{video.facts.span.start_seconds:.1f} s to {video.facts.span.end_seconds:.1f} s"
        )

    def _vector_at(self, moment: LikeMoment) -> Embeddings:
        """The sampled frame of that shot that is nearest in time."""
        frames = self._snapshot.frames_of_shots([self._shot_at(moment)])
        nearest = min(frames, key=lambda frame: abs(float(frame.time) - moment.seconds))
        return _first(self._snapshot.frame_vectors(np.array([nearest.frame_id], np.int64)))


_SAME_TEXT = 0.97
_BACKGROUNDS: WeakKeyDictionary[Snapshot, Background] = WeakKeyDictionary()
_STANDARD_VECTORS: dict[str, Embeddings] = {}


def neutral_vectors(encoder: TextEncoder) -> Embeddings:
    """Vectors of `NEUTRAL_TEXTS`, computed once for each embedding space."""
    return _standard_vectors(encoder)[:-1]


def nonsense_vector(encoder: Encoder) -> Embeddings:
    """The vector of `NONSENSE`, computed once for each embedding space."""
    vector: Embeddings = _standard_vectors(encoder)[-1]
    return vector


def _standard_vectors(encoder: TextEncoder) -> Embeddings:
    known = _STANDARD_VECTORS.get(encoder.space.space_id)
    if known is None:
        known = encoder.encode_texts([*NEUTRAL_TEXTS, NONSENSE])
        _STANDARD_VECTORS[encoder.space.space_id] = known
    return known


def _first(rows: Embeddings) -> Embeddings:
    row: Embeddings = rows[0]
    return row


def unit(vector: Embeddings) -> Embeddings:
    """The vector scaled to length 1."""
    scaled: Embeddings = np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)
    return scaled

"""Questions in whole sentences, answered from what stages found: by a text model, or in the words of the finds.

The search finds the shots, over all channels. What is known of each (speech, captions, text on screen, labels,
objects) is what an answer may rest on; where nothing is known or is about the question, there is no answer.
Text from videos is data: `indexer.models.prompt` fences it, and what a model writes is shown, never executed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from indexer.config import read_stage_settings
from indexer.errors import MediaError, ModelError
from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.models.prompt import N_FRAME_WORDS, fenced_prompt, one_line
from indexer.models.remote import Question, RemoteModel, remote_model
from indexer.models.text_model import limit_words, load_text_model
from indexer.stages.notes import Note, read_notes, way_out
from search_app.config import RankingSettings, SearchSettings
from search_app.errors import NothingKnownError, QueryError
from search_app.output_files import refuse_footage
from search_app.query.options import SearchOptions
from search_app.query.query import Query, Step, Term, Text
from search_app.use_cases.answer import find_shots, loader
from search_app.use_cases.ask_session import Turn, read_session, write_session
from store.filters import PathGlob
from store.names import display_names
from store.shot_outcomes import ShotState
from store.wording import clock, n_of

if TYPE_CHECKING:
    from indexer.models.encoder import Encoder, RgbImage
    from indexer.models.text_model import TextModel
    from store.archive import Archive
    from store.records import ShotRow, VideoRow
    from store.snapshot import Snapshot

MOST_WORDS: Final = 80
NOT_THERE: Final = "NOT IN THE DATA"
_NOTES_OF_SHOT: Final = 12
_SHOWN_NOTES: Final = 4
_LEAST_STEM: Final = 4
_ENDINGS: Final = frozenset(("", "d", "e", "ed", "en", "er", "ers", "es", "ing", "s"))
_WORD_SHARE: Final = 0.25
"""A text that holds so many of a question's words has a vote: sentences have more words than searches."""

_ASKING_WORDS: Final = """
    about any anyone anything can could did do does film how many me much say shot should show tell there video
    what when where which who whom whose why would
"""
_ASKING: Final = frozenset(_ASKING_WORDS.split())
"""Words of English questions that are about no answer; those of other languages stay, and find nothing."""

_PICTURE_PX: Final = 448
_MOST_PICTURES: Final = 6
_MARK: Final = re.compile(r"\[\s*(S\d+(?:\s*,\s*S\d+)*)\s*\]")
_TASK: Final = (
    f"Answer the question in at most {MOST_WORDS} words, from the data only{{pictures}}. Behind each statement, "
    f"name the shot that it rests on by its mark, such as [S1]. If the data does not answer the question, write "
    f"only: {NOT_THERE}."
)


@dataclass(frozen=True, slots=True)
class AskOptions:
    """Options of asking.

    Args:
        video: only this video: path, end of a path, or fingerprint.
        n_shots: so many shots are looked at.
        look: `remote` or `remote:MODEL`: a model that is shown pictures of the shots, too; empty for none.
        session: a file that keeps the conversation; None for a single question.
        config: files of settings over the defaults: `text_model` and `remote`.
        device: where models run.
    """

    video: str | None = None
    n_shots: int = 8
    look: str = ""
    session: Path | None = None
    config: tuple[Path, ...] = ()
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class Source:
    """A shot that an answer may rest on.

    Args:
        mark: its name in the answer: `S1`.
        shot: the shot.
        video: what its video is called for people.
        time: the instant that is about the question, in exact seconds.
        notes: what is known of it, in order of time.
        is_match: whether the search takes it for an answer.
    """

    mark: str
    shot: ShotRow
    video: str
    time: Fraction
    notes: tuple[Note, ...]
    is_match: bool

    @property
    def lines(self) -> list[str]:
        """What is known of it, for a prompt."""
        span = self.shot.shot.span
        head = f"[{self.mark}] {self.video}, {clock(span.start_seconds)} to {clock(span.end_seconds)}"
        return [head, *(f"[{self.mark}] {note.line}" for note in self.notes)]


@dataclass(frozen=True, slots=True)
class AskedAnswer:
    """An answer.

    Args:
        text: the answer, with marks of shots.
        sources: the shots that it names, in the order of their marks.
        model: name of the model that wrote it; empty for an answer in the words of the finds.
        n_pictures: how many pictures the model was shown.
        remarks: what is to be said of how it came about, for people.
    """

    text: str
    sources: tuple[Source, ...]
    model: str = ""
    n_pictures: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def is_extractive(self) -> bool:
        """Whether no model wrote it."""
        return not self.model


def ask(
    archive: Archive,
    question: str,
    options: AskOptions | None = None,
    *,
    encoder: Encoder | Callable[[], Encoder] | None = None,
) -> AskedAnswer:
    """Answer a question about an archive, or one video.

    Args:
        archive: where to look.
        question: a sentence.
        options: of asking.
        encoder: the archive's; loaded as its record says if None.

    Raises:
        QueryError: there is no question, the conversation cannot be read, or the archive is empty.
        NothingKnownError: nothing is known that could answer it.
        UnknownIdError: there is no such video.
        ModelError: the encoder or a model fails.
    """
    wanted = options or AskOptions()
    if not question.strip():
        raise QueryError("nothing is asked: write a question")
    snapshot = archive.snapshot()
    refuse_footage(snapshot, wanted.session)
    turns = read_session(wanted.session) if wanted.session else []
    settings = read_stage_settings(wanted.config)
    eyes = remote_model(wanted.look, settings.remote) if wanted.look else None
    if wanted.look and eyes is None:
        raise QueryError(f"--look takes remote or remote:MODEL, not {wanted.look!r:.60}")
    words = _words_of(snapshot, question, turns)
    sources = find_sources(archive, words, wanted, turns, encoder)
    writer = None if eyes else load_text_model(settings.text_model, settings.remote, device=wanted.device)
    answer = _answer(question, words, sources, turns, writer, eyes)
    if wanted.session:
        shown = tuple(source.shot.shot_id for source in answer.sources)
        write_session(wanted.session, [*turns, Turn(question, answer.text, shown)])
    return answer


def _answer(
    question: str,
    words: Sequence[str],
    sources: Sequence[Source],
    turns: Sequence[Turn],
    writer: TextModel | None,
    eyes: RemoteModel | None,
) -> AskedAnswer:
    if eyes is not None:
        pictures = [found for source in sources[:_MOST_PICTURES] if (found := _picture_of(source)) is not None]
        if not pictures and not any(source.notes for source in sources):
            raise NothingKnownError("nothing is known of the shots found, and their files cannot be read")
        shown = [picture for _, picture in pictures]
        prompt = prompt_of(question, sources, turns, [source.mark for source, _ in pictures])
        answer = eyes.ask(Question(prompt, tuple(shown), max_tokens=4 * MOST_WORDS))
        if answer.state is ShotState.BLOCKED:
            raise ModelError(f"{eyes.name}: {answer.reason}")
        return replace(_cited(limit_words(answer.text, MOST_WORDS), sources, eyes.name), n_pictures=len(shown))
    if not any(source.notes for source in sources):
        raise NothingKnownError(f"nothing is known of the shots that were found yet; find out first: {way_out()}")
    if writer is not None:
        prompt = prompt_of(question, _fitting(sources, writer.most_prompt_words), turns)
        return _cited(writer.write(prompt, MOST_WORDS), sources, writer.name)
    return extract_answer(words, sources)


def _words_of(snapshot: Snapshot, question: str, turns: Sequence[Turn]) -> list[str]:
    """The words of a question that tell something, those of the question before it behind them."""
    asked = [question, *(turn.question for turn in turns[-1:])]
    words = [word for text in asked for word in snapshot.telling_words(text) if word.casefold() not in _ASKING]
    return list(dict.fromkeys(words)) or question.split()


def find_sources(
    archive: Archive,
    words: Sequence[str],
    options: AskOptions,
    turns: Sequence[Turn] = (),
    encoder: Encoder | Callable[[], Encoder] | None = None,
) -> list[Source]:
    """The shots that a question may be about, best first, with what is known of each.

    Raises:
        NothingKnownError: nothing in the archive is about it.
    """
    snapshot = archive.snapshot()
    video = None if options.video is None else snapshot.video(options.video)
    step = Step((Term(1.0, Text(" ".join(words))),), filter=None if video is None else PathGlob(video.path))
    result = find_shots(
        archive,
        Query((step,)),
        SearchOptions(limit=options.n_shots, stack=False),  # copies may have other texts
        encoder=encoder or loader(archive, options.device),
        settings=SearchSettings(ranking=RankingSettings(word_share=_WORD_SHARE)),
    )
    hits = [hit for hit in result.hits if video is None or hit.shot.video_id == video.video_id]
    known = snapshot.shots_by_id(turns[-1].shots) if turns else {}
    earlier = {shot_id: known[shot_id] for shot_id in turns[-1].shots if shot_id in known} if turns else {}
    if video is None and result.nothing_matches and not earlier:
        raise NothingKnownError("nothing in the archive is about that: the nearest shots are as good as chance")
    found = [(shot, shot.shot.span.start, True) for shot in earlier.values() if _is_of(shot, video)]
    found += [(hit.shot, hit.time, hit.is_match) for hit in hits if hit.shot.shot_id not in earlier]
    if not found:
        raise NothingKnownError(f"nothing was found: {'; '.join(result.remarks) or 'the video has no shots'}")
    return _with_notes(snapshot, found, words)


def _is_of(shot: ShotRow, video: VideoRow | None) -> bool:
    return video is None or shot.video_id == video.video_id


def _with_notes(
    snapshot: Snapshot, found: Sequence[tuple[ShotRow, Fraction, bool]], words: Sequence[str]
) -> list[Source]:
    notes = {video_id: read_notes(snapshot, video_id) for video_id in {shot.video_id for shot, _, _ in found}}
    names = display_names(shot.path for shot, _, _ in found)
    sources = []
    for number, (shot, found_at, is_match) in enumerate(found, start=1):
        inside = [note for note in notes[shot.video_id] if note.span.overlaps(shot.shot.span)]
        scores = [_score(note, words) for note in inside]
        best = np.argsort([-score for score in scores], kind="stable")[:_NOTES_OF_SHOT].tolist()
        at = found_at
        if best and scores[best[0]] > 0:
            at = max(inside[best[0]].span.start, shot.shot.span.start)
        kept = tuple(inside[n] for n in sorted(best))
        sources.append(Source(f"S{number}", shot, names[shot.path], at, kept, is_match))
    return sources


def _score(note: Note, words: Sequence[str]) -> int:
    """How many words of a question a note holds; endings may differ (hold, holding)."""
    there = {word.casefold() for word in re.findall(r"\w+", note.text)}
    return sum(any(_is_same(word.casefold(), other) for other in there) for word in words)


def _is_same(one: str, other: str) -> bool:
    """Whether two words are the same but for an ending."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    stem = sum(1 for _ in same)
    return one == other or (stem >= _LEAST_STEM and one[stem:] in _ENDINGS and other[stem:] in _ENDINGS)


def prompt_of(
    question: str, sources: Sequence[Source], turns: Sequence[Turn] = (), pictured: Sequence[str] = ()
) -> str:
    """The prompt that a model gets: the question, and everything from videos as fenced data.

    Args:
        question: what is asked.
        sources: the shots.
        turns: the conversation so far; earlier answers are data, too.
        pictured: marks of the shots of which pictures follow, in their order.
    """
    pictures = f" and the pictures, which show {', '.join(pictured)} in this order" if pictured else ""
    lines = [line for source in sources for line in source.lines]
    for turn in turns[-3:]:
        lines += [f"earlier question: {turn.question}", f"earlier answer: {turn.answer}"]
    return fenced_prompt(_TASK.format(pictures=pictures), lines, question)


def _fitting(sources: Sequence[Source], most_words: int) -> list[Source]:
    """As many of the shots, best first, as a prompt holds; the first one in any case."""
    room = most_words - N_FRAME_WORDS - 2 * len(_TASK.split())
    kept: list[Source] = []
    for source in sources:
        room -= sum(len(line.split()) for line in source.lines)
        if room < 0 and kept:
            break
        kept.append(source)
    return kept


def _cited(text: str, sources: Sequence[Source], model: str) -> AskedAnswer:
    """What a model wrote, with the shots that it names.

    Raises:
        NothingKnownError: the model says that the data does not answer the question.
    """
    said = one_line(text)
    if said.casefold().strip("\"'*.[] ").startswith(NOT_THERE.casefold()):
        found = n_of(len(sources), "shot")
        raise NothingKnownError(f"what is known of the {found} found does not answer that ({model})")
    named = {mark.strip() for found in _MARK.findall(said) for mark in found.split(",")}
    cited = tuple(source for source in sources if source.mark in named)
    unknown = sorted(named - {source.mark for source in sources})
    remarks = [f"the model names shots that it was not given: {', '.join(unknown)}"] if unknown else []
    if not cited:
        remarks.append("the model names no shot for this; it was given those below: check them")
    return AskedAnswer(said, cited or tuple(sources), model, remarks=tuple(remarks))


def extract_answer(words: Sequence[str], sources: Sequence[Source]) -> AskedAnswer:
    """An answer in the words of the finds: the notes that hold most of the question's words, each with its shot.

    Raises:
        NothingKnownError: no note is about the question.
    """
    scored = [
        (_score(note, words) + (0.5 if source.is_match else 0.0), -place, source, note)
        for place, source in enumerate(sources)
        for note in source.notes
    ]
    about = sorted((one for one in scored if one[0] >= 0.5), key=lambda one: (-one[0], -one[1]))[:_SHOWN_NOTES]
    if not about:
        raise NothingKnownError("nothing that was said, seen or read in the shots that were found is about that")
    parts = [f"{note.line} [{source.mark}]" for _, _, source, note in about]
    named = {source.mark for _, _, source, _ in about}
    remark = "in the words of what was found: no text model is configured (text_model in the settings)"
    return AskedAnswer(
        "; ".join(dict.fromkeys(parts)), tuple(one for one in sources if one.mark in named), remarks=(remark,)
    )


def _picture_of(source: Source) -> tuple[Source, RgbImage] | None:
    """What a shot shows at the instant that is about the question; None where its file cannot be read."""
    try:
        shown = next(iter(read_pictures(source.shot.path, [PictureRequest(source.time, _PICTURE_PX)])), None)
    except MediaError:
        return None
    return None if shown is None else (source, shown.picture)

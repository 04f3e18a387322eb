"""Files that a question names: by their names, by stems, by words of them; and their place in the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from search_app.confidence.certainty import MEDIUM_FROM
from search_app.confidence.neutral import EMPTY_WORDS
from search_app.query.query import Text
from store.names import find_run, fold, split_words

if TYPE_CHECKING:
    from search_app.query.query import Step
    from search_app.search.ranking import Candidates
    from store.names import NamedPlace
    from store.records import ShotRow, TextHit
    from store.snapshot import Snapshot

NAME: Final = "name"
"""The channel of names, and of metadata."""
COMMON_SHARE: Final = 0.2
"""A word that stands in more than this share of an archive's file names tells no file from another."""
_FEW_NAMES = 2  # two takes of one thing are not many
_CAMERA_LETTERS = 4
_WORD = re.compile(r"\w+")
_ENDING = re.compile(r"(?<=\w)\.[^\W_]{1,5}(?!\w)")


class Naming(IntEnum):
    """Ways in which a question names a file; the higher, the surer."""

    PART = 1
    """All that the question asks for stands in the stem, or the stem is one ordinary word of the question."""
    STEM = 2
    """The question is the stem, or holds one of several words."""
    FILE = 3
    """It holds the name with its ending, or a stem that mixes letters and digits, as cameras do."""
    PATH = 4
    """It holds the name with its ending and the folder before it."""


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A file that a question names.

    Args:
        naming: how.
        path: its path below the library root.
        words: the words of its name that were asked for; all of them, where the whole name was.
    """

    naming: Naming
    path: str
    words: tuple[str, ...]


class NamedVideos:
    """The videos that a question names.

    Args:
        snapshot: where to look.
        text: the question's words as they were typed.
        is_whole: whether only a question that is a whole name counts, as for a sum of texts.
    """

    def __init__(self, snapshot: Snapshot, text: str, *, is_whole: bool = False) -> None:
        self._text = fold(text)
        without_endings = _ENDING.sub(" ", text)
        self._typed = split_words(text)
        # A question of stop words alone, such as "to be or not to be", is meant as it stands.
        telling = snapshot.telling_words(without_endings) or _WORD.findall(without_endings)
        self._asked = tuple(dict.fromkeys(pieces for word in telling if (pieces := split_words(word))))
        self._is_whole = is_whole
        places, too_many = snapshot.places_holding(map("".join, self._asked))
        held = Counter(word for words in self._words_by_video(places) for word in words)
        most = max(_FEW_NAMES, COMMON_SHARE * snapshot.counts().videos)
        many = {word for word, number in held.items() if number > most}
        self._common = {word for word in self._asked if word in many or "".join(word) in too_many}
        self.matches: Mapping[str, NameMatch] = self._matches(places)
        """The best match of each video that is named, by its id."""

    def is_common(self, word: str) -> bool:
        """Whether all that a word of a name has of the question stands in so many names that it tells nothing."""
        asked = self._words_in(split_words(word))
        return bool(asked) and self._common.issuperset(asked)

    def _words_by_video(self, places: Iterable[NamedPlace]) -> Iterable[set[tuple[str, ...]]]:
        """For each video, the words asked for that stand in a name of it."""
        found: dict[str, set[tuple[str, ...]]] = {}
        for place in places:
            found.setdefault(place.video_id, set()).update(self._words_in(split_words(place.stem)))
        return found.values()

    def _words_in(self, stem: Sequence[str]) -> list[tuple[str, ...]]:
        return [word for word in self._asked if find_run(word, stem)]

    def _matches(self, places: Iterable[NamedPlace]) -> dict[str, NameMatch]:
        found: dict[str, NameMatch] = {}
        for place in places:
            match = self._match(place)
            known = found.get(place.video_id)
            if match is not None and (known is None or match.naming > known.naming):
                found[place.video_id] = match
        return found

    def _match(self, place: NamedPlace) -> NameMatch | None:
        """Way in which the question names a location, if it does."""
        stem = split_words(place.stem)
        naming = self._as_typed(place) or self._by_stem(stem)
        if naming is None or (self._is_whole and naming is Naming.PART):
            return None
        found = stem if naming > Naming.PART else ["".join(word) for word in self._words_in(stem)]
        return NameMatch(naming, place.path, tuple(found))

    def _as_typed(self, place: NamedPlace) -> Naming | None:
        """Whether the name stands in the question with its ending, and with its folder."""
        path = PurePosixPath(fold(place.path))
        if not path.suffix or not _stands_in(path.name, self._text):
            return None
        return Naming.PATH if _stands_in(f"{path.parent.name}/{path.name}", self._text) else Naming.FILE

    def _by_stem(self, stem: Sequence[str]) -> Naming | None:
        words = self._words_in(stem)
        if not words or self._common.issuperset(words):
            return None
        part = Naming.PART if any("".join(word) not in EMPTY_WORDS for word in words) else None
        if find_run(stem, self._typed) is None:
            return part if len(words) == len(self._asked) else None
        letters = "".join(stem)
        is_number = letters.isdecimal()
        if not letters.isalpha() and not is_number and len(letters) >= _CAMERA_LETTERS:
            return Naming.FILE
        if len(words) == len(self._asked) or (len(stem) > 1 and not is_number):
            return Naming.STEM
        return None if is_number else part


def _stands_in(name: str, text: str) -> bool:
    """Whether a folded name stands in a text with nothing of a word on either side."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def words_that_tell(hit: TextHit, places: Iterable[NamedPlace], named: NamedVideos) -> tuple[list[str], list[str]]:
    """Words of a hit that stand in names, endings and common words aside, and those in metadata.

    Args:
        hit: found in the names and metadata of a video, each on a line of its text.
        places: those of the video.
        named: what the question names.
    """
    paths = {place.path: PurePosixPath(place.path).with_suffix("") for place in places}
    lines = hit.text.split("\n")
    names = {word for line in lines if line in paths for word in _WORD.findall(str(paths[line]))}
    said = {word for line in lines if line not in paths for word in _WORD.findall(line)}
    telling = [word for word in hit.words if word in names and not named.is_common(word)]
    return telling, [word for word in hit.words if word in said]


def words_as_typed(step: Step) -> tuple[str, bool]:
    """The words of a step as they were typed, and whether they are a sum, as `Foreman - site visit` is.

    Empty if the step looks for anything but texts, or weighs them.
    """
    texts = [term.of.value for term in step.terms if isinstance(term.of, Text) and abs(term.weight) == 1]
    return (" ".join(texts), len(texts) > 1) if len(texts) == len(step.terms) else ("", False)


def put_named_first(
    candidates: Candidates,
    confidence: Mapping[str, float],
    shots: Mapping[str, ShotRow],
    named: NamedVideos,
    *,
    is_shown: bool,
    voted: Collection[str],
) -> bool:
    """Put the shots of the files that the question names before all others; whether there were any.

    Of a file named by an ordinary word that pictures show, too, those shots go first that surely show it, or else
    its best one if the name is all that is asked: a film called harbour also holds other things. Whole names count
    as words that were found.

    Args:
        candidates: changed in place.
        confidence: how surely each shot shows what was asked.
        shots: rows of all candidates.
        named: the files.
        is_shown: whether pictures show what was asked.
        voted: the shots that may go first, all before the others.
    """
    of_video: dict[str, list[str]] = {}
    for shot_id in candidates.order:
        video_id = shots[shot_id].video_id
        if shot_id in voted and video_id in named.matches:
            of_video.setdefault(video_id, []).append(shot_id)
    naming: dict[str, Naming] = {}
    for video_id, shot_ids in of_video.items():
        match, first = named.matches[video_id], shot_ids
        if is_shown and match.naming < Naming.FILE:
            best = shot_ids[:1] if match.naming > Naming.PART else []
            first = [one for one in shot_ids if confidence.get(one, 0.0) >= MEDIUM_FROM] or best
        for shot_id in first:
            naming[shot_id] = match.naming
            if match.naming > Naming.PART:
                candidates.note_words(shot_id, NAME, match.path, match.words)
    candidates.put_first(naming)
    return bool(naming)

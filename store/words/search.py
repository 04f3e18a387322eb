"""Searching the texts of one generation: by words and by meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from store.catalog import text_rows
from store.records import TextHit
from store.vectors.nearest import search_shards
from store.words.index import WordQuestion

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader
    from store.catalog.text_rows import FoundText
    from store.records import Embeddings
    from store.vectors.nearest import LiveShard
    from store.words.index import LexicalIndex


class TextSearch:
    """The texts of one generation.

    Args:
        catalog: its catalog.
        words: its index of words; None if it has no text at all.
        shards: for each kind of text that has vectors, its shards.
    """

    def __init__(
        self,
        catalog: CatalogReader,
        words: LexicalIndex | None,
        shards: Mapping[str, Sequence[LiveShard]],
    ) -> None:
        self._catalog = catalog
        self._words = words
        self._shards = shards

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of texts of each kind."""
        return text_rows.count_texts(self._catalog)

    @cached_property
    def languages(self) -> list[str]:
        """Codes of the languages of the texts."""
        return text_rows.text_languages(self._catalog)

    def of_video(self, video_id: str, stage: str | None) -> list[TextHit]:
        """The texts of a video, of one kind or of all, by time."""
        return text_rows.texts_of_video(self._catalog, video_id, stage)

    def by_words(
        self, words: str, stages: Sequence[str], n: int, *, phrase: bool, prefix: bool, all_words: bool
    ) -> list[TextHit]:
        """Texts that hold words, best first."""
        if self._words is None:
            return []
        question = WordQuestion(words, self.languages, phrase=phrase, prefix=prefix, all_words=all_words)
        found = self._words.search(question, [str(stage) for stage in stages], n)
        texts = text_rows.texts_by_id(
            self._catalog, [int(hit.document_id[1:]) for hit in found if hit.document_id.startswith("t")]
        )
        names = self._names([hit.document_id[1:] for hit in found if hit.document_id.startswith("n")])
        hits = []
        for hit in found:
            if hit.document_id.startswith("t"):
                found_text = texts[int(hit.document_id[1:])]
            else:
                found_text = text_rows.FoundText(names[hit.document_id[1:]], "")
            matched = question.matched_words(found_text.hit.text, found_text.language)
            narrowed = _narrow(found_text, question)
            hits.append(replace(narrowed, score=hit.score, words=matched))
        return hits

    def _names(self, video_ids: Sequence[str]) -> dict[str, TextHit]:
        """Names to be indexed of each video, with all of its shots."""
        shots = text_rows.shots_of_videos(self._catalog, video_ids)
        described = text_rows.names_of_videos(self._catalog, video_ids)
        return {
            video_id: TextHit(
                text_rows.NAME, video_id, None, described[video_id], 0.0, (), shots.get(video_id, ())
            )
            for video_id in video_ids
        }

    def by_meaning(self, vector: Embeddings, stage: str, n: int) -> list[TextHit]:
        """Texts whose vectors are nearest, best first."""
        shards = self._shards.get(str(stage), ())
        if not shards or n < 1:
            return []
        scores, ids = search_shards(shards, np.ascontiguousarray(vector[None]), n)
        texts = text_rows.texts_by_id(self._catalog, ids.tolist())
        return [
            replace(texts[text_id].hit, score=score)
            for text_id, score in zip(ids.tolist(), scores.tolist(), strict=True)
            if text_id in texts
        ]


def _narrow(found: FoundText, question: WordQuestion) -> TextHit:
    """The text, about the shots in which the words that were asked for are said, where their times are known.

    A sentence may go on over several shots; a phrase that begins in one and ends in the next is in both.
    """
    hit = found.hit
    places = question.matched_places([word for word, _, _ in found.words], found.language)
    times = [found.words[place][1:] for place in places]
    if not times:
        return hit
    there = [
        shot_id
        for shot_id, (start, end) in found.shots.items()
        if any(begin < end and stop > start for begin, stop in times)
    ]
    return replace(hit, shot_ids=tuple(there) or hit.shot_ids, found_seconds=times[0][0])

"""Results of one stage for one video on their way into the archive: in parts once a minute, or all at once.

Stretches with which the model failed are left out of the parts, so that the next run does them and no others.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

import numpy as np

from indexer.models.encoder import TextEncoder
from indexer.stages.stage import StretchResult
from store.archive import Archive
from store.records import Embeddings, EmbeddingSpace, Part, TextRow, TextSegment
from store.shot_outcomes import ShotOutcome, ShotState
from store.stages import Run, Space, stage_named
from store.timespan import TimeSpan
from store.wording import clock, n_of

COMMIT_EVERY_SECONDS = 60.0
_TAKEN = "not all of it is written, as another process is at work on it; run it again"
_Result = tuple[TimeSpan, StretchResult]
_SIMPLE = (ShotState.DONE, ShotState.ERROR)


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of one stage on one video.

    Args:
        counts: stretches by how they ended, those of earlier runs left out.
        n_rows: rows written.
        failure: why something is missing; empty where the video is covered.
    """

    counts: Mapping[ShotState, int]
    n_rows: int
    failure: str = ""


class Commits:
    """Collects the results of one stage for one video and writes them.

    Args:
        archive: where they are written.
        run: the run.
        fingerprint: the video.
        wanted: the stretches that the stage has to do; between shots there may be pauses.
        encoder: of texts, for stages whose texts are searched by meaning; None for words alone.
        every_seconds: time after which what is there is written as a part.
    """

    def __init__(
        self,
        archive: Archive,
        run: Run,
        fingerprint: str,
        wanted: Sequence[TimeSpan],
        encoder: TextEncoder | None,
        every_seconds: float = COMMIT_EVERY_SECONDS,
    ) -> None:
        self._archive = archive
        self._run = run
        self._fingerprint = fingerprint
        self._wanted = wanted
        self._encoder = encoder if stage_named(run.stage).space is Space.TEXTS else None
        self._every_seconds = every_seconds
        self._pending: list[_Result] = []
        self._errors: list[tuple[TimeSpan, str]] = []
        self._counts: Counter[ShotState] = Counter()
        self._n_rows = 0
        self._parts = archive.parts_of(run, fingerprint)
        self._seconds = 0.0
        self._written = time.monotonic()

    def is_covered(self, span: TimeSpan) -> bool:
        """Whether all of a stretch is written."""
        return not _uncovered(span, self._parts.values())

    @property
    def has_all(self) -> bool:
        """Whether nothing is missing once what is pending is written."""
        known = [*self._parts.values(), *(span for span, _ in self._pending)]
        return not any(_uncovered(one, known) for one in self._wanted)

    def covered_until(self, start: Fraction) -> Fraction:
        """The end of what is written without a gap from a time on."""
        for part in sorted(self._parts.values()):
            if part.start <= start < part.end:
                start = part.end
        return start

    def add(self, span: TimeSpan, result: StretchResult, seconds: float = 0.0) -> None:
        """Take the result of a stretch, and what it cost; writes a part where the last one is old enough."""
        self._seconds += seconds
        self._counts[result.state] += 1
        if result.state is ShotState.ERROR:
            self._errors.append((span, result.reason))
            return
        self._pending.append((span, result))
        if time.monotonic() - self._written >= self._every_seconds and len(self._pending) > 1:
            last = self._pending.pop()  # kept back: the part that completes the video may not be empty
            self._write_parts()
            self._pending = [last]

    def finish(self, failure: str = "") -> Committed:
        """Write what is left, note a failure where something is missing, and say what became of it.

        Args:
            failure: why the stage ended before the end of the video; empty if it did not. What is covered all the
                same is no failure.
        """
        is_whole = self.has_all
        if not self._parts and is_whole:
            self._archive.put_text(self._segment(self._pending, None))
            self._pending = []
        else:
            self._write_parts(is_end=True)
        reason = "" if is_whole else failure or self._told_errors() or _TAKEN
        if reason:
            self._archive.note_failure(self._run, self._fingerprint, reason)
        return Committed(dict(self._counts), self._n_rows, reason)

    def fail(self, reason: str) -> Committed:
        """Note that nothing more can be written, and why."""
        self._archive.note_failure(self._run, self._fingerprint, reason)
        return Committed(dict(self._counts), self._n_rows, reason)

    def _told_errors(self) -> str:
        if not self._errors:
            return ""
        span, reason = self._errors[0]
        n = len(self._errors)
        return f"{n_of(n, 'shot')} failed{', the first' if n > 1 else ''} at {clock(span.start_seconds)}: {reason}"

    def _write_parts(self, *, is_end: bool = False) -> None:
        self._parts = self._archive.parts_of(self._run, self._fingerprint, self._parts)
        # What another process has written meanwhile is left out.
        pending = sorted((one for one in self._pending if not self.is_covered(one[0])), key=lambda one: one[0])
        self._pending = []
        groups = list(_contiguous(pending))
        for n, group in enumerate(groups):
            span = TimeSpan(group[0][0].start, group[-1][0].end)
            self._write_part(group, span, is_end=is_end and n == len(groups) - 1)
        if is_end and not groups and self._wanted and self.has_all:
            self._write_part([], self._wanted[-1], is_end=True)  # another process wrote the rest, and went away
        self._written = time.monotonic()

    def _write_part(self, results: Sequence[_Result], span: TimeSpan, *, is_end: bool) -> None:
        known = [*self._parts.values(), span]
        is_last = is_end and not any(_uncovered(one, known) for one in self._wanted)
        number = next(n for n in count() if n not in self._parts)
        self._archive.put_part(self._segment(results, Part(number, span, is_last)))
        self._parts = {**self._parts, number: span}

    def _segment(self, results: Sequence[_Result], part: Part | None) -> TextSegment:
        rows = tuple(row for _, result in results for row in result.rows)
        self._n_rows += len(rows)
        outcomes = tuple(
            ShotOutcome(span, result.state, result.reason)
            for span, result in results
            if result.state not in _SIMPLE or result.reason
        )
        seconds, self._seconds = self._seconds, 0.0
        run = self._run
        return TextSegment(
            self._fingerprint,
            run.stage,
            run.key,
            run.model,
            dict(run.parameters or {}),
            rows,
            *self._vectors(rows),
            run.revision,
            run.weights_hash,
            seconds,
            part,
            outcomes,
        )

    def _vectors(self, rows: Sequence[TextRow]) -> tuple[EmbeddingSpace | None, Embeddings | None]:
        if self._encoder is None or not rows:
            return None, None
        vectors = self._encoder.encode_texts([row.text for row in rows])
        return self._encoder.space, np.ascontiguousarray(vectors, np.float32)


def _contiguous(results: Iterable[_Result]) -> Iterable[list[_Result]]:
    """Results in groups without gaps."""
    group: list[_Result] = []
    for one in results:
        if group and group[-1][0].end != one[0].start:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _uncovered(wanted: TimeSpan, parts: Iterable[TimeSpan]) -> bool:
    """Whether any instant of a span lies in no part."""
    reached = wanted.start
    for part in sorted(parts):
        if part.start > reached:
            break
        reached = max(reached, part.end)
    return reached < wanted.end

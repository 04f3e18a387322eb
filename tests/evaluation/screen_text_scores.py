"""Words that a stage reads in pictures, against the words that a person read there."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from indexer.media.pictures_at import PictureRequest, read_pictures
from indexer.stages.screen_text import ScreenTextStage
from indexer.stages.stage import ShownStretch, Stretch, StretchResult
from indexer.visual.decode_pass import DecodeSettings, Sample, decode_pass
from store.records import Boundary, FrameRow, Shot, ShotRow
from store.timespan import TimeSpan

LONGEST_SECONDS = 60
TALL, MIDDLE = 0.04, 0.025


@dataclass
class WordScore:
    """Words found and missed, by the height of their letters; and the words that nobody listed."""

    found: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    n_read: int = 0
    n_right: int = 0
    missed: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    def recall(self, size: str) -> float:
        """Share of the listed words of this size that were read."""
        return self.found[size] / max(1, self.listed[size])

    @property
    def precision(self) -> float:
        """Share of the words read, in shots where a person listed any, that are listed."""
        return self.n_right / max(1, self.n_read)

    def add(self, truth: Sequence[dict[str, Any]], texts: Sequence[str], where: str) -> None:
        """Count one shot."""
        left = Counter(words_of(" ".join(texts)))
        self.n_read += left.total()
        for line in sorted(truth, key=lambda line: -line["size"]):
            size = "tall" if line["size"] > TALL else "middle" if line["size"] > MIDDLE else "small"
            for word in words_of(line["text"]):
                self.listed[size] += 1
                if left[word]:
                    left[word] -= 1
                    self.found[size] += 1
                    self.n_right += 1
                elif size != "small":
                    self.missed.append(f"{where}: {word} ({line['text']})")
        self.more += [f"{where}: {word}" for word in left.elements()]


def words_of(text: str) -> list[str]:
    """Words without case and signs."""
    return re.findall(r"\w+", text.casefold())


def sample_frames(path: Path) -> list[FrameRow]:
    """The frames that indexing samples."""
    return [_frame(one) for one in decode_pass(str(path), DecodeSettings(), 64) if isinstance(one, Sample)]


def stretches_of(span: TimeSpan, samples: Sequence[FrameRow]) -> Iterator[Stretch]:
    """A shot as the conductor hands it to a stage."""
    shot = ShotRow("0" * 16, "0" * 32, "", Shot(0, span, Boundary.CUT), "")
    n_pieces = -(-span.duration // LONGEST_SECONDS)
    edges = [span.start + span.duration * at / n_pieces for at in range(n_pieces + 1)]
    for start, end in pairwise(edges):
        piece = TimeSpan(start, end)
        yield Stretch(shot, piece, tuple(one for one in samples if start <= one.time < end))


def _frame(sample: Sample) -> FrameRow:
    return FrameRow(0, "0" * 16, "0" * 32, sample.time, sample.sharpness, "")


def read_shot(
    path: Path, span: TimeSpan, samples: Sequence[FrameRow], stage: ScreenTextStage
) -> tuple[list[StretchResult], float]:
    """What the stage reads in a shot, and the seconds of processor time that took, without decoding."""
    results: list[StretchResult] = []
    seconds = 0.0
    for stretch in stretches_of(span, samples):
        times = tuple(stage.times(stretch))
        found = list(read_pictures(str(path), [PictureRequest(at, stage.size_px) for at in times]))
        pictures = tuple(one.picture for one in sorted(found, key=lambda one: one.number))
        started = time.process_time()
        results += stage.read([ShownStretch(stretch, times, pictures)])
        seconds += time.process_time() - started
    return results, seconds


def span_of(shot: dict[str, Any]) -> TimeSpan:
    """Span of a shot of the manifest."""
    return TimeSpan(Fraction(str(shot["start_s"])), Fraction(str(shot["end_s"])))

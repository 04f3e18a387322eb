"""Word error rate, and recordings with known words that lie beside a checkout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.audio import AudioBlock
from indexer.models.transcriber import SPEECH_RATE_HZ
from indexer.stages.speech import SpeechStage
from indexer.stages.stage import HeardStretch
from store.records import TextRow
from store.timespan import TimeSpan
from tests.shared_media import SHARED

SPEECH = SHARED / "speech"
needs_speech = pytest.mark.skipif(not SPEECH.is_dir(), reason="no recordings in ../shared/speech")

JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
LICENCE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of the software and associated "
    "documentation files to deal in the software without restriction, including without limitation the rights to "
    "use, copy, modify, merge, publish, distribute, sublicence, and or sell copies of the software"
)
LEFT = "He began a confused complaint against the wizard, who had vanished behind the curtain on the left."
RIGHT = "The horizon seems extremely distant."


def plain_words(text: str) -> list[str]:
    """Words in lower case without punctuation: what is compared."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.casefold())


def word_error_rate(said: str, written: str) -> float:
    """Substitutions, deletions and insertions over the number of words that were said (Levenshtein)."""
    wanted, found = plain_words(said), plain_words(written)
    row = list(range(len(found) + 1))
    for i, word in enumerate(wanted, start=1):
        before, row = row, [i, *row[1:]]
        for j, other in enumerate(found, start=1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other))
    return row[-1] / max(1, len(wanted))


def decode(path: Path) -> NDArray[np.float32]:
    """Sound of a recording at 16,000 samples per second; (n_channels, n_samples)."""
    pieces = []
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", stream.layout.name, SPEECH_RATE_HZ)
        for frame in container.decode(stream):
            pieces += [one.to_ndarray() for one in resampler.resample(frame)]
        pieces += [one.to_ndarray() for one in resampler.resample(None)]
    return np.concatenate(pieces, axis=1).astype(np.float32)


def hear(stage: SpeechStage, sound: NDArray[np.float32]) -> list[HeardStretch]:
    """All stretches of a sound."""
    end = Fraction(sound.shape[1], SPEECH_RATE_HZ)
    listener = stage.listen_to("no-such-video.mp4", TimeSpan(Fraction(0), end))
    stretches: list[HeardStretch] = []
    for first in range(0, sound.shape[1], SPEECH_RATE_HZ):
        stretches += listener.take(AudioBlock(first, SPEECH_RATE_HZ, sound[:, first : first + SPEECH_RATE_HZ]))
    return [*stretches, *listener.end(end)]


def rows_of(stretches: Sequence[HeardStretch]) -> list[TextRow]:
    """Their rows."""
    return [row for stretch in stretches for row in stretch.result.rows]


def text_of(rows: Sequence[TextRow]) -> str:
    """What rows say."""
    return " ".join(row.text for row in rows)

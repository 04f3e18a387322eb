"""Words on screen in real footage, against the words that a person read there."""

from __future__ import annotations

import json
from collections.abc import Collection

import pytest

from indexer.models.text_reader import RapidOcrReader
from indexer.stages.screen_text import ScreenTextSettings, ScreenTextStage
from store.shot_outcomes import ShotState
from tests.evaluation.screen_text_scores import WordScore, read_shot, sample_frames, span_of
from tests.shared_media import MEDIA, needs_media, read_manifest

TALL_FLOOR = 0.9
"""Reached: 0.913 of 46 words, by hand-made truth; those missed are stylized, blurred, or 12 pixels high."""
PRECISION_FLOOR = 0.85
"""Reached: 0.937 of 646 words, in shots where a person listed any."""


def _measure(files: Collection[str] | None = None) -> WordScore:
    """Words that are read in the clips of these names, or in all; the table says where words are lost."""
    pytest.importorskip("rapidocr")
    settings = ScreenTextSettings(threads=1)
    stage = ScreenTextStage(RapidOcrReader(settings.threads), settings)
    told = json.loads((MEDIA / "understanding.json").read_text(encoding="utf-8"))
    truth = {(one["file"], one["shot_index"]): one["text"] for one in told}
    score, n_shots, seconds, length = WordScore(), 0, 0.0, 0.0
    for clip in read_manifest(MEDIA):
        if files is not None and clip["file"] not in files:
            continue
        frames = sample_frames(MEDIA / clip["file"])
        for number, shot in enumerate(clip["shots"]):
            if (clip["file"], number) not in truth:
                continue
            span = span_of(shot)
            results, spent = read_shot(MEDIA / clip["file"], span, frames, stage)
            assert all(result.state is not ShotState.ERROR for result in results)
            rows = [row for result in results for row in result.rows]
            assert all(span.start <= row.span.start < row.span.end <= span.end for row in rows)
            if truth[clip["file"], number]:
                where = f"{clip['file']} {number}"
                score.add(truth[clip["file"], number], [row.text for row in rows], where)
            n_shots, seconds, length = n_shots + 1, seconds + spent, length + span.duration_seconds
    for size in ("tall", "middle", "small"):
        print(f"{size:7} recall {score.recall(size):.3f} of {score.listed[size]} words")  # noqa: T201
    print(f"precision {score.precision:.3f} of {score.n_read} words")  # noqa: T201
    print(f"{seconds / n_shots:.2f} s a shot, {seconds / length * 3600:.0f} s an hour, one thread")  # noqa: T201
    print(*score.missed, sep="\n")  # noqa: T201
    return score


@needs_media
@pytest.mark.evaluation
@pytest.mark.optin
@pytest.mark.timeout(3600)
def test_words_on_real_footage() -> None:
    """Recall of words taller than 4 % of the picture, and precision, stay above their floors."""
    score = _measure()
    assert score.recall("tall") >= TALL_FLOOR
    assert score.precision >= PRECISION_FLOOR


@needs_media
@pytest.mark.evaluation
@pytest.mark.slow
def test_words_of_one_clip() -> None:
    """A clip of four titles is read without a fault."""
    score = _measure({"testvideo.mp4"})
    assert 28 == score.listed["tall"] == score.found["tall"]
    assert 1.0 == score.precision

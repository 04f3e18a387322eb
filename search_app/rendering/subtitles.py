"""Subtitles of a supercut: what is said in its clips, on the film's own clock, as SubRip text."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from search_app.conforming.target_profile import Profile
from search_app.cutting.clip_texts import ClipText
from search_app.rendering.verify import Placed


def subtitle_path(output: Path) -> Path:
    """Path of a supercut's subtitles."""
    return output.with_suffix(".srt")


def srt_text(placed: Sequence[Placed], texts: Sequence[ClipText], profile: Profile) -> str:
    """Every line of speech of the clips, in order, none longer than its clip."""
    blocks: list[str] = []
    for place, text in zip(placed, texts, strict=True):
        start = place.first_frame / profile.frame_rate
        for line in text.speech:
            words = " ".join(line.text.split())  # an empty line would end the block
            if words:
                span = f"{_clock(start + line.start)} --> {_clock(start + line.end)}"
                blocks.append(f"{len(blocks) + 1}\n{span}\n{words}\n")
    return "\n".join(blocks)


def _clock(seconds: Fraction) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"

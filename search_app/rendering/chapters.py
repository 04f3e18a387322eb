"""Chapters and title of a supercut, as ffmpeg's metadata file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from search_app.conforming.target_profile import Profile
from search_app.cutting.clip_texts import ClipText
from search_app.rendering.verify import Placed
from store.names import display_names

_SPECIAL = re.compile(r"([=;#\\\n])")
_LONGEST_TITLE = 200  # characters; a chapter in MP4 holds 65,535 bytes


def chapter_title(text: ClipText, name: str) -> str:
    """A clip's name for people: its caption, else that of its file; on one line, printable."""
    title = text.caption or name
    line = " ".join("".join(char if char.isprintable() else " " for char in title).split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def metadata_text(
    title: str | None, placed: Sequence[Placed], texts: Sequence[ClipText], profile: Profile, n_frames: int
) -> str:
    """A metadata file with the film's title and a chapter for each of `placed`, from its start to the next one's.

    Args:
        title: of the film; None for none.
        placed: the clips that get chapters.
        texts: their texts.
        profile: gives the frame rate.
        n_frames: length of the film.
    """
    lines = [";FFMETADATA1"]
    if title:
        lines.append(f"title={_escaped(' '.join(title.split()))}")
    ends = [*(place.first_frame for place in placed), n_frames][1:]
    rate = profile.frame_rate
    names = display_names(str(place.source) for place in placed)
    for place, text, end in zip(placed, texts, ends, strict=True):
        chapter = chapter_title(text, names[str(place.source)])
        lines += ["[CHAPTER]", f"TIMEBASE={rate.denominator}/{rate.numerator}"]
        lines += [f"START={place.first_frame}", f"END={end}", f"title={_escaped(chapter)}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.encode("utf-8", "replace").decode())

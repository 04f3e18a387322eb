"""Exactness and speed of a supercut."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """Ways from clips to pieces of a supercut.

    `exact` encodes every frame anew. `fast` copies groups of pictures and encodes only what lies between them and
    the ends of a clip. `preview` encodes small pictures roughly, and nothing is verified.
    """

    EXACT = "exact"
    FAST = "fast"
    PREVIEW = "preview"

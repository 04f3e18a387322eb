"""What people type, checked and cleaned."""

from __future__ import annotations

import unicodedata

from search_app.errors import QueryError

MAX_CHARACTERS = 2_000


def parse_query(text: str) -> str:
    """The question as the encoder is to read it: without control characters and needless space.

    Raises:
        QueryError: nothing is left, or it is longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError(
            f"the query has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read; "
            "describe the shot in a sentence"
        )
    # Cc: control, Cs: half of a character, Cf: invisible (such as zero-width space, or byte order mark).
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    if not any(not c.isspace() and unicodedata.category(c) != "Cf" for c in visible):
        raise QueryError('the query is empty; describe what the shot shows, such as "a red boat"')
    return " ".join(visible.split())

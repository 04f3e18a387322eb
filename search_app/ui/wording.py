"""Words of the page about things that come from files: always one line, always plain text.

None of it is meant for markdown: names go to the page through `st.text` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from store.wording import clock, n_of, printable

if TYPE_CHECKING:
    from search_app.search.ranking import Hit
    from store.records import Counts
    from store.timespan import TimeSpan

NAME_LENGTH = 22
"""As many characters of a file name as fit under a thumbnail."""


def name_of(path: str, length: int = NAME_LENGTH, names: Mapping[str, str] | None = None) -> str:
    """A file's name; of a longer one the beginning and the end, where takes and endings stand.

    Args:
        path: of the file.
        length: characters at most.
        names: what files are called that share their names with others, by path.
    """
    name = printable((names or {}).get(path) or Path(path).name)
    if len(name) <= length:
        return name
    tail = length // 2
    return f"{name[: length - tail - 1]}…{name[-tail:]}"


def sure_text(hit: Hit) -> str:
    """Certainty that a shot shows what was asked, and the kind of text in which it was found."""
    channels = [match.channel.replace("_", " ") for match in hit.matches if match.channel != "picture"]
    sure = hit.sure_text(" sure")
    return " · ".join([*([sure] if sure else []), *dict.fromkeys(channels)]) or "passes the filters"


def span_text(span: TimeSpan) -> str:
    """Begin and end of a shot."""
    return f"{clock(span.start_seconds)} – {clock(span.end_seconds)}"  # noqa: RUF001 - an en dash between times


def length_text(seconds: Fraction | float) -> str:
    """Duration: `3.2 s`, or as a clock from a minute on."""
    return f"{float(seconds):.1f} s" if seconds < 60 else clock(float(seconds))


def counts_text(counts: Counts) -> str:
    """Counts of an archive, and what is wrong with some of it."""
    length = f"{counts.hours:,.1f} hours" if counts.hours >= 1 else length_text(counts.hours * 3600)
    wrong = [
        n_of(number, "video") + f" {what}"
        for number, what in ((counts.partial, "in part only"), (counts.missing, "missing"))
        if number
    ]
    if counts.failed:
        wrong.append(n_of(counts.failed, "file") + " failed")
    return " · ".join([n_of(counts.videos, "video"), n_of(counts.shots, "shot"), length, *wrong])

"""File names in a catalog: which hold words, and which fit a plain `in:`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from store.catalog.schema import from_stored_text
from store.names import NamedPlace, fits_part, split_words

if TYPE_CHECKING:
    from store.catalog.reader import CatalogReader

MANY_PLACES: Final = 5_000
"""Words that stand in more file names than this tell nothing."""
# The catalog narrows names down to those that may hold a word, however it is spaced, and Python decides. Wide
# letters, which only Python makes plain, pass.
_LETTERS = "translate(replace(lower(strip_accents(%s)), 'ß', 'ss'), ' _-.,()[]''&+', '')"
_IS_WIDE = "regexp_matches(%s, '[\\x{FF01}-\\x{FF5E}]')"
_NAME = "regexp_extract(location.relative_path, '[^/]*$')"
_HOLDS = f"contains({_LETTERS % _NAME}, ?)"
_INDEXED = "FROM location WHERE location.fingerprint IN (SELECT fingerprint FROM video)"
_PATH = "rtrim(location.root_path, '/') || '/' || location.relative_path"


def places_holding(reader: CatalogReader, words: Iterable[str]) -> tuple[list[NamedPlace], set[str]]:
    """The places of indexed videos whose file names may hold any of some words, by path; and words of too many.

    Args:
        reader: the catalog.
        words: folded; those of more than `MANY_PLACES` names find none by themselves.
    """
    asked = list(dict.fromkeys(words))
    if not asked:
        return [], set()
    counts = ", ".join([f"count(*) FILTER ({_HOLDS})"] * len(asked))
    (numbers,) = reader.rows(f"SELECT {counts} {_INDEXED}", asked)
    rare = [word for word, number in zip(asked, numbers, strict=True) if number <= MANY_PLACES]
    holds = " OR ".join([*[_HOLDS] * len(rare), _IS_WIDE % _NAME])
    rows = reader.rows(
        f"SELECT location.fingerprint, location.relative_path {_INDEXED} AND ({holds}) "
        "ORDER BY location.relative_path, location.fingerprint",
        rare,
    )
    places = [NamedPlace(fingerprint, from_stored_text(path)) for fingerprint, path in rows]
    return places, set(asked) - set(rare)


def places_of(reader: CatalogReader, video_ids: Iterable[str]) -> list[NamedPlace]:
    """All places of some videos, by path."""
    rows = reader.rows(
        "SELECT fingerprint, relative_path FROM location WHERE fingerprint IN (SELECT unnest(?::VARCHAR[])) "
        "ORDER BY relative_path, fingerprint",
        [list(video_ids)],
    )
    return [NamedPlace(fingerprint, from_stored_text(path)) for fingerprint, path in rows]


def videos_in(reader: CatalogReader, pattern: str) -> list[str]:
    """The videos of which a folder or file is called so or holds these words, for a plain `in:`.

    Words count from the last folder of the library root on; above it nothing is about the library.
    """
    words = split_words(pattern)
    holds = " AND ".join([f"contains({_LETTERS % _PATH}, ?)"] * len(words)) or "false"
    condition = f"{holds} OR {_IS_WIDE % _PATH}"
    rows = reader.rows(f"SELECT fingerprint, root_path, relative_path FROM location WHERE {condition}", words)  # noqa: S608 constants of this module
    below = (
        (fingerprint, PurePosixPath(from_stored_text(root)).name, from_stored_text(path))
        for fingerprint, root, path in rows
    )
    return sorted({fingerprint for fingerprint, root, path in below if fits_part(pattern, f"{root}/{path}")})

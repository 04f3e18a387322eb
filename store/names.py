"""Names of files as people read them: their words, what stands in them, and how two of one name are told apart."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

_RUN = re.compile(r"[^\W\d_]+|\d+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def fold(text: str) -> str:
    """The text without case, accents and wide or joined forms."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.encode("utf-8", "replace").decode())
    return "".join(char for char in plain if unicodedata.category(char) != "Mn").casefold()


def split_words(text: str) -> tuple[str, ...]:
    """The words of a name, folded: cut at signs, underscores, digits and capitals inside a word.

    `DJI_0042-SiteVisit2` is `dji 0042 site visit 2`. Scripts that set no spaces are cut into characters.
    """
    even = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    return tuple(fold(word) for run in _RUN.findall(even) for word in _split_run(run))


def _split_run(run: str) -> Iterable[str]:
    """The words of a run of letters or digits."""
    if _UNSPACED.search(run):
        return _UNSPACED.sub(r" \g<0> ", run).split()
    if run.islower() or run.isupper() or not run.isalpha():
        return (run,)
    cuts = [
        at
        for at in range(1, len(run))
        if run[at].isupper() and (run[at - 1].islower() or (at + 1 < len(run) and run[at + 1].islower()))
    ]
    return [run[start:end] for start, end in pairwise([0, *cuts, len(run)])]


def find_run(words: Sequence[str], among: Sequence[str]) -> tuple[int, int] | None:
    """Position of words among others, as indexes from and up to; None if they do not stand there.

    How they are spaced makes no difference: `site visit` stands in `sitevisit`, and the other way round.
    """
    wanted = "".join(words)
    if not wanted:
        return None
    for start in range(len(among)):
        joined = ""
        for end in range(start, len(among)):
            joined += among[end]
            if joined == wanted:
                return start, end + 1
            if not wanted.startswith(joined):
                break
    return None


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place of an indexed video.

    Args:
        video_id: the video.
        path: path below its library root, with slashes.
    """

    video_id: str
    path: str

    @property
    def name(self) -> str:
        """Its file name."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """Its file name without the ending."""
        return PurePosixPath(self.path).stem


def fits_part(pattern: str, path: str) -> bool:
    """Whether a folder or file of a path is called so, with or without its ending, or has these words in a row."""
    wanted, folded = split_words(pattern), fold(pattern)
    for part in PurePosixPath(path).parts:
        stem = PurePosixPath(part).stem
        if folded in (fold(part), fold(stem)) or find_run(wanted, split_words(stem)):
            return True
    return False


def display_names(paths: Iterable[str]) -> dict[str, str]:
    """For each path its file name, with as many of its folders before it as tell it from all other paths.

    `/x/a/clip.mp4` and `/x/b/clip.mp4` are `a/clip.mp4` and `b/clip.mp4`.
    """
    names: dict[str, str] = {}
    pending = dict.fromkeys(paths)
    depth = 1
    while pending:
        alike = defaultdict[str, list[str]](list)
        for path in pending:
            parts = PurePosixPath(path).parts
            if depth < len(parts):
                alike["/".join(parts[-depth:])].append(path)
            else:
                names[path] = path
        names.update((path, name) for name, (path, *others) in alike.items() if not others)
        pending = dict.fromkeys(path for path in pending if path not in names)
        depth += 1
    return names

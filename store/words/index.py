"""The lexical index: words of captions, labels, speech, screen text and names, found by BM25 (tantivy).

An index is a folder of files that belongs to a generation and is never changed: the next one starts as hard
links to its files, which tantivy only adds to or replaces, and is synced and renamed when complete. Readers open
it through a folder of symbolic links of their own, because tantivy makes lock files wherever it opens an index.

Every text is indexed twice: as its plain words (lower case, without accents), for phrases, prefixes and names; and
as the stems of its language without stop words. Scripts whose words are not set apart by spaces (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) and Korean, whose endings stick to its words, are indexed by pairs of
characters, and by single ones for questions of one character.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import tantivy

from store.catalog.text_tables import LexicalDocument
from store.errors import ArchiveError, CacheDamagedError
from store.files import digest_file, full_error

LANGUAGES: Final = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
"""Languages with a stemmer, by ISO 639-1 code; all others are read as English."""
_WITHOUT_STOP_WORDS: Final = frozenset({"ar", "el", "ro", "ta", "tr"})
DEFAULT_LANGUAGE: Final = "en"
_ALIASES: Final = {"nb": "no", "nn": "no"}
_WRITER_BYTES = 50_000_000
_LONGEST_WORD = 60
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
_LOCKS = (".tantivy-writer.lock", ".tantivy-meta.lock")


@dataclass(frozen=True, slots=True)
class LexicalFile:
    """Manifest entry of a file of an index."""

    name: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class LexicalFolder:
    """Manifest entry of an index.

    Args:
        name: name of its folder below `text/`.
        files: its files.
    """

    name: str
    files: tuple[LexicalFile, ...]


def describe_folder(folder: Path) -> LexicalFolder:
    """An index as a manifest is to know it."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return LexicalFolder(
        folder.name, tuple(LexicalFile(file.name, file.stat().st_size, digest_file(file)) for file in files)
    )


def verify_folder(folder: Path, expected: LexicalFolder) -> None:
    """Compare an index with what its manifest says.

    Raises:
        CacheDamagedError: a file of it is missing or differs.
    """
    for file in expected.files:
        path = folder / file.name
        try:
            whole = path.stat().st_size == file.size_bytes and digest_file(path) == file.digest
        except OSError as error:
            raise CacheDamagedError(
                f"index of words {path} cannot be read ({error.strerror})", folder.name
            ) from error
        if not whole:
            raise CacheDamagedError(f"index of words {path} is damaged", folder.name)


@dataclass(frozen=True, slots=True)
class WordHit:
    """A document that holds words that were asked for.

    Args:
        document_id: as in `LexicalDocument`.
        score: BM25, higher is better.
    """

    document_id: str
    score: float


def language_of(code: str) -> str:
    """The language whose stems and stop words are used for a text: itself if known, else English."""
    plain = code.lower().replace("_", "-").split("-")[0]
    plain = _ALIASES.get(plain, plain)
    return plain if plain in LANGUAGES else DEFAULT_LANGUAGE


@lru_cache(maxsize=1)
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("document_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("stage", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("plain", tokenizer_name="plain", index_option="position")
    builder.add_text_field("character", tokenizer_name="plain", index_option="freq")
    for code in LANGUAGES:
        builder.add_text_field(f"stem_{code}", tokenizer_name=f"stem_{code}", index_option="freq")
    return builder.build()


@lru_cache(maxsize=1)
def _plain_analyzer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    return _folded(builder.filter(tantivy.Filter.remove_long(_LONGEST_WORD)).filter(tantivy.Filter.lowercase()))


@lru_cache(maxsize=len(LANGUAGES))
def _stem_analyzer(code: str) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(_LONGEST_WORD)).filter(tantivy.Filter.lowercase())
    if code not in _WITHOUT_STOP_WORDS:
        builder = builder.filter(tantivy.Filter.stopword(LANGUAGES[code]))
    return _folded(builder.filter(tantivy.Filter.stemmer(LANGUAGES[code])))


def _folded(builder: tantivy.TextAnalyzerBuilder) -> tantivy.TextAnalyzer:
    return builder.filter(tantivy.Filter.ascii_fold()).build()


def _open(folder: Path) -> tantivy.Index:
    index = tantivy.Index.open(str(folder))
    _register(index)
    return index


def _register(index: tantivy.Index) -> None:
    index.register_tokenizer("plain", _plain_analyzer())
    for code in LANGUAGES:
        index.register_tokenizer(f"stem_{code}", _stem_analyzer(code))


def _even(text: str) -> str:
    """The text with every character written one way: accents on their letters, no wide or joined forms."""
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())


def _spaced(text: str) -> str:
    """The text with every run of unspaced script cut into overlapping pairs of characters."""

    def pairs(match: re.Match[str]) -> str:
        run = match[0]
        cut = [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        return f" {' '.join(cut)} "

    return _UNSPACED.sub(pairs, text)


def write_index(folder: Path, old: Iterable[str], new: Iterable[Sequence[LexicalDocument]]) -> None:
    """Take documents out of the index in a folder and put others in; an empty folder becomes an index.

    Args:
        folder: nobody else's: empty, or holding the files of an index.
        old: ids of documents that go.
        new: pieces of documents that come.

    Raises:
        ArchiveFullError: no space.
    """
    with _translated(folder):
        if (folder / "meta.json").exists():
            index = _open(folder)
        else:
            index = tantivy.Index(_schema(), path=str(folder))
            _register(index)
        writer = index.writer(_WRITER_BYTES, 1)
        for document_id in old:
            writer.delete_documents_by_term("document_id", document_id)
        for piece in new:
            for document in piece:
                writer.add_document(_to_document(document))
        writer.commit()
        writer.wait_merging_threads()
    del writer, index
    for name in _LOCKS:
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """Turn tantivy's errors, which are all `ValueError`, into ours."""
    try:
        yield
    except ValueError as error:
        if any(sign in str(error) for sign in ("No space left", "quota", "File too large")):
            raise full_error(folder) from error
        raise ArchiveError(f"the text index {folder} cannot be written: {error}; check the disk") from error


@contextlib.contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Turn what tantivy raises on an index that it cannot read, panics included, into our error.

    Raises:
        CacheDamagedError: the index cannot be read, whatever its digest says.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise CacheDamagedError(f"index of words {folder} cannot be read: {error}", folder.name) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # no `Exception`, and no class that could be imported
            raise
        raise CacheDamagedError(f"index of words {folder} cannot be read: {error}", folder.name) from error


def _to_document(source: LexicalDocument) -> tantivy.Document:
    document, text = tantivy.Document(), _even(source.text)
    document.add_text("document_id", source.document_id)
    document.add_text("stage", source.stage)
    document.add_text("plain", _spaced(text))
    document.add_text("character", " ".join("".join(_UNSPACED.findall(text))))
    document.add_text(f"stem_{language_of(source.language)}", _spaced(text))
    return document


def telling_words(text: str, languages: Iterable[str]) -> list[str]:
    """The words of a text, as written, that are no stop words of English or of these languages; each once.

    Not of all languages: dog, man, hat, sea, van and war are stop words somewhere.
    """
    codes = {language_of(code) for code in languages} | {DEFAULT_LANGUAGE}
    words = dict.fromkeys(match[0] for match in _WORD.finditer(text.encode("utf-8", "replace").decode()))
    return [word for word in words if all(_stem_analyzer(code).analyze(word) for code in codes)]


class LexicalIndex:
    """An index of a generation, open for reading; safe to use from several threads.

    Args:
        folder: its folder, whose files were found to be as the manifest says.
        names: names of its files.

    Raises:
        CacheDamagedError: it cannot be read, also later in `search`.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder
        with (
            tempfile.TemporaryDirectory(prefix="rushes-text-", ignore_cleanup_errors=True) as links,
            _reading(folder),
        ):
            for name in names:
                Path(links, name).symlink_to(folder / name)
            # A searcher maps every file when it is made, so the links can go at once.
            self._searcher = _open(Path(links)).searcher()

    def read_all(self) -> int:
        """Read every document and every list of words, as a check; gives the number of documents."""
        with _reading(self._folder):
            n = self._searcher.num_docs
            if n:
                for field in ("plain", "character", *(f"stem_{code}" for code in LANGUAGES)):
                    self._searcher.search(tantivy.Query.regex_query(_schema(), field, ".*"), n)
                for _, place in self._searcher.search(tantivy.Query.all_query(), n).hits:
                    _ = self._searcher.doc(place)["document_id"]
        return int(n)

    def search(self, question: WordQuestion, stages: Sequence[str], n: int) -> list[WordHit]:
        """Documents of some stages that hold what is asked for, best first; equal scores by id."""
        wanted = question.query
        if wanted is None or n < 1 or not stages:
            return []
        among = _any_of([tantivy.Query.term_query(_schema(), "stage", stage) for stage in stages])
        unscored = tantivy.Query.const_score_query(among, 0.0)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, wanted), (tantivy.Occur.Must, unscored)])
        with _reading(self._folder):
            found = self._searcher.search(both, n).hits
            hits = [WordHit(self._searcher.doc(place)["document_id"][0], float(score)) for score, place in found]
        return sorted(hits, key=lambda hit: (-hit.score, hit.document_id))


class WordQuestion:
    """Query for texts, built only of words, never of a query syntax.

    Args:
        text: what was typed.
        languages: codes of the languages in the archive.
        phrase: the words stand next to each other, in this order.
        prefix: the last word may go on.
        all_words: every word must be there, stop words aside.
    """

    def __init__(
        self,
        text: str,
        languages: Iterable[str],
        *,
        phrase: bool = False,
        prefix: bool = False,
        all_words: bool = False,
    ) -> None:
        self._codes = sorted({language_of(code) for code in languages} | {DEFAULT_LANGUAGE})
        self._words = _plain_analyzer().analyze(_spaced(_even(text)))
        telling = [word for word in self._words if all(_stem_analyzer(code).analyze(word) for code in self._codes)]
        # A question of stop words alone, such as "to be or not to be", is meant as it stands.
        self._asked = self._words if phrase or not telling else telling
        self.query = self._build(phrase, prefix, all_words) if self._words else None
        self._forms = frozenset(form for word in self._asked for form in self._forms_of_word(word))
        self._open_end = self._words[-1] if prefix and self._words else None
        self._is_phrase = phrase and len(self._words) > 1

    def _build(self, phrase: bool, prefix: bool, all_words: bool) -> Any:
        last = self._words[-1]
        if phrase and len(self._words) > 1:
            kind = tantivy.Query.phrase_prefix_query if prefix else tantivy.Query.phrase_query
            return kind(_schema(), "plain", list(self._words))
        if phrase and not prefix:
            return self._as_written(last)
        words = [word for word in dict.fromkeys(self._asked) if not (prefix and word == last)]
        queries = [self._one_word(word) for word in words]
        if prefix:
            queries.append(self._beginning(last))
        occur = tantivy.Occur.Must if all_words else tantivy.Occur.Should
        return tantivy.Query.boolean_query([(occur, query) for query in queries])

    def _as_written(self, word: str) -> Any:
        field = "character" if _is_character(word) else "plain"
        return tantivy.Query.term_query(_schema(), field, word)

    def _beginning(self, word: str) -> Any:
        """Words that begin so; the word itself, in any of its forms, is worth more."""
        longer = tantivy.Query.regex_query(_schema(), "plain", f"{re.escape(word)}.*")
        return tantivy.Query.disjunction_max_query([self._one_word(word), longer])

    def _one_word(self, word: str) -> Any:
        """A word in any of its forms; only its best form counts."""
        queries = [self._as_written(word)]
        for code in self._codes:
            for stem in _stem_analyzer(code).analyze(word):
                queries.append(tantivy.Query.term_query(_schema(), f"stem_{code}", stem))
        return tantivy.Query.disjunction_max_query(queries)

    def _forms_of_word(self, word: str) -> list[str]:
        stems = (f"{code}={stem}" for code in self._codes for stem in _stem_analyzer(code).analyze(word))
        return [f"={word}", *stems]

    def matched_words(self, text: str, language: str) -> tuple[str, ...]:
        """The words of a text that were asked for, as written there, each once."""
        found = dict.fromkeys(
            match[0]
            for match in _WORD.finditer(unicodedata.normalize("NFC", text))
            if self._is_asked(match[0], language_of(language))
        )
        return tuple(found)

    def matched_places(self, words: Sequence[str], language: str) -> list[int]:
        """Which of the words of a text, given one by one, were asked for; of a phrase all that belong to it."""
        code = language_of(language)
        asked = [place for place, word in enumerate(words) if self._is_asked_within(word, code)]
        if not self._is_phrase or not asked:
            return asked
        tokens = [
            (token, place)
            for place, word in enumerate(words)
            for token in _plain_analyzer().analyze(_spaced(_even(word)))
        ]
        n = len(self._words)
        runs = [tokens[at : at + n] for at in range(len(tokens) - n + 1)]
        found = {place for run in runs if self._is_run([token for token, _ in run]) for _, place in run}
        return sorted(found) or asked

    def _is_asked_within(self, word: str, code: str) -> bool:
        """Whether a word as it is spoken, with its punctuation, holds one that was asked for."""
        return any(self._is_asked(match[0], code) for match in _WORD.finditer(word))

    def _is_run(self, tokens: Sequence[str]) -> bool:
        if list(tokens[:-1]) != list(self._words[:-1]):
            return False
        return tokens[-1] == self._words[-1] or (
            self._open_end is not None and tokens[-1].startswith(self._open_end)
        )

    def _is_asked(self, written: str, code: str) -> bool:
        even = _even(written)
        if _UNSPACED.search(even):
            return not {*even, *_plain_analyzer().analyze(_spaced(even))}.isdisjoint(self._asked)
        forms = _forms(written, code)
        if self._open_end is not None and any(form.startswith(f"={self._open_end}") for form in forms):
            return True
        return not self._forms.isdisjoint(forms)


@lru_cache(maxsize=50_000)
def _forms(written: str, code: str) -> tuple[str, ...]:
    even = _even(written)
    plain = [f"={word}" for word in _plain_analyzer().analyze(even)]
    return (*plain, *(f"{code}={stem}" for stem in _stem_analyzer(code).analyze(even)))


def _is_character(word: str) -> bool:
    return len(word) == 1 and _UNSPACED.match(word) is not None


def _any_of(queries: Sequence[Any]) -> Any:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])

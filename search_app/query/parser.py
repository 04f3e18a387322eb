"""Reads what people type into the search box; the grammar is in this package's README."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import takewhile
from typing import Final

from search_app.errors import QueryError
from search_app.query.query import (
    KEYWORDS,
    QUOTES,
    LikeMoment,
    LikePicture,
    LikeShot,
    Query,
    Step,
    Subject,
    Term,
    Text,
)
from search_app.query.values import field_names, parse_condition, parse_seconds
from store.filters import And, Filter, Not, Or, TextMatch

MAX_CHARACTERS: Final = 2_000
MAX_STEPS: Final = 5
_MAX_NESTING = 20
_MINUS = "-\u2212\u2013"
_FIELD = re.compile(r"([A-Za-z_]+):(?=\S)")
_WEIGHT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\*(?=\S)")
_LOST_COLON = re.compile(r"(dur|date|fps|res)([<>=].+)", re.IGNORECASE)
_ODD_WEIGHT = re.compile(r"[\d.]+(?:e\d+)?\*.+", re.IGNORECASE)
_SHOT = re.compile(r"shot/([0-9A-Za-z]+)")
_MOMENT = re.compile(r"(.+)@([0-9:.]+)s")


class _Kind(Enum):
    WORD = auto()
    STRING = auto()
    FIELD = auto()
    LIKE = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    KEYWORD = auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    start: int
    value: str
    name: str = ""
    quoted: bool = False
    negated: bool = False
    weight: float | None = None


def parse_query(text: str) -> Query:
    """The question that a text asks.

    Raises:
        QueryError: it cannot be understood; `position` says where.
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
    return _Parser(_negate(_Scanner(visible).tokens()), len(visible)).query()


class _Scanner:
    """Cuts a query into tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def tokens(self) -> list[_Token]:
        tokens: list[_Token] = []
        while True:
            while self._at < len(self._text) and self._text[self._at].isspace():
                self._at += 1
            if self._at == len(self._text):
                return tokens
            tokens.append(self._token())

    def _token(self) -> _Token:
        start, char = self._at, self._text[self._at]
        following = self._text[start + 1 : start + 2]
        if (char == "+" or char in _MINUS) and (not following or following.isspace()):
            self._at += 1
            return _Token(_Kind.OPERATOR, start, "+" if char == "+" else "-")
        if char in _MINUS and following and following in _MINUS:
            raise QueryError("one dash is enough: -night", start)
        negated = char in _MINUS and (following.isalnum() or following in (*QUOTES, "("))
        if negated:
            self._at += 1
        weight = None
        if match := _WEIGHT.match(self._text, self._at):
            weight = round(float(match[1]), 6)
            if not 0.001 <= weight <= 1000:
                raise QueryError(f"a weight lies between 0.001 and 1000, not at {match[1]}", self._at)
            self._at = match.end()
        return self._atom(start, negated, weight)

    def _atom(self, start: int, negated: bool, weight: float | None) -> _Token:
        char = self._text[self._at]
        if char in "()":
            self._at += 1
            return _Token(_Kind.OPEN if char == "(" else _Kind.CLOSE, start, char, negated=negated, weight=weight)
        if char in QUOTES:
            return _Token(_Kind.STRING, start, self._string(), quoted=True, negated=negated, weight=weight)
        if match := _FIELD.match(self._text, self._at):
            self._at = match.end()
            name, quoted = match[1].lower(), self._text[self._at] in QUOTES
            value = self._string() if quoted else self._value()
            if not value:
                raise QueryError(f"{name}: needs a value", start)
            kind = _Kind.LIKE if name == "like" else _Kind.FIELD
            return _Token(kind, start, value, name, quoted, negated, weight)
        word = self._word()
        _refuse_lost(word, start)
        is_keyword = word in KEYWORDS and not negated and weight is None
        return _Token(_Kind.KEYWORD if is_keyword else _Kind.WORD, start, word, negated=negated, weight=weight)

    def _string(self) -> str:
        """Text between quotes; a backslash takes the next quote or backslash as it is."""
        start = self._at
        self._at += 1
        characters: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            following = self._text[self._at + 1 : self._at + 2]
            if char == "\\" and following and following in f"\\{QUOTES}":
                characters.append(following)
                self._at += 2
                continue
            self._at += 1
            if char in QUOTES:
                content = " ".join("".join(characters).split())
                if not content:
                    raise QueryError(
                        "there is nothing between these quotes; write a word, or leave them out", start
                    )
                return content
            characters.append(char)
        raise QueryError('this quote is never closed; add a " where the phrase ends', start)

    def _value(self) -> str:
        """The value of a field: up to a space, or to a closing parenthesis that it did not open."""
        start, depth = self._at, 0
        while self._at < len(self._text) and not self._text[self._at].isspace():
            depth += {"(": 1, ")": -1}.get(self._text[self._at], 0)
            if depth < 0:
                break
            self._at += 1
        return self._text[start : self._at]

    def _word(self) -> str:
        start = self._at
        while self._at < len(self._text):
            char = self._text[self._at]
            if char.isspace() or char in "()" or char in QUOTES:
                break
            self._at += 1
        return self._text[start : self._at]


def _refuse_lost(word: str, position: int) -> None:
    """Refuse a word that was meant as a filter or a weight: as a word it would find nothing, nobody knew why."""
    if match := re.fullmatch(rf"({'|'.join((*field_names(), 'like'))}):", word, re.IGNORECASE):
        name = match[1].lower()
        raise QueryError(
            f"{name}: needs a value right behind the colon; for the word, leave out the colon", position
        )
    if match := _LOST_COLON.fullmatch(word):
        raise QueryError(f"a filter needs a colon; write {match[1].lower()}:{match[2]}", position)
    if _ODD_WEIGHT.fullmatch(word):
        raise QueryError("a weight is a plain number between 0.001 and 1000, such as 2*boat", position)


def _negate(tokens: list[_Token]) -> list[_Token]:
    """The tokens with every NOT as the dash of what follows it.

    Raises:
        QueryError: nothing follows it that can be negated.
    """
    negated: list[_Token] = []
    for token in reversed(tokens):
        if token.kind is not _Kind.KEYWORD or token.value != "NOT":
            negated.append(token)
            continue
        following = negated.pop() if negated else None
        if following is None or following.kind in (_Kind.KEYWORD, _Kind.OPERATOR, _Kind.CLOSE):
            raise QueryError("nothing follows this NOT; write NOT boat, or -boat", token.start)
        if following.negated:
            raise QueryError("one NOT is enough: NOT boat, or -boat", token.start)
        negated.append(replace(following, negated=True, start=token.start))
    return negated[::-1]


class _Parser:
    """Builds the question from tokens."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end

    def query(self) -> Query:
        steps, within = [self._step()], None
        while token := self._take():
            if token.value == "THEN":
                if len(steps) == MAX_STEPS:
                    raise QueryError(f"at most {MAX_STEPS} steps can follow each other", token.start)
                steps.append(self._step())
            else:
                within = self._within(token, len(steps))
        return Query(tuple(steps), within)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> _Token | None:
        token = self._peek()
        self._next += token is not None
        return token

    def _within(self, keyword: _Token, n_steps: int) -> float:
        if n_steps < 2:
            raise QueryError("WITHIN needs steps: write A THEN B WITHIN 20s", keyword.start)
        value = self._take()
        if value is None or value.kind is not _Kind.WORD:
            raise QueryError("WITHIN needs a time, such as WITHIN 20s", keyword.start)
        if value.negated:
            raise QueryError(f"a time cannot be negative: -{value.value}", value.start)
        seconds = parse_seconds(value.value, value.start)
        if seconds <= 0:
            raise QueryError("WITHIN needs a time longer than nothing", value.start)
        if after := self._peek():
            raise QueryError("WITHIN and its time come last", after.start)
        return seconds

    def _step(self) -> Step:
        start = self._peek().start if self._peek() else self._end  # type: ignore[union-attr]
        builder = _StepBuilder()
        while (token := self._peek()) and not _is_keyword(token, "THEN", "WITHIN"):
            self._next += 1
            self._add(builder, token)
        if builder.operator is not None:
            raise QueryError(f"nothing follows this {builder.operator.value}", builder.operator.start)
        step = builder.step()
        if step == Step():
            where = "before THEN or WITHIN" if self._peek() else "after THEN"
            if self._peek() and self._next:
                where = "between these two"
            raise QueryError(f"there is nothing {where}; say what the shot shows", start)
        return step

    def _add(self, builder: _StepBuilder, token: _Token) -> None:
        if token.kind is _Kind.OPERATOR:
            builder.start_term(token)
        elif _is_keyword(token, "AND"):
            self._check_and(token)
            if builder.ends_in_word and self._is_plain_word(self._peek()):
                builder.add_subject(replace(token, kind=_Kind.WORD, value="and"))
        elif token.kind is _Kind.KEYWORD:
            raise QueryError(
                "OR stands between two filters, such as label:boat OR label:ship; for one of two meanings "
                f"write a sum, such as {self._sum_around()}, or ask twice",
                token.start,
            )
        elif self._is_meaning(token, builder):
            builder.add_subject(token)
        else:
            if builder.operator is not None or token.weight is not None:
                raise QueryError("a filter cannot be added, taken away or weighted", token.start)
            builder.conditions.append(self._alternatives(token, 0))

    def _check_and(self, token: _Token) -> None:
        """Refuse an AND that joins nothing; what stands side by side belongs together anyway."""
        before, after = self._before(), self._peek()
        if before is None or before.kind in (_Kind.KEYWORD, _Kind.OPERATOR, _Kind.OPEN):
            raise QueryError("nothing stands before this AND", token.start)
        if after is None or after.kind in (_Kind.KEYWORD, _Kind.OPERATOR, _Kind.CLOSE):
            raise QueryError("nothing follows this AND", token.start)

    def _before(self) -> _Token | None:
        """The token before the one that was taken last."""
        return self._tokens[self._next - 2] if self._next >= 2 else None

    @staticmethod
    def _is_plain_word(token: _Token | None) -> bool:
        return token is not None and token.kind is _Kind.WORD and not token.negated and token.weight is None

    def _sum_around(self) -> str:
        """Both sides of the OR that was taken last, as a sum."""
        before = takewhile(self._is_plain_word, reversed(self._tokens[: self._next - 1]))
        after = takewhile(self._is_plain_word, self._tokens[self._next :])
        left, right = " ".join([one.value for one in before][::-1]), " ".join(one.value for one in after)
        return f"{left} + {right}" if left and right else "boat + ship"

    def _is_meaning(self, token: _Token, builder: _StepBuilder) -> bool:
        """Whether a token is part of what to look for; a quoted string only in a sum or after a dash."""
        if token.kind in (_Kind.WORD, _Kind.LIKE):
            return True
        following = self._peek()
        is_added = following is not None and following.kind is _Kind.OPERATOR
        return token.kind is _Kind.STRING and (
            token.negated or token.weight is not None or builder.operator is not None or is_added
        )

    def _alternatives(self, token: _Token, depth: int) -> Filter:
        """A condition, and those that OR joins to it."""
        before = self._before()
        parts = [self._condition(token, depth)]
        while (joint := self._peek()) and _is_keyword(joint, "OR"):
            self._next += 1
            following = self._take()
            if following is None or following.kind is _Kind.KEYWORD:
                raise QueryError("nothing follows this OR", joint.start)
            parts.append(self._condition(following, depth))
        beside = [one for one in (before, self._peek()) if one is not None and _is_keyword(one, "AND")]
        if len(parts) > 1 and beside:
            raise QueryError(
                "AND beside OR can be read in two ways; put what belongs together into parentheses",
                beside[0].start,
            )
        return _join(Or, parts)

    def _condition(self, token: _Token, depth: int) -> Filter:
        if depth > _MAX_NESTING:
            raise QueryError(f"parentheses are nested more than {_MAX_NESTING} deep", token.start)
        if token.weight is not None:
            raise QueryError("a filter cannot be weighted", token.start)
        if token.kind is _Kind.OPEN:
            found = self._group(token, depth)
        elif token.kind is _Kind.FIELD:
            found = parse_condition(token.name, token.value, token.quoted, token.start)
        elif token.kind is _Kind.STRING:
            found = TextMatch(None, token.value, phrase=True)
        elif token.kind is _Kind.CLOSE:
            raise QueryError("this parenthesis was never opened", token.start)
        elif token.kind is _Kind.KEYWORD:
            is_misplaced = token.value in ("THEN", "WITHIN")
            what = "parentheses join filters only" if is_misplaced else "nothing stands before it"
            raise QueryError(f"{token.value} cannot stand here: {what}", token.start)
        else:
            raise QueryError(
                f"OR and parentheses join filters, and {token.value!r} is none; "
                'write it as "exact" words or with a field, and for one of two meanings boat + ship',
                token.start,
            )
        return Not(found) if token.negated else found

    def _group(self, opening: _Token, depth: int) -> Filter:
        parts: list[Filter] = []
        while token := self._take():
            if token.kind is _Kind.CLOSE and not token.negated:
                if not parts:
                    raise QueryError("there is nothing in these parentheses", opening.start)
                return _join(And, parts)
            if _is_keyword(token, "AND"):
                self._check_and(token)
            else:
                parts.append(self._alternatives(token, depth + 1))
        raise QueryError("this parenthesis is never closed", opening.start)


class _StepBuilder:
    """Collects the parts of one step."""

    def __init__(self) -> None:
        self.conditions: list[Filter] = []
        self.operator: _Token | None = None
        self._minus: list[Subject] = []
        self._terms: list[tuple[float, list[str] | Subject]] = []

    @property
    def ends_in_word(self) -> bool:
        """Whether a further word would go on with the last text."""
        return self.operator is None and bool(self._terms) and isinstance(self._terms[-1][1], list)

    def start_term(self, operator: _Token) -> None:
        """Note that what follows is added or taken away."""
        if self.operator is not None or not self._terms:
            raise QueryError(f"nothing stands before this {operator.value}", operator.start)
        self.operator = operator

    def add_subject(self, token: _Token) -> None:
        """Add a word, a quoted text or a likeness."""
        if token.negated:
            if self.operator is not None or token.weight is not None:
                raise QueryError("a dash before a word cannot be added up; put a space after it", token.start)
            self._minus.append(_subject(token))
            return
        sign = -1.0 if self.operator is not None and self.operator.value == "-" else 1.0
        begins = self.operator is not None or token.weight is not None or not self._terms
        self.operator = None
        last = self._terms[-1][1] if self._terms else None
        if token.kind is _Kind.WORD and not begins and isinstance(last, list):
            last.append(token.value)
        else:
            content = [token.value] if token.kind is _Kind.WORD else _subject(token)
            self._terms.append((sign * (1.0 if token.weight is None else token.weight), content))

    def step(self) -> Step:
        terms = tuple(
            Term(weight, Text(" ".join(content)) if isinstance(content, list) else content)
            for weight, content in self._terms
        )
        return Step(terms, tuple(self._minus), _join(And, self.conditions) if self.conditions else None)


def _is_keyword(token: _Token, *words: str) -> bool:
    return token.kind is _Kind.KEYWORD and token.value in words


def _join(kind: type[And | Or], parts: list[Filter]) -> Filter:
    """One filter of several; of the same kind inside each other become one."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Filter] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else [part]
    return kind(tuple(flat))


def _subject(token: _Token) -> Subject:
    if token.kind is not _Kind.LIKE:
        return Text(token.value)
    if match := _SHOT.fullmatch(token.value):
        return LikeShot(match[1])
    if match := _MOMENT.fullmatch(token.value):
        return LikeMoment(match[1], parse_seconds(match[2], token.start))
    return LikePicture(token.value)

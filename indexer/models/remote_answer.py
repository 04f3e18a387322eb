"""What a server of the OpenAI API answers: checked strictly, since a text of anything else would be stored.

The format is that of `POST /chat/completions` (https://platform.openai.com/docs/api-reference/chat), as vLLM,
SGLang, llama.cpp and Ollama give it, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from indexer.errors import ServerError
from indexer.models.remote_settings import RemoteSettings
from store.shot_outcomes import ShotState

_MILLION: Final = 1_000_000
_MOST_QUOTED: Final = 200
_ENDS: Final[Mapping[str, ShotState]] = {
    "stop": ShotState.DONE,
    "eos": ShotState.DONE,
    "stop_sequence": ShotState.DONE,
    "end_turn": ShotState.DONE,
    "length": ShotState.TRUNCATED,
    "max_tokens": ShotState.TRUNCATED,
    "content_filter": ShotState.BLOCKED,
    "refusal": ShotState.BLOCKED,
    "safety": ShotState.BLOCKED,
}
"""What `finish_reason` says; anything else, null included, is the end of no whole answer."""
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.S)
_END_OF_THOUGHT = re.compile(r".*</think(?:ing)?>", re.S)
_BEGIN_OF_THOUGHT = re.compile(r"<think(?:ing)?>.*", re.S)


@dataclass(frozen=True, slots=True)
class Spent:
    """What requests cost.

    Args:
        requests: answered requests.
        retries: requests that were sent again.
        input_tokens: of the questions, as the server counts them.
        output_tokens: of the answers.
        uncounted: answers for which the server counted no tokens; the sums are without them.
        seconds: from sending to the end of the answers, those at the same time added up.
        cost: price of the counted tokens.
        currency: of `cost`.
    """

    requests: int = 0
    retries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    uncounted: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    currency: str = "USD"

    def __add__(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(
            self.requests + other.requests,
            self.retries + other.retries,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.uncounted + other.uncounted,
            self.seconds + other.seconds,
            self.cost + other.cost,
            self.currency,
        )

    def __str__(self) -> str:
        """One line for people."""
        tokens = f"{self.input_tokens:,} + {self.output_tokens:,} tokens"
        if self.uncounted:
            tokens += f" ({self.uncounted} answers not counted by the server)"
        return f"{self.requests} requests, {tokens}, {self.seconds:.1f} s, {self.cost:.4f} {self.currency}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Args:
        text: the answer, without the model's thoughts; empty only where it is blocked.
        state: `DONE`, `TRUNCATED` at the limit of tokens, or `BLOCKED` by the model or its server.
        spent: what it cost.
        reason: one line for people, where there is something to say.
    """

    text: str
    state: ShotState = ShotState.DONE
    spent: Spent = Spent()
    reason: str = ""


def read_answer(body: bytes, content_type: str, settings: RemoteSettings, spent: Spent) -> Answer:
    """The answer that a body of status 200 holds.

    Args:
        body: as the server sent it.
        content_type: as the server calls it.
        settings: prices.
        spent: seconds and retries of the request.

    Raises:
        ServerError: it holds none: a web page, garbage, half an answer, an error, or an empty text.
    """
    message = _read_object(body, content_type)
    if message.get("error"):
        raise ServerError(f"the model's server failed: {quote(message['error'])}")
    choices = message.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ServerError(f"the model's server sent no answer but {quote(message)}")
    spent += _count(message.get("usage"), settings)
    said = choices[0].get("message")
    if not isinstance(said, dict):
        raise ServerError(f"the model's server sent a choice without a message: {quote(choices[0])}")
    state = _ENDS.get(str(choices[0].get("finish_reason")).lower())
    if state is ShotState.BLOCKED or said.get("refusal"):
        reason = quote(said.get("refusal") or f"ended by {choices[0].get('finish_reason')}")
        return Answer("", ShotState.BLOCKED, spent, f"the model refused: {reason}")
    if state is None:
        raise ServerError(f"the answer is not whole: it ended by {choices[0].get('finish_reason')!r:.60}")
    return _answer_of(_text_of(said), state, spent)


def strip_thoughts(text: str) -> str:
    """A model's text without what it thought before; an unfinished thought is no text.

    Templates of some models put the opening mark into the question, so that only the closing one is answered.
    """
    without = _END_OF_THOUGHT.sub("", _THOUGHT.sub("", text))
    return _BEGIN_OF_THOUGHT.sub("", without).strip()


def quote(said: object) -> str:
    """What a server said, on one line of bounded length."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)
    printable = "".join(one if one.isprintable() else " " for one in text[: 4 * _MOST_QUOTED])
    line = " ".join(printable.split())
    return line if len(line) <= _MOST_QUOTED else f"{line[:_MOST_QUOTED]}..."


def _read_object(body: bytes, content_type: str) -> dict[str, Any]:
    start = body[:200].lstrip().lower()
    if "html" in content_type.lower() or start.startswith((b"<!doctype", b"<html")):
        raise ServerError(
            "the model's server sent a web page; base_url must be the address of its API, usually ending in /v1"
        )
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        what = (
            "nothing" if not body.strip() else "half an answer, or garbage: " + quote(body[:400].decode("latin-1"))
        )
        raise ServerError(f"the model's server sent {what}") from error
    if not isinstance(message, dict):
        raise ServerError(f"the model's server sent no answer but {quote(message)}")
    return message


def _text_of(said: Mapping[str, Any]) -> str:
    """The text of a message, which may come in parts."""
    content = said.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        content = "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")
    if content is None:
        content = ""
    if not isinstance(content, str):
        raise ServerError(f"the model's server sent a message without a text: {quote(said)}")
    return content


def _answer_of(content: str, state: ShotState, spent: Spent) -> Answer:
    text = strip_thoughts(content)
    if text:
        reason = "cut off at the limit of tokens" if state is ShotState.TRUNCATED else ""
        return Answer(text, state, spent, reason)
    if state is ShotState.TRUNCATED:
        raise ServerError(
            "the model reached its limit of tokens before it said anything; allow it more, or no thoughts"
        )
    raise ServerError("the model answered with an empty text")


def _count(usage: object, settings: RemoteSettings) -> Spent:
    """Tokens and their price, as far as the server tells."""
    counts = usage if isinstance(usage, dict) else {}
    asked, answered = counts.get("prompt_tokens"), counts.get("completion_tokens")
    if type(asked) is not int or type(answered) is not int or asked < 0 or answered < 0:
        return Spent(1, uncounted=1, currency=settings.currency)
    price = asked * settings.input_price_per_million + answered * settings.output_price_per_million
    return Spent(1, input_tokens=asked, output_tokens=answered, cost=price / _MILLION, currency=settings.currency)

"""A client of any server that speaks the OpenAI API (vLLM, SGLang, llama.cpp, Ollama, paid ones), with pictures.

It sends what it is asked, keeps to the server's limits, and believes no answer that is not whole.
"""

from __future__ import annotations

import base64
import io
import os
import random
import re
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from indexer.errors import ModelError, ServerError, ServerUnavailableError
from indexer.models.remote_answer import Answer, Spent, quote, read_answer
from indexer.models.remote_settings import REMOTE, RemoteSettings

if TYPE_CHECKING:
    import httpx2

    from indexer.models.encoder import RgbImage

MOST_ANSWER_BYTES: Final = 2**23
"""No answer of a few hundred words is longer; more is refused while it is read."""
_JPEG_QUALITY: Final = 90
_CONNECT_SECONDS: Final = 10.0
_FIRST_WAIT_SECONDS: Final = 0.5
_AGAIN: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_FOR_ALL: Final = frozenset({401, 402, 403, 404, 405})
_UNKNOWN_PART: Final = re.compile(r"support|unknown|unrecogni[sz]ed|not permitted|not allowed|unexpected", re.I)
"""How servers say that they do not know a part of a request; other faults do not go by leaving it out."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked.

    Args:
        prompt: the question.
        pictures: what it is about, in order.
        system: what the model is told before; empty for nothing.
        max_tokens: limit of the answer.
        schema: JSON schema of the answer; None for free text. Servers that know none are asked without it.
    """

    prompt: str
    pictures: tuple[RgbImage, ...] = field(default=(), repr=False)
    system: str = ""
    max_tokens: int = 256
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Later:
    """A request is worth sending again.

    Args:
        error: what to say if it is not sent again.
        wait_seconds: as the server asks; None where it does not say.
        is_once: whether once more is enough: what is slow or garbage seldom becomes better.
    """

    error: ServerError
    wait_seconds: float | None = None
    is_once: bool = False


class RemoteModel:
    """Asks one model of one server; safe to share between threads. Use it as a context, or close it.

    Args:
        settings: address, model, prices and patience.
        environment: where the key is read; this process's environment if None.

    Raises:
        ModelError: the settings name no server or no model, or the key cannot be sent.
    """

    def __init__(self, settings: RemoteSettings, environment: Mapping[str, str] | None = None) -> None:
        if not settings.base_url or not settings.model:
            raise ModelError(
                "no model's server is configured: set base_url (such as http://localhost:8000/v1) and model in "
                "the table [stages.remote] of a file for --config"
            )
        self._settings = settings
        key = (os.environ if environment is None else environment).get(settings.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ModelError(
                f"the key in the environment variable {settings.key_variable} is none: it has other signs"
            )
        self._key = key
        self._client = _open_client(settings, key)
        weakref.finalize(self, self._client.close)
        self._lock = threading.Lock()
        self._spent = Spent(currency=settings.currency)
        self._not_before = 0.0
        self._n_unanswered = 0
        self._refused: frozenset[str] = frozenset()
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        """The model as runs record it: `remote:MODEL`."""
        return f"{REMOTE}:{self._settings.model}"

    @property
    def spent(self) -> Spent:
        """What all requests so far have cost."""
        with self._lock:
            return self._spent

    def __enter__(self) -> RemoteModel:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connections; requests that wait are not sent again."""
        self._closed.set()
        self._client.close()

    def ask(self, question: Question) -> Answer:
        """The model's answer to one question.

        Raises:
            ServerError: there is no whole answer to this question.
            ServerUnavailableError: nor to any other.
        """
        body = self._body_of(question)
        n_sent = 0
        while True:
            self._wait_for_leave()
            n_sent += 1
            outcome = self._send(body, n_sent)
            if isinstance(outcome, Answer):
                return outcome
            if outcome is None:  # without what this server does not know; every such thing is left out once
                n_sent -= 1
                body = self._body_of(question)
            elif n_sent > self._most_retries(outcome) or self._closed.is_set():
                raise outcome.error
            else:
                self._wait(outcome, n_sent)

    def ask_all(self, questions: Sequence[Question]) -> list[Answer | ServerError]:
        """The answers, in the order of the questions, or what went wrong with each.

        Raises:
            ServerUnavailableError: the server answers no question.
        """
        if not questions:
            return []
        pool = ThreadPoolExecutor(self._settings.concurrency, thread_name_prefix="remote")
        try:
            asked = [pool.submit(self._ask_or_error, question) for question in questions]
            return [one.result() for one in asked]
        except KeyboardInterrupt:
            self.close()  # requests that wait, or are under way, end now
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after an error, nothing waits for the rest

    def _ask_or_error(self, question: Question) -> Answer | ServerError:
        try:
            return self.ask(question)
        except ServerUnavailableError:
            raise
        except ServerError as error:
            return error

    def _body_of(self, question: Question) -> dict[str, Any]:
        """The request; without what this server has refused."""
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": to_data_url(picture)}} for picture in question.pictures
        ]
        prompt = question.prompt.encode("utf-8", "replace").decode()  # file names may hold half characters
        content.append({"type": "text", "text": prompt})
        messages: list[dict[str, Any]] = (
            [{"role": "system", "content": question.system}] if question.system else []
        )
        messages.append({"role": "user", "content": content if question.pictures else prompt})
        limit = "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"
        body: dict[str, Any] = {"model": self._settings.model, "messages": messages, limit: question.max_tokens}
        body |= {"stream": False}
        if "temperature" not in self._refused:
            body["temperature"] = 0
        if question.schema is not None and "response_format" not in self._refused:
            schema = {"name": "answer", "strict": True, "schema": dict(question.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def _send(self, body: dict[str, Any], n_sent: int) -> Answer | _Later | None:
        """Send once: an answer, what went wrong for now, or None if the server refused a part of the request."""
        import httpx2

        started = time.monotonic()
        try:
            status, headers, received = self._exchange(body, started)
        except httpx2.TimeoutException:
            return _Later(self._count_unanswered(), is_once=True)
        except httpx2.ConnectError as error:
            return _Later(ServerUnavailableError(f"{self._server} cannot be reached: {self._quote(str(error))}"))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = self._quote(str(error)) or type(error).__name__
            return _Later(ServerError(f"{self._server} broke off: {reason}"))
        self._n_unanswered = 0
        if status != 200:
            return self._judge(status, headers, received, body)
        spent = Spent(retries=n_sent - 1, seconds=time.monotonic() - started, currency=self._settings.currency)
        try:
            answer = read_answer(received, headers.get("content-type", ""), self._settings, spent)
        except ServerError as error:
            return _Later(ServerError(self._redact(str(error))), is_once=True)
        with self._lock:
            self._spent += answer.spent
        return replace(answer, reason=self._redact(answer.reason))

    def _exchange(self, body: dict[str, Any], started: float) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of one answer.

        The client's own time-out is for each piece; a server that drips is stopped here.
        """
        import httpx2

        received = bytearray()
        with self._client.stream("POST", "chat/completions", json=body) as response:
            for piece in response.iter_bytes():
                received += piece
                if len(received) > MOST_ANSWER_BYTES:
                    raise httpx2.DecodingError(f"its answer is longer than {MOST_ANSWER_BYTES >> 20} MiB")
                if time.monotonic() - started > self._settings.timeout_seconds:
                    raise httpx2.ReadTimeout("too slow")
            return response.status_code, response.headers, bytes(received)

    def _judge(
        self, status: int, headers: Mapping[str, str], received: bytes, body: Mapping[str, Any]
    ) -> _Later | None:
        """What an answer of another status means.

        Raises:
            ServerError: it is of no use to send the request again.
        """
        said = received.decode("utf-8", "replace")
        message = f"{self._server} answered with status {status}: {self._quote(said)}"
        if status in (400, 422) and _UNKNOWN_PART.search(said):
            for part in ("max_tokens", "response_format", "temperature"):
                if part in body and part in said:
                    self._refused |= {part}
                    return None
        if 300 <= status < 400:
            raise ServerUnavailableError(
                f"{self._server} points elsewhere (status {status}); set base_url to that"
            )
        if status in (401, 403):
            raise ServerUnavailableError(
                f"{self._server} refuses the key (status {status}): put the right one into the environment "
                f"variable {self._settings.key_variable or '(key_variable names none)'}"
            )
        if status in _FOR_ALL:
            raise ServerUnavailableError(
                f"{message} (is base_url right, and the model {self._settings.model} there?)"
            )
        if status not in _AGAIN:
            raise ServerError(message)
        wait_seconds = _read_retry_after(headers.get("retry-after", ""))
        if wait_seconds is not None and wait_seconds > self._settings.longest_wait_seconds:
            raise ServerUnavailableError(
                f"{message}; it asks to wait for {wait_seconds:.0f} s, longer than longest_wait_seconds"
            )
        return _Later(ServerError(message), wait_seconds)

    def _count_unanswered(self) -> ServerError:
        """What to say of a request without an answer; where none is answered any more, of all of them."""
        seconds = self._settings.timeout_seconds
        with self._lock:
            self._n_unanswered += 1
            n_unanswered = self._n_unanswered
        if n_unanswered > 2 * self._settings.concurrency:
            return ServerUnavailableError(
                f"{self._server} hangs: {n_unanswered} requests in a row had no answer within {seconds:g} s"
            )
        return ServerError(f"{self._server} did not answer within {seconds:g} s")

    def _most_retries(self, later: _Later) -> int:
        return min(self._settings.retries, 1) if later.is_once else self._settings.retries

    def _wait(self, later: _Later, n_sent: int) -> None:
        """Wait before a request is sent again; where the server says how long, nobody asks sooner."""
        if later.wait_seconds:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + later.wait_seconds)
            return
        longest = min(self._settings.longest_wait_seconds, _FIRST_WAIT_SECONDS * 2 ** (n_sent - 1))
        self._closed.wait(longest * random.uniform(0.5, 1))  # noqa: S311 - spreads requests, hides nothing

    def _wait_for_leave(self) -> None:
        while (left := self._not_before - time.monotonic()) > 0 and not self._closed.wait(left):
            pass

    @property
    def _server(self) -> str:
        return f"the model's server {self._settings.base_url}"

    def _quote(self, said: str) -> str:
        return quote(self._redact(said))

    def _redact(self, said: str) -> str:
        """The same without the key, should the server repeat it."""
        return said.replace(self._key, "(key)") if self._key else said


def remote_model(model: str, settings: RemoteSettings) -> RemoteModel | None:
    """The server's model that `remote` or `remote:MODEL` asks for; None if the name asks for no server.

    Raises:
        ModelError: none is configured.
    """
    kind, colon, name = model.partition(":")
    if kind != REMOTE:
        return None
    return RemoteModel(replace(settings, model=name) if colon and name else settings)


def to_data_url(picture: RgbImage) -> str:
    """A picture as a JPEG in a `data:` address.

    Args:
        picture: RGB, uint8, (height, width, 3).
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _open_client(settings: RemoteSettings, key: str) -> httpx2.Client:
    import httpx2

    timeout = httpx2.Timeout(
        settings.timeout_seconds, connect=min(_CONNECT_SECONDS, settings.timeout_seconds), pool=None
    )
    is_local = urlsplit(settings.base_url).hostname in _LOOPBACK
    return httpx2.Client(
        base_url=settings.base_url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=timeout,
        limits=httpx2.Limits(max_connections=settings.concurrency),
        follow_redirects=False,
        trust_env=not is_local,  # a proxy for the world does not reach this machine
    )


def _read_retry_after(value: str) -> float | None:
    """Seconds that a `Retry-After` asks for, as number or date (RFC 9110, 10.2.3); None where it says nothing."""
    try:
        return max(0.0, float(value)) if float(value) < float("inf") else None
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())

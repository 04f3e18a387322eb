"""Settings of a model's server that speaks the OpenAI API: vLLM, SGLang, llama.cpp, Ollama, or a paid one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

REMOTE: Final = "remote"
"""What a stage's `model` says to ask the server: `remote`, or `remote:MODEL` for another of its models."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}|")
_MOST_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """Address, prices and patience for one server.

    Args:
        base_url: address of the API, usually ending in `/v1`; empty for none.
        model: the model as the server calls it.
        key_variable: environment variable that holds the key, which is stored nowhere; empty for none. The default
            is a name of our own, so that no server gets a key that was meant for another.
        concurrency: requests at the same time.
        retries: how often a request is sent again after a rate limit, an error of the server or a lost connection.
        timeout_seconds: for one request, from sending it to the end of the answer.
        longest_wait_seconds: longest pause before a request is sent again.
        input_price_per_million: price of a million tokens of questions, pictures included.
        output_price_per_million: price of a million tokens of answers.
        currency: of both prices.
    """

    base_url: str = ""
    model: str = ""
    key_variable: str = "RUSHES_API_KEY"
    concurrency: int = 4
    retries: int = 5
    timeout_seconds: float = 120.0
    longest_wait_seconds: float = 60.0
    input_price_per_million: float = 0.0
    output_price_per_million: float = 0.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        """Refuse addresses that hold secrets, and numbers that cannot work."""
        if self.base_url:
            _refuse_address(self.base_url)
        if not _VARIABLE.fullmatch(self.key_variable):
            raise ValueError("key_variable must be the name of an environment variable, not a key")
        if not 1 <= self.concurrency <= _MOST_AT_ONCE or not 0 <= self.retries <= 100:
            raise ValueError(f"concurrency must lie between 1 and {_MOST_AT_ONCE}, retries between 0 and 100")
        if self.timeout_seconds <= 0 or self.longest_wait_seconds <= 0:
            raise ValueError("timeout_seconds and longest_wait_seconds must be positive")
        if self.input_price_per_million < 0 or self.output_price_per_million < 0:
            raise ValueError("prices must be 0 or more")

    @property
    def is_configured(self) -> bool:
        """Whether there is a server to ask."""
        return bool(self.base_url)


def _refuse_address(base_url: str) -> None:
    """Refuse what is no plain address of a server.

    Raises:
        ValueError: it is none; the message does not repeat it, since it may hold a secret.
    """
    try:
        parts = urlsplit(base_url)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or not base_url.isprintable() or " " in base_url:
        raise ValueError("base_url must be an address such as http://localhost:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("base_url must hold neither user, password nor query; the key belongs into key_variable")

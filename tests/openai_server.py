"""A real local HTTP server that speaks the OpenAI API as told, in place of vLLM, SGLang, llama.cpp, Ollama."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the server sends for one request.

    Args:
        body: the body; a mapping is sent as JSON.
        status: HTTP status.
        headers: beside the usual ones.
        delay_seconds: how long it hangs before it answers.
        drip_seconds: pause between single bytes of the body; 0 sends it at once.
        half: whether it hangs up in the middle of the body.
        drop: whether it hangs up without a word.
    """

    body: Mapping[str, Any] | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0
    half: bool = False
    drop: bool = False


@dataclass(frozen=True)
class Asked:
    """A request that the server got."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at: float

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        content = self.body["messages"][-1]["content"]
        if isinstance(content, str):
            return content
        return "".join(part["text"] for part in content if part["type"] == "text")

    @property
    def pictures(self) -> list[str]:
        """The addresses of the pictures of the last message."""
        content = self.body["messages"][-1]["content"]
        parts = [] if isinstance(content, str) else content
        return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def completion(
    text: str | None, finish: str | None = "stop", *, usage: Mapping[str, Any] | None = None, **message: object
) -> Reply:
    """A whole answer as the API gives it."""
    counts = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110} if usage is None else usage
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    return Reply({"id": "1", "object": "chat.completion", "choices": [choice], "usage": counts})


Answering = Callable[[Asked], Reply]


def _one_after_another(answers: Sequence[Reply]) -> Answering:
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class OpenAiServer:
    """Answers as it is told; use it as a context.

    Args:
        answer: what to send for each request; or replies, one after the other, the last one for ever.
    """

    def __init__(self, answer: Answering | Sequence[Reply]) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._answer = answer if callable(answer) else _one_after_another(answer)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                """Say nothing."""

            def do_POST(self) -> None:
                outer.serve(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                """Clients that hang up are no error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> OpenAiServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        asked = Asked(handler.path, dict(handler.headers), json.loads(raw), time.monotonic())
        with self._lock:
            self.asked.append(asked)
            reply = self._answer(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self._send(handler, reply)
        finally:
            with self._lock:
                self._at_once -= 1

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        self._stop.wait(reply.delay_seconds)
        if reply.drop:
            handler.close_connection = True
            return
        is_plain = isinstance(reply.body, bytes)
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "text/plain" if is_plain else "application/json", **reply.headers}
        handler.send_response(reply.status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if reply.half:
            handler.wfile.write(body[: len(body) // 2])
            handler.close_connection = True
        elif reply.drip_seconds:
            for one in body:
                handler.wfile.write(bytes([one]))
                handler.wfile.flush()
                if self._stop.wait(reply.drip_seconds):
                    return
        else:
            handler.wfile.write(body)

"""Files that the browser may fetch: a private folder, and names that nobody can guess.

The page cannot hand a film over itself: Streamlit would read all of it into memory. So a route of our own sends
it in the ranges that the browser asks for, and only what was put on the shelf; a path never comes from outside.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from search_app.rendering.ledger import ledger_path

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ROUTE = "/rushes-media"
MAX_FILES = 200
"""Files kept in the folder; of more, those that were not looked at for longest go."""


class MediaShelf:
    """Video files made by this process, deleted when it ends."""

    def __init__(self, max_files: int = MAX_FILES) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rushes-page-", ignore_cleanup_errors=True)
        self._max_files = max_files
        self._files: OrderedDict[str, Path] = OrderedDict()
        self._lock = threading.Lock()

    def new_path(self) -> Path:
        """A path for a new file, in a folder that nobody else can read."""
        return Path(self._folder.name) / f"{secrets.token_hex(16)}.mp4"

    def put(self, path: Path) -> str:
        """Offer a finished file to the browser; gives its address on this server."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._files[token] = path
            while len(self._files) > self._max_files:
                _, oldest = self._files.popitem(last=False)
                for gone in (oldest, ledger_path(oldest)):
                    gone.unlink(missing_ok=True)
        return f"{ROUTE}/{token}"

    def find(self, token: str) -> Path | None:
        """The file of that name; None if there is none, or no more."""
        with self._lock:
            path = self._files.get(token)
            if path is None or not path.is_file():
                return None
            self._files.move_to_end(token)
            return path

    def holds(self, address: str) -> bool:
        """Whether the file at an address that `put` gave is still there."""
        return self.find(address.removeprefix(f"{ROUTE}/")) is not None

    def close(self) -> None:
        """Delete everything."""
        self._folder.cleanup()


@cache
def media_shelf() -> MediaShelf:
    """The shelf of this process."""
    return MediaShelf()


async def send_media(request: Request) -> Response:
    """Answer the browser: the film, or a part of it; `?download` saves it, `?manifest` is its manifest."""
    from starlette.responses import FileResponse, PlainTextResponse

    path = media_shelf().find(request.path_params["token"])
    if path is None:
        return PlainTextResponse("This film is no longer kept; make it again.", status_code=404)
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    if "manifest" in request.query_params:
        return FileResponse(
            ledger_path(path), media_type="application/json", headers=headers, filename="supercut.mp4.json"
        )
    if "download" in request.query_params:
        return FileResponse(path, media_type="video/mp4", headers=headers, filename="supercut.mp4")
    return FileResponse(path, media_type="video/mp4", headers=headers)

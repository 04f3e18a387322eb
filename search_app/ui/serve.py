"""Starts the page: a Streamlit server that only this machine can reach and that calls nobody."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_app.ui.media_cache import ROUTE, media_shelf, send_media
from search_app.ui.render_job import cancel_all
from store.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import streamlit as st
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADDRESS = "127.0.0.1"
ARCHIVE_VARIABLE = "RUSHES_ARCHIVE"
"""Hands the archive named on the command line to the script that Streamlit runs anew for every visitor."""

_APP = Path(__file__).parents[1] / "app.py"
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "worker-src 'self' blob:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; object-src 'none'; "
    "frame-ancestors 'none'"
)
SETTINGS: dict[str, Any] = {
    "server.address": ADDRESS,
    "server.allowedHosts": ["localhost", ADDRESS],
    "server.enableAgentApi": False,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 1,
    "server.showEmailPrompt": False,
    "browser.serverAddress": ADDRESS,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": True,
    "theme.light.primaryColor": "#c2410c",
    "theme.dark.primaryColor": "#fb923c",
    "theme.dark.backgroundColor": "#16181d",
    "theme.dark.secondaryBackgroundColor": "#1f2228",
    "theme.baseRadius": "medium",
    "theme.paddingTop": "2rem",
}


def serve_page(archive: Path | None, port: int) -> None:
    """Serve the page until the process is interrupted.

    Args:
        archive: the archive to begin with, or None to choose it on the page.
        port: TCP port; 0 takes any free one.

    Raises:
        ConfigError: the port cannot be used.
    """
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.routing import Route

    port = _usable_port(port)
    os.environ[ARCHIVE_VARIABLE] = "" if archive is None else str(archive.absolute())
    app = st.App(
        _APP,
        routes=[Route(f"{ROUTE}/{{token}}", send_media)],
        middleware=[Middleware(_ContentPolicy)],
        lifespan=_surroundings,
    )
    sys.stdout.write(f"Rushes: http://{ADDRESS}:{port}  (only this machine can reach it; stop with Ctrl-C)\n")
    sys.stdout.flush()
    app.run(config={**SETTINGS, "server.port": port, "browser.serverPort": port})


@asynccontextmanager
async def _surroundings(_: st.App) -> AsyncIterator[None]:
    """On the way out, by whatever signal, nothing is left behind."""
    try:
        yield
    finally:
        cancel_all()
        media_shelf().close()


def _usable_port(port: int) -> int:
    with socket.socket() as probe:
        # As the server does: a port whose last connections are still fading away can be used.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} cannot be used ({error.strerror}); name another with --port"
            ) from error
        return int(probe.getsockname()[1])


class _ContentPolicy:
    """Tells the browser to fetch nothing from elsewhere, whatever a name or a caption may hold."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = {b"content-security-policy": _POLICY, b"referrer-policy": "no-referrer"}
                message["headers"] = [
                    *message.get("headers", []),
                    *((name, value.encode()) for name, value in extra.items()),
                ]
            await send(message)

        await self._app(scope, receive, send_guarded)

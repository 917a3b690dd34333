"""What is turned away before Gradio sees it."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import unquote, urlsplit

# Gradio can fetch other servers' pages for a client; this server fetches nothing.
_FETCHING = ("/gradio_api/file=http:", "/gradio_api/file=https:", "/gradio_api/proxy=")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that binds to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class OriginGuard:
    """ASGI middleware.

    Args:
        app: what is behind it.
        local_only: refuse requests that a web page elsewhere makes through the user's own browser: their Origin is not
            ours, or (when that page's name was pointed at 127.0.0.1, DNS rebinding) their Host is not this machine.
    """

    def __init__(self, app: Any, local_only: bool) -> None:
        self.app = app
        self.local_only = local_only

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = unquote(str(scope.get("path", "")))
            if path.startswith(_FETCHING):
                return await _refuse(send, "This server fetches nothing from elsewhere.")
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            if self.local_only and not _from_here(headers):
                return await _refuse(send, "This server answers to this machine alone.")
        await self.app(scope, receive, send)


def _from_here(headers: dict[bytes, str]) -> bool:
    host = headers.get(b"host", "")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    origin = headers.get(b"origin")
    return is_loopback(name) and (origin is None or urlsplit(origin).netloc == host)


async def _refuse(send: Any, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""One request to an ASGI app, without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the app answered; header names in lower case, the last value of each."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    app: Any,
    path: str = "/",
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | list[bytes] = b"",
    client: str = "127.0.0.1",
    scheme: str = "http",
) -> Answer:
    """Send one request; ``body`` may be a list of pieces. "host" is 127.0.0.1:7860 unless ``headers`` has another."""
    named = {"host": "127.0.0.1:7860", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": scheme,
        "client": (client, 1234),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
    }
    pieces = [body] if isinstance(body, bytes) else list(body)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start = next(message for message in sent if message["type"] == "http.response.start")
    got = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, got)


class Echo:
    """An app that answers 200 with ``answer_headers`` and remembers the scopes and bodies that came through to it."""

    def __init__(self, body: bytes = b"ok", kind: str = "text/plain", **answer_headers: str) -> None:
        self.body, self.kind, self.answer_headers = body, kind, answer_headers
        self.scopes: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        got = b""
        while (message := await receive())["type"] == "http.request":
            got += message["body"]
            if not message["more_body"]:
                break
        self.bodies.append(got)
        given = [(name.replace("_", "-").encode(), value.encode()) for name, value in self.answer_headers.items()]
        length = (b"content-length", str(len(self.body)).encode())
        headers = [(b"content-type", self.kind.encode()), length, *given]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

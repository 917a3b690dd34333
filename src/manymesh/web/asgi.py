"""What the guards around the page share: the ASGI types, reading a header, answering in one line."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class TooLargeError(Exception):
    """A request's body is larger than it may be."""


class DisconnectedError(Exception):
    """The client left before its request was read."""


def header(scope: Scope, name: bytes) -> str | None:
    """The last header of that (lower-case) name, None without one."""
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value.decode("latin-1")
    return found


def client_of(scope: Scope) -> str:
    """The network that a request comes from, for limits; see ``network_of``."""
    client = scope.get("client")
    return network_of(str(client[0])) if client else ""


def network_of(address: str) -> str:
    """An IPv4 address as it is; of an IPv6 address its first 64 bits, since one client has all the rest."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


async def read_body(receive: Receive, most_bytes: int) -> bytes:
    """A request's whole body.

    Raises:
        TooLargeError: it is longer than ``most_bytes``.
        DisconnectedError: the client left.
    """
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        piece: bytes = message.get("body", b"")
        body += piece
        if len(body) > most_bytes:
            raise TooLargeError
        if not message.get("more_body", False):
            return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives ``body`` first and then goes on with ``receive``, which tells when the client leaves."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def respond(
    send: Send,
    status: int,
    body: str | bytes | dict[str, Any],
    *,
    kind: str = "text/plain; charset=utf-8",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """A whole answer: text, bytes, or a mapping as JSON."""
    if isinstance(body, dict):
        body, kind = json.dumps(body), "application/json"
    data = body.encode() if isinstance(body, str) else body
    length = (b"content-length", str(len(data)).encode())
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [(b"content-type", kind.encode()), length, *headers]})
    await send({"type": "http.response.body", "body": data})

"""How much a client may take: connections, the time a request takes, requests at once; and memory given back after."""

from __future__ import annotations

import asyncio
import gc
import re
import time
from collections import Counter
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from manymesh.device import release_memory
from manymesh.web.asgi import App, Receive, Scope, Send, client_of, network_of

# Connections in all and from one address. A browser opens at most six to a server, of which a page keeps two open;
# 1,024 is what a process may have open on most systems, and files need some of them.
CONNECTIONS = 512
CONNECTIONS_PER_ADDRESS = 256
# A request's head has to be complete so many seconds after the connection stands or the last answer was given.
HEAD_S = 10.0
# A body may pause for so long, and after the first so many seconds it must have come at this rate on average.
BODY_PAUSE_S = 20.0
BODY_GRACE_S = 20.0
BODY_BYTES_PER_S = 8 * 1024
# A client that takes nothing of its answer for so long is dropped.
ANSWER_PAUSE_S = 60.0
SWEEP_S = 1.0

# Requests that are worked on at once, in all and from one address; more wait for their turn. Streams do not count: they
# only wait for something to happen. 40 is how many threads Gradio works with.
AT_ONCE = 32
AT_ONCE_PER_ADDRESS = 8
STREAM = re.compile(r"/gradio_api/(heartbeat/|queue/data|upload_progress|mcp)|GET /gradio_api/call/")

# Memory is given back once nothing was asked for this long, if so many requests have come since the last time.
QUIET_S = 3.0
REQUESTS_TO_TIDY_UP_AFTER = 200

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 5\r\n\r\n"


class Connections:
    """All connections of a server: makes room for new ones, and drops those that keep it waiting.

    When there are too many, the one that has kept the server waiting longest for its request has to go. So a client
    that sends its request at once is served, however many others send a byte now and then.

    Args:
        most: in all.
        most_per_address: from one address; as many as ``most`` when all come through one proxy.
    """

    def __init__(self, most: int = CONNECTIONS, most_per_address: int = CONNECTIONS_PER_ADDRESS) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self.requests = 0
        self._open: dict[Connection, None] = {}  # a set that keeps the order in which they came
        self._per_address: Counter[str] = Counter()

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Connection:
        """What uvicorn calls for every new connection."""
        return Connection(self, config, server_state, app_state, _loop)

    def admit(self, new: Connection) -> bool:
        """Whether there is room for another connection; drops a waiting one for it if need be."""
        full_for_address = self._per_address[new.address] >= self.most_per_address
        if full_for_address and not self._drop_one(new.address):
            return False
        if len(self._open) >= self.most and not self._drop_one(self._per_address.most_common(1)[0][0]):
            return False
        self._open[new] = None
        self._per_address[new.address] += 1
        return True

    def gone(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        if connection in self._open:
            del self._open[connection]
            self._per_address[connection.address] -= 1
            if not self._per_address[connection.address]:
                del self._per_address[connection.address]

    async def watch(self) -> None:
        """Drop slow connections and give memory back, for ever. Runs as a task beside the server."""
        tidied, asked, quiet_since_s = 0, 0, time.monotonic()
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = time.monotonic()
            for connection in list(self._open):
                if connection.is_too_slow(now_s):
                    connection.drop()
            if self.requests != asked:
                asked, quiet_since_s = self.requests, now_s
            elif asked - tidied >= REQUESTS_TO_TIDY_UP_AFTER and now_s - quiet_since_s >= QUIET_S:
                tidied = asked
                await asyncio.to_thread(_tidy_up)

    def _drop_one(self, address: str) -> bool:
        waiting = [one for one in self._open if one.address == address and one.is_waited_for]
        if not waiting:
            return False
        # The oldest; one whose request has come in part only where all have.
        min(waiting, key=lambda one: one.has_begun).drop()
        return True


def _tidy_up() -> None:
    gc.collect()  # requests, their errors and tracebacks hold each other
    release_memory()


class Connection(H11Protocol):
    """One connection, with limits on the time that its requests take to come and its answers to go."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = connections
        self._refused = False
        self.address = ""
        self._head_since_s = self._body_since_s = self._heard_s = self._taken_s = time.monotonic()
        self._body_bytes = 0
        self._unsent_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or answer that there is no room."""
        peer = transport.get_extra_info("peername")
        self.address = network_of(str(peer[0])) if peer else ""
        if not self._all.admit(self):
            self._refused = True
            transport.write(_FULL)
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another."""
        self._all.gone(self)
        if not self._refused:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note when something came, and how much of a body."""
        if self._refused:
            return
        self._heard_s = time.monotonic()
        if self.has_begun:
            self._body_bytes += len(data)
        else:
            self._body_since_s, self._body_bytes = self._heard_s, 0
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._head_since_s = time.monotonic()
        self._all.requests += 1
        super().on_response_complete()

    @property
    def is_waited_for(self) -> bool:
        """Whether the server waits for (the rest of) a request."""
        return self.conn.their_state is h11.IDLE or (self.has_begun and not self.flow.read_paused)

    @property
    def has_begun(self) -> bool:
        """Whether a request's head has come and its body has not."""
        return self.conn.their_state is h11.SEND_BODY

    def is_too_slow(self, now_s: float) -> bool:
        """Whether the client has taken longer than it may, for its request or its answer."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes == 0 or unsent_bytes < self._unsent_bytes:
            self._taken_s = now_s
        self._unsent_bytes = unsent_bytes
        if now_s - self._taken_s > ANSWER_PAUSE_S:
            return True
        if self.has_begun:
            if self.flow.read_paused:  # it is we who are slow
                self._heard_s = self._body_since_s = now_s
                self._body_bytes = 0
            took_s = now_s - self._body_since_s
            too_little = took_s > BODY_GRACE_S and self._body_bytes < took_s * BODY_BYTES_PER_S
            return now_s - self._heard_s > BODY_PAUSE_S or too_little
        return self.is_waited_for and now_s - self._head_since_s > HEAD_S

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        self._all.gone(self)
        self.transport.abort()


class Turns:
    """ASGI middleware that has few requests worked on at once, so that one address cannot keep all others waiting."""

    def __init__(self, app: App, at_once: int = AT_ONCE, per_address: int = AT_ONCE_PER_ADDRESS) -> None:
        self.app = app
        self._most_per_address = per_address
        self._all = asyncio.Semaphore(at_once)
        self._one: dict[str, asyncio.Semaphore] = {}
        self._here: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_stream(scope):
            return await self.app(scope, receive, send)
        address = client_of(scope)
        own = self._one.setdefault(address, asyncio.Semaphore(self._most_per_address))
        self._here[address] += 1
        try:
            async with own, self._all:
                await self.app(scope, receive, send)
        finally:
            self._here[address] -= 1
            if not self._here[address]:
                del self._here[address], self._one[address]


def _is_stream(scope: Scope) -> bool:
    return STREAM.match(scope["path"]) is not None or STREAM.match(f"{scope['method']} {scope['path']}") is not None

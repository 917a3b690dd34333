"""Who may ask, and for what: the origin of a request, the login, the addresses that are open. Knows no Gradio.

Each class here is ASGI middleware. ``server.py`` puts them around the page in the order ``OriginGuard``,
``LoginGuard``, ``RequestGuard``, so that nothing behind them ever sees a request that one of them refuses.
``docs/security.md`` says what all of this promises.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from manymesh.errors import InputError
from manymesh.web.asgi import (
    App,
    DisconnectedError,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    TooLargeError,
    client_of,
    header,
    read_body,
    replayed,
    respond,
)

# What a client says about the way that its request came: believed only from a proxy of the user's own.
FORWARDED = (b"forwarded", b"x-real-ip", b"x-gradio-server")
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
CORS_MAX_AGE_S = 600

# Sessions of people who have logged in: how many are remembered, and how long one lasts without a request.
SESSIONS = 1000
SESSION_S = 24 * 3600.0
# After so many wrong passwords within this time, an address has to wait until the first of them is this old.
FAILURES = 10
FAILURES_S = 300.0
# Addresses whose wrong passwords are remembered.
FAILING_ADDRESSES = 10_000
LOGIN_BYTES = 4096

JSON_BYTES = 256 * 1024
# Room for the parts' headers of an upload, beside the files themselves.
FORM_BYTES = 64 * 1024

# Everything that a browser, gradio_client or curl needs; all else that Gradio serves stays shut: its page, proxy,
# recordings, run history, deep links, reloading, monitoring, custom components, and the calls that pass its queue by.
OPEN_GET = re.compile(
    r"/|/(config|logout|favicon\.ico)|/files/.+"
    r"|/gradio_api/(info|openapi\.json|app_id|upload_progress|queue/data)"
    r"|/gradio_api/(heartbeat|call)/.+|/gradio_api/file=files/.+"
)
OPEN_POST = re.compile(r"/(login|logout)|/page/[a-z_]+|/gradio_api/(upload|queue/join|cancel|reset|call/.+)")
OPEN_MCP = re.compile(r"/gradio_api/mcp(/.*)?")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that binds to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class OriginGuard:
    """Refuses what a web page elsewhere asks through a user's own browser.

    Such a page is known by the Origin that browsers send, by Sec-Fetch-Site where they send no Origin, and, when its
    name was pointed at 127.0.0.1 (DNS rebinding), by its Host. A login does not change that: browsers send its cookie.

    Args:
        app: what is behind it.
        local_only: answer only requests whose Host is this machine. For a server without a login.
        allowed: further origins ("https://name" or "https://name:port") that may ask, and may read the answers.
        proxy: believe X-Forwarded-Host, -Proto and -For; the last value of each, which the nearest proxy wrote.
    """

    def __init__(self, app: App, *, local_only: bool, allowed: Collection[str] = (), proxy: bool = False) -> None:
        self.app = app
        self.local_only = local_only
        self.allowed = frozenset(allowed)
        self.proxy = proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        scope = _forwarded(scope, believed=self.proxy)
        host, origin = (header(scope, b"host") or "").lower(), header(scope, b"origin")
        if HOST.fullmatch(host) is None:
            return await respond(send, 400, "The request names no host.")
        if self.local_only and not is_loopback(host if host.endswith("]") else host.rsplit(":", 1)[0]):
            return await respond(send, 403, "This server answers to this machine alone.")
        named = origin is not None and origin.lower() in self.allowed
        if not named and not (_is_own(origin, scope, host) if origin is not None else _is_direct(scope)):
            return await respond(send, 403, "This server answers to its own page alone.")
        shared = _cors(scope, str(origin)) if named else []
        if scope["method"] == "OPTIONS" and named:
            return await respond(send, 204, b"", headers=shared)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if not name.startswith(b"access-control-")]
                message = {**message, "headers": [*kept, *shared]}
            await send(message)

        await self.app(scope, receive, answer)


def _forwarded(scope: Scope, *, believed: bool) -> Scope:
    """The scope without its forwarding headers; where they are believed, with what they say in its place."""
    said = {name: header(scope, b"x-forwarded-" + name) for name in (b"host", b"proto", b"for")} if believed else {}
    last = {name: value.rpartition(",")[2].strip() for name, value in said.items() if value}
    kept = [pair for pair in scope["headers"] if pair[0] not in FORWARDED and not pair[0].startswith(b"x-forwarded-")]
    changed = {**scope, "headers": kept}
    if b"host" in last:
        others = [pair for pair in kept if pair[0] != b"host"]
        changed["headers"] = [(b"host", last[b"host"].encode("latin-1")), *others]
    if last.get(b"proto") in ("http", "https"):
        changed["scheme"] = last[b"proto"]
    if b"for" in last:
        changed["client"] = (last[b"for"], 0)
    return changed


def _is_own(origin: str, scope: Scope, host: str) -> bool:
    # The scheme is compared only where it is known to be the browser's: a TLS proxy may stand before us unannounced.
    schemes = ("https",) if scope["scheme"] == "https" else ("http", "https")
    return origin.lower() in {f"{scheme}://{host}" for scheme in schemes}


def _is_direct(scope: Scope) -> bool:
    """Whether a request without an Origin was not sent by a page elsewhere. Following a link to the page is no harm."""
    site = header(scope, b"sec-fetch-site")
    if site in (None, "same-origin", "none"):
        return True
    opened = (header(scope, b"sec-fetch-mode"), header(scope, b"sec-fetch-dest")) == ("navigate", "document")
    return scope["method"] == "GET" and scope["path"] == "/" and opened


def _cors(scope: Scope, origin: str) -> Headers:
    asked = header(scope, b"access-control-request-headers") or "content-type"
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", asked.encode("latin-1")),
        (b"access-control-max-age", str(CORS_MAX_AGE_S).encode()),
        (b"vary", b"Origin"),
    ]


class LoginGuard:
    """Lets nobody in without the user's name and password; all other requests are answered with 401.

    A browser gets ``page`` at "/", whose form posts to "/login". Programs post the same two fields, ``username`` and
    ``password``, and keep the cookie; ``gradio_client`` does so.

    Args:
        app: what is behind it.
        user: the one name.
        password: its password.
        page: the login page, with ``{note}`` where a sentence goes.
        clock: seconds; for tests.
    """

    def __init__(
        self, app: App, user: str, password: str, page: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app = app
        self.page = page
        self._clock = clock
        self._wanted = _digest(user), _digest(password)
        # The name has a part of its own, so that two servers on one machine do not overwrite each other's cookie.
        self._cookie = f"manymesh-{secrets.token_hex(4)}"
        self._sessions: OrderedDict[bytes, float] = OrderedDict()
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path, method = scope["path"].rstrip("/") or "/", scope["method"]
        token = self._token(scope)
        if path == "/login" and method == "POST":
            return await self._log_in(scope, receive, send)
        if path == "/logout":
            self._sessions.pop(_digest(token), None)
            return await _redirect(send, self._set("", scope, 0))
        if self._is_known(token):
            return await self.app(scope, receive, send)
        if path == "/" and method == "GET":
            return await self._show(send, 200, "")
        await respond(send, 401, {"detail": "Log in first."})

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            form = parse_qs((await read_body(receive, LOGIN_BYTES)).decode("utf-8", "replace"), max_num_fields=8)
        except DisconnectedError:
            return None
        except (TooLargeError, ValueError):
            return await respond(send, 400, "This is no login.")
        # Asked after the body has come: between this and the count of failures no other request is answered.
        wait_s = self._wait_s(client_of(scope))
        if wait_s > 0:
            headers = [(b"retry-after", str(int(wait_s) + 1).encode())]
            return await respond(send, 429, "Too many wrong passwords. Try again later.", headers=headers)
        given = _digest(form.get("username", [""])[0].strip()), _digest(form.get("password", [""])[0])
        right = [hmac.compare_digest(one, wanted) for one, wanted in zip(given, self._wanted, strict=True)]
        browser = "text/html" in (header(scope, b"accept") or "")
        if not all(right):
            self._remember_failure(client_of(scope))
            if browser:
                return await self._show(send, 401, "The name or the password is wrong.")
            return await respond(send, 401, {"detail": "The name or the password is wrong."})
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = self._clock()
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        cookie = self._set(token, scope, int(SESSION_S))
        if browser:
            return await _redirect(send, cookie)
        await respond(send, 200, {"success": True}, headers=[(b"set-cookie", cookie)])

    async def _show(self, send: Send, status: int, note: str) -> None:
        await respond(send, status, self.page.replace("{note}", note), kind="text/html; charset=utf-8")

    def _token(self, scope: Scope) -> str:
        try:
            cookies = SimpleCookie("; ".join(v.decode("latin-1") for k, v in scope["headers"] if k == b"cookie"))
        except CookieError:
            return ""
        found = cookies.get(self._cookie)
        return "" if found is None else found.value

    def _set(self, token: str, scope: Scope, age_s: int) -> bytes:
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{self._cookie}={token}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}".encode()

    def _is_known(self, token: str) -> bool:
        digest, now = _digest(token), self._clock()
        used = self._sessions.pop(digest, None)
        if used is None or now - used > SESSION_S:
            return False
        self._sessions[digest] = now
        return True

    def _wait_s(self, address: str) -> float:
        failed = self._failed.get(address, deque())
        while failed and self._clock() - failed[0] > FAILURES_S:
            failed.popleft()
        return failed[0] + FAILURES_S - self._clock() if len(failed) >= FAILURES else 0.0

    def _remember_failure(self, address: str) -> None:
        self._failed.setdefault(address, deque()).append(self._clock())
        self._failed.move_to_end(address)
        while len(self._failed) > FAILING_ADDRESSES:
            self._failed.popitem(last=False)


async def _redirect(send: Send, cookie: bytes) -> None:
    await respond(send, 303, b"", headers=[(b"location", b"./"), (b"set-cookie", cookie)])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


class RequestGuard:
    """Lets through only requests for the addresses above, with bodies that are small enough and name only uploads.

    A photo that a JSON body names must have the address that its upload was answered with; it is replaced by the file's
    path here, so that what lies behind never sees a path or an address of the client's choice.

    Args:
        app: what is behind it.
        upload_bytes: the largest upload.
        uploaded: the path of an upload by its address; raises ``InputError`` for anything else.
        mcp: let the addresses of MCP through too, and photos that are named by a public URL.
    """

    def __init__(self, app: App, *, upload_bytes: int, uploaded: Callable[[str], Path], mcp: bool = False) -> None:
        self.app = app
        self.upload_bytes = upload_bytes
        self.uploaded = uploaded
        self.mcp = mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path, method = scope["path"].rstrip("/") or "/", scope["method"]
        if self.mcp and OPEN_MCP.fullmatch(path):
            # A photo comes here as text in base64, which takes four bytes for three.
            return await self._bounded(scope, receive, send, self.upload_bytes * 4 // 3 + JSON_BYTES)
        wanted = OPEN_GET if method in ("GET", "HEAD") else OPEN_POST if method == "POST" else None
        if wanted is None or wanted.fullmatch(path) is None or "/../" in path:
            return await respond(send, 404, "There is nothing here.")
        if path == "/gradio_api/upload":
            return await self._bounded(scope, receive, send, self.upload_bytes + FORM_BYTES)
        if method != "POST":
            return await self._bounded(scope, receive, send, 0)
        await self._with_photos(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, most_bytes: int) -> None:
        """Pass the body on as it comes, as long as it is not too large."""
        announced = header(scope, b"content-length") or "0"
        if not announced.isascii() or not announced.isdigit() or int(announced[:20]) > most_bytes:
            return await respond(send, 413, f"The request is too large; the limit is {most_bytes >> 20} MiB.")
        got = 0
        begun = False

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            return message if got <= most_bytes else {"type": "http.disconnect"}

        async def watched(message: Message) -> None:
            nonlocal begun
            if begun or got <= most_bytes:  # what the app says to a client that "left" is not passed on
                begun = True
                await send(message)

        await self.app(scope, counted, watched)
        if not begun:
            await respond(send, 413, f"The request is too large; the limit is {most_bytes >> 20} MiB.")

    async def _with_photos(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive, JSON_BYTES)
            if body:
                body = json.dumps(self._resolved(json.loads(body))).encode()
        except DisconnectedError:
            return None
        except TooLargeError:
            return await respond(send, 413, f"The request is too large; the limit is {JSON_BYTES >> 10} KiB.")
        except InputError as error:
            return await respond(send, 422, {"detail": str(error)})
        except (ValueError, RecursionError):  # no JSON, or JSON that nobody writes
            return await respond(send, 422, {"detail": "The request's body is not JSON that can be read."})
        kept = [
            (name, value) for name, value in scope["headers"] if name not in (b"content-length", b"transfer-encoding")
        ]
        length = (b"content-length", str(len(body)).encode())
        await self.app({**scope, "headers": [*kept, length]}, replayed(body, receive), send)

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolved(each) for each in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("meta"), dict) and "path" in value:
            given = str(value["path"])
            if self.mcp and given.startswith(("http://", "https://")):
                return value
            path = self.uploaded(given)
            return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
        return {key: self._resolved(each) for key, each in value.items()}

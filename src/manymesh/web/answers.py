"""What goes with every answer, and what never leaves: headers that bind the browser, names of this machine's folders.

Each class is ASGI middleware, as in ``security.py``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from manymesh.web.asgi import App, Headers, Message, Receive, Scope, Send, header

# Nothing may be loaded, run or framed. For answers that are no page.
CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
# For pages. Scripts and pictures come from here alone; an inline script needs its digest, so markup that gets into the
# page cannot run. Styles are set in attributes too.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' blob:; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
]
# Answers of these kinds are searched for folders' names. Files are not: what they hold is theirs.
TEXT = ("application/json", "text/event-stream", "text/html", "text/plain")
SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)

# The page and its description are the same for everybody; one copy is kept for each of so many Hosts.
PAGES_KEPT = 16


class AnswerGuard:
    """Puts the headers on every answer, and hides the names of folders in those that are text.

    Args:
        app: what is behind it.
        hidden: what is written for a folder's path, by path.
    """

    def __init__(self, app: App, hidden: Mapping[str, str]) -> None:
        self.app = app
        # Longer ones first: a folder inside another has its own name.
        self._hidden = [
            pair for path in sorted(hidden, key=len, reverse=True) for pair in _spellings(path, hidden[path])
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        held: Message | None = None
        is_text = False

        async def answer(message: Message) -> None:
            nonlocal held, is_text
            if message["type"] == "http.response.start":
                kind = _kind(message["headers"])
                is_text = kind.startswith(TEXT) and not _is_file(scope) and not _has(message, b"content-encoding")
                if is_text and not kind.startswith("text/event-stream"):
                    held = message  # its length and its policy depend on the body
                else:
                    await send({**message, "headers": _secured(message["headers"])})
                return
            if message["type"] != "http.response.body":
                return await send(message)
            body = self._without_folders(message.get("body", b"")) if is_text else message.get("body", b"")
            if held is not None:
                start, held = held, None
                whole = not message.get("more_body", False) and scope["method"] != "HEAD"
                await send({**start, "headers": _secured(start["headers"], body, whole=whole)})
            await send({**message, "body": body})

        await self.app(scope, receive, answer)

    def _without_folders(self, body: bytes) -> bytes:
        for path, name in self._hidden:
            body = body.replace(path, name)
        return body


def _spellings(path: str, name: str) -> Iterable[tuple[bytes, bytes]]:
    """A path as it stands in text, in JSON with and without escapes, and in addresses."""
    plain = {path, json.dumps(path)[1:-1], json.dumps(path, ensure_ascii=False)[1:-1], quote(path)}
    return [(spelt.encode("utf-8", "surrogateescape"), name.encode()) for spelt in sorted(plain)]


def _secured(headers: Headers, body: bytes = b"", *, whole: bool = False) -> Headers:
    """An answer's headers with ours among them; its length anew where ``body`` is the whole of it."""
    ours = {name for name, _ in HEADERS}
    kept = [pair for pair in headers if pair[0] not in ours and not (whole and pair[0] == b"content-length")]
    if whole:
        kept.append((b"content-length", str(len(body)).encode()))
    if not any(name == b"content-security-policy" for name, _ in kept):
        is_page = _kind(headers).startswith("text/html")
        kept.append((b"content-security-policy", (page_policy(body) if is_page else CLOSED_POLICY).encode()))
    return [*kept, *HEADERS]


def page_policy(html: bytes) -> str:
    """The content security policy under which a page's own inline scripts run, and no others."""
    digests = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in SCRIPT.findall(html)]
    return PAGE_POLICY.format(scripts=" ".join(f"'sha256-{digest}'" for digest in digests))


def _kind(headers: Headers) -> str:
    return next((value.decode("latin-1").lower() for name, value in headers if name == b"content-type"), "")


def _has(message: Message, wanted: bytes) -> bool:
    return any(name == wanted for name, _ in message["headers"])


def _is_file(scope: Scope) -> bool:
    return str(scope["path"]).startswith(("/files/", "/gradio_api/file="))


class PageCache:
    """Keeps Gradio's description of the endpoints, which is the same for everybody.

    Gradio makes it anew for every request, in 30 ms and with 600 KiB of garbage.
    """

    PATHS = ("/config",)

    def __init__(self, app: App) -> None:
        self.app = app
        self._kept: OrderedDict[tuple[str, ...], list[Message]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in self.PATHS:
            return await self.app(scope, receive, send)
        key = (scope["path"], scope["scheme"], header(scope, b"host") or "")
        if (kept := self._kept.get(key)) is None:
            kept = []

            async def keep(message: Message) -> None:
                kept.append(message)

            # Gradio would look for saved pages in the query.
            await self.app({**scope, "query_string": b""}, receive, keep)
            if kept and kept[0].get("status") == 200:
                self._kept[key] = kept
                while len(self._kept) > PAGES_KEPT:
                    self._kept.popitem(last=False)
        for message in kept:
            await send(message)

"""One file from a plain address, going on where a cut transfer stopped. Files of no hub come this way."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlparse

from manymesh._version import __version__
from manymesh.errors import WeightsError

# Read at a time; a wish to stop is heeded after each. Chosen by hand; not measured.
_CHUNK_BYTES = 1 << 18
# A line that says nothing for so long is dead. Chosen by hand; not measured.
_SILENCE_S = 30
_RANGE_NOT_SATISFIABLE = 416


def fetch(address: str, path: Path, tick: Callable[[int, int | None], None] = lambda done, total: None) -> None:
    """Fetch a file to ``path``. What an earlier, cut call left in ``path``.part is gone on with.

    Args:
        address: https, or http on this machine itself.
        path: its folder is made.
        tick: called with the bytes that are here and the bytes of the whole, None where the server does not say. May
            raise to stop; what is here stays.

    Raises:
        WeightsError: the server cannot be reached, has no such file, or cuts the line.
        OSError: the disk is full or cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    here = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": f"manymesh/{__version__}", **({"Range": f"bytes={here}-"} if here else {})}
    try:
        with _opened(urllib.request.Request(address, headers=headers)) as answer:
            done, total = _take(answer, part, here, tick)
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE and here:
            part.unlink()
            return fetch(address, path, tick)
        raise WeightsError(f"{address} cannot be fetched: the server answers {error.code} {error.reason}") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(f"{address} cannot be fetched: {reason}", "Run the same again: it goes on") from None
    if total is not None and done != total:
        raise WeightsError(f"{address} was cut after {done} of {total} bytes", "Run the same again: it goes on")
    part.replace(path)


class _HttpsAlone(urllib.request.HTTPRedirectHandler):
    """Checks every redirection before it is followed: whoever sits on one that is not https chooses where it ends."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(request: urllib.request.Request) -> http.client.HTTPResponse:
    _check(request.full_url)
    answer: http.client.HTTPResponse = urllib.request.build_opener(_HttpsAlone).open(request, timeout=_SILENCE_S)
    return answer


def _check(address: str) -> None:
    parts = urlparse(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
        raise WeightsError(f"{address} is no https address")


def _take(
    answer: http.client.HTTPResponse, part: Path, here: int, tick: Callable[[int, int | None], None]
) -> tuple[int, int | None]:
    """Write what comes after the ``here`` bytes of ``part``, or the whole if the server sends that."""
    done = here if answer.status == http.client.PARTIAL_CONTENT else 0
    length = answer.headers.get("Content-Length", "")
    total = done + int(length) if length.isdigit() else None
    with part.open("r+b" if done else "wb") as file:
        file.seek(done)
        tick(done, total)
        while chunk := _read(answer):
            file.write(chunk)
            done += len(chunk)
            tick(done, total)
    return done, total


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_CHUNK_BYTES)
    except OSError as error:  # of the line, not of the disk
        raise urllib.error.URLError(error) from error

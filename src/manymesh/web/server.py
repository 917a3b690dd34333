"""Starts and stops the server, and puts the guards around the page."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from manymesh.errors import MissingPieceError, OutputError, UsageError
from manymesh.web import scratch
from manymesh.web.scratch import Scratch
from manymesh.web.security import LoginGuard, OriginGuard, RequestGuard, is_loopback
from manymesh.web.service import Service

if TYPE_CHECKING:
    import gradio as gr

    from manymesh.web.asgi import App
    from manymesh.web.limits import Connections

DEFAULT_PORT = 7860
PORTS_TO_TRY = 100
MIB = 1024**2
START_S = 30.0
STOP_S = 10.0
# Streams that are still open when the server stops are cut off after this.
LAST_WORDS_S = 1
# Gradio keeps 200 KiB for every page that was ever opened, up to a bound; a page that comes back gets new state.
SESSIONS_KEPT = 64
# How often calls that nobody fetched the answer of are forgotten.
FORGET_S = 30.0
# Figures of calls that Gradio keeps for its own dashboard, which stays shut.
CALLS_KEPT = 16


@dataclass(frozen=True)
class Options:
    """How to serve.

    Attributes:
        out: where run folders go; the only folder of the user's that is given out.
        host: the address to bind to. Any but this machine's own needs ``auth``.
        port: None takes the first free one from 7860 on.
        auth: "user:password", or None.
        mcp: also speak MCP.
        max_upload_mb: larger uploads are refused.
        browser: open the page when the server is up.
        allow_origin: other sites whose pages may ask too: "https://name" or "https://name:port".
        proxy: a reverse proxy of the user's own stands before the server; believe what it says of the client.
        max_scratch_mb: what uploads and downloads may hold together; the oldest go first.
        allow_downloads: let people fetch networks from the page, though others than the user of this machine reach it.
    """

    out: Path = Path("runs")
    host: str = "127.0.0.1"
    port: int | None = None
    auth: str | None = None
    mcp: bool = False
    max_upload_mb: int = 64
    browser: bool = False
    allow_origin: tuple[str, ...] = ()
    proxy: bool = False
    max_scratch_mb: int = scratch.CAP_BYTES // MIB
    allow_downloads: bool = False

    @property
    def may_download(self) -> bool:
        """Whether the page may have networks fetched: where only this machine's own page asks, or it is allowed."""
        is_private = is_loopback(self.host) and not self.proxy and not self.allow_origin
        return is_private or self.allow_downloads


@dataclass(frozen=True)
class Served:
    """A server that is up: where, and what it works on."""

    url: str
    service: Service


def check(options: Options) -> tuple[str, str] | None:
    """The user and password of ``options``, if any.

    Raises:
        UsageError: they make no sense, or a server that others can reach has no password.
        MissingPieceError: the extra is not installed.
    """
    if find_spec("gradio") is None:
        raise MissingPieceError(
            "The web page needs Gradio, which is not installed", "Run `pip install 'manymesh[ui]'`."
        )
    if options.mcp and options.auth is not None:
        raise UsageError(
            "--mcp and a password cannot go together: agents cannot log in",
            "Serve MCP to this machine alone, without --host and a password; from elsewhere, use an SSH tunnel.",
        )
    if options.mcp and find_spec("mcp") is None:
        raise MissingPieceError(
            "--mcp needs the package mcp, which is not installed", "Run `pip install 'gradio[mcp]'`."
        )
    for origin in options.allow_origin:
        try:
            parts = urlsplit(origin)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
            raise UsageError(f"'{origin}' is not an origin", "For example: --allow-origin https://meshes.example")
    auth: tuple[str, str] | None = None
    if options.auth is not None:
        user, colon, password = options.auth.partition(":")
        if not (user and colon and password):
            raise UsageError("The login must be USER:PASSWORD", "For example: ann:a-long-secret")
        auth = (user, password)
    if auth is None and not is_loopback(options.host):
        raise UsageError(
            f"Others can reach '{options.host}', so a password is needed", "Add --auth-file FILE, or leave --host out."
        )
    if auth is None and options.proxy:
        raise UsageError("Others can come through a proxy, so a password is needed", "Add --auth-file FILE.")
    return auth


@contextmanager
def serving(options: Options) -> Iterator[Served]:
    """Serve until the ``with`` block ends; jobs are cancelled then, and what they made stays.

    Raises:
        UsageError, MissingPieceError: see ``check``.
        OutputError: the output folder cannot be made, or the port is taken.
    """
    auth = check(options)
    try:
        options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder, lock = scratch.new_folder()
    except OSError as error:
        raise OutputError(
            f"'{options.out}' cannot be made ({error.strerror or error})", "Choose another --out."
        ) from None
    # Gradio reads these when it is imported and when a page is built: what it keeps goes to our folder, and nobody is
    # told that it runs.
    wanted = {
        "GRADIO_TEMP_DIR": str(folder),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_ANALYTICS_MAX_EVENTS": str(CALLS_KEPT),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    service = Service(options.out, Scratch(folder, options.max_scratch_mb * MIB), may_download=options.may_download)
    try:
        with _served(options, service, auth) as url:
            yield Served(url, service)
    finally:
        service.close()
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def _served(options: Options, service: Service, auth: tuple[str, str] | None) -> Iterator[str]:
    import uvicorn

    from manymesh.web.limits import CONNECTIONS, Connections

    # Through a proxy, all connections come from one address.
    connections = Connections(most_per_address=CONNECTIONS) if options.proxy else Connections()
    listener = _listen(options.host, options.port)
    url = f"http://{_shown(options.host)}:{listener.getsockname()[1]}/"
    try:
        # What Gradio prints is for people; stdout is for the address alone.
        with redirect_stdout(sys.stderr):
            page, app = _page(options, service, url, connections)
            config = uvicorn.Config(
                _guarded(app, options, service, auth),
                http=connections.protocol,  # type: ignore[arg-type]  # a function that makes one, not a class
                ws="none",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_WORDS_S,
            )
            server = _Thread(uvicorn.Server(config), listener)
    except BaseException:
        listener.close()
        raise
    page.server = server  # type: ignore[assignment]  # Gradio only closes it
    try:
        if options.browser:
            webbrowser.open(url)
        yield url
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            page.close(verbose=False)
            server.close()


class _Thread:
    """uvicorn in a thread of its own."""

    def __init__(self, server: Any, listener: socket.socket) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="manymesh-server", daemon=True
        )
        self._thread.start()
        end_s = time.monotonic() + START_S
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > end_s:
                raise OutputError("The server cannot start", "The log says why.")
            time.sleep(0.005)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_S)


def _page(options: Options, service: Service, url: str, connections: Connections) -> tuple[gr.Blocks, App]:
    """Our own addresses, and behind them Gradio with the named endpoints. Its page is never given out."""
    import gradio as gr
    from starlette.applications import Starlette

    from manymesh.web import api
    from manymesh.web.files import routes
    from manymesh.web.page import page_functions, page_html

    page = gr.Blocks(title="manymesh", analytics_enabled=False)
    with page:
        api.add(service)
    page.queue(max_size=None, default_concurrency_limit=None)
    page.state_session_capacity = SESSIONS_KEPT
    page.has_launched = True  # or Gradio would not check which files it is asked for

    @asynccontextmanager
    async def watching(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(connections.watch()), asyncio.create_task(_forget_calls(page))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    app = Starlette(routes=routes(service, page_html(), page_functions(service)), lifespan=watching)
    gr.mount_gradio_app(
        app,  # FastAPI is Starlette, and nothing more of it is used
        page,
        path="/",
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=options.max_upload_mb * MIB,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=options.mcp,
    )
    if page.mcp_error:
        raise MissingPieceError(f"MCP cannot be served ({page.mcp_error})", "Run `pip install -U 'gradio[mcp]'`.")
    page.app = app.routes[-1].app  # type: ignore[attr-defined]  # the mounted one
    return page, app


async def _forget_calls(page: gr.Blocks) -> None:
    """Drop what Gradio keeps for ever of calls that have ended: their names. Their answers it drops itself."""
    queue = page._queue
    while True:
        await asyncio.sleep(FORGET_S)
        for session in list(queue.pending_event_ids_session):
            if session not in queue.pending_messages_per_session:
                queue.pending_event_ids_session.pop(session, None)


def _guarded(app: App, options: Options, service: Service, auth: tuple[str, str] | None) -> App:
    """The page behind its guards, the first that a request meets last here."""
    from manymesh.web.answers import AnswerGuard, PageCache
    from manymesh.web.files import STATIC, uploaded_path
    from manymesh.web.limits import Turns

    app = RequestGuard(
        Turns(PageCache(app)),
        upload_bytes=options.max_upload_mb * MIB,
        uploaded=lambda address: uploaded_path(service, address),
        mcp=options.mcp,
    )
    if auth is not None:
        app = LoginGuard(app, *auth, page=(STATIC / "login.html").read_text("utf-8"))
    app = OriginGuard(
        app,
        local_only=auth is None,
        allowed=[origin.lower() for origin in options.allow_origin],
        proxy=options.proxy,
    )
    return AnswerGuard(app, _hidden_folders(service))


def _hidden_folders(service: Service) -> dict[str, str]:
    """Folders whose paths nobody is told, and what is written in their place."""
    import gradio as gr

    hidden = {
        service.scratch.folder: "files",
        service.out: service.out.name,
        Path(__file__).parents[2]: "manymesh",
        Path(gr.__file__).parents[1]: "python",
        Path.cwd(): ".",
        Path.home(): "~",
    }
    # A path as short as /srv may well stand in a text for another reason.
    return {str(path): name for path, name in hidden.items() if len(path.parts) > 2}


def _listen(host: str, port: int | None) -> socket.socket:
    for wanted in [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), wanted))
            listener.listen()
        except OSError as error:
            listener.close()
            if port is None and error.errno in (errno.EADDRINUSE, errno.EACCES):
                continue
            if error.errno == errno.EADDRINUSE:
                raise OutputError(
                    f"Port {wanted} of {host} is in use by another program",
                    "Choose another --port, or leave it out to take a free one.",
                ) from None
            raise OutputError(f"The server cannot start ({error})", "Choose another --host or --port.") from None
        return listener
    raise OutputError(f"No port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TO_TRY - 1} is free", "Choose a --port.")


def _shown(host: str) -> str:
    host = host.strip("[]")
    return "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host

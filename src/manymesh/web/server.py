"""Starts and stops the server, and decides who may come in and what is given out."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from manymesh.errors import MissingPieceError, OutputError, UsageError
from manymesh.web.security import OriginGuard, is_loopback
from manymesh.web.service import Service

DEFAULT_PORT = 7860
PORTS_TO_TRY = 100


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
    """

    out: Path = Path("runs")
    host: str = "127.0.0.1"
    port: int | None = None
    auth: str | None = None
    mcp: bool = False
    max_upload_mb: int = 64
    browser: bool = False


@dataclass(frozen=True)
class Served:
    """A server that is up: where, and what it works on."""

    url: str
    studio: Service


def check(options: Options) -> tuple[str, str] | None:
    """The user and password of ``options``, if any.

    Raises:
        UsageError: they make no sense, or a host that others can reach has no password.
        MissingPieceError: the extra is not installed.
    """
    if find_spec("gradio") is None:
        raise MissingPieceError(
            "The web page needs Gradio, which is not installed", "Run `pip install 'manymesh[ui]'`."
        )
    if options.mcp and options.auth is not None:
        raise UsageError(
            "--mcp and --auth cannot go together: agents cannot log in",
            "Serve MCP to this machine alone, without --host and --auth; from elsewhere, come through an SSH tunnel.",
        )
    if options.mcp and find_spec("mcp") is None:
        raise MissingPieceError(
            "--mcp needs the package mcp, which is not installed", "Run `pip install 'gradio[mcp]'`."
        )
    auth: tuple[str, str] | None = None
    if options.auth is not None:
        user, colon, password = options.auth.partition(":")
        if not (user and colon and password):
            raise UsageError("--auth must be USER:PASSWORD", "For example: --auth ann:a-long-secret")
        auth = (user, password)
    if auth is None and not is_loopback(options.host):
        raise UsageError(
            f"Others can reach '{options.host}', so a password is needed",
            "Add --auth USER:PASSWORD, or leave --host out.",
        )
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
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"'{options.out}' cannot be made ({error.strerror or error})", "Choose another --out."
        ) from None
    scratch = Path(tempfile.mkdtemp(prefix="manymesh-ui-")).resolve()
    before = {name: os.environ.get(name) for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED")}
    # Gradio reads these when it is imported and when a page is built: uploads go to a folder of our own, which is
    # removed at the end, and nobody is told that it runs.
    os.environ.update(GRADIO_TEMP_DIR=str(scratch / "uploads"), GRADIO_ANALYTICS_ENABLED="False")
    studio = Service(options.out, scratch)
    try:
        with _launched(options, studio, auth) as url:
            yield Served(url, studio)
    finally:
        studio.close()
        shutil.rmtree(scratch, ignore_errors=True)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def _launched(options: Options, studio: Service, auth: tuple[str, str] | None) -> Iterator[str]:
    from starlette.middleware import Middleware

    from manymesh.web.page import STATIC, build_page, static_url
    from manymesh.web.theme import theme

    uploads = studio.scratch / "uploads"
    page = build_page(studio, [uploads])
    page.queue(max_size=None, default_concurrency_limit=None)
    try:
        # What Gradio prints is for people; stdout is for the address alone.
        with redirect_stdout(sys.stderr):
            _, url, _ = page.launch(
                server_name=options.host,
                server_port=options.port or _free_port(options.host),
                auth=auth,
                allowed_paths=[str(studio.out), str(studio.scratch), str(STATIC)],
                max_file_size=options.max_upload_mb * 1024**2,
                app_kwargs={
                    "middleware": [Middleware(OriginGuard, local_only=auth is None)],
                    "docs_url": None,
                    "redoc_url": None,
                },
                theme=theme(),
                head=f'<link rel="stylesheet" href="{static_url("style.css")}">',
                mcp_server=options.mcp,
                inbrowser=options.browser,
                prevent_thread_lock=True,
                share=False,
                show_error=True,
                quiet=True,
                inline=False,
                footer_links=[],
                run_history=False,
                enable_monitoring=False,
                ssr_mode=False,
                pwa=False,
            )
    except OSError as error:
        raise OutputError(f"The server cannot start ({error})", "Choose another --port.") from None
    if page.mcp_error:
        page.close(verbose=False)
        raise MissingPieceError(f"MCP cannot be served ({page.mcp_error})", "Run `pip install -U 'gradio[mcp]'`.")
    try:
        yield url
    finally:
        with suppress(KeyboardInterrupt):
            page.close(verbose=False)


def _free_port(host: str) -> int:
    import socket

    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError:
                continue
            return port
    raise OutputError(f"No port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TO_TRY - 1} is free", "Choose a --port.")

"""``manymesh ui``."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from manymesh.cli.streams import give, say
from manymesh.errors import OutputError


def ui(
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on. Any but this machine's own needs --auth.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The port. [default: the first free one from 7860]")
    ] = None,
    auth: Annotated[
        str | None, typer.Option("--auth", metavar="USER:PASSWORD", help="Let nobody in without these.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the run folders go.")] = Path("runs"),
    mcp: Annotated[bool, typer.Option("--mcp", help="Also offer the API to agents as MCP tools.")] = False,
    max_upload_mb: Annotated[int, typer.Option("--max-upload-mb", min=1, help="Refuse larger photos.")] = 64,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
) -> None:
    """Open a web page that does it all. Prints the page's address."""
    from manymesh.device import share_heaps
    from manymesh.web.server import Options, serving

    stop = threading.Event()
    options = Options(out, host, port, auth, mcp, max_upload_mb, browser=not no_browser)
    share_heaps()  # before the server starts its threads
    if port is not None:
        _check_free(host, port)
    with serving(options) as served:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        give(served.url)
        if mcp:
            say(f"MCP: {served.url}gradio_api/mcp/")
        say(f"Runs are kept in '{out}'. Press Ctrl-C to stop.")
        stop.wait()
        say("Stopping; what is done is kept.")


def _check_free(host: str, port: int) -> None:
    """Raise ``OutputError`` if another program listens on the port. Other faults of an address the server finds."""
    import errno
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise OutputError(
                    f"Port {port} of {host} is in use by another program",
                    "Choose another --port, or leave it out to take a free one.",
                ) from None

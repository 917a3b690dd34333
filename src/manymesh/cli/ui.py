"""``manymesh ui``."""

from __future__ import annotations

import os
import signal
import stat
import threading
from pathlib import Path
from typing import Annotated

import typer

from manymesh.cli.streams import give, say
from manymesh.errors import UsageError

AUTH_VARIABLE = "MANYMESH_AUTH"


def ui(
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on. Any but this machine's own needs a password.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The port. [default: the first free one from 7860]")
    ] = None,
    auth_file: Annotated[
        Path | None,
        typer.Option(
            "--auth-file",
            metavar="FILE",
            help=f"Let nobody in without the USER:PASSWORD in FILE, or in {AUTH_VARIABLE}.",
        ),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option("--auth", metavar="USER:PASSWORD", help="The same, but others on this machine may read it."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the run folders go.")] = Path("runs"),
    mcp: Annotated[bool, typer.Option("--mcp", help="Also offer the API to agents as MCP tools.")] = False,
    max_upload_mb: Annotated[int, typer.Option("--max-upload-mb", min=1, help="Refuse larger photos.")] = 64,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", metavar="ORIGIN", help="Let pages of this site ask too. May be repeated."),
    ] = None,
    proxy: Annotated[
        bool, typer.Option("--proxy", help="Believe the X-Forwarded headers of a proxy that stands before this server.")
    ] = False,
    allow_downloads: Annotated[
        bool,
        typer.Option("--allow-downloads", help="Let others than this machine's own user fetch networks from the page."),
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
) -> None:
    """Open a web page that does it all. Prints the page's address."""
    from manymesh.device import limit_heaps
    from manymesh.web.server import Options, serving

    if auth is not None:
        say(f"--auth shows the password to others on this machine; use --auth-file or {AUTH_VARIABLE}.")
    options = Options(
        out,
        host,
        port,
        login(auth, auth_file),
        mcp,
        max_upload_mb,
        browser=not no_browser,
        allow_origin=tuple(allow_origin or ()),
        proxy=proxy,
        allow_downloads=allow_downloads,
    )
    stop = threading.Event()
    limit_heaps()  # before the server starts its threads
    with serving(options) as served:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        give(served.url)
        if mcp:
            say(f"MCP: {served.url}gradio_api/mcp/")
        say(f"Runs are kept in '{out}'. Press Ctrl-C to stop.")
        stop.wait()
        say("Stopping; what is done is kept.")


def login(auth: str | None, auth_file: Path | None) -> str | None:
    """The USER:PASSWORD from the first of: the file, the command line, the environment. None without any.

    Raises:
        UsageError: both are given, or the file cannot be read or is readable by others.
    """
    if auth_file is None:
        return auth if auth is not None else os.environ.get(AUTH_VARIABLE) or None
    if auth is not None:
        raise UsageError("--auth and --auth-file exclude each other", "Keep --auth-file.")
    try:
        with auth_file.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            line = file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--auth-file '{auth_file}' cannot be read ({error})", "Give a text file.") from None
    if os.name == "posix" and status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        raise UsageError(f"Others may read '{auth_file}'", f"Run `chmod 600 '{auth_file}'`.")
    return line

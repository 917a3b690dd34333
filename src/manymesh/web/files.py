"""The server's own addresses: uploads in, files out, and what the page's script asks for.

Every file has an address of ours that names no folder of this machine::

    files/static/VERSION/NAME        the page's scripts, style sheet and icon
    files/uploads/TOKEN/NAME         a photo that was uploaded
    files/runs/RUN/PATH              a file that the run's manifest names
    files/thumbs/DIGEST/NAME         a run's photo, small
    files/downloads/RUN/KEY/NAME     a model or an archive that was asked for

``gradio_api/file=`` before any of them leads to the same file, for ``gradio_client``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from manymesh.errors import ManymeshError
from manymesh.run.folder import Run
from manymesh.web.asgi import client_of
from manymesh.web.cards import ADDRESS, error_card, file_url
from manymesh.web.history import run_folder
from manymesh.web.scratch import DOWNLOADS, THUMBS, UPLOADS, is_plain_name
from manymesh.web.service import Service
from manymesh.web.words import for_page

STATIC = Path(__file__).parent / "static"

FILES_PER_REQUEST = 8
FIELDS_PER_REQUEST = 8

# What a browser may show in place. Everything else is a download without a type, whatever it is called.
SHOWN = {
    ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif", ".avif": "image/avif",
    ".glb": "model/gltf-binary",
}  # fmt: skip
SCRIPTS = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}  # fmt: skip
# An address with a version or a digest in it never means another file.
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
ALWAYS_ASK = {"cache-control": "private, no-cache"}

# Takes the request's mapping and the network that asks (``asgi.network_of``); answers with a mapping.
PageFunction = Callable[[dict[str, Any], str], dict[str, Any]]


def routes(service: Service, page: str, page_functions: Sequence[PageFunction]) -> list[Route]:
    """All of the server's own addresses.

    Args:
        service: whose files are given out.
        page: the page's HTML.
        page_functions: what its script may ask, by their names.
    """
    functions = {function.__name__: function for function in page_functions}

    async def upload(request: Request) -> Response:
        return await _upload(request, service)

    async def file(request: Request) -> Response:
        return await run_in_threadpool(_file, service, request.path_params["path"], request.url.query)

    async def ask(request: Request) -> Response:
        return await _ask(request, functions)

    async def index(request: Request) -> Response:
        return HTMLResponse(page, headers=ALWAYS_ASK)

    async def icon(request: Request) -> Response:
        return FileResponse(STATIC / "icon.svg", headers=ALWAYS_ASK, media_type=SCRIPTS[".svg"])

    return [
        Route("/", index, methods=["GET"]),
        # A browser asks for it by itself where a document names no icon: a picture opened alone, say.
        Route("/favicon.ico", icon, methods=["GET"]),
        Route("/gradio_api/upload", upload, methods=["POST"]),
        Route("/gradio_api/upload_progress", _no_progress, methods=["GET"]),
        Route(f"/gradio_api/file={ADDRESS}/{{path:path}}", file, methods=["GET"]),
        Route(f"/{ADDRESS}/{{path:path}}", file, methods=["GET"]),
        Route("/page/{name}", ask, methods=["POST"]),
    ]


def static_url(name: str) -> str:
    """Where a script or style sheet is given out; another version has another address."""
    newest_ns = max(file.stat().st_mtime_ns for file in STATIC.iterdir())
    return file_url("static", str(newest_ns), name)


def uploaded_path(service: Service, address: str) -> Path:
    """The file of an upload, by the address that its upload was answered with.

    Raises:
        InputError: not the address of an upload that is still there.
    """
    parts = address.split("/")
    if len(parts) != 4 or parts[:2] != [ADDRESS, UPLOADS]:
        parts = ["", "", "", ""]
    return service.scratch.photo(parts[2], parts[3])


async def _upload(request: Request, service: Service) -> Response:
    """Keep every file of a form; the answer is their addresses. All of them, or none."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return PlainTextResponse("An upload is a form with files.", 400)
    kept: list[Path] = []
    try:
        # Starlette keeps what comes in files that have no name, so an upload that is broken off leaves nothing.
        async with request.form(max_files=FILES_PER_REQUEST, max_fields=FIELDS_PER_REQUEST) as form:
            for value in form.getlist("files"):
                if isinstance(value, str):
                    return PlainTextResponse("A file has no name.", 400)
                data = await value.read()
                kept.append(await run_in_threadpool(service.scratch.add_photo, data, value.filename or ""))
    except (MultiPartException, HTTPException) as error:
        return PlainTextResponse(str(getattr(error, "message", None) or getattr(error, "detail", "")), 400)
    except ClientDisconnect:
        return Response(status_code=400)
    except ManymeshError as error:
        return PlainTextResponse(for_page(str(error)), int(error_card(error.code, "", "")["status"]))
    return JSONResponse(["/".join([ADDRESS, *path.relative_to(service.scratch.folder).parts]) for path in kept])


async def _no_progress(request: Request) -> Response:
    """Gradio's page asks how far an upload is. It is told only that it need not ask again."""
    return PlainTextResponse('data: {"msg": "done"}\n\n', media_type="text/event-stream")


def _file(service: Service, path: str, query: str) -> Response:
    kind, _, rest = path.partition("/")
    parts = rest.split("/")
    found: Path | None = None
    if kind == "static" and len(parts) == 2 and is_plain_name(parts[1]):
        found = STATIC / parts[1]
        if found.is_file() and found.suffix in SCRIPTS:
            return FileResponse(found, headers=FOREVER, media_type=SCRIPTS[found.suffix])
        return _nothing()
    if not all(is_plain_name(part) for part in parts):
        return _nothing()
    if kind == "runs" and len(parts) >= 2:
        found = _run_file(service.out, parts[0], "/".join(parts[1:]))
    elif (kind, len(parts)) in ((UPLOADS, 2), (DOWNLOADS, 3), (THUMBS, 2)):
        found = service.scratch.folder.joinpath(kind, *parts)
    if found is None or found.is_symlink() or not found.is_file():
        return _nothing()
    shown = SHOWN.get(found.suffix)
    return FileResponse(
        found,
        headers=FOREVER if query.startswith("v=") else ALWAYS_ASK,
        media_type=shown or "application/octet-stream",
        filename=found.name,
        content_disposition_type="inline" if shown and kind != DOWNLOADS else "attachment",
    )


def _run_file(out: Path, name: str, path: str) -> Path | None:
    """A run's file, if its manifest names it."""
    try:
        run = Run.open(run_folder(out, name))
        owners: list[Mapping[str, Any]] = [run.manifest.files, *(record.files for record in run.manifest.objects)]
        record = next((each for files in owners for each in files.values() if each.path == path), None)
        return None if record is None else run.path(record)
    except ManymeshError:
        return None


def _nothing() -> Response:
    return PlainTextResponse("There is no such file.", 403)


async def _ask(request: Request, functions: Mapping[str, PageFunction]) -> Response:
    """One of the page's own questions: a mapping as JSON in, a mapping as JSON out."""
    function = functions.get(request.path_params["name"])
    if function is None:
        return JSONResponse({"detail": "There is nothing here."}, 404)
    body = await request.body()
    data = json.loads(body) if body else None  # the guard has seen that it is JSON
    if not isinstance(data, dict):
        return JSONResponse({"detail": "The request's body is no mapping."}, 422)
    return JSONResponse(await run_in_threadpool(function, data, client_of(request.scope)))

"""The named endpoints: the same jobs over HTTP (``gradio_client``, curl) and as MCP tools. See ``docs/web.md``.

A request that makes no sense is refused at once with a sentence. A job that fails later is not a failed request: its
answer has ``"state": "failed"`` and the error's code, message, hint and HTTP-like status.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from manymesh.errors import ManymeshError
from manymesh.settings import Settings, plain_type
from manymesh.web.asgi import network_of
from manymesh.web.cards import error_card
from manymesh.web.fields import LOCAL_SETTINGS
from manymesh.web.jobs import Job
from manymesh.web.service import Service

# How often a request that waits for a job asks whether it has ended.
POLL_S = 0.1


def add(service: Service) -> None:
    """Add every endpoint to the ``gr.Blocks`` that is being built."""

    def submitter(start: Callable[..., Job]) -> Callable[..., Job]:
        def submit(photo: Any, given: dict[str, Any], request: gr.Request) -> Job:
            return start(service.given_photo(photo), given, client_of(request))

        return submit

    async def finished(job: Job) -> dict[str, Any]:
        while not job.ended:
            await asyncio.sleep(POLL_S)
        return _with_run(service, service.job(job.id))

    find, make = submitter(service.find), submitter(service.make)

    async def submit_find(photo: Any, given: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return await finished(find(photo, given, request))

    async def submit_make(photo: Any, given: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return await finished(make(photo, given, request))

    async def submit_only(photo: Any, given: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return service.job(make(photo, given, request).id)

    async def go_on(
        run: str, edits: list[dict[str, Any]], request: gr.Request, settings: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make the objects of a run that was found, as edited; waits for the end.

        Args:
            run: the run's name, as /find answered it.
            edits: objects to change: {"index": 2, "keep": false}, {"index": 1, "label": "cup"},
                {"index": 3, "box": [x0, y0, x1, y1]}, or a new one: {"label": "spoon", "box": [x0, y0, x1, y1]}.
                [] makes everything as it was found.
            settings: settings that are to be others than at /find, such as {"faces": 3000}. The answer's run says
                what it was made with.
        """
        return await finished(service.go_on(run, edits, client_of(request), settings))

    async def resume(run: str, request: gr.Request) -> dict[str, Any]:
        """Finish a run that was stopped, or try again what failed; waits for the end.

        Args:
            run: the run's name.
        """
        return await finished(service.resume(run, client_of(request)))

    async def paint_again(run: str, index: int, seed: int, request: gr.Request) -> dict[str, Any]:
        """Paint one object anew with another seed; its shape stays. Waits for the end.

        Args:
            run: the run's name.
            index: the object's number in the run, from 1.
            seed: 0 to 4294967295.
        """
        return await finished(service.paint_again(run, index, seed, client_of(request)))

    async def job(job_id: str) -> dict[str, Any]:
        """A job's state, place in the queue, stage, seconds left and error; with the run's objects once it has one.

        Args:
            job_id: as /submit answered it.
        """
        return _with_run(service, service.job(job_id))

    async def jobs() -> list[dict[str, Any]]:
        """Every job that the server remembers, newest first."""
        return service.all_jobs()

    async def cancel(job_id: str) -> dict[str, Any]:
        """Stop a job. What is done is kept, and its run can be resumed.

        Args:
            job_id: as /submit answered it.
        """
        return service.cancel(job_id)

    async def runs(page: int = 0) -> dict[str, Any]:
        """The runs in the output folder, newest first.

        Args:
            page: from 0.
        """
        return service.runs(page)

    async def run(name: str) -> dict[str, Any]:
        """A run: its photo, objects, and files with their addresses.

        Args:
            name: the run's name.
        """
        return service.run(name)

    async def delete(name: str) -> dict[str, Any]:
        """Remove a run and all its files for good.

        Args:
            name: the run's name.
        """
        service.delete(name)
        return {"deleted": name}

    async def download(name: str, index: int, file_format: str) -> gr.FileData:
        """One object's mesh as a file: glb, stl, ply and 3mf as such, obj as a zip with its material and texture.

        Args:
            name: the run's name.
            index: the object's number in the run, from 1.
            file_format: glb, obj, stl, ply or 3mf.
        """
        return _file(await asyncio.to_thread(service.download, name, index, file_format))

    async def archive(name: str) -> gr.FileData:
        """Everything that a run made, as a zip.

        Args:
            name: the run's name.
        """
        return _file(await asyncio.to_thread(service.archive, name))

    async def engine() -> dict[str, Any]:
        """Which engine this machine would take and why, and the JSON schema of the settings."""
        return {**service.engine(), "settings": Settings.model_json_schema()}

    _endpoint(
        _with_settings(submit_make, "Make a textured mesh of every object in a photo; waits for the end."), "make"
    )
    _endpoint(
        _with_settings(submit_only, "Queue a photo and answer at once with the job; /job gives its state."), "submit"
    )
    _endpoint(_with_settings(submit_find, "Find the objects in a photo and stop there; /go_on makes them."), "find")
    for function in (go_on, resume, paint_again, job, jobs, cancel, runs, run, delete, download, archive, engine):
        _endpoint(function, function.__name__)


def client_of(request: gr.Request) -> str:
    """The network that a request comes from, for limits; "" when it came over none."""
    client = request.client
    return "" if client is None else network_of(str(client.host))


def _endpoint(function: Callable[..., Awaitable[Any]], name: str) -> None:
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except ManymeshError as error:
            card = error_card(error.code, error.what, error.hint)
            words = f"{card['message'].rstrip('.')}. {card['hint']}".strip()
            raise gr.Error(words, title=f"{card['status']} {card['code']}", print_exception=False) from None

    guarded.__name__, guarded.__doc__ = name, inspect.getdoc(function)
    guarded.__signature__ = inspect.signature(function, eval_str=True)  # type: ignore[attr-defined]
    parameters = guarded.__signature__.parameters  # type: ignore[attr-defined]
    guarded.__annotations__ = {p.name: p.annotation for p in parameters.values()}
    guarded.__annotations__["return"] = guarded.__signature__.return_annotation  # type: ignore[attr-defined]
    api(guarded, api_name=name, api_description=guarded.__doc__, concurrency_limit=None)


def _with_settings(
    submit: Callable[[Any, dict[str, Any], gr.Request], Awaitable[dict[str, Any]]], summary: str
) -> Callable[..., Awaitable[dict[str, Any]]]:
    """An endpoint that takes a photo and every setting by its name."""
    options = []
    lines = [summary, "", "Args:", "    photo: the picture's file."]
    for name, field in Settings.model_fields.items():
        if name in LOCAL_SETTINGS:
            continue
        kind, default = plain_type(field.annotation, field.default)
        options.append(
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)
        )
        lines.append(f"    {name}: {field.description}")
    photo = inspect.Parameter("photo", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.FileData)
    # Gradio fills a parameter of this type itself, and shows none to clients. It has no default, so it goes first.
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    signature = inspect.Signature([request, photo, *options], return_annotation=dict[str, Any])

    async def endpoint(*args: Any, **kwargs: Any) -> dict[str, Any]:
        given = signature.bind(*args, **kwargs).arguments
        request, photo = given.pop("request"), given.pop("photo")
        return await submit(photo, {name: value for name, value in given.items() if value is not None}, request)

    endpoint.__signature__ = signature  # type: ignore[attr-defined]
    endpoint.__doc__ = "\n".join(lines)
    return endpoint


def _with_run(service: Service, card: dict[str, Any]) -> dict[str, Any]:
    """The job's card, and under ``result`` what its run holds so far."""
    if not card["run"]:
        return {**card, "result": None}
    try:
        return {**card, "result": service.run(card["run"])}
    except ManymeshError:
        return {**card, "result": None}  # the run was deleted since


def _file(path: Path) -> gr.FileData:
    return gr.FileData(path=str(path), orig_name=path.name)

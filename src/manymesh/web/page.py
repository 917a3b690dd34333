"""The page: ``static/index.html`` and the scripts that it loads; and what these may ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from manymesh._version import __version__
from manymesh.errors import ManymeshError
from manymesh.web import fields
from manymesh.web.cards import error_card, file_url
from manymesh.web.files import STATIC, PageFunction, static_url, uploaded_path
from manymesh.web.jobs import Job
from manymesh.web.presets import presets
from manymesh.web.service import Service


def page_html() -> str:
    """The page. It is the same for everybody; what it shows it asks for."""
    return (STATIC / "index.html").read_text("utf-8").replace("{static}", static_url("")[:-1])


def page_functions(service: Service) -> list[PageFunction]:
    """What the page's script may ask. Errors for people are answers too."""

    def start(data: dict[str, Any], client: str) -> dict[str, Any]:
        return {"version": __version__, "fields": fields.describe(), "presets": presets()}

    def engines(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.engines()

    def fetch(data: dict[str, Any], client: str) -> dict[str, Any]:
        service.fetch([str(each) for each in data["models"]])
        return {"started": data["models"]}

    def stop_fetching(data: dict[str, Any], client: str) -> dict[str, Any]:
        service.downloads.stop()
        return {}

    def make(data: dict[str, Any], client: str) -> dict[str, Any]:
        return submit(service.make, data, client)

    def find(data: dict[str, Any], client: str) -> dict[str, Any]:
        return submit(service.find, data, client)

    def submit(queue: Callable[..., Job], data: dict[str, Any], client: str) -> dict[str, Any]:
        run, photo = data.get("run"), data.get("photo")
        path = service.photo_of(str(run)) if run else uploaded_path(service, str(photo or ""))
        return service.job(queue(path, dict(data.get("settings") or {}), client).id)

    def status(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.status(data.get("job"), data.get("run"), str(data.get("version") or ""))

    def runs(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.runs(int(data["page"]))

    def go_on(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.job(service.go_on(str(data["run"]), data["edits"], client, data.get("settings")).id)

    def keep_edits(data: dict[str, Any], client: str) -> dict[str, Any]:
        service.keep_edits(str(data["run"]), data["edits"])
        return {}

    def resume(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.job(service.resume(str(data["run"]), client).id)

    def paint_again(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.job(service.paint_again(str(data["run"]), int(data["index"]), int(data["seed"]), client).id)

    def cut_out(data: dict[str, Any], client: str) -> dict[str, Any]:
        mask = uploaded_path(service, str(data["mask"]))
        return service.job(service.cut_out(str(data["run"]), int(data["index"]), mask, client).id)

    def cancel(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.cancel(str(data["job"]))

    def delete(data: dict[str, Any], client: str) -> dict[str, Any]:
        service.delete(str(data["run"]))
        return {"deleted": data["run"]}

    def download(data: dict[str, Any], client: str) -> dict[str, Any]:
        return address(service.download(str(data["run"]), int(data["index"]), str(data["format"])))

    def archive(data: dict[str, Any], client: str) -> dict[str, Any]:
        return address(service.archive(str(data["run"])))

    def address(path: Path) -> dict[str, Any]:
        return {"url": file_url(*path.relative_to(service.scratch.folder).parts), "name": path.name}

    asked = (
        start,
        engines,
        fetch,
        stop_fetching,
        make,
        find,
        status,
        runs,
        go_on,
        keep_edits,
        resume,
        paint_again,
        cut_out,
        cancel,
        delete,
        download,
        archive,
    )
    return [_answering(function) for function in asked]


def _answering(function: PageFunction) -> PageFunction:
    def answer(data: dict[str, Any], client: str) -> dict[str, Any]:
        try:
            return function(data, client)
        except ManymeshError as error:
            return {"error": error_card(error.code, error.what, error.hint)}
        except (
            KeyError,
            TypeError,
            ValueError,
            OverflowError,
        ) as error:  # not from our page: somebody wrote the request by hand
            return {"error": error_card("usage", f"The request makes no sense ({type(error).__name__}: {error})", "")}

    answer.__name__ = function.__name__
    return answer

"""The page: the form on the left is Gradio's, the results on the right are ``static/app.js``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from manymesh._version import __version__
from manymesh.errors import ManymeshError
from manymesh.web import api, fields
from manymesh.web.cards import error_card, file_url
from manymesh.web.files import PageFunction, static_url
from manymesh.web.jobs import Job
from manymesh.web.service import Service

_APP_JS = """
const module = new URL(%s, document.baseURI).href;
import(module).then((app) => app.start(element, props, watch));
"""
_HEADER_JS = """
const module = new URL(%s, document.baseURI).href;
import(module).then((theme) => theme.startTheme(element.querySelector("button")));
"""
_HEADER = """
<header>
  <h1>many<span>mesh</span></h1>
  <p>{engine}</p>
  <button class="mm-button" type="button" aria-pressed="false">Dark</button>
</header>
"""


def build_page(service: Service) -> gr.Blocks:
    """The whole page with its API."""
    page = gr.Blocks(title="manymesh", analytics_enabled=False, fill_width=True)
    with page:
        engine = service.engine()
        words = f"Engine {engine['engine']}: {engine['reason']}" if engine["engine"] else engine["reason"]
        gr.HTML(
            html_template=_HEADER.format(engine=_escape(f"{words}. manymesh {__version__}")),
            js_on_load=_HEADER_JS % json.dumps(static_url("theme.js")),
            elem_id="mm-top",
            apply_default_css=False,
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=1, min_width=300, elem_id="mm-form"):
                photo, inputs, find, make = _form()
            with gr.Column(scale=3, min_width=320):
                results = gr.HTML(
                    value={},
                    html_template='<div class="mm-app"></div>',
                    js_on_load=_APP_JS % json.dumps(static_url("app.js")),
                    elem_id="mm-app",
                    apply_default_css=False,
                )
        names = list(inputs)
        for button, submit in ((find, service.find), (make, service.make)):
            button.click(
                _submitter(service, submit, names),
                [photo, *inputs.values()],
                results,
                preprocess=False,  # the photo is read by our own loader, whose errors say what to do
                show_progress="hidden",
                concurrency_limit=None,
                api_visibility="private",
            )
        api.add(service)
    return page


def _form() -> tuple[gr.Image, dict[str, gr.components.Component], gr.Button, gr.Button]:
    photo = gr.Image(
        label="Photo",
        type="filepath",
        sources=["upload", "clipboard", "webcam"],
        webcam_options=gr.WebcamOptions(mirror=False),
        image_mode=None,
        height=250,
        elem_id="mm-photo",
        buttons=[],
        placeholder="Drop a photo here, paste one, or click to choose",
    )
    first, rest = fields.names()
    inputs = {name: fields.component(name) for name in first[:2]}
    with gr.Row():
        find = gr.Button("Find objects", elem_id="mm-find", min_width=120)
        make = gr.Button("Make", variant="primary", elem_id="mm-make", min_width=120)
    with gr.Accordion("Result and engine", open=False):
        inputs |= {name: fields.component(name) for name in first[2:]}
    with gr.Accordion("More settings", open=False):
        inputs |= {name: fields.component(name) for name in rest}
    return photo, inputs, find, make


def _submitter(service: Service, submit: Callable[..., Job], names: Sequence[str]) -> Callable[..., dict[str, Any]]:
    def pressed(request: gr.Request, photo: Any, *given: Any) -> dict[str, Any]:
        try:
            job = submit(service.given_photo(photo), fields.values(names, given), api.client_of(request))
        except ManymeshError as error:
            # Shown by the page's script, as text: Gradio's own messages are HTML.
            return {"error": error_card(error.code, error.what, error.hint), "at": time.time_ns()}
        return {"job": job.id}

    return pressed


def page_functions(service: Service) -> list[PageFunction]:
    """What the page's script may ask. Errors for people are answers too."""

    def status(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.status(data.get("job"), data.get("run"), str(data.get("version") or ""))

    def runs(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.runs(int(data["page"]))

    def go_on(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.job(service.go_on(str(data["run"]), data["edits"], client).id)

    def resume(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.job(service.resume(str(data["run"]), client).id)

    def paint_again(data: dict[str, Any], client: str) -> dict[str, Any]:
        return service.job(service.paint_again(str(data["run"]), int(data["index"]), int(data["seed"]), client).id)

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

    return [_answering(f) for f in (status, runs, go_on, resume, paint_again, cancel, delete, download, archive)]


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


def _escape(text: str) -> str:
    """For HTML inside a template: Gradio reads ``${`` and ``{{`` as its own."""
    from html import escape

    return escape(text).replace("$", "&#36;").replace("{", "&#123;")

"""The page: the form on the left is Gradio's, the results on the right are ``static/studio.js``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from manymesh._version import __version__
from manymesh.errors import ManymeshError
from manymesh.web import api, fields
from manymesh.web.cards import error_card, file_url
from manymesh.web.service import Service
from manymesh.web.uploads import uploaded_path

STATIC = Path(__file__).parent / "static"

_STUDIO_JS = """
const module = new URL(%s, document.baseURI).href;
import(module).then((studio) => studio.start(element, props, server, watch));
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


def build_page(studio: Service, uploads: Sequence[Path]) -> gr.Blocks:
    """The whole page with its API.

    Args:
        studio: what it works on.
        uploads: the folders that uploads lie in.
    """
    with gr.Blocks(title="manymesh", analytics_enabled=False, delete_cache=(3600, 86_400), fill_width=True) as page:
        engine = studio.engine()
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
                    html_template='<div class="mm-studio"></div>',
                    js_on_load=_STUDIO_JS % json.dumps(static_url("studio.js")),
                    server_functions=_server_functions(studio),
                    elem_id="mm-studio",
                    apply_default_css=False,
                )
        names = list(inputs)
        for button, submit in ((find, studio.find), (make, studio.make)):
            button.click(
                _submitter(submit, names, uploads),
                [photo, *inputs.values()],
                results,
                preprocess=False,  # the photo is read by our own loader, whose errors say what to do
                show_progress="hidden",
                concurrency_limit=None,
                api_visibility="private",
            )
        api.add(studio, uploads)
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


def _submitter(submit: Callable[..., Any], names: Sequence[str], uploads: Sequence[Path]) -> Callable[..., Any]:
    def pressed(photo: Any, *given: Any) -> dict[str, Any]:
        try:
            job = submit(uploaded_path(photo, uploads), fields.values(names, given))
        except ManymeshError as error:
            raise gr.Error(str(error), duration=12, title="That does not work", print_exception=False) from None
        return {"job": job.id}

    return pressed


def _server_functions(studio: Service) -> list[Callable[[dict[str, Any]], dict[str, Any]]]:
    """What ``studio.js`` may call. Each takes one mapping and answers with one; errors for people are answers too."""

    def look(data: dict[str, Any]) -> dict[str, Any]:
        return studio.look(data.get("job"), data.get("run"), str(data.get("version") or ""))

    def runs(data: dict[str, Any]) -> dict[str, Any]:
        return studio.runs(int(data["page"]))

    def go_on(data: dict[str, Any]) -> dict[str, Any]:
        return studio.job(studio.go_on(str(data["run"]), data["edits"]).id)

    def resume(data: dict[str, Any]) -> dict[str, Any]:
        return studio.job(studio.resume(str(data["run"])).id)

    def paint_again(data: dict[str, Any]) -> dict[str, Any]:
        return studio.job(studio.paint_again(str(data["run"]), int(data["index"]), int(data["seed"])).id)

    def cancel(data: dict[str, Any]) -> dict[str, Any]:
        return studio.cancel(str(data["job"]))

    def delete(data: dict[str, Any]) -> dict[str, Any]:
        studio.delete(str(data["run"]))
        return {"deleted": data["run"]}

    def download(data: dict[str, Any]) -> dict[str, Any]:
        path = studio.download(str(data["run"]), int(data["index"]), str(data["format"]))
        return {"url": file_url(str(path)), "name": path.name}

    def archive(data: dict[str, Any]) -> dict[str, Any]:
        path = studio.archive(str(data["run"]))
        return {"url": file_url(str(path)), "name": path.name}

    return [_answering(f) for f in (look, runs, go_on, resume, paint_again, cancel, delete, download, archive)]


def _answering(function: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def answer(data: dict[str, Any]) -> dict[str, Any]:
        try:
            result = function(data)
        except ManymeshError as error:
            return {"error": error_card(error.code, error.what, error.hint)}
        except (KeyError, TypeError, ValueError) as error:  # not from our page: somebody wrote the request by hand
            return {"error": error_card("usage", f"The request makes no sense ({type(error).__name__}: {error})", "")}
        # A job that failed is told as a job, not as a failed request.
        return result

    answer.__name__ = function.__name__
    return answer


def static_url(name: str) -> str:
    """Where a file of ours is given out."""
    path = STATIC / name
    newest_ns = max(file.stat().st_mtime_ns for file in STATIC.iterdir())
    return file_url(str(path), str(newest_ns))


def _escape(text: str) -> str:
    """For HTML inside a template: Gradio reads ``${`` and ``{{`` as its own."""
    from html import escape

    return escape(text).replace("$", "&#36;").replace("{", "&#123;")

"""Jobs and runs as plain data: what the page draws and what the API answers."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from manymesh.errors import kind_of
from manymesh.run import lifecycle
from manymesh.run.edit import draft
from manymesh.run.folder import Run
from manymesh.run.manifest import FileRecord, Manifest, ObjectRecord
from manymesh.stages import label_of
from manymesh.web.doubt import doubts
from manymesh.web.jobs import Job, Jobs
from manymesh.web.words import for_page, literal, message_for_page

# What the addresses of all files begin with; see ``files.py``.
ADDRESS = "files"

# Painters that give the same picture for every seed: painting again would do nothing.
SAME_PAINT = ("photo", "photo-and-shape")

HTTP_OF_EXIT = {2: 422, 3: 422, 4: 422, 5: 422, 6: 422, 7: 507, 8: 501, 9: 507, 10: 451}


def error_card(code: str, message: str, hint: str) -> dict[str, Any]:
    """An error, with the HTTP status that says whose fault it is: 4xx the request's, 5xx the server's."""
    return {
        "code": code,
        # Of a bug every word may help.
        "message": literal(message) if code == "bug" else message_for_page(message),
        "hint": for_page(hint),
        "status": HTTP_OF_EXIT.get(kind_of(code).exit_code, 500),
    }


def job_card(jobs: Jobs, job: Job) -> dict[str, Any]:
    """A job: ids, state, place in line, progress, seconds left, error."""
    progress, now = job.progress, time.time()
    working = job.state in ("running", "stopping")
    left_s = progress.left_s(jobs.rates) if job.state == "running" else None
    started = job.started_at
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "run": job.run,
        "state": job.state,
        "place": jobs.place(job),
        "stage": progress.stage if working else "",
        "words": label_of(progress.stage, "Starting") if working else "",
        "object": progress.object_id if working else "",
        "done": progress.done,
        "total": progress.total,
        "overall": round(progress.overall(jobs.rates), 4)
        if working
        else 1.0
        if job.state in ("done", "partial")
        else 0.0,
        "left_s": None if left_s is None else round(left_s, 1),
        "seconds": None if started is None else round((job.ended_at or now) - started, 1),
        "notes": list(map(for_page, progress.notes)),
        "error": None if job.error is None else error_card(job.error.code, job.error.message, job.error.hint),
    }


def run_card(run: Run) -> dict[str, Any]:
    """A run: its photo, objects, and files with the address each can be had at."""
    manifest = run.manifest
    error = manifest.error
    return {
        "name": run.folder.name,
        "state": manifest.state,
        "created": manifest.created,
        "engine": manifest.engine,
        "engine_reason": for_page(manifest.engine_reason),
        "paint_varies": manifest.implementations.get("paint") not in SAME_PAINT,
        "settings": manifest.settings.model_dump(mode="json"),
        "photo": {
            "name": manifest.input.name,
            "width": manifest.input.width,
            "height": manifest.input.height,
            "url": _url(run, manifest.files.get("input")),
        },
        "found": lifecycle.is_found(manifest),
        "finished": lifecycle.is_finished(manifest),
        "objects": [object_card(run, record) for record in manifest.objects],
        "files": {role: _file(run, record) for role, record in manifest.files.items()},
        "missing_names": list(manifest.missing_names),
        "edits": draft(run),
        "warnings": list(dict.fromkeys(filter(None, map(for_page, manifest.warnings)))),
        "error": None if error is None else error_card(error.code, error.message, error.hint),
    }


def object_card(run: Run, record: ObjectRecord) -> dict[str, Any]:
    """One object: what it is, how it went, what it costs to look at."""
    error = record.error
    return {
        "index": record.index,
        "id": record.id,
        "label": record.label,
        "box": list(record.box),
        "state": record.state,
        "score": record.score,
        "source": record.source,
        "seed": record.seed,
        "paint_seed": record.paint_seed,
        "stages_done": list(record.stages_done),
        "faces": record.facts.get("faces"),
        "watertight": record.facts.get("watertight"),
        "seconds": round(sum(record.seconds.values()), 2),
        "warnings": list(filter(None, map(for_page, record.warnings))),
        "doubts": doubts(run, record),
        "error": None if error is None else {**error_card(error.code, error.message, error.hint), "stage": error.stage},
        "files": {role: _file(run, file) for role, file in record.files.items()},
    }


def summary_card(name: str, manifest: Manifest, thumb: str | None) -> dict[str, Any]:
    """A run as one line of the history."""
    objects = lifecycle.wanted(manifest)
    return {
        "name": name,
        "photo": manifest.input.name,
        "created": manifest.created,
        "state": manifest.state,
        "engine": manifest.engine,
        "made": sum(map(lifecycle.is_made, objects)),
        "objects": len(objects),
        "labels": [record.label for record in objects[:6]],
        "finished": lifecycle.is_finished(manifest),
        "thumb": thumb,
    }


def file_url(*parts: str, version: str = "") -> str:
    """The address of a file, relative to the server's; see ``files.py``. A changed file has another ``version``."""
    return "/".join([ADDRESS, *map(quote, parts)]) + (f"?v={version}" if version else "")


def _file(run: Run, record: FileRecord) -> dict[str, Any]:
    # Not "path": gradio_client takes every mapping with one for a file to fetch.
    return {"file": record.path, "bytes": record.bytes, "sha256": record.sha256, "url": _url(run, record)}


def _url(run: Run, record: FileRecord | None) -> str | None:
    return None if record is None else file_url("runs", run.folder.name, record.path, version=record.sha256[:12])

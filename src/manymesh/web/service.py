"""Everything that the page and the API can ask for, on plain values. Knows the pipeline and the jobs; no Gradio."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.engines import Plan, choose
from manymesh.errors import InputError, ManymeshError, UsageError
from manymesh.events import Cancel, Event, OnEvent
from manymesh.pipeline import Pipeline
from manymesh.run.edit import (
    check_edits,
    check_mask,
    cut_by_hand,
    edit_objects,
    keep_draft,
    paint_again,
    paintable,
    parse_edits,
    with_changes,
)
from manymesh.run.export import as_format, write_archive
from manymesh.run.folder import MANIFEST, Run
from manymesh.run.manifest import Manifest
from manymesh.settings import Settings, build_settings
from manymesh.stages import FINDING, STEPS, Step, label_of
from manymesh.web import history
from manymesh.web.cards import error_card, job_card, run_card
from manymesh.web.downloads import Downloads
from manymesh.web.fields import LOCAL_SETTINGS
from manymesh.web.jobs import Job, JobKind, Jobs, Work
from manymesh.web.ladder import ladder, offered
from manymesh.web.progress import Rates
from manymesh.web.scratch import Scratch
from manymesh.web.words import for_page

# The newest runs from whose times the first estimates are made.
RUNS_TO_LEARN_FROM = 8

# Checks an ended run; returns a note for people, or "".
Remark = Callable[[Run], str]


class Service:
    """One output folder and one queue of jobs.

    ``client``, where a method takes it, is the network that asks (``asgi.network_of``), for the limit of jobs that may
    wait from one address. "" has no limit of its own.

    Args:
        out: where run folders go.
        scratch: for uploads, downloads and thumbnails.
        may_download: whether requests may have networks fetched to this machine.
    """

    def __init__(self, out: Path, scratch: Scratch, *, may_download: bool = False) -> None:
        self.out = out.resolve()
        self.scratch = scratch
        rates = Rates()
        rates.learn(_manifests(reversed(list(islice(history.newest(self.out), RUNS_TO_LEARN_FROM)))))
        self.jobs = Jobs(rates)
        self.downloads = Downloads(may_download)
        # Held from the look for a job on a run to what is done because there is none.
        self._drafts = threading.Lock()
        scratch.in_use = self.jobs.photos

    def close(self) -> None:
        """Cancel what runs; what is done stays in the run folders."""
        self.downloads.close()
        self.jobs.close()

    def engines(self) -> dict[str, Any]:
        """The engines for people, and whether networks may be downloaded from the page; see ``ladder.ladder``."""
        return {**ladder(), "may_download": self.downloads.allowed}

    def fetch(self, ids: Sequence[str]) -> None:
        """Begin to download networks, as a person agreed to."""
        self.downloads.start(offered(ids))

    def given_photo(self, given: Any) -> Path:
        """The photo that a request names, as Gradio passes it on: a path, or a mapping with ``path``.

        Raises:
            InputError: nothing was given, or something that was not uploaded here.
        """
        path = given.get("path") if isinstance(given, Mapping) else given
        if not isinstance(path, str) or not path:
            raise InputError("No photo was given", "Choose, paste or take one first.")
        return self.scratch.adopted(Path(path))

    def photo_of(self, name: str) -> Path:
        """A copy of a run's photo among the uploads, under its own name, to be made again."""
        run = Run.open(self._folder(name))
        record = run.manifest.files.get("input")
        if record is None:
            raise InputError(f"The run '{name}' has lost its photo", "Choose the photo again.")
        return self.scratch.add_photo(run.read(record), f"{run.manifest.input.name}.png")

    def find(self, photo: Path, settings: Mapping[str, Any], client: str = "") -> Job:
        """Queue: find the objects, and stop there for a person to choose."""
        plan = _plan(settings)

        def work(on_event: OnEvent, cancel: Cancel) -> Run:
            return Pipeline(plan.settings, on_event=on_event, cancel=cancel).find(photo, self.out)

        return self._submit("find", photo.stem, work, plan, FINDING, photo=photo, client=client)

    def make(self, photo: Path, settings: Mapping[str, Any], client: str = "") -> Job:
        """Queue: everything from the photo to painted models."""
        plan = _plan(settings)

        def work(on_event: OnEvent, cancel: Cancel) -> Run:
            return Pipeline(plan.settings, on_event=on_event, cancel=cancel).make([photo], self.out)[0]

        return self._submit("make", photo.stem, work, plan, photo=photo, client=client)

    def go_on(
        self,
        name: str,
        edits: Iterable[Mapping[str, Any]],
        client: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> Job:
        """Queue: make the objects of a found run, as the user edited them.

        Args:
            name: the run's.
            edits: see ``run.edit``.
            client: see the class.
            settings: those that are to be others than when the objects were found.
        """
        parsed = parse_edits(edits)
        run = Run.open(self._folder(name))
        check_edits(run, parsed)
        _refuse_local(settings or {})
        changed = with_changes(run.manifest.settings, settings) if settings else None
        return self._resume("go-on", name, lambda run: edit_objects(run, parsed), client=client, settings=changed)

    def keep_edits(self, name: str, edits: Iterable[Mapping[str, Any]]) -> None:
        """Keep edits with the run for later. While a job works on the run they are not kept: it has its own."""
        parsed = parse_edits(edits)
        with self._drafts:
            if self.jobs.job_on(name) is not None:
                return
            run = Run.open(self._folder(name))
            with suppress(UsageError), run.locked():  # another process that works on it has its own, too
                keep_draft(run, parsed)

    def resume(self, name: str, client: str = "") -> Job:
        """Queue: finish a run; what failed is tried again."""
        return self._resume("resume", name, lambda run: None, client=client)

    def paint_again(self, name: str, index: int, seed: int, client: str = "") -> Job:
        """Queue: paint one object anew with another seed."""
        if not 0 <= seed < 2**32:
            raise UsageError(f"The seed {seed} is not between 0 and {2**32 - 1}")
        before = paintable(Run.open(self._folder(name)), index).files.get("model")

        def remark(run: Run) -> str:
            record = next(record for record in run.manifest.objects if record.index == index)
            if before is None or "model" not in record.files or record.files["model"].sha256 != before.sha256:
                return ""
            painter = run.manifest.implementations["paint"]
            return f"The paint of '{record.label}' came out the same: '{painter}' does not use the seed."

        return self._resume("paint", name, lambda run: paint_again(run, index, seed), remark, client=client)

    def cut_out(self, name: str, index: int, mask: Path, client: str = "") -> Job:
        """Queue: make one object from a mask that a person has drawn on its crop; white is object."""
        from PIL import Image

        try:
            with Image.open(mask) as picture:
                alpha = np.array(picture.convert("L"))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError("The mask cannot be read", "Cut it out again.") from error
        check_mask(Run.open(self._folder(name)), index, alpha)
        return self._resume("resume", name, lambda run: cut_by_hand(run, index, alpha), client=client)

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Stop a job; its run can be resumed."""
        job = self.jobs.get(job_id)
        self.jobs.stop(job)
        return self.job(job_id)

    def job(self, job_id: str) -> dict[str, Any]:
        """How a job stands."""
        return job_card(self.jobs, self.jobs.get(job_id))

    def all_jobs(self) -> list[dict[str, Any]]:
        """Every job that is remembered, newest first."""
        return [job_card(self.jobs, job) for job in self.jobs.all()]

    def run(self, name: str) -> dict[str, Any]:
        """What a run holds, and the id of the job that works on it (or None)."""
        card = run_card(Run.open(self._folder(name)))
        active = self.jobs.job_on(name)
        return {**card, "job": None if active is None else active.id}

    def status(self, job_id: str | None, name: str | None, version: str) -> dict[str, Any]:
        """All that the page shows, in one answer.

        Args:
            job_id: the job that the page shows, if any. Its run is shown then.
            name: the run that the page shows otherwise, if any.
            version: the version of that run that the page has; the run is left out when it has not changed.

        Returns:
            ``job``, ``run``, ``version``, the jobs that have not ended as ``active``, the last ``download`` of
            networks, and ``error`` if the run is gone.
        """
        job = None
        error: dict[str, Any] | None = None
        known = {each.id: each for each in self.jobs.all()}
        if job_id in known:
            job = job_card(self.jobs, known[job_id])
            name = known[job_id].run or name
        run, current = None, ""
        if name:
            try:
                folder = self._folder(name)
                current = f"{name}:{(folder / MANIFEST).stat().st_mtime_ns}"
                if current != version:
                    run = run_card(Run.open(folder))
            except (ManymeshError, OSError) as gone:
                current = ""
                error = error_card("usage", str(gone), "") if not (job and not known[str(job_id)].ended) else None
        active = [
            {"id": each.id, "title": each.title, "state": each.state, "place": self.jobs.place(each), "run": each.run}
            | {"object": each.progress.object_id, "words": label_of(each.progress.stage), "kind": each.kind}
            for each in reversed(list(known.values()))
            if not each.ended
        ]
        now = {"job": job, "run": run, "version": current, "active": active, "download": self.downloads.state()}
        return {**now, **({"error": error} if error else {})}

    def runs(self, page: int = 0) -> dict[str, Any]:
        """One page of the history, newest first."""
        return history.list_runs(self.out, self.scratch, page=page)

    def delete(self, name: str) -> None:
        """Remove a run for good."""
        if self.jobs.job_on(name) is not None:
            raise UsageError(f"A job works on '{name}'", "Cancel it first.")
        history.delete_run(self.out, name)
        self.scratch.forget(name)

    def download(self, name: str, index: int, file_format: str) -> Path:
        """One object's mesh as a file of some format."""
        run = Run.open(self._folder(name))
        record = next((record for record in run.manifest.objects if record.index == index), None)
        if record is None:
            raise UsageError(f"The run has no object {index}")
        files = [record.files[role].sha256 for role in ("model", "mesh") if role in record.files]
        settings = run.manifest.settings
        frame = (str(settings.sizes), str(settings.up))

        def write(path: Path) -> str:
            file_name, data = as_format(run, record, file_format)
            path.write_bytes(data)
            return file_name

        return self.scratch.export(name, (record.id, record.label, *files, *frame, file_format), write)

    def archive(self, name: str) -> Path:
        """Everything of a run as a zip."""
        run = Run.open(self._folder(name))
        changed_ns = (run.folder / MANIFEST).stat().st_mtime_ns

        def write(path: Path) -> str:
            with path.open("wb") as file:
                write_archive(run, file)
            return f"{run.folder.name}.zip"

        return self.scratch.export(name, ("archive", str(changed_ns)), write)

    def engine(self, settings: Settings | None = None) -> dict[str, Any]:
        """Which engine would be taken, and why."""
        try:
            plan = choose(settings or Settings())
        except ManymeshError as error:
            return {"engine": None, "reason": for_page(str(error))}
        return {"engine": plan.engine, "reason": for_page(plan.reason)}

    def _folder(self, name: str) -> Path:
        return history.run_folder(self.out, name)

    def _resume(
        self,
        kind: JobKind,
        name: str,
        change: Callable[[Run], None],
        remark: Remark = lambda run: "",
        *,
        client: str,
        settings: Settings | None = None,
    ) -> Job:
        run = Run.open(self._folder(name))
        if run.manifest.settings.views or run.manifest.settings.weights_dir is not None:
            raise UsageError(f"'{name}' names files of the server's machine", "Resume it on the command line there.")
        plan = choose(settings or run.manifest.settings)

        def work(on_event: OnEvent, cancel: Cancel) -> Run:
            ended = Pipeline(on_event=on_event, cancel=cancel).resume(run.folder, change, settings)
            if note := remark(ended):
                on_event(Event("note", name, text=note))
            return ended

        with self._drafts:
            return self._submit(kind, run.manifest.input.name, work, plan, run=name, client=client)

    def _submit(
        self,
        kind: JobKind,
        title: str,
        work: Work,
        plan: Plan,
        steps: Sequence[Step] = STEPS,
        *,
        run: str = "",
        photo: Path | None = None,
        client: str,
    ) -> Job:
        stages = tuple(step.name for step in steps if step.name != "load" and step.applies(plan.settings))
        return self.jobs.submit(
            kind, title, work, engine=plan.engine, run=run, stages=stages, photo=photo, client=client
        )


def _plan(settings: Mapping[str, Any]) -> Plan:
    _refuse_local(settings)
    return choose(build_settings(dict(settings)))


def _refuse_local(settings: Mapping[str, Any]) -> None:
    for name in LOCAL_SETTINGS:
        if name in settings:
            raise UsageError(f"{name} names files of the server's machine", "Use it on the command line there.")


def _manifests(folders: Iterable[Path]) -> Iterable[Manifest]:
    for folder in folders:
        try:
            yield Run.open(folder).manifest
        except ManymeshError:
            continue  # listed with its reason in the history

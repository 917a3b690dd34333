"""A run as tables, for ``manymesh show``."""

from __future__ import annotations

import io

from manymesh.cli.streams import can_show
from manymesh.run.folder import Run


def tables(run: Run) -> str:
    """Objects and stages of a run as text, 100 columns wide."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    manifest = run.manifest
    frame = box.HEAVY_HEAD if can_show("┏━┃") else box.ASCII2
    objects = Table(box=frame, title=escape(f"{manifest.name}: {manifest.state}"), title_justify="left")
    for heading in ("object", "label", "state", "faces", "closed", "seconds", "files"):
        objects.add_column(heading, justify="right" if heading in ("faces", "seconds") else "left")
    for record in manifest.objects:
        files = ", ".join(sorted(file.path.rsplit("/", 1)[-1] for file in record.files.values()))
        objects.add_row(
            record.id,
            escape(record.label),
            record.state if record.error is None else f"failed in {record.error.stage}",
            str(record.facts.get("faces", "")),
            "yes" if record.facts.get("watertight") else "",
            f"{sum(record.seconds.values()):.2f}",
            files,
        )
    stages = Table(box=frame)
    on_device = any(stage.device_peak_bytes is not None for stage in manifest.stages)
    headings = ["stage", "by", "licence", "seconds", "loading", "in all", "host peak"]
    # The ledger of the device: where it had a part.
    headings += ["level", "weights", "moved", "peak", "reserved", "planned"] * on_device
    for heading in headings:
        is_text = heading in ("stage", "by", "licence", "level")
        stages.add_column(heading, justify="left" if is_text else "right", no_wrap=not is_text)
    for stage in manifest.stages:
        ledger = [
            stage.level,
            f"{stage.weights_seconds:.2f}",
            _mib(stage.moved_bytes),
            _mib(stage.device_peak_bytes),
            _mib(stage.device_reserved_bytes),
            _mib(stage.planned_reserved_bytes),
        ]
        stages.add_row(
            stage.stage,
            stage.implementation,
            stage.licence,
            f"{stage.seconds:.2f}",
            f"{stage.load_seconds:.2f}",
            f"{stage.wall_seconds:.2f}",
            _mib(stage.host_peak_bytes),
            *(ledger if on_device else []),
        )
    text = io.StringIO()
    console = Console(file=text, width=160 if on_device else 110, highlight=False)
    console.print(objects)
    console.print(stages)
    notes = [*manifest.warnings, *(f"{r.id}: {w}" for r in manifest.objects for w in r.warnings)]
    notes += [f"{r.id}: {r.error.message}. {r.error.hint}".strip() for r in manifest.objects if r.error is not None]
    if manifest.error is not None:
        notes.append(f"{manifest.error.message}. {manifest.error.hint}".strip())
    return text.getvalue().rstrip() + "".join(f"\n- {note}" for note in notes)


def _mib(count_bytes: int | None) -> str:
    return "" if not count_bytes else f"{count_bytes / 2**20:.0f} MiB"

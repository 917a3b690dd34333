"""The first stage: a photo becomes a run folder."""

from __future__ import annotations

import os
import platform
import re
import time
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from manymesh._version import __version__
from manymesh.device import Meter
from manymesh.engines import Plan
from manymesh.image.load import load_photo
from manymesh.naming import clean_name
from manymesh.parallel import run_pair
from manymesh.run.artifacts import Shelf
from manymesh.run.folder import Run
from manymesh.run.manifest import InputRecord, Manifest, StageRecord

# Whose versions can change what a run makes.
LIBRARIES = (
    "numpy",
    "scipy",
    "pillow",
    "opencv-python-headless",
    "onnxruntime",
    "trimesh",
    "xatlas",
    "fast-simplification",
    "torch",
    "transformers",
    "diffusers",
)


def begin_run(path: Path, out: Path, plan: Plan, shelf: Shelf | None = None) -> Run:
    """Read the photo at ``path`` and make its run folder under ``out``, with input.png and a manifest.

    Args:
        shelf: see ``Run``.

    Raises:
        InputError: the photo cannot be read; no folder is made then.
        OutputError: ``out`` cannot be written.
    """
    start_s = time.perf_counter()
    with Meter() as meter:
        (photo, scale), libraries = run_pair(partial(load_photo, path), _library_versions)
        manifest = Manifest(
            manymesh=__version__,
            name="",
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
            input=InputRecord(
                path=os.fsencode(path).decode("utf-8", "replace"),
                name=clean_name(os.fsencode(photo.name).decode("utf-8", "replace")),
                sha256=photo.sha256,
                width=photo.width,
                height=photo.height,
                scale=scale,
                notes=list(photo.notes),
            ),
            settings=plan.settings,
            engine=plan.engine,
            engine_reason=plan.reason,
            implementations={kind: stage.name for kind, stage in plan.stages.items()},
            warnings=list(photo.notes),
            versions={"python": platform.python_version(), **libraries},
            platform=f"{platform.system()} {platform.machine()}",
        )
        run = Run.create(out, manifest, photo, shelf)
    seconds = round(time.perf_counter() - start_s, 4)
    run.manifest.stages.append(
        StageRecord(
            stage="load",
            implementation="manymesh",
            licence="Apache-2.0",
            seconds=seconds,
            wall_seconds=seconds,
            host_peak_bytes=meter.usage.host_peak_bytes,
            device_peak_bytes=meter.usage.device_peak_bytes,
            device_reserved_bytes=meter.usage.device_reserved_bytes,
        )
    )
    run.save()
    return run


def _library_versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            described = distribution(name).read_text("METADATA") or ""
        except PackageNotFoundError:
            continue  # an extra that is not installed
        # One line is wanted, and parsing all of them as e-mail headers takes 5 ms a library.
        line = re.search(r"^Version: *(\S+)", described, re.MULTILINE)
        found[name] = line[1] if line else version(name)
    return found

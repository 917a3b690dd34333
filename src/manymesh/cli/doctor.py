"""What this machine can run, and what it lacks."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from manymesh._version import __version__
from manymesh.engines import ABOUT, ENGINES, PREFERENCE, choose, missing_stages, stages_of
from manymesh.errors import ManymeshError
from manymesh.plan.machine import plan_for
from manymesh.plan.report import report as plan_report
from manymesh.settings import Settings, build_settings
from manymesh.weights.catalogue import ENGINES as WEIGHTS_OF
from manymesh.weights.catalogue import models_of
from manymesh.weights.download import readable

OPTIONAL = {
    "gradio": "pip install 'manymesh[ui]'",
    "torch": "pip install 'manymesh[hunyuan]'",
    "pillow_heif": "pip install 'manymesh[heic]'",
    "pillow_jxl": "pip install 'manymesh[jxl]'",
    "rawpy": "pip install 'manymesh[raw]'",
}


def examine() -> dict[str, Any]:
    """Facts about this machine, JSON-able: versions, hardware, engines with what each lacks, ``auto``'s choice, and
    what is damaged."""
    settings = Settings()
    named = Settings(prompt="object")  # an engine's detector may only serve where there are names
    engines = {}
    for name in ENGINES:
        stages = stages_of(name, named)
        engines[name] = {
            **(asdict(ABOUT[name]) if name in ABOUT else {}),
            "download_bytes": sum(m.bytes for m in models_of([name])) if name in WEIGHTS_OF else 0,
            "stages": {
                kind: {"name": s.name, "summary": s.summary, "licence": s.licence} for kind, s in stages.items()
            },
            "missing": missing_stages(stages, named),
        }
    try:
        plan = choose(settings)
        auto: dict[str, str | None] = {"engine": plan.engine, "reason": plan.reason}
    except ManymeshError as error:
        auto = {"engine": None, "reason": str(error)}
    return {
        "manymesh": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "device": _device(),
        "auto": auto,
        "preference": [name for name in PREFERENCE if name in ENGINES],
        "engines": engines,
        "trouble": _trouble(settings),
        "optional": {module: None if find_spec(module) else command for module, command in OPTIONAL.items()},
    }


def memory_plan(engine: str, vram: str | None, objects: int, texture: bool, as_json: bool) -> str:
    """How an engine would use the memory of this machine's GPU, or of a card of the size ``vram``.

    Raises:
        UsageError: ``vram`` is no amount of memory, or there is no such engine.
        DoesNotFitError: the card is too small.
    """
    settings = build_settings({"engine": engine, "vram": vram, "texture": texture, "prompt": "object"})
    plan = plan_for(stages_of(engine, settings), settings, objects=objects, assume_gpu=vram is not None)
    return json.dumps(plan.to_json(), indent=1) if as_json else plan_report(plan, engine)


def _trouble(settings: Settings) -> list[str]:
    """What is damaged, each once, though two engines may share it."""
    found: dict[str, str] = {}
    for name in ENGINES:
        for stage in stages_of(name, settings).values():
            if (text := stage.damage()) is not None:
                found.setdefault(text, f"engine {name} {text}")
    return list(found.values())


def _memory_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _device() -> dict[str, Any] | None:
    """The first CUDA device; None without torch or without a device."""
    if find_spec("torch") is None:
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info()
    return {"name": torch.cuda.get_device_name(), "total_bytes": total, "free_bytes": free, "torch": torch.__version__}


def report(findings: dict[str, Any]) -> str:
    """``examine``'s answer as text for people."""
    device = findings["device"]
    lines = [
        f"manymesh {findings['manymesh']}, Python {findings['python']}, {findings['platform']}",
        f"{findings['cpus']} CPU cores, {findings['memory_bytes'] / 2**30:.0f} GiB memory",
        "no CUDA device (or no torch to see it)"
        if device is None
        else f"{device['name']}, {device['free_bytes'] / 2**30:.1f} of {device['total_bytes'] / 2**30:.1f} GiB free",
        "",
        f"`--engine auto` takes {findings['auto']['engine']}: {findings['auto']['reason']}",
        "",
    ]
    for name, engine in findings["engines"].items():
        lines.append(f"engine {name}: {'ready' if not engine['missing'] else 'not ready'}")
        if "needs" in engine:
            size = readable(engine["download_bytes"]) if engine["download_bytes"] else "none"
            lines.append(f"  download: {size}. Needs {engine['needs']}. For {engine['users']} ({engine['licence']}).")
            lines.append(f"  good: {engine['good']}. Bad: {engine['bad']}.")
        for kind, stage in engine["stages"].items():
            lack = engine["missing"].get(kind)
            mark = "ok " if lack is None else "-- "
            lines.append(f"  {mark}{kind:7}{stage['name']:22}{stage['summary']} ({stage['licence'].partition(':')[0]})")
            if lack is not None:
                lines.append(f"            missing: {lack}")
        if name in WEIGHTS_OF and any("models pull" in lack for lack in engine["missing"].values()):
            lines.append(f"  all weights at once: manymesh models pull {name}")
    lines += [f"trouble: {text}" for text in findings["trouble"]]
    wanting = {module: command for module, command in findings["optional"].items() if command}
    if wanting:
        lines += ["", "optional, not installed:"]
        lines += [f"  {module:14}{command}" for module, command in wanting.items()]
    return "\n".join(lines)

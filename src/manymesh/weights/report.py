"""Findings as one JSON document that a user can send to somebody else: it holds no personal data.

Sentences come from error messages, and those name files by their full paths. So every text is cleaned: known folders
are taken off, other full paths keep their last part only, and the user's and the machine's names are replaced.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from manymesh._version import __version__
from manymesh.errors import OutputError
from manymesh.user_config import config_dir
from manymesh.weights import locate
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding
from manymesh.weights.verify import Verdict

_LIBRARIES = ("torch", "transformers", "safetensors", "huggingface_hub", "numpy", "onnxruntime")
# A full path of POSIX or Windows, up to a character that ends it in a sentence. The last part is kept.
_FULL_PATH = re.compile(r"""(?<![\w.:/])(?:[A-Za-z]:)?(?:[\\/][^\s\\/'"`,;:()<>|]+)+""")
_SHORTEST_NAME = 2


@dataclass(frozen=True)
class ModelFindings:
    """What was found of one model: its files against what was published, and the deep checks."""

    model: Model
    root: Path | None
    files: Sequence[Verdict]
    findings: Sequence[Finding]

    @property
    def sound(self) -> bool:
        return not any(verdict.problem for verdict in self.files) and not any(
            finding.outcome == "failed" for finding in self.findings
        )


def document(machine: Sequence[Finding], models: Sequence[ModelFindings], device: str) -> dict[str, Any]:
    """The report, JSON-able and cleaned.

    Args:
        machine: what was found of the device.
        models: what was found of each model.
        device: where was computed, such as "cuda".
    """
    roots = [found.root for found in models if found.root is not None]
    raw = {
        "report": 1,
        "manymesh": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "device": _device(device),
        "machine": [_row(finding) for finding in machine],
        "models": [
            {
                "id": found.model.id,
                "commit": _commit(found.root),
                "files": [_file(verdict) for verdict in found.files],
                "findings": [_row(finding) for finding in found.findings],
                "sound": found.sound,
            }
            for found in models
        ],
        "sound": all(f.outcome != "failed" for f in machine) and all(found.sound for found in models),
    }
    cleaned: dict[str, Any] = _cleaned(raw, Cleaner(roots))
    return cleaned


def write(path: Path, report: dict[str, Any]) -> None:
    """Write a report as JSON. Raises ``OutputError`` where that cannot be."""
    try:
        path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}", "Choose another --report") from None


class Cleaner:
    """Takes personal data out of a text.

    Args:
        folders: whose paths are taken off before anything else; the hub's cache, manymesh's own folders and the home
            folder are added.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        home = Path.home()
        known = [*folders, locate.hub_cache(), config_dir(), Path.cwd(), home]
        spelled = {str(spelling) for path in known for spelling in (path, path.absolute(), path.resolve())}
        # The longest first: a folder's own path before that of the folder around it. "/" and "." are no folders here.
        self._folders = sorted((path for path in spelled if len(path) > len("C:\\")), key=len, reverse=True)
        names = {*_user_names(), home.name, socket.gethostname(), platform.node()}
        names |= {name.split(".")[0] for name in names}
        self._names = [
            re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.IGNORECASE)
            for name in sorted(names, key=len, reverse=True)
            if len(name) >= _SHORTEST_NAME
        ]

    def __call__(self, text: str) -> str:
        for folder in self._folders:
            text = text.replace(folder + os.sep, "").replace(folder, "FOLDER")
        text = _FULL_PATH.sub(lambda match: re.split(r"[\\/]", match[0])[-1], text)
        for name in self._names:
            text = name.sub("NAME", text)
        return text


def _user_names() -> list[str]:
    names = [os.environ.get(variable, "") for variable in ("USER", "USERNAME", "LOGNAME", "SUDO_USER")]
    try:
        names.append(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a process without a user's entry, as in containers
        return names
    return names


def _cleaned(value: Any, clean: Cleaner) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item, clean) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, clean) for item in value]
    return value


def _row(finding: Finding) -> dict[str, Any]:
    # Not a number has no place in JSON.
    numbers = {name: value if abs(value) < float("inf") else str(value) for name, value in finding.numbers.items()}
    return {"check": finding.check, "outcome": finding.outcome, "sentence": finding.sentence, "numbers": numbers}


def _file(verdict: Verdict) -> dict[str, Any]:
    size = verdict.path.stat().st_size if verdict.path.is_file() else None
    return {"name": verdict.name, "bytes": size, "checked_by": verdict.basis, "problem": verdict.problem}


def _commit(root: Path | None) -> str | None:
    """The commit that a folder of the hub's cache is named by; None for a folder of the user's own."""
    return root.name if root is not None and re.fullmatch(r"[0-9a-f]{40}", root.name) else None


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _device(device: str) -> dict[str, Any]:
    if find_spec("torch") is None or not device.startswith("cuda"):
        return {"kind": device}
    import torch

    kind = torch.device(device)
    total = torch.cuda.mem_get_info(kind)[1]
    return {"kind": "cuda", "name": torch.cuda.get_device_name(kind), "total_bytes": total, "cuda": torch.version.cuda}

"""Runs the Khronos glTF validator (npm package gltf-validator), where it is installed in build/gltf-validator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "gltf-validator"


def validate(files: Sequence[bytes], folder: Path) -> list[dict[str, Any]]:
    """The validator's issues for each file; skips the test where the validator is not installed.

    With MANYMESH_REQUIRE_VALIDATOR=1 that is a failure instead.
    """
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "gltf-validator").is_dir():
        reason = "the Khronos validator is not installed: npm install --prefix build/gltf-validator gltf-validator"
        if os.environ.get("MANYMESH_REQUIRE_VALIDATOR") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    paths = []
    for number, data in enumerate(files):
        paths.append(folder / f"validate-{number}.glb")
        paths[-1].write_bytes(data)
    script = Path(__file__).with_name("gltf_validator.mjs")
    done = subprocess.run(
        [node, str(script), str(FOLDER), *map(str, paths)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return [report["issues"] for report in json.loads(done.stdout)]


def assert_valid(files: Sequence[bytes], folder: Path) -> None:
    """Fails unless every file has no errors, warnings or infos."""
    for issues in validate(files, folder):
        counts = issues["numErrors"], issues["numWarnings"], issues["numInfos"]
        assert counts == (0, 0, 0), json.dumps(issues["messages"][:5], indent=1)

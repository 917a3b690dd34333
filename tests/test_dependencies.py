"""The libraries that manymesh stands on: their licences, and releases with known faults.

Both are read from what is installed, with all extras that are; no network is asked. Add a fault here when it becomes
known, and raise the lower bound in ``pyproject.toml`` if the library is one of ours.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("ui", "hunyuan", "small", "heic")

# Licences that allow any use with no more than a notice; MPL-2.0 asks for its own files' source alone.
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|MPL-2\.0|Mozilla Public License 2|PSF|Python Software Foundation|HPND|Zlib|CC0|CNRI|BSL-1\.0"
)
REFUSED = re.compile(r"(?<!L)A?GPL|GNU (Affero )?General Public|non-?commercial|\bNC\b|research.only|proprietary", re.I)

# Releases with known faults that a stranger's photo or request can reach, by advisory.
FAULTS = {
    "pillow": {"CVE-2024-28219": "<10.3", "CVE-2023-4863": "<10.0.1", "CVE-2025-48379": ">=11.2,<11.3"},
    "opencv-python-headless": {"CVE-2023-4863": "<4.8.1.78"},
    "gradio": {"CVE-2024-47867 and others of 4.x": "<5"},
    "starlette": {"CVE-2024-47874": "<0.40", "CVE-2025-54121": "<0.47.2", "CVE-2025-62727": ">=0.39,<0.49.1"},
    "fastapi": {"CVE-2024-24762": "<0.109.1"},
    "python-multipart": {"CVE-2024-24762": "<0.0.7", "CVE-2024-53981": "<0.0.18"},
    "h11": {"CVE-2025-43859": "<0.16"},
    "jinja2": {"CVE-2025-27516": "<3.1.6"},
    "orjson": {"CVE-2024-27454": "<3.9.15"},
    "idna": {"CVE-2024-3651": "<3.7"},
    "protobuf": {"CVE-2025-4565": "<4.25.8", "CVE-2025-4565 in 5": ">=5,<5.29.5", "CVE-2025-4565 in 6": ">=6,<6.31.1"},
    "pyyaml": {"CVE-2020-14343": "<5.4"},
    "torch": {"CVE-2025-32434": "<2.6"},
    "tqdm": {"CVE-2024-34062": "<4.66.3"},
    "mcp": {"CVE-2025-53366": "<1.9.4", "CVE-2025-53365": "<1.10"},
}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def tree() -> dict[str, Distribution]:
    """Everything that manymesh and its installed extras need, by name."""
    found: dict[str, Distribution] = {}
    waiting = [("manymesh", EXTRAS)]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (canonical(name), extras) in seen:
            continue
        seen.add((canonical(name), extras))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed
        found[canonical(name)] = installed
        for text in installed.requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras or ("",)):
                waiting.append((wanted.name, tuple(sorted(wanted.extras))))
    return found


def licence(installed: Distribution) -> str:
    """What a library says of its licence, in a line."""
    told = installed.metadata
    classified = [line for line in told.get_all("Classifier") or [] if line.startswith("License")]
    lines = ((told.get("License") or "").strip().splitlines() or [""])[0]
    return str(told.get("License-Expression") or "; ".join(classified) or lines)


def test_the_tree_is_read_whole() -> None:
    names = set(tree())
    assert {"manymesh", "numpy", "pillow", "pydantic-core"} <= names
    if "gradio" in names:
        assert {"starlette", "h11", "python-multipart"} <= names


@pytest.mark.parametrize("name", sorted(tree()))
def test_every_library_may_be_used_by_everybody(name: str) -> None:
    told = licence(tree()[name])
    assert ALLOWED.search(told), f"{name}: {told!r} is not known to be free for any use"
    assert not REFUSED.search(told), f"{name}: {told!r}"


@pytest.mark.parametrize(
    ("told", "free"),
    [
        ("MIT", True),
        ("LGPL-2.1", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0", False),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", False),
        ("CC-BY-NC-4.0", False),
        ("Free for non-commercial use", False),
    ],
)
def test_licences_that_bind_or_exclude_are_told(told: str, free: bool) -> None:
    assert bool(REFUSED.search(told)) is not free


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_no_release_with_a_known_fault_is_installed(name: str) -> None:
    installed = tree().get(name)
    if installed is None:
        pytest.skip("not installed")
    reached = [fault for fault, bad in FAULTS[name].items() if Version(installed.version) in SpecifierSet(bad)]
    assert reached == [], f"{name} {installed.version}: upgrade it"


def test_what_is_asked_for_leaves_out_releases_with_known_faults() -> None:
    for text in distribution("manymesh").requires or []:
        wanted = Requirement(text)
        lowest = [Version(one.version) for one in wanted.specifier if one.operator == ">="]
        for fault, bad in FAULTS.get(canonical(wanted.name), {}).items():
            assert lowest, f"{wanted.name} has no lower bound"
            assert not any(version in SpecifierSet(bad) for version in lowest), f"{wanted}: {fault}"

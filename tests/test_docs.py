"""Docs that cannot rot: what they state is compared with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from manymesh import errors
from manymesh.run.manifest import Manifest
from manymesh.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def test_the_published_schema_is_the_manifests() -> None:
    published = json.loads((ROOT / "docs" / "run.schema.json").read_text())
    assert published == Manifest.model_json_schema(), "run: python -m manymesh.dev.schema > docs/run.schema.json"


def test_a_real_manifest_satisfies_the_published_schema(tmp_path: Path, photo_path: Path) -> None:
    import jsonschema

    import manymesh

    run = manymesh.make(photo_path, out=tmp_path, engine="lite", faces=500, texture_size=64)
    schema = json.loads((ROOT / "docs" / "run.schema.json").read_text())
    jsonschema.validate(json.loads((run.folder / "run.json").read_text()), schema)


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    rows = {int(code): names for code, names in re.findall(r"^\| (\d+) \| ([^|]*)\|", page, re.MULTILINE)}
    kinds = [errors.ManymeshError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    for kind in kinds[1:]:
        assert kind.exit_code in rows, kind
        if kind is not errors.DamagedMeshError:
            assert f"`{kind('').code}`" in rows[kind.exit_code]


def test_every_setting_is_in_the_command_lines_table() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        assert f"--{str(extra.get('flag', name)).replace('_', '-')}" in page


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target

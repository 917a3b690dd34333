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


# A page may name files that its reader makes: adding-an-engine.md's example, results of a command.
OF_THE_READER = {"src/manymesh/shape/box.py", "run.json", "report.json", "paint.json", "tokenizer.json"}


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    if page.name in ("CHANGELOG.md", "log.md"):
        pytest.skip("these name files of their time")
    source = ROOT / "src" / "manymesh"
    places = [ROOT, ROOT / "docs", source, *(path for path in source.rglob("*") if path.is_dir())]
    for name in set(re.findall(r"`([\w./-]+\.(?:py|js|json|md|toml))`", page.read_text())) - OF_THE_READER:
        assert any((place / name).is_file() for place in places), name


def test_every_room_is_in_the_readmes_tree_and_in_the_architecture() -> None:
    rooms = {p.parent.name for p in (ROOT / "src" / "manymesh").glob("*/__init__.py")}
    assert "runner" in rooms
    tree = (ROOT / "README.md").read_text().split("## The files")[1].split("```")[1]
    named = set(re.findall(r"^  (\w+(?:\.py|/))", tree, re.MULTILINE))
    assert {f"{room}/" for room in rooms} <= named
    for name in named:
        assert (ROOT / "src" / "manymesh" / name).exists(), name
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## Rooms")[1].split("## Decisions")[0]
    assert not [room for room in rooms if f"`{room}/`" not in table]

"""Making the networks needs a small part of manymesh; only what measures the product may call the product."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What the renderer, the scenes and the networks share with the product.
CONTRACT = {
    "manymesh.shape.learned.contract",
    "manymesh.render.camera",
    "manymesh.render.raster",
    "manymesh.types",
    "manymesh.errors",
}
# These run the product on pictures, to measure or to show it, or write the files that it reads.
MEASURING = {
    "answers.py", "benchmarks/paint_unseen.py", "draw.py", "evaluate.py", "export.py", "segmentation/export.py",
    "measure.py", "recut.py", "sheet.py",
}  # fmt: skip


def test_only_what_measures_the_product_imports_more_than_the_contract() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("tests/", ".")) or name in MEASURING:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("manymesh"):
                taken = {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
                if not taken & CONTRACT:
                    found.setdefault(name, set()).add(node.module or "")
    assert not found

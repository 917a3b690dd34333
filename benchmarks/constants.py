"""Other values for the constants of the learned shape stage, for one measurement."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Sequence


def set_constants(items: Sequence[str]) -> None:
    """``MODULE.NAME=VALUE`` each; modules of ``manymesh.shape.learned``, values as Python literals."""
    for item in items:
        place, _, value = item.partition("=")
        module_name, _, name = place.partition(".")
        module = importlib.import_module(f"manymesh.shape.learned.{module_name}")
        if not hasattr(module, name):
            raise SystemExit(f"manymesh.shape.learned.{module_name} has no constant {name}")
        setattr(module, name, ast.literal_eval(value))

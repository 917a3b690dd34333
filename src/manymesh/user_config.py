"""What manymesh remembers between runs: small tables of text in the user's configuration folder."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def config_dir() -> Path:
    """Where manymesh keeps what it should remember about its user: MANYMESH_CONFIG, or the system's usual place."""
    if explicit := os.environ.get("MANYMESH_CONFIG"):
        return Path(explicit).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "manymesh"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "manymesh"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config").expanduser() / "manymesh"


def read_notes(name: str) -> dict[str, str]:
    """A small table in the user's configuration folder; empty when absent or unreadable."""
    try:
        table = json.loads((config_dir() / name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in table.items()} if isinstance(table, dict) else {}


def write_notes(name: str, table: dict[str, str]) -> None:
    """Replace such a table in one step, so that a crash leaves the old or the new one."""
    path = config_dir() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{name}.{os.getpid()}.part")
    draft.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", "utf-8")
    draft.replace(path)

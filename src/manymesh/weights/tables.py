"""JSON and YAML files that come with weights: bounded in size, and every fault of theirs a ``WeightsError``."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from manymesh.errors import WeightsError

# The largest of such files, a tokenizer's excepted, is the index of a sharded model with some 200 kB.
MAX_JSON_BYTES = 16 * 1024**2
# Real ones have 5 kB. PyYAML reads about 250 kB in a second.
MAX_YAML_BYTES = 256 * 1024
_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"


def read_json_table(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        WeightsError: absent, too large, damaged, nested too deeply, or no object.
    """
    data = _read(path, MAX_JSON_BYTES)
    try:
        table = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None
    return _checked(path, table)


def read_yaml_table(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises as ``read_json_table``."""
    import yaml

    data = _read(path, MAX_YAML_BYTES)
    try:
        table = yaml.safe_load(data.decode("utf-8"))
    # ValueError: a date that does not exist, a number of thousands of digits; TypeError: a key that cannot be hashed
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise _unreadable(path, error) from None
    return _checked(path, table)


def read_text(path: Path, most_bytes: int) -> str:
    """A text file in UTF-8.

    Raises:
        WeightsError: absent, larger than ``most_bytes``, or no UTF-8.
    """
    try:
        return _read(path, most_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(path, error) from None


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise WeightsError(f"{path} is not a file", _AGAIN)
        if status.st_size > most_bytes:
            raise WeightsError(f"{path} has {status.st_size} bytes; the limit is {most_bytes}", _AGAIN)
        return path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"{path.name} is not in {path.parent}", _AGAIN) from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}", _AGAIN) from None


def _checked(path: Path, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise WeightsError(f"{path} holds no table of settings", _AGAIN)
    return table


def _unreadable(path: Path, error: Exception) -> WeightsError:
    lines = str(error).splitlines()
    what = (
        "it is nested too deeply" if isinstance(error, RecursionError) else lines[0] if lines else type(error).__name__
    )
    return WeightsError(f"{path} cannot be read: {what}", _AGAIN)

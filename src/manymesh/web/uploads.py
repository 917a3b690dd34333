"""Which file a request may name: one that was uploaded here, and no other file of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from manymesh.errors import InputError


def uploaded_path(given: Any, folders: Sequence[Path]) -> Path:
    """The file of an upload, as Gradio describes it: a path, or a mapping with ``path``.

    Args:
        given: what came in the request.
        folders: where uploads are kept. A path outside of them is refused, whatever it leads to.

    Raises:
        InputError: nothing was uploaded, or the path is not an upload's.
    """
    text = given.get("path") if isinstance(given, Mapping) else given
    if not isinstance(text, str) or not text:
        raise InputError("No photo was given", "Choose, paste or take one first.")
    path = Path(text).resolve()
    if not any(path.is_relative_to(folder.resolve()) for folder in folders) or not path.is_file():
        raise InputError("The photo is not one that was uploaded here", "Upload it again.")
    return path

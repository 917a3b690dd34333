"""Names that are safe as files and folders, and the seed of each object."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_LENGTH = 40
MAX_LABEL = 200
_WINDOWS_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def slug(text: str, fallback: str = "object") -> str:
    """``text`` as a path component that every system takes: a-z, 0-9 and single hyphens, at most 40 of them."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    clean = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:MAX_LENGTH].strip("-")
    return f"{fallback}-{clean}" if _WINDOWS_RESERVED.fullmatch(clean) else clean or fallback


def clean_name(text: str, longest: int = MAX_LABEL) -> str:
    """A label that any JSON, XML, text file or terminal can hold: valid Unicode, no control characters, not long."""
    valid = text.encode("utf-8", "replace").decode("utf-8")
    kept = "".join(c if not c.isspace() else " " for c in valid if unicodedata.category(c)[0] != "C" or c.isspace())
    return " ".join(kept.split())[:longest].strip() or "object"


def object_seed(run_seed: int, index: int) -> int:
    """The seed of object ``index`` (1-based), 0..2**32-1. It depends on these two alone, so object 3 is the same
    whether or not object 2 was asked for."""
    digest = hashlib.sha256(f"{run_seed}/{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")

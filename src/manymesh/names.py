"""Labels as names of files and folders."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 40
_WINDOWS_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def slug(text: str, fallback: str = "object") -> str:
    """``text`` as a path component that every system takes: a-z, 0-9 and single hyphens, at most 40 of them."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    clean = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:MAX_LENGTH].strip("-")
    return f"{fallback}-{clean}" if _WINDOWS_RESERVED.fullmatch(clean) else clean or fallback

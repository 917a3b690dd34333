"""``parse_boxes``: a model's reply, whatever it looks like, to detections."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from manymesh.detect.postprocess import drop_duplicates
from manymesh.detect.reply.find import find_boxes
from manymesh.detect.reply.scale import to_pixels
from manymesh.types import Detection

MOST_CHARACTERS = 65_536
MOST_BOXES = 1_024
LONGEST_LABEL = 64
_NAMELESS = "object"
_DIRECTION_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def parse_boxes(text: str, width: int, height: int, names: Sequence[str] | None = None) -> list[Detection]:
    """The boxes in a vision language model's reply, in the reply's order.

    The reply is untrusted: it is read as data, at most its first 65,536 characters, in time linear in them; nothing
    in it can raise, be evaluated or make more than 1,024 detections. Fences, prose, cut lists, single quotes, odd
    keys, quoted numbers, inverted or overshooting boxes and endless repeats are all survived.

    Args:
        text: the reply, as decoded (special tokens may be in it).
        width: the photo's width in pixels. Qwen3-VL's numbers are thousandths of the picture's sides.
        height: the photo's height in pixels.
        names: what was asked for. A box without a name gets the only one of them, else "object".

    Returns:
        Detections with pixel boxes inside the photo, at least 8 px on each side, none nearly equal to one before it
        (overlap 0.95, or 0.85 under the same name). Labels are plain text of at most 64 characters: never a path.
    """
    if not isinstance(text, str):
        return []
    found = find_boxes(_answer(text[:MOST_CHARACTERS]))
    boxes = to_pixels([f.numbers for f in found], width, height)
    wanted = [name for name in (names or ()) if name.strip()]
    fallback = wanted[0] if len(wanted) == 1 else _NAMELESS
    detections = [
        Detection(box, clean_label(f.label or "") or fallback)
        for f, box in zip(found, boxes, strict=True)
        if box is not None
    ]
    return drop_duplicates(detections, limit=MOST_BOXES)


def clean_label(text: str) -> str:
    """One line of at most 64 characters that can be shown and stored: no controls, no lone surrogates."""
    joined = text[: 16 * LONGEST_LABEL].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    visible = "".join(" " if unicodedata.category(c) == "Cc" or c in _DIRECTION_CONTROLS else c for c in joined)
    return " ".join(visible.split())[:LONGEST_LABEL].strip()


def _answer(text: str) -> str:
    """What follows the reasoning, with HTML-quoted quotes made plain. Reasoning that never ends means no answer."""
    end = re.search(r"</think(?:ing)?>", text, re.IGNORECASE)
    if end:
        text = text[end.end() :]
    elif text.lstrip()[:6].lower() == "<think":
        return ""
    return text.replace("&quot;", '"').replace("&#34;", '"').replace("&#39;", "'").replace("&apos;", "'")

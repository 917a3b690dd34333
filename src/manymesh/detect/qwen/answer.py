"""What an answer of Qwen3-VL amounts to while it is written: complete, repeating itself, or saying nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

COMPLETE = "complete"
REPEATING = "repeating"
_OBJECT = re.compile(r"\{[^{}]*\}")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# The same JSON object this many times means that the model repeats itself. Chosen by hand; not measured.
_SAME_OBJECT = 3
# So do this many last characters made of one piece of at most `_LONGEST_PERIOD`. Chosen by hand; not measured.
_REPEATING_CHARACTERS = 160
_LONGEST_PERIOD = 60
# Characters of prose after a closed list from which the list is taken to be the last. Chosen by hand; not measured.
_PROSE_AFTER = 40
# One token this many times in a row is no word of any language. Chosen by hand; not measured.
_SAME_TOKEN = 8


def verdict(text: str) -> str | None:
    """ "complete", "repeating" or None for a reply so far."""
    if is_repeating(text):
        return REPEATING
    return COMPLETE if is_complete(text) else None


def is_repeating(text: str) -> bool:
    """The same object for the third time, or a tail of one short piece over and over (digits, blanks, brackets)."""
    counts: dict[str, int] = {}
    for match in _OBJECT.finditer(text):
        key = "".join(match.group().split())
        counts[key] = counts.get(key, 0) + 1
        if counts[key] >= _SAME_OBJECT and any(c.isdigit() for c in key):
            return True
    tail = text[-_REPEATING_CHARACTERS:]
    if len(tail) < _REPEATING_CHARACTERS:
        return False
    return any(tail[period:] == tail[:-period] for period in range(1, _LONGEST_PERIOD + 1))


def is_complete(text: str) -> bool:
    """The list's last bracket is closed, and a closing fence or a stretch of prose follows.

    A closed bracket alone is not enough: some replies are one list for each name.
    """
    bare = _STRING.sub('""', text)
    depth, last = 0, -1
    for at, c in enumerate(bare):
        if c in "[{":
            depth += 1
        elif c in "]}":
            depth = max(depth - 1, 0)
            last = at if depth == 0 else -1
    if depth or last < 0:
        return False
    after = bare[last + 1 :]
    return "```" in after or len(after.strip()) >= _PROSE_AFTER


def says_nothing(tokens: Sequence[int], text: str) -> bool:
    """Whether an answer is no token at all, or one token alone or over and over: a sign of numbers out of range.

    A single word is an answer, and so is an empty list.

    Args:
        tokens: the answer's, without the end token.
        text: the same as text.
    """
    if len(set(tokens)) > 1:
        return False
    plain = text.partition("<|")[0]
    return len(tokens) >= _SAME_TOKEN or not any(c.isalnum() or c in "[{" for c in plain)

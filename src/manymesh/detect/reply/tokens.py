"""Text to tokens: the tolerant end of a JSON-like reader.

Understands what language models write instead of JSON: single, curly and full-width quotes, quotes inside strings,
quotes that never close, ``//`` comments, fences, tags and words without quotes. One pass; no character is looked at
more than a fixed number of times.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

MARKS = {"{": "{", "}": "}", "[": "[", "]": "]", "(": "(", ")": ")", ",": ",", ":": ":"}
_SAME_AS = str.maketrans({"【": "[", "】": "]", "、": ",", ";": ",", "；": ",", "=": ":"})
_DOUBLE, _SINGLE = '"“”„‟＂', "'‘’‚‛＇"
_QUOTES = _DOUBLE + _SINGLE
_AFTER_STRING = frozenset(",:]}){[`</;=" + _QUOTES)
_TAG = re.compile(r"</?[A-Za-z_][\w-]{0,32}\s?/?>")
_WORD = re.compile(r"[^\s{}\[\](),:;=<>`\"“”„‟＂'‘’‚‛＇｛｝［］（），：；＝【】、]+")
_WORD_THEN_COLON = re.compile(r"\s*[\w-]{1,40}\s*:")
_KEY_THEN_QUOTE = re.compile(rf"[\w .-]{{1,40}}[{_QUOTES}]\s{{0,8}}[:：]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " ", "0": " "}
_LOOKAHEAD = 80
_LONGEST_REREAD = 200  # characters that may be read a second time after a lost quote; keeps the whole linear


class Token(NamedTuple):
    """One token. ``kind`` is a mark itself, ``"string"`` or ``"word"``.

    ``whole`` is False where the text ends inside the token: a string without its closing quote, or a word (a
    number, say) that may have had more to come.
    """

    kind: str
    text: str = ""
    whole: bool = True


def tokenize(text: str) -> list[Token]:
    """All tokens of ``text`` in order. Never raises."""
    tokens: list[Token] = []
    at, end = 0, len(text)
    while at < end:
        c = text[at]
        if c.isspace() or c in "`\\":
            at += 2 if c == "\\" and text[at + 1 : at + 2] in ("n", "r", "t") else 1
            continue
        mark = MARKS.get(_plain(c))
        if mark:
            tokens.append(Token(mark))
            at += 1
        elif text.startswith("//", at) and not (at and text[at - 1] == ":"):
            newline = text.find("\n", at)
            at = end if newline < 0 else newline
        elif c == "<" and (tag := _TAG.match(text, at)):
            at = tag.end()
        elif c in _QUOTES:
            at = _read_string(text, at, tokens)
        else:
            at = _read_word(text, at, tokens)
    return tokens


def _plain(c: str) -> str:
    """The ASCII form of a full-width or look-alike mark."""
    if "！" <= c <= "～":
        c = chr(ord(c) - 0xFEE0)
    return c.translate(_SAME_AS)


def _read_word(text: str, at: int, tokens: list[Token]) -> int:
    match = _WORD.match(text, at)
    if not match:
        return at + 1
    word = match.group()
    comment = word.find("//")
    if comment > 0:
        word = word[:comment]
    stop = at + len(word)
    tokens.append(Token("word", unicodedata.normalize("NFKC", word), stop < len(text)))
    return stop


def _read_string(text: str, at: int, tokens: list[Token]) -> int:
    """Append the string that opens at ``at`` and return where to go on; a quote that opens nothing is skipped."""
    before = text[at - 1] if at else " "
    if before.isalnum() or before == "_":
        return at + 1  # an apostrophe, an inch mark, or the closing half of a pair whose opening half was lost
    family = _DOUBLE if text[at] in _DOUBLE else _SINGLE
    escaped_opener = before == "\\"
    parts: list[str] = []
    i, end = at + 1, len(text)
    while i < end:
        c = text[i]
        if c == "\\":
            if escaped_opener and i + 1 < end and text[i + 1] in family:
                tokens.append(Token("string", "".join(parts)))
                return i + 2
            i = _read_escape(text, i, parts)
            continue
        if c in family and (c == text[at] or text[at] not in "\"'" or _ends_value(text, i + 1)):
            verdict = _closing(text, i, family)
            if verdict == "opens another" and i - at > _LONGEST_REREAD:
                verdict = "close"
            if verdict == "close":
                tokens.append(Token("string", "".join(parts)))
                return i + 1
            if verdict == "opens another":
                return at + 1  # our own closing quote was lost: read what we took for a string as words
        parts.append(c)
        i += 1
    content = "".join(parts)
    if ("{" in content or "[" in content) and not any(token.kind == "unclosed" for token in tokens):
        # The same: but only once for the rest of the text, or quotes by the thousand would each read it all again.
        tokens.append(Token("unclosed"))
        return at + 1
    tokens.append(Token("string", content, False))
    return end


def _closing(text: str, at: int, family: str) -> str:
    """What the quote at ``at`` does to the string before it: "close" it, belong to it, or "opens another"."""
    if _KEY_THEN_QUOTE.match(text, at + 1) and text[max(0, at - 8) : at].rstrip()[-1:] in ("", ",", "{", "["):
        return "opens another"
    if _ends_value(text, at + 1):
        return "close"
    if text[at - 1].isalnum() and text[at + 1].isalnum():
        return "belongs"
    if _WORD_THEN_COLON.match(text, at + 1, at + 1 + _LOOKAHEAD):
        return "close"
    for i in range(at + 1, min(at + 1 + _LOOKAHEAD, len(text))):
        if text[i] in "\n{}[]":
            break
        if text[i] in family and _ends_value(text, i + 1):
            return "close" if _plain(text[i + 1 : i + 2] or ",") == ":" else "belongs"
    return "close"


def _ends_value(text: str, at: int) -> bool:
    """Does what follows a quote look like the end of a value (or of the text)?"""
    stop = min(at + _LOOKAHEAD, len(text))
    while at < stop and text[at].isspace():
        at += 1
    return at >= stop or text[at] == "\\" or _plain(text[at]) in _AFTER_STRING


def _read_escape(text: str, at: int, parts: list[str]) -> int:
    """Append the character that a backslash at ``at`` stands for; returns where to go on."""
    kind = text[at + 1 : at + 2]
    digits = {"u": 4, "x": 2}.get(kind, 0)
    if digits:
        code = text[at + 2 : at + 2 + digits]
        if len(code) == digits and all(d in "0123456789abcdefABCDEF" for d in code):
            parts.append(chr(int(code, 16)))
            return at + 2 + digits
    parts.append(_ESCAPES.get(kind, kind))
    return at + 2

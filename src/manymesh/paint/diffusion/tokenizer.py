"""CLIP's tokenizer (Radford et al. 2021): text to numbers, by byte pairs (Sennrich et al. 2016)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from manymesh.errors import WeightsError
from manymesh.weights.tables import MAX_JSON_BYTES, read_json_table, read_text

# Endings that are words of their own.
_ENDINGS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
# Marks the last piece of a word.
_WORD_END = "</w>"
_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")


class Tokenizer:
    """
    Args:
        folder: holds ``vocab.json``, ``merges.txt`` and ``tokenizer_config.json`` or ``special_tokens_map.json``.

    Raises:
        WeightsError: one of them is missing or not understood.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers: Mapping[str, int] = read_json_table(folder / "vocab.json")
        special = read_json_table(folder / "special_tokens_map.json")
        more = read_json_table(folder / "tokenizer_config.json")
        special |= {key: value for key, value in more.items() if key in _SPECIAL}
        self.start, self.end, self.filler = (self._number(special, name) for name in _SPECIAL[:3])
        self.unknown = self._number(special, "unk_token") if special.get("unk_token") else self.end
        # Where a text has one of these it stands for its number. The filler of Stable Diffusion 2 is "!".
        names = {number: word for word, number in self.numbers.items()}
        self.special = {names[number]: number for number in (self.start, self.end, self.filler, self.unknown)}

    def __call__(self, text: str, length: int) -> list[int]:
        """``length`` numbers: start, text, end, and the filler. Of a longer text the rest is left out."""
        pattern = "|".join(re.escape(word) for word in sorted(self.special, key=len, reverse=True))
        found: list[int] = []
        for part in re.split(f"({pattern})", text):
            if part in self.special:
                found.append(self.special[part])
            else:
                found += [number for word in words(part) for number in self._pieces(word)]
        found = [self.start, *found[: length - 2], self.end]
        return found + [self.filler] * (length - len(found))

    @cached_property
    def ranks(self) -> dict[tuple[str, str], int]:
        """Pairs of pieces that are joined; those of a lower rank first."""
        lines = read_text(self.folder / "merges.txt", MAX_JSON_BYTES).splitlines()
        pairs = [tuple(line.split()) for line in lines if not line.startswith("#version")]
        return {(pair[0], pair[1]): rank for rank, pair in enumerate(pairs) if len(pair) == 2}

    def _pieces(self, word: str) -> Iterator[int]:
        """The numbers of one word: its bytes, joined for as long as there is a pair to join."""
        symbols = [_BYTES[byte] for byte in word.encode("utf-8")]
        symbols[-1] += _WORD_END
        while len(symbols) > 1:
            pairs = list(pairwise(symbols))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            symbols = list(_joined(symbols, best))
        for symbol in symbols:
            yield int(self.numbers.get(symbol, self.unknown))

    def _number(self, special: Mapping[str, object], name: str) -> int:
        token = special.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if text not in self.numbers:
            raise WeightsError(f"{self.folder} has no {name}", "Fetch it again: manymesh models pull")
        return int(self.numbers[text])  # type: ignore[index]


def words(text: str) -> Iterator[str]:
    """The words of a text in small letters: runs of letters, single digits, runs of anything else but spaces."""
    text = " ".join(unicodedata.normalize("NFC", text).split()).lower()
    start = 0
    while start < len(text):
        ending = next((ending for ending in _ENDINGS if text.startswith(ending, start)), None)
        if ending is not None:
            yield ending
            start += len(ending)
            continue
        kind, stop = _kind(text[start]), start + 1
        while kind != "N" and stop < len(text) and _kind(text[stop]) == kind:
            stop += 1
        if kind != "Z":
            yield text[start:stop]
        start = stop


def _kind(character: str) -> str:
    """L for a letter, N for a digit, Z for a space, S for anything else."""
    if character.isspace():
        return "Z"
    kind = unicodedata.category(character)[0]
    return kind if kind in "LN" else "S"


def _joined(symbols: list[str], pair: tuple[str, str]) -> Iterator[str]:
    """The symbols with every occurrence of a pair made one, from the left."""
    at = 0
    while at < len(symbols):
        if tuple(symbols[at : at + 2]) == pair:
            yield pair[0] + pair[1]
            at += 2
        else:
            yield symbols[at]
            at += 1


def _byte_letters() -> dict[int, str]:
    """A letter that can be seen for each byte: itself where that is one, else one from U+0100 on, in order."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(others)}


_BYTES = _byte_letters()

"""Tokens to a nest of objects and lists, whatever brackets are missing, crossed or left over."""

from __future__ import annotations

from dataclasses import dataclass, field

from manymesh.detect.reply.tokens import Token

MAX_DEPTH = 12
_CLOSER = {"{": "}", "[": "]", "(": ")"}


@dataclass
class Atom:
    """A string or a word. ``whole`` is False where the text ended inside it."""

    text: str
    quoted: bool
    whole: bool = True


@dataclass
class Node:
    """An object (``kind`` "{") or a list ("[" or "("; the whole text is a list too).

    ``items`` are in order: a pair's key and value, or None and a value. ``closed`` says that its own bracket was met.
    """

    kind: str
    items: list[tuple[Atom | None, Atom | Node]] = field(default_factory=list)
    closed: bool = False
    pairs_from: int = 0

    def add(self, key: Atom | None, value: Atom | Node) -> None:
        self.items.append((key, value))

    @property
    def values(self) -> list[Atom | Node]:
        return [value for key, value in self.items if key is None]

    @property
    def is_numbers(self) -> bool:
        """A list of nothing but words and strings, at least one."""
        return self.kind != "{" and bool(self.items) and all(k is None and isinstance(v, Atom) for k, v in self.items)

    def fold_pairs(self) -> None:
        """Pairs that stand in a list belong to an object whose opening brace was lost: give it back to them."""
        if self.kind == "{":
            return
        fresh = self.items[self.pairs_from :]
        pairs = [item for item in fresh if item[0] is not None]
        if pairs:
            folded = Node("{", pairs, closed=True)
            self.items[self.pairs_from :] = [item for item in fresh if item[0] is None]
            self.items.append((None, folded))
        self.pairs_from = len(self.items)


def build(tokens: list[Token]) -> Node:
    """The nest. Content deeper than ``MAX_DEPTH`` is left out."""
    return _Builder(tokens).run()


class _Builder:
    """The stack of open brackets while the tokens go by."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = [token for token in tokens if token.kind != "unclosed"]
        self.root = Node("[")
        self.stack = [self.root]
        self.keys: list[Atom | None] = [None]  # the key that waits for its value, one for each open bracket
        self.too_deep = 0

    def run(self) -> Node:
        for index, token in enumerate(self.tokens):
            if token.kind in _CLOSER:
                self._open(token.kind)
            elif token.kind in "}])":
                self._close(token.kind, index)
            elif self.too_deep or token.kind == ",":
                continue
            elif token.kind == ":":
                self._take_key()
            elif not self._continues_a_name(token, index):
                self._put(Atom(token.text, token.kind == "string", token.whole))
        while len(self.stack) > 1:
            self._pop(closed=False)
        self.root.fold_pairs()
        return self.root

    def _continues_a_name(self, token: Token, index: int) -> bool:
        """A name of several words without quotes: ``label: red cup``."""
        if token.kind != "word" or self.tokens[index - 1].kind != "word" or not self.stack[-1].items:
            return False
        key, value = self.stack[-1].items[-1]
        if key is None or not isinstance(value, Atom) or value.quoted or len(value.text) > 64:
            return False
        if [following.kind for following in self.tokens[index + 1 : index + 2]] == [":"]:
            return False
        value.text, value.whole = f"{value.text} {token.text}", token.whole
        return True

    def _put(self, value: Atom | Node) -> None:
        self.stack[-1].add(self.keys[-1], value)
        self.keys[-1] = None

    def _take_key(self) -> None:
        """The value just before a colon was a key. In a list only a quoted one: prose is full of colons."""
        top = self.stack[-1]
        if not top.items or self.keys[-1] is not None or len(top.items) <= top.pairs_from:
            return
        key, value = top.items[-1]
        if key is None and isinstance(value, Atom) and (top.kind == "{" or value.quoted):
            top.items.pop()
            self.keys[-1] = value

    def _open(self, kind: str) -> None:
        if self.too_deep:
            self.too_deep += 1
            return
        if kind == "{" and self.keys[-1] is None:
            if self.stack[-1].kind == "{" and self.stack[-1].items:
                self._pop(closed=False)  # the brace before was never closed
            self.stack[-1].fold_pairs()
        if len(self.stack) > MAX_DEPTH:
            self.too_deep = 1
            return
        node = Node(kind)
        self._put(node)
        self.stack.append(node)
        self.keys.append(None)

    def _pop(self, closed: bool) -> None:
        node = self.stack.pop()
        self.keys.pop()
        node.closed = closed
        node.fold_pairs()

    def _close(self, mark: str, index: int) -> None:
        if self.too_deep:
            self.too_deep -= 1
            return
        top = self.stack[-1]
        if len(self.stack) > 1 and _CLOSER[top.kind] == mark:
            self._pop(closed=True)
            return
        if mark != "}" and len(self.stack) > 1 and top.is_numbers:
            self._pop(closed=True)  # [1, 2, 3, 4) is a list, only carelessly closed
            return
        if mark != "}" and top.kind == "{" and self._goes_on_with_a_pair(index):
            return  # one bracket too many inside an object
        depth = next((d for d in range(len(self.stack) - 1, 0, -1) if _CLOSER[self.stack[d].kind] == mark), 0)
        if depth:
            while len(self.stack) > depth + 1:
                self._pop(closed=False)
            self._pop(closed=True)
        elif mark == "}":
            top.fold_pairs()

    def _goes_on_with_a_pair(self, index: int) -> bool:
        following = [token.kind for token in self.tokens[index + 1 : index + 4]]
        return following in ([",", "string", ":"], [",", "word", ":"])

"""Boxes in the tree of a reply: which lists of numbers are boxes, and which names belong to them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from manymesh.detect.reply.tokens import tokenize
from manymesh.detect.reply.tree import Atom, Node, build

BOX_KEYS = frozenset(
    (
        *("bbox_2d", "bbox2d", "bbox", "box_2d", "box2d", "box", "bounding_box"),
        *("bboxes", "boxes", "bounding_boxes", "coordinates"),
    )
)
LABEL_KEYS = frozenset(
    ("label", "name", "class", "category", "object", "object_name", "class_name", "category_name"),
)
WRAPPER_KEYS = frozenset(
    ("objects", "detections", "results", "result", "data", "items", "annotations", "answer", "instances"),
)
CORNER_KEYS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
MAX_NUMERAL = 12
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FOUR_IN_TEXT = re.compile(
    r"[\s\[(]*([^\s,\[\]()]+)[\s,]+([^\s,\[\]()]+)[\s,\])(\[]+([^\s,\[\]()]+)[\s,]+([^\s,\[\]()]+)[\s\])]*"
)
_REF = re.compile(r"<\|(object_ref_start|object_ref_end|box_start|box_end)\|>")

Numbers = tuple[float, float, float, float]


@dataclass(frozen=True)
class Found:
    """Four numbers x1, y1, x2, y2 on whatever scale the reply uses, and the name beside them (None: it had none)."""

    numbers: Numbers
    label: str | None


def find_boxes(text: str) -> list[Found]:
    """Every box in the text, in the order of the reply: objects first; only without any, looser notations."""
    root = build(tokenize(_without_specials(text)))
    for attempt in (_in_objects, _in_quoted_reply):
        if found := attempt(root):
            return found
    return _in_special_tokens(text) or _in_bare_lists(root) or _in_point_pairs(root)


def _without_specials(text: str) -> str:
    return re.sub(r"<\|[^|<>]{0,64}\|>", " ", text)


def _in_objects(root: Node) -> list[Found]:
    found: list[Found] = []
    for value in root.values:
        if isinstance(value, Node):
            found.extend(_of_node(value, None))
    return found


def _in_quoted_reply(root: Node) -> list[Found]:
    """The whole reply may have been put in quotes once more."""
    for value in root.values:
        quoted = isinstance(value, Atom) and value.quoted and "{" in value.text and "[" in value.text
        if quoted and isinstance(value, Atom) and (found := _in_objects(build(tokenize(value.text)))):
            return found
    return []


def _of_node(node: Node, label: str | None) -> Iterator[Found]:
    """Boxes of an object, or of the objects in a list."""
    if node.kind != "{":
        for key, value in node.items:
            if key is None and isinstance(value, Node):
                yield from _of_node(value, label)
        return
    yield from _of_object(node, label)
    for value in node.values:
        if isinstance(value, Node):
            yield from _of_node(value, label)


def _of_object(node: Node, label: str | None) -> Iterator[Found]:
    pairs = [(_key(key), key.text, value) for key, value in node.items if key is not None]
    labels = [_label(value) for key, _, value in pairs if key in LABEL_KEYS and not _is_nest(value)]
    boxes = [value for key, _, value in pairs if key in BOX_KEYS]

    def label_of(i: int) -> str | None:
        own = labels[i] if i < len(labels) else None
        return own if own is not None else label

    if boxes:
        for i, value in enumerate(boxes):
            yield from _of_box_value(value, label_of(i))
        return
    corners = list(_named_corners([(key, value) for key, _, value in pairs]))
    if corners:
        for i, numbers in enumerate(corners):
            yield Found(numbers, label_of(i))
        return
    own = next((name for name in labels if name is not None), None)
    for key, written, value in pairs:
        if key.endswith("3d"):
            continue
        if key in WRAPPER_KEYS:
            yield from _of_box_value(value, label if own is None else own)
        elif _holds_boxes(value):
            nameless = own is None and key not in LABEL_KEYS
            yield from _of_box_value(value, written if nameless else own)


def _is_nest(value: Atom | Node) -> bool:
    """Whether a value is an object or a list, not a name. A list of one name counts as a name."""
    return isinstance(value, Node) and _label(value) is None


def _holds_boxes(value: Atom | Node) -> bool:
    """Whether a value may be a box, or contain boxes: an object, a list, or four numbers in quotes."""
    return isinstance(value, Node) or _four_in_string(value) is not None


def _of_box_value(value: Atom | Node, label: str | None) -> Iterator[Found]:
    if isinstance(value, Atom):
        numbers = _four_in_string(value)
        if numbers:
            yield Found(numbers, label)
    elif value.kind == "{":
        yield from _of_node(value, label)
    elif value.is_numbers and _number(value.values[0]) is not None:
        numbers = _four(value)
        if numbers:
            yield Found(numbers, label)
    elif (points := _two_points(value)) is not None:
        yield Found(points, label)
    else:
        for item in value.values:
            yield from _of_box_value(item, label)


def _four(node: Node) -> Numbers | None:
    """The numbers of a closed list of exactly four."""
    if not node.closed or node.kind == "{" or len(node.items) != 4 or not node.is_numbers:
        return None
    return _finite([_number(value) for value in node.values])


def _finite(numbers: list[float | None]) -> Numbers | None:
    if len(numbers) != 4 or any(n is None or not math.isfinite(n) for n in numbers):
        return None
    a, b, c, d = (float(n) for n in numbers if n is not None)
    return a, b, c, d


def _number(value: Atom | Node) -> float | None:
    """The number that a word or a string spells. None where it is no number, is cut off, or has more than
    ``MAX_NUMERAL`` characters."""
    if not isinstance(value, Atom) or not value.whole:
        return None
    text = unicodedata.normalize("NFKC", value.text[: 4 * MAX_NUMERAL]).strip() if value.quoted else value.text
    if len(text) > MAX_NUMERAL or not _NUMBER.fullmatch(text):
        return None
    return float(text)


def _four_in_string(value: Atom) -> Numbers | None:
    """A whole box in quotes: "500, 20, 700, 400", with or without brackets."""
    if not value.quoted or not value.whole or len(value.text) > 100:
        return None
    match = _FOUR_IN_TEXT.fullmatch(value.text)
    return _finite([_number(Atom(part, False)) for part in match.groups()]) if match else None


def _point(value: Atom | Node) -> list[float | None] | None:
    """x and y of a closed two-number list or of an object with x and y."""
    if not isinstance(value, Node) or not value.closed:
        return None
    if value.kind == "{":
        named = {_key(key): item for key, item in value.items if key is not None}
        return [_number(named["x"]), _number(named["y"])] if set(named) == {"x", "y"} else None
    return [_number(item) for item in value.values] if value.is_numbers and len(value.items) == 2 else None


def _two_points(node: Node) -> Numbers | None:
    if not node.closed or len(node.items) != 2 or len(node.values) != 2:
        return None
    first, second = _point(node.values[0]), _point(node.values[1])
    return _finite(first + second) if first and second else None


def _named_corners(pairs: list[tuple[str, Atom | Node]]) -> Iterator[Numbers]:
    for names in CORNER_KEYS:
        columns = [[_number(value) for key, value in pairs if key == name] for name in names]
        for corner in zip(*columns, strict=False):
            numbers = _finite(list(corner))
            if numbers:
                yield numbers


def _in_special_tokens(text: str) -> list[Found]:
    """``<|object_ref_start|>cup<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|>``."""
    found: list[Found] = []
    label: str | None = None
    marks = list(_REF.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        inside = text[mark.end() : following.start() if following else len(text)]
        if mark.group(1) == "object_ref_start":
            label = inside if following and following.group(1) == "object_ref_end" else None
        elif mark.group(1) == "box_start":
            root = build(tokenize(_without_specials(inside) + " "))
            boxes = _in_bare_lists(root) or _in_point_pairs(root)
            found.extend(Found(box.numbers, label) for box in boxes)
    return found


def _lists(node: Node) -> Iterator[Node]:
    """Every list below a list, in order. Lists in objects are left out: ``_in_objects`` has looked at them."""
    for key, value in node.items:
        if key is None and isinstance(value, Node):
            if value.kind != "{":
                yield value
            yield from _lists(value)


def _in_bare_lists(root: Node) -> list[Found]:
    return [Found(numbers, None) for node in _lists(root) if (numbers := _four(node))]


def _in_point_pairs(root: Node) -> list[Found]:
    points = [point for node in _lists(root) if (point := _point(node))]
    pairs = zip(points[::2], points[1::2], strict=False)
    return [Found(numbers, None) for first, second in pairs if (numbers := _finite(first + second))]


def _key(key: Atom) -> str:
    return re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", key.text[:64]).strip().lower())


def _label(value: Atom | Node) -> str | None:
    """A name as written; None where it is cut off, empty or null. A list of one name is that name."""
    if isinstance(value, Node):
        only = value.values
        return _label(only[0]) if len(only) == 1 and isinstance(only[0], Atom) else None
    if not value.whole or (not value.quoted and value.text.lower() in ("none", "null", "nan", "undefined")):
        return None
    return value.text if value.text.strip() else None

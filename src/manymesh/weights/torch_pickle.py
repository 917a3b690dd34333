"""Files that ``torch.save`` wrote, read without torch and without pickle: tensors of float32 and nothing else.

Such a file is a zip of stored records (``torch_zip``) with a pickle program, ``data.pkl``, that says which part of
which record is which tensor. A pickle can call any function, so it is never given to Python's own reader. The small
machine here knows numbers, truth values, text, tuples, tables, storages and tensors, and the instructions that a table
of float32 tensors needs. Anything else is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.errors import WeightsError
from manymesh.types import F32
from manymesh.weights.torch_zip import RefusedError, Span, read_records

# The program of a model with 549 tensors has 75 kB.
MAX_PROGRAM_BYTES = 16 << 20
# A program notes each of its values under a number; that of 549 tensors needs some 4,000.
MAX_MEMO = 1 << 20
MAX_AXES = 8
MAX_LENGTH = 2**31 - 1
MAX_NUMBERS = 1 << 40
# Bytes of a float32, the only kind of number that is read.
ITEM_BYTES = 4

# The only names that a program may use. They are compared, never imported.
TABLE, STORAGE, REBUILD = (
    "collections OrderedDict",
    "torch FloatStorage",
    "torch._utils _rebuild_tensor_v2",
)
_NAMES = frozenset((TABLE, STORAGE, REBUILD))

_HINT = "Fetch it again, or give the weights as .safetensors"


def map_torch_file(path: Path) -> dict[str, F32]:
    """The tensors of a file that ``torch.save`` wrote from a table of float32 tensors.

    Returns:
        Read-only float32 arrays that lie in the mapped file, in the file's order. Nothing is read until it is used.

    Raises:
        WeightsError: the file is absent, damaged, or holds anything but such a table; the sentence says what.
    """
    try:
        if path.stat().st_size == 0:
            raise RefusedError("it is empty")
        data = np.memmap(path, np.uint8, "r")
        places = read_places(data.data)
    except FileNotFoundError:
        raise WeightsError(f"the weights {path.name} are not in {path.parent}") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}", _HINT) from None
    except RefusedError as error:
        raise WeightsError(f"{path} was refused: {error}", _HINT) from None
    arrays: dict[str, F32] = {}
    for name, place in places.items():
        count = math.prod(place.shape)
        raw = np.frombuffer(data, "<f4", count, place.start)
        arrays[name] = raw.astype(np.float32, copy=False).reshape(place.shape)
    return arrays


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: ``start`` in bytes from the start of the file, float32 little-endian, C order."""

    start: int
    shape: tuple[int, ...]


def read_places(data: memoryview) -> dict[str, Place]:
    """The places of all tensors of a file.

    Args:
        data: the whole file.

    Raises:
        RefusedError: the file is not exactly what the module's docstring says.
    """
    records = read_records(data)
    program = records.pop("data.pkl", None)
    if program is None:
        raise RefusedError("it holds no program data.pkl")
    if program.size > MAX_PROGRAM_BYTES:
        raise RefusedError(f"its program has {program.size} bytes; the limit is {MAX_PROGRAM_BYTES}")
    return _Machine(records).run(bytes(data[program.start : program.end]))


class _Token(str):
    """One of the allowed names, as a value of the program. It stands for nothing but itself."""

    __slots__ = ()


@dataclass(frozen=True, eq=False)
class _Storage:
    span: Span
    numbers: int


@dataclass(eq=False)
class _Table:
    ordered: bool
    items: dict[str, Any] = field(default_factory=dict)
    has_state: bool = False


class _Machine:
    """Runs one program.

    Args:
        records: of the zip, by name.
    """

    def __init__(self, records: Mapping[str, Span]) -> None:
        self._records = records
        self._stack: list[Any] = []
        # Heights of the stack at which marks stand.
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        # What has been said of each storage, by its key: how many numbers it holds.
        self._claims: dict[str, int] = {}
        self._program = b""
        self._at = 0

    def run(self, program: bytes) -> dict[str, Place]:
        """Run a program to its end. Raises ``RefusedError``."""
        if program[:2] != b"\x80\x02":
            raise RefusedError("its program is no pickle of protocol 2")
        self._program, self._at = program, 2
        while True:
            code = self._take(1)[0]
            if code == ord("."):
                return self._result()
            do = _INSTRUCTIONS.get(code)
            if do is None:
                raise RefusedError(f"its program has the instruction 0x{code:02x}, which no table of tensors needs")
            do(self)

    def _result(self) -> dict[str, Place]:
        if self._at != len(self._program):
            raise RefusedError("bytes follow the end of its program")
        if len(self._stack) != 1 or self._marks:
            raise RefusedError("its program does not end with one value")
        table = self._stack[0]
        if not isinstance(table, _Table) or not table.items:
            raise RefusedError("it holds no table of tensors")
        for name, value in table.items.items():
            if not isinstance(value, Place):
                raise RefusedError(f"{_shown(name)} is no tensor")
        return table.items

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._program):
            raise RefusedError("its program is cut short")
        taken = self._program[self._at : end]
        self._at = end
        return taken

    def _number(self, count: int) -> int:
        return int.from_bytes(self._take(count), "little")

    def _line(self) -> str:
        end = self._program.find(b"\n", self._at, self._at + 256)
        if end < 0:
            raise RefusedError("its program names something too long")
        return self._take(end + 1 - self._at)[:-1].decode("ascii", "replace")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise RefusedError("its program takes a value where there is none")
        return self._stack.pop()

    def _top(self) -> Any:
        value = self._pop()
        self._push(value)
        return value

    def _since_mark(self) -> list[Any]:
        if not self._marks:
            raise RefusedError("its program misses a mark")
        height = self._marks.pop()
        values = self._stack[height:]
        del self._stack[height:]
        return values

    def _name(self) -> None:
        name = f"{self._line()} {self._line()}"
        if name not in _NAMES:
            raise RefusedError(f"its program names {_shown(name.replace(' ', '.'))}, which no table of tensors needs")
        self._push(_Token(name))

    def _put(self, width: int) -> None:
        place = self._number(width)
        if place >= MAX_MEMO:
            raise RefusedError("its program notes too many values")
        self._memo[place] = self._top()

    def _get(self, width: int) -> None:
        place = self._number(width)
        if place not in self._memo:
            raise RefusedError("its program recalls a value that it did not note")
        self._push(self._memo[place])

    def _text(self) -> None:
        try:
            self._push(self._take(self._number(4)).decode("utf-8"))
        except UnicodeDecodeError:
            raise RefusedError("its program holds text that is not UTF-8") from None

    def _signed(self, count: int) -> None:
        self._push(int.from_bytes(self._take(count), "little", signed=True))

    def _long(self) -> None:
        count = self._number(1)
        if count > 8:
            raise RefusedError("its program holds a number of more than 64 bits")
        self._signed(count)

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _tuple(self, count: int) -> None:
        values = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(values)))

    def _set_items(self, values: list[Any]) -> None:
        table = self._top()
        if not isinstance(table, _Table) or len(values) % 2:
            raise RefusedError("its program fills something that is no table")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not _is_text(key):
                raise RefusedError("its table has a name that is no text")
            if key in table.items:
                raise RefusedError(f"{_shown(key)} is in its table twice")
            table.items[key] = value

    def _set_item(self) -> None:
        value = self._pop()
        self._set_items([self._pop(), value])

    def _find_storage(self) -> None:
        asked = self._pop()
        if not isinstance(asked, tuple) or len(asked) != 5:
            raise RefusedError("its program asks for something that is no storage")
        kind, token, key, location, numbers = asked
        if not (_is_text(kind) and kind == "storage" and isinstance(token, _Token) and token == STORAGE):
            raise RefusedError("its program asks for something that is no storage of float32")
        if not _is_text(key) or not re.fullmatch("[0-9]{1,9}", key) or not _is_text(location):
            raise RefusedError("its program gives a storage a key that is no number")
        if not _is_whole(numbers) or not 0 <= numbers < MAX_NUMBERS:
            raise RefusedError(f"the size of storage {key} is no size")
        if self._claims.setdefault(key, numbers) != numbers:
            raise RefusedError(f"storage {key} is said to have two sizes")
        span = self._records.get(f"data/{key}")
        if span is None:
            raise RefusedError(f"storage {key} is not in it")
        if span.size != ITEM_BYTES * numbers:
            raise RefusedError(f"storage {key} has {span.size} bytes where {ITEM_BYTES * numbers} belong")
        self._push(_Storage(span, numbers))

    def _call(self) -> None:
        arguments, token = self._pop(), self._pop()
        if not isinstance(token, _Token) or not isinstance(arguments, tuple):
            raise RefusedError("its program calls something that is no function of tensors")
        if token == TABLE and not arguments:
            self._push(_Table(ordered=True))
        elif token == REBUILD and len(arguments) == 6:
            self._push(_tensor(*arguments))
        else:
            raise RefusedError(
                f"its program calls {_shown(token.replace(' ', '.'))} in a way that no table of tensors needs"
            )

    def _set_state(self) -> None:
        state, target = self._pop(), self._top()
        if not (isinstance(target, _Table) and target.ordered and isinstance(state, _Table)):
            raise RefusedError("its program sets attributes of something that is no table")
        if list(state.items) != ["_metadata"]:
            raise RefusedError("its program sets attributes other than _metadata")
        target.has_state = True


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, trained: Any, hooks: Any) -> Place:
    """The place of a tensor, from the six arguments that a program gives for it. Raises ``RefusedError``."""
    if not isinstance(storage, _Storage) or not isinstance(trained, bool):
        raise RefusedError("a tensor is made from something else than a storage")
    if not (isinstance(hooks, _Table) and hooks.ordered) or hooks.items or hooks.has_state:
        raise RefusedError("a tensor comes with functions to call")
    if not isinstance(shape, tuple) or not isinstance(strides, tuple) or len(shape) != len(strides):
        raise RefusedError("a tensor's shape and strides do not fit each other")
    if len(shape) > MAX_AXES or not all(_is_whole(number) for number in (offset, *shape, *strides)):
        raise RefusedError("a tensor's shape is none")
    if offset < 0 or not all(1 <= length <= MAX_LENGTH for length in shape):
        raise RefusedError("a tensor has a length or an offset out of range")
    numbers = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length > 1 and stride != numbers:
            raise RefusedError("a tensor's numbers do not lie in the order of its axes")
        numbers *= length
    if offset + numbers > storage.numbers:
        raise RefusedError("a tensor reaches beyond its storage")
    return Place(storage.span.start + ITEM_BYTES * offset, shape)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, _Token)


def _shown(text: str) -> str:
    """Text from the file, short and printable."""
    return repr(text[:80])


def _constant(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine._push(value)


def _instructions() -> Iterator[tuple[int, Callable[[_Machine], None]]]:
    """The instructions of pickle's protocol 2 that the machine knows."""
    yield ord("c"), _Machine._name
    yield ord("q"), lambda machine: machine._put(1)
    yield ord("r"), lambda machine: machine._put(4)
    yield ord("h"), lambda machine: machine._get(1)
    yield ord("j"), lambda machine: machine._get(4)
    yield ord("("), _Machine._mark
    yield ord("t"), lambda machine: machine._push(tuple(machine._since_mark()))
    yield ord(")"), _constant(())
    yield 0x85, lambda machine: machine._tuple(1)
    yield 0x86, lambda machine: machine._tuple(2)
    yield 0x87, lambda machine: machine._tuple(3)
    yield ord("X"), _Machine._text
    yield ord("K"), lambda machine: machine._push(machine._number(1))
    yield ord("M"), lambda machine: machine._push(machine._number(2))
    yield ord("J"), lambda machine: machine._signed(4)
    yield 0x8A, _Machine._long
    yield 0x88, _constant(True)
    yield 0x89, _constant(False)
    yield ord("}"), lambda machine: machine._push(_Table(ordered=False))
    yield ord("s"), _Machine._set_item
    yield ord("u"), lambda machine: machine._set_items(machine._since_mark())
    yield ord("Q"), _Machine._find_storage
    yield ord("R"), _Machine._call
    yield ord("b"), _Machine._set_state


_INSTRUCTIONS = dict(_instructions())

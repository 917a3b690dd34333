"""Checks of a model's files that need no reference run: do they fit the network, and are their numbers sound?

Checksums say that a file is the one that was published. They do not say that the program reads it rightly, and for some
files none is known. These checks compare the files with the networks that are built from their configuration. Most read
the header alone, or look at every number once; nothing is computed with the weights. ``check_model`` makes them all;
what is particular to one family of networks is in that family's own module, named by ``Model.self_check``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, failed, not_possible, passed
from manymesh.weights.load import Rename, load_network, same_key, skeleton
from manymesh.weights.locate import Found
from manymesh.weights.verify import TensorInfo, read_header, sha256_of

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from manymesh.device.probe import ProbeFinding

# Names of the checks, as the table and the report show them. GRAPH is of ONNX files alone, SQUARES of detectors.
DEVICE, TEXT, TENSORS, GRAPH, PICTURE, VALUES, LOADED, SQUARES = (
    "device",
    "configuration",
    "names and shapes",
    "inputs and outputs",
    "a picture goes through",
    "numbers",
    "loaded equals stored",
    "two drawn squares",
)
# What a quick check says of those that only a thorough one makes.
LATER = "not looked at: run: manymesh models verify --deep"

# The extra that brings a library which a family's checks import; the others come with "hunyuan".
_EXTRAS = {"tokenizers": "small"}
# Numbers read of each tensor where not all are looked at. Enough that two tensors never agree by chance.
_SAMPLES = 256
# Numbers looked at in one go, so that a large tensor takes little memory. Chosen by hand; not measured.
_CHUNK = 1 << 22
# How large weights are, times the square root of the numbers that enter one sum: about 1 in networks that keep their
# signal's size; random initial weights have 0.6 to 1.4. The median over a network outside these limits means weights in
# another unit. Chosen by hand, wide; not measured on published weights.
_USUAL_SCALE = (0.02, 30.0)


@dataclass(frozen=True)
class Machine:
    """Where checks that compute something run, and how much they may cost.

    Attributes:
        device: "cpu", "cuda", "cuda:1" or "mps".
        thorough: whether checks may load whole networks and run them. Without it all takes a few seconds.
        sound: whether the device's own check passed; None when there was none.
    """

    device: str = "cpu"
    thorough: bool = False
    sound: bool | None = None


class StoredTensor(NamedTuple):
    """A tensor's numbers as its file has them.

    Attributes:
        key: its name in the file.
        shape: its sizes.
        dtype: the number format, by safetensors' name for it: "F16", "BF16" or "F32".
        bits: flat unsigned integers of the format's width, memory-mapped.
    """

    key: str
    shape: tuple[int, ...]
    dtype: str
    bits: NDArray[Any]


class Stored(Protocol):
    """Tensors of one network in a file."""

    @property
    def name(self) -> str:
        """What people call the network."""

    def numbers(self) -> Iterator[StoredTensor]:
        """Its floating point tensors."""


@dataclass(frozen=True)
class StoredArrays:
    """Tensors of a file that is no safetensors file, as mapped arrays of float32 or float16."""

    name: str
    arrays: Mapping[str, NDArray[Any]]

    def numbers(self) -> Iterator[StoredTensor]:
        """As ``Stored``."""
        for key, array in self.arrays.items():
            if array.size:
                bits, dtype = (np.uint16, "F16") if array.itemsize == 2 else (np.uint32, "F32")
                yield StoredTensor(key, array.shape, dtype, array.reshape(-1).view(bits))


@dataclass(frozen=True)
class StoredNetwork:
    """A network, and where its tensors lie. See ``load_network`` for the fields."""

    name: str
    build: Callable[[], torch.nn.Module]
    path: Path
    prefix: str = ""
    rename: Rename = same_key
    what: str = "the network that its configuration describes"

    def skeleton(self) -> tuple[torch.nn.Module, dict[str, str]]:
        """``load.skeleton`` of this network."""
        return skeleton(self.build, self.path, prefix=self.prefix, rename=self.rename, what=self.what)

    def tensors(self) -> dict[str, TensorInfo]:
        """The rows of the file's table that are this network's, by the file's keys."""
        rows = {key: info for key, info in read_header(self.path).items() if key.startswith(self.prefix)}
        return {key: info for key, info in rows.items() if self.rename(key.removeprefix(self.prefix)) is not None}

    def numbers(self) -> Iterator[StoredTensor]:
        """As ``Stored``."""
        for key, info in self.tensors().items():
            bits = stored_values(self.path, info)
            if bits is not None:
                yield StoredTensor(key, info.shape, info.dtype, bits)


def check_model(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a model that is here, one after the other."""
    yield from check_texts(model, found)
    if not model.self_check:
        files = [path for path in found.files.values() if path.suffix == ".safetensors"]
        yield from (attempt(VALUES, lambda path=path: check_values([_whole(path)])) for path in files)  # type: ignore[misc]
    else:
        module, _, name = model.self_check.partition(":")
        try:
            checks: Callable[[Model, Found, Machine], Iterator[Finding]] = getattr(import_module(module), name)
            yield from checks(model, found, machine)
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get(error.name or "", "hunyuan")
            yield not_possible(TENSORS, f'{error.name} is not installed: run pip install "manymesh[{extra}]"')


def resolved_device(device: str) -> str:
    """The device that "auto" stands for here; any other name as it is. Raises ``UsageError`` for one that is
    absent, or that is none."""
    from manymesh.settings import build_settings

    build_settings({"devices": (device,)})
    if find_spec("torch") is None:
        return "cpu"
    from manymesh.device.placement import place

    return place(() if device == "auto" else (device,), "shape").device


def check_device(device: str) -> list[Finding]:
    """Does the device compute rightly, in float32 and in half precision?

    Wrong half precision is told, and is no failure: networks run in float32 on such a device.
    """
    if find_spec("torch") is None:
        return [not_possible(DEVICE, "torch is not installed")]
    import torch

    from manymesh.device.probe import probe_device

    try:
        found = [from_probe(one) for one in probe_device(torch.device(device))]
    except torch.OutOfMemoryError:
        return [not_possible(DEVICE, "it has too little free memory for the check")]
    return [
        one
        if one.outcome == "passed" or "float32" in one.check
        else not_possible(one.check, f"{one.sentence}: networks run in float32 here", **one.numbers)
        for one in found
    ]


def from_probe(found: ProbeFinding) -> Finding:
    """A probe's finding as one of ours."""
    return Finding(found.check, "passed" if found.passed else "failed", found.sentence.rstrip("."), found.numbers)


def check_networks(networks: Sequence[StoredNetwork], push: Callable[[Mapping[str, Any]], str]) -> Iterator[Finding]:
    """The four checks that every family of networks has.

    Args:
        networks: all of a model's.
        push: sends a picture through the networks, given by name and without memory, and says so in a clause.
    """
    yield attempt(TENSORS, lambda: check_tensors(networks))
    yield attempt(PICTURE, lambda: check_picture(networks, push))
    yield attempt(VALUES, lambda: check_values(networks))
    yield attempt(LOADED, lambda: check_loaded(networks))


def check_texts(model: Model, found: Found) -> Iterator[Finding]:
    """Each configuration file whose digest is known, against it."""
    known = {file.name: file.sha256 for file in model.files if file.sha256 and _is_text(file.name)}
    texts = sorted(name for name in found.files if _is_text(name))
    unknown = [name for name in texts if name not in known]
    for name in (name for name in texts if name in known):
        if sha256_of(found.files[name]) == known[name]:
            yield passed(TEXT, f"{name} is the published text")
        else:
            yield not_possible(TEXT, f"{name} is not the published text: the network is built from it as it is")
    if unknown and not known:
        listed = unknown[0] if len(unknown) == 1 else f"{len(unknown)} files"
        yield not_possible(TEXT, f"no checksum is known of {listed}: the network is built from what is there")


def _is_text(name: str) -> bool:
    return name.endswith((".yaml", ".json"))


def check_tensors(networks: Sequence[StoredNetwork]) -> Finding:
    """Names and shapes of all tensors against the networks', strictly, from the headers alone."""
    count = sum(len(network.skeleton()[1]) for network in networks)
    return passed(TENSORS, f"all {count} tensors of {_listed(networks)} fit", tensors=count)


def check_picture(networks: Sequence[StoredNetwork], push: Callable[[Mapping[str, Any]], str]) -> Finding:
    """A picture of the configuration's size through the networks, on the ``meta`` device: shapes without numbers."""
    import torch

    with torch.device("meta"):
        built = {network.name: network.build().eval() for network in networks}
    try:
        with torch.inference_mode():
            return passed(PICTURE, push(built))
    except NotImplementedError as error:
        return not_possible(PICTURE, f"PyTorch {torch.__version__} has no shapes alone for it: {_first_line(error)}")
    except (RuntimeError, ValueError, IndexError) as error:
        return failed(PICTURE, f"the shapes of the networks do not go together: {_first_line(error)}")


def check_values(networks: Sequence[Stored]) -> Finding:
    """Every number is finite, and weights have the size that weights have."""
    tensors, largest, scales = 0, 0.0, {}
    for network in networks:
        each: list[float] = []
        for tensor in network.numbers():
            tensors += 1
            magnitude = _largest(tensor.bits, tensor.dtype)
            if not math.isfinite(magnitude):
                return failed(VALUES, f"'{tensor.key}' of the {network.name} holds numbers that are not finite")
            largest = max(largest, magnitude)
            if len(tensor.shape) > 1 and tensor.shape[0] > 1:
                spread = float(np.sqrt(np.mean(np.square(sampled(tensor.bits, tensor.dtype)))))
                each.append(spread * math.sqrt(math.prod(tensor.shape[1:])))
        scales[network.name] = float(np.median(each)) if each else 1.0
    for name, scale in scales.items():
        if not _USUAL_SCALE[0] <= scale <= _USUAL_SCALE[1]:
            size = f"{scale:.0f}" if scale > 1 else f"{scale:.4f}"
            return failed(VALUES, f"the weights of the {name} are {size} times as large as weights are", scale=scale)
    measured = {f"scale of {name}": round(scale, 4) for name, scale in scales.items()}
    return passed(VALUES, f"all are finite in {tensors} tensors", tensors=tensors, largest=largest, **measured)


def check_loaded(networks: Sequence[StoredNetwork]) -> Finding:
    """Each tensor of the networks, after they were loaded, against the file's own bytes, by sampled values."""
    import torch

    tensors = 0
    for network in networks:
        stored = {info.dtype for info in network.tensors().values()}
        dtype = {"F16": torch.float16, "BF16": torch.bfloat16}.get(min(stored)) if len(stored) == 1 else None
        loaded = load_network(
            network.build,
            network.path,
            device=torch.device("cpu"),
            dtype=dtype or torch.float32,
            prefix=network.prefix,
            rename=network.rename,
            what=network.what,
        ).state_dict()
        for key, _, form, bits in network.numbers():
            own = network.rename(key.removeprefix(network.prefix))
            if own is None:
                continue
            tensors += 1
            flat = loaded[own].flatten()
            step = max(flat.numel() // _SAMPLES, 1)
            if not np.array_equal(sampled(bits, form), flat[::step].float().numpy(), equal_nan=True):
                return failed(LOADED, f"'{key}' of the {network.name} was loaded with other numbers than are stored")
    return passed(LOADED, f"{tensors} tensors compared by sampled values", tensors=tensors)


def stored_values(path: Path, info: TensorInfo) -> NDArray[Any] | None:
    """A tensor's numbers as the file has them, flat and memory-mapped: unsigned integers of the format's width.

    None for whole numbers, and for formats of 8 bits.
    """
    width = {"F16": np.uint16, "BF16": np.uint16, "F32": np.uint32}.get(info.dtype)
    if width is None or info.stop == info.start:
        return None
    return np.memmap(path, np.uint8, "r", info.start, (info.stop - info.start,)).view(width)


def _largest(bits: NDArray[Any], dtype: str) -> float:
    """The largest magnitude; NaN where a number is NaN or infinite.

    Without their sign, these formats' bit patterns are in the order of the numbers; NaN and infinity come last.
    """
    positive = bits.dtype.type((1 << (8 * bits.itemsize - 1)) - 1)
    largest = max(int((bits[start : start + _CHUNK] & positive).max()) for start in range(0, bits.size, _CHUNK))
    magnitude = float(_numbers(np.array([largest], bits.dtype), dtype)[0])
    return magnitude if math.isfinite(magnitude) else math.nan


def sampled_equal(stored: NDArray[Any], loaded: NDArray[Any]) -> bool:
    """Whether numbers spread evenly over two arrays are the same, once the stored ones are in the other's format."""
    step = max(stored.size // _SAMPLES, 1)
    own = stored.reshape(-1)[::step].astype(loaded.dtype)
    return stored.shape == loaded.shape and np.array_equal(own, loaded.reshape(-1)[::step], equal_nan=True)


def sampled(bits: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    """Numbers spread evenly over a tensor."""
    return _numbers(bits[:: max(bits.size // _SAMPLES, 1)], dtype)


def _numbers(bits: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    if dtype == "F16":
        return bits.view(np.float16).astype(np.float32) if bits.flags.c_contiguous else _numbers(bits.copy(), dtype)
    wide = bits.astype(np.uint32)
    return (wide << np.uint32(16) if dtype == "BF16" else wide).view(np.float32)


def _whole(path: Path) -> StoredNetwork:
    def nothing() -> torch.nn.Module:
        raise AssertionError("only its numbers are looked at")

    return StoredNetwork(path.name, nothing, path)


def _listed(networks: Sequence[StoredNetwork]) -> str:
    names = [f"the {network.name}" for network in networks]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")

"""From a file of weights to tensors, and to a network that is ready to run.

``load_network`` is the one way in which networks that are written here get their weights. ``as_safetensors`` turns a
pickle into a safetensors file first, once, by the only loader that runs nothing from it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from manymesh.device.traffic import traffic
from manymesh.errors import MissingPieceError, OutputError, WeightsError
from manymesh.user_config import config_dir, read_notes, write_notes
from manymesh.weights.locate import twin_beside
from manymesh.weights.verify import read_header, require_shapes, sha256_of

if TYPE_CHECKING:
    import torch

Network = TypeVar("Network", bound="torch.nn.Module")

Rename = Callable[[str], "str | None"]
"""A key of the file, without its prefix, to the network's own name for it, or None for what is no weight."""

_HINT = "Fetch it again, or give the weights as .safetensors"
# Earlier versions' restricted unpickler has known holes.
_SAFE_TORCH = (2, 10)
# The table of checksums that were computed before, in the user's configuration folder.
_DIGESTS = "digests.json"


def same_key(key: str) -> str | None:
    """A ``Rename`` for files that use the network's own names."""
    return key


def load_network(
    build: Callable[[], Network],
    path: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    prefix: str = "",
    rename: Rename = same_key,
    what: str = "the network that its configuration describes",
    channels_last: bool = False,
) -> Network:
    """A network with the weights of a file, in evaluation mode, without gradients.

    Names and shapes in the file's header are compared with the network's first, so a wrong or truncated file is refused
    before memory is taken. The network is built on the ``meta`` device: no initial values are drawn, and nothing is
    held twice.

    Args:
        build: makes the network; called under the ``meta`` device, where it takes no memory.
        path: a safetensors file, which may hold several networks.
        device, dtype: where the weights go, tensor by tensor from the mapped file, and what they are cast to.
        prefix: first part of the keys that are this network's, such as ``"model."``. Other keys are passed over.
        rename: see ``Rename``. A buffer of the network that it maps to None is not read but filled with zeros.
        what: the network, for the error's sentence.
        channels_last: store convolutions' weights with the channels last, as tensor cores want them.

    Raises:
        WeightsError: file and network do not match; the first wrong key is named.
    """
    import torch

    with traffic().loading():
        network, names = skeleton(build, path, prefix=prefix, rename=rename, what=what)
        state = {
            key: torch.zeros(value.shape, dtype=value.dtype, device=device)
            for key, value in network.state_dict().items()
            if rename(key) is None
        }
        for key, tensor in tensors_for(path, names, device):
            moved = tensor.to(device, dtype)
            if channels_last:
                layout = torch.channels_last if moved.ndim == 4 else torch.contiguous_format
                moved = moved.contiguous(memory_format=layout)
            state[key] = moved
            traffic().add(moved_bytes=moved.nbytes)
        network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def skeleton(
    build: Callable[[], Network],
    path: Path,
    *,
    prefix: str = "",
    rename: Rename = same_key,
    what: str = "the network that its configuration describes",
) -> tuple[Network, dict[str, str]]:
    """The network without memory, on the ``meta`` device, and the file's key for each of its tensors.

    Reads the file's header alone. Arguments and errors are those of ``load_network``.

    Returns:
        The network, and the names: key in the file to key in the network.
    """
    import torch

    with torch.device("meta"):
        network = build()
    names: dict[str, str] = {}
    found: dict[str, tuple[int, ...]] = {}
    for key, info in read_header(path).items():
        own = rename(key.removeprefix(prefix)) if key.startswith(prefix) else None
        if own is not None:
            names[key], found[prefix + own] = own, info.shape
    wanted = {prefix + key: tuple(v.shape) for key, v in network.state_dict().items() if rename(key) is not None}
    require_shapes(found, wanted, what, path)
    return network, names


def read_tensors(path: Path, names: Mapping[str, str]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``names`` (key in the file to key wanted), one at a time, memory-mapped on the CPU."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        for key, wanted in names.items():
            yield wanted, file.get_tensor(key)


def tensors_for(path: Path, names: Mapping[str, str], device: torch.device) -> Iterator[tuple[str, torch.Tensor]]:
    """As ``read_tensors``, already on ``device`` where that is a GPU and the file can be read ahead."""
    from manymesh.weights.read_ahead import can_read_ahead, read_ahead

    if device.type == "cuda" and can_read_ahead(path, names):
        return read_ahead(path, names, device)
    return read_tensors(path, names)


def as_safetensors(source: Path, sha256: str | None = None, folder: Path | None = None) -> Path:
    """The safetensors twin of a pickle of tensors (.pth, .bin), made on the first call and found again afterwards.

    Args:
        source: a file that ``torch.save`` wrote: a flat dictionary of tensors (or one under "state_dict"). A
            .safetensors file is its own twin.
            The pickle may be gone, where its twin has taken its place (``take_place``).
        sha256: what the file must hash to, where that is known; it is checked before anything is unpickled.
        folder: where twins are kept; by default in manymesh's own cache.

    Raises ``WeightsError`` for a wrong checksum or anything but tensors in the file, ``MissingPieceError`` for a
    PyTorch whose loader is not to be trusted with pickles.
    """
    if source.suffix == ".safetensors":
        return source
    if not source.is_file() and twin_beside(source).is_file():
        return twin_beside(source)
    digest = digest_of(source)
    if sha256 and digest != sha256.lower():
        raise WeightsError(f"{source} is damaged: SHA-256 {digest} where {sha256} belongs", "Fetch it again")
    target = _twin(source, digest, folder)
    if not target.is_file():
        _write(_unpickled(source), target)
    return target


def is_ready(source: Path) -> bool:
    """Whether a file can be read as safetensors without converting it first."""
    if source.suffix == ".safetensors" or not source.is_file():
        return True
    digest = read_notes(_DIGESTS).get(_state(source), "")
    return bool(digest) and _twin(source, digest).is_file()


def require_equal(source: Path, twin: Path) -> None:
    """Raise ``WeightsError`` where a twin does not hold exactly the tensors of its pickle. Reads both whole."""
    from safetensors import safe_open

    tensors = _unpickled(source)
    with safe_open(twin, framework="pt") as file:
        if set(file.keys()) != set(tensors):
            raise WeightsError(f"the conversion of {source.name} holds other tensors than its source", _HINT)
        for name, tensor in tensors.items():
            if not _same_bytes(file.get_tensor(name), tensor):
                raise WeightsError(f"the conversion of {source.name} differs from its source at '{name}'", _HINT)


def _same_bytes(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Bytes, not numbers: NaN is equal to nothing."""
    import torch

    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    raw = (tensor.detach().contiguous().flatten().view(torch.uint8) for tensor in (one, other))
    return bool(torch.equal(*raw))


def take_place(source: Path) -> Path:
    """Let the twin of a pickle lie where the pickle lies, under the name of ``twin_beside``. The pickle stays."""
    twin, beside = as_safetensors(source), twin_beside(source)
    try:
        if twin != beside:
            shutil.move(twin, beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(
            f"{beside} cannot be written: {error.strerror or error}", "Make room, or keep the pickle"
        ) from None
    return beside


def _twin(source: Path, digest: str, folder: Path | None = None) -> Path:
    return (folder or converted_dir()) / f"{source.stem}-{digest[:16]}.safetensors"


def converted_dir() -> Path:
    """Where converted files are kept."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache).expanduser() / "manymesh" / "converted" if cache else config_dir() / "converted"


def digest_of(source: Path, tick: Callable[[float], None] = lambda done: None) -> str:
    """The file's SHA-256. One computed before is used while size and time of change are the same: reading seven
    gigabytes takes longer than anything else that is done with them."""
    key = _state(source)
    known = read_notes(_DIGESTS)
    if key not in known:
        size = max(source.stat().st_size, 1)
        known[key] = sha256_of(source, lambda done: tick(done / size))
        write_notes(_DIGESTS, known)
    return known[key]


def _state(source: Path) -> str:
    """What changes when a file does."""
    state = source.stat()
    return f"{source.resolve()}|{state.st_size}|{state.st_mtime_ns}"


def _unpickled(source: Path) -> dict[str, torch.Tensor]:
    import torch

    version = tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2])
    if version < _SAFE_TORCH:
        raise MissingPieceError(
            f"{source.name} is a pickle, and PyTorch {torch.__version__} does not read pickles safely",
            'Run: pip install "torch>=2.10", or give the weights as .safetensors',
        )
    try:
        loaded: Any = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{source} was refused: it is damaged, or holds more than tensors ({first})", _HINT
        ) from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(
        isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in loaded.items()
    ):
        raise WeightsError(f"{source} was refused: it is not a table of tensors", _HINT)
    return dict(loaded)


def _write(tensors: Mapping[str, torch.Tensor], target: Path) -> None:
    from safetensors.torch import save_file

    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        # Tensors that share memory in the pickle get bytes of their own: safetensors knows no sharing.
        save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)

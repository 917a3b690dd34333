"""Folders in transformers' layout: held against their architecture before they are loaded, and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manymesh.errors import WeightsError
from manymesh.weights.tables import read_json_table
from manymesh.weights.verify import read_header, require_shapes

WHAT = "what its config.json describes"
_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"


def load_pretrained(kind: Any, folder: Path, build: Callable[[], Any], **options: Any) -> Any:
    """``kind.from_pretrained(folder)`` from safetensors alone, strictly.

    Args:
        kind: a transformers model class.
        folder: a folder in transformers' layout.
        build: makes the model without weights; it is called under the meta device, where it takes no memory.
        options: more arguments for ``from_pretrained``.

    Raises ``WeightsError`` with the first tensor that is absent or of another shape, in most cases before anything is
    allocated: only names that transformers itself translates are checked afterwards.
    """
    import torch

    with torch.device("meta"):
        skeleton = build()
    require_headers(folder, skeleton)
    with _quiet():
        model, report = kind.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, **options
        )
    absent = sorted(str(key) for key in report.get("missing_keys", ()))
    if absent:
        raise WeightsError(f"{folder} is not {WHAT}: the tensor '{absent[0]}' is missing", _AGAIN)
    require_loaded_as_stored(model, folder)
    return model


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in a folder. Raises ``WeightsError`` for damaged files."""
    from transformers import AutoTokenizer

    with tokenizer_errors(folder):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@contextmanager
def tokenizer_errors(folder: Path) -> Iterator[None]:
    """Within, whatever the tokenizers library raises for the files in ``folder`` is a ``WeightsError``."""
    try:
        yield
    except BaseException as error:
        # The tokenizers library is written in Rust: damaged files make it panic, which is no ``Exception``.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise WeightsError(f"the tokenizer in {folder} cannot be read: {lines[0][:200]}", _AGAIN) from None
        raise


def require_loaded_as_stored(model: Any, folder: Path) -> None:
    """Raise ``WeightsError`` for the first tensor of the files whose numbers are not in the model.

    Every tensor is compared, by up to ``_SAMPLES`` numbers spread evenly over it, in the model's number format. Some
    versions of the library tie or rename tensors wrongly and say nothing. A tensor whose name the library translates is
    looked for among the parameters of its shape that no other name claims.
    """
    from safetensors import safe_open

    loaded = model.state_dict()
    renamed: dict[str, Any] = {}
    claimed: set[str] = set()
    for path in weight_files(folder):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no dictionary
                stored = file.get_tensor(name)
                if name not in loaded:
                    renamed[name] = stored
                    continue
                claimed.add(name)
                if not _same_numbers(stored, loaded[name]):
                    raise WeightsError(f"transformers loaded other numbers than {path} holds: '{name}'", _OLD_LIBRARY)
    for name, stored in renamed.items():
        match = next((key for key, own in loaded.items() if key not in claimed and _same_numbers(stored, own)), None)
        if match is None:
            raise WeightsError(f"transformers did not load the tensor '{name}' of {folder}", _OLD_LIBRARY)
        claimed.add(match)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that transformers loads: those of the index, else ``model.safetensors``, else all."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        files = read_json_table(index).get("weight_map")
        if not isinstance(files, dict):
            raise WeightsError(f"{index} names no files", "Run: manymesh models verify; pull mends what it names")
        return [folder / name for name in sorted({str(file) for file in files.values()})]
    single = folder / "model.safetensors"
    return [single] if single.is_file() else sorted(folder.glob("*.safetensors"))


# Numbers compared of each tensor. Enough that two tensors of one network never agree by chance.
_SAMPLES = 64
_OLD_LIBRARY = 'Run: pip install --upgrade "transformers>=5.21"'


def _same_numbers(stored: Any, loaded: Any) -> bool:
    if stored.shape != loaded.shape:
        return False
    step = max(stored.numel() // _SAMPLES, 1)
    sample = stored.flatten()[::step].to(loaded.dtype)
    return bool((sample == loaded.detach().flatten()[::step].to(sample.device)).all())


def require_headers(folder: Path, skeleton: Any) -> int:
    """Hold names and shapes in a folder's safetensors headers against a model without weights.

    Returns the number of tensors. Raises ``WeightsError`` with the first that is absent, of another shape, or too many.
    """
    expected = {key: tuple(value.shape) for key, value in skeleton.state_dict().items()}
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= {key: info.shape for key, info in read_header(path).items()}
    known = {key: shape for key, shape in found.items() if key in expected}
    needed = {key: shape for key, shape in expected.items() if key in found}
    if len(known) == len(found):
        shared = _shared(skeleton)
        needed = {k: shape for k, shape in expected.items() if k in found or not shared.get(k, set()) & found.keys()}
    require_shapes(known, needed, WHAT, folder)
    return len(found)


def _shared(skeleton: Any) -> dict[str, set[str]]:
    """For each parameter the other names that it goes by; a file holds it under one of them."""
    by_identity: dict[int, set[str]] = {}
    for name, parameter in skeleton.named_parameters(remove_duplicate=False):
        by_identity.setdefault(id(parameter), set()).add(name)
    return {name: names - {name} for names in by_identity.values() for name in names}


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of transformers' own: the faces of manymesh show progress."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()

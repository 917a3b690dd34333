"""Qwen3-VL's weights from its files straight to where they are used: the device, or host memory for streamed layers.

transformers' own loader reads everything into host memory, copies it to the device, and has to be checked afterwards.
It is used where a file's names are not the network's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from manymesh.detect.transformers_files import load_pretrained, require_headers, weight_files
from manymesh.device.out_of_memory import device_errors
from manymesh.device.placement import Placement
from manymesh.device.stream import LayerStream, weights_unread
from manymesh.device.traffic import traffic
from manymesh.errors import WeightsError
from manymesh.weights.load import tensors_for
from manymesh.weights.tables import read_json_table
from manymesh.weights.verify import read_header

_NO_ROOM = "Use a smaller one, --detector dino, or --device detect=cpu"


def load_model(folder: Path, placement: Placement, resident_layers: int | None = None) -> Any:
    """``Qwen3VLForConditionalGeneration`` with the weights in ``folder``, on its device, ready to run.

    Names and shapes in all shards are held against the architecture before anything is allocated; ``WeightsError``
    names the first that does not fit.

    Args:
        folder: in transformers' layout.
        placement: device and number format.
        resident_layers: so many layers of the language model stay on the device; the others, and the blocks of the
            vision tower, pass through from host memory. None: everything stays on the device.

    Returns:
        The model. Its attribute ``streams`` is a dictionary: id of a streamed layer to (its stream, its number).
    """
    kind = str(read_json_table(folder / "config.json").get("model_type", ""))
    if kind != "qwen3_vl":
        raise WeightsError(f"{folder} holds a model of type '{kind}', not Qwen3-VL")
    device, dtype = torch.device(placement.device), getattr(torch, placement.dtype)
    with device_errors(f"the detector {folder.name} does not fit", placement.device, _NO_ROOM):
        model = _built(folder, device, dtype, resident_layers)
        for tensor in _left_on_host(model, device):
            tensor.data = tensor.data.to(device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return model.eval().requires_grad_(False)


def _built(folder: Path, device: torch.device, dtype: torch.dtype, resident_layers: int | None) -> Any:
    """The network with its weights."""
    from transformers import AutoConfig, Qwen3VLForConditionalGeneration

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    config._attn_implementation = "sdpa"
    with weights_unread():
        model: Any = Qwen3VLForConditionalGeneration(config)
    require_headers(folder, model)
    with traffic().loading():  # without importing the library
        if _own_names(model, folder):
            _fill(model, folder, device, dtype, resident_layers)
        else:
            model = load_pretrained(
                Qwen3VLForConditionalGeneration,
                folder,
                lambda: Qwen3VLForConditionalGeneration(config),
                dtype=dtype,
                attn_implementation="sdpa",
            )
            if resident_layers is None:
                model.to(device)
        model.streams = {} if resident_layers is None else _stream(model, device, resident_layers)
    return model


def _own_names(model: Any, folder: Path) -> bool:
    """Whether the files name every weight as the network does; the output layer may be the embedding."""
    names: set[str] = set()
    for path in weight_files(folder):
        names |= read_header(path).keys()
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    return set(model.state_dict()) - tied <= names


def _fill(model: Any, folder: Path, device: torch.device, dtype: torch.dtype, resident_layers: int | None) -> None:
    """Give the network its weights: streamed ones in host memory, the others on the device."""
    from transformers import GenerationConfig

    known, state = set(model.state_dict()), {}
    streamed = _streamed_prefixes(model, resident_layers)
    for path in weight_files(folder):
        here = [name for name in read_header(path) if name in known]
        for in_stream, target in ((True, torch.device("cpu")), (False, device)):
            names = {name: name for name in here if name.startswith(streamed) == in_stream}
            for name, tensor in tensors_for(path, names, target):
                state[name] = tensor.to(target, dtype)
                traffic().add(moved_bytes=0 if in_stream else state[name].nbytes)
    if model.config.tie_word_embeddings and "lm_head.weight" not in state:
        state["lm_head.weight"] = state["model.language_model.embed_tokens.weight"]
    model.load_state_dict(state, strict=True, assign=True)
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)


def _streamed_prefixes(model: Any, resident_layers: int | None) -> tuple[str, ...]:
    if resident_layers is None:
        return ()
    count = len(model.model.language_model.layers)
    layers = [f"model.language_model.layers.{number}." for number in range(resident_layers, count)]
    return ("model.visual.blocks.", *layers)


def _stream(model: Any, device: torch.device, resident_layers: int) -> dict[int, tuple[LayerStream, int]]:
    """Stream the vision tower's blocks and the language model's later layers."""
    found: dict[int, tuple[LayerStream, int]] = {}
    for layers in (list(model.model.visual.blocks), list(model.model.language_model.layers[resident_layers:])):
        if layers:
            stream = LayerStream(layers, device)
            stream.attach(layers)
            found |= {id(layer): (stream, number) for number, layer in enumerate(layers)}
    return found


def _left_on_host(model: nn.Module, device: torch.device) -> Iterator[Tensor]:
    """What no file held: computed tables."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.device.type != device.type:
            yield tensor

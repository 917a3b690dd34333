"""Layers that run one after the other, with their weights in host memory: they pass through a few slots on the device.

While one layer computes, the next one's weights are copied on a second stream. The results are those of layers that
stay on the device: the same numbers are used in the same operations.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from manymesh.device.traffic import traffic

_log = logging.getLogger("manymesh.device")
# Each tensor of a layer begins at a multiple of so many bytes, as the device's own allocations do.
_ALIGN = 256


class LayerStream:
    """Streams the weights of layers of one size.

    Layer ``n`` always uses slot ``n % slots``, so its parameters have fixed addresses. Call ``use(n)`` before layer
    ``n`` computes, on the stream on which it computes. ``attach`` does so for layers that are called as modules.

    Args:
        layers: modules whose parameters are on the CPU or on ``device``; they are moved. All must take the same number
            of bytes. An even number avoids a wait where the last is followed by the first.
        device: where they compute.
        slots: layers on the device at a time, at least 2.
    """

    def __init__(self, layers: Sequence[nn.Module], device: torch.device, slots: int = 2) -> None:
        self.device, self.slots = device, max(min(slots, len(layers)), 1)
        places = [_places(layer) for layer in layers]
        sizes = {end for _, end in places}
        if len(sizes) != 1:
            raise ValueError("layers of different sizes cannot share a slot")
        (self.layer_bytes,) = sizes
        self._memory = [torch.empty(self.layer_bytes, dtype=torch.uint8, device=device) for _ in range(self.slots)]
        self._host = []
        for number, (layer, (place, _)) in enumerate(zip(layers, places, strict=True)):
            self._host.append(self._taken_over(layer, place, self._memory[number % self.slots]))
        self._holds = [-1] * self.slots
        on_cuda = device.type == "cuda"
        self._copying = torch.cuda.Stream(device) if on_cuda else None
        self._arrived = [torch.cuda.Event() if on_cuda else None for _ in range(self.slots)]
        if self._copying is not None:
            # A copy may be under way when the slots are freed: nobody else gets them before it has ended.
            for slot in self._memory:
                slot.record_stream(self._copying)

    def use(self, number: int) -> None:
        """Have layer ``number``'s weights in place for what is queued next, and begin to fetch the layer after it."""
        slot = number % self.slots
        if self._holds[slot] != number:
            self._fetch(number)
        arrived = self._arrived[slot]
        if arrived is not None:
            torch.cuda.current_stream(self.device).wait_event(arrived)
        following = (number + 1) % len(self._host)
        if following % self.slots != slot and self._holds[following % self.slots] != following:
            self._fetch(following)

    def attach(self, layers: Sequence[nn.Module]) -> None:
        """Call ``use`` by itself whenever one of the layers is called as a module."""
        for number, layer in enumerate(layers):
            layer.register_forward_pre_hook(lambda module, inputs, number=number: self.use(number))

    def _fetch(self, number: int) -> None:
        slot = number % self.slots
        target, source = self._memory[slot], self._host[number]
        if self._copying is None:
            target.copy_(source)
        else:
            # Whatever still reads the slot was queued before now.
            self._copying.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(self._copying):
                target.copy_(source, non_blocking=True)
            arrived = self._arrived[slot]
            assert arrived is not None
            arrived.record(self._copying)
        self._holds[slot] = number
        traffic().add(moved_bytes=self.layer_bytes)

    def _taken_over(self, layer: nn.Module, place: Mapping[str, int], slot: Tensor) -> Tensor:
        """The layer's weights in one piece of host memory; its parameters become parts of the slot."""
        host = host_memory(self.layer_bytes, self.device)
        for name, tensor in list(_tensors(layer)):
            start, length = place[name], tensor.numel() * tensor.element_size()
            host[start : start + length].view(tensor.dtype).view(tensor.shape).copy_(tensor.detach())
            tensor.data = slot[start : start + length].view(tensor.dtype).view(tensor.shape)
        return host


def host_memory(count_bytes: int, device: torch.device) -> Tensor:
    """Bytes of host memory that a GPU can read by itself where the system allows it, ordinary memory otherwise."""
    if device.type == "cuda":
        try:
            return torch.empty(count_bytes, dtype=torch.uint8, pin_memory=True)
        except RuntimeError as error:  # a limit on locked memory
            _log.warning("host memory cannot be pinned, so streaming is slower: %s", str(error).splitlines()[0])
    return torch.empty(count_bytes, dtype=torch.uint8)


def _tensors(layer: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from layer.named_parameters()
    yield from layer.named_buffers()


def _places(layer: nn.Module) -> tuple[dict[str, int], int]:
    """Where each tensor begins in one piece of memory, and how long that is."""
    place, end = {}, 0
    for name, tensor in _tensors(layer):
        place[name] = end
        end += -(-tensor.numel() * tensor.element_size() // _ALIGN) * _ALIGN
    return place, end


@contextmanager
def weights_unread() -> Iterator[None]:
    """Within, ``torch.empty`` makes tensors without memory (on the meta device), so that networks are built without
    their weights. Tables that are computed are real, unlike under ``torch.device("meta")``."""
    with _EmptyOnMeta():
        yield


class _EmptyOnMeta(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        kwargs = dict(kwargs or {})
        if func is torch.empty and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)

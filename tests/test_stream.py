"""Layers whose weights pass through slots give what layers that stay give."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
from torch import nn  # noqa: E402

from manymesh.device.stream import LayerStream, weights_unread  # noqa: E402
from manymesh.device.traffic import traffic  # noqa: E402

CPU = torch.device("cpu")


def layers(count: int) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(5, 5), nn.LayerNorm(5)) for _ in range(count)]


def passed(through: list[nn.Module], rounds: int = 2) -> torch.Tensor:
    x = torch.arange(10.0).view(2, 5)
    with torch.inference_mode():
        for _ in range(rounds):
            for layer in through:
                x = layer(x)
    return x


@pytest.mark.parametrize("count", [1, 2, 5, 6])
@pytest.mark.parametrize("slots", [2, 3])
def test_streamed_layers_compute_the_same_numbers(count: int, slots: int) -> None:
    plain = passed(layers(count))
    streamed = layers(count)
    before = traffic().moved_bytes
    stream = LayerStream(streamed, CPU, slots)
    stream.attach(streamed)
    assert torch.equal(passed(streamed), plain)
    assert traffic().moved_bytes - before >= min(count, slots) * stream.layer_bytes


def test_only_the_slots_are_held_on_the_device() -> None:
    streamed = layers(6)
    stream = LayerStream(streamed, CPU)
    addresses = {layer[0].weight.untyped_storage().data_ptr() for layer in streamed}
    assert len(addresses) == 2
    assert stream.slots == 2


def test_layers_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="different sizes"):
        LayerStream([nn.Linear(2, 2), nn.Linear(99, 99)], CPU)


def test_a_network_is_built_without_its_weights_but_with_its_tables() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = nn.Linear(1000, 1000)
            self.register_buffer("table", torch.arange(3), persistent=False)

    with weights_unread():
        network = Network()
    assert network.wide.weight.is_meta
    assert network.table.tolist() == [0, 1, 2]
    assert not torch.empty(1).is_meta

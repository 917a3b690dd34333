"""Weights read ahead by threads are those of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

from manymesh.errors import WeightsError  # noqa: E402
from manymesh.weights import read_ahead as module  # noqa: E402
from manymesh.weights.read_ahead import can_read_ahead, read_ahead  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def file(tmp_path: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    tensors = {
        "wide": torch.randn(70, 90),
        "half": torch.randn(33, 7).half(),
        "brain": torch.randn(5).bfloat16(),
        "count": torch.tensor(7),
        "nothing": torch.zeros(0, 3),
        "flags": torch.tensor([True, False]),
        "last": torch.randn(1000),
    }
    path = tmp_path / "weights.safetensors"
    safetensors.save_file(tensors, path)
    return path, tensors


@pytest.mark.parametrize("piece_bytes", [64, 1000, 4096, 1 << 20])
@pytest.mark.parametrize("left_out", [(), ("half", "count"), ("wide", "last")])
def test_every_tensor_is_the_files_whatever_the_pieces(
    file: tuple[Path, dict[str, torch.Tensor]], piece_bytes: int, left_out: tuple[str, ...]
) -> None:
    path, tensors = file
    names = {name: f"own.{name}" for name in tensors if name not in left_out}
    assert can_read_ahead(path, names)
    read = dict(read_ahead(path, names, CPU, piece_bytes))
    assert set(read) == set(names.values())
    for name, own in names.items():
        assert read[own].dtype == tensors[name].dtype
        assert torch.equal(read[own], tensors[name])


def test_a_file_that_shrinks_while_it_is_read_is_an_error(
    file: tuple[Path, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tensors = file
    whole = module.read_header(path)
    path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.setattr(module, "read_header", lambda path: whole)
    with pytest.raises(WeightsError, match="cut short"):
        list(read_ahead(path, {name: name for name in tensors}, CPU, 4096))


def test_no_tensor_asked_for_is_none_given(file: tuple[Path, dict[str, torch.Tensor]]) -> None:
    assert list(read_ahead(file[0], {}, CPU)) == []

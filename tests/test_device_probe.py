"""A device whose half precision is faulty computes in float32, and is asked only once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")

from manymesh.device import placement, probe  # noqa: E402
from manymesh.device.probe import ProbeFinding, Size  # noqa: E402
from manymesh.errors import UsageError  # noqa: E402
from manymesh.settings import Settings  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
SMALL = Size(64, 8)
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sound_half_precision_passes(dtype: torch.dtype) -> None:
    findings = probe.probe_half(CPU, dtype, SMALL)
    assert [finding.passed for finding in findings] == [True, True]
    # Were the format not applied, the difference would be nothing.
    assert all(0 < finding.numbers["largest_difference"] < 0.03 for finding in findings)


def spoil(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, factor: float, at_least_px: int = 0) -> None:
    """Multiply what convolutions in ``dtype`` answer by ``factor``."""
    real = torch.nn.Conv2d.forward

    def faulty(self, x):
        made = real(self, x)
        return made * factor if x.dtype == dtype and x.shape[-1] >= at_least_px else made

    monkeypatch.setattr(torch.nn.Conv2d, "forward", faulty)


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (float("nan"), "A convolution in bfloat16 gives numbers that are not finite"),
        (float("inf"), "A convolution in bfloat16 gives numbers that are not finite"),
        (1.5, "A convolution in bfloat16 is off by"),
    ],
)
def test_a_faulty_convolution_is_found(monkeypatch: pytest.MonkeyPatch, factor: float, says: str) -> None:
    spoil(monkeypatch, torch.bfloat16, factor)
    found = probe.probe_half(CPU, torch.bfloat16, SMALL)
    assert not found[0].passed
    assert found[0].sentence.startswith(says)
    assert not found[1].passed or factor == 1.5  # the decoder's normalisations take a factor away


def test_a_fault_of_large_pictures_alone_is_found_by_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, torch.bfloat16, float("nan"), at_least_px=32)
    convolution, decoder = probe.probe_half(CPU, torch.bfloat16, SMALL)
    assert (convolution.passed, decoder.passed) == (True, False)
    assert decoder.sentence == "A picture decoder in bfloat16 gives numbers that are not finite."


def test_a_format_that_the_driver_refuses_is_a_problem_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.Conv2d.forward

    def refuses(self, x):
        if x.dtype == torch.bfloat16:
            raise RuntimeError("CUDNN_STATUS_NOT_SUPPORTED\nmore")
        return real(self, x)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", refuses)
    found = probe.probe_half(CPU, torch.bfloat16, SMALL)
    assert found[0].sentence == "A convolution in bfloat16 fails (CUDNN_STATUS_NOT_SUPPORTED)."


def bad(what: str = "It gives NaN.") -> list[ProbeFinding]:
    return [ProbeFinding("one", True, "One is right."), ProbeFinding("two", False, what)]


def test_the_answer_is_remembered_for_the_device_the_driver_and_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.dtype] = []
    monkeypatch.setattr(probe, "probe_half", lambda device, dtype: asked.append(dtype) or bad())
    for _ in range(2):
        assert probe.half_precision_problem(CPU, torch.float16) == "it gives NaN"
    assert asked == [torch.float16]
    for name, change in (
        ("driver", lambda: monkeypatch.setattr(probe, "driver_version", lambda device: "newer")),
        ("device", lambda: monkeypatch.setattr(probe, "device_name", lambda device: "another GPU")),
        ("PyTorch", lambda: monkeypatch.setattr(torch, "__version__", "99.0")),
    ):
        change()
        before = len(asked)
        probe.half_precision_problem(CPU, torch.float16)
        probe.half_precision_problem(CPU, torch.float16)
        assert len(asked) == before + 1, name
    probe.half_precision_problem(CPU, torch.bfloat16)
    assert asked[-1] == torch.bfloat16


def test_a_sound_device_is_remembered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.dtype] = []
    monkeypatch.setattr(probe, "probe_half", lambda device, dtype: asked.append(dtype) or [])
    assert [probe.half_precision_problem(CPU, torch.float16) for _ in range(2)] == ["", ""]
    assert len(asked) == 1


def test_a_device_without_free_memory_is_probed_again_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(device, dtype):
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(probe, "probe_half", full)
    assert probe.half_precision_problem(CPU, torch.float16) == ""
    monkeypatch.setattr(probe, "probe_half", lambda device, dtype: bad())
    assert probe.half_precision_problem(CPU, torch.float16) == "it gives NaN"


def test_a_home_that_cannot_be_written_costs_a_probe_each_time_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(probe, "probe_half", lambda device, dtype: bad())
    assert probe.half_precision_problem(CPU, torch.float16) == "it gives NaN"


def test_a_device_that_cannot_compute_at_all_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(device, dtype):
        raise RuntimeError("no kernel image is available for execution on the device\nmore")

    monkeypatch.setattr(probe, "probe_half", broken)
    with pytest.raises(UsageError, match=r"PyTorch cannot compute on cpu \(no kernel image is .* device\)") as caught:
        probe.half_precision_problem(CPU, torch.float16)
    assert "--device cpu" in caught.value.hint


@pytest.mark.parametrize("card", ["NVIDIA GeForce GTX 1660 SUPER", "GeForce GTX 1650", "NVIDIA GeForce GTX 1630"])
def test_gtx_16_cards_compute_in_float32_unasked(monkeypatch: pytest.MonkeyPatch, card: str) -> None:
    monkeypatch.setattr(probe, "device_name", lambda device: card)
    monkeypatch.setattr(probe, "probe_half", lambda device, dtype: pytest.fail("it was probed"))
    assert probe.half_precision_problem(CPU, torch.float16) == f"{card} is known to give NaN in half precision"


@pytest.mark.parametrize("card", ["NVIDIA GeForce GTX 1080 Ti", "GeForce RTX 2060", "NVIDIA T1600", "NVIDIA H200"])
def test_other_cards_are_probed(monkeypatch: pytest.MonkeyPatch, card: str) -> None:
    monkeypatch.setattr(probe, "device_name", lambda device: card)
    monkeypatch.setattr(probe, "probe_half", lambda device, dtype: bad("It was probed."))
    assert probe.half_precision_problem(CPU, torch.float16) == "it was probed"


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Mac's GPU, which takes no more than being asked for."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    return monkeypatch


def test_a_stage_on_a_faulty_device_is_placed_in_float32_and_says_so(a_gpu, caplog) -> None:
    a_gpu.setattr(probe, "half_precision_problem", lambda device, dtype: "it gives NaN")
    with caplog.at_level(logging.WARNING, "manymesh.device"):
        placed = placement.place(("mps",), "paint")
    assert (placed.device, placed.dtype) == ("mps", "float32")
    assert placed.reason == "as asked; it gives NaN"
    assert caplog.messages == ["paint runs in float32 on mps: it gives NaN"]
    a_gpu.setattr(probe, "half_precision_problem", lambda device, dtype: "")
    assert placement.place(("mps",), "paint").dtype == "float16"


def test_the_format_that_is_probed_is_the_one_that_the_stage_will_use(a_gpu) -> None:
    asked: list[torch.dtype] = []
    a_gpu.setattr(probe, "half_precision_problem", lambda device, dtype: asked.append(dtype) or "")
    placement.place(("mps",), "detect", half="bfloat16")
    a_gpu.setattr(placement, "has_bfloat16", lambda device: False)
    placement.place(("mps",), "detect", half="bfloat16")
    placement.place(("mps",), "matte")
    assert asked == [torch.bfloat16, torch.float16, torch.float16]


def test_nothing_is_probed_where_half_precision_is_not_used_or_the_user_decides(a_gpu) -> None:
    a_gpu.setattr(probe, "half_precision_problem", lambda device, dtype: pytest.fail("it was probed"))
    assert placement.place(("cpu",), "paint").dtype == "float32"
    assert placement.place(("mps",), "detect", half="float32").dtype == "float32"
    assert placement.place(("mps",), "paint", precision="float16").dtype == "float16"
    assert placement.place(("cpu",), "shape", precision="float16").dtype == "float16"


def test_shapes_are_never_computed_in_bfloat16() -> None:
    with pytest.raises(ValueError, match="shape_precision"):
        Settings(shape_precision="bfloat16")


def test_a_report_of_the_cpu_says_that_there_is_nothing_to_probe() -> None:
    assert [finding.passed for finding in probe.probe_device(CPU)] == [True]


@CUDA
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_this_gpus_half_precision_is_sound(dtype: torch.dtype) -> None:
    assert [f for f in probe.probe_half(torch.device("cuda"), dtype) if not f.passed] == []
    assert probe.half_precision_problem(torch.device("cuda"), dtype) == ""
    assert placement.place(("cuda",), "paint").dtype == "float16"


@CUDA
def test_this_gpus_report_compares_float32_with_the_cpu_and_half_precision_with_float32() -> None:
    findings = probe.probe_device(torch.device("cuda"))
    assert len(findings) >= 4
    assert [finding for finding in findings if not finding.passed] == []

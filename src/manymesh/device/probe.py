"""Does a device compute correctly in half precision? Small networks are run there and held against float32.

Some GPUs answer NaN to half-precision convolutions (the GTX 16 series is known for it), and some driver versions do.
``half_precision_problem`` is asked by ``placement.place`` before any work. It takes about a second the first time; its
answer is remembered for each device, driver and PyTorch version. ``probe_device`` runs everything anew and returns
findings for a report.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from manymesh.errors import UsageError
from manymesh.user_config import read_notes, write_notes

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

# The table of remembered answers in the user's configuration folder. Deleting it makes every device be probed again.
TABLE = "devices.json"
# Cards whose half-precision convolutions give NaN, by many users' reports. They are never probed: a probe of a few
# shapes could pass by luck.
_KNOWN_FAULTY = re.compile(r"\bGTX 16\d\d\b")
# The largest difference from float32 that passes, as a share of the largest value. Float16 is off by 0.001 and bfloat16
# by 0.0074 (the picture decoder, measured on a CPU); this leaves more than ten times that.
HALF_TOLERANCE = 0.1
# The same for a device's float32 against the CPU's. GPUs may round float32 convolutions to 10 bits (TF32), which is
# as coarse as float16. Chosen by hand; not measured.
FLOAT32_TOLERANCE = 0.02
# Bump this when the probe's networks change, so that remembered answers are not used any more.
_VERSION = 1
_SEED = 0


class Size(NamedTuple):
    """Of the probe's networks: channels (a multiple of 64) and the side of their inputs."""

    channels: int
    side: int


# As large as layers of the paint network, because drivers choose their algorithms by size. On a GPU milliseconds; half
# precision on a CPU takes a minute, so tests there use smaller ones.
FULL = Size(256, 32)


@dataclass(frozen=True)
class ProbeFinding:
    """One check of a probe, for people and for a report.

    Attributes:
        check: what was checked, such as "convolution in float16".
        passed: whether it is as it should be.
        sentence: one plain sentence: what was measured, or what is wrong and what to do.
        numbers: what was measured, by name. No personal data.
    """

    check: str
    passed: bool
    sentence: str
    numbers: dict[str, float] = field(default_factory=dict)


def half_precision_problem(device: torch.device, dtype: torch.dtype) -> str:
    """Why networks must not run in ``dtype`` on ``device``, as a clause for people; "" where they may.

    Probed once for each device, driver, PyTorch version and number format; later calls read the remembered answer.
    Without enough memory for the probe nothing is known: the answer is "" and is not remembered. Raises ``UsageError``
    for a device on which not even float32 runs.
    """
    import torch

    name = device_name(device)
    if _KNOWN_FAULTY.search(name):
        return f"{name} is known to give NaN in half precision"
    key = f"{name}, driver {driver_version(device)}, PyTorch {torch.__version__}, {_short(dtype)}, probe {_VERSION}"
    known = read_notes(TABLE)
    if key not in known:
        try:
            failed = [finding.sentence for finding in probe_half(device, dtype) if not finding.passed]
            known[key] = _clause(failed[0]) if failed else ""
        except torch.OutOfMemoryError:
            return ""
        except RuntimeError as error:
            raise UsageError(
                f"PyTorch cannot compute on {name} ({_first_line(error)})",
                "Use --device cpu, or install a PyTorch that is made for this GPU and its driver",
            ) from error
        with suppress(OSError):  # in a home that cannot be written the probe runs each time
            write_notes(TABLE, known)
    return known[key]


def probe_device(device: torch.device) -> list[ProbeFinding]:
    """Probe ``device`` anew: float32 against the CPU, then float16 and bfloat16 against the device's float32.

    Nothing is remembered and no name of a card is taken for granted. bfloat16 is left out where the device has none,
    and both where float32 is wrong.
    On the CPU, where all networks run in float32, there is one finding that passes. Raises ``torch.OutOfMemoryError``.
    """
    import torch

    from manymesh.device.placement import has_bfloat16

    if device.type == "cpu":
        return [ProbeFinding("float32 on the CPU", True, "Networks run in float32 on the CPU: nothing to probe.")]
    findings = list(_compare(torch.device("cpu"), device, torch.float32, FLOAT32_TOLERANCE))
    if not all(finding.passed for finding in findings):
        return findings
    findings += probe_half(device, torch.float16)
    if has_bfloat16(str(device)):
        findings += probe_half(device, torch.bfloat16)
    return findings


def probe_half(device: torch.device, dtype: torch.dtype, size: Size = FULL) -> list[ProbeFinding]:
    """A convolution and a picture decoder on ``device`` in ``dtype``, against float32 on the same device."""
    return list(_compare(device, device, dtype, HALF_TOLERANCE, size))


def device_name(device: torch.device) -> str:
    """What the device is called, such as "NVIDIA H200"; "cpu" or "mps" for those."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def driver_version(device: torch.device) -> str:
    """The NVIDIA driver's version where Linux tells it, else the CUDA version that PyTorch was built for; "none" for
    other devices."""
    import torch

    if device.type != "cuda":
        return "none"
    told = Path("/proc/driver/nvidia/version")
    found = None
    if sys.platform == "linux" and told.is_file():
        found = re.search(r"\b\d+\.\d+(\.\d+)?\b", told.read_text("utf-8", "replace"))
    return found[0] if found else f"of CUDA {torch.version.cuda}"


def _compare(
    exact_device: torch.device, device: torch.device, dtype: torch.dtype, tolerance: float, size: Size = FULL
) -> Iterator[ProbeFinding]:
    """The same networks in float32 on one device and in ``dtype`` on another. ``tolerance`` is a share of the largest
    exact value."""
    for what, network, x in _cases(size):
        yield _compare_one(what, network, x, exact_device, device, dtype, tolerance)


def _compare_one(
    what: str,
    network: nn.Module,
    x: Tensor,
    exact_device: torch.device,
    device: torch.device,
    dtype: torch.dtype,
    tolerance: float,
) -> ProbeFinding:
    import torch

    check = f"{what} in {_short(dtype)}"
    with torch.inference_mode():
        exact = network.to(exact_device, torch.float32)(x.to(exact_device)).cpu()
        try:
            made = network.to(device, dtype)(x.to(device, dtype)).float().cpu()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # a library of the driver's refuses it
            return ProbeFinding(check, False, f"A {check} fails ({_first_line(error)}).")
    if not bool(made.isfinite().all()):
        return ProbeFinding(check, False, f"A {check} gives numbers that are not finite.")
    difference = float((made - exact).abs().max() / exact.abs().max())
    numbers = {"largest_difference": round(difference, 6), "tolerance": tolerance}
    if difference > tolerance:
        return ProbeFinding(check, False, f"A {check} is off by {difference:.0%}.", numbers)
    return ProbeFinding(check, True, f"A {check} is right to {difference:.2%}.", numbers)


def _cases(size: Size) -> Iterator[tuple[str, nn.Module, Tensor]]:
    """Name, network with its weights, and input, in float32 on the CPU; the same in every process."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(_SEED)
    channels, side = size
    convolution = nn.Conv2d(channels, channels, 3, padding=1)
    _draw_weights(convolution, generator)
    yield "convolution", convolution, torch.randn(2, channels, side, side, generator=generator)
    decoder = _picture_decoder(channels)
    _draw_weights(decoder, generator)
    yield "picture decoder", decoder, torch.randn(1, 4, side, side, generator=generator)


def _picture_decoder(channels: int) -> nn.Module:
    """Like the decoders of latent diffusion models, small: latents (n, 4, h, w) to a picture (n, 3, 4h, 4w)."""
    from torch import nn

    half = channels // 2
    layers: list[nn.Module] = [nn.Conv2d(4, channels, 3, padding=1)]
    for inner, outer in ((channels, channels), (channels, half)):
        layers += [nn.GroupNorm(32, inner), nn.SiLU(), nn.Conv2d(inner, outer, 3, padding=1)]
        layers += [nn.Upsample(scale_factor=2.0, mode="nearest"), nn.Conv2d(outer, outer, 3, padding=1)]
    return nn.Sequential(*layers, nn.GroupNorm(32, half), nn.SiLU(), nn.Conv2d(half, 3, 3, padding=1))


def _draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Random weights under which outputs are about as large as inputs: vectors near 1, the others around 0."""
    import torch

    for parameter in network.parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        is_vector = parameter.dim() == 1
        parameter.data = 1 + 0.1 * drawn if is_vector else drawn * parameter[0].numel() ** -0.5


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _clause(sentence: str) -> str:
    """A sentence to stand within another one."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

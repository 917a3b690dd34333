"""What every benchmark here needs: wall time on an idle device, peak memory, and a part that may break."""

from __future__ import annotations

import argparse
import platform
import statistics
import time
import traceback
from collections.abc import Callable
from typing import Any

import torch

GIB = 2.0**30
Part = Callable[[torch.device, argparse.Namespace], dict[str, Any]]


def guarded(name: str, part: Part, device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """One part's numbers, or the text of what broke it."""
    print(f"... {name}", flush=True)
    started = time.perf_counter()
    try:
        numbers = part(device, options)
    except Exception as error:  # noqa: BLE001 - reported, and the other parts go on
        numbers = {"error": f"{type(error).__name__}: {error}"[:600], "where": traceback.format_exc()[-1500:]}
    numbers["part_seconds"] = round(time.perf_counter() - started, 2)
    clean()
    return numbers


def machine(device: torch.device) -> dict[str, Any]:
    import transformers

    facts: dict[str, Any] = {"python": platform.python_version(), "torch": torch.__version__}
    facts["transformers"] = transformers.__version__
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
        a = torch.empty(1 << 30, dtype=torch.uint8, device=device)
        b = torch.empty_like(a)
        facts["copy_bytes_per_s"] = 2 * a.numel() / seconds(lambda: b.copy_(a), device, repeats=10)
    return facts


def clean() -> None:
    import gc

    gc.collect()  # a model and its graph may hold on to each other
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fresh(device: torch.device) -> None:
    """Nothing under way, nothing left over, peaks counted from here."""
    synchronise(device)
    clean()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def seconds(run: Callable[[], object], device: torch.device, repeats: int = 5, warm: int = 2) -> float:
    """Median wall time of ``run``, with the device idle before and after."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(repeats):
        synchronise(device)
        start = time.perf_counter()
        run()
        synchronise(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def timed(run: Callable[[], object], device: torch.device, repeats: int) -> dict[str, Any]:
    """Seconds of the first call, the median and least of ``repeats`` after it, and on CUDA the peak of all in GiB."""
    fresh(device)
    cuda = device.type == "cuda"
    held_bytes = torch.cuda.memory_allocated(device) if cuda else 0
    times = []
    for _ in range(1 + repeats):
        synchronise(device)
        start = time.perf_counter()
        run()
        synchronise(device)
        times.append(time.perf_counter() - start)
    later = times[1:] or times
    row: dict[str, Any] = {"first_s": times[0], "median_s": statistics.median(later), "least_s": min(later)}
    if cuda:
        row["held_gib"] = held_bytes / GIB
        row["peak_allocated_gib"] = torch.cuda.max_memory_allocated(device) / GIB
        row["peak_reserved_gib"] = torch.cuda.max_memory_reserved(device) / GIB
    return row


class Peak:
    """The most device memory that was allocated and reserved inside a ``with`` block, in GiB."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.numbers = {"peak_allocated_gib": float("nan"), "peak_reserved_gib": float("nan")}

    def __enter__(self) -> Peak:
        fresh(self.device)
        return self

    def __exit__(self, *_: object) -> None:
        if self.device.type == "cuda":
            allocated = torch.cuda.max_memory_allocated(self.device)
            reserved = torch.cuda.max_memory_reserved(self.device)
            self.numbers = {"peak_allocated_gib": allocated / GIB, "peak_reserved_gib": reserved / GIB}


def print_table(report: dict[str, Any]) -> None:
    print("\n" + ", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for name, numbers in report["parts"].items():
        print(f"\n{name}")
        for key, value in numbers.items():
            shown = f"{value:.5g}" if isinstance(value, float) else str(value)
            if isinstance(value, dict):
                shown = ", ".join(f"{k} {v:.3f}" for k, v in value.items())
            print(f"  {key:<42} {shown}")

"""The memory that this machine has for a job, and keeping to it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec

from manymesh.device.placement import requested
from manymesh.plan.planner import CARD_MARGIN_BYTES, MemoryPlan, Offer, plan_memory
from manymesh.settings import Settings
from manymesh.stages import STEPS, Kind, Level, Stage
from manymesh.units import parse_memory

# Of the free device memory, the share that is left to other programs, and at least so much. Chosen by hand; not
# measured.
_LEFT_SHARE, _LEFT_BYTES = 0.05, 200 << 20


def plan_for(
    stages: Mapping[Kind, Stage], settings: Settings, *, objects: int = 1, assume_gpu: bool = False
) -> MemoryPlan:
    """The plan of a run with these stages and settings on this machine.

    Args:
        stages: the implementations.
        settings: ``vram``, ``devices`` and whatever the stages' levels heed.
        objects: how many are expected.
        assume_gpu: plan for a card of ``settings.vram`` although this machine may have none.

    Raises:
        DoesNotFitError: see ``plan_memory``.
    """
    offers = offers_of(stages, settings, assume_gpu=assume_gpu)
    if not offers:  # the engine needs no GPU: torch is not even imported
        return MemoryPlan(None, objects)
    return plan_memory(offers, budget_bytes(settings, assume_gpu=assume_gpu), host_bytes=_host_bytes(), objects=objects)


def offers_of(stages: Mapping[Kind, Stage], settings: Settings, *, assume_gpu: bool = False) -> list[Offer]:
    """What the stages of a run offer, in order; those without levels are left out."""
    offers = []
    for step in STEPS:
        if step.model is None or not step.needs_model(settings) or step.model not in stages:
            continue
        stage = stages[step.model]
        levels = tuple(stage.levels(settings))
        if levels:
            on_cpu = not assume_gpu and not _on_cuda(settings, step.model)
            on_cpu = on_cpu or requested(settings.devices, step.model) == "cpu"
            offers.append(Offer(step.model, stage.name, levels, on_cpu))
    return offers


def usual_level(kind: Kind, levels: tuple[Level, ...], settings: Settings) -> Level:
    """The level of one stage that is opened by itself, without a plan of the whole run."""
    on_cpu = not _on_cuda(settings, kind)
    budget = None if on_cpu else budget_bytes(settings)
    plan = plan_memory([Offer(kind, kind, levels, on_cpu)], budget, host_bytes=_host_bytes())
    return plan.stages[0].level


def budget_bytes(settings: Settings, *, assume_gpu: bool = False) -> int | None:
    """Device memory for tensors: of the card that ``--vram`` names, or of what is free now. None without a GPU."""
    named = None if settings.vram is None else max(parse_memory(settings.vram) - CARD_MARGIN_BYTES, 1)
    if assume_gpu and named is not None:
        return named
    if not _cuda():
        return None
    import torch

    def free_bytes(device: int) -> int:
        # What this process has reserved and does not use is free for it.
        spare = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + spare

    free = min(free_bytes(device) for device in _cuda_devices(settings))
    there = max(free - max(int(free * _LEFT_SHARE), _LEFT_BYTES), 1)
    return there if named is None else min(named, there)


def keep_to(plan: MemoryPlan, settings: Settings) -> None:
    """Where ``--vram`` is given, let PyTorch's allocator take no more than the plan's budget; else all of the card, for
    an earlier job of this process may have had less."""
    planned = plan.budget_bytes is not None and bool(plan.stages)
    if not planned and sys.modules.get("torch") is None:
        return
    if not _cuda():
        return
    import torch

    for device in _cuda_devices(settings):
        share = 1.0
        if planned and plan.budget_bytes is not None and settings.vram is not None:
            share = min(plan.budget_bytes / torch.cuda.get_device_properties(device).total_memory, 1.0)
        torch.cuda.set_per_process_memory_fraction(share, device)


def _cuda() -> bool:
    """Whether PyTorch sees a CUDA device."""
    if "torch" not in sys.modules and find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def _on_cuda(settings: Settings, kind: Kind) -> bool:
    asked = requested(settings.devices, kind)
    return asked != "cpu" and asked != "mps" and _cuda()


def _cuda_devices(settings: Settings) -> list[int]:
    """The numbers of the CUDA devices that stages are sent to; [0] where none is named. The plan is for the one with
    the least free memory."""
    named = [device.rpartition("=")[2] for device in settings.devices]
    numbers = {int(device.removeprefix("cuda:")) for device in named if device.startswith("cuda:")}
    return sorted(numbers) or [0]


def _host_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().available)

"""The planner: from what the stages offer and what memory there is, to a level for each stage. Pure data.

Stages run in turn, and each frees its networks before the next opens. So every stage may use the whole budget, and
each takes the fastest of its levels that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from manymesh.errors import DoesNotFitError
from manymesh.stages import Kind, Level
from manymesh.units import memory_in_words

# Of a card's memory, what is not for tensors: CUDA's context and kernels, the desktop, other programs' leftovers.
# 0.8 GiB, chosen by hand: PyTorch's context alone takes about half of it.
CARD_MARGIN_BYTES = (8 << 30) // 10


@dataclass(frozen=True)
class Offer:
    """What one stage offers.

    Attributes:
        kind: detect, matte, shape or paint.
        implementation: the stage's name.
        levels: the fastest first; at least one.
        on_cpu: the user wants it on the CPU, or there is no GPU.
    """

    kind: Kind
    implementation: str
    levels: tuple[Level, ...]
    on_cpu: bool = False


@dataclass(frozen=True)
class StagePlan:
    """What was decided for one stage.

    Attributes:
        kind, implementation: of the stage.
        level: the one to open it at.
        smaller: the levels to step down to when memory runs out all the same, in order.
        why: one line for people.
    """

    kind: Kind
    implementation: str
    level: Level
    smaller: tuple[Level, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class MemoryPlan:
    """A plan for one job.

    Attributes:
        budget_bytes: what the allocator may take from the device; None without a GPU.
        objects: how many objects it was made for.
        stages: in the order in which they run.
    """

    budget_bytes: int | None
    objects: int = 1
    stages: tuple[StagePlan, ...] = field(default=())

    def of(self, kind: str) -> StagePlan | None:
        """The plan of one stage; None for a stage that offers no levels."""
        return next((stage for stage in self.stages if stage.kind == kind), None)

    @property
    def reserved_bytes(self) -> int:
        """The most device memory that any stage is predicted to take."""
        return max((stage.level.reserved_bytes for stage in self.stages), default=0)

    @property
    def fits_together(self) -> bool:
        """Whether the stages' predicted memory fits all at once, so that none need be closed for the next."""
        return self.budget_bytes is None or sum(s.level.reserved_bytes for s in self.stages) <= self.budget_bytes

    @property
    def seconds(self) -> float:
        """Predicted for the networks' stages of the whole job, on an H200."""
        return sum(stage.level.load_s + _turns(stage, self.objects) * stage.level.object_s for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """As plain data, for ``--json``."""
        return {
            "budget_bytes": self.budget_bytes,
            "objects": self.objects,
            "reserved_bytes": self.reserved_bytes,
            "seconds": round(self.seconds, 1),
            "stages": [_stage_json(stage, self.objects) for stage in self.stages],
        }


def plan_memory(
    offers: Sequence[Offer], budget_bytes: int | None, *, host_bytes: int = 1 << 62, objects: int = 1
) -> MemoryPlan:
    """The plan for stages that run in turn.

    Args:
        offers: of the stages, in order.
        budget_bytes: device memory for tensors; None without a GPU.
        host_bytes: free host memory.
        objects: how many are expected; only the predicted seconds depend on it.

    Raises:
        DoesNotFitError: some stage has no level within the budget. It names the smallest card that would do.
    """
    stages = [_chosen(offer, budget_bytes, host_bytes) for offer in offers]
    failing = [offer for offer, stage in zip(offers, stages, strict=True) if stage is None]
    if failing and budget_bytes is not None:
        raise _refusal(offers, failing, budget_bytes)
    return MemoryPlan(budget_bytes, objects, tuple(stage for stage in stages if stage is not None))


def smallest_budget(offers: Sequence[Offer]) -> int:
    """The least device memory for tensors with which every stage has a level."""
    return max((min(level.reserved_bytes for level in offer.levels) for offer in offers if not offer.on_cpu), default=0)


def card_of(budget_bytes: int) -> str:
    """The size of card that has this budget, as ``--vram`` takes it, rounded up to a tenth of a GiB."""
    return f"{-(-(budget_bytes + CARD_MARGIN_BYTES) * 10 // (1 << 30)) / 10:g}G"


def _chosen(offer: Offer, budget_bytes: int | None, host_bytes: int) -> StagePlan | None:
    if offer.on_cpu or budget_bytes is None:
        why = "not on the GPU, as asked" if budget_bytes is not None else "no CUDA GPU to plan for"
        return StagePlan(offer.kind, offer.implementation, Level("unplanned", "cpu"), (), why)
    for number, level in enumerate(offer.levels):
        if level.reserved_bytes > budget_bytes:
            continue
        # Streaming from memory that the system swaps would be slower than anything; the last level is taken anyway.
        if level.host_bytes > host_bytes and number + 1 < len(offer.levels):
            continue
        why = level.why
        if number:
            larger = offer.levels[number - 1]
            if larger.reserved_bytes > budget_bytes:
                why += f" ({larger.name} would take {memory_in_words(larger.reserved_bytes)})"
            else:
                why += f" ({larger.name} would take {memory_in_words(larger.host_bytes)} of host memory)"
        return StagePlan(offer.kind, offer.implementation, level, offer.levels[number + 1 :], why)
    return None


def _refusal(offers: Sequence[Offer], failing: Sequence[Offer], budget_bytes: int) -> DoesNotFitError:
    needed = smallest_budget(offers)
    worst = max(failing, key=lambda offer: min(level.reserved_bytes for level in offer.levels))
    least = min(level.reserved_bytes for level in worst.levels)
    return DoesNotFitError(
        f"the {worst.kind} stage needs {memory_in_words(least)} of the graphics card's memory, and the budget is "
        f"{memory_in_words(budget_bytes)}",
        f"A card with {card_of(needed)} would do (--vram {card_of(needed)}); or compute on the CPU: "
        f"{' '.join(f'--device {offer.kind}=cpu' for offer in failing)}",
        needed_bytes=needed,
    )


def _turns(stage: StagePlan, objects: int) -> int:
    """How often a stage works: detection once a photo, the others once an object."""
    return 1 if stage.kind == "detect" else objects


def _stage_json(stage: StagePlan, objects: int) -> dict[str, Any]:
    level = stage.level
    return {
        "stage": stage.kind,
        "implementation": stage.implementation,
        "level": level.name,
        "how": level.how,
        "number_format": level.number_format,
        "allocated_bytes": level.allocated_bytes,
        "reserved_bytes": level.reserved_bytes,
        "host_bytes": level.host_bytes,
        "seconds": round(level.load_s + _turns(stage, objects) * level.object_s, 2),
        "options": dict(level.options),
        "why": stage.why,
        "smaller": [smaller.name for smaller in stage.smaller],
    }

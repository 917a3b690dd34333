"""A memory plan as text for people."""

from __future__ import annotations

from manymesh.plan.planner import MemoryPlan, card_of
from manymesh.units import memory_in_words


def report(plan: MemoryPlan, engine: str) -> str:
    """The plan as a few lines: peaks and seconds predicted, and why, for each stage."""
    if not plan.stages:
        return f"engine {engine}: no stage needs a GPU, so there is nothing to plan."
    if plan.budget_bytes is None:
        heading = f"engine {engine}: no CUDA GPU here. To plan for one: --vram 8G"
    else:
        budget = memory_in_words(plan.budget_bytes)
        heading = f"engine {engine}, {_counted(plan.objects)}: {budget} for tensors (a card with about "
        heading += f"{card_of(plan.budget_bytes)})"
    lines = [heading, f"  {'stage':8}{'level':26}{'format':10}{'allocated':>10}{'reserved':>10}{'seconds':>9}  why"]
    for stage in plan.stages:
        level, row = stage.level, next(row for row in plan.to_json()["stages"] if row["stage"] == stage.kind)
        lines.append(
            f"  {stage.kind:8}{level.name:26}{level.number_format:10}{memory_in_words(level.allocated_bytes):>10}"
            f"{memory_in_words(level.reserved_bytes):>10}{row['seconds']:>9.1f}  {stage.why}"
        )
    lines.append(
        f"  at most {memory_in_words(plan.reserved_bytes)}; {plan.seconds:.0f} s for these stages on an NVIDIA H200 "
        "(other cards are slower)"
    )
    return "\n".join(lines)


def _counted(objects: int) -> str:
    return "1 object" if objects == 1 else f"{objects} objects"

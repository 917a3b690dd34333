"""Which stage uses how much of the GPU's memory, decided before anything is loaded. Knows no network."""

from manymesh.plan.planner import MemoryPlan, Offer, StagePlan, plan_memory

__all__ = ["MemoryPlan", "Offer", "StagePlan", "plan_memory"]

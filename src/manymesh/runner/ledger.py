"""What a stage cost, beside what was planned for it, in its line of the manifest."""

from __future__ import annotations

from manymesh.device import Usage
from manymesh.run.manifest import Manifest, StageRecord
from manymesh.stages import Level
from manymesh.units import memory_in_words


def add_seconds(manifest: Manifest, stage: str, seconds: float) -> None:
    """Add one object's or one run's work to the last line about its stage."""
    record = next(record for record in reversed(manifest.stages) if record.stage == stage)
    record.seconds = round(record.seconds + seconds, 4)
    record.objects += 1


def set_usage(record: StageRecord, usage: Usage) -> None:
    """What a meter found, from opening to closing the stage."""
    record.wall_seconds = round(usage.seconds, 4)
    record.host_peak_bytes = usage.host_peak_bytes
    record.device_peak_bytes = usage.device_peak_bytes
    record.device_reserved_bytes = usage.device_reserved_bytes
    record.moved_bytes = usage.moved_bytes
    record.weights_seconds = round(usage.load_s, 4)


def set_level(record: StageRecord, level: Level | None) -> None:
    """What was planned, beside what it came to."""
    if level is None or level.how == "cpu":
        return
    record.level = level.name
    record.planned_peak_bytes, record.planned_reserved_bytes = level.allocated_bytes, level.reserved_bytes


def over_plan(record: StageRecord) -> list[str]:
    """A sentence where a stage took more of the device's memory than was planned."""
    planned, used = record.planned_reserved_bytes, record.device_reserved_bytes
    if planned is None or used is None or used <= planned:
        return []
    return [
        f"The {record.stage} stage took {memory_in_words(used)} of the GPU's memory where {memory_in_words(planned)} "
        "were planned."
    ]

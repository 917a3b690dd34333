"""The learning rate over steps and wall-clock time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

WARM_UP_STEPS = 400


def learning_rate(peak: float, step: int, fraction: float, warm_up: int = WARM_UP_STEPS) -> float:
    """Linear over the first ``warm_up`` steps, times a cosine over the ``fraction`` of the time that is used."""
    return peak * min(1.0, (step + 1) / warm_up) * 0.5 * (1.0 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))


@dataclass
class Clock:
    """Seconds of training used, those of earlier calls of the same run included.

    Attributes:
        total_s: how long the whole run may train.
        used_before_s: what earlier calls used.
        started: time.monotonic() of this call's first step.
    """

    total_s: float
    used_before_s: float
    started: float

    def used_s(self) -> float:
        return self.used_before_s + time.monotonic() - self.started

    def fraction(self) -> float:
        return self.used_s() / max(self.total_s, 1e-9)

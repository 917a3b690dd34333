"""What a run costs: seconds, host memory, device memory. Knows nothing of stages."""

from manymesh.memory.meter import Meter, Usage

__all__ = ["Meter", "Usage"]

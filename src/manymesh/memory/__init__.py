"""What a run costs: seconds, host memory, device memory; and giving memory back. Knows nothing of stages."""

from manymesh.memory.give_back import give_back, share_heaps
from manymesh.memory.meter import Meter, Usage

__all__ = ["Meter", "Usage", "give_back", "share_heaps"]

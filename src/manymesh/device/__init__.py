"""What a run costs: seconds, host memory, device memory; and giving memory back. Knows nothing of stages."""

from manymesh.device.meter import Meter, Usage
from manymesh.device.release import give_back, share_heaps

__all__ = ["Meter", "Usage", "give_back", "share_heaps"]

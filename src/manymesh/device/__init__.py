"""Which device and number format a network gets; what a stretch of work costs; memory released. Knows no stages."""

from manymesh.device.meter import Meter, Usage
from manymesh.device.release import limit_heaps, release_memory

__all__ = ["Meter", "Usage", "limit_heaps", "release_memory"]

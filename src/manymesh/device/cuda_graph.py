"""A step of a network recorded as a CUDA graph, to be replayed without Python in between.

What is recorded works on the addresses it saw: inputs must be copied into the same tensors before each replay.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Step = Callable[[], None]


def record(step: Step, device: torch.device) -> torch.cuda.CUDAGraph:
    """The graph of one ``step``. Two steps run first on a side stream, so that libraries set up their workspaces.

    Raises ``RuntimeError`` where the driver or an operation does not allow it.
    """
    with torch.cuda.device(device):
        side = torch.cuda.Stream(device)
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            step()
            step()
        torch.cuda.current_stream(device).wait_stream(side)
        # The allocator keeps what the side stream used for that stream alone; a graph has memory of its own.
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
    return graph


def try_record(step: Step, device: torch.device) -> tuple[torch.cuda.CUDAGraph | None, str]:
    """As ``record``, or None and a clause that says why steps have to run as they are. Lack of memory is raised."""
    try:
        return record(step, device), ""
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        return None, f"steps run uncaptured: {str(error).strip().splitlines()[0]}"


class Pace:
    """Lets the queue hold one step ahead of the GPU and no more, so that progress and cancel mean something."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._before: torch.cuda.Event | None = None

    def __call__(self) -> None:
        """Call it after each step."""
        if self.device.type != "cuda":
            return
        now = torch.cuda.Event()
        now.record(torch.cuda.current_stream(self.device))
        if self._before is not None:
            self._before.synchronize()
        self._before = now

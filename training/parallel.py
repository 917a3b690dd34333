"""One process a GPU: gradients averaged through one flat buffer, and one clock for all.

Why not DistributedDataParallel: with torch.compile it splits the graph at its buckets. A 10 M parameter network's
gradients are 40 MB: one all-reduce of them all is cheap over NVLink, and leaves the compiled step whole.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

PATIENCE = datetime.timedelta(minutes=8)
"""How long a rank waits for another: longer than the slowest compile or validation."""


class Team:
    """What a rank knows of the others. ``world`` 1 needs no process group and does nothing."""

    def __init__(self, rank: int, world: int, device: torch.device, port: int) -> None:
        self.rank, self.world = rank, world
        self.notes = 0
        if world > 1:
            self.store = dist.TCPStore("127.0.0.1", port, world, is_master=rank == 0, timeout=PATIENCE)
            backend = "nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(
                backend,
                store=dist.PrefixStore("group", self.store),
                rank=rank,
                world_size=world,
                timeout=PATIENCE,
                device_id=device if device.type == "cuda" else None,
            )

    def tell(self, note: Any) -> Any:
        """Rank 0's ``note`` (anything JSON can hold), on every rank. Goes past the GPU: nothing synchronises."""
        if self.world == 1:
            return note
        self.notes += 1
        key = f"note/{self.notes}"
        if self.rank == 0:
            self.store.set(key, json.dumps(note))
            return note
        return json.loads(self.store.get(key))

    def mean_(self, tensors: list[torch.Tensor]) -> None:
        """Replace tensors by their mean over the ranks."""
        if self.world > 1:
            for tensor in tensors:
                dist.all_reduce(tensor)
                tensor.div_(self.world)

    def same_(self, tensors: list[torch.Tensor]) -> None:
        """Replace tensors by rank 0's."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def close(self) -> None:
        if self.world > 1:
            dist.destroy_process_group()


class FlatGradients:
    """All gradients of a network as one tensor; each parameter's ``grad`` is a window into it.

    ``zero_grad(set_to_none=True)`` would cut the windows loose: call ``zero_`` here instead.
    """

    def __init__(self, network: nn.Module) -> None:
        parameters = list(network.parameters())
        # Windows start at multiples of 64 numbers: fused optimisers load 16 bytes at a time.
        rooms = [-(-parameter.numel() // 64) * 64 for parameter in parameters]
        self.flat = torch.zeros(sum(rooms), device=parameters[0].device)
        start = 0
        for parameter, room in zip(parameters, rooms, strict=True):
            # The parameter's own strides (channels_last or not), or autograd would replace the window by a copy.
            parameter.grad = self.flat.as_strided(parameter.shape, parameter.stride(), start)
            start += room

    def zero_(self) -> None:
        self.flat.zero_()

    def average_and_clip_(self, team: Team, most: float) -> torch.Tensor:
        """Mean over the ranks, then at most ``most`` long; returns the length before, without synchronising.

        A length that is no finite number makes the gradients 0, on every rank alike: one bad batch costs one step.
        """
        team.mean_([self.flat])
        length = self.flat.norm()
        share = torch.where(torch.isfinite(length), (most / (length + 1e-6)).clamp(max=1.0), 0.0)
        self.flat.nan_to_num_(0.0, 0.0, 0.0).mul_(share)
        return length


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_on_all(world: int, work: Callable[..., None], *arguments: Any) -> None:
    """Call ``work(rank, world, port, *arguments)`` in ``world`` processes (in this one where it is 1).

    Processes are forked, so that they see the arguments without copying: CUDA must not have been touched before.
    """
    port = free_port()
    if world == 1:
        work(0, 1, port, *arguments)
        return
    if torch.cuda.is_initialized():
        raise RuntimeError("CUDA was used before the ranks were forked; they could not use it")
    ranks = mp.start_processes(work, (world, port, *arguments), nprocs=world, join=False, start_method="fork")

    def pass_on(number: int, _: object) -> None:
        for pid in ranks.pids():
            with contextlib.suppress(ProcessLookupError):  # that rank is done already
                os.kill(pid, number)

    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        while not ranks.join():
            pass
    finally:
        signal.signal(signal.SIGTERM, before)

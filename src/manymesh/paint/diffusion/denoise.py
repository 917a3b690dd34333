"""The loop from noise to latents, the same for all painters. On CUDA a step is captured once and replayed.

A step of these networks is some two thousand small kernels; launching them one by one takes longer than running them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

from manymesh.device.cuda_graph import Pace, try_record
from manymesh.paint.diffusion.diffusion_schedule import DiffusionSchedule
from manymesh.stages import Tick

Predict = Callable[[Tensor, Tensor], Tensor]
"""(N, 4, h, w) scaled sample and (T, time_dim) embedded time to the network's (N, 4, h, w) answer."""


NoiseSource = Callable[[tuple[int, ...]], Tensor]
"""Normal numbers of a shape; every call gives fresh ones."""


class Denoiser:
    """Runs one network's steps for samples of one size.

    Args:
        predict: the network; whatever else it reads must stay at its address between calls.
        shape: of the sample.
        time_dim: width of the time embedding.
        device, dtype: of the network. The sample itself is float32.
        time_rows: T, how many embedded times a step is given; as many as the sample has pictures when None.
        use_graph: capture the step on CUDA. Elsewhere, and when the capture fails, steps run as they are.
    """

    def __init__(
        self,
        predict: Predict,
        shape: tuple[int, int, int, int],
        time_dim: int,
        *,
        device: torch.device,
        dtype: torch.dtype,
        time_rows: int | None = None,
        use_graph: bool = True,
    ) -> None:
        self.predict = predict
        self.use_graph = use_graph and device.type == "cuda"
        self.graph: torch.cuda.CUDAGraph | None = None
        self.capture_failure = ""
        # What a step reads and writes; a captured graph holds on to these very addresses.
        self.x = torch.zeros(shape, device=device)
        self.noise = torch.zeros(shape, device=device)
        self.time = torch.zeros(time_rows or shape[0], time_dim, device=device, dtype=dtype)
        self.numbers = torch.zeros(4, device=device)

    @torch.inference_mode()
    def __call__(
        self,
        start: Tensor,
        schedule: DiffusionSchedule,
        times: Tensor,
        draw: Callable[[], Tensor],
        tick: Tick = lambda done: None,
        each: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """
        Args:
            start: noise of the sample's shape, of variance 1.
            schedule: the steps.
            times: (n, T, time_dim) embedded time of each step.
            draw: fresh noise of the sample's shape; called once a step, in order.
            tick: called after each step with the share done; may raise to stop.
            each: called with the number of each step done, from 1, and the sample after it.

        Returns:
            The sample after the last step, float32.
        """
        rows = [schedule.input_scale, schedule.keep, schedule.answer, schedule.noise]
        table = torch.tensor([[float(row[i]) for row in rows] for i in range(schedule.steps)], dtype=torch.float32)
        table = table.to(self.x.device)
        if self.use_graph and self.graph is None:
            self._capture(times[0])
        self.x.copy_(start).mul_(schedule.start_scale)
        pace = Pace(self.x.device)
        for step in range(schedule.steps):
            self.time.copy_(times[step])
            self.numbers.copy_(table[step])
            self.noise.copy_(draw())
            if self.graph is not None:
                self.graph.replay()
            else:
                self.step()
            if each is not None:
                each(step + 1, self.x)
            pace()
            tick((step + 1) / schedule.steps)
        return self.x.clone()

    def step(self) -> None:
        """One step, in place on ``x``."""
        scale, keep, answer, noise = self.numbers
        found = self.predict((self.x * scale).to(self.time.dtype), self.time)
        self.x.copy_(keep * self.x + answer * found.float() + noise * self.noise)

    def _capture(self, time: Tensor) -> None:
        self.x.zero_()
        self.numbers.zero_()
        self.time.copy_(time)
        self.graph, self.capture_failure = try_record(self.step, self.x.device)
        self.use_graph = self.graph is not None


def cpu_noise(seed: int, purpose: str) -> NoiseSource:
    """Float32 numbers that are the same on every device; each purpose has its own stream."""
    digest = hashlib.sha256(f"{seed}/paint/{purpose}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return lambda shape: torch.randn(shape, generator=generator)

"""Condition tokens to latents: flow-matching sampling (Lipman et al. 2023) with classifier-free guidance (Ho & Salimans
2022).

``Sampler`` is the fast version. It works out the time's tokens of all steps at once, and the condition's keys and
values once. The unconditional row's cross attention is left out: its condition is all zeros, so it adds a bias. On CUDA
each step is replayed as one captured graph. ``reference_denoise`` is the official program's loop, step by step.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from manymesh.device.cuda_graph import Pace, try_record
from manymesh.shape.common.flow import euler_step
from manymesh.shape.triposg.attention import KeysValues
from manymesh.shape.triposg.schedule import Schedule
from manymesh.shape.triposg.transformer import ShapeTransformer
from manymesh.stages import Tick


def is_guided(guidance: float) -> bool:
    """Whether a guidance scale asks for an unconditional row; at 1 or less it has none."""
    return guidance > 1


@torch.inference_mode()
def reference_denoise(
    transformer: ShapeTransformer,
    condition: Tensor,
    start: Tensor,
    plan: Schedule,
    guidance: float,
    each: Callable[[int, Tensor], None] = lambda step, x: None,
) -> Tensor:
    """The official sampling loop.

    Args:
        transformer: the network.
        condition: (B, T, context_width).
        start: (B, N, in_channels) noise.
        plan: the steps.
        guidance: the scale of classifier-free guidance.
        each: called after each step with its number, from 1, and the sample.

    Returns:
        (B, N, in_channels) latents.
    """
    guided = is_guided(guidance)
    x, batch = start, len(start) * (2 if guided else 1)
    context = torch.cat([torch.zeros_like(condition), condition]) if guided else condition
    times, widths = torch.from_numpy(plan.timesteps).to(x.device), torch.from_numpy(plan.widths).to(x.device)
    for step in range(plan.steps):
        v = transformer(torch.cat([x, x]) if guided else x, times[step].expand(batch), context)
        if guided:
            unconditional, conditional = v.chunk(2)
            v = unconditional + guidance * (conditional - unconditional)
        x = euler_step(x, v, widths[step])
        each(step + 1, x)
    return x


class Sampler:
    """Samples latents for one object at a time, all of the same size.

    Args:
        transformer: the network.
        condition_tokens: T.
        latents: N.
        guidance: the scale of classifier-free guidance.
        one_pass: whether both rows of guidance go through the network together. Apart they take half the working
            memory and more time.
        use_graph: capture the step as a CUDA graph. Without CUDA, and when the capture fails, steps run without one;
            ``capture_failure`` then says why.
    """

    def __init__(
        self,
        transformer: ShapeTransformer,
        *,
        condition_tokens: int,
        latents: int,
        guidance: float,
        one_pass: bool = True,
        use_graph: bool = True,
    ) -> None:
        config, weight = transformer.config, transformer.proj_in.weight
        self.transformer, self.guidance, self.one_pass = transformer, guidance, one_pass
        self.guided = is_guided(guidance)
        self.device, self.dtype = weight.device, weight.dtype
        self.use_graph = use_graph and self.device.type == "cuda"
        self.graph: torch.cuda.CUDAGraph | None = None
        self.capture_failure = ""
        # The buffers that a step reads and writes. A captured graph uses these addresses, so they are never replaced.
        self.x = self._buffer(1, latents, config.in_channels)
        self.time = self._buffer(1, config.width)
        self.width = torch.empty((), device=self.device, dtype=torch.float32)
        size = (1, config.heads, condition_tokens, config.width // config.heads)
        self.keys_values = [KeysValues(self._buffer(*size), self._buffer(*size)) for _ in range(config.layers)]

    def _buffer(self, *size: int) -> Tensor:
        return torch.empty(*size, device=self.device, dtype=self.dtype)

    @torch.inference_mode()
    def __call__(self, condition: Tensor, start: Tensor, plan: Schedule, tick: Tick = lambda done: None) -> Tensor:
        """Latents for one object.

        Args:
            condition: (1, T, context_width).
            start: (1, N, in_channels) noise.
            plan: the steps.
            tick: called after each step with the share done, 0..1; may raise to stop.

        Returns:
            (1, N, in_channels).
        """
        times = self.transformer.time_tokens(torch.from_numpy(plan.timesteps).to(self.device))
        widths = torch.from_numpy(plan.widths).to(self.device)
        made = self.transformer.keys_values(condition.to(self.device, self.dtype))
        for kept, fresh in zip(self.keys_values, made, strict=True):
            kept.keys.copy_(fresh.keys)
            kept.values.copy_(fresh.values)
        del made
        if self.use_graph and self.graph is None:
            self._capture(times[:1])
        self.x.copy_(start)
        pace = Pace(self.device)
        for step in range(plan.steps):
            self.time.copy_(times[step : step + 1])
            self.width.copy_(widths[step])
            if self.graph is not None:
                self.graph.replay()
            else:
                self.step()
            pace()
            tick((step + 1) / plan.steps)
        return self.x.clone()

    def step(self) -> None:
        """One Euler step, in place on ``x``."""
        self.x.copy_(euler_step(self.x, self._velocity(), self.width))

    def _velocity(self) -> Tensor:
        """(1, N, in_channels), with guidance."""
        network, x, time = self.transformer, self.x, self.time
        if not self.guided:
            return network.velocity(x, time, self.keys_values)
        if self.one_pass:
            both = network.velocity(torch.cat([x, x]), time.expand(2, -1), self.keys_values, free=1)
            unconditional, conditional = both.chunk(2)
        else:
            unconditional = network.velocity(x, time, None, free=1)
            conditional = network.velocity(x, time, self.keys_values)
        return unconditional + self.guidance * (conditional - unconditional)

    def _capture(self, time: Tensor) -> None:
        self.x.zero_()
        self.width.zero_()
        self.time.copy_(time)
        self.graph, self.capture_failure = try_record(self.step, self.device)
        self.use_graph = self.graph is not None

"""Condition tokens to latents: flow-matching sampling (Lipman et al. 2023) with classifier-free guidance (Ho & Salimans
2022).

``Sampler`` is the fast version. It computes the modulations of all steps at once (they depend only on the time), folds
the unconditional pass (see ``token_layout``), leaves out the Euler schedule's last step, whose width is 0, and on CUDA
replays each step as one captured graph. ``reference_denoise`` is the official program's loop, step by step.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.device.cuda_graph import Pace, try_record
from manymesh.shape.common.flow import euler_step
from manymesh.shape.hunyuan.dit import Dit
from manymesh.shape.hunyuan.flow_schedule import FlowSchedule
from manymesh.shape.hunyuan.token_layout import BatchedLayout, FoldedLayout, Layout
from manymesh.stages import Tick


@torch.inference_mode()
def reference_denoise(
    dit: Dit,
    condition: Tensor,
    start: Tensor,
    schedule: FlowSchedule,
    guidance: float,
    each: Callable[[int, Tensor], None] = lambda step, x: None,
) -> Tensor:
    """The official sampling loop.

    Args:
        dit: the network.
        condition: (B, T, context_in_dim).
        start: (B, L, in_channels) noise.
        schedule: the steps.
        guidance: guidance scale; under 0 there is no unconditional pass. Guidance-distilled networks take it as an
            input.
        each: called after each step with its number, from 1, and the sample.

    Returns:
        (B, L, in_channels) latents, before the division by the VAE's scale factor.
    """
    distilled = dit.config.guidance_embed
    guided = not distilled and guidance >= 0
    x, batch = start, len(start) * (2 if guided else 1)
    context = torch.cat([condition, torch.zeros_like(condition)]) if guided else condition
    scale = torch.full((batch,), guidance, device=x.device, dtype=torch.float32) if distilled else None
    widths = torch.from_numpy(schedule.sigmas[1:] - schedule.sigmas[:-1])
    for step, time in enumerate(network_timesteps(schedule, x)):
        v = dit(torch.cat([x, x]) if guided else x, time.expand(batch), context, scale)
        if guided:
            conditional, unconditional = v.chunk(2)
            v = unconditional + guidance * (conditional - unconditional)
        x = euler_step(x, v, widths[step].to(x.device))
        each(step + 1, x)
    return x


def network_timesteps(schedule: FlowSchedule, like: Tensor) -> Tensor:
    """(N,) times 0..1 in ``like``'s dtype and on its device. Timesteps are rounded to the dtype, then divided by
    1000."""
    return torch.from_numpy(schedule.timesteps).to(like.device, like.dtype) / 1000


class Sampler:
    """Samples latents for one object at a time, all of the same size.

    Args:
        dit: the network.
        condition_tokens: T.
        latents: L.
        guidance: guidance scale; under 0 there is no unconditional pass.
        use_graph: capture the step as a CUDA graph. Without CUDA, and when the capture fails, steps run without one;
            ``capture_failure`` then says why.
    """

    def __init__(
        self, dit: Dit, *, condition_tokens: int, latents: int, guidance: float, use_graph: bool = True
    ) -> None:
        weight = dit.latent_in.weight
        self.dit, self.guidance = dit, guidance
        self.guided = not dit.config.guidance_embed and guidance >= 0
        self.device, self.dtype = weight.device, weight.dtype
        self.layout: Layout = (
            FoldedLayout(condition_tokens, latents, device=self.device, dtype=self.dtype)
            if self.guided
            else BatchedLayout(condition_tokens)
        )
        self.use_graph = use_graph and self.device.type == "cuda"
        self.graph: torch.cuda.CUDAGraph | None = None
        self.capture_failure = ""
        layers = dit.modulation_layers()
        self.sizes = [layer.out_features for layer in layers]
        width = dit.config.hidden_size
        # The buffers that a step reads and writes. A captured graph uses these addresses, so they are never replaced.
        self.x = torch.empty(latents, dit.config.in_channels, device=self.device, dtype=self.dtype)
        tokens = condition_tokens + (1 if self.guided else 0)
        self.txt = torch.empty(tokens, width, device=self.device, dtype=self.dtype)
        self.modulation = torch.empty(sum(self.sizes), device=self.device, dtype=self.dtype)
        self.width = torch.empty((), device=self.device, dtype=torch.float32)

    @torch.inference_mode()
    def __call__(
        self, condition: Tensor, start: Tensor, schedule: FlowSchedule, tick: Tick = lambda done: None
    ) -> Tensor:
        """Latents for one object.

        Args:
            condition: (1, T, context_in_dim).
            start: (1, L, in_channels) noise.
            schedule: the steps.
            tick: called after each step with the share done, 0..1; may raise to stop.

        Returns:
            (1, L, in_channels), before the division by the VAE's scale factor.
        """
        modulations = self.modulations(schedule)
        self.embed_condition(condition)
        widths = torch.from_numpy(schedule.sigmas[1:] - schedule.sigmas[:-1]).to(self.device)
        if self.use_graph and self.graph is None:
            self._capture(modulations[0])
        self.x.copy_(start[0])
        steps = schedule.moving_steps
        pace = Pace(self.device)
        for step in range(steps):
            self.modulation.copy_(modulations[step])
            self.width.copy_(widths[step])
            if self.graph is not None:
                self.graph.replay()
            else:
                self.step()
            pace()
            tick((step + 1) / steps)
        return self.x[None].clone()

    def modulations(self, schedule: FlowSchedule) -> Tensor:
        """(N, sum of all modulation widths): every shift, scale (plus 1) and gate of each of the N steps."""
        times = network_timesteps(schedule, self.x)
        guidance = torch.full_like(times, self.guidance, dtype=torch.float32)
        activated = F.silu(self.dit.modulation_input(times, guidance))
        rows = []
        for layer in self.dit.modulation_layers():
            row = layer(activated)
            # Parts are shift, scale, gate (twice in double blocks); the final layer has shift and scale only.
            parts = layer.out_features // self.dit.config.hidden_size
            row.unflatten(-1, (parts, -1))[:, 1 :: 3 if parts % 3 == 0 else 2] += 1
            rows.append(row)
        return torch.cat(rows, dim=1)

    def embed_condition(self, condition: Tensor) -> None:
        """Fill the condition's stream from (1, T, context_in_dim) tokens. It does not depend on the step."""
        embedded = self.dit.cond_in(condition[0].to(self.device, self.dtype))
        self.txt[: len(embedded)].copy_(embedded)
        if self.guided:  # the embedding of a condition of zeros is the bias
            self.txt[len(embedded) :].copy_(self.dit.cond_in.bias)

    def step(self) -> None:
        """One Euler step, in place on ``x``."""
        img = self.dit.latent_in(self.x)
        modulations = list(self.modulation.split(self.sizes))
        if not self.guided:
            v = self.dit.velocity(img[None], self.txt[None], modulations, self.layout)[0]
        else:
            both = self.dit.velocity(torch.cat([img, img]), self.txt, modulations, self.layout)
            conditional, unconditional = both.chunk(2)
            v = unconditional + self.guidance * (conditional - unconditional)
        self.x.copy_(euler_step(self.x, v, self.width))

    def _capture(self, modulation: Tensor) -> None:
        self.x.zero_()
        self.width.zero_()
        self.modulation.copy_(modulation)
        self.graph, self.capture_failure = try_record(self.step, self.device)
        self.use_graph = self.graph is not None

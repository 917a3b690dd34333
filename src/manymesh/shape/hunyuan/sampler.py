"""From condition tokens to latents: noise, guidance and the steps between.

``Sampler`` is the fast way. It makes all modulations of a run in one go (they depend on the time alone), folds the
unconditional pass (see ``layout``), leaves out the plain schedule's last step, which has no width, and on CUDA replays
each step as one captured graph. ``reference_denoise`` is the official program's loop, step for step.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from manymesh.device.cuda_graph import Pace, try_record
from manymesh.shape.hunyuan.dit import Dit
from manymesh.shape.hunyuan.layout import Batched, Folded, Layout
from manymesh.shape.hunyuan.schedule import Schedule, euler_step
from manymesh.stages import Tick


def noise(seed: int, shape: tuple[int, ...], *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The start of a run. Drawn on the CPU in the network's dtype, so a seed means the same object on any device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).to(device)


@torch.inference_mode()
def reference_denoise(
    dit: Dit,
    condition: Tensor,
    start: Tensor,
    schedule: Schedule,
    guidance: float,
    each: Callable[[int, Tensor], None] = lambda step, x: None,
) -> Tensor:
    """The official loop.

    Args:
        dit: the network.
        condition: (B, T, context_in_dim).
        start: (B, L, in_channels) noise.
        schedule: the steps.
        guidance: scale; under 0 there is no unconditional pass. Distilled networks take it as an input instead.
        each: called with the number of each step done, from 1, and the sample after it.

    Returns:
        (B, L, in_channels) latents, before the division by the VAE's scale factor.
    """
    distilled = dit.config.guidance_embed
    guided = not distilled and guidance >= 0
    x, rows = start, len(start) * (2 if guided else 1)
    context = torch.cat([condition, torch.zeros_like(condition)]) if guided else condition
    scale = torch.full((rows,), guidance, device=x.device, dtype=torch.float32) if distilled else None
    widths = torch.from_numpy(schedule.sigmas[1:] - schedule.sigmas[:-1])
    for step, time in enumerate(network_times(schedule, x)):
        v = dit(torch.cat([x, x]) if guided else x, time.expand(rows), context, scale)
        if guided:
            v_guided, v_free = v.chunk(2)
            v = v_free + guidance * (v_guided - v_free)
        x = euler_step(x, v, widths[step].to(x.device))
        each(step + 1, x)
    return x


def network_times(schedule: Schedule, like: Tensor) -> Tensor:
    """(N,) times 0..1 in ``like``'s dtype: the timesteps are rounded to it first, then divided by 1000."""
    return torch.from_numpy(schedule.timesteps).to(like.device, like.dtype) / 1000


class Sampler:
    """Makes latents of one size, one object at a time.

    Args:
        dit: the network.
        condition_tokens: T.
        latents: L.
        guidance: scale; under 0 there is no unconditional pass.
        use_graph: capture the step on CUDA. Elsewhere, and when the capture fails, steps run as they are.
    """

    def __init__(
        self, dit: Dit, *, condition_tokens: int, latents: int, guidance: float, use_graph: bool = True
    ) -> None:
        weight = dit.latent_in.weight
        self.dit, self.guidance = dit, guidance
        self.guided = not dit.config.guidance_embed and guidance >= 0
        self.device, self.dtype = weight.device, weight.dtype
        self.layout: Layout = (
            Folded(condition_tokens, latents, device=self.device, dtype=self.dtype)
            if self.guided
            else Batched(condition_tokens)
        )
        self.use_graph = use_graph and self.device.type == "cuda"
        self.graph: torch.cuda.CUDAGraph | None = None
        self.fell_back = ""
        layers = dit.modulation_layers()
        self.sizes = [layer.out_features for layer in layers]
        width = dit.config.hidden_size
        # What one step reads and writes; a captured graph holds on to these very addresses.
        self.x = torch.empty(latents, dit.config.in_channels, device=self.device, dtype=self.dtype)
        rows = condition_tokens + (1 if self.guided else 0)
        self.txt = torch.empty(rows, width, device=self.device, dtype=self.dtype)
        self.modulation = torch.empty(sum(self.sizes), device=self.device, dtype=self.dtype)
        self.width = torch.empty((), device=self.device, dtype=torch.float32)

    @torch.inference_mode()
    def __call__(self, condition: Tensor, start: Tensor, schedule: Schedule, tick: Tick = lambda done: None) -> Tensor:
        """Latents for one object.

        Args:
            condition: (1, T, context_in_dim).
            start: (1, L, in_channels) noise.
            schedule: the steps.
            tick: called after each step with the share done; may raise to stop.

        Returns:
            (1, L, in_channels), before the division by the VAE's scale factor.
        """
        table = self.modulations(schedule)
        self.embed_condition(condition)
        widths = torch.from_numpy(schedule.sigmas[1:] - schedule.sigmas[:-1]).to(self.device)
        if self.use_graph and self.graph is None:
            self._capture(table[0])
        self.x.copy_(start[0])
        steps = schedule.useful_steps
        pace = Pace(self.device)
        for step in range(steps):
            self.modulation.copy_(table[step])
            self.width.copy_(widths[step])
            if self.graph is not None:
                self.graph.replay()
            else:
                self.step()
            pace()
            tick((step + 1) / steps)
        return self.x[None].clone()

    def modulations(self, schedule: Schedule) -> Tensor:
        """(N, all modulation outputs side by side): every shift, scale (plus 1) and gate of every step."""
        times = network_times(schedule, self.x)
        scale = torch.full_like(times, self.guidance, dtype=torch.float32)
        silu = F.silu(self.dit.vector(times, scale))
        rows = []
        for layer in self.dit.modulation_layers():
            row = layer(silu)
            # Parts are shift, scale, gate (twice in double blocks); the final layer has shift and scale.
            parts = layer.out_features // self.dit.config.hidden_size
            row.unflatten(-1, (parts, -1))[:, 1 :: 3 if parts % 3 == 0 else 2] += 1
            rows.append(row)
        return torch.cat(rows, dim=1)

    def embed_condition(self, condition: Tensor) -> None:
        """Fills the condition stream: it does not depend on the step."""
        embedded = self.dit.cond_in(condition[0].to(self.device, self.dtype))
        self.txt[: len(embedded)].copy_(embedded)
        if self.guided:  # zeros times the weights leave the bias
            self.txt[len(embedded) :].copy_(self.dit.cond_in.bias)

    def step(self) -> None:
        """One step, in place on ``x``."""
        img = self.dit.latent_in(self.x)
        rows = list(self.modulation.split(self.sizes))
        if not self.guided:
            v = self.dit.velocity(img[None], self.txt[None], rows, self.layout)[0]
        else:
            v_guided, v_free = self.dit.velocity(torch.cat([img, img]), self.txt, rows, self.layout).chunk(2)
            v = v_free + self.guidance * (v_guided - v_free)
        self.x.copy_(euler_step(self.x, v, self.width))

    def _capture(self, modulation: Tensor) -> None:
        self.x.zero_()
        self.width.zero_()
        self.modulation.copy_(modulation)
        self.graph, self.fell_back = try_record(self.step, self.device)
        self.use_graph = self.graph is not None

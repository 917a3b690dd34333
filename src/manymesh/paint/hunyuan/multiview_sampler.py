"""Six pictures of a mesh, painted together: conditions in, pictures out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from manymesh.paint.diffusion.denoise import Denoiser
from manymesh.paint.diffusion.diffusion_schedule import DiffusionSchedule
from manymesh.paint.diffusion.pictures import Batching
from manymesh.paint.hunyuan.multiview_unet import BlockContext, MultiviewUNet, ReferenceUNet, camera_labels
from manymesh.stages import Tick


def reference_tokens(network: ReferenceUNet, latents: Tensor, text: Tensor) -> dict[str, Tensor]:
    """What the main network's blocks see of the reference: (1, N * L, C) tokens by block.

    The inputs never change over a run, so this is done once; the official program does it at every step.
    """
    return network.write(latents, text)[0]


class MultiviewSampler:
    """Denoises all views of a mesh together.

    Args:
        network: the main network.
        camera_indices: of the views.
        guidance: scale; at 1 or below, and for distilled networks, there is no unguided row.
        economy: see ``Batching``.
        use_graph: see ``Denoiser``.
    """

    def __init__(
        self,
        network: MultiviewUNet,
        camera_indices: Sequence[int],
        guidance: float,
        economy: Batching,
        *,
        use_graph: bool = True,
    ) -> None:
        self.network, self.guidance, self.economy, self.use_graph = network, guidance, economy, use_graph
        weight = network.conv_in.weight
        self.device, self.dtype = weight.device, weight.dtype
        self.labels = camera_labels(torch.tensor(camera_indices, device=self.device))
        self.guided = guidance > 1
        self.conditions: Tensor | None = None
        self.block_contexts: dict[int, dict[str, BlockContext]] = {}
        self.denoiser: Denoiser | None = None

    @torch.inference_mode()
    def __call__(
        self,
        tokens: Mapping[str, Tensor],
        normals: Tensor,
        positions: Tensor,
        schedule: DiffusionSchedule,
        draw: Callable[[tuple[int, ...]], Tensor],
        tick: Tick = lambda done: None,
        each: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """
        Args:
            tokens: from ``reference_tokens``.
            normals, positions: (V, 4, h, w) scaled latents of the views' maps.
            schedule: the steps.
            draw: normal numbers of a shape; called once for the start and once for every step.
            tick, each: see ``Denoiser``.

        Returns:
            (V, 4, h, w) scaled latents, float32.
        """
        conditions = torch.cat([normals, positions], dim=1).to(self.device, self.dtype)
        self._remember(tokens)
        shape = (len(self.labels), *normals.shape[1:])
        if self.conditions is None or self.conditions.shape != conditions.shape or self.denoiser is None:
            self.conditions = conditions.clone()
            self.denoiser = Denoiser(
                self.predict,
                shape,
                self.network.time_embedding.linear_2.out_features,  # type: ignore[union-attr, arg-type]
                device=self.device,
                dtype=self.dtype,
                use_graph=self.use_graph,
            )
        self.conditions.copy_(conditions)
        moments = torch.tensor(schedule.timesteps, device=self.device)
        times = torch.stack([self.network.embed_time(moment.expand(shape[0]), self.labels) for moment in moments])
        return self.denoiser(draw(shape), schedule, times, lambda: draw(shape), tick, each)

    def close(self) -> None:
        """Let the denoiser go. It holds a method of this object, which would keep the network until garbage is
        collected."""
        self.denoiser = None

    def predict(self, x: Tensor, time: Tensor) -> Tensor:
        """The guided prediction of v: (V, 4, h, w) scaled sample, (V, time_dim) embedded time."""
        assert self.conditions is not None
        x = torch.cat([x, self.conditions], dim=1)
        if not self.guided:
            return self.network(x, time, self.block_contexts[1])  # type: ignore[no-any-return]
        if self.economy.joint_guidance:
            both = self.network(torch.cat([x, x]), torch.cat([time, time]), self.block_contexts[2])
            free, guided = both.chunk(2)
        else:
            free, guided = self.network(x, time, self.block_contexts[0]), self.network(x, time, self.block_contexts[1])
        return free + self.guidance * (guided - free)  # type: ignore[no-any-return]

    def _remember(self, tokens: Mapping[str, Tensor]) -> None:
        """Keys and values of text and reference: 0 for the unguided row alone, 1 the guided, 2 for both."""
        views, text = len(self.labels), self.network.learned_text_clip_gen
        tokens = {name: value.to(self.device, self.dtype) for name, value in tokens.items()}
        if not self.block_contexts:
            if self.guided and self.economy.joint_guidance:
                self.block_contexts[2] = self.network.block_contexts(views, 2, text=text, tokens=tokens)
            else:
                self.block_contexts[1] = self.network.block_contexts(views, 1, text=text, tokens=tokens)
                if self.guided:
                    self.block_contexts[0] = self.network.block_contexts(views, 1)
            return
        for rows, memory in self.block_contexts.items():
            if rows == 0:
                continue
            for name, block in self.network.blocks():
                held = memory[name].reference
                assert held is not None
                fresh = block.reference_keys_values(tokens[name])  # type: ignore[operator]
                for kept, new in zip(held, fresh, strict=True):
                    if kept.shape != new.shape:
                        raise ValueError("a painter takes references of one size")
                    kept.copy_(new)

"""Taking the light out of a photo: InstructPix2Pix (Brooks et al. 2023) with an empty prompt.

The official program passes a guidance scale of 1, which switches guidance off altogether; its image guidance of 1.5
therefore has no effect, and each step is one pass of the network. It is kept so.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.paint.diffusion.config import NoiseScheduleConfig
from manymesh.paint.diffusion.denoise import Denoiser
from manymesh.paint.diffusion.diffusion_schedule import euler_ancestral
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.diffusion.pictures import to_signed_batch
from manymesh.paint.diffusion.unet import UNet, text_contexts
from manymesh.stages import Tick
from manymesh.types import U8

# What people call the two networks.
UNET, VAE = "delight network", "delight VAE"


class Delighter:
    """
    Args:
        unet, vae: the networks.
        prompt: (1, 77, text_dim), the encoded empty prompt.
        noise: what the network was trained with.
        use_graph: see ``Denoiser``.
    """

    def __init__(
        self, unet: UNet, vae: ImageVae, prompt: Tensor, noise: NoiseScheduleConfig, *, use_graph: bool = True
    ) -> None:
        self.unet, self.vae, self.noise, self.use_graph = unet, vae, noise, use_graph
        weight = unet.conv_in.weight
        self.device, self.dtype = weight.device, weight.dtype
        self.text_context = text_contexts(unet, prompt.to(self.device, self.dtype))
        self.latents: Tensor | None = None
        self.denoiser: Denoiser | None = None

    @torch.inference_mode()
    def __call__(
        self,
        picture: U8,
        steps: int,
        draw: Callable[[tuple[int, ...]], Tensor],
        tick: Tick = lambda done: None,
        each: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """
        Args:
            picture: (H, W, 3) uint8; H and W are multiples of 64.
            steps: of the sampler.
            draw: normal numbers of a shape; called once for the start and once for every step.
            tick, each: see ``Denoiser``.

        Returns:
            (1, 3, H, W) float picture in [0, 1].

        Raises ``NotFiniteError`` that names the network whose numbers ran out of range.
        """
        latents = self.encode(picture)
        if self.latents is None or self.latents.shape != latents.shape:
            self.latents = latents.clone()
            self.denoiser = Denoiser(
                self._predict,
                (1, *latents.shape[1:]),
                self.unet.time_embedding.linear_2.out_features,  # type: ignore[union-attr, arg-type]
                device=self.device,
                dtype=self.dtype,
                use_graph=self.use_graph,
            )
        self.latents.copy_(latents)
        assert self.denoiser is not None
        schedule = euler_ancestral(self.noise, steps)
        times = self.unet.embed_time(torch.tensor(schedule.timesteps, device=self.device))[:, None]
        shape = tuple(latents.shape)
        out = self.denoiser(draw(shape), schedule, times, lambda: draw(shape), tick, each)
        require_finite(out, UNET)
        vae_dtype = self.vae.quant_conv.weight.dtype
        return require_finite(self.vae.decode((out / self.vae.config.scaling_factor).to(vae_dtype)), VAE)

    def close(self) -> None:
        """Let the networks go. The denoiser holds a method of this object, which would keep them until garbage is
        collected."""
        self.denoiser = None
        del self.unet, self.vae

    def encode(self, picture: U8) -> Tensor:
        """(1, 4, H / 8, W / 8): the encoder's mean, not scaled."""
        vae_dtype = self.vae.quant_conv.weight.dtype
        return require_finite(self.vae.encode(to_signed_batch(picture[None], self.device, vae_dtype)), VAE).to(
            self.dtype
        )

    def _predict(self, x: Tensor, time: Tensor) -> Tensor:
        assert self.latents is not None
        return self.unet(torch.cat([x, self.latents], dim=1), time, self.text_context)  # type: ignore[no-any-return]

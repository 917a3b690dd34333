"""The opened paint stage: the way of one mesh and its cutout through the networks to a texture.

The text encoders are needed once, and the autoencoder reads all cutouts before the first is painted. So ``begin`` lets
both go before the UNet comes; what is kept of an object is the few kilobytes of its reference's latents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.errors import NotFiniteError, ObjectError
from manymesh.mesh.normals import vertex_normals
from manymesh.paint.diffusion import pictures
from manymesh.paint.diffusion.denoise import cpu_noise
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.finish import fill_painted, map_in_threads
from manymesh.paint.mvadapter.attention import SIX
from manymesh.paint.mvadapter.bake import bake
from manymesh.paint.mvadapter.control_maps import control_maps
from manymesh.paint.mvadapter.memory import levels
from manymesh.paint.mvadapter.models import TEXTURE_PX
from manymesh.paint.mvadapter.networks import ENCODER, VAE, Networks
from manymesh.paint.mvadapter.reference_picture import reference_picture
from manymesh.paint.mvadapter.sampler import VIEWS, SixViewSampler
from manymesh.paint.mvadapter.schedule import schedule_of
from manymesh.paint.mvadapter.text import TEXT, TextRows
from manymesh.paint.photo_detail import SharpPhoto, blend_photo_detail
from manymesh.paint.stage_timer import StageTimer, part
from manymesh.plan.machine import usual_level
from manymesh.render.raster import Raster
from manymesh.settings import Settings
from manymesh.stages import Level, Tick
from manymesh.types import F32, U8, Atlas, Camera, Cutout, Mesh, TexturedMesh

# XL's weights and work take 7.4 GiB at least.
LEAST_XL_BYTES = 10 << 30
LATENT_CHANNELS = 4
# What the parts of one object's way take, about, for its progress.
_UNWRAPPED, _MAPPED, _DENOISED, _BAKED = 0.1, 0.2, 0.8, 0.9


@contextmanager
def open_paint(settings: Settings, level: Level | None = None) -> Iterator[PaintStage]:
    """The stage, with nothing loaded yet: networks come when they are first needed. ``level``: one of
    ``memory.levels``; None takes what fits now."""
    painting = PaintStage(settings, level or usual_level("paint", levels(settings), settings))
    try:
        yield painting
    finally:
        painting.close()


class PaintStage:
    """Paints meshes. Call ``begin`` once with all cutouts, then the object itself for each of them.

    Args:
        settings: the run's.
        level: how much to do at once; see ``memory.levels``.

    Raises:
        WeightsError: weights are absent, or adapter and base do not belong together.
        UsageError: more steps or another size of views than the networks can do.
    """

    def __init__(self, settings: Settings, level: Level) -> None:
        self.settings = settings
        self.networks = Networks(settings, self._drop)
        base = self.networks.base
        self.view_px = base.size(settings.paint_view_size)
        self.schedule = schedule_of(self.networks.checkpoint.noise, settings.paint_steps, base.sampler)
        # One thing after the other where no level says otherwise: that is on a CPU.
        everything = settings.paint_memory == "high"
        self.economy = pictures.Batching(
            joint_guidance=bool(level.options.get("joint_guidance", everything)),
            images_per_pass=int(level.options.get("images_per_pass", SIX if everything else 1)),
        )
        self.capture = bool(level.options.get("capture", True))
        # Loading the autoencoder again, and capturing a step again, cost less than their memory beside the UNet.
        self.keep_all = self.economy.images_per_pass > 1
        self._texts: TextRows | None = None
        self._references: dict[str, Tensor] = {}  # latents of cutouts, in host memory
        self._failures: dict[str, ObjectError] = {}  # of cutouts that cannot be used
        self._sampler: SixViewSampler | None = None
        self._vae: ImageVae | None = None

    def begin(self, cutouts: Sequence[Cutout], *, tick: Tick = lambda done: None) -> None:
        """Reads all cutouts as references. One that cannot be used is left out here and fails when its own turn comes.
        Without this call each object loads the autoencoder anew.

        Cutouts are recognised by their ``object_id``; those without one are read when their turn comes."""
        self._forget_sampler()
        self._vae = None
        self._references.clear()
        self._failures.clear()
        self.networks.release()
        with self.networks.device_errors():
            self._read([cutout for cutout in cutouts if cutout.object_id], tick)

    def __call__(
        self, mesh: Mesh, view: Camera, cutout: Cutout, *, seed: int, tick: Tick, atlas: Atlas | None = None
    ) -> TexturedMesh:
        """A texture for ``mesh``. ``atlas``: the mesh already unwrapped, in place of unwrapping it here."""
        from manymesh.mesh.unwrap.unwrap import unwrap

        tick(0.0)
        watch, device = StageTimer(), self.networks.device
        with self.networks.device_errors():
            latents = self._reference(cutout)
            watch.lap("photo")
            size = self.settings.texture_size or TEXTURE_PX
            if atlas is None:
                atlas = unwrap(mesh, size, tick=part(tick, 0, _UNWRAPPED))
            watch.lap("unwrap")
            rasters, maps = self._maps(atlas, part(tick, _UNWRAPPED, _MAPPED))
            features = self._features(maps)
            watch.lap("maps")
            views = self._paint(latents, features, seed, part(tick, _MAPPED, _DENOISED))
            watch.lap("views")
            masks = np.stack([raster.mask for raster in rasters])
            baked = bake(atlas, views, masks, size, part(tick, _DENOISED, _BAKED), device)
            watch.lap("bake")
        texture, painted = baked.texture, baked.painted
        details: dict[str, object] = {"painted": round(float(painted.mean()), 4), "exposure": list(baked.exposure)}
        if self.settings.keep_photo:
            photo = SharpPhoto(np.ascontiguousarray(cutout.rgba[:, :, :3]))
            texture, painted, kept = blend_photo_detail(texture, painted, atlas, view, cutout, photo, self.view_px)
            details |= kept
            watch.lap("photo detail")
        with self.networks.device_errors():
            base_color = fill_painted(texture, painted, atlas, device)
        watch.lap("fill")
        tick(1.0)
        return TexturedMesh(atlas, base_color, self._notes(), {"seconds": watch.laps, **details})

    def close(self) -> None:
        """Lets everything go."""
        self._references.clear()
        self._failures.clear()
        self._texts = self._vae = None
        self._forget_sampler()
        self.networks.release()

    def _drop(self, network: str) -> None:
        """Lets one network go, so that it is loaded anew when it is next needed."""
        if network == VIEWS:
            self._forget_sampler()
        elif network == VAE:
            self._vae = None
        elif network == TEXT:
            self._texts = None
        self.networks.release()

    def _read(self, cutouts: Sequence[Cutout], tick: Tick) -> None:
        """Fills ``_references``. The texts come first, and their encoder is gone before anything else comes."""
        retry = self.networks.formats.retry
        try:
            if self._texts is None:
                self._texts = retry(self.networks.texts)
            retry(lambda: self._read_all(cutouts, tick))
        except NotFiniteError as error:  # a network itself: no object can be painted, the shapes stay
            self._failures.update({cutout.object_id: error.with_traceback(None) for cutout in cutouts})

    def _read_all(self, cutouts: Sequence[Cutout], tick: Tick) -> None:
        """Raises ``NotFiniteError`` while the autoencoder can still be tried in a wider number format."""
        vae = self._loaded_vae()
        for number, cutout in enumerate(cutouts):
            try:
                picture = reference_picture(cutout.rgba, self.view_px)
                draw = cpu_noise(self.settings.seed, "reference")(self._shape(1))
                latents = pictures.encode(vae, picture[None], draw, self.economy)
                self._references[cutout.object_id] = require_finite(latents, VAE).float().cpu()
            except ObjectError as error:
                if isinstance(error, NotFiniteError) and self.networks.formats.can_widen(error.network):
                    raise
                # Without its frames, which would keep the networks' numbers in memory.
                self._failures[cutout.object_id] = error.with_traceback(None)
            tick((number + 1) / len(cutouts))
        del vae
        self._spare_vae()

    def _reference(self, cutout: Cutout) -> Tensor:
        """What ``begin`` kept, or else made now. Raises ``ObjectError`` for a cutout that cannot be used."""
        key = cutout.object_id
        if key not in self._references and key not in self._failures:
            if self._texts is None:
                self._forget_sampler()
                self.networks.release()
            self._read([cutout], lambda done: None)
        if (failure := self._failures.pop(key, None)) is not None:
            raise failure
        return self._references.pop(key)

    def _maps(self, atlas: Atlas, tick: Tick) -> tuple[list[Raster], F32]:
        return control_maps(
            *(atlas.vertices, atlas.faces, vertex_normals(atlas), self.view_px),
            lambda one, count: map_in_threads(one, count, tick),
        )

    def _features(self, maps: F32) -> dict[str, Tensor]:
        """The condition encoder's answer, kept on the device. Raises ``NotFiniteError``."""
        with self.networks.condition_encoder() as encoder:
            features = encoder(torch.from_numpy(maps).to(self.networks.device))
        return {place: require_finite(feature, ENCODER) for place, feature in features.items()}

    def _paint(self, reference: Tensor, features: dict[str, Tensor], seed: int, tick: Tick) -> U8:
        """(6, S, S, 3) uint8 painted views."""
        retry = self.networks.formats.retry
        latents = retry(lambda: self._denoise(reference, features, seed, tick))
        if not self.keep_all and self._sampler is not None:
            self._sampler.close()
            self.networks.release()
        made = retry(lambda: require_finite(pictures.decode(self._loaded_vae(), latents, self.economy), VAE))
        self._spare_vae()
        return pictures.to_uint8_images(made)

    def _denoise(self, reference: Tensor, features: dict[str, Tensor], seed: int, tick: Tick) -> Tensor:
        """(6, 4, S / 8, S / 8) scaled latents of the views."""
        if self._sampler is None:
            assert self._texts is not None
            self._sampler = SixViewSampler(
                self.networks.unet(),
                self._texts,
                self.view_px,
                self.settings.adapter_guidance,
                joint=self.economy.joint_guidance,
                use_graph=self.capture,
            )
        tokens = {name: require_finite(value, VIEWS) for name, value in self._sampler.reference(reference).items()}
        return self._sampler(tokens, features, self.schedule, cpu_noise(seed, "views"), self._shape(SIX), tick)

    def _forget_sampler(self) -> None:
        """Drop the UNet and what runs it."""
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None

    def _loaded_vae(self) -> ImageVae:
        if self._vae is None:
            self._vae = self.networks.vae()
        return self._vae

    def _spare_vae(self) -> None:
        if not self.keep_all:
            self._vae = None
            self.networks.release()

    def _shape(self, count: int) -> tuple[int, int, int, int]:
        side = self.view_px // self.networks.checkpoint.vae_config.shrinks
        return count, LATENT_CHANNELS, side, side

    def _notes(self) -> tuple[str, ...]:
        notes = [*self.networks.formats.notes]
        device = self.networks.device
        if device.type == "cpu":
            notes.append("The painter ran on the CPU, which may take an hour or more at full size.")
        elif device.type == "cuda" and self.networks.base.xl and _memory_bytes(device) < LEAST_XL_BYTES:
            notes.append("This GPU is small for --paint-base sdxl; sd21 is made for it.")
        if self._sampler is not None and self._sampler.capture_failure:
            notes.append(f"The painter's {self._sampler.capture_failure}.")
        return tuple(notes)


def _memory_bytes(device: torch.device) -> int:
    return int(torch.cuda.get_device_properties(device).total_memory)

"""The opened paint stage: the way of one mesh and its cutout through the networks to a texture.

The network that takes the light out and the one that reads the reference are needed once for a cutout. So ``begin``
sends all objects through the first, then through the second, and lets them go; what is kept of an object is some
fifty megabytes in host memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.errors import NotFiniteError, ObjectError, UsageError
from manymesh.paint.diffusion import pictures
from manymesh.paint.diffusion.denoise import NoiseSource, cpu_noise
from manymesh.paint.diffusion.diffusion_schedule import DiffusionSchedule, consistency, euler_ancestral, turbo_timesteps
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.hunyuan import delight_images, multiview_sampler
from manymesh.paint.hunyuan.delight import UNET as DELIGHT_UNET
from manymesh.paint.hunyuan.delight import Delighter
from manymesh.paint.hunyuan.memory import levels
from manymesh.paint.hunyuan.models import parse_views
from manymesh.paint.hunyuan.multiview_unet import ReferenceUNet
from manymesh.paint.hunyuan.networks import REFERENCE, VAE, VIEWS, Networks
from manymesh.paint.hunyuan.official_noise import official_delight_noise, official_paint_noise
from manymesh.paint.hunyuan.settings import texture_px, view_px
from manymesh.paint.hunyuan.sharp_photo import sharp_photo
from manymesh.paint.hunyuan.surface import fill_texture, surface_of
from manymesh.paint.hunyuan.surface_base import Drawing
from manymesh.paint.photo_detail import SharpPhoto, blend_photo_detail
from manymesh.paint.stage_timer import StageTimer, part
from manymesh.plan.machine import usual_level
from manymesh.settings import Settings
from manymesh.stages import Level, Tick
from manymesh.types import U8, Atlas, Camera, Cutout, Mesh, TexturedMesh

LATENT_CHANNELS = 4
# What the parts of one object's way take, about, for its progress.
_UNWRAPPED, _MAPPED, _DENOISED, _BAKED = 0.1, 0.2, 0.75, 0.9


@contextmanager
def open_paint(settings: Settings, level: Level | None = None) -> Iterator[PaintStage]:
    """The stage, with nothing loaded yet: networks come when they are first needed. ``level``: one of
    ``memory.levels``; None takes what fits now."""
    painting = PaintStage(settings, level or usual_level("paint", levels(settings), settings))
    try:
        yield painting
    finally:
        painting.close()


@dataclass(frozen=True)
class Reference:
    """What is kept of a cutout.

    Attributes:
        tokens: what the main network's blocks see of it, in host memory.
        sharp: the photo's detail in delit colours.
    """

    tokens: Mapping[str, Tensor]
    sharp: SharpPhoto


class PaintStage:
    """Paints meshes. Call ``begin`` once with all cutouts, then the object itself for each of them, from any threads.

    Args:
        settings: the run's.
        level: how much to do at once; see ``memory.levels``.

    Raises:
        WeightsError: weights are absent.
        UsageError: views that the network does not know, or steps for a model whose steps are fixed.
    """

    def __init__(self, settings: Settings, level: Level) -> None:
        self.settings = settings
        self.views = parse_views(settings.paint_views)
        self.view_px = view_px(settings)
        self.networks = Networks(settings, self._drop)
        self.exact = settings.painting == "reference"
        self.schedule = self._schedule()
        # One thing after the other where no level says otherwise: that is on a CPU.
        everything = settings.paint_memory == "high"
        self.economy = pictures.Batching(
            joint_guidance=bool(level.options.get("joint_guidance", everything)),
            images_per_pass=int(level.options.get("images_per_pass", len(self.views) if everything else 1)),
        )
        self.capture = bool(level.options.get("capture", True))
        # Never two of VAE, main network and renderer on the device at once: each is loaded anew for every object.
        self.apart = bool(level.options.get("apart", False))
        self._device_lock = Lock()
        self._references: dict[str, Reference] = {}
        self._failures: dict[str, ObjectError] = {}  # of cutouts that cannot be used
        self._painter: multiview_sampler.MultiviewSampler | None = None
        self._capture_failure = ""  # of the last views: another object may let the painter go before it is told
        self._vae: ImageVae | None = None

    def begin(self, cutouts: Sequence[Cutout], *, tick: Tick = lambda done: None) -> None:
        """Takes the light out of all cutouts and reads them as references. One that cannot be used is left out here and
        fails when its own turn comes. Without this call each object loads these networks anew.

        Cutouts are recognised by their ``object_id``; those without one are read when their turn comes."""
        self._forget_painter(vae=True)
        self._references.clear()
        self.networks.release()
        with self.networks.device_errors():
            self._read([cutout for cutout in cutouts if cutout.object_id], tick)

    def __call__(
        self, mesh: Mesh, view: Camera, cutout: Cutout, *, seed: int, tick: Tick, atlas: Atlas | None = None
    ) -> TexturedMesh:
        """A texture for ``mesh``. ``atlas``: the mesh already unwrapped, in place of unwrapping it here."""
        from manymesh.mesh.unwrap.unwrap import unwrap

        tick(0.0)
        watch = StageTimer()
        if atlas is None:
            atlas = unwrap(mesh, texture_px(self.settings), tick=part(tick, 0, _UNWRAPPED))
        watch.lap("unwrap")
        with self._in_turn():
            watch.lap("wait")
            reference = self._reference(cutout)
            watch.lap("photo")
            surface = surface_of(atlas, self.drawing(), self.networks.device)
            normals, positions = surface.maps(part(tick, _UNWRAPPED, _MAPPED))
            watch.lap("maps")
            views = self._paint(reference, normals, positions, seed, part(tick, _MAPPED, _DENOISED))
            watch.lap("views")
            texture, painted = surface.bake(views, part(tick, _DENOISED, _BAKED))
            watch.lap("bake")
        details: dict[str, object] = {"painted": round(float(painted.mean()), 4)}
        if self.settings.keep_photo and not self.exact:
            texture, painted, kept = blend_photo_detail(
                texture, painted, atlas, view, cutout, reference.sharp, self.view_px
            )
            details |= kept
            watch.lap("photo detail")
        with self._in_turn():
            watch.lap("wait for fill")
            base_color = fill_texture(texture, painted, atlas, exact=self.exact, device=self.networks.device)
        watch.lap("fill")
        tick(1.0)
        notes = tuple(self.networks.formats.notes)
        if self._capture_failure:
            notes = (*notes, f"The painter's {self._capture_failure}.")
        return TexturedMesh(atlas, base_color, notes, {"seconds": watch.laps, **details})

    def close(self) -> None:
        """Lets everything go."""
        self._references.clear()
        self._failures.clear()
        self._forget_painter(vae=True)
        self.networks.release()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """The device works on one object at a time: unwrapping and storing of others goes on meanwhile."""
        with self._device_lock, self.networks.device_errors():
            yield

    def _drop(self, network: str) -> None:
        """Lets one network go, so that it is loaded anew when it is next needed."""
        if network == VIEWS:
            self._forget_painter()
        elif network == VAE:
            self._vae = None
        self.networks.release()

    def _forget_painter(self, *, vae: bool = False) -> None:
        """Drop the main network and its sampler, and the VAE too where asked."""
        if self._painter is not None:
            self._painter.close()
            self._painter = None
        if vae:
            self._vae = None

    def drawing(self) -> Drawing:
        settings = self.settings
        return Drawing(
            self.views,
            settings.render_size,
            self.view_px,
            texture_px(settings),
            settings.bake_exponent,
            settings.bake_angle,
            centred=not self.exact,
        )

    def _schedule(self) -> DiffusionSchedule:
        variant, settings = self.networks.variant, self.settings
        if not variant.turbo:
            return euler_ancestral(self.networks.noise, settings.paint_steps)
        if settings.paint_steps not in (Settings().paint_steps, variant.steps):
            raise UsageError(
                f"the painter {settings.paint_model} takes {variant.steps} steps", "Leave --paint-steps out"
            )
        return consistency(self.networks.noise, turbo_timesteps(self.networks.noise))

    def _read(self, cutouts: Sequence[Cutout], tick: Tick) -> None:
        """Fills ``_references``: all through the first network, then all through the second."""
        retry = self.networks.formats.retry
        try:
            ready = retry(lambda: self._without_light(cutouts, tick))
        except NotFiniteError as error:  # the delight network itself: no object can be painted, the shapes stay
            self._failures.update({cutout.object_id: error.with_traceback(None) for cutout in cutouts})
            ready = {}
        self.networks.release()
        if ready:
            retry(lambda: self._read_all(ready))

    def _read_all(self, ready: Mapping[str, tuple[U8, SharpPhoto]]) -> None:
        vae = self._vae or self.networks.vae()
        with self.networks.reference() as (network, text):
            for key, (picture, sharp) in ready.items():
                try:
                    self._references[key] = Reference(self._tokens(network, text, vae, picture), sharp)
                except NotFiniteError as error:
                    if self.networks.formats.can_widen(error.network):
                        raise
                    self._failures[key] = error.with_traceback(None)  # its frames keep the networks' numbers
        if self._vae is None:
            del vae
            self.networks.release()

    def _without_light(self, cutouts: Sequence[Cutout], tick: Tick) -> dict[str, tuple[U8, SharpPhoto]]:
        """What the second network is shown of each cutout. A function of its own: while a name for the first network
        lives, so does the network. Raises ``NotFiniteError`` while a network can still be tried in a wider format."""
        ready: dict[str, tuple[U8, SharpPhoto]] = {}
        with self._delighter() as delighter:
            for number, cutout in enumerate(cutouts):
                try:
                    ready[cutout.object_id] = self._delit(delighter, cutout, part(tick, *_share(number, len(cutouts))))
                except ObjectError as error:
                    if isinstance(error, NotFiniteError) and self.networks.formats.can_widen(error.network):
                        raise
                    self._failures[cutout.object_id] = error.with_traceback(None)
        return ready

    @contextmanager
    def _delighter(self) -> Iterator[Delighter | None]:
        if not self.settings.delight:
            yield None
            return
        with self.networks.delighter() as delighter:
            yield delighter

    def _delit(self, delighter: Delighter | None, cutout: Cutout, tick: Tick) -> tuple[U8, SharpPhoto]:
        """The picture that the painter is shown (S, S, 3), and the photo's own detail."""
        settings, size = self.settings, self.view_px
        canvas = delight_images.pad_to_square(cutout.rgba, settings.photo_margin)
        ready, target, alpha = delight_images.prepared(delight_images.resize_square(canvas, size))
        source = np.ascontiguousarray(ready[:, :, :3])
        if delighter is None:
            final = delight_images.on_white(target, alpha)
        else:
            draw = cpu_noise(settings.seed, "delight")
            if self.exact:
                draw = official_delight_noise(self.networks.formats[DELIGHT_UNET])
            answer = pictures.to_uint8_images(delighter(source, settings.delight_steps, draw, tick))[0]
            final = delight_images.finished(answer, target, alpha)
        return final, sharp_photo(cutout.rgba, delight_images.on_white(target, alpha), final, settings.photo_margin)

    def _tokens(self, network: ReferenceUNet, text: Tensor, vae: ImageVae, picture: U8) -> dict[str, Tensor]:
        draw = cpu_noise(self.settings.seed, "reference")
        if self.exact:
            draw = self._reference_draw()
        latents = require_finite(pictures.encode(vae, picture[None], draw(self._latents(1)), self.economy), VAE)
        tokens = multiview_sampler.reference_tokens(network, latents.to(text.dtype), text)
        return {name: require_finite(value, REFERENCE).cpu() for name, value in tokens.items()}

    def _reference(self, cutout: Cutout) -> Reference:
        """What ``begin`` kept, or else made now. Raises ``ObjectError`` for a cutout that cannot be used."""
        ready = self._references.pop(cutout.object_id, None)
        if ready is None:
            delight_images.pad_to_square(cutout.rgba, self.settings.photo_margin)  # raises for an unusable cutout
            if self.settings.paint_memory != "high":
                self._forget_painter(vae=True)
                self.networks.release()
            self._failures.pop(cutout.object_id, None)
            self._read([cutout], lambda done: None)
            if (failure := self._failures.pop(cutout.object_id, None)) is not None:
                raise failure
            ready = self._references.pop(cutout.object_id)
        return ready

    def _paint(self, reference: Reference, normals: U8, positions: U8, seed: int, tick: Tick) -> U8:
        """(V, S, S, 3) uint8 painted views."""
        retry = self.networks.formats.retry
        latents = retry(lambda: self._denoise(reference, normals, positions, seed, tick))
        views = retry(lambda: require_finite(pictures.decode(self._loaded_vae(), latents, self.economy), VAE))
        self._part_vae()
        return pictures.to_uint8_images(views)

    def _denoise(self, reference: Reference, normals: U8, positions: U8, seed: int, tick: Tick) -> Tensor:
        """(V, 4, S / 8, S / 8) scaled latents of the views."""
        encoding, noise = cpu_noise(seed, "maps"), cpu_noise(seed, "views")
        if self.exact:
            encoding, noise = self._reference_draw(), self._reference_draw()
            encoding(self._latents(1))  # the reference picture's comes first there
        maps = [self._encoded(kind, encoding) for kind in (normals, positions)]
        self._part_vae()
        if self._painter is None:
            guidance = 1.0 if self.networks.variant.turbo else self.settings.paint_guidance
            indices = [view.camera_index for view in self.views]
            self._painter = multiview_sampler.MultiviewSampler(
                self.networks.views(), indices, guidance, self.economy, use_graph=self.capture
            )
        latents = self._painter(reference.tokens, maps[0], maps[1], self.schedule, noise, tick)
        self._capture_failure = self._painter.denoiser.capture_failure if self._painter.denoiser else ""
        if self.apart:
            self._forget_painter()
            self.networks.release()
        return require_finite(latents, VIEWS)

    def _encoded(self, maps: U8, draw: NoiseSource) -> Tensor:
        """(V, 4, S / 8, S / 8) scaled latents of the views' maps."""
        drawn = draw(self._latents(len(self.views)))
        return require_finite(pictures.encode(self._loaded_vae(), maps, drawn, self.economy), VAE)

    def _part_vae(self) -> None:
        """Let the VAE go where networks are kept apart."""
        if self.apart:
            self._vae = None
            self.networks.release()

    def _loaded_vae(self) -> ImageVae:
        if self._vae is None:
            self._vae = self.networks.vae()
        return self._vae

    def _reference_draw(self) -> NoiseSource:
        return official_paint_noise(self.networks.device, self.networks.formats[VIEWS])

    def _latents(self, count: int) -> tuple[int, ...]:
        side = self.view_px // 8
        return (count, LATENT_CHANNELS, side, side)


def _share(number: int, count: int) -> tuple[float, float]:
    return number / count, (number + 1) / count

"""The opened shape stage: one cutout through image encoder, diffusion transformer and decoder to a mesh.

The image encoder is larger than the other two networks together and is needed once per object. So ``begin`` encodes all
objects first and then frees it; an object's condition tokens take a few megabytes of host memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from manymesh.device.number_format import Formats, require_finite
from manymesh.device.out_of_memory import device_errors, give_back
from manymesh.device.placement import place
from manymesh.device.stream import LayerStream
from manymesh.errors import UsageError
from manymesh.mesh.normalise import normalise
from manymesh.plan.machine import usual_level
from manymesh.settings import Settings
from manymesh.shape.common.conditions import ENCODER, Conditions
from manymesh.shape.common.cutouts import clear_faint_alpha
from manymesh.shape.common.flow import initial_noise
from manymesh.shape.common.sparse import DECODER
from manymesh.shape.common.surface import drop_small_components
from manymesh.shape.common.tries import Tries
from manymesh.shape.hunyuan.checkpoint import DECODER_PREFIX, ENCODER_PREFIX, TRANSFORMER_PREFIX, weights_file
from manymesh.shape.hunyuan.conditioner import VIEWS, Conditioner
from manymesh.shape.hunyuan.config import ShapeConfig, read_shape_config, read_vae_config
from manymesh.shape.hunyuan.decode import decode
from manymesh.shape.hunyuan.dit import Dit
from manymesh.shape.hunyuan.flow_schedule import flow_schedule
from manymesh.shape.hunyuan.input_images import read_extra_views
from manymesh.shape.hunyuan.memory import levels
from manymesh.shape.hunyuan.models import GUIDANCE, VARIANTS
from manymesh.shape.hunyuan.preprocess import prepare_image, to_signed_pixels
from manymesh.shape.hunyuan.sampler import Sampler, reference_denoise
from manymesh.shape.hunyuan.vae import ShapeVae
from manymesh.stages import Level, Tick
from manymesh.types import U8, Cutout, Mesh, ShapeResult
from manymesh.weights import find, model, require
from manymesh.weights.load import Network, load_network

# Progress of one try after denoising, and after decoding. Estimates for the progress bar.
_DENOISED, _DECODED = 0.6, 0.95

# What people call the diffusion transformer.
TRANSFORMER = "shape transformer"


@contextmanager
def open_shape(settings: Settings, level: Level | None = None) -> Iterator[ShapeModel]:
    """The stage. Networks are loaded on first use, and freed at the end of the block. ``level``: one of
    ``memory.levels``; None takes what fits now."""
    shape_model = ShapeModel(settings, level or usual_level("shape", levels(settings), settings))
    try:
        yield shape_model
    finally:
        shape_model.close()


class ShapeModel:
    """Reconstructs shapes. Call ``begin`` once with all cutouts, then the model itself for each cutout, from any
    threads.

    Args:
        settings: the run's.
        level: what to do at once; see ``memory.levels``.

    Raises:
        WeightsError: weights are absent.
        UsageError: further views for a single-view model, or more steps than a step-distilled model has.
    """

    def __init__(self, settings: Settings, level: Level) -> None:
        self.settings = settings
        # Working memory of the point decoder.
        self.chunk_bytes = int(level.options.get("chunk_bytes", settings.memory << 20))
        self.stream_encoder = bool(level.options.get("stream_encoder", False))
        self.variant = VARIANTS[settings.shape_model]
        self.folder = weights_folder(self.variant.weights, settings)
        self.config: ShapeConfig = read_shape_config(self.folder)
        self.steps = settings.steps or self.variant.steps
        self.guidance = GUIDANCE if settings.guidance is None else settings.guidance
        most = self.config.scheduler.pcm_timesteps
        if self.config.scheduler.kind == "consistency" and self.steps > most:
            raise UsageError(f"the model {settings.shape_model} takes at most {most} steps", f"Use --steps {most}")
        placement = place(settings.devices, "shape", precision=settings.shape_precision)
        self.device = torch.device(placement.device)
        self.formats = Formats(getattr(torch, placement.dtype), self._drop)
        self._device_lock = Lock()
        self.views = read_extra_views(settings, self.config.conditioner.multi_view)
        self.notes: tuple[str, ...] = ()
        self._conditions = Conditions(self._conditioner, self._encode, self.formats, self.device)
        self._transformer: Dit | None = None
        self._decoder: ShapeVae | None = None
        self._sampler: Sampler | None = None
        self._capture_failure = ""  # of the last shape: another object may let the sampler go before it is told

    def begin(self, cutouts: Sequence[Cutout], *, tick: Tick = lambda done: None) -> None:
        """Encode the cutouts of all objects, then free the encoder.

        A cutout that cannot be encoded is skipped here; the call for that object raises. Without ``begin`` each call
        loads the encoder anew. Cutouts are recognised by their ``object_id``: those without one are encoded when they
        are called for.
        """
        named = [cutout for cutout in cutouts if cutout.object_id]
        # Those of an earlier photo: the encoder is larger than both.
        self._sampler = self._transformer = self._decoder = None
        give_back(self.device)
        with self._device_errors():
            self._conditions.read(named, tick)
        tick(1.0)

    def _drop(self, network: str) -> None:
        """Free one network, so that it is loaded anew when it is next needed."""
        if network == TRANSFORMER:
            self._sampler = self._transformer = None
        elif network == DECODER:
            self._decoder = None
        give_back(self.device)

    def __call__(self, cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        """The best of ``settings.tries`` shapes, in the canonical frame.

        With several tries the best is the one whose silhouette agrees best with the cutout; the others go to
        ``ShapeResult.others``.

        Raises:
            ObjectError: no try gave a shape.
            OutOfMemoryError: the device has too little memory.
        """
        tick(0.0)
        with self._in_turn():
            condition = self._conditions.take(cutout)
        tries = Tries.make(self.settings.tries, seed, tick, lambda own, tell: self._reconstruct(condition, own, tell))
        made, remarks = tries.ranked(cutout.rgba[..., 3])
        notes = [*self.notes, *self.formats.notes]
        if self._capture_failure:
            notes.append(f"The shape network's {self._capture_failure}.")
        tick(1.0)
        return ShapeResult(*made[0], (*notes, *remarks), tuple(mesh for mesh, _ in made[1:]))

    def close(self) -> None:
        """Free all networks and tokens."""
        self._conditions.clear()
        self._sampler = self._transformer = self._decoder = None
        give_back(self.device)

    def _reconstruct(self, condition: Tensor, seed: int, tick: Tick) -> Mesh:
        """One mesh from condition tokens and a seed, in the canonical frame."""

        def denoising(done: float) -> None:
            tick(done * _DENOISED)

        def decoding(done: float) -> None:
            tick(_DENOISED + done * (_DECODED - _DENOISED))

        with self._in_turn():
            latents = self.formats.retry(lambda: self._denoise(condition, seed, denoising))
            mesh = self.formats.retry(lambda: self._decode(latents, decoding))
        tick(_DECODED)
        # Small components would enlarge the box that defines the frame and the camera.
        return normalise(drop_small_components(mesh))[0]

    def _denoise(self, condition: Tensor, seed: int, tick: Tick) -> Tensor:
        """(1, L, embed_dim) latents from condition tokens and a seed."""
        dit, config, dtype = self._load_transformer(), self.config, self.formats[TRANSFORMER]
        plan = flow_schedule(config.scheduler, self.steps)
        size = (1, config.vae.num_latents, config.vae.embed_dim)
        start = initial_noise(seed, size, device=self.device, dtype=dtype)
        condition = condition.to(self.device, dtype)
        if self.settings.decoding == "reference":
            latents = reference_denoise(
                dit, condition, start, plan, self.guidance, lambda step, x: tick(step / plan.steps)
            )
        else:
            sampler = self._sampler_for(dit, condition)
            latents = sampler(condition, start, plan, tick)
            self._capture_failure = sampler.capture_failure
        return require_finite(latents, TRANSFORMER)

    def _decode(self, latents: Tensor, tick: Tick) -> Mesh:
        """The surface of latents, in the network's box."""
        settings, vae = self.settings, self._load_decoder()
        latents = latents.to(self.formats[DECODER])
        return decode(vae, latents, settings.decoding, settings.grid, self.chunk_bytes, tick)

    def _sampler_for(self, dit: Dit, condition: Tensor) -> Sampler:
        if self._sampler is None:
            self._sampler = Sampler(
                dit,
                condition_tokens=condition.shape[1],
                latents=self.config.vae.num_latents,
                guidance=self.guidance,
            )
        return self._sampler

    def _load_transformer(self) -> Dit:
        """The diffusion transformer, loaded on the first call."""
        if self._transformer is None:
            config, path = self.config.dit, weights_file(self.folder)
            self._transformer = self._load(lambda: Dit(config), path, TRANSFORMER_PREFIX, TRANSFORMER)
        return self._transformer

    def _load_decoder(self) -> ShapeVae:
        """The checkpoint's decoder, or for ``--decoding flash`` the small one made for it, where it is installed.

        Loaded on the first call.
        """
        if self._decoder is not None:
            return self._decoder
        path, prefix, config = weights_file(self.folder), DECODER_PREFIX, self.config.vae
        small = self.variant.small_decoder
        if self.settings.decoding == "flash" and small and find(model(small), self.settings.weights_dir).complete:
            folder = weights_folder(small, self.settings)
            path, prefix, config = weights_file(folder), "", read_vae_config(folder)
        elif self.settings.decoding == "flash":
            self.notes = ("FlashVDM ran with the standard decoder: the small one made for it is not here.",)
        self._decoder = self._load(lambda: ShapeVae(config), path, prefix, DECODER)
        return self._decoder

    def _conditioner(self) -> Conditioner:
        path, config = weights_file(self.folder), self.config.conditioner
        if not self.stream_encoder:
            return self._load(lambda: Conditioner(config), path, ENCODER_PREFIX, ENCODER)
        host = torch.device("cpu")
        network = load_network(
            lambda: Conditioner(config), path, device=host, dtype=self.formats[ENCODER], prefix=ENCODER_PREFIX
        )
        blocks = list(network.main_image_encoder.model.encoder.layer)
        LayerStream(blocks, self.device).attach(blocks)
        return network.to(self.device)

    def _load(self, build: Callable[[], Network], path: Path, prefix: str, name: str) -> Network:
        """The network called ``name`` in its number format, on the stage's device."""
        return load_network(build, path, device=self.device, dtype=self.formats[name], prefix=prefix)

    def _encode(self, network: Conditioner, cutout: Cutout) -> Tensor:
        """(1, T, width) condition tokens of a cutout and its further views, if any, in host memory."""
        by_side = {"front": cutout.rgba, **self.views}
        indices = [number for number, side in enumerate(VIEWS) if side in by_side]
        images = torch.stack([self._image(by_side[VIEWS[number]]) for number in indices])
        multi_view = self.config.conditioner.multi_view
        tokens = network.encode_views(images, indices) if multi_view else network(images)
        return require_finite(tokens, ENCODER).cpu()

    def _image(self, rgba: U8) -> Tensor:
        """(3, S, S) float32 in [-1, 1] of an (H, W, 4) uint8 cutout."""
        if self.settings.decoding != "reference":
            rgba = clear_faint_alpha(rgba)
        return torch.from_numpy(to_signed_pixels(prepare_image(rgba, self.config.image)[0]))

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """The device works on one object at a time: placing and storing of others goes on meanwhile."""
        with self._device_lock, self._device_errors():
            yield

    def _device_errors(self) -> AbstractContextManager[None]:
        advice = "Use --model 2mini, a smaller --grid, or --device shape=cpu"
        return device_errors(f"the shape network {self.settings.shape_model} does not fit", self.device, advice)


def weights_folder(name: str, settings: Settings) -> Path:
    """The folder with a catalogue model's config.yaml. Raises ``WeightsError`` when it is not all here."""
    found = require(name, settings.weights_dir)
    return next(path.parent for file, path in found.files.items() if file.endswith("config.yaml"))

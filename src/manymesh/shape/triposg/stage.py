"""The opened shape stage: one cutout through image encoder, diffusion transformer and decoder to a mesh.

The image encoder is needed once per object. So ``begin`` encodes all objects first and then frees it; an object's
condition tokens take half a megabyte of host memory. The transformer is by far the largest network. Where the device
has no room for the decoder's work beside it, it is freed before decoding and comes again from host memory for the next
object.
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
from manymesh.errors import UsageError
from manymesh.mesh.normalise import normalise
from manymesh.plan.machine import usual_level
from manymesh.settings import Settings
from manymesh.shape.common.conditions import ENCODER, Conditions
from manymesh.shape.common.cutouts import clear_faint_alpha
from manymesh.shape.common.dino import Dino
from manymesh.shape.common.flow import initial_noise
from manymesh.shape.common.sparse import DECODER
from manymesh.shape.common.surface import drop_small_components
from manymesh.shape.common.tries import Tries
from manymesh.shape.triposg.checkpoint import load_part
from manymesh.shape.triposg.config import ENCODER_FOLDER, TRANSFORMER_FOLDER, VAE_FOLDER, TriposgConfig, read_config
from manymesh.shape.triposg.decode import Method, decode
from manymesh.shape.triposg.front import canonical_axes, mirror_note
from manymesh.shape.triposg.memory import levels
from manymesh.shape.triposg.models import GUIDANCE, STEPS, TOKENS, WEIGHTS
from manymesh.shape.triposg.preprocess import encoder_pixels, frame_object
from manymesh.shape.triposg.sampler import Sampler
from manymesh.shape.triposg.schedule import schedule
from manymesh.shape.triposg.transformer import ShapeTransformer
from manymesh.shape.triposg.vae import ShapeDecoder
from manymesh.stages import Level, Tick
from manymesh.types import Cutout, Mesh, ShapeResult
from manymesh.weights import require
from manymesh.weights.load import Network

# What people call the largest network.
TRANSFORMER = "shape transformer"
# Progress of one try after denoising, and after decoding. Estimates for the progress bar.
_DENOISED, _DECODED = 0.8, 0.97


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
        level: how to use the device's memory; see ``memory.levels``.

    Raises:
        WeightsError: weights are absent, or are not what is implemented here.
        UsageError: a setting that TripoSG has no use for.
    """

    def __init__(self, settings: Settings, level: Level) -> None:
        refuse_settings(settings)
        self.settings = settings
        self.together = bool(level.options.get("together", True))
        self.one_pass = bool(level.options.get("one_pass", True))
        self.capture = bool(level.options.get("capture", True))
        self.chunk_bytes = int(level.options.get("chunk_bytes", settings.memory << 20))
        self._device_lock = Lock()
        self.folder = weights_folder(settings)
        self.config: TriposgConfig = read_config(self.folder)
        self.steps = settings.steps or STEPS
        self.guidance = GUIDANCE if settings.guidance is None else settings.guidance
        self.tokens = settings.tokens or TOKENS
        placement = place(settings.devices, "shape", precision=settings.shape_precision)
        self.device = torch.device(placement.device)
        self.formats = Formats(getattr(torch, placement.dtype), self._drop)
        self._conditions = Conditions(self._encoder, self._encode, self.formats, self.device)
        self._transformer: ShapeTransformer | None = None
        self._decoder: ShapeDecoder | None = None
        self._sampler: Sampler | None = None
        self._capture_failure = ""  # of the last shape: another object may let the sampler go before it is told
        # Networks in host memory, for a device that has no room for all of them.
        self._parked: dict[tuple[str, torch.dtype], torch.nn.Module] = {}
        # Whether networks will be needed again after the first shape.
        self._more_to_come = settings.tries > 1

    def begin(self, cutouts: Sequence[Cutout], *, tick: Tick = lambda done: None) -> None:
        """Encode the cutouts of all objects, then free the encoder.

        A cutout that cannot be encoded is skipped here; the call for that object raises. Without ``begin`` each call
        loads the encoder anew. Cutouts are recognised by their ``object_id``: those without one are encoded when they
        are called for.
        """
        named = [cutout for cutout in cutouts if cutout.object_id]
        self._more_to_come = len(named) * self.settings.tries > 1
        with self._device_errors():
            self._conditions.read(named, tick)
        tick(1.0)

    def __call__(self, cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        """The best of ``settings.tries`` shapes, in the canonical frame.

        With several tries the best is the one whose silhouette agrees best with the cutout; the others go to
        ``ShapeResult.others``.

        Raises:
            ObjectError: no try gave a shape.
            OutOfMemoryError: the device has too little memory.
        """
        tick(0.0)
        remarks: list[str] = []
        with self._in_turn():
            condition = self._conditions.take(cutout)
        tries = Tries.make(
            self.settings.tries, seed, tick, lambda own, tell: self._reconstruct(condition, own, tell, remarks)
        )
        made, notes = tries.ranked(cutout.rgba[..., 3])
        notes = [*dict.fromkeys(remarks), *self.formats.notes, *notes]
        if self._capture_failure:
            notes.append(f"The shape network's {self._capture_failure}.")
        mirrored = mirror_note(*made[0], cutout.rgba[..., 3])
        if mirrored:
            notes.append(mirrored)
        tick(1.0)
        return ShapeResult(*made[0], tuple(notes), tuple(mesh for mesh, _ in made[1:]))

    def close(self) -> None:
        """Free all networks and tokens."""
        self._conditions.clear()
        self._parked.clear()
        self._sampler = self._transformer = self._decoder = None
        give_back(self.device)

    def _reconstruct(self, condition: Tensor, seed: int, tick: Tick, remarks: list[str]) -> Mesh:
        """One mesh from condition tokens and a seed, in the canonical frame. Adds to ``remarks``."""

        def denoising(done: float) -> None:
            tick(done * _DENOISED)

        def decoding(done: float) -> None:
            tick(_DENOISED + done * (_DECODED - _DENOISED))

        with self._in_turn():
            latents = self.formats.retry(lambda: self._denoise(condition, seed, denoising))
            mesh, notes = self.formats.retry(lambda: self._decode(latents, decoding))
        remarks.extend(notes)
        tick(_DECODED)
        # Small components would enlarge the box that defines the frame and the camera.
        return normalise(canonical_axes(drop_small_components(mesh)))[0]

    def _denoise(self, condition: Tensor, seed: int, tick: Tick) -> Tensor:
        """(1, N, in_channels) latents from condition tokens and a seed."""
        size = (1, self.tokens, self.config.transformer.in_channels)
        # Drawn in float32 and then rounded, so that a seed gives one object in every number format.
        start = initial_noise(seed, size, device=self.device, dtype=torch.float32).to(self.formats[TRANSFORMER])
        sampler = self._sampler_for(condition)
        latents = sampler(condition, start, schedule(self.config.scheduler, self.steps), tick)
        self._capture_failure = sampler.capture_failure
        return require_finite(latents, TRANSFORMER)

    def _decode(self, latents: Tensor, tick: Tick) -> tuple[Mesh, tuple[str, ...]]:
        """The surface of latents, in the network's box."""
        settings = self.settings
        if not self.together:
            self._drop(TRANSFORMER)
        method: Method = "dense" if settings.decoding == "dense" else "sparse"
        latents = latents.to(self.formats[DECODER])
        try:
            return decode(self._load_decoder(), latents, method, settings.grid, self.chunk_bytes, tick)
        finally:
            if not self.together:
                self._drop(DECODER)

    def _sampler_for(self, condition: Tensor) -> Sampler:
        if self._sampler is None:
            config = self.config.transformer
            network = self._load(lambda: ShapeTransformer(config), TRANSFORMER_FOLDER, TRANSFORMER)
            self._transformer = network
            self._sampler = Sampler(
                network,
                condition_tokens=condition.shape[1],
                latents=self.tokens,
                guidance=self.guidance,
                one_pass=self.one_pass,
                use_graph=self.capture,
            )
        return self._sampler

    def _load_decoder(self) -> ShapeDecoder:
        """The decoder, loaded on the first call."""
        if self._decoder is None:
            config = self.config.vae
            self._decoder = self._load(lambda: ShapeDecoder(config), VAE_FOLDER, DECODER)
        return self._decoder

    def _encoder(self) -> Dino:
        """The image encoder, loaded. What an earlier photo left is freed where the encoder does not fit beside it."""
        if self._transformer is not None and not self.together:
            self._drop(TRANSFORMER)
        config = self.config.dino
        return self._load(lambda: Dino(config), ENCODER_FOLDER, ENCODER)

    def _load(self, build: Callable[[], Network], part: str, name: str) -> Network:
        """The network called ``name`` in its number format, on the stage's device.

        Where transformer and decoder have to go and come again, a copy stays in host memory: the files are twice as
        large, and reading them takes seconds.
        """
        dtype = self.formats[name]
        if self.together or not self._more_to_come or name == ENCODER:
            return load_part(build, self.folder, part, device=self.device, dtype=dtype)
        key = (name, dtype)
        if key not in self._parked:
            self._parked[key] = load_part(build, self.folder, part, device=torch.device("cpu"), dtype=dtype)
        return moved(self._parked[key], build, self.device)

    @torch.inference_mode()
    def _encode(self, network: Dino, cutout: Cutout) -> Tensor:
        """(1, T, width) condition tokens of a cutout, in host memory."""
        pixels = encoder_pixels(frame_object(clear_faint_alpha(cutout.rgba)), self.config.image)
        return require_finite(network(torch.from_numpy(pixels).to(self.device, self.formats[ENCODER])), ENCODER).cpu()

    def _drop(self, network: str) -> None:
        """Free one network, so that it is loaded anew when it is next needed."""
        if network == TRANSFORMER:
            self._sampler = self._transformer = None
        elif network == DECODER:
            self._decoder = None
        give_back(self.device)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """The device works on one object at a time; placing and storing of others goes on meanwhile."""
        with self._device_lock, self._device_errors():
            yield

    def _device_errors(self) -> AbstractContextManager[None]:
        advice = "Use a smaller --grid, less --memory, or --device shape=cpu"
        return device_errors("TripoSG's networks do not fit", self.device, advice)


def moved(network: torch.nn.Module, build: Callable[[], Network], device: torch.device) -> Network:
    """A copy of a network on another device. The network itself stays where it is."""
    with torch.device("meta"):
        copy = build()
    state = {name: tensor.to(device, copy=True) for name, tensor in network.state_dict().items()}
    copy.load_state_dict(state, strict=True, assign=True)
    return copy.eval().requires_grad_(False)


def refuse_settings(settings: Settings) -> None:
    """Raise ``UsageError`` for settings that belong to another shape network."""
    if settings.views:
        raise UsageError("TripoSG takes one view of an object", "Use --engine hunyuan --model 2mv with --view")
    if settings.decoding not in ("sparse", "dense"):
        raise UsageError(
            f"TripoSG has no decoding called '{settings.decoding}'", "Use --decoding sparse or --decoding dense"
        )


def weights_folder(settings: Settings) -> Path:
    """The checkpoint's folder. Raises ``WeightsError`` when it is not all here."""
    root = require(WEIGHTS, settings.weights_dir).root
    assert root is not None
    return root

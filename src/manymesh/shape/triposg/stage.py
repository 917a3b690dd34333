"""The opened shape stage: one cutout through image encoder, diffusion transformer and decoder to a mesh.

The image encoder is needed once per object. So ``begin`` encodes all objects first and then frees it; an object's
condition tokens take half a megabyte of host memory. The transformer is by far the largest network. Where the device
has no room for the decoder's work beside it, it is freed before decoding and loaded again for the next object.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from manymesh.device.number_format import Formats, require_finite
from manymesh.device.placement import place
from manymesh.errors import NotFiniteError, ObjectError, OutOfMemoryError, UsageError
from manymesh.mesh.normalise import normalise
from manymesh.settings import Settings
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
from manymesh.shape.triposg.models import GUIDANCE, STEPS, TOKENS, WEIGHTS
from manymesh.shape.triposg.preprocess import encoder_pixels, frame_object
from manymesh.shape.triposg.sampler import Sampler
from manymesh.shape.triposg.schedule import schedule
from manymesh.shape.triposg.transformer import Transformer
from manymesh.shape.triposg.vae import ShapeDecoder
from manymesh.stages import Tick
from manymesh.types import Cutout, Mesh, ShapeResult
from manymesh.weights import require
from manymesh.weights.load import Network

# What people call the networks other than ``DECODER``.
ENCODER, TRANSFORMER = "image encoder", "shape transformer"
# Progress of one try after denoising, and after decoding. Estimates for the progress bar.
_DENOISED, _DECODED = 0.8, 0.97
# Device memory that one row of guidance takes beside the weights in half precision, for 2048 tokens: 143 MB for the
# inner MLP, skips, queries, keys and values, by the specification's count, rounded up for the allocator's blocks.
_ROW_BYTES = 256 << 20
# Device memory for the decoder's weights (428 MB in half precision) and for loading them. By count, rounded up.
_DECODER_BYTES = 512 << 20
# Bytes for each point of the grid while it is decoded: its value, and whether it was visited.
_BYTES_PER_POINT = 5


@contextmanager
def open_shape(settings: Settings) -> Iterator[ShapeModel]:
    """The stage. Networks are loaded on first use, and freed at the end of the block."""
    shape_model = ShapeModel(settings)
    try:
        yield shape_model
    finally:
        shape_model.close()


class ShapeModel:
    """Reconstructs shapes. Call ``begin`` once with all cutouts, then the model itself for each cutout.

    Args:
        settings: the run's.

    Raises:
        WeightsError: weights are absent, or are not what is implemented here.
        UsageError: a setting that TripoSG has no use for.
    """

    def __init__(self, settings: Settings) -> None:
        refuse_settings(settings)
        self.settings = settings
        self.folder = weights_folder(settings)
        self.config: TriposgConfig = read_config(self.folder)
        self.steps = settings.steps or STEPS
        self.guidance = GUIDANCE if settings.guidance is None else settings.guidance
        self.tokens = settings.tokens or TOKENS
        placement = place(settings.devices, "shape", precision=settings.shape_precision)
        self.device = torch.device(placement.device)
        self.formats = Formats(getattr(torch, placement.dtype), self._drop)
        # Condition tokens of the objects that are not reconstructed yet, by object id.
        self._conditions: dict[str, Tensor] = {}
        self._transformer: Transformer | None = None
        self._decoder: ShapeDecoder | None = None
        self._sampler: Sampler | None = None

    def begin(self, cutouts: Sequence[Cutout], *, tick: Tick = lambda done: None) -> None:
        """Encode the cutouts of all objects, then free the encoder.

        A cutout that cannot be encoded is skipped here; the call for that object raises. Without ``begin`` each call
        loads the encoder anew. Cutouts are recognised by their ``object_id``: those without one are encoded when they
        are called for.
        """
        named = [cutout for cutout in cutouts if cutout.object_id]
        self._make_room(_ROW_BYTES + self._encoder_bytes)
        with self._device_errors():
            self.formats.retry(lambda: self._encode_all(named, tick))
        tick(1.0)

    def _encode_all(self, cutouts: Sequence[Cutout], tick: Tick) -> None:
        """Raises ``NotFiniteError`` while the encoder can still be tried in a wider number format."""
        self._conditions.clear()
        network = self._encoder()
        try:
            for number, cutout in enumerate(cutouts):
                tick(number / len(cutouts))
                try:
                    self._conditions[cutout.object_id] = self._encode(network, cutout)
                except ObjectError as error:
                    if isinstance(error, NotFiniteError) and self.formats.can_widen(ENCODER):
                        raise
        finally:
            del network
            self._release()

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
        with self._device_errors():
            condition = self._condition(cutout)
            tries = Tries.make(
                self.settings.tries, seed, tick, lambda own, tell: self._reconstruct(condition, own, tell, remarks)
            )
        made, notes = tries.ranked(cutout.rgba[..., 3])
        notes = [*dict.fromkeys(remarks), *self.formats.notes, *notes]
        if self._sampler is not None and self._sampler.capture_failure:
            notes.append(f"The shape network's {self._sampler.capture_failure}.")
        mirrored = mirror_note(*made[0], cutout.rgba[..., 3])
        if mirrored:
            notes.append(mirrored)
        tick(1.0)
        return ShapeResult(*made[0], tuple(notes), tuple(mesh for mesh, _ in made[1:]))

    def close(self) -> None:
        """Free all networks and tokens."""
        self._conditions.clear()
        self._sampler = self._transformer = self._decoder = None
        self._release()

    def _reconstruct(self, condition: Tensor, seed: int, tick: Tick, remarks: list[str]) -> Mesh:
        """One mesh from condition tokens and a seed, in the canonical frame. Adds to ``remarks``."""
        latents = self.formats.retry(lambda: self._denoise(condition, seed, lambda done: tick(done * _DENOISED)))

        def decoding(done: float) -> None:
            tick(_DENOISED + done * (_DECODED - _DENOISED))

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
        return require_finite(sampler(condition, start, schedule(self.config.scheduler, self.steps), tick), TRANSFORMER)

    def _decode(self, latents: Tensor, tick: Tick) -> tuple[Mesh, tuple[str, ...]]:
        """The surface of latents, in the network's box."""
        settings = self.settings
        volume_bytes = _BYTES_PER_POINT * (settings.grid + 1) ** 3
        self._make_room(volume_bytes + (settings.memory << 20) + (0 if self._decoder else _DECODER_BYTES))
        decoder = self._load_decoder()
        method: Method = "dense" if settings.decoding == "dense" else "sparse"
        return decode(
            decoder, latents.to(self.formats[DECODER]), method, settings.grid, self._budget_bytes(volume_bytes), tick
        )

    def _sampler_for(self, condition: Tensor) -> Sampler:
        if self._sampler is None:
            config = self.config.transformer
            network = self._load(lambda: Transformer(config), TRANSFORMER_FOLDER, TRANSFORMER)
            self._transformer = network
            self._sampler = Sampler(
                network,
                condition_tokens=condition.shape[1],
                latents=self.tokens,
                guidance=self.guidance,
                one_pass=self._free_bytes() >= 2 * _ROW_BYTES * self.tokens // TOKENS,
            )
        return self._sampler

    def _load_decoder(self) -> ShapeDecoder:
        """The decoder, loaded on the first call."""
        if self._decoder is None:
            config = self.config.vae
            self._decoder = self._load(lambda: ShapeDecoder(config), VAE_FOLDER, DECODER)
        return self._decoder

    def _condition(self, cutout: Cutout) -> Tensor:
        """The condition tokens that ``begin`` kept for a cutout, or else computed now."""
        ready = self._conditions.pop(cutout.object_id, None)
        if ready is not None:
            return ready
        self._make_room(_ROW_BYTES + self._encoder_bytes)
        return self.formats.retry(lambda: self._encode_one(cutout))

    def _encode_one(self, cutout: Cutout) -> Tensor:
        network = self._encoder()
        try:
            return self._encode(network, cutout)
        finally:
            del network
            self._release()

    def _encoder(self) -> Dino:
        config = self.config.dino
        return self._load(lambda: Dino(config), ENCODER_FOLDER, ENCODER)

    @property
    def _encoder_bytes(self) -> int:
        """The image encoder's weights in half precision, which are half its file's bytes."""
        return sum(path.stat().st_size for path in (self.folder / ENCODER_FOLDER).glob("*.safetensors")) // 2

    def _load(self, build: Callable[[], Network], part: str, name: str) -> Network:
        """The network called ``name`` in its number format, on the stage's device."""
        return load_part(build, self.folder, part, device=self.device, dtype=self.formats[name])

    @torch.inference_mode()
    def _encode(self, network: Dino, cutout: Cutout) -> Tensor:
        """(1, T, width) condition tokens of a cutout, in host memory."""
        pixels = encoder_pixels(frame_object(clear_faint_alpha(cutout.rgba)), self.config.image)
        return require_finite(network(torch.from_numpy(pixels).to(self.device, self.formats[ENCODER])), ENCODER).cpu()

    def _budget_bytes(self, volume_bytes: int) -> int:
        """Working memory of the point decoder: the setting's, or half of what is free beside the volume where that is
        less."""
        asked = self.settings.memory << 20
        return max(min(asked, (self._free_bytes() - volume_bytes) // 2), 0)

    def _free_bytes(self) -> int:
        """Free memory of the device; without a GPU, more than anything needs."""
        if self.device.type != "cuda":
            return 1 << 60
        kept = torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device)
        return torch.cuda.mem_get_info(self.device)[0] + kept

    def _make_room(self, wanted_bytes: int) -> None:
        """Free the transformer where less memory is free than wanted."""
        if self._transformer is not None and self._free_bytes() < wanted_bytes:
            self._drop(TRANSFORMER)

    def _drop(self, network: str) -> None:
        """Free one network, so that it is loaded anew when it is next needed."""
        if network == TRANSFORMER:
            self._sampler = self._transformer = None
        elif network == DECODER:
            self._decoder = None
        self._release()

    def _release(self) -> None:
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @contextmanager
    def _device_errors(self) -> Iterator[None]:
        """Turn torch's out-of-memory error into ours, with advice."""
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"TripoSG's networks do not fit in the memory of {self.device}",
                "Use a smaller --grid, less --memory, or --device shape=cpu",
            ) from error


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

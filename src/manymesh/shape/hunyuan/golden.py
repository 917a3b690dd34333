"""Numbers that people printed from the published 2mini weights, to tell wrong weights from a faulty device.

Nothing else is known of what the published weights compute. So the ranges are held loosely, except for the time
vector, which depends on nothing but the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from manymesh.device.placement import place
from manymesh.image.drawn import ball
from manymesh.shape.common.flow import initial_noise
from manymesh.shape.hunyuan.checkpoint import DECODER_PREFIX, ENCODER_PREFIX, TRANSFORMER_PREFIX
from manymesh.shape.hunyuan.conditioner import Conditioner
from manymesh.shape.hunyuan.config import ShapeConfig
from manymesh.shape.hunyuan.dit import Dit, Embedder, time_embedding
from manymesh.shape.hunyuan.flow_schedule import flow_schedule
from manymesh.shape.hunyuan.models import GUIDANCE, VARIANTS
from manymesh.shape.hunyuan.preprocess import prepare_image, to_signed_pixels
from manymesh.shape.hunyuan.sampler import Sampler
from manymesh.shape.hunyuan.vae import ShapeVae
from manymesh.shape.hunyuan.volume import BOUNDS
from manymesh.weights.deep import Machine
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, attempt, failed, not_possible, passed
from manymesh.weights.load import Network, load_network


@dataclass(frozen=True)
class Golden:
    """The range of one quantity of 2mini.

    Attributes:
        check: the quantity.
        lowest, highest: its extremes, as people printed them.
        factor: how many times larger or smaller an extreme may be.
        mean: the mean, as people printed it, and how far off it may be; None where it is not known.
        corner: likewise the first number.
    """

    check: str
    lowest: float
    highest: float
    factor: float
    mean: tuple[float, float] | None = None
    corner: tuple[float, float] | None = None


# The factors are chosen by hand; the published weights were never at hand. The time vector has no input, so only
# rounding to half precision is allowed for. The others depend on the picture and the seed, which are not known.
TIME = Golden("time vector", -0.274, 5.098, 1.02, mean=(0.0289, 0.001))
TOKENS = Golden("picture tokens", -16.3, 14.5, 2.5)
LATENTS = Golden("latents", -3.6, 4.06, 2.0)
DECODED = Golden("decoder tokens", -374.5, 37.1, 4.0)
# A grid's corner is far outside every object, where the network was trained to answer -1. The mean depends on how much
# of the box the object fills.
LOGITS = Golden("grid logits", -1.08, 1.19, 2.0, mean=(-0.79, 0.4), corner=(-1.0, 0.25))

_WEIGHTS = "hunyuan3d-2mini"
# Points on each axis of the grid on which logits are looked at, and points decoded at a time.
_GRID, _POINTS = 33, 8192
_SEED = 0


def checks(model: Model, path: Path, config: ShapeConfig, machine: Machine) -> Iterator[Finding]:
    """The quantities of 2mini, as far as this machine computes them in reasonable time.

    Args:
        model: the catalogue's row.
        path: its safetensors file.
        config: its configuration.
        machine: where to compute. The time vector takes no time; the others are computed on a GPU alone, by a
            ``thorough`` check.
    """
    published = {file.name: file.bytes for file in model.files}.get(f"{model.folder}/{path.name}")
    if model.id != _WEIGHTS or path.stat().st_size != published:
        yield not_possible("golden numbers", f"none are known of these weights, only of the published {_WEIGHTS}")
        return
    yield attempt(TIME.check, lambda: check_time(path, config, machine, TIME))
    if not machine.thorough or machine.device == "cpu":
        why = "they take minutes without a GPU" if machine.thorough else "run: manymesh models verify --deep"
        yield not_possible("golden numbers", f"only the time vector was computed: {why}")
        return
    made = Walk(path, config, machine.device)
    for golden, measure in (
        (TOKENS, made.tokens),
        (LATENTS, made.latents),
        (DECODED, made.decoded),
        (LOGITS, made.logits),
    ):
        yield attempt(golden.check, lambda golden=golden, measure=measure: judge(golden, measure(), machine.sound))  # type: ignore[misc]


def check_time(path: Path, config: ShapeConfig, machine: Machine, golden: Golden) -> Finding:
    """The time vector at t = 0, in float32 on the CPU and in the stage's number format on the device.

    On the CPU wrong numbers mean wrong weights. Numbers that are right there and wrong on the device mean a faulty
    device.
    """
    placement = place((machine.device,), "shape")
    exact = time_vector(path, config, "cpu", torch.float32)
    finding = judge(golden, exact, True)
    if finding.outcome == "failed" or placement.device == "cpu":
        return finding
    made = time_vector(path, config, placement.device, getattr(torch, placement.dtype))
    error = float((made - exact).abs().max() / exact.abs().max())
    # Of the largest number: half precision has 11 bits, and the sums are in float32. Chosen by hand; not measured.
    if not error < 0.02:
        what = f"it is right on the CPU and off by {error:.0%} on {placement.device}: the device computes wrongly"
        return failed(golden.check, what, difference=error)
    return Finding(finding.check, finding.outcome, finding.sentence, {**finding.numbers, "difference": error})


def time_vector(path: Path, config: ShapeConfig, device: str, dtype: torch.dtype) -> Tensor:
    """(1, hidden_size) float32 on the CPU: what the transformer makes of t = 0."""
    prefix = f"{TRANSFORMER_PREFIX}time_in."
    place_ = torch.device(device)
    embedder = load_network(lambda: Embedder(config.dit.hidden_size), path, device=place_, dtype=dtype, prefix=prefix)
    with torch.inference_mode():
        zero = torch.zeros(1, device=place_, dtype=dtype)
        made: Tensor = embedder(time_embedding(zero, config.dit.time_factor))
        return made.float().cpu()


def judge(golden: Golden, values: Tensor, sound: bool | None) -> Finding:
    """Whether a quantity's extremes are near the published ones; far off, it says what is likely wrong.

    Args:
        golden: what they should be.
        values: the quantity.
        sound: whether the device is known to compute rightly; None when that is not known.
    """
    values = values.float()
    lowest, highest, mean = float(values.min()), float(values.max()), float(values.mean())
    corner = float(values.flatten()[0])
    numbers = {"lowest": lowest, "highest": highest, "mean": mean}
    told = f"{lowest:.4g} to {highest:.4g}"
    wanted = f"{golden.lowest:.4g} to {golden.highest:.4g}"
    pairs = ((lowest, golden.lowest), (highest, golden.highest))
    near = all(1 / golden.factor <= value / right <= golden.factor for value, right in pairs)
    for name, value, known in (("mean", mean, golden.mean), ("corner", corner, golden.corner)):
        if known is not None:
            numbers[name] = value
            told, wanted = f"{told}, {name} {value:.4g}", f"{wanted}, {name} {known[0]:.4g}"
            near = near and abs(value - known[0]) <= known[1]
    if near:
        return passed(golden.check, f"{told}; published: {wanted}", **numbers)
    cause = {
        True: "the device computes rightly, so these are other weights than the published ones",
        False: "the device computes wrongly, as its own check says",
        None: "these are other weights than the published ones, or the device computes wrongly",
    }[sound]
    return failed(golden.check, f"{told} is far from the published {wanted}: {cause}", **numbers)


class Walk:
    """One picture through all networks, one network in memory at a time. Call the methods in the order below."""

    def __init__(self, path: Path, config: ShapeConfig, device: str) -> None:
        placement = place((device,), "shape")
        self.path, self.config = path, config
        self.device, self.dtype = torch.device(placement.device), getattr(torch, placement.dtype)
        self._made: Tensor = torch.empty(0)
        self._decoder: ShapeVae | None = None

    @torch.inference_mode()
    def tokens(self) -> Tensor:
        """(1, T, width) of a drawn ball."""
        encoder = self._load(lambda: Conditioner(self.config.conditioner), ENCODER_PREFIX)
        picture = to_signed_pixels(prepare_image(ball(), self.config.image)[0])
        self._made = encoder(torch.from_numpy(picture)[None])
        return self._made

    @torch.inference_mode()
    def latents(self) -> Tensor:
        """(1, L, embed_dim) after all steps that the model takes by default."""
        dit = self._load(lambda: Dit(self.config.dit), TRANSFORMER_PREFIX)
        size = (1, self.config.vae.num_latents, self.config.vae.embed_dim)
        start = initial_noise(_SEED, size, device=self.device, dtype=self.dtype)
        sampler = Sampler(dit, condition_tokens=self._made.shape[1], latents=size[1], guidance=GUIDANCE)
        self._made = sampler(self._made, start, flow_schedule(self.config.scheduler, VARIANTS["2mini"].steps))
        return self._made

    @torch.inference_mode()
    def decoded(self) -> Tensor:
        """(1, L, width) the decoder's tokens."""
        self._decoder = decoder = self._load(lambda: ShapeVae(self.config.vae), DECODER_PREFIX)
        self._made = decoder(self._made)
        return self._made

    @torch.inference_mode()
    def logits(self) -> Tensor:
        """(n, 1) of a coarse grid over the network's box."""
        axis = torch.linspace(-BOUNDS, BOUNDS, _GRID, device=self.device, dtype=self.dtype)
        points = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).flatten(0, 2)
        assert self._decoder is not None
        decoder = self._decoder.geo_decoder
        keys_values = decoder.keys_values(self._made)
        return torch.cat([decoder(part[None], keys_values)[0] for part in points.split(_POINTS)])

    def _load(self, build: Callable[[], Network], prefix: str) -> Network:
        return load_network(build, self.path, device=self.device, dtype=self.dtype, prefix=prefix)

"""Train the segmentation network on one GPU.

    python -m training.segmentation.train --furniture PACK --generated 6000 --minutes 20 --out FOLDER
    python -m training.segmentation.train --generated 20 --tiny --minutes 0.3 --batch 2 --size 128 --out OUT  # on CPU

The rate falls as a cosine of the time. FOLDER gets log.jsonl and the averaged weights (ema.safetensors), written anew
at every validation. ``--from`` begins with an earlier run's weights, or those of an exported file, validated as step 0,
and a fresh optimiser.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from training.checkpoint import Average
from training.log import Log
from training.network import parameter_count
from training.render.shape_set import ShapeSet
from training.scenes.compose import SIZE, Scenes, compose
from training.schedule import WARM_UP_STEPS, Clock, learning_rate
from training.segmentation.holes import holes
from training.segmentation.losses import TERMS, losses
from training.segmentation.network import FULL, TINY, SegmentationNetwork, Size
from training.segmentation.start import Images, begin_with
from training.segmentation.validate import OFTEN, report, validation_scenes
from training.segmentation.weights import keep
from training.things import Things, collect, view_weights

CLIP = 1.0
LOG_EVERY = 50
EXAMPLES = 8
"""Batches on which the norms of an exported file are found again."""
SEEDS = 100_000_000
"""Of scenes, for each seed of a run; the steps take the first, the examples the last."""
CELL = 32
"""Scenes have whole cells a side: the network halves them five times."""
StepLoss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def main(arguments: list[str] | None = None) -> None:
    made = parser()
    chosen = made.parse_args(arguments)
    if chosen.size < CELL or chosen.size % CELL:
        made.error(f"--size must be a multiple of {CELL}, not {chosen.size}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "log.jsonl").unlink(missing_ok=True)
    log = Log(chosen.out)
    numbers = range(chosen.first, chosen.first + chosen.generated)
    things = collect(chosen.furniture, numbers, chosen.held_out_each, chosen.workers, 180.0, log.say)
    train(chosen, things, log)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, required=True, help="the run's folder")
    made.add_argument(
        "--from", dest="start", type=Path, help="begin with the weights of a run's folder or an ONNX file"
    )
    made.add_argument("--furniture", type=Path, help="pack of catalogue shapes (training.pack)")
    made.add_argument("--generated", type=int, default=6000, help="shapes to generate, over all families")
    made.add_argument("--first", type=int, default=0, help="number of the first generated shape")
    made.add_argument("--held-out-each", type=int, default=6, help="generated validation shapes of each family")
    made.add_argument("--minutes", type=float, default=20.0)
    made.add_argument("--batch", type=int, default=32, help="scenes a step")
    made.add_argument("--size", type=int, default=SIZE, help="pixels a side of a scene; the engine asks at 512")
    made.add_argument("--few", action="store_true", help=f"every other step has few things in scenes of {SIZE} pixels")
    made.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    made.add_argument("--warm-up", type=int, default=WARM_UP_STEPS, help="steps until the rate is full")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that generate shapes")
    made.add_argument("--validate-seconds", type=float, default=180.0, help="between validations")
    made.add_argument("--validation-scenes", type=int, default=256)
    made.add_argument("--tiny", action="store_true", help="a tiny network, for smoke runs")
    return made


@dataclass
class State:
    """What changes from step to step."""

    network: SegmentationNetwork
    size: Size
    average: Average
    optimizer: torch.optim.Optimizer
    loss: StepLoss
    step: int = 0


def train(chosen: argparse.Namespace, things: Things, log: Log) -> None:
    """A whole run; its scenes come from ``things``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(chosen.seed)
    shapes = ShapeSet(things.train, str(device))
    weights = torch.from_numpy(view_weights(shapes.families, OFTEN))

    def examples() -> Images:
        last = (chosen.seed + 1) * SEEDS - 1
        return (compose(shapes, chosen.batch, weights, last - i, chosen.size).image for i in range(EXAMPLES))

    state = begin(chosen, device, log, examples)
    checks = validation_scenes(things, chosen.validation_scenes, chosen.batch, chosen.size, device)
    log.say(f"{parameter_count(state.network):,} parameters; {len(shapes)} shapes; {len(checks)} validation batches")
    named = {"batch": chosen.batch, "pixels": chosen.size, "rate": chosen.rate, "minutes": chosen.minutes}
    log.record("start", size=asdict(state.size), start=str(chosen.start or ""), seed=chosen.seed, **named)
    if chosen.start:
        report(log, state.average.network, checks, 0)
    clock = Clock(60.0 * chosen.minutes, 0.0, time.monotonic())
    pace = Pace(log, device)
    validated_s = 0.0
    while clock.fraction() < 1:
        rate = learning_rate(chosen.rate, state.step, clock.fraction(), chosen.warm_up)
        few = chosen.few and state.step % 2 == 1
        seed = chosen.seed * SEEDS + state.step
        scenes = compose(shapes, chosen.batch, weights, seed, SIZE if few else chosen.size, few)
        pace.add(one_step(state, scenes, rate), state.step, rate, clock.used_s())
        if clock.used_s() - validated_s > chosen.validate_seconds:
            keep(chosen.out, state.average.network, state.size, state.step)
            report(log, state.average.network, checks, state.step)
            validated_s = clock.used_s()
            pace.restart()
    keep(chosen.out, state.average.network, state.size, state.step)
    report(log, state.average.network, checks, state.step)
    log.record("end", step=state.step, used_s=round(clock.used_s(), 1))


def begin(chosen: argparse.Namespace, device: torch.device, log: Log, examples: Callable[[], Images]) -> State:
    """A new network or an earlier run's, with a fresh optimiser; ``examples`` are pictures such as it will see."""
    cuda = device.type == "cuda"
    if chosen.start:
        made, size, step = begin_with(chosen.start, examples)
        log.say(f"starting from {chosen.start}, step {step}")
    else:
        size = TINY if chosen.tiny else FULL
        made = SegmentationNetwork(size)
    network: Any = made.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    decaying = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": 0.03}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=chosen.rate, betas=(0.9, 0.99), fused=cuda)

    def loss(
        image: torch.Tensor, alpha: torch.Tensor, owner: torch.Tensor, opened: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            mask, middles = network(image)
        return losses(mask, middles, alpha, owner, opened)

    compiled: StepLoss = torch.compile(loss, dynamic=False) if cuda else loss
    return State(network, size, Average(network), optimizer, compiled)


def one_step(state: State, scenes: Scenes, rate: float) -> torch.Tensor:
    """Learn from one batch; answers its loss terms. Nothing here waits for the device."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.zero_grad(set_to_none=True)
    image = scenes.image.contiguous(memory_format=torch.channels_last)
    total, terms = state.loss(image, scenes.alpha, scenes.owner, holes(scenes.owner))
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), CLIP)
    state.optimizer.step()
    state.average.update()
    state.step += 1
    return terms


class Pace:
    """Logs the means of the loss terms and the time of steps, ``LOG_EVERY`` at once."""

    def __init__(self, log: Log, device: torch.device) -> None:
        self.log = log
        self.sum = torch.zeros(len(TERMS), device=device)
        self.restart()

    def restart(self) -> None:
        """Forget what was gathered: something else took time."""
        self.sum.zero_()
        self.count, self.since = 0, time.monotonic()

    def add(self, terms: torch.Tensor, step: int, rate: float, used_s: float) -> None:
        self.sum += terms
        self.count += 1
        if step % LOG_EVERY:
            return
        means = dict(zip(TERMS, (self.sum / self.count).tolist(), strict=True))  # waits for the device
        ms = 1000 * (time.monotonic() - self.since) / self.count
        self.log.record("step", step=step, used_s=round(used_s, 1), rate=rate, ms=round(ms, 1), terms=means)
        if step % (10 * LOG_EVERY) == 0 or step == LOG_EVERY:
            said = " ".join(f"{name} {value:.4f}" for name, value in means.items())
            self.log.say(f"step {step} {ms:.0f} ms; {said}")
        self.restart()


if __name__ == "__main__":
    main()

"""Train the finder on one GPU.

    python -m training.finder.train --furniture PACK --generated 6000 --minutes 20 --out FOLDER
    python -m training.finder.train --generated 20 --tiny --minutes 0.3 --batch 2 --out FOLDER   # a smoke run on a CPU

The rate falls as a cosine of the time. FOLDER gets log.jsonl and the averaged weights (ema.safetensors), written anew
at every validation.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from training.checkpoint import Average
from training.feed import VALIDATION_SEED
from training.finder.losses import TERMS, losses
from training.finder.network import FULL, TINY, Finder, Size
from training.log import Log
from training.network import parameter_count
from training.render.shape_set import ShapeSet
from training.scenes.compose import Scenes, compose
from training.scenes.grounds import KINDS
from training.schedule import Clock, learning_rate
from training.things import Things, collect, view_weights

CLIP = 1.0
LOG_EVERY = 50


def main(arguments: list[str] | None = None) -> None:
    chosen = parser().parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "log.jsonl").unlink(missing_ok=True)
    log = Log(chosen.out)
    numbers = range(chosen.generated)
    things = collect(chosen.furniture, numbers, chosen.held_out_each, chosen.workers, 180.0, log.say)
    train(chosen, things, log)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, required=True, help="the run's folder")
    made.add_argument("--furniture", type=Path, help="pack of catalogue shapes (training.pack)")
    made.add_argument("--generated", type=int, default=6000, help="shapes to generate, over all families")
    made.add_argument("--held-out-each", type=int, default=6, help="generated validation shapes of each family")
    made.add_argument("--minutes", type=float, default=20.0)
    made.add_argument("--batch", type=int, default=32, help="scenes a step")
    made.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that generate shapes")
    made.add_argument("--validate-seconds", type=float, default=180.0, help="between validations")
    made.add_argument("--validation-scenes", type=int, default=256)
    made.add_argument("--tiny", action="store_true", help="a tiny network, for smoke runs")
    return made


def train(chosen: argparse.Namespace, things: Things, log: Log) -> None:
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(chosen.seed)
    size = TINY if chosen.tiny else FULL
    network = Finder(size).to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    average = Average(network)
    decaying = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": 0.03}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=chosen.rate, betas=(0.9, 0.99), fused=cuda)
    shapes = ShapeSet(things.train, str(device))
    weights = torch.from_numpy(view_weights(shapes.families))
    checks = validation_scenes(things, chosen.validation_scenes, chosen.batch, device)
    log.say(f"{parameter_count(network):,} parameters; {len(shapes)} shapes; {len(checks)} validation batches")
    log.record("start", size=asdict(size), batch=chosen.batch, rate=chosen.rate, minutes=chosen.minutes)

    def compute(image: torch.Tensor, alpha: torch.Tensor, owner: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            mask, middles = network(image)
        return losses(mask, middles, alpha, owner)

    step_loss = torch.compile(compute, dynamic=False) if cuda else compute
    clock = Clock(60.0 * chosen.minutes, 0.0, time.monotonic())
    step, validated_s, window, logged = 0, 0.0, torch.zeros(len(TERMS), device=device), time.monotonic()
    while clock.fraction() < 1:
        rate = learning_rate(chosen.rate, step, clock.fraction())
        for group in optimizer.param_groups:
            group["lr"] = rate
        scenes = compose(shapes, chosen.batch, weights, chosen.seed * 100_000_000 + step)
        optimizer.zero_grad(set_to_none=True)
        total, terms = step_loss(scenes.image.contiguous(memory_format=torch.channels_last), scenes.alpha, scenes.owner)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        average.update()
        window += terms
        step += 1
        if step % LOG_EVERY == 0:
            means = dict(zip(TERMS, (window / LOG_EVERY).tolist(), strict=True))
            ms = 1000 * (time.monotonic() - logged) / LOG_EVERY
            window.zero_()
            logged = time.monotonic()
            log.record("step", step=step, used_s=round(clock.used_s(), 1), rate=rate, ms=round(ms, 1), terms=means)
            if step % (10 * LOG_EVERY) == 0 or step == LOG_EVERY:
                log.say(f"step {step} {ms:.0f} ms; " + " ".join(f"{name} {value:.4f}" for name, value in means.items()))
        if clock.used_s() - validated_s > chosen.validate_seconds:
            keep(chosen.out, average.network, size, step)
            report(log, average.network, checks, step, cuda)
            validated_s, logged = clock.used_s(), time.monotonic()
    keep(chosen.out, average.network, size, step)
    report(log, average.network, checks, step, cuda)
    log.record("end", step=step, used_s=round(clock.used_s(), 1))


def validation_scenes(things: Things, count: int, chunk: int, device: torch.device) -> list[Scenes]:
    """Fixed scenes of shapes that never train."""
    shapes = ShapeSet(things.held_out, str(device))
    weights = torch.from_numpy(view_weights(shapes.families))
    return [compose(shapes, chunk, weights, VALIDATION_SEED + number) for number in range(max(1, count // chunk))]


def report(log: Log, network: torch.nn.Module, checks: list[Scenes], step: int, cuda: bool) -> None:
    table = validate(network, checks, cuda)
    log.record("validation", step=step, kinds=table)
    log.say(
        f"validation at step {step}: "
        + "; ".join(f"{k} {v['iou']:.4f} (worst {v['worst']:.2f})" for k, v in table.items())
    )


@torch.no_grad()
def validate(network: torch.nn.Module, checks: list[Scenes], cuda: bool) -> dict[str, dict[str, float]]:
    """By kind of ground: mean IoU of the mask over scenes with things, and the mean of the worst tenth."""
    found: dict[str, list[float]] = {}
    for scenes in checks:
        with torch.autocast(scenes.image.device.type, torch.bfloat16, enabled=cuda):
            mask = network(scenes.image)[0][:, 0] > 0
        truth = scenes.owner >= 0
        shared, either = (mask & truth).sum((1, 2)).float(), (mask | truth).sum((1, 2)).float()
        for kind, iou, there in zip(
            scenes.kinds.tolist(), (shared / either.clamp(min=1)).tolist(), truth.any(2).any(1).tolist(), strict=True
        ):
            if there:
                found.setdefault(KINDS[kind], []).append(iou)
    found["all"] = [iou for values in found.values() for iou in values]
    return {kind: summary(values) for kind, values in sorted(found.items())}


def summary(values: list[float]) -> dict[str, float]:
    worst = sorted(values)[: max(1, len(values) // 10)]
    return {"scenes": len(values), "iou": sum(values) / len(values), "worst": sum(worst) / len(worst)}


def keep(folder: Path, network: torch.nn.Module, size: Size, step: int) -> None:
    """Write the averaged weights as float16, in one move."""
    from safetensors.torch import save_file

    tensors = {k: v.half().contiguous().cpu() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    target = folder / "ema.safetensors"
    save_file(tensors, target.with_suffix(".partial"), {"size": json.dumps(asdict(size)), "step": str(step)})
    target.with_suffix(".partial").replace(target)


def load(folder: Path) -> tuple[Finder, int]:
    """(the network with a run's averaged weights, its step)."""
    from safetensors import safe_open

    with safe_open(folder / "ema.safetensors", "pt") as file:
        header: dict[str, Any] = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(header["size"]).items()
    }
    network = Finder(Size(**values))
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    return network.eval(), int(header["step"])


if __name__ == "__main__":
    main()

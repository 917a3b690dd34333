"""One rank's work: steps until the clock says stop, with validations and checkpoints in between.

The first rank (0) alone logs, validates and keeps; the others wait for it in their next step.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from training import losses as loss_terms
from training.batch import Batch
from training.checkpoint import Average, floating, has_checkpoint, load_checkpoint, load_ema, save_checkpoint, save_ema
from training.feed import FakeSource, Feeder, RenderedSource, Seeds, Source, validation_views
from training.log import Log
from training.network import FULL, Network, Size, parameter_count
from training.parallel import FlatGradients, Team
from training.schedule import WARM_UP_STEPS, Clock, learning_rate
from training.things import Things
from training.validate import validate

DECIDE_EVERY = 10
"""Steps between two looks at the clock where there are several ranks: then they wait for the first one's word."""
CLIP = 1.0


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run but the shapes.

    Attributes:
        run: the run's id, kept in the files it writes.
        minutes: of training in all, earlier calls of the same run included; the cosine ends there.
        until_s: this process stops (with a checkpoint) when it is so many seconds old; None: when the minutes are over.
        most_steps: stop after so many steps of this call; None: no such limit.
        origin: a run whose averaged weights this one starts from, with a fresh optimiser; None: random weights.
        batch: views a rank sees in a step.
        peak: learning rate at its highest for one rank; grows with the square root of the number of ranks.
    """

    folder: Path
    run: str
    minutes: float
    until_s: float | None = None
    most_steps: int | None = None
    origin: Path | None = None
    seed: int = 0
    batch: int = 64
    size: Size = FULL
    peak: float = 1.2e-3
    warm_up: int = WARM_UP_STEPS
    weight_decay: float = 0.03
    weights: loss_terms.Weights = field(default_factory=loss_terms.Weights)
    resume: bool = False
    compiled: bool = True
    overlap: bool = False
    log_every: int = 50
    validate_every_s: float = 150.0
    validation_views: int = 256
    cuda: bool = True


def work(rank: int, world: int, port: int, plan: Plan, things: Things | None, started: float) -> None:
    """The whole life of one rank. ``things`` None: ellipsoids."""
    device = torch.device("cuda", rank) if plan.cuda else torch.device("cpu")
    if plan.cuda:
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
    log = Log(plan.folder if rank == 0 else None, started)
    team = Team(rank, world, device, port)
    log.say(f"{world} rank(s) ready on {torch.cuda.get_device_name(device) if plan.cuda else 'the CPU'}")
    source: Source = FakeSource(device)
    if things is not None:
        rendered = source = RenderedSource(things.train, device)
        log.say(f"{len(rendered.names)} shapes carved; carved to nothing: {', '.join(rendered.lost) or 'none'}")
    Trainer(plan, team, device, log, source, things).run()
    team.close()


class Trainer:
    """The state of a run on one rank."""

    def __init__(
        self, plan: Plan, team: Team, device: torch.device, log: Log, source: Source, things: Things | None
    ) -> None:
        self.plan, self.team, self.device, self.log = plan, team, device, log
        torch.manual_seed(plan.seed)
        self.network = first_network(plan, log).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Average(self.network)
        self.optimizer = make_optimizer(self.network, plan)
        self.step, self.used_s = 0, 0.0
        if plan.resume and (state := load_checkpoint(plan.folder, device)):
            self.restore(state)
        team.same_(floating(self.network))
        team.same_(floating(self.average.network))
        self.gradients = FlatGradients(self.network)
        self.feeder = Feeder(source, plan.batch, Seeds(plan.seed, team.rank, team.world), device, plan.overlap)
        self.views = None
        if team.rank == 0:
            self.views = validation_views(things, plan.validation_views, min(plan.batch, 64), device)
            log.say(f"{len(self.views.groups)} validation views ready")
        self.compute = make_compute(self.network, plan)
        self.peak = plan.peak * team.world**0.5
        self.terminated = False

    def run(self) -> None:
        self.record_start()
        if self.plan.origin and not self.step:
            self.validate_origin()
        with self.heeding_termination():
            self.clock = Clock(60.0 * self.plan.minutes, self.used_s, time.monotonic())
            self.window = Window(self.device)
            self.loop()
        self.validate()
        self.keep()
        self.log.record("end", step=self.step, used_s=round(self.clock.used_s(), 1), terminated=self.terminated)
        self.log.say(f"ended at step {self.step} after {self.clock.used_s():.0f} s of training")

    def loop(self) -> None:
        first, validated_s, fraction = self.step, self.clock.used_s(), 0.0
        every = DECIDE_EVERY if self.team.world > 1 else 1
        while True:
            if (self.step - first) % every == 0:
                due = self.clock.used_s() - validated_s > self.plan.validate_every_s
                fraction, stop, due = self.team.tell([self.clock.fraction(), self.should_stop(first), due])
                if stop:
                    return
                if due:
                    self.validate()
                    self.keep()
                    validated_s = self.clock.used_s()
                    self.window.reset()
            rate = learning_rate(self.peak, self.step, fraction, self.plan.warm_up)
            self.one_step(rate)
            if self.step == first + 1:
                self.log.say(f"first step done: loss {float(self.window.values[0]):.3f}")
                self.window.reset()
            if self.step % self.plan.log_every == 0:
                self.log_window(rate)

    def one_step(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.window.mark("data")
        batch = self.feeder.get(self.step)
        self.window.mark("network")
        self.gradients.zero_()
        total, values = self.compute(*compute_inputs(batch))
        total.backward()
        self.feeder.prepare(self.step + 1)
        self.window.mark("update")
        length = self.gradients.average_and_clip_(self.team, CLIP)
        self.optimizer.step()
        self.average.update()
        self.window.mark("end")
        self.window.add(torch.cat([total.detach().view(1), length.view(1), values]))
        self.step += 1

    def should_stop(self, first: int) -> bool:
        plan = self.plan
        return (
            self.terminated
            or self.clock.fraction() >= 1.0
            or (plan.until_s is not None and self.log.seconds() >= plan.until_s)
            or (plan.most_steps is not None and self.step - first >= plan.most_steps)
        )

    def validate(self) -> None:
        self.team.mean_(floating(self.average.network))  # ranks differ in batch norm's statistics
        if self.views is None:
            return
        start = time.monotonic()
        table = validate(self.average.network, self.views, bfloat16=self.plan.cuda)
        took = round(time.monotonic() - start, 2)
        self.log.record("validation", step=self.step, used_s=round(self.clock.used_s(), 1), took_s=took, families=table)
        parts = [
            f"{family} IoU {row['iou']:.3f} front {row['front_l1']:.3f} back {row['back_l1']:.3f} elevation "
            f"{row['elevation_degrees']:.1f}/{row['elevation_median']:.1f} azimuth {row.get('azimuth_degrees', 0):.0f} "
            f"({row.get('azimuth_near', 0):.0%} near)"
            for family, row in table.items()
        ]
        self.log.say(f"validation at step {self.step} ({took:.1f} s): " + "\n    ".join(["", *parts]))

    def validate_origin(self) -> None:
        """What the run starts from, measured on this run's own views: earlier runs may have had others."""
        self.clock = Clock(60.0 * self.plan.minutes, self.used_s, time.monotonic())
        self.validate()

    def keep(self) -> None:
        if self.team.rank != 0:
            return
        self.plan.folder.mkdir(parents=True, exist_ok=True)
        save_ema(self.plan.folder, self.average.network, self.plan.size, self.plan.run, self.step)
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "average_updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "used_s": self.clock.used_s(),
            "run": self.plan.run,
        }
        save_checkpoint(self.plan.folder, state)

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.average.updates = state["average_updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.used_s = state["step"], state["used_s"]
        self.log.say(f"going on from step {self.step}, {self.used_s:.0f} s of training used")

    def record_start(self) -> None:
        plan = asdict(self.plan) | {"folder": self.plan.folder.name, "origin": str(self.plan.origin or "")}
        machine = torch.cuda.get_device_name(self.device) if self.plan.cuda else "CPU"
        self.log.record(
            "start",
            plan=plan,
            ranks=self.team.world,
            machine=f"{self.team.world} x {machine}",
            torch=torch.__version__,
            parameters=parameter_count(self.network),
            step=self.step,
            used_s=self.used_s,
        )

    def log_window(self, rate: float) -> None:
        values, times = self.window.read()
        terms = dict(zip(loss_terms.TERMS, values[2:], strict=True))
        if self.team.rank == 0:
            memory = torch.cuda.max_memory_allocated(self.device) / 2**30 if self.plan.cuda else 0.0
            self.log.record(
                "step",
                step=self.step,
                used_s=round(self.clock.used_s(), 1),
                loss=round(values[0], 5),
                gradient=round(values[1], 4),
                rate=rate,
                ms={name: round(ms, 2) for name, ms in times.items()},
                memory_gib=round(memory, 2),
                terms={name: round(value, 5) for name, value in terms.items()},
            )
            split = ", ".join(f"{name} {ms:.1f}" for name, ms in times.items())
            shown = " ".join(f"{name} {value:.3f}" for name, value in terms.items())
            self.log.say(f"step {self.step} loss {values[0]:.3f} lr {rate:.1e} ms: {split}; {memory:.1f} GiB; {shown}")
        self.window.reset()

    @contextlib.contextmanager
    def heeding_termination(self) -> Iterator[None]:
        """SIGTERM ends the loop at the next decision instead of the process at once."""

        def note(*_: object) -> None:
            self.terminated = True

        before = signal.signal(signal.SIGTERM, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


class Window:
    """Sums over the steps since the last log line, kept on the device so that no step waits for the host."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.reset()

    def reset(self) -> None:
        self.steps = 0
        self.values = torch.zeros(2 + len(loss_terms.TERMS), device=self.device)
        self.marks: list[tuple[str, Any]] = []
        self.started = time.perf_counter()

    def add(self, values: torch.Tensor) -> None:
        self.values += values
        self.steps += 1

    def mark(self, name: str) -> None:
        """What comes now is called ``name``."""
        if self.device.type == "cuda":
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self.marks.append((name, event))
        else:
            self.marks.append((name, time.perf_counter()))

    def read(self) -> tuple[list[float], dict[str, float]]:
        """(mean values, mean ms a step by name, and as "step" by the wall clock)."""
        means = (self.values / max(1, self.steps)).tolist()  # waits for the device
        times: dict[str, float] = {}
        for (name, begin), (_, end) in zip(self.marks, self.marks[1:], strict=False):
            if name != "end":
                ms = begin.elapsed_time(end) if self.device.type == "cuda" else 1000 * (end - begin)
                times[name] = times.get(name, 0.0) + ms / max(1, self.steps)
        times["step"] = 1000 * (time.perf_counter() - self.started) / max(1, self.steps)
        return means, times


def first_network(plan: Plan, log: Log) -> Network:
    """What a run starts from. ValueError: the origin's network is of another size."""
    if plan.origin is None or (plan.resume and has_checkpoint(plan.folder)):
        return Network(plan.size)
    network, run = load_ema(plan.origin)
    if network.size != plan.size:
        raise ValueError(f"{plan.origin} holds a network of size {network.size}, this run wants {plan.size}")
    log.say(f"starting from the averaged weights of {run}")
    return network


def make_optimizer(network: Network, plan: Plan) -> torch.optim.AdamW:
    """AdamW; norms, biases and the place embedding do not decay."""
    decaying = [p for name, p in network.named_parameters() if p.ndim > 1 and name != "places"]
    others = [p for name, p in network.named_parameters() if p.ndim <= 1 or name == "places"]
    groups = [{"params": decaying, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=plan.peak, betas=(0.9, 0.99), fused=plan.cuda)


TRUTHS = (
    "occupancy",
    "inside",
    "front_depth",
    "back_depth",
    "front_normal",
    "back_color",
    "elevation",
    "azimuth",
    "azimuth_known",
    "log_tan_half_fov",
    "centre",
    "symmetric",
)


def compute_inputs(batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The image and the truth, the two large ones laid out as the convolutions lay out theirs."""
    truth = {name: getattr(batch, name) for name in TRUTHS}
    truth["occupancy"] = batch.occupancy.contiguous(memory_format=torch.channels_last)
    return batch.image.float().contiguous(memory_format=torch.channels_last), truth


def make_compute(network: Network, plan: Plan) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """(image, truth) -> (loss, terms): network and losses in one compiled graph, so that they share memory traffic."""

    def compute(image: torch.Tensor, truth: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(image.device.type, torch.bfloat16, enabled=plan.cuda):
            answers = network(image)
        return loss_terms.losses(answers, truth, plan.weights)

    network.train()
    return torch.compile(compute, dynamic=False) if plan.compiled and plan.cuda else compute

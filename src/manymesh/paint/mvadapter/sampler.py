"""Six views of a mesh, denoised together: conditions in, latents out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from manymesh.device.number_format import require_finite
from manymesh.paint.diffusion.denoise import Denoiser
from manymesh.paint.diffusion.diffusion_schedule import DiffusionSchedule
from manymesh.paint.mvadapter.adapter import AdaptedUNet
from manymesh.paint.mvadapter.attention import SIX, ViewsContext
from manymesh.paint.mvadapter.condition_encoder import scaled_features
from manymesh.paint.mvadapter.text import TextRows
from manymesh.stages import Tick

# What people call the network.
VIEWS = "paint network"
# The sample is looked at every so many steps. Looking waits for the device; a run whose numbers have left their range
# should not go on for long. Chosen by hand; not measured.
CHECK_EVERY = 8


@dataclass(frozen=True)
class Strengths:
    """How much each condition counts; all 1 as published.

    Attributes:
        likeness: the reference picture. shape: position and normal maps. between: attention between views.
    """

    likeness: float = 1.0
    shape: float = 1.0
    between: float = 1.0


class SixViewSampler:
    """
    Args:
        network: with its adapter attached.
        text: two rows, the negative prompt and the prompt.
        view_px: side of a view.
        guidance: how far the views are moved away from what they would be without the prompt and the reference; 1 or
            less for none.
        joint: the guided and the unguided row in one pass, or one after the other.
        strengths: see there.
        use_graph: see ``Denoiser``.
    """

    def __init__(
        self,
        network: AdaptedUNet,
        text: TextRows,
        view_px: int,
        guidance: float,
        *,
        joint: bool = True,
        strengths: Strengths | None = None,
        use_graph: bool = True,
    ) -> None:
        self.network, self.guidance, self.joint, self.use_graph = network, guidance, joint, use_graph
        self.strengths = strengths or Strengths()
        self.text = text if guidance > 1 else text.row(1)
        self.added = self.text.added(network.config, view_px)
        weight = network.conv_in.weight
        self.device, self.dtype = weight.device, weight.dtype
        self.features: dict[str, Tensor] = {}
        self.passes: list[dict[str, ViewsContext]] = []  # one for each pass through the network
        self.denoiser: Denoiser | None = None

        self.capture_failure = ""

    @property
    def rows(self) -> int:
        return len(self.text.states)

    @torch.inference_mode()
    def reference(self, latents: Tensor) -> dict[str, Tensor]:
        """(1, L, C) tokens of a reference picture by block, from its (1, 4, h, w) scaled latents."""
        prompt = self.text.row(self.rows - 1)
        added = None if self.added is None else self.added[-1:]
        tokens, _ = self.network.reference(latents.to(self.device, self.dtype), prompt.states, added)
        return tokens

    @torch.inference_mode()
    def __call__(
        self,
        tokens: Mapping[str, Tensor],
        features: Mapping[str, Tensor],
        schedule: DiffusionSchedule,
        draw: Callable[[tuple[int, ...]], Tensor],
        shape: tuple[int, int, int, int],
        tick: Tick = lambda done: None,
        each: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """
        Args:
            tokens: from ``reference``.
            features: from the condition encoder, float32.
            schedule: the steps.
            draw: normal numbers of a shape; called once for the start, and once for every step that takes noise.
            shape: (6, 4, h, w) of the latents.
            tick, each: see ``Denoiser``.

        Returns:
            (6, 4, h, w) scaled latents, float32.

        Raises:
            NotFiniteError: numbers left their range.
        """
        self._remember(tokens, features)
        if self.denoiser is None or self.denoiser.x.shape != shape:
            self.denoiser = Denoiser(
                self.predict,
                shape,
                self.network.time_embedding.linear_2.out_features,  # type: ignore[union-attr, arg-type]
                device=self.device,
                dtype=self.dtype,
                time_rows=self.rows * SIX,
                use_graph=self.use_graph,
            )
        none = torch.zeros(shape)
        noisy = bool(schedule.noise.any())

        def watch(step: int, x: Tensor) -> None:
            if step % CHECK_EVERY == 0 or step == schedule.steps:
                require_finite(x, VIEWS)
            if each is not None:
                each(step, x)

        made = self.denoiser(
            draw(shape), schedule, self.times(schedule), lambda: draw(shape) if noisy else none, tick, watch
        )
        self.capture_failure = self.denoiser.capture_failure
        return made

    def close(self) -> None:
        """Let the denoiser and its captured step go; the next run captures it again. It holds a method of this object,
        which would keep the network until garbage is collected."""
        self.denoiser = None

    def times(self, schedule: DiffusionSchedule) -> Tensor:
        """(n, rows * 6, time_dim) embedded time of each step."""
        added = None if self.added is None else self.added.repeat_interleave(SIX, dim=0)
        moments = torch.tensor(schedule.timesteps, device=self.device)
        return torch.stack([self.network.embed_time(t.expand(self.rows * SIX), added=added) for t in moments])

    def predict(self, x: Tensor, time: Tensor) -> Tensor:
        """The guided noise: (6, 4, h, w) scaled sample, (rows * 6, time_dim) embedded time."""
        found = self.answers(x, time)
        if self.rows == 1:
            return found[0]
        free, guided = found[0].float(), found[1].float()
        return free + self.guidance * (guided - free)

    def answers(self, x: Tensor, time: Tensor) -> Tensor:
        """(rows, 6, 4, h, w) what the network answers for each row."""
        if len(self.passes) == 1:
            out = self.network(x.repeat(self.rows, 1, 1, 1), time, self.passes[0], self.features)
        else:
            parts = zip(time.split(SIX), self.passes, strict=True)
            out = torch.cat([self.network(x, part, contexts, self.features) for part, contexts in parts])
        return out.unflatten(0, (self.rows, SIX))  # type: ignore[no-any-return]

    def _remember(self, tokens: Mapping[str, Tensor], features: Mapping[str, Tensor]) -> None:
        """Conditions of this mesh. A captured step reads them at the same addresses for the next."""
        fresh = scaled_features(features, self.strengths.shape, self.network.conv_in.weight)
        passes = self._contexts(tokens)
        if not self.passes or {k: v.shape for k, v in fresh.items()} != {k: v.shape for k, v in self.features.items()}:
            self.features, self.passes, self.denoiser = fresh, passes, None
            return
        for place, feature in fresh.items():
            self.features[place].copy_(feature)
        for held, new in zip(self.passes, passes, strict=True):
            for name, context in new.items():
                pairs = zip(held[name].reference or (), context.reference or (), strict=True)
                for kept, value in pairs:
                    if kept.shape != value.shape:
                        raise ValueError("a painter takes references of one size")
                    kept.copy_(value)

    def _contexts(self, tokens: Mapping[str, Tensor]) -> list[dict[str, ViewsContext]]:
        def contexts(text: Tensor, seen: Mapping[str, Tensor] | None) -> dict[str, ViewsContext]:
            strengths = self.strengths
            return self.network.contexts(text, seen, between=strengths.between, likeness=strengths.likeness)

        tokens = {name: value.to(self.device, self.dtype) for name, value in tokens.items()}
        states = self.text.states.to(self.dtype)
        if self.rows == 1 or self.joint:
            return [contexts(states, tokens)]
        return [contexts(states[:1], None), contexts(states[1:], tokens)]

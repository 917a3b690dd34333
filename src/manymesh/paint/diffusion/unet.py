"""The UNet of Stable Diffusion 2 and XL (Rombach et al. 2022, Podell et al. 2023).

Its transformer blocks are of the caller's making. State-dict keys are the official files'. Every transformer block has
a name, ``down_{i}_{a}_{t}``, ``mid_0_{t}`` or ``up_{i}_{a}_{t}``, under which the caller's ``memory`` tells it what to
attend to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manymesh.paint.diffusion.config import UNetConfig
from manymesh.paint.diffusion.layers import (
    Attention,
    Downsample,
    FeedForward,
    ResnetBlock,
    Upsample,
    attend,
    sinusoidal_features,
    to_feature_map,
    to_tokens,
)
from manymesh.paint.diffusion.norm import group_norm, layer_norm

TRANSFORMER_EPS = 1e-6
TIME_FACTOR = 4


class MakeBlock(Protocol):
    def __call__(self, width: int, heads: int, text_dim: int) -> nn.Module: ...


class TransformerBlock(nn.Module):
    """Self-attention, attention to the text, GEGLU; each normalised first and added to the tokens."""

    def __init__(self, width: int, heads: int, text_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, text_dim, heads)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)
        self.fused: Tensor | None = None

    def forward(self, h: Tensor, text: tuple[Tensor, Tensor]) -> Tensor:
        """(B, L, C) tokens; ``text`` is what ``text_keys_values`` gave."""
        h = h + self.self_attention(layer_norm(h, self.norm1))
        h = h + self.text_attention(layer_norm(h, self.norm2), text)
        return h + self.ff(layer_norm(h, self.norm3))  # type: ignore[no-any-return]

    def self_attention(self, z: Tensor) -> Tensor:
        """Each picture's tokens to one another; z is normalised."""
        if self.fused is not None:
            q, k, v = F.linear(z, self.fused).chunk(3, dim=-1)
        else:
            q, k, v = self.attn1.to_q(z), self.attn1.to_k(z), self.attn1.to_v(z)
        return self.attn1.out(attend(q, k, v, self.attn1.heads))

    def text_keys_values(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of (T, S, text_dim) text, which stay the same over all steps."""
        return self.attn2.to_k(text), self.attn2.to_v(text)

    def text_attention(self, z: Tensor, text: tuple[Tensor, Tensor]) -> Tensor:
        """(B, L, C) tokens to texts; B is a multiple of their number, and neighbours share one."""
        k, v = text
        q = self.attn2.to_q(z).reshape(len(k), -1, z.shape[-1])
        return self.attn2.out(attend(q, k, v, self.attn2.heads).reshape(z.shape))

    def fuse_projections(self) -> None:
        """One matrix product for queries, keys and values in place of three. The single ones are given up."""
        self.fused = stack_weights(self.attn1.to_q, self.attn1.to_k, self.attn1.to_v)


def stack_weights(*layers: nn.Linear) -> Tensor:
    """The weights of bias-free layers on top of one another; the layers then look into the same memory."""
    fused = torch.cat([layer.weight for layer in layers]).detach()
    start = 0
    for layer in layers:
        layer.weight = nn.Parameter(fused[start : start + layer.out_features], requires_grad=False)
        start += layer.out_features
    return fused


class Transformer(nn.Module):
    """A picture through ``depth`` transformer blocks, called ``name`` and their number."""

    def __init__(self, width: int, heads: int, depth: int, config: UNetConfig, make: MakeBlock, name: str) -> None:
        super().__init__()
        self.names = [f"{name}_{number}" for number in range(depth)]
        self.norm = nn.GroupNorm(config.groups, width, TRANSFORMER_EPS)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([make(width, heads, config.text_dim) for _ in self.names])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Mapping[str, Any]) -> Tensor:
        height, width = x.shape[2:]
        tokens = self.proj_in(to_tokens(group_norm(x, self.norm)))
        for name, block in zip(self.names, self.transformer_blocks, strict=True):
            tokens = block(tokens, memory[name])
        return to_feature_map(self.proj_out(tokens), height, width) + x


class Level(nn.Module):
    """One resolution of the way down or up: resnets, each followed by a transformer where there are any."""

    def __init__(self, resnets: list[ResnetBlock], attentions: list[Transformer]) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(resnets)
        if attentions:
            self.attentions = nn.ModuleList(attentions)

    def pairs(self) -> Iterator[tuple[nn.Module, nn.Module | None]]:
        attentions = self.attentions if hasattr(self, "attentions") else [None] * len(self.resnets)
        return zip(self.resnets, attentions, strict=True)


class UNet(nn.Module):
    """
    Args:
        config: sizes.
        make: makes each transformer block.
        class_embeds: rows of the table that ``labels`` are looked up in, or 0.
    """

    def __init__(self, config: UNetConfig, make: MakeBlock = TransformerBlock, class_embeds: int = 0) -> None:
        super().__init__()
        self.config = config
        channels, top = config.channels, len(config.channels) - 1
        time_dim = TIME_FACTOR * channels[0]
        self.conv_in = nn.Conv2d(config.in_channels, channels[0], 3, padding=1)
        self.time_embedding = nn.Module()
        self.time_embedding.linear_1 = nn.Linear(channels[0], time_dim)
        self.time_embedding.linear_2 = nn.Linear(time_dim, time_dim)
        self.class_embedding = nn.Embedding(class_embeds, time_dim) if class_embeds else None
        if config.added_dim:
            self.add_embedding = nn.Module()
            self.add_embedding.linear_1 = nn.Linear(config.added_dim, time_dim)
            self.add_embedding.linear_2 = nn.Linear(time_dim, time_dim)

        def resnet(inner: int, outer: int) -> ResnetBlock:
            return ResnetBlock(inner, outer, config.groups, config.eps, time_dim)

        def transformers(level: int, count: int, attends: bool, side: str, number: int) -> list[Transformer]:
            width, heads, depth = channels[level], config.heads[level], config.depth[level]
            names = [f"{side}_{number}_{a}" for a in range(count if attends else 0)]
            return [Transformer(width, heads, depth, config, make, name) for name in names]

        self.down_blocks = nn.ModuleList()
        inner = channels[0]
        for i, outer in enumerate(channels):
            resnets = [resnet(inner if j == 0 else outer, outer) for j in range(config.layers)]
            level = Level(resnets, transformers(i, config.layers, config.attends_down[i], "down", i))
            if i < top:
                level.downsamplers = nn.ModuleList([Downsample(outer)])
            self.down_blocks.append(level)
            inner = outer
        self.mid_block = nn.Module()
        self.mid_block.resnets = nn.ModuleList([resnet(inner, inner), resnet(inner, inner)])
        self.mid_block.attentions = nn.ModuleList(
            [Transformer(inner, config.heads[-1], config.depth[-1], config, make, "mid_0")]
        )
        self.up_blocks = nn.ModuleList()
        for i in range(top + 1):
            outer, skip = channels[top - i], channels[max(top - i - 1, 0)]
            count = config.layers + 1
            resnets = [
                resnet((inner if j == 0 else outer) + (skip if j == count - 1 else outer), outer) for j in range(count)
            ]
            level = Level(resnets, transformers(top - i, count, config.attends_up[i], "up", i))
            if i < top:
                level.upsamplers = nn.ModuleList([Upsample(outer)])
            self.up_blocks.append(level)
            inner = outer
        self.conv_norm_out = nn.GroupNorm(config.groups, channels[0], config.eps)
        self.conv_out = nn.Conv2d(channels[0], config.out_channels, 3, padding=1)

    def blocks(self) -> Iterator[tuple[str, nn.Module]]:
        """Every transformer block by its name."""
        for module in self.modules():
            if isinstance(module, Transformer):
                yield from zip(module.names, module.transformer_blocks, strict=True)

    def embed_time(self, timesteps: Tensor, labels: Tensor | None = None, added: Tensor | None = None) -> Tensor:
        """Activated embeddings (B, time_dim).

        Args:
            timesteps: (B,).
            labels: (B,) rows of the class table, where there is one.
            added: (B, added_dim), where the network has an added embedding.
        """
        config = self.config
        features = sinusoidal_features(timesteps, config.channels[0], config.flip_sin_to_cos, config.freq_shift)
        time = self.time_embedding
        embedded = time.linear_2(F.silu(time.linear_1(features.to(self.conv_in.weight.dtype))))  # type: ignore[operator]
        if labels is not None and self.class_embedding is not None:
            embedded = embedded + self.class_embedding(labels)
        if added is not None:
            more = self.add_embedding
            embedded = embedded + more.linear_2(F.silu(more.linear_1(added.to(embedded.dtype))))  # type: ignore[operator]
        return F.silu(embedded)

    def forward(
        self, x: Tensor, time: Tensor, memory: Mapping[str, Any], features: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """
        Args:
            x: (B, in_channels, h, w) latents.
            time: (B, time_dim) from ``embed_time``.
            memory: what each transformer block is given beside its tokens.
            features: what is added to the network's own features, by place: "down_{i}" after the last resnet and
                transformer of a level on the way down, "smaller_{i}" after the level's downsampler, "mid" after the
                middle. The skip connection that starts there has it too. (N, C, h, w); B is a multiple of N, and rows
                N apart share one.

        Returns:
            (B, out_channels, h, w).
        """
        x = self.conv_in(x.contiguous(memory_format=torch.channels_last))
        kept = [x]
        added = features or {}
        for number, level in enumerate(self.down_blocks):
            for resnet, attention in level.pairs():  # type: ignore[operator]
                x = resnet(x, time)
                x = x if attention is None else attention(x, memory)
                kept.append(x)
            x = kept[-1] = plus(x, added.get(f"down_{number}"))
            if hasattr(level, "downsamplers"):
                x = plus(level.downsamplers[0](x), added.get(f"smaller_{number}"))  # type: ignore[index, operator]
                kept.append(x)
        first, second = self.mid_block.resnets  # type: ignore[misc]
        x = second(self.mid_block.attentions[0](first(x, time), memory), time)  # type: ignore[index, operator]
        x = plus(x, added.get("mid"))
        for level in self.up_blocks:
            for resnet, attention in level.pairs():  # type: ignore[operator]
                x = resnet(torch.cat([x, kept.pop()], dim=1), time)
                x = x if attention is None else attention(x, memory)
            if hasattr(level, "upsamplers"):
                x = level.upsamplers[0](x, tuple(kept[-1].shape[2:]))  # type: ignore[index, operator]
        out: Tensor = self.conv_out(group_norm(x, self.conv_norm_out, silu=True))
        return out


def plus(x: Tensor, feature: Tensor | None) -> Tensor:
    """(B, C, h, w) and (N, C, h, w), or nothing, added; rows N apart share one. Keeps "channels last"."""
    if feature is None:
        return x
    if len(x) == len(feature):
        return x + feature
    out: Tensor = (x.unflatten(0, (-1, len(feature))) + feature).flatten(0, 1)
    return out


def text_contexts(unet: UNet, text: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Keys and values of (T, S, text_dim) text for every plain block of ``unet``."""
    return {name: block.text_keys_values(text) for name, block in unet.blocks()}  # type: ignore[operator]


def fuse_projections(unet: UNet) -> UNet:
    """Let every block do its projections in one product each."""
    for _, block in unet.blocks():
        block.fuse_projections()  # type: ignore[operator]
    return unet

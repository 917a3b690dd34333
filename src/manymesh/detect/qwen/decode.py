"""Greedy decoding of Qwen3-VL with one forward pass of our own over the model's layers.

``generate`` of transformers launches some thousand small kernels a token and rebuilds masks and caches in between: on a
fast GPU it waits for Python (11.6 tokens a second for the 2B model on an H200). Here keys and values live in memory
that never moves, every step is the same work on the same addresses, and on CUDA that step is captured once as a graph
and replayed. The operations are the model's own, in its order and its number format, so the tokens are the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from manymesh.device.cuda_graph import record
from manymesh.device.number_format import not_finite, require_finite
from manymesh.device.stream import LayerStream

_log = logging.getLogger("manymesh.detect")

Watch = Callable[[Sequence[int]], str | None]
"""Given the token numbers so far, returns a word for why decoding should stop ("complete"), or None to go on."""

# What people call the network.
NETWORK = "detector"
# Memory for keys and values is reserved in multiples of this many tokens. Chosen by hand; not measured.
_ROUND_TO = 128
# Steps between two looks at the tokens. On a GPU each look waits for all steps before it; up to 7 steps too many are
# computed and thrown away. Chosen by hand; not measured.
_STEPS_PER_LOOK = 8


@dataclass(frozen=True)
class Answer:
    """What the model wrote.

    Attributes:
        tokens: numbers of the new tokens, without the end token.
        ended_by: "end" (the model's end token), "limit" (the most tokens allowed), or the word of the watch.
    """

    tokens: tuple[int, ...]
    ended_by: str


class Decoder:
    """Decodes with one loaded Qwen3-VL model (``Qwen3VLForConditionalGeneration``), greedily and one answer at a time.

    It keeps keys and values and the captured CUDA graph from one call to the next, so calls must not overlap.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.text = model.model.language_model
        # Streamed layers of the language model by id: their stream, and their number in it. Where there are any, steps
        # cannot be captured: the host decides when a layer's weights are fetched.
        streams: dict[int, tuple[LayerStream, int]] = getattr(model, "streams", {})
        self.streams = {id(layer): streams[id(layer)] for layer in self.text.layers if id(layer) in streams}
        self.ends = frozenset(_end_tokens(model))
        self.capacity = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.capture_error = ""

    @torch.inference_mode()
    def run(
        self,
        inputs: dict[str, Tensor],
        most: int,
        watch: Watch = lambda tokens: None,
        tick: Callable[[float], None] = lambda share: None,
        use_graph: bool = True,
    ) -> Answer:
        """The model's answer.

        Args:
            inputs: arguments of the model's forward pass for one prompt and its picture, on its device.
            most: the most new tokens.
            watch: see ``Watch``; asked every few tokens.
            tick: called with the share of ``most`` that is written, 0..1. What it raises goes through.
            use_graph: on CUDA, replay a captured step. False computes the same step operation by operation.

        Raises:
            NotFiniteError: logits of some step are NaN or infinite. The greatest of NaNs is token 0, so the answer
                would be exclamation marks without end.
        """
        first = self._prefill(inputs, most)
        tokens = [first]
        on_cuda = self.token.is_cuda
        if on_cuda and use_graph and self.graph is None and not self.capture_error and not self.streams:
            self._capture()
        stride = _STEPS_PER_LOOK if on_cuda else 1
        while True:
            answer = self._verdict(tokens, most, watch, look=on_cuda or len(tokens) % _STEPS_PER_LOOK == 0)
            if answer:
                return answer
            tick(len(tokens) / most)
            count = min(stride, most - len(tokens))
            for _ in range(count):
                self._advance(use_graph)
            tokens += self.written[len(tokens) : len(tokens) + count].tolist()
            if not bool(self.finite):
                raise not_finite(NETWORK)

    def _verdict(self, tokens: list[int], most: int, watch: Watch, look: bool) -> Answer | None:
        """The answer if decoding is over, else None. ``look`` says whether the watch is asked this time."""
        end = next((i for i, token in enumerate(tokens) if token in self.ends), None)
        if end is not None:
            return Answer(tuple(tokens[:end]), "end")
        if len(tokens) >= most:
            return Answer(tuple(tokens), "limit")
        word = watch(tokens) if look else None
        return Answer(tuple(tokens), word) if word else None

    def _prefill(self, inputs: dict[str, Tensor], most: int) -> int:
        """Run the prompt and the picture through the model; returns the first new token."""
        self.model.model.rope_deltas = None
        out = self.model(**inputs, use_cache=True, logits_to_keep=1)
        first = int(require_finite(out.logits[0, -1], NETWORK).float().argmax())
        cache = out.past_key_values
        del out
        length = int(inputs["input_ids"].shape[1])
        self._reserve(length + most + _STEPS_PER_LOOK, cache.layers[0].keys)
        for layer, keys, values in zip(cache.layers, self.keys, self.values, strict=True):
            # Layer by layer, so that never more than one layer is held twice.
            keys[:, :, :length], values[:, :, :length] = layer.keys, layer.values
            keys[:, :, length:], values[:, :, length:] = 0, 0
            layer.keys = layer.values = None
        delta = self.model.model.rope_deltas
        self.rope_delta.fill_(int(delta.flatten()[0]) if delta is not None else 0)
        self.token.fill_(first)
        self.position.fill_(length)
        self.count.fill_(1)
        self.finite.fill_(True)
        self.written[0] = first
        return first

    def _reserve(self, needed: int, like: Tensor) -> None:
        """Memory for ``needed`` tokens; a larger one than before forgets the captured step."""
        if needed <= self.capacity:
            return
        self.graph = None
        self.capacity = -(-needed // _ROUND_TO) * _ROUND_TO
        _, heads, _, width = like.shape
        layers = range(len(self.text.layers))
        # Zeros, not garbage: what is masked still takes part with weight 0, and 0 times nan is nan.
        self.keys = [like.new_zeros(1, heads, self.capacity, width) for _ in layers]
        self.values = [like.new_zeros(1, heads, self.capacity, width) for _ in layers]
        self.numbers = torch.arange(self.capacity, device=like.device)
        self.written = torch.zeros_like(self.numbers)
        self.token = self.numbers.new_zeros(1, 1)
        self.position, self.count, self.rope_delta = (self.numbers.new_zeros(1) for _ in range(3))
        # Whether the logits of all steps so far are finite. Kept on the device, so that looking costs no step a wait.
        self.finite = torch.ones(1, dtype=torch.bool, device=like.device)
        rotary = self.text.rotary_emb
        self.inverse_frequency = rotary.inv_freq.to(like.device, torch.float32)
        self.rotary_scale = float(getattr(rotary, "attention_scaling", 1.0))

    def _advance(self, use_graph: bool) -> None:
        """Write one more token: replay the captured step where there is one."""
        if self.graph is not None and use_graph:
            self.graph.replay()
        else:
            self._step()

    def _step(self) -> None:
        """One decoding step, always on the same memory so that it can be captured.

        Reads ``token`` (the newest) and its ``position``, writes the next token into ``token`` and ``written``, and
        increases ``position`` and ``count`` by one.
        """
        x = self.text.embed_tokens(self.token)
        # New tokens are text: all three axes of the rotary position are equal, so it is the plain one.
        angles = (self.position + self.rope_delta).float() * self.inverse_frequency
        angles = torch.cat((angles, angles))
        cos = (angles.cos() * self.rotary_scale).to(x.dtype)
        sin = (angles.sin() * self.rotary_scale).to(x.dtype)
        # As numbers and once a step, or every layer would turn true and false into numbers for itself.
        mask = torch.zeros_like(self.numbers, dtype=x.dtype).masked_fill_(self.numbers > self.position, float("-inf"))
        for layer, keys, values in zip(self.text.layers, self.keys, self.values, strict=True):
            if (streamed := self.streams.get(id(layer))) is not None:
                streamed[0].use(streamed[1])
            x = x + self._attend(layer.self_attn, _normed(layer.input_layernorm, x), cos, sin, mask, keys, values)
            x = x + layer.mlp(_normed(layer.post_attention_layernorm, x))
        logits = self.model.lm_head(_normed(self.text.norm, x))[0, -1].float()
        # One sum in the place of a look at each: it is finite if they all are.
        self.finite.logical_and_(logits.sum().isfinite())
        self.token.copy_(logits.argmax()[None, None])
        self.written.index_copy_(0, self.count, self.token[0])
        self.position.add_(1)
        self.count.add_(1)

    def _attend(
        self, attention: Any, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Self-attention of one layer for the newest token, whose key and value are stored at ``position``.

        Args:
            attention: the layer's ``self_attn``.
            x: (1, 1, hidden) the normed input.
            cos, sin: (head width,) of the rotary position.
            mask: (capacity,) 0 for tokens up to this one, -inf for memory that is not written yet.
            keys, values: (1, key heads, capacity, head width), the layer's memory.

        Returns:
            (1, 1, hidden).
        """
        width = keys.shape[-1]
        q = _normed(attention.q_norm, attention.q_proj(x).view(1, -1, 1, width))
        k = _normed(attention.k_norm, attention.k_proj(x).view(1, -1, 1, width))
        q, k = torch.split(_rotated(torch.cat((q, k), 1), cos, sin), [q.shape[1], k.shape[1]], 1)
        keys.index_copy_(2, self.position, k)
        values.index_copy_(2, self.position, attention.v_proj(x).view(1, -1, 1, width))
        # The query heads that share a key head stand in for a sequence: no key is copied for them.
        grouped = q.reshape(1, keys.shape[1], -1, width)
        shared = mask.expand(1, 1, grouped.shape[2], -1)
        mixed = F.scaled_dot_product_attention(grouped, keys, values, attn_mask=shared, scale=width**-0.5)
        out: Tensor = attention.o_proj(mixed.reshape(1, 1, -1))
        return out

    def _capture(self) -> None:
        """Record one step as a CUDA graph; where the driver cannot, steps stay plain and ``capture_error`` says why."""
        kept = (self.token, self.position, self.count, self.finite)
        state = [tensor.clone() for tensor in kept]
        try:
            self.graph = self._recorded()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.capture_error = str(error).strip().splitlines()[0]
            _log.warning("decoding goes on without a CUDA graph: %s", self.capture_error)
        for tensor, before in zip(kept, state, strict=True):
            tensor.copy_(before)

    def _recorded(self) -> torch.cuda.CUDAGraph:
        return record(self._step, self.token.device)


def _normed(norm: Any, x: Tensor) -> Tensor:
    """The model's RMS norm with its rounding (to the number format before the weight), in half as many kernels."""
    wide = F.rms_norm(x.float(), (x.shape[-1],), None, norm.variance_epsilon)
    out: Tensor = norm.weight * wide.to(x.dtype)
    return out


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of (1, heads, 1, width)."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return (x * cos) + (turned * sin)


def _end_tokens(model: Any) -> list[int]:
    named = getattr(model.generation_config, "eos_token_id", None)
    if named is None:
        named = getattr(model.config.text_config, "eos_token_id", None)
    listed = named if isinstance(named, (list, tuple)) else [named]
    return [int(token) for token in listed if token is not None]

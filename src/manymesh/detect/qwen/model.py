"""Qwen3-VL from its official files: a question and a picture in, its reply out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path

import torch

from manymesh.detect.qwen import picture, prompt
from manymesh.detect.qwen.answer import REPEATING, says_nothing, verdict
from manymesh.detect.qwen.decode import NETWORK, Answer, Decoder
from manymesh.detect.qwen.load import load_model
from manymesh.device import release_memory
from manymesh.device.number_format import NOT_FINITE_HINT, Formats
from manymesh.device.out_of_memory import device_errors
from manymesh.device.placement import place
from manymesh.errors import NotFiniteError
from manymesh.settings import Settings
from manymesh.stages import Tick
from manymesh.types import U8

_log = logging.getLogger("manymesh.detect")


class Model:
    """The loaded model. Answers that show that half precision failed are asked for again in float32.

    Args:
        folder: the model's, in transformers' layout.
        settings: the run's.
        resident_layers: see ``load_model``.

    Raises:
        WeightsError: the folder is damaged or holds another model.
        OutOfMemoryError: the model does not fit.
    """

    def __init__(self, folder: Path, settings: Settings, resident_layers: int | None = None) -> None:
        self.folder, self.resident_layers = folder, resident_layers
        self.most_tokens = settings.detector_tokens
        self.placement = place(settings.devices, "detect", half="bfloat16")
        _log.info("%s on %s in %s: %s", folder.name, *astuple(self.placement))
        self.formats = Formats(getattr(torch, self.placement.dtype), self._drop)
        self.tokenizer = prompt.load_tokenizer(folder)
        published = picture.read_patching(folder)
        self.patching = replace(published, most_pixels=min(published.most_pixels, picture.MOST_PIXELS))
        self._decoder: Decoder | None = None
        self._load()

    def close(self) -> None:
        """Free the model. It is held in a reference cycle (``formats`` calls ``_drop``), so letting go of this object
        would leave it in the device's memory until the garbage collector runs."""
        self._decoder = None

    def ask(self, question: str, rgb: U8, tick: Tick) -> str:
        """The model's reply to a question about a picture, (H, W, 3) uint8, special tokens included.

        Raises:
            NotFiniteError: its numbers are NaN or infinite even in float32, or its answer is one token that says
                nothing.
            OutOfMemoryError: the device has too little memory.
        """
        notes = self.formats.notes
        advice = "Use --detector dino, or --device detect=cpu"
        with device_errors(f"the detector {self.folder.name} does not fit", self.placement.device, advice):
            answer = self.formats.retry(lambda: self._answer(question, rgb, tick))
        for note in self.formats.notes[len(notes) :]:
            _log.warning(note)
        reply = self._text(answer.tokens)
        _log.debug("%d tokens, ended by %s: %.2000s", len(answer.tokens), answer.ended_by, reply)
        if answer.ended_by in ("limit", REPEATING):
            _log.warning("the detector's answer was cut (%s); what it had finished is used", answer.ended_by)
        return reply

    def _answer(self, question: str, rgb: U8, tick: Tick) -> Answer:
        """Raises ``NotFiniteError`` for numbers that are not finite and for an answer that says nothing.

        No token at all counts as such an answer only while there is a wider number format to try.
        """
        decoder = self._load()
        image_token = int(decoder.model.config.image_token_id)
        inputs = prompt.inputs(self.tokenizer, image_token, question, rgb, self.patching)
        inputs = {key: value.to(self.placement.device) for key, value in inputs.items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(self.formats[NETWORK])
        answer = decoder.run(inputs, self.most_tokens, lambda tokens: verdict(self._text(tokens)), tick)
        if says_nothing(answer.tokens, self._text(answer.tokens)) and (
            answer.tokens or self.formats.can_widen(NETWORK)
        ):
            raise NotFiniteError(
                "the detector answered with one token, which says nothing", NOT_FINITE_HINT, network=NETWORK
            )
        return answer

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=False))

    def _load(self) -> Decoder:
        """The decoder, loaded on the first call and after ``_drop``."""
        if self._decoder is None:
            dtype = str(self.formats[NETWORK]).removeprefix("torch.")
            self._decoder = Decoder(load_model(self.folder, replace(self.placement, dtype=dtype), self.resident_layers))
        return self._decoder

    def _drop(self, network: str) -> None:
        """Free the model: two at once may not fit."""
        self._decoder = None
        release_memory()

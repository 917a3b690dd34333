"""Tiny OWL-ViTs in transformers.js' layout: one with chosen answers, and one exported from transformers."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# "!" fills short texts and must be number 0; the last two open and close them.
LETTERS = [chr(c) for c in range(33, 127)]
WORDS = ["cu", "cup</w>", "ph", "pho", "phot", "photo</w>", "of</w>"]
MERGES = [("c", "u"), ("cu", "p</w>"), ("p", "h"), ("ph", "o"), ("pho", "t"), ("phot", "o</w>"), ("o", "f</w>")]
VOCAB = {
    token: number
    for number, token in enumerate(
        [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), *WORDS, "<|startoftext|>", "<|endoftext|>"]
    )
}
SIDE_PX = 64


def save_tokenizer(folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json of a CLIP tokenizer with a few words."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(
        models.BPE(VOCAB, MERGES, end_of_word_suffix="</w>", unk_token="<|endoftext|>", continuing_subword_prefix="")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = r"""<\|startoftext\|>|<\|endoftext\|>|'s|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    ends = [(token, VOCAB[token]) for token in ("<|endoftext|>", "<|startoftext|>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ends, False, False)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "!"}}), "utf-8")


def save_sizing(folder: Path, **more: Any) -> None:
    table = {"size": {"height": SIDE_PX, "width": SIDE_PX}, "image_processor_type": "OwlViTImageProcessor", **more}
    (folder / "preprocessor_config.json").write_text(json.dumps(table), "utf-8")


def save_answering(
    folder: Path,
    boxes: Sequence[Sequence[float]],
    logits: Sequence[Sequence[float]],
    *,
    names: dict[str, str] | None = None,
    texts: int | str = "texts",
    side_px: int = SIDE_PX,
    repeat: bool = True,
) -> Path:
    """A whole folder whose network answers the same to every picture.

    Args:
        folder: made anew.
        boxes: (n, 4) centre x, y, width, height as shares of the picture.
        logits: (n, names) one column for each name, whose texts, equally many for each, all get it.
        names: other names for inputs and outputs of the file.
        texts: how many texts the file takes; a word leaves it open.
        side_px: width and height that the file takes.
        repeat: False for a file that answers each column once, however many texts are asked.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    called = {
        n: (names or {}).get(n, n) for n in ("input_ids", "attention_mask", "pixel_values", "logits", "pred_boxes")
    }
    columns = np.array(logits, np.float32)[None]
    constants = [
        numpy_helper.from_array(np.array(boxes, np.float32)[None], "boxes"),
        numpy_helper.from_array(columns, "columns"),
        *(numpy_helper.from_array(np.array([n], np.int64), f"i{n}") for n in (0, 1)),
        *(numpy_helper.from_array(np.array(n, np.int64), f"n{n}") for n in (0, 1)),
        numpy_helper.from_array(np.array(columns.shape[2], np.int64), "width"),
        numpy_helper.from_array(np.array(columns.shape[2] - 1, np.int64), "last"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
    ]
    nodes = [
        helper.make_node("Shape", [called["input_ids"]], ["shape"]),
        helper.make_node("Slice", ["shape", "i0", "i1", "i0"], ["count"]),
        helper.make_node("Squeeze", ["count", "i0"], ["texts"]),
        helper.make_node("Div", ["texts", "width"], ["several"]),
        helper.make_node("Max", ["several", "n1"], ["each"]),
        helper.make_node("Range", ["n0", "texts" if repeat else "n1", "n1"], ["numbers"]),
        helper.make_node("Div", ["numbers", "each"], ["places"]),
        helper.make_node("Min", ["places", "last"], ["column"]),
        helper.make_node("Gather", ["columns", "column"], ["cut"], axis=2),
        # Every input is used, or the optimiser may take it away.
        helper.make_node("ReduceSum", [called["pixel_values"]], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["cut", "nothing"], [called["logits"]]),
        helper.make_node("Identity", ["boxes"], [called["pred_boxes"]]),
    ]
    inputs = [
        helper.make_tensor_value_info(called["input_ids"], TensorProto.INT64, [texts, "tokens"]),
        helper.make_tensor_value_info(called["attention_mask"], TensorProto.INT64, [texts, "tokens"]),
        helper.make_tensor_value_info(called["pixel_values"], TensorProto.FLOAT, ["pictures", 3, side_px, side_px]),
    ]
    outputs = [
        helper.make_tensor_value_info(called["logits"], TensorProto.FLOAT, [1, len(boxes), "found"]),
        helper.make_tensor_value_info(called["pred_boxes"], TensorProto.FLOAT, [1, len(boxes), 4]),
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(network, folder / "onnx" / "model_quantized.onnx")
    save_tokenizer(folder)
    save_sizing(folder, size={"height": side_px, "width": side_px})
    return folder


def official_model() -> Any:
    """A random OWL-ViT of transformers' with a few thousand parameters."""
    import torch
    from transformers import OwlViTConfig, OwlViTForObjectDetection

    small = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    special = {"bos_token_id": VOCAB["<|startoftext|>"], "eos_token_id": VOCAB["<|endoftext|>"], "pad_token_id": 0}
    config = OwlViTConfig(
        text_config={
            **{"hidden_size": 32, "vocab_size": len(VOCAB), "max_position_embeddings": 16},
            **small,
            **special,
        },
        vision_config={"hidden_size": 48, "image_size": SIDE_PX, "patch_size": 16, **small},
        projection_dim=32,
    )
    torch.manual_seed(0)
    network = OwlViTForObjectDetection(config).eval()
    for parameter in network.parameters():
        # Larger than the library's own, so that answers differ from box to box and are well conditioned.
        torch.nn.init.normal_(parameter, std=0.25)
    return network


def export(network: Any, folder: Path) -> Path:
    """A network of transformers' in transformers.js' layout, with any number of texts."""
    import torch

    class AsExported(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: Any, picture: Any, mask: Any) -> Any:
            answer = self.network(input_ids=ids, pixel_values=picture, attention_mask=mask)
            return answer.logits, answer.pred_boxes

    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    side = int(network.config.vision_config.image_size)
    ids = torch.ones(3, 16, dtype=torch.int64)
    texts = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, about itself and about traced shapes
        torch.onnx.export(
            AsExported(),
            (ids, torch.zeros(1, 3, side, side), torch.ones_like(ids)),
            str(folder / "onnx" / "model.onnx"),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "pixel_values", "attention_mask"],
            output_names=["logits", "pred_boxes"],
            dynamic_axes={
                **{"input_ids": texts, "attention_mask": texts, "pixel_values": {0: "pictures"}},
                **{"logits": {0: "pictures", 2: "texts"}, "pred_boxes": {0: "pictures"}},
            },
        )
    return folder

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")
pytest.importorskip("transformers", reason="the full engine's extra is not installed")

from manymesh.detect.dino import STAGE, inputs  # noqa: E402
from manymesh.detect.dino.stage import open_model  # noqa: E402
from manymesh.errors import WeightsError  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.types import Photo  # noqa: E402

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "cup", "spoon", "red", "##s"]
RGB = np.random.default_rng(5).integers(0, 255, (60, 90, 3), np.uint8)
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A Grounding DINO of a few thousand random parameters, saved in the official layout."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

    where = tmp_path_factory.mktemp("weights") / "grounding-dino-tiny"
    where.mkdir()
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        backbone_config={
            **{"model_type": "swin", "embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2]},
            **{"window_size": 4, "out_features": ["stage2", "stage3", "stage4"], "image_size": 64},
        },
        text_config={
            **{"model_type": "bert", "vocab_size": len(WORDS), "hidden_size": 16, "num_hidden_layers": 1},
            **{"num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 256},
        },
        **{"d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "num_queries": 12, "encoder_ffn_dim": 16},
        **{"decoder_ffn_dim": 16, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_text_len": 32},
    )
    GroundingDinoForObjectDetection(config).save_pretrained(where)
    (where / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    BertWordPieceTokenizer({word: i for i, word in enumerate(WORDS)}).save(str(where / "tokenizer.json"))
    named = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (where / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizerFast", **named}), "utf-8")
    sizes = {"size": {"shortest_edge": 64, "longest_edge": 90}, "image_mean": [0.485, 0.456, 0.406]}
    (where / "preprocessor_config.json").write_text(json.dumps(sizes), "utf-8")
    return where


def settings(folder: Path) -> Settings:
    return Settings(weights_dir=folder.parent, detector="dino", devices=("cpu",))


def test_each_name_knows_its_own_tokens(folder) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    text, places = inputs.tokens(tokenizer, ["Red cups", "spoon"])
    shown = tokenizer.convert_ids_to_tokens(text["input_ids"][0])
    assert [[shown[at] for at in group] for group in places] == [["red", "cup", "##s"], ["spoon"]]


def test_pixels_equal_those_of_transformers_own_processor(folder) -> None:
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    theirs = GroundingDinoImageProcessorPil.from_pretrained(folder)(images=[RGB], return_tensors="np", do_pad=False)
    mine = inputs.pixels(RGB, inputs.read_sizing(folder))
    assert mine.shape == theirs["pixel_values"].shape
    np.testing.assert_allclose(mine, theirs["pixel_values"], atol=1e-5)


def test_scores_are_the_networks_for_each_name(folder) -> None:
    look = open_model(folder, settings(folder))
    scores, boxes = look(RGB, ["cup", "spoon"])
    assert scores.shape == (12, 2)
    assert boxes.shape == (12, 4)
    assert scores.min() >= 0
    assert scores.max() <= 1
    again, _ = look(RGB, ["cup", "spoon"])
    np.testing.assert_array_equal(scores, again)


def test_the_stage_opens_and_answers(folder) -> None:
    assert STAGE.missing(settings(folder)) is None
    assert "models pull" in str(STAGE.missing(Settings(detector="dino-mm"))) or STAGE.missing(Settings()) is None
    with STAGE.open(settings(folder)) as detect:
        found = detect(Photo(RGB, None, "photo", ""), ["cup"], tick=lambda share: None)
    assert all(d.label == "cup" and d.source == "dino" and d.score is not None for d in found)


def test_numbers_that_the_library_did_not_load_are_named(folder) -> None:
    from transformers import AutoModelForZeroShotObjectDetection

    from manymesh.detect.transformers_files import require_loaded_as_stored

    model = AutoModelForZeroShotObjectDetection.from_pretrained(folder, local_files_only=True)
    require_loaded_as_stored(model, folder)
    name = next(key for key, value in model.state_dict().items() if value.is_floating_point() and value.dim() == 2)
    with torch.no_grad():
        model.state_dict()[name].add_(1)
    with pytest.raises(WeightsError, match=f"other numbers.*'{name}'"):
        require_loaded_as_stored(model, folder)


def test_an_old_transformers_is_refused_for_mm_grounding_dino(monkeypatch) -> None:
    from manymesh.detect.dino import stage

    for installed, refused in (("5.20.3", True), ("5.21.0", False), ("6.0", False)):
        monkeypatch.setattr(stage, "version", lambda package, installed=installed: installed)
        told = str(STAGE.missing(Settings(detector="dino-mm")))
        assert ("transformers>=5.21" in told) == refused
        assert "transformers>=5.21" not in str(STAGE.missing(Settings(detector="dino")))


def test_a_file_of_other_sizes_is_refused_by_name(folder, tmp_path) -> None:
    import shutil

    spoiled = tmp_path / "grounding-dino-tiny"
    shutil.copytree(folder, spoiled)
    config = json.loads((spoiled / "config.json").read_text("utf-8"))
    config["num_queries"] = 13
    (spoiled / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(WeightsError, match=r"query_position_embeddings.* has the shape"):
        open_model(spoiled, settings(folder))

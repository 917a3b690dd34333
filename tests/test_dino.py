from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")
pytest.importorskip("transformers", reason="the full engine's extra is not installed")

from manymesh.detect.dino import STAGE, inputs, stage  # noqa: E402
from manymesh.detect.dino.stage import Model  # noqa: E402
from manymesh.errors import NotFiniteError, WeightsError  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.types import Photo  # noqa: E402

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "cup", "spoon", "red", "##s"]
RGB = np.random.default_rng(5).integers(0, 255, (60, 90, 3), np.uint8)
pytestmark = pytest.mark.usefixtures("one_thread")


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
    from transformers import GroundingDinoImageProcessorPil

    theirs = GroundingDinoImageProcessorPil.from_pretrained(folder)(images=[RGB], return_tensors="np", do_pad=False)
    mine = inputs.pixels(RGB, inputs.read_sizing(folder))
    assert mine.shape == theirs["pixel_values"].shape
    np.testing.assert_allclose(mine, theirs["pixel_values"], atol=1e-5)


def test_a_names_score_is_the_best_of_its_tokens_and_boxes_are_the_networks(folder) -> None:
    from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer

    scores, boxes = Model(folder, settings(folder))(RGB, ["red cups", "spoon"])

    text = AutoTokenizer.from_pretrained(folder)("red cups . spoon .", return_tensors="pt")  # [CLS] red cup ##s . spoon
    model = AutoModelForZeroShotObjectDetection.from_pretrained(folder, local_files_only=True).eval()
    with torch.inference_mode():
        out = model(pixel_values=torch.from_numpy(inputs.pixels(RGB, inputs.read_sizing(folder))), **text)
    by_token = out.logits[0].sigmoid().numpy()
    assert by_token.std() > 0
    np.testing.assert_allclose(scores, np.stack((by_token[:, 1:4].max(1), by_token[:, 5]), 1), atol=1e-6)
    np.testing.assert_allclose(boxes, out.pred_boxes[0].numpy(), atol=1e-6)
    assert boxes.shape == (12, 4)


def test_the_stage_finds_what_its_network_scores_above_the_threshold(folder, monkeypatch) -> None:
    scores, _ = Model(folder, settings(folder))(RGB, ["cup"])
    monkeypatch.setattr(stage, "THRESHOLD", float(np.median(scores)))
    with STAGE.open(settings(folder)) as detect:
        found = detect(Photo(RGB, None, "photo", ""), ["cup"], tick=lambda share: None)
    assert found
    assert {(d.label, d.source) for d in found} == {("cup", "dino")}
    assert min(d.score for d in found) >= np.median(scores)
    monkeypatch.setattr(stage, "THRESHOLD", 1.01)
    with STAGE.open(settings(folder)) as detect:
        assert list(detect(Photo(RGB, None, "photo", ""), ["cup"], tick=lambda share: None)) == []


@pytest.mark.parametrize("detector", ["dino", "dino-mm"])
def test_absent_weights_are_missing_with_the_command_that_brings_them(folder, monkeypatch, detector: str) -> None:
    monkeypatch.setattr(stage, "version", lambda package: "5.21.0")
    assert "models pull" in str(STAGE.missing(Settings(detector=detector)))
    assert STAGE.missing(settings(folder)) is None


def test_numbers_that_are_not_finite_are_an_error_and_not_an_empty_answer(folder, monkeypatch) -> None:
    from transformers import GroundingDinoForObjectDetection

    real = GroundingDinoForObjectDetection.forward
    for spoiled in ("logits", "pred_boxes"):

        def faulty(self, *arguments, spoiled=spoiled, **more):
            out = real(self, *arguments, **more)
            out[spoiled][0, 3] = torch.nan
            return out

        monkeypatch.setattr(GroundingDinoForObjectDetection, "forward", faulty)
        with pytest.raises(NotFiniteError, match="the detector gave numbers that are not finite"):
            Model(folder, settings(folder))(RGB, ["cup"])


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


@pytest.mark.parametrize(("installed", "refused"), [("5.20.3", True), ("5.21.0", False), ("6.0", False)])
def test_an_old_transformers_is_refused_for_mm_grounding_dino(monkeypatch, installed: str, refused: bool) -> None:
    monkeypatch.setattr(stage, "version", lambda package: installed)
    assert ("transformers>=5.21" in str(STAGE.missing(Settings(detector="dino-mm")))) == refused
    assert "transformers>=5.21" not in str(STAGE.missing(Settings(detector="dino")))


def test_a_file_of_other_sizes_is_refused_by_name(folder, tmp_path) -> None:
    import shutil

    spoiled = tmp_path / "grounding-dino-tiny"
    shutil.copytree(folder, spoiled)
    config = json.loads((spoiled / "config.json").read_text("utf-8"))
    config["num_queries"] = 13
    (spoiled / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(WeightsError, match=r"query_position_embeddings.* has the shape"):
        Model(spoiled, settings(folder))


def test_the_network_is_freed_with_the_stage_though_its_function_is_still_held(folder, monkeypatch) -> None:
    networks: list[weakref.ref] = []

    class Watched(Model):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            networks.append(weakref.ref(self.network))

    monkeypatch.setattr(stage, "Model", Watched)
    with STAGE.open(settings(folder)) as detect:
        assert networks[0]() is not None
    gc.collect()
    assert callable(detect)
    assert networks[0]() is None

"""OWL-ViT through onnxruntime against transformers' own model, processor and tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")
transformers = pytest.importorskip("transformers", reason="the full engine's extra is not installed")
pytest.importorskip("tokenizers", reason="the extra 'small' is not installed")

import tiny_owlvit  # noqa: E402

from manymesh.detect.owlvit import inputs  # noqa: E402
from manymesh.detect.owlvit.stage import Owl  # noqa: E402
from manymesh.weights import require  # noqa: E402

NAMES = ["cup", "photo of cup", "A red CUP!", "a"]


def picture(height: int, width: int, seed: int = 3) -> np.ndarray:
    """Smooth colours and some noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((height, width)) / max(height, width)
    smooth = np.dstack([120 + 100 * np.sin(7 * rows), 240 * columns, 255 * rows * columns])
    return np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory):
    """(network of transformers', folder of its export)."""
    network = tiny_owlvit.official_model()
    folder = tiny_owlvit.export(network, tmp_path_factory.mktemp("weights") / "owlvit")
    tiny_owlvit.save_tokenizer(folder)
    tiny_owlvit.save_sizing(folder)
    return network, folder


def official_processor(side: int = tiny_owlvit.SIDE_PX):
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

    return OwlViTImageProcessorPil(size={"height": side, "width": side})


@pytest.mark.usefixtures("one_thread")
def test_scores_and_boxes_are_those_of_transformers(official) -> None:
    network, folder = official
    owl = Owl(require("owlvit", folder.parent), "owlvit")
    rgb = picture(90, 140)
    scores, corners = owl(rgb, NAMES, lambda: None)

    ids, mask = owl.texts(NAMES)
    seen = official_processor()(rgb, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        answer = network(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask), pixel_values=seen)
    raw = owl._network(tokens=ids, mask=mask, picture=seen.numpy())
    assert np.abs(raw["logits"] - answer.logits.numpy()).max() < 1e-4
    assert np.abs(raw["boxes"] - answer.pred_boxes.numpy()).max() < 1e-4
    assert np.ptp(answer.logits.numpy()) > 0.1, "a network that says the same of everything proves nothing"

    (best,) = official_processor().post_process_object_detection(answer, threshold=0.0, target_sizes=[(90, 140)])
    assert np.abs(scores.max(1) - best["scores"].numpy()).max() < 1e-4
    assert (scores.argmax(1) == best["labels"].numpy()).all()
    assert np.abs(corners - best["boxes"].numpy()).max() < 0.02


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_names_goes_in_one_pass(official, count: int) -> None:
    owl = Owl(require("owlvit", official[1].parent), "owlvit")
    names = [f"cup {number}" for number in range(count)]
    together, _ = owl(picture(64, 64), names, lambda: None)
    assert together.shape == (16, count)
    alone = [owl(picture(64, 64), [name], lambda: None)[0][:, 0] for name in names]
    assert np.allclose(together, np.stack(alone, 1), atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (200, 130), (37, 301), (9, 6), (900, 1200)])
def test_the_picture_is_prepared_as_the_official_processor_does_it(height: int, width: int) -> None:
    rgb = picture(height, width)
    sizing = inputs.Sizing(height=96, width=96)
    theirs = official_processor(96)(rgb, return_tensors="np")["pixel_values"]
    assert np.array_equal(inputs.pixels(rgb, sizing), theirs)


def test_the_defaults_are_the_official_ones() -> None:
    theirs = official_processor(768)
    ours = inputs.Sizing()
    assert (ours.height, ours.width, ours.resample) == (768, 768, int(theirs.resample))
    assert list(ours.mean) == list(theirs.image_mean)
    assert list(ours.std) == list(theirs.image_std)


def test_owlv2s_picture_is_prepared_as_its_official_processor_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    # The weights were trained with grey below and beside the picture. This processor has black in some releases.
    pad = Owlv2ImageProcessorPil.pad
    monkeypatch.setattr(Owlv2ImageProcessorPil, "pad", lambda self, image, *_: pad(self, image, 0.5))
    rgb = picture(130, 90)
    theirs = Owlv2ImageProcessorPil(size={"height": 80, "width": 80})(rgb, return_tensors="np")["pixel_values"]
    ours = inputs.pixels(rgb, inputs.Sizing(80, 80, square=True))
    assert np.abs(ours - theirs).max() < 1e-5


def test_tokens_are_those_of_the_official_tokenizer(tmp_path: Path) -> None:
    from transformers import CLIPTokenizer

    theirs = CLIPTokenizer(vocab=tiny_owlvit.VOCAB, merges=tiny_owlvit.MERGES, pad_token="!", model_max_length=16)
    theirs.save_pretrained(tmp_path)
    texts = [
        "cup",
        "a photo of a cup",
        "A  red,\tCUP's",
        "",
        "x" * 40,
        "caf\u00e9 \U0001fad6",
        "<|endoftext|> cup!",
    ]
    wanted = theirs(texts, padding="max_length", truncation=True, max_length=16, return_tensors="np")
    ids, mask = inputs.Texts(tmp_path)(texts)
    assert np.array_equal(ids, wanted["input_ids"])
    assert np.array_equal(mask, wanted["attention_mask"])
    # The files that the other tests of this network use are the same tokenizer.
    (tmp_path / "own").mkdir()
    tiny_owlvit.save_tokenizer(tmp_path / "own")
    assert np.array_equal(inputs.Texts(tmp_path / "own")(texts[:-1])[0], ids[:-1])

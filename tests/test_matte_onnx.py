"""The mattes ``isnet`` and ``birefnet-lite-onnx`` on tiny files of the published form: what is cut out of a crop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import three_things

onnx = pytest.importorskip("onnx")
from tiny_matte import save_matte as save  # noqa: E402

from manymesh.engines import find_stage  # noqa: E402
from manymesh.errors import ObjectError, WeightsError  # noqa: E402
from manymesh.matte.onnx_matte.stage import _BIREFNET_LITE, _ISNET, AlphaNetwork, stretched  # noqa: E402
from manymesh.pipeline import Pipeline  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.types import Box, Crop  # noqa: E402
from manymesh.weights import require  # noqa: E402

KINDS = {"isnet": _ISNET, "birefnet-lite-onnx": _BIREFNET_LITE}


def a_crop(box: Box, others: tuple[Box, ...] = ()) -> Crop:
    """A red and a blue square on grey, 120 x 80."""
    rgb = np.full((80, 120, 3), 180, np.uint8)
    rgb[20:60, 10:50] = (220, 30, 30)
    rgb[20:60, 70:110] = (30, 30, 220)
    return Crop(rgb, Box(0, 0, 120, 80), box, others=others)


def cut(weights: Path, name: str, crop: Crop):
    with find_stage("matte", name).open(Settings(weights_dir=weights)) as matte:
        return matte(crop, tick=lambda share: None)


@pytest.mark.parametrize("name", KINDS)
def test_the_box_decides_which_object_of_a_crop_is_cut_out(tmp_path: Path, name: str) -> None:
    weights = save(tmp_path, name)
    red, blue = Box(5, 15, 55, 65), Box(65, 15, 115, 65)
    for box, other, channel in ((red, blue, 0), (blue, red, 2)):
        rgba = cut(weights, name, a_crop(box, (other,))).rgba
        inside = rgba[25:55, box.x0 + 12 : box.x1 - 12]
        assert (inside[..., 3] > 240).all()
        assert (rgba[:, other.x0 + 8 : other.x1 - 8, 3] == 0).all(), "the neighbour is not the box's"
        assert (rgba[:, :2, 3] == 0).all()
        assert inside[..., channel].mean() > 200


@pytest.mark.parametrize("name", KINDS)
def test_a_crop_without_an_object_is_an_error_of_that_object(tmp_path: Path, name: str) -> None:
    weights = save(tmp_path, name, gain=0.0 if name == "birefnet-lite-onnx" else None)
    crop = a_crop(Box(5, 15, 55, 65))
    crop.rgb[:] = 180
    with pytest.raises(ObjectError, match="nothing stood out"):
        cut(weights, name, crop)


def test_an_answer_is_stretched_to_its_own_range_but_noise_is_not() -> None:
    assert stretched(np.array([[0.1, 0.3], [0.2, 0.5]], np.float32)).tolist() == [[0, 127], [63, 255]]
    assert stretched(np.array([[0.0, 0.01]], np.float32)).tolist() == [[0, 0]]
    assert stretched(np.full((2, 2), 0.7, np.float32)).max() == 0


def test_isnets_input_has_the_published_numbers(tmp_path: Path) -> None:
    network = AlphaNetwork(_ISNET, require("isnet", save(tmp_path, "isnet")))
    seen = {}

    def watching(look, picture):
        seen["picture"] = picture
        return {"alpha": np.zeros((1, 1, 64, 64), np.float32)}

    network._network = watching  # type: ignore[assignment]
    rgb = np.zeros((10, 20, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = 255, 51
    assert network(rgb).shape == (10, 20)
    assert seen["picture"].shape == (1, 3, 64, 64)
    assert seen["picture"][0, :, 5, 5] == pytest.approx([0.5, -0.3, -0.5], abs=1e-6)


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    weights = save(tmp_path, "birefnet-lite-onnx")
    saved = onnx.load(weights / "birefnet-lite-onnx" / "onnx" / "model.onnx")
    saved.graph.output[0].name = saved.graph.node[4].output[0] = "mask"
    onnx.save(saved, weights / "birefnet-lite-onnx" / "onnx" / "model.onnx")
    with pytest.raises(WeightsError, match=r"'mask', 'another' where 'output_image' were expected"):
        cut(weights, "birefnet-lite-onnx", a_crop(Box(5, 15, 55, 65)))


@pytest.mark.parametrize("name", KINDS)
def test_a_photos_own_transparency_takes_the_networks_place(tmp_path: Path, name: str) -> None:
    crop = a_crop(Box(5, 15, 55, 65))
    alpha = np.zeros((80, 120), np.uint8)
    alpha[22:58, 12:48] = 255
    own = Crop(crop.rgb, crop.window, crop.box, alpha=alpha)
    assert np.array_equal(cut(save(tmp_path, name), name, own).rgba[..., 3], alpha)


def test_what_is_missing_is_said_with_its_command(tmp_path: Path) -> None:
    for name in KINDS:
        assert f"manymesh models pull {name}" in str(find_stage("matte", name).missing(Settings()))
        assert str(tmp_path) in str(find_stage("matte", name).missing(Settings(weights_dir=tmp_path)))


def test_lites_other_stages_work_with_it(tmp_path: Path, photo_path: Path) -> None:
    weights = save(tmp_path / "weights", "isnet")
    settings = Settings(
        engine="lite",
        stages=["matte=isnet", "shape=inflate"],
        boxes=["18,70,102,160:disc"],
        weights_dir=weights,
        faces=400,
        texture_size=64,
    )
    (run,) = Pipeline(settings).make([photo_path], tmp_path / "runs")
    (record,) = run.manifest.objects
    assert run.manifest.state == "done", record.error
    assert run.manifest.implementations["matte"] == "isnet"
    rgba = run.load(record, "cutout").rgba
    solid = rgba[rgba[..., 3] > 200].astype(int)
    assert (solid[:, 0] > 2 * solid[:, 1]).all()
    drawn = np.asarray(three_things())[record.window.y0 : record.window.y1, record.window.x0 : record.window.x1]
    disc = drawn[..., 0].astype(int) - drawn[..., 1] > 100
    assert (rgba[..., 3] > 127)[disc].mean() > 0.95

from __future__ import annotations

import dataclasses
import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest
from parity_path import parity_dir
from tiny_birefnet import TINY, save, tiny_state

torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")

from manymesh.dev import parity_matting  # noqa: E402
from manymesh.errors import MissingPieceError, ObjectError, WeightsError  # noqa: E402
from manymesh.matte import image  # noqa: E402
from manymesh.matte.birefnet import STAGE, deform, swin  # noqa: E402
from manymesh.matte.birefnet.load import build, load  # noqa: E402
from manymesh.matte.birefnet.stage import NATIVE_PX, weights_file  # noqa: E402
from manymesh.matte.cut_out import cut_out  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.types import Box, Crop  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def run(network, x: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(x)).numpy()


def picture(h: int = 96, w: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((1, 3, h, w)).astype(np.float32)


def test_every_parity_fixture_but_the_largest_passes() -> None:
    folder = parity_dir("matting")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["fixtures"] = [f for f in manifest["fixtures"] if f.get("backbone") != "swin_v1_l"]
    rows = list(parity_matting.rows(folder, manifest))
    assert len(rows) > 100
    assert [row for row in rows if not row.passed] == []


def test_a_fixture_of_unknown_kind_fails() -> None:
    rows = list(parity_matting.rows(Path(), {"fixtures": [{"kind": "telepathy"}]}))
    assert [row.passed for row in rows] == [False]


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    return tiny_state()


def test_a_checkpoint_loads_whatever_wrapped_it_and_gives_the_same(tmp_path, state) -> None:
    plain = save(tmp_path / "plain.safetensors", state)
    wrapped = {f"module._orig_mod.{key}": value for key, value in state.items()}
    wrapped["module._orig_mod.decoder.conv_ms_spvn_4.weight"] = np.zeros((1, 64, 1, 1), np.float32)
    other = save(tmp_path / "wrapped.safetensors", wrapped)
    a, b = (run(load(path, CPU, torch.float32), picture()) for path in (plain, other))
    assert a.shape == (1, 1, 96, 64)
    np.testing.assert_array_equal(a, b)
    assert load(plain, CPU, torch.float32).config == TINY


def test_a_half_precision_file_runs_in_float32(tmp_path, state) -> None:
    exact = run(load(save(tmp_path / "f32.safetensors", state), CPU, torch.float32), picture())
    half = {key: value.astype(np.float16) for key, value in state.items()}
    network = load(save(tmp_path / "f16.safetensors", half), CPU, torch.float32)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert np.abs(run(network, picture()) - exact).max() < 0.05


def spoiled(state, key, value):
    return {**{k: v for k, v in state.items() if k != key}, **({key: value} if value is not None else {})}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("decoder.decoder_block2.conv_in.bias", None, "'decoder.decoder_block2.conv_in.bias' is missing"),
        ("bb.norm2.weight", np.zeros(7, np.float32), r"'bb.norm2.weight' has the shape \[7\] where \[32\]"),
        ("cls_head.weight", np.zeros(7, np.float32), "'cls_head.weight' does not belong"),
        ("bb.patch_embed.proj.weight", None, "not the weights of a BiRefNet"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named_before_loading(tmp_path, state, key, value, says) -> None:
    path = save(tmp_path / "model.safetensors", spoiled(state, key, value))
    with pytest.raises(WeightsError, match=says):
        load(path, CPU, torch.float32)


def test_a_file_that_is_cut_short_says_so(tmp_path, state) -> None:
    path = save(tmp_path / "model.safetensors", state)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="100 bytes are missing"):
        load(path, CPU, torch.float32)


def test_the_chunks_that_bound_memory_do_not_change_the_result(monkeypatch, state) -> None:
    network = build(TINY, {k: torch.from_numpy(v) for k, v in state.items()})
    two = np.concatenate([picture(seed=1), picture(seed=2)])
    whole = run(network, two)
    monkeypatch.setattr(deform, "_MOST_SAMPLES", 1)
    monkeypatch.setattr(swin, "_MOST_HIDDEN", 1 << 10)
    monkeypatch.setattr(swin, "_MOST_SCORES", 3 * 16 * 16)
    np.testing.assert_allclose(run(network, two), whole, atol=1e-5)


def test_a_deformable_convolution_without_offsets_is_a_convolution() -> None:
    g = torch.Generator().manual_seed(1)
    x, weight = torch.randn(2, 3, 5, 6, generator=g), torch.randn(4, 3, 3, 3, generator=g)
    offset, mask = torch.zeros(2, 18, 5, 6), torch.ones(2, 9, 5, 6)
    wanted = torch.nn.functional.conv2d(x, weight, padding=1)
    assert torch.allclose(deform.deform_conv2d(x, offset, mask, weight, 1), wanted, atol=1e-5)


def test_pictures_in_a_batch_do_not_see_each_other(state) -> None:
    network = build(TINY, {k: torch.from_numpy(v) for k, v in state.items()})
    a, b = picture(seed=1), picture(seed=2)
    np.testing.assert_allclose(run(network, np.concatenate([a, b]))[1:], run(network, b), atol=1e-5)


def crop(size: int = 64, **more) -> Crop:
    rgb = np.full((size, size, 3), 40, np.uint8)
    rgb[16:48, 16:48] = (200, 120, 30)
    return Crop(rgb, Box(5, 6, 5 + size, 6 + size), Box(12, 12, 52, 52), **more)


def disc(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb[..., 0] > 100, 255, 0).astype(np.uint8)


def test_a_cutout_keeps_the_crops_grid_and_the_objects_colour() -> None:
    ticks: list[float] = []
    cutout = cut_out(crop(), disc, ticks.append)
    assert cutout.rgba.shape == (64, 64, 4)
    assert cutout.window == Box(5, 6, 69, 70)
    assert np.abs(cutout.rgba[30, 30].astype(int) - (200, 120, 30, 255)).max() <= 1
    assert cutout.rgba[2, 2, 3] == 0
    assert ticks == sorted(ticks)


def test_the_photos_own_transparency_is_kept() -> None:
    own = np.zeros((64, 64), np.uint8)
    own[20:40, 20:40] = 180
    cutout = cut_out(crop(alpha=own), lambda rgb: pytest.fail("the network was asked"), lambda share: None)
    np.testing.assert_array_equal(cutout.rgba[..., 3], own)


def test_an_empty_cutout_is_this_objects_error() -> None:
    with pytest.raises(ObjectError, match="nothing stood out"):
        cut_out(crop(), lambda rgb: np.full(rgb.shape[:2], 9, np.uint8), lambda share: None)


def test_the_stage_says_which_weights_it_lacks_and_runs_with_them(tmp_path, monkeypatch, state) -> None:
    settings = Settings(weights_dir=tmp_path, matte_model="512", devices=("cpu",))
    assert "model.safetensors of ZhengPeng7/BiRefNet_512x512 is absent" in str(STAGE.missing(settings))
    with pytest.raises(MissingPieceError, match="models pull"), STAGE.open(settings):
        pass
    sees_all = spoiled(state, "decoder.conv_out1.0.bias", np.full(1, 99, np.float32))
    save(tmp_path / "BiRefNet_512x512" / "model.safetensors", sees_all)
    assert STAGE.missing(settings) is None
    monkeypatch.setitem(NATIVE_PX, "512", (64, 32))
    with STAGE.open(settings) as matte:
        cutout = matte(dataclasses.replace(crop(), box=Box(0, 0, 64, 64)), tick=lambda share: None)
    assert (cutout.rgba[..., 3] == 255).all()


def test_the_authors_pickled_release_is_converted_and_used(tmp_path, monkeypatch, state) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = Settings(weights_dir=tmp_path, devices=("cpu",))
    released = tmp_path / "BiRefNet-general-epoch_244.pth"
    torch.save({f"module._orig_mod.{key}": torch.from_numpy(value) for key, value in state.items()}, released)
    assert STAGE.missing(settings) is None
    assert load(weights_file(settings), CPU, torch.float32).config == TINY
    assert STAGE.missing(Settings(weights_dir=tmp_path, matte_model="lite")) is not None


def test_extreme_logits_become_alpha_without_a_warning() -> None:
    levels = image.alpha_u8(np.array([-1e9, -200.0, 0.0, 200.0, 1e9], np.float32))
    np.testing.assert_array_equal(levels, [0, 0, 127, 255, 255])


def test_the_network_is_freed_with_the_stage_and_waits_for_no_garbage_collector(tmp_path, monkeypatch, state) -> None:
    from manymesh.matte.birefnet import load as loading

    save(tmp_path / "BiRefNet_512x512" / "model.safetensors", state)
    real, networks = loading.load, []

    def watched(*arguments):
        network = real(*arguments)
        networks.append(weakref.ref(network))
        return network

    monkeypatch.setattr(loading, "load", watched)
    gc.collect()
    gc.disable()
    try:
        with STAGE.open(Settings(weights_dir=tmp_path, matte_model="512", devices=("cpu",))) as matte:
            assert networks[0]() is not None
        assert callable(matte)
        assert networks[0]() is None
    finally:
        gc.enable()


def test_a_network_that_runs_out_of_range_in_half_precision_runs_in_float32(tmp_path, monkeypatch, state) -> None:
    from manymesh.device.placement import Placement
    from manymesh.matte.birefnet import load as loading
    from manymesh.matte.birefnet import stage

    sees_all = spoiled(state, "decoder.conv_out1.0.bias", np.full(1, 99, np.float32))
    save(tmp_path / "BiRefNet_512x512" / "model.safetensors", sees_all)
    real = loading.load

    def faulty(path, device, dtype):
        network = real(path, device, dtype)
        if dtype == torch.float16:
            network.decoder.conv_out1[0].bias.fill_(torch.nan)
        return network

    monkeypatch.setitem(NATIVE_PX, "512", (64, 32))
    monkeypatch.setattr(stage, "place", lambda *arguments, **more: Placement("cpu", "float16", "tests"))
    monkeypatch.setattr(loading, "load", faulty)
    whole = dataclasses.replace(crop(), box=Box(0, 0, 64, 64))
    with STAGE.open(Settings(weights_dir=tmp_path, matte_model="512")) as matte:
        cutouts = [matte(whole, tick=lambda share: None) for _ in range(2)]
    for cutout in cutouts:
        assert (cutout.rgba[..., 3] == 255).all()
        assert cutout.notes == ("The matte network gave numbers that are not finite in float16; it ran in float32.",)

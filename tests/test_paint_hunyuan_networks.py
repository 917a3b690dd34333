"""The painter's networks: against the fixtures, against diffusers and transformers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity_path import is_small, parity_dir
from tiny_paint import DELIGHT, PAINT, UNET, VAE, write_delight, write_paint

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from manymesh.dev import parity  # noqa: E402
from manymesh.errors import UsageError, WeightsError  # noqa: E402
from manymesh.paint.diffusion import checkpoint, config, image_vae, norm, text_encoder, unet  # noqa: E402
from manymesh.paint.diffusion.diffusion_schedule import euler_ancestral  # noqa: E402
from manymesh.paint.hunyuan import delight_images, multiview_unet  # noqa: E402
from manymesh.paint.hunyuan.models import parse_views  # noqa: E402
from manymesh.weights.load import load_network  # noqa: E402

CPU: dict[str, Any] = {"device": torch.device("cpu"), "dtype": torch.float32, "channels_last": True}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    write_paint(root, pickled=False)
    write_delight(root)
    return root


def test_every_parity_row_passes() -> None:
    folder = parity_dir("paint")
    rows = list(parity.rows_of(folder))
    assert len(rows) >= (7 if is_small(folder) else 150)
    assert [parity.line_of(row) for row in rows if not row.passed] == []


def test_an_unknown_fixture_is_no_success(tmp_path: Path) -> None:
    manifest = {"stack": "hunyuan3d-2 paint", "fixtures": [{"name": "something_new", "file": "x.safetensors"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert [row.passed for row in parity.rows_of(tmp_path)] == [False]


def test_the_unet_is_diffusers(weights: Path) -> None:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    folder = weights / DELIGHT
    path = checkpoint.network_file(folder, "unet")
    ours = unet.fuse_projections(load_network(lambda: unet.UNet(config.read_unet(folder)), path, **CPU))
    theirs = diffusers.UNet2DConditionModel(**{k: v for k, v in UNET.items() if k[0] != "_"} | {"in_channels": 8})
    theirs.load_state_dict(ours.state_dict(), strict=True)
    generator = torch.Generator().manual_seed(0)
    x, prompt = torch.randn(2, 8, 12, 20, generator=generator), torch.randn(1, 7, 24, generator=generator)
    with torch.inference_mode():
        wanted = theirs(x, torch.tensor([7.0, 500.0]), prompt.expand(2, -1, -1)).sample
        time = ours.embed_time(torch.tensor([7.0, 500.0]))
        made = ours(x, time, unet.text_contexts(ours, prompt))
    assert (made - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_the_autoencoder_is_diffusers(weights: Path) -> None:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    folder = weights / PAINT
    ours = load_network(
        lambda: image_vae.ImageVae(config.read_vae(folder)), checkpoint.network_file(folder, "vae"), **CPU
    )
    theirs = diffusers.AutoencoderKL(**{k: v for k, v in VAE.items() if k[0] != "_"})
    theirs.load_state_dict(ours.state_dict(), strict=True)
    pictures = torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    draw = torch.randn(3, 4, 4, 6, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = theirs.encode(pictures).latent_dist
        torch.testing.assert_close(ours.encode(pictures), wanted.mean, atol=1e-5, rtol=1e-5)
        sampled = wanted.mean + wanted.std * draw
        torch.testing.assert_close(ours.encode(pictures, draw, together=2), sampled, atol=1e-5, rtol=1e-5)
        decoded = (theirs.decode(draw).sample / 2 + 0.5).clamp(0, 1)
        torch.testing.assert_close(ours.decode(draw, together=3), decoded, atol=1e-5, rtol=1e-5)


def test_the_text_encoder_is_transformers(weights: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    folder = weights / DELIGHT
    sizes = config.read_text(folder)
    path = checkpoint.network_file(folder, "text_encoder")
    ours = load_network(lambda: text_encoder.TextEncoder(sizes), path, rename=text_encoder.plain_key, **CPU)
    theirs = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(**json.loads((folder / "text_encoder" / "config.json").read_text()))
    ).eval()
    names = theirs.state_dict().keys()
    prefix = "text_model." if next(iter(names)).startswith("text_model.") else ""
    theirs.load_state_dict({prefix + key: value for key, value in ours.state_dict().items()}, strict=True)
    ids = torch.tensor([text_encoder.empty_prompt(folder, 77)])
    assert ids[0, :4].tolist() == [4, 5, 0, 0]
    with torch.inference_mode():
        torch.testing.assert_close(ours(ids), theirs(ids).last_hidden_state, atol=1e-5, rtol=1e-5)


def test_old_names_of_the_autoencoders_attention_are_known() -> None:
    assert (
        image_vae.plain_key("encoder.mid_block.attentions.0.query.weight")
        == "encoder.mid_block.attentions.0.to_q.weight"
    )
    old = "decoder.mid_block.attentions.0.proj_attn.bias"
    assert image_vae.plain_key(old) == "decoder.mid_block.attentions.0.to_out.0.bias"
    assert image_vae.plain_key("decoder.conv_in.bias") == "decoder.conv_in.bias"


def test_a_file_of_another_network_is_refused(weights: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = weights / PAINT
    sizes = config.read_unet(folder)
    tensors = load_file(checkpoint.network_file(folder, "unet"))
    for change in ("unet.extra.weight", "unet.conv_out.bias"):
        changed = dict(tensors)
        if change in changed:
            del changed[change]
        else:
            changed[change] = torch.zeros(1)
        save_file(changed, tmp_path / "other.safetensors")
        with pytest.raises(WeightsError, match=change.removeprefix("unet.")):
            load_network(
                lambda: multiview_unet.MultiviewUNet(sizes), tmp_path / "other.safetensors", prefix="unet.", **CPU
            )


@pytest.mark.parametrize(
    "change",
    [
        {"act_fn": "gelu"},
        {"use_linear_projection": False},
        {"attention_head_dim": [3, 2, 2, 2]},
        {"layers_per_block": 0},
    ],
)
def test_a_config_of_another_network_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(UNET | change))
    with pytest.raises(WeightsError):
        config.read_unet(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"in_channels": "x"}', "\x00"])
def test_a_damaged_config_is_one_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(content)
    with pytest.raises(WeightsError):
        config.read_unet(tmp_path)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    torch.save({"weight": torch.zeros(2), "trap": parity.rows_of}, tmp_path / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(WeightsError, match="refused"):
        checkpoint.network_file(tmp_path, "unet")


def test_a_safetensors_file_goes_first_except_where_it_is_another_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manymesh.weights import load

    folder = write_paint(tmp_path)
    converted = checkpoint.network_file(folder, "unet")
    safe = folder / "unet" / "diffusion_pytorch_model.safetensors"
    safe.write_bytes(b"a network")
    assert checkpoint.network_file(folder, "unet") == safe
    monkeypatch.setattr(load, "sha256_of", lambda path: pytest.fail("hashed again"))
    assert checkpoint.network_file(folder, "unet", pickle_only=True) == converted


def test_the_turbo_painter_never_takes_the_safetensors_beside_it(tmp_path: Path) -> None:
    from manymesh.paint.hunyuan.networks import weights_of

    for name, suffix in (("hunyuan3d-paint-v2-0", ".safetensors"), ("hunyuan3d-paint-v2-0-turbo", ".bin")):
        folder = tmp_path / name
        (folder / "unet").mkdir(parents=True)
        (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"a network")
        if suffix == ".safetensors":
            assert weights_of(folder, "unet").suffix == suffix
        else:
            with pytest.raises(WeightsError, match="holds no weights"):
                weights_of(folder, "unet")


def test_only_a_base_that_predicts_noise_may_leave_the_spacing_of_its_steps_out(tmp_path: Path) -> None:
    path = tmp_path / "scheduler" / "scheduler_config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"beta_start": 0.001, "beta_end": 0.01}))
    assert config.read_noise_schedule(tmp_path, "epsilon").spacing == "leading"
    with pytest.raises(WeightsError, match="timestep_spacing"):
        config.read_noise_schedule(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_euler_steps_equal_diffusers(weights: Path) -> None:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    for folder in (weights / PAINT, weights / DELIGHT):
        noise = config.read_noise_schedule(folder)
        settings = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
        theirs = diffusers.EulerAncestralDiscreteScheduler(**settings)
        theirs.set_timesteps(7)
        ours = euler_ancestral(noise, 7)
        generator = torch.Generator().manual_seed(3)
        x = torch.randn(1, 4, 4, 4, generator=generator)
        for step, time in enumerate(theirs.timesteps):
            v = torch.randn(x.shape, generator=generator)
            scaled = theirs.scale_model_input(x, time)
            torch.testing.assert_close(scaled, x * float(ours.input_scale[step]), rtol=1e-4, atol=1e-6)
            fresh = torch.Generator().manual_seed(step)
            wanted = theirs.step(v, time, x, generator=torch.Generator().manual_seed(step)).prev_sample
            n = torch.randn(x.shape, generator=fresh)
            made = x * float(ours.keep[step]) + v * float(ours.answer[step]) + n * float(ours.noise[step])
            assert (made - wanted).abs().max() <= 1e-3 * max(float(wanted.abs().max()), 1.0)
            x = wanted


@pytest.mark.parametrize("views", ["10:0:1", "0:45:1", "0:0", "0:0:0", "x:0:1"])
def test_views_that_the_network_never_saw_are_refused(views: str) -> None:
    with pytest.raises(UsageError):
        parse_views(views)


def test_views_are_read_as_written() -> None:
    (view,) = parse_views(" -30:20:0.5 ")
    assert (view.azimuth_deg, view.elevation_deg, view.weight) == (330, 20, 0.5)


def test_a_cutout_of_a_single_pixel_can_be_prepared() -> None:
    rgba = np.zeros((5, 9, 4), np.uint8)
    rgba[2, 4] = (10, 20, 30, 255)
    ready, target, alpha = delight_images.prepared(delight_images.resize_square(delight_images.pad_to_square(rgba), 64))
    assert ready.shape == (64, 64, 4)
    assert delight_images.finished(ready[:, :, :3], target, alpha).shape == (64, 64, 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
@pytest.mark.parametrize("width", [24, 320, 1280])
def test_fused_kernels_are_pytorchs_to_rounding(width: int, dtype: torch.dtype) -> None:
    cuda, near = torch.device("cuda"), {torch.float16: 4e-3, torch.float32: 2e-5}[dtype]
    generator = torch.Generator(cuda).manual_seed(0)
    with torch.inference_mode():
        x = 3 + torch.randn(7, 33, width, device=cuda, dtype=dtype, generator=generator)
        wide = torch.randn(5, 3, 2 * width, device=cuda, dtype=dtype, generator=generator)
        layer = torch.nn.LayerNorm(width, device=cuda, dtype=dtype)
        layer.weight.normal_(generator=generator)
        layer.bias.normal_(generator=generator)
        value, gate = wide.double().chunk(2, dim=-1)
        pairs = [
            (norm.layer_norm(x, layer), layer.double()(x.double())),
            (norm.gated(wide), value * torch.nn.functional.gelu(gate)),
        ]
        picture = 3 + torch.randn(2, 64, 16, 8, device=cuda, dtype=dtype, generator=generator)
        picture = picture.contiguous(memory_format=torch.channels_last)
        groups = torch.nn.GroupNorm(4, 64, device=cuda, dtype=dtype)
        made = norm.group_norm(picture, groups, silu=True)
        pairs.append((made, torch.nn.functional.silu(groups.double()(picture.double()))))
    assert norm.KERNELS.trouble == ""
    for made, wanted in pairs:
        assert torch.allclose(made.double(), wanted, rtol=near, atol=near)


def test_without_kernels_gates_and_norms_are_the_plain_ones() -> None:
    x, layer = torch.randn(3, 5, 8), torch.nn.LayerNorm(8)
    assert torch.equal(norm.layer_norm(x, layer), layer(x))
    value, gate = x.chunk(2, dim=-1)
    assert torch.equal(norm.gated(x), value * torch.nn.functional.gelu(gate))


def test_a_kernel_that_breaks_is_given_up_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = norm.Kernels()
    monkeypatch.setattr(kernels, "module", lambda: object() if kernels.allowed else None)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)

    def broken(module: object) -> None:
        raise ValueError("no compiler\nhere")

    assert kernels.attempt("gated", broken) is None
    assert (kernels.allowed, kernels.trouble) == (False, "ValueError: no compiler")
    assert kernels.attempt("gated", lambda module: torch.ones(1)) is None

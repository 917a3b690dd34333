"""The shape networks: parity with the fixtures, fast against plain sampling, and files that are refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from parity_path import parity_dir
from tiny_shape import DINO, config, write_checkpoint

torch = pytest.importorskip("torch", reason="torch is not installed")
yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from manymesh.dev import parity_shape  # noqa: E402
from manymesh.errors import WeightsError  # noqa: E402
from manymesh.shape.common import head_norm  # noqa: E402
from manymesh.shape.common.dino import Dino, resampled_positions  # noqa: E402
from manymesh.shape.common.flow import initial_noise  # noqa: E402
from manymesh.shape.hunyuan.checkpoint import weights_file  # noqa: E402
from manymesh.shape.hunyuan.conditioner import Conditioner  # noqa: E402
from manymesh.shape.hunyuan.config import (  # noqa: E402
    ConditionerConfig,
    DitConfig,
    SchedulerConfig,
    ShapeVaeConfig,
    read_shape_config,
)
from manymesh.shape.hunyuan.dit import Dit  # noqa: E402
from manymesh.shape.hunyuan.flow_schedule import consistency_schedule, euler_schedule, flow_schedule  # noqa: E402
from manymesh.shape.hunyuan.sampler import Sampler, reference_denoise  # noqa: E402
from manymesh.shape.hunyuan.vae import ShapeVae  # noqa: E402
from manymesh.weights.load import load_network  # noqa: E402

CPU = torch.device("cpu")


def test_every_parity_row_passes() -> None:
    directory = parity_dir("shape")
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    rows = list(parity_shape.rows(directory, manifest))
    assert len(rows) >= len(manifest["fixtures"])
    assert [row for row in rows if not row.passed] == []


def test_an_unknown_fixture_is_a_failing_row(tmp_path: Path) -> None:
    (row,) = parity_shape.rows(tmp_path, {"fixtures": [{"id": "unknown"}]})
    assert not row.passed


DINO_GIANT = {
    **DINO,
    "hidden_size": 1536,
    "num_attention_heads": 24,
    "num_hidden_layers": 40,
    "image_size": 518,
}
MINI_VAE_CONFIG = ShapeVaeConfig(include_pi=False, qkv_bias=False, qk_norm=True)
SMALL_DECODER = {"geo_decoder_mlp_expand_ratio": 1, "geo_decoder_downsample_ratio": 2, "geo_decoder_ln_post": False}


@pytest.mark.parametrize("name", ["keys_2mini", "keys_2mini_turbo", "keys_vae_mini_turbo"])
def test_full_size_networks_have_the_official_keys_and_shapes(name: str) -> None:
    official = {key: tuple(v[0]) for key, v in json.loads((parity_dir("shape") / f"{name}.json").read_text()).items()}
    with torch.device("meta"):
        if "vae" in name:
            networks = {"": ShapeVae(replace(MINI_VAE_CONFIG, **SMALL_DECODER))}
        else:
            dit = DitConfig(depth=8, depth_single_blocks=16, guidance_embed="turbo" in name)
            encoder = Conditioner(ConditionerConfig(DINO_GIANT))
            networks = {"model.": Dit(dit), "vae.": ShapeVae(MINI_VAE_CONFIG), "conditioner.": encoder}
    ours = {prefix + key: tuple(t.shape) for prefix, n in networks.items() for key, t in n.state_dict().items()}
    assert ours == official


def make_dino(seed: int) -> Dino:
    torch.manual_seed(seed)
    dino = Dino(DINO)
    for parameter in dino.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    return dino.eval().requires_grad_(False)


@pytest.mark.parametrize("size_px", [56, 28, 98, 210])
def test_a_picture_of_any_size_is_encoded_as_transformers_does(size_px: int, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    from safetensors.torch import save_file

    dino = make_dino(3)
    save_file(dino.state_dict(), tmp_path / "model.safetensors", metadata={"format": "pt"})
    transformers.Dinov2Config(**DINO).save_pretrained(tmp_path)
    theirs = transformers.Dinov2Model.from_pretrained(tmp_path, local_files_only=True).eval()
    pixels = torch.randn(2, 3, size_px, size_px, generator=torch.Generator().manual_seed(size_px))
    with torch.inference_mode():
        expected = theirs(pixels).last_hidden_state
        made = dino(pixels)
    assert made.shape == (2, 1 + (size_px // 14) ** 2, DINO["hidden_size"])
    assert torch.allclose(made, expected, atol=1e-4)


def test_positions_are_resampled_in_float32_and_the_class_token_is_left_alone() -> None:
    table = torch.randn(1, 1 + 4 * 4, 8, generator=torch.Generator().manual_seed(0))
    half = resampled_positions(table.half(), 7, 7)
    assert half.dtype == torch.float16
    assert torch.equal(half, resampled_positions(table.half().float(), 7, 7).half())
    assert torch.equal(half[:, 0], table.half()[:, 0])
    assert resampled_positions(table, 4, 4) is table


def test_a_distilled_network_takes_every_guidance_scale_in_half_precision() -> None:
    dit = make_dit(0, distilled=True)
    halved = copy.deepcopy(dit).half()
    for scale in (1.0, 5.0, 66.0, 100.0):
        time, guidance = torch.tensor([0.5]), torch.tensor([scale])
        made = halved.modulation_input(time.half(), guidance).float()
        assert torch.isfinite(made).all()
        assert torch.allclose(made, dit.modulation_input(time, guidance), atol=0.05)


def make_dit(seed: int, *, heads: int = 2, distilled: bool = False) -> Dit:
    torch.manual_seed(seed)
    dit = Dit(DitConfig(4, 6, 16 * heads, num_heads=heads, depth=1, depth_single_blocks=2, guidance_embed=distilled))
    for parameter in dit.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    return dit.eval().requires_grad_(False)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 99),
    heads=st.integers(1, 3),
    tokens=st.integers(1, 40),
    latents=st.integers(1, 20),
    steps=st.integers(1, 4),
    guidance=st.sampled_from([-1.0, 0.0, 1.0, 5.0]),
    distilled=st.booleans(),
)
def test_fast_sampling_gives_the_official_loops_latents(
    seed: int, heads: int, tokens: int, latents: int, steps: int, guidance: float, distilled: bool
) -> None:
    dit = make_dit(seed, heads=heads, distilled=distilled)
    condition = torch.randn(1, tokens, 6, generator=torch.Generator().manual_seed(seed))
    start = initial_noise(seed, (1, latents, 4), device=CPU, dtype=torch.float32)
    plan = consistency_schedule(steps, 100) if distilled else euler_schedule(steps)
    slow = reference_denoise(dit, condition, start, plan, guidance)
    fast = Sampler(dit, condition_tokens=tokens, latents=latents, guidance=guidance)(condition, start, plan)
    assert float((slow - fast).abs().max()) <= 3e-5 * max(float(slow.abs().max()), 1.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_captured_steps_equal_uncaptured_ones() -> None:
    dit = make_dit(0).to("cuda", torch.float16)
    plan, start = euler_schedule(9), initial_noise(1, (1, 16, 4), device=torch.device("cuda"), dtype=torch.float16)
    plain = Sampler(dit, condition_tokens=40, latents=16, guidance=5.0, use_graph=False)
    captured = Sampler(dit, condition_tokens=40, latents=16, guidance=5.0)
    for number in range(3):
        condition = torch.randn(1, 40, 6, generator=torch.Generator().manual_seed(number)).to("cuda", torch.float16)
        assert torch.equal(captured(condition, start, plan), plain(condition, start, plan))
    assert captured.graph is not None, captured.capture_failure


def test_a_sampler_can_be_reused_for_another_object() -> None:
    dit = make_dit(0)
    sampler = Sampler(dit, condition_tokens=5, latents=3, guidance=5.0)
    plan, start = euler_schedule(3), initial_noise(1, (1, 3, 4), device=CPU, dtype=torch.float32)
    first, second = torch.randn(2, 1, 5, 6)
    one = sampler(first, start, plan)
    other = sampler(second, start, plan)
    assert torch.equal(sampler(first, start, plan), one)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("size", [1.0, 1e-3, 30.0])
def test_head_norms_equal_pytorchs_to_one_rounding(dtype: torch.dtype, size: float) -> None:
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(2, 7, 2, 3, 64, generator=generator) * size).to(dtype)
    scale = torch.randn(2, 1, 64, generator=generator).to(dtype)
    rounding = torch.finfo(dtype).eps
    expected = torch.nn.functional.rms_norm(x.float(), (64,), eps=1e-6) * scale.float()
    assert torch.allclose(head_norm.rms_norm(x, scale, 1e-6).float(), expected, rtol=rounding, atol=1e-6)
    linear, norm = torch.nn.Linear(20, 128), torch.nn.LayerNorm(64, eps=1e-6)
    for parameter in (*linear.parameters(), *norm.parameters()):
        torch.nn.init.normal_(parameter.requires_grad_(False), 0.3, 1.0, generator=generator)
    given = torch.randn(5, 20, generator=generator)
    wanted = norm(linear(given).unflatten(-1, (2, 64)))
    centred = torch.nn.functional.linear(given, *head_norm.centre_heads(linear, 2)).unflatten(-1, (2, 64))
    made = head_norm.centred_layer_norm(centred, norm)
    assert torch.allclose(made, wanted, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_point_decoder_in_half_precision_is_close_to_float32(dtype: torch.dtype) -> None:
    torch.manual_seed(2)
    vae = ShapeVae(ShapeVaeConfig(8, 4, 5, False, 2, 128, 1, False, True)).eval().requires_grad_(False)
    z, points = torch.randn(1, 8, 4), torch.rand(1, 50, 3) * 2 - 1
    full = vae.geo_decoder(points, vae.geo_decoder.keys_values(vae(z)))
    half = vae.to(dtype)
    made = half.geo_decoder(points, half.geo_decoder.keys_values(half(z.to(dtype)))).float()
    assert torch.allclose(made, full, atol=30 * torch.finfo(dtype).eps * float(full.abs().max()))


def test_only_steps_of_width_zero_are_left_out() -> None:
    assert euler_schedule(50).moving_steps == 49
    assert euler_schedule(1).moving_steps == 1
    assert consistency_schedule(5, 100).moving_steps == 5


def test_the_schedule_follows_the_configuration() -> None:
    assert flow_schedule(SchedulerConfig("consistency", pcm_timesteps=100), 5).sigmas[1] == pytest.approx(199 / 999)
    assert flow_schedule(SchedulerConfig("euler"), 5).sigmas[1] == pytest.approx(0.25)


def test_progress_is_reported_after_every_step_and_can_stop_the_run() -> None:
    seen: list[float] = []

    def tick(done: float) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    sampler = Sampler(make_dit(0), condition_tokens=5, latents=3, guidance=5.0)
    start = initial_noise(1, (1, 3, 4), device=CPU, dtype=torch.float32)
    with pytest.raises(KeyboardInterrupt):
        sampler(torch.randn(1, 5, 6), start, euler_schedule(11), tick)
    assert seen == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize("block", ["model", "vae", "conditioner", "scheduler", "image_processor"])
def test_an_unknown_class_is_named_and_never_imported(tmp_path: Path, block: str) -> None:
    settings_file = config()
    settings_file[block]["target"] = "os.system"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings_file))
    with pytest.raises(WeightsError, match=rf"names {block}\.target 'os\.system'"):
        read_shape_config(tmp_path)


@pytest.mark.parametrize("text", ["", "- a", "model: [", "model: {target: x.Hunyuan3DDiT, params: 3}"])
def test_a_broken_configuration_is_a_weights_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(WeightsError):
        read_shape_config(tmp_path)


def test_a_setting_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    settings_file = config()
    settings_file["model"]["params"]["depth"] = "many"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings_file))
    with pytest.raises(WeightsError, match="'depth'"):
        read_shape_config(tmp_path)


def test_the_first_key_that_does_not_fit_is_named(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path)
    known = read_shape_config(folder).dit
    wider = DitConfig(8, *list(vars(known).values())[1:])
    with pytest.raises(WeightsError, match=r"model\.latent_in\.weight"):
        load_network(lambda: Dit(wider), weights_file(folder), prefix="model.", device=CPU, dtype=torch.float32)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path)
    path = weights_file(folder)
    path.write_bytes(path.read_bytes()[:-100])
    known = read_shape_config(folder).dit
    with pytest.raises(WeightsError):
        load_network(lambda: Dit(known), path, prefix="model.", device=CPU, dtype=torch.float32)

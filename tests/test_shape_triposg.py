"""TripoSG: parity with the fixtures, fast against plain sampling, and the stage on a very small checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity_path import parity_dir
from tiny_triposg import TRANSFORMER, VAE, write_checkpoint

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from manymesh.box import Box  # noqa: E402
from manymesh.dev.parity import rows_of  # noqa: E402
from manymesh.errors import Cancelled, ObjectError, UsageError, WeightsError  # noqa: E402
from manymesh.render.camera import fit_front_camera  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.shape.common.dino import Dino  # noqa: E402
from manymesh.shape.triposg import STAGE, front  # noqa: E402
from manymesh.shape.triposg import decode as triposg_decode  # noqa: E402
from manymesh.shape.triposg.config import ImageConfig, published_config, read_config  # noqa: E402
from manymesh.shape.triposg.decode import decode, signed_volume  # noqa: E402
from manymesh.shape.triposg.preprocess import encoder_pixels, frame_object  # noqa: E402
from manymesh.shape.triposg.sampler import Sampler, reference_denoise  # noqa: E402
from manymesh.shape.triposg.schedule import schedule  # noqa: E402
from manymesh.shape.triposg.transformer import ShapeTransformer  # noqa: E402
from manymesh.shape.triposg.vae import ShapeDecoder  # noqa: E402
from manymesh.types import Cutout, Mesh, ShapeResult  # noqa: E402

CPU = torch.device("cpu")


def test_every_recorded_number_is_ours() -> None:
    rows = list(rows_of(parity_dir("triposg")))
    assert len(rows) > 100
    assert [row for row in rows if not row.passed] == []


# Keys of the VAE that the decoder has no use for.
POINT_ENCODER = ("encoder.", "quant.")


@pytest.mark.parametrize("name", ["transformer", "vae", "image_encoder_dinov2"])
def test_full_size_networks_have_the_published_keys_and_shapes(name: str, tmp_path: Path) -> None:
    published = json.loads((parity_dir("triposg") / f"keys_{name}.json").read_text())
    official = {key: tuple(v[0]) for key, v in published.items() if name != "vae" or not key.startswith(POINT_ENCODER)}
    # Empty files: the defaults are the published values.
    folder = write_checkpoint(tmp_path)
    for file in folder.rglob("*.json"):
        file.write_text("{}")
    config = read_config(folder)
    with torch.device("meta"):
        network = {
            "transformer": lambda: ShapeTransformer(config.transformer),
            "vae": lambda: ShapeDecoder(config.vae),
            "image_encoder_dinov2": lambda: Dino(config.dino),
        }[name]()
    assert {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()} == official


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    write_checkpoint(root)
    return root


def disc(radius: int = 20, width: int = 80, height: int = 60, *, name: str = "") -> Cutout:
    y, x = np.mgrid[:height, :width]
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., 0] = x
    rgba[..., 3] = np.where((x - 30) ** 2 + (y - 25) ** 2 < radius**2, 255, 0)
    return Cutout(rgba, Box(0, 0, width, height), name or f"disc {radius}")


def options(weights: Path, **more: Any) -> Settings:
    return Settings(weights_dir=weights, devices=("cpu",), **{"steps": 2, "grid": 24, "tokens": 16, **more})


def reconstruct(weights: Path, cutout: Cutout, *, seed: int = 1, begin: bool = True, **more: Any) -> ShapeResult:
    settings = options(weights, **more)
    assert STAGE.missing(settings) is None
    with STAGE.open(settings) as shape:
        if begin:
            shape.begin([cutout])
        return shape(cutout, seed=seed, tick=lambda done: None)


def test_a_cutout_becomes_a_closed_mesh_in_the_canonical_frame(weights: Path) -> None:
    made = reconstruct(weights, disc())
    low, high = made.mesh.vertices.min(axis=0), made.mesh.vertices.max(axis=0)
    assert (high - low).max() == pytest.approx(2)
    assert np.abs(low + high).max() < 1e-6
    assert signed_volume(made.mesh) > 0
    assert made.notes == ()


def test_the_same_seed_gives_the_same_bytes_with_and_without_begin(weights: Path) -> None:
    meshes = [reconstruct(weights, disc(), begin=begin).mesh for begin in (True, False)]
    assert meshes[0].vertices.tobytes() == meshes[1].vertices.tobytes()
    assert reconstruct(weights, disc(), seed=2).mesh.vertices.tobytes() != meshes[0].vertices.tobytes()


def test_decoding_near_the_surface_gives_the_mesh_of_all_points(weights: Path, monkeypatch: Any) -> None:
    """The grid is finer than the coarsest level, so that most points are left out."""
    monkeypatch.setattr(triposg_decode, "_COARSEST", 12)
    network, asked = tiny_decoder(weights), []
    network.decoder.proj_out.register_forward_pre_hook(lambda _module, inputs: asked.append(inputs[0].shape[1]))
    latents, meshes, counts = torch.randn(1, 12, 4, generator=torch.Generator().manual_seed(3)), [], []
    for method in METHODS:
        asked.clear()
        meshes.append(decode(network, latents, method, 48, 64 << 20, lambda done: None)[0])
        counts.append(sum(asked))
    near, everywhere = meshes
    assert near.vertices.tobytes() == everywhere.vertices.tobytes()
    assert near.faces.tobytes() == everywhere.faces.tobytes()
    assert counts[0] < counts[1] / 2


METHODS = ("sparse", "dense")


def tiny_decoder(weights: Path) -> ShapeDecoder:
    from manymesh.shape.triposg.checkpoint import load_part

    config = read_config(weights / "triposg").vae
    return load_part(lambda: ShapeDecoder(config), weights / "triposg", "vae", device=CPU, dtype=torch.float32)


def test_a_field_of_the_opposite_sign_gives_the_same_shape_and_a_remark(weights: Path, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, inverted=True)
    made, expected = reconstruct(tmp_path, disc()), reconstruct(weights, disc())
    assert "opposite sign" in " ".join(made.notes)
    assert signed_volume(made.mesh) > 0
    assert np.abs(made.mesh.vertices - expected.mesh.vertices).max() < 1e-5


@pytest.mark.parametrize("guidance", [1.0, 7.0])
@pytest.mark.parametrize("one_pass", [True, False])
def test_fast_sampling_gives_the_official_loops_latents(weights: Path, guidance: float, one_pass: bool) -> None:
    network, condition, start = sampling(weights)
    plan = schedule(read_config(weights / "triposg").scheduler, 4)
    expected = reference_denoise(network, condition, start, plan, guidance)
    sampler = Sampler(network, condition_tokens=5, latents=6, guidance=guidance, one_pass=one_pass)
    made = sampler(condition, start, plan)
    assert torch.allclose(made, expected, atol=1e-4 * float(expected.abs().max()))
    assert torch.equal(sampler(condition, start, plan), made), "a sampler serves one object after another"


def sampling(weights: Path) -> tuple[ShapeTransformer, Any, Any]:
    from manymesh.shape.triposg.checkpoint import load_part

    config = read_config(weights / "triposg").transformer
    network = load_part(
        lambda: ShapeTransformer(config), weights / "triposg", "transformer", device=CPU, dtype=torch.float32
    )
    generator = torch.Generator().manual_seed(5)
    return network, torch.randn(1, 5, 24, generator=generator), torch.randn(1, 6, 4, generator=generator)


def test_a_guidance_of_at_most_one_asks_for_no_second_row(weights: Path) -> None:
    network, condition, start = sampling(weights)
    plan = schedule(read_config(weights / "triposg").scheduler, 2)
    rows: list[int] = []
    network.proj_in.register_forward_pre_hook(lambda _module, inputs: rows.append(len(inputs[0])))
    for guidance in (1.0, 1.1):
        Sampler(network, condition_tokens=5, latents=6, guidance=guidance)(condition, start, plan)
    assert rows == [1, 1, 2, 2]


def test_without_a_guidance_of_the_users_each_network_has_its_own(weights: Path) -> None:
    with STAGE.open(options(weights)) as shape:
        assert (shape.guidance, shape.steps) == (7.0, 2)
    with STAGE.open(options(weights, guidance=3.0, steps=None, tokens=None)) as shape:
        assert (shape.guidance, shape.steps, shape.tokens) == (3.0, 50, 2048)


def test_more_tries_keep_all_and_use_the_best(weights: Path) -> None:
    made = reconstruct(weights, disc(), tries=2)
    assert len(made.others) == 1
    assert any("The best of 2 tries" in note for note in made.notes)


def test_progress_only_rises_and_cancelling_stops_at_any_report(weights: Path) -> None:
    with STAGE.open(options(weights)) as shape:
        shape.begin([disc()])
        seen: list[float] = []
        shape(disc(), seed=1, tick=seen.append)
        assert seen == sorted(seen)
        assert len(seen) > 4

        def stop(done: float) -> None:
            if done > 0.3:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            shape(disc(), seed=1, tick=stop)


@pytest.mark.parametrize(
    ("network", "spoiled"),
    [
        ("image encoder", "layernorm.bias"),
        ("shape transformer", "proj_in.bias"),
        ("shape decoder", "post_quant.bias"),
        ("shape decoder", "decoder.proj_out.bias"),
    ],
)
def test_a_network_that_runs_out_of_range_in_half_precision_runs_in_float32(
    weights: Path, monkeypatch: pytest.MonkeyPatch, network: str, spoiled: str
) -> None:
    from manymesh.shape.triposg import stage

    real = stage.load_part

    def faulty(*arguments: Any, dtype: torch.dtype, **more: Any) -> Any:
        made = real(*arguments, dtype=dtype, **more)
        if dtype == torch.float16 and (parameter := dict(made.named_parameters()).get(spoiled)) is not None:
            parameter.fill_(torch.nan)
        return made

    monkeypatch.setattr(stage, "load_part", faulty)
    made = reconstruct(weights, disc(), shape_precision="float16")
    assert f"The {network} gave numbers that are not finite in float16; it ran in float32." in made.notes
    assert len(made.mesh.faces) > 0


@pytest.mark.parametrize("name", ["in-turn", "rows-in-turn"])
def test_where_memory_is_short_the_transformer_makes_room_and_comes_again_from_host_memory(
    weights: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from manymesh.shape.triposg import stage

    expected = reconstruct(weights, disc())
    loaded: list[str] = []
    real = stage.load_part

    def counted(build: Any, folder: Path, part: str, **more: Any) -> Any:
        loaded.append(part)
        return real(build, folder, part, **more)

    monkeypatch.setattr(stage, "load_part", counted)
    settings = options(weights)
    (level,) = (level for level in STAGE.levels(settings) if level.name == name)
    assert STAGE.open_at is not None
    with STAGE.open_at(settings, level) as shape:
        shape.begin([disc(name="one"), disc(name="two")])
        made = []
        for one in ("one", "two"):
            made.append(shape(disc(name=one), seed=1, tick=lambda done: None))
            assert shape._transformer is None
            assert shape._decoder is None
    assert loaded == ["image_encoder_dinov2", "transformer", "vae"]
    for one in made:
        assert np.abs(one.mesh.vertices - expected.mesh.vertices).max() < 1e-4


def test_each_level_takes_less_memory_than_the_one_before_and_a_4_gb_card_has_one() -> None:
    offered = STAGE.levels(Settings())
    for sizes in ([level.allocated_bytes for level in offered], [level.reserved_bytes for level in offered]):
        assert sizes == sorted(set(sizes), reverse=True)
    assert offered[-1].reserved_bytes < 3.2 * 2**30
    assert STAGE.levels(Settings(shape_precision="float32"))[0].allocated_bytes > 1.8 * offered[0].allocated_bytes
    assert STAGE.levels(Settings(memory=64))[0].options["chunk_bytes"] == 64 << 20
    assert STAGE.levels(Settings(tokens=4096))[0].allocated_bytes > offered[0].allocated_bytes


def test_settings_of_other_shape_networks_are_refused_before_anything_is_loaded(weights: Path) -> None:
    with pytest.raises(UsageError, match="takes one view"), STAGE.open(options(weights, views=("back=b.png",))):
        pass
    with pytest.raises(UsageError, match="no decoding called 'flash'"), STAGE.open(options(weights, decoding="flash")):
        pass


def test_absent_weights_are_reported_before_anything_is_opened(tmp_path: Path) -> None:
    assert "the weights triposg are not complete" in (STAGE.missing(options(tmp_path)) or "")


def test_an_empty_cutout_fails_that_object_alone(weights: Path) -> None:
    empty = replace(disc(name="empty"), rgba=np.zeros((60, 80, 4), np.uint8))
    with STAGE.open(options(weights)) as shape:
        shape.begin([empty, disc()])
        with pytest.raises(ObjectError, match="empty"):
            shape(empty, seed=1, tick=lambda done: None)
        assert len(shape(disc(), seed=1, tick=lambda done: None).mesh.faces) > 0


@pytest.mark.parametrize(
    ("file", "key", "value", "says"),
    [
        ("transformer/config.json", "_class_name", "os.system", "names the class 'os.system'"),
        ("transformer/config.json", "use_cross_attention_2", True, "for sketches and text"),
        ("transformer/config.json", "width", "wide", "'width': 'wide' where a whole number"),
        ("vae/config.json", "embedding_type", "learned", "the point embedding 'learned'"),
        ("scheduler/scheduler_config.json", "use_dynamic_shifting", True, "dynamic shifting"),
        ("image_encoder_dinov2/config.json", "num_register_tokens", 4, "register tokens"),
        ("feature_extractor_dinov2/preprocessor_config.json", "resample", 2, "another resampling"),
        ("feature_extractor_dinov2/preprocessor_config.json", "crop_size", {"height": 90}, "out of a picture"),
        ("feature_extractor_dinov2/preprocessor_config.json", "image_std", [1, 0, 1], "where a number over 0"),
    ],
)
def test_a_configuration_that_is_not_implemented_is_refused(
    tmp_path: Path, file: str, key: str, value: object, says: str
) -> None:
    path = write_checkpoint(tmp_path) / file
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(WeightsError, match=says):
        read_config(tmp_path / "triposg")


def test_settings_that_differ_from_the_reported_ones_are_told() -> None:
    from manymesh.shape.triposg.self_check import compare_settings

    published = published_config()
    assert compare_settings(published).outcome == "passed"
    other = compare_settings(replace(published, scheduler=replace(published.scheduler, shift=3.0)))
    assert other.outcome == "failed"
    assert "'shift': 3.0" in other.sentence
    assert "transformer" not in other.sentence


def test_the_network_for_sketches_is_told_from_its_tensors(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = write_checkpoint(tmp_path) / "transformer" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(path), "blocks.0.attn2_2.to_q.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(WeightsError, match="for sketches and text"):
        reconstruct(tmp_path, disc())


def test_both_names_of_the_decoders_class_are_known(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path)
    for name in ("Tripo2VAEModel", "TripoSGVAEModel"):
        (folder / "vae" / "config.json").write_text(json.dumps({**VAE, "_class_name": name}))
        assert read_config(folder).vae.width == VAE["width_decoder"]
    assert read_config(folder).transformer.layers == TRANSFORMER["num_layers"]


def test_the_object_fills_the_same_part_of_the_picture_wherever_it_is() -> None:
    """Its box, the last row and column included, is 1/1.2 of the framed picture."""
    framed = frame_object(disc(20).rgba)
    assert framed.shape == (45, 45, 3)  # a box of 39 px and 3 on each side
    assert (framed[:3] == 255).all()
    assert (framed[3] != 255).any()
    assert encoder_pixels(framed, ImageConfig()).shape == (1, 3, 224, 224)


def wedge() -> Cutout:
    """A right triangle: its mirror image overlaps it little."""
    y, x = np.mgrid[:96, :96]
    rgba = np.zeros((96, 96, 4), np.uint8)
    rgba[..., 3] = np.where((x >= 16) & (y < 80) & (y - 16 >= x - 16), 255, 0)
    return Cutout(rgba, Box(0, 0, 96, 96))


def solid(cutout: Cutout) -> Mesh:
    """Points of the cutout's object on a plane, as marching cubes would put them."""
    rows, columns = np.nonzero(cutout.rgba[..., 3])
    x, y = (columns - 47.5) / 48, (47.5 - rows) / 48
    vertices = np.stack([x, y, np.zeros(len(x))], axis=1).astype(np.float32)
    return Mesh(vertices, np.arange(len(x) // 3 * 3, dtype=np.int32).reshape(-1, 3))


def test_a_shape_that_looks_like_the_mirrored_cutout_is_told_of() -> None:
    cutout = wedge()
    alpha, right = cutout.rgba[..., 3], solid(cutout)
    wrong = Mesh(right.vertices * np.array([-1, 1, 1], np.float32), right.faces)
    assert front.mirror_note(right, fit_front_camera(right, alpha), alpha) == ""
    assert "mirror image" in front.mirror_note(wrong, fit_front_camera(wrong, alpha), alpha)
    # An object that is symmetric says nothing of it.
    round_ = disc()
    mesh = solid(Cutout(np.pad(round_.rgba, ((0, 36), (0, 16), (0, 0))), Box(0, 0, 96, 96)))
    assert front.mirror_note(mesh, fit_front_camera(mesh, round_.rgba[..., 3]), round_.rgba[..., 3]) == ""


def test_axes_of_other_handedness_keep_the_surface_outwards(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = reconstruct(weights, disc()).mesh
    monkeypatch.setattr(front, "AXES", ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)))
    assert signed_volume(front.canonical_axes(mesh)) == pytest.approx(signed_volume(mesh), rel=1e-4)

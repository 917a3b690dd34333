"""The shape stage on a very small checkpoint in the official layout: every part is real, only the weights are tiny."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_shape import write_checkpoint

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("yaml", reason="pyyaml is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from PIL import Image  # noqa: E402

from manymesh.box import Box  # noqa: E402
from manymesh.errors import Cancelled, ObjectError, UsageError  # noqa: E402
from manymesh.render.camera import fit_front_camera  # noqa: E402
from manymesh.render.silhouette import silhouette_iou  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.shape.common.surface import drop_small_components  # noqa: E402
from manymesh.shape.common.tries import seed_of_try  # noqa: E402
from manymesh.shape.hunyuan import STAGE  # noqa: E402
from manymesh.shape.hunyuan.models import VARIANTS  # noqa: E402
from manymesh.types import Cutout, Mesh, ShapeResult  # noqa: E402
from manymesh.weights import model  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    write_checkpoint(root)
    write_checkpoint(root, "hunyuan3d-dit-v2-mini-turbo", turbo=True)
    write_checkpoint(root, "hunyuan3d-dit-v2-mv", multi_view=True)
    return root


def disc(radius: int = 20, width: int = 80, height: int = 60, *, name: str = "") -> Cutout:
    y, x = np.mgrid[:height, :width]
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., 0] = x
    rgba[..., 3] = np.where((x - 30) ** 2 + (y - 25) ** 2 < radius**2, 255, 0)
    return Cutout(rgba, Box(0, 0, width, height), name or f"disc {radius}")


def reconstruct(weights: Path, cutout: Cutout, *, seed: int = 1, begin: bool = True, **options: object) -> ShapeResult:
    settings = Settings(weights_dir=weights, devices=("cpu",), **{"steps": 3, "grid": 32, **options})
    assert STAGE.missing(settings) is None
    with STAGE.open(settings) as shape:
        if begin:
            shape.begin([cutout])
        return shape(cutout, seed=seed, tick=lambda done: None)


def test_a_cutout_becomes_a_mesh_in_the_canonical_frame(weights: Path) -> None:
    made = reconstruct(weights, disc())
    low, high = made.mesh.vertices.min(axis=0), made.mesh.vertices.max(axis=0)
    assert (high - low).max() == 2
    assert np.abs(low + high).max() < 1e-6
    assert made.mesh.vertices.dtype == np.float32
    assert made.mesh.faces.dtype == np.int32


def test_the_same_seed_gives_the_same_bytes_with_and_without_begin(weights: Path) -> None:
    one = reconstruct(weights, disc())
    other = reconstruct(weights, disc(), begin=False)
    assert one.mesh.vertices.tobytes() == other.mesh.vertices.tobytes()
    assert one.mesh.faces.tobytes() == other.mesh.faces.tobytes()
    changed = reconstruct(weights, disc(), seed=2)
    assert changed.mesh.vertices.tobytes() != one.mesh.vertices.tobytes()


def test_an_object_does_not_depend_on_the_others(weights: Path) -> None:
    alone = reconstruct(weights, disc())
    settings = Settings(weights_dir=weights, devices=("cpu",), steps=3, grid=32)
    empty = Cutout(np.zeros((9, 9, 4), np.uint8), Box(0, 0, 9, 9), "empty")
    with STAGE.open(settings) as shape:
        shape.begin([disc(10), empty, disc()])
        shape(disc(10), seed=7, tick=lambda done: None)
        with pytest.raises(ObjectError, match="empty"):
            shape(empty, seed=8, tick=lambda done: None)
        beside = shape(disc(), seed=1, tick=lambda done: None)
    assert beside.mesh.vertices.tobytes() == alone.mesh.vertices.tobytes()


def test_every_level_of_memory_gives_the_same_shape(weights: Path) -> None:
    settings = Settings(weights_dir=weights, devices=("cpu",), steps=3, grid=32)
    meshes = []
    for level in STAGE.levels(settings):
        with STAGE.open_at(settings, level) as shape:
            shape.begin([disc()])
            meshes.append(shape(disc(), seed=1, tick=lambda done: None).mesh)
    assert len(meshes) >= 2
    for mesh in meshes[1:]:
        assert np.array_equal(mesh.faces, meshes[0].faces)
        assert np.abs(mesh.vertices - meshes[0].vertices).max() < 1e-4


def test_networks_go_as_soon_as_they_are_not_needed_without_collecting_garbage(weights: Path) -> None:
    def networks() -> set[str]:
        found = [thing for thing in gc.get_objects() if type(thing).__name__ in ("Conditioner", "Dit", "ShapeVae")]
        return {type(thing).__name__ for thing in found if id(thing) not in others}

    others: set[int] = set()
    gc.collect()
    others = {id(thing) for thing in gc.get_objects()}
    gc.disable()
    try:
        with STAGE.open(Settings(weights_dir=weights, devices=("cpu",), steps=3, grid=32)) as shape:
            shape.begin([disc()])
            assert networks() == set()
            shape(disc(), seed=1, tick=lambda done: None)
            assert networks() == {"Dit", "ShapeVae"}
        assert networks() == set()
    finally:
        gc.enable()


@pytest.mark.parametrize("options", [{"shape_model": "2mini-turbo", "steps": None}, {"decoding": "reference"}])
def test_other_models_and_decodings_run(weights: Path, options: dict[str, object]) -> None:
    assert len(reconstruct(weights, disc(), **options).mesh.faces) > 0


def test_an_image_larger_than_the_position_table_is_encoded(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hunyuan3d-dit-v2-mini-turbo", turbo=True, large_picture=True)
    made = reconstruct(tmp_path, disc(), shape_model="2mini-turbo", steps=None)
    assert len(made.mesh.faces) > 0


def test_the_fast_decoder_of_the_large_models_is_the_one_published_for_them() -> None:
    decoders = {name: variant.small_decoder for name, variant in VARIANTS.items()}
    assert decoders["2"] == decoders["2mv-turbo"] == "hunyuan3d-2-vae-turbo"
    assert all(model(name).stage == "shape" for name in decoders.values() if name)


def test_bfloat16_is_no_choice_for_shapes() -> None:
    with pytest.raises(ValueError, match="shape_precision"):
        Settings(shape_precision="bfloat16")


def test_more_tries_keep_all_and_use_the_best(weights: Path) -> None:
    made = reconstruct(weights, disc(), tries=3)
    assert len(made.others) == 2
    assert "best of 3" in made.notes[0]
    alpha = disc().rgba[..., 3]
    scores = [
        silhouette_iou(fit_front_camera(mesh, alpha), mesh.vertices, mesh.faces, alpha, 256)
        for mesh in (made.mesh, *made.others)
    ]
    assert scores == sorted(scores, reverse=True)
    first = reconstruct(weights, disc()).mesh.vertices.tobytes()
    assert first in [mesh.vertices.tobytes() for mesh in (made.mesh, *made.others)]


def test_the_first_try_has_the_objects_own_seed() -> None:
    seeds = [seed_of_try(42, number) for number in range(5)]
    assert seeds[0] == 42
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_second_view_changes_the_shape(weights: Path, tmp_path: Path) -> None:
    Image.fromarray(disc(12).rgba).save(tmp_path / "back.png")
    one = reconstruct(weights, disc(), shape_model="2mv")
    two = reconstruct(weights, disc(), shape_model="2mv", views=(f"back={tmp_path / 'back.png'}",))
    assert one.mesh.vertices.tobytes() != two.mesh.vertices.tobytes()


def test_views_are_refused_for_single_view_models_and_opaque_images(weights: Path, tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "opaque.png")
    with pytest.raises(UsageError, match="takes one view"):
        reconstruct(weights, disc(), views=("back=nowhere.png",))
    with pytest.raises(UsageError, match="not cut out"):
        reconstruct(weights, disc(), shape_model="2mv", views=(f"back={tmp_path / 'opaque.png'}",))
    with pytest.raises(ValueError, match="is not a view"):
        Settings(views=("top=x.png",))


def test_more_steps_than_a_distilled_model_has_are_refused(weights: Path) -> None:
    with pytest.raises(UsageError, match="at most 100 steps"):
        reconstruct(weights, disc(), shape_model="2mini-turbo", steps=200)


def test_cancelling_stops_at_every_progress_report(weights: Path) -> None:
    settings = Settings(weights_dir=weights, devices=("cpu",), steps=5, grid=32)
    with STAGE.open(settings) as shape:
        shape.begin([disc()])
        seen: list[float] = []
        shape(disc(), seed=1, tick=seen.append)
        assert seen == sorted(seen)
        assert len(seen) > 5
        for stop in range(len(seen)):
            left = iter(range(stop + 1))

            def tick(done: float, left: object = left) -> None:
                if next(left, None) is None:  # type: ignore[call-overload]
                    raise Cancelled("stopped")

            if stop + 1 < len(seen):
                with pytest.raises(Cancelled):
                    shape(disc(), seed=1, tick=tick)


def test_latents_that_are_not_finite_raise_an_object_error(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.shape.hunyuan import stage

    def broken(*arguments: object, **more: object) -> torch.Tensor:
        return torch.full((1, 12, 4), torch.nan)

    monkeypatch.setattr(stage, "initial_noise", broken)
    with pytest.raises(ObjectError, match="the shape transformer gave numbers that are not finite"):
        reconstruct(weights, disc())


@pytest.mark.parametrize(
    ("network", "spoiled", "options"),
    [
        ("image encoder", "main_image_encoder.model.layernorm.bias", {}),
        ("image encoder", "main_image_encoder.model.layernorm.bias", {"begin": False}),
        ("shape transformer", "latent_in.bias", {}),
        ("shape decoder", "post_kl.bias", {}),
        ("shape decoder", "geo_decoder.output_proj.bias", {}),
        ("shape decoder", "geo_decoder.output_proj.bias", {"decoding": "flash"}),
        ("shape decoder", "geo_decoder.output_proj.bias", {"decoding": "reference"}),
    ],
)
def test_a_network_that_runs_out_of_range_in_half_precision_runs_in_float32(
    weights: Path, monkeypatch: pytest.MonkeyPatch, network: str, spoiled: str, options: dict[str, object]
) -> None:
    from manymesh.shape.hunyuan import stage

    widened: list[str] = []
    real = stage.load_network

    def faulty(*arguments: object, dtype: torch.dtype, **more: object) -> torch.nn.Module:
        made: torch.nn.Module = real(*arguments, dtype=dtype, **more)  # type: ignore[arg-type, call-arg]
        if dtype == torch.float16 and (parameter := dict(made.named_parameters()).get(spoiled)) is not None:
            parameter.fill_(torch.nan)
        if dtype == torch.float32:
            widened.append(type(made).__name__)
        return made

    monkeypatch.setattr(stage, "load_network", faulty)
    made = reconstruct(weights, disc(), shape_precision="float16", **options)
    assert f"The {network} gave numbers that are not finite in float16; it ran in float32." in made.notes
    assert len(made.mesh.faces) > 0
    assert len(widened) == 1


def test_a_failed_try_does_not_stop_the_others(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.shape.hunyuan import stage

    real = stage.initial_noise

    def broken_once(seed: int, *arguments: object, **more: object) -> torch.Tensor:
        return real(seed, *arguments, **more) * (torch.nan if seed == 1 else 1)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "initial_noise", broken_once)
    made = reconstruct(weights, disc(), seed=1, tries=3)
    assert len(made.others) == 1
    assert any("1 of 3 tries failed" in note for note in made.notes)


def test_two_objects_with_equal_cutouts_are_both_encoded(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.shape.hunyuan import stage

    settings = Settings(weights_dir=weights, devices=("cpu",), steps=2, grid=24)
    with STAGE.open(settings) as shape:
        twins = [disc(name="one"), disc(name="two")]
        shape.begin(twins)
        monkeypatch.setattr(stage.ShapeModel, "_conditioner", None)  # it must not be needed again
        one, two = (shape(cutout, seed=1, tick=lambda done: None) for cutout in twins)
    assert one.mesh.vertices.tobytes() == two.mesh.vertices.tobytes()


def test_cutouts_without_an_id_are_not_taken_for_one_another(weights: Path) -> None:
    settings = Settings(weights_dir=weights, devices=("cpu",), steps=2, grid=24)
    small, large = replace(disc(10), object_id=""), replace(disc(20), object_id="")
    with STAGE.open(settings) as shape:
        shape.begin([small, large])
        made = shape(small, seed=1, tick=lambda done: None)
        again = shape(disc(10), seed=1, tick=lambda done: None)
    assert made.mesh.vertices.tobytes() == again.mesh.vertices.tobytes()


def test_absent_weights_are_reported_with_the_command(tmp_path: Path) -> None:
    text = STAGE.missing(Settings(weights_dir=tmp_path))
    assert text is not None
    assert "hunyuan3d-2mini" in text


def test_faint_alpha_does_not_change_the_shape(weights: Path) -> None:
    hazy = disc()
    hazy.rgba[:3, :, 3] = 9
    one, other = reconstruct(weights, disc()), reconstruct(weights, hazy)
    assert one.mesh.vertices.tobytes() == other.mesh.vertices.tobytes()


def test_small_components_are_dropped_as_by_drop_floaters() -> None:
    import trimesh

    from manymesh.mesh.clean.clean import drop_floaters

    parts = [trimesh.creation.icosphere(subdivisions=n).apply_translation([3 * n, 0, 0]) for n in (4, 1, 0, 3)]
    parts += [trimesh.creation.icosphere(subdivisions=0)]
    whole = trimesh.util.concatenate(parts)
    mesh = Mesh(whole.vertices.astype(np.float32), whole.faces.astype(np.int32))
    made, expected = drop_small_components(mesh), drop_floaters(mesh)
    assert 0 < len(made.faces) < len(mesh.faces)
    assert np.array_equal(made.faces, expected.faces)
    assert np.array_equal(made.vertices, expected.vertices)


def test_a_photo_becomes_glbs_with_this_shape_stage_and_lite_for_the_rest(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole pipeline with the lite engine's other stages: every stage real, only the weights tiny."""
    import trimesh
    from conftest import three_things

    from manymesh import engines
    from manymesh.pipeline import Pipeline

    stages = {**engines.ENGINES["lite"], "shape": "hunyuan3d"}
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "hunyuan": stages})
    shapes = {**engines.BUILTIN["shape"], "hunyuan3d": "manymesh.shape.hunyuan:STAGE"}
    monkeypatch.setattr(engines, "BUILTIN", {**engines.BUILTIN, "shape": shapes})
    three_things().save(tmp_path / "things.png")
    options = {"engine": "hunyuan", "max_objects": 2, "faces": 1500, "texture_size": 128, "steps": 2, "grid": 24}
    (run,) = Pipeline(Settings(weights_dir=weights, devices=("cpu",), **options)).make([tmp_path / "things.png"])
    assert [record.error for record in run.manifest.objects] == [None, None]
    for record in run.manifest.objects:
        mesh = trimesh.load(run.folder / record.files["mesh"].path, force="mesh", process=False)
        assert mesh.is_watertight
        assert 0 < len(mesh.faces) <= 1500
        assert (run.folder / record.files["model"].path).stat().st_size > 0

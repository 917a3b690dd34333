"""The shape stage on a very small checkpoint in the official layout: every part real, only the weights tiny."""

from __future__ import annotations

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
from manymesh.render.camera import project  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.shape.hunyuan import STAGE  # noqa: E402
from manymesh.shape.hunyuan.decode import without_crumbs  # noqa: E402
from manymesh.shape.hunyuan.models import VARIANTS  # noqa: E402
from manymesh.shape.hunyuan.stage import seed_of_try  # noqa: E402
from manymesh.shape.hunyuan.view import agreement, front_view, silhouette  # noqa: E402
from manymesh.types import Cutout, Mesh, ShapeResult  # noqa: E402
from manymesh.weights import model  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    write_checkpoint(root)
    write_checkpoint(root, "hunyuan3d-dit-v2-mini-turbo", turbo=True)
    write_checkpoint(root, "hunyuan3d-dit-v2-mv", multi_view=True)
    return root


def disc(radius: int = 20, width: int = 80, height: int = 60) -> Cutout:
    y, x = np.mgrid[:height, :width]
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., 0] = x
    rgba[..., 3] = np.where((x - 30) ** 2 + (y - 25) ** 2 < radius**2, 255, 0)
    return Cutout(rgba, Box(0, 0, width, height))


def sculpt(weights: Path, cutout: Cutout, *, seed: int = 1, begin: bool = True, **wishes: object) -> ShapeResult:
    settings = Settings(weights_dir=weights, devices=("cpu",), **{"steps": 3, "grid": 32, **wishes})
    assert STAGE.missing(settings) is None
    with STAGE.open(settings) as shape:
        if begin:
            shape.begin([cutout])
        return shape(cutout, seed=seed, tick=lambda done: None)


def test_a_cutout_becomes_a_mesh_in_the_houses_frame(weights: Path) -> None:
    made = sculpt(weights, disc())
    low, high = made.mesh.vertices.min(axis=0), made.mesh.vertices.max(axis=0)
    assert (high - low).max() == 2
    assert np.abs(low + high).max() < 1e-6
    assert made.mesh.vertices.dtype == np.float32
    assert made.mesh.faces.dtype == np.int32


def test_the_same_seed_gives_the_same_bytes_with_and_without_begin(weights: Path) -> None:
    one = sculpt(weights, disc())
    other = sculpt(weights, disc(), begin=False)
    assert one.mesh.vertices.tobytes() == other.mesh.vertices.tobytes()
    assert one.mesh.faces.tobytes() == other.mesh.faces.tobytes()
    changed = sculpt(weights, disc(), seed=2)
    assert changed.mesh.vertices.tobytes() != one.mesh.vertices.tobytes()


def test_an_object_does_not_depend_on_the_others(weights: Path) -> None:
    alone = sculpt(weights, disc())
    settings = Settings(weights_dir=weights, devices=("cpu",), steps=3, grid=32)
    empty = Cutout(np.zeros((9, 9, 4), np.uint8), Box(0, 0, 9, 9))
    with STAGE.open(settings) as shape:
        shape.begin([disc(10), empty, disc()])
        shape(disc(10), seed=7, tick=lambda done: None)
        with pytest.raises(ObjectError, match="empty"):
            shape(empty, seed=8, tick=lambda done: None)
        beside = shape(disc(), seed=1, tick=lambda done: None)
    assert beside.mesh.vertices.tobytes() == alone.mesh.vertices.tobytes()


@pytest.mark.parametrize("wishes", [{"shape_model": "2mini-turbo", "steps": None}, {"decoding": "reference"}])
def test_other_models_and_ways_run(weights: Path, wishes: dict[str, object]) -> None:
    assert len(sculpt(weights, disc(), **wishes).mesh.faces) > 0


def test_a_picture_larger_than_the_position_table_is_no_obstacle(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hunyuan3d-dit-v2-mini-turbo", turbo=True, large_picture=True)
    made = sculpt(tmp_path, disc(), shape_model="2mini-turbo", steps=None)
    assert len(made.mesh.faces) > 0


def test_the_fast_decoder_of_the_large_models_is_the_one_published_for_them() -> None:
    decoders = {name: variant.small_decoder for name, variant in VARIANTS.items()}
    assert decoders["2"] == decoders["2mv-turbo"] == "hunyuan3d-2-vae-turbo"
    assert all(model(name).stage == "shape" for name in decoders.values() if name)


def test_bfloat16_is_no_choice_for_shapes() -> None:
    with pytest.raises(ValueError, match="shape_precision"):
        Settings(shape_precision="bfloat16")


def test_more_tries_keep_all_and_use_the_best(weights: Path) -> None:
    made = sculpt(weights, disc(), tries=3)
    assert len(made.others) == 2
    assert "best of 3" in made.notes[0]
    alpha = disc().rgba[..., 3]
    scores = [agreement(mesh, front_view(mesh, alpha), alpha) for mesh in (made.mesh, *made.others)]
    assert scores == sorted(scores, reverse=True)
    first = sculpt(weights, disc()).mesh.vertices.tobytes()
    assert first in [mesh.vertices.tobytes() for mesh in (made.mesh, *made.others)]


def test_the_first_try_has_the_objects_own_seed() -> None:
    seeds = [seed_of_try(42, number) for number in range(5)]
    assert seeds[0] == 42
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_second_view_changes_the_shape(weights: Path, tmp_path: Path) -> None:
    Image.fromarray(disc(12).rgba).save(tmp_path / "back.png")
    one = sculpt(weights, disc(), shape_model="2mv")
    two = sculpt(weights, disc(), shape_model="2mv", views=(f"back={tmp_path / 'back.png'}",))
    assert one.mesh.vertices.tobytes() != two.mesh.vertices.tobytes()


def test_views_are_refused_where_they_make_no_sense(weights: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "opaque.png")
    with pytest.raises(UsageError, match="takes one view"):
        sculpt(weights, disc(), views=("back=nowhere.png",))
    with pytest.raises(UsageError, match="not cut out"):
        sculpt(weights, disc(), shape_model="2mv", views=(f"back={tmp_path / 'opaque.png'}",))
    with pytest.raises(ValueError, match="is not a view"):
        Settings(views=("top=x.png",))


def test_more_steps_than_a_distilled_model_has_are_refused(weights: Path) -> None:
    with pytest.raises(UsageError, match="at most 100 steps"):
        sculpt(weights, disc(), shape_model="2mini-turbo", steps=200)


def test_stopping_is_heeded_at_every_stage_of_an_object(weights: Path) -> None:
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


def test_numbers_that_are_not_finite_are_that_objects_error(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.shape.hunyuan import stage

    def broken(*arguments: object, **more: object) -> torch.Tensor:
        return torch.full((1, 12, 4), torch.nan)

    monkeypatch.setattr(stage, "noise", broken)
    with pytest.raises(ObjectError, match="not finite") as caught:
        sculpt(weights, disc())
    assert "--shape-precision" in caught.value.hint


def test_a_try_that_fails_costs_no_other(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.shape.hunyuan import stage

    real = stage.noise

    def broken_once(seed: int, *arguments: object, **more: object) -> torch.Tensor:
        return real(seed, *arguments, **more) * (torch.nan if seed == 1 else 1)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "noise", broken_once)
    made = sculpt(weights, disc(), seed=1, tries=3)
    assert len(made.others) == 1
    assert any("1 of 3 tries failed" in note for note in made.notes)


def test_two_objects_with_one_picture_are_both_ready(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.shape.hunyuan import stage

    settings = Settings(weights_dir=weights, devices=("cpu",), steps=2, grid=24)
    with STAGE.open(settings) as shape:
        shape.begin([disc(), disc()])
        monkeypatch.setattr(stage.ShapeModel, "_conditioner", None)  # it must not be needed again
        one, two = (shape(disc(), seed=seed, tick=lambda done: None) for seed in (1, 1))
    assert one.mesh.vertices.tobytes() == two.mesh.vertices.tobytes()


def test_absent_weights_are_told_with_the_command(tmp_path: Path) -> None:
    text = STAGE.missing(Settings(weights_dir=tmp_path))
    assert text is not None
    assert "hunyuan3d-2mini" in text


def test_a_haze_that_nobody_sees_changes_nothing(weights: Path) -> None:
    hazy = disc()
    hazy.rgba[:3, :, 3] = 9
    one, other = sculpt(weights, disc()), sculpt(weights, hazy)
    assert one.mesh.vertices.tobytes() == other.mesh.vertices.tobytes()


def test_crumbs_go_as_the_house_drops_floaters() -> None:
    import trimesh

    from manymesh.mesh.clean.clean import drop_floaters

    parts = [trimesh.creation.icosphere(subdivisions=n).apply_translation([3 * n, 0, 0]) for n in (4, 1, 0, 3)]
    parts += [trimesh.creation.icosphere(subdivisions=0)]
    whole = trimesh.util.concatenate(parts)
    mesh = Mesh(whole.vertices.astype(np.float32), whole.faces.astype(np.int32))
    made, expected = without_crumbs(mesh), drop_floaters(mesh)
    assert 0 < len(made.faces) < len(mesh.faces)
    assert np.array_equal(made.faces, expected.faces)
    assert np.array_equal(made.vertices, expected.vertices)


def ball(scale: tuple[float, float, float]) -> Mesh:
    import trimesh

    body = trimesh.creation.icosphere(subdivisions=3)
    return Mesh((body.vertices * scale).astype(np.float32), body.faces.astype(np.int32))


def test_the_view_lays_the_mesh_onto_the_cutout() -> None:
    cutout = disc()
    alpha = cutout.rgba[..., 3]
    mesh = ball((1, 1, 0.4))
    view = front_view(mesh, alpha)
    assert agreement(mesh, view, alpha) > 0.95
    height, width = alpha.shape
    edge, _ = project(view, [[0, 1, 0], [1, 0, 0], [0, 0, 0.4]], width, height)
    assert edge == pytest.approx(np.array([[30.5, 6], [50, 25.5], [30.5, 25.5]]), abs=0.6)
    assert (silhouette(mesh, view, height, width) & (alpha == 0)).mean() < 0.02


def test_a_mesh_of_other_proportions_agrees_less() -> None:
    alpha = disc().rgba[..., 3]
    scores = [agreement(mesh, front_view(mesh, alpha), alpha) for mesh in (ball((1, 1, 1)), ball((1, 0.5, 1)))]
    assert scores[0] > scores[1] + 0.1


def test_a_photo_walks_to_painted_glbs_with_this_shape_stage(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way, with the light stages around it: every stage real, only the weights tiny."""
    import trimesh
    from conftest import three_things

    from manymesh import engines
    from manymesh.pipeline import Pipeline

    stages = {**engines.ENGINES["lite"], "shape": "hunyuan3d"}
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "hunyuan": stages})
    shapes = {**engines.BUILTIN["shape"], "hunyuan3d": "manymesh.shape.hunyuan:STAGE"}
    monkeypatch.setattr(engines, "BUILTIN", {**engines.BUILTIN, "shape": shapes})
    three_things().save(tmp_path / "things.png")
    wishes = {"engine": "hunyuan", "max_objects": 2, "faces": 1500, "texture_size": 128, "steps": 2, "grid": 24}
    (run,) = Pipeline(Settings(weights_dir=weights, devices=("cpu",), **wishes)).make([tmp_path / "things.png"])
    assert [record.error for record in run.manifest.objects] == [None, None]
    for record in run.manifest.objects:
        mesh = trimesh.load(run.folder / record.files["mesh"].path, force="mesh", process=False)
        assert mesh.is_watertight
        assert 0 < len(mesh.faces) <= 1500
        assert (run.folder / record.files["model"].path).stat().st_size > 0

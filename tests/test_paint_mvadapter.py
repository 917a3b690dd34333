"""MV-Adapter: parity with the fixtures, and the stage on very small checkpoints in the official layout."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parity_path import parity_dir
from PIL import Image
from render_shapes import cube_atlas
from tiny_mvadapter import ADAPTERS, SD21, write_sd21, write_sdxl

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from typer.testing import CliRunner  # noqa: E402

from manymesh.box import Box  # noqa: E402
from manymesh.cli.app import app  # noqa: E402
from manymesh.dev.parity import rows_of  # noqa: E402
from manymesh.errors import NotFiniteError, ObjectError, UsageError, WeightsError  # noqa: E402
from manymesh.paint.finish import fill_painted, map_in_threads  # noqa: E402
from manymesh.paint.gpu.bake import project_views  # noqa: E402
from manymesh.paint.mvadapter import STAGE, bake, control_maps, exposure, stage  # noqa: E402
from manymesh.paint.mvadapter.attention import along_rows_and_columns  # noqa: E402
from manymesh.paint.mvadapter.checkpoint import Checkpoint  # noqa: E402
from manymesh.paint.mvadapter.models import BASES  # noqa: E402
from manymesh.paint.mvadapter.schedule import schedule_of  # noqa: E402
from manymesh.render.camera import orthographic  # noqa: E402
from manymesh.render.normals import area_weighted_vertex_normals  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.types import Atlas, Bool, Cutout, Mesh, TexturedMesh  # noqa: E402
from manymesh.weights.catalogue import MODELS, model  # noqa: E402
from manymesh.weights.families import OPEN_RAIL  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = {"paint_steps": 2, "paint_view_size": 64, "texture_size": 64}
VIEW = orthographic(1.2)


def still(share: float) -> None:
    pass


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sdxl(write_sd21(tmp_path_factory.mktemp("weights")))


def ball() -> Mesh:
    atlas = cube_atlas(6, ball=True)
    first, vertices = np.unique(atlas.source, return_index=True)[1], atlas.vertices
    return Mesh(vertices[first], np.searchsorted(np.unique(atlas.source), atlas.source[atlas.faces]).astype(np.int32))


def disc(shift: int = 0) -> Cutout:
    y, x = np.mgrid[:100, :120]
    rgba = np.zeros((100, 120, 4), np.uint8)
    rgba[..., 0], rgba[..., 1], rgba[..., 2] = 2 * x, 2 * y, 90 + shift
    rgba[..., 3] = np.where((x - 60) ** 2 + (y - 50) ** 2 < 40**2, 255, 0)
    return Cutout(rgba, Box(0, 0, 120, 100), f"disc {shift}")


def settings_of(weights: Path, **wishes: object) -> Settings:
    return Settings(weights_dir=weights, devices=("cpu",), **{**QUICK, **wishes})


def painted(weights: Path, *, seed: int = 1, begin: bool = True, **wishes: object) -> TexturedMesh:
    settings = settings_of(weights, **wishes)
    assert STAGE.missing(settings) is None
    with STAGE.open(settings) as paint:
        if begin:
            paint.begin([disc()])
        return paint(ball(), VIEW, disc(), seed=seed, tick=still)


@pytest.fixture(scope="module")
def usual(weights: Path) -> TexturedMesh:
    return painted(weights)


def test_every_row_of_the_fixtures_passes() -> None:
    rows = list(rows_of(parity_dir("mvadapter")))
    assert len(rows) > 150
    assert [row.name for row in rows if not row.passed] == []


def test_a_mesh_and_a_cutout_become_a_textured_mesh(usual: TexturedMesh) -> None:
    assert usual.base_color.shape == (64, 64, 3)
    assert usual.base_color.std() > 5
    assert usual.details["painted"] > 0.3
    assert {"unwrap", "maps", "views", "bake", "fill"} <= usual.details["seconds"].keys()


def test_the_same_seed_gives_the_same_bytes_with_and_without_begin(weights: Path, usual: TexturedMesh) -> None:
    assert painted(weights, begin=False).base_color.tobytes() == usual.base_color.tobytes()


def test_the_picture_reaches_the_texture_and_the_networks_are_gone_after(weights: Path, usual: TexturedMesh) -> None:
    empty = Cutout(np.zeros((40, 40, 4), np.uint8), Box(0, 0, 40, 40), "empty")
    gc.disable()  # nothing may wait for the collector: a GPU's memory is short
    with STAGE.open(settings_of(weights)) as paint:
        paint.begin([empty, disc(90)])
        with pytest.raises(ObjectError, match="empty"):  # and the other is painted
            paint(ball(), VIEW, empty, seed=1, tick=still)
        other = paint(ball(), VIEW, disc(90), seed=1, tick=still)
        network = weakref.ref(paint._sampler.network)
        assert network() is not None
    gone = network() is None
    gc.enable()
    assert gone
    assert other.base_color.tobytes() != usual.base_color.tobytes()


def test_every_level_of_memory_gives_the_same_picture(weights: Path, usual: TexturedMesh) -> None:
    settings = settings_of(weights, paint_memory="high")
    levels = STAGE.levels(settings)
    assert [level.reserved_bytes for level in levels] == sorted((lv.reserved_bytes for lv in levels), reverse=True)
    with STAGE.open_at(settings, levels[0]) as paint:
        made = paint(ball(), VIEW, disc(), seed=1, tick=still)
    assert np.abs(made.base_color.astype(int) - usual.base_color).max() <= 1


def test_xl_paints_with_its_own_text_encoders_and_autoencoder(weights: Path, usual: TexturedMesh) -> None:
    made = painted(weights, paint_base="sdxl")
    assert made.base_color.std() > 5
    assert made.base_color.tobytes() != usual.base_color.tobytes()


def test_numbers_out_of_range_are_said_and_not_baked(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with STAGE.open(settings_of(weights)) as paint:
        real = paint._maps
        monkeypatch.setattr(paint, "_maps", lambda *how: (real(*how)[0], real(*how)[1] * np.float32("nan")))
        with pytest.raises(NotFiniteError, match="condition encoder"):
            paint(ball(), VIEW, disc(), seed=1, tick=still)


def test_a_cutout_whose_latents_are_not_finite_fails_alone(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = replace(disc(), object_id="good"), replace(disc(5), object_id="bad")
    real, made = stage.pictures.encode, []

    def encode(*how: object) -> torch.Tensor:
        made.append(real(*how))
        return made[-1] * float("nan") if len(made) == 1 else made[-1]

    with STAGE.open(settings_of(weights)) as paint:
        monkeypatch.setattr(stage.pictures, "encode", encode)
        paint.begin([bad, good])
        assert list(paint._references) == ["good"]
        with pytest.raises(NotFiniteError) as caught:
            paint(ball(), VIEW, bad, seed=1, tick=still)
        assert not any(frame.name == "_read_all" for frame in caught.traceback)
        paint._failures["old"] = caught.value
        paint.begin([])
        assert not paint._failures


def changed(weights: Path, tmp_path: Path, part: str, change: object) -> Path:
    """The base's folders, with one JSON file changed."""
    for folder in (SD21, ADAPTERS):
        (tmp_path / folder).mkdir()
        for path in (weights / folder).iterdir():
            (tmp_path / folder / path.name).symlink_to(path)
    target = tmp_path / SD21 / part
    content = json.loads(target.read_text()) | change  # type: ignore[operator]
    folder = target.parent
    source = folder.resolve()
    folder.unlink()
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).symlink_to(path)
    target.unlink()
    target.write_text(json.dumps(content))
    return tmp_path


def test_a_base_that_predicts_v_is_refused_by_name(weights: Path, tmp_path: Path) -> None:
    other = changed(weights, tmp_path, "scheduler/scheduler_config.json", {"prediction_type": "v_prediction"})
    with pytest.raises(WeightsError, match="stable-diffusion-2-1-base") as caught, STAGE.open(settings_of(other)):
        pass
    assert "models pull sd21-base" in str(caught.value)


@pytest.mark.parametrize("wrong", ["missing", "extra", "shape"])
def test_an_adapter_with_other_keys_is_refused_before_anything_is_loaded(
    weights: Path, tmp_path: Path, wrong: str
) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights / ADAPTERS / BASES["sd21"].adapter_file)
    key = "mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_ref.0.bias"
    if wrong == "missing":
        del tensors[key]
    elif wrong == "extra":
        tensors["unet.something"] = torch.zeros(2)
    else:
        tensors[key] = torch.zeros(3)
    path = tmp_path / "adapter.safetensors"
    save_file(tensors, path)
    with pytest.raises(WeightsError):
        Checkpoint(weights / SD21, path, None, False).check()


def test_other_than_six_square_views_are_refused() -> None:
    with pytest.raises(ValueError, match="4 views"):
        along_rows_and_columns(torch.zeros(4, 16, 24), 4, 2)
    with pytest.raises(ValueError, match="square"):
        along_rows_and_columns(torch.zeros(6, 15, 24), 6, 2)
    with pytest.raises(UsageError, match="multiple of 64"):
        BASES["sd21"].size(96)


def test_more_steps_than_there_are_are_refused(weights: Path) -> None:
    noise = Checkpoint(weights / SD21, weights, None, False).noise
    with pytest.raises(UsageError):
        schedule_of(noise, 1000, "ddpm")


def colored_views(side: int) -> np.ndarray:
    """(6, S, S, 3): a colour for each view, and a dark square in its upper left quarter."""
    colors = [(220, 60, 60), (60, 200, 60), (60, 90, 230), (230, 200, 50), (60, 210, 210), (200, 70, 200)]
    views = np.broadcast_to(np.array(colors, np.uint8)[:, None, None], (6, side, side, 3)).copy()
    views[:, side // 5 : side // 3, side // 5 : side // 3] = 10
    return views


def masks_of(atlas: Atlas, side: int) -> Bool:
    normals = area_weighted_vertex_normals(atlas.vertices, atlas.faces, weld=atlas.source)
    rasters, _ = control_maps.control_maps(
        *(atlas.vertices, atlas.faces, normals, side), lambda one, count: map_in_threads(one, count, still)
    )
    return np.stack([raster.mask for raster in rasters])


def test_each_view_paints_its_own_side_upright_and_not_mirrored() -> None:
    atlas, side, size = cube_atlas(4), 96, 96
    views = colored_views(side)
    baked = bake.bake(atlas, views, masks_of(atlas, side), size, still)
    texture = fill_painted(baked.texture, baked.painted, atlas)
    # Directions of the six sides as this package's frame has them, and of the picture's right and up.
    sides = [
        ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
        ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
        ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
        ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
        ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
        ((0, -1, 0), (-1, 0, 0), (0, 0, -1)),
    ]
    for number, (normal, right, up) in enumerate(np.array(sides, float)):
        for across, above, dark in ((-0.5, 0.5, True), (0.5, 0.5, False), (-0.5, -0.5, False), (0.5, -0.5, False)):
            found = color_at(texture, atlas, normal + across * right + above * up)
            where = number, across, above
            assert (found.max() < 20) == dark, where
            if not dark:  # the exposure of the six is evened, so only the hue is the view's
                hue = found / found.max() - views[number, side // 2, side // 2] / views[number].max()
                assert np.abs(hue).max() < 0.05, where


def color_at(texture: np.ndarray, atlas: Atlas, point: np.ndarray) -> np.ndarray:
    """The texture's colour at the texel whose place is nearest to a point of the surface."""
    from manymesh.render.texels import texels

    surface = texels(atlas, len(texture))
    near = np.argmin(((surface.position - point) ** 2).sum(axis=1))
    return texture.reshape(-1, 3)[surface.raster.pixel[near]]


def test_baking_in_torch_agrees_with_numpy() -> None:
    atlas, side, size = cube_atlas(4, ball=True), 64, 64
    views, masks = colored_views(side), masks_of(atlas, side)
    numpy = bake.bake(atlas, views, masks, size, still)
    cameras = control_maps.six_cameras()
    how = (size, torch.device("cpu"), bake.MAX_ANGLE_DEG, bake.EXPONENT, still)
    pixel, seen = project_views(atlas, cameras, views, masks, *how)
    device = bake.blended(pixel, seen, size)
    both = numpy.painted & device.painted
    assert both.sum() > 0.9 * device.painted.sum()
    assert np.abs(numpy.texture - device.texture)[both].mean() < 0.01


def test_views_that_are_lit_differently_become_even() -> None:
    generator = np.random.default_rng(0)
    true = generator.uniform(0.3, 0.6, (400, 3)).astype(np.float32)
    light = np.array([1.0, 1.15, 0.9, 1.0, 1.1, 0.95], np.float32)
    weights = (generator.uniform(0, 1, (6, 400)) > 0.4).astype(np.float32)
    factors = exposure.exposure_factors(true * light[:, None, None], weights)
    assert np.abs(factors * light - 1).max() < 0.03
    assert abs(factors[0] - 1) < 0.02


def test_the_catalogue_pins_every_file_of_weights_and_shows_the_restrictions() -> None:
    ours = [m for m in MODELS if "mv_adapter" in m.self_check or "mvadapter" in m.self_check]
    assert {m.id for m in ours} == {name for base in BASES.values() for name in base.weights}
    for m in ours:
        assert m.revision is not None
        assert all(file.sha256 and file.bytes for file in m.files if file.name.endswith(".safetensors"))
    assert model("sdxl-base").licence is OPEN_RAIL
    assert model("sd21-base").licence.id == OPEN_RAIL.id
    assert "xl" not in model("sd21-base").licence.url
    assert "Attachment A" in " ".join(OPEN_RAIL.terms)
    assert "Attachment A" in STAGE.licence


def test_the_view_size_is_the_bases_own_unless_another_is_asked_for(weights: Path) -> None:
    assert BASES["sdxl"].size(Settings().paint_view_size) == 768
    assert BASES["sd21"].size(Settings().paint_view_size) == 512
    assert BASES["sd21"].size(640) == 640
    assert BASES["sdxl"].size(512) == 512  # as asked for
    assert stage.SIX == 6


def test_a_mesh_of_the_users_is_painted_from_the_command_line(weights: Path, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    Image.fromarray(disc().rgba).save(tmp_path / "photo.png")
    trimesh.creation.icosphere(subdivisions=2).export(tmp_path / "ball.glb")
    arguments = ["paint", str(tmp_path / "ball.glb"), "--image", str(tmp_path / "photo.png"), "--engine", "lite"]
    arguments += ["--painter", "mv-adapter", "--weights-dir", str(weights), "--device", "cpu", "--paint-steps", "2"]
    arguments += ["--paint-view-size", "64", "--texture-size", "64", "--out", str(tmp_path / "out"), "--json"]
    made = CliRunner().invoke(app, arguments)
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert {"views", "bake", "fill"} <= document["details"]["seconds"].keys()
    record = json.loads((Path(document["folder"]) / "paint.json").read_text("utf-8"))
    assert record["painter"] == "mv-adapter"
    assert "Attachment A" in record["licence"]
    assert (Path(document["folder"]) / "model.glb").is_file()

"""The paint stage on very small checkpoints in the official layout: every part real, only the weights tiny."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from render_shapes import cube_atlas
from tiny_paint import DELIGHT, PAINT, write_all

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from manymesh.box import Box  # noqa: E402
from manymesh.errors import Cancelled, ObjectError, UsageError  # noqa: E402
from manymesh.paint.diffusion import denoise  # noqa: E402
from manymesh.paint.diffusion.denoise import Denoiser  # noqa: E402
from manymesh.paint.diffusion.diffusion_schedule import DiffusionSchedule  # noqa: E402
from manymesh.paint.hunyuan import STAGE  # noqa: E402
from manymesh.paint.photo_detail import SharpPhoto, blend_photo_detail  # noqa: E402
from manymesh.render.camera import orthographic  # noqa: E402
from manymesh.render.raster import interpolate, raster_view  # noqa: E402
from manymesh.render.texels import texels  # noqa: E402
from manymesh.settings import Settings  # noqa: E402
from manymesh.types import Camera, Cutout, Mesh, TexturedMesh  # noqa: E402

QUICK = {"paint_steps": 2, "delight_steps": 2, "paint_view_size": 64, "render_size": 96, "texture_size": 64}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("weights"))


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


VIEW = orthographic(120 / 80, 100 / 80)


def settings_of(weights: Path, **wishes: object) -> Settings:
    return Settings(weights_dir=weights, devices=("cpu",), **{**QUICK, **wishes})


def painted(weights: Path, *, seed: int = 1, begin: bool = True, **wishes: object) -> TexturedMesh:
    settings = settings_of(weights, **wishes)
    assert STAGE.missing(settings) is None
    with STAGE.open(settings) as paint:
        if begin:
            paint.begin([disc()])
        return paint(ball(), VIEW, disc(), seed=seed, tick=lambda done: None)


@pytest.fixture(scope="module")
def usual(weights: Path) -> TexturedMesh:
    return painted(weights)


def test_a_mesh_and_a_cutout_become_a_textured_mesh(usual: TexturedMesh) -> None:
    assert usual.base_color.shape == (64, 64, 3)
    assert usual.base_color.dtype == np.uint8
    assert usual.base_color.std() > 5
    assert usual.details["painted"] > 0.3
    assert {"unwrap", "maps", "views", "bake", "fill"} <= usual.details["seconds"].keys()


def test_the_same_seed_gives_the_same_bytes_with_and_without_begin(weights: Path, usual: TexturedMesh) -> None:
    assert painted(weights, begin=False).base_color.tobytes() == usual.base_color.tobytes()


def test_the_runs_seed_and_the_objects_reach_the_texture(weights: Path, usual: TexturedMesh) -> None:
    assert painted(weights, seed=2).base_color.tobytes() != usual.base_color.tobytes()
    assert painted(weights, **{"seed": 1}).base_color.tobytes() == usual.base_color.tobytes()
    with STAGE.open(settings_of(weights).model_copy(update={"seed": 9})) as paint:
        other = paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None)
    assert other.base_color.tobytes() != usual.base_color.tobytes()


def test_the_reference_setting_knows_no_seed(weights: Path) -> None:
    one, other = (painted(weights, seed=seed, painting="reference") for seed in (1, 2))
    assert one.base_color.tobytes() == other.base_color.tobytes()


@pytest.mark.parametrize("memory", ["low", "high"])
def test_the_picture_does_not_depend_on_the_memory_setting(weights: Path, usual: TexturedMesh, memory: str) -> None:
    made = painted(weights, paint_memory=memory).base_color.astype(int)
    assert np.abs(made - usual.base_color).max() <= 1


def test_every_level_of_memory_gives_the_same_picture(weights: Path, usual: TexturedMesh) -> None:
    settings = settings_of(weights)
    levels = STAGE.levels(settings)
    assert len(levels) >= 3
    for level in levels:
        with STAGE.open_at(settings, level) as paint:
            made = paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None).base_color.astype(int)
        assert np.abs(made - usual.base_color).max() <= 1


def test_networks_go_as_soon_as_they_are_not_needed_without_collecting_garbage(weights: Path) -> None:
    def networks() -> set[str]:
        kinds = ("TextEncoder", "UNet", "ReferenceUNet", "MultiviewUNet", "ImageVae")
        found = [thing for thing in gc.get_objects() if type(thing).__name__ in kinds and id(thing) not in others]
        return {type(thing).__name__ for thing in found}

    others: set[int] = set()
    gc.collect()
    others = {id(thing) for thing in gc.get_objects()}
    gc.disable()
    try:
        with STAGE.open(settings_of(weights)) as paint:
            paint.begin([disc()])
            assert networks() == set()
            paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None)
            assert networks() == {"MultiviewUNet", "ImageVae"}
        assert networks() == set()
    finally:
        gc.enable()


def test_an_object_does_not_depend_on_the_others(weights: Path, usual: TexturedMesh) -> None:
    empty = Cutout(np.zeros((9, 9, 4), np.uint8), Box(0, 0, 9, 9), "empty")
    with STAGE.open(settings_of(weights)) as paint:
        paint.begin([disc(50), empty, disc()])
        other = paint(ball(), VIEW, disc(50), seed=7, tick=lambda done: None)
        with pytest.raises(ObjectError, match="empty"):
            paint(ball(), VIEW, empty, seed=8, tick=lambda done: None)
        beside = paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None)
    assert beside.base_color.tobytes() == usual.base_color.tobytes()
    assert other.base_color.tobytes() != usual.base_color.tobytes()


@pytest.mark.parametrize(
    "wishes",
    [
        {"paint_model": "2-turbo", "paint_steps": 30},
        {"delight": False},
        {"paint_guidance": 1.0},
        {"paint_views": "0:0:1,180:0:1,60:20:0.3"},
        {"paint_precision": "float32", "bake_exponent": 1, "bake_angle": 60, "photo_margin": 0.5},
    ],
    ids=str,
)
def test_other_settings_reach_the_texture(weights: Path, usual: TexturedMesh, wishes: dict[str, object]) -> None:
    assert painted(weights, **wishes).base_color.tobytes() != usual.base_color.tobytes()


def test_a_mesh_that_brings_texture_coordinates_keeps_them(weights: Path) -> None:
    atlas = cube_atlas(6, ball=True)
    with STAGE.open(settings_of(weights)) as paint:
        made = paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None, atlas=atlas)
    assert made.atlas is atlas


def test_turbo_has_its_own_steps(weights: Path) -> None:
    with pytest.raises(UsageError, match="10 steps"):
        painted(weights, paint_model="2-turbo", paint_steps=12)


def test_cancel_is_heeded_while_denoising(weights: Path) -> None:
    def tick(done: float) -> None:
        if done > 0.3:
            raise Cancelled("stop")

    with STAGE.open(settings_of(weights)) as paint, pytest.raises(Cancelled):
        paint(ball(), VIEW, disc(), seed=1, tick=tick)


def test_networks_are_gone_when_the_stage_is_closed(weights: Path) -> None:
    import gc
    import weakref

    with STAGE.open(settings_of(weights)) as paint:
        paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None)
        network = weakref.ref(paint._painter.network)
        assert network() is not None
        del paint
    gc.collect()
    assert network() is None


def test_what_is_missing_is_named_with_the_command(tmp_path: Path) -> None:
    settings = Settings()
    assert "manymesh models pull hunyuan3d-paint" in str(STAGE.missing(settings))
    assert "pull hunyuan3d-paint-turbo" in str(STAGE.missing(Settings(paint_model="2-turbo")))
    assert f"{PAINT}/" in str(STAGE.missing(Settings(weights_dir=tmp_path)))


def test_without_delight_its_weights_are_not_asked_for(weights: Path, tmp_path: Path) -> None:
    (tmp_path / PAINT).symlink_to(weights / PAINT)
    assert DELIGHT in str(STAGE.missing(Settings(weights_dir=tmp_path)))
    assert STAGE.missing(Settings(weights_dir=tmp_path, delight=False)) is None


def detailed(points: np.ndarray) -> np.ndarray:
    return np.repeat(0.5 + 0.3 * np.sign(np.sin(60 * points[:, :1])), 3, axis=1).astype(np.float32)


def mixed(view: Camera, half: float = 1.2, size: int = 800, view_px: int = 512) -> tuple[float, float]:
    """Mean error near the front before and after the photo's stripes are mixed into a grey texture."""
    atlas, texture_px = cube_atlas(10, ball=True), 256
    surface = texels(atlas, texture_px)
    raster = raster_view(orthographic(half, half), atlas.vertices, atlas.faces, size, size)
    place = interpolate(atlas.vertices, atlas.faces, raster.face, raster.bary)
    rgb = raster.image((detailed(place) * 255).astype(np.uint8), 0)
    cutout = Cutout(np.dstack([rgb, np.where(raster.mask, 255, 0).astype(np.uint8)]), Box(0, 0, size, size))
    grey, painted = np.full((texture_px, texture_px, 3), 0.5, np.float32), np.ones((texture_px, texture_px), bool)
    made, _, _ = blend_photo_detail(grey, painted, atlas, view, cutout, SharpPhoto(rgb), view_px)
    front = surface.position[:, 2] > 0.9
    pixel, wanted = surface.raster.pixel[front], detailed(surface.position[front])
    return tuple(float(np.abs(t.reshape(-1, 3)[pixel] - wanted).mean()) for t in (grey, made))  # type: ignore[return-value]


def test_detail_comes_from_the_photo_where_it_agrees() -> None:
    before, after = mixed(orthographic(1.2, 1.2), view_px=20)  # views so coarse that the stripes are lost in them
    assert after < 0.5 * before


def test_no_detail_comes_from_a_photo_of_another_outline() -> None:
    before, after = mixed(orthographic(1.9, 1.9), view_px=20)
    assert after == before


def test_no_detail_comes_from_a_photo_that_is_no_sharper() -> None:
    before, after = mixed(orthographic(1.2, 1.2), size=300)
    assert after == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_captured_steps_give_the_same_picture(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_cuda() -> TexturedMesh:
        wishes = {"devices": ("cuda",), "paint_precision": "float32"}
        with STAGE.open(settings_of(weights).model_copy(update=wishes)) as paint:
            return paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None)

    captured = on_cuda()
    monkeypatch.setattr(denoise, "try_record", lambda step, device: (None, "steps run uncaptured: the test says so"))
    plain = on_cuda()
    assert not any("uncaptured" in note for note in captured.notes)
    assert any("the test says so" in note for note in plain.notes)
    assert np.abs(captured.base_color.astype(int) - plain.base_color).mean() < 0.5


def denoised(denoiser: Denoiser, seed: int) -> torch.Tensor:
    """Three steps of any numbers."""
    draw = torch.Generator().manual_seed(seed)
    times, scale, keep, answer, noise = np.random.default_rng(seed).random((5, 3))
    schedule = DiffusionSchedule(times, scale, keep, answer, noise, 2.0, np.zeros(0))
    start, embedded = torch.randn(denoiser.x.shape, generator=draw), torch.randn(3, 1, 6, generator=draw)
    return denoiser(start, schedule, embedded, lambda: torch.randn(denoiser.x.shape, generator=draw))


def test_a_step_that_was_captured_is_replayed_on_new_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a graph replays is the step on the same tensors: here on the CPU, without a graph."""
    recorded: list[torch.device] = []

    def try_record(step: Callable[[], None], device: torch.device) -> tuple[SimpleNamespace, str]:
        step()  # a capture runs the step before it is replayed
        recorded.append(device)
        return SimpleNamespace(replay=step), ""

    def predict(sample: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        return 0.3 * sample + time.mean()

    monkeypatch.setattr(denoise, "try_record", try_record)
    denoiser, plain = (
        Denoiser(predict, (1, 4, 8, 8), 6, device=torch.device("cpu"), dtype=torch.float32) for _ in range(2)
    )
    denoiser.use_graph = True  # as on CUDA
    for seed in (1, 2):
        assert torch.equal(denoised(denoiser, seed), denoised(plain, seed))
    assert len(recorded) == 1  # the second run replays what the first recorded


@pytest.mark.parametrize(
    ("network", "kind", "spoiled"),
    [
        ("delight text encoder", "TextEncoder", "final_layer_norm.bias"),
        ("delight network", "UNet", "conv_out.bias"),
        ("delight VAE", "ImageVae", "decoder.conv_out.bias"),
        ("delight VAE", "ImageVae", "quant_conv.bias"),
        ("reference network", "ReferenceUNet", "conv_in.bias"),
        ("paint network", "MultiviewUNet", "conv_out.bias"),
        ("paint VAE", "ImageVae", "decoder.conv_out.bias"),
        ("paint VAE", "ImageVae", "quant_conv.bias"),
    ],
)
def test_a_network_that_runs_out_of_range_runs_in_float32(
    weights: Path, monkeypatch: pytest.MonkeyPatch, network: str, kind: str, spoiled: str
) -> None:
    from manymesh.device.placement import Placement
    from manymesh.paint.hunyuan import networks

    # float64 stands for half precision, whose convolutions take half a minute on a CPU.
    monkeypatch.setattr(networks, "place", lambda *arguments, **more: Placement("cpu", "float64", "tests"))

    real, widened = networks.load_network, []

    def faulty(build, path, *, dtype, **more):
        made = real(build, path, dtype=dtype, **more)
        its_folder = (DELIGHT in str(path)) == network.startswith("delight")
        if dtype == torch.float64 and type(made).__name__ == kind and its_folder:
            made.get_parameter(spoiled).fill_(torch.nan)
        if dtype == torch.float32:
            widened.append(type(made).__name__)
        return made

    monkeypatch.setattr(networks, "load_network", faulty)
    made = painted(weights, begin="quant" not in spoiled, paint_steps=1, delight_steps=1)
    assert made.notes == (f"The {network} gave numbers that are not finite in float64; it ran in float32.",)
    assert made.base_color.std() > 5
    assert kind in widened


def test_a_photo_whose_numbers_are_never_finite_fails_alone(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manymesh.paint.hunyuan import delight

    real = delight.to_signed_batch

    def spoiled(pictures, device, dtype):
        signed = real(pictures, device, dtype)
        return signed * torch.nan if pictures[..., 2].min() < 150 else signed

    monkeypatch.setattr(delight, "to_signed_batch", spoiled)
    with STAGE.open(settings_of(weights)) as paint:
        paint.begin([disc(), disc(120)])
        with pytest.raises(ObjectError, match="the delight VAE gave numbers that are not finite"):
            paint(ball(), VIEW, disc(), seed=1, tick=lambda done: None)
        assert paint(ball(), VIEW, disc(120), seed=1, tick=lambda done: None).base_color.std() > 5

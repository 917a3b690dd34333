"""The painter's renderer in PyTorch against the same in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from parity_path import parity_dir
from render_shapes import cube_atlas, paint

torch = pytest.importorskip("torch", reason="torch is not installed")

from PIL import Image  # noqa: E402

from manymesh.paint.gpu import raster as raster_torch  # noqa: E402
from manymesh.paint.hunyuan.models import PaintView  # noqa: E402
from manymesh.paint.hunyuan.render import bake_torch, reference_camera  # noqa: E402
from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference  # noqa: E402
from manymesh.paint.hunyuan.surface import HostSurface  # noqa: E402
from manymesh.paint.hunyuan.surface_base import Drawing  # noqa: E402
from manymesh.paint.hunyuan.surface_torch import DeviceSurface  # noqa: E402
from manymesh.types import Atlas  # noqa: E402

VIEWS = tuple(
    PaintView(*item)
    for item in zip(
        reference_camera.AZIMUTHS_DEG, reference_camera.ELEVATIONS_DEG, reference_camera.VIEW_WEIGHTS, strict=True
    )
)
DRAWING = Drawing(VIEWS, render_px=192, view_px=64, texture_px=96)


def bumpy() -> Atlas:
    atlas = cube_atlas(14, ball=True)
    rise = 1 + 0.25 * np.sin(6 * atlas.vertices[:, :1]) * np.cos(5 * atlas.vertices[:, 1:2])
    return Atlas((atlas.vertices * rise).astype(np.float32), atlas.faces, atlas.uv, atlas.source, atlas.method)


def surfaces_of_both() -> tuple[HostSurface, DeviceSurface]:
    atlas = bumpy()
    return HostSurface(atlas, DRAWING), DeviceSurface(atlas, DRAWING, torch.device("cpu"))


@pytest.mark.parametrize("chunk", [1 << 22, 1000])
@pytest.mark.parametrize("size", [(64, 64), (150, 97)])
def test_the_rasters_are_the_same_to_the_bit(size: tuple[int, int], chunk: int) -> None:
    surface = surfaces_of_both()[0]
    for camera in surface.cameras:
        clip = camera.clip(surface.vertices)
        wanted = rasterise_reference(clip, surface.faces, *size)
        made = raster_torch.rasterise(torch.from_numpy(clip), torch.from_numpy(surface.faces).long(), *size, chunk)
        np.testing.assert_array_equal(made.pixel.numpy(), wanted.pixel)
        np.testing.assert_array_equal(made.face.numpy(), wanted.face)
        np.testing.assert_allclose(made.bary.numpy(), wanted.bary, atol=2e-7)


def test_the_rules_of_the_reference_hold() -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    name = "raster_rules.safetensors"
    data = safetensors.load_file(parity_dir("paint", name) / name)
    for end, shape in (("", (16, 16)), ("_persp", (16, 19))):
        faces = torch.from_numpy(data["faces"]).long()
        made = raster_torch.rasterise(torch.from_numpy(data[f"clip{end}"]), faces, *shape)
        np.testing.assert_array_equal(made.image(made.face + 1, 0).numpy(), data[f"findex{end}"])
        np.testing.assert_allclose(made.image(made.bary, 0).numpy(), data[f"bary{end}"], atol=2e-7)


def test_an_empty_picture_is_empty() -> None:
    clip = torch.tensor([[5.0, 5, 0, 1], [6, 5, 0, 1], [5, 6, 0, 1]])
    made = raster_torch.rasterise(clip, torch.tensor([[0, 1, 2]]), 8, 8)
    assert len(made.pixel) == 0
    assert len(raster_torch.rasterise(clip, torch.zeros((0, 3), dtype=torch.int64), 8, 8).pixel) == 0


def test_the_maps_are_the_same() -> None:
    host, device = surfaces_of_both()
    for made, wanted in zip(device.maps(), host.maps(), strict=True):
        apart = np.abs(made.astype(int) - wanted)
        assert apart.max() <= 1
        assert (apart > 0).mean() < 1e-3


def test_the_textures_are_the_same() -> None:
    host, device = surfaces_of_both()
    pictures = (paint(np.random.default_rng(0).uniform(-1, 1, (6 * 64 * 64, 3))) * 255).astype(np.uint8)
    pictures = pictures.reshape(6, 64, 64, 3)
    (made, made_mask), (wanted, wanted_mask) = device.bake(pictures), host.bake(pictures)
    np.testing.assert_array_equal(made_mask, wanted_mask)
    apart = np.abs(made - wanted).max(axis=2)
    assert (apart < 2e-5).mean() > 0.995
    assert 0.3 < made_mask.mean() < 1


def test_the_order_of_pixels_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    values, places = torch.rand(5000, 4, generator=generator), torch.rand(5000, 2, generator=generator)
    shuffled = torch.randperm(5000, generator=generator)
    one, other = (
        bake_torch.splat(values, places, 32),
        bake_torch.splat(values[shuffled], places[shuffled], 32, chunk=700),
    )
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [40, 150])
def test_pictures_are_resized_as_pillow_does(size: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    wanted: Any = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))
    made = bake_torch.resized(torch.from_numpy(picture), size).numpy()
    apart = np.abs(made.astype(int) - wanted)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.01


def test_texels_that_no_view_saw_are_filled_about_alike() -> None:
    from manymesh.paint.gpu.fill import fill_on_device
    from manymesh.paint.hunyuan.surface import fill_texture
    from manymesh.render.texels import texels

    atlas, size = bumpy(), 128
    surface = texels(atlas, size, gutter_px=0)
    texture = surface.raster.image(paint(surface.position), 0).astype(np.float32)
    painted = surface.raster.image(surface.position[:, 2] > -0.4, False)
    whole = fill_texture(texture, painted, atlas).astype(int)
    made = fill_on_device(texture * painted[:, :, None], painted, atlas, torch.device("cpu")).astype(int)
    inside = surface.raster.mask
    assert np.abs(made - whole)[painted].max() <= 1
    assert np.abs(made - whole)[inside & ~painted].mean() < 6
    assert np.abs(made - whole)[~inside].mean() < 12


def test_nothing_painted_is_grey() -> None:
    from manymesh.paint.gpu.fill import fill_on_device

    made = fill_on_device(np.zeros((32, 32, 3), np.float32), np.zeros((32, 32), bool), bumpy(), torch.device("cpu"))
    assert (made == 128).all()

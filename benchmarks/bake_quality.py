"""How well six views carry a known texture onto a mesh: rendered, baked back, seen again from 24 fresh cameras.

    python benchmarks/bake_quality.py                    # six procedural meshes, texture 1024
    python benchmarks/bake_quality.py Duck.glb Fox.glb   # and meshes of your own
    python benchmarks/bake_quality.py --pictures DIR     # also truth | baked | official | photo kept, side by side

The colour of a place is a function of the place alone, so truth is known everywhere and has no texture of its own. No
network takes part: the views are the truth's, at the size the painter makes them. Columns, PSNR in dB:

    painted   share of the used texels that any view painted, in hundredths
    2048      views at the render size: what baking itself loses
    512       views at 512, enlarged: what the painter's resolution loses
    official  the same with the official texture places and filling
    seen      as 512, over the pixels whose texel was painted
    photo     as 512, with the photo's detail kept where it saw the surface
    off 1 %   the same with a pose that is off by a hundredth of the mesh
    seam      error at seams over the error elsewhere, mip level 3 (1 is: no seam to be seen)
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from manymesh.box import Box
from manymesh.image.resample import sample
from manymesh.mesh.normalise import normalise
from manymesh.mesh.unwrap.unwrap import unwrap
from manymesh.paint import photo_detail
from manymesh.paint.hunyuan import surface, surface_base
from manymesh.paint.hunyuan.models import parse_views
from manymesh.render.camera import orthographic
from manymesh.render.raster import interpolate, raster_view
from manymesh.render.texels import texels
from manymesh.settings import Settings
from manymesh.types import F32, U8, Atlas, Camera, Cutout, Mesh

VIEWS = parse_views(Settings().paint_views)
RENDER_PX, CAMERA_PX, CAMERAS = 2048, 512, 24


def colour(points: np.ndarray) -> F32:
    """(n, 3) colours in [0, 1] of places: broad colours, stripes, dots and fine grain."""
    x, y, z = np.asarray(points, np.float64).T
    broad = np.stack([np.sin(2 * x + 1), np.sin(1.7 * y + x), np.sin(2.3 * z - y)], axis=1) * 0.2 + 0.5
    stripes = 0.12 * np.tanh(6 * np.sin(24 * y + 3 * np.sin(4 * x)))
    dots = 0.15 * np.tanh(5 * (np.sin(15 * x) * np.sin(15 * z) - 0.3))
    grain = 0.06 * np.sin(171 * x + 7 * y) * np.sin(153 * y - 5 * z) * np.sin(159 * z + 3 * x)
    return np.clip(broad + (stripes + grain)[:, None] + dots[:, None] * [1, -0.5, 0.6], 0, 1).astype(np.float32)


def grid_mesh(place: Callable[[np.ndarray, np.ndarray], np.ndarray], rows: int, columns: int) -> Mesh:
    """A closed tube: ``place`` takes two angles in [0, 2 pi)."""
    a, b = np.meshgrid(np.arange(rows) / rows, np.arange(columns) / columns, indexing="ij")
    points = place(a.ravel() * 2 * math.pi, b.ravel() * 2 * math.pi)
    i, j = (n.ravel() for n in np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"))
    k, m = (i + 1) % rows, (j + 1) % columns
    quads = np.stack([i * columns + j, k * columns + j, k * columns + m, i * columns + m], axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return outward(Mesh(points.astype(np.float32), faces.astype(np.int32)))


def outward(mesh: Mesh) -> Mesh:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    flipped = float(np.einsum("nc,nc->", a, np.cross(b, c))) < 0
    return Mesh(mesh.vertices, np.ascontiguousarray(mesh.faces[:, ::-1]) if flipped else mesh.faces)


def tube(path: Callable[[np.ndarray], np.ndarray], radius: float, rows: int = 220, columns: int = 36) -> Mesh:
    """A tube around a closed curve."""

    def place(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        centre, ahead = path(a), path(a + 1e-3) - path(a - 1e-3)
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        side = np.cross(ahead, np.add(centre, (0.1, 0.2, 0.3)))
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        up = np.cross(ahead, side)
        return centre + radius * (np.cos(b)[:, None] * side + np.sin(b)[:, None] * up)

    return grid_mesh(place, rows, columns)


def sphere(warp: Callable[[np.ndarray], np.ndarray], subdivisions: int = 5) -> Mesh:
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=subdivisions)
    return outward(Mesh(warp(np.asarray(ball.vertices)).astype(np.float32), np.asarray(ball.faces, np.int32)))


def bumpy(p: np.ndarray) -> np.ndarray:
    return p * (1 + 0.12 * np.sin(7 * p[:, :1]) * np.cos(5 * p[:, 1:2]) + 0.08 * np.sin(9 * p[:, 2:]))


def boxy(p: np.ndarray) -> np.ndarray:
    powered = np.sign(p) * np.abs(p) ** 0.35
    return powered / np.linalg.norm(powered, axis=1, keepdims=True) * (1 / np.abs(p).max(axis=1, keepdims=True)) ** 0.9


def bowl(p: np.ndarray) -> np.ndarray:
    """A thick-walled bowl: the upper half of a ball pressed into the lower."""
    up = p[:, 1] > 0
    inner = np.where(up[:, None], p * [0.8, -0.75, 0.8], p)
    return np.where((np.abs(p[:, 1]) < 0.08)[:, None], p * [0.95, 1, 0.95], inner)


def procedural() -> dict[str, Mesh]:
    def knot(t: np.ndarray) -> np.ndarray:
        r = 2 + np.cos(3 * t)
        return np.stack([r * np.cos(2 * t), r * np.sin(2 * t), np.sin(3 * t) * 1.2], axis=1)

    def ring(t: np.ndarray) -> np.ndarray:
        return np.stack([np.cos(t), np.sin(t) * 0.8, 0.2 * np.sin(2 * t)], axis=1)

    return {
        "bumpy ball": sphere(bumpy),
        "rounded box": sphere(boxy),
        "bowl": sphere(bowl),
        "ring": tube(ring, 0.35),
        "knot": tube(knot, 0.55, 320),
        "egg on its side": sphere(lambda p: p * [1, 0.55, 0.6] * (1 + 0.2 * p[:, :1])),
    }


@dataclass(frozen=True)
class Seen:
    """A picture's covered pixels: places on the surface and in the texture."""

    place: F32
    uv: F32


def look(atlas: Atlas, camera: Camera, size: int) -> Seen:
    raster = raster_view(camera, atlas.vertices, atlas.faces, size, size)
    values = interpolate(np.concatenate([atlas.vertices, atlas.uv], axis=1), atlas.faces, raster.face, raster.bary)
    return Seen(values[:, :3], values[:, 3:])


def cameras() -> list[Camera]:
    """All around, none where the painter's stand."""
    golden = math.pi * (3 - math.sqrt(5))
    made = []
    for i in range(CAMERAS):
        y = 1 - 2 * (i + 0.5) / CAMERAS
        angles = {"azimuth_deg": math.degrees(i * golden), "elevation_deg": math.degrees(math.asin(y))}
        made.append(orthographic(1.8, 1.8, **angles))
    return made


def psnr(error: np.ndarray) -> float:
    return 10 * math.log10(1 / max(float(np.mean(error**2)), 1e-12))


def truth_views(made: surface.HostSurface, atlas: Atlas, size: int) -> U8:
    """(V, size, size, 3) what a perfect painter would return."""
    made.maps()
    assert made.rasters is not None
    pictures = []
    for raster in made.rasters:
        place = interpolate(atlas.vertices, atlas.faces, raster.face, raster.bary)
        picture = raster.image((colour(place) * 255 + 0.5).astype(np.uint8), 255)
        pictures.append(surface.resize_square(picture, size))
    return np.stack(pictures)


def photo_of(atlas: Atlas, camera: Camera, size: int) -> Cutout:
    """The truth from the front, four samples a pixel."""
    raster = raster_view(camera, atlas.vertices, atlas.faces, 2 * size, 2 * size)
    place = interpolate(atlas.vertices, atlas.faces, raster.face, raster.bary)
    rgb = raster.image(colour(place), np.float32(0))
    mask = raster.image(np.ones(len(raster.pixel), np.float32), np.float32(0))
    shape = (size, 2, size, 2)
    alpha = mask.reshape(shape).mean(axis=(1, 3))
    mean = rgb.reshape(*shape, 3).sum(axis=(1, 3)) / np.maximum(mask.reshape(shape).sum(axis=(1, 3)), 1e-6)[..., None]
    rgba = np.dstack([mean, alpha])
    return Cutout((np.clip(rgba, 0, 1) * 255 + 0.5).astype(np.uint8), Box(0, 0, size, size))


def measure(name: str, mesh: Mesh, texture_px: int, pictures: Path | None) -> list[float]:
    mesh = normalise(mesh)[0]
    atlas = unwrap(mesh, texture_px)
    seen = [look(atlas, camera, CAMERA_PX) for camera in cameras()]
    places = np.concatenate([view.place for view in seen])
    uv = np.concatenate([view.uv for view in seen])
    wanted = colour(places)

    def error(texture: U8) -> np.ndarray:
        return sample(texture.astype(np.float32) / 255, uv * texture_px) - wanted

    def baked(view_px: int, exact: bool) -> tuple[U8, F32, np.ndarray]:
        drawing = surface_base.Drawing(VIEWS, RENDER_PX, view_px, texture_px, centred=not exact)
        made = surface.HostSurface(atlas, drawing)
        texture, painted = made.bake(truth_views(made, atlas, view_px))
        return surface.fill_texture(texture, painted, atlas, exact=exact), texture, painted

    full, _, _ = baked(RENDER_PX, False)
    small, texture, painted = baked(512, False)
    official, _, _ = baked(512, True)
    known = sample(painted.astype(np.float32)[:, :, None], uv * texture_px)[:, 0] > 0.99
    used = texels(atlas, texture_px, gutter_px=0)
    front = orthographic(1.1, 1.1)
    photo = photo_of(atlas, front, 1024)
    kept = []
    for camera in (front, orthographic(1.1, 1.1, target=(0.02, 0.0, 0.0))):
        sharp = photo_detail.SharpPhoto(photo.rgba[:, :, :3])
        mixed, mask, _ = photo_detail.blend_photo_detail(texture, painted, atlas, camera, photo, sharp)
        kept.append(surface.fill_texture(mixed, mask, atlas))
    if pictures is not None:
        save(pictures / f"{name.replace(' ', '-')}.png", atlas, [small, official, kept[0]], texture_px)
    share = float(painted.ravel()[used.raster.pixel].mean())
    return [
        100 * share,
        psnr(error(full)),
        psnr(error(small)),
        psnr(error(official)),
        psnr(error(small)[known]),
        psnr(error(kept[0])),
        psnr(error(kept[1])),
        seam_ratio(small, atlas, texture_px),
    ]


def seam_ratio(texture: U8, atlas: Atlas, texture_px: int, level: int = 3) -> float:
    """Mean error at the vertices on seams over that at the others, read from a coarser mip level."""
    block = 2**level
    side = texture_px // block
    mip = texture.astype(np.float32).reshape(side, block, side, block, 3).mean(axis=(1, 3)) / 255
    away = np.abs(sample(mip, atlas.uv * side) - colour(atlas.vertices)).mean(axis=1)
    repeated = np.bincount(atlas.source)[atlas.source] > 1
    return float(away[repeated].mean() / away[~repeated].mean())


def save(path: Path, atlas: Atlas, textures: list[U8], texture_px: int) -> None:
    """A row of pictures from each of three cameras: truth, then every texture."""
    from PIL import Image

    rows = []
    for camera in cameras()[4::7]:
        raster = raster_view(camera, atlas.vertices, atlas.faces, CAMERA_PX, CAMERA_PX)
        values = interpolate(np.concatenate([atlas.vertices, atlas.uv], axis=1), atlas.faces, raster.face, raster.bary)
        cells = [colour(values[:, :3])]
        cells += [sample(texture.astype(np.float32) / 255, values[:, 3:] * texture_px) for texture in textures]
        rows.append(np.hstack([raster.image((cell * 255).astype(np.uint8), 255) for cell in cells]))
    Image.fromarray(np.vstack(rows)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("meshes", nargs="*", type=Path)
    parser.add_argument("--texture-size", type=int, default=1024)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    meshes = procedural()
    for path in options.meshes:
        from manymesh.mesh.clean.clean import clean
        from manymesh.mesh.formats.read import read_mesh

        brought = read_mesh(path)
        meshes[path.stem] = clean(Mesh(brought.positions.astype(np.float32), brought.faces))[0]
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    titles = ("painted", "2048", "512", "official", "seen", "photo", "off 1 %", "seam")
    print(f"{'mesh':<18}" + "".join(f"{title:>9}" for title in titles))
    rows = []
    for name, mesh in meshes.items():
        start = time.perf_counter()
        row = measure(name, mesh, options.texture_size, options.pictures)
        rows.append(row)
        show(name, row, f"  {time.perf_counter() - start:.0f} s, {len(mesh.faces)} faces")
    show("mean", [float(n) for n in np.mean(rows, axis=0)], "")


def show(name: str, row: list[float], end: str) -> None:
    cells = "".join(f"{number:>9.2f}" for number in row)
    print(f"{name:<18}{cells}{end}", flush=True)


if __name__ == "__main__":
    main()

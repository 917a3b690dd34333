"""The renderer of training views, on the CPU: depth, silhouette, solid and pose agree, also with known shapes."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from manymesh.render.camera import depth_of, perspective, to_clip  # noqa: E402
from manymesh.render.raster import rasterise  # noqa: E402
from manymesh.shape.learned.contract import BINS, FAR, GRID, IMAGE_PX, NEAR  # noqa: E402
from manymesh.types import Camera  # noqa: E402
from training.render import ShapeSet, Views, render, sample_views  # noqa: E402
from training.render import draw as stages  # noqa: E402
from training.render.backend import compiler_missing  # noqa: E402
from training.render.columns import COLUMNS, VIEW_SIZE  # noqa: E402
from training.render.views import _draw_camera, fitted, place_camera  # noqa: E402
from training.shapes import Part, Shape, assemble  # noqa: E402

if compiler_missing():
    pytest.skip(f"{compiler_missing()}: kernels cannot be tried on the CPU", allow_module_level=True)

RADIUS = 0.5


def box(low: tuple[float, float, float], high: tuple[float, float, float], name: str = "body") -> Part:
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    return Part(corners, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]), (180, 90, 40), name)


def ball() -> Part:
    across, high = 64, 33
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, across, endpoint=False), np.linspace(0, np.pi, high))
    places = np.stack([np.sin(height) * np.sin(angle), np.cos(height), np.sin(height) * np.cos(angle)], -1)
    row, column = np.meshgrid(np.arange(high - 1), np.arange(across), indexing="ij")
    a, b = row * across + column, row * across + (column + 1) % across
    faces = np.concatenate([np.stack([a, a + across, b], -1), np.stack([b, a + across, b + across], -1)]).reshape(-1, 3)
    return Part(RADIUS * places.reshape(-1, 3), faces, (60, 120, 200), "ball")


def sheet() -> Part:
    corners = np.array([[-0.5, -0.4, 0.003], [0.5, -0.4, 0.003], [0.5, 0.4, 0.003], [-0.5, 0.4, 0.003]])
    return Part(corners, np.array([[0, 1, 2], [0, 2, 3]]), (200, 200, 90), "sheet")


def tub() -> Part:
    """A box without a floor that stands on the ground."""
    whole = box((-0.5, -0.3, -0.4), (0.5, 0.3, 0.4))
    floor = (whole.vertices[whole.faces][:, :, 1] < -0.29).all(1)
    return Part(whole.vertices, whole.faces[~floor])


SHAPES = {
    "ball": [ball()],
    "lshape": [box((-0.5, -0.5, -0.25), (-0.2, 0.5, 0.25)), box((-0.5, -0.5, -0.25), (0.5, -0.2, 0.1), "foot")],
    "sheet": [sheet()],
    "tub": [tub()],
    "stool": [
        box((-0.3, 0.4, -0.3), (0.3, 0.5, 0.3)),
        *[
            box((x - 0.008, -0.5, z - 0.008), (x + 0.008, 0.4, z + 0.008), "legs")
            for x in (-0.2, 0.2)
            for z in (-0.2, 0.2)
        ],
    ],
}
NAMES = list(SHAPES)


@lru_cache(maxsize=1)
def shape_set() -> ShapeSet:
    return ShapeSet([assemble(name, "tests", parts) for name, parts in SHAPES.items()], "cpu")


def look(name: str, azimuth: float = 0.0, elevation: float = 0.0, **camera: object) -> Views:
    """One view with a plain look; degrees."""
    row = np.zeros((1, VIEW_SIZE), np.float32)
    place_camera(row[0], math.radians(azimuth), math.radians(elevation), **camera)  # type: ignore[arg-type]
    plain = {"key": (0, 0, 1), "fill_light": (0, 1, 0), "sky": 0.8, "ground": 0.8, "tint": 1, "gain": 1, "gamma": 1}
    plain |= {"saturation": 1, "contrast": 1, "clean": 1, "pixels": IMAGE_PX, "soft": 1}
    for column, value in plain.items():
        row[:, COLUMNS[column]] = value
    index = torch.tensor([NAMES.index(name)])
    angles = np.radians([azimuth]), np.radians([elevation])
    return fitted(shape_set(), index, torch.from_numpy(row), *angles)


def camera_of(views: Views) -> tuple[Camera, np.ndarray]:
    """The package's camera of a view, and the stretch that it does not know."""
    values = {name: views.column(name)[0].numpy().astype(float) for name in ("rot", "shift", "tan", "scale")}
    matrix = np.eye(4)
    matrix[:3, :3] = values["rot"].reshape(3, 3)
    matrix[:3, 3] = -values["shift"]
    distance = values["shift"][2]
    fov = math.degrees(2 * math.atan(values["tan"][0]))
    return Camera(matrix, perspective(fov, distance=distance).projection), values["scale"]


def places(batch: object, views: Views, depth: torch.Tensor) -> np.ndarray:
    """Object places (stretched frame) of a (GRID, GRID) map of crop-unit depths, by the formulas of the frame alone."""
    tan = math.exp(float(batch.log_tan_half_fov[0]))  # type: ignore[attr-defined]
    centre = batch.centre[0].numpy()  # type: ignore[attr-defined]
    d = depth.numpy().astype(float)
    v, u = np.meshgrid(0.5 - (np.arange(GRID) + 0.5) / GRID, (np.arange(GRID) + 0.5) / GRID - 0.5, indexing="ij")
    grow = 1 + 2 * d * tan
    from_centre = np.stack([u * grow - centre[0], v * grow - centre[1], -(d - centre[2])], -1)  # right, up, to the eye
    anchor = float(views.column("shift")[0, 2]) / (1 + 2 * float(centre[2]) * tan)
    rows = views.column("rot")[0].numpy().reshape(3, 3).astype(float)
    return from_centre @ rows * (2 * anchor * tan)


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (35, 20), (-120, 50)])
def test_ball_depth_and_solid_are_analytic(azimuth: float, elevation: float) -> None:
    views = look("ball", azimuth, elevation, tan_half_fov=0.3)
    batch = render(shape_set(), views)
    inside = batch.inside[0].numpy()
    for depth in (batch.front_depth[0], batch.back_depth[0]):
        radius = np.linalg.norm(places(batch, views, depth), axis=-1)[inside]
        assert np.abs(np.median(radius) - RADIUS) < 0.002
        assert np.quantile(np.abs(radius - RADIUS), 0.98) < 0.006
    bins = NEAR + (np.arange(BINS) + 0.5) * (FAR - NEAR) / BINS
    solid = (
        np.stack([np.linalg.norm(places(batch, views, torch.full((GRID, GRID), float(d))), axis=-1) for d in bins])
        < RADIUS
    )
    found = batch.occupancy[0].numpy() > 127
    assert (solid & found).sum() / (solid | found).sum() > 0.97
    width = inside.any(0).sum() / GRID
    assert width == pytest.approx(0.875, abs=0.02)
    assert batch.centre[0, :2].abs().max() < 0.01


def test_views_agree_with_the_house_rasteriser() -> None:
    for name, scale in (("lshape", (1.0, 1.0, 1.0)), ("lshape", (-1.2, 0.9, 1.1)), ("stool", (1.0, 0.85, 1.0))):
        views = look(name, 40, 25, roll=0.05, scale=scale)
        front, _ = stages.rasterise(shape_set(), views)
        drawn = (front.reshape(512, 512) != torch.iinfo(torch.int64).max).numpy()
        depth = (front.reshape(512, 512) >> 32).to(torch.int32).view(torch.float32).numpy()
        camera, stretch = camera_of(views)
        shape = assemble(name, "tests", SHAPES[name])
        vertices = shape.vertices.astype(float) * stretch
        expected = rasterise(to_clip(camera, vertices), shape.faces, 512, 512)
        assert (expected.mask != drawn).mean() < 1e-3
        both = expected.mask & drawn
        corners = depth_of(camera, vertices)[shape.faces[expected.face]]
        truth = expected.image((corners * expected.bary).sum(1), 0.0)
        assert np.quantile(np.abs(truth - depth)[both], 0.999) < 2e-3


def test_box_is_centred_and_fills_as_asked() -> None:
    for name in NAMES:
        views = look(name, -50, 30, roll=0.06, fill=0.85, tan_half_fov=0.4)
        camera, stretch = camera_of(views)
        clip = to_clip(camera, assemble(name, "tests", SHAPES[name]).vertices * stretch)
        picture = clip[:, :2] / clip[:, 3:]
        low, high = picture.min(0), picture.max(0)
        assert np.abs(low + high).max() < 2e-3
        assert (high - low).max() / 2 == pytest.approx(0.85, abs=2e-3)


def test_solid_starts_at_the_front_depth() -> None:
    for name in ("lshape", "tub", "ball"):
        batch = render(shape_set(), look(name, 30, 25))
        inside = within(batch.inside[0])
        occupancy = batch.occupancy[0].numpy() / 255.0
        start = (batch.front_depth[0].numpy() - NEAR) / (FAR - NEAR) * BINS - 0.5
        behind = np.take_along_axis(occupancy, np.ceil(start + 1.5).astype(int)[None].clip(0, BINS - 1), 0)[0]
        before = np.take_along_axis(occupancy, np.floor(start - 1.5).astype(int)[None].clip(0, BINS - 1), 0)[0]
        assert (behind[inside] > 0.5).mean() > 0.93, name
        assert (before[inside] < 0.5).mean() > 0.96, name


def within(inside: torch.Tensor) -> np.ndarray:
    """Cells whose neighbours are all inside, too: along the outline the solid may be thinner than two bins."""
    outside = (~inside)[None, None].float()
    return (torch.nn.functional.max_pool2d(outside, 3, 1, 1)[0, 0] == 0).numpy()


def test_sheets_and_wires_survive() -> None:
    for name, share in (("sheet", 0.95), ("stool", 0.85)):
        batch = render(shape_set(), look(name, 20, 25))
        inside = batch.inside[0].numpy()
        # The sheet is infinitely thin, the stool's legs two voxels thick.
        hit = (batch.occupancy[0].numpy().max(0) > 127)[inside]
        assert hit.mean() > share, name


def test_open_undersides_on_the_ground_stay_shut_and_open_space_stays_open() -> None:
    solid = shape_set().solid.numpy()
    tub_filled = (solid[NAMES.index("tub")] > 127).mean()
    assert tub_filled == pytest.approx(0.6 * 0.8, rel=0.03)
    below_seat = solid[NAMES.index("stool")][64 - 12 : 64 + 12, 20:100, 64 - 12 : 64 + 12]
    assert (below_seat > 127).mean() < 0.001


def test_mirrored_view_is_the_flipped_picture_of_the_other_side() -> None:
    plain = render(shape_set(), look("lshape", 35, 20, roll=0.04))
    mirrored = render(shape_set(), look("lshape", -35, 20, roll=-0.04, scale=(-1.0, 1.0, 1.0)))
    assert (
        torch.equal(plain.inside, mirrored.inside.flip(2))
        or (plain.inside != mirrored.inside.flip(2)).float().mean() < 1e-3
    )
    both = plain.inside & mirrored.inside.flip(2)
    assert (plain.front_depth - mirrored.front_depth.flip(2))[both].abs().quantile(0.99) < 2e-3
    assert (plain.image[:, 3] - mirrored.image[:, 3].flip(2)).abs().mean() < 1e-3
    flip = torch.tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(plain.centre, mirrored.centre * flip, atol=1e-3)
    apart = (plain.occupancy.float() - mirrored.occupancy.flip(3).float()).abs()
    assert apart.mean() < 0.3


def test_normals_face_the_eye() -> None:
    batch = render(shape_set(), look("ball"))
    normal = batch.front_normal[0].numpy()[:, batch.inside[0].numpy()]
    assert np.allclose(np.linalg.norm(normal, axis=0), 1, atol=1e-3)
    middle = batch.front_normal[0, :, GRID // 2, GRID // 2].numpy()
    assert middle[2] > 0.99
    assert batch.front_normal[0, 0, GRID // 2, -14] > 0.7  # the right side looks right
    assert batch.front_normal[0, 1, 14, GRID // 2] > 0.7  # the top looks up


def test_back_color_is_the_far_side_unlit() -> None:
    batch = render(shape_set(), look("lshape"))
    color = batch.back_color[0][:, batch.inside[0]].mean(1)
    assert torch.allclose(color * 255, torch.tensor([180.0, 90.0, 40.0]), atol=1.0)


def test_symmetry_is_seen() -> None:
    symmetric = dict(zip(NAMES, shape_set().symmetric.tolist(), strict=True))
    assert symmetric == {"ball": True, "lshape": False, "sheet": True, "tub": True, "stool": True}


def test_batches_are_random_by_seed_and_otherwise_the_same() -> None:
    weights = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0])
    first, again, other = (render(shape_set(), sample_views(shape_set(), 3, weights, seed)) for seed in (7, 7, 8))
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name)), name
        assert torch.isfinite(value.float()).all(), name
    assert not torch.equal(first.image, other.image)
    assert first.image.shape == (3, 4, IMAGE_PX, IMAGE_PX)
    assert first.image.min() >= 0
    assert first.image.max() <= 1
    assert (first.image[:, :3] <= first.image[:, 3:] + 1e-3).all()  # colour times alpha


def test_many_views_are_steep_but_none_looks_down_a_pole() -> None:
    views = sample_views(shape_set(), 400, torch.ones(len(NAMES)), 2)
    steep = views.elevation.rad2deg() > 45
    assert 0.15 < steep.float().mean() < 0.35
    assert views.elevation.rad2deg().max() > 85
    table = np.zeros((200, VIEW_SIZE), np.float32)
    _, elevation = _draw_camera(np.random.default_rng(0), table, np.tile([0.1, 1.0, 0.1], (200, 1)))
    assert np.degrees(elevation).max() < 60


def test_what_is_left_of_the_shadow_lies_around_the_foot() -> None:
    views = look("ball", 20, 50, fill=0.8)
    views.table[:, COLUMNS["clean"]] = 0
    views.table[:, COLUMNS["edge"]] = 0.5
    views.table[:, COLUMNS["bleed"]] = 1
    views.table[:, COLUMNS["back"]] = 1
    plain = render(shape_set(), views)
    views.table[:, COLUMNS["remnant"]] = torch.tensor([0.8, 0.1, 0.5])
    left = render(shape_set(), views)
    added = (left.image - plain.image)[0, 3]
    where = added.nonzero().float().mean(0)
    assert added.max() == pytest.approx(0.8, abs=0.05)
    assert where[0] > IMAGE_PX * 0.6  # below the ball's middle
    assert torch.equal(left.inside, plain.inside)
    darkest = (left.image[0, 0] / left.image[0, 3].clamp(min=1e-3))[added > 0.5].min()
    assert darkest < 0.75


def test_shape_never_wanted_is_never_drawn() -> None:
    weights = torch.tensor([0.0, 1.0, 0.0, 0.0, 3.0])
    drawn = sample_views(shape_set(), 200, weights, 1).shape_index
    assert set(drawn.tolist()) == {1, 4}


def test_set_refuses_what_is_no_shape() -> None:
    with pytest.raises(ValueError, match="nowhere has no faces"):
        ShapeSet([empty("nowhere")], "cpu")


def test_shapes_that_carve_to_nothing_are_left_out() -> None:
    whole = assemble("whole", "tests", SHAPES["lshape"])
    speck = replace(whole, name="speck", faces=np.zeros_like(whole.faces))
    kept = ShapeSet([speck, whole], "cpu")
    assert (kept.kept, kept.names, len(kept)) == ([1], ["whole"], 1)
    alone = NAMES.index("lshape")
    assert torch.equal(kept.solid[0], shape_set().solid[alone])
    assert torch.equal(kept.coarse[0], shape_set().coarse[alone])
    first = slice(*shape_set().face_start[alone : alone + 2].tolist())
    assert torch.equal(kept.normals, shape_set().normals[first])


def empty(name: str) -> Shape:
    none = np.zeros((0, 3))
    return Shape(
        name, "tests", none.astype(np.float32), none.astype(np.int32), none.astype(np.uint8), np.zeros(0, np.int16)
    )

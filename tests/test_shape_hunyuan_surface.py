"""Extracting the surface: closed marching cubes, and the sparse volume against the dense one."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from manymesh.errors import ObjectError  # noqa: E402
from manymesh.mesh import marching_table  # noqa: E402
from manymesh.mesh.topology import face_components  # noqa: E402
from manymesh.shape.common.marching_cubes_torch import crossing_cells, march_cells  # noqa: E402
from manymesh.shape.common.sparse import dense_volume, doubling_sizes, sparse_volume  # noqa: E402
from manymesh.shape.hunyuan.config import ShapeVaeConfig  # noqa: E402
from manymesh.shape.hunyuan.decode import decode  # noqa: E402
from manymesh.shape.hunyuan.grid_decoder import GridDecoder  # noqa: E402
from manymesh.shape.hunyuan.vae import ShapeVae  # noqa: E402
from manymesh.shape.hunyuan.volume import network_field  # noqa: E402

CPU = torch.device("cpu")
Points = Callable[[torch.Tensor], torch.Tensor]


def closed(volume: torch.Tensor) -> torch.Tensor:
    """The volume with its outermost points outside."""
    for axis in range(3):
        for end in (0, -1):
            volume.select(axis, end).fill_(-1.0)
    return volume


def grid_of(field: Points) -> Callable[[torch.Tensor, int], torch.Tensor]:
    return lambda index, resolution: field(index.float() * (2.02 / resolution) - 1.01)


def assert_closed_manifold(faces: np.ndarray) -> None:
    """Every edge is used once in each direction: the surface is closed and consistently wound."""
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    ahead = directed[:, 0] * (faces.max() + 1) + directed[:, 1]
    back = directed[:, 1] * (faces.max() + 1) + directed[:, 0]
    assert len(np.unique(ahead)) == len(ahead)
    assert np.array_equal(np.sort(ahead), np.sort(back))


def volume_of(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), size=st.integers(3, 14), smooth=st.booleans())
def test_any_field_gives_a_closed_manifold_wound_outwards(seed: int, size: int, smooth: bool) -> None:
    values = torch.randn(size, size, size, generator=torch.Generator().manual_seed(seed))
    if smooth:
        values = torch.nn.functional.avg_pool3d(values[None], 3, stride=1, padding=1)[0]
    values[1, 1, 1] = 1.0
    volume = closed(values.contiguous())
    vertices, faces = march_cells(volume, crossing_cells(volume))
    assert_closed_manifold(faces)
    assert volume_of(vertices, faces) > 0
    assert set(np.unique(faces)) == set(range(len(vertices)))


def test_vertices_are_those_of_scikit_image() -> None:
    from scipy.spatial import cKDTree
    from skimage.measure import marching_cubes

    axis = torch.linspace(-1.01, 1.01, 41)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    volume = 0.7 - torch.sqrt(x**2 + y**2 + 0.5 * z**2) + 0.1 * torch.sin(7 * x) * torch.sin(5 * y + 2 * z)
    vertices, faces = march_cells(volume.contiguous(), crossing_cells(volume))
    expected, expected_faces, _, _ = marching_cubes(volume.numpy(), 0.0)
    assert len(vertices) == len(expected)
    assert len(faces) == len(expected_faces)
    assert cKDTree(expected).query(vertices)[0].max() < 2e-3  # vertices keep a small distance from grid points
    assert volume_of(vertices, faces) == pytest.approx(-volume_of(expected, expected_faces), rel=1e-4)


def test_no_triangle_has_a_diagonal_in_a_cells_face() -> None:
    table = marching_table.table()
    for count, triangles in zip(table.sizes, table.triangles, strict=True):
        used = {(int(t[i]), int(t[(i + 1) % 3])) for t in triangles[:count] for i in range(3)}
        inner = [(a, b) for a, b in used if (b, a) in used and max(a, b) < marching_table.CENTRE]
        assert all(marching_table._IN_ONE_FACE[a][b] == 0 for a, b in inner)


def test_without_crossed_cells_the_mesh_is_empty() -> None:
    volume = torch.full((5, 5, 5), -1.0)
    vertices, faces = march_cells(volume, crossing_cells(volume))
    assert vertices.shape == (0, 3)
    assert faces.shape == (0, 3)


def blobs(seed: int, count: int, sharp: float) -> Points:
    """Balls, some hollow, some thinner than a coarse cell; ``sharp`` cuts the values off as trained networks do."""
    draw = np.random.default_rng(seed)
    centres = torch.from_numpy(draw.uniform(-0.7, 0.7, (count, 3)).astype(np.float32))
    radii = torch.from_numpy(draw.uniform(0.05, 0.45, count).astype(np.float32))
    shell = torch.from_numpy(draw.random(count) < 0.3)

    def field(points: torch.Tensor) -> torch.Tensor:
        inside = radii - torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
        inside = torch.where(shell, 0.04 - inside.abs(), inside)
        return (20 * inside.amax(dim=1)).clamp(-sharp, sharp)

    return field


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6), sharp=st.sampled_from([1.0, 4.0, 1e9]))
def test_sparse_finds_the_dense_grids_surface(seed: int, count: int, sharp: float) -> None:
    field = grid_of(blobs(seed, count, sharp))
    sparse = sparse_volume(field, 80, min_resolution=20, device=CPU)
    dense = dense_volume(field, 80, device=CPU)
    assert torch.equal(sparse.cells, dense.cells)
    one, other = march_cells(sparse.values, sparse.cells), march_cells(dense.values, dense.cells)
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert face_components(one[1])[0] == face_components(other[1])[0]
    assert sum(sparse.queries) < 0.5 * dense.queries[0]


@pytest.mark.parametrize("cells", [1.1, 2.0])
@pytest.mark.parametrize("offset", [0.0, 0.007, 0.013])
def test_a_plate_thinner_than_a_coarse_cell_is_found(cells: float, offset: float) -> None:
    half = cells * 2.02 / 96 / 2

    def plate(points: torch.Tensor) -> torch.Tensor:
        return torch.minimum(half - (points[:, 2] - offset).abs(), 0.6 - points[:, :2].abs().amax(dim=1))

    sparse = sparse_volume(grid_of(plate), 96, min_resolution=24, device=CPU)
    assert torch.equal(sparse.cells, dense_volume(grid_of(plate), 96, device=CPU).cells)


def test_an_object_that_leaves_the_box_is_closed_at_its_border() -> None:
    sparse = sparse_volume(grid_of(lambda p: 1.2 - p.norm(dim=1)), 32, min_resolution=8, device=CPU)
    vertices, faces = march_cells(sparse.values, sparse.cells)
    assert_closed_manifold(faces)
    assert vertices.min() > 0
    assert vertices.max() < 32


@pytest.mark.parametrize(("value", "words"), [(-1.0, "empty"), (float("nan"), "not finite"), (np.inf, "not finite")])
def test_a_field_without_a_surface_raises_an_object_error(value: float, words: str) -> None:
    with pytest.raises(ObjectError, match=words) as caught:
        sparse_volume(lambda index, resolution: torch.full((len(index),), value), 32, device=CPU)
    assert caught.value.hint


def test_a_field_of_noise_raises_an_object_error() -> None:
    def noise(index: torch.Tensor, resolution: int) -> torch.Tensor:
        return torch.sin(index.float() @ torch.tensor([12.9898, 78.233, 37.719]) * 43758.5453)

    with pytest.raises(ObjectError, match="cloud of surfaces"):
        sparse_volume(noise, 124, device=CPU)


def test_level_sizes_double_up_to_at_least_the_resolution() -> None:
    assert doubling_sizes(384) == [96, 192, 384]
    assert doubling_sizes(16) == [16]
    for chunks in range(16, 600, 7):
        sizes = doubling_sizes(chunks)
        assert chunks <= sizes[-1] < chunks + 2 ** (len(sizes) - 1)
        assert all(b == 2 * a for a, b in itertools.pairwise(sizes))


def tiny_vae(seed: int, *, small: bool = False) -> ShapeVae:
    torch.manual_seed(seed)
    ratio, expand = (2, 1) if small else (1, 4)
    vae = ShapeVae(ShapeVaeConfig(8, 4, 5, False, 4, 32, 1, False, True, 1.0, expand, ratio, not small))
    for parameter in vae.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    return vae.eval().requires_grad_(False)


@pytest.mark.parametrize("small", [False, True])
def test_the_grid_decoder_equals_the_point_decoder(small: bool) -> None:
    vae = tiny_vae(3, small=small)
    keys_values = vae.geo_decoder.keys_values(vae(torch.randn(1, 8, 4)))
    index = torch.randint(0, 41, (500, 3))
    chunks: list[int] = []
    grid = GridDecoder(vae.geo_decoder, keys_values, budget_bytes=1, before_chunk=chunks.append)
    plain = network_field(vae.geo_decoder, keys_values, 1 << 20)(torch.linspace(-1.01, 1.01, 41)[index])
    assert torch.allclose(grid(index, 40), plain, atol=1e-5 * float(plain.abs().max()))
    assert sum(chunks) == 500
    assert len(chunks) > 1


@pytest.mark.parametrize("method", ["sparse", "dense", "flash"])
def test_every_decoding_gives_a_closed_mesh_and_reports_progress(method: str) -> None:
    ticks: list[float] = []
    mesh = decode(
        tiny_vae(5), torch.randn(1, 8, 4, generator=torch.Generator().manual_seed(1)), method, 31, 1, ticks.append
    )
    assert_closed_manifold(mesh.faces)
    assert np.abs(mesh.vertices).max() < 1.01
    assert ticks == sorted(ticks)
    assert 0 <= ticks[0] <= ticks[-1] <= 1


def test_sparse_equals_dense_for_a_network_too() -> None:
    vae = tiny_vae(5)
    latents = torch.randn(1, 8, 4, generator=torch.Generator().manual_seed(1))
    field = GridDecoder(vae.geo_decoder, vae.geo_decoder.keys_values(vae(latents)), budget_bytes=8 << 20)
    sparse = sparse_volume(field, 48, min_resolution=12, device=CPU)
    dense = dense_volume(field, 48, device=CPU)
    one, other = march_cells(sparse.values, sparse.cells), march_cells(dense.values, dense.cells)
    assert np.array_equal(one[1], other[1])
    assert np.abs(one[0] - other[0]).max() < 0.5  # of a fine voxel: chunks of other sizes may round otherwise

"""The segmentation network's training: scenes and their truth, losses, a few steps, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from training.families import generate  # noqa: E402
from training.log import Log, read  # noqa: E402
from training.network import parameter_count  # noqa: E402
from training.render.backend import compiler_missing  # noqa: E402
from training.scenes.compose import Scenes, colors_of, compose, mottled, stacked  # noqa: E402
from training.scenes.faults import blocks, photographed  # noqa: E402
from training.scenes.grounds import KINDS, grounds  # noqa: E402
from training.scenes.layout import MOST, draw_layout  # noqa: E402
from training.scenes.shadows import blur, shadows  # noqa: E402
from training.segmentation import export, train  # noqa: E402
from training.segmentation.holes import holes  # noqa: E402
from training.segmentation.losses import TERMS, centre_truth, losses  # noqa: E402
from training.segmentation.network import CENTRE_LOGIT, FULL, TINY, TO_CENTRE, TO_CENTRE_UNIT, SegmentationNetwork  # noqa: E402
from training.segmentation.start import read_onnx, with_norms  # noqa: E402
from training.segmentation.validate import measured, summary  # noqa: E402
from training.segmentation.weights import keep, load  # noqa: E402
from training.things import Things  # noqa: E402

needs_compiler = pytest.mark.skipif(bool(compiler_missing()), reason=f"{compiler_missing()}: no kernels on this CPU")

SHORT = ["--minutes", "0.0001", "--batch", "1", "--validation-scenes", "1"]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def scenes():
    from training.render.shape_set import ShapeSet

    shapes = ShapeSet([generate("toys", 1), generate("tableware", 2)], "cpu")
    return compose(shapes, 6, torch.ones(2), 5, size=128), compose(shapes, 6, torch.ones(2), 5, size=128)


def two_things():
    owner = torch.full((1, 64, 96), -1)
    owner[0, 8:40, 8:40] = 0
    owner[0, 16:56, 56:88] = 1
    return owner


@needs_compiler
def test_equal_seeds_give_equal_scenes(scenes):
    first, second = scenes
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.owner, second.owner)


@needs_compiler
def test_a_pixel_has_an_owner_where_things_cover_half_of_it(scenes):
    first, _ = scenes
    assert first.image.shape == (6, 3, 128, 128)
    assert 0 <= float(first.image.min()) <= float(first.image.max()) <= 1
    owned = first.owner >= 0
    assert 0.02 < owned.float().mean() < 0.9
    assert first.alpha[owned].min() >= 0.5 - 1e-6
    assert int(first.owner.max()) < MOST


def test_things_lie_in_the_picture_and_the_nearest_is_laid_last():
    layout = draw_layout(np.random.default_rng(0), 400)
    counts = layout.present.sum(1)
    assert set(counts) == set(range(MOST + 1))
    assert (np.diff(layout.present.astype(int), axis=1) <= 0).all()
    inside = np.abs(layout.centre - 0.5).max(2)[layout.present]
    assert (inside <= 0.5 + 1e-6).all()
    assert 0.05 < (inside + 0.42 * layout.side[layout.present] > 0.5).mean() < 0.6


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "litter"])
def test_every_kind_of_ground_is_a_picture(kind: str):
    like, clutter = torch.full((4, 3), 0.8), torch.rand(4, 4, 32, 32)
    kinds = np.full(4, KINDS.index(kind))
    made = grounds(kinds, like, clutter, 64, 3)
    assert made.shape == (4, 3, 64, 64)
    assert torch.equal(made, grounds(kinds, like, clutter, 64, 3))
    assert torch.isfinite(made).all()
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    assert float((made - made.roll(1, 0)).abs().mean()) > 0.01


def test_a_shadow_lies_by_its_thing_and_not_far_from_it():
    alpha = torch.zeros(8, 1, 128, 128)
    alpha[:, :, 30:60, 50:70] = 1
    dark = torch.cat([shadows(alpha, torch.arange(8), 8, seed) for seed in range(6)])
    assert 0 <= float(dark.min()) <= float(dark.max()) <= 1
    assert (dark.amax((1, 2, 3)) > 0.1).float().mean() > 0.4
    assert (dark.amax((1, 2, 3)) == 0).any()
    assert float(dark[:, :, :4].mean()) < 0.1 * float(dark[:, :, 58:66, 48:72].mean())


def test_a_blur_keeps_the_sum():
    picture = torch.zeros(1, 1, 41, 41)
    picture[0, 0, 20, 20] = 1
    assert float(blur(picture, 3.0).sum()) == pytest.approx(1, abs=1e-5)


def test_the_faults_of_a_file_are_none_at_step_zero_and_coarse_at_a_coarse_step():
    image = torch.rand(2, 3, 32, 32)
    assert torch.allclose(blocks(image, torch.zeros(2, 1, 1, 1)), image, atol=1e-5)
    coarse = blocks(image, torch.full((2, 1, 1, 1), 3.0))
    assert float(coarse[0, 0, :8, :8].std()) < 0.5 * float(image[0, 0, :8, :8].std())
    assert torch.equal(photographed(image, 4), photographed(image, 4))


def test_the_offsets_of_an_object_lead_to_its_centre():
    blobs, way, own = centre_truth(two_things())
    assert blobs[0, 6, 6] > 0.9
    assert blobs[0, 9, 18] > 0.9
    assert own.sum() == 64 + 80
    rows, columns = torch.nonzero(own[0], as_tuple=True)
    x = columns * 4 + 2 + way[0, 0, rows, columns] * TO_CENTRE_UNIT
    y = rows * 4 + 2 + way[0, 1, rows, columns] * TO_CENTRE_UNIT
    left = columns < 12
    assert torch.allclose(x[left], torch.tensor(24.0), atol=1e-3)
    assert torch.allclose(y[~left], torch.tensor(36.0), atol=1e-3)


def test_the_truth_costs_next_to_nothing_and_its_contrary_much():
    owner = two_things()
    alpha = (owner >= 0).float()
    blobs, way, _ = centre_truth(owner)
    middles = torch.zeros(1, 3, 16, 24)
    middles[:, CENTRE_LOGIT], middles[:, TO_CENTRE] = torch.logit(blobs.clamp(1e-4, 1 - 1e-4)), way
    mask = (alpha * 40 - 20)[:, None]
    right, terms = losses(mask, middles, alpha, owner, holes(owner))
    wrong, _ = losses(-mask, -middles, alpha, owner, holes(owner))
    assert len(terms) == len(TERMS)
    assert float(terms[0]) < 1e-3
    assert float(terms[3]) < 1e-4
    assert float(terms[1]) < 0.01
    assert float(wrong) > 5 * float(right)  # a soft spot costs its own entropy even where it is right


def test_the_full_network_fits_beside_the_shape_network_in_the_wheel():
    assert 2 * parameter_count(SegmentationNetwork(FULL)) < 5.4e6


@needs_compiler
def test_a_few_steps_are_kept_and_exported(tmp_path: Path):
    chosen = train.parser().parse_args(["--tiny", "--size", "128", *SHORT, "--out", str(tmp_path)])
    things = Things([generate("toys", 1)], [generate("toys", 2)])
    train.train(chosen, things, Log(tmp_path))
    network, size, step = load(tmp_path)
    assert step >= 1
    assert size == TINY
    out = tmp_path / "segmentation.onnx"
    export.export(network, out, {"version": "test"})
    assert export.difference(network, out) < 0.02
    assert parameter_count(network) == parameter_count(SegmentationNetwork(TINY))


@needs_compiler
def test_a_run_starts_from_anothers_weights_and_validates_them_first(tmp_path: Path):
    torch.manual_seed(3)
    earlier, folder = SegmentationNetwork(TINY), tmp_path / "run"
    keep(tmp_path, earlier, TINY, 7)
    folder.mkdir()
    flags = ["--size", "96", "--rate", "0", "--from", str(tmp_path), "--out", str(folder)]
    chosen = train.parser().parse_args([*SHORT, *flags])
    train.train(chosen, Things([generate("toys", 1)], [generate("toys", 2)]), Log(folder))
    validated = [record["step"] for record in read(folder) if record["event"] == "validation"]
    assert validated[0] == 0
    assert len(validated) == 2
    network, size, _ = load(folder)
    assert size == TINY
    for name, value in network.named_parameters():
        assert torch.allclose(value, earlier.get_parameter(name), atol=2e-3), name


@pytest.fixture
def exported(tmp_path: Path):
    """A tiny network whose norms have seen something, its ONNX file, and pictures."""
    pytest.importorskip("onnx")
    torch.manual_seed(1)
    network, images = SegmentationNetwork(TINY), [torch.rand(2, 3, 64, 96) for _ in range(4)]
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    for image in images:
        network(image)
    export.export(network, tmp_path / "segmentation.onnx", {"version": "1", "training_steps": "12"})
    return network.eval(), tmp_path / "segmentation.onnx", images


def test_a_network_comes_back_from_its_exported_file(exported):
    network, path, images = exported
    back, size, step = read_onnx(path)
    assert (size, step) == (TINY, 12)
    for found, expected in zip(back(images[0]), network(images[0]), strict=True):
        assert torch.allclose(found, expected, atol=0.01)


def test_norms_found_again_change_no_answer_and_hardly_one_while_training(exported):
    network, path, images = exported
    folded, size, _ = read_onnx(path)
    again = with_norms(folded, size, images).eval()
    with torch.no_grad():
        plain, truth = folded(images[0])[0], network(images[0])[0]
        assert torch.allclose(again(images[0])[0], plain, atol=1e-3)
        assert torch.allclose(truth, plain, atol=0.01)
        training = again.train()(torch.cat(images))[0]
    assert float((training[:2] - plain).abs().mean()) < 0.02 * float(plain.std())


def test_the_mean_of_a_network_and_itself_is_that_network_and_can_be_exported(exported, tmp_path: Path):
    network, path, images = exported
    made = export.mean(network, read_onnx(path)[0])
    export.export(made, tmp_path / "mean.onnx", {"version": "2"})
    for found, expected in zip(read_onnx(tmp_path / "mean.onnx")[0](images[0]), network(images[0]), strict=True):
        assert torch.allclose(found, expected, atol=0.01)
    with torch.no_grad():
        other = read_onnx(path)[0]
        assert other.mask.bias is not None
        other.mask.bias += 2
        assert torch.allclose(export.mean(network, other)(images[0])[0], network(images[0])[0] + 1, atol=0.01)


@needs_compiler
def test_a_run_starts_from_an_exported_file_and_validates_it_first(exported, tmp_path: Path):
    _, path, _ = exported
    flags = ["--size", "96", "--few", "--rate", "0", "--from", str(path), "--out", str(tmp_path)]
    chosen = train.parser().parse_args([*SHORT, *flags])
    train.train(chosen, Things([generate("toys", 1)], [generate("toys", 2)]), Log(tmp_path))
    first, last = [record["kinds"]["all"] for record in read(tmp_path) if record["event"] == "validation"]
    assert first["iou"] == pytest.approx(last["iou"], abs=0.02)
    assert load(tmp_path)[1] == TINY


def test_few_things_are_at_most_six():
    counts = draw_layout(np.random.default_rng(0), 400, few=True).present.sum(1)
    assert set(counts) == set(range(7))


def test_the_colours_of_things_are_of_all_of_them_or_of_one_place():
    pictures = torch.zeros(200, 4, 32, 32)
    pictures[:, 3, 8:24, 8:24] = 1
    pictures[:, 0, 8:24, 8:16] = 1  # half red, half black
    colors = colors_of(np.random.default_rng(0), torch.Generator().manual_seed(0), pictures)
    assert {0.0, 0.5, 1.0} == set(colors[:, 0].tolist())
    assert not colors[:, 1:].any()


def test_mottled_things_keep_their_outlines():
    pictures = torch.zeros(40, 4, 64, 64)
    pictures[:, :, 16:48, 16:48] = 0.6
    made = mottled(np.random.default_rng(0), torch.Generator().manual_seed(0), pictures.clone())
    changed = (made != pictures).flatten(1).any(1)
    assert 2 <= int(changed.sum()) <= 16
    assert torch.equal(made[:, 3], pictures[:, 3])
    assert float(made.min()) >= 0
    assert (made[:, :3] <= made[:, 3:]).all()


def test_a_file_of_another_network_is_refused(tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Identity", ["a"], ["b"])
    shape = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "ab"]
    graph = onnx.helper.make_graph([node], "other", shape[:1], shape[1:])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(ValueError, match="no segmentation network"):
        read_onnx(tmp_path / "other.onnx")


def test_a_scene_must_have_whole_cells():
    with pytest.raises(SystemExit):
        train.main(["--size", "100", "--out", "nowhere"])


def test_a_hole_is_background_with_the_same_object_on_every_side():
    owner = torch.full((1, 40, 60), -1)
    owner[0, 5:25, 5:25] = 0
    owner[0, 10:20, 10:20] = -1  # a frame's hole
    owner[0, 5:25, 35:40] = 2  # two posts with a beam: open below
    owner[0, 5:25, 50:55] = 2
    owner[0, 5:8, 35:55] = 2
    expected = torch.zeros_like(owner, dtype=torch.bool)
    expected[0, 10:20, 10:20] = True
    assert torch.equal(holes(owner), expected)
    assert torch.equal(holes(owner.transpose(1, 2)), expected.transpose(1, 2))
    owner[0, 12:14, 12:14] = 3  # what lies in it takes its rows and columns out, not the rest
    assert holes(owner)[0, 15, 15]
    assert not holes(owner)[0, 15, 12]


def test_a_hole_that_is_filled_costs_more_than_other_background():
    owner = torch.full((1, 64, 64), -1)
    owner[0, 4:60, 4:60] = 0
    owner[0, 20:44, 20:44] = -1
    alpha, middles = (owner >= 0).float(), torch.zeros(1, 3, 16, 16)
    mask = torch.where(alpha > 0, 8.0, -8.0)[:, None]
    mask[0, 0, 20:44, 20:44] = 8.0
    _, known = losses(mask, middles, alpha, owner, holes(owner))
    _, unknown = losses(mask, middles, alpha, owner, torch.zeros_like(owner, dtype=torch.bool))
    assert float(known[0]) > 1.1 * float(unknown[0])


def test_validation_tells_how_much_of_the_holes_stays_open():
    owner = torch.full((2, 64, 64), -1)
    owner[:, 4:60, 4:60] = 0
    owner[:, 20:44, 20:44] = -1
    alpha = (owner >= 0).float()
    filled = alpha.clone()
    filled[1, 20:44, 20:32] = 1
    middles = torch.full((2, 3, 16, 16), -9.0)
    middles[0, CENTRE_LOGIT, 8, 8] = 5
    scenes = Scenes(torch.zeros(2, 3, 64, 64), alpha, owner, torch.zeros(2, dtype=torch.int64))
    rows = measured(lambda image: ((filled * 2 - 1)[:, None], middles), scenes)
    assert [row["open"] for row in rows] == [1.0, 0.5]
    assert [row["off"] for row in rows] == [0, 1]
    table = summary(rows)
    assert table["open"] == 0.75
    assert table["counted"] == 0.5
    assert table["worst"] < table["iou"] < 1


def test_later_things_lie_over_earlier_ones_and_first_scenes_have_most():
    ground = torch.full((3, 3, 8, 8), 0.5)
    layers, dark = torch.zeros(3, 4, 8, 8), torch.zeros(3, 1, 8, 8)
    layers[0, :, :4] = 1  # the first object of scene 0, of scene 1, then the second of scene 0
    layers[1, 3, :, :4] = 1
    layers[2, 3, 2:6] = 1
    dark[1, :, :, 4:] = 0.5
    image, alpha, owner = stacked(ground, layers, dark, [2, 1, 0])
    assert owner[0, :, 0].tolist() == [0, 0, 1, 1, 1, 1, -1, -1]
    assert owner[1, 0].tolist() == [0, 0, 0, 0, -1, -1, -1, -1]
    assert image[0, 0, :, 0].tolist() == [1, 1, 0, 0, 0, 0, 0.5, 0.5]
    assert image[1, 0, 0].tolist() == [0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25]
    assert (owner[2] == -1).all()
    assert torch.equal(alpha > 0, owner >= 0)


def test_like_things_take_the_shape_of_one_of_their_scene():
    layout = draw_layout(np.random.default_rng(1), 600)
    own = np.arange(MOST)
    alike = (layout.twin != own).any(1)
    assert 0.1 < alike.mean() < 0.45
    assert (layout.twin <= own).all()
    assert (np.take_along_axis(layout.twin, layout.twin, 1) == layout.twin).all()
    assert layout.present[np.nonzero(alike)[0], 1].all()
    assert (np.diff(layout.present.sum(1)) <= 0).all()


@needs_compiler
def test_twins_are_of_one_shape_and_seen_from_one_height():
    from training.render.shape_set import ShapeSet
    from training.render.views import sample_views

    shapes = ShapeSet([generate("toys", number) for number in range(4)], "cpu")
    twins = np.array([0, 1, 0, 0, 4, 1, 0, 0, 0, 0])
    views = sample_views(shapes, len(twins), torch.ones(4), 2, twins)
    chosen, height = views.shape_index.numpy(), views.elevation.numpy()
    assert (chosen == chosen[twins]).all()
    assert np.abs(height - height[twins]).max() < 0.35
    assert len(np.unique(np.round(views.azimuth.numpy(), 3))) > 5
    level = sample_views(shapes, len(twins), torch.ones(4), 2, twins, twins * 0).elevation.numpy()
    assert np.ptp(level) < 0.5 < np.ptp(height)


@needs_compiler
def test_hoops_have_holes_that_the_background_shows_through():
    from training.render.shape_set import ShapeSet

    shapes = ShapeSet([generate("hoops", number) for number in range(0, 24, 2)], "cpu")
    made = compose(shapes, 8, torch.ones(len(shapes)), 4, size=128)
    share = holes(made.owner).flatten(1).sum(1) / (made.owner >= 0).flatten(1).sum(1).clamp(min=1)
    assert (share > 0.1).sum() >= 3
    seen = made.alpha[holes(made.owner)]
    assert float(seen.max()) < 0.5

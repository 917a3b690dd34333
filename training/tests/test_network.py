"""The shape network's training: outputs, losses, ranks' gradients, schedule, checkpoints, export."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from manymesh.shape.learned import contract  # noqa: E402
from training import losses as loss_terms  # noqa: E402
from training.checkpoint import PART_BYTES, Average, load_checkpoint, load_ema, save_ema  # noqa: E402
from training.fake import fake_batch  # noqa: E402
from training.families import generate  # noqa: E402
from training.lying import laid_down  # noqa: E402
from training.network import FULL, TINY, Network, parameter_count  # noqa: E402
from training.parallel import FlatGradients, Team  # noqa: E402
from training.schedule import learning_rate  # noqa: E402
from training.things import attempt, generate_all, view_weights  # noqa: E402
from training.trainer import Plan, compute_inputs, make_compute, make_optimizer, work  # noqa: E402
from training.validate import Views, validate  # noqa: E402

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def batch():
    return fake_batch(2, 0, CPU)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Network(TINY)


def plan_in(folder: Path, **changes) -> Plan:
    plan = Plan(folder, "test", 60.0, size=TINY, batch=1, warm_up=2, compiled=False, cuda=False, validation_views=1)
    return dataclasses.replace(plan, log_every=1, **changes)


def true_answers(batch):
    """What a network that knows everything says, and the truth with voxels that are full or empty."""
    solid = batch.occupancy > 127
    surface = torch.cat(
        [batch.front_depth[:, None], batch.back_depth[:, None], batch.front_normal, batch.back_color], 1
    )
    pose = torch.zeros(len(solid), contract.POSE_SIZE)
    pose[:, contract.ELEVATION], pose[:, contract.LOG_TAN_HALF_FOV] = batch.elevation, batch.log_tan_half_fov
    pose[:, contract.CENTRE], pose[:, contract.SYMMETRY] = batch.centre, torch.where(batch.symmetric, 20.0, -20.0)
    pose[:, contract.AZIMUTH] = torch.log(loss_terms.soft_bins(batch.azimuth) + 1e-9)
    truth = compute_inputs(batch)[1] | {"occupancy": solid.to(torch.uint8) * 255}
    return (torch.where(solid, 20.0, -20.0), torch.nan_to_num(surface), pose), truth


def test_outputs_have_the_shapes_that_the_frame_promises(network, batch):
    logits, surface, pose = network.eval()(batch.image)
    assert logits.shape == (2, contract.BINS, contract.GRID, contract.GRID)
    assert surface.shape == (2, contract.BACK_COLOR.stop, contract.GRID, contract.GRID)
    assert pose.shape == (2, contract.POSE_SIZE)


def test_the_full_network_fits_its_file():
    assert 9.0e6 < parameter_count(Network(FULL)) < 10.4e6  # two bytes each, at most 20 MiB


def test_fake_batches_keep_the_frames_rules(batch):
    inside = batch.inside
    mean = torch.where(inside, batch.front_depth, 0.0).sum((1, 2)) / inside.sum((1, 2))
    assert mean.abs().max() < 1e-3  # the anchor is the mean visible depth
    assert (batch.front_depth <= batch.back_depth)[inside].all()
    thickness = (batch.occupancy.float() / 255).sum(1) * (contract.FAR - contract.NEAR) / contract.BINS
    assert torch.allclose(thickness[inside], (batch.back_depth - batch.front_depth)[inside], atol=0.01)
    assert (batch.front_normal.permute(0, 2, 3, 1)[inside][:, 2] > -0.2).all()  # visible, so turned towards the eye
    alpha = torch.nn.functional.avg_pool2d(batch.image[:, 3], 2)
    assert ((alpha > 0.5) == inside).float().mean() > 0.99
    assert torch.equal(fake_batch(2, 0, CPU).image, batch.image)


def test_the_truth_costs_nothing(batch):
    total, values = loss_terms.losses(*true_answers(batch), loss_terms.Weights(variance=0.0))
    for name, value in zip(loss_terms.TERMS, values.tolist(), strict=True):
        assert name == "variance" or abs(value) < 1e-3, name
    assert abs(float(total)) < 1e-3


@pytest.mark.parametrize("name", [name for name in loss_terms.TERMS if name != "variance"])
def test_every_term_sees_its_own_mistake(batch, name):
    (logits, surface, pose), truth = true_answers(batch)
    if name in ("occupancy", "dice", "hit"):
        logits = torch.full_like(logits, -20.0)
    elif name in ("front_depth", "back_depth"):
        surface[:, 0 if name == "front_depth" else 1] += 0.1
    elif name == "normal":
        surface[:, contract.FRONT_NORMAL] *= -1
    elif name == "back_color":
        surface[:, contract.BACK_COLOR] += 0.2
    else:
        channel = {
            "elevation": contract.ELEVATION,
            "field_of_view": contract.LOG_TAN_HALF_FOV,
            "centre": contract.CENTRE,
        }
        channel |= {"azimuth": contract.AZIMUTH, "symmetry": contract.SYMMETRY}
        pose[:, channel[name]] = pose[:, channel[name]] * -1 + 0.1 if name != "azimuth" else 0.0
    _, values = loss_terms.losses((logits, surface, pose), truth, loss_terms.Weights())
    assert values[loss_terms.TERMS.index(name)] > 0.03


def test_losses_stay_finite_for_wild_logits_and_empty_pictures(batch):
    (_, surface, pose), truth = true_answers(batch)
    for level in (-200.0, 200.0):
        logits = torch.full((2, contract.BINS, contract.GRID, contract.GRID), level, requires_grad=True)
        total, _ = loss_terms.losses((logits, surface, pose), truth, loss_terms.Weights())
        total.backward()
        assert torch.isfinite(total)
        assert torch.isfinite(logits.grad).all()
    nowhere = truth | {"inside": torch.zeros_like(truth["inside"])}
    assert torch.isfinite(loss_terms.losses((logits, surface, pose), nowhere, loss_terms.Weights())[0])


def test_thin_columns_count_more():
    def share_of_thin(most: float) -> float:
        occupancy = torch.zeros(1, contract.BINS, contract.GRID, contract.GRID, dtype=torch.uint8)
        occupancy[:, :2, :, 0] = 255  # a thin column on the left: wrong; thick ones elsewhere: right
        occupancy[:, :60, :, 1:] = 255
        logits = torch.where(occupancy > 0, 20.0, -20.0)
        logits[..., 0] = -20.0
        inside = torch.ones(1, contract.GRID, contract.GRID, dtype=torch.bool)
        terms = loss_terms.volume_terms(logits, occupancy, inside, loss_terms.Weights(thin_most=most))
        return float(terms["occupancy"])

    assert share_of_thin(2.0) == pytest.approx(2 * share_of_thin(1.0), rel=0.02)


def test_variance_learns_the_size_of_the_error_and_never_moves_the_mean():
    log_variance = torch.zeros(1, requires_grad=True)
    error = torch.tensor([0.2])
    optimizer = torch.optim.SGD([log_variance], lr=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        loss_terms.gaussian_nll(error, log_variance).sum().backward()
        optimizer.step()
    assert math.exp(0.5 * float(log_variance.detach())) == pytest.approx(0.2, rel=0.05)


def test_azimuth_bins_wrap_around():
    bins = loss_terms.soft_bins(torch.tensor([math.pi, -math.pi, 0.0]))
    assert torch.allclose(bins.sum(1), torch.ones(3))
    assert torch.allclose(bins[0], bins[1], atol=1e-5)
    assert bins[0, 0] == pytest.approx(float(bins[0, -1]), rel=1e-3)
    assert {17, 18} == {*bins[2].topk(2).indices.tolist()}


def test_a_few_steps_lower_the_loss(network, batch, tmp_path):
    plan = plan_in(tmp_path, peak=1e-2)
    optimizer, gradients, team = make_optimizer(network, plan), FlatGradients(network), Team(0, 1, CPU, 0)
    compute = make_compute(network, plan)
    windows = [parameter.grad.data_ptr() for parameter in network.parameters()]
    seen = []
    for _ in range(6):
        gradients.zero_()
        total, _ = compute(*compute_inputs(batch))
        total.backward()
        gradients.average_and_clip_(team, 1.0)
        optimizer.step()
        seen.append(float(total.detach()))
    assert seen[-1] < 0.8 * seen[0]
    assert [parameter.grad.data_ptr() for parameter in network.parameters()] == windows


def test_gradients_are_clipped_and_a_broken_batch_moves_nothing(network):
    gradients, team = FlatGradients(network), Team(0, 1, CPU, 0)
    gradients.flat.fill_(1.0)
    gradients.average_and_clip_(team, 1.0)
    assert float(gradients.flat.norm()) == pytest.approx(1.0, rel=1e-3)
    next(network.parameters()).grad.view(-1)[0] = math.nan
    assert math.isnan(float(gradients.average_and_clip_(team, 1.0)))
    assert not gradients.flat.any()


def test_the_rate_warms_up_and_falls_to_nothing():
    assert learning_rate(1.0, 0, 0.0, 400) == pytest.approx(1 / 400)
    assert learning_rate(1.0, 399, 0.0, 400) == 1.0
    assert learning_rate(1.0, 10_000, 0.5, 400) == pytest.approx(0.5)
    assert learning_rate(1.0, 10_000, 1.2, 400) == pytest.approx(0.0)


def test_the_average_follows_parameters_and_buffers(network):
    average = Average(network, decay=0.5)
    with torch.no_grad():
        network.logits.bias += 1.0
        network.stem.halve.norm.running_mean += 1.0
    for _ in range(30):
        average.update()
    assert torch.allclose(average.network.logits.bias, network.logits.bias, atol=1e-4)
    assert torch.allclose(average.network.stem.halve.norm.running_mean, network.stem.halve.norm.running_mean, atol=1e-4)


def test_a_resumed_run_goes_on_with_its_steps_and_its_time(tmp_path):
    work(0, 1, 0, plan_in(tmp_path, most_steps=2), None, 0.0)
    first = load_checkpoint(tmp_path, CPU)
    work(0, 1, 0, plan_in(tmp_path, most_steps=1, resume=True), None, 0.0)
    second = load_checkpoint(tmp_path, CPU)
    assert (first["step"], second["step"]) == (2, 3)
    assert second["used_s"] > first["used_s"] > 0
    assert second["average_updates"] == 3
    assert int(second["optimizer"]["state"][0]["step"]) == 3

    from training.log import read
    from training.report import entry

    text = entry(read(tmp_path))
    assert "2 call(s)" in text
    assert "ellipsoids" in text
    assert "Ended at step 3" in text


def test_a_run_may_start_from_the_averaged_weights_of_another(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    work(0, 1, 0, plan_in(first, most_steps=2), None, 0.0)
    before, _ = load_ema(first)
    for origin in (first, first / "ema-1.safetensors"):
        work(0, 1, 0, plan_in(second, most_steps=0, origin=origin), None, 0.0)
        assert load_checkpoint(second, CPU)["step"] == 0
        for a, b in zip(load_ema(second)[0].parameters(), before.parameters(), strict=True):
            assert torch.equal(a, b)
    work(0, 1, 0, plan_in(second, most_steps=2, origin=first), None, 0.0)
    state = load_checkpoint(second, CPU)
    assert (state["step"], int(state["optimizer"]["state"][0]["step"])) == (2, 2)
    assert not torch.equal(state["network"]["stem.halve.conv.weight"], before.stem.halve.conv.weight)
    # A resumed run goes on from its own checkpoint, whatever it started from.
    work(0, 1, 0, plan_in(second, most_steps=1, origin=first, resume=True), None, 0.0)
    assert load_checkpoint(second, CPU)["step"] == 3
    with pytest.raises(ValueError, match="of size"):
        work(0, 1, 0, plan_in(second, origin=first, size=FULL), None, 0.0)


def test_a_run_whose_minutes_are_over_stops_at_once(tmp_path):
    work(0, 1, 0, plan_in(tmp_path, minutes=0.0), None, 0.0)
    assert load_checkpoint(tmp_path, CPU)["step"] == 0


def test_averaged_weights_travel_in_small_files(tmp_path):
    torch.manual_seed(0)
    network = Network(FULL)
    paths = save_ema(tmp_path, network, FULL, "run 7", 12)
    assert len(paths) == 2
    assert all(path.stat().st_size < PART_BYTES for path in paths)
    loaded, run = load_ema(tmp_path)
    assert run == "run 7"
    assert torch.allclose(loaded.logits.weight, network.logits.weight, atol=1e-3)
    paths[1].unlink()
    with pytest.raises(ValueError, match="all parts"):
        load_ema(tmp_path)


@pytest.mark.parametrize(("int8", "near"), [(False, 1e-2), (True, 0.2)])
def test_the_exported_file_answers_like_the_network(network, batch, tmp_path, int8, near):
    pytest.importorskip("onnx", reason="export needs onnx")
    import onnxruntime

    from training.export import OUTPUTS, export, folded

    compute = make_compute(network, plan_in(tmp_path))
    for _ in range(3):
        compute(*compute_inputs(batch))  # gives batch norm statistics that are worth folding
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
        expected = network.eval()(batch.image)
        for a, b in zip(folded(network)(batch.image), expected, strict=True):
            assert torch.allclose(a, b, atol=1e-3)
    path = tmp_path / "tiny.onnx"
    export(network, path, {"version": "9", "training_run": "test"}, int8=int8)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {"version": "9", "training_run": "test"}
    assert [value.name for value in session.get_outputs()] == list(OUTPUTS)
    for count in (1, 2):
        found = session.run(None, {"image": batch.image[:count].numpy()})
        for a, b in zip(found, expected, strict=True):
            assert np.abs(a - b[:count].numpy()).max() < near * max(1.0, float(b.abs().max()))


def test_the_export_command_writes_what_the_engine_opens(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnx", reason="export needs onnx")
    from manymesh.shape.learned.session import ShapeNetwork as Opened
    from training import export

    save_ema(tmp_path, Network(TINY), TINY, "run 7", 12)
    monkeypatch.setattr(export, "measure", lambda network, out: export.Measured(out.stat().st_size, 0, 0, 0, {}))
    export.main([str(tmp_path), "--out", str(tmp_path / "lite.onnx"), "--version", "7"])
    assert "bytes of" in capsys.readouterr().out
    answers = Opened(tmp_path / "lite.onnx")([np.zeros((4, contract.IMAGE_PX, contract.IMAGE_PX), np.float32)])
    assert answers[0]["pose"].shape == (contract.POSE_SIZE,)


def test_generated_families_share_what_the_catalogue_leaves():
    weights = view_weights(["furniture", "own/animals", "own/animals", "own/furniture"])
    assert weights == pytest.approx([0.45, 0.1375, 0.1375, 0.275])
    assert view_weights(["own/animals", "own/food"]) == pytest.approx([0.5, 0.5])
    assert view_weights(["furniture", "furniture"]) == pytest.approx([0.5, 0.5])
    assert view_weights(["own/food", "own/hoops", "own/hoops"], {"hoops": 3}) == pytest.approx([0.25, 0.375, 0.375])


def test_generating_ends_with_its_time():
    wanted = [("animals", number) for number in range(3)]
    shapes, failed, unfinished = generate_all(wanted, 1, 60.0)
    assert ([shape.name for shape in shapes], failed, unfinished) == ([f"animals/{k:06d}" for k in range(3)], [], 0)
    assert generate_all(wanted, 1, 0.0) == ([], [], 3)


def test_some_loose_things_lie_and_have_no_front_then():
    lying = [laid_down(generate("tools", number), "tools", number) for number in range(5)]
    assert [shape.front_known for shape in lying] == [True] * 4 + [False]
    standing = generate("tools", 4)
    assert not np.allclose(np.ptp(lying[4].vertices, axis=0), np.ptp(standing.vertices, axis=0), atol=0.02)
    assert np.ptp(lying[4].vertices, axis=0).max() == pytest.approx(1)
    lamp = generate("lamps", 4)
    assert laid_down(lamp, "lamps", 4) is lamp
    hoops = [laid_down(generate("hoops", number), "hoops", number) for number in range(4)]
    assert [shape.front_known for shape in hoops] == [True, False, True, False]


def test_steep_views_are_a_group_of_their_own(network, batch):
    steep = dataclasses.replace(batch, elevation=torch.tensor([0.2, 1.3]))
    table = validate(network.eval(), Views([steep], ["a", "b"]), bfloat16=False)
    assert {name: row["views"] for name, row in table.items()} == {"a": 1, "all": 2, "b": 1, "steep": 1}
    assert table["steep"]["iou"] == table["b"]["iou"]


def test_a_shape_that_fails_is_named():
    name, answer = attempt(("no-such-family", 3))
    assert name == "no-such-family/000003"
    assert "ModuleNotFoundError" in answer


def test_the_mean_of_two_runs_lies_between_them(tmp_path: Path) -> None:
    from training.average import averaged

    folders = [tmp_path / "a", tmp_path / "b"]
    for seed, folder in enumerate(folders):
        torch.manual_seed(seed)
        folder.mkdir()
        save_ema(folder, Network(TINY), TINY, folder.name, 1)
    (a, _), (b, _) = (load_ema(folder) for folder in folders)
    mean, runs = averaged(folders)
    assert runs == "mean of a, b"
    assert torch.allclose(mean.logits.weight, (a.logits.weight + b.logits.weight) / 2, atol=1e-6)

"""The deep checks on tiny checkpoints in the official layouts, whole and damaged."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_triposg
from parity_path import parity_dir
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("yaml", reason="pyyaml is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_birefnet import save, tiny_state  # noqa: E402
from tiny_paint import write_all  # noqa: E402
from tiny_shape import write_checkpoint  # noqa: E402

from manymesh.cli import models as commands  # noqa: E402
from manymesh.detect import self_check as detector  # noqa: E402
from manymesh.errors import OutputError, UsageError, WeightsError  # noqa: E402
from manymesh.shape.common import dino  # noqa: E402
from manymesh.shape.hunyuan import golden  # noqa: E402
from manymesh.shape.hunyuan.config import read_shape_config  # noqa: E402
from manymesh.weights import deep, findings, locate, report  # noqa: E402
from manymesh.weights.catalogue import model  # noqa: E402
from manymesh.weights.deep import Machine, check_model  # noqa: E402
from manymesh.weights.findings import Finding  # noqa: E402

SHAPE = "hunyuan3d-dit-v2-mini"
WEIGHTS = "model.fp16.safetensors"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every tiny model of the official layouts."""
    root = tmp_path_factory.mktemp("whole")
    write_checkpoint(root)
    write_checkpoint(root, "hunyuan3d-dit-v2-mini-turbo", turbo=True, large_picture=True)
    write_checkpoint(root, "hunyuan3d-dit-v2-mv", multi_view=True)
    write_all(root)
    save(root / "birefnet-512" / "model.safetensors", tiny_state())
    tiny_triposg.write_checkpoint(root)
    return root


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of the shape checkpoint that a test may damage; the folder that holds it."""
    shutil.copytree(whole / SHAPE, tmp_path / "weights" / SHAPE)
    return tmp_path / "weights"


def found_in(root: Path, name: str, **machine: Any) -> dict[str, Finding]:
    found = locate.find(model(name), root)
    assert found.complete, found.absent
    return {finding.check: finding for finding in check_model(model(name), found, Machine(**machine))}


def change(root: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edit the tensors of the shape checkpoint under ``root``."""
    path = root / SHAPE / WEIGHTS
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


@pytest.mark.parametrize(
    "name",
    [
        "hunyuan3d-2mini",
        "hunyuan3d-2mini-turbo",
        "hunyuan3d-2mv",
        "hunyuan3d-paint",
        "hunyuan3d-delight",
        "birefnet-512",
        "triposg",
    ],
)
def test_a_whole_model_passes_every_check_that_is_possible(whole: Path, name: str) -> None:
    made = found_in(whole, name, thorough=True)
    assert {check: f.sentence for check, f in made.items() if f.outcome == "failed"} == {}
    for check in (deep.TENSORS, deep.PICTURE, deep.VALUES, deep.LOADED):
        assert made[check].outcome == "passed", made[check]


def test_the_shape_checkpoints_of_the_parity_fixtures_pass() -> None:
    root = parity_dir("shape") / "ckpt"
    for name in ("hunyuan3d-2mini", "hunyuan3d-2mini-turbo", "hunyuan3d-2mini-vae", "hunyuan3d-2mini-vae-turbo"):
        outcomes = {finding.outcome for finding in found_in(root, name).values()}
        assert outcomes == {"passed", "not possible"}, name


def without_one(tensors: dict[str, Any]) -> None:
    del tensors["model.latent_in.bias"]


def wrong_shape(tensors: dict[str, Any]) -> None:
    tensors["vae.post_kl.weight"] = tensors["vae.post_kl.weight"][:, :3].contiguous()


def not_a_number(tensors: dict[str, Any]) -> None:
    tensors["conditioner.main_image_encoder.model.layernorm.bias"][-1] = torch.nan


def too_large(tensors: dict[str, Any]) -> None:
    for key in [key for key in tensors if key.startswith("vae.")]:
        tensors[key] = (tensors[key].float() * 100).half()


@pytest.mark.parametrize(
    ("edit", "check", "says"),
    [
        (without_one, deep.TENSORS, "the tensor 'model.latent_in.bias' is missing"),
        (wrong_shape, deep.TENSORS, "'vae.post_kl.weight' has the shape [32, 3] where [32, 4] belongs"),
        (not_a_number, deep.VALUES, "layernorm.bias' of the image encoder holds numbers that are not finite"),
        (too_large, deep.VALUES, "times as large as weights are"),
    ],
)
def test_each_damage_fails_its_own_check(copy: Path, edit: Any, check: str, says: str) -> None:
    change(copy, edit)
    made = found_in(copy, "hunyuan3d-2mini")
    assert made[check].outcome == "failed"
    assert says in made[check].sentence


def test_a_configuration_for_another_picture_size_fails(copy: Path) -> None:
    path = copy / SHAPE / "config.yaml"
    text = path.read_text("utf-8")
    assert text.count("image_size: 56") == 2
    path.write_text(text.replace("image_size: 56", "image_size: 70"), "utf-8")
    sentence = found_in(copy, "hunyuan3d-2mini")[deep.TENSORS].sentence
    assert "position_embeddings' has the shape [1, 17, 24] where [1, 26, 24] belongs" in sentence


def test_a_picture_that_the_position_table_does_not_fit_fails(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_in(whole, "hunyuan3d-2mini-turbo")[deep.PICTURE].outcome == "passed"
    monkeypatch.setattr(dino, "resampled_positions", lambda table, rows, columns: table)
    finding = found_in(whole, "hunyuan3d-2mini-turbo")[deep.PICTURE]
    assert finding.outcome == "failed"
    assert "shapes of the networks do not go together" in finding.sentence


def test_an_unreadable_configuration_is_an_error_that_says_so(copy: Path) -> None:
    (copy / SHAPE / "config.yaml").write_text("[", "utf-8")
    with pytest.raises(WeightsError, match="cannot be read"):
        found_in(copy, "hunyuan3d-2mini")


def test_a_tensor_that_is_loaded_with_another_ones_numbers_is_found(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = deep.load_network

    def tied(*arguments: Any, **more: Any) -> Any:
        network = real(*arguments, **more)
        state = network.state_dict()
        if "double_blocks.0.img_mod.lin.weight" in state:
            state["double_blocks.0.img_mod.lin.weight"].copy_(state["double_blocks.0.txt_mod.lin.weight"])
        return network

    monkeypatch.setattr(deep, "load_network", tied)
    finding = found_in(whole, "hunyuan3d-2mini")[deep.LOADED]
    assert finding.outcome == "failed"
    assert "'model.double_blocks.0.img_mod.lin.weight' of the shape transformer was loaded" in finding.sentence


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), float("-inf")])
def test_numbers_are_read_in_every_format(tmp_path: Path, dtype: Any, bad: float | None) -> None:
    values = torch.linspace(-2, 1, 600).reshape(2, 300)
    if bad is not None:
        values[1, 7] = bad
    save_file({"a": values.to(dtype), "count": torch.arange(3)}, tmp_path / "x.safetensors")
    network = deep.StoredNetwork("network", lambda: torch.nn.Identity(), tmp_path / "x.safetensors")
    made = deep.check_values([network])
    assert made.outcome == ("passed" if bad is None else "failed")
    if bad is None:
        assert made.numbers["largest"] == 2.0
        assert made.numbers["scale of network"] == pytest.approx(300**0.5, rel=0.02)


def test_a_check_that_cannot_be_made_does_not_fail() -> None:
    from manymesh.errors import MissingPieceError

    def lacking() -> Finding:
        raise MissingPieceError("torch is not installed", "Run: pip install torch")

    made = findings.attempt("it", lacking)
    assert (made.outcome, made.sentence) == ("not possible", "torch is not installed. Run: pip install torch")


class TestGolden:
    """Numbers of the published 2mini: wrong weights and a wrong device are told apart."""

    def test_near_numbers_pass_and_far_ones_say_what_is_wrong(self) -> None:
        near = torch.tensor([-3.1, 0.0, 5.0])
        assert golden.judge(golden.LATENTS, near, None).outcome == "passed"
        for sound, cause in ((True, "other weights"), (False, "the device computes wrongly"), (None, "or the device")):
            made = golden.judge(golden.LATENTS, near * 100, sound)
            assert made.outcome == "failed"
            assert cause in made.sentence
        assert golden.judge(golden.LATENTS, near * torch.nan, None).outcome == "failed"

    def test_a_mean_and_a_corner_that_are_known_count_too(self) -> None:
        for golden_ in (golden.TIME, golden.LOGITS):
            assert golden_.mean is not None
            corner = golden_.corner[0] if golden_.corner else golden_.mean[0]
            ends = torch.tensor([corner, golden_.lowest, golden_.highest])
            rest = torch.full((1000,), (1003 * golden_.mean[0] - float(ends.sum())) / 1000)
            near = torch.cat([ends, rest])
            assert golden.judge(golden_, near, None).outcome == "passed"
            off = near.clone()
            off[3:] += 2 * golden_.mean[1]
            assert golden.judge(golden_, off, None).outcome == "failed"
        off = near.clone()
        off[0] = 0.9
        made = golden.judge(golden.LOGITS, off, None)
        assert made.outcome == "failed"
        assert "corner 0.9 is far from" in made.sentence

    def test_the_time_vector_depends_on_the_weights_alone(self, copy: Path) -> None:
        path, config = copy / SHAPE / WEIGHTS, read_shape_config(copy / SHAPE)
        vector = golden.time_vector(path, config, "cpu", torch.float32)
        own = golden.Golden("time vector", float(vector.min()), float(vector.max()), 1.02)
        assert golden.check_time(path, config, Machine(), own).outcome == "passed"
        change(copy, lambda tensors: tensors["model.time_in.out_layer.weight"].mul_(100))
        made = golden.check_time(path, config, Machine(), own)
        assert made.outcome == "failed"
        assert "other weights than the published ones" in made.sentence

    def test_a_device_whose_time_vector_differs_from_the_cpus_is_named(
        self, copy: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from manymesh.device.placement import Placement

        path, config = copy / SHAPE / WEIGHTS, read_shape_config(copy / SHAPE)
        vector = golden.time_vector(path, config, "cpu", torch.float32)
        own = golden.Golden("time vector", float(vector.min()), float(vector.max()), 1.02)
        monkeypatch.setattr(golden, "place", lambda *given, **more: Placement("cuda", "float16", "tests"))
        monkeypatch.setattr(
            golden, "time_vector", lambda path, config, device, dtype: vector * (1 if device == "cpu" else torch.nan)
        )
        made = golden.check_time(path, config, Machine("cuda"), own)
        assert made.outcome == "failed"
        assert "right on the CPU" in made.sentence
        assert "the device computes wrongly" in made.sentence

    def test_a_picture_goes_all_the_way_to_logits(self, copy: Path) -> None:
        walk = golden.Walk(copy / SHAPE / WEIGHTS, read_shape_config(copy / SHAPE), "cpu")
        sizes = [tuple(step().shape) for step in (walk.tokens, walk.latents, walk.decoded, walk.logits)]
        assert sizes == [(1, 17, 24), (1, 12, 4), (1, 12, 32), (33**3, 1)]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(commands.app, list(arguments))


def test_a_sound_model_ends_with_0_and_a_table(whole: Path) -> None:
    made = run("verify", "birefnet-512", "--deep", "--device", "cpu", "--weights-dir", str(whole))
    assert made.exit_code == 0, made.output
    lines = [line for line in made.stdout.splitlines() if line.startswith("birefnet-512")]
    for check in ("files", deep.TENSORS, deep.PICTURE, deep.VALUES, deep.LOADED):
        assert any(check in line and "passed" in line for line in lines), check


def test_a_failed_check_is_a_weights_error(copy: Path) -> None:
    change(copy, not_a_number)
    made = run("verify", "hunyuan3d-2mini", "--deep", "--device", "cpu", "--weights-dir", str(copy))
    assert isinstance(made.exception, WeightsError)
    assert made.exception.exit_code == 8
    assert "holds numbers that are not finite" in made.stdout


@pytest.mark.parametrize(
    ("options", "error"),
    [(("--device", "gpu"), UsageError), (("--device", "cpu", "--report", "absent/report.json"), OutputError)],
)
def test_a_device_that_is_none_and_a_report_that_cannot_be_written_are_errors_for_people(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], error: type[Exception]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = run("verify", "birefnet-512", "--deep", "--weights-dir", str(whole), *options)
    assert isinstance(made.exception, error)


def test_the_report_holds_no_personal_data(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("grete", "example user", "kitchen-pc", "private stuff")
    home = tmp_path / "Example User"
    weights = home / "private stuff" / "weights"
    shutil.copytree(whole / SHAPE, weights / SHAPE)
    change(weights, without_one)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("USER", "USERNAME", "LOGNAME"):
        monkeypatch.setenv(variable, "grete")
    monkeypatch.setattr(socket, "gethostname", lambda: "kitchen-pc.example.org")
    monkeypatch.setattr("platform.node", lambda: "kitchen-pc")
    file = tmp_path / "report.json"
    spelled = str(weights)
    made = run("verify", "2mini", "--report", str(file), "--device", "cpu", "--weights-dir", spelled)
    assert isinstance(made.exception, WeightsError)
    # The table is for the user alone, and names the folder: the sentence that is cleaned has something to clean.
    assert spelled in made.stdout
    text = file.read_text("utf-8")
    for secret in (*secrets, str(tmp_path), tmp_path.name):
        assert secret.lower() not in text.lower(), secret
    told = json.loads(text)
    assert told["sound"] is False
    (of_model,) = told["models"]
    by_check = {row["check"]: row for row in of_model["findings"]}
    assert "'model.latent_in.bias' is missing" in by_check[deep.TENSORS]["sentence"]
    assert by_check[deep.TENSORS]["sentence"].startswith("hunyuan3d-dit-v2-mini/model.fp16.safetensors is not")
    assert {row["name"] for row in of_model["files"]} == {f"{SHAPE}/config.yaml", f"{SHAPE}/{WEIGHTS}"}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("/srv/anna/x.safetensors is damaged: 3 bytes", "x.safetensors is damaged: 3 bytes"),
        (r"C:\Users\Anna\x.safetensors is cut", "x.safetensors is cut"),
        ("see https://huggingface.co/a/b and unet/config.json", "see https://huggingface.co/a/b and unet/config.json"),
        ("the model of Anna and anna-pc", "the model of NAME and NAME"),
        ("savannah and the tensor 'a.b.c'", "savannah and the tensor 'a.b.c'"),
    ],
)
def test_full_paths_and_names_are_taken_out_of_sentences(
    monkeypatch: pytest.MonkeyPatch, text: str, cleaned: str
) -> None:
    monkeypatch.setattr(report, "_user_names", lambda: ["anna"])
    monkeypatch.setattr(socket, "gethostname", lambda: "anna-pc")
    assert report.Cleaner([])(text) == cleaned


def test_a_detector_is_held_against_its_configuration(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    folder = tmp_path / "qwen3-vl-2b"
    shutil.copytree(parity_dir("qwen3vl-tiny"), folder, ignore=shutil.ignore_patterns("expected*"))
    assert not locate.find(model("qwen3-vl-2b"), tmp_path).absent
    made = found_in(tmp_path, "qwen3-vl-2b")
    assert {check: f.outcome for check, f in made.items()} == {
        deep.TEXT: "not possible",
        deep.TENSORS: "passed",
        deep.VALUES: "passed",
        detector.SQUARES: "not possible",
    }
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["text_config"]["intermediate_size"] += 8
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    sentence = found_in(tmp_path, "qwen3-vl-2b")[deep.TENSORS].sentence
    assert "has the shape" in sentence
    (folder / "config.json").write_text("{", "utf-8")
    assert "describes no network of this kind" in found_in(tmp_path, "qwen3-vl-2b")[deep.TENSORS].sentence
    (folder / "model.safetensors.index.json").write_text('{"weight_map": ', "utf-8")
    assert found_in(tmp_path, "qwen3-vl-2b")[deep.VALUES].outcome == "failed"


def test_a_configuration_of_another_network_fails_every_check_without_a_traceback(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    folder = tmp_path / "detector"
    shutil.copytree(parity_dir("qwen3vl-tiny"), folder, ignore=shutil.ignore_patterns("expected*"))
    (folder / "config.json").write_text('{"model_type": "bert"}', "utf-8")
    found = locate.Found(folder, {}, ())
    made = {f.check: f for f in detector.grounding_dino(model("dino"), found, Machine("cpu", thorough=True))}
    assert made[deep.TENSORS].outcome == "failed"
    assert "cannot load it" in made[deep.LOADED].sentence


@pytest.mark.parametrize(("broken", "outcome"), [("float32", "failed"), ("float16", "not possible")])
def test_a_device_with_faulty_half_precision_is_told_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, broken: str, outcome: str
) -> None:
    from manymesh.device import probe

    checks = [f"convolution in {name}" for name in ("float32", "float16")]
    made = [probe.ProbeFinding(check, broken not in check, "a sentence") for check in checks]
    monkeypatch.setattr(probe, "probe_device", lambda device: made)
    assert {finding.check.split()[-1]: finding.outcome for finding in deep.check_device("cpu")}[broken] == outcome


@pytest.mark.parametrize("narrow", [False, True])
def test_a_detector_with_boxes_a_few_pixels_wide_fails_the_look_at_two_squares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, narrow: bool
) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    from manymesh.detect.dino import stage
    from manymesh.detect.probe import HEIGHT_PX, SQUARES, WIDTH_PX

    sides = np.array([[box.x0, box.y0, box.x1, box.y1] for box in SQUARES.values()], np.float32)
    sides /= np.array([WIDTH_PX, HEIGHT_PX] * 2, np.float32)
    low, high = sides[:, :2], sides[:, 2:]
    boxes = np.concatenate([(low + high) / 2, (high - low) * ([0.04, 1] if narrow else 1)], 1)
    closed: list[bool] = []

    class Network:
        def __init__(self, folder: Path, settings: Any) -> None:
            assert folder == tmp_path

        def __call__(self, rgb: Any, names: Any) -> Any:
            return np.eye(2, dtype=np.float32) * 0.9, boxes

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(stage, "Model", Network)
    found = locate.Found(tmp_path, {}, ())
    made = list(detector.grounding_dino(model("dino"), found, Machine(thorough=True)))
    of_squares = {f.outcome for f in made if "square" in f.check or "width" in f.check}
    assert of_squares == ({"failed"} if narrow else {"passed"})
    assert closed == [True]


@pytest.mark.parametrize("sees", [True, False])
def test_a_matte_is_shown_a_drawn_ball_on_a_gpu(whole: Path, monkeypatch: pytest.MonkeyPatch, sees: bool) -> None:
    from manymesh.matte import probe
    from manymesh.matte.birefnet import self_check

    closed: list[bool] = []

    class Network:
        def __init__(self, path: Path, settings: Any) -> None:
            assert (settings.matte_model, settings.devices) == ("512", ("matte=cuda",))

        def __call__(self, rgb: Any) -> Any:
            return np.uint8(255) * (np.ptp(rgb, axis=2) > (0 if sees else 255))

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(self_check, "AlphaNetwork", Network)
    made = found_in(whole, "birefnet-512", device="cuda", thorough=True)[probe.CHECK]
    assert made.outcome == ("passed" if sees else "failed")
    assert closed == [True]


def test_a_language_model_that_answers_nothing_fails_the_look_at_two_squares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    from manymesh.detect.qwen import model as qwen

    class Network:
        def __init__(self, folder: Path, settings: Any) -> None:
            assert settings.devices == ("detect=cuda",)

        def ask(self, question: str, rgb: Any, tick: Any) -> str:
            return "!"

        def close(self) -> None: ...

    monkeypatch.setattr(qwen, "Model", Network)
    found = locate.Found(tmp_path, {}, ())
    made = list(detector.qwen(model("qwen3-vl-2b"), found, Machine("cuda", thorough=True)))
    assert [f.outcome for f in made if "drawn" in f.check] == ["failed", "failed"]

"""From a photo to a textured GLB with all networks of the engine ``open``, in the official layouts, very small."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tiny_birefnet
import tiny_mvadapter
import tiny_triposg
import trimesh
from full_walk import DETECTOR_TOKENS, Watch, cutting_at, detector_names_two_things, two_things
from gltf_validator import assert_valid
from parity_path import parity_dir

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from manymesh.errors import Cancelled  # noqa: E402
from manymesh.events import Cancel, Event  # noqa: E402
from manymesh.pipeline import Pipeline  # noqa: E402
from manymesh.run.folder import Run  # noqa: E402
from manymesh.settings import Settings  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = {
    "detector_tokens": DETECTOR_TOKENS,
    "steps": 2,
    "grid": 24,
    "tokens": 16,
    "faces": 800,
    "texture_size": 64,
    "render_size": 128,
    "paint_steps": 2,
    "paint_view_size": 64,
    "formats": ("glb", "obj"),
}
NETWORKS = {"Qwen3VLForConditionalGeneration", "BiRefNet", "Dino", "ShapeTransformer", "ShapeDecoder"}
NETWORKS |= {"TextEncoder", "ConditionEncoder", "UNet", "AdaptedUNet", "ImageVae"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    (root / "qwen3-vl-2b").symlink_to(parity_dir("qwen3vl-tiny"))
    tiny_birefnet.save(root / "birefnet-general" / "model.safetensors", cutting_at(-0.42))
    tiny_triposg.write_checkpoint(root)
    return tiny_mvadapter.write_sd21(root)


@dataclass(frozen=True)
class Walked:
    """A run that was stopped when its shapes were to be made, and resumed."""

    run: Run
    before: Watch
    after: Watch


class Stop:
    """Asks a run to stop as the shape stage begins."""

    def __init__(self, watch: Watch, cancel: Cancel) -> None:
        self.watch, self.cancel = watch, cancel

    def __call__(self, event: Event) -> None:
        self.watch(event)
        if event.kind == "stage-started" and event.stage == "shape":
            self.cancel.ask()


@pytest.fixture(scope="module")
def walked(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    settings = Settings(prompt="block, ball", engine="open", weights_dir=weights, devices=("cpu",), **QUICK)
    photo, runs = two_things(tmp_path_factory.mktemp("photo") / "two.png"), tmp_path_factory.mktemp("runs")
    before, after, cancel = Watch(NETWORKS), Watch(NETWORKS), Cancel()
    with detector_names_two_things(weights / "qwen3-vl-2b"), pytest.raises(Cancelled):
        Pipeline(settings, on_event=Stop(before, cancel), cancel=cancel).make([photo], runs)
    (folder,) = (path for path in runs.iterdir() if path.is_dir())
    return Walked(Pipeline(on_event=after).resume(folder), before, after)


def test_a_photo_becomes_textured_meshes(walked: Walked) -> None:
    manifest = walked.run.manifest
    assert list(manifest.implementations.values()) == ["qwen3-vl", "birefnet", "triposg", "mv-adapter"]
    assert manifest.state == "done", [record.error for record in manifest.objects]
    assert [record.label for record in manifest.objects] == ["block", "ball"]
    files = [walked.run.folder / record.files["model"].path for record in manifest.objects]
    for path in files:
        model = trimesh.load(path, force="mesh", process=False)
        assert 0 < len(model.faces) <= QUICK["faces"]
        assert np.asarray(model.visual.material.baseColorTexture.convert("RGB")).shape == (64, 64, 3)
        assert path.with_suffix(".obj").is_file()
    assert files[0].read_bytes() != files[1].read_bytes()


def test_its_glbs_are_valid(walked: Walked, tmp_path: Path) -> None:
    paths = [record.files["model"].path for record in walked.run.manifest.objects]
    assert_valid([(walked.run.folder / path).read_bytes() for path in paths], tmp_path)


def test_every_network_is_in_memory_for_its_own_turn_only(walked: Walked) -> None:
    assert walked.before.at_work == {
        "detect": {"Qwen3VLForConditionalGeneration"},
        "matte": {"BiRefNet"},
    }
    assert walked.after.at_work == {
        "shape": {"ShapeTransformer", "ShapeDecoder"},
        "refine": set(),
        "paint": {"AdaptedUNet"},
        "write": set(),
    }
    for watch in (walked.before, walked.after):
        assert watch.at_start == {stage: set() for stage in watch.at_start}


def test_a_resumed_run_makes_only_what_was_missing(walked: Walked) -> None:
    assert "detect" not in walked.after.at_start
    assert "matte" not in walked.after.at_start
    assert {"shape", "refine", "paint", "write"} <= set(walked.after.at_start)

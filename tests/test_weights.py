from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from manymesh.cli import models
from manymesh.errors import LicenceError, UsageError, WeightsError
from manymesh.settings import Settings
from manymesh.weights import catalogue, families, licences, locate, missing, require
from manymesh.weights.entries import File
from manymesh.weights.verify import check_file, read_header, require_shapes, sha256_of


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def safetensors(path: Path, table: dict | None = None, data: bytes = b"\0" * 12, length: int | None = None) -> Path:
    entry = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
    header = json.dumps({"a": entry} if table is None else table).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + data)
    return path


def test_the_catalogue_is_sane() -> None:
    ids = [m.id for m in catalogue.MODELS]
    assert len(set(ids)) == len(ids)
    for m in catalogue.MODELS:
        assert m.stage in ("detect", "matte", "shape", "paint")
        assert m.revision is None or len(m.revision) == 40
        assert m.files
        # TripoSR's is read by our own reader, which runs nothing of it.
        refused = (".py",) if m.id == "triposr" else (".py", ".ckpt")
        assert not any(file.name.endswith(refused) for file in m.files)
        assert all(file.sha256 is None or len(file.sha256) == 64 for file in m.files)
        assert m.licence.must_accept == m.repo.startswith("tencent/")
    with pytest.raises(UsageError, match="there is no model 'gpt'"):
        catalogue.model("gpt")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dino", "grounding-dino-tiny"),
        ("DINO-MM", "mm-grounding-dino-tiny"),
        ("2mini", "hunyuan3d-2mini"),
        ("birefnet", "birefnet-general"),
        ("Qwen/Qwen3-VL-4B-Instruct", "qwen3-vl-4b"),
    ],
)
def test_names_that_people_type_are_understood(typed: str, meant: str) -> None:
    assert catalogue.model(typed).id == meant


def test_a_near_miss_is_suggested() -> None:
    with pytest.raises(UsageError, match="there is no model 'hunyuan3d-2minni'") as caught:
        catalogue.model("hunyuan3d-2minni")
    assert "hunyuan3d-2mini" in caught.value.hint


def test_an_engines_name_stands_for_all_that_it_needs_with_default_settings(tmp_path) -> None:
    from manymesh.engines import stages_of

    named = [m.id for m in catalogue.models_of(["hunyuan", "hunyuan3d-2mini"])]
    assert len(named) == len(set(named)) == 5
    settings = Settings(weights_dir=tmp_path)
    told = {kind: str(stage.missing(settings)) for kind, stage in stages_of("hunyuan", settings).items()}
    for kind, sentence in told.items():
        assert any(name in sentence for name in named if catalogue.model(name).stage == kind), (kind, sentence)


def test_the_hunyuan_terms_are_told_at_the_download_and_in_the_manifest() -> None:
    from manymesh.paint.hunyuan import STAGE as PAINT
    from manymesh.shape.hunyuan import STAGE as SHAPE

    for stage in (PAINT, SHAPE):
        for word in ("European Union", "train other AI models", "not affiliated"):
            assert word in stage.licence
    licences.accept(families.HUNYUAN.id)
    shown = run("pull", "hunyuan3d-2mini").output
    assert "not affiliated" in shown
    assert "train other AI models" in shown


def test_mm_grounding_dino_is_apache() -> None:
    assert catalogue.model("dino-mm").licence is families.APACHE


def test_every_detector_and_matte_setting_has_its_weights() -> None:
    from manymesh.detect.dino.stage import WEIGHTS

    for name in Settings.model_json_schema()["properties"]["detector"]["enum"]:
        assert catalogue.model(WEIGHTS.get(name, name)).stage == "detect"
    for name in Settings.model_json_schema()["properties"]["matte_model"]["enum"]:
        assert catalogue.model(f"birefnet-{name}").stage == "matte"


@pytest.mark.parametrize("folder", ["ZhengPeng7/BiRefNet_lite", "BiRefNet_lite", "birefnet-lite"])
def test_a_local_folder_stands_in_for_the_hub(tmp_path, folder: str) -> None:
    assert "is absent" in str(missing("birefnet-lite", tmp_path))
    with pytest.raises(WeightsError, match=r"model\.safetensors is absent"):
        require("birefnet-lite", tmp_path)
    path = safetensors(tmp_path / folder / "model.safetensors")
    assert missing("birefnet-lite", tmp_path) is None
    assert require("birefnet-lite", tmp_path).files == {"model.safetensors": path}


def test_folders_of_one_repository_may_lie_directly_in_the_weights_folder(tmp_path) -> None:
    safetensors(tmp_path / "hunyuan3d-dit-v2-mini" / "model.fp16.safetensors")
    (tmp_path / "hunyuan3d-dit-v2-mini" / "config.yaml").write_text("x: 1\n", "utf-8")
    assert require("hunyuan3d-2mini", tmp_path).root == tmp_path


def test_a_sharded_model_needs_every_shard_its_index_names(tmp_path) -> None:
    root = tmp_path / "Qwen3-VL-4B-Instruct"
    for name in ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"):
        root.mkdir(exist_ok=True)
        (root / name).write_text("{}", "utf-8")
    safetensors(root / "model-00001-of-00002.safetensors")
    table = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (root / "model.safetensors.index.json").write_text(json.dumps(table), "utf-8")
    assert locate.find(catalogue.model("qwen3-vl-4b"), tmp_path).absent == ("model-00002-of-00002.safetensors",)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda p: p.write_bytes(b""), "cut short"),
        (lambda p: p.write_bytes(b"PK\x03\x04 not tensors at all"), "not a safetensors file"),
        (lambda p: safetensors(p, length=1 << 60), "does not fit"),
        (lambda p: p.write_bytes(p.read_bytes()[:-2]), "2 bytes are missing"),
        (lambda p: p.write_bytes(p.read_bytes() + b"x"), "1 bytes too many"),
        (lambda p: safetensors(p, {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 12]}}), "'a' has not"),
        (lambda p: safetensors(p, {"a": {"dtype": "F31", "shape": [3], "data_offsets": [0, 12]}}), "F31"),
        (lambda p: safetensors(p, {"a": 5}), "damaged"),
        (lambda p: safetensors(p, {"a": {"dtype": "F32", "shape": [-3], "data_offsets": [12, 0]}}), "'a' has not"),
    ],
)
def test_a_damaged_safetensors_file_is_told_by_its_header(tmp_path, spoil, says: str) -> None:
    path = safetensors(tmp_path / "model.safetensors")
    assert read_header(path)["a"].shape == (3,)
    spoil(path)
    with pytest.raises(WeightsError, match=says):
        read_header(path)


def test_shapes_are_compared_in_the_architectures_order() -> None:
    expected = {"first": (1,), "second": (2, 2)}
    require_shapes({"second": [2, 2], "first": [1]}, expected, "it", Path("w"))
    with pytest.raises(WeightsError, match="'first' is missing"):
        require_shapes({"third": [1]}, expected, "it", Path("w"))
    with pytest.raises(WeightsError, match="'third' does not belong"):
        require_shapes({"second": [2, 2], "first": [1], "third": [1]}, expected, "it", Path("w"))


def test_a_file_is_held_against_the_strongest_thing_known(tmp_path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"abc")
    digest = sha256_of(path)
    assert check_file(path, File("x.bin", sha256=digest)) == ("", "sha256")
    assert check_file(path, File("x.bin", bytes=4))[0] == "3 bytes where 4 belong"
    assert "belongs" in check_file(path, None, "f" * 64)[0]
    assert check_file(path, None) == ("", "present")


def test_an_unknown_licence_cannot_be_accepted_and_a_known_one_stays() -> None:
    with pytest.raises(UsageError, match="there is no licence 'mine'"):
        licences.accept("mine")
    with pytest.raises(LicenceError, match="European Union"):
        licences.require_accepted([families.MIT, families.HUNYUAN])
    licences.accept(families.HUNYUAN.id)
    licences.require_accepted([families.HUNYUAN])


def run(*arguments: str):
    return CliRunner().invoke(models.app, list(arguments))


def test_the_commands_list_path_and_verify(tmp_path) -> None:
    listed = run("list")
    assert listed.exit_code == 0
    assert all(m.id in listed.stdout for m in catalogue.MODELS)
    assert isinstance(run("path", "birefnet-matting").exception, WeightsError)
    safetensors(tmp_path / "w" / "BiRefNet-matting" / "model.safetensors")
    shown = run("path", "birefnet-matting", "--weights-dir", str(tmp_path / "w"))
    assert shown.stdout.strip() == str(tmp_path / "w" / "BiRefNet-matting")
    sound = run("verify", "birefnet-matting", "--weights-dir", str(tmp_path / "w"))
    assert (sound.exit_code, sound.stdout.strip()) == (0, "birefnet-matting: model.safetensors: ok (header)")
    (tmp_path / "w" / "BiRefNet-matting" / "model.safetensors").write_bytes(b"short")
    damaged = run("verify", "--weights-dir", str(tmp_path / "w"))
    assert "models remove birefnet-matting" in str(damaged.exception)


def test_pull_demands_the_licence_first() -> None:
    pytest.importorskip("huggingface_hub")
    refused = run("pull", "hunyuan3d-2mini")
    assert isinstance(refused.exception, LicenceError)
    assert "Tencent Hunyuan 3D 2.0 Community License" in refused.output


class TestConversion:
    """Pickles of tensors become safetensors, and nothing else in a pickle is run."""

    @pytest.fixture(autouse=True)
    def torch(self):
        return pytest.importorskip("torch", reason="the full engine's extra is not installed")

    def test_a_state_dict_is_converted_once(self, tmp_path, torch) -> None:
        from manymesh.weights.load import as_safetensors

        shared = torch.arange(6, dtype=torch.float16)
        torch.save({"a": shared, "b": shared[:3], "c": shared.view(2, 3).t()}, tmp_path / "w.pth")
        twin = as_safetensors(tmp_path / "w.pth")
        from safetensors.numpy import load_file

        loaded = load_file(twin)
        np.testing.assert_array_equal(loaded["b"], [0, 1, 2])
        np.testing.assert_array_equal(loaded["c"], [[0, 3], [1, 4], [2, 5]])
        before = twin.stat().st_mtime_ns
        assert as_safetensors(tmp_path / "w.pth").stat().st_mtime_ns == before
        assert [p.name for p in twin.parent.iterdir()] == [twin.name]

    def test_a_pickle_with_anything_else_in_it_is_refused_unrun(self, tmp_path, torch) -> None:
        from manymesh.weights.load import as_safetensors

        class Bomb:
            def __reduce__(self):
                return Path.touch, (tmp_path / "boom",)

        torch.save({"a": Bomb()}, tmp_path / "w.pth")
        (tmp_path / "plain.bin").write_bytes(pickle.dumps(Bomb()))
        for name in ("w.pth", "plain.bin"):
            with pytest.raises(WeightsError, match="refused"):
                as_safetensors(tmp_path / name)
        assert not (tmp_path / "boom").exists()

    def test_a_wrong_checksum_stops_before_unpickling(self, tmp_path, torch, monkeypatch) -> None:
        from manymesh.weights.load import as_safetensors

        torch.save({"a": torch.ones(1)}, tmp_path / "w.pth")
        monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("it was unpickled"))
        with pytest.raises(WeightsError, match="SHA-256"):
            as_safetensors(tmp_path / "w.pth", sha256="0" * 64)

    def test_what_is_no_table_of_tensors_is_refused(self, tmp_path, torch) -> None:
        from manymesh.weights.load import as_safetensors

        torch.save([torch.ones(1)], tmp_path / "w.pth")
        with pytest.raises(WeightsError, match="not a table of tensors"):
            as_safetensors(tmp_path / "w.pth")

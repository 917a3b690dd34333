"""The command line as a person or a script meets it: stdout for machines, a line for errors, documented exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import Commands
from conftest import SavePhoto
from PIL import Image

from manymesh.settings import Settings

QUICK = ["--engine", "lite", "--faces", "500", "--texture-size", "64"]
# For what does not depend on the shape; three learned shapes take five seconds longer.
INFLATED = [*QUICK, "--shape", "inflate"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    folder = tmp_path_factory.mktemp("cli")
    from conftest import three_things

    three_things().save(folder / "things.png")
    arguments = ["make", folder / "things.png", "--out", folder / "runs", *QUICK, "--prompt", "cup, spoon"]
    command = [sys.executable, "-m", "manymesh", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_make_prints_the_run_folder_alone_on_stdout(finished: subprocess.CompletedProcess[str]) -> None:
    assert finished.returncode == 0, finished.stderr
    (line,) = finished.stdout.splitlines()
    assert (Path(line) / "run.json").exists()
    assert "cannot read names" in finished.stderr
    assert "sheet.png" in finished.stderr


def test_show_lists_objects_stages_and_notes(manymesh: Commands, finished: subprocess.CompletedProcess[str]) -> None:
    shown = manymesh("show", finished.stdout.strip())
    assert shown.returncode == 0
    for word in ("01-object", "model.glb", "shape", "learned", "MiB", "cannot read names"):
        assert word in shown.stdout


def test_shape_is_short_for_the_shape_stage(
    manymesh: Commands, finished: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    photo = Path(finished.stdout.strip()).parents[1] / "things.png"
    inflated = manymesh("make", photo, "--out", tmp_path, *QUICK, "--no-texture", "--shape", "inflate", "--json")
    (run,) = json.loads(inflated.stdout)["runs"]
    assert run["settings"]["stages"] == ["shape=inflate"]
    refused = manymesh("make", photo, "--out", tmp_path, *QUICK, "--shape", "nonsense")
    assert refused.returncode == 2
    assert "no shape stage called 'nonsense'" in refused.stderr


def test_show_as_json_is_one_document_with_everything(
    manymesh: Commands, finished: subprocess.CompletedProcess[str]
) -> None:
    shown = manymesh("show", finished.stdout.strip(), "--json")
    document = json.loads(shown.stdout)
    assert document["error"] is None
    assert [thing["state"] for thing in document["runs"][0]["objects"]] == ["done"] * 3


def test_resume_of_a_finished_run_is_at_peace(manymesh: Commands, finished: subprocess.CompletedProcess[str]) -> None:
    again = manymesh("resume", finished.stdout.strip())
    assert (again.returncode, again.stdout) == (0, finished.stdout)


def test_make_as_json_is_one_document(manymesh: Commands, photo_path: Path, tmp_path: Path) -> None:
    made = manymesh("make", photo_path, "--out", tmp_path / "r", "--json", "--no-texture", *INFLATED)
    (run,) = json.loads(made.stdout)["runs"]
    assert (run["state"], Path(run["folder"]).is_dir()) == ("done", True)
    assert run["settings"]["texture"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["make", "nowhere.png"], 3, "does not exist"),
        (["make", "."], 3, "is a folder"),
        (["make"], 2, "Missing argument"),
        (["make", "x.png", "--engine", "magic"], 2, "magic"),
        (["make", "x.png", "--faces", "7"], 2, "faces"),
        (["make", "x.png", "--box", "1,2,3"], 2, "x0,y0,x1,y1"),
        (["make", "x.png", "--box", "9,9,3,3"], 2, "is empty"),
        (["make", "x.png", "--format", "fbx"], 2, "glb"),
        (["show", "."], 3, "not a run folder"),
        (["resume", "nowhere"], 3, "not a run folder"),
        (["resume", ".", "--cutout", "two"], 2, "N=FILE"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_mistakes_get_a_sentence_and_their_code(
    manymesh: Commands, arguments: list[str], code: int, words: str
) -> None:
    answer = manymesh(*arguments)
    assert answer.returncode == code, answer.stderr
    assert words in answer.stderr
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr


def test_one_bad_photo_among_several_decides_the_exit_code_and_costs_no_other(
    manymesh: Commands, photo_path: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    answer = manymesh("make", photo_path, bad, "--out", tmp_path / "r", "--json", "--no-texture", *INFLATED)
    document = json.loads(answer.stdout)
    assert answer.returncode == document["error"]["exit_code"] == 3
    assert [run["state"] for run in document["runs"]] == ["done"]
    assert [Path(entry["path"]).name for entry in document["unread"]] == ["bad.png"]


def test_a_prompt_of_several_lines_and_a_hostile_label_are_only_text(
    manymesh: Commands, photo_path: Path, tmp_path: Path
) -> None:
    answer = manymesh(
        "make", photo_path, "--out", tmp_path / "r", "--no-texture", *INFLATED, "--prompt", "cup\nspoon",
        "--box", "20,75,100,155:[/x]\x1b[31m../..",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    shown = manymesh("show", answer.stdout.strip())
    assert shown.returncode == 0, shown.stderr
    assert "[/x]" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_a_flag_that_does_not_exist_is_json_too(manymesh: Commands) -> None:
    answer = manymesh("make", "x.png", "--frobnicate", "--json")
    assert (answer.returncode, json.loads(answer.stdout)["error"]["code"]) == (2, "usage")


def test_errors_are_json_too_when_asked(manymesh: Commands) -> None:
    answer = manymesh("make", "nowhere.png", "--json")
    error = json.loads(answer.stdout)["error"]
    assert (error["code"], error["exit_code"], answer.returncode) == ("input", 3, 3)


@pytest.mark.parametrize(
    "arguments", [("--image", "nowhere.png"), ("--image", "x.png", "--size", "9 parsec"), ("--frobnicate",)]
)
def test_an_error_of_paint_is_a_document_of_the_same_form_as_its_success(
    manymesh: Commands, arguments: tuple[str, ...]
) -> None:
    answer = manymesh("paint", "nowhere.obj", *arguments, "--json")
    document = json.loads(answer.stdout)
    assert set(document) == {"state", "folder", "files", "notes", "details", "error"}
    assert (document["state"], document["folder"], document["files"]) == ("failed", None, [])
    assert document["error"]["exit_code"] == answer.returncode != 0


def test_nothing_found_for_a_name_has_its_own_code(manymesh: Commands, save_photo: SavePhoto, tmp_path: Path) -> None:
    path = save_photo(Image.new("RGB", (64, 64), "grey"), "plain.png")
    answer = manymesh("make", path, "--out", tmp_path / "r", "--prompt", "cup", *QUICK)
    assert answer.returncode == 4
    assert "--whole-image-if-none" in answer.stderr


def test_ctrl_c_stops_cleanly_and_the_run_resumes(manymesh: Commands, photo_path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "manymesh", "make", str(photo_path), "--out", str(tmp_path / "r"), *INFLATED]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not list((tmp_path / "r").rglob("cutout.png")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    (folder,) = (tmp_path / "r").iterdir()
    assert output.split() == [str(folder)]
    assert f"manymesh resume {folder}" in errors
    assert json.loads((folder / "run.json").read_text())["state"] == "cancelled"
    assert manymesh("resume", folder).returncode == 0


def test_doctor_says_what_runs_and_why(manymesh: Commands) -> None:
    told = manymesh("doctor")
    assert told.returncode == 0
    assert "engine lite: ready" in told.stdout
    findings = json.loads(manymesh("doctor", "--json").stdout)
    assert findings["auto"]["engine"] in findings["engines"]
    assert findings["auto"]["reason"]


def test_every_setting_is_a_flag_with_its_help(manymesh: Commands) -> None:
    told = " ".join(manymesh("make", "--help").stdout.split())
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        assert "--" + str(extra.get("flag", name)).replace("_", "-") in told
        assert str(field.description).split(".")[0].split(",")[0] in told


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["make", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom manymesh.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'cv2', 'skimage', 'trimesh', 'torch', 'PIL', 'psutil'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    command = [sys.executable, "-c", script, *arguments]
    subprocess.run(command, check=True, env=_environment(), capture_output=True)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

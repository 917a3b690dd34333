"""Every engine that is present over a folder of photos, and one sheet: what somebody with the real weights looks at.

    python benchmarks/photos.py FOLDER --prompt "cup, spoon" --out build/photos
    python benchmarks/photos.py FOLDER --engines lite,small

A file NAME.txt beside NAME.jpg gives that photo its own prompt. Writes sheet.png (a row a photo, a column an engine:
boxes above, models below) and times.json. Engines whose networks are not here are left out, and named.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from manymesh.engines import ENGINES, missing_stages, stages_of
from manymesh.errors import ManymeshError
from manymesh.pipeline import Pipeline
from manymesh.settings import Settings

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff"}
CELL_PX = 420


def present(names: list[str], prompt: str, weights_dir: Path | None) -> list[str]:
    """The engines that can run here; the others are said with what they lack."""
    able = []
    for name in names:
        settings = Settings(engine=name, prompt=prompt or None, weights_dir=weights_dir)
        lack = missing_stages(stages_of(name, settings), settings)
        if lack:
            print(f"{name} is left out: {next(iter(lack.values()))}")
        else:
            able.append(name)
    return able


def cell(run_folder: Path | None, text: str) -> Image.Image:
    """A run's boxes above its sheet, with a line of text."""
    picture = Image.new("RGB", (CELL_PX, 2 * CELL_PX + 24), "white")
    ImageDraw.Draw(picture).text((4, 2 * CELL_PX + 6), text, fill="black")
    for number, name in enumerate(("detections.png", "sheet.png")):
        if run_folder is not None and (run_folder / name).is_file():
            with Image.open(run_folder / name) as shown:
                small = shown.convert("RGB")
            small.thumbnail((CELL_PX - 8, CELL_PX - 8))
            picture.paste(small, (4, number * CELL_PX + 4))
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--prompt", default="", help="for photos without a .txt of their own")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--out", type=Path, default=Path("build/photos"))
    parser.add_argument("--weights-dir", type=Path, help="as of manymesh make")
    options = parser.parse_args()
    photos = sorted(path for path in options.folder.iterdir() if path.suffix.lower() in SUFFIXES)
    engines = present(options.engines.split(","), options.prompt or "object", options.weights_dir)
    if not photos or not engines:
        raise SystemExit("there is nothing to run")
    rows, times = [], []
    for photo in photos:
        own = photo.with_suffix(".txt")
        prompt = own.read_text("utf-8").strip() if own.is_file() else options.prompt
        cells = []
        for engine in engines:
            start_s = time.perf_counter()
            folder, text = None, ""
            try:
                settings = Settings(engine=engine, prompt=prompt or None, weights_dir=options.weights_dir)
                (run,) = Pipeline(settings).make([photo], options.out / engine)
                folder, found = run.folder, [f"{o.label} {o.score or ''}".strip() for o in run.manifest.objects]
                lost = f"; not found: {', '.join(run.manifest.missing_names)}" if run.manifest.missing_names else ""
                text = f"{engine}: {run.manifest.state}; {', '.join(found)}{lost}"
            except ManymeshError as error:
                text = f"{engine}: {error.what}"
            seconds = round(time.perf_counter() - start_s, 2)
            print(f"{photo.name}  {text}  {seconds} s")
            times.append({"photo": photo.name, "engine": engine, "prompt": prompt, "seconds": seconds, "told": text})
            cells.append(np.asarray(cell(folder, text)))
        rows.append(np.concatenate(cells, axis=1))
    Image.fromarray(np.concatenate(rows)).save(options.out / "sheet.png")
    (options.out / "times.json").write_text(json.dumps(times, indent=1) + "\n", "utf-8")
    print(options.out / "sheet.png")


if __name__ == "__main__":
    main()

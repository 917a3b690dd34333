"""How well the `lite` engine finds and cuts out objects: cutouts with known alpha on synthetic backgrounds.

    python benchmarks/lite_masks.py FOLDER [--count 40] [--side 640] [--objects 1] [--save OUT]

FOLDER holds PNGs with an alpha channel (Debian's `tuxpaint-stamps-default` has hundreds of photographic ones). Each is
laid on every background. The table gives, by background:

    right     share of scenes with exactly as many detections as objects
    IoU       of the best detection's cutout (alpha >= 128) with the truth: median, and 10 % quantile
    alpha     mean absolute error of alpha (0..255) within 1 % of the side around the true outline
    colour    mean absolute error of the foreground colour (0..255) where the true alpha is 13..242
    detect s, matte s   median seconds of a scene, and of an object
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from manymesh.detect.lite import detect, open_network
from manymesh.errors import ObjectError
from manymesh.matte.lite import matte
from manymesh.types import Box, Crop, Cutout, Detection, Photo

SMALLEST_CUTOUT_PX = 100


def smooth_noise(rng: np.random.Generator, side: int, cell: tuple[int, int]) -> np.ndarray:
    """(side, side) float32 in about -1..1, smooth over ``cell`` pixels (x, y)."""
    small = rng.uniform(-1, 1, (max(2, side // cell[1]), max(2, side // cell[0]))).astype(np.float32)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def flat(rng: np.random.Generator, side: int, colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((side, side, 3), colour, np.float32) + rng.normal(0, 1.5, (side, side, 3))


def white(rng: np.random.Generator, side: int) -> np.ndarray:
    return flat(rng, side, (250, 250, 250))


def grey(rng: np.random.Generator, side: int) -> np.ndarray:
    return flat(rng, side, (128, 128, 130))


def gradient(rng: np.random.Generator, side: int) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] / side
    falloff = 1 - 0.45 * ((x - 0.6) ** 2 + (y - 0.3) ** 2)
    return np.array([196, 206, 214]) * falloff[..., None] + rng.normal(0, 2, (side, side, 3))


def wall_and_table(rng: np.random.Generator, side: int) -> np.ndarray:
    picture = flat(rng, side, (205, 198, 184))
    picture[int(0.62 * side) :] = flat(rng, side, (120, 84, 56))[int(0.62 * side) :]
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def wood(rng: np.random.Generator, side: int) -> np.ndarray:
    grain = smooth_noise(rng, side, (side // 3, 6)) + 0.6 * smooth_noise(rng, side, (side // 5, 3))
    return np.array([168, 122, 80]) + grain[..., None] * np.array([16, 14, 11]) + rng.normal(0, 3, (side, side, 3))


def fabric(rng: np.random.Generator, side: int) -> np.ndarray:
    weave = smooth_noise(rng, side, (5, 5)) * 14 + smooth_noise(rng, side, (40, 40)) * 8
    return np.array([92, 104, 120]) + weave[..., None] + rng.normal(0, 5, (side, side, 3))


def leaves(rng: np.random.Generator, side: int) -> np.ndarray:
    """A blurred, strongly mottled background, as out-of-focus green is."""
    blobs = np.stack([smooth_noise(rng, side, (side // 12, side // 12)) for _ in range(3)], axis=2)
    return np.array([78, 104, 58]) + blobs * np.array([34, 38, 26]) + rng.normal(0, 2, (side, side, 3))


BACKGROUNDS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "white": white,
    "grey": grey,
    "gradient": gradient,
    "shadow": gradient,
    "wall+table": wall_and_table,
    "wood": wood,
    "fabric": fabric,
    "leaves": leaves,
}


def read_cutouts(folder: Path, count: int, seed: int) -> list[np.ndarray]:
    """RGBA cutouts of usable size, a fixed choice of ``count``."""
    paths = sorted(folder.rglob("*.png"))
    np.random.default_rng(seed).shuffle(paths)
    found: list[np.ndarray] = []
    for path in paths:
        if len(found) == count:
            break
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
            continue
        alpha = picture[..., 3]
        rows, columns = np.flatnonzero(alpha.max(axis=1) > 24), np.flatnonzero(alpha.max(axis=0) > 24)
        # Too small, a filled rectangle, or mostly haze: no truth to measure against.
        if len(rows) < SMALLEST_CUTOUT_PX or len(columns) < SMALLEST_CUTOUT_PX:
            continue
        picture = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        share = (picture[..., 3] > 250).mean()
        if not 0.15 < share < 0.95 or ((picture[..., 3] > 5) & (picture[..., 3] < 250)).mean() > 0.12:
            continue
        if cv2.connectedComponents((picture[..., 3] > 128).astype(np.uint8))[0] != 2:
            continue
        found.append(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA))
    return found


def lay(scene: np.ndarray, cutout: np.ndarray, centre: tuple[float, float], reach: float, shadow: bool) -> np.ndarray:
    """Lay a cutout onto ``scene`` (changed); gives its (side, side, 4) float32 truth."""
    side = len(scene)
    scale = reach * side / max(cutout.shape[:2])
    alpha = cutout[..., 3:].astype(np.float32) / 255
    premultiplied = np.dstack([cutout[..., :3] * alpha, alpha * 255]).astype(np.float32)
    shift = np.float32(
        [
            [scale, 0, centre[0] * side - scale * cutout.shape[1] / 2],
            [0, scale, centre[1] * side - scale * cutout.shape[0] / 2],
        ]
    )
    truth = cv2.warpAffine(premultiplied, shift, (side, side), flags=cv2.INTER_LINEAR)
    share = truth[..., 3:] / 255
    if shadow:
        fallen = np.roll(cv2.GaussianBlur(share[..., 0], (0, 0), side / 28), (side // 40, side // 60), (0, 1))
        scene *= 1 - 0.42 * fallen[..., None]
    scene[:] = scene * (1 - share) + truth[..., :3]
    truth[..., :3] /= np.maximum(share, 1e-4)
    return truth


def crop_around(photo: Photo, found: Detection) -> Crop:
    margin = round(0.12 * max(found.box.width, found.box.height)) + 4
    box = found.box
    window = Box(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin).clipped(photo.width, photo.height)
    view = np.s_[window.y0 : window.y1, window.x0 : window.x1]
    inner = Box(box.x0 - window.x0, box.y0 - window.y0, box.x1 - window.x0, box.y1 - window.y0)
    return Crop(photo.rgb[view], window, inner, mask=None if found.mask is None else found.mask[view])


def measure(truth: np.ndarray, cutouts: list[Cutout]) -> tuple[float, float, float]:
    """IoU, alpha error and colour error of the cutout that fits best."""
    solid = truth[..., 3] >= 128
    best, chosen = 0.0, np.zeros((*solid.shape, 4), np.uint8)
    for cutout in cutouts:
        canvas = np.zeros((*solid.shape, 4), np.uint8)
        w = cutout.window
        canvas[w.y0 : w.y1, w.x0 : w.x1] = cutout.rgba
        mine = canvas[..., 3] >= 128
        iou = (mine & solid).sum() / max((mine | solid).sum(), 1)
        if iou > best:
            best, chosen = float(iou), canvas
    kernel = np.ones((2 * max(2, len(solid) // 200) + 1,) * 2, np.uint8)
    rim = (cv2.dilate(solid.astype(np.uint8), kernel) - cv2.erode(solid.astype(np.uint8), kernel)) > 0
    alpha_error = np.abs(chosen[..., 3].astype(float) - truth[..., 3])[rim].mean()
    soft = (truth[..., 3] >= 13) & (truth[..., 3] <= 242)
    colour_error = np.abs(chosen[..., :3].astype(float) - truth[..., :3])[soft].mean() if best > 0.5 else np.nan
    return best, float(alpha_error), float(colour_error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backgrounds", default=",".join(BACKGROUNDS))
    parser.add_argument(
        "--by-colour", action="store_true", help="without the segmentation network, as when its file is missing"
    )
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    cutouts = read_cutouts(options.folder, options.count, options.seed)
    if not cutouts:
        raise SystemExit(f"no PNG with a usable alpha channel under {options.folder}")
    network = None if options.by_colour else open_network()
    per_side = int(np.ceil(np.sqrt(options.objects)))
    print(f"{len(cutouts)} cutouts, {options.objects} in a scene of {options.side} px")
    print(f"{'background':<11} right   IoU 50%  10%   alpha  colour  detect s  matte s")
    for name in options.backgrounds.split(","):
        rows, right, detect_s, matte_s = [], [], [], []
        for index in range(0, len(cutouts) - options.objects + 1, options.objects):
            rng = np.random.default_rng((options.seed, index))
            scene = BACKGROUNDS[name](rng, options.side).astype(np.float32)
            truths = []
            for k in range(options.objects):
                cell = (np.array([k % per_side, k // per_side]) + rng.uniform(0.46, 0.54, 2)) / per_side
                reach = rng.uniform(0.45, 0.8) / per_side
                truths.append(lay(scene, cutouts[index + k], (cell[0], cell[1]), reach, name == "shadow"))
            rgb = np.clip(np.round(scene), 0, 255).astype(np.uint8)
            photo = Photo(rgb, None, name, "")
            start = time.perf_counter()
            found = detect(photo, network=network)
            detect_s.append(time.perf_counter() - start)
            right.append(len(found) == options.objects)
            cut: list[Cutout] = []
            for one in found:
                start = time.perf_counter()
                try:
                    cut.append(matte(crop_around(photo, one)))
                except ObjectError:
                    continue
                matte_s.append(time.perf_counter() - start)
            rows += [measure(truth, cut) for truth in truths]
            if options.save:
                options.save.mkdir(parents=True, exist_ok=True)
                shown = np.full_like(rgb, (255, 0, 255))
                for made in cut:
                    w = made.window
                    share = made.rgba[..., 3:].astype(np.float32) / 255
                    view = shown[w.y0 : w.y1, w.x0 : w.x1]
                    view[:] = np.round(made.rgba[..., :3] * share + view * (1 - share))
                both = cv2.resize(np.hstack([rgb, shown]), (640, 320), interpolation=cv2.INTER_AREA)
                cv2.imwrite(str(options.save / f"{name}-{index:03d}.png"), both[..., ::-1])
        iou, alpha, colour = np.array(rows).T
        print(
            f"{name:<11} {np.mean(right):>5.0%}   {np.median(iou):.3f}  {np.quantile(iou, 0.1):.3f}  "
            f"{alpha.mean():>5.1f}  {np.nanmean(colour):>6.1f}  {np.median(detect_s):>8.2f}  "
            f"{np.median(matte_s or [0]):>7.2f}"
        )


if __name__ == "__main__":
    main()

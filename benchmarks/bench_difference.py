"""Change maps beside scikit-image's SSIM, on photographs that nothing was chosen on.

``python benchmarks/bench_difference.py [seeds]``. Blocks put elsewhere, discs brighter or darker,
or detail smoothed away, under displacement, blur, light and noise as in the sample Known changes.
Per level: area under the curve of pixels for both maps; the share of what was called changed that
lies more than 12 pixels from any change, of regions that touch none, of changes that were found; of
pairs without a change those with a region. Times are processor times of this run, 512 x 512.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from common.measuring import best_time, print_table
from scipy import ndimage
from skimage import color, data
from skimage.metrics import structural_similarity

from napari_framewise.numerics.difference import compare
from napari_framewise.samples.changes import _disturbed

Array = np.ndarray[Any, Any]
PHOTOGRAPHS = (
    "camera", "chelsea", "rocket", "coins", "brick", "gravel", "grass", "page", "text",
    "astronaut", "microaneurysms",
)  # fmt: skip
SIDE, BORDER, REACH = 420, 12, 12
INNER = (slice(BORDER, -BORDER),) * 2


def photograph(name: str) -> Array:
    """Grey values of its middle, at most `SIDE` pixels a side."""
    image = getattr(data, name)()
    grey = image.astype(float) if image.ndim == 2 else 255 * color.rgb2gray(image[..., :3])
    top, left = (max(0, (length - SIDE) // 2) for length in grey.shape)
    return np.asarray(grey[top : top + SIDE, left : left + SIDE])


def changed(scene: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The scene with changes, and their numbers where they differ by more than 5."""
    after, number, used = scene.copy(), np.zeros(scene.shape, int), np.zeros(scene.shape, bool)
    rows, columns = scene.shape
    y, x = np.indices(scene.shape)
    count = 0
    for _ in range(max(1, round(rows * columns / 45000))):
        for kind in ("block", "disc", "smoothed"):
            height, width = (2 * int(rng.integers(6, 12)),) * 2 if kind == "disc" else (
                rng.integers(12, 26, 2)
            )  # fmt: skip
            for _ in range(200):
                top = int(rng.integers(30, rows - 30 - height))
                left = int(rng.integers(30, columns - 30 - width))
                if not used[top - 10 : top + height + 10, left - 10 : left + width + 10].any():
                    break
            else:
                continue
            place = (slice(top, top + height), slice(left, left + width))
            used[place], count = True, count + 1
            if kind == "block":
                down, right = rng.integers(0, rows - height), rng.integers(0, columns - width)
                after[place] = scene[down : down + height, right : right + width]
                number[place] = count
            elif kind == "smoothed":
                after[place] = ndimage.gaussian_filter(scene, 3)[place]
                number[place] = count
            else:
                half = height / 2
                disc = (y - top - half) ** 2 + (x - left - half) ** 2 < half**2
                step = rng.choice([-1, 1]) * rng.uniform(25, 50)
                after += step * ndimage.gaussian_filter(disc.astype(float), 1.0)
                number[disc] = count
    return after, number * (np.abs(after - scene) > 5)


def pair(name: str, level: float, seed: int, change: bool) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng([seed, round(10 * level), sum(map(ord, name))])
    scene = photograph(name)
    after, number = changed(scene, rng) if change else (scene, np.zeros(scene.shape, int))
    later = _disturbed(after, level, rng)[INNER]
    earlier = scene[INNER] + rng.normal(0, 1, later.shape)
    return earlier, later, number[INNER]


def area_under_curve(score: Array, truth: Array) -> float:
    known = np.isfinite(score)
    hit = truth[known][np.argsort(score[known], kind="stable")]
    ranks, count = np.flatnonzero(hit) + 1, int(hit.sum())
    return float((ranks.sum() - count * (count + 1) / 2) / (count * (hit.size - count)))


def measured(name: str, level: float, seed: int) -> list[float]:
    earlier, later, number = pair(name, level, seed, True)
    truth, found = number > 0, compare(earlier, later)
    if not truth.any():
        return [np.nan] * 6
    labels = found.changed.labels
    similar = structural_similarity(earlier, later, data_range=255, full=True)[1]
    near = ndimage.binary_dilation(truth, np.ones((3, 3)), iterations=REACH)
    regions = len(found.changed.area)
    touching = len(set(np.unique(labels[near])) - {0})
    return [
        area_under_curve(found.measure, truth),
        area_under_curve(1 - similar, truth),
        float((labels > 0)[~near].sum() / max(1, (labels > 0).sum())),
        (regions - touching) / max(1, regions),
        float(np.mean([(labels[number == k] > 0).any() for k in np.unique(number[truth])])),
        float(compare(*pair(name, level, seed, False)[:2]).changed.labels.any()),
    ]


def main(seeds: int = 2) -> None:
    rows: list[list[object]] = []
    for level in (0.0, 1.0, 2.0):
        values = [measured(name, level, seed) for name in PHOTOGRAPHS for seed in range(seeds)]
        rows.append([f"{level:g}", *(f"{each:.4f}" for each in np.nanmean(values, axis=0))])
    titles = ["AUC", "AUC of SSIM", "far from changes", "false regions", "found", "false pairs"]
    print_table("Changes on other photographs", ["level", *titles], rows)
    scene = 255 * color.rgb2gray(data.astronaut())
    rng = np.random.default_rng(0)
    first, second = (scene + rng.normal(0, 2, scene.shape) for _ in range(2))
    mine = best_time(lambda: compare(first, 1.1 * second), 5)
    peer = best_time(lambda: structural_similarity(first, second, data_range=255, full=True), 5)
    print_table(
        "512 x 512", ["map", "CPU s"], [["compare", mine], ["SSIM map (scikit-image)", peer]]
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))

"""Bleach correction beside what Fiji's Bleach Correction does, on a scene with a known truth.

``python benchmarks/bench_bleaching.py``. Fiji's three rules are written out here in NumPy as its
sources describe them (CorrectBleach 2.1, Miura 2020), with SciPy's least squares in place of its
simplex; Fiji itself is not run.
"""

from __future__ import annotations

import numpy as np
from common.measuring import print_table
from scipy.ndimage import gaussian_filter
from scipy.optimize import curve_fit

import napari_framewise as fw

HALF_LIFE, BACKGROUND, FRAMES, SIDE = 25.0, 100.0, 80, 96
Stacks = tuple[np.ndarray, np.ndarray, np.ndarray]


def scene(seed: int) -> Stacks:
    """Frames (uint16) of blobs that bleach and flash once, without bleaching, and the region."""
    rng = np.random.default_rng(seed)
    blobs = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 4)
    region = blobs > np.quantile(blobs, 0.7)
    light = 1500 * np.where(region, 0.6 + 0.4 * blobs / blobs.max(), 0.02)
    change = np.ones(FRAMES)
    change[40:46] = 1.3
    decay = 0.5 ** (np.arange(FRAMES) / HALF_LIFE)
    still = light * change[:, None, None]
    seen = rng.poisson(still * decay[:, None, None]) + BACKGROUND
    seen = seen + rng.normal(0, 3, seen.shape)
    return np.rint(seen).clip(0, 65535).astype(np.uint16), still + BACKGROUND, region


def fiji_ratio(frames: np.ndarray, region: np.ndarray, background: float) -> np.ndarray:
    """Background taken off every pixel, then the mean of the region in the first frame over its."""
    light = np.maximum(frames - background, 0)
    means = light[:, region].mean(axis=1)
    return np.floor(light * (means[0] / means)[:, None, None] + 0.5)


def fiji_exponential(frames: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Factors ``f(0) / f(i + 1)`` of ``f = a exp(-b i) + c``: no background, and a frame late."""
    means = frames[:, region].mean(axis=1)
    number = np.arange(len(means), dtype=np.float64)
    start = (means[0] - means[-1], 0.02, means[-1])
    (a, b, c), _ = curve_fit(lambda t, a, b, c: a * np.exp(-b * t) + c, number, means, start)
    factor = (a + c) / (a * np.exp(-b * (number + 1)) + c)
    return np.floor(frames * factor[:, None, None] + 0.5)


def fiji_histogram(frames: np.ndarray) -> np.ndarray:
    """Each value becomes the least one whose share in the first frame is as large."""
    shares = [np.cumsum(np.bincount(each.ravel(), minlength=65536)) / each.size for each in frames]
    tables = [np.searchsorted(shares[0], each, "left").clip(0, 65535) for each in shares]
    return np.array([table[each] for table, each in zip(tables, frames, strict=True)])


def main() -> None:
    rows: list[list[object]] = []
    for seed in (100, 101, 102):
        frames, still, region = scene(seed)
        ours = {
            method: np.asarray(
                fw.run(
                    "bleaching",
                    stack=frames,
                    method=method,
                    background=BACKGROUND if method != "histogram" else 0.0,
                    **({} if method == "histogram" else {"mask": region.astype(np.uint8)}),
                ).layer("bleach-corrected").data[:]
            )
            for method in ("ratio", "exponential", "histogram")
        }  # fmt: skip
        fiji = {
            "ratio": fiji_ratio(frames, region, BACKGROUND) + BACKGROUND,
            "exponential": fiji_exponential(frames, region),
            "histogram": fiji_histogram(frames),
        }
        for method, corrected in ours.items():
            row: list[object] = [f"{method}, seed {seed}"]
            both = (corrected, fiji[method])
            for inside in (region, ~region):
                truth = still[:, inside].mean(axis=1)
                for each in both:
                    off = each[:, inside].mean(axis=1) - truth
                    row.append(np.sqrt(np.mean(off**2)))
            flash = still[40:46][:, region].mean()
            row += [
                (each[40:46][:, region].mean() - BACKGROUND) / (flash - BACKGROUND) for each in both
            ]
            rows.append([*row, np.median(np.abs(corrected - fiji[method]))])
    heads = [
        "method", "bright, off by counts", "Fiji's rule", "dim, off by counts", "Fiji's rule",
        "flash kept", "Fiji's rule", "pixels apart, median",
    ]  # fmt: skip
    print_table("After the correction, against frames that never bleached", heads, rows)


if __name__ == "__main__":
    main()

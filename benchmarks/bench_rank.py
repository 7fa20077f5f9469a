"""Medians with missing pixels beside NumPy, and of 8-bit frames beside scikit-image and OpenCV.

``python benchmarks/bench_rank.py [--quick]``. One thread; processor times of this run, 1,024 x
1,024 pixels, 30 % of those of floats missing and a hole of 205 x 205.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from common.measuring import best_time, print_table
from scipy import ndimage
from skimage.filters import rank

from napari_framewise.numerics.rank import median_filter

SIDE = 1024
WINDOWS = (7, 21, 51)


def holey(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    frame = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 5) * 20
    frame += rng.normal(size=frame.shape)
    frame[rng.random(frame.shape) < 0.3] = np.nan
    frame[300:505, 300:505] = np.nan
    return frame


def numpy_median(frame: np.ndarray[Any, Any], side: int, rows: int) -> np.ndarray[Any, Any]:
    """`nanmedian` of the windows of some rows."""
    reach = side // 2
    wide = np.pad(frame[: rows + reach], reach, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(wide, (side, side))[:rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(np.nanmedian(windows.reshape(rows, SIDE, -1), axis=-1))


def floats(quick: bool) -> list[list[object]]:
    frame = holey(np.random.default_rng(1))
    rows: list[list[object]] = []
    for side in WINDOWS:
        mine = best_time(lambda side=side: median_filter(frame[None], (side, side)), 3)
        found = median_filter(frame[None], (side, side))[0]
        some = 8 if quick or side > 21 else 64
        began = time.process_time()
        wanted = numpy_median(frame, side, some)
        numpy = (time.process_time() - began) * SIDE / some
        same = np.array_equal(found[:some], wanted, equal_nan=True)
        rows.append([side, mine, numpy, numpy / mine, "yes" if same else "NO"])
    return rows


def eight_bits() -> list[list[object]]:
    rng = np.random.default_rng(2)
    smooth = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 5) * 400 + 128
    scenes = {
        "smooth": smooth.clip(0, 255).astype(np.uint8),
        "noise": rng.integers(0, 256, (SIDE, SIDE)).astype(np.uint8),
    }
    cv2.setNumThreads(1)
    rows: list[list[object]] = []
    for name, frame in scenes.items():
        for side in WINDOWS:
            calls: list[Callable[[], object]] = [
                lambda frame=frame, side=side: median_filter(frame[None], (side, side)),
                lambda frame=frame, side=side: rank.median(frame, np.ones((side, side), np.uint8)),
                lambda frame=frame, side=side: cv2.medianBlur(frame, side),
            ]
            mine, skimage, opencv = (best_time(call, 3) for call in calls)
            rows.append([name, side, mine, skimage, opencv, skimage / mine, opencv / mine])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    for dtype in (np.float64, np.uint8):
        for side in (3, 51):
            median_filter(np.zeros((1, 8, 8), dtype), (side, side))
    print_table(
        "Median of float64 with missing pixels, seconds",
        ["window", "ours", "numpy.nanmedian (part of the rows, scaled)", "ratio", "same bits"],
        floats(quick),
    )
    print_table(
        "Median of uint8, seconds",
        [
            "scene",
            "window",
            "ours",
            "scikit-image",
            "OpenCV",
            "scikit-image / ours",
            "OpenCV / ours",
        ],
        eight_bits(),
    )


if __name__ == "__main__":
    main()

"""Local moments and Lee filters beside sums of boxes and, where it is installed, findpeaks.

``python benchmarks/bench_speckle.py``. One thread; processor times of this run, 512 x 512 pixels,
4 looks, window of 7. The equivalent number of looks is (mean / deviation)^2 on a flat scene.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from common.measuring import best_time, print_table
from scipy import ndimage

from napari_framewise.numerics.speckle import enhanced_lee, lee
from napari_framewise.numerics.window_moments import (
    box_window,
    neighbour_correlation,
    window_moments,
)

SIDE, LOOKS, WINDOW = 512, 4, 7
INNER = np.s_[8:-8, 8:-8]


def sums_of_boxes(image: np.ndarray[Any, Any], side: int) -> np.ndarray[Any, Any]:
    """Variance as E[x^2] - E[x]^2."""
    mean = ndimage.uniform_filter(image, side)
    return ndimage.uniform_filter(image * image, side) - mean * mean


def box_lee(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    mean = ndimage.uniform_filter(image, WINDOW)
    share = mean**2 / LOOKS / np.maximum(sums_of_boxes(image, WINDOW), 1e-30)
    return mean + np.clip(1 - share, 0, 1) * (image - mean)


def filters() -> list[list[object]]:
    image = 100 * np.random.default_rng(3).gamma(LOOKS, 1 / LOOKS, (SIDE, SIDE))
    sides, variation = (WINDOW, WINDOW), LOOKS**-0.5
    calls: dict[str, Callable[[], Any]] = {
        "Lee": lambda: lee(image[None], variation, sides).values[0],
        "enhanced Lee": lambda: enhanced_lee(image[None], variation, sides).values[0],
        "Lee by sums of boxes (SciPy)": lambda: box_lee(image),
    }
    rows: list[list[object]] = []
    for name, call in calls.items():
        found = call()
        flat = found[INNER]
        rows.append(
            [
                name,
                best_time(call, 5),
                float((flat.mean() / flat.std()) ** 2),
                f"{100 * (found.mean() / image.mean() - 1):.3f} %",
            ]
        )
    try:
        peers = import_module("findpeaks.filters.lee")
    except ImportError:
        print("findpeaks is not installed.")
        return rows
    part = image[:64]
    began = time.process_time()
    peers.lee_filter(part, win_size=WINDOW, cu=variation)
    rows.append(["findpeaks Lee (64 rows, scaled)", (time.process_time() - began) * 8, "", ""])
    return rows


def moments() -> list[list[object]]:
    image = np.random.default_rng(4).normal(1e6, 1e-3, (2 * SIDE, 2 * SIDE))
    exact = np.lib.stride_tricks.sliding_window_view(image[:7, :207] - 1e6, (7, 7)).var(axis=(2, 3))
    window = box_window((7, 7))
    rows: list[list[object]] = []
    for name, call in (
        ("mean and variance", lambda: window_moments(image[None], window).variance()[0]),
        ("by sums of boxes (SciPy)", lambda: sums_of_boxes(image, 7)),
    ):
        worst = np.abs(call()[3, 3:204] / exact[0] - 1).max()
        rows.append([name, best_time(call, 3), float(worst)])
    rows.append(
        [
            "neighbour correlation",
            best_time(lambda: neighbour_correlation(image[None], (7, 7)), 3),
            "",
        ]
    )
    return rows


def main() -> None:
    image = np.ones((1, 8, 8))
    lee(image, 0.5, (3, 3)), neighbour_correlation(image, (3, 3))
    print_table("Lee filters, seconds", ["filter", "time", "looks", "bias of the mean"], filters())
    print_table(
        "Moments of 1,024 x 1,024 pixels, noise of 1e-3 on an offset of 1e6",
        ["", "seconds", "largest error of the variance, relative"],
        moments(),
    )


if __name__ == "__main__":
    main()

"""The bilateral filter beside its peers, in processor seconds and decibels, in one run.

The direct sum is in double precision, term by term over the same window, on some rows. OpenCV's
window is a disc where ours is a box, which is part of its difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from skimage import data, restoration, transform

from napari_framewise.numerics.bilateral import bilateral_filter

RANGE = 0.1
SIDE = 1024
SCENES: dict[str, Callable[[], Any]] = {
    "camera, 1,024 x 1,024": lambda: transform.resize(data.camera() / 255, (SIDE, SIDE), order=1),
    "retina, 1,024 x 1,024": lambda: data.retina()[:SIDE, :SIDE, 1] / 255,
}


def main() -> None:
    for name, make in SCENES.items():
        image = np.ascontiguousarray(make(), np.float32)
        # Compiled beforehand.
        for per_sigma in (None, 2):
            for dtype in (np.float32, np.float64):
                ours(image[:40].astype(dtype), 3.0, per_sigma)
        for sigma in (3.0, 16.0):
            print(f"\n{name}, sigma {sigma:g} px, range sigma {RANGE}")
            rows = np.arange(0, SIDE, 32 if sigma == 3 else 128)
            wanted = direct(image, sigma, rows)
            for title, call in peers(image, sigma).items():
                began = time.process_time()
                found = call()
                taken = time.process_time() - began
                error = np.sqrt(np.mean((found[rows] - wanted) ** 2))
                decibels = 20 * np.log10(np.ptp(image) / error)
                print(f"  {title:32s} {taken:7.3f} CPU s  {decibels:6.1f} dB")


def peers(image: Any, sigma: float) -> dict[str, Callable[[], Any]]:
    """What is timed, by title."""
    calls: dict[str, Callable[[], Any]] = {
        "exact, float32": lambda: ours(image, sigma, None),
        "exact, float64": lambda: ours(image.astype(np.float64), sigma, None),
    }
    for cells in (1, 2, 3, 4):
        calls[f"grid, {cells} cells per sigma"] = lambda cells=cells: ours(image, sigma, cells)
    try:
        cv2 = import_module("cv2")
    except ImportError:
        print("  OpenCV is not installed")
    else:
        cv2.setNumThreads(1)
        window = 2 * int(np.ceil(3 * sigma)) + 1
        calls["OpenCV, the same reach"] = lambda: cv2.bilateralFilter(image, window, RANGE, sigma)
        calls["OpenCV, its own window"] = lambda: cv2.bilateralFilter(image, 0, RANGE, sigma)
    if sigma < 10:
        calls["scikit-image"] = lambda: restoration.denoise_bilateral(
            image, 2 * int(np.ceil(3 * sigma)) + 1, RANGE, sigma, bins=10_000
        )
    return calls


def ours(image: Any, sigma: float, per_sigma: int | None) -> Any:
    return bilateral_filter(image[None, ..., None], sigma, RANGE, per_sigma=per_sigma)[0, ..., 0]


def direct(image: Any, sigma: float, rows: Any) -> Any:
    """The definition on some rows."""
    values = image.astype(np.float64)
    reach = int(np.ceil(3 * sigma))
    wide = np.pad(values, reach, constant_values=np.nan)
    number = np.zeros((len(rows), image.shape[1]))
    weight = np.zeros_like(number)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            part = wide[rows + reach + down, reach + right : reach + right + image.shape[1]]
            away = (down**2 + right**2) / sigma**2 + ((part - values[rows]) / RANGE) ** 2
            w = np.where(np.isfinite(part), np.exp(-0.5 * away), 0)
            number += w * np.nan_to_num(part)
            weight += w
    return number / weight


if __name__ == "__main__":
    main()

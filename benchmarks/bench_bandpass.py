"""Band-pass filters against scikit-image: the band that is realised, and processor time.

``python benchmarks/bench_bandpass.py``. One thread; float64 frames of 1,024 x 1,024; ratios of
times taken side by side in this run.
"""

from __future__ import annotations

import math

import numpy as np
from common.measuring import best_times, print_table
from scipy import fft
from skimage.filters import difference_of_gaussians
from threadpoolctl import threadpool_limits

from napari_framewise.numerics.bandpass import filtered, gaussians_of

BANDS = ((0.02, 0.08), (0.05, 0.2), (0.1, 0.4))
LENGTH = 4_001


def realised(respond: object) -> tuple[float, float]:
    """Half-power edges along an axis, from the response to an impulse."""
    impulse = np.zeros((LENGTH, 1))
    impulse[LENGTH // 2] = 1
    gain = np.abs(fft.rfft(respond(impulse)[:, 0], 64 * LENGTH))
    above = np.flatnonzero(gain >= gain.max() / math.sqrt(2)) / (64 * LENGTH)
    return float(above[0]), float(above[-1])


def edges() -> list[list[object]]:
    rows: list[list[object]] = []
    for low, high in BANDS:
        response = gaussians_of(low, high)
        makers = {
            "framewise": lambda image, response=response: filtered(image[None], response)[0],
            "scikit-image": lambda image, response=response: difference_of_gaussians(
                image, response.narrow, response.wide
            ),
        }
        for name, respond in makers.items():
            found = realised(respond)
            off = [100 * (a / b - 1) for a, b in zip(found, (low, high), strict=True)]
            rows.append([f"{low:g} to {high:g}", name, *found, *off])
    return rows


def times() -> list[list[object]]:
    frames = np.random.default_rng(0).normal(size=(4, 1024, 1024))
    rows: list[list[object]] = []
    for low, high in BANDS:
        response = gaussians_of(low, high)
        found = best_times(
            {
                "framewise": lambda lo, hi, response=response: filtered(frames[lo:hi], response),
                "scikit-image": lambda lo, hi, response=response: [
                    difference_of_gaussians(frame, response.narrow, response.wide)
                    for frame in frames[lo:hi]
                ],
                "limit: cosine transform and back": lambda lo, hi: [
                    fft.idctn(fft.dctn(frame)) for frame in frames[lo:hi]
                ],
            },
            len(frames),
            2,
            3,
        )
        limit = found["limit: cosine transform and back"]
        rows += [
            [f"{low:g} to {high:g}", name, seconds / len(frames) * 1e3, seconds / limit]
            for name, seconds in found.items()
        ]
    return rows


def main() -> None:
    with threadpool_limits(1):
        print_table(
            "Half-power edges in cycles per pixel",
            ["asked", "", "lower", "upper", "off, %", "off, %"],
            edges(),
        )
        print_table("Processor time of a frame", ["band", "", "ms", "times the limit"], times())


if __name__ == "__main__":
    main()

"""SSIM, blind noise and change maps beside scikit-image, DIPlib and OpenCV, where installed.

``python benchmarks/bench_quality.py``. Processor times of this run.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from common.measuring import best_time, print_table
from skimage import color, data
from skimage.metrics import structural_similarity
from skimage.restoration import estimate_sigma

from napari_framewise.numerics.difference import compare
from napari_framewise.numerics.noise import blind_sigma, sigma_of_image
from napari_framewise.numerics.quality import SCIKIT_IMAGE, WANG_2004, ssim

NAMES = ("astronaut", "brick", "camera", "cell", "chelsea", "coffee", "coins", "grass", "gravel")
Image = np.ndarray[Any, Any]


def optional(name: str) -> Any:
    """A peer, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def grey(name: str) -> Image:
    image = getattr(data, name)()
    return np.asarray(image if image.ndim == 2 else 255 * color.rgb2gray(image), float)


def similarity() -> list[list[object]]:
    truth = np.tile(grey("camera"), (4, 4))
    image = truth + np.random.default_rng(0).normal(0, 20, truth.shape)
    wang = {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}

    def theirs(**options: Any) -> Callable[[], Any]:
        return lambda: structural_similarity(truth, image, data_range=255, full=True, **options)

    calls: dict[str, Callable[[], Any]] = {
        "Wang 2004": lambda: ssim(truth[None], image[None], 255, WANG_2004).mean(),
        "Wang 2004, scikit-image": theirs(**wang),
        "box of 7": lambda: ssim(truth[None], image[None], 255, SCIKIT_IMAGE).mean(),
        "box of 7, scikit-image": theirs(),
    }
    return [[name, best_time(call, 2)] for name, call in calls.items()]


def noise() -> list[list[object]]:
    estimators: dict[str, Callable[[Image], float]] = {
        "plain blocks": lambda image: blind_sigma(image).sigma,
        "second differences": sigma_of_image,
        "scikit-image": lambda image: float(estimate_sigma(image)),
    }
    diplib = optional("diplib")
    if diplib is not None:
        estimators["DIPlib"] = lambda image: float(
            diplib.EstimateNoiseVariance(diplib.Image(image)) ** 0.5
        )
    scenes = [grey(name) for name in NAMES]
    rows: list[list[object]] = []
    for name, estimate in estimators.items():
        row: list[object] = [name]
        for sigma in (5.0, 20.0):
            off = [
                abs(
                    estimate(each + np.random.default_rng(k).normal(0, sigma, each.shape)) / sigma
                    - 1
                )
                for k, each in enumerate(scenes)
            ]
            row += [f"{100 * np.mean(off):.1f} %", f"{100 * np.median(off):.1f} %"]
        rows.append(row)
    return rows


def change() -> list[list[object]]:
    random = np.random.default_rng(1)
    before = grey("camera")
    after = np.roll(before, 1, axis=0) * 0.9 + 8 + random.normal(0, 3, before.shape)
    calls: dict[str, Callable[[], Any]] = {
        "change map": lambda: compare(before, after),
        "SSIM map, scikit-image": lambda: structural_similarity(
            before, after, data_range=255, full=True
        ),
    }
    return [[name, best_time(call, 3)] for name, call in calls.items()]


def main() -> None:
    print_table("SSIM map, 2048 x 2048", ["SSIM", "CPU s"], similarity())
    print_table(
        "Noise of nine photographs, off by",
        ["Estimator", "at 5, mean", "median", "at 20, mean", "median"],
        noise(),
    )
    print_table("Change map, 512 x 512", ["Map", "CPU s"], change())


if __name__ == "__main__":
    main()

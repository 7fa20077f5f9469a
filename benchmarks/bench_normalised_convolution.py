"""Filters with missing pixels against their peers and against what must hold.

``python benchmarks/bench_normalised_convolution.py [--quick]``. One thread; ratios of processor
times taken side by side in this run. The scene is 1,024 x 1,024 float64 in [1, 2] with 30 %
missing and a hole of 205 x 205. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import cv2
import numpy as np
from common.measuring import best_time, print_table
from scipy import ndimage
from threadpoolctl import threadpool_limits

from napari_framewise.engine import Engine
from napari_framewise.numerics import normalised_convolution as numerics
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.registry import get_tool

SIZE = 1024


def scene() -> np.ndarray:
    random = np.random.default_rng(2024)
    values = random.uniform(1, 2, (SIZE, SIZE))
    values[random.random(values.shape) < 0.3] = np.nan
    values[400:605, 400:605] = np.nan
    return values


def ratio(values: np.ndarray, smooth: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What users write: the smoothed image over the smoothed mask."""
    known = ~np.isnan(values)
    with np.errstate(all="ignore"):
        return smooth(np.where(known, values, 0.0)) / smooth(known.astype(np.float64))


def exact(values: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Direct sums in long double over the same taps."""
    known = ~np.isnan(values)
    sums = []
    for plane in (np.where(known, values, 0.0), known):
        total = plane.astype(np.longdouble)
        for axis in (0, 1):
            reach = len(taps) // 2
            padded = np.pad(total, [(reach * (axis == 0),) * 2, (reach * (axis == 1),) * 2])
            total = sum(
                np.longdouble(tap) * np.take(padded, range(k, k + SIZE), axis)
                for k, tap in enumerate(taps)
            )
        sums.append(total)
    with np.errstate(all="ignore"):
        return sums[0] / sums[1]


def peer(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        print(f"{name} is not installed and left out")
        return None


def smoothing(sigma: float, quick: bool) -> None:
    values = scene()
    window = numerics.gaussian_window((sigma, sigma))
    taps = window[0]
    size = (len(taps), len(taps))
    calls: dict[str, Callable[[], np.ndarray]] = {
        "here": lambda: numerics.smoothed(values[None], window).values[0],
        "OpenCV GaussianBlur, ratio": lambda: ratio(
            values,
            lambda each: cv2.GaussianBlur(each, size, sigma, borderType=cv2.BORDER_CONSTANT),
        ),
        "SciPy gaussian_filter, ratio": lambda: ratio(
            values, lambda each: ndimage.gaussian_filter(each, sigma, mode="constant")
        ),
    }
    if convolution := peer("astropy.convolution"):
        kernel = convolution.CustomKernel(np.outer(taps, taps))
        if not quick and sigma < 8:
            calls["astropy convolve"] = lambda: convolution.convolve(
                values, kernel, fill_value=np.nan
            )
        calls["astropy convolve_fft"] = lambda: convolution.convolve_fft(
            values, kernel, fill_value=np.nan, allow_huge=True
        )
    if dip := peer("diplib"):
        dip.SetNumberOfThreads(1)
        zeros, known = np.nan_to_num(values), ~np.isnan(values)
        for label, method in (("FIR", "FIR"), ("default", "best")):
            calls[f"DIPlib NormalizedConvolution, {label}"] = lambda method=method: np.asarray(
                dip.NormalizedConvolution(
                    zeros,
                    known,
                    sigmas=[sigma] * 2,
                    method=method,
                    boundaryCondition=["add zeros"],
                    truncation=4.0,
                )
            )
    wanted = exact(values, taps)
    confidence = numerics.smoothed(values[None], window).confidence[0]
    size_of = [len(taps)] * 2
    low = ndimage.minimum_filter(
        np.nan_to_num(values, nan=np.inf), size_of, mode="constant", cval=np.inf
    )
    high = ndimage.maximum_filter(
        np.nan_to_num(values, nan=-np.inf), size_of, mode="constant", cval=-np.inf
    )
    limit = 0.0
    rows = []
    for label, call in calls.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = call()
            seconds = best_time(call, 1 if label == "astropy convolve" else 5)
        if label.startswith("OpenCV"):
            limit = seconds
        error = float(np.nanmax(np.abs(found - wanted)[confidence > 1e-3]))
        some = np.isfinite(found) & (confidence > 0)
        outside = int(((found < low) | (found > high))[some].sum())
        far = found[confidence == 0]
        where = "none" if not far.size else "NaN" if np.isnan(far).all() else f"{far[0]:.3g}"
        rows.append([label, seconds * 1e3, seconds, error, outside, where])
    for row in rows:
        row[2] = row[2] / limit
    heads = [
        "",
        "ms",
        "times OpenCV",
        "error, confidence > 1e-3",
        "pixels out of range",
        "far away",
    ]
    print_table(f"Normalised convolution, sigma {sigma:g}", heads, rows)


def gradients() -> None:
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    rows = []
    dip = peer("diplib")
    for missing in (0.0, 0.3, 0.7, 0.95):
        random = np.random.default_rng(5)
        ramp = 3 * x + 2 * y + 7
        ramp[random.random(ramp.shape) < missing] = np.nan
        ramp[400:605, 400:605] = np.nan
        centre = float(np.nanmedian(ramp))
        found = numerics.gradient(ramp[None], (3.0, 3.0), centre=centre)
        known = np.isfinite(found.slopes[1, 0])
        ours = np.abs(found.slopes[1, 0][known] - 3)
        row = [f"{missing:.0%}", float(ours.max()), float(known.mean()), "-"]
        if dip:
            theirs = np.asarray(
                dip.NormalizedDifferentialConvolution(
                    np.nan_to_num(ramp),
                    ~np.isnan(ramp),
                    dimension=0,
                    sigmas=[3.0, 3.0],
                    method="gaussFIR",
                    boundaryCondition=["add zeros"],
                )
            )
            row[3] = float(np.sqrt(np.nanmean((theirs[known] - 3) ** 2)))
        rows.append(row)
    heads = ["missing", "largest error here", "share with a slope", "DIPlib, rms error"]
    print_table("Slope 3 of a ramp, sigma 3", heads, rows)
    block = scene()[None]
    window = numerics.gaussian_window((3.0, 3.0))
    plain = best_time(lambda: numerics.smoothed(block, window))
    slopes = best_time(lambda: numerics.gradient(block, (3.0, 3.0)))
    print(f"\ngradient: {slopes / plain:.1f} times the time of smoothing")
    print(f"fill: {best_time(lambda: numerics.filled(block)) * 1e3:.0f} ms")


def engine(quick: bool) -> None:
    frames = (
        np.random.default_rng(1).normal(size=(200 if quick else 2000, 256, 256)).astype(np.float32)
    )
    frames[:, 60:120, 60:120] = np.nan
    rows = []
    for name in ("smooth", "gradient", "fill"):
        tool, seconds = get_tool(name), []
        inputs = tool.check_inputs({"stack": stack_of(frames)})
        parameters = tool.check_parameters({"result": "memory"})
        for workers in (1, 2):
            began = time.perf_counter()
            for _ in tool.run(inputs, parameters, Engine.local(workers)):
                pass
            seconds.append(time.perf_counter() - began)
        rows.append([name, *seconds, seconds[0] / seconds[1]])
    print_table(
        f"{len(frames):,} frames of 256 x 256, float32",
        ["", "one worker, s", "two, s", "ratio"],
        rows,
    )


def cancelling() -> None:
    """How long it takes from Cancel to rest, in one frame of 8,192 x 8,192."""
    frame = np.random.default_rng(1).normal(size=(1, 8192, 8192)).astype(np.float32)
    rows = []
    for name in ("smooth", "gradient"):
        tool = get_tool(name)
        inputs = tool.check_inputs({"stack": stack_of(frame)})
        parameters = tool.check_parameters({"result": "memory"})
        took = []
        for _ in range(3):
            run = tool.run(inputs, parameters, Engine.local(2))
            end = time.perf_counter() + 1.5
            while time.perf_counter() < end:
                next(run)
            began = time.perf_counter()
            run.close()
            took.append(1e3 * (time.perf_counter() - began))
        rows.append([name, max(took)])
    print_table("Cancel in one frame of 8,192 x 8,192", ["", "ms"], rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        for sigma in (4.0, 16.0):
            smoothing(sigma, quick)
        gradients()
    engine(quick)
    cancelling()


if __name__ == "__main__":
    main()

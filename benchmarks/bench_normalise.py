"""Normalising against a plain read and write and against peers.

``python benchmarks/bench_normalise.py [--quick]``. One thread; ratios of processor times taken side
by side in this run. A = 10,000 x 64 x 64, B = 96,108 x 7 x 7, C = 2,000 x 256 x 256, uint16.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import cv2
import numpy as np
from common.intensity_scenes import made, read_and_write
from common.measuring import best_time, best_times, peak_growth, print_table
from skimage.exposure import rescale_intensity
from sklearn.preprocessing import minmax_scale
from threadpoolctl import threadpool_limits

from napari_framewise.numerics import normalise as numerics

BLOCK_BYTES = 8 << 20


def against_the_limit(name: str, repeats: int) -> list[list[object]]:
    frames = made(name)
    floats, bytes_ = (np.empty(frames.shape, dtype) for dtype in (np.float32, np.uint8))

    def limit(out: np.ndarray) -> Callable[[int, int], object]:
        return lambda lo, hi: read_and_write(frames[lo:hi].reshape(-1), out[lo:hi].reshape(-1))

    def ours(out: np.ndarray, method: str) -> Callable[[int, int], object]:
        return lambda lo, hi: numerics.normalise(frames[lo:hi], method, out=out[lo:hi])  # type: ignore[arg-type]

    calls = {
        "limit: read, write float32": limit(floats),
        "min-max to float32": ours(floats, "min_max"),
        "z-score to float32": ours(floats, "z_score"),
        "exact percentiles to float32": ours(floats, "percentiles"),
        "limit: read, write uint8": limit(bytes_),
        "min-max to uint8": ours(bytes_, "min_max"),
    }
    times = best_times(calls, len(frames), max(8, BLOCK_BYTES // frames[0].nbytes), repeats)
    last, rows = 0.0, []
    for label, seconds in times.items():
        last = seconds if label.startswith("limit") else last
        rows.append([label, seconds * 1e3, seconds / last])
    return rows


def against_peers(name: str, quick: bool) -> list[list[object]]:
    frames = made(name)
    frames = frames[: len(frames) // 5] if quick else frames
    flat = frames.reshape(len(frames), -1)
    out = np.empty(frames.shape, np.float32)
    some = min(len(frames), 4000)

    def in_place() -> None:
        values = frames.astype(np.float32)
        values -= values.min(axis=(1, 2), keepdims=True)
        values /= values.max(axis=(1, 2), keepdims=True)

    def rescaled() -> None:
        for n in range(some):
            out[n] = rescale_intensity(frames[n], out_range=(0.0, 1.0))

    def with_opencv() -> None:
        for n in range(some):
            cv2.normalize(frames[n], out[n], 0, 1, cv2.NORM_MINMAX, cv2.CV_32F)

    mine = best_time(lambda: numerics.normalise(frames, out=out), 5)
    exact = best_time(lambda: numerics.normalise(frames[:some], "percentiles", out=out[:some]), 3)
    whole = len(frames) / some
    rows: list[list[object]] = [["min-max, ours", mine * 1e3, 1.0]]
    for label, seconds in {
        "NumPy float32 in place": best_time(in_place, 2),
        "scikit-learn minmax_scale(axis=1)": best_time(lambda: minmax_scale(flat, axis=1), 1),
        "scikit-image rescale_intensity, a loop": best_time(rescaled, 1) * whole,
        "OpenCV normalize, a loop": best_time(with_opencv, 1) * whole,
    }.items():
        rows.append([label, seconds * 1e3, seconds / mine])
    peer = best_time(lambda: np.percentile(frames[:some], (0.1, 99.9), axis=(1, 2)), 1)
    rows.append(["percentiles and scaling, ours", exact * whole * 1e3, 1.0])
    rows.append(["np.percentile alone", peer * whole * 1e3, peer / exact])
    return rows


def undone() -> list[list[object]]:
    frames = made("A")[:500]
    rows: list[list[object]] = []
    for dtype in (np.float32, np.float64, np.uint8, np.uint16):
        found = numerics.normalise(frames, dtype=dtype)
        back, _ = numerics.unscale(found.frames, found.scaling, dtype=np.float64)
        error = np.abs(back - frames).max()
        step = (1 / found.scaling.gain).max() if np.dtype(dtype).kind == "u" else np.nan
        rows.append([np.dtype(dtype).name, error / frames.max(), error / (step / 2)])
    return rows


def memory() -> list[list[object]]:
    setup = (
        "import numpy as np\nfrom napari_framewise.numerics import normalise as numerics\n"
        "frames = np.full(({n}, 64, 64), 7, np.uint16)\nout = np.ones(frames.shape, 'f4')\n"
        "numerics.normalise(frames[:8], {method!r}, out=out[:8])\n"
    )
    code = "numerics.normalise(frames, {method!r}, out=out)"
    return [
        [method, n, peak_growth(code.format(method=method), setup.format(n=n, method=method))]
        for method in ("min_max", "percentiles")
        for n in (2_000, 10_000)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and frames")
    quick = parser.parse_args().quick
    threadpool_limits(1)
    cv2.setNumThreads(1)
    for name in "ABC":
        rows = against_the_limit(name, 4 if quick else 12)
        print_table(f"{name}: into given memory", ["what", "ms", "times the limit"], rows)
    for name in "ABC":
        heads = ["what", "ms", "times as long as ours"]
        print_table(f"{name}: against peers", heads, against_peers(name, quick))
    heads = ["result", "error over largest value", "error over half a step"]
    print_table("Undone: largest difference", heads, undone())
    heads = ["method", "frames", "MiB"]
    print_table("Peak memory of one call beside the result", heads, memory())


if __name__ == "__main__":
    main()

"""Standardising channels against a plain read and write and against peers.

``python benchmarks/bench_standardise.py [--quick]``. One thread; ratios of processor times taken
side by side in this run. D = 10,000 x 64 x 64 x 3, uint8.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from common.intensity_scenes import made, read_and_write
from common.measuring import best_time, best_times, peak_growth, print_table
from threadpoolctl import threadpool_limits

from napari_framewise.numerics import standardise as numerics

BLOCK = 500


def against_the_limit(repeats: int) -> list[list[object]]:
    frames = made("D")
    first = np.ascontiguousarray(np.moveaxis(frames[:2000], -1, 1))
    out, planar = np.empty(frames.shape, np.float32), np.empty(first.shape, np.float32)
    last = {
        "limit: read, write float32": lambda lo, hi: read_and_write(
            frames[lo:hi].reshape(-1), out[lo:hi].reshape(-1)
        ),
        "(N, H, W, C)": lambda lo, hi: numerics.standardise(
            frames[lo:hi], channel_axis=-1, out=out[lo:hi]
        ),
    }
    times = best_times(last, len(frames), BLOCK, repeats)
    turned = best_times(
        {
            "(N, C, H, W)": lambda lo, hi: numerics.standardise(
                first[lo:hi], channel_axis=1, out=planar[lo:hi]
            )
        },
        len(first),
        BLOCK,
        repeats,
    )
    times["(N, C, H, W)"] = turned["(N, C, H, W)"] * len(frames) / len(first)
    limit = times["limit: read, write float32"]
    return [[label, seconds * 1e3, seconds / limit] for label, seconds in times.items()]


def against_peers(quick: bool) -> list[list[object]]:
    frames = made("D")
    frames = frames[:2000] if quick else frames
    out = np.empty(frames.shape, np.float32)

    def in_place() -> np.ndarray:
        values = frames.astype(np.float32)
        values -= values.mean(axis=(1, 2), keepdims=True)
        values /= values.std(axis=(1, 2), keepdims=True)
        return values

    def forum() -> None:
        mean = frames.mean(axis=(1, 2), keepdims=True)
        std = frames.std(axis=(1, 2), keepdims=True)
        (frames - mean) / std

    def with_opencv() -> None:
        for n, frame in enumerate(frames):
            mean, std = cv2.meanStdDev(frame)
            np.multiply(
                np.subtract(frame, mean[:, 0], dtype=np.float32), 1 / std[:, 0], out=out[n],
                casting="same_kind",
            )  # fmt: skip

    mine = best_time(lambda: numerics.standardise(frames, channel_axis=-1, out=out), 5)
    exact = frames[:200].astype(np.float64)
    truth = (exact - exact.mean(axis=(1, 2), keepdims=True)) / exact.std(axis=(1, 2), keepdims=True)
    rows: list[list[object]] = [["ours", mine * 1e3, 1.0, np.abs(out[:200] - truth).max()]]
    values = in_place()[:200]
    rows += [
        [label, seconds * 1e3, seconds / mine, error]
        for label, seconds, error in (
            ("NumPy float32 in place", best_time(in_place, 1), np.abs(values - truth).max()),
            ("NumPy (x - mean) / std, float64", best_time(forum, 1), 0.0),
            (
                "OpenCV meanStdDev, a loop",
                best_time(with_opencv, 2),
                np.abs(out[:200] - truth).max(),
            ),
        )
    ]
    return rows


def memory() -> list[list[object]]:
    setup = (
        "import numpy as np\nfrom napari_framewise.numerics import standardise as numerics\n"
        "frames = np.full(({n}, 64, 64, 3), 7, np.uint8)\nout = np.ones(frames.shape, 'f4')\n"
        "numerics.standardise(frames[:8], channel_axis=-1, out=out[:8])\n"
    )
    code = "numerics.standardise(frames, channel_axis=-1, out=out)"
    return [[n, peak_growth(code, setup.format(n=n))] for n in (2_000, 10_000)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and frames")
    quick = parser.parse_args().quick
    threadpool_limits(1)
    cv2.setNumThreads(1)
    rows = against_the_limit(3 if quick else 8)
    print_table("D: into given memory", ["what", "ms", "times the limit"], rows)
    heads = ["what", "ms", "times as long as ours", "largest error"]
    print_table("D: against peers", heads, against_peers(quick))
    print_table("Peak memory of one call beside the result", ["frames", "MiB"], memory())


if __name__ == "__main__":
    main()

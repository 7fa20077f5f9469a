"""Statistics of a data set against the read limit, against decoding, and against peers.

``python benchmarks/bench_statistics.py [--quick]``. One thread; ratios of processor times taken
side by side in this run. A = 10,000 x 64 x 64, B = 96,108 x 7 x 7, C = 2,000 x 256 x 256, uint16;
D = 10,000 x 64 x 64 x 3, uint8.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from common.intensity_scenes import made
from common.measuring import best_time, best_times, peak_growth, print_table, read_through
from PIL import Image
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from napari_framewise.engine import Engine
from napari_framewise.io.ragged import open_images
from napari_framewise.numerics import statistics as numerics
from napari_framewise.tools.calls import run

BLOCK_BYTES = 8 << 20


def against_the_limit(name: str, repeats: int) -> list[list[object]]:
    frames = made(name)
    axis = -1 if frames.ndim == 4 else None
    search = numerics.find_percentiles((1, 50, 99), frames.dtype)
    calls = {
        "limit: read": lambda lo, hi: read_through(frames[lo:hi].reshape(-1)),
        "mean, deviation, least, greatest": lambda lo, hi: numerics.moments(
            frames[lo:hi], channel_axis=axis
        ),
        "histogram for exact percentiles": lambda lo, hi: numerics.count_ranks(
            frames[lo:hi], search, channel_axis=axis
        ),
    }
    if axis is not None:
        calls["covariance"] = lambda lo, hi: numerics.cross_moments(frames[lo:hi], channel_axis=-1)
    times = best_times(calls, len(frames), max(8, BLOCK_BYTES // frames[0].nbytes), repeats)
    parts = numerics.moments(frames, channel_axis=axis)
    times["uniting all images"] = best_time(lambda: numerics.pool(parts))
    limit = times["limit: read"]
    return [[label, seconds * 1e3, seconds / limit] for label, seconds in times.items()]


def against_peers(name: str) -> list[list[object]]:
    frames = made(name)
    axis = -1 if frames.ndim == 4 else None
    inside = (0, 1, 2)
    flat = frames.reshape(-1, frames.shape[-1]) if axis else frames.reshape(-1, 1)
    exact = numerics.pool(numerics.moments(frames, channel_axis=axis))

    def scaler() -> StandardScaler:
        model = StandardScaler()
        for start in range(0, len(flat), 1 << 20):
            model.partial_fit(flat[start : start + (1 << 20)])
        return model

    def with_opencv() -> tuple[np.ndarray, np.ndarray]:
        found = [cv2.meanStdDev(frame) for frame in frames]
        means, stds = (np.array([each[n][:, 0] for each in found]) for n in (0, 1))
        return means.mean(axis=0), np.sqrt((stds**2).mean(axis=0) + means.var(axis=0))

    def numpy_in(dtype: type) -> tuple[np.ndarray, np.ndarray]:
        values = frames if axis else frames[..., None]
        return values.mean(axis=inside, dtype=dtype), values.std(axis=inside, dtype=dtype)

    mine = best_time(lambda: numerics.pool(numerics.moments(frames, channel_axis=axis)), 5)
    rows: list[list[object]] = [["ours", mine * 1e3, 1.0, 0.0, 0.0]]
    peers = {
        "NumPy mean and std, float64": lambda: numpy_in(np.float64),
        "NumPy mean and std, float32": lambda: numpy_in(np.float32),
        "OpenCV meanStdDev, a loop": with_opencv,
        "scikit-learn StandardScaler.partial_fit": lambda: (scaler().mean_, scaler().scale_),
    }
    for label, call in peers.items():
        twice = 2 if "scikit" in label else 1
        seconds = best_time(call, 1) / twice
        mean, std = (np.asarray(each, np.float64) for each in call())
        rows.append(
            [
                label,
                seconds * 1e3,
                seconds / mine,
                float(np.abs(mean / exact.mean - 1).max()),
                float(np.abs(std / exact.std - 1).max()),
            ]
        )
    return rows


def folders(count: int) -> list[list[object]]:
    """Beyond decoding: 600 colour images of 80 to 400 pixels a side."""
    rng = np.random.default_rng(0)
    rows: list[list[object]] = []
    for ending in (".png", ".jpg"):
        with tempfile.TemporaryDirectory() as place:
            for number in range(count):
                bright = rng.integers(0, 155)
                rough = (bright + rng.integers(0, 100, (12, 12, 3))).astype(np.uint8)
                size = tuple(int(each) for each in rng.integers(80, 401, 2))
                smooth = np.asarray(Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC))
                noisy = smooth + rng.normal(0, 3, smooth.shape)
                image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
                image.save(Path(place, f"{number}{ending}"), quality=90)
            images = open_images(place)
            arrays = [images.read(n)[None] for n in range(count)]
            decoding = best_time(lambda images=images: [images.read(n) for n in range(count)], 3)

            def measure(arrays: list[np.ndarray] = arrays) -> None:
                parts = [numerics.moments(each, channel_axis=-1) for each in arrays]
                numerics.pool(numerics.join_moments(parts))

            measuring = best_time(measure, 5)
            stds = np.mean([each.std(axis=(0, 1, 2)) for each in arrays], axis=0)
            with Engine.local(1) as engine:
                found = run(
                    "statistics", stack=images, engine=engine, percentiles=(), bins=0,
                    covariance=False,
                ).table("statistics")  # fmt: skip
            off = stds / found.columns["std"] - 1
            rows.append(
                [ending, decoding * 1e3, measuring * 1e3, f"{measuring / decoding:.1%}",
                 f"{off.min():.0%}"]
            )  # fmt: skip
    return rows


def accuracy() -> list[list[object]]:
    rng = np.random.default_rng(1)
    rows: list[list[object]] = []
    for mean, spread in ((12000, 30), (1e6, 1), (1e9, 1)):
        frames = mean + spread * rng.normal(size=(30, 100, 100))
        exact = (frames - mean).astype(np.longdouble)
        found = numerics.pool(numerics.moments(frames))
        squares = np.sqrt(max(0.0, float((frames**2).mean() - frames.mean() ** 2)))
        rows.append(
            [
                f"{mean:g} and {spread:g}",
                float(abs(found.std[0] / exact.std() - 1)),
                float(abs(frames.astype(np.float32).std(dtype=np.float32) / exact.std() - 1)),
                float(abs(squares / exact.std() - 1)),
            ]
        )
    return rows


def memory() -> list[list[object]]:
    """Of a run on a memory-mapped stack larger than what it may take."""
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "big.npy")
        frames = np.lib.format.open_memmap(path, "w+", np.uint16, (4000, 256, 256))
        for start in range(0, 4000, 500):
            frames[start : start + 500] = np.arange(500, dtype=np.uint16)[:, None, None]
        del frames
        setup = (
            "from common.measuring import *\nfrom napari_framewise.tools.calls import run\n"
            "from napari_framewise.io.opening import open_stack\n"
            "from napari_framewise.stacks.stack import Selection\n"
            f"stack = open_stack({str(path)!r})\nfew = stack.select(Selection(frames=(0, 64, 1)))\n"
            "def rss():\n    text = open('/proc/self/status').read()\n"
            "    return {line.split()[0]: int(line.split()[1]) / 1024 for line in "
            "text.splitlines() if 'kB' in line}\n"
            "run({tool!r}, stack=few, **{options!r})\n"
        )
        # Mapped pages of the file are not ours: only anonymous memory counts.
        code = (
            "import threading\nmost, done = [0.0], threading.Event()\n"
            "def watch():\n"
            "    while not done.wait(0.005):\n"
            "        most[0] = max(most[0], rss()['RssAnon:'])\n"
            "start = rss()['RssAnon:']\nthread = threading.Thread(target=watch)\nthread.start()\n"
            "run({tool!r}, stack=stack, **{options!r})\ndone.set()\nthread.join()\n"
            "print('grew', most[0] - start)\nresident_peak = lambda: most[0] - start\nbefore = 0\n"
        )
        for tool, options in (
            ("statistics", {}),
            ("normalise", {"method": "percentiles"}),
            ("normalise", {"method": "percentiles", "scope": "stack"}),
            ("standardise", {"scope": "stack"}),
        ):
            grew = peak_growth(
                code.replace("{tool!r}", repr(tool)).replace("{options!r}", repr(options)),
                setup.replace("{tool!r}", repr(tool)).replace("{options!r}", repr(options)),
            )
            rows.append([tool, str(options), grew])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and images")
    quick = parser.parse_args().quick
    threadpool_limits(1)
    cv2.setNumThreads(1)
    for name in "ABCD":
        rows = against_the_limit(name, 4 if quick else 10)
        print_table(f"{name}: against reading it", ["what", "ms", "times the limit"], rows)
    heads = ["what", "ms", "times as long as ours", "error of mean", "error of deviation"]
    for name in "AD" if quick else "ABCD":
        print_table(f"{name}: against peers", heads, against_peers(name))
    heads = ["files", "decoding, ms", "measuring, ms", "measuring / decoding", "mean of deviations"]
    print_table("A folder of images of 80 to 400 px", heads, folders(150 if quick else 600))
    heads = ["mean and deviation", "ours", "NumPy float32", "E[x^2] - E[x]^2"]
    print_table("Relative error of the deviation, float64", heads, accuracy())
    heads = ["tool", "parameters", "MiB"]
    print_table("Memory of a run on a file of 500 MiB", heads, memory())


if __name__ == "__main__":
    main()

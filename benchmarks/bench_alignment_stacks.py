"""Stacks with pauses, gaps, borders and little signal: Align's four ways beside StackReg's three.

Run: python benchmarks/bench_alignment_stacks.py [--trials N]

A scene drawn by chance (other seeds than the tests') is seen through a window of 64 x 72 pixels
that moves, 24 frames, with white noise. Of every way the largest error of a good frame's shift is
given, counted from their mean (from the true place for `constant`), as the median and the largest
of all trials; frames that a way leaves without a transform are not counted, but said. pystackreg
takes no missing data: it gets zeros.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from pystackreg import StackReg
from scipy import ndimage

import napari_framewise as fw

SHAPE, COUNT = (64, 72), 24
Film = tuple[np.ndarray, np.ndarray, np.ndarray]
OURS: dict[str, dict[str, Any]] = {
    "mean": {"to": "mean"},
    "mean of alike": {"to": "mean", "reference": "alike"},
    "frame": {"to": "frame"},
    "previous": {"to": "previous"},
    "running mean": {"to": "running_mean"},
}
THEIRS = {"StackReg first": "first", "StackReg previous": "previous", "StackReg mean": "mean"}


def seen(path: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    scene = ndimage.gaussian_filter(rng.normal(size=(130, 138)), 2.0)
    whole = ndimage.spline_filter(100 + 25 * scene / scene.std(), 5)
    rows, columns = np.mgrid[33 : 33 + SHAPE[0], 33 : 33 + SHAPE[1]].astype(float)
    frames = [
        ndimage.map_coordinates(whole, [rows + y, columns + x], order=5, prefilter=False)
        for y, x in path
    ]
    return np.array(frames) + rng.normal(0, noise, (len(path), *SHAPE))


def jump(rng: np.random.Generator) -> Film:
    path = np.zeros((COUNT, 2))
    path[14:] = rng.uniform(6, 12, 2) * rng.choice([-1, 1], 2)
    return seen(path, 4, rng), path, np.ones(COUNT, bool)


def blank(rng: np.random.Generator) -> Film:
    path = np.linspace(-1, 1, COUNT)[:, None] * rng.uniform(6, 12, 2)
    frames, good = seen(path, 4, rng), np.ones(COUNT, bool)
    good[[0, 8, 9, 10]] = False
    frames[~good] = 3
    return frames, path, good


def noise(rng: np.random.Generator) -> Film:
    frames, path, good = blank(rng)
    frames[~good] = rng.normal(100, 25, (4, *SHAPE))
    return frames, path, good


def borders(rng: np.random.Generator) -> Film:
    """Frames that stand still, whose black borders move."""
    path = np.zeros((COUNT, 2))
    frames = seen(path, 4, rng)
    for frame in frames:
        top, left = rng.integers(0, 7, 2)
        frame[:top], frame[:, :left] = 0, 0
        bottom, right = rng.integers(0, 7, 2)
        frame[SHAPE[0] - bottom :], frame[:, SHAPE[1] - right :] = 0, 0
    return frames, path, np.ones(COUNT, bool)


def little_signal(rng: np.random.Generator) -> Film:
    """A slow drift at a signal-to-noise ratio of 0.7."""
    path = np.linspace(-1, 1, COUNT)[:, None] * rng.uniform(2, 4, 2)
    return seen(path, 36, rng), path, np.ones(COUNT, bool)


def still(rng: np.random.Generator) -> Film:
    """Frames that stand still, at a signal-to-noise ratio of 0.7."""
    path = np.zeros((COUNT, 2))
    return seen(path, 36, rng), path, np.ones(COUNT, bool)


def shifts_of(frames: np.ndarray, name: str) -> np.ndarray:
    if name in OURS:
        given = {"motion": "translation", "errors": False, "crop": False, "judge": False}
        table = fw.run("alignment", stack=frames, **given, **OURS[name]).table("alignment").columns
        return np.column_stack([table["row"], table["column"]])
    found = StackReg(StackReg.TRANSLATION).register_stack(frames, reference=THEIRS[name])
    return found[:, 1::-1, 2]


FILMS: dict[str, Callable[[np.random.Generator], Film]] = {
    "a jump after a pause": jump,
    "drift across blank frames (4 of 24)": blank,
    "drift across frames of noise (4 of 24)": noise,
    "still, black borders move": borders,
    "slow drift, signal-to-noise 0.7": little_signal,
    "still, signal-to-noise 0.7": still,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=8)
    trials = parser.parse_args().trials
    names = [*OURS, *THEIRS]
    print("| | " + " | ".join(names) + " |")
    for label, make in FILMS.items():
        cells = []
        for name in names:
            largest, lost, constant, trend = [], 0, [], []
            for number in range(trials):
                frames, path, good = make(np.random.default_rng((77, number)))
                error = shifts_of(frames, name) + path
                known = good & np.isfinite(error).all(axis=1)
                lost += int(good.sum() - known.sum())
                error = error[known]
                if not len(error):
                    continue
                centred = error - error.mean(axis=0)
                largest.append(np.hypot(*centred.T).max())
                constant.append(np.hypot(*(error.mean(axis=0) - path[0])))
                ends = len(error) // 4
                trend.append(
                    np.hypot(*(centred[-ends:].mean(axis=0) - centred[:ends].mean(axis=0)))
                )
            if not largest:
                cells.append("all lost")
                continue
            cell = f"{np.median(largest):.2f}, {np.max(largest):.2f}"
            if label.startswith(("still", "slow")):
                cell += f"; trend {np.median(trend):.2f}"
            if label.startswith("still"):
                cell += f"; constant {np.median(constant):.2f}"
            cells.append(cell + (f" ({lost} lost)" if lost else ""))
        print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

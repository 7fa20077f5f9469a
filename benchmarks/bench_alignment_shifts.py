"""Shifts where there is little to see: noise, small frames, blobs and beads, what stays put.

Run: python benchmarks/bench_alignment_shifts.py [PART ...] [--trials N], with the parts noise,
small, sparse, staying and turned.

Both images are cut out of a photograph, or drawn, one of them moved by up to 6 px (a third of the
side at most) by a spline of order 5, and both get white noise of their own. Align, OpenCV's ECC
(smoothing 5, 200 iterations) and TurboReg (pystackreg) see the same pairs. The method was made on
camera, brick, rocket and coins; those of `REPORTED` were not looked at for it. `turned` says what
the default finds of a rotation. Times are processor seconds of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import cv2
import numpy as np
from pystackreg import StackReg
from scipy import ndimage
from skimage import color, data

from napari_framewise.numerics.alignment import Settings, align, prepare, warm_up

REPORTED = ("coffee", "gravel", "immunohistochemistry", "retina", "cell", "clock")
Pair = tuple[np.ndarray, np.ndarray, np.ndarray]
_MOST = 6.0


@cache
def photograph(name: str) -> tuple[np.ndarray, np.ndarray]:
    image = getattr(data, name)()
    image = (color.rgb2gray(image) * 255 if image.ndim == 3 else image).astype(float)
    return image, ndimage.spline_filter(image, 5)


def cut(name: str, side: int, rng: np.random.Generator) -> Pair:
    """A window with at least half of the photograph's contrast, and the same moved."""
    image, coefficients = photograph(name)
    while True:
        corner = np.array([int(rng.integers(16, n - side - 16)) for n in image.shape])
        rows, columns = (slice(each, each + side) for each in corner)
        large = image[rows, columns]
        if large.std() > 0.5 * image.std():
            break
    shift = rng.uniform(-1, 1, 2) * min(_MOST, side / 3)
    at = np.indices((side, side)) + (corner + shift)[:, None, None]
    small = ndimage.map_coordinates(coefficients, at, order=5, prefilter=False)
    return small, large.copy(), shift


def noisy(pair: Pair, share: float, rng: np.random.Generator) -> Pair:
    """White noise on both, its deviation a share of that of the scene."""
    sigma = share * pair[1].std()
    small, large = (each + rng.normal(0, sigma, each.shape) for each in pair[:2])
    return small, large, pair[2]


def noisy_cut(side: int, share: float, name: str, rng: np.random.Generator) -> Pair:
    return noisy(cut(name, side, rng), share, rng)


def spots(number: int, width: float, side: int, rng: np.random.Generator) -> Pair:
    """Gaussian blobs drawn where they are, of about one height."""
    shift = rng.uniform(-5, 5, 2)
    at = np.indices((side, side)).astype(float)
    centres = rng.uniform(10, side - 10, (number, 2)) if number > 1 else np.full((1, 2), side / 2)
    heights = rng.uniform(70, 130, number)
    images = []
    for away in (shift, np.zeros(2)):
        image = np.zeros((side, side))
        for (row, column), height in zip(centres - away, heights, strict=True):
            square = (at[0] - row) ** 2 + (at[1] - column) ** 2
            image += height * np.exp(-square / (2 * width**2))
        images.append(image)
    return images[0], images[1], shift


def noisy_spots(
    number: int, width: float, side: int, sigma: float, rng: np.random.Generator
) -> Pair:
    small, large, shift = spots(number, width, side, rng)
    small, large = (each + rng.normal(0, sigma, each.shape) for each in (small, large))
    return small, large, shift


def from_photographs(trials: int, make: Callable[[str, np.random.Generator], Pair]) -> list[Pair]:
    pairs = []
    for number in range(trials):
        rng = np.random.default_rng((91, number))
        pairs.append(make(REPORTED[number % len(REPORTED)], rng))
    return pairs


def drawn(trials: int, make: Callable[[np.random.Generator], Pair]) -> list[Pair]:
    return [make(np.random.default_rng((92, number))) for number in range(trials)]


def with_fixed(kind: str, name: str, rng: np.random.Generator) -> Pair:
    """A pair with little noise and with what stays put: columns, rows, hot pixels, a patch."""
    small, large, shift = noisy_cut(128, 0.05, name, rng)
    top = 1.5 * large.max()
    side = len(large)
    at = rng.integers(4, side - 12, 16)
    pixels = rng.integers(0, side, (2, 12))
    for each in (small, large):
        if kind == "a bright column":
            each[:, at[0]] = top
        elif kind == "three dead columns":
            each[:, at[:3]] = 0
        elif kind == "a bright row":
            each[at[0]] = top
        elif kind == "12 hot pixels":
            each[tuple(pixels)] = 40 * top
        else:
            each[at[0] : at[0] + 8, at[1] : at[1] + 8] = top
    return small, large, shift


def ours(small: np.ndarray, large: np.ndarray) -> tuple[np.ndarray, str]:
    found = align(prepare(small, settings=Settings(motion="translation")), large)
    return found.matrix[:2, 2], found.status.word


def ecc(small: np.ndarray, large: np.ndarray) -> tuple[np.ndarray, str]:
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    one, two = small.astype(np.float32), large.astype(np.float32)
    begin = np.eye(2, 3, dtype=np.float32)
    try:
        found = cv2.findTransformECC(one, two, begin, cv2.MOTION_TRANSLATION, stop, None, 5)[1]
    except cv2.error:
        return np.full(2, np.nan), "failed"
    return found[::-1, 2], "found"


def turboreg(small: np.ndarray, large: np.ndarray) -> tuple[np.ndarray, str]:
    found = StackReg(StackReg.TRANSLATION).register(small, large)
    return found[1::-1, 2], "found"


METHODS: dict[str, Callable[..., tuple[np.ndarray, str]]] = {
    "Align": ours,
    "ECC": ecc,
    "TurboReg": turboreg,
}


def row(label: str, pairs: list[Pair]) -> None:
    """Found within 1 px, their error; for Align how many of the rest were refused, or wrong."""
    cells = []
    for name, method in METHODS.items():
        errors, refused, words, begin = [], 0, [], time.process_time()
        for small, large, shift in pairs:
            found, word = method(small.copy(), large.copy())
            away = float(np.hypot(*(found - shift)))
            refused += not np.isfinite(away)
            errors.append(away)
            if not away < 1:
                words.append(word)
        took = 1e3 * (time.process_time() - begin) / len(pairs)
        good = np.array([each for each in errors if each < 1])
        rms = np.sqrt(np.mean(good**2)) if len(good) else np.nan
        wrong = len(pairs) - len(good) - refused
        cells.append(f"{len(good)} of {len(pairs)}, {rms:.3f} px, {refused} refused, {wrong} wrong")
        cells[-1] += f" ({took:.1f} ms)" + (f" {sorted(set(words))}" if name == "Align" else "")
    print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def noise(trials: int) -> None:
    for label, share, side in (
        ("signal-to-noise 1", 1.0, 128),
        ("signal-to-noise 0.5", 2.0, 128),
        ("signal-to-noise 0.5, 256 x 256", 2.0, 256),
    ):
        many = trials if side == 128 else max(trials // 3, 1)
        row(label, from_photographs(many, partial(noisy_cut, side, share)))


def texture(side: int, share: float, rng: np.random.Generator) -> Pair:
    """A texture smooth over 1.5 or 2.5 px, moved by up to a fifth of the side."""
    scene = ndimage.gaussian_filter(rng.normal(size=(120, 120)), rng.choice([1.5, 2.5]))
    coefficients = ndimage.spline_filter(scene, 5)
    shift = rng.uniform(-1, 1, 2) * side / 5
    at = np.indices((side, side)) + 50.0
    moved = ndimage.map_coordinates(
        coefficients, at + shift[:, None, None], order=5, prefilter=False
    )
    return noisy((moved, scene[50 : 50 + side, 50 : 50 + side].copy(), shift), share, rng)


def small(trials: int) -> None:
    for side in (8, 12, 16, 24):
        for share in (0.0, 0.1):
            label = f"{side} x {side}, texture" + (", noise of a tenth" if share else "")
            row(label, drawn(trials, partial(texture, side, share)))
    for side in (8, 12, 16, 24):
        for share in (0.0, 0.1):
            label = f"{side} x {side}" + (", noise of a tenth" if share else "")
            row(label, from_photographs(trials, partial(noisy_cut, side, share)))


def sparse(trials: int) -> None:
    for sigma in (10, 20):
        make = partial(noisy_spots, 1, 8.0, 64, sigma)
        row(f"one blob in 64 x 64, noise of {sigma} %", drawn(trials, make))
    for sigma in (10, 30):
        for number in (3, 10, 30):
            make = partial(noisy_spots, number, 2.0, 128, sigma)
            row(f"{number} beads, noise of {sigma} %", drawn(trials, make))


def staying(trials: int) -> None:
    for kind in (
        "a bright column",
        "three dead columns",
        "a bright row",
        "12 hot pixels",
        "a bright patch",
    ):
        row(kind, from_photographs(trials, partial(with_fixed, kind)))


def turned(_: int) -> None:
    """Euclidean motion, the default; and with the largest rotation given."""
    for angle in (5, 10, 20, 45, 90, 180):
        for largest in (0.0, 180.0):
            right, wrong, words = 0, 0, []
            begin = time.process_time()
            for number, name in enumerate(REPORTED):
                rng = np.random.default_rng((93, number))
                pair, truth = rotated(name, angle, rng)
                found = align(
                    prepare(pair[0], settings=Settings(motion="euclidean", rotations=largest)),
                    pair[1],
                )
                if not found.found:
                    words.append(found.status.word)
                    continue
                points = np.array([[0, 0, 1], [0, 127, 1], [127, 0, 1], [127, 127, 1.0]]).T
                away = np.hypot(*((found.matrix - truth) @ points)[:2]).max()
                right += away < 1
                wrong += away >= 1
            took = 1e3 * (time.process_time() - begin) / len(REPORTED)
            print(f"| {angle} degrees, largest rotation {largest:g} | {right} right, {wrong} wrong,"
                  f" refused {words} ({took:.0f} ms) |", flush=True)  # fmt: skip


def rotated(name: str, angle: float, rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    """A window of 128 x 128 and the same turned about its middle, noise of 5 % on both."""
    image, coefficients = photograph(name)
    while True:
        corner = np.array([int(rng.integers(40, n - 168)) for n in image.shape])
        large = image[corner[0] : corner[0] + 128, corner[1] : corner[1] + 128]
        if large.std() > 0.5 * image.std():
            break
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    truth = np.eye(3)
    truth[:2, :2] = [[cos, -sin], [sin, cos]]
    truth[:2, 2] = 63.5 - truth[:2, :2] @ [63.5, 63.5] + [1.3, -2.2]
    at = np.tensordot(truth[:2, :2], np.indices((128, 128)), 1) + truth[:2, 2][:, None, None]
    at += corner[:, None, None]
    small = ndimage.map_coordinates(coefficients, at, order=5, prefilter=False, mode="mirror")
    sigma = 0.05 * large.std()
    return [each + rng.normal(0, sigma, (128, 128)) for each in (small, large)], truth


def main() -> None:
    parts = {
        "noise": noise, "small": small, "sparse": sparse, "staying": staying, "turned": turned,
    }  # fmt: skip
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=list(parts))
    parser.add_argument("--trials", type=int, default=24)
    given = parser.parse_args()
    warm_up()
    cv2.setNumThreads(1)
    for name in given.parts:
        parts[name](given.trials)


if __name__ == "__main__":
    main()

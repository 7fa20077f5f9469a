"""Pairs of images at their best shift beside scikit-image, and same or different by measure.

``python benchmarks/bench_similarity.py``. One thread; processor times of this run. Scenes are
photographs of scikit-image on which no parameter was chosen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from common.measuring import best_time, print_table
from numpy.typing import NDArray
from scipy import ndimage, stats
from skimage import data
from skimage.registration import phase_cross_correlation

from napari_framewise.numerics.similarity import (
    Filter,
    Spectra,
    Transform,
    best_shifts,
    fractions,
    least_differences,
    on_canvas,
)

NAMES = ("gravel", "coffee", "rocket", "hubble_deep_field", "page", "text", "clock", "cell")
SIDE, REACH = 96, 14
Image = NDArray[np.float64]


def photographs() -> list[Image]:
    found = []
    for name in NAMES:
        image = np.asarray(getattr(data, name)(), float)
        image = image[..., :3].mean(-1) if image.ndim == 3 else image
        found.append(ndimage.zoom(image, max(1.0, 330 / min(image.shape)), order=1))
    return found


def crop(image: Image, place: Image, side: int) -> Image:
    whole = np.floor(place).astype(int)
    around = image[whole[0] - 1 : whole[0] + side + 2, whole[1] - 1 : whole[1] + side + 2]
    moved = ndimage.shift(around, whole - place, order=3)
    return np.asarray(moved[1 : side + 1, 1 : side + 1])


def displaced(share: float, each: int, side: int = 160) -> list[tuple[Image, Image, Image]]:
    rng = np.random.default_rng(1000 + int(100 * share))
    found = []
    for image in photographs():
        for _ in range(each):
            angle = rng.uniform(0, 2 * np.pi)
            shift = share * side * np.array([np.sin(angle), np.cos(angle)])
            room = np.array(image.shape) - side - 5 - np.abs(shift)
            place = np.floor(rng.uniform(0, room) + np.maximum(0, -shift) + 2)
            first = crop(image, place, side) + rng.normal(0, 5, (side, side))
            second = crop(image, place + shift, side) * rng.uniform(0.8, 1.2)
            found.append((first, second + rng.normal(0, 5, (side, side)), -shift))
    return found


def shifts() -> list[list[object]]:
    transform = Transform((160, 160), (112, 112))
    one = np.ones((160, 160), bool)
    rows: list[list[object]] = []
    for share in (0.05, 0.2, 0.4, 0.6):
        errors, peers = [], []
        for first, second, shift in displaced(share, 3):
            canvas = on_canvas([first, second], (160, 160))
            spectra, pairs = Spectra.of(canvas, transform), np.array([[0, 1]])
            found = best_shifts(spectra, spectra, pairs)
            got = found.shifts + fractions(canvas, canvas, pairs, found)
            errors.append(np.abs(got[0] - shift))
            peer = phase_cross_correlation(second, first, reference_mask=one, moving_mask=one)[0]
            peers.append(np.abs(peer - shift))
        for name, each in (("correlation", errors), ("scikit-image, masked", peers)):
            right = np.max(each, axis=1) <= 1
            median = float(np.median(np.hypot(*np.array(each)[right].T)))
            rows.append([f"{share:.0%}", name, f"{100 * right.mean():.0f} %", median])
    return rows


def rates() -> list[list[object]]:
    rng = np.random.default_rng(0)
    images = ndimage.gaussian_filter(rng.normal(size=(64, 64, 64)), (0, 1.5, 1.5))
    canvas = on_canvas(images, (64, 64))
    spectra, one = Spectra.of(canvas, Transform((64, 64), (16, 16))), np.ones((64, 64), bool)
    best_shifts(spectra, spectra)
    ours = best_time(lambda: best_shifts(spectra, spectra), 3) / 64**2
    peer = best_time(
        lambda: phase_cross_correlation(images[0], images[1], reference_mask=one, moving_mask=one),
        5,
    )
    return [["correlation", 1 / ours, peer / ours], ["scikit-image, masked", 1 / peer, 1.0]]


def same_or_different() -> list[list[object]]:
    rng = np.random.default_rng(2)
    images, first, second, places = photographs(), [], [], []
    while len(first) < 150:
        number = int(rng.integers(len(images)))
        image = images[number]
        place = [int(rng.integers(REACH, n - SIDE - REACH)) for n in image.shape]
        one = image[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
        if one.std() < 8:
            continue
        top, left = (p + int(rng.integers(-REACH, REACH + 1)) for p in place)
        other = ndimage.gaussian_filter(
            image[top : top + SIDE, left : left + SIDE], rng.uniform(0, 1.2)
        )
        first.append(one + rng.normal(0, 5, one.shape))
        light = other * rng.uniform(0.6, 1.4) + rng.uniform(-30, 30)
        second.append(light + rng.normal(0, rng.uniform(3, 12), one.shape))
        places.append((number, *place))
    known = np.array(places)
    apart = []
    while len(apart) < 500:
        i, j = rng.integers(0, 150, 2)
        if (
            known[i, 0] != known[j, 0]
            or np.abs(known[i, 1:] - known[j, 1:]).max() > SIDE + 2 * REACH
        ):
            apart.append((i, 150 + j))
    pairs = np.array([(i, 150 + i) for i in range(150)] + apart)
    band = on_canvas(first + second, (SIDE, SIDE))
    plain = on_canvas(first + second, (SIDE, SIDE), Filter("nothing"))
    still = Spectra.of(plain, Transform((SIDE, SIDE), (0, 0)))
    moving = Spectra.of(band, Transform((SIDE, SIDE), (32, 32)))
    measures: dict[str, Callable[[], Image]] = {
        "correlation": lambda: best_shifts(moving, moving, pairs).score,
        "absolute differences": lambda: -least_differences(band, band, (16, 16), pairs).score,
        "Pearson": lambda: best_shifts(still, still, pairs).score,
    }
    rows: list[list[object]] = []
    for name, measure in measures.items():
        scores = np.nan_to_num(measure(), nan=-9.0)
        ranks = stats.rankdata(scores)
        area = (ranks[:150].sum() - 150 * 151 / 2) / 150 / 500
        level = np.sort(scores[150:])[-6]
        rows.append([name, area, f"{100 * (scores[:150] > level).mean():.1f} %"])
    return rows


if __name__ == "__main__":
    print_table("64 x 64, shifts up to 16", ("", "pairs a second", "times"), rates())
    print_table("Shift", ("displacement", "", "within 1 px", "median error, px"), shifts())
    print_table("Same or different", ("", "area", "found at 1 % false"), same_or_different())

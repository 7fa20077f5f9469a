"""How often the region that Align states holds the truth, by kind of noise and motion; and volumes.

Run: python benchmarks/bench_alignment_coverage.py [planes] [volumes] [--trials N]

Templates of 100 x 100 are cut out of photographs anywhere (by a spline of order 5, their canonical
points moved by N(0, 3)), noise is put on both images, and the joint 95 % region of all parameters,
a chi squared of the stated covariance, is counted where the alignment was called converged. The
method was made on the camera man; cat, coffee and retina (`REPORTED`) were not looked at for it.
Volumes are blobs drawn where they are, with other seeds than those of the tests.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import ndimage, stats
from skimage import color, data

from napari_framewise.numerics import transforms
from napari_framewise.numerics.alignment import Settings, align, prepare, warm_up
from napari_framewise.numerics.rigid import RigidSettings
from napari_framewise.numerics.rigid import align as align_volume
from napari_framewise.numerics.rigid import prepare as prepare_volume

SIDE, LARGE = 100, 176
REPORTED = ("chelsea", "coffee", "retina")
Noise = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def white(sigma: float) -> Noise:
    return lambda image, rng: image + rng.normal(0, sigma, image.shape)


def photons(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(np.clip(image, 1, None)).astype(float)


def impulses(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    found = image + rng.normal(0, 4, image.shape)
    hit = rng.random(image.shape) < 0.02
    found[hit] = rng.choice([0.0, 255.0], hit.sum())
    return found


def correlated(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.normal(size=image.shape), 1.5)
    return image + 6 * noise / noise.std()


KINDS: dict[str, tuple[Noise, float]] = {
    "white, 4": (white(4), 0),
    "white, 8": (white(8), 0),
    "photons": (photons, 0),
    "white, 4, and 2 % impulses": (impulses, 0),
    "correlated over 1.5 px, 6": (correlated, 0),
    "white, 8; smoothing 1": (white(8), 1),
    "white, 8; smoothing 2": (white(8), 2),
    "white, 8; smoothing 4": (white(8), 4),
}


@cache
def photograph(name: str) -> tuple[np.ndarray, np.ndarray]:
    image = getattr(data, name)()
    image = (color.rgb2gray(image) * 255 if image.ndim == 3 else image).astype(float)
    if min(image.shape) > 1000:
        image = ndimage.zoom(image, 0.4, order=3)
    return image, ndimage.spline_filter(image, 5)


def pair(name: str, motion: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A template, the part of a photograph that it lies in, and the matrix between them."""
    image, coefficients = photograph(name)
    corner = np.array([int(rng.integers(0, n - LARGE)) for n in image.shape])
    middle = (LARGE - SIDE) / 2
    points = transforms.corners((SIDE, SIDE))
    moved = points + middle + rng.normal(0, 3, points.shape)
    truth = transforms.fitted_to_points(points, moved, motion)  # type: ignore[arg-type]
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), axis=-1)
    at = np.moveaxis(transforms.mapped(truth, grid) + corner, -1, 0)
    template = ndimage.map_coordinates(coefficients, at, order=5, prefilter=False)
    part = image[corner[0] : corner[0] + LARGE, corner[1] : corner[1] + LARGE]
    return template, part, truth


def distance(found: np.ndarray, truth: np.ndarray, covariance: np.ndarray, motion: str) -> float:
    """Chi squared of what leads from where the fit ended to the truth."""
    to_centre = np.eye(3)
    to_centre[:2, 2] = (SIDE - 1) / 2
    left = transforms.composed(transforms.inverse(found @ to_centre), truth @ to_centre)
    change = (left - np.eye(3)).ravel()[:8]
    free = transforms.generators(motion)  # type: ignore[arg-type]
    away = np.linalg.lstsq(free.T, change, rcond=None)[0]
    return float(away @ np.linalg.solve(covariance, away))


def counted(squares: list[float], unknowns: int, refused: int) -> str:
    if not squares:
        return f"- ({refused})"
    held = np.mean(np.array(squares) < stats.chi2.ppf(0.95, unknowns))
    return f"{held:.2f} ({refused})"


def planes(trials: int, kinds: list[str], motions: list[str]) -> None:
    print("\nJoint 95 % region holds the truth (in brackets how many were refused), planes")
    print(f"{'':30}" + "".join(f"{motion:>16}" for motion in motions))
    for kind in kinds or KINDS:
        noisy, smoothing = KINDS[kind]
        row = []
        for motion in motions:
            settings = Settings(motion=motion, smoothing=smoothing)  # type: ignore[arg-type]
            rng = np.random.default_rng(100)
            squares, refused = [], 0
            for number in range(trials):
                template, image, truth = pair(REPORTED[number % len(REPORTED)], motion, rng)
                fixed = prepare(noisy(template, rng), settings=settings)
                found = align(fixed, noisy(image, rng))
                if found.status == 0:
                    squares.append(distance(found.matrix, truth, found.covariance, motion))
                else:
                    refused += 1
            row.append(counted(squares, len(transforms.generators(motion)), refused))  # type: ignore[arg-type]
        print(f"{kind:30}" + "".join(f"{each:>16}" for each in row), flush=True)


SHAPE, SCALE = (14, 48, 48), np.array([2.5, 1.0, 1.0])


def drawn(at: np.ndarray, seed: int) -> np.ndarray:
    """Blobs at positions (..., 3) in voxels."""
    rng = np.random.default_rng(seed)
    size = np.array(SHAPE) * SCALE
    values = np.full(at.shape[:-1], 60.0)
    for _ in range(140):
        centre, width = rng.uniform(-12, size + 12), rng.uniform(2.5, 6)
        values += rng.uniform(-50, 90) * np.exp(
            -(((at * SCALE - centre) ** 2).sum(-1)) / (2 * width**2)
        )
    return np.clip(values, 5, None)


def rotation(vector: np.ndarray) -> np.ndarray:
    angle = np.linalg.norm(vector)
    cross = np.cross(np.eye(3), vector / max(angle, 1e-30)) * -1
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


VOLUME_KINDS: dict[str, Noise] = {
    "white, 10 %": white(4),
    "white, 50 %": white(20),
    "photons": photons,
    "white, 4, and 2 % impulses": impulses,
    "correlated over 1.5 voxels": correlated,
}


def volumes(trials: int, kinds: list[str], _: list[str]) -> None:
    """Translation and rigid motion of volumes: the stated errors of the shift at the centre."""
    print("\nShift of the centre within its joint 95 % region (refused); deviation over stated")
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).astype(float)
    centre = (np.array(SHAPE) - 1) / 2
    for kind in kinds or VOLUME_KINDS:
        row = []
        for motion in ("translation", "euclidean"):
            rng = np.random.default_rng(200)
            squares, scores, refused = [], [], 0
            for number in range(trials):
                shift = rng.uniform(-2, 2, 3)
                turn = rotation(rng.normal(0, 0.03, 3) if motion == "euclidean" else np.zeros(3))
                linear = turn * SCALE[None, :] / SCALE[:, None]
                at = (grid - centre) @ linear.T + centre + shift
                noisy = VOLUME_KINDS[kind]
                template, image = (noisy(drawn(each, 300 + number % 4), rng) for each in (at, grid))
                settings = RigidSettings(motion=motion)  # type: ignore[arg-type]
                found = align_volume(
                    prepare_volume(template, scale=SCALE, settings=settings), image
                )
                if found.status != 0:
                    refused += 1
                    continue
                away = found.matrix[:3, :3] @ centre + found.matrix[:3, 3] - centre - shift
                covariance = found.covariance[:3, :3]
                squares.append(float(away @ np.linalg.solve(covariance, away)))
                scores.append(away / np.sqrt(np.diag(covariance)))
            ratio = np.sqrt(np.mean(np.square(scores))) if scores else np.nan
            row.append(f"{counted(squares, 3, refused)} {ratio:.2f}")
        print(f"{kind:30}" + "".join(f"{each:>20}" for each in row), flush=True)


def main() -> None:
    parts = {"planes": planes, "volumes": volumes}
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("parts", nargs="*", default=[], metavar="PART")
    reader.add_argument("--trials", type=int, default=60)
    reader.add_argument("--kinds", nargs="*", default=[])
    reader.add_argument("--motions", nargs="*", default=list(transforms.MOTIONS))
    given = reader.parse_args()
    warm_up()
    began = time.process_time()
    for name in given.parts or parts:
        parts[name](given.trials, given.kinds, given.motions)
    print(f"{time.process_time() - began:.0f} processor seconds")


if __name__ == "__main__":
    main()

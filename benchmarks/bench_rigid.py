"""Volumes brought into register, voxels four times as deep as wide, beside scikit-image, SimpleITK.

Run: python benchmarks/bench_rigid.py [--trials N]

Blobs are drawn where they are (16 x 56 x 60 voxels of 4 x 1 x 1, other seeds than the tests'), the
second volume moved by up to 1 voxel along z and 4 along y and x, and turned by about 2 degrees
about a random axis, with white noise, and a gain of 1.3. Errors are those of the volume's corners,
in widths of a voxel, root mean square; found is within 1. phase_cross_correlation knows shifts
(upsampling 20). SimpleITK: Euler3DTransform, correlation, three levels, started at rest. `twins`
shows the same again every 20 px along x: no place is to be called converged. Times are processor
seconds of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import SimpleITK
from bench_alignment_coverage import rotation
from skimage.registration import phase_cross_correlation

from napari_framewise.numerics.rigid import RigidSettings, align, prepare

SHAPE, SCALE = (16, 56, 60), np.array([4.0, 1.0, 1.0])
CENTRE = (np.array(SHAPE) - 1) / 2
GRID = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).astype(float)
CORNERS = np.stack(np.meshgrid(*[(0, n - 1) for n in SHAPE], indexing="ij"), -1).reshape(-1, 3)
Found = tuple[np.ndarray, np.ndarray, str]


def drawn(at: np.ndarray, seed: int, twins: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size = np.array(SHAPE) * SCALE
    values = np.full(at.shape[:-1], 60.0)
    for _ in range(30 if twins else 90):
        centre, width = rng.uniform(-12, size + 12), rng.uniform(2.5, 6)
        height = rng.uniform(-50, 90)
        for away in range(-80, 81, 20) if twins else (0,):
            square = (at * SCALE - centre - [0, 0, away]) ** 2
            values += height * np.exp(-square.sum(-1) / (2 * width**2))
    return values


def pair(
    number: int, motion: str, noise: float, twins: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Template, volume, and the matrix from the template's voxels to the volume's."""
    rng = np.random.default_rng((61, number))
    shift = rng.uniform(-1, 1, 3) * [1, 4, 4]
    vector = rng.normal(size=3)
    turn = (
        rotation(np.radians(2) * vector / np.linalg.norm(vector))
        if motion != "translation"
        else np.eye(3)
    )
    linear = turn * SCALE[None, :] / SCALE[:, None]
    offset = CENTRE + shift - linear @ CENTRE
    template = drawn(GRID @ linear.T + offset, 900 + number, twins)
    volume = 1.3 * drawn(GRID, 900 + number, twins) + 4
    sigma = noise * template.std()
    template = template + rng.normal(0, sigma, SHAPE)
    volume = volume + rng.normal(0, 1.3 * sigma, SHAPE)
    return template, volume, np.column_stack([linear, offset])


def ours(template: np.ndarray, volume: np.ndarray, motion: str) -> Found:
    settings = RigidSettings(motion=motion)  # type: ignore[arg-type]
    found = align(prepare(template, scale=tuple(SCALE), settings=settings), volume)
    return found.matrix[:3, :3], found.matrix[:3, 3], found.status.word


def phase(template: np.ndarray, volume: np.ndarray, motion: str) -> Found:
    shift = phase_cross_correlation(template, volume, upsample_factor=20, normalization=None)[0]
    return np.eye(3), -np.asarray(shift), "found"


def simple_itk(template: np.ndarray, volume: np.ndarray, motion: str) -> Found:
    fixed, moving = (
        SimpleITK.GetImageFromArray(each.astype(np.float32)) for each in (template, volume)
    )
    for each in (fixed, moving):
        each.SetSpacing([float(s) for s in SCALE[::-1]])
    guess = SimpleITK.TranslationTransform(3)
    if motion != "translation":
        guess = SimpleITK.CenteredTransformInitializer(
            fixed, moving, SimpleITK.Euler3DTransform(),
            SimpleITK.CenteredTransformInitializerFilter.GEOMETRY,
        )  # fmt: skip
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetInitialTransform(guess, inPlace=False)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError:
        return np.full((3, 3), np.nan), np.full(3, np.nan), "failed"
    points = np.vstack([np.zeros(3), np.eye(3)]) * SCALE
    led = np.array([found.TransformPoint(each[::-1].tolist())[::-1] for each in points]) / SCALE
    return (led[1:] - led[0]).T, led[0], "found"


METHODS: dict[str, Callable[..., Found]] = {
    "Align volumes": ours,
    "phase_cross_correlation": phase,
    "SimpleITK": simple_itk,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=12)
    trials = parser.parse_args().trials
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    ours(*pair(0, "translation", 0.1)[:2], "euclidean")
    for motion in ("translation", "euclidean"):
        for noise in (0.1, 1.0):
            for name, method in METHODS.items():
                if name.startswith("phase") and motion != "translation":
                    continue
                errors, refused, took = [], [], 0.0
                for number in range(trials):
                    template, volume, truth = pair(number, motion, noise)
                    begin = time.process_time()
                    linear, offset, word = method(template, volume, motion)
                    took += time.process_time() - begin
                    if not np.isfinite(offset).all():
                        refused.append(word)
                        continue
                    away = CORNERS @ (linear - truth[:, :3]).T + offset - truth[:, 3]
                    errors.append(float(np.sqrt(((away * SCALE) ** 2).sum(-1).mean())))
                good = [each for each in errors if each < 1]
                rms = np.sqrt(np.mean(np.square(good))) if good else np.nan
                wrong, words = len(errors) - len(good), sorted(set(refused))
                print(
                    f"| {motion}, noise {noise:.0%} | {name} | {len(good)} of {trials}, "
                    f"{rms:.3f} px | {wrong} wrong, {len(refused)} refused {words} | "
                    f"{took / trials:.2f} s |",
                    flush=True,
                )
    words = [
        ours(*pair(number, "translation", 0.05, True)[:2], "translation")[2]
        for number in range(trials)
    ]
    print("| twins |", {each: words.count(each) for each in set(words)}, "|")


if __name__ == "__main__":
    main()

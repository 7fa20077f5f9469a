"""Alignment against OpenCV's ECC, TurboReg (pystackreg) and SimpleITK, and against known truths.

Run: python benchmarks/bench_alignment.py [protocol] [hard] [large] [landmarks] [stack] [--trials N]

Times are processor seconds of one thread; ratios are what to look at. `protocol` is that of Baker
and Matthews (2004, section 2.4): a template of 100 x 100 is cut out of a photograph by a transform
that moves its canonical points by N(0, sigma), and counts as found within 1 px. The photographs
are those of scikit-image; templates lie within 56 px of their middles. The template is cut by a
spline of order 5, while Align samples with order 3, so that noise-free errors are not zero.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import SimpleITK
from common.measuring import peak_growth
from imageio.v3 import imread
from pystackreg import StackReg
from scipy import ndimage, stats
from skimage import color, data

from napari_framewise.engine import Engine
from napari_framewise.numerics import transforms
from napari_framewise.numerics.alignment import Settings, align, prepare, warm_up
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.registry import get_tool

FOLDER = Path(__file__).parent / "data" / "alignment"
SIDE = 100
# Peers have x before y.
SWAP = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
Method = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


PLAIN = ("camera", "astronaut")
HARD = ("rocket", "brick", "page", "hubble_deep_field")
"""Dark, or the same in many places. The further starts were made on seed 1; 7 is reported."""
OTHERS = ("coins", "grass", "gravel", "moon", "clock", "cell")
"""Not looked at while the method was made."""


@cache
def photograph(name: str) -> tuple[np.ndarray, np.ndarray]:
    image = getattr(data, name)()
    image = color.rgb2gray(image) * 255 if image.ndim == 3 else image.astype(float)
    return image, ndimage.spline_filter(image, 5)


def cut(coefficients: np.ndarray, matrix: np.ndarray, side: int, **options: Any) -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1)
    at = np.moveaxis(transforms.mapped(matrix, grid), -1, 0)
    return ndimage.map_coordinates(coefficients, at, order=5, prefilter=False, **options)


def canonical(motion: str, side: int) -> np.ndarray:
    last = side - 1.0
    if motion == "affine":
        return np.array([[last, 0], [last, last], [0, last / 2]])
    return transforms.corners((side, side))


def off(found: np.ndarray, truth: np.ndarray, points: np.ndarray) -> float:
    away = transforms.mapped(found, points) - transforms.mapped(truth, points)
    return float(np.sqrt((away**2).sum(-1).mean()))


def ours(motion: str, **given: Any) -> Method:
    settings = Settings(motion=motion, **given)  # type: ignore[arg-type]

    def method(template: np.ndarray, image: np.ndarray, start: np.ndarray) -> np.ndarray:
        return align(prepare(template, settings=settings), image, start=start).matrix

    return method


def ecc(motion: str, smoothing: int, iterations: int) -> Method:
    kind = cv2.MOTION_AFFINE if motion == "affine" else cv2.MOTION_HOMOGRAPHY
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, 1e-6)

    def method(template: np.ndarray, image: np.ndarray, start: np.ndarray) -> np.ndarray:
        given = (SWAP @ start @ SWAP)[: 2 if motion == "affine" else 3].astype(np.float32)
        mask = np.full(image.shape, 255, np.uint8)
        try:
            _, found = cv2.findTransformECC(
                template.astype(np.float32),
                image.astype(np.float32),
                given,
                kind,
                stop,
                mask,
                smoothing,
            )
        except cv2.error:
            return np.full((3, 3), np.nan)
        whole = np.vstack([found, [0, 0, 1]]) if motion == "affine" else found
        return SWAP @ whole @ SWAP

    return method


def turboreg(template: np.ndarray, image: np.ndarray, start: np.ndarray) -> np.ndarray:
    rows, columns = np.rint(start[:2, 2]).astype(int)
    part = image[rows : rows + template.shape[0], columns : columns + template.shape[1]]
    found = SWAP @ StackReg(StackReg.AFFINE).register(template, part) @ SWAP
    found[:2, 2] += [rows, columns]
    return found


def simple_itk(template: np.ndarray, image: np.ndarray, start: np.ndarray) -> np.ndarray:
    fixed, moving = (
        SimpleITK.GetImageFromArray(each.astype(np.float32)) for each in (template, image)
    )
    guess = SimpleITK.AffineTransform(2)
    guess.SetTranslation([float(start[1, 2]), float(start[0, 2])])
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 300)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetInitialTransform(guess, inPlace=False)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError:
        return np.full((3, 3), np.nan)
    origin = np.array(found.TransformPoint((0.0, 0.0)))
    whole = np.eye(3)
    whole[:2, 0] = np.array(found.TransformPoint((1.0, 0.0))) - origin
    whole[:2, 1] = np.array(found.TransformPoint((0.0, 1.0))) - origin
    whole[:2, 2] = origin
    return SWAP @ whole @ SWAP


def wilson(found: int, trials: int) -> str:
    interval = stats.binomtest(found, trials).proportion_ci(method="wilson")
    return f"{100 * found / trials:.1f} ({100 * interval.low:.1f}-{100 * interval.high:.1f})"


def protocol(trials: int) -> None:
    for motion, sigmas in (("affine", (2, 4, 6, 8, 10, 14)), ("homography", (2, 4, 6, 8, 10, 14))):
        methods: dict[str, tuple[Method, int]] = {
            "Align, correlation start": (ours(motion), trials),
            "Align, given start": (ours(motion, start="given"), trials),
            "Align, forward": (ours(motion, method="forward"), trials // 5),
            "ECC default, 15 iterations": (ecc(motion, 5, 15), trials),
            "ECC smoothing 1, 100": (ecc(motion, 1, 100), trials),
        }
        if motion == "affine":
            methods["TurboReg"] = turboreg, trials // 2
            methods["SimpleITK"] = simple_itk, trials // 20
        print(f"\n{motion}: found within 1 px, % (95 % Wilson interval); mean error at s=4, px; ms")
        for name, (method, count) in methods.items():
            row, errors, took = [], [], 0.0
            for sigma in sigmas:
                here = list(_trials(motion, float(sigma), count, method))
                found = [error for error, _ in here if error < 1]
                took += sum(seconds for _, seconds in here)
                row.append(f"s={sigma} {wilson(len(found), count)}")
                if sigma == 4:
                    errors = found
            mean = 1e3 * took / count / len(sigmas)
            print(
                f"{name:28}",
                "; ".join(row),
                f"| {np.mean(errors):.4f} px, {mean:.1f} ms",
                flush=True,
            )


def hard(trials: int) -> None:
    """Scenes that are dark or repeat; and a scale of a half and of two, on all of them."""
    for motion, sigmas in (("affine", (6, 10, 14)), ("homography", (6, 10))):
        for name in (*HARD, *OTHERS):
            row = [
                _row(list(_trials(motion, float(sigma), trials, ours(motion), (name,), 7)))
                for sigma in sigmas
            ]
            print(f"{motion:12}{name:20}" + " | ".join(row), flush=True)
    for scale in (0.5, 2.0):
        for name in (*PLAIN, *HARD):
            print(
                f"scale {scale:<6}{name:20}{_row(list(_scaled(name, scale, trials)))}", flush=True
            )


def _row(errors: list[tuple[float, float]]) -> str:
    """Found, wrong, and refused ones."""
    off_by = np.array([error for error, _ in errors])
    found, refused = int((off_by < 1).sum()), int(np.isinf(off_by).sum())
    wrong = len(off_by) - found - refused
    return f"{wilson(found, len(off_by))} wrong {wrong} refused {refused}"


def _scaled(name: str, scale: float, count: int) -> Any:
    """Templates that show the photograph at another scale, by similarity."""
    rng = np.random.default_rng(2)
    image, coefficients = photograph(name)
    method, points = ours("similarity"), canonical("similarity", SIDE)
    fixed = min(1.0, (min(image.shape) - 12) / (SIDE * scale))
    for _ in range(count):
        truth = np.diag([scale * fixed, scale * fixed, 1.0])
        room = np.array(image.shape) - scale * fixed * SIDE - 1
        truth[:2, 2] = rng.uniform(0, room)
        template = cut(coefficients, truth, SIDE)
        start = np.eye(3)
        start[:2, 2] = truth[:2, 2] + (scale * fixed - 1) * (SIDE - 1) / 2
        began = time.thread_time()
        found = method(template, image, start)
        took = time.thread_time() - began
        yield off(found, truth, points) if np.isfinite(found).all() else np.inf, took


def _trials(
    motion: str,
    sigma: float,
    count: int,
    method: Method,
    names: tuple[str, ...] = PLAIN,
    seed: int = 1,
) -> Any:
    rng = np.random.default_rng(seed)
    done = 0
    while done < count:
        image, coefficients = photograph(names[int(rng.integers(len(names)))])
        start = np.eye(3)
        shorter = min(image.shape)
        low = min(150, (shorter - SIDE) // 2)
        start[:2, 2] = rng.integers(low, shorter - low - SIDE + 1, 2)
        points = canonical(motion, SIDE)
        moved = points + start[:2, 2] + rng.normal(0, sigma, points.shape)
        truth = transforms.fitted_to_points(points, moved, motion)  # type: ignore[arg-type]
        ends = transforms.mapped(truth, transforms.corners((SIDE, SIDE)))
        if not (np.isfinite(ends).all() and (ends >= 0).all() and (ends < image.shape).all()):
            continue
        template = cut(coefficients, truth, SIDE)
        began = time.thread_time()
        found = method(template, image, start)
        took = time.thread_time() - began
        error = off(found, truth, points) if np.isfinite(found).all() else np.inf
        yield error, took
        done += 1


def large(trials: int) -> None:
    """512 x 512, affine by 8 px, noise 4 on both images, gain 0.9, offset 8, black borders."""
    rng = np.random.default_rng(1)
    image, coefficients = photograph(PLAIN[0])
    points, start = canonical("affine", 512), np.eye(3)
    results: dict[str, list[tuple[float, float]]] = {}
    for _ in range(min(trials, 12)):
        truth = transforms.fitted_to_points(
            points, points + rng.normal(0, 8, points.shape), "affine"
        )
        template = cut(coefficients, truth, 512, mode="constant", cval=np.nan)
        inside = np.isfinite(cut(coefficients, truth, 512, mode="constant", cval=np.nan))
        template = np.where(inside, 0.9 * template + 8, 0) + rng.normal(0, 4, template.shape)
        noisy = image + rng.normal(0, 4, image.shape)
        methods: dict[str, Method] = {
            "Align, mask": partial(_masked, inside),
            "Align, no mask": ours("affine"),
            "Align, no mask, least squares": ours("affine", loss="linear"),
            "ECC default": ecc("affine", 5, 100),
            "ECC smoothing 1": ecc("affine", 1, 100),
            "TurboReg": turboreg,
            "SimpleITK": simple_itk,
        }
        for name, method in methods.items():
            if name == "SimpleITK" and len(results.get(name, ())) >= 3:
                continue
            began = time.thread_time()
            found = method(template, noisy, start)
            took = time.thread_time() - began
            results.setdefault(name, []).append((off(found, truth, points), took))
    peer = min(seconds for _, seconds in results["TurboReg"])
    print(
        "\n512 x 512 affine, noise 4, gain 0.9, offset 8: error px (mean, largest); least ms, and "
        "over TurboReg's"
    )
    for name, found in results.items():
        errors, times = np.array(found).T
        print(
            f"{name:30} {errors.mean():.4f} {errors.max():.4f} "
            f"{1e3 * times.min():8.1f} {times.min() / peer:.2f}"
        )


def _masked(mask: np.ndarray, template: np.ndarray, image: np.ndarray, _: np.ndarray) -> np.ndarray:
    return align(prepare(template, mask, settings=Settings(motion="affine")), image).matrix


def landmarks(_: int) -> None:
    """Landmark errors of real and rendered pairs (BIRL, Borovec 2018, BSD-3)."""
    pairs = (
        ("artificial_reference", "artificial_moving-rigid", "euclidean", 0.0),
        ("artificial_reference", "artificial_moving-affine", "affine", 0.0),
        ("Rat-Kidney_HE", "Rat-Kidney_PanCytokeratin", "similarity", 2.0),
        ("Rat-Kidney_HE", "Rat-Kidney_PanCytokeratin", "affine", 2.0),
        ("Rat-Kidney_HE", "Rat-Kidney_PanCytokeratin", "homography", 2.0),
    )
    print("\nLandmark error, mean / median px: before, after; the best that the family allows")
    for fixed, moving, motion, smoothing in pairs:
        here, there = _points(fixed), _points(moving)
        count = min(len(here), len(there))
        images = [imread(FOLDER / f"{name}.jpg").astype(float).mean(-1) for name in (fixed, moving)]
        settings = Settings(motion=motion, smoothing=smoothing)  # type: ignore[arg-type]
        found = align(prepare(images[0], settings=settings), images[1])
        best = transforms.fitted_to_points(here[:count], there[:count], motion)  # type: ignore[arg-type]
        said = []
        for matrix in (np.eye(3), found.matrix, best):
            away = np.linalg.norm(transforms.mapped(matrix, here[:count]) - there[:count], axis=1)
            said.append(f"{away.mean():.2f} / {np.median(away):.2f}")
        print(f"{moving:28} {motion:11} {found.status.word:10}", "; ".join(said))


def _points(name: str) -> np.ndarray:
    return np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1)[:, [2, 1]]


def drifting(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames of 256 x 256 that drift and rotate, uint8, with noise; and their transforms."""
    rng = np.random.default_rng(0)
    coefficients = photograph(PLAIN[0])[1]
    time_ = np.linspace(0, 1, count)
    angles = np.radians(4 * np.sin(7 * time_))
    shifts = np.stack([8 * np.sin(5 * time_), 10 * time_ - 5], axis=1)
    truths, frames = np.zeros((count, 3, 3)), np.empty((count, 256, 256), np.uint8)
    for number, (angle, shift) in enumerate(zip(angles, shifts, strict=True)):
        matrix = np.eye(3)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        matrix[:2, 2] = 127.5 + shift - matrix[:2, :2] @ [127.5, 127.5]
        truths[number] = matrix
        away = np.eye(3)
        away[:2, 2] = 128
        frame = cut(coefficients, away @ transforms.inverse(matrix), 256)
        frames[number] = np.clip(np.rint(frame + rng.normal(0, 4, frame.shape)), 0, 255)
    return frames, truths


def stack(trials: int) -> None:
    """1,000 frames of 256 x 256 to their mean, through the engine."""
    count = 1000 if trials >= 100 else 200
    frames, truths = drifting(count)
    tool = get_tool("alignment")
    inputs = tool.check_inputs({"stack": stack_of(frames)})
    print(f"\n{count} frames of 256 x 256 to their mean, Euclidean: frames a second, error in px")
    for passes in (2, 3):
        run = tool.run(inputs, tool.check_parameters({"passes": passes}), Engine.local(1))
        began, wall = time.process_time(), time.perf_counter()
        outcome = _finished(run)
        used, took = time.process_time() - began, time.perf_counter() - wall
        relative = transforms.composed(transforms.inverse(truths), outcome.models[0].matrices)
        away = transforms.displacement(relative, relative.mean(axis=0), (256, 256))
        print(
            f"Align, {passes} passes         {count / used:7.1f} a processor second, "
            f"{count / took:.1f} a second on one thread; {away.mean():.4f} px"
        )
    part = frames[:100].astype(float)
    began = time.process_time()
    found = StackReg(StackReg.RIGID_BODY).register_stack(part, reference="mean")
    used = time.process_time() - began
    whole = SWAP @ found @ SWAP
    relative = transforms.composed(transforms.inverse(truths[: len(part)]), whole)
    away = transforms.displacement(relative, relative.mean(axis=0), (256, 256))
    print(f"TurboReg, one pass    {len(part) / used:7.1f} a processor second; {away.mean():.4f} px")
    run = tool.run(inputs, tool.check_parameters({}), Engine.local(2))
    next(run)
    began = time.perf_counter()
    while time.perf_counter() - began < 1.5:
        next(run)
    began = time.perf_counter()
    run.close()
    print(f"cancel answered in {1e3 * (time.perf_counter() - began):.0f} ms")
    grown = peak_growth(
        "_finished(tool.run(inputs, tool.check_parameters({}), Engine.local(2)))",
        "from bench_alignment import *\nfrom bench_alignment import _finished\nwarm_up()\n"
        "frames, _ = drifting(300)\ntool = get_tool('alignment')\n"
        "inputs = tool.check_inputs({'stack': stack_of(frames)})",
    )
    print(f"peak memory beyond the input, imports and compilation: {grown:.0f} MiB (budget 96)")


def _finished(run: Any) -> Any:
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def main() -> None:
    parts = {
        "protocol": protocol,
        "hard": hard,
        "large": large,
        "landmarks": landmarks,
        "stack": stack,
    }
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("parts", nargs="*", default=[], metavar="PART")
    reader.add_argument("--trials", type=int, default=100, help="1000 as in the documentation")
    given = reader.parse_args()
    cv2.setNumThreads(1)
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    warm_up()
    for name in given.parts or parts:
        parts[name](given.trials)


if __name__ == "__main__":
    main()

"""Mixing coefficients against the read limit and against peers.

``python benchmarks/bench_mixing.py [--quick]``. One thread; every number is a ratio of times taken
side by side in this run. A = 10,000 x 64 x 64, B = 96,108 x 7 x 7, C = 2,000 x 256 x 256, uint16.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from common.measuring import best_time, best_times, print_table, read_through
from scipy.optimize import fsolve, lsq_linear, nnls
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_limits

import napari_framewise as fw
from napari_framewise.numerics import mixing
from napari_framewise.numerics.unmixing import prepare_spectra, unmix

STACKS = {"A": (10_000, 64), "B": (96_108, 7), "C": (2_000, 256)}
BLOCK_BYTES = 8 << 20


def mixture_stack(
    n: int, side: int, count: int = 2, evenness: float = 6.0
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of known mixtures as uint16, and their references; uneven ones end at bounds."""
    rng = np.random.default_rng(0)
    references = rng.normal(3000, 700, (count, side, side))
    frames = np.empty((n, side, side), np.uint16)
    for start in range(0, n, 500):
        part = frames[start : start + 500]
        shares = rng.dirichlet(np.full(count, evenness), len(part))
        clean = np.tensordot(shares, references, 1)
        part[:] = np.rint(clean + rng.normal(0, 100, clean.shape)).clip(0, 65535)
    return frames, references


def against_the_limit(name: str, repeats: int) -> list[list[object]]:
    n, side = STACKS[name]
    frames, references = mixture_stack(n, side)
    third = np.random.default_rng(1).normal(3000, 700, (1, side, side))
    three = np.concatenate([references, third])
    classical: dict[str, object] = {"errors": "classical"}
    models: dict[str, tuple[np.ndarray, dict[str, object]]] = {
        "two references, classical errors, residual sums, R2": (references, classical),
        "the same with the default errors (HC2), as all that follow": (references, {}),
        "the same, bounded to 0.4-0.7": (references, {"bounds": (0.4, 0.7)}),
        "with an offset": (references, {"offset": True}),
        "with a mask": (references, {"mask": three[2] > 2000}),
        "three references, sum to one": (three, {}),
        "three references, fully constrained": (three, {"constraint": "fully_constrained"}),
        "two references, no constraint": (references, {"constraint": "none"}),
        "two references, free gain": (references, {"gain": True}),
    }

    def fitting(given: np.ndarray, options: dict[str, object]) -> Callable[[int, int], object]:
        design = mixing.prepare(given, **{"errors": "hc2", **options})  # type: ignore[arg-type]
        return partial(_fit_part, frames, design)

    calls: dict[str, Callable[[int, int], object]] = {
        "limit": lambda lo, hi: read_through(frames[lo:hi].reshape(-1))
    }
    calls |= {label: fitting(*model) for label, model in models.items()}
    block = max(8, BLOCK_BYTES // frames[0].nbytes // 24 * 24)
    times = best_times(calls, n, block, repeats)
    limit = times["limit"]
    return [
        [label, times[label] * 1e3, times[label] / limit, times[label] / n * 1e6] for label in calls
    ]


def textbook(frames: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """X and residual sums by the closed form, as one writes it in NumPy."""
    change = references[0] - references[1]
    y = frames.astype(np.float64) - references[1]
    x = (y * change).sum(axis=(1, 2)) / (change**2).sum()
    return x, ((y - x[:, None, None] * change) ** 2).sum(axis=(1, 2))


def against_peers(name: str, quick: bool) -> list[list[object]]:
    n, side = STACKS[name]
    if quick:
        n //= 5
    frames, references = mixture_stack(n, side)
    flat = frames.reshape(n, -1)
    change = (references[0] - references[1]).reshape(-1)
    base = references[1].reshape(-1)
    design = mixing.prepare(references)
    block = max(8, BLOCK_BYTES // frames[0].nbytes)

    def ours() -> None:
        for start in range(0, n, block):
            mixing.fit(frames[start : start + block], design)

    def lstsq() -> None:
        np.linalg.lstsq(change[:, None], (flat - base).T, rcond=None)

    def multi_output() -> None:
        model = LinearRegression(fit_intercept=False)
        model.fit(change[:, None], (flat - base).T)

    some = flat[:: max(1, n // 60)][:60].astype(np.float64)

    def root_finder() -> None:
        for y in some:
            fsolve(
                lambda x, y=y: np.sqrt(np.mean((y - x * change - base) ** 2)),
                0.5,
                full_output=True,
            )

    mine = best_time(ours, 5)
    peers = {
        "numpy.linalg.lstsq, all frames at once": best_time(lstsq, 2),
        "scikit-learn LinearRegression, multi-output": best_time(multi_output, 1),
        "NumPy closed form with residuals": best_time(lambda: textbook(frames, references), 2),
        "scipy fsolve on the RMSE (60 frames, scaled up)": best_time(root_finder, 1) * n / 60,
    }
    return [[label, seconds * 1e3, seconds / mine] for label, seconds in peers.items()]


def _fit_part(frames: np.ndarray, design: mixing.Design, lo: int, hi: int) -> mixing.MixingFit:
    return mixing.fit(frames[lo:hi], design)


def constrained_cost() -> list[list[object]]:
    """What bounds cost beyond the pass over the data, per frame."""
    rows: list[list[object]] = []
    for count in (2, 3, 5, 8):
        frames, references = mixture_stack(4000, 16, count, evenness=0.5)
        free = mixing.prepare(references)
        bound = mixing.prepare(references, constraint="fully_constrained")
        calls: dict[str, Callable[[int, int], object]] = {
            "free": partial(_fit_part, frames, free),
            "bound": partial(_fit_part, frames, bound),
        }
        times = best_times(calls, len(frames), 1000, 30)
        held = mixing.fit(frames, bound).at_bound.any(axis=1).mean()
        flat = references.reshape(count, -1).T
        some = frames[:50].reshape(50, -1).astype(np.float64)
        peer = best_time(lambda flat=flat, some=some: [nnls(flat, y) for y in some]) / 50
        extra = (times["bound"] - times["free"]) / len(frames)
        rows.append([count, f"{held:.0%}", extra * 1e6, peer * 1e6])
    return rows


def accuracy() -> list[list[object]]:
    rng = np.random.default_rng(2)
    rows: list[list[object]] = []
    for likeness in (1.0, 1e-2, 1e-4):
        common = rng.uniform(1000, 3000, 4096)
        references = common + likeness * rng.normal(0, 500, (2, 4096))
        x = rng.uniform(0.4, 0.7, 200)
        frames = np.rint(np.outer(x, references[0]) + np.outer(1 - x, references[1])).astype("u2")
        exact = references.astype(np.longdouble)
        change = exact[0] - exact[1]
        truth = (frames.astype(np.longdouble) - exact[1]) @ change / (change @ change)
        got = mixing.fit(frames, mixing.prepare(references)).coefficients[:, 0]
        condition = np.linalg.cond((references / np.linalg.norm(references, axis=1)[:, None]).T)
        error = float(np.abs(got - truth).max())
        rows.append([f"{condition:.3g}", error, 1e-14 * condition**2])
    return rows


def against_solvers() -> list[list[object]]:
    rng = np.random.default_rng(3)
    rows: list[list[object]] = []
    for count in (3, 6, 12):
        references = rng.uniform(0, 100, (count, 300))
        frames = rng.normal(1 / count, 0.7, (200, count)) @ references + rng.normal(
            0, 5, (200, 300)
        )
        positive = mixing.fit(frames, mixing.prepare(references, constraint="non_negative"))
        expected = np.array([nnls(references.T, frame)[0] for frame in frames])
        rows.append([f"nnls, K = {count}", np.abs(positive.coefficients - expected).max()])
        boxed = mixing.fit(frames, mixing.prepare(references, constraint="none", bounds=(0.1, 0.4)))
        expected = np.array(
            [lsq_linear(references.T, y, (0.1, 0.4), "bvls", tol=1e-15).x for y in frames]
        )
        rows.append([f"lsq_linear, K = {count}", np.abs(boxed.coefficients - expected).max()])
    return rows


def per_pixel() -> list[list[object]]:
    rng = np.random.default_rng(5)
    spectra = rng.uniform(100, 3000, (3, 16))
    abundances = rng.dirichlet(np.ones(3), 1 << 18)
    cube = (abundances @ spectra).T + rng.normal(0, 50, (16, 1 << 18))
    cube = cube.clip(0).astype(np.uint16).reshape(16, 512, 512)
    rows: list[list[object]] = []
    for constraint in ("none", "sum_to_one", "non_negative", "fully_constrained"):
        design = prepare_spectra(spectra, constraint=constraint)  # type: ignore[arg-type]
        seconds = best_time(lambda design=design: unmix(cube, design), 8)
        rows.append([constraint, seconds / (1 << 18) * 1e6])
    some = cube.reshape(16, -1)[:, :500].T.astype(np.float64)
    seconds = best_time(lambda: [nnls(spectra.T, y) for y in some]) / 500
    rows.append(["scipy nnls, one pixel at a time", seconds * 1e6])
    return rows


def frames_of_their_own() -> list[list[object]]:
    """Missing pixels against none, and Huber, in microseconds of the processor a frame."""
    rng = np.random.default_rng(7)
    rows: list[list[object]] = []
    for side, n in ((7, 4000), (15, 2000), (64, 400)):
        frames, references = mixture_stack(n, side)
        whole = frames.astype(np.float32)
        missing = np.where(rng.random(whole.shape) < 0.01, np.float32(np.nan), whole)
        missing[:, 0, 0] = np.nan
        for errors in ("classical", "hc2"):
            design = mixing.prepare(references, errors=errors)  # type: ignore[arg-type]
            robust = mixing.prepare(references, errors=errors, loss="huber")  # type: ignore[arg-type]
            calls: dict[str, Callable[[int, int], object]] = {
                "none": partial(_fit_part, whole, design),
                "some": partial(_fit_part, missing, design),
                "huber": partial(_fit_part, frames, robust),
            }
            took = {label: each / n * 1e6 for label, each in best_times(calls, n, n, 4).items()}
            ratio = took["some"] / took["none"]
            rows.append([f"{side} x {side}, {errors}", took["none"], ratio, took["huber"]])
    return rows


def whole_tool() -> list[list[object]]:
    """Milliseconds of the clock from arrays to table, plot and summary, with two threads."""
    rows: list[list[object]] = []
    for name in STACKS:
        frames, references = mixture_stack(*STACKS[name])
        row: list[object] = [name]
        for given in ({"errors": "classical", "mean_residual": False}, {}):
            took = []
            for _ in range(5):
                began = time.perf_counter()
                fw.run("mixing", stack=frames, references=list(references), **given)
                took.append(1e3 * (time.perf_counter() - began))
            row.append(min(took))
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and frames")
    quick = parser.parse_args().quick
    threadpool_limits(1)
    for name in STACKS:
        heads = ["model", "ms", "times the read limit", "us per frame"]
        rows = against_the_limit(name, 4 if quick else 12)
        print_table(f"{name}: against reading the stack", heads, rows)
    for name in STACKS:
        heads = ["peer", "ms", "times as long as ours"]
        print_table(f"{name}: against peers", heads, against_peers(name, quick))
    heads = ["frames", "whole, us", "missing pixels, times", "Huber, us"]
    print_table("Frames with missing pixels, and robust fits", heads, frames_of_their_own())
    heads = ["stack", "classical errors, ms", "HC2 and mean residual, ms"]
    print_table("The whole tool", heads, whole_tool())
    heads = ["references", "frames at a bound", "us per frame more", "scipy nnls, us"]
    print_table("Fully constrained: beyond the pass over the data", heads, constrained_cost())
    heads = ["condition", "largest error", "1e-14 condition^2"]
    print_table("Coefficients against long double", heads, accuracy())
    print_table("Largest difference from scipy", ["solver", "difference"], against_solvers())
    print_table("Unmix pixels, 3 spectra of 16 bands", ["constraint", "us per pixel"], per_pixel())


if __name__ == "__main__":
    main()

"""Frames that need a Gram matrix of their own: pixels without data, and robust fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.consistent import MOST_PAIRED
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.finish import finish_linear
from napari_framewise.numerics.mixing.own_pixels import FirstSums, ResidualSums, first_sums
from napari_framewise.numerics.mixing.pixels import OwnPixels, Shared, by_part, parts, picked
from napari_framewise.numerics.mixing.reference_noise import correction
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.robust import finish_robust
from napari_framewise.numerics.mixing.robust_kernel import TUNING, RobustPoints, robust_points
from napari_framewise.numerics.mixing.small_systems import solve_packed
from napari_framewise.numerics.mixing.system import System, solve, unpacked

FloatArray = NDArray[np.float64]
# of frames whose pixels are looked at one by one, and of the others
_PIECE_PIXELS = 1 << 19
_PIECE_FRAMES = 1 << 12
# the basis is orthonormal over all pixels: what the least eigenvalue says is left of it
_LEAST_LEFT = 1e-10


def fit_masked(
    block: NDArray[Any], rows: NDArray[np.int64], design: Design, result: MixingFit
) -> None:
    """Fit the frames `rows` of `block`, each over its own pixels, into those rows of `result`.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import empty_fit, prepare
    >>> a, b = np.array([1.0, 2.0, 3.0, 9.0, 4.0]), np.array([3.0, 2.0, 1.0, 0.0, 4.0])
    >>> frame = 0.25 * a + 0.75 * b
    >>> frame[1] = np.nan
    >>> found = empty_fit(1, 2)
    >>> fit_masked(frame[np.newaxis], np.array([0]), prepare([a, b]), found)
    >>> np.round(found.coefficients, 9).tolist()
    [[0.25, 0.75]]
    """
    if not len(rows):
        return
    step = _PIECE_FRAMES
    if design.noise is not None or design.n_unknowns > MOST_PAIRED:
        step = max(1, _PIECE_PIXELS // max(1, design.references.shape[1]))
    shared = Shared.of(design)
    for start in range(0, len(rows), step):
        _fit_chunk(block, np.sort(rows[start : start + step]), design, shared, result)


@dataclass(frozen=True)
class _Read:
    """What frames are solved from: sums, inverse Gram matrices, and which are determined.

    `robust` is of robust fits; `at_free` holds the squares at the unbounded solutions, where no
    references' noise moves them.
    """

    found: FirstSums
    points: FloatArray
    inverse: FloatArray
    determined: NDArray[np.bool_]
    robust: RobustPoints | None
    at_free: ResidualSums | None


def _read(frames: FloatArray, design: Design, shared: Shared) -> _Read:
    """Read frames once: they are still in a cache for what needs their solutions."""
    found = first_sums(frames, shared.centre, shared.scale, design.tilt, shared.summed, shared.seen)
    gram = found.seen[:, : len(shared.products)]
    points, inverse, determined = solve_packed(gram, found.gradient, _LEAST_LEFT)
    determined &= found.n_pixels >= design.n_unknowns
    if design.noise is not None:
        return _Read(found, points, inverse, determined, None, None)
    robust = limit = None
    if design.loss == "huber":
        robust = robust_points(
            *(frames, shared.centre, shared.scale, shared.basis, shared.products),
            *(found.n_pixels, points),
        )
        limit = TUNING * robust.scale
        points = robust.points
    at_free = shared.sums(frames, points, inverse, limit=limit, freedom=True)
    return _Read(found, points, inverse, determined, robust, at_free)


def _fit_chunk(
    block: NDArray[Any],
    rows: NDArray[np.int64],
    design: Design,
    shared: Shared,
    result: MixingFit,
) -> None:
    size, count = design.n_unknowns, len(shared.products)
    read = by_part(block, rows, lambda frames, _: _read(frames, design, shared))
    n_pixels, determined = read.found.n_pixels, read.determined
    noise, seen = design.noise, None
    if noise is not None or size > MOST_PAIRED:
        seen = np.concatenate([np.isfinite((frames - shared.centre) * shared.scale)
                               for _, frames in parts(block, rows)])  # fmt: skip
    if noise is not None and seen is not None:
        noise = noise.of_pixels(seen.astype(np.float64), design.basis, design.noise_products)
        left = unpacked(read.found.seen[:, :count], size) - correction(
            noise, design.to_coefficients
        )
        determined = determined & (np.linalg.eigvalsh(left)[:, 0] > _LEAST_LEFT)
    result.n_pixels[rows] = n_pixels
    result.status[rows[(n_pixels > 0) & (n_pixels < design.n_pixels)]] |= int(Status.PARTIAL)
    result.status[rows[n_pixels == 0]] |= int(Status.NO_DATA)
    result.status[rows[(n_pixels > 0) & ~determined]] |= int(Status.UNDETERMINED)
    if not determined.all():
        if not determined.any():
            return
        rows, read = rows[determined], picked(read, determined)
        seen = None if seen is None else seen[determined]
        noise = None if noise is None else noise.of_frames(determined)
    found = read.found
    gram = unpacked(found.seen[:, :count], size)
    weight_sum = np.ascontiguousarray(found.seen[:, count])
    tss = found.square - found.level**2 / weight_sum
    expected = design.expected_rss
    system = System(
        found.gradient,
        gram,
        noise,
        np.where(tss <= 1e-13 * (found.square + design.middle_tss), np.nan, tss),
        weight_sum,
        found.n_pixels,
        np.ascontiguousarray(found.seen[:, count + 1 :]) if expected.size else expected,
        seen=seen,
    )
    pixels = OwnPixels(block, rows, gram, read.inverse, shared)
    if read.robust is not None and read.at_free is not None:
        finish_robust(pixels, system, design, read.robust, read.at_free, result, rows)
        return
    solution = solve(system, design)
    at_free = pixels.sums(solution.free, freedom=True) if read.at_free is None else read.at_free

    def rss_of(points: FloatArray) -> FloatArray:
        return at_free.rss if points is solution.free else pixels.sums(points).rss

    def meat_of(points: FloatArray, part: NDArray[np.int64] | None) -> FloatArray:
        if points is solution.free and part is None:
            return at_free.meat
        return (pixels if part is None else pixels.rows(part)).sums(points).meat

    finish_linear(
        pixels.with_freedom(system, at_free), solution, rss_of, meat_of, design, result, rows
    )

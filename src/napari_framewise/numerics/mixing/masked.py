"""Frames that need a Gram matrix of their own: pixels without data, and robust fits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.consistent import damping, products_of
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.finish import finish_linear
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.robust import finish_robust
from napari_framewise.numerics.mixing.system import (
    System,
    leverages,
    solve,
    unpacked,
)

FloatArray = NDArray[np.float64]
_PIECE_PIXELS = 1 << 17


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
    step = max(1, _PIECE_PIXELS // max(1, design.references.shape[1]))
    for start in range(0, len(rows), step):
        chosen = np.sort(rows[start : start + step])
        frames = block[chosen].reshape(len(chosen), -1).astype(np.float64)
        _fit_chunk(frames, chosen, design, result)


def _fit_chunk(
    frames: FloatArray, rows: NDArray[np.int64], design: Design, result: MixingFit
) -> None:
    size = design.n_unknowns
    seen = np.isfinite(frames) & design.used
    n_pixels = seen.sum(axis=1)
    products = products_of(design.basis)
    used = seen.astype(np.float64)
    gram = unpacked(used @ products.T, size)
    result.n_pixels[rows] = n_pixels
    result.status[rows[(n_pixels > 0) & (n_pixels < design.n_pixels)]] |= int(Status.PARTIAL)
    result.status[rows[n_pixels == 0]] |= int(Status.NO_DATA)
    # the basis is orthonormal over all pixels, so the least eigenvalue says what is left of it
    determined = (n_pixels >= size) & (np.linalg.eigvalsh(gram)[:, 0] > 1e-10)
    result.status[rows[(n_pixels > 0) & ~determined]] |= int(Status.UNDETERMINED)
    if not determined.all():
        rows, frames, seen = rows[determined], frames[determined], seen[determined]
        used, gram, n_pixels = used[determined], gram[determined], n_pixels[determined]
        if not len(rows):
            return
    distance = np.where(seen, (np.where(seen, frames, 0.0) - design.centre) * design.scale, 0.0)
    weight_sum = used @ design.root_weight**2
    system = System(
        distance @ design.basis.T,
        gram,
        None
        if design.noise is None
        else design.noise.of_pixels(used, design.basis, design.noise_products),
        _total_squares(distance, used, weight_sum, design),
        weight_sum,
        n_pixels,
        used @ design.expected_rss.T if design.expected_rss.size else design.expected_rss,
        seen,
    )
    if design.loss == "huber":
        finish_robust(distance, used, gram, products, system, design, result, rows)
        return
    solution = solve(system, design)

    def rss_of(points: FloatArray) -> FloatArray:
        left = used * (distance - points @ design.basis)
        return np.asarray(np.einsum("np,np->n", left, left))

    def meat_of(points: FloatArray, part: NDArray[np.int64] | None) -> FloatArray:
        chosen = slice(None) if part is None else part
        left = distance[chosen] - points @ design.basis
        weight = used[chosen] / damping(leverages(gram[chosen], products), design.errors)
        return np.asarray((weight * left**2) @ products.T)

    finish_linear(system, solution, rss_of, meat_of, design, result, rows)


def _total_squares(
    distance: FloatArray, used: FloatArray, weight_sum: FloatArray, design: Design
) -> FloatArray:
    level = used * (distance + design.tilt)
    square = np.einsum("np,np->n", level, level)
    tss = square - (level @ design.root_weight) ** 2 / weight_sum
    return np.where(tss <= 1e-13 * (square + design.middle_tss), np.nan, tss)

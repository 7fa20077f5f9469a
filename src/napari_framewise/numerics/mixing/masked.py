"""Frames that need a Gram matrix of their own: pixels without data, and robust fits."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.finish import finish_linear
from napari_framewise.numerics.mixing.own_pixels import FirstSums, first_sums
from napari_framewise.numerics.mixing.pixels import OwnPixels, Shared
from napari_framewise.numerics.mixing.result import MixingFit, Status
from napari_framewise.numerics.mixing.robust import finish_robust
from napari_framewise.numerics.mixing.system import (
    System,
    solve,
    unpacked,
)

FloatArray = NDArray[np.float64]
_PIECE_PIXELS = 1 << 19


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
    if not len(rows):
        return
    shared = Shared.of(design)
    for start in range(0, len(rows), step):
        chosen = np.sort(rows[start : start + step])
        frames = block[chosen].reshape(len(chosen), -1).astype(np.float64)
        _fit_chunk(frames, chosen, design, shared, result)


def _fit_chunk(
    frames: FloatArray,
    rows: NDArray[np.int64],
    design: Design,
    shared: Shared,
    result: MixingFit,
) -> None:
    size, count = design.n_unknowns, len(shared.products)
    expected = design.expected_rss
    found = first_sums(frames, design.centre, shared.scale, design.tilt, shared.summed, shared.seen)
    n_pixels, gram = found.n_pixels, unpacked(found.seen[:, :count], size)
    result.n_pixels[rows] = n_pixels
    result.status[rows[(n_pixels > 0) & (n_pixels < design.n_pixels)]] |= int(Status.PARTIAL)
    result.status[rows[n_pixels == 0]] |= int(Status.NO_DATA)
    # the basis is orthonormal over all pixels, so the least eigenvalue says what is left of it
    determined = (n_pixels >= size) & (np.linalg.eigvalsh(gram)[:, 0] > 1e-10)
    result.status[rows[(n_pixels > 0) & ~determined]] |= int(Status.UNDETERMINED)
    if not determined.all():
        rows, gram = rows[determined], gram[determined]
        found = FirstSums(*(getattr(found, each.name)[determined] for each in fields(found)))
        if not len(rows):
            return
    distance, weight_sum = found.distance, np.ascontiguousarray(found.seen[:, count])
    noise = design.noise
    if noise is not None:
        seen = np.isfinite(distance).astype(np.float64)
        noise = noise.of_pixels(seen, design.basis, design.noise_products)
    tss = found.square - found.level**2 / weight_sum
    system = System(
        found.gradient,
        gram,
        noise,
        np.where(tss <= 1e-13 * (found.square + design.middle_tss), np.nan, tss),
        weight_sum,
        found.n_pixels,
        np.ascontiguousarray(found.seen[:, count + 1 :]) if expected.size else expected,
    )
    pixels = OwnPixels.of(distance, gram, shared)
    if design.loss == "huber":
        finish_robust(pixels, system, design, result, rows)
        return
    solution = solve(system, design)
    at_free = pixels.sums(solution.free, freedom=True)

    def rss_of(points: FloatArray) -> FloatArray:
        return at_free.rss if points is solution.free else pixels.sums(points).rss

    def meat_of(points: FloatArray, part: NDArray[np.int64] | None) -> FloatArray:
        if points is solution.free and part is None:
            return at_free.meat
        return (pixels if part is None else pixels.rows(part)).sums(points).meat

    finish_linear(
        pixels.with_freedom(system, at_free), solution, rss_of, meat_of, design, result, rows
    )

"""The frames of highest and lowest score of each principal component, block by block."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
PIXELS = 2**16
"""Frames of more pixels than this are averaged over squares (cubes) of pixels first."""
SHARE = 0.1
"""Share of the frames that make up an extreme."""
_FURTHER = 6


def binning(shape: tuple[int, ...], most: int = PIXELS) -> int:
    """Side of the squares, or cubes, of pixels that are averaged.

    Examples
    --------
    >>> binning((256, 256)), binning((512, 512)), binning((2048, 1024))
    (1, 2, 6)
    """
    factor = 1
    while np.prod([max(length // factor, 1) for length in shape]) > most:
        factor += 1
    return factor


def binned(frames: NDArray[Any], factor: int) -> FloatArray:
    """Frames (n, *shape) averaged over squares of pixels; what is left over at the end is cut off.

    NaN where no pixel of a square has data.

    Examples
    --------
    >>> binned(np.arange(8.0).reshape(1, 2, 4), 2).tolist()
    [[[2.5, 4.5]]]
    """
    values = np.asarray(frames, np.float64)
    if factor == 1:
        return values
    known = np.isfinite(values)
    total = _in_squares(np.where(known, values, 0.0), factor)
    number = _in_squares(known.astype(np.float64), factor)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def padding(frames: NDArray[Any]) -> BoolArray:
    """Pixels of black borders, that is, of lines of zeros that begin at a border.

    What a registration shifts in is 0 in whole numbers. A line must be 0 from the border on, and
    at least three pixels long.

    Parameters
    ----------
    frames : (n, ..., y, x)

    Examples
    --------
    >>> frame = np.ones((1, 6, 6))
    >>> frame[:, :3] = 0
    >>> padding(frame)[0].sum(axis=1).tolist()
    [6, 6, 6, 0, 0, 0]
    """
    zero = np.asarray(frames) == 0
    found = np.zeros(zero.shape, bool)
    if not zero.any():
        return found
    for axis in (-2, -1):
        for turned in (False, True):
            line = np.flip(zero, axis) if turned else zero
            run = np.logical_and.accumulate(line, axis=axis)
            long = run.sum(axis=axis, keepdims=True) >= min(3, zero.shape[axis])
            run &= long
            found |= np.flip(run, axis) if turned else run
    return found


def first_basis(pixels: int, components: int) -> FloatArray:
    """Random directions (pixels, components + 6) that the power steps begin from.

    Examples
    --------
    >>> first_basis(50, 4).shape
    (50, 10)
    """
    rng = np.random.default_rng(20)
    return orthonormal(rng.normal(size=(pixels, components + _FURTHER)))


def orthonormal(vectors: FloatArray) -> FloatArray:
    """The same space with columns at right angles, of length one.

    Examples
    --------
    >>> columns = orthonormal(np.array([[3.0, 1.0], [0.0, 2.0]]))
    >>> bool(np.allclose(columns.T @ columns, np.eye(2)))
    True
    """
    return np.asarray(np.linalg.qr(vectors)[0])


def centred(frames: FloatArray, mean: FloatArray, use: BoolArray) -> FloatArray:
    """Frames (n, pixels in use) less their mean; a frame without data, or with gaps, is 0 there.

    Examples
    --------
    >>> frames = np.array([[[1.0, np.nan, 5.0]]])
    >>> centred(frames, np.ones((1, 3)), np.ones((1, 3), bool)).tolist()
    [[0.0, 0.0, 4.0]]
    """
    rows = frames[:, use] - mean[use]
    return np.where(np.isfinite(rows), rows, 0.0)


def power_step(rows: FloatArray, basis: FloatArray) -> FloatArray:
    """A block's part of one step of subspace iteration, ``X' X basis``: add over the blocks.

    Examples
    --------
    >>> power_step(np.array([[1.0, 2.0]]), np.array([[1.0], [0.0]])).tolist()
    [[1.0], [2.0]]
    """
    return np.asarray(rows.T @ (rows @ basis))


def scores(rows: FloatArray, basis: FloatArray) -> FloatArray:
    """Scores of a block's frames (n, components) along a basis.

    Examples
    --------
    >>> scores(np.array([[1.0, 2.0]]), np.array([[0.6], [0.8]])).round(12).tolist()
    [[2.2]]
    """
    return np.asarray(rows @ basis)


def principal(found: FloatArray, components: int) -> FloatArray:
    """Scores turned to the principal axes within the basis, those of most variance first.

    They are rounded to single precision, so that the order of sums decides no rank.

    Examples
    --------
    >>> found = np.array([[0.0, 3.0], [0.0, -3.0], [1.0, 0.0], [-1.0, 0.0]])
    >>> np.abs(principal(found, 1)).ravel().tolist()
    [3.0, 3.0, 0.0, 0.0]
    """
    values, turn = np.linalg.eigh(found.T @ found)
    order = np.argsort(values)[::-1][:components]
    turned = found @ turn[:, order]
    # A component has no sign: that of its largest entry is made positive.
    largest = np.abs(turned).argmax(axis=0)
    signs = np.where(turned[largest, np.arange(turned.shape[1])] < 0, -1.0, 1.0)
    size = float(np.abs(turned).max(initial=0.0))
    unit = 2.0 ** np.floor(np.log2(size)) if size > 0 else 1.0
    return np.asarray((turned * signs / unit).astype(np.float32), np.float64) * unit


def extremes(found: FloatArray, usable: BoolArray) -> FloatArray:
    """Which frames make up the lowest and highest of each component: weights (n, 2 k), 0 or 1.

    Parameters
    ----------
    found : (n, k)
        Scores.
    usable : (n,) bool
        Frames that hold data.

    Examples
    --------
    >>> extremes(np.array([[2.0], [0.0], [9.0], [1.0]]), np.ones(4, bool)).T.tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    """
    numbers = np.flatnonzero(usable)
    count = max(1, min(round(SHARE * len(numbers)), len(numbers) // 2))
    weights = np.zeros((len(found), 2 * found.shape[1]))
    for component in range(found.shape[1]):
        order = numbers[np.argsort(found[numbers, component], kind="stable")]
        weights[order[:count], 2 * component] = 1.0
        weights[order[-count:], 2 * component + 1] = 1.0
    return weights


def sums_of(frames: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums of the frames of a block that have a weight (columns, *shape), and how many hold data.

    Examples
    --------
    >>> total, number = sums_of(np.array([[1.0, 2.0], [3.0, np.nan]]), np.ones((2, 1)))
    >>> total.tolist(), number.tolist()
    ([[4.0, 2.0]], [[2.0, 1.0]])
    """
    shape = (weights.shape[1], *frames.shape[1:])
    total, number = np.zeros(shape), np.zeros(shape)
    for frame, row in zip(frames, weights, strict=True):
        known = np.isfinite(frame)
        for column in np.flatnonzero(row):
            total[column] += np.where(known, frame, 0.0)
            number[column] += known
    return total, number


def _in_squares(values: FloatArray, factor: int) -> FloatArray:
    """Sums over squares of pixels; what is left over at the end is cut off."""
    for axis in range(1, values.ndim):
        step = min(factor, values.shape[axis])
        count = values.shape[axis] // step
        kept = values[(slice(None),) * axis + (slice(count * step),)]
        values = kept.reshape(*values.shape[:axis], count, step, *values.shape[axis + 1 :])
        values = values.sum(axis=axis + 1)
    return values

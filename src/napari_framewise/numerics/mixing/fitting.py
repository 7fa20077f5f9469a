"""The fit of blocks of frames to a design."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.common.blocks import as_block, pieces
from napari_framewise.numerics.mixing.design import Design
from napari_framewise.numerics.mixing.finish import finish_linear
from napari_framewise.numerics.mixing.kernels import residual_squares, sums
from napari_framewise.numerics.mixing.masked import fit_masked
from napari_framewise.numerics.mixing.result import MixingFit, empty_fit
from napari_framewise.numerics.mixing.summing import LEAST_LEFT
from napari_framewise.numerics.mixing.system import System, solve

FloatArray = NDArray[np.float64]
Chosen = NDArray[np.int64] | None
# of frames that are read twice
_CACHED_BYTES = 1 << 20


def fit(frames: ArrayLike, design: Design) -> MixingFit:
    """Fit mixing coefficients to a block of frames or to one frame.

    One pass over the pixels sums each frame's products with the orthonormal basis of the design
    (the thin QR of the references); the rest is a system of a few unknowns per frame, solved
    exactly: ``t = Q d``, ``b = middle + N T^-1 t``, ``rss = d.d - t.t``, and with bounds the
    nearest point that keeps to them (`constrained.project`). Frames with pixels that are NaN or
    infinite, and robust fits, take a path of their own with a Gram matrix per frame.

    Parameters
    ----------
    frames : (n, *frame_shape) or frame_shape
        Any real dtype, byte order and strides, never converted as a whole; n may be 0. NaN and
        infinite pixels are no data: they are left out, for that frame only. Values outside the
        mask never matter.
    design : Design
        From `prepare`.

    Returns
    -------
    MixingFit
        One row per frame, for a single frame as well.

    Raises
    ------
    ValueError
        If the frames have another shape than the references, or are not real numbers.

    Notes
    -----
    Classical errors are ``s^2 (D^T W D)^-1`` with ``s^2 = rss / dof``. Consistent errors replace
    ``s^2 D^T W D`` by ``sum w^2 D D^T e^2 / (1 - h)^a`` with the leverage h, ``a = 1`` for HC2 and
    2 for HC3; see `consistent`, for their degrees of freedom as well. With noisy references the
    inverse is that of the corrected Gram matrix ``G'``, ``s^2 = (rss - b^T S b) / dof``, and the
    shared errors follow from ``G'^-1 [sum w^2 D D^T v + u u^T] G'^-1``, ``v = sum_k b_k^2 s_k^2``
    (Fuller, 1987, eq. 2.2.23).
    For 95 % intervals use t quantiles with `MixingFit.error_dof` degrees of freedom
    (`confidence_interval`).

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import prepare
    >>> a, b = np.array([1.0, 2.0, 3.0, 9.0]), np.array([3.0, 2.0, 1.0, 0.0])
    >>> found = fit((0.25 * a + 0.75 * b)[np.newaxis], prepare([a, b]))
    >>> np.round(found.coefficients, 12).tolist()
    [[0.25, 0.75]]
    """
    block = as_block(frames, design.frame_shape)
    result = empty_fit(len(block), design.n_references)
    if design.loss == "huber":
        fit_masked(block, np.arange(len(block)), design, result)
        return result
    broken = [np.empty(0, np.int64)]
    for part, piece in pieces(block):
        read, at_free = _read(piece, design)
        # a pixel without data makes the sum of squares NaN or infinite
        whole = np.isfinite(design.summing.square(read))
        if whole.all():
            _fit_piece(piece, read, at_free, None, design, result, part)
        else:
            rows = np.flatnonzero(whole)
            broken.append(part.start + np.flatnonzero(~whole))
            if not len(rows):
                continue
            at_free = None if at_free is None else at_free[rows]
            _fit_piece(piece, read[rows], at_free, rows, design, result, part.start + rows)
    fit_masked(block, np.concatenate(broken), design, result)
    return result


def _fit_piece(
    piece: NDArray[Any],
    read: FloatArray,
    at_free: FloatArray | None,
    rows: NDArray[np.int64] | None,
    design: Design,
    result: MixingFit,
    where: slice | NDArray[np.int64],
) -> None:
    """Solve the frames `rows` (None: all) of a piece from their sums.

    `at_free` holds the squares of the unbounded solutions where they were summed already.
    """
    plan = design.summing
    square, gradient = plan.square(read), read[:, : design.n_unknowns]
    tss = plan.total_squares(read, design.weight_sum) + design.middle_tss
    tss[tss <= 1e-13 * (square + design.middle_tss)] = np.nan
    system = System(
        gradient,
        None,
        design.noise,
        tss,
        np.array([design.weight_sum]),
        np.array([design.n_pixels]),
        design.expected_total,
    )
    solution = solve(system, design)

    def squares(points: FloatArray, chosen: NDArray[np.int64]) -> FloatArray:
        """Weight and products, each summed over the squared residuals of the `chosen`."""
        return _squares(piece[chosen if rows is None else rows[chosen]], points, design)

    if at_free is None:
        least = square - (gradient**2).sum(axis=1)
        lost = np.flatnonzero(~(least >= LEAST_LEFT * square))
        if len(lost):
            least[lost] = squares(gradient[lost], lost)[:, 0]
    else:
        least = at_free[:, 0].copy()

    def rss_of(points: FloatArray) -> FloatArray:
        if points is solution.free and design.noise is None:
            return np.asarray(least)
        return np.asarray(least + ((points - gradient) ** 2).sum(axis=1))

    def meat_of(points: FloatArray, part: Chosen) -> FloatArray:
        if at_free is not None and part is None and design.noise is None:
            return at_free[:, 1:]
        if not plan.expanded:
            return squares(points, np.arange(len(read)) if part is None else part)[:, 1:]
        found, lost = plan.expand(read if part is None else read[part], points)
        again = np.flatnonzero(lost)
        if len(again):
            found[again] = squares(points[again], again if part is None else part[again])[:, 1:]
        return found

    finish_linear(system, solution, rss_of, meat_of, design, result, where)


def _read(piece: NDArray[Any], design: Design) -> tuple[FloatArray, FloatArray | None]:
    """Sums over each frame's pixels, and over the squared residuals where those are read apart."""
    plan = design.summing

    def summed(frames: NDArray[Any]) -> FloatArray:
        return sums(
            frames, design.centre, plan.linear, plan.squared, even=plan.even, whole=plan.whole
        )

    if plan.expanded or (design.tied and design.errors == "classical"):
        return summed(piece), None
    read = np.empty((len(piece), len(plan.linear) + 1))
    at_free = np.empty((len(piece), len(plan.left_squared)))
    # frames are read again while they are in a cache, where what all share is not the larger part
    step = max(32, _CACHED_BYTES // max(1, piece[0].nbytes)) if len(piece) else 1
    for start in range(0, len(piece), step):
        part = slice(start, start + step)
        read[part] = summed(piece[part])
        at_free[part] = _squares(piece[part], read[part, : design.n_unknowns], design)
    return read, at_free


def _squares(frames: NDArray[Any], points: FloatArray, design: Design) -> FloatArray:
    """Weight and products, each summed over the squared residuals at `points`."""
    plan = design.summing
    wide = np.zeros((len(points), len(plan.left_basis)))
    wide[:, : points.shape[1]] = points
    return residual_squares(
        frames,
        design.centre,
        plan.left_basis,
        plan.left_squared,
        wide,
        even=plan.even,
        whole=plan.whole,
    )


def predict(design: Design, fit: MixingFit, *, dtype: Any = np.float32) -> NDArray[Any]:
    """Fitted frames, in counts after dark and flat.

    Parameters
    ----------
    design, fit
        A design and what was fitted with it.
    dtype : dtype
        Of the result; float32 serves frames of up to 16 bits.

    Returns
    -------
    (n, *frame_shape)
        ``gain * sum_k x_k R_k + offset``, also outside the mask; NaN for frames without an answer
        and where a reference has no data.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import prepare
    >>> a, b = np.array([1.0, 2.0, 3.0, 9.0]), np.array([3.0, 2.0, 1.0, 0.0])
    >>> design = prepare([a, b])
    >>> found = fit((0.5 * a + 0.5 * b)[np.newaxis], design)
    >>> np.round(predict(design, found, dtype=np.float64), 9).tolist()
    [[2.0, 2.0, 2.0, 4.5]]
    """
    shares = fit.coefficients * fit.gain[:, None]
    fitted = shares @ design.references + fit.offset[:, None]
    return fitted.astype(dtype, copy=False).reshape(len(fit), *design.frame_shape)


def residual(frames: ArrayLike, design: Design, fit: MixingFit) -> NDArray[Any]:
    """Frame minus fit, after dark and flat.

    Parameters
    ----------
    frames : (n, *frame_shape) or frame_shape
        The frames that were fitted.
    design, fit
        Their design and fit.

    Returns
    -------
    (n, *frame_shape)
        float32 for frames of up to 16 bits and float32, else float64; NaN where there is no data
        or no answer. Pixels outside the mask are given too: they show what the fit says of them.

    Raises
    ------
    ValueError
        If there are not as many frames as rows in the fit.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import prepare
    >>> a, b = np.array([1.0, 2.0, 3.0, 9.0]), np.array([3.0, 2.0, 1.0, 0.0])
    >>> frames = (0.5 * a + 0.5 * b)[np.newaxis]
    >>> design = prepare([a, b])
    >>> bool(np.abs(residual(frames, design, fit(frames, design))).max() < 1e-6)
    True
    """
    block = as_block(frames, design.frame_shape)
    if len(block) != len(fit):
        raise ValueError(
            f"{len(block)} frames were given with a fit of {len(fit)}; they must be the same."
        )
    single = block.dtype.itemsize <= 2 or block.dtype == np.float32
    out = np.empty(block.shape, np.float32 if single else np.float64)
    flat_out = out.reshape(len(block), -1)
    for part, piece in pieces(block, np.dtype(np.float64)):
        shares = fit.coefficients[part] * fit.gain[part, None]
        fitted = shares @ design.references + fit.offset[part, None]
        flat_out[part] = (piece - design.dark) / design.flat - fitted
    return out


def resolvable(design: Design, sample_frames: ArrayLike) -> FloatArray:
    """Smallest difference of each coefficient that can be told apart between two frames.

    Parameters
    ----------
    design : Design
        From `prepare`.
    sample_frames : (n, *frame_shape)
        A few frames, spread over the stack.

    Returns
    -------
    (K,) float64
        ``1.96 sqrt(2)`` times the median standard error of the unbounded solutions: two frames of
        the same mixture differ by more in 5 % of cases. NaN if no sample had an answer.

    Examples
    --------
    >>> from napari_framewise.numerics.mixing import prepare
    >>> a, b = np.array([1.0, 2.0, 3.0, 9.0]), np.array([3.0, 2.0, 1.0, 0.0])
    >>> resolvable(prepare([a, b]), np.array([[2.0, 2.1, 1.9, 4.5]])).shape
    (2,)
    """
    errors = fit(sample_frames, design).unconstrained_errors
    errors = errors[np.isfinite(errors).all(axis=1)]
    if not len(errors):
        return np.full(design.n_references, np.nan)
    return np.asarray(1.959963984540054 * np.sqrt(2.0) * np.median(errors, axis=0))

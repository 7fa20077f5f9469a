"""Standardise channels: to mean 0 and standard deviation 1, in one reading per frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_framewise.numerics.common.rows import as_rows, part_of_mask
from napari_framewise.numerics.scaling import (
    Scaling,
    Status,
    check_place,
    scale,
    scale_rows,
    unscale,
)
from napari_framewise.numerics.statistics import Moments, Pooled, moments_of

FloatArray = NDArray[np.float64]

_PIECE_BYTES = 2**23
# Below, squares lose digits.
_SMALLEST = 1e-280


@dataclass(frozen=True)
class Standardised:
    """Standardised frames, with how they came about.

    Attributes
    ----------
    frames : ndarray
        The result, of the shape of what was given.
    scaling : Scaling
        Its `offset` is the mean and its `gain` one over the standard deviation; `unscale` undoes.
    status : (n or 1, C) uint8
        Bits of `Status`.
    """

    frames: NDArray[Any]
    scaling: Scaling
    status: NDArray[np.uint8]


def standardise(
    frames: ArrayLike,
    *,
    channel_axis: int | None = None,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    ddof: int = 0,
    epsilon: float = 0.0,
    mask: ArrayLike | None = None,
    dtype: DTypeLike = np.float32,
    out: NDArray[Any] | None = None,
) -> Standardised:
    """Bring each channel of each frame to mean 0 and standard deviation 1.

    ``y = (x - mean) / sqrt(variance + epsilon)``, with ``variance = sum (x - mean)^2 / (N - ddof)``
    over the N pixels of the channel of the frame (Ulyanov, Vedaldi and Lempitsky, 2016, eq. 1, for
    ``ddof = 0``). Statistics are exact integers or float64; nothing of the size of the stack is
    made beside the result.

    Parameters
    ----------
    frames : (n, *frame_shape)
        Any real dtype: (N, H, W, C) with ``channel_axis=-1``, (N, C, H, W) with 1, (N, H, W).
    channel_axis : int, optional
        Axis of `frames` with the channels; None: one channel.
    mean, std : float or (C,), optional
        Given statistics, the same for all frames; both or neither.
    ddof : int
        Subtracted from the number of pixels.
    epsilon : float
        Added to the variance, in squared units of the frames.
    mask : array_like, optional
        Pixels that statistics are taken from, non-zero = use; all pixels are scaled. NaN and
        infinite pixels take no part; NaN stays NaN.
    dtype : dtype
        float32 or float64, where no `out` is given.
    out : ndarray, optional
        Where the result goes; it may be `frames` itself.

    Returns
    -------
    Standardised
        A constant channel becomes 0, also without epsilon; one with `ddof` pixels or fewer, NaN.

    Raises
    ------
    ValueError
        Where an argument does not fit: says which.

    Examples
    --------
    >>> made = standardise(np.array([[1.0, 2.0, 3.0]]))
    >>> np.round(made.frames.astype(float), 4).tolist()
    [[-1.2247, 0.0, 1.2247]]
    """
    block = np.asarray(frames)
    result = np.empty(block.shape, dtype) if out is None else out
    check_place(result, block.shape)
    check_result(result.dtype, ddof, epsilon)
    step = max(1, _PIECE_BYTES // max(1, block.nbytes // max(1, len(block))))
    given = None
    if mean is not None or std is not None:
        given = given_statistics(mean, std, epsilon)
    pieces = []
    for first in np.arange(0, max(1, len(block)), step):
        here = slice(first, first + step)
        rows = as_rows(block[here], channel_axis)
        if given is None:
            use = part_of_mask(mask, block.shape, channel_axis, here)
            made, status = scaling_of_moments(moments_of(rows, use), ddof, epsilon)
            pieces.append((made.offset, made.gain, status))
        else:
            made, status = given
            pieces = [(made.offset, made.gain, status)]
        scale_rows(rows, made, out=result[here])
    offset, gain, status = (np.concatenate(each) for each in zip(*pieces, strict=True))
    return Standardised(result, Scaling(offset, gain), status)


def given_statistics(
    mean: ArrayLike | None, std: ArrayLike | None, epsilon: float = 0.0
) -> tuple[Scaling, NDArray[np.uint8]]:
    """The scaling (1, C) of given means and standard deviations.

    Raises
    ------
    ValueError
        Where only one of them was given, their numbers differ, or a deviation is negative.

    Examples
    --------
    >>> scaling, status = given_statistics([10.0], [2.0])
    >>> scaling.offset.tolist(), scaling.gain.tolist()
    ([[10.0]], [[0.5]])
    """
    if mean is None or std is None:
        raise ValueError("Give both, means and standard deviations, or neither.")
    centre, spread = (np.atleast_1d(np.asarray(each, np.float64))[None] for each in (mean, std))
    if centre.shape != spread.shape and 1 not in (centre.size, spread.size):
        raise ValueError(
            f"{centre.size} means but {spread.size} standard deviations were given; as many are "
            "needed, one per channel or one for all."
        )
    if not np.isfinite(centre).all() or not (np.isfinite(spread) & (spread >= 0)).all():
        raise ValueError("Means must be finite, and standard deviations zero or more.")
    centre, spread = np.broadcast_arrays(centre, spread)
    return _scaling(centre, spread, epsilon, np.ones(centre.shape, bool))


def scaling_of_moments(
    found: Moments, ddof: int = 0, epsilon: float = 0.0
) -> tuple[Scaling, NDArray[np.uint8]]:
    """Scaling and status (n, C) of each frame and channel by its own moments.

    Examples
    --------
    >>> from napari_framewise.numerics.statistics import moments
    >>> scaling, _ = scaling_of_moments(moments(np.array([[1.0, 3.0]])))
    >>> scaling.offset.tolist(), scaling.gain.tolist()
    ([[2.0]], [[1.0]])
    """
    made, status = _scaling(found.mean, found.std(ddof), epsilon, found.minimum < found.maximum)
    partial = (found.count > 0) & (found.count < found.in_use)
    return made, status | np.where(partial, Status.PARTIAL, 0).astype(np.uint8)


def scaling_of_stack(
    pooled: Pooled, ddof: int = 0, epsilon: float = 0.0
) -> tuple[Scaling, NDArray[np.uint8]]:
    """Scaling and status (1, C) of each channel over a whole stack.

    Examples
    --------
    >>> from napari_framewise.numerics.statistics import moments, pool
    >>> scaling, _ = scaling_of_stack(pool(moments(np.array([[1.0, 3.0], [1.0, 3.0]]))))
    >>> scaling.offset.tolist(), scaling.gain.tolist()
    ([[2.0]], [[1.0]])
    """
    free = pooled.count - ddof
    with np.errstate(all="ignore"):
        variance = np.where(free > 0, pooled.variance * (pooled.count / free), np.nan)
        spread = np.sqrt(variance)
        beyond = np.isinf(variance) | (variance < _SMALLEST)
        spread = np.where(beyond, pooled.std * np.sqrt(pooled.count / free), spread)
    varies = pooled.minimum < pooled.maximum
    return _scaling(pooled.mean[None], spread[None], epsilon, varies[None])


def check_result(dtype: DTypeLike, ddof: int, epsilon: float) -> None:
    """Refuse what standardising can't give.

    Raises
    ------
    ValueError
        Where the result is no float, or ddof or epsilon is negative.

    Examples
    --------
    >>> check_result(np.float32, 0, 0.0)
    """
    if np.dtype(dtype).kind != "f":
        raise ValueError(
            f"A result of type {np.dtype(dtype)} was asked for; standardised values lie around 0: "
            "choose float32 or float64."
        )
    if ddof < 0 or not 0 <= epsilon < np.inf:
        raise ValueError(f"ddof was {ddof} and epsilon {epsilon}; both must be zero or more.")


def warm_up(dtype: DTypeLike = "uint8") -> None:
    """Compile or load the kernels that frames of a type need (1-3 s the first time)."""
    standardise(np.ones((1, 2, 2, 3), dtype), channel_axis=-1)


def _scaling(
    mean: FloatArray, std: FloatArray, epsilon: float, varies: NDArray[np.bool_]
) -> tuple[Scaling, NDArray[np.uint8]]:
    with np.errstate(all="ignore"):
        variance = std**2 + epsilon
        spread = np.where(np.isinf(variance) | (epsilon == 0), std, np.sqrt(variance))
        gain = 1 / spread
    none = np.isnan(mean) | np.isnan(std)
    flat = ~none & (~varies | (spread == 0) | ~np.isfinite(gain))
    gain = np.where(none, np.nan, np.where(flat, 0.0, gain))
    status = np.where(none, Status.NO_DATA, np.where(flat, Status.FLAT, 0)).astype(np.uint8)
    return Scaling(np.where(none, np.nan, mean), gain), status


__all__ = [
    "Scaling",
    "Standardised",
    "Status",
    "check_result",
    "given_statistics",
    "scale",
    "scaling_of_moments",
    "scaling_of_stack",
    "standardise",
    "unscale",
    "warm_up",
]

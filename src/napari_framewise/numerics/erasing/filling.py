"""What stands in the pixels that were erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.erasing.rectangles import numbered

Fill: TypeAlias = Literal["constant", "mean", "noise", "nan"]
FILLS: tuple[str, ...] = get_args(Fill)


def erased(
    frame: NDArray[Any],
    rectangles: NDArray[np.int64],
    fill: Fill = "constant",
    *,
    value: float = 0.0,
    seed: int | Sequence[int] = 0,
) -> NDArray[Any]:
    """A frame with its rectangles filled.

    Parameters
    ----------
    frame : (y, x) or (y, x, c)
        Any real type.
    rectangles : (k, 4) ndarray of int
        First row, first column, rows and columns of each.
    fill : {"constant", "mean", "noise", "nan"}
        One value; the mean of the finite pixels that stay, channel by channel; independent normal
        noise of their mean and standard deviation; or NaN. What stood under the rectangles changes
        nothing.
    value : float
        The constant.
    seed : int or sequence of int
        Of the noise.

    Returns
    -------
    ndarray
        float64 where a mean, noise or NaN was filled into integers, else of the frame's type; where
        no pixel stays, mean and noise are NaN.

    Examples
    --------
    >>> erased(np.array([[1, 2], [3, 8]]), np.array([[1, 1, 1, 1]]), "mean")[1].tolist()
    [3.0, 2.0]
    """
    frame = np.asarray(frame)
    mask = numbered(rectangles, frame.shape[:2]) > 0
    integers = frame.dtype.kind in "biu"
    dtype = np.dtype(np.float64) if integers and fill != "constant" else frame.dtype
    out = frame.astype(dtype)
    if fill == "nan":
        out[mask] = np.nan
    elif fill == "constant":
        out[mask] = _clipped(value, frame.dtype)
    else:
        mean, deviation = _of_the_rest(frame, mask)
        size = (int(mask.sum()), *frame.shape[2:])
        random = np.random.default_rng(seed)
        noise = random.standard_normal(size) if fill == "noise" else np.zeros(size)
        with np.errstate(over="ignore"):
            out[mask] = mean + deviation * noise
    return out


def _clipped(value: float, dtype: np.dtype[Any]) -> float:
    if dtype.kind not in "iu":
        return value
    limits = np.iinfo(dtype)
    return int(min(max(round(value), limits.min), limits.max))


def _of_the_rest(frame: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[Any, Any]:
    """Mean and standard deviation of what stays, by channel; NaN where nothing does."""
    rest = frame[~mask].astype(np.float64)
    known = np.isfinite(rest)
    count = known.sum(axis=0)
    size = np.abs(np.where(known, rest, 0)).max(axis=0, initial=0.0)
    # Squares of large numbers stay finite, those of small ones above 0: by powers of two.
    unit = np.exp2(np.floor(np.log2(np.where(size > 0, size, 1.0))))
    scaled = np.where(known, rest / unit, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = scaled.sum(axis=0) / count
        squares = np.where(known, (scaled - mean) ** 2, 0).sum(axis=0)
        return mean * unit, np.sqrt(squares / count) * unit

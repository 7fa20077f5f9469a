"""Image pyramids: levels at any ratio, with masks, and where their pixels lie in the finest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.separable import Band, banded, filtered

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Level:
    """One level of a pyramid.

    Attributes
    ----------
    planes : (channels, *grid)
        The image, finite everywhere.
    valid : (*grid) bool or None
        Where it rests on data, at least half of its weight; None where it does everywhere.
    step : tuple of float
        Pixels of the finest level per pixel, along each axis.
    """

    planes: NDArray[Any]
    valid: BoolArray | None
    step: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid."""
        return self.planes.shape[1:]

    @property
    def offset(self) -> tuple[float, ...]:
        """Where pixel 0 lies in the finest level: ``finest = step * here + offset``."""
        return tuple((step - 1) / 2 for step in self.step)


def pyramid(
    planes: NDArray[Any],
    *,
    valid: BoolArray | None = None,
    ratio: float = 0.5,
    smallest: int = 16,
    levels: int | None = None,
) -> tuple[Level, ...]:
    """Levels from the finest, which is the image itself, to the coarsest.

    Each is resized from the one before by a Catmull-Rom cubic as wide as its pixels, which lets
    through little that it can't show. An axis stops to shrink at `smallest` pixels, the others go
    on: a flat volume keeps its planes.

    Parameters
    ----------
    planes : (channels, *grid) float32 or float64
        Finite values; see `filled`.
    valid : (*grid) bool, optional
        Where they are data.
    ratio : float
        Size of each level over that before, in (0, 1).
    smallest : int
        Shortest length that an axis is brought to.
    levels : int, optional
        Most levels; as many as fit by default.

    Raises
    ------
    ValueError
        Where the ratio does not lie between 0 and 1.

    Examples
    --------
    >>> [level.shape for level in pyramid(np.zeros((1, 64, 96)), smallest=16)]
    [(64, 96), (32, 48), (16, 24), (16, 16)]
    """
    if not 0 < ratio < 1:
        raise ValueError(f"A pyramid of ratio {ratio} was asked for; give one between 0 and 1.")
    full = planes.shape[1:]
    found = [Level(planes, valid, (1.0,) * len(full))]
    factor = ratio
    while levels is None or len(found) < levels:
        last = found[-1]
        shape = tuple(max(min(smallest, length), round(length * factor)) for length in full)
        shape = tuple(map(min, shape, last.shape))
        if shape == last.shape:
            break
        smaller, left = resized_with_mask(last.planes, last.valid, shape)
        step = tuple(length / size for length, size in zip(full, shape, strict=True))
        found.append(Level(smaller, left, step))
        factor *= ratio
    return tuple(found)


def filled(
    planes: NDArray[Any], valid: BoolArray | None = None
) -> tuple[NDArray[Any], BoolArray | None]:
    """Planes in which every value is finite, and where they held data.

    Gaps take values from the data around them, from the finest level of a pyramid of normalised
    averages that reaches any (push and pull, Gortler et al. 1996, section 3.4): what stood in a
    gap has no say.

    Parameters
    ----------
    planes : (channels, *grid) float32 or float64
        NaN and infinite values are gaps.
    valid : (*grid) bool, optional
        Further gaps, where it is False.

    Returns
    -------
    planes : (channels, *grid)
        The same array where there are no gaps; zeros where there is no data at all.
    valid : (*grid) bool or None
        True where all channels held data; None where they do everywhere.

    Examples
    --------
    >>> planes, valid = filled(np.array([[[1.0, np.nan, 3.0]]]))
    >>> bool(np.isfinite(planes).all()), valid.tolist()
    (True, [[True, False, True]])
    """
    finite = np.isfinite(planes).all(axis=0)
    usable = finite if valid is None else finite & valid
    if usable.all():
        return planes, None
    if not usable.any():
        return np.zeros_like(planes), usable
    return _pulled(np.where(usable, planes, 0), usable.astype(planes.dtype)), usable


def _pulled(planes: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """Planes whose pixels of weight 0 are filled from a grid of half the size."""
    holes = weight <= 0
    if not holes.any():
        return planes
    shape = weight.shape
    half = tuple((length + 1) // 2 for length in shape)
    if half == shape:
        return planes
    share = resized(weight, half, kernel="linear")
    # What rounding leaves of nothing is nothing.
    share[share < 1e-4] = 0
    sums = resized(planes * weight, half, kernel="linear")
    averages = np.divide(sums, share, out=np.zeros_like(sums), where=share > 0)
    around = resized(_pulled(averages, (share > 0).astype(share.dtype)), shape, kernel="linear")
    return np.where(holes, around, planes)


def resized(
    planes: NDArray[Any], shape: tuple[int, ...], *, kernel: Literal["cubic", "linear"] = "cubic"
) -> NDArray[Any]:
    """Planes on a grid of another shape that covers the same area, without aliasing.

    Pixel j of the result is centred at ``(j + 1/2) n / m - 1/2``. The kernel (Keys 1981, a = -1/2;
    or the triangle) is stretched to the larger of the two pixels. Values mirror past the border.

    Parameters
    ----------
    planes : (..., *grid) float32 or float64
        Finite values.
    shape : tuple of int
        Shape of the grid of the result.
    kernel : {"cubic", "linear"}
        Linear makes no new extremes.

    Examples
    --------
    >>> resized(np.full((8, 8), 5.0), (3, 4)).round(9).tolist()[0]
    [5.0, 5.0, 5.0, 5.0]
    """
    ndim = len(shape)
    # Shrinking first leaves less to do for the other axes.
    for axis in sorted(range(ndim), key=lambda each: shape[each] / planes.shape[each - ndim]):
        length = planes.shape[axis - ndim]
        if length != shape[axis]:
            planes = filtered(planes, _resizing(length, shape[axis], kernel), axis - ndim)
    return planes


def resized_with_mask(
    planes: NDArray[Any], valid: BoolArray | None, shape: tuple[int, ...]
) -> tuple[NDArray[Any], BoolArray | None]:
    """Planes resized, and where at least half of the weight lies on valid pixels.

    Examples
    --------
    >>> small, known = resized_with_mask(np.ones((8, 8)), np.arange(64).reshape(8, 8) >= 32, (4, 4))
    >>> known[:, 0].tolist()
    [False, False, True, True]
    """
    smaller = resized(planes, shape)
    if valid is None:
        return smaller, None
    share = resized(valid.astype(planes.dtype), shape, kernel="linear")
    left = share >= 0.5
    return smaller, None if left.all() else left


@lru_cache(maxsize=256)
def _resizing(length: int, size: int, kernel: str) -> Band:
    step = length / size
    stretch = max(1.0, step)
    reach = (2.0 if kernel == "cubic" else 1.0) * stretch
    centres = (np.arange(size) + 0.5) * step - 0.5
    first = np.floor(centres - reach).astype(np.int64) + 1
    width = int(np.ceil(2 * reach)) + 1
    away = np.abs(first[:, None] + np.arange(width) - centres[:, None]) / stretch
    if kernel == "cubic":
        near = (1.5 * away - 2.5) * away**2 + 1
        far = ((-0.5 * away + 2.5) * away - 4) * away + 2
        taps = np.where(away < 1, near, np.where(away < 2, far, 0.0))
    else:
        taps = np.maximum(0.0, 1 - away)
    taps /= taps.sum(axis=1, keepdims=True)
    # Sampled kernels miss their centre by up to 0.03 px: shift weight until a ramp stays one.
    lever = first[:, None] + np.arange(width) - centres[:, None]
    share = np.abs(taps)
    middle = (share * lever).sum(axis=1, keepdims=True) / share.sum(axis=1, keepdims=True)
    turn = share * (lever - middle)
    miss = (taps * lever).sum(axis=1, keepdims=True)
    torque = (turn * lever).sum(axis=1, keepdims=True)
    taps -= np.divide(turn * miss, torque, out=np.zeros_like(turn), where=torque > 0)
    return banded(first, taps, length, "even")

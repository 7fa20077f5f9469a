"""What motion is left after a registration, asked of blocks that had no part in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.images import BoolArray
from napari_framewise.numerics.elastic.matching import matched
from napari_framewise.numerics.interpolation import Spline, sample, spline
from napari_framewise.numerics.pyramid import filled
from napari_framewise.numerics.separable import correlated

STATED = 0.5
"""Shift that may be left, in pixels, where a registration is said to have converged."""
# Widths of the blocks, in distances of nodes, and least share of them that has to be read.
_WIDTHS = ((1.0, 0.1), (0.5, 0.5))
_REACH = 4
_MOST_BLOCKS = {2: 192, 3: 48}
_MOST_PIXELS = 400_000
_LEAST_SHARE = 0.5
_SURE = 4.0
_SMOOTHING = 1.0
# Height of a peak at the end of the reach, whose width is not seen.
_FAR = 12.5
# Pixels that share their noise then.
_AREA = 4 * np.pi * _SMOOTHING**2
# Of the squared shifts that quantile, and what the mean is of it where they are normal: a fifth may
# be led astray by noise.
_MOST, _SHARE = 0.75, 0.721


class Left(NamedTuple):
    """What is left.

    Attributes
    ----------
    shift : float
        Root mean square over the blocks by their third quartile, in pixels, what noise makes of it
        taken off; NaN where too few can be read.
    read : float
        Share of the blocks on data that can be read.
    """

    shift: float
    read: float

    @property
    def settled(self) -> bool:
        """Whether it was shown to be below what is stated."""
        return self.shift <= STATED


UNKNOWN = Left(float("nan"), 0.0)
"""Nothing was asked."""


def left_of(
    reference: NDArray[Any],
    image: NDArray[Any],
    use: BoolArray,
    use_there: BoolArray,
    field: Field,
    spacing: float,
) -> Left:
    """Shifts of small blocks of a reference in the image that was brought onto it.

    Blocks as wide as the nodes are apart, and half as wide, at places spread evenly (Roberts'
    sequence), are sought within 4 pixels; the width that shows more left counts, of those of which
    a tenth of the wide and half of the narrow ones can be read. What bends between nodes is left,
    and so is what a registration got wrong.

    Parameters
    ----------
    reference, image : (y, x) or (z, y, x)
    use, use_there : same shapes, bool
    field : Field
        From the reference to the image.
    spacing : float
        Of the nodes, in pixels.

    Examples
    --------
    >>> scene = np.random.default_rng(0).normal(size=(64, 64))
    >>> use = np.ones((64, 64), bool)
    >>> still = Field.still(np.eye(3), (64, 64), (2, 2))
    >>> left_of(scene, scene, use, use, still, 16.0).settled
    True
    >>> round(left_of(scene, np.roll(scene, 2, 0), use, use, still, 16.0).shift, 1)
    2.0
    """
    values = _smooth(reference, use)
    there = spline(_smooth(image, use_there)[None], order=3, valid=use_there)
    shifts, shares = [], []
    for share, least in _WIDTHS:
        half = np.array(
            [min(max(4, round(share * spacing / 2)), (n - 1) // 4) for n in reference.shape]
        )
        found = _asked(values, use, there, field, half)
        if found.read >= least:
            shifts.append(found.shift)
        shares.append(found.read)
    return Left(max(shifts, default=float("nan")), max(shares))


def _asked(
    values: FloatArray, use: BoolArray, there: Spline, field: Field, half: NDArray[np.int64]
) -> Left:
    """What is left of blocks of one width."""
    axes = values.ndim
    reach = np.minimum(_REACH, half)
    size = 2 * (half + reach) + 1
    count = int(min(_MOST_BLOCKS[axes], max(8, _MOST_PIXELS // int(np.prod(size)))))
    room = np.array(values.shape) - size
    if (room < 0).any():
        return UNKNOWN
    corners = np.rint(_spread_evenly(count, axes) * room).astype(int)
    aside = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1)
    places = corners.reshape(count, *(1,) * axes, axes) + aside
    at = field.pull_back(places.reshape(-1, axes)).T.reshape(axes, count, *size)
    (moved,), _, inside = sample(there, at)
    inner = tuple(slice(int(r), int(n - r)) for r, n in zip(reach, size, strict=True))
    on_data = 0
    squares, placed = [], []
    for corner, patch, seen in zip(corners, moved, inside, strict=True):
        block = tuple(
            slice(int(c + r), int(c + n - r)) for c, r, n in zip(corner, reach, size, strict=True)
        )
        known = use[block]
        if min(known.mean(), seen[inner].mean()) < _LEAST_SHARE:
            continue
        on_data += 1
        found = matched(values[block], known.astype(float), patch, seen.astype(float), reach, reach)
        if found is not None and (found.proof >= _SURE or found.height >= _FAR):
            away = np.clip(found.place - reach, -reach, reach)
            noise = _AREA * axes / found.weight if found.weight > 0 else 0.0
            squares.append(float((away**2).sum()) - noise)
            placed.append(found.weight > 0)
    if not any(placed):
        return UNKNOWN
    square = max(float(np.quantile(squares, _MOST)) * _SHARE, 0.0)
    return Left(float(np.sqrt(square)), sum(placed) / on_data)


def _smooth(image: NDArray[Any], use: BoolArray) -> FloatArray:
    """Values over the largest, gaps filled, smoothed so that noise between pixels moves no peak."""
    unit = float(np.abs(np.asarray(image)[use]).max()) or 1.0
    found = filled(np.asarray(image, np.float64)[None] / unit, use)[0][0]
    for axis in range(found.ndim):
        found = correlated(found, gaussian_taps(_SMOOTHING), axis)
    return np.asarray(found)


def _spread_evenly(count: int, axes: int) -> NDArray[np.float64]:
    """Places in the unit square or cube (Roberts 2018): multiples of powers of a root, modulo 1."""
    root = 2.0
    for _ in range(40):
        root = (1 + root) ** (1 / (axes + 1))
    steps = root ** -(np.arange(axes) + 1.0)
    return np.asarray((0.5 + np.outer(np.arange(count) + 1, steps)) % 1.0)

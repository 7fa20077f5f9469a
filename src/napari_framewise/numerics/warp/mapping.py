"""Footprints: where the pixels of a result lie in an image, and how far they reach there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Map: TypeAlias = Callable[[FloatArray], NDArray[Any]]

LEAST_CAP = 64.0
"""Pixels that the long axis of a footprint may always have."""
MAGNIFIED = 1.25
"""Longest axis of a footprint, in pixels of the image, up to which the spline has a say."""
_COARSE = 9


@dataclass(frozen=True, eq=False)
class Footprints:
    """Pixels of a result in the image that they are taken from.

    Attributes
    ----------
    places : (rows, columns, 2) float64
        Their centres, row-column order; NaN where they have none.
    slopes : (rows, columns, 2, 2) float64
        Change of the centre per pixel of the result: ``[..., i, j] = dT_i / dp_j``.
    corners : (rows, columns, 4, 2) float64, optional
        Their corners, in order around them: what areas are taken of.
    """

    places: FloatArray
    slopes: FloatArray
    corners: FloatArray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the result."""
        return self.places.shape[0], self.places.shape[1]

    @property
    def stretch(self) -> FloatArray:
        """Longest axis of every footprint: the larger singular value of `slopes`.

        Examples
        --------
        >>> slopes = lambda p: np.tile(2 * np.eye(2), (len(p), 1, 1))
        >>> at = footprints(lambda p: 2 * p, slopes, (1, 1))
        >>> at.stretch.tolist()
        [[2.0]]
        """
        return stretch(self.slopes)


def footprints(
    pull_back: Map,
    jacobian: Map,
    shape: tuple[int, int],
    first_row: int = 0,
    *,
    corners: bool = True,
) -> Footprints:
    """Footprints of the pixels of some rows of a result.

    Parameters
    ----------
    pull_back : callable
        Points (n, 2) of the result where they are in the image: T.
    jacobian : callable
        Derivatives of T there, (n, 2, 2).
    shape : tuple of int
        Rows, and columns.
    first_row : int
        Number of the first of these rows.
    corners : bool
        Whether areas are to be taken.

    Examples
    --------
    >>> slopes = lambda p: np.tile(np.eye(2), (len(p), 1, 1))
    >>> down = footprints(lambda p: p + [1.0, 0.0], slopes, (1, 2))
    >>> down.places.tolist(), down.corners[0, 0].tolist()
    ([[[1.0, 0.0], [1.0, 1.0]]], [[0.5, -0.5], [0.5, 0.5], [1.5, 0.5], [1.5, -0.5]])
    """
    rows, columns = shape
    centres = _grid(np.arange(rows) + float(first_row), np.arange(columns) + 0.0)
    places = np.asarray(pull_back(centres), np.float64).reshape(rows, columns, 2)
    slopes = np.asarray(jacobian(centres), np.float64).reshape(rows, columns, 2, 2)
    if not corners:
        return Footprints(places, slopes)
    around = _grid(np.arange(rows + 1) + first_row - 0.5, np.arange(columns + 1) - 0.5)
    mesh = np.asarray(pull_back(around), np.float64).reshape(rows + 1, columns + 1, 2)
    found = np.stack([mesh[:-1, :-1], mesh[:-1, 1:], mesh[1:, 1:], mesh[1:, :-1]], axis=2)
    missing = ~np.isfinite(found).all(axis=(2, 3))
    if missing.any():
        # Past the border of a displacement field, or a horizon: as the slopes say.
        aside = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]])
        linear = np.einsum("nij,kj->nki", slopes[missing], aside)
        found[missing] = places[missing][:, None] + linear
    return Footprints(places, slopes, found)


def stretch(slopes: FloatArray) -> FloatArray:
    """Larger singular value of matrices (..., 2, 2).

    Examples
    --------
    >>> stretch(np.diag([3.0, 0.5])).tolist()
    3.0
    """
    a, b, c, d = slopes[..., 0, 0], slopes[..., 0, 1], slopes[..., 1, 0], slopes[..., 1, 1]
    # Of a matrix that turns, and one that mirrors (Blinn 1996).
    return np.asarray((np.hypot(a + d, c - b) + np.hypot(a - d, b + c)) / 2)


def share_of(long: FloatArray) -> FloatArray:
    """How far a pixel of that stretch is an average: 0 where it is magnified, 1 from 1.25 on.

    Examples
    --------
    >>> share_of(np.array([0.5, 1.125, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    share = np.clip((long - 1.0) / (MAGNIFIED - 1.0), 0.0, 1.0)
    return np.asarray(np.where(np.isfinite(share), share * share * (3 - 2 * share), 0.0))


def is_affine(jacobian: Map, shape: tuple[int, int]) -> bool:
    """Whether a map has the same slopes all over a result.

    Examples
    --------
    >>> is_affine(lambda p: np.tile(np.eye(2), (len(p), 1, 1)), (10, 10))
    True
    """
    rows, columns = (np.linspace(0, length - 1, _COARSE) for length in shape)
    found = np.asarray(jacobian(_grid(rows, columns)), np.float64)
    return bool(np.allclose(found, found[:1], rtol=1e-9, atol=1e-12 * np.abs(found[0]).max()))


def cap_of(jacobian: Map, shape: tuple[int, int]) -> float:
    """Longest axis that footprints of a result are given, in pixels of the image.

    Twice the median of a coarse grid of pixels, 64 at least: only near the horizon of a homography
    do they grow past it. An affine map never meets it.

    Examples
    --------
    >>> cap_of(lambda p: np.tile(200 * np.eye(2), (len(p), 1, 1)), (10, 10))
    400.0
    """
    rows, columns = (np.linspace(0, length - 1, _COARSE) for length in shape)
    found = stretch(np.asarray(jacobian(_grid(rows, columns)), np.float64))
    known = found[np.isfinite(found)]
    return max(LEAST_CAP, 2 * float(np.median(known))) if known.size else LEAST_CAP


def _grid(rows: NDArray[Any], columns: NDArray[Any]) -> FloatArray:
    found = np.empty((rows.size, columns.size, 2))
    found[..., 0], found[..., 1] = rows[:, None], columns
    return found.reshape(-1, 2)

"""One axis of a tensor spline: its knots, basis functions and Gram matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb, factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
HIGHEST = 5
"""Highest degree of the polynomials."""


@dataclass(frozen=True)
class Axis:
    """Equally spaced knots over an interval, and the B-splines on them.

    The `degree + cells` basis functions are those that are not zero everywhere in the interval;
    their knots go on past its ends at the same spacing.

    Attributes
    ----------
    start, stop : float
        Ends of the interval, in the unit of the coordinate.
    cells : int
        Number of intervals between knots.
    degree : int
        Degree of the polynomials, 0 to 5; 3 is cubic.

    Examples
    --------
    >>> axis = Axis(0.0, 4.0, 4)
    >>> axis.count, axis.spacing
    (7, 1.0)
    >>> (axis.design([2.0]).toarray()[0] * 6).round(12).tolist()
    [0.0, 0.0, 1.0, 4.0, 1.0, 0.0, 0.0]
    """

    start: float
    stop: float
    cells: int
    degree: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.degree <= HIGHEST:
            raise ValueError(
                f"A spline of degree {self.degree} was asked for; give 0 to {HIGHEST}."
            )
        if self.cells < 1:
            raise ValueError(f"{self.cells} cells were asked for; a spline needs at least one.")
        if not (np.isfinite([self.start, self.stop]).all() and self.start < self.stop):
            raise ValueError(
                f"Knots from {self.start:g} to {self.stop:g} were asked for; give two finite "
                "numbers, the smaller first."
            )

    @property
    def count(self) -> int:
        """Number of coefficients."""
        return self.cells + self.degree

    @property
    def spacing(self) -> float:
        """Distance between knots."""
        return (self.stop - self.start) / self.cells

    @property
    def centres(self) -> Array:
        """Coordinate at which each basis function is centred, (count,)."""
        first = self.start + self.spacing * (1 - self.degree) / 2
        return np.asarray(first + self.spacing * np.arange(self.count), np.float64)

    def cells_of(self, points: Any) -> tuple[NDArray[np.int64], Array]:
        """Cell of each point, and where it lies in it: 0 to 1, beyond for points outside."""
        at = (np.asarray(points, np.float64) - self.start) / self.spacing
        cell = np.clip(np.floor(np.where(np.isnan(at), 0, at)), 0, self.cells - 1).astype(np.int64)
        return cell, at - cell

    def taps(self, points: Any, derivative: int = 0) -> tuple[NDArray[np.int64], Array]:
        """First coefficient that each point takes, (n,), and its weights, (n, degree + 1).

        Parameters
        ----------
        points : (n,) float
            NaN gives weights of NaN.
        derivative : int
            Order of the derivative by the coordinate; above the degree it is zero.
        """
        cell, at = self.cells_of(points)
        weights = np.zeros((len(cell), self.degree + 1))
        for power, row in enumerate(_pieces(self.degree)[derivative:], start=derivative):
            factor = factorial(power) // factorial(power - derivative)
            weights += (factor * at ** (power - derivative))[:, None] * row
        weights[np.isnan(at)] = np.nan
        return cell, weights / self.spacing**derivative

    def design(self, points: Any, derivative: int = 0) -> sparse.csr_array:
        """Matrix (n, count) that takes coefficients to values, or derivatives, at points.

        Examples
        --------
        >>> line = Axis(0.0, 3.0, 3, degree=1)
        >>> line.design([0.25, 3.0]).toarray().tolist()
        [[0.75, 0.25, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        """
        first, weights = self.taps(points, derivative)
        width = self.degree + 1
        columns = first[:, None] + np.arange(width)
        ends = np.arange(0, weights.size + 1, width)
        shape = (len(first), self.count)
        return sparse.csr_array((weights.ravel(), columns.ravel(), ends), shape=shape)

    def gram(self, derivative: int = 0, other: int | None = None) -> sparse.csr_array:
        """Integrals over the interval of products of two derivatives of the basis functions.

        ``G[i, j] = int B_i^(derivative) B_j^(other) dx`` from start to stop, exact (Gauss-Legendre
        of enough points in every cell): a band matrix (count, count) of 2 degree + 1 diagonals.

        Parameters
        ----------
        derivative : int
            Order of the derivative of the rows' functions.
        other : int, optional
            Of the columns' functions; by default the same.

        Examples
        --------
        >>> Axis(0.0, 2.0, 2, degree=1).gram(1).toarray().tolist()
        [[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]]
        """
        return _gram(self, derivative, derivative if other is None else other)


@lru_cache(maxsize=64)
def _gram(axis: Axis, derivative: int, other: int) -> sparse.csr_array:
    nodes, weights = np.polynomial.legendre.leggauss(axis.degree + 1)
    within = (nodes + 1) / 2
    points = (axis.start + (np.arange(axis.cells)[:, None] + within) * axis.spacing).ravel()
    measure = sparse.diags_array(np.tile(weights * axis.spacing / 2, axis.cells))
    rows = axis.design(points, derivative)
    columns = rows if other == derivative else axis.design(points, other)
    return sparse.csr_array(rows.T @ measure @ columns)


@lru_cache(maxsize=HIGHEST + 1)
def _pieces(degree: int) -> Array:
    """Powers (rows) of the degree + 1 polynomials (columns) that a cell is made of.

    From the truncated powers ``B(x) = sum_j (-1)^j C(d + 1, j) (x - j)_+^d / d!`` (Schoenberg).
    """
    pieces = np.zeros((degree + 1, degree + 1))
    for place in range(degree + 1):
        piece = degree - place
        for j in range(piece + 1):
            sign = (-1) ** j * comb(degree + 1, j) / factorial(degree)
            for power in range(degree + 1):
                shifted = comb(degree, power) * float(piece - j) ** (degree - power)
                pieces[power, place] += sign * shifted
    return pieces

"""Tensor products of axes: values and derivatives anywhere, and how rough a spline is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import product
from math import factorial, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_framewise.numerics.bsplines.axis import Axis

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """Coefficients on a grid of knots along 1 or more axes.

    Attributes
    ----------
    axes : tuple of Axis
        In the order of the coordinates: row before column.

    Examples
    --------
    >>> lattice = Lattice((Axis(0, 4, 4), Axis(0, 6, 3)))
    >>> lattice.shape
    (7, 6)
    >>> plane = 1.0 + np.add.outer(2 * lattice.axes[0].centres, lattice.axes[1].centres)
    >>> lattice.values(plane, [[1.5, 2.0]]).round(12).tolist()
    [6.0]
    """

    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Coefficients along each axis."""
        return tuple(axis.count for axis in self.axes)

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return prod(self.shape)

    def design(self, points: Any, derivatives: Sequence[int] | None = None) -> sparse.csr_array:
        """Matrix (n, size) that takes coefficients, flat in C order, to values at points.

        Parameters
        ----------
        points : (n, d) float
            Coordinates; a row with NaN gives a row of NaN.
        derivatives : (d,) int, optional
            Order of the derivative by each coordinate.

        Examples
        --------
        >>> lattice = Lattice((Axis(0, 1, 1, 1), Axis(0, 1, 1, 1)))
        >>> lattice.design([[0.5, 0.25]]).toarray().tolist()
        [[0.375, 0.125, 0.375, 0.125]]
        """
        at = self._checked(points)
        orders = derivatives if derivatives is not None else (0,) * len(self.axes)
        columns = np.zeros((len(at), 1), np.int64)
        weights = np.ones((len(at), 1))
        for number, (axis, order) in enumerate(zip(self.axes, orders, strict=True)):
            first, taps = axis.taps(at[:, number], order)
            here = first[:, None] + np.arange(axis.degree + 1)
            columns = (columns[:, :, None] * axis.count + here[:, None, :]).reshape(len(at), -1)
            weights = (weights[:, :, None] * taps[:, None, :]).reshape(len(at), -1)
        width = columns.shape[1]
        ends = np.arange(0, weights.size + 1, width)
        shape = (len(at), self.size)
        return sparse.csr_array((weights.ravel(), columns.ravel(), ends), shape=shape)

    def values(
        self, coefficients: Any, points: Any, derivatives: Sequence[int] | None = None
    ) -> Array:
        """Values, or derivatives, at points.

        Parameters
        ----------
        coefficients : (..., *shape) float
            Leading axes are components.
        points : (n, d) float
        derivatives : (d,) int, optional

        Returns
        -------
        (..., n) float64
        """
        given = np.asarray(coefficients, np.float64)
        lead = given.shape[: given.ndim - len(self.axes)]
        found = self.design(points, derivatives) @ given.reshape(-1, self.size).T
        return np.asarray(found).T.reshape(*lead, -1)

    def on_grid(
        self,
        coefficients: Any,
        coordinates: Sequence[Any],
        derivatives: Sequence[int] | None = None,
    ) -> Array:
        """Values, or derivatives, on the grid of coordinates along each axis.

        Parameters
        ----------
        coefficients : (..., *shape) float
        coordinates : d arrays
            Coordinates along each axis, lengths n_0, n_1, ...
        derivatives : (d,) int, optional

        Returns
        -------
        (..., n_0, n_1, ...) float64

        Examples
        --------
        >>> lattice = Lattice((Axis(0, 2, 2), Axis(0, 2, 2)))
        >>> lattice.on_grid(np.ones((5, 5)), ([0, 1], [0, 1, 2])).round(12).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
        """
        found = np.asarray(coefficients, np.float64)
        orders = derivatives if derivatives is not None else (0,) * len(self.axes)
        d = len(self.axes)
        for number, (axis, at, order) in enumerate(
            zip(self.axes, coordinates, orders, strict=True)
        ):
            matrix = axis.design(at, order).toarray()
            place = found.ndim - d + number
            found = np.moveaxis(np.tensordot(matrix, found, (1, place)), 0, place)
        return found

    def roughness(self, order: int = 2, units: Sequence[float] | None = None) -> sparse.csr_array:
        """Matrix R, (size, size), of the energy ``c' R c`` of all derivatives of an order.

        ``E = sum_a order! / (a_1! ... a_d!) int (d^a f)^2`` over all multi-indices a of that order:
        for 2 the bending energy of a thin plate, ``int f_yy^2 + 2 f_xy^2 + f_xx^2`` (Wahba 1990,
        eq. 2.4.2). Exact, as the knots' Gram matrices are.

        Parameters
        ----------
        order : int
            Of the derivatives.
        units : (d,) float, optional
            Length that counts as one along each axis, where they are of different kinds; by default
            1. The energy is in coordinates divided by these.

        Examples
        --------
        >>> line = Lattice((Axis(0, 3, 3, 1),))
        >>> line.roughness(1).toarray()[0].tolist()
        [1.0, -1.0, 0.0, 0.0]
        """
        scales = (1.0,) * len(self.axes) if units is None else tuple(map(float, units))
        return _roughness(self, order, scales)

    def _checked(self, points: Any) -> Array:
        at = np.asarray(points, np.float64)
        if at.ndim != 2 or at.shape[1] != len(self.axes):
            raise ValueError(
                f"Points of shape {at.shape} were given; a spline along {len(self.axes)} axes "
                f"needs (n, {len(self.axes)})."
            )
        return at


@lru_cache(maxsize=4)
def _roughness(lattice: Lattice, order: int, scales: tuple[float, ...]) -> sparse.csr_array:
    axes = lattice.axes
    total: sparse.csr_array | None = None
    for orders in product(range(order + 1), repeat=len(axes)):
        if sum(orders) != order or any(
            k > axis.degree for k, axis in zip(orders, axes, strict=True)
        ):
            continue
        ways = factorial(order) // prod(factorial(k) for k in orders)
        factor = ways * float(np.prod(np.array(scales) ** (2.0 * np.array(orders) - 1.0)))
        grams = [axis.gram(k) for axis, k in zip(axes, orders, strict=True)]
        term = factor * reduce(lambda a, b: sparse.kron(a, b, format="csr"), grams)
        total = term if total is None else total + term
    if total is None:
        return sparse.csr_array((lattice.size, lattice.size))
    return sparse.csr_array(total)

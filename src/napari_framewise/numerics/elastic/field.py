"""The transform: an affine part and a displacement on a lattice of cubic B-splines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.bsplines import Axis, Lattice
from napari_framewise.numerics.interpolation import Spline, sample

FloatArray: TypeAlias = NDArray[np.float64]
_STEPS = 60
_CLOSE = 1e-11
_REFINED = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 8


@dataclass(frozen=True, eq=False)
class Field:
    """A transform ``T(p) = M p + sum_k c_k B_k(p)`` from pixels of one image to those of another.

    A pull-back: a pixel p of the first image's grid takes its value from T(p) of the second.

    Attributes
    ----------
    matrix : (d + 1, d + 1) float64
        M, the affine part.
    coefficients : (d, *lattice) float64
        Displacements at the nodes, in pixels, row-column order.
    shape : tuple of int
        Of the first image. Nodes stand evenly from its first to its last pixel, and one beyond
        either.
    """

    matrix: FloatArray
    coefficients: FloatArray
    shape: tuple[int, ...]

    @property
    def lattice(self) -> Lattice:
        """The B-splines."""
        counts = self.coefficients.shape[1:]
        ends = zip(self.shape, counts, strict=True)
        return Lattice(tuple(Axis(0.0, max(n - 1.0, 1.0), count - 3) for n, count in ends))

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between nodes along each axis, in pixels."""
        return tuple(axis.spacing for axis in self.lattice.axes)

    @classmethod
    def still(cls, matrix: FloatArray, shape: tuple[int, ...], cells: Sequence[int]) -> Field:
        """The affine part alone, on a lattice of so many cells."""
        counts = tuple(count + 3 for count in cells)
        return cls(np.asarray(matrix, float), np.zeros((len(shape), *counts)), shape)

    def with_coefficients(self, coefficients: FloatArray) -> Field:
        """The same with other displacements of its nodes."""
        return replace(self, coefficients=coefficients)

    def refined(self) -> Field:
        """The same transform on a lattice of half the spacing, exactly (the two-scale relation)."""
        found = self.coefficients
        for axis in range(1, found.ndim):
            found = np.moveaxis(_twice(np.moveaxis(found, axis, 0)), 0, axis)
        return self.with_coefficients(found)

    def on_grid(self, coordinates: Sequence[Any]) -> FloatArray:
        """T on the grid of coordinates along each axis: (d, n_0, n_1, ...)."""
        found = self.lattice.on_grid(self.coefficients, coordinates)
        axes = np.meshgrid(*coordinates, indexing="ij", sparse=True)
        for row in range(len(found)):
            found[row] += self.matrix[row, -1]
            for place, along in enumerate(axes):
                found[row] += self.matrix[row, place] * along
        return found

    def slopes_on_grid(self, coordinates: Sequence[Any]) -> FloatArray:
        """Derivatives ``dT_i / dp_j`` on such a grid: (d, d, n_0, n_1, ...)."""
        d = len(self.shape)
        found = np.stack(
            [
                self.lattice.on_grid(self.coefficients, coordinates, tuple(np.eye(d, dtype=int)[j]))
                for j in range(d)
            ],
            axis=1,
        )
        found += self.matrix[:-1, :-1].reshape(d, d, *(1,) * d)
        return found

    def pull_back(self, points: ArrayLike) -> FloatArray:
        """T of points (n, d); beyond the frame it goes on as its tangent there."""
        return self._both(points)[0]

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Derivatives ``J[:, i, j] = dT_i / dp_j`` at points (n, d)."""
        _, inner = self._within(points)
        return self._there(inner)[1]

    def push(self, points: ArrayLike, start: ArrayLike | None = None) -> FloatArray:
        """The p with ``T(p) = q`` for points q (n, d), by Newton's method with halved steps.

        Where T nowhere folds there is one; NaN where it is not found.
        """
        goal = np.asarray(points, np.float64)
        solve = np.linalg.inv(self.matrix)
        p = goal @ solve[:-1, :-1].T + solve[:-1, -1] if start is None else np.array(start, float)
        there, slopes = self._both(p)
        miss = there - goal
        size = np.sqrt((miss**2).sum(axis=1))
        going = np.flatnonzero(np.isfinite(size) & (size > _CLOSE))
        for _ in range(_STEPS):
            if not going.size:
                break
            step = np.linalg.solve(slopes[going], miss[going][..., None])[..., 0]
            share = np.ones(len(going))
            for _ in range(6):
                tried = p[going] - share[:, None] * step
                there, tilted = self._both(tried)
                left = there - goal[going]
                after = np.sqrt((left**2).sum(axis=1))
                worse = after > size[going]
                if not worse.any():
                    break
                share[worse] /= 2
            p[going], miss[going], size[going], slopes[going] = tried, left, after, tilted
            going = going[(after > _CLOSE * (1 + np.abs(goal[going]).max(axis=1))) & (share > 0.02)]
        p[~(size < 1e-6)] = np.nan
        return p

    def _both(self, points: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """T and its derivatives at points; T beyond the frame."""
        at, inner = self._within(points)
        there, slopes = self._there(inner)
        beyond = at - inner
        if beyond.any():
            there = there + np.einsum("nij,nj->ni", slopes, beyond)
        return there, slopes

    def _within(self, points: ArrayLike) -> tuple[FloatArray, FloatArray]:
        at = np.asarray(points, np.float64)
        return at, np.clip(at, 0.0, np.array(self.shape) - 1.0)

    def _there(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """T (n, d) and its derivatives (n, d, d) at points in the frame."""
        spacing = np.array(self.spacing)
        coefficients = np.ascontiguousarray(self.coefficients)
        along, slopes, _ = sample(Spline(coefficients, 3), (points / spacing + 1).T, slopes=True)
        assert slopes is not None
        there = points @ self.matrix[:-1, :-1].T + self.matrix[:-1, -1] + along.T
        return there, slopes.transpose(2, 1, 0) / spacing + self.matrix[:-1, :-1]


def displaced(field: Field, at: Sequence[Any], shift: FloatArray) -> Field:
    """The affine part of a field, with the spline through displacements on a grid, least squares.

    Parameters
    ----------
    field : Field
        Whose matrix, frame and lattice it has.
    at : d arrays
        Coordinates along each axis, at least as many as nodes.
    shift : (d, n_0, n_1, ...)
        Displacements beyond the affine part there.

    Examples
    --------
    >>> still = Field.still(np.eye(3), (17, 17), (2, 2))
    >>> axis = np.linspace(0, 16, 9)
    >>> found = displaced(still, (axis, axis), np.ones((2, 9, 9)))
    >>> found.pull_back([[5.0, 6.0]]).round(9).tolist()
    [[6.0, 7.0]]
    """
    found = np.asarray(shift, np.float64)
    for place, (axis, along) in enumerate(zip(field.lattice.axes, at, strict=True), start=1):
        rows = axis.design(along).toarray()
        moved = np.moveaxis(found, place, 0)
        solved = np.linalg.lstsq(rows, moved.reshape(len(moved), -1), rcond=None)[0]
        found = np.moveaxis(solved.reshape(-1, *moved.shape[1:]), 0, place)
    return field.with_coefficients(found)


def composed(first: Field, second: Field) -> Field:
    """The transform ``second(first(p))``, on the first's lattice.

    Its displacements are the spline of least squares through those at four places from node to
    node; beyond the second's frame its tangent goes on.

    Examples
    --------
    >>> down = Field.still(np.array([[1.0, 0, 2], [0, 1, 0], [0, 0, 1]]), (17, 17), (2, 2))
    >>> composed(down, down).pull_back([[5.0, 6.0]]).round(9).tolist()
    [[9.0, 6.0]]
    """
    axes = [np.linspace(0.0, axis.stop, 4 * axis.cells + 1) for axis in first.lattice.axes]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    points = grid.reshape(-1, grid.shape[-1])
    matrix = second.matrix @ first.matrix
    plain = points @ matrix[:-1, :-1].T + matrix[:-1, -1]
    shift = second.pull_back(first.pull_back(points)) - plain
    start = replace(first, matrix=matrix)
    return displaced(start, axes, shift.T.reshape(-1, *grid.shape[:-1]))


def _twice(rows: FloatArray) -> FloatArray:
    """Coefficients along the first axis on half the spacing; the outermost ones are dropped."""
    count = len(rows)
    found = np.zeros((2 * (count - 3) + 3, *rows.shape[1:]))
    # Node i of the coarse lattice stands at node 2 i - 1 of the fine one.
    for place, weight in enumerate(_REFINED):
        at = 2 * np.arange(count) - 1 + place - 2
        kept = (at >= 0) & (at < len(found))
        found[at[kept]] += weight * rows[kept]
    return found

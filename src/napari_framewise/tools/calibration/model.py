"""Models of a calibration: the field over the third variable, and the maps of single frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from napari_framewise.framework.model import Model
from napari_framewise.framework.series import Series
from napari_framewise.numerics.bsplines import Axis, Lattice
from napari_framewise.numerics.calibration import (
    at_value,
    covered,
    seen_from,
    slopes_of,
    straight_from,
    straight_image,
)
from napari_framewise.numerics.interpolation import spline, warp
from napari_framewise.stacks.source import Array


def knots_of(axes: tuple[Axis, ...]) -> Array:
    """Start, stop, cells and degree of each axis, as a model keeps them."""
    return np.array([[axis.start, axis.stop, axis.cells, axis.degree] for axis in axes])


def axes_of(knots: Array) -> tuple[Axis, ...]:
    """The axes that a model keeps."""
    return tuple(Axis(float(a), float(b), int(c), int(d)) for a, b, c, d in np.asarray(knots))


@dataclass(frozen=True, eq=False)
class Calibration(Model):
    """Where pixels of the straight image (`target`) are seen (`source`), over a third variable.

    Attributes
    ----------
    coefficients : (2, values, rows, columns) float64
        Of the displacement down and to the right, in pixels.
    knots : (3, 4) float64
        Start, stop, cells and degree along value, rows and columns.
    values : (m,) float64
        Values that were calibrated, in ascending order.
    quantity, unit : str
        What the third variable is.
    hull : (n, 3) float64
        Half planes ``a y + b x + c <= 0`` within which there were nodes.
    sigma : float
        Standard deviation of a coordinate of a node, in pixels, by the residuals.
    """

    kind: ClassVar[str] = "calibration"

    coefficients: Array
    knots: Array
    values: Array
    quantity: str
    unit: str
    hull: Array
    sigma: float

    def outside(self, values: Array) -> Array:
        """Which values lie outside those calibrated; none where there is one."""
        if len(self.values) == 1:
            return np.zeros(len(values), bool)
        low, high = self.values[0], self.values[-1]
        slack = 1e-9 * (high - low)
        return np.asarray((values < low - slack) | (values > high + slack))

    def at(self, values: Array, *, everywhere: bool = False) -> Distortion:
        """The transform of frames that were taken at these values.

        `everywhere`: extrapolated beyond the nodes as well, where there are no data else.
        """
        axis = axes_of(self.knots)[0]
        known = np.full(len(values), self.values[0]) if len(self.values) == 1 else values
        coefficients = at_value(axis, self.coefficients, known)
        knots = self.knots[1:]
        hull = np.empty((0, 3)) if everywhere else self.hull
        return Distortion(self.source, self.target, coefficients, knots, hull, False)


@dataclass(frozen=True, eq=False)
class Distortion(Series):
    """A smooth displacement for each frame.

    Attributes
    ----------
    coefficients : (n, 2, rows, columns) float64
        Of the displacement down and to the right, in pixels.
    knots : (2, 4) float64
        Start, stop, cells and degree along rows and columns.
    hull : (m, 3) float64
        Half planes within which it is known; everywhere where there are none.
    inverted : bool
        From the distorted image to the straight one.
    """

    kind: ClassVar[str] = "distortion"
    series: ClassVar[str] = "coefficients"

    coefficients: Array
    knots: Array
    hull: Array
    inverted: bool

    @property
    def lattice(self) -> Lattice:
        """Of the splines."""
        return Lattice(axes_of(self.knots))

    def pull_back(self, points: Array, frame: int) -> Array:
        """Pixels of the target where they are in the source."""
        return self._back(points, frame) if self.inverted else self._forth(points, frame)

    def push(self, points: Array, frame: int) -> Array:
        """Pixels of the source where they are in the target."""
        return self._forth(points, frame) if self.inverted else self._back(points, frame)

    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back`, (n, 2, 2)."""
        at = np.asarray(points, np.float64)
        if self.inverted:
            at = straight_from(self.lattice, self.map_of(frame), at)
        slopes = slopes_of(self.lattice, self.map_of(frame), at)
        if not self.inverted:
            return slopes
        known = np.isfinite(slopes).all(axis=(1, 2))
        inverse = np.full_like(slopes, np.nan)
        inverse[known] = np.linalg.inv(slopes[known])
        return inverse

    def inverse(self) -> Distortion:
        """From source to target."""
        return replace(self, source=self.target, target=self.source, inverted=not self.inverted)

    def warp_image(self, planes: Array, frame: int, order: Literal[1, 3] = 3) -> Array:
        """Planes (channels, y, x) on the target, NaN where there are no data; 0 in integers."""
        whole = planes.dtype.kind not in "f"
        work = planes.astype(np.float64) if whole else planes
        work = np.ascontiguousarray(work, np.float32 if work.dtype.itemsize < 8 else np.float64)
        image = spline(work, order=order)
        if order == 3 and not self.inverted and planes.shape[1:] == self.target.shape:
            moved = straight_image(image, self.lattice, self.map_of(frame), self.hull)
        else:
            moved, _, inside = warp(image, self.displacement(frame))
            moved[:, ~(inside & self.known(frame))] = np.nan
        if not whole:
            return moved
        moved = np.nan_to_num(moved)
        if planes.dtype.kind == "b":
            return np.asarray(moved > 0.5)
        limits = np.iinfo(planes.dtype)
        return np.asarray(np.clip(np.rint(moved), limits.min, limits.max), planes.dtype)

    def warp_labels(self, planes: Array, frame: int) -> Array:
        """The same by the nearest pixel."""
        rows, columns = self.target.shape
        places = np.indices((rows, columns)) + self.displacement(frame)
        size = np.array(planes.shape[1:])[:, None, None]
        near = np.rint(np.nan_to_num(places, nan=-9)).astype(np.int64)
        inside = ((near >= 0) & (near < size)).all(axis=0) & self.known(frame)
        y, x = np.clip(near, 0, size - 1)
        return np.asarray(np.where(inside, planes[:, y, x], np.zeros((), planes.dtype)))

    def displacement(self, frame: int) -> Array:
        """Displacement of every pixel of the target, (2, rows, columns)."""
        shape = self.target.shape
        if not self.inverted:
            return self.lattice.on_grid(self.map_of(frame), [np.arange(n) for n in shape])
        places = np.argwhere(np.ones(shape, bool)).astype(float)
        back = straight_from(self.lattice, self.map_of(frame), places) - places
        return np.asarray(np.nan_to_num(back.T.reshape(2, *shape), nan=1e9))

    def known(self, frame: int) -> Array:
        """Pixels of the target, (rows, columns), for which there were nodes."""
        shape = self.target.shape
        if not len(self.hull):
            return np.ones(shape, bool)
        places = np.argwhere(np.ones(shape, bool)).astype(float)
        if self.inverted:
            places = straight_from(self.lattice, self.map_of(frame), places)
        return np.asarray(covered(self.hull, places).reshape(shape))

    def _forth(self, points: Array, frame: int) -> Array:
        at = np.asarray(points, np.float64)
        seen = seen_from(self.lattice, self.map_of(frame), at)
        return self._where_known(seen, at)

    def _back(self, points: Array, frame: int) -> Array:
        at = straight_from(self.lattice, self.map_of(frame), np.asarray(points, np.float64))
        return self._where_known(at, at)

    def _where_known(self, found: Array, straight: Array) -> Array:
        if len(self.hull):
            found = np.where(covered(self.hull, straight)[:, None], found, np.nan)
        return found

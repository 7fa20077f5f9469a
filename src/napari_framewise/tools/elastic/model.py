"""The model of elastic registration: an affine part and B-splines for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from napari_framewise.framework.model import Space
from napari_framewise.framework.series import Series
from napari_framewise.numerics.elastic import Field, coordinates, resampled
from napari_framewise.stacks.source import Array

_AROUND = 0.5
"""Pixels beyond the centres of the outermost ones up to which a frame reaches."""


@dataclass(frozen=True, eq=False)
class ElasticTransforms(Series):
    """Cubic B-splines on a lattice for every frame.

    Attributes
    ----------
    numbers : (n, (d + 1)^2 + d nodes) float64
        The affine matrix (d + 1, d + 1) of each frame, then the displacements (d, *lattice) of its
        nodes, in pixels; NaN where nothing was found.
    lattice : tuple of int
        Nodes along each axis of the frame that they lie on, one beyond either border.
    inverted : bool
        Whether the splines lead from the input to the output, and `pull_back` is their inverse by
        Newton's method.
    """

    kind: ClassVar[str] = "elastic"
    series: ClassVar[str] = "numbers"

    numbers: Array
    lattice: tuple[int, ...]
    inverted: bool = False

    @classmethod
    def of(cls, fields: Sequence[Field], source: Space, target: Space) -> ElasticTransforms:
        """The model of fields on one lattice."""
        rows = [np.concatenate([f.matrix.ravel(), f.coefficients.ravel()]) for f in fields]
        return cls(source, target, np.array(rows), fields[0].coefficients.shape[1:])

    def field(self, frame: int) -> Field:
        """The splines of a frame, from the pixels that the lattice lies on."""
        row, d = self.map_of(frame), len(self.lattice)
        matrix, nodes = row[: (d + 1) ** 2], row[(d + 1) ** 2 :]
        on = self.source if self.inverted else self.target
        return Field(matrix.reshape(d + 1, d + 1), nodes.reshape(d, *self.lattice), on.shape)

    def pull_back(self, points: Array, frame: int) -> Array:
        """Pixels of the target where they are in the source; NaN beyond the lattice's frame."""
        return self._through(points, frame, back=self.inverted)

    def push(self, points: Array, frame: int) -> Array:
        """Pixels of the source where they come to lie in the target."""
        return self._through(points, frame, back=not self.inverted)

    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back`, (n, d, d)."""
        field = self.field(frame)
        if not self.inverted:
            return field.jacobian(points)
        there = self.pull_back(points, frame)
        found = np.full((len(there), *2 * (len(self.lattice),)), np.nan)
        known = np.isfinite(there).all(axis=1)
        found[known] = np.linalg.inv(field.jacobian(there[known]))
        return found

    def inverse(self) -> ElasticTransforms:
        """The transforms from source to target: the same splines the other way round."""
        return replace(self, source=self.target, target=self.source, inverted=not self.inverted)

    def warp_image(self, planes: Array, frame: int, order: Literal[1, 3] = 3) -> Array:
        """Planes (channels, *grid) in their own type, NaN where there are no data, or 0."""
        return self._warped(planes, frame, order)

    def warp_labels(self, planes: Array, frame: int) -> Array:
        """The same by the nearest pixel."""
        return self._warped(planes, frame, 0)

    def _through(self, points: Array, frame: int, *, back: bool) -> Array:
        field = self.field(frame)
        given = np.asarray(points, np.float64).reshape(-1, len(self.lattice))
        if not np.isfinite(field.coefficients).all():
            return np.full_like(given, np.nan)
        found = field.push(given) if back else field.pull_back(given)
        on = found if back else given
        last = np.array(field.shape) - 1
        within = np.all((on >= -_AROUND) & (on <= last + _AROUND), axis=1)
        return np.where(within[:, None], found, np.nan)

    def _warped(self, planes: Array, frame: int, order: Literal[0, 1, 3]) -> Array:
        field = self.field(frame)
        shape = self.target.shape
        if not np.isfinite(field.coefficients).all():
            at = np.full((len(shape), *shape), np.nan)
        else:
            at = coordinates(field, shape, back=self.inverted)
        return resampled(planes, at, order)

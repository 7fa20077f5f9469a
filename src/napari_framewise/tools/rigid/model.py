"""The model of aligned volumes: a rigid motion for every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from scipy import ndimage

from napari_framewise.framework.series import Series
from napari_framewise.numerics.pyramid import filled
from napari_framewise.numerics.rigid import RigidMotion, inside
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class RigidTransforms(Series):
    """A matrix for every frame.

    Attributes
    ----------
    matrices : (n, d + 1, d + 1) float64
        From pixels (z, row, column, 1) of the target to those of the source; NaN where a frame
        could not be aligned.
    motion : str
        "translation" or "euclidean".
    """

    kind: ClassVar[str] = "rigid_transforms"
    series: ClassVar[str] = "matrices"

    matrices: Array
    motion: RigidMotion

    def pull_back(self, points: Array, frame: int) -> Array:
        """Pixels of the target where they are in the source."""
        matrix = self.map_of(frame)
        return np.asarray(points @ matrix[:-1, :-1].T + matrix[:-1, -1])

    def push(self, points: Array, frame: int) -> Array:
        """Pixels of the source where they are in the target."""
        return self.inverse().pull_back(points, frame)

    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back`: the same everywhere."""
        linear = self.map_of(frame)[:-1, :-1]
        return np.broadcast_to(linear, (len(points), *linear.shape)).copy()

    def inverse(self) -> RigidTransforms:
        """The inverse matrices, from source to target."""
        known = self.found
        back = np.full_like(self.matrices, np.nan)
        back[known] = np.linalg.inv(self.matrices[known])
        return replace(self, source=self.target, target=self.source, matrices=back)

    def warp_image(self, planes: Array, frame: int, order: Literal[1, 3] = 3) -> Array:
        """Volumes (channels, *shape) in their own type, NaN where there are no data."""
        return self._warped(planes, frame, order)

    def warp_labels(self, planes: Array, frame: int) -> Array:
        """The same by the nearest pixel."""
        return self._warped(planes, frame, 0)

    def _warped(self, planes: Array, frame: int, order: Literal[0, 1, 3]) -> Array:
        matrix, kind = self.map_of(frame), planes.dtype
        shape = self.target.shape or planes.shape[1:]
        exact = kind.itemsize > (2 if kind.kind in "iu" else 4)
        work = np.dtype(np.float64 if exact else np.float32)
        empty = np.nan if kind.kind == "f" else 0
        if not np.isfinite(matrix).all():
            return np.full((len(planes), *shape), empty, kind)
        out = np.empty((len(planes), *shape), kind)
        for number, plane in enumerate(planes):
            known = np.isfinite(plane)
            values = plane if order == 0 else filled(plane[None].astype(work))[0][0]
            moved = ndimage.affine_transform(
                values, matrix[:-1, :-1], matrix[:-1, -1], shape, order=order, mode="mirror"
            )
            seen = inside(matrix, shape, plane.shape)
            if not known.all():
                share = ndimage.affine_transform(
                    known.astype(np.float32), matrix[:-1, :-1], matrix[:-1, -1], shape, order=1,
                    mode="nearest",
                )  # fmt: skip
                seen &= share > 0.999
            if kind.kind in "iu" and order:
                limits = np.iinfo(kind)
                moved = np.clip(np.rint(moved), limits.min, limits.max)
            out[number] = np.where(seen, moved, empty)
        return out

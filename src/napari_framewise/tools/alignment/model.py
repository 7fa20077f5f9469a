"""The model of an alignment: a series of transforms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from napari_framewise.framework.series import Series
from napari_framewise.numerics.transforms import Motion, inverse, jacobian, mapped, warp
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Transforms(Series):
    """A 3 x 3 matrix for every frame.

    Attributes
    ----------
    matrices : (n, 3, 3) float64
        From pixels (row, column, 1) of the target to those of the source: a pull-back. NaN where a
        frame could not be aligned.
    motion : Motion
        Family of transforms.
    """

    kind: ClassVar[str] = "transforms"
    series: ClassVar[str] = "matrices"

    matrices: Array
    motion: Motion

    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        """Every frame has its matrix; one matrix serves all.

        Raises
        ------
        ValueError
            Where they are no 3 x 3 matrices, or as many as neither one nor the frames.
        """
        if self.maps.ndim != 3 or self.maps.shape[1:] != (3, 3):
            raise ValueError(
                f"The transforms have the shape {self.maps.shape}; a series of 3 x 3 matrices is "
                "needed."
            )
        return super().frames_of(count, name)

    def pull_back(self, points: Array, frame: int) -> Array:
        """Pixels of the target where they are in the source; NaN past a homography's horizon."""
        return mapped(self.map_of(frame), points)

    def push(self, points: Array, frame: int) -> Array:
        """Pixels of the source where they are in the target."""
        return mapped(inverse(self.map_of(frame)), points)

    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back`, (n, 2, 2)."""
        return jacobian(self.map_of(frame), points)

    def inverse(self) -> Transforms:
        """The inverse matrices, from source to target."""
        return replace(
            self, source=self.target, target=self.source, matrices=inverse(self.matrices)
        )

    def warp_image(self, planes: Array, frame: int, order: Literal[1, 3] = 3) -> Array:
        """Planes (channels, y, x) in their own type, NaN where there are no data; 0 in integers."""
        return self._warped(planes, frame, order)

    def warp_labels(self, planes: Array, frame: int) -> Array:
        """The same by the nearest pixel."""
        return self._warped(planes, frame, 0)

    def _warped(self, planes: Array, frame: int, order: Literal[0, 1, 3]) -> Array:
        # Files of other programs say no size: that of the frames then.
        rows, columns = self.target.shape or planes.shape[1:]
        last = np.moveaxis(planes, 0, -1)
        return np.moveaxis(warp(last, self.map_of(frame), (rows, columns), order=order), -1, 0)

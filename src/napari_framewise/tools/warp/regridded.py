"""A transform between other pixel grids than its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from napari_framewise.framework.transform import Transform
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class Regridded(Transform):
    """``T'(g) = after(T(before(g)))``, where both scale and shift each axis.

    Attributes
    ----------
    transform : Transform
        T.
    before, after : (2, d) float64
        Scale and shift of each axis: pixel g of the output is pixel ``scale * g + shift`` of T's.
    """

    kind: ClassVar[str] = ""

    transform: Transform
    before: Array
    after: Array

    @property
    def maps(self) -> Array:
        """Those of the transform."""
        return self.transform.maps

    def with_maps(self, maps: Array) -> Regridded:
        """The same grids with a transform of other frames."""
        return replace(self, transform=self.transform.with_maps(maps))

    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        """As the transform has them."""
        return self.transform.frames_of(count, name)

    def pull_back(self, points: Array, frame: int) -> Array:
        """Pixels of the output where they are in the input."""
        there = self.transform.pull_back(points * self.before[0] + self.before[1], frame)
        return np.asarray(there * self.after[0] + self.after[1])

    def push(self, points: Array, frame: int) -> Array:
        """Pixels of the input where they are in the output."""
        there = self.transform.push((points - self.after[1]) / self.after[0], frame)
        return np.asarray((there - self.before[1]) / self.before[0])

    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back`, by the chain rule."""
        inner = self.transform.jacobian(points * self.before[0] + self.before[1], frame)
        return np.asarray(self.after[0][:, None] * inner * self.before[0])

    def inverse(self) -> Regridded:
        """From input to output."""
        return Regridded(
            self.target,
            self.source,
            self.transform.inverse(),
            _inverted(self.after),
            _inverted(self.before),
        )


def _inverted(line: Array) -> Array:
    return np.array([1 / line[0], -line[1] / line[0]])

"""A contour: ordered points in a plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Contour:
    """Ordered points along an outline.

    Attributes
    ----------
    points : (m, 2) float64
        Rows and columns; pixel centres lie on integers. Seen with rows downwards, what it encloses
        lies to the left of the way along it: outer outlines run anticlockwise, those of holes
        clockwise.
    closed : bool
        The last point is followed by the first, which is not repeated.
    """

    points: Array
    closed: bool

    def __post_init__(self) -> None:
        points = np.asarray(self.points, np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(
                f"A contour was given points of shape {points.shape}; at least one row and column "
                "(m, 2) is needed."
            )
        object.__setattr__(self, "points", points)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def round(self) -> Array:
        """The points, of a closed one with the first behind the last."""
        return np.concatenate([self.points, self.points[:1]]) if self.closed else self.points

    def scaled(self, factors: tuple[float, float]) -> Contour:
        """The same with rows and columns multiplied, in its order."""
        return Contour(self.points * np.asarray(factors, np.float64), self.closed)

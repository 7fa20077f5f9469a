"""Where the descent towards an alignment stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.kernels import Place
from napari_framewise.numerics.transforms import normalised

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(eq=False)
class Candidate:
    """A place that may be the right one, and where the descent from it stands.

    Attributes
    ----------
    state : (11,) float64
        Matrix in unit coordinates, gain, offset.
    status : int
        Of the last descent.
    hessian, rhs, sums : ndarray
        Of the last step; see `kernels`.
    history : list of ndarray
        Rows per iteration.
    left : float
        Last step of the equations that end it, in pixels.
    """

    state: FloatArray
    status: int
    hessian: FloatArray
    rhs: FloatArray
    sums: FloatArray
    history: list[FloatArray]
    left: float = np.inf

    @classmethod
    def at(cls, matrix: FloatArray, gain: float = 1.0, offset: float = 0.0) -> Candidate:
        """One that begins at a matrix and a brightness."""
        state = np.array([*normalised(matrix).ravel(), gain, offset])
        return cls(state, 0, np.zeros((10, 10)), np.zeros(10), np.zeros(11), [])

    @property
    def matrix(self) -> FloatArray:
        """The matrix in unit coordinates."""
        return self.state[:9].reshape(3, 3)

    @property
    def place(self) -> Place:
        """As kernels take it."""
        return Place(np.ascontiguousarray(self.matrix), float(self.state[9]), float(self.state[10]))

    @property
    def correlation(self) -> float:
        """Of template and image, whatever the loss thought of them; near -1 where there is none."""
        total = self.sums[1]
        if self.status > 1 or not total > 0:
            return -0.9999
        image, image_squares, template, template_squares, cross = self.sums[6:] / total
        power = (image_squares - image**2) * (template_squares - template**2)
        if not power > 0:
            return -0.9999
        return float(np.clip((cross - image * template) / np.sqrt(power), -0.9999, 1))

    @property
    def score(self) -> float:
        """Fisher's z times the root of the pixels: a fit to a few pixels at a border is no fit."""
        return float(np.arctanh(min(self.correlation, 0.9999)) * np.sqrt(self.sums[0]))

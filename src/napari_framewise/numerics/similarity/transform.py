"""Transforms that give a cross-correlation at the shifts that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Transform:
    """A canvas that images are laid on, and the shifts that two of them are compared at.

    Attributes
    ----------
    canvas : tuple of int
        Rows and columns that hold every image.
    reach : tuple of int
        Largest shift along rows and columns, either way.
    """

    canvas: tuple[int, int]
    reach: tuple[int, int]

    @cached_property
    def padded(self) -> tuple[int, int]:
        """Even sides of the transform: shifts within the reach meet no image from behind."""
        rows, columns = (_even(n + s) for n, s in zip(self.canvas, self.reach, strict=True))
        return rows, columns

    @property
    def surface(self) -> tuple[int, int]:
        """Shape of a surface of shifts."""
        return 2 * self.reach[0] + 1, 2 * self.reach[1] + 1

    @property
    def half(self) -> int:
        """Frequencies along columns, rounded up to a whole four."""
        return _up(self.padded[1] // 2 + 1, 4)

    def spectra(self, planes: NDArray[Any]) -> Floats:
        """Spectra of planes on the canvas (n, y, x): (n, P, 2 L) float32, real parts first."""
        found = fft.rfft2(planes, self.padded, axes=(-2, -1))
        out = np.zeros((len(planes), self.padded[0], 2 * self.half), np.float32)
        width = found.shape[-1]
        out[..., :width] = found.real
        out[..., self.half : self.half + width] = found.imag
        return out

    @cached_property
    def tables(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Cosines and sines of shifts by frequencies of rows, and the same of columns, weighed.

        Those of columns are (2 L, 2 (T + 1)): from a real and an imaginary part to what belongs to
        shifts of either sign, of even and of odd sums over the rows.
        """
        rows, columns = self.padded
        of_rows = _phases(self.reach[0], rows // 2 + 1, rows)
        of_columns = _phases(self.reach[1], self.half, columns)
        frequency = np.arange(self.half)
        # Frequencies 0 and Q / 2 have no twin of their own; what lies beyond is padding.
        weights = np.where((frequency == 0) | (2 * frequency == columns), 1.0, 2.0)
        weights = np.where(2 * frequency > columns, 0.0, weights) / (rows * columns)
        cosine, sine = (np.cos(of_columns) * weights).T, (np.sin(of_columns) * weights).T
        even = np.block([[cosine, cosine], [-sine, sine]])
        odd = np.block([[sine, -sine], [cosine, cosine]])
        cosines, sines, even, odd = (
            np.ascontiguousarray(table, np.float32)
            for table in (np.cos(of_rows), np.sin(of_rows), even, odd)
        )
        return cosines, sines, even, odd


def _even(least: int) -> int:
    size = fft.next_fast_len(least, real=True)
    while size % 2:
        size = fft.next_fast_len(size + 1, real=True)
    return int(size)


def _up(number: int, unit: int) -> int:
    return number + -number % unit


def _phases(reach: int, count: int, period: int) -> NDArray[np.float64]:
    shifts, frequencies = np.arange(reach + 1.0), np.arange(count + 0.0)
    return np.asarray(2 * np.pi / period * np.outer(shifts, frequencies), np.float64)

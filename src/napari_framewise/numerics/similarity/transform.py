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
        """Cosines and sines of shifts by frequencies, of rows and of columns, these weighed."""
        rows, columns = self.padded
        of_rows = _phases(self.reach[0], rows // 2 + 1, rows)
        of_columns = _phases(self.reach[1], self.half, columns)
        frequency = np.arange(self.half)
        # Frequencies 0 and Q / 2 have no twin of their own; what lies beyond is padding.
        weights = np.where((frequency == 0) | (2 * frequency == columns), 1.0, 2.0)
        weights = np.where(2 * frequency > columns, 0.0, weights) / (rows * columns)
        cosine, sine = np.cos(of_columns) * weights, np.sin(of_columns) * weights
        return _filled(np.cos(of_rows)), _filled(np.sin(of_rows)), _filled(cosine), _filled(sine)

    def room(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Memory for one thread's kernel."""
        lines = _up(self.padded[0] // 2 + 1, 4)
        shifts = _up(2 * (self.reach[0] + 1), 8)
        wide = 2 * self.half
        shapes = (
            (lines, wide),
            (lines, wide),
            (2, 2, wide),
            (2, self.half, shifts),
            (2, 2, shifts),
        )
        even, odd, between, turned, across = (np.zeros(shape, np.float32) for shape in shapes)
        return even, odd, between, turned, across


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


def _filled(table: NDArray[np.float64]) -> Floats:
    """Float32, with zeros up to an even number of lines of whole fours."""
    rows, columns = table.shape
    out = np.zeros((_up(rows, 2), _up(columns, 4)), np.float32)
    out[:rows, :columns] = table
    return out

"""A cheap look at every pair of very many images: which are worth comparing exactly.

Images are reduced to 16 pixels along their longer side, and each is correlated with each other at
every whole shift of these, over what overlaps. Of the reduced images the first principal components
are kept, so that all shifts of many pairs are one product of matrices. The best candidates of an
image are then looked at closer, with 32 pixels along the longer side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity.prepared import Canvas
from napari_framewise.numerics.similarity.screen_kernels import (
    best_of_shifts,
    keep_best,
    looked_at_closer,
)
from napari_framewise.numerics.similarity.transform import Floats, Transform

_SIDE, _FINE_SIDE = 16, 32
_COMPONENTS = 64
# Images whose products a processor's cache holds.
_ROWS, _COLUMNS = 64, 32
_LEARNED_FROM = 4096


@dataclass(frozen=True, eq=False)
class Small:
    """Images as the screen takes them.

    Attributes
    ----------
    coarse : (n, pixels) float32
        Means of `Screen.step` pixels a side.
    sizes : (n, shifts) float32
        One over their size where they overlap, for each shift.
    fine : (n, rows, columns) int8
        Of half as many, each image by its own scale.
    """

    coarse: Floats
    sizes: Floats
    fine: NDArray[np.int8]

    def of(self, places: NDArray[np.int64]) -> Small:
        """Some of them."""
        return Small(self.coarse[places], self.sizes[places], self.fine[places])

    @classmethod
    def joined(cls, parts: Sequence[Small]) -> Small:
        """All that are in some."""
        return cls(
            *(np.concatenate([getattr(p, n) for p in parts]) for n in ("coarse", "sizes", "fine"))
        )


@dataclass(frozen=True, eq=False)
class Screen:
    """How images are reduced, and the shifts at which they are looked at.

    Attributes
    ----------
    step, fine_step : int
        Pixels of an image along a pixel of the reduced one, and of the finer one.
    least_overlap : float
        Share of the pixels that must overlap.
    shape : tuple of int
        Of a reduced image.
    shifts : (k, 2) int
        In pixels of the reduced image.
    basis : (pixels, components) float32
        Principal components of reduced images.
    shifted : (pixels, k * components) float32
        The same, moved by each shift.
    weights : (k,) float32
        Root of the share of pixels that overlap at each shift.
    overlaps : (pixels, k) float32
        1 where a pixel of the first overlaps with the second, for each shift.
    """

    step: int
    fine_step: int
    least_overlap: float
    shape: tuple[int, int]
    shifts: NDArray[np.int64]
    basis: Floats
    shifted: Floats
    weights: Floats
    overlaps: Floats

    @classmethod
    def learned(cls, canvas: Canvas, transform: Transform, least_overlap: float) -> Screen:
        """From some of the images.

        Examples
        --------
        >>> from napari_framewise.numerics.similarity import on_canvas
        >>> ready = on_canvas(np.random.default_rng(0).normal(size=(40, 32, 32)), (32, 32))
        >>> screen = Screen.learned(ready, Transform((32, 32), (4, 4)), 0.3)
        >>> screen.step, screen.shape, len(screen.shifts)
        (2, (16, 16), 25)
        """
        step, fine = (_step(transform, side) for side in (_SIDE, _FINE_SIDE))
        rows, columns = (-(-side // step) for side in transform.canvas)
        shifts, overlap = coarse_shifts(transform, least_overlap)
        small = reduced(canvas.values[:_LEARNED_FROM], step)
        spread = small.T.astype(np.float64) @ small
        _, vectors = np.linalg.eigh(spread)
        count = min(_COMPONENTS, len(vectors))
        basis = vectors[:, ::-1][:, :count].astype(np.float32)
        planes = basis.T.reshape(count, rows, columns)
        moved = np.zeros((len(shifts), count, rows, columns), np.float32)
        known = np.zeros((len(shifts), rows, columns), np.float32)
        for place, (dy, dx) in enumerate(shifts):
            # A pixel x of the first lies on x + d of the second.
            here = _span(dy, rows), _span(dx, columns)
            there = _span(-dy, rows), _span(-dx, columns)
            moved[(place, slice(None), *there)] = planes[(slice(None), *here)]
            known[(place, *here)] = 1
        return cls(
            step,
            fine,
            least_overlap,
            (rows, columns),
            shifts,
            basis,
            np.ascontiguousarray(moved.reshape(len(shifts) * count, -1).T),
            np.sqrt(overlap).astype(np.float32),
            np.ascontiguousarray(known.reshape(len(shifts), -1).T),
        )

    def reduced(self, values: Floats) -> Small:
        """Images on the canvas (n, y, x) as the screen takes them."""
        rows, columns = (-(-side // self.fine_step) for side in values.shape[1:])
        fine = reduced(values, self.fine_step).reshape(len(values), rows, columns)
        largest = np.abs(fine).max(axis=(1, 2), keepdims=True, initial=0.0)
        whole = np.rint(fine * (127 / np.where(largest > 0, largest, 1))).astype(np.int8)
        coarse = reduced(values, self.step)
        return Small(coarse, self._sizes(coarse), whole)

    def candidates(
        self, first: Floats, after: NDArray[np.int64], second: Floats, begin: int, count: int
    ) -> tuple[NDArray[np.int32], Floats]:
        """For some images the numbers of others that are worth comparing, and their scores.

        Parameters
        ----------
        first : (n, pixels) float32
            Those that are looked at, reduced.
        after : (n,) int
            Only images of a number above this count.
        second : (m, pixels) float32
            The others.
        begin : int
            Number of the first of these.
        count : int
            How many to name for each; -1 where there are fewer.
        """
        kept = np.full((len(first), count), -np.inf, np.float32)
        numbers = np.full((len(first), count), -1, np.int32)
        for top, left, found in self._tiles(first, second):
            rows = slice(top, top + len(found))
            keep_best(found, begin + left, after[rows], kept[rows], numbers[rows])
        return numbers, kept

    def closer(
        self, first: Small, second: Small, candidates: NDArray[np.int32], count: int
    ) -> NDArray[np.int32]:
        """Of candidates (n, c) of the first, numbers in the second, the best: (n, count)."""
        worth = np.empty(candidates.shape, np.float32)
        room = np.empty((2, *first.fine.shape[1:]), np.float32)
        looked_at_closer(
            first.coarse.reshape(-1, *self.shape), self._factors(first.coarse),
            second.coarse.reshape(-1, *self.shape), second.sizes,
            first.fine, second.fine, np.ascontiguousarray(candidates), self.shifts,
            self.step / self.fine_step, self.least_overlap, room, worth,
        )  # fmt: skip
        best = np.argsort(-worth, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(candidates, best, axis=1)

    def _factors(self, first: Floats) -> Floats:
        """Weight over size of some images within the overlap at each shift (n, k)."""
        energy = np.sqrt(np.maximum(first**2 @ self.overlaps, 1e-12))
        return np.ascontiguousarray(self.weights / energy, np.float32)

    def _sizes(self, second: Floats) -> Floats:
        """One over the size of the others: overlaps of the opposite shifts, in reverse order."""
        energy = np.maximum(second**2 @ self.overlaps[:, ::-1], 1e-12)
        return np.ascontiguousarray(1 / np.sqrt(energy), np.float32)

    def scores(self, first: Floats, second: Floats) -> Floats:
        """Correlation of reduced images at their best shift, weighed by the overlap: (n, m)."""
        out = np.empty((len(first), len(second)), np.float32)
        for top, left, found in self._tiles(first, second):
            out[top : top + len(found), left : left + found.shape[1]] = found
        return out

    def _tiles(self, first: Floats, second: Floats) -> Iterator[tuple[int, int, Floats]]:
        """First row and column of tiles of scores, and these."""
        count = self.basis.shape[1]
        shifts = len(self.shifts)
        mine = first @ self.basis
        factors = self._factors(first)
        block = np.empty(_ROWS * _COLUMNS, np.float32)
        room = np.empty(_ROWS * shifts * _COLUMNS, np.float32)
        for start in range(0, len(second), _COLUMNS):
            part = second[start : start + _COLUMNS]
            moved = (part @ self.shifted).reshape(len(part), shifts, count)
            # The pairs of one shift stand together, so that the kernel takes them at once.
            theirs = (moved * self._sizes(part)[..., None]).transpose(2, 1, 0).reshape(count, -1)
            for top in range(0, len(first), _ROWS):
                lines = mine[top : top + _ROWS]
                products = room[: len(lines) * theirs.shape[1]].reshape(len(lines), -1)
                np.matmul(lines, theirs, out=products)
                found = block[: len(lines) * len(part)].reshape(len(lines), len(part))
                shaped = products.reshape(len(lines), shifts, len(part))
                best_of_shifts(shaped, factors[top : top + _ROWS], found)
                yield top, start, found


def coarse_shifts(
    transform: Transform, least_overlap: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Shifts (k, 2) of reduced images, in their pixels, and the share that overlaps at each.

    Examples
    --------
    >>> shifts, _ = coarse_shifts(Transform((64, 64), (16, 16)), 0.3)
    >>> len(shifts)
    81
    """
    step = _step(transform, _SIDE)
    shape = [-(-side // step) for side in transform.canvas]
    reach = [-(-each // step) for each in transform.reach]
    grid = np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1].reshape(2, -1).T
    overlap = np.prod(np.maximum(shape - np.abs(grid), 0) / shape, axis=1)
    kept = overlap >= min(least_overlap, overlap.max()) - 1e-9
    return grid[kept], overlap[kept]


def _step(transform: Transform, side: int) -> int:
    """Pixels of an image along one of it reduced to so many a side."""
    return max(1, -(-max(transform.canvas) // side))


def displaced(values: Floats, reach: tuple[int, int], least: float, seed: int = 0) -> Floats:
    """Images moved by random shifts within the reach, at which a share at least of each is left.

    What comes in from outside is 0, the mean.

    Examples
    --------
    >>> displaced(np.ones((1, 4, 4), np.float32), (0, 0), 0.5).sum()
    np.float32(16.0)
    """
    rng = np.random.default_rng(seed)
    rows, columns = values.shape[1:]
    moved = np.zeros_like(values)
    for target, image in zip(moved, values, strict=True):
        share = -1.0
        while share < min(least, 1.0):
            dy, dx = (int(rng.integers(-each, each + 1)) for each in reach)
            share = (rows - abs(dy)) * (columns - abs(dx)) / (rows * columns)
        target[_span(-dy, rows), _span(-dx, columns)] = image[_span(dy, rows), _span(dx, columns)]
    return moved


def _span(shift: int, length: int) -> slice:
    """Pixels x of the first with x + shift within the second."""
    return slice(max(0, -shift), max(0, min(length, length - shift)))


def reduced(values: Floats, step: int) -> Floats:
    """Means of step x step pixels of images (n, y, x): (n, pixels).

    Examples
    --------
    >>> reduced(np.arange(8, dtype=np.float32).reshape(1, 2, 4), 2).tolist()
    [[2.5, 4.5]]
    """
    n, rows, columns = values.shape
    padded = np.pad(values, ((0, 0), (0, -rows % step), (0, -columns % step)))
    parts = padded.reshape(n, padded.shape[1] // step, step, padded.shape[2] // step, step)
    pixels = parts.shape[1] * parts.shape[3]
    return np.ascontiguousarray(parts.mean(axis=(2, 4), dtype=np.float32).reshape(n, pixels))

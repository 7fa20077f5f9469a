"""Sums of products of images at the shifts that are wanted, and no others.

Of an inverse transform only shifts of up to some pixels are needed. For those alone cosines and
sines are summed, positive and negative shifts and frequencies together, as products of matrices for
many pairs at once. What an image sums to under a mask that is a rectangle takes running sums only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.similarity import surface_kernels as kernels
from napari_framewise.numerics.similarity.transform import Floats, Transform

# Memory for the products of some pairs, about what a processor's cache holds.
_BYTES = 3 << 18
_MOST = 64


class Surfaces:
    """Cross-correlation of many pairs of images, with memory to work in.

    Parameters
    ----------
    transform : Transform

    Examples
    --------
    >>> plane = np.zeros((1, 4, 4), np.float32)
    >>> plane[0, 1, 1] = 2
    >>> transform = Transform((4, 4), (1, 1))
    >>> spectra = transform.spectra(plane)
    >>> ((_, found),) = Surfaces(transform).of(spectra, spectra, np.array([[0, 0]]))
    >>> found[0].round(5).tolist()
    [[0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, transform: Transform) -> None:
        self.transform = transform
        lines, count = transform.padded[0] // 2 + 1, transform.reach[0] + 1
        wide, across = 2 * transform.half, 2 * (transform.reach[1] + 1)
        sizes = (lines * wide, lines * wide, count * wide, count * across, count * across)
        each = 4 * (sum(sizes) + int(np.prod(transform.surface)))
        self.batch = int(min(_MOST, max(1, _BYTES // each)))
        self._room = [np.empty(self.batch * size, np.float32) for size in sizes]
        self._out = np.empty((self.batch, *transform.surface), np.float32)

    def of(
        self, firsts: Floats, seconds: Floats, pairs: NDArray[np.int64]
    ) -> Iterator[tuple[slice, Floats]]:
        """Sum over x of f(x) g(x + d), for some pairs at a time: which of them, and (k, ...).

        Parameters
        ----------
        firsts, seconds : (n, P, 2 L) float32
            Spectra.
        pairs : (m, 2) int
            Number of an f of the first, and of a g of the second.
        """
        transform = self.transform
        cosines, sines, real_columns, cross_columns = transform.tables
        lines, count, wide = firsts.shape[1] // 2 + 1, len(cosines), firsts.shape[2]
        for start in range(0, len(pairs), self.batch):
            part = pairs[start : start + self.batch]
            n = len(part)
            even, odd = (
                room[: lines * n * wide].reshape(lines, n, wide) for room in self._room[:2]
            )
            turned = self._room[2][: count * n * wide].reshape(count, n * wide)
            kernels.folded_products(firsts, seconds, part, even, odd)
            sides = []
            # The sums at shifts s and -s of the rows are a + i b and a - i b.
            for table, folded, columns, room in (
                (cosines, even, real_columns, self._room[3]),
                (sines, odd, cross_columns, self._room[4]),
            ):
                np.matmul(table, folded.reshape(lines, -1), out=turned)
                across = columns.shape[1]
                side = room[: count * n * across].reshape(count * n, across)
                np.matmul(turned.reshape(count * n, wide), columns, out=side)
                sides.append(side.reshape(count, n, across))
            out = self._out[:n]
            kernels.unfolded(sides[0], sides[1], out)
            yield slice(start, start + n), out


def rectangle(mask: Floats) -> NDArray[np.int64] | None:
    """First row, row behind the last, and columns of a mask that is one rectangle of ones.

    Examples
    --------
    >>> mask = np.zeros((4, 5), np.float32)
    >>> mask[1:3, 2:] = 1
    >>> rectangle(mask).tolist()
    [1, 3, 2, 5]
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    box = np.array([rows[0], rows[-1] + 1, columns[0], columns[-1] + 1], np.int64)
    return box if mask[box[0] : box[1], box[2] : box[3]].all() else None

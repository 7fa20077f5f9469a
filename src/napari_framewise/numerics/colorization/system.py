"""The linear system of colorization, factored once for a luminance and places of scribbles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from napari_framewise.numerics.colorization.affinity import Affinity, windows_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_LEAF = 64
_BYTES_PER_ENTRY = 12.0


@dataclass(frozen=True, eq=False)
class Factored:
    """``U_r - sum_s w_rs U_s = 0`` for every pixel r that is not marked, ready to be solved.

    Attributes
    ----------
    marked : (*grid) ndarray of bool
        Pixels whose colour is known.
    reached : (*grid) ndarray of bool
        Pixels with data from which neighbours lead to a marked one.
    nbytes : int
        About the memory that it takes.
    """

    marked: NDArray[np.bool_]
    reached: NDArray[np.bool_]
    nbytes: int
    _free: IntArray
    _from_marked: Any
    _factors: Any

    def solve(self, chroma: FloatArray) -> FloatArray:
        """Chroma of all pixels from that of the marked ones: two triangular solutions.

        Parameters
        ----------
        chroma : (*grid, c)
            What stands in pixels that are not marked does not count.

        Returns
        -------
        (*grid, c) float64
            The same in marked pixels; 0 where none leads to.
        """
        out = np.where(self.marked[..., None], chroma, 0.0)
        flat = out.reshape(-1, out.shape[-1])
        if len(self._free):
            flat[self._free] = self._factors.solve(
                np.ascontiguousarray(self._from_marked @ flat[self.marked.ravel()])
            )
        return out


def factored(weights: Affinity, marked: NDArray[np.bool_]) -> Factored:
    """Factor the system of all pixels that are not marked but reached.

    The marked pixels are eliminated; what is left, an M-matrix with rows that add up to at least 0,
    needs no pivoting, and is factored by SuperLU in the order of a nested dissection of the grid
    (George 1973): along its longest side into halves and the pixels between them, again and again.

    Parameters
    ----------
    weights : Affinity
    marked : (*grid) ndarray of bool
        Pixels whose colour is known; those without data are none.

    Returns
    -------
    Factored

    References
    ----------
    George, A. (1973), SIAM J. Numer. Anal. 10, 345-363 (nested dissection); Li, X. S. (2005), ACM
    Trans. Math. Softw. 31, 302-325 (SuperLU).

    Examples
    --------
    >>> from napari_framewise.numerics.colorization import affinity
    >>> marked = np.array([[True, False, False, True]])
    >>> system = factored(affinity(np.zeros((1, 4))), marked)
    >>> system.solve(np.array([[[0.0], [9.0], [9.0], [3.0]]]))[0, :, 0].round(12).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    marked = marked & weights.known
    shape, size = weights.known.shape, weights.known.size
    matrix = _matrix(weights)
    _, part = connected_components(matrix, directed=False)
    lively = np.zeros(part.max(initial=-1) + 1, bool)
    lively[part[marked.ravel()]] = True
    reached = lively[part].reshape(shape) & weights.known
    free = dissected(shape)
    free = free[(reached & ~marked).ravel()[free]]
    mine = matrix[free]
    from_marked = mine[:, np.flatnonzero(marked)]
    factors, entries = None, 0
    if len(free):
        system = (sparse.identity(len(free), format="csr") - mine[:, free]).tocsc()
        factors = splu(
            system,
            permc_spec="NATURAL",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True, "Equil": False},
        )
        entries = int(factors.nnz)
    nbytes = int(_BYTES_PER_ENTRY * entries) + 24 * size
    return Factored(marked, reached, nbytes, free, from_marked, factors)


def _matrix(weights: Affinity) -> Any:
    """W: rows are pixels, columns their neighbours."""
    shape = weights.known.shape
    numbers = np.arange(prod(shape), dtype=np.int32).reshape(shape)
    rows, columns, values = [], [], []
    for offset, each in zip(weights.offsets, weights.weights, strict=True):
        here, there = windows_of(offset, shape)
        use = each[here] > 0
        rows.append(numbers[here][use])
        columns.append(numbers[there][use])
        values.append(each[here][use])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=(numbers.size, numbers.size))


@lru_cache(maxsize=4)
def dissected(shape: tuple[int, ...]) -> IntArray:
    """Numbers of the pixels of a grid in the order of a nested dissection.

    Examples
    --------
    >>> sorted(dissected((3, 2)).tolist())
    [0, 1, 2, 3, 4, 5]
    """
    parts: list[IntArray] = []

    def dissect(box: IntArray) -> None:
        axis = int(np.argmax(box.shape))
        if box.size <= _LEAF or box.shape[axis] < 3:
            parts.append(box.ravel())
            return
        middle = box.shape[axis] // 2
        before, between, behind = np.split(box, [middle, middle + 1], axis=axis)
        dissect(before)
        dissect(behind)
        parts.append(between.ravel())

    dissect(np.arange(prod(shape)).reshape(shape))
    return np.concatenate(parts)


def memory_needed(shape: tuple[int, ...]) -> int:
    """About how many bytes the factors of a grid take, with what is needed to find them.

    Separators of a nested dissection are dense among themselves and with what surrounds their box.

    Examples
    --------
    >>> round(memory_needed((512, 512)) / 2**20, -2)
    400.0
    """
    return int(_BYTES_PER_ENTRY * 1.1 * _entries(tuple(sorted(shape))) + 250 * prod(shape))


@lru_cache(maxsize=4096)
def _entries(shape: tuple[int, ...]) -> float:
    """Entries of both factors of a box with its surroundings."""
    longest, across = shape[-1], prod(shape[:-1])
    around = 2 * sum(prod(shape) // max(1, length) for length in shape if length > 1)
    if prod(shape) <= _LEAF or longest < 3:
        return prod(shape) * (prod(shape) / 2 + around)
    middle = longest // 2
    halves = [tuple(sorted((*shape[:-1], length))) for length in (middle, longest - middle - 1)]
    return across * (across + around) + sum(map(_entries, halves))

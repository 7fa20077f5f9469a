"""Copies inside kernels.

An assignment of an array to a slice makes numba compile its sentence about shapes that differ:
seconds of compiling per kernel, for a check that these kernels do not need.
"""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import in_order, part


@part
@in_order
def copy_line(source: Any, target: Any) -> None:
    """Copy the elements of one axis.

    Examples
    --------
    >>> target = np.zeros((2, 3))
    >>> copy_line(np.array([1.0, 2.0, 3.0]), target[1])
    >>> target.tolist()
    [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]
    """
    for i in range(target.size):
        target[i] = source[i]


@part
@in_order
def copy_table(source: Any, target: Any) -> None:
    """Copy the elements of two axes.

    Examples
    --------
    >>> target = np.zeros((2, 2))
    >>> copy_table(np.eye(2), target)
    >>> target.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            target[i, j] = source[i, j]

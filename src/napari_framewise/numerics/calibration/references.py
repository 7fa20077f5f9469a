"""Where nodes should be, and which node of one image is which of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.grid_nodes import shift_between

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


def common_index(
    places: Sequence[Array], index: Sequence[IntArray], order: Sequence[int]
) -> list[IntArray]:
    """Rows and columns of the nodes of several images, counted as in the first of an order.

    From image to image along the order, by the least motion (`shift_between`).

    Parameters
    ----------
    places, index : list of (n, 2)
        Nodes of each image; images without any stay so.
    order : sequence of int
        Images, each near one before it: the reference first.

    Examples
    --------
    >>> index = np.argwhere(np.ones((2, 3)))
    >>> nodes = index * 10.0
    >>> same = common_index([nodes, nodes + 1], [index, index + 5], [0, 1])
    >>> bool((same[1] == index).all())
    True
    """
    found = [np.asarray(each) for each in index]
    done: list[int] = []
    for number in order:
        if len(found[number]) and done:
            near = done[-1] if abs(number - done[-1]) <= abs(number - done[0]) else done[0]
            shift = shift_between(places[number], found[number], places[near], found[near])
            found[number] = found[number] + np.array(shift)
        if len(found[number]):
            done.append(number)
    return found


def regular_grid(places: Array, index: IntArray) -> tuple[Array, Array]:
    """The square grid that lies closest to nodes: its origin (2,) and its step to the next column.

    The step (down, right) of a row is that of a column turned by a quarter. Least squares over
    shift, rotation and scale.

    Examples
    --------
    >>> nodes = np.array([[1.0, 2], [1, 5], [4, 2]])
    >>> origin, step = regular_grid(nodes, np.argwhere([[1, 1], [1, 0]]))
    >>> origin.round(9).tolist(), step.round(9).tolist()
    ([1.0, 2.0], [0.0, 3.0])
    """
    rows, columns = index.T.astype(float)
    zero, one = np.zeros_like(rows), np.ones_like(rows)
    # y = y0 + r sx + c sy, x = x0 + c sx - r sy, for the step (sy, sx).
    upper = np.stack([one, zero, columns, rows], axis=1)
    lower = np.stack([zero, one, -rows, columns], axis=1)
    target = np.concatenate([places[:, 0], places[:, 1]])
    found = np.linalg.lstsq(np.concatenate([upper, lower]), target, rcond=None)[0]
    return found[:2], found[2:]

"""Sorting networks: the same comparisons whatever the values, so that many rows sort at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=64)
def selection_network(size: int, ranks: tuple[int, ...]) -> NDArray[np.int64]:
    """Comparators that bring the elements of the given ranks to their places.

    Odd-even merge sort (Batcher, 1968, Sorting networks and their applications, AFIPS 32,
    307-314), without the comparators that no given rank depends on.

    Parameters
    ----------
    size : int
        Number of elements.
    ranks : tuple of int
        0 is the least.

    Returns
    -------
    (m, 2) int64
        In order: the lesser of both elements goes to the first place, the greater to the second.

    Examples
    --------
    >>> selection_network(3, (0, 1, 2)).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    needed = set(ranks)
    kept: list[tuple[int, int]] = []
    for first, second in reversed(_merge_sort(size)):
        if first in needed or second in needed:
            needed |= {first, second}
            kept.append((first, second))
    network = np.array(kept[::-1], np.int64).reshape(-1, 2)
    network.flags.writeable = False
    return network


def _merge_sort(size: int) -> Sequence[tuple[int, int]]:
    """Comparators that sort; what is beyond `size` counts as the greatest and stays where it is."""
    found: list[tuple[int, int]] = []
    run = 1
    while run < size:
        reach = run
        while reach:
            for start in range(reach % run, size - reach, 2 * reach):
                places = range(start, min(start + reach, size - reach))
                found += [
                    (first, first + reach)
                    for first in places
                    if first // (2 * run) == (first + reach) // (2 * run)
                ]
            reach //= 2
        run *= 2
    return found

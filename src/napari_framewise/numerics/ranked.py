"""Order statistics inside kernels."""

from __future__ import annotations

from typing import Any

from napari_framewise.numerics.compiling import in_order


@in_order
def select(values: Any, rank: int) -> Any:
    """The element of a rank (from 0), by Hoare's partition (1961); smaller ones end up in front.

    Examples
    --------
    >>> values = np.array([3.0, 9.0, 1.0, 7.0])
    >>> float(select(values, 2))
    7.0
    >>> float(values[:2].max())
    3.0
    """
    left, right = 0, values.size - 1
    while left < right:
        a, b, c = values[left], values[(left + right) // 2], values[right]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            right = j
        elif rank >= i:
            left = i
        else:
            break
    return values[rank]

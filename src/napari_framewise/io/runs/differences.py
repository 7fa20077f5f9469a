"""How far two arrays are from each other, value by value and block by block."""

from __future__ import annotations

import numpy as np

from napari_framewise.stacks.source import Array


class Difference:
    """The largest difference of two arrays that come in blocks.

    Attributes
    ----------
    largest : float
        Largest |now - then| where both are finite; infinite where one is not finite and the other
        is something else.
    size : float
        Largest finite |then|.
    """

    def __init__(self) -> None:
        self.largest = 0.0
        self.size = 0.0

    def add(self, then: Array, now: Array) -> None:
        """Compare a block of the same shape."""
        finite = np.isfinite(then) & np.isfinite(now)
        # NaN beside NaN and equal infinities are the same.
        same = finite | (then == now) | ((then != then) & (now != now))
        if then.dtype.kind in "iu" and now.dtype.kind in "iu":
            # float64 does not hold all 64-bit integers.
            apart = np.where(then > now, then - now, now - then)
        else:
            wide = np.result_type(then.dtype, now.dtype, np.float64)
            before, after = (np.where(finite, each, 0).astype(wide) for each in (then, now))
            with np.errstate(over="ignore"):
                apart = np.abs(after - before)
        size = np.abs(np.where(np.isfinite(then), then, 0).astype(np.float64))
        self.size = max(self.size, float(size.max(initial=0.0)))
        self.largest = max(self.largest, float(apart.max(initial=0)))
        if not same.all():
            self.largest = np.inf

    @property
    def relative(self) -> float:
        """Largest difference over the size; the difference itself where all was 0."""
        return self.largest / self.size if self.size else self.largest

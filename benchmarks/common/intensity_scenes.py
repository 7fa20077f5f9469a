"""Stacks and limits that the benchmarks of intensities share."""

from __future__ import annotations

import numba
import numpy as np

# Name: frames, side, channels, type.
STACKS = {
    "A": (10_000, 64, 1, np.uint16),
    "B": (96_108, 7, 1, np.uint16),
    "C": (2_000, 256, 1, np.uint16),
    "D": (10_000, 64, 3, np.uint8),
}


def made(name: str) -> np.ndarray:
    """Frames of different brightness."""
    count, side, channels, dtype = STACKS[name]
    rng = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    shape = (count, side, side) if channels == 1 else (count, side, side, channels)
    frames = np.empty(shape, dtype)
    for start in range(0, count, 500):
        part = frames[start : start + 500]
        bright = rng.integers(0, top // 2, (len(part), *(1,) * (part.ndim - 1)))
        part[:] = bright + rng.integers(0, top // 2, part.shape)
    return frames


@numba.njit(nogil=True, cache=True)
def read_and_write(values, out):  # type: ignore[no-untyped-def]
    """Copy a flat array into another of any type: the limit of what gives frames back."""
    for j in range(len(values)):
        out[j] = values[j]

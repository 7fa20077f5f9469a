"""A frame and its guide as the filter takes them: planes of channels, and what holds data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
NARROW = 2


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes
    ----------
    values : (c, z, y, x) float
        What is filtered; 0 where there are no data.
    guide : (k, z, y, x) float
        What distances in range are taken of; 0 where it is not known.
    usable : (z, y, x) bool
        Pixels whose values and guide are known: they weigh in.
    known : (z, y, x) bool
        Pixels whose guide is known: they are answered for.
    itself : bool
        Whether the guide is the frame itself.
    """

    values: NDArray[Any]
    guide: NDArray[Any]
    usable: BoolArray
    known: BoolArray
    itself: bool


def result_type(frames: NDArray[Any]) -> np.dtype[Any]:
    """float32 for float32 and what has up to 16 bits, else float64."""
    dtype = frames.dtype
    narrow = dtype.itemsize <= NARROW or (dtype.kind == "f" and dtype.itemsize == 4)
    return np.dtype(np.float32 if narrow else np.float64)


def each_frame(
    frames: NDArray[Any], guide: NDArray[Any] | None, mask: NDArray[Any] | None
) -> Iterator[Frame]:
    """Frames (n, *spatial, c), each with its guide (*spatial, k) and mask (*spatial)."""
    dtype = result_type(frames)
    if guide is not None:
        dtype = np.result_type(dtype, result_type(guide))
    for number, frame in enumerate(frames):
        values, finite = _planes(frame, dtype)
        usable = finite
        if mask is not None:
            chosen = mask[number if len(mask) > 1 else 0]
            usable = finite & _volume((chosen != 0) & (chosen == chosen))
        if guide is None:
            values = np.where(usable, values, 0)
            yield Frame(values, values, usable, usable, True)
            continue
        leading, known = _planes(guide[number if len(guide) > 1 else 0], dtype)
        usable = usable & known
        yield Frame(np.where(usable, values, 0), leading, usable, known, False)


def _planes(frame: NDArray[Any], dtype: np.dtype[Any]) -> tuple[NDArray[Any], BoolArray]:
    """Channels first, planes before rows; 0 where a channel is not finite; where all are finite."""
    planes = np.ascontiguousarray(np.moveaxis(frame, -1, 0), dtype)
    planes = planes[:, None] if planes.ndim == 3 else planes
    finite = np.isfinite(planes).all(axis=0)
    return np.where(finite, planes, 0), finite


def _volume(mask: BoolArray) -> BoolArray:
    return mask[None] if mask.ndim == 2 else mask

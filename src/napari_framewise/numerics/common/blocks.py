"""Blocks of frames as what kernels take: two axes, C order, native bytes, a known dtype."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

KERNEL_DTYPES = frozenset(
    np.dtype(name) for name in ("uint8", "uint16", "int16", "float32", "float64")
)
# a converted piece should stay in the second-level cache
_PIECE_BYTES = 1 << 19


def real_array(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return `values` as a NumPy array, refusing what is not real numbers.

    Masked arrays give NaN (as float64) where they are masked.

    Raises
    ------
    ValueError
        For complex, text, object and other dtypes that are not real numbers.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        array: NDArray[Any] = np.ma.filled(values.astype(np.float64), np.nan)
    else:
        array = np.asarray(values)
    if array.dtype.kind == "c":
        raise ValueError(
            f"The {what} hold complex numbers ({array.dtype}); real ones are needed: take the "
            "magnitude or the real part first."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"The {what} have dtype {array.dtype}; integer, boolean or floating-point numbers "
            "are needed."
        )
    return array


def float_for(values: ArrayLike) -> np.dtype[Any]:
    """float32 where finite values of that size fit, else float64.

    Examples
    --------
    >>> float_for([1.0, -3e38]), float_for([1e39, np.inf])
    (dtype('float32'), dtype('float64'))
    """
    given = np.asarray(values)
    if given.dtype.kind in "biu" or (given.dtype.kind == "f" and given.dtype.itemsize <= 4):
        return np.dtype(np.float32)
    sizes = np.abs(np.asarray(values, np.float64))
    largest = sizes.max(initial=0.0, where=np.isfinite(sizes))
    return np.dtype(np.float32 if largest <= np.finfo(np.float32).max else np.float64)


def working_type(dtype: DTypeLike) -> np.dtype[Any]:
    """float32 for up to 16 bits and float32, whose digits it holds; else float64.

    Examples
    --------
    >>> working_type("uint16"), working_type("int32")
    (dtype('float32'), dtype('float64'))
    """
    given = np.dtype(dtype)
    return np.dtype(
        np.float64 if given.itemsize > (2 if given.kind in "biu" else 4) else np.float32
    )


def as_block(frames: ArrayLike, frame_shape: tuple[int, ...]) -> NDArray[Any]:
    """Return `frames` with the frames as one leading axis; a single frame becomes a block of one.

    Raises
    ------
    ValueError
        If the frames have another shape than `frame_shape`, or are not real numbers.
    """
    block = real_array(frames, "frames")
    if block.shape == frame_shape:
        return block[np.newaxis]
    if block.shape[1:] != frame_shape or block.ndim != len(frame_shape) + 1:
        raise ValueError(
            f"The frames have shape {block.shape}; with references of shape {frame_shape} they "
            f"must have that shape, or (number of frames, {', '.join(map(str, frame_shape))})."
        )
    return block


def pieces(
    block: NDArray[Any], dtype: np.dtype[Any] | None = None
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Cut a block into pieces ``(frames, pixels)`` for a kernel, converting no more than needed.

    A block that already is contiguous, native and of a kernel's dtype comes as one piece, without
    a copy; anything else is converted a few frames at a time (other dtypes to float64).
    """
    n = len(block)
    pixels = int(np.prod(block.shape[1:], dtype=np.int64))
    native = block.dtype.newbyteorder("=")
    if dtype is None:
        dtype = native if native in KERNEL_DTYPES else np.dtype(np.float64)
    if block.dtype == dtype and block.dtype.isnative and block.flags.c_contiguous:
        yield slice(0, n), block.reshape(n, pixels)
        return
    step = max(8, _PIECE_BYTES // max(1, pixels * dtype.itemsize))
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        converted = np.ascontiguousarray(block[part], dtype=dtype)
        yield part, converted.reshape(len(converted), pixels)

"""Frames with or without channels as the contiguous rows that kernels run over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """A block of frames as rows of elements.

    Attributes
    ----------
    values : (rows, elements)
        Contiguous, native-endian, of a type that kernels take.
    period : int
        Channels that alternate along a row; channel-first frames have a row per channel instead.
    n, channels : int
        Number of frames and of channels: results of (rows, period) are read as (n, channels).
    axes : tuple of int
        Order in which the axes of the block were read.
    shape : tuple of int
        Shape of the block.
    channel_axis : int, optional
        Its channel axis.
    """

    values: Array
    period: int
    n: int
    channels: int
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    channel_axis: int | None

    def per_channel(self, results: Array) -> Array:
        """Results of (rows, period) as (n, channels)."""
        return results.reshape(self.n, self.channels)

    def per_row(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values (n or 1, channels or 1) as (rows, period)."""
        wide = np.broadcast_to(np.asarray(values, np.float64), (self.n, self.channels))
        return np.ascontiguousarray(wide).reshape(len(self.values), self.period)

    def like(self, other: Array) -> Array | None:
        """Another array of the block's shape as rows of the same order; None if that is a copy."""
        moved = other.transpose(self.axes)
        return moved.reshape(self.values.shape) if moved.flags.c_contiguous else None

    def mask_rows(self, mask: ArrayLike | None) -> NDArray[np.uint8]:
        """A mask as rows of 0 and 1, row ``r % len(mask)`` for row r of the values.

        One row without columns stands for no mask.

        Parameters
        ----------
        mask : array_like, optional
            Non-zero = use this pixel. Of the shape of a frame, with or without its channels, or
            one such image for every frame of the block.

        Raises
        ------
        ValueError
            Where the mask has another shape.
        """
        if mask is None:
            return np.empty((1, 0), np.uint8)
        full = self._full_mask(np.asarray(mask) != 0)
        ordered = np.ascontiguousarray(full.transpose(self.axes))
        rows = len(full) * self.shape[self.axes[1]] if self.rows_per_frame > 1 else len(full)
        return ordered.view(np.uint8).reshape(rows, self.values.shape[1])

    def in_use(self, mask_rows: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Pixels (n, channels) of each frame and channel that a mask leaves."""
        period = max(1, self.period)
        if not mask_rows.shape[1]:
            pixels = self.values.shape[1] // period
            return np.full((self.n, self.channels), pixels, np.int64)
        by_channel = mask_rows.reshape(len(mask_rows), -1, period).sum(axis=1, dtype=np.int64)
        return self.per_channel(np.tile(by_channel, (len(self.values) // len(mask_rows), 1)))

    def lanes(self, most: int) -> int:
        """Elements of whole pixels that a kernel handles at once: not more than so many, if any."""
        period = max(1, self.period)
        pixels: int = min(most, self.values.shape[1]) // period
        return period * max(1, pixels)

    @property
    def rows_per_frame(self) -> int:
        """1, or the number of channels where each has a row of its own."""
        return self.channels // self.period if self.channels else 1

    def _full_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask with the axes of the block: one frame or all, every channel."""
        frame, channel = self.shape[1:], self.channel_axis
        for leading in ((), (self.n,)):
            if mask.shape == (*leading, *frame):
                return mask.reshape(-1, *frame) if mask.size else mask.reshape(self.shape)
            if channel is None or mask.shape != (*leading, *frame[: channel - 1], *frame[channel:]):
                continue
            full = np.expand_dims(mask.reshape(-1, *mask.shape[len(leading) :]), channel)
            return np.broadcast_to(full, (len(full), *frame))
        raise ValueError(
            f"The mask has the shape {mask.shape}, but a frame has {frame}; give one image of that "
            "shape, or one for each frame."
        )


def part_of_mask(
    mask: ArrayLike | None, shape: tuple[int, ...], channel_axis: int | None, frames: slice
) -> ArrayLike | None:
    """The mask of some frames of a block: its own part where there is an image for every frame."""
    if mask is None:
        return None
    given, frame = np.asarray(mask), shape[1:]
    without = list(frame)
    if channel_axis is not None:
        del without[channel_axis - 1 if channel_axis > 0 else channel_axis]
    return given if given.shape in (frame, tuple(without)) else given[frames]


def as_rows(frames: ArrayLike, channel_axis: int | None = None) -> Rows:
    """The rows of a block of frames.

    A view where the block is contiguous, channels first or last, and of a type that kernels take;
    else a copy of the block: float16 as float32, longdouble as float64, bool as uint8.

    Parameters
    ----------
    frames : (n, *frame_shape)
        Any real dtype and byte order.
    channel_axis : int, optional
        Axis of the block with the channels.

    Raises
    ------
    ValueError
        Where there is no frame axis, the channel axis is not there, or the numbers are not real.
    """
    block = np.asarray(frames)
    if block.ndim < 2:
        raise ValueError(
            f"The frames have the shape {block.shape}; a block of frames is needed, with at least "
            "two axes: a single frame is frame[None]."
        )
    block = block.astype(kernel_dtype(block.dtype), copy=False)
    if channel_axis is None:
        axes = tuple(range(block.ndim))
        rows, period, channels = len(block), 1, 1
    else:
        channel = channel_axis + block.ndim if channel_axis < 0 else channel_axis
        if not 1 <= channel < block.ndim:
            raise ValueError(
                f"The channel axis {channel_axis} was given for frames of shape {block.shape}; "
                f"give one from 1 to {block.ndim - 1}."
            )
        others = [axis for axis in range(1, block.ndim) if axis != channel]
        first, last = (0, channel, *others), (0, *others, channel)
        channels = block.shape[channel]
        planar = channels == 1 or block.transpose(first).flags.c_contiguous
        axes = first if planar else last
        rows, period = (len(block) * channels, 1) if planar else (len(block), channels)
        channel_axis = channel
    size = math.prod(block.shape[1:]) * len(block)
    values = np.ascontiguousarray(block.transpose(axes)).reshape(rows, size // rows if rows else 0)
    return Rows(values, period, len(block), channels, axes, block.shape, channel_axis)


def kernel_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that kernels read values of `dtype` in: native-endian, two kinds of floats.

    Raises
    ------
    ValueError
        Where it holds no real numbers.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind not in "uif":
        what = "complex numbers" if dtype.kind == "c" else f"values of type {dtype}"
        raise ValueError(
            f"The frames hold {what}; real numbers are needed: take the magnitude, the real or the "
            "imaginary part first."
        )
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return dtype.newbyteorder("=")

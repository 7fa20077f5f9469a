"""Offsets and gains of frames and channels, applied and undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_framewise.numerics.common.rows import Rows, as_rows
from napari_framewise.numerics.scaling import kernels

FloatArray = NDArray[np.float64]


class Status(IntFlag):
    """Status of one frame and channel; 0 is a plain one."""

    NO_DATA = 1
    """No pixel to go by: offset and gain are NaN, and so is the result."""
    PARTIAL = 2
    """Some pixels were NaN or infinite; they took no part."""
    FLAT = 4
    """Nothing to scale by, as in a constant frame: the gain is 0, every pixel gets the base."""
    CLIPPED = 8
    """Some results lay outside the range and were clipped: undoing does not bring them back."""


@dataclass(frozen=True)
class Scaling:
    """``y = (x - offset) * gain + base``.

    Attributes
    ----------
    offset, gain : (n or 1, C or 1) float64
        For every frame and channel, or for all of them.
    base : float
        What `offset` becomes.
    """

    offset: FloatArray
    gain: FloatArray
    base: float = 0.0


def scale(
    frames: ArrayLike,
    scaling: Scaling,
    *,
    channel_axis: int | None = None,
    dtype: DTypeLike = np.float32,
    limits: tuple[float, float] | None = None,
    out: NDArray[Any] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Apply offsets and gains.

    Computed in float64 pixel by pixel, without temporaries. Integer results are rounded half to
    even, also where the gain is not exact, and always clipped, never wrapped; NaN becomes their
    lowest limit. Infinities stay infinite, or are clipped.

    Parameters
    ----------
    frames : (n, *frame_shape)
        Any real dtype.
    scaling : Scaling
        Of n frames, or of one for all; of as many channels, or of one for all.
    channel_axis : int, optional
        Axis of `frames` with the channels.
    dtype : dtype
        Of the result, where no `out` is given.
    limits : (low, high), optional
        Clip to this; integers are clipped to the range of their type in any case.
    out : ndarray, optional
        Where the result goes, of the shape of `frames`; it may be `frames` itself.

    Returns
    -------
    out : ndarray
        The result.
    clipped : (n, C) int64
        Pixels that were clipped.

    Raises
    ------
    ValueError
        Where shapes do not fit.

    Examples
    --------
    >>> frames = np.array([[1, 2, 3]], np.uint8)
    >>> values, clipped = scale(frames, Scaling(np.array([[1.0]]), np.array([[0.5]])))
    >>> values.tolist(), clipped.tolist()
    ([[0.0, 0.5, 1.0]], [[0]])
    """
    return scale_rows(as_rows(frames, channel_axis), scaling, dtype=dtype, limits=limits, out=out)


def unscale(
    frames: ArrayLike,
    scaling: Scaling,
    *,
    channel_axis: int | None = None,
    dtype: DTypeLike = np.float32,
    out: NDArray[Any] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Undo `scale`: ``x = (y - base) / gain + offset``; where the gain is 0, ``x = offset``.

    Arguments and results as there. What was clipped, and the differences between pixels of a frame
    that was flat by its percentiles only, do not come back.

    Examples
    --------
    >>> scaling = Scaling(np.array([[1.0]]), np.array([[0.5]]))
    >>> unscale(np.array([[0.0, 0.5, 1.0]]), scaling)[0].tolist()
    [[1.0, 2.0, 3.0]]
    """
    gain = scaling.gain
    turned = np.divide(1.0, gain, out=np.zeros_like(gain), where=gain != 0)
    back = Scaling(np.full((1, 1), scaling.base), np.where(np.isnan(gain), np.nan, turned))
    rows = as_rows(frames, channel_axis)
    return scale_rows(rows, back, dtype=dtype, out=out, base=scaling.offset)


def scale_rows(
    rows: Rows,
    scaling: Scaling,
    *,
    dtype: DTypeLike = np.float32,
    limits: tuple[float, float] | None = None,
    out: NDArray[Any] | None = None,
    base: FloatArray | None = None,
    within: bool = False,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """`scale` of a block that is in rows already; `base` may differ from frame to frame.

    `within` says that no result can lie outside the limits, so that none need be counted.

    Examples
    --------
    >>> from napari_framewise.numerics.common.rows import as_rows
    >>> scaling = Scaling(np.array([[1.0]]), np.array([[2.0]]))
    >>> scale_rows(as_rows(np.array([[1.0, 2.0]])), scaling)[0].tolist()
    [[0.0, 2.0]]
    """
    result = np.empty(rows.shape, dtype) if out is None else out
    check_place(result, rows.shape)
    frames, channels = scaling.offset.shape
    if frames not in (1, rows.n) or channels not in (1, rows.channels):
        raise ValueError(
            f"There are offsets and gains for {frames:,} frames and {channels} channels, but the "
            f"data has {rows.n:,} and {rows.channels}; as many are needed, or one for all."
        )
    whole = result.dtype.kind in "ui"
    low, high = limits if limits is not None else (-np.inf, np.inf)
    if whole:
        info = np.iinfo(result.dtype)
        low, high = max(np.rint(low), _least(info)), min(np.rint(high), _most(info))
    target = rows.like(result)
    direct = target is not None and result.dtype.isnative and result.dtype != np.float16
    place = target if direct else np.empty(rows.values.shape, _plain(result.dtype))
    clipped = np.zeros((len(rows.values), rows.period), np.int64)
    numbers = [
        rows.per_row(each)
        for each in (scaling.offset, scaling.gain, scaling.base if base is None else base)
    ]
    bounds = float(low), float(high)
    if rows.period == 1 and not whole and limits is None:
        kernels.unlimited_rows(rows.values, *numbers, place)
    elif rows.period == 1 and not whole:
        kernels.affine_rows(rows.values, *numbers, *bounds, place, clipped)
    elif rows.period == 1 and result.dtype.itemsize <= 2:
        kernels.narrow_rows(rows.values, *numbers, *bounds, within, place, clipped)
    else:
        lanes = rows.lanes(96)
        kernels.affine_lanes(rows.values, lanes, *numbers, *bounds, whole, place, clipped)
    if place is not None and not direct:
        shape = tuple(rows.shape[axis] for axis in rows.axes)
        result.transpose(rows.axes)[...] = place.reshape(shape)
    return result, rows.per_channel(clipped)


def check_place(result: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Refuse a place of another shape than the frames'.

    Examples
    --------
    >>> check_place(np.empty((2, 3)), (2, 3))
    """
    if result.shape != shape:
        raise ValueError(
            f"The place for the result has the shape {result.shape}, but the frames have {shape}; "
            "give one of that shape."
        )


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32) if dtype == np.float16 else dtype.newbyteorder("=")


def _least(info: np.iinfo[Any]) -> float:
    return float(info.min)


def _most(info: np.iinfo[Any]) -> float:
    """The largest float64 that the type holds."""
    return float(info.max) if info.bits < 64 else float(np.nextafter(float(info.max), 0))

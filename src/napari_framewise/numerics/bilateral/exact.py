"""The sum over the window itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.bilateral.frames import Frame
from napari_framewise.numerics.bilateral.kernels import grey_rows, joint_rows
from napari_framewise.numerics.bilateral.window import radius, taps, volume_sigma
from napari_framewise.numerics.compiling import compiled

# exp(-u) beyond this is taken for nothing: 1.5e-8.
_CUT = 18.0
_DEGREE, _POWER = 6, 16
# In range sigmas: what is so far away weighs nothing, and its square is finite.
_FAR = 1e18


def exact_rows(
    frame: Frame, sigma: Sequence[float], range_sigma: float, rows: tuple[int, int]
) -> NDArray[Any]:
    """Rows of a filtered frame, by the sum over the window.

    Parameters
    ----------
    frame : Frame
        Of planes (z, y, x).
    sigma : sequence of float
        Of space along each axis, in pixels.
    range_sigma : float
        Of range, in the guide's unit.
    rows : tuple of int
        First and last (exclusive) row.

    Returns
    -------
    (c, z, rows, x)
        NaN where the guide is not known, and where nothing weighs in.
    """
    dtype = frame.values.dtype
    depth, height, width = frame.values.shape[1:]
    weights = [
        taps(each, length - 1).astype(dtype)
        for each, length in zip(volume_sigma(sigma), (depth, height, width), strict=True)
    ]
    side = weights[2].size // 2
    # Powers of two change no bit of differences, and keep squares from over- and underflow.
    power = -math.floor(math.log2(range_sigma))
    variance = math.ldexp(range_sigma, power) ** 2
    guide = np.clip(_scaled(frame.guide, power), -_FAR / 10, _FAR / 10)
    near = _padded(np.where(frame.usable, guide, dtype.type(_FAR)), side, _FAR)
    poly = range_weights(1 / (2 * variance)).astype(dtype)
    cut = dtype.type(_CUT * 2 * variance)
    channels = len(frame.values)
    out = np.empty((channels, depth, rows[1] - rows[0], width), dtype)
    limits = np.array(rows, np.int64)
    if frame.itself and channels == 1:
        scratch = np.empty((2, width), dtype)
        _grey(dtype.name)(guide[0], near[0], *weights, limits, poly, cut, *scratch, out[0])
        moved = _scaled(out, -power)
    else:
        size = float(np.max(np.abs(frame.values), initial=0.0))
        power = -math.floor(math.log2(size)) if size else 0
        values = _scaled(frame.values, power)
        _joint(dtype.name)(
            values,
            _padded(values, side, 0.0),
            guide,
            near,
            *weights,
            limits,
            poly,
            cut,
            np.empty((channels, width), dtype),
            np.empty((2, width), dtype),
            out,
        )
        moved = _scaled(out, -power)
    asked = slice(*rows)
    return np.where(frame.known[:, asked], frame.values[:, :, asked] + moved, np.nan)


def exact_reach(sigma: Sequence[float]) -> int:
    """How many pixels beyond its own place a pixel depends on."""
    return max(radius(each) for each in sigma)


def range_weights(factor: float) -> NDArray[np.float64]:
    """Coefficients of p with p(u)^16 = exp(-factor u) up to a cut, then 1/2, 0 and NaN.

    Of the exponential the relative error is 1e-6; p(0) = 1.
    """
    powers = np.arange(_DEGREE + 1)
    return np.concatenate([_coefficients() * (factor / _POWER) ** powers, [0.5, 0.0, np.nan]])


@cache
def _coefficients() -> NDArray[np.float64]:
    """Of exp(-v) from 0 to cut / 16, with even relative errors."""
    nodes = np.cos(np.pi * (np.arange(200) + 0.5) / 200)
    v = (nodes + 1) / 2 * _CUT / _POWER
    terms = np.vander(v, _DEGREE + 1, increasing=True) * np.exp(v)[:, None]
    rest, *_ = np.linalg.lstsq(terms[:, 1:], 1 - terms[:, 0], rcond=None)
    return np.concatenate([[1.0], rest])


def _scaled(array: NDArray[Any], power: int) -> NDArray[Any]:
    """Times a power of two."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(array, power))


def _padded(planes: NDArray[Any], side: int, value: float) -> NDArray[Any]:
    """Planes with columns of a value on either side."""
    shape = (*planes.shape[:-1], planes.shape[-1] + 2 * side)
    wide = np.full(shape, value, planes.dtype)
    wide[..., side : side + planes.shape[-1]] = planes
    return wide


def _grey(kind: str) -> Any:
    return compiled(
        grey_rows,
        *(f"{kind}/3", f"{kind}/3", f"{kind}/1", f"{kind}/1", f"{kind}/1", "int64/1"),
        *(f"{kind}/1", kind, f"={kind}/1", f"={kind}/1", f"={kind}/3"),
    )


def _joint(kind: str) -> Any:
    return compiled(
        joint_rows,
        *(f"{kind}/4", f"{kind}/4", f"{kind}/4", f"{kind}/4"),
        *(f"{kind}/1", f"{kind}/1", f"{kind}/1", "int64/1", f"{kind}/1", kind),
        *(f"={kind}/2", f"={kind}/2", f"={kind}/4"),
    )

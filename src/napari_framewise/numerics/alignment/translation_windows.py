"""What the equations of a shift are made of, within a window of the template."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.alignment.translation_images import Still

Plane: TypeAlias = NDArray[np.float32]
# Correlation of the template with what it is like some pixels away that makes that an instrument.
_RESEMBLING = 0.3
# From so many pixels on gain and offset may vary over the frame, linearly.
_VARYING = 2500
# Share of the slopes' squares that brightness which varies must leave.
_LEFT_TO_SLOPES = 0.9


class Pairs(NamedTuple):
    """How many pairs of pixels are in use at every lag of up to `most`; transforms' size."""

    most: int
    padded: tuple[int, int]
    count: Any


class Window(NamedTuple):
    """What equations are made of, within a window of the template."""

    channels: int
    weight: Any
    slopes: Any
    unknowns: Any
    instruments: Any
    each: int
    pairs: Pairs


def window_of(still: Still, window: tuple[slice, ...], use: Plane, brightness: bool) -> Window:
    """Instruments and the unknowns of brightness, one row each, a column per value.

    Parameters
    ----------
    still : Still
    window : tuple of slice
        Rows and columns of the template.
    use : (rows, columns) float32
        1 where a pixel of the window is used.
    brightness : bool
        Whether gain and offset are unknown.
    """
    at = (slice(None), *window)
    channels = len(still.values)
    weight = np.broadcast_to(use, (channels, *use.shape)).reshape(-1)
    template, away = still.values[at], still.away[at]
    kept = use > 0
    (own, shared), (_, far) = np.cov(template[:, kept].ravel(), away[:, kept].ravel())
    if not shared > _RESEMBLING * np.sqrt(own * far):
        away = template
    one = np.ones_like(template)
    rows, columns = (
        np.linspace(-1, 1, n, dtype=np.float32).reshape(shape)
        for n, shape in zip(use.shape, ((-1, 1), (1, -1)), strict=True)
    )
    slopes = still.slopes[:, at[0], at[1], at[2]].reshape(2, -1) * weight
    varying = np.count_nonzero(use) >= _VARYING and _bears_ramps(
        slopes, weight, template, rows, columns
    )
    ramps: list[Any] = [1.0, rows, columns] if varying else [1.0]
    unknowns = _rows([each * ramp for each in (template, one) for ramp in ramps], brightness)
    own_rows = _rows([each * ramp for each in (away, one) for ramp in ramps], brightness)
    instruments = np.concatenate([slopes, own_rows * weight])
    return Window(
        channels, weight, slopes, unknowns, instruments, len(ramps), _pairs(use, channels)
    )


def _bears_ramps(
    slopes: Plane, weight: Plane, template: Plane, rows: Plane, columns: Plane
) -> bool:
    """Whether slopes are left that brightness which varies can't stand for."""
    fields = [template * ramp for ramp in (np.float32(1), rows, columns)]
    ramps = _rows([*fields, *(np.ones_like(template) * each for each in (rows, columns))], True)
    ramps *= weight
    own = (slopes @ slopes.T).astype(float)
    shared = (slopes @ ramps.T).astype(float)
    theirs = (ramps @ ramps.T).astype(float)
    left = own - shared @ np.linalg.lstsq(theirs, shared.T, rcond=1e-9)[0]
    return bool(np.all(np.diag(left) > _LEFT_TO_SLOPES * np.diag(own)))


def _pairs(use: Plane, channels: int) -> Pairs:
    rows, columns = use.shape
    most = max(2, min(rows, columns) // 4)
    padded = (
        fft.next_fast_len(rows + most + 1, real=True),
        fft.next_fast_len(columns + most + 1, real=True),
    )
    lag = np.arange(-most, most + 1)
    power = np.abs(fft.rfft2(use, padded)) ** 2 * channels
    return Pairs(most, padded, np.maximum(fft.irfft2(power, padded)[np.ix_(lag, lag)], 1.0))


def _rows(planes: list[Any], wanted: bool) -> Plane:
    if not wanted:
        return np.zeros((0, planes[0].size), np.float32)
    return np.stack([np.asarray(each, np.float32).ravel() for each in planes])

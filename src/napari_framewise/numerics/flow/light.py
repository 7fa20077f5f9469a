"""Light that changes between two frames: one gain and offset, or fields of both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import smooth
from napari_framewise.numerics.flow.prepared import Prepared, thinned
from napari_framewise.numerics.flow.settings import FlowSettings
from napari_framewise.numerics.pyramid import pyramid, resized

BoolArray = NDArray[np.bool_]
LEAST_SPREAD = 1e-5
"""Images have a standard deviation of one, so this is far below anything that can be seen."""
VARYING = 0.8
"""Share of the residual's spread that fields must bring it below, to be believed."""
# Of the one gain: rounds of its fit, and how far an outlier is, in median deviations.
_ROUNDS, _OUTLYING, _SAMPLE = 2, 4.0, 4000
# Of the fields: pixels per grid point, window in grid points; the share of the mean variance that a
# window's gain is held by, and the least share of a window that holds data.
_STEP, _WINDOW, _HELD, _LEAST_SHARE = 4, 1.5, 0.2, 1e-3
# Of what is slow: its Gaussian in grid points, and the pixels that the frame is carried on by.
_SLOW, _AROUND = 2.5, 30


def spread_of(residual: NDArray[Any], usable: BoolArray) -> float:
    """Standard deviation of what two frames leave, from the median of its size."""
    thin = thinned(usable.shape, 4 * _SAMPLE)
    sizes = np.abs(residual[(slice(None), *thin)][:, usable[thin]])
    if sizes.size == 0:
        return LEAST_SPREAD
    return max(1.4826 * float(np.median(sizes)), LEAST_SPREAD)


def brought_to(warped: NDArray[Any], first: NDArray[Any], usable: BoolArray) -> NDArray[Any]:
    """The warped frame with the mean and spread that the first has where both have data.

    Pixels that differ much, such as hot ones, have little say in either.
    """
    thin = thinned(usable.shape, _SAMPLE)
    kept = usable[thin] if usable[thin].any() else None
    moved = np.empty_like(warped)
    for channel, (values, wanted) in enumerate(zip(warped, first, strict=True)):
        gain, offset = 1.0, 0.0
        if kept is not None:
            given, aim = (each[thin][kept].astype(np.float64) for each in (values, wanted))
            for _ in range(_ROUNDS):
                left = gain * given + offset - aim
                left -= np.median(left)
                scale = max(_OUTLYING * float(np.median(np.abs(left))), LEAST_SPREAD)
                weight = 1 / (1 + (left / scale) ** 2)
                weight /= weight.sum()
                # Sums, not dot products: BLAS may wake its threads for these.
                means = [float(np.sum(weight * each)) for each in (given, aim)]
                spreads = [
                    float(np.sum(weight * (each - mean) ** 2))
                    for each, mean in zip((given, aim), means, strict=True)
                ]
                gain = math.sqrt(spreads[1] / spreads[0]) if spreads[0] > 0 else 1.0
                offset = means[1] - gain * means[0]
        moved[channel] = gain * values + offset
    return moved


def brought_to_locally(
    warped: NDArray[Any], first: NDArray[Any], usable: BoolArray
) -> NDArray[Any]:
    """The warped frame with the mean and spread that the first has around each pixel.

    Means and variances over a Gaussian window of sigma 6 px, from a grid four times as coarse;
    where a window has little variance its gain is held at one.
    """
    shape = usable.shape
    small = tuple(max(1, round(length / _STEP)) for length in shape)
    weight = usable.astype(np.float32)[np.newaxis]
    sums = np.concatenate(
        [weight, *(weight * part for part in (warped, first, warped * warped, first * first))]
    )
    sums = smooth(resized(sums, small, kernel="linear"), _WINDOW, ndim=len(shape), truncate=3.0)
    share = np.maximum(sums[:1], np.float32(_LEAST_SHARE))
    means, aims, squares, wanted = np.split(sums[1:] / share, 4)
    variances, wanted = (
        np.maximum(square - mean * mean, 0) for square, mean in ((squares, means), (wanted, aims))
    )
    axes = tuple(range(1, warped.ndim))
    held = _HELD / 2 * (variances + wanted).mean(axis=axes, keepdims=True) + LEAST_SPREAD**2
    gain = np.sqrt((wanted + held) / (variances + held))
    fields = np.concatenate([gain, aims - gain * means])
    gain, offset = np.split(resized(fields, shape, kernel="linear"), 2)
    brought: NDArray[Any] = gain * warped + offset
    return brought


def detail(planes: NDArray[Any]) -> NDArray[Any]:
    """Planes (channels, *grid) less what a Gaussian of sigma 10 px leaves of them, twice.

    Light that varies slowly over the frame can't make what is left. Past the border a ramp goes on.
    """
    shape = planes.shape[1:]
    for _ in range(2):
        around = [min(_AROUND, length - 1) for length in shape]
        widths = [(0, 0), *((each, each) for each in around)]
        wide = np.pad(planes, widths, mode="reflect", reflect_type="odd")
        small = tuple(max(1, round(length / _STEP)) for length in wide.shape[1:])
        slow = smooth(resized(wide, small, kernel="linear"), _SLOW, ndim=len(shape), truncate=3.0)
        inside = [slice(each, each + n) for each, n in zip(around, shape, strict=True)]
        planes = planes - resized(slow, wide.shape[1:], kernel="linear")[(slice(None), *inside)]
    return planes


def detailed(pair: Prepared, settings: FlowSettings) -> Prepared:
    """The same pair without what light that varies over the frame may have made."""
    planes = [detail(level.planes) for level in (pair.first[0], pair.second[0])]
    scale = float(planes[0].std(dtype=np.float64)) or 1.0
    first, second = (
        pyramid(
            np.ascontiguousarray(each / scale, np.float32),
            valid=levels[0].valid,
            ratio=settings.ratio,
            levels=len(levels),
        )
        for each, levels in zip(planes, (pair.first, pair.second), strict=True)
    )
    return Prepared(first, second, pair.spread * scale, min(pair.noise / scale, 1.0))

"""Optical flow of one pair: prepared images, levels from coarse to fine, warps, relaxation."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.derivatives import (
    eroded,
    gaussian_taps,
    gradient,
    gradient_radius,
    smooth,
)
from napari_framewise.numerics.flow.light import (
    VARYING,
    brought_to,
    brought_to_locally,
    spread_of,
)
from napari_framewise.numerics.flow.prepared import Prepared
from napari_framewise.numerics.flow.settings import FlowSettings
from napari_framewise.numerics.flow.solving import kernels_of, medians_over_similar, solution
from napari_framewise.numerics.interpolation import Spline, spline, warp
from napari_framewise.numerics.pyramid import Level, resized

Planes: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]

# Of the residual's spread, in its weight.
_RESIDUAL = 0.7
# The pull, in regularisations: of the noise's variance, and of that which the frames leave of each
# other, which is twice as large where the light varies.
_OF_NOISE, _OF_RESIDUAL, _OF_VARYING = 5.0, 5.0, 10.0
# Size of a pixel at which it is decided whether the light varies over the frame.
_DECIDED = 3.0


def coarse_to_fine(
    pair: Prepared, settings: FlowSettings, *, varying: bool | None = None
) -> tuple[Planes, bool]:
    """The flow (ndim, *grid) in pixels, and whether the light was found to vary over the frame.

    That is decided on a level of about a third of the size, to which a flow is brought with fields
    of gain and offset first, by one warp per level, unless `varying` says what is known.
    """
    levels = list(zip(reversed(pair.first), reversed(pair.second), strict=True))
    if settings.brightness == "constant":
        varying = False
    if varying is None:
        tried = max(1, sum(max(first.step) >= _DECIDED for first, _ in levels))
        once = _through(levels[:tried], pair.noise, settings, 1, varying=True)
        varying = _varies(*levels[tried - 1], once, settings)
    return _through(levels, pair.noise, settings, settings.warps, varying=varying), varying


def _through(
    levels: list[tuple[Level, Level]],
    noise: float,
    settings: FlowSettings,
    warps: int,
    *,
    varying: bool,
) -> Planes:
    """The flow after levels from coarse to fine."""
    ndim = len(levels[0][0].shape)
    flow: Planes = np.zeros((ndim, *levels[0][0].shape), np.float32)
    for first, second in levels:
        if flow.shape[1:] != first.shape:
            grown = np.array(first.shape) / np.array(flow.shape[1:])
            flow = resized(flow, first.shape, kernel="linear")
            flow *= grown.astype(np.float32).reshape(-1, *(1,) * ndim)
        flow = _refined(first, second, flow, noise, settings, warps, varying=varying)
    return flow


def _varies(first: Level, second: Level, flow: Planes, settings: FlowSettings) -> bool:
    """Whether fields of gain and offset take much away from what the frames leave."""
    warped, _, usable = warp(second_spline(second, settings), flow)
    plain = brought_to(warped, first.planes, usable)
    local = brought_to_locally(plain, first.planes, usable)
    left, after = (spread_of(each - first.planes, usable) for each in (plain, local))
    return after < VARYING * left


def _local_equations(
    first: Level,
    slopes: NDArray[Any],
    image: Spline,
    flow: Planes,
    settings: FlowSettings,
    *,
    varying: bool,
) -> tuple[Planes, Planes, float]:
    """Equations of every pixel at a flow, before they are summed over the window.

    Parameters
    ----------
    first : Level
        The first frame.
    slopes : (ndim, channels, *grid)
        Its gradient.
    image : Spline
        The second frame.
    flow : (ndim, *grid)
        Where it is warped by.
    settings : FlowSettings
        Of gradients and brightness.
    varying : bool
        Whether the light varies over the frame.

    Returns
    -------
    equations : (products, *grid)
        See the kernels.
    residual : (channels, *grid)
        Second frame, warped, minus the first.
    spread : float
        Standard deviation of the residual where both frames have data, from its median.
    """
    warped, usable = _warped(first, image, flow, settings, varying=varying)
    residual = warped - first.planes
    after = gradient(warped, settings.slope_sigma, ndim=len(flow))
    spread = spread_of(residual, usable)
    # Without smoothing all pixels have equal weights: plain least squares.
    steep = 0.0 if settings.smoothing == "none" else 1.0
    sharpness = steep / (len(residual) * (_RESIDUAL * spread) ** 2)
    ndim = len(flow)
    out = np.empty((ndim * (ndim + 3) // 2 + 1, *flow.shape[1:]), np.float32)
    kernel = compiled(
        kernels_of(ndim).equations,
        f"float32/{ndim + 1}",
        f"float32/{ndim + 2}",
        f"float32/{ndim + 2}",
        f"float32/{ndim + 1}",
        f"bool/{ndim}",
        "float64",
        f"=float32/{ndim + 1}",
    )
    kernel(residual, slopes, after, flow, usable, sharpness, out)
    return out, residual, spread


def warped_onto(
    first: Level, second: Level, flow: Planes, settings: FlowSettings, *, varying: bool
) -> tuple[Planes, BoolArray]:
    """The second frame warped by a flow, in the first's light, and where both have data."""
    return _warped(first, second_spline(second, settings), flow, settings, varying=varying)


def _warped(
    first: Level, image: Spline, flow: Planes, settings: FlowSettings, *, varying: bool
) -> tuple[Planes, BoolArray]:
    """The second frame warped by a flow in the first's light, and where both have data."""
    warped, _, usable = warp(image, flow)
    if first.valid is not None:
        usable &= eroded(first.valid, gradient_radius(settings.slope_sigma))
    if settings.brightness == "changing":
        warped = brought_to(warped, first.planes, usable)
        if varying:
            warped = brought_to_locally(warped, first.planes, usable)
    return warped, usable


def second_spline(level: Level, settings: FlowSettings) -> Spline:
    """The second frame of a level, to be warped; pixels whose gradient meets a gap are gaps."""
    valid = level.valid
    if valid is not None:
        valid = eroded(valid, gradient_radius(settings.slope_sigma))
    return spline(level.planes, valid=valid)


def _refined(
    first: Level,
    second: Level,
    flow: Planes,
    noise: float,
    settings: FlowSettings,
    warps: int,
    *,
    varying: bool,
) -> Planes:
    """Warp, sum the equations over the window and solve them, as often as the method does."""
    ndim = len(flow)
    slopes = gradient(first.planes, settings.slope_sigma, ndim=ndim)
    image = second_spline(second, settings)
    pixels = float(np.prod(first.step))
    for _ in range(warps):
        equations, residual, spread = _local_equations(
            first, slopes, image, flow, settings, varying=varying
        )
        summed = smooth(equations[:-1], settings.window, ndim=ndim, truncate=3.0)
        left = spread**2
        # The noise of the finest level: errors of coarser ones count that many times more there.
        pull = _OF_NOISE * min(noise**2, pixels * left / 2)
        # A single solution leaves the motion itself, not what is wrong with it.
        if settings.method != "one_shot":
            pull = max(pull, (_OF_VARYING if varying else _OF_RESIDUAL) * left)
        floor = _passed_noise(settings.slope_sigma, ndim) * min(noise**2 / pixels, left / 2) / 2
        floor *= float(equations[-1].mean())
        flow = solution(summed, first, flow, pull, floor, settings)
    if settings.quality == "thorough" and settings.smoothing.startswith("jumps") and ndim == 2:
        flow = medians_over_similar(flow, first.planes, residual)
    return flow


def _passed_noise(sigma: float, ndim: int) -> float:
    """Variance of a gradient's component per variance of white noise of the pixels."""
    passed = float(np.sum(gaussian_taps(sigma, 1) ** 2))
    return passed * float(np.sum(gaussian_taps(sigma) ** 2)) ** (ndim - 1)

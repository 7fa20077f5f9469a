"""Optical flow of one pair: prepared images, levels from coarse to fine, warps, relaxation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.derivatives import eroded, gradient, gradient_radius, smooth
from napari_framewise.numerics.flow import median as _flow_median
from napari_framewise.numerics.flow import plane as _flow_plane
from napari_framewise.numerics.flow import volume as _flow_volume
from napari_framewise.numerics.interpolation import Spline, spline, warp
from napari_framewise.numerics.pyramid import Level, filled, pyramid, resized

Planes: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]
Method: TypeAlias = Literal["pyramid", "iterative", "one_shot"]
Smoothing: TypeAlias = Literal["jumps", "jumps_and_edges", "even", "none"]
Brightness: TypeAlias = Literal["constant", "changing"]
Quality: TypeAlias = Literal["fast", "thorough"]

# Of the residual's spread, in its weight; of a jump in pixels and of an edge, in the links.
_RESIDUAL, _JUMP, _CONTRAST = 0.7, 0.1, 0.25
_OVER, _SWEEPS = 1.8, 5
# Of the weighted medians: half the side, an edge, a jump that calls for them and how far around it.
_RADIUS, _LOOKS, _STEP, _AROUND = 5, 0.2, 0.15, 4
# Of an occlusion, by the convergence of the flow and by the residual (Sand & Teller 2008).
_CONVERGENCE, _MISFIT = 0.3, 0.3
# Images have a standard deviation of one, so these are far below anything that can be seen.
_LEAST_SPREAD, _LEAST_TRACE = 1e-5, 1e-9
# Of a gain between frames: rounds of its fit, and how far an outlier is, in median deviations.
_GAIN_ROUNDS, _OUTLYING, _SAMPLE = 2, 4.0, 4000
# Share of the pixels that may be hot or dead: they are cut off at a range beyond the others.
_HOT = 0.2
# Without smoothing a tensor of rank one is still solved, for the shortest flow.
_RIDGE = 1e-3


@dataclass(frozen=True)
class FlowSettings:
    """How the flow of a pair is estimated.

    Attributes
    ----------
    method : {"pyramid", "iterative", "one_shot"}
        Coarse to fine with warping; warping at full size only; a single linear solution, as in the
        textbook, for displacements below a pixel or so.
    gradient_sigma : float
        Gaussian whose derivatives are the gradients, in pixels.
    window_sigma : float, optional
        Gaussian window that a pixel's equations are summed over, in pixels. By default 0.5 where
        the flow is smoothed (0.3 if thorough), 2 where the window alone holds it together.
    smoothing : {"jumps", "jumps_and_edges", "even", "none"}
        How the flow that each pixel is pulled to follows from its neighbours: less across jumps of
        the flow, or also across edges of the image; evenly; not at all.
    regularisation : float
        Strength of that pull, in medians of the tensor's trace.
    brightness : {"constant", "changing"}
        Whether a gain and an offset between the frames are fitted as well.
    ratio : float
        Size of each level of the pyramid over that before.
    quality : {"fast", "thorough"}
        Thorough uses every channel where fast averages them, warps more often, and after each level
        takes medians over pixels that look alike, where the flow jumps.
    """

    method: Method = "pyramid"
    gradient_sigma: float = 0.5
    window_sigma: float | None = None
    smoothing: Smoothing = "jumps"
    regularisation: float = 2.0
    brightness: Brightness = "changing"
    ratio: float = 0.8
    quality: Quality = "fast"

    @property
    def window(self) -> float:
        """The window that is used, in pixels."""
        if self.window_sigma is not None:
            return self.window_sigma
        if self.smoothing == "none":
            return 2.0
        return 0.5 if self.quality == "fast" else 0.3

    @property
    def warps(self) -> int:
        """Warps per level."""
        if self.method == "one_shot":
            return 1
        return (3 if self.method == "pyramid" else 10) + (2 if self.quality == "thorough" else 0)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Two frames as the levels of two pyramids, brought to zero mean and a spread of one.

    Attributes
    ----------
    first, second : tuple of Level
        From the finest to the coarsest.
    spread : float
        The images' standard deviation, in their own units.
    """

    first: tuple[Level, ...]
    second: tuple[Level, ...]
    spread: float

    @property
    def swapped(self) -> Prepared:
        """The pair in the other order of time."""
        return Prepared(self.second, self.first, self.spread)


def prepare(
    first: NDArray[Any],
    second: NDArray[Any],
    valid: BoolArray | None,
    second_valid: BoolArray | None,
    settings: FlowSettings,
) -> Prepared:
    """Fill gaps, normalise both frames alike, and build their pyramids."""
    pair, masks = [], []
    for planes, mask in ((first, valid), (second, second_valid)):
        if settings.quality == "fast":
            planes = planes.mean(axis=0, keepdims=True, dtype=np.float64)
        whole, usable = filled(planes.astype(np.float64, order="C"), mask)
        pair.append(_without_hot_pixels(whole, usable))
        masks.append(usable)
    centre = pair[0].mean(axis=tuple(range(1, pair[0].ndim)), keepdims=True)
    spread = float(np.sqrt(np.mean((pair[0] - centre) ** 2)))
    scale = spread if spread > 0 else 1.0
    levels = None if settings.method == "pyramid" else 1
    first_levels, second_levels = (
        pyramid(
            np.ascontiguousarray((planes - centre) / scale, np.float32),
            valid=usable,
            ratio=settings.ratio,
            levels=levels,
        )
        for planes, usable in zip(pair, masks, strict=True)
    )
    return Prepared(first_levels, second_levels, spread)


def coarse_to_fine(pair: Prepared, settings: FlowSettings) -> Iterator[Planes]:
    """The flow after each level, the finest last: (ndim, *grid) in pixels of that level."""
    ndim = len(pair.first[0].shape)
    flow: Planes = np.zeros((ndim, *pair.first[-1].shape), np.float32)
    for first, second in zip(reversed(pair.first), reversed(pair.second), strict=True):
        if flow.shape[1:] != first.shape:
            grown = np.array(first.shape) / np.array(flow.shape[1:])
            flow = resized(flow, first.shape, kernel="linear")
            flow *= grown.astype(np.float32).reshape(-1, *(1,) * ndim)
        flow = _refined(first, second, flow, settings)
        yield flow


def local_equations(
    first: Level,
    slopes: NDArray[Any],
    image: Spline,
    flow: Planes,
    settings: FlowSettings,
    sharpness: float | None,
) -> tuple[Planes, Planes, BoolArray]:
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
    sharpness : float, optional
        Of the residual's weight: by default from the residual's spread; 0 weighs all alike.

    Returns
    -------
    equations : (products, *grid)
        See the kernels.
    residual : (channels, *grid)
        Second frame, warped, minus the first.
    usable : (*grid) bool
        Where both frames have data.
    """
    warped, _, usable = warp(image, flow)
    if first.valid is not None:
        usable &= eroded(first.valid, gradient_radius(settings.gradient_sigma))
    if settings.brightness == "changing":
        warped = _brought_to(warped, first.planes, usable)
    residual = warped - first.planes
    after = gradient(warped, settings.gradient_sigma, ndim=len(flow))
    if sharpness is None:
        sharpness = 1.0 / (len(residual) * (_RESIDUAL * spread_of(residual, usable)) ** 2)
    ndim = len(flow)
    out = np.empty((ndim * (ndim + 3) // 2 + 1, *flow.shape[1:]), np.float32)
    kernel = compiled(
        _kernels(ndim).equations,
        f"float32/{ndim + 1}",
        f"float32/{ndim + 2}",
        f"float32/{ndim + 2}",
        f"float32/{ndim + 1}",
        f"bool/{ndim}",
        "float64",
        f"=float32/{ndim + 1}",
    )
    kernel(residual, slopes, after, flow, usable, sharpness, out)
    return out, residual, usable


def spread_of(residual: NDArray[Any], usable: BoolArray) -> float:
    """Standard deviation of what two frames leave, from the median of its size."""
    thin = _thinned(usable.shape, 4 * _SAMPLE)
    sizes = np.abs(residual[(slice(None), *thin)][:, usable[thin]])
    if sizes.size == 0:
        return _LEAST_SPREAD
    return max(1.4826 * float(np.median(sizes)), _LEAST_SPREAD)


def second_spline(level: Level, settings: FlowSettings) -> Spline:
    """The second frame of a level, to be warped; pixels whose gradient meets a gap are gaps."""
    valid = level.valid
    if valid is not None:
        valid = eroded(valid, gradient_radius(settings.gradient_sigma))
    return spline(level.planes, valid=valid)


def _refined(first: Level, second: Level, flow: Planes, settings: FlowSettings) -> Planes:
    """Warp, sum the equations over the window and solve them, as often as the method does."""
    ndim = len(flow)
    slopes = gradient(first.planes, settings.gradient_sigma, ndim=ndim)
    image = second_spline(second, settings)
    for _ in range(settings.warps):
        sharpness = 0.0 if settings.smoothing == "none" else None
        equations, residual, _ = local_equations(first, slopes, image, flow, settings, sharpness)
        summed = smooth(equations[:-1], settings.window, ndim=ndim, truncate=3.0)
        flow = _solution(summed, first, flow, settings)
    if settings.quality == "thorough" and settings.smoothing.startswith("jumps") and ndim == 2:
        flow = _medians_of_alike(flow, first.planes, residual)
    return flow


def _medians_of_alike(flow: Planes, guide: NDArray[Any], residual: NDArray[Any]) -> Planes:
    """Weighted medians around jumps of the flow, occluded pixels having little say."""
    ranges = ndimage.maximum_filter(flow, (1, 3, 3)) - ndimage.minimum_filter(flow, (1, 3, 3))
    wanted = ndimage.maximum_filter(ranges.max(axis=0) > _STEP, 2 * _AROUND + 1)
    slopes = gradient(flow, 0.0)
    converging = np.minimum(slopes[0, 0] + slopes[1, 1], 0) / _CONVERGENCE
    misfit = np.mean((residual / _MISFIT) ** 2, axis=0)
    trust = np.exp(-0.5 * (converging**2 + misfit)).astype(np.float32) + np.float32(1e-3)
    out = np.empty_like(flow)
    kinds = ("float32/3", "float32/3", "float32/2", "bool/2", "int64", "float64", "=float32/3")
    kernel = compiled(_flow_median.weighted_median, *kinds)
    kernel(flow, guide, trust, wanted, _RADIUS, 0.5 / _LOOKS**2, out)
    return out


def _solution(summed: Planes, first: Level, flow: Planes, settings: FlowSettings) -> Planes:
    ndim = len(flow)
    kernels = _kernels(ndim)
    grid, several = f"float32/{ndim + 1}", f"=float32/{ndim + 1}"
    traces = summed[[0, 2] if ndim == 2 else [0, 3, 5]].sum(axis=0)
    thin = traces[_thinned(traces.shape, 4 * _SAMPLE)]
    seen = thin[thin > 1e-4 * float(thin.mean(dtype=np.float64))]
    typical = float(np.median(seen)) / ndim if seen.size else 0.0
    link = np.zeros_like(flow)
    if settings.smoothing == "none":
        strength = 0.0
        for diagonal in [0, 2] if ndim == 2 else [0, 3, 5]:
            summed[diagonal] += max(_RIDGE * typical, _LEAST_TRACE)
    else:
        strength = max(settings.regularisation * typical, _LEAST_TRACE)
        jump = 0.0 if settings.smoothing == "even" else 1 / _JUMP**2
        contrast = 1 / _CONTRAST**2 if settings.smoothing == "jumps_and_edges" else 0.0
        linked = compiled(kernels.links, grid, grid, "float64", "float64", several)
        linked(flow, first.planes, jump, contrast, link)
    solution = np.empty_like(summed)
    compiled(kernels.solved, grid, grid, "float64", several)(summed, link, strength, solution)
    if settings.smoothing == "none":
        return np.ascontiguousarray(solution[-ndim:])
    better = np.array(flow)
    relax = compiled(kernels.relax, grid, grid, "float64", "int64", "float64", several)
    relax(solution, link, strength, _SWEEPS, _OVER, better)
    return better if settings.smoothing == "even" else _without_outliers(better)


def _without_outliers(flow: Planes) -> Planes:
    """Medians of 3 x 3 pixels, twice; of the planes of a volume."""
    planes = flow.reshape(-1, *flow.shape[-2:])
    out = np.empty_like(planes)
    kernel = compiled(_flow_median.median3, "float32/2", "=float32/2")
    for given, middle in zip(planes, out, strict=True):
        kernel(given, middle)
        kernel(middle, given)
    return flow


def _brought_to(warped: NDArray[Any], first: NDArray[Any], usable: BoolArray) -> NDArray[Any]:
    """The warped frame with the mean and spread that the first has where both have data.

    Pixels that differ much, such as hot ones, have little say in either.
    """
    thin = _thinned(usable.shape, _SAMPLE)
    kept = usable[thin] if usable[thin].any() else None
    moved = np.empty_like(warped)
    for channel, (values, wanted) in enumerate(zip(warped, first, strict=True)):
        gain, offset = 1.0, 0.0
        if kept is not None:
            given, aim = (each[thin][kept].astype(np.float64) for each in (values, wanted))
            for _ in range(_GAIN_ROUNDS):
                left = gain * given + offset - aim
                left -= np.median(left)
                scale = max(_OUTLYING * float(np.median(np.abs(left))), _LEAST_SPREAD)
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


def _without_hot_pixels(planes: NDArray[np.float64], usable: BoolArray | None) -> NDArray[Any]:
    """Planes in which no value is farther from nearly all others than these from one another."""
    thin = (slice(None), *_thinned(planes.shape[1:], 16 * _SAMPLE))
    values = planes[thin] if usable is None else planes[thin][:, usable[thin[1:]]]
    if values.size == 0:
        return planes
    low, high = np.percentile(values, [_HOT, 100 - _HOT])
    return np.clip(planes, low - (high - low), high + (high - low))


def _thinned(shape: tuple[int, ...], most: int) -> tuple[slice, ...]:
    """Slices that leave about so many pixels."""
    step = max(1, int((np.prod(shape) / most) ** (1 / len(shape))))
    return tuple(slice(None, None, step) for _ in shape)


def _kernels(ndim: int) -> Any:
    return _flow_plane if ndim == 2 else _flow_volume

"""One linear system of a warp solved: links to neighbours, relaxation, medians."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.derivatives import gradient
from napari_framewise.numerics.flow import median as _flow_median
from napari_framewise.numerics.flow import plane as _flow_plane
from napari_framewise.numerics.flow import volume as _flow_volume
from napari_framewise.numerics.flow.prepared import thinned
from napari_framewise.numerics.flow.settings import FlowSettings
from napari_framewise.numerics.pyramid import Level, resized

Planes: TypeAlias = NDArray[np.float32]

# Of a jump in pixels and of an edge, in the links.
_JUMP, _CONTRAST = 0.1, 0.25
_OVER, _SWEEPS = 1.8, 5
# Of the weighted medians: half the side, an edge, a jump that calls for them and how far around it.
_RADIUS, _LOOKS, _STEP, _AROUND = 5, 0.2, 0.15, 4
# Of an occlusion, by the convergence of the flow and by the residual (Sand & Teller 2008).
_CONVERGENCE, _MISFIT = 0.3, 0.3
# Images have a standard deviation of one, so this is far below anything that can be seen.
_LEAST_TRACE = 1e-9
# Pixels that are looked at for the median of the tensor's trace.
_SAMPLE = 16_000
# Without smoothing a tensor of rank one is still solved, for the shortest flow.
_RIDGE = 1e-3
# Of the correction on a coarse grid: pixels per grid point, sweeps.
_BLOCK, _COARSE_SWEEPS = 8, 20
# Noise floors that a block's tensor must exceed before it is corrected by it.
_FLOORS = 2.0
_FARTHEST = 1.0


def solution(
    summed: Planes, first: Level, flow: Planes, pull: float, floor: float, settings: FlowSettings
) -> Planes:
    """The equations solved, each pixel pulled to its neighbours by at least `pull`.

    `floor` is what noise adds to each eigenvalue of a pixel's tensor.
    """
    ndim = len(flow)
    kernels = kernels_of(ndim)
    grid, several = f"float32/{ndim + 1}", f"=float32/{ndim + 1}"
    traces = summed[[0, 2] if ndim == 2 else [0, 3, 5]].sum(axis=0)
    thin = traces[thinned(traces.shape, _SAMPLE)]
    seen = thin[thin > 1e-4 * float(thin.mean(dtype=np.float64))]
    typical = float(np.median(seen)) / ndim if seen.size else 0.0
    link = np.zeros_like(flow)
    if settings.smoothing == "none":
        strength = 0.0
        for diagonal in [0, 2] if ndim == 2 else [0, 3, 5]:
            summed[diagonal] += max(_RIDGE * typical, _LEAST_TRACE)
    else:
        strength = max(settings.regularisation * max(typical, pull), _LEAST_TRACE)
        jump = 0.0 if settings.smoothing == "even" else 1 / _JUMP**2
        contrast = 1 / _CONTRAST**2 if settings.smoothing == "jumps_and_edges" else 0.0
        linked = compiled(kernels.links, grid, grid, "float64", "float64", several)
        linked(flow, first.planes, jump, contrast, link)
    solution = np.empty_like(summed)
    compiled(kernels.solved, grid, grid, "float64", several)(summed, link, strength, solution)
    if settings.smoothing == "none":
        return np.ascontiguousarray(solution[-ndim:])
    better = np.array(flow)
    if pull > typical:
        better += _correction(summed, link, strength, flow, floor)
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


def _correction(
    summed: Planes, link: Planes, strength: float, flow: Planes, floor: float
) -> Planes:
    """What is wrong with a flow on a grid of blocks: relaxation alone would take long to see it.

    One step of two-grid correction: the equations' residual, summed over blocks, is solved for on
    the blocks with the same links, and interpolated.
    """
    ndim = len(flow)
    grid, several = f"float32/{ndim + 1}", f"=float32/{ndim + 1}"
    places = np.zeros((ndim, ndim), int)
    rows, columns = np.triu_indices(ndim)
    places[rows, columns] = places[columns, rows] = np.arange(len(rows))
    left = np.array(summed[len(rows) :])
    scale = np.float32(strength)
    for axis in range(ndim):
        for other in range(ndim):
            left[axis] -= summed[places[axis, other]] * flow[other]
        # What flows to a pixel over its links, along each axis.
        for along in range(ndim):
            tied = np.moveaxis(link[along], along, 0)[:-1]
            values, target = (np.moveaxis(each[axis], along, 0) for each in (flow, left))
            stress = scale * tied * np.diff(values, axis=0)
            target[:-1] += stress
            target[1:] -= stress
    sums = _block_sums(np.concatenate([summed[: len(rows)], left]))
    # Where a block's tensor may be that of noise, its equations say nothing.
    traces = sums[[0, 2] if ndim == 2 else [0, 3, 5]].sum(axis=0) / ndim
    sums[len(rows) :] *= np.clip(
        1 - _FLOORS * floor * _BLOCK**ndim / np.maximum(traces, _LEAST_TRACE), 0, 1
    )
    ties = _block_sums(link) / np.float32(_BLOCK**ndim)
    for axis in range(ndim):
        np.moveaxis(ties[axis], axis, 0)[-1] = 0
    solved = np.empty_like(sums)
    kernels = kernels_of(ndim)
    compiled(kernels.solved, grid, grid, "float64", several)(sums, ties, strength, solved)
    found = np.array(solved[-ndim:])
    relax = compiled(kernels.relax, grid, grid, "float64", "int64", "float64", several)
    relax(solved, ties, strength, _COARSE_SWEEPS, _OVER, found)
    # Beyond about a pixel the linearised equations no longer hold.
    np.clip(found, -_FARTHEST, _FARTHEST, out=found)
    padded = tuple(_BLOCK * length for length in sums.shape[1:])
    inside = tuple(slice(length) for length in flow.shape[1:])
    correction: Planes = resized(found, padded, kernel="linear")[(slice(None), *inside)]
    return correction


def _block_sums(planes: Planes) -> Planes:
    """Sums over blocks of a grid, the last ones of an axis maybe smaller."""
    for axis in range(1, planes.ndim):
        starts = np.arange(0, planes.shape[axis], _BLOCK)
        planes = np.add.reduceat(planes, starts, axis=axis)
    return np.ascontiguousarray(planes)


def medians_over_similar(flow: Planes, guide: NDArray[Any], residual: NDArray[Any]) -> Planes:
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


def kernels_of(ndim: int) -> Any:
    """Kernels of planes or of volumes."""
    return _flow_plane if ndim == 2 else _flow_volume

"""Volumes on other voxels, each the mean over its footprint, by samples of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.interpolation import sample, spline
from napari_framewise.numerics.warp.mapping import FloatArray, Map

_COARSE = 5
_MOST = 16
_BARELY = 1.01
"""Voxels of the volume up to which one of the result is as long as one of them."""


def samples_of(jacobian: Map, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Samples along each axis of a voxel of the result that leave none of the volume out.

    Parameters
    ----------
    jacobian : callable
        Derivatives (n, 3, 3) of the map at points (n, 3) of the result.
    shape : tuple of int
        Of the result.

    Returns
    -------
    tuple of int
        At most 16; all 1 where the map magnifies.

    Examples
    --------
    >>> samples_of(lambda p: np.tile(np.diag([1.0, 2.5, 4.0]), (len(p), 1, 1)), (3, 4, 5))
    (1, 3, 4)
    """
    axes = [np.linspace(0, n - 1, min(n, _COARSE)) for n in shape]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    long = np.sqrt((np.asarray(jacobian(points)) ** 2).sum(axis=1))
    long = long[np.isfinite(long).all(axis=1)]
    if not len(long):
        return (1,) * len(shape)
    most = long.max(axis=0)
    return tuple(1 if n <= _BARELY else int(min(_MOST, np.ceil(n - 1e-6))) for n in most)


def volume_mean(
    planes: NDArray[Any], pull_back: Map, shape: tuple[int, ...], samples: tuple[int, ...]
) -> NDArray[Any]:
    """Means over the voxels of a result, of samples that are interpolated linearly.

    Parameters
    ----------
    planes : (channels, z, y, x) float32 or float64
        NaN is no data.
    pull_back : callable
        Points (n, 3) of the result where they are in the volume.
    shape : tuple of int
        Of the result.
    samples : tuple of int
        Along each axis of a voxel of the result, evenly: see `samples_of`.

    Returns
    -------
    (channels, *shape)
        In the planes' type; NaN where less than half of a voxel's samples are known.

    Examples
    --------
    >>> ramp = np.arange(4.0).reshape(1, 1, 1, 4)
    >>> half = lambda p: p * [1, 1, 2] + [0, 0, 0.5]
    >>> volume_mean(ramp, half, (1, 1, 2), (1, 1, 2)).ravel().tolist()
    [0.5, 2.5]
    """
    image = spline(np.ascontiguousarray(planes), order=1)
    out = np.full((len(planes), *shape), np.nan, planes.dtype)
    offsets = list(product(*map(_offsets, samples)))
    for number in range(shape[0]):
        points = _layer(number, shape)
        total = np.zeros((len(planes), len(points)))
        known = np.zeros(len(points))
        for offset in offsets:
            at = np.asarray(pull_back(points + offset), np.float64)
            finite = np.asarray(np.isfinite(at).all(axis=1))
            values, _, inside = sample(image, np.where(finite[:, None], at, -1.0).T)
            use = finite & inside
            total += np.where(use, values, 0.0)
            known += use
        enough = known >= len(offsets) / 2
        mean = total[:, enough] / known[enough]
        out[:, number].reshape(len(planes), -1)[:, enough] = mean
    return out


def volume_labels(
    labels: NDArray[Any], pull_back: Map, shape: tuple[int, ...], samples: tuple[int, ...]
) -> NDArray[Any]:
    """Labels of voxels of a result: that of most of its samples, of equal ones the least.

    Parameters
    ----------
    labels : (z, y, x)
        Whole numbers.
    pull_back, shape, samples
        As `volume_mean` takes them.

    Returns
    -------
    shape
        In the labels' type; what lies outside of the volume counts as 0.

    Examples
    --------
    >>> half = lambda p: p * [1, 1, 3] + [0, 0, 1]
    >>> volume_labels(np.array([[[1, 2, 2, 3, 3, 1]]]), half, (1, 1, 2), (1, 1, 3)).tolist()
    [[[2, 3]]]
    """
    last = np.array(labels.shape) - 1
    out = np.zeros(shape, labels.dtype)
    offsets = list(product(*map(_offsets, samples)))
    for number in range(shape[0]):
        points = _layer(number, shape)
        found = np.zeros((len(offsets), len(points)), labels.dtype)
        for row, offset in enumerate(offsets):
            near = np.rint(pull_back(points + offset))
            inside = ((near >= 0) & (near <= last)).all(axis=1)
            found[row, inside] = labels[tuple(near[inside].astype(np.intp).T)]
        out[number] = _majority(found).reshape(shape[1:])
    return out


def _majority(found: NDArray[Any]) -> NDArray[Any]:
    """Commonest value of each column."""
    ordered = np.sort(found, axis=0)
    best: NDArray[Any] = ordered[0].copy()
    count = np.zeros(found.shape[1], np.int64)
    run = np.zeros(found.shape[1], np.int64)
    for row in range(len(ordered)):
        run = np.where(ordered[row] == ordered[row - 1], run + 1, 1) if row else run + 1
        longer = run > count
        best[longer], count[longer] = ordered[row, longer], run[longer]
    return best


def _offsets(count: int) -> FloatArray:
    return (np.arange(count) + 0.5) / count - 0.5


def _layer(number: int, shape: tuple[int, ...]) -> FloatArray:
    rows, columns = np.meshgrid(*map(np.arange, shape[1:]), indexing="ij")
    planes = np.full(rows.size, float(number))
    return np.stack([planes, rows.ravel(), columns.ravel()], axis=-1)

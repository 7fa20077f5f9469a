"""How far two images are alike at a transform, over the pixels that both show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.images import BoolArray
from napari_framewise.numerics.interpolation import sample, spline
from napari_framewise.numerics.pyramid import filled


def alike(
    first: NDArray[Any],
    second: NDArray[Any],
    use: BoolArray,
    use_there: BoolArray,
    field: Field,
    window: int,
) -> tuple[float, float]:
    """Mean local correlation, and root mean square difference, of the images at a transform."""
    whole, valid = filled(np.asarray(second, np.float64)[None], use_there)
    at = field.on_grid([np.arange(n) for n in first.shape])
    order = 3 if first.ndim == 2 else 1
    (moved,), _, inside = sample(spline(whole, order=order, valid=valid), at)
    both = use & inside
    if not both.any():
        return float("nan"), float("nan")
    values = np.asarray(first, np.float64)
    mean = _local_correlation(values, moved, both, window)
    away = moved[both] - values[both]
    size = float(np.abs(away).max()) or 1.0
    return mean, size * float(np.sqrt(np.mean((away / size) ** 2)))


def _local_correlation(first: FloatArray, second: FloatArray, use: BoolArray, window: int) -> float:
    """Mean of the correlations within squares of the window's side, most of whose pixels count."""
    sides = [min(window, n) for n in first.shape]
    shape = tuple(n // side * side for n, side in zip(first.shape, sides, strict=True))
    tiles = tuple(k for n, side in zip(shape, sides, strict=True) for k in (n // side, side))
    inner = tuple(range(1, len(tiles), 2))

    def in_tiles(values: NDArray[Any]) -> FloatArray:
        return np.asarray(values[tuple(map(slice, shape))].reshape(tiles), np.float64)

    weight = in_tiles(use)
    count = weight.sum(axis=inner, keepdims=True)
    kept = (count > np.prod(sides) / 2).squeeze(inner)
    away = []
    for image in (first, second):
        size = float(np.abs(image[use]).max()) or 1.0
        values = np.where(weight > 0, in_tiles(image) / size, 0.0)
        away.append(
            weight * (values - values.sum(axis=inner, keepdims=True) / np.maximum(count, 1))
        )
    product = (away[0] * away[1]).sum(axis=inner)
    sizes = np.sqrt((away[0] ** 2).sum(axis=inner) * (away[1] ** 2).sum(axis=inner))
    known = kept & (sizes > 1e-12)
    return float((product[known] / sizes[known]).mean()) if known.any() else float("nan")

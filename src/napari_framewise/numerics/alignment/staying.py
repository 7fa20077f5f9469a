"""Pixels that stay put while a scene moves: dead and hot columns, rows and patches, dirt."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.shifts import Slopes

BoolArray: TypeAlias = NDArray[np.bool_]
# Deviations of all lines by which a line's likeness must exceed their median; of all lines, the
# most that may; and pixels around them that their slopes reach.
_OUTLYING, _MOST_LINES, _MOST_PIXELS, _AROUND = 5.0, 0.25, 0.2, 4
_TILE = 8
# Times the typical size of slopes: many of a line count, not a few large ones.
_MOST = 2.0


def staying(template: Slopes, image: Slopes) -> BoolArray | None:
    """Pixels whose slopes agree without any shift far better than those of the other lines.

    Rows, columns and tiles of 8 pixels a side are looked at. What agrees so may well be the scene
    itself, at rest: whoever leaves it out has to see whether the rest moves.

    Returns
    -------
    (y, x) bool or None
        None where nothing stands out, or where the images are not of one shape.
    """
    if template.shape != image.shape:
        return None
    one, two = (
        np.clip(each.values, -_MOST * each.typical, _MOST * each.typical)
        for each in (template, image)
    )
    agreeing = np.einsum("kij,kij->ij", one, two)
    found = np.zeros(template.shape, bool)
    for axis in (0, 1):
        lines = agreeing.mean(axis=axis)
        for number in np.flatnonzero(_outlying(lines)):
            near = slice(max(0, number - _AROUND), number + _AROUND + 1)
            found[(slice(None), near) if axis == 0 else near] = True
    rows, columns = (n // _TILE for n in template.shape)
    if min(rows, columns) >= 4:
        tiles = agreeing[: rows * _TILE, : columns * _TILE]
        sums = tiles.reshape(rows, _TILE, columns, _TILE).mean(axis=(1, 3))
        for i, j in zip(*np.nonzero(_outlying(sums)), strict=True):
            found[
                max(0, i * _TILE - _AROUND) : (i + 1) * _TILE + _AROUND,
                max(0, j * _TILE - _AROUND) : (j + 1) * _TILE + _AROUND,
            ] = True
    return found if 0 < found.mean() <= _MOST_PIXELS else None


def _outlying(values: NDArray[np.floating]) -> BoolArray:
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    found = values > middle + _OUTLYING * spread
    return found if found.mean() <= _MOST_LINES else np.zeros_like(found)

"""What a registration is given: images and masks, landmarks, and where to begin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.elastic.field import FloatArray
from napari_framewise.numerics.elastic.fitting import Marks
from napari_framewise.numerics.elastic.images import BoolArray

LEAST_SIDE = 16
"""Least rows and columns of an image."""
LEAST_DEPTH = 8
"""Least planes, rows and columns of a volume."""


def checked(
    image: ArrayLike, mask: ArrayLike | None, name: str, *, volumes: bool = False
) -> tuple[NDArray[Any], BoolArray]:
    """An image and where it may be used.

    Raises
    ------
    ValueError
        Where it is no plane of real numbers of at least 16 pixels a side (nor, where volumes are
        taken, a volume of 8), or the mask has another shape.
    """
    given = np.asarray(image)
    real = given.dtype.kind in "buif"
    if volumes and given.ndim == 3:
        if not real or min(given.shape) < LEAST_DEPTH:
            raise ValueError(
                f"The {name} has the shape {given.shape} and the type {given.dtype}; a volume of "
                f"real numbers, of at least {LEAST_DEPTH} voxels a side, is needed."
            )
    elif not real or given.ndim != 2 or min(given.shape) < LEAST_SIDE:
        raise ValueError(
            f"The {name} has the shape {given.shape} and the type {given.dtype}; one plane of real "
            f"numbers, of at least {LEAST_SIDE} x {LEAST_SIDE} pixels, is needed."
        )
    use = np.isfinite(given)
    if mask is not None:
        chosen = np.asarray(mask)
        if chosen.shape != given.shape:
            raise ValueError(
                f"The mask of the {name} has the shape {chosen.shape}, but the {name} has "
                f"{given.shape}; they must agree."
            )
        use &= (chosen != 0) & (chosen == chosen)
    return np.ascontiguousarray(given), use


def marks_of(landmarks: tuple[ArrayLike, ArrayLike] | None) -> Marks | None:
    """Pairs of landmarks whose both places are known; None where there is none.

    Raises
    ------
    ValueError
        Where there are not as many of each.
    """
    if landmarks is None:
        return None
    here, there = (np.asarray(each, np.float64).reshape(-1, 2) for each in landmarks)
    if here.shape != there.shape:
        raise ValueError(
            f"{len(here)} landmarks of the reference and {len(there)} of the image were given; "
            "landmarks go in pairs, so as many of each are needed."
        )
    known = np.isfinite(here).all(axis=1) & np.isfinite(there).all(axis=1)
    return Marks(here[known], there[known]) if known.any() else None


def start_of(
    shape: tuple[int, ...], other: tuple[int, ...], start: ArrayLike | None, marks: Marks | None
) -> FloatArray:
    """The matrix to begin at: the one given, the landmarks' shift, or centre upon centre.

    Raises
    ------
    ValueError
        Where the matrix given is singular, of another size, or not finite.
    """
    side = len(shape) + 1
    matrix = np.eye(side)
    if start is not None:
        matrix = np.asarray(start, np.float64)
        if matrix.shape != (side, side) or not np.isfinite(matrix).all():
            raise ValueError(f"The start has to be a {side} x {side} matrix of finite numbers.")
        if abs(np.linalg.det(matrix[:-1, :-1])) < 1e-6:
            raise ValueError("The start is a singular matrix; one that can be inverted is needed.")
    elif marks is not None:
        matrix[:2, 2] = np.median(marks.there - marks.here, axis=0)
    else:
        matrix[:2, 2] = (np.array(other) - np.array(shape)) / 2
    return matrix

"""How an image goes on past its border: as a linear map, with its adjoint."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[Any]
"""Of double precision, or of single where that is said."""
Boundary: TypeAlias = Literal["periodic", "zero", "nearest", "reflect", "unknown"]


def extended(image: Floats, reach: tuple[int, ...], boundary: Boundary) -> Floats:
    """An image with `reach` further pixels on either side of each axis.

    ``zero`` puts zeros there, ``nearest`` the pixel of the border, ``reflect`` the image mirrored
    about the outer edge of its last pixel (half-sample symmetry), ``periodic`` its other side.

    Examples
    --------
    >>> extended(np.array([1.0, 2.0, 3.0]), (2,), "reflect").tolist()
    [2.0, 1.0, 1.0, 2.0, 3.0, 3.0, 2.0]
    """
    for axis, width in enumerate(reach):
        if boundary == "zero":
            pads = [(width, width) if n == axis else (0, 0) for n in range(image.ndim)]
            image = np.pad(image, pads)
        elif width:
            image = np.take(image, _sources(image.shape[axis], width, boundary), axis)
    return image


def extended_adjoint(image: Floats, reach: tuple[int, ...], boundary: Boundary) -> Floats:
    """The adjoint of `extended`: what lies past the border is added to where it came from.

    Examples
    --------
    >>> extended_adjoint(np.ones(7), (2,), "nearest").tolist()
    [3.0, 1.0, 3.0]
    """
    for axis, width in enumerate(reach):
        length = image.shape[axis] - 2 * width
        moved = np.moveaxis(image, axis, 0)
        inner = moved[width : width + length]
        if boundary != "zero" and width:
            inner = inner.copy()
            sources = _sources(length, width, boundary)
            np.add.at(inner, sources[:width], moved[:width])
            np.add.at(inner, sources[width + length :], moved[width + length :])
        image = np.moveaxis(inner, 0, axis)
    return image


def _sources(length: int, width: int, boundary: Boundary) -> NDArray[np.intp]:
    """The pixel that each pixel of the extended axis is taken from."""
    places = np.arange(-width, length + width)
    if boundary == "nearest":
        return np.clip(places, 0, length - 1)
    if boundary == "periodic":
        return places % length
    folded = places % (2 * length)
    return np.where(folded < length, folded, 2 * length - 1 - folded)

"""The colour wheel of optical flow (Baker et al. 2011): direction as hue, size as saturation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Steps of the wheel from red over yellow, green, cyan, blue and magenta back to red.
_STEPS = (15, 6, 4, 11, 13, 6)
_CORNERS = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255))


def _wheel() -> NDArray[np.float64]:
    """The 55 colours of the wheel (55, 3) in 0..1, from rightward motion clockwise."""
    parts = []
    for number, steps in enumerate(_STEPS):
        start = np.array(_CORNERS[number], float)
        stop = np.array(_CORNERS[(number + 1) % len(_CORNERS)], float)
        share = np.floor(255 * np.arange(steps) / steps)[:, None] / 255
        parts.append(start + share * (stop - start))
    return np.concatenate(parts) / 255


def colours(displacement: NDArray[Any], largest: float | None = None) -> NDArray[np.uint8]:
    """Colours of a flow in a plane.

    Parameters
    ----------
    displacement : (2, ...)
        Row-column order, in pixels.
    largest : float, optional
        Displacement of full saturation; larger ones are darker. The largest there is by default.

    Returns
    -------
    (..., 3) uint8
        White where nothing moves, black where there is no data.

    Examples
    --------
    >>> displacement = np.zeros((2, 4, 4))
    >>> displacement[1] = 1.0
    >>> colours(displacement).shape
    (4, 4, 3)
    """
    known = np.isfinite(displacement).all(axis=0)
    down, right = np.where(known, displacement, 0).astype(np.float64)
    size = np.hypot(down, right)
    if largest is None:
        largest = float(size.max(initial=0.0))
    size = size / largest if largest > 0 else size
    wheel = _wheel()
    count = len(wheel)
    # As in the published code the wheel begins at leftward motion, half a turn away.
    place = (np.arctan2(-down, -right) / np.pi + 1) / 2 * (count - 1)
    low = np.floor(place).astype(int)
    share = (place - low)[..., None]
    hue = (1 - share) * wheel[low % count] + share * wheel[(low + 1) % count]
    inside = (size <= 1)[..., None]
    size = size[..., None]
    colour = np.where(inside, 1 - np.minimum(size, 1) * (1 - hue), 0.75 * hue)
    return np.where(known[..., None], np.floor(255 * colour), 0).astype(np.uint8)


def legend(size: int) -> NDArray[np.uint8]:
    """The wheel itself (size, size, 3): the colour of the motion from the centre to each pixel.

    Examples
    --------
    >>> legend(9).shape
    (9, 9, 3)
    """
    middle = (size - 1) / 2
    away = np.indices((size, size)) - middle
    away[:, np.hypot(*away) > middle] = np.nan
    return colours(away, middle)

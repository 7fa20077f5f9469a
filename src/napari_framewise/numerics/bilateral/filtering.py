"""The filter of a block of frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.bilateral.exact import exact_reach, exact_rows
from napari_framewise.numerics.bilateral.frames import each_frame, result_type
from napari_framewise.numerics.bilateral.grid import grid_reach, grid_rows


def bilateral_filter(
    frames: NDArray[Any],
    sigma: float | Sequence[float],
    range_sigma: float,
    *,
    guide: NDArray[Any] | None = None,
    mask: NDArray[Any] | None = None,
    per_sigma: int | None = None,
    rows: tuple[int, int] | None = None,
    start: int = 0,
) -> NDArray[Any]:
    """Smooth frames where they are alike: weights by distance in space and in range.

    ``out(p) = sum_q w f(q) / sum_q w`` over a window, ``w = exp(-|p - q|^2 / (2 sigma^2)
    - |g(p) - g(q)|^2 / (2 range_sigma^2))`` (Tomasi and Manduchi, 1998, *ICCV*, 839-846), with the
    frame f itself as guide g, or another (Petschnigg et al., 2004, *ACM Trans. Graph.* 23,
    664-672). The window is a box of three sigma on either side; beyond the border there are no
    data.

    Parameters
    ----------
    frames : (n, y, x, c) or (n, z, y, x, c) real
        Channels are along the last axis, one or more; they share their weights.
    sigma : float or one for each of (z,) y, x
        Of space, in pixels; 0 is none along that axis.
    range_sigma : float
        Of range, in the guide's unit; of several channels their Euclidean distance counts.
    guide : (n or 1, *spatial, k) real, optional
        What distances in range are taken of.
    mask : (n or 1, *spatial), optional
        Non-zero = use this pixel.
    per_sigma : int, optional
        Cells in a standard deviation of a grid of space and range that approximates the sum; its
        blur lacks the variance that linear interpolation into it and out of it adds (Paris and
        Durand, 2009, *Int. J. Comput. Vis.* 81, 24-52). The guide must have one channel. None: the
        sum itself, to a relative error of 1e-6 of its weights; those below exp(-18) of the range
        count as none.
    rows : tuple of int, optional
        First and last (exclusive) row to answer for; by default all.
    start : int
        Row of the whole image that the first row of `frames` is: cells of the grid lie where they
        lie whatever part of the image is given.

    Returns
    -------
    ndarray
        (n, (z,) rows, x, c), float32 for float32 and up to 16 bits, else float64. NaN where the
        guide (or, without one, the frame) has no data, and where nothing in the window weighs in;
        where only the frame has none, what the guide joins fills it. NaN and infinite values are no
        data, as is a pixel with a channel that has none; what stands there changes nothing.

    Raises
    ------
    ValueError
        Where a sigma is not positive, or the grid is asked for with a guide of several channels.

    Examples
    --------
    >>> step = np.repeat([[0.0] * 6 + [9.0] * 6], 5, axis=0)[None, ..., None]
    >>> bilateral_filter(step, 2.0, 1.0)[0, 2, 5:7, 0].round(6).tolist()
    [0.0, 9.0]
    """
    ndim = frames.ndim - 2
    sigmas = (float(sigma),) * ndim if isinstance(sigma, (int, float)) else tuple(sigma)
    check(sigmas, range_sigma, ndim)
    leading = frames if guide is None else guide
    if per_sigma is not None and leading.shape[-1] > 1:
        raise ValueError(
            f"The fast grid was asked for with a guide of {leading.shape[-1]} channels; it takes "
            "one: choose the exact sum, or a grey guide."
        )
    asked = (0, frames.shape[-3]) if rows is None else rows
    shape = (len(frames), *frames.shape[1:-3], asked[1] - asked[0], *frames.shape[-2:])
    out = np.empty(shape, result_type(frames))
    for place, frame in zip(out, each_frame(frames, guide, mask), strict=True):
        if per_sigma is None:
            made = exact_rows(frame, sigmas, range_sigma, asked)
        else:
            made = grid_rows(frame, sigmas, range_sigma, asked, per_sigma=per_sigma, start=start)
        place[...] = np.moveaxis(made if ndim == 3 else made[:, 0], 0, -1)
    return out


def reach(sigma: Sequence[float], per_sigma: int | None) -> int:
    """How many pixels beyond its own place a pixel of the result depends on.

    Examples
    --------
    >>> reach((3.0, 3.0), None), reach((16.0, 16.0), 2)
    (9, 65)
    """
    return exact_reach(sigma) if per_sigma is None else grid_reach(sigma, per_sigma)


def check(sigma: Sequence[float], range_sigma: float, ndim: int) -> None:
    """Refuse what is no width."""
    if len(sigma) != ndim or not all(0 <= each < math.inf for each in sigma):
        raise ValueError(
            f"Sigma was given {', '.join(f'{each:g}' for each in sigma)}; one number of pixels "
            f"from 0 on for each of the {ndim} axes of a frame is needed."
        )
    if not 0 < range_sigma < math.inf:
        raise ValueError(
            f"The sigma of the range was given {range_sigma:g}; a number above 0, in the unit of "
            "the pixels' values, is needed."
        )

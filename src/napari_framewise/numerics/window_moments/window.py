"""Windows around a pixel that are a product of weights along each axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Weights of the pixels around one, the product of those along each axis.

    Attributes
    ----------
    starts : tuple of int
        Along each axis, where the first weight stands, counted from the pixel.
    weights : tuple of tuple of float
        Along each axis, positive weights; a pixel that counts once has 1.

    Examples
    --------
    >>> box_window((3, 5))
    Window(starts=(-1, -2), weights=((1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0, 1.0)))
    """

    starts: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]

    @property
    def reach(self) -> int:
        """How many pixels beyond its own place a window goes, along any axis."""
        ends = zip(self.starts, self.weights, strict=True)
        return max(max(-start, start + len(taps) - 1, 0) for start, taps in ends)


def box_window(sides: Sequence[int]) -> Window:
    """All pixels of a box, of an odd number of them along each axis, alike.

    Raises
    ------
    ValueError
        Where a side has no middle pixel.

    Examples
    --------
    >>> box_window((7, 7)).reach
    3
    """
    for side in sides:
        check_side(side)
    starts = tuple(-(side // 2) for side in sides)
    return Window(starts, tuple((1.0,) * side for side in sides))


def gaussian_window(sigmas: Sequence[float], reaches: Sequence[int]) -> Window:
    """Gaussian weights ``exp(-d^2 / (2 sigma^2))`` up to a distance along each axis.

    Parameters
    ----------
    sigmas : sequence of float
        In pixels, positive.
    reaches : sequence of int
        Farthest distance in pixels along each axis: 5 at a sigma of 1.5 is the window of SSIM (Wang
        et al. 2004).

    Examples
    --------
    >>> window = gaussian_window((1.5, 1.5), (5, 5))
    >>> len(window.weights[0]), window.weights[0][5]
    (11, 1.0)
    """
    return Window(
        tuple(-reach for reach in reaches),
        tuple(
            tuple(math.exp(-((d / sigma) ** 2) / 2) for d in range(-reach, reach + 1))
            for sigma, reach in zip(sigmas, reaches, strict=True)
        ),
    )


def check_side(side: int) -> None:
    """Refuse a side without a middle pixel.

    Raises
    ------
    ValueError
        Where it is even, or less than 1.

    Examples
    --------
    >>> check_side(3)
    """
    if side < 1 or side % 2 == 0:
        near = "1 or 3" if side < 1 else f"{side - 1} or {side + 1}"
        raise ValueError(
            f"The window was given {side} pixels; an odd number is needed, so that it has a "
            f"middle: {near}."
        )

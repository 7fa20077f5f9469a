"""What is computed for a block of frames; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from napari_framewise.numerics import colorization as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.colorization.kept import known_system, system_of, weights_of
from napari_framewise.tools.colorization.marks import Marks, marked_of

# Smaller images are solved exactly at once: it takes as long.
_SMALL = 40_000


@dataclass(frozen=True, eq=False)
class Colorized:
    """One frame, or all frames together.

    Attributes
    ----------
    image : (*grid, 3) ndarray
        Red, green and blue from 0 to 1.
    values : tuple of float
        Marked pixels, pixels with data that no scribble reaches, pixels without data, and the loss.
    exact : bool
        Whether it is the solution, not a quick answer near it.
    """

    image: Array
    values: tuple[float, float, float, float]
    unreached: Array
    exact: bool = True


def colorized(
    luminance: Array,
    marked: Array,
    chroma: Array,
    form: numerics.Form,
    white: float,
    quick: bool = False,
) -> Colorized:
    """A luminance with the colours of its marked pixels.

    A quick answer is wanted before the factors are there: it comes from a smaller image.
    """
    grey = np.asarray(luminance, np.float64) / white
    grey[~np.isfinite(grey)] = np.nan
    weights = weights_of(grey, form)
    marked = marked & weights.known
    if not marked.any():
        found, unreached, exact = np.zeros_like(chroma), weights.known, True
    elif quick and grey.size > _SMALL and known_system(grey, marked, form) is None:
        found = numerics.coarse_chroma(grey, weights, marked, chroma, form)
        unreached, exact = np.zeros_like(marked), False
    else:
        system = system_of(grey, marked, form)
        found, unreached, exact = system.solve(chroma), weights.known & ~system.reached, True
    missing = int((~weights.known).sum())
    loss = numerics.loss(weights, found) if exact else np.nan
    values = (float(marked.sum()), float(unreached.sum()), float(missing), loss)
    return Colorized(numerics.coloured(grey, found), values, unreached, exact)


def colorized_block(
    frames: Array,
    positions: Array,
    marks: Mapping[int, Marks],
    form: numerics.Form,
    white: float,
    *,
    out: Array,
) -> Array:
    """A block of frames, each by itself: (n, 4) values of `Colorized`."""
    values = []
    for frame, position, place in zip(frames, positions[:, 0], out, strict=True):
        marked, chroma = marked_of(marks, int(position)).on(frame.shape)
        made = colorized(frame, marked, chroma, form, white)
        place[...] = made.image
        values.append(made.values)
    return np.array(values)

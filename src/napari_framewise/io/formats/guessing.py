"""Axes of arrays whose file says nothing of them, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_framewise.stacks.axes import Axis, default_axis_names

GUESSED = "the file names no axes: the last two are taken to be y and x"
GUESSED_CHANNELS = "the file names no axes: the last three are taken to be y, x and channels"
GUESSED_PAGES = "the file does not say what its pages are: they are taken as frames"
GUESSES = frozenset({GUESSED, GUESSED_CHANNELS, GUESSED_PAGES})
"""What is said where a file leaves something open, in contrast to what is wrong with it."""

_COLOURS = (3, 4)


def guessed_axes(
    shape: Sequence[int], dtype: np.dtype[Any]
) -> tuple[tuple[Axis, ...], tuple[str, ...]]:
    """Axes that nobody named, and the remarks about them.

    Three or four whole numbers along the last axis are taken to be channels; whether they are the
    components of a colour is for a file to say.

    Returns
    -------
    axes : tuple of Axis
        One per axis.
    remarks : tuple of str
        That they are a guess; nothing for a plain image, where there is nothing to guess.
    """
    channels = len(shape) > 2 and shape[-1] in _COLOURS and dtype.kind == "u"
    axes = tuple(Axis(name) for name in default_axis_names(len(shape), channels))
    if len(shape) < 3:
        return axes, ()
    return axes, (GUESSED_CHANNELS if channels else GUESSED,)

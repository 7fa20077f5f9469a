"""Scribbles as chroma: what of a frame is marked, and with which colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from napari_framewise.framework.inputs import Inputs
from napari_framewise.numerics.colorization import chroma_of
from napari_framewise.stacks.source import Array


class Marks(NamedTuple):
    """Marked pixels of a frame.

    Attributes
    ----------
    places : (m, 2) ndarray of int
    chroma : (m, 2) ndarray
        R - Y and B - Y of each.
    colours : int
        How many different ones.
    """

    places: Array
    chroma: Array
    colours: int

    def on(self, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Which pixels are marked, and the chroma of each; 0 in the others."""
        marked, chroma = np.zeros(shape, bool), np.zeros((*shape, 2))
        at = tuple(self.places.T)
        marked[at] = True
        chroma[at] = self.chroma
        return marked, chroma


def marks_on(inputs: Inputs, frame: int) -> Marks:
    """What is marked on a frame; transparent colours mark nothing.

    Raises
    ------
    ValueError
        Where marks have no colour.
    """
    found = inputs.scribbles("scribbles", frame)
    seen = ~(found.colours[:, 3] <= 0)
    places, colours = found.places[seen], found.colours[seen, :3]
    without = int(np.isnan(colours).any(axis=1).sum())
    if without:
        raise ValueError(
            f"Scribbles: {without:,} marked pixels have no colour; give labels with a colour for "
            "each (a table beside their file: FILE.labels.csv), shapes or points with colours, or "
            "an image in colour that was painted over."
        )
    count = len(np.unique(colours.round(6), axis=0))
    return Marks(places, chroma_of(colours), count)


def all_marks(inputs: Inputs, count: int) -> dict[int, Marks]:
    """Marks of all frames that have any, by their position.

    Raises
    ------
    ValueError
        Where there are none, or they have no colour.
    """
    found = {frame: marks_on(inputs, frame) for frame in range(count)}
    kept = {frame: marks for frame, marks in found.items() if len(marks.places)}
    if not kept:
        raise nothing_marked(inputs)
    return kept


def nothing_marked(inputs: Inputs) -> ValueError:
    """That no pixel has a colour."""
    return ValueError(
        f"No pixel of {inputs.stack('stack').name} is marked with a colour; paint labels, draw "
        "shapes or points in colours on it, or give a copy in colour that was painted over."
    )


def marked_of(marks: Mapping[int, Marks], frame: int) -> Marks:
    """Marks of a frame, maybe none."""
    nothing = Marks(np.zeros((0, 2), np.int64), np.zeros((0, 2)), 0)
    return marks.get(frame, nothing)

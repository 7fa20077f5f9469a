"""The nodes of one image: candidates, the lattice through them, and each node measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.grid_nodes.between import is_of_pattern
from napari_framewise.numerics.grid_nodes.candidates import (
    Pattern,
    candidates,
    is_dark,
    reduced,
)
from napari_framewise.numerics.grid_nodes.corners import corners
from napari_framewise.numerics.grid_nodes.crossings import crossings
from napari_framewise.numerics.grid_nodes.dots import centres, straightened
from napari_framewise.numerics.grid_nodes.growing import Lattice, is_regular, lattice_of
from napari_framewise.numerics.grid_nodes.trusting import (
    held,
    is_grid,
    noise_of,
    quieter,
    scattered,
)
from napari_framewise.numerics.pyramid import filled

Array = NDArray[np.float64]
Lack: TypeAlias = Literal["", "data", "contrast", "pattern"]
IntArray = NDArray[np.int64]
PATTERNS = ("chessboard", "dots", "lines")
_SMALLEST = 12
_LARGEST_ERROR = 0.05
"""Of the pitch: what is less certain is not seen."""
_MEASURED, _SECOND = 0.5, 0.25
"""Of the nodes of a lattice: those that must be measured, and other places that may be another."""
_CLEAR, _MANY, _MORE = 0.85, 16, 1.1
"""A lattice of most candidates and so many nodes is kept when the next scale shows no more."""


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of a grid in one image.

    Attributes
    ----------
    places : (n, 2) float64
        In pixels, row and column; none where no grid was found.
    index : (n, 2) int64
        Row and column of each in the grid, from 0: rows run down, columns to the right.
    errors : (n,) float64
        Standard error of a coordinate, in pixels: by the image's noise, and no less than nodes
        around scatter about smooth rows and columns.
    pitch : float
        Median distance between neighbours, in pixels; NaN without nodes.
    candidates : int
        Places that looked like nodes, at the scale at which most of the grid was found.
    others : int
        Nodes of a second grid in the image, which is left out; 0 where there is none.
    lack : {"", "data", "contrast", "pattern"}
        What it lacks where nothing was found: pixels with data, values that differ, or, where there
        are rows and columns of what looks like nodes, the pattern between them.
    """

    places: Array
    index: IntArray
    errors: Array
    pitch: float
    candidates: int
    others: int = 0
    lack: Lack = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        if len(self.index) == 0:
            return 0, 0
        rows, columns = self.index.max(axis=0) + 1
        return int(rows), int(columns)

    @property
    def missing(self) -> int:
        """Nodes of the full rows and columns that are not there."""
        rows, columns = self.shape
        return rows * columns - len(self.index)


def find_nodes(
    image: Any,
    pattern: Pattern,
    *,
    mask: Any = None,
    dark: bool | None = None,
) -> Nodes:
    """Nodes of a calibration grid.

    The board may be cut by the border, and nodes may be missing: what hangs together is found. A
    grid smaller than 2 x 2 is none.

    Parameters
    ----------
    image : (y, x) real
        NaN and infinite values are no data.
    pattern : {"chessboard", "dots", "lines"}
        Inner corners of a chessboard, centres of round dots, or crossings of lines.
    mask : (y, x), optional
        Neither 0 nor NaN = use this pixel.
    dark : bool, optional
        Whether dots or lines are darker than the ground; by default what there is less of.

    Returns
    -------
    Nodes

    Raises
    ------
    ValueError
        For another pattern, or what is no plane of real numbers.

    Examples
    --------
    >>> y, x = np.mgrid[:80, :100]
    >>> board = 100.0 * ((y // 20 + x // 20) % 2)
    >>> found = find_nodes(board, "chessboard")
    >>> found.shape, (found.places[0] + 0.5).round(1).tolist()
    ((3, 4), [20.0, 20.0])
    """
    values, usable = _checked(image, pattern, mask)
    empty = Nodes(np.empty((0, 2)), np.empty((0, 2), np.int64), np.empty(0), float("nan"), 0)
    if not usable.any():
        return replace(empty, lack="data")
    if np.ptp(values) == 0:
        return replace(empty, lack="contrast")
    if min(values.shape) < _SMALLEST:
        return empty
    noise = noise_of(values, usable)
    if dark is None:
        dark = pattern == "chessboard" or is_dark(values, usable)
    small, factor = reduced(values)
    kept = usable if factor == 1 else reduced(usable.astype(np.float64))[0] > 0.5
    best: Lattice | None = None
    places = empty.places
    most, most_worth = 0, 0.0
    for _, here, strengths in candidates(small, kept, pattern, dark):
        found = lattice_of(here, strengths)
        most = max(most, len(here)) if best is None else most
        regular = found is not None and is_regular(here, found)
        worth = _worth(found, len(here)) if found is not None and regular else 0.0
        if found is not None and worth > _MORE * most_worth:
            best, places, most, most_worth = found, here, len(here), worth
        elif best is not None and len(best.index) > max(_CLEAR * most, _MANY):
            break
    if best is None:
        return Nodes(empty.places, empty.index, empty.errors, empty.pitch, most)
    start = places[best.chosen] * factor + (factor - 1) / 2
    steps = best.steps * factor
    ink = values if pattern == "chessboard" or not dark else -values
    at, errors = _measured(ink, usable, pattern, start, best.index, steps, noise)
    good = np.asarray(np.isfinite(at).all(axis=1))
    good[good] &= errors[good] < _LARGEST_ERROR * np.sqrt((steps[good] ** 2).sum(axis=2)).min(
        axis=1
    )
    sure = np.flatnonzero(good)
    sure = sure[held(best.index[sure])]
    index = best.index[sure]
    strays = len(places) - len(best.index)
    if len(sure) < _MEASURED * len(best.index) or not is_grid(at[sure], index, strays):
        return Nodes(empty.places, empty.index, empty.errors, empty.pitch, most)
    if not is_of_pattern(ink, pattern, at[sure], index):
        return replace(empty, candidates=most, lack="pattern")
    rest = np.delete(places, best.chosen, axis=0)
    second = lattice_of(rest) if len(rest) > _SECOND * len(best.index) else None
    return Nodes(
        at[sure],
        index - index.min(axis=0),
        scattered(at[sure], index, errors[sure]),
        float(np.median(np.sqrt((steps[sure] ** 2).sum(axis=2)))),
        most,
        len(second.index) if second is not None and is_regular(rest, second) else 0,
    )


def _measured(
    ink: Array,
    usable: NDArray[np.bool_],
    pattern: Pattern,
    start: Array,
    index: IntArray,
    steps: Array,
    noise: float,
) -> tuple[Array, Array]:
    pitch = np.sqrt((steps**2).sum(axis=2)).min(axis=1)
    if pattern == "chessboard":
        return corners(ink, usable, start, steps, noise)
    ink, blur = quieter(ink, noise, float(np.median(pitch)))
    if pattern == "lines":
        return crossings(ink, usable, start, index, steps)
    at, errors, areas = centres(ink, usable, start, pitch, noise, blur)
    good = np.isfinite(at).all(axis=1)
    if good.any():
        at[good] = straightened(at[good], index[good] - index[good].min(axis=0), areas[good])
    return at, errors


def _worth(found: Lattice, candidates: int) -> float:
    """How much of the image a lattice covers, and how few other candidates there are.

    In nodes times pitch: finer structure must not win by number.
    """
    count = len(found.index)
    return float(count * np.median(found.pitch) * np.sqrt(count / candidates))


def _checked(image: Any, pattern: str, mask: Any) -> tuple[Array, NDArray[np.bool_]]:
    """Image in units of its spread, without gaps, and where it held data."""
    if pattern not in PATTERNS:
        raise ValueError(f"The pattern {pattern!r} was asked for; give one of {PATTERNS}.")
    given = np.asarray(image)
    if given.ndim != 2 or given.dtype.kind not in "biuf":
        raise ValueError(
            f"An image of shape {given.shape} and type {given.dtype} was given; a plane of real "
            "numbers is needed."
        )
    values = given.astype(np.float64)
    usable = np.isfinite(values)
    if mask is not None:
        marks = np.asarray(mask)
        if marks.shape != given.shape:
            raise ValueError(
                f"A mask of shape {marks.shape} was given for an image of {given.shape}; they must "
                "have the same shape."
            )
        usable &= (marks != 0) & (marks == marks)
    if not usable.any():
        return np.zeros_like(values), usable
    # A power of two, so that units leave the same bits and extreme ones don't overflow.
    size = float(np.abs(values[usable]).max())
    values = np.where(usable, values / 2.0 ** np.floor(np.log2(size)) if size > 0 else 0.0, 0.0)
    if not usable.all():
        values = filled(values[None], usable)[0][0]
    return values, usable

"""Scribbles on a frame: pixels that somebody marked, each with a number and a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.channels import one_channel
from napari_framewise.framework.drawn import drawn_points, drawn_shapes
from napari_framewise.framework.matching import as_long, matching
from napari_framewise.framework.outcome import PointsResult, ShapesResult
from napari_framewise.framework.regions import shape_pixels
from napari_framewise.framework.roles import Value
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_CHANGED = 0.01


@dataclass(frozen=True, eq=False)
class Scribbles:
    """Marked pixels of one frame, each once.

    Attributes
    ----------
    places : (m, d) ndarray of int
        Planes (of a volume), rows, columns.
    numbers : (m,) ndarray of int
        Label, or number of the point or shape counted from 1; 0 of a painted image.
    colours : (m, 4) ndarray
        Red, green, blue and alpha from 0 to 1; NaN where a mark has no colour.
    """

    places: Array
    numbers: Array
    colours: Array

    def __len__(self) -> int:
        return len(self.places)


def scribbles_on(marks: Sequence[Value], under: Stack, frame: int) -> Scribbles:
    """What is marked on a frame of a stack; what comes later covers what comes before.

    Labels mark the pixels that are not 0, in the colours of their legend; shapes their inside, or a
    path as wide as it is drawn, in the colour of their inside where they have one, else of their
    outline; points the nearest pixel, in their colours. Of an image in colour, the pixels are
    marked that differ from the frame under it by more than 1 % of the range where both have the
    same values, else those that are not grey. What lies in another frame is left out; what has no
    place along the frames holds for all of them.

    Parameters
    ----------
    marks : sequence of Stack, PointsResult or ShapesResult
        What was drawn or painted.
    under : Stack
        The stack that it lies on.
    frame : int
        Number among its chosen frames.

    Raises
    ------
    ValueError
        Where something does not fit the frames.
    """
    shape = under.spatial_shape
    numbers, colours = np.zeros(shape, np.int64), np.full((*shape, 4), np.nan)
    marked = np.zeros(shape, bool)
    for each in marks:
        if isinstance(each, PointsResult):
            _points(each, under, frame, marked, numbers, colours)
        elif isinstance(each, ShapesResult):
            _shapes(each, under, frame, marked, numbers, colours)
        elif isinstance(each, Stack) and each.rgb:
            _painted(each, under, frame, marked, numbers, colours)
        elif isinstance(each, Stack):
            _labels(each, under, frame, marked, numbers, colours)
    places = np.argwhere(marked)
    return Scribbles(places, numbers[marked], colours[marked])


def _points(
    drawn: PointsResult, under: Stack, frame: int, marked: Array, numbers: Array, colours: Array
) -> None:
    points = drawn_points(drawn, under)
    for number, place in enumerate(points.places):
        if points.frames is not None and points.frames[number] != frame:
            continue
        at = tuple(slice(None) if np.isnan(each) else int(np.rint(each)) for each in place)
        inside = [
            isinstance(each, slice) or 0 <= each < length
            for each, length in zip(at, marked.shape, strict=True)
        ]
        if all(inside):
            marked[at], numbers[at] = True, number + 1
            colours[at] = np.nan if points.colours is None else points.colours[number]


def _shapes(
    drawn: ShapesResult, under: Stack, frame: int, marked: Array, numbers: Array, colours: Array
) -> None:
    for number, shape in enumerate(drawn_shapes(drawn, under)):
        if shape.frame not in (None, frame):
            continue
        box, inside = shape_pixels(shape, marked.shape, drawn.name)
        marked[box] |= inside
        numbers[box][inside] = number + 1
        colours[box][inside] = _colour_of(drawn, number, shape.kind)


def _colour_of(drawn: ShapesResult, number: int, kind: str) -> Array:
    """Of a path its own; else of the inside, or of the outline where that is transparent."""
    outline = None if drawn.colours is None else np.asarray(drawn.colours)[number]
    inside = None if drawn.fill is None else np.asarray(drawn.fill)[number]
    if kind not in ("path", "line") and inside is not None and inside[3] > 0:
        return np.asarray(inside)
    return np.full(4, np.nan) if outline is None else np.asarray(outline)


def _labels(
    painted: Stack, under: Stack, frame: int, marked: Array, numbers: Array, colours: Array
) -> None:
    labels = np.nan_to_num(_frame_of(painted, one_channel(under), frame)).astype(np.int64)
    use = labels != 0
    marked |= use
    numbers[use] = labels[use]
    legend = painted.legend
    colours[use] = np.nan if legend is None else legend.colour_of(labels[use])


def _painted(
    painted: Stack, under: Stack, frame: int, marked: Array, numbers: Array, colours: Array
) -> None:
    plain = one_channel(under)
    image = _frame_of(painted, plain, frame, colour=True)
    top = float(np.iinfo(image.dtype).max) if image.dtype.kind in "iu" else 1.0
    shown = image[..., :3].astype(np.float64) / top
    grey = plain.frame(frame)
    # NaN is no colour.
    with np.errstate(invalid="ignore"):
        if grey.dtype == image.dtype:
            apart = np.abs(shown - grey[..., None].astype(np.float64) / top).max(axis=-1)
            # An image that is other than the frame everywhere is not one that was painted over.
            same = float(np.mean(apart <= _CHANGED)) > 0.05
        else:
            same = False
        use = (apart if same else np.ptp(shown, axis=-1)) > _CHANGED
    marked |= use
    numbers[use] = 0
    alpha = image[..., 3:].astype(np.float64) / top if image.shape[-1] == 4 else np.ones(1)
    colours[use] = np.concatenate([shown, np.broadcast_to(alpha, (*shown.shape[:-1], 1))], axis=-1)[
        use
    ]


def _frame_of(painted: Stack, plain: Stack, frame: int, colour: bool = False) -> Array:
    """The frame of what was painted that lies on a frame."""
    found = as_long(matching(painted, plain), plain)
    shape = found.frame_shape[:-1] if colour else found.frame_shape
    if shape != plain.frame_shape or found.n_frames not in (1, plain.n_frames):
        raise ValueError(
            f"{painted.name} holds {found.summary()}, but {plain.name} holds {plain.summary()}; "
            "scribbles of that size for all frames, or for each, are needed."
        )
    image: Array = found.frame(frame if found.n_frames > 1 else 0)
    return image

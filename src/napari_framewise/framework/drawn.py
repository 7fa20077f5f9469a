"""Points and shapes on a stack's frames: where they lie in pixels, in which frame, and in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.stacks.units import PIXEL, unit_ratio


@dataclass(frozen=True, eq=False)
class DrawnPoints:
    """Points on the frames of a stack.

    Attributes
    ----------
    name : str
        What the user calls them.
    places : ndarray
        (n, d): pixels of a frame, of the region that was chosen; rows before columns, without a
        channel axis.
    frames : ndarray, optional
        Number among the chosen frames of the frame that each lies in, -1 where that was not
        chosen; None where they hold for every frame.
    index : ndarray, optional
        Number of each point, where the user gave them numbers.
    features : Table, optional
        A row for each.
    colours : ndarray, optional
        Red, green, blue and alpha from 0 to 1, (n, 4).
    """

    name: str
    places: Array
    frames: Array | None
    index: Array | None
    features: Table | None
    colours: Array | None


@dataclass(frozen=True, eq=False)
class DrawnShape:
    """A shape on the frames of a stack: vertices (m, d) in pixels of a frame, and its outline.

    `frame` is as in `DrawnPoints`, of this one shape; `width` that of the outline in pixels.
    """

    vertices: Array
    kind: str
    width: float
    frame: int | None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Landmarks in two sets of points that belong together.

    Attributes
    ----------
    first, second : ndarray
        Row in each set, pair by pair.
    index : ndarray
        Number of each pair.
    alone : tuple of str
        What has no partner, in words: "landmark 7 of fixed"; empty where each has one.
    """

    first: Array
    second: Array
    index: Array
    alone: tuple[str, ...] = ()


def drawn_points(points: PointsResult, stack: Stack) -> DrawnPoints:
    """Points in pixels of a stack's frames.

    An axis without scale, position and unit of its own is in pixels of the stack; any other is
    taken through the world.

    Raises
    ------
    ValueError
        Where the points have other axes than the frames.
    """
    data = np.asarray(points.data, np.float64).reshape(-1, len(points.grid.axes))
    columns = _columns(points.name, points.grid.axes, stack)
    index = points.index
    if points.features is not None and "index" in points.features.columns:
        index = points.features.columns["index"]
    return DrawnPoints(
        points.name,
        _places(data, points.grid.axes, columns, stack),
        _frames(data, points.grid.axes, columns, stack),
        index,
        points.features,
        points.colours,
    )


def drawn_shapes(shapes: ShapesResult, stack: Stack) -> tuple[DrawnShape, ...]:
    """Shapes in pixels of a stack's frames; see `drawn_points`.

    Raises
    ------
    ValueError
        Where the shapes have other axes than the frames, or one reaches over several frames.
    """
    axes = shapes.grid.axes
    columns = _columns(shapes.name, axes, stack)
    widths = np.ones(len(shapes.data)) if shapes.widths is None else shapes.widths
    size = _unit_size(axes, columns, stack)
    drawn = []
    for number, (data, kind, width) in enumerate(
        zip(shapes.data, shapes.types, widths, strict=True)
    ):
        vertices = np.asarray(data, np.float64)
        frames = _frames(vertices, axes, columns, stack)
        if frames is not None and len(set(frames.tolist())) > 1:
            raise ValueError(
                f"{shapes.name}: shape {number} reaches over several frames; draw each shape in "
                "one frame."
            )
        frame = None if frames is None else int(frames[0])
        places = _places(vertices, axes, columns, stack)
        drawn.append(DrawnShape(places, kind, float(width) * size, frame))
    return tuple(drawn)


def placed_back(places: Array, points: PointsResult, stack: Stack, frames: Array | None) -> Array:
    """Points that were moved within a stack's frames as data of the layer that they came from.

    Parameters
    ----------
    places : ndarray
        (n, d) in pixels of a frame, as `drawn_points` gives them.
    points : PointsResult
        Where they came from; other coordinates than those of the frame are kept.
    stack : Stack
        Whose frames they lie in.
    frames : ndarray, optional
        Number among the chosen frames of the frame that each lies in now.
    """
    axes = points.grid.axes
    data = np.array(points.data, np.float64).reshape(-1, len(axes))
    columns = _columns(points.name, axes, stack)
    for place, axis in enumerate(_spatial(stack)):
        column = columns.get(axis)
        if column is not None:
            pixels = places[:, place] + _start(stack, axis)
            data[:, column] = _onto(pixels, stack.axes[axis], axes[column], back=True)
    if frames is not None:
        # What lies in no chosen frame stays where it is.
        inside = np.asarray(frames) >= 0
        positions = [stack.frame_position(int(number)) for number in np.asarray(frames)[inside]]
        for axis in stack.frame_axes:
            column = columns.get(axis)
            if column is not None:
                pixels = np.array([position[axis] for position in positions], np.float64)
                data[inside, column] = _onto(pixels, stack.axes[axis], axes[column], back=True)
    return data


def paired(first: DrawnPoints, second: DrawnPoints) -> Pairs:
    """Landmarks paired by their index where both sets have one, else in their order.

    A point without finite coordinates has no partner.

    Raises
    ------
    ValueError
        Where numbers stand twice, only one set has them, or two sets without them differ in
        length.
    """
    index = [_numbers(each) for each in (first, second)]
    if (index[0] is None and index[1] is None) or _in_order(index, first, second):
        if len(first.places) != len(second.places):
            raise ValueError(
                f"{first.name} holds {len(first.places):,} points and {second.name} "
                f"{len(second.places):,}; landmarks without an index column are paired in their "
                "order, so as many of each are needed."
            )
        index = [np.arange(len(first.places))] * 2
    for numbers, with_it, without in (
        (index[0], second, first),
        (index[1], first, second),
    ):
        if numbers is None:
            raise ValueError(
                f"{with_it.name} has an index column and {without.name} has none; give both one, "
                "or neither."
            )
    rows = [
        {
            number: row
            for row, number in enumerate(np.asarray(numbers).tolist())
            if np.isfinite(each.places[row]).all()
        }
        for numbers, each in zip(index, (first, second), strict=True)
    ]
    common = [number for number in rows[0] if number in rows[1]]
    alone = [
        f"landmark {number} of {each.name}"
        for numbers, each in zip(index, (first, second), strict=True)
        for number in np.asarray(numbers).tolist()
        if number not in common
    ]
    return Pairs(
        np.array([rows[0][number] for number in common], np.int64),
        np.array([rows[1][number] for number in common], np.int64),
        np.array(common),
        tuple(alone),
    )


def _numbers(points: DrawnPoints) -> Array | None:
    if points.index is None:
        return None
    numbers = np.asarray(points.index)
    whole = numbers.dtype.kind == "f" and bool((numbers == np.rint(numbers)).all())
    numbers = numbers.astype(np.int64) if whole else numbers
    found, counts = np.unique(numbers, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"{points.name} has the index {found[counts > 1][0]} more than once; give each "
            "landmark a number of its own."
        )
    return numbers


def _in_order(index: Sequence[Array | None], first: DrawnPoints, second: DrawnPoints) -> bool:
    """Whether one set has no index and the other just counts its rows, as napari's files do."""
    if len(first.places) != len(second.places) or all(each is not None for each in index):
        return False
    counted = next(each for each in index if each is not None)
    return np.array_equal(counted, np.arange(len(counted)))


def _spatial(stack: Stack) -> list[int]:
    """Axes of the data along a frame's rows, columns and planes."""
    return [axis for axis in stack.image_axes if axis != stack.channel_axis]


def _columns(name: str, axes: Sequence[Axis], stack: Stack) -> dict[int, int]:
    """For each axis of the data that points have a coordinate along, the column that has it."""
    data = [
        axis for axis in range(len(stack.axes)) if not (stack.rgb and axis == len(stack.axes) - 1)
    ]
    spatial = _spatial(stack)
    names = [stack.axes[axis].name for axis in data]
    if len(axes) == len(data):
        found = data
    elif all(names.count(axis.name) == 1 for axis in axes):
        found = [data[names.index(axis.name)] for axis in axes]
    elif len(axes) == len(spatial):
        found = spatial
    elif len(axes) == len(spatial) + 1 and stack.frame_axes:
        found = [stack.frame_axes[-1], *spatial]
    else:
        found = []
    columns = {axis: column for column, axis in enumerate(found)}
    if not set(spatial[-2:]) <= set(columns):
        raise ValueError(
            f"{name} has coordinates along {len(axes)} axes ({_named(axes)}), but {stack.name} "
            f"has {_named(stack.axes)}; draw them in a layer that lies on its frames."
        )
    return columns


def _named(axes: Sequence[Axis]) -> str:
    return ", ".join(axis.name for axis in axes)


def _places(data: Array, axes: Sequence[Axis], columns: dict[int, int], stack: Stack) -> Array:
    places = []
    for axis in _spatial(stack):
        column = columns.get(axis)
        # Without a coordinate along z, what is drawn holds for all planes.
        values = (
            np.full(len(data), np.nan)
            if column is None
            else _onto(data[:, column], axes[column], stack.axes[axis]) - _start(stack, axis)
        )
        places.append(values)
    return np.stack(places, axis=-1)


def _frames(
    data: Array, axes: Sequence[Axis], columns: dict[int, int], stack: Stack
) -> Array | None:
    if not stack.frame_axes or not all(axis in columns for axis in stack.frame_axes):
        return None
    lengths = [stack.source.shape[axis] for axis in stack.frame_axes]
    number = np.zeros(len(data), np.int64)
    inside = np.ones(len(data), bool)
    for axis, length in zip(stack.frame_axes, lengths, strict=True):
        column = columns[axis]
        values = np.rint(_onto(data[:, column], axes[column], stack.axes[axis]))
        inside &= (values >= 0) & (values < length)
        number = number * length + np.where(inside, values, 0).astype(np.int64)
    chosen = stack.frame_numbers
    index, left = np.divmod(number - chosen.start, chosen.step)
    inside &= (left == 0) & (index >= 0) & (index < len(chosen))
    return np.where(inside, index, -1)


def _unit_size(axes: Sequence[Axis], columns: dict[int, int], stack: Stack) -> float:
    """Pixels of a frame in one pixel of the layer that shapes were drawn in, the mean of both."""
    sizes = []
    for axis in _spatial(stack)[-2:]:
        one = _onto(np.array([0.0, 1.0]), axes[columns[axis]], stack.axes[axis])
        sizes.append(abs(one[1] - one[0]))
    return float(np.sqrt(np.prod(sizes)))


def _start(stack: Stack, axis: int) -> int:
    """First row or column of the chosen region."""
    region, spatial = stack.selection.region, _spatial(stack)[-2:]
    return 0 if region is None or axis not in spatial else region[spatial.index(axis)][0]


def _onto(values: Array, axis: Axis, wanted: Axis, back: bool = False) -> Array:
    """Pixels of one axis as pixels of another that lies in the same world."""
    drawn = wanted if back else axis
    own = (drawn.scale, drawn.translate, drawn.unit) != (1.0, 0.0, PIXEL)
    same = (axis.scale, axis.translate, axis.unit) == (wanted.scale, wanted.translate, wanted.unit)
    if same or not own:
        return values
    world = (values * axis.scale + axis.translate) * unit_ratio(axis.unit, wanted.unit)
    return (world - wanted.translate) / wanted.scale

"""A stack: data with names for its axes, and the choice of which of them the frames run along."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from napari_framewise.stacks.axes import (
    Axis,
    channel_axis_of,
    default_axis_names,
    default_frame_axes,
)
from napari_framewise.stacks.boxes import boxes_of
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.memory import check_fits, no_room
from napari_framewise.stacks.selection import Origin as Origin
from napari_framewise.stacks.selection import Selection as Selection
from napari_framewise.stacks.selection import check_selection
from napari_framewise.stacks.source import (
    Array,
    ArraySource,
    Region,
    Source,
    can_hold,
    without_value,
)
from napari_framewise.stacks.sources.dasks import DaskSource
from napari_framewise.stacks.sources.view import SourceView


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames along one or more axes of a source.

    The frames are counted along `frame_axes`, the last of them fastest. What is left of the axes
    is one frame: (y, x), (z, y, x), or with the channel axis last.

    Attributes
    ----------
    source : Source
        Where the pixels are.
    axes : tuple of Axis
        One per axis of the source.
    rgb : bool
        The last axis holds the 3 or 4 components of a colour.
    name : str
        What the user calls it: a layer's or a file's name.
    selection : Selection
        What of it is used.
    origin : Origin, optional
        Where it was opened; None for data that exist only in memory.
    remarks : tuple of str
        What its user should know of the file: that its axes are a guess, that parts are missing.
    no_data : float, optional
        Value that stands for missing pixels, as the file says: whoever opens one sets it. Such
        pixels are read as NaN, a block at a time, and `dtype` is then a float type; the selection
        may name another value.
    legend : Legend, optional
        Of labels: their colours and features.
    """

    source: Source
    axes: tuple[Axis, ...]
    rgb: bool = False
    name: str = "stack"
    selection: Selection = field(default_factory=Selection)
    origin: Origin | None = None
    remarks: tuple[str, ...] = ()
    no_data: float | None = None
    legend: Legend | None = None

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.source.shape):
            raise ValueError(
                f"{self.name}: {len(self.axes)} axes were named for data of "
                f"{len(self.source.shape)} dimensions; give one axis per dimension."
            )
        if self.source.dtype.kind not in "buif":
            kind = "complex numbers" if self.source.dtype.kind == "c" else f"{self.source.dtype}"
            raise ValueError(
                f"{self.name} holds {kind}; frames of real numbers are needed: take the "
                "magnitude, the real or the imaginary part first."
            )
        check_selection(
            self.selection,
            self.name,
            self.source.shape,
            frame_axes=self.frame_axes,
            image_axes=self.image_axes,
            channel=self.channel_axis,
        )

    # -- what it is ----------------------------------------------------------------------------

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel as it is read: a float type where a value stands for missing pixels."""
        if self.missing is None:
            return self.source.dtype
        return np.result_type(self.source.dtype, np.float32)

    @cached_property
    def missing(self) -> float | None:
        """The value that is read as NaN; None where no pixel can have it."""
        chosen = self.selection.no_data
        value = self.no_data if chosen is None else chosen
        if value is None or value != value:
            return None
        return value if can_hold(self.source.dtype, value) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """The remarks, and a value typed for missing pixels that no pixel can have."""
        value = self.selection.no_data
        if value is None or value != value or can_hold(self.source.dtype, value):
            return self.remarks
        return (*self.remarks, f"no pixel of {self.source.dtype} can be {value:g}: none is missing")

    @cached_property
    def channel_axis(self) -> int | None:
        """Position of the channel axis in the data, None where there is none."""
        return channel_axis_of([axis.name for axis in self.axes], self.rgb)

    @cached_property
    def frame_axes(self) -> tuple[int, ...]:
        """Axes of the data that the frames run along, outermost first."""
        if self.selection.frames_along is not None:
            return self.selection.frames_along
        return default_frame_axes([axis.name for axis in self.axes], self.rgb)

    @cached_property
    def image_axes(self) -> tuple[int, ...]:
        """Axes of the data that make up one frame, in the frame's order: a channel axis last."""
        channel = self.channel_axis
        inside = [
            axis
            for axis in range(len(self.axes))
            if axis not in self.frame_axes and axis != channel
        ]
        keeps_channel = channel is not None and channel not in self.frame_axes
        if keeps_channel and channel is not None and self.selection.channel is None:
            inside.append(channel)
        return tuple(inside)

    @cached_property
    def frame_numbers(self) -> range:
        """The chosen frames as numbers in the whole stack."""
        total = math.prod(self.source.shape[axis] for axis in self.frame_axes)
        return range(total) if self.selection.frames is None else range(*self.selection.frames)

    @property
    def n_frames(self) -> int:
        """Number of the chosen frames."""
        return len(self.frame_numbers)

    @cached_property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of one frame."""
        bounds = self._bounds()
        return tuple(bounds[axis][1] - bounds[axis][0] for axis in self.image_axes)

    @property
    def channels(self) -> int:
        """Number of channels inside a frame, along its last axis; 0 where it has no such axis."""
        inside = self.channel_axis is not None and self.channel_axis in self.image_axes
        return self.frame_shape[-1] if inside else 0

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Shape of one frame without the channels inside it."""
        return self.frame_shape[:-1] if self.channels else self.frame_shape

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of frames, then the frame's shape."""
        return (self.n_frames, *self.frame_shape)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return math.prod(self.frame_shape) * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all chosen frames."""
        return self.n_frames * self.frame_bytes

    def summary(self) -> str:
        """What it is in plain words: "2,000 frames of 64 x 64, uint16, frames along axis 0 (t)"."""
        size = " x ".join(str(length) for length in self.frame_shape)
        dtype = self.dtype.newbyteorder("=")
        if not self.frame_axes:
            return f"one image of {size}, {dtype}"
        names = [self.axes[axis].name for axis in self.frame_axes]
        along = " and ".join(
            str(axis) if name == f"axis {axis}" else f"{axis} ({name})"
            for axis, name in zip(self.frame_axes, names, strict=True)
        )
        plural = "axes" if len(names) > 1 else "axis"
        count = counted(self.n_frames, "frame")
        return f"{count} of {size}, {dtype}, frames along {plural} {along}"

    @property
    def account(self) -> str:
        """The summary, with what its user should know of the file."""
        return "; ".join((self.summary(), *self.notes))

    # -- where it lies -------------------------------------------------------------------------

    @property
    def leading_shape(self) -> tuple[int, ...]:
        """Lengths of the axes in front of a frame where a result has a value for every frame.

        One per frame axis where all frames are chosen; else one axis for the chosen frames.
        """
        if self.selection.frames is None:
            return tuple(self.source.shape[axis] for axis in self.frame_axes)
        return (self.n_frames,)

    @property
    def leading_axes(self) -> tuple[Axis, ...]:
        """Axes that belong to `leading_shape`, moved and widened by the choice of frames."""
        chosen = tuple(self.axes[axis] for axis in self.frame_axes)
        if self.selection.frames is None:
            return chosen
        if len(chosen) != 1:
            return (Axis("frame"),)
        numbers, axis = self.frame_numbers, chosen[0]
        return (
            replace(
                axis,
                scale=axis.scale * numbers.step,
                translate=axis.translate + axis.scale * numbers.start,
            ),
        )

    @property
    def leading_grid(self) -> Grid:
        """Grid of those leading axes."""
        return Grid(self.leading_axes, self.leading_shape)

    @property
    def grid(self) -> Grid:
        """Grid of one frame, its channels last, moved to where a chosen region starts."""
        bounds = self._bounds()
        whole = Grid(tuple(self.axes[axis] for axis in self.image_axes))
        return whole.cropped(*(bounds[axis] for axis in self.image_axes))

    @property
    def spatial_grid(self) -> Grid:
        """Grid of one frame without the channels inside it."""
        grid = self.grid
        return grid.take(range(grid.ndim - bool(self.channels)))

    # -- choosing ------------------------------------------------------------------------------

    def select(self, selection: Selection) -> Stack:
        """The same data with another choice of frame axes, frames, channel and region.

        Raises
        ------
        ValueError
            Where the selection names an axis, a frame, a channel or pixels that are not there.
        """
        return replace(self, selection=selection)

    def frame_number(self, position: Sequence[int]) -> int | None:
        """Index among the chosen frames of a position in the data; None where it is not chosen."""
        number = 0
        for axis in self.frame_axes:
            number = number * self.source.shape[axis] + int(position[axis])
        numbers = self.frame_numbers
        return numbers.index(number) if number in numbers else None

    def frame_position(self, index: int) -> dict[int, int]:
        """Position in the data of a chosen frame: {axis: index along it}."""
        lengths = [self.source.shape[axis] for axis in self.frame_axes]
        number = self.frame_numbers[index]
        position: dict[int, int] = {}
        for axis, length in zip(reversed(self.frame_axes), reversed(lengths), strict=True):
            number, position[axis] = divmod(number, length)
        return position

    # -- reading -------------------------------------------------------------------------------

    def read(self, start: int, stop: int, rows: tuple[int, int] | None = None) -> Array:
        """Frames `start` to `stop` (exclusive), as (n, *frame_shape).

        Parameters
        ----------
        start, stop : int
            Numbers among the chosen frames.
        rows : tuple of int, optional
            First and last (exclusive) row of the frame to read: axis -2 of a plain frame.

        Returns
        -------
        ndarray
            In the source's own type; maybe a view, maybe read-only.

        Raises
        ------
        ValueError
            Where these frames take more memory than the computer has, or can't be read.
        """
        numbers = self.frame_numbers[start:stop]
        bounds = self._bounds()
        if rows is not None:
            row_axis = self.row_axis
            first = bounds[row_axis][0]
            bounds[row_axis] = (first + rows[0], first + rows[1])
        pixels = math.prod(bounds[axis][1] - bounds[axis][0] for axis in self.image_axes)
        what = f"{len(numbers):,} frames" if len(numbers) > 1 else "one frame"
        nbytes = len(numbers) * pixels * self.dtype.itemsize
        check_fits(self.name, what, nbytes)
        try:
            pieces = [
                self._read_piece(piece, bounds)
                for piece in boxes_of(numbers, self.frame_axes, self.source.shape)
            ]
        except MemoryError:
            raise no_room(self.name, what, nbytes, "choose a region of it") from None
        if not pieces:
            shape = tuple(bounds[axis][1] - bounds[axis][0] for axis in self.image_axes)
            return np.empty((0, *shape), self.dtype)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def frame(self, index: int) -> Array:
        """One frame, without the leading axis."""
        return np.asarray(self.read(index, index + 1)[0])

    @property
    def row_axis(self) -> int:
        """Axis of the data that a frame's rows run along."""
        spatial = [axis for axis in self.image_axes if axis != self.channel_axis]
        return spatial[-2] if len(spatial) > 1 else spatial[0]

    def _bounds(self) -> dict[int, tuple[int, int]]:
        bounds = {axis: (0, length) for axis, length in enumerate(self.source.shape)}
        channel = self.channel_axis
        if self.selection.channel is not None and channel is not None:
            bounds[channel] = (self.selection.channel, self.selection.channel + 1)
        if self.selection.region is not None:
            spatial = [axis for axis in self.image_axes if axis != channel]
            bounds.update(zip(spatial[-2:], self.selection.region, strict=True))
        return bounds

    def _read_piece(self, piece: dict[int, slice], bounds: dict[int, tuple[int, int]]) -> Array:
        region: Region = tuple(
            piece.get(axis, slice(*bounds[axis])) for axis in range(len(self.axes))
        )
        block = self.source.read(region)
        if self.missing is not None:
            block = without_value(block, self.missing, self.dtype)
        kept = self.image_axes
        dropped = [a for a in range(block.ndim) if a not in kept and a not in self.frame_axes]
        order = (*self.frame_axes, *kept, *dropped)
        block = block.transpose(order)
        count = math.prod(block.shape[: len(self.frame_axes)])
        frame_shape = block.shape[len(self.frame_axes) : len(self.frame_axes) + len(kept)]
        return block.reshape(count, *frame_shape)


def stack_of(
    data: Any,
    *,
    axes: Sequence[str] | None = None,
    scale: Sequence[float] | None = None,
    translate: Sequence[float] | None = None,
    units: Sequence[str] | None = None,
    rgb: bool = False,
    name: str = "stack",
    selection: Selection | None = None,
    origin: Origin | None = None,
    no_data: float | None = None,
) -> Stack:
    """A stack from an array or a source.

    Parameters
    ----------
    data : array_like or Source
        At least one-dimensional. A masked array's mask and None in object arrays become NaN.
    axes : sequence of str, optional
        Names of the axes; by default y and x for the last two, with the channel axis c behind
        them where `rgb` is set, and axis 0, axis 1 ... for the others.
    scale, translate : sequence of float, optional
        Pixel size and position of pixel 0 along each axis, in `units`.
    units : sequence of str, optional
        Unit of each axis; pixel by default.
    rgb : bool
        The last axis holds colour components.
    name : str
        What to call it in messages.
    selection : Selection, optional
        Frames, channel and region to use.
    origin : Origin, optional
        Where the data were opened.
    no_data : float, optional
        Value that stands for missing pixels: they are read as NaN, a block at a time, and integers
        as float32 or float64 with them. A selection may name another.
    """
    if isinstance(data, SourceView):
        data = data.source
    if isinstance(data, Source):
        source: Source = data
    elif type(data).__module__.partition(".")[0] == "dask":
        source = DaskSource(data)
    elif hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__"):
        source = ArraySource(data)
    else:
        source = ArraySource(np.asarray(data))
    ndim = len(source.shape)
    names = tuple(axes) if axes is not None else default_axis_names(ndim, rgb)
    sizes = tuple(scale) if scale is not None else (1.0,) * ndim
    origins = tuple(translate) if translate is not None else (0.0,) * ndim
    unit_names = tuple(units) if units is not None else ("pixel",) * ndim
    for what, given in (
        ("axis names", names),
        ("scales", sizes),
        ("translations", origins),
        ("units", unit_names),
    ):
        if len(given) != ndim:
            raise ValueError(
                f"{name}: {len(given)} {what} were given for data of {ndim} dimensions; "
                f"give {ndim}."
            )
    described = tuple(Axis(*each) for each in zip(names, sizes, origins, unit_names, strict=True))
    return Stack(source, described, rgb, name, selection or Selection(), origin, no_data=no_data)

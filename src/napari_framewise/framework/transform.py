"""Transforms: models that say, for every frame, where each pixel of an output comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np

from napari_framewise.framework.drawn import drawn_points, placed_back
from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.framework.placing import Layout
from napari_framewise.numerics.warp import interpolated
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_AROUND = 64
"""Vertices of an ellipse that becomes a polygon."""


@dataclass(frozen=True, eq=False)
class Transform(Model, ABC):
    """What alignment, flow and every other model that maps pixels to pixels have in common.

    A transform T is a pull-back: a pixel p of the output (`target`) takes its value from T(p) of
    the input (`source`). Points are (n, d) float64 in pixels, row-column order, pixel centres on
    integers. `frame` counts the transforms; a model that holds one has it for every frame. Where a
    point has no counterpart both its coordinates are NaN.
    """

    kind: ClassVar[str] = ""

    @property
    @abstractmethod
    def maps(self) -> Array:
        """What describes the transform of each frame, (n, ...): it goes block by block."""

    @abstractmethod
    def with_maps(self, maps: Array) -> Self:
        """The same model for other frames."""

    @abstractmethod
    def frames_of(self, count: int, name: str) -> tuple[range, range]:
        """Frame of the output and of the input, transform by transform, in a stack of `count`.

        Raises
        ------
        ValueError
            Where the model is for another number of frames; `name` is the stack's in the message.
        """

    @abstractmethod
    def pull_back(self, points: Array, frame: int) -> Array:
        """Points of the output where they are in the input: ``T(p)``."""

    @abstractmethod
    def push(self, points: Array, frame: int) -> Array:
        """Points of the input where they come to lie in the output: the p with ``T(p) = q``."""

    @abstractmethod
    def jacobian(self, points: Array, frame: int) -> Array:
        """Derivatives of `pull_back` at points of the output: ``J[:, i, j] = dT_i / dp_j``."""

    @abstractmethod
    def inverse(self) -> Self:
        """The transforms from input to output as a model: its `pull_back` is this one's `push`."""

    def warp_image(self, planes: Array, frame: int, order: Literal[1, 3] = 3) -> Array:
        """Planes (channels, *source.shape) on the output, (channels, *target.shape).

        Interpolated linearly or by a cubic spline; NaN where there are no data, 0 in integers.
        """
        return interpolated(planes, self._places(planes, frame), order)

    def warp_labels(self, planes: Array, frame: int) -> Array:
        """The same by the nearest pixel, for values that must not be mixed."""
        return interpolated(planes, self._places(planes, frame), 0)

    def _places(self, planes: Array, frame: int) -> Array:
        """Where the pixels of the output are in the input, (*target.shape, d)."""
        # Files of other programs say no size: that of the frames then.
        shape = self.target.shape or planes.shape[1:]
        pixels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
        points = pixels.reshape(-1, len(shape)).astype(np.float64)
        return self.pull_back(points, frame).reshape(*shape, -1)

    def map_of(self, frame: int) -> Array:
        """What describes the transform of a frame; one serves all."""
        maps = self.maps
        found: Array = maps[frame if len(maps) > 1 else 0]
        return found


def warp_block(
    frames: Array,
    maps: Array,
    transform: Transform,
    order: Literal[0, 1, 3],
    channels: bool,
    out: Array,
) -> None:
    """Frames of a block on the output; of order 0 by the nearest pixel.

    Parameters
    ----------
    frames, maps : (n, ...)
        What is moved, and the block's part of `Transform.maps`.
    transform : Transform
        Of which kind; its own maps are not used.
    channels : bool
        Whether the last axis of a frame holds its channels.
    """
    here = transform.with_maps(maps)
    for number, frame in enumerate(frames):
        planes = np.moveaxis(frame, -1, 0) if channels else frame[np.newaxis]
        if order == 0:
            moved = here.warp_labels(planes, number)
        else:
            moved = here.warp_image(planes, number, order)
        out[number] = np.moveaxis(moved, 0, -1) if channels else moved[0]


def moved_points(
    points: PointsResult,
    stack: Stack,
    transform: Transform,
    *,
    back: bool = False,
    on: Layout | None = None,
) -> PointsResult:
    """Points on a stack's frames where a transform brings them.

    Points that leave the frame, or lie where the transform is not known, are left out.

    Parameters
    ----------
    stack : Stack
        On whose frames they lie, and lie again.
    back : bool
        From the output to the input (`Transform.pull_back`), not onwards (`Transform.push`).
    on : Layout, optional
        Of a result with a frame for each transform, without channels, on whose pixels they come to
        lie. By default they lie on the pixels that they came from.

    Raises
    ------
    ValueError
        Where the points have other axes than the frames, do not say which frame they lie in though
        each has its own transform, or output and input have pixels of different sizes and `on` is
        not given.
    """
    data, known, grid = _moved(points, stack, transform, back=back, on=on)
    return PointsResult(
        f"{points.name} moved",
        data[known],
        grid,
        features=_rows(points.features, known),
        text=points.text,
        index=None if points.index is None else np.asarray(points.index)[known],
        colours=None if points.colours is None else points.colours[known],
    )


def moved_shapes(
    shapes: ShapesResult,
    stack: Stack,
    transform: Transform,
    *,
    back: bool = False,
    on: Layout | None = None,
) -> ShapesResult:
    """Shapes on a stack's frames where a transform brings their vertices; see `moved_points`.

    Rectangles and ellipses become polygons. A shape of which a vertex has no counterpart is left
    out.
    """
    given = [_outline(*each) for each in zip(shapes.data, shapes.types, strict=True)]
    if not given:
        grid = replace(shapes.grid, role="stack") if on is None else on.still.grid
        return replace(shapes, name=f"{shapes.name} moved", grid=grid)
    vertices = PointsResult(shapes.name, np.concatenate(given), shapes.grid)
    data, known, grid = _moved(vertices, stack, transform, back=back, on=on)
    ends = np.cumsum([len(each) for each in given])[:-1]
    kept = np.array([bool(each.all()) for each in np.split(known, ends)])
    moved = [each for each, whole in zip(np.split(data, ends), kept, strict=True) if whole]
    types = np.array(shapes.types)[kept].tolist()
    return ShapesResult(
        f"{shapes.name} moved",
        moved,
        grid,
        shape_type=tuple("polygon" if t in ("rectangle", "ellipse") else t for t in types),
        features=_rows(shapes.features, kept),
        colours=None if shapes.colours is None else shapes.colours[kept],
        fill=None if shapes.fill is None else shapes.fill[kept],
        widths=None if shapes.widths is None else np.asarray(shapes.widths)[kept],
    )


def _moved(
    points: PointsResult, stack: Stack, transform: Transform, *, back: bool, on: Layout | None
) -> tuple[Array, Array, Grid]:
    """Points as data of a layer where they were brought, which of them are known, and its grid."""
    source, target = transform.source, transform.target
    if on is None and (source.scale, source.units) != (target.scale, target.units):
        raise ValueError(
            f"The transform leads from pixels of {source.layer} to those of {target.layer}, which "
            f"have another size, but {points.name} lies on one pixel grid; a transform between "
            "pixels of one size is needed."
        )
    drawn = drawn_points(points, stack)
    outputs, inputs = transform.frames_of(stack.n_frames, stack.name)
    come, go = (outputs, inputs) if back else (inputs, outputs)
    count = len(transform.maps)
    if drawn.frames is None and count > 1:
        raise ValueError(
            f"{points.name} does not say which frame its points lie in, but the {transform.kind} "
            f"model has {count:,} transforms; give points with a frame axis."
        )
    there = np.full_like(drawn.places, np.nan)
    frames = None if drawn.frames is None else drawn.frames.copy()
    rows = np.zeros(len(there), np.int64)
    move = transform.pull_back if back else transform.push
    for number, (start, end) in enumerate(zip(come, go, strict=True)):
        mine = np.full(len(there), number == 0) if drawn.frames is None else drawn.frames == start
        if not mine.any():
            continue
        there[mine] = move(drawn.places[mine], number)
        rows[mine] = number
        if frames is not None:
            frames[mine] = end
    known = np.asarray(np.isfinite(there).all(axis=1))
    if on is None:
        grid = replace(points.grid, role="stack")
        return placed_back(there, points, stack, frames), known, grid
    if frames is None or not on.leading:
        return on.still.coordinates(there), known, on.still.grid
    lead = np.stack(np.unravel_index(rows, on.leading), axis=-1)
    return on.coordinates(np.concatenate([lead, there], axis=1)), known, on.grid


def _outline(vertices: Array, kind: str) -> Array:
    """Vertices of a shape; of an ellipse those of a polygon on it."""
    given = np.asarray(vertices, np.float64)
    if kind != "ellipse":
        return given
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)[:, None]
    along, across = (given[1] - given[0]) / 2, (given[3] - given[0]) / 2
    around: Array = given.mean(axis=0) + np.cos(angle) * along + np.sin(angle) * across
    return around


def _rows(table: Table | None, kept: Array) -> Table | None:
    if table is None:
        return None
    return replace(table, columns={name: each[kept] for name, each in table.columns.items()})

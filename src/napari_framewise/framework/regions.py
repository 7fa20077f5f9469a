"""Regions of frames, from drawn shapes or painted labels: as a mask, as several, as scribbles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.drawn import DrawnShape, drawn_shapes
from napari_framewise.framework.outcome import ShapesResult
from napari_framewise.numerics.rasterization import inside_ellipse, inside_polygon, near_path
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Selection, Stack, stack_of


@dataclass(frozen=True, eq=False)
class Region:
    """One region of a frame.

    Attributes
    ----------
    number : int
        Value of the label, or number of the shape counted from 1.
    box : tuple of slice
        Part of the frame that holds it: planes (of a volume), rows, columns.
    inside : ndarray of bool
        Its pixels in the box.
    colour : ndarray, optional
        Red, green, blue and alpha from 0 to 1.
    """

    number: int
    box: tuple[slice, ...]
    inside: Array
    colour: Array | None = None

    def part(self, frames: Array) -> Array:
        """Its box of a block of frames (n, ..., y, x), of their channels too."""
        return frames[(slice(None), *self.box)]


def regions_of(drawn: ShapesResult | Stack, stack: Stack) -> tuple[Region, ...]:
    """The regions that shapes or labels mark on the frames of a stack.

    Every shape is one: rectangles, ellipses and polygons with all pixels whose centre lies inside
    or on the edge, paths and lines as wide as they are drawn. It holds for every frame, whatever
    frame it was drawn in; without a coordinate along z, for every plane. Of labels every value but
    0 is one. Regions may overlap; one that lies outside the frames has no pixels.

    Raises
    ------
    ValueError
        Where they do not fit the frames, or there is none.
    """
    shape = stack.spatial_shape
    if isinstance(drawn, ShapesResult):
        colours = drawn.colours
        regions = tuple(
            Region(
                number,
                *shape_pixels(each, shape, drawn.name),
                None if colours is None else colours[number - 1],
            )
            for number, each in enumerate(drawn_shapes(drawn, stack), 1)
        )
    else:
        regions = _regions_of_labels(drawn, shape)
    if not regions:
        raise ValueError(f"{drawn.name} marks no region; draw or paint at least one.")
    return regions


def labels_of(drawn: ShapesResult, stack: Stack) -> Stack:
    """Shapes as an image of labels on the frames of a stack, the later over the earlier.

    An empty layer gives an image of zeros, as an empty layer of labels is one.
    """
    shape = stack.spatial_shape
    regions = regions_of(drawn, stack) if len(drawn.data) else ()
    labels = np.zeros(shape, np.min_scalar_type(len(drawn.data)))
    for region in regions:
        labels[region.box][region.inside] = region.number
    grid = stack.spatial_grid
    return stack_of(
        labels,
        axes=grid.names,
        scale=grid.scale,
        translate=grid.translate,
        units=grid.units,
        name=drawn.name,
        selection=Selection(frames_along=()),
    )


def shape_pixels(
    shape: DrawnShape, size: tuple[int, ...], name: str
) -> tuple[tuple[slice, ...], Array]:
    """Box that holds a shape in a frame of a size, and which of its pixels the shape covers."""
    planes, plane = size[:-2], (size[-2], size[-1])
    vertices = shape.vertices[:, -2:]
    if shape.kind in ("path", "line"):
        box, inside = near_path(vertices, shape.width, plane)
    elif shape.kind == "ellipse":
        box, inside = inside_ellipse(vertices, plane)
    else:
        box, inside = inside_polygon(vertices, plane)
    if not planes:
        return box, inside
    depth = shape.vertices[:, :-2]
    if np.isnan(depth).all():
        slices = tuple(slice(0, length) for length in planes)
    elif np.ptp(depth, axis=0).max() < 0.5:
        slices = tuple(
            slice(place, place + 1) if 0 <= place < length else slice(0, 0)
            for place, length in zip(np.rint(depth[0]).astype(int), planes, strict=True)
        )
    else:
        raise ValueError(
            f"{name} has a shape that is not drawn within one plane of the volume; draw it in a "
            "plane of rows and columns."
        )
    count = tuple(each.stop - each.start for each in slices)
    return (*slices, *box), np.broadcast_to(inside, (*count, *inside.shape))


def _regions_of_labels(labels: Stack, shape: tuple[int, ...]) -> tuple[Region, ...]:
    from scipy.ndimage import find_objects

    if labels.n_frames != 1 or labels.frame_shape != shape:
        size = " x ".join(map(str, shape))
        raise ValueError(
            f"{labels.name} holds {labels.summary()}; one image of labels with {size} pixels is "
            "needed."
        )
    image = np.nan_to_num(labels.frame(0))
    legend = labels.legend
    numbers, inverse = np.unique(image, return_inverse=True)
    places = find_objects(inverse.reshape(image.shape) + 1)
    return tuple(
        Region(
            int(number),
            box,
            image[box] == number,
            None if legend is None else legend.colour_of(number),
        )
        for number, box in zip(numbers, places, strict=True)
        if number != 0
    )

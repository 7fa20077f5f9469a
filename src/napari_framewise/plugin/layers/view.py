"""The part of a frame that is in view, for a preview of no more than is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_framewise.framework.outcome import ImageResult, LayerResult, Outcome
from napari_framewise.stacks.stack import Stack

MOST = 512
Bounds = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Part:
    """A part of the frames of a stack that is previewed.

    Attributes
    ----------
    stack : Stack
        With the rows and columns that are read: those shown, and what they depend on.
    shown : tuple
        First and last (exclusive) row and column of what is read that is shown.
    whole_view : bool
        Whether all that is in view is shown.
    """

    stack: Stack
    shown: Bounds
    whole_view: bool

    @property
    def note(self) -> str:
        """What to say where less than the view is previewed."""
        if self.whole_view:
            return ""
        size = " x ".join(str(stop - start) for start, stop in self.shown)
        return f"Previewed is the middle of the view, {size} pixels."

    def trimmed(self, outcome: Outcome) -> Outcome:
        """An outcome without the rows and columns that were read only for their neighbours."""
        return replace(outcome, layers=tuple(map(self._trimmed, outcome.layers)))

    def _trimmed(self, result: LayerResult) -> LayerResult:
        if not isinstance(result, ImageResult):
            return result
        grid, read = result.grid, self.stack.spatial_grid
        shape = np.shape(result.data)[: grid.ndim]
        bounds = [(0, length) for length in shape]
        for name, length, shown in zip(read.names[-2:], read.shape[-2:], self.shown, strict=True):
            if name not in grid.names or shape[grid.names.index(name)] != length:
                # What has another grid is shown as it is.
                return result
            bounds[grid.names.index(name)] = shown
        data = result.data[tuple(slice(*each) for each in bounds)]
        return replace(result, data=data, grid=replace(grid, shape=shape).cropped(*bounds))


@dataclass(frozen=True)
class InView:
    """What of a stack's frames is in view.

    Attributes
    ----------
    stack : Stack
        Whose frames are previewed.
    shown : tuple
        First and last (exclusive) row and column to show.
    chosen : tuple
        Those of the stack's region.
    whole_view : bool
        Whether all that is in view is to be shown.
    """

    stack: Stack
    shown: Bounds
    chosen: Bounds
    whole_view: bool

    def part(self, halo: int) -> Part | None:
        """The part that is read; None where that is all of the frame.

        Parameters
        ----------
        halo : int
            How many pixels beyond its own place a pixel of the result depends on.
        """
        read = [
            (max(start - halo, first), min(stop + halo, last))
            for (start, stop), (first, last) in zip(self.shown, self.chosen, strict=True)
        ]
        if tuple(read) == tuple(self.chosen):
            return None
        shown = [
            (start - first, stop - first)
            for (start, stop), (first, _) in zip(self.shown, read, strict=True)
        ]
        part = self.stack.select(replace(self.stack.selection, region=(read[0], read[1])))
        return Part(part, (shown[0], shown[1]), self.whole_view)


def in_view(viewer: ViewerModel, layer: Layer, stack: Stack) -> InView:
    """What of a stack's frames is in view, at most the middle of it.

    Parameters
    ----------
    viewer : ViewerModel
        What is looked through.
    layer : Layer
        The stack's layer.
    stack : Stack
        Whose frames are previewed.
    """
    spatial = [axis for axis in stack.image_axes if axis != stack.channel_axis][-2:]
    displayed = [axis - (viewer.dims.ndim - layer.ndim) for axis in viewer.dims.displayed]
    size = stack.spatial_shape[-2:]
    chosen = stack.selection.region or tuple((0, length) for length in size)
    corners = np.asarray(layer.corner_pixels)
    if viewer.dims.ndisplay != 2 or sorted(displayed) != sorted(spatial):
        seen: Sequence[tuple[int, int]] = chosen
    else:
        seen = [
            _common((int(corners[0, axis]), int(corners[1, axis]) + 1), whole)
            for axis, whole in zip(spatial, chosen, strict=True)
        ]
    if any(stop - start < 2 for start, stop in seen):
        # Nothing is drawn yet, or the layer lies out of view.
        seen = chosen
    core = [_middle(each) for each in seen]
    return InView(stack, (core[0], core[1]), (chosen[0], chosen[1]), core == list(seen))


def _common(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), min(one[1], other[1])


def _middle(bounds: tuple[int, int]) -> tuple[int, int]:
    start, stop = bounds
    left = max(stop - start - MOST, 0) // 2
    return start + left, min(stop, start + left + MOST)

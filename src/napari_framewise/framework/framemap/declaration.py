"""What a filter of frames is declared with: parameters, images, and what its function gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from napari_framewise.framework.inputs import Input, Inputs
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array

Result: TypeAlias = Literal["lazy", "memory"]


MOST_SAMPLED = 2**22
"""Pixels of a frame that a filter looks at before it runs: beyond, the middle of a frame serves."""


def result_parameter() -> Result:
    """The choice of where a result of many frames goes, the same in every tool that gives one."""
    choice: Result = parameter(
        "lazy",
        "Result",
        "Lazy frames are computed as they are looked at or saved, and take no memory; memory "
        "computes all of them now.",
        rare=True,
    )
    return choice


def channels_parameter() -> int | None:
    """The choice of the channel axis, where it has no name."""
    choice: int | None = parameter(
        None,
        "Channels along",
        "Axis of the data that holds the channels, from 0, or from the end if negative; empty: "
        "colour components, or the axis named c.",
        rare=True,
    )
    return choice


class FrameMapParameters(Parameters):
    """Base of the parameters of filters: where the result goes, and where the channels are."""

    channels_along: int | None = channels_parameter()
    result: Result = result_parameter()


class Filtered(NamedTuple):
    """What a filter gives for a block of frames, where that is more than one image.

    Attributes
    ----------
    images : sequence of (n, *frame) arrays
        One for each declared image.
    rows : mapping of str to (n,) arrays
        A table's columns, a row per frame.
    vectors : sequence of (m, 2, ndim) arrays, optional
        For each frame the starts and displacements of its vectors, in pixels.
    """

    images: Sequence[Array]
    rows: Mapping[str, Array] = {}
    vectors: Sequence[Array] | None = None


@dataclass(frozen=True)
class Column:
    """A column of a filter's table whose value for a frame follows from those of its parts.

    Attributes
    ----------
    note : str
        What it is.
    merge : callable
        ``merge(value, value)`` of two parts of a frame: ``np.add`` of counts, ``np.fmin`` ...
    """

    note: str
    merge: Callable[[Array, Array], Array] = np.add


@dataclass(frozen=True)
class Image:
    """One image that a filter gives.

    Attributes
    ----------
    name : str
        What follows the stack's name in the layer's.
    dtype : str
        Type in NumPy's notation; "same" as the stack's, or "float": float32 for up to 16 bits and
        float32, else float64; or "shown": the same, but colours stay integers, for napari shows
        colours of floats from 0 to 1 alone.
    kind : {"image", "labels"}
        Type of the layer.
    colormap : str, optional
        Name of a napari colormap.
    visible : bool
        Shown at once.
    limits : callable
        Contrast limits from the first frame.
    """

    name: str
    dtype: str = "float"
    kind: Literal["image", "labels"] = "image"
    colormap: str | None = None
    visible: bool = True
    limits: Callable[[Array], tuple[float, float]] = limits_of

    def dtype_for(self, given: np.dtype[Any], rgb: bool = False) -> np.dtype[Any]:
        """Type of the image of a stack of a type."""
        colours = self.dtype == "shown" and rgb and given.kind in "ui"
        if self.dtype == "same" or colours:
            return given.newbyteorder("=")
        if self.dtype in ("float", "shown"):
            narrow = given.itemsize <= 2 or given == np.float32
            return np.dtype(np.float32 if narrow else np.float64)
        return np.dtype(self.dtype)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The part of a filter's declaration that its run is made from.

    Attributes
    ----------
    name, title : str
        Its name on every floor, and in menus.
    parameters : type of FrameMapParameters
        Its parameters.
    function : callable
        Importable: ``function(frames, parameters, **further)`` takes a block of frames (n, *frame)
        and, by role, a block of each further input, (n, *frame) or (1, *frame) where it is one for
        all, None where it was not given. It gives an array (n, *frame), or a `Filtered`. What it
        gives for a frame must not depend on the other frames of the block.
    images : tuple of Image
        What it gives for each frame; or ``images(parameters)``, where that depends on them.
    whole : tuple of Input
        Inputs that belong to no frame, such as a kernel: `settle` reads them.
    by_rows : bool
        The function takes ``rows`` (`Rows`) as well and answers for ``rows.asked`` alone: images of
        just these rows, columns that count just these, vectors in pixels from the first of these.
        Needed for frames to be cut into bands where there are vectors or another output grid, or
        where the columns of a large frame are to be found in parts.
    inputs : tuple of Input
        Further inputs: masks (LABELS), guides, confidences, one for all frames or one for each.
    settle : callable, optional
        ``settle(inputs, parameters)``: the parameters with what was left open worked out once, from
        the whole inputs, before anything is computed: lengths in pixels of the frames' axes, a
        noise level, the method. All others get these; settled ones stay as they are.
    report : callable, optional
        ``report(inputs, parameters)``: what a run says beside its images, once: summary,
        diagnostics, tables and plots of an `Outcome`.
    halo : callable, optional
        ``halo(parameters)``: how many pixels of the frame beyond its own place a pixel of the
        result depends on; None, or giving None: on the whole frame.
    grid : callable, optional
        ``grid(grid, parameters)``: the output grid of a frame where it is not the input's.
    channels : {"apart", "together", "colours"}
        Whether the function gets every channel as a frame of its own, or all along the last axis;
        or colour components together and other channels apart, always along a last axis, of one
        where they are apart or there are none (further inputs have that axis or none).
    columns : mapping of str to str or Column
        Columns of the table that it gives, a row per frame, and what each is; a `Column` where its
        value can be put together from those of parts of a frame.
    vectors : str or callable, optional
        Name of the vectors that it gives; or ``vectors(parameters)``, None for none.
    seconds : float
        Seconds for one element; 0: measured on a part of the first frame.
    scratch : float
        Bytes of temporaries for one element.
    label : str
        For progress and errors.
    """

    name: str
    title: str
    parameters: type[FrameMapParameters]
    function: Callable[..., Array | Filtered]
    images: tuple[Image, ...] | Callable[[Any], tuple[Image, ...]] = (Image("filtered"),)
    whole: tuple[Input, ...] = ()
    by_rows: bool = False
    inputs: tuple[Input, ...] = ()
    settle: Callable[[Inputs, Any], Any] | None = None
    report: Callable[[Inputs, Any], Outcome] | None = None
    halo: Callable[[Any], int | None] | None = None
    grid: Callable[[Grid, Any], Grid] | None = None
    channels: Literal["apart", "together", "colours"] = "apart"
    columns: Mapping[str, str | Column] = field(default_factory=dict)
    vectors: str | Callable[[Any], str | None] | None = None
    seconds: float = 0.0
    scratch: float = 16.0
    label: str = "Filtering"

    @property
    def images_in_parts(self) -> bool:
        """Whether the function can answer for the images of a part of a frame."""
        return self.halo is not None and (self.grid is None or self.by_rows)

    @property
    def values_in_parts(self) -> bool:
        """Whether columns and vectors of a frame can be put together from those of its parts."""
        mergeable = all(isinstance(each, Column) for each in self.columns.values())
        return self.halo is not None and self.by_rows and mergeable

    def settled(self, inputs: Inputs, parameters: Any) -> Any:
        """The parameters with what was left open worked out."""
        return parameters if self.settle is None else self.settle(inputs, parameters)

    def images_of(self, parameters: Any) -> tuple[Image, ...]:
        """What it gives for each frame with these settled parameters."""
        return self.images(parameters) if callable(self.images) else self.images

    def vectors_of(self, parameters: Any) -> str | None:
        """Name of the vectors that it gives with these settled parameters, if any."""
        return self.vectors(parameters) if callable(self.vectors) else self.vectors

    def has_values(self, parameters: Any) -> bool:
        """Whether it gives more than images."""
        return bool(self.columns) or self.vectors_of(parameters) is not None

    def why_whole(self, parameters: Any) -> str:
        """Why a run takes frames whole; empty where it does not have to."""
        reach = None if self.halo is None else self.halo(parameters)
        if reach is None:
            return "every pixel depends on the whole frame"
        if not self.images_in_parts:
            return "its result has other pixels than the frame"
        if self.has_values(parameters) and not self.values_in_parts:
            return "its table or vectors are those of whole frames"
        return ""

    def note(self, column: str) -> str:
        """What a column is."""
        said = self.columns[column]
        return said.note if isinstance(said, Column) else said

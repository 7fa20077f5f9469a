"""What a tool gives back: layers, tables, plots, models, a summary in words and diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

from napari_framewise.framework.model import Model
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.source import Array

T = TypeVar("T")

Entity: TypeAlias = Literal["frame", "pair", "object", "iteration", "landmark"]
"""What one row of a table is; a row of frames or pairs is tied to the slider."""


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length, one row per entity.

    Attributes
    ----------
    name : str
        What the table holds.
    entity : str
        What a row is: "frame", "pair", "object", "iteration" or "landmark".
    columns : mapping of str to ndarray
        One-dimensional arrays of equal length. A column named as the entity gives its number.
    notes : mapping of str to str
        What a column is, with its unit.
    """

    name: str
    entity: Entity
    columns: Mapping[str, Array]
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = {name: np.asarray(values) for name, values in self.columns.items()}
        lengths = {values.shape for values in columns.values()}
        if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
            raise ValueError(
                f"The table {self.name} was given columns of shapes {sorted(lengths)}; "
                "one-dimensional columns of one length are needed."
            )
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def row(self, index: int) -> dict[str, Any]:
        """One row as {column: value}."""
        return {name: values[index] for name, values in self.columns.items()}


@dataclass(frozen=True, eq=False)
class ImageResult:
    """An image or labels layer.

    Attributes
    ----------
    name : str
        Proposed name of the layer.
    data : array_like
        An array, or a lazy array-like.
    grid : Grid
        Where it lies.
    kind : {"image", "labels"}
        Type of the layer.
    rgb : bool
        The last axis holds colour components.
    contrast_limits : tuple of float, optional
        Always given where the data are lazy.
    colormap : str, optional
        Name of a napari colormap; gray by default.
    blending : str, optional
        How it is laid over others, in napari's words; translucent by default.
    visible : bool
        Shown at once.
    metadata : mapping
        More to keep with the layer, such as the unit of its values.
    legend : Legend, optional
        Colours and features of labels.
    folder : Path, optional
        Of data that the run itself wrote to disk, whole: the OME-Zarr that `data` reads.
    pairs : bool
        Pixel (i, j) compares images i and j of the tool's first input: a click shows both.
    """

    name: str
    data: Any
    grid: Grid
    kind: Literal["image", "labels"] = "image"
    rgb: bool = False
    contrast_limits: tuple[float, float] | None = None
    colormap: str | None = None
    blending: str | None = None
    visible: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pairs: bool = False
    legend: Legend | None = None
    folder: Path | None = None


@dataclass(frozen=True, eq=False)
class VectorsResult:
    """A vectors layer: data (n, 2, ndim), starts and displacements in pixels of its axes.

    `color_by` names the feature that colours them, `colormap` its colours and `color_limits` the
    values of the first and last, by default the extremes; `width` is that of the arrows in pixels,
    by default in proportion to their length.
    """

    name: str
    data: Array
    grid: Grid
    features: Table | None = None
    color_by: str | None = None
    colormap: str = "viridis"
    color_limits: tuple[float, float] | None = None
    width: float | None = None


@dataclass(frozen=True, eq=False)
class PointsResult:
    """A points layer: data (n, ndim) in pixels of its axes.

    Attributes
    ----------
    features : Table, optional
        A row for each point.
    text : str, optional
        What is written beside each point, with features in braces.
    index : ndarray, optional
        Number of each point, as its file says: what landmarks are paired by where no feature is
        called so.
    colours : ndarray, optional
        Red, green, blue and alpha from 0 to 1 of each point, (n, 4).
    """

    name: str
    data: Array
    grid: Grid
    features: Table | None = None
    text: str | None = None
    index: Array | None = None
    colours: Array | None = None


@dataclass(frozen=True, eq=False)
class ShapesResult:
    """A shapes layer: one (vertices, ndim) array in pixels of its axes per shape.

    Attributes
    ----------
    shape_type : str or tuple of str
        Type of all shapes, or of each: "rectangle", "ellipse", "polygon", "path" or "line". An
        ellipse is given by the corners of its bounding parallelogram.
    features : Table, optional
        A row for each shape.
    colours, fill : ndarray, optional
        Red, green, blue and alpha from 0 to 1 of each shape's outline and inside, (n, 4).
    widths : ndarray, optional
        Width of each shape's outline, in pixels of its axes.
    """

    name: str
    data: Sequence[Array]
    grid: Grid
    shape_type: str | tuple[str, ...] = "path"
    features: Table | None = None
    colours: Array | None = None
    fill: Array | None = None
    widths: Array | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """Type of each shape."""
        if isinstance(self.shape_type, str):
            return (self.shape_type,) * len(self.data)
        return tuple(self.shape_type)


LayerResult: TypeAlias = ImageResult | VectorsResult | PointsResult | ShapesResult


PlotKind: TypeAlias = Literal["curve", "scatter", "histogram", "tree"]


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Attributes
    ----------
    y : str
        Column of the plot's table.
    error : str, optional
        Column with the half width of its error band.
    label : str
        Name in the legend.
    """

    y: str
    error: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Plot:
    """Columns of a table, drawn.

    Attributes
    ----------
    title : str
        Headline.
    table : str
        Name of the table.
    x : str
        Column along the abscissa; of a tree the height of each merge.
    curves : tuple of Curve
        Lines with their error bands, the columns that a scatter shows against x, those whose values
        a histogram counts, or the two columns of a tree that say what is merged: leaves are
        numbered from 0, and with n leaves row k of the table is number n + k, as in SciPy.
    x_label, y_label : str
        Axis labels with units.
    band : str
        What the error bands are, for the legend: "95 % interval".
    kind : {"curve", "scatter", "histogram", "tree"}
        How it is drawn at first.
    log_x, log_y : bool
        Logarithmic axes at first; what is not positive is left out.
    leaves : str
        Of a tree: name of the table with a row for each leaf, where there is one.
    """

    title: str
    table: str
    x: str
    curves: tuple[Curve, ...]
    x_label: str = ""
    y_label: str = ""
    band: str = ""
    kind: PlotKind = "curve"
    log_x: bool = False
    log_y: bool = False
    leaves: str = ""

    @property
    def rows_of(self) -> str:
        """Name of the table whose rows are picked in it."""
        return self.leaves or self.table


@dataclass(frozen=True, eq=False)
class Outcome:
    """All that a run gives back.

    Attributes
    ----------
    layers : tuple of ImageResult, VectorsResult, PointsResult or ShapesResult
        Layers to add.
    tables : tuple of Table
        Numbers, a row per entity.
    plots : tuple of Plot
        Curves over the tables.
    models : tuple of Model
        What was fitted and can be applied to other data.
    summary : str
        The result in one or two sentences.
    diagnostics : tuple of str
        What the user should know before trusting it: "3 frames held no data".
    """

    layers: tuple[LayerResult, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    models: tuple[Model, ...] = ()
    summary: str = ""
    diagnostics: tuple[str, ...] = ()

    def table(self, name: str | None = None) -> Table:
        """The table of that name, or the only one.

        Raises
        ------
        ValueError
            Where there is no such table, or no name was given for one of several.
        """
        return _only("table", self.tables, [table.name for table in self.tables], name)

    def layer(self, name: str | None = None) -> LayerResult:
        """The layer result of that name, or the only one.

        A layer that is named after its input, such as "residual of cells" or "cells aligned", is
        found as "residual" or "aligned" as well, the former also by its old name "cells residual".

        Raises
        ------
        ValueError
            Where there is no such layer, or no name was given for one of several.
        """
        names = [layer.name for layer in self.layers]
        if name not in names:
            meant = [each for each in names if _is_short_for(str(name), each)]
            name = meant[0] if len(meant) == 1 else name
        return _only("layer", self.layers, names, name)

    def model(self, kind: str | None = None) -> Model:
        """The model of that kind, or the only one.

        Raises
        ------
        ValueError
            Where there is no such model, or no kind was given for one of several.
        """
        return _only("model", self.models, [model.kind for model in self.models], kind)


def _only(what: str, values: Sequence[T], names: Sequence[str], wanted: str | None) -> T:
    found = [value for value, name in zip(values, names, strict=True) if wanted in (None, name)]
    if len(found) == 1:
        return found[0]
    asked = f"The {what} {wanted!r} was asked for" if wanted else f"One {what} was asked for"
    raise ValueError(f"{asked}; the {what}s are: {', '.join(names) or 'none'}.")


def _is_short_for(name: str, layer: str) -> bool:
    """Whether a layer named after its input is meant by its own part of the name."""
    own, _, of = layer.partition(" of ")
    return layer.endswith(f" {name}") or (bool(of) and name in (own, f"{of} {own}"))

"""Results as layers: built whole, so that nothing of where they lie is left to chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points, Shapes, Vectors
from napari.utils.colormaps import DirectLabelColormap
from pint import get_application_registry

from napari_framewise.framework.outcome import (
    ImageResult,
    LayerResult,
    PointsResult,
    ShapesResult,
    Table,
    VectorsResult,
)
from napari_framewise.io import contrast_limits
from napari_framewise.plugin.layers.geometry import shear_matrix
from napari_framewise.plugin.layers.layers_in import METADATA_KEY, axes_of, own_units
from napari_framewise.plugin.layers.legends import looks_of
from napari_framewise.plugin.layers.own_slider import on_own_slider
from napari_framewise.plugin.layers.view_units import join_view
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import stack_of

if TYPE_CHECKING:
    import pandas as pd

PREVIEW_PREFIX = "Preview: "
SO_FAR_SUFFIX = " (so far)"


@dataclass(frozen=True)
class Place:
    """What napari is told of where a layer lies."""

    scale: np.ndarray
    translate: np.ndarray
    rotate: np.ndarray
    shear: np.ndarray
    affine: np.ndarray
    units: tuple[str, ...]
    axis_labels: tuple[str, ...]

    @classmethod
    def of(cls, layer: Layer) -> Place:
        """Where a layer lies."""
        return cls(
            np.asarray(layer.scale),
            np.asarray(layer.translate),
            np.asarray(layer.rotate),
            shear_matrix(layer.shear, layer.ndim),
            np.asarray(layer.affine.affine_matrix),
            tuple(map(str, layer.units)),
            tuple(layer.axis_labels),
        )

    def arguments(self) -> dict[str, Any]:
        """As a layer takes them."""
        return dict(vars(self))


def make_layer(
    result: LayerResult,
    like: Layer | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Layer:
    """A layer for a result.

    Parameters
    ----------
    result : LayerResult
        What a tool gave back.
    like : Layer, optional
        The layer in the role that the result's placing names: its rotation, shear and affine
        hold for the result.
    provenance : mapping, optional
        Kept in the layer's metadata.
    """
    if like is not None and isinstance(result, ImageResult):
        result = on_own_slider(result, like)
    options: dict[str, Any] = {
        "name": result.name,
        "metadata": metadata_of(result, provenance),
        **place_of(result.grid, like).arguments(),
    }
    match result:
        case ImageResult(kind="labels"):
            looks = looks_of(result.legend)
            return Labels(_integers(result.data), visible=result.visible, **looks, **options)
        case ImageResult():
            if result.colormap is not None:
                options["colormap"] = result.colormap
            if result.blending is not None:
                options["blending"] = result.blending
            return Image(
                result.data,
                rgb=result.rgb,
                multiscale=False,
                contrast_limits=limits_of(result),
                visible=result.visible,
                **options,
            )
        case VectorsResult():
            return _vectors(result, options)
        case PointsResult():
            return _points(result, options)
        case ShapesResult():
            return Shapes(
                list(result.data),
                ndim=len(result.grid.axes),
                shape_type=list(result.types) or "path",
                features=frame_of(result.features),
                face_color=_colours(result.fill, "transparent"),
                edge_color=_colours(result.colours, "yellow"),
                edge_width=1 if result.widths is None else list(result.widths),
                **options,
            )
        case _:
            assert_never(result)


def put_layer(viewer: ViewerModel, layer: Layer, previous: Layer | None = None) -> Layer:
    """Show a layer: on top, or in the place of an earlier result, whose looks it takes over."""
    join_view(layer, viewer)
    if previous is None or previous not in viewer.layers:
        return viewer.add_layer(layer)
    if _can_show(layer, previous):
        _take_over(layer, previous)
        return previous
    index, name, visible = viewer.layers.index(previous), previous.name, previous.visible
    viewer.layers.remove(previous)
    layer.name, layer.visible = name, visible
    viewer.layers.insert(index, layer)
    return layer


def lay(layer: Layer, place: Place) -> None:
    """Put a layer somewhere; what it has there already is left, for each change redraws all."""
    now = vars(Place.of(layer))
    units = tuple(str(get_application_registry().Unit(name)) for name in place.units)
    if own_units(layer.metadata, now["units"]) == list(units):
        # It is drawn in those of what lies beside it.
        units = now["units"]
    for name, value in (place.arguments() | {"units": units}).items():
        if not np.array_equal(now[name], value):
            setattr(layer, name, value)


def set_limits(layer: Layer, whole: Sequence[float], shown: Sequence[float]) -> None:
    """Set the contrast limits of an image, and how far its slider goes, where they are others."""
    if list(layer.contrast_limits_range) != list(whole):
        layer.contrast_limits_range = list(whole)
    if list(layer.contrast_limits) != list(shown):
        layer.contrast_limits = list(shown)


def passing(layer: Layer) -> bool:
    """Whether a layer is a preview, or what a run has so far: neither is ever an input."""
    return layer.name.startswith(PREVIEW_PREFIX) or layer.name.endswith(SO_FAR_SUFFIX)


def frame_of(table: Table | None) -> pd.DataFrame | None:
    """A table as the features of a layer."""
    # Loading pandas takes half a second, which opening a panel need not wait for.
    import pandas as pd

    return None if table is None else pd.DataFrame(dict(table.columns))


def _can_show(layer: Layer, previous: Layer) -> bool:
    """Whether a layer can show another's data in its place."""
    kinds = type(layer) is _plain_type(previous)
    return kinds and layer.ndim == previous.ndim and _rgb(layer) == _rgb(previous)


def _take_over(layer: Layer, previous: Layer) -> None:
    """Give a layer another's data, and whatever else differs: each change redraws the canvas."""
    if isinstance(layer, Shapes):
        _take_over_shapes(layer, previous)
    else:
        previous.data = layer.data
    if isinstance(layer, Vectors | Points):
        previous.features = layer.features
        previous.refresh_colors(update_color_mapping=True)
    if isinstance(layer, Labels):
        previous.features = layer.features
        if isinstance(layer.colormap, DirectLabelColormap):
            previous.colormap = layer.colormap
    if isinstance(layer, Vectors):
        previous.edge_width = layer.edge_width
    if isinstance(layer, Image) and not layer.rgb:
        set_limits(previous, layer.contrast_limits_range, layer.contrast_limits)
    lay(previous, Place.of(layer))
    previous.metadata = layer.metadata


def _take_over_shapes(layer: Shapes, previous: Layer) -> None:
    """Give a layer of shapes another's, with their types, features and looks; drawn once."""
    assert isinstance(previous, Shapes)
    with previous.block_update_properties():
        previous.data = (list(layer.data), list(layer.shape_type))
        previous.features = layer.features
        if len(layer.data):
            previous.edge_color, previous.face_color = layer.edge_color, layer.face_color
            previous.edge_width = layer.edge_width


def _plain_type(layer: Layer) -> type:
    """Type of a layer that napari may have handed out behind a proxy."""
    return next(
        kind for kind in (Image, Labels, Vectors, Points, Shapes) if isinstance(layer, kind)
    )


def _rgb(layer: Layer) -> bool:
    return bool(getattr(layer, "rgb", False))


def metadata_of(result: LayerResult, provenance: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata of a result's layer."""
    metadata = dict(result.metadata) if isinstance(result, ImageResult) else {}
    own = metadata.get(METADATA_KEY, {})
    metadata[METADATA_KEY] = {**own, **(provenance or {}), "result": result.name}
    return metadata


def place_of(placing: Grid, like: Layer | None) -> Place:
    """Where a result lies: its own scale and translate, the rest as the layer it is like."""
    axes = placing.axes
    n = len(axes)
    scale = np.array([axis.scale for axis in axes])
    translate = np.array([axis.translate for axis in axes])
    rotate, shear, affine = np.eye(n), np.eye(n), np.eye(n + 1)
    if like is not None:
        mine, its = _shared_axes(placing, like)
        rotate[np.ix_(mine, mine)] = np.asarray(like.rotate)[np.ix_(its, its)]
        shear[np.ix_(mine, mine)] = shear_matrix(like.shear, like.ndim)[np.ix_(its, its)]
        matrix = np.asarray(like.affine.affine_matrix)
        affine[np.ix_(mine, mine)] = matrix[np.ix_(its, its)]
        affine[mine, n] = matrix[its, like.ndim]
        # A region's offset is counted along the layer's own, turned axes.
        offset = np.zeros(n)
        offset[mine] = translate[mine] - np.asarray(like.translate)[its]
        turned = rotate @ shear @ offset
        translate[mine] = np.asarray(like.translate)[its] + turned[mine]
    if placing.moved is not None:
        whole = np.eye(n + 1)
        whole[:n, :n], whole[:n, n] = rotate @ shear @ np.diag(scale), translate
        # whole @ moved @ whole^-1, solved from the right.
        affine = affine @ np.linalg.solve(whole.T, (whole @ np.array(placing.moved)).T).T
    return Place(
        scale,
        translate,
        rotate,
        shear,
        affine,
        tuple(_known_unit(axis.unit) for axis in axes),
        tuple(axis.name for axis in axes),
    )


def _known_unit(name: str) -> str:
    """A unit that napari takes; it refuses a layer for one that it does not know."""
    try:
        get_application_registry().Unit(name)
    except Exception:  # noqa: BLE001 - pint's parser raises whatever it trips over
        return "pixel"
    return name


def _shared_axes(placing: Grid, like: Layer) -> tuple[list[int], list[int]]:
    """Positions of the axes that a result and a layer have in common, by name."""
    names = [axis.name for axis in axes_of(like)]
    pairs = [
        (mine, names.index(axis.name))
        for mine, axis in enumerate(placing.axes)
        if axis.name in names
    ]
    return [mine for mine, _ in pairs], [its for _, its in pairs]


def limits_of(result: ImageResult) -> tuple[float, float] | None:
    """Contrast limits; napari finds them itself for arrays in memory only."""
    if result.contrast_limits is not None:
        low, high = result.contrast_limits
        return (low, high) if low < high else (low, low + 1.0)
    if result.rgb:
        return None
    if isinstance(result.data, np.ndarray) and result.data.dtype.kind in "biu":
        return None
    return contrast_limits(stack_of(result.data, axes=[axis.name for axis in result.grid.axes]))


def _colours(given: np.ndarray | None, usual: str) -> Any:
    """Colours of points or shapes; napari warns of none for none."""
    return usual if given is None or not len(given) else given


def _integers(data: Any) -> Any:
    return data.astype(np.uint8) if data.dtype == bool else data


def _vectors(result: VectorsResult, options: dict[str, Any]) -> Vectors:
    features = frame_of(result.features)
    lengths = np.linalg.norm(result.data[:, 1], axis=-1) if len(result.data) else np.ones(1)
    if features is not None and result.color_by and len(features):
        options |= {"edge_color": result.color_by, "edge_colormap": result.colormap}
        options["edge_contrast_limits"] = result.color_limits
    return Vectors(
        result.data,
        ndim=len(result.grid.axes),
        features=features,
        vector_style="arrow",
        edge_width=result.width or max(0.2, float(np.nanmedian(lengths)) / 8),
        **options,
    )


def _points(result: PointsResult, options: dict[str, Any]) -> Points:
    if result.text is not None:
        options["text"] = {"string": result.text, "color": "yellow", "size": 12}
    return Points(
        result.data,
        ndim=len(result.grid.axes),
        features=frame_of(result.features),
        face_color=_colours(result.colours, "transparent"),
        border_color="yellow",
        **options,
    )

"""Layers to files: images as zarr or TIFF with what napari knows of them, features as CSV."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import Table
from napari_framewise.io import write_image, write_table
from napari_framewise.plugin.layers.layers_in import METADATA_KEY, own_units
from napari_framewise.plugin.layers.legends import legend_from
from napari_framewise.plugin.running.waiting import finish_in_window
from napari_framewise.stacks.axes import default_axis_names
from napari_framewise.stacks.stack import stack_of


def write_image_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one image or labels layer as zarr or TIFF."""
    if attributes.get("multiscale"):
        data = data[0]
    rgb = bool(attributes.get("rgb", False))
    ndim = len(data.shape)
    plain = ndim - rgb
    names = [str(name) for name in attributes.get("axis_labels") or ()]
    if len(names) != plain or all(name.lstrip("-").isdigit() for name in names):
        names = list(default_axis_names(plain, rgb=False))
    tail = ["c"] if rgb else []
    metadata, given = attributes.get("metadata") or {}, attributes.get("units") or ["pixel"] * plain
    stack = stack_of(
        data,
        axes=[*names, *tail],
        scale=[*np.asarray(attributes.get("scale", np.ones(plain)), float), *[1.0] * rgb],
        translate=[*np.asarray(attributes.get("translate", np.zeros(plain)), float), *[0.0] * rgb],
        units=[*own_units(metadata, map(str, given)), *["pixel"] * rgb],
        rgb=rgb,
        name=attributes.get("name", "image"),
    )
    if attributes.get("contrast_limits") is None and np.dtype(data.dtype).kind in "iu" and not rgb:
        # Labels have colours of their own, and no limits.
        legend = legend_from(attributes.get("colormap"), attributes.get("features"))
        stack = replace(stack, legend=legend)
    provenance = metadata.get(METADATA_KEY)
    with Engine.local() as engine:
        finish_in_window(write_image(stack, path, engine=engine, provenance=provenance), path)
    return [path]


def write_features(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a layer's features as CSV, a row for each of its points."""
    features = pd.DataFrame(attributes.get("features"))
    if features.empty:
        coordinates = np.asarray(data)
        features = pd.DataFrame(
            coordinates, columns=[f"axis {axis}" for axis in range(coordinates.shape[1])]
        )
    columns = {str(name): features[name].to_numpy() for name in features.columns}
    write_table(Table(attributes.get("name", "points"), "object", columns), path)
    return [path]

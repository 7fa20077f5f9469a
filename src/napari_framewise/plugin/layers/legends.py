"""Colours and features of napari's labels as a legend, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_framewise.stacks.legend import INDEX, Legend

_SHOWN = 255


def legend_from(colormap: Any, features: Any) -> Legend | None:
    """The legend of a labels layer: its chosen colours, else those of labels 1 to 255 as shown.

    Parameters
    ----------
    colormap : CyclicLabelColormap or DirectLabelColormap
        Of the layer.
    features : DataFrame or mapping
        Of the layer.
    """
    if isinstance(colormap, DirectLabelColormap):
        chosen = {key: colour for key, colour in colormap.color_dict.items() if key}
        numbers = np.array(list(chosen), np.int64)
        colours = np.array(list(chosen.values()), np.float64).reshape(-1, 4)
    elif hasattr(colormap, "map"):
        numbers = np.arange(1, _SHOWN + 1)
        colours = np.asarray(colormap.map(numbers), np.float64)
    else:
        numbers, colours = np.empty(0, np.int64), np.empty((0, 4))
    columns = (
        {str(name): np.asarray(features[name]) for name in features} if features is not None else {}
    )
    known = columns if any(len(values) for values in columns.values()) else {}
    return Legend(numbers, colours, known)


def looks_of(legend: Legend | None) -> dict[str, Any]:
    """What a labels layer is made with to look so."""
    if legend is None:
        return {}
    looks: dict[str, Any] = {}
    if len(legend.numbers):
        colours: Mapping[int | None, Any] = {
            None: np.array([0.5, 0.5, 0.5, 1.0]),
            0: np.zeros(4),
            **dict(zip(legend.numbers.tolist(), np.asarray(legend.colours), strict=True)),
        }
        looks["colormap"] = DirectLabelColormap(color_dict=dict(colours))
    if legend.features:
        # Row n is that of label n where napari looks for it; the column index says it too.
        looks["features"] = {INDEX: legend.index, **legend.features}
    return looks

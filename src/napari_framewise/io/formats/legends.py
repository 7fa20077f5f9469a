"""Legends of labels in files: OME-Zarr's "image-label", and a table beside files of other formats.

OME-Zarr 0.5 (https://ngff.openmicroscopy.org/0.5) keeps colours and properties of labels in the
group of their image. Beside any other file stands FILE.labels.csv, a row per label: index, color
(#rrggbbaa) and whatever else is known of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_framewise.framework.outcome import Table
from napari_framewise.io.formats.tables import read_table, write_table
from napari_framewise.stacks.legend import INDEX, Legend, hex_of, legend_of
from napari_framewise.stacks.source import Array

_SUFFIX = ".labels.csv"
_MOST_BYTES = 16 * 2**20


def write_legend(legend: Legend, path: str | os.PathLike[str]) -> None:
    """Keep a legend with an image of labels that was written to a path."""
    if Path(path).suffix.casefold() != ".zarr":
        write_table(Table("labels", "object", legend.rows()), f"{os.fspath(path)}{_SUFFIX}")
        return
    place = Path(path, "zarr.json")
    content = json.loads(place.read_text(encoding="utf-8"))
    content["attributes"]["ome"]["image-label"] = _image_label(legend)
    part = place.with_name(".zarr.json.part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(place)


def legend_at(path: str | os.PathLike[str]) -> Legend | None:
    """The legend of the labels in a file; None where there is none that can be read."""
    try:
        beside = Path(f"{os.fspath(path)}{_SUFFIX}")
        if beside.is_file() and beside.stat().st_size <= _MOST_BYTES:
            rows = read_table(beside)
            return legend_of(rows) if INDEX in rows else None
        said = _attributes(Path(path)).get("image-label")
        return _legend(said) if isinstance(said, Mapping) else None
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None


def _attributes(path: Path) -> Mapping[str, Any]:
    """What OME-Zarr says in a group: below "ome" from version 0.5 on, before that at its top."""
    for name, inside in (("zarr.json", ("attributes", "ome")), (".zattrs", ())):
        place = path / name
        if place.is_file() and place.stat().st_size <= _MOST_BYTES:
            content = json.loads(place.read_text(encoding="utf-8"))
            for key in inside:
                content = content.get(key, {}) if isinstance(content, Mapping) else {}
            return content if isinstance(content, Mapping) else {}
    return {}


def _image_label(legend: Legend) -> dict[str, Any]:
    parts = np.clip(np.rint(np.asarray(legend.colours) * 255), 0, 255).astype(int)
    colours = [
        {"label-value": int(number), "rgba": colour.tolist()}
        for number, colour in zip(legend.numbers, parts, strict=True)
    ]
    features = {name: values for name, values in legend.features.items() if name != INDEX}
    properties = [
        {"label-value": int(number)}
        | {name: _plain(values[row]) for name, values in features.items()}
        for row, number in enumerate(legend.index)
        if features
    ]
    said: dict[str, Any] = {"version": "0.5", "colors": colours}
    return said | ({"properties": properties} if properties else {})


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    # JSON has no NaN.
    return None if isinstance(plain, float) and not np.isfinite(plain) else plain


def _legend(said: Mapping[str, Any]) -> Legend:
    colours = [each for each in said.get("colors") or () if "rgba" in each]
    rows: dict[str, Array] = {
        INDEX: np.array([each["label-value"] for each in colours], np.int64),
        "color": np.array([hex_of(np.array(each["rgba"]) / 255) for each in colours], dtype=str),
    }
    legend = legend_of(rows)
    properties = list(said.get("properties") or ())
    if not properties:
        return legend
    names = dict.fromkeys(name for each in properties for name in each if name != "label-value")
    features: dict[str, Array] = {
        INDEX: np.array([each["label-value"] for each in properties], np.int64)
    }
    for name in names:
        features[name] = _column([each.get(name) for each in properties])
    return Legend(legend.numbers, legend.colours, features)


def _column(values: list[Any]) -> Array:
    """Numbers with NaN where one is missing, else texts."""
    if all(value is None or isinstance(value, (int, float)) for value in values):
        whole = all(isinstance(value, int) for value in values)
        return np.array([np.nan if v is None else v for v in values], np.int64 if whole else float)
    return np.array(["" if value is None else str(value) for value in values], dtype=str)

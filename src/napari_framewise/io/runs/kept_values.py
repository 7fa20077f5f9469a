"""The values of recorded results, kept beside a recipe: what another run is compared with."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.recipe import ItemRecord
from napari_framewise.io.opening import open_stack
from napari_framewise.io.runs.items import Item, items_of
from napari_framewise.stacks.source import Array

_MOST_BYTES = 64 * 2**20
_MOST_TOGETHER = 256 * 2**20

Records: TypeAlias = tuple[tuple[ItemRecord, ...], ...]


def with_kept(
    records: Records,
    outcomes: Sequence[Outcome],
    path: Path,
    images: Sequence[Mapping[str, Path]],
) -> tuple[Records, dict[str, Array]]:
    """Records that say where their values are, and what is still to be written to `path`.

    What takes up to 64 MiB goes into one file beside the recipe, 256 MiB at most in all. A larger
    image is not kept twice: its record names the zarr that was written of it.

    Parameters
    ----------
    records : tuple
        Of each step.
    outcomes : sequence of Outcome
        Of each step.
    path : Path
        The file for all values, .npz.
    images : sequence of mapping of str to Path
        Of each step the files of its image layers, by name.
    """
    values: dict[str, Array] = {}
    told, total = [], 0
    for step, outcome, files in zip(records, outcomes, images, strict=True):
        said = []
        for record, item in zip(step, items_of(outcome), strict=True):
            size = 8 * int(np.prod(record.shape))
            layer = item.layer if isinstance(item.layer, ImageResult) else None
            file = None if layer is None else files.get(layer.name)
            if record.dtype == "text":
                said.append(record)
            elif file is not None and layer is not None and layer.folder is not None:
                # What was written in the run lies where its file is now.
                said.append(record.model_copy(update={"kept": str(file)}))
            elif size <= _MOST_BYTES and total + size <= _MOST_TOGETHER:
                key = str(len(values))
                values[key] = np.asarray(item.values)
                total += values[key].nbytes
                said.append(record.model_copy(update={"kept": str(path), "key": key}))
            elif file is not None:
                said.append(record.model_copy(update={"kept": str(file)}))
            else:
                said.append(record)
        told.append(tuple(said))
    return tuple(told), values


class KeptValues:
    """The kept values of some records, opened where they are asked for."""

    def __init__(self) -> None:
        self._files: dict[str, Mapping[str, Array]] = {}

    def of(self, record: ItemRecord, item: Item) -> Any:
        """Values of a record as the item has its axes; None where they are not there any more."""
        if record.kept is None or not os.path.exists(record.kept):
            return None
        if tuple(item.values.shape) != record.shape:
            return None
        if record.key is None:
            return _image(record, item)
        values = self._file(record.kept).get(record.key)
        return values if values is not None and values.shape == record.shape else None

    def _file(self, path: str) -> Mapping[str, Array]:
        """The arrays in a file; none where it is damaged."""
        if path not in self._files:
            try:
                self._files[path] = dict(np.load(path))
            except (OSError, ValueError, zipfile.BadZipFile):
                self._files[path] = {}
        return self._files[path]


def _image(record: ItemRecord, item: Item) -> Any:
    """The pixels of an image file, its axes in the order of the layer."""
    if not isinstance(item.layer, ImageResult) or record.kept is None:
        return None
    try:
        stack = open_stack(record.kept)
    except (OSError, ValueError):
        return None
    names = [*item.layer.grid.names, *(["c"] if item.layer.rgb else [])]
    there = [axis.name for axis in stack.axes]
    if sorted(names) != sorted(there) or len(set(names)) < len(names):
        return None
    order = [there.index(name) for name in names]
    source = stack.source
    if tuple(source.shape[axis] for axis in order) != record.shape:
        return None
    return _Turned(source, order)


class _Turned:
    """A source whose slices along the first axis have the axes in another order."""

    def __init__(self, source: Any, order: list[int]) -> None:
        self._source, self._order = source, order

    def __getitem__(self, rows: slice) -> Array:
        region = [slice(0, length) for length in self._source.shape]
        region[self._order[0]] = rows
        return np.asarray(self._source.read(tuple(region))).transpose(self._order)

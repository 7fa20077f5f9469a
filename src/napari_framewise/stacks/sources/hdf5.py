"""A dataset of an HDF5 file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import h5py
import numpy as np

from napari_framewise.stacks.faults import reason_of
from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache
from napari_framewise.stacks.sources.hdf5_chunks import read_region
from napari_framewise.stacks.sources.hdf5_links import Gap

_DATASETS: HandleCache[h5py.Dataset] = HandleCache(16)
_NO_FILTER = ("required filter", "filter not available", "plugin")


@dataclass(frozen=True)
class Hdf5Source:
    """A dataset of an HDF5 file; h5py's own lock lets one thread read at a time.

    Attributes
    ----------
    path : str
        The file that the dataset itself is in, whatever file links to it.
    key : str
        Where in the file the dataset is.
    shape : tuple of int
        Its shape.
    element : str
        Type of an element in NumPy's notation; floating point where there are gaps.
    chunks : tuple of int, optional
        Its chunks; None where it is stored in one piece.
    gaps : tuple of Gap
        Elements that are no data, as the files with them are missing.
    others : tuple of str
        Further files that a virtual dataset is made of.
    """

    path: str
    key: str
    shape: tuple[int, ...]
    element: str
    chunks: tuple[int, ...] | None = None
    gaps: tuple[Gap, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def paths(self) -> tuple[str, ...]:
        """The file, and those that a virtual dataset is made of."""
        return (self.path, *self.others)

    def read(self, region: Region) -> Array:
        """Elements of a region; NaN in gaps.

        Raises
        ------
        ValueError
            Where the file is damaged, or the dataset needs a filter that h5py has not.
        """
        dataset = _DATASETS.get(self.path, self.key, self._dataset)
        try:
            values = self._values(dataset, region)
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(self._cannot(error)) from None
        if not self.gaps:
            return values
        values = values.astype(self.dtype)
        for gap in self.gaps:
            gap.clear(values, region)
        return values

    def _values(self, dataset: h5py.Dataset, region: Region) -> Array:
        try:
            return read_region(dataset, region)
        except (OSError, RuntimeError) as error:
            if not any(sign in str(error) for sign in _NO_FILTER) or not _find_filters():
                raise
            return read_region(dataset, region)

    def _cannot(self, error: Exception) -> str:
        reason = reason_of(error)
        if any(sign in reason for sign in _NO_FILTER):
            return (
                f"{self.path}: the dataset {self.key} was written with a filter that is not "
                f"installed ({reason}); install the package hdf5plugin to read it."
            )
        return (
            f"{self.path}: the dataset {self.key} can't be read ({reason}); copy or write the "
            "file again."
        )

    def _dataset(self) -> h5py.Dataset:
        return h5py.File(self.path, "r")[self.key]


@lru_cache(maxsize=1)
def _find_filters() -> bool:
    """Let HDF5 find the filters of the package hdf5plugin, where that is installed."""
    try:
        place = distribution("hdf5plugin").locate_file("hdf5plugin/plugins")
    except PackageNotFoundError:
        return False
    h5py.h5pl.append(os.fsencode(str(place)))
    return True

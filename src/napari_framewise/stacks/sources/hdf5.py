"""A dataset of an HDF5 file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache

_DATASETS: HandleCache[h5py.Dataset] = HandleCache(16)


@dataclass(frozen=True)
class Hdf5Source:
    """A dataset of an HDF5 file; h5py's own lock lets one thread read at a time.

    Attributes
    ----------
    path : str
        The file.
    key : str
        Where in the file the dataset is.
    shape : tuple of int
        Its shape.
    element : str
        Type of an element in NumPy's notation.
    chunks : tuple of int, optional
        Its chunks; None where it is stored in one piece.
    """

    path: str
    key: str
    shape: tuple[int, ...]
    element: str
    chunks: tuple[int, ...] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def paths(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def read(self, region: Region) -> Array:
        """Elements of a region.

        Raises
        ------
        ValueError
            Where the file is damaged, or the dataset needs a filter that h5py has not.
        """
        dataset = _DATASETS.get(self.path, self.key, self._dataset)
        try:
            return np.asarray(dataset[region])
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{self.path}: the dataset {self.key} can't be read ({error}); the file is "
                "damaged, or it needs the filters of the package hdf5plugin."
            ) from None

    def _dataset(self) -> h5py.Dataset:
        return h5py.File(self.path, "r")[self.key]

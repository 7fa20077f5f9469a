"""An array of a zarr hierarchy, version 2 or 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache

_ARRAYS: HandleCache[zarr.Array[Any]] = HandleCache(32)


@dataclass(frozen=True)
class ZarrSource:
    """An array in a folder of zarr.

    Attributes
    ----------
    path : str
        Folder of the hierarchy.
    key : str
        Where in it the array is; empty for the folder itself.
    shape : tuple of int
        Its shape.
    element : str
        Type of an element in NumPy's notation.
    chunks : tuple of int, optional
        What is decoded at once: the chunks, inside shards where there are some.
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
        """The folder."""
        return (self.path,)

    def read(self, region: Region) -> Array:
        """Elements of a region.

        Raises
        ------
        ValueError
            Where a chunk is damaged or can't be decoded.
        """
        array = _ARRAYS.get(self.path, self.key, self._open)
        try:
            return np.asarray(array[region])
        except Exception as error:
            # Each codec has errors of its own.
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            where = f" {self.key}" if self.key else ""
            raise ValueError(
                f"{self.path}: a chunk of the array{where} can't be read ({reason}); the data are "
                "damaged, or were written with a codec that is not installed."
            ) from error

    def _open(self) -> zarr.Array[Any]:
        return zarr.open_array(self.path, path=self.key, mode="r")

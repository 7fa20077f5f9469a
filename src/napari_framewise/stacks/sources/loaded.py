"""Files that can't be read in parts: unpacked whole at the first read, kept for the next."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile

from napari_framewise.stacks.memory import no_room
from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache

# Longer arrays are unpacked piece by piece where their format allows it.
LOADED_BYTES = 64 * 2**20
_LOADED: HandleCache[Array] = HandleCache(2)


@dataclass(frozen=True)
class LoadedSource:
    """An array that its format only gives as a whole.

    Compressed members of .npz, variables of MATLAB files before version 7.3, and pictures.

    Attributes
    ----------
    path : str
        The file.
    kind : {"npz", "mat", "pictures", "tiff"}
        Who unpacks it.
    key : str
        Name of the array in the file.
    shape : tuple of int
        Shape of the array.
    element : str
        Type of an element in NumPy's notation.
    """

    path: str
    kind: str
    key: str
    shape: tuple[int, ...]
    element: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """None: once unpacked, any region is as cheap."""
        return None

    @property
    def paths(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def read(self, region: Region) -> Array:
        """A view of a region.

        Raises
        ------
        ValueError
            Where the file is damaged or holds another array than when it was opened.
        """
        array = self.whole()
        if array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError(f"{self.path} has changed since it was opened; open it again.")
        return array[region]

    def whole(self) -> Array:
        """All of the array as the file has it now, read-only."""
        return _LOADED.get(self.path, (self.kind, self.key), self._unpack)

    def _unpack(self) -> Array:
        try:
            array = _UNPACKERS[self.kind](self.path, self.key)
        except Exception as error:
            # Each format has errors of its own; ours are sentences already.
            if isinstance(error, ValueError) and str(error).startswith(self.path):
                raise
            if isinstance(error, MemoryError):
                nbytes = math.prod(self.shape) * self.dtype.itemsize
                raise no_room(self.path, "the array", nbytes) from None
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise ValueError(
                f"{self.path} is damaged and can't be unpacked ({reason}); write it again."
            ) from error
        array.flags.writeable = False
        return array


def _npz(path: str, key: str) -> Array:
    with np.load(path, allow_pickle=False) as archive:
        return np.asarray(archive[key])


def _mat(path: str, key: str) -> Array:
    from napari_framewise.stacks.sources.mat5 import unpack

    return unpack(path, key)


def _pictures(path: str, key: str) -> Array:
    from napari_framewise.stacks.sources.pictures import decode

    return decode(path)


def _tiff(path: str, key: str) -> Array:
    with tifffile.TiffFile(path) as file:
        return file.series[int(key)].asarray(maxworkers=1)


_UNPACKERS: dict[str, Callable[[str, str], Array]] = {
    "npz": _npz,
    "mat": _mat,
    "pictures": _pictures,
    "tiff": _tiff,
}

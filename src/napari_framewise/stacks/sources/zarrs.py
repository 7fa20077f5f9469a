"""An array of a zarr hierarchy, version 2 or 3."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore

from napari_framewise.stacks.faults import check_regular, reason_of
from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.bounded import BoundedCodec, Codec
from napari_framewise.stacks.sources.handles import HandleCache

_ARRAYS: HandleCache[zarr.Array[Any]] = HandleCache(32)
# Where zarr's own codecs keep those of numcodecs that do their work.
_INNER = ("_gzip_codec", "_zstd_codec", "_blosc_codec", "_codec")
# A filter may keep each element in a type of up to this many times its size.
_WIDENED = 8


class RegularStore(LocalStore):
    """A folder of which only regular files are read: a pipe would never end."""

    async def get(self, key: str, *args: Any, **options: Any) -> Any:
        """The bytes of a file; None where there is none."""
        self._check(key)
        return await super().get(key, *args, **options)

    async def get_partial_values(self, prototype: Any, key_ranges: Any) -> Any:
        """Parts of files."""
        wanted = list(key_ranges)
        for key, _ in wanted:
            self._check(key)
        return await super().get_partial_values(prototype, wanted)

    def _check(self, key: str) -> None:
        try:
            check_regular(Path(self.root) / key)
        except (FileNotFoundError, NotADirectoryError):
            return


def open_array(path: str, key: str) -> zarr.Array[Any]:
    """An array of a folder, whose chunks can't become more than it says.

    Parameters
    ----------
    path : str
        The folder of the hierarchy.
    key : str
        Where in it the array is; empty for the folder itself.
    """
    array = zarr.open_array(RegularStore(path, read_only=True), path=key, mode="r")
    chunk_bytes = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
    for codec in _codecs(array):
        compressor: Any = getattr(codec, "compressor", None)
        if isinstance(compressor, Codec):
            most = chunk_bytes * (_WIDENED if getattr(codec, "filters", None) else 1)
            object.__setattr__(codec, "compressor", BoundedCodec(compressor, most))
        for name in _INNER:
            inner = getattr(codec, name, None)
            if isinstance(inner, Codec) and hasattr(codec, "__dict__"):
                vars(codec)[name] = BoundedCodec(inner, chunk_bytes * _WIDENED)
    return array


def _codecs(array: zarr.Array[Any]) -> Iterator[Any]:
    """The codecs of an array, those inside its shards included."""
    # The public name came with zarr 3.1.
    pipeline: Any = getattr(array, "async_array", None) or array._async_array
    waiting = list(pipeline.codec_pipeline)
    while waiting:
        codec = waiting.pop()
        yield codec
        waiting += getattr(codec, "codecs", ())
        waiting += getattr(codec, "index_codecs", ())


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
            Where a chunk is damaged, becomes more than it should, or can't be decoded.
        """
        array = _ARRAYS.get(self.path, self.key, self._open)
        try:
            return np.asarray(array[region])
        except Exception as error:
            # Each codec has errors of its own.
            where = f" {self.key}" if self.key else ""
            raise ValueError(
                f"{self.path}: a chunk of the array{where} can't be read ({reason_of(error)}); the "
                "data are damaged, or were written with a codec that is not installed."
            ) from error

    def _open(self) -> zarr.Array[Any]:
        return open_array(self.path, self.key)

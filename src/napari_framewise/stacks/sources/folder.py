"""A folder of image files as one array: file after file, each read when it is looked at."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.pictures import decode
from napari_framewise.stacks.sources.tiff import open_tiff
from napari_framewise.stacks.sources.tiff_template import TemplateReader, TiffTemplate, similar

TIFF_ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True)
class FolderSource:
    """Image files of one shape and type, along the first axis.

    Attributes
    ----------
    folder : str
        Where the files are.
    names : bytes
        Their names in order; packed by `pack_names`, as a cluster gets them with every task.
    count : int
        Number of files.
    file_shape : tuple of int
        Shape of each file.
    element : str
        Type of an element in NumPy's notation.
    template : TiffTemplate, optional
        Layout of the first file where it is plain TIFF: files that share it are read fast.
    """

    folder: str
    names: bytes
    count: int
    file_shape: tuple[int, ...]
    element: str
    template: TiffTemplate | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of files, then a file's shape."""
        return (self.count, *self.file_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element."""
        return np.dtype(self.element)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """One file."""
        return (1, *self.file_shape)

    @property
    def paths(self) -> tuple[str, ...]:
        """The folder."""
        return (self.folder,)

    def read(self, region: Region) -> Array:
        """A region, file by file.

        Raises
        ------
        FileNotFoundError
            Where a file was taken away.
        ValueError
            Where a file is damaged, or is of another shape or type than the others; it is named.
        """
        names = unpack_names(self.names)[region[0]]
        inside = region[1:]
        read = self._reader(inside)
        shape = tuple(
            len(range(*part.indices(length)))
            for part, length in zip(inside, self.file_shape, strict=True)
        )
        out = np.empty((len(names), *shape), self.dtype)
        start = os.path.join(self.folder, "")
        for row, name in enumerate(names):
            try:
                out[row] = read(start + name)
            except FileNotFoundError:
                raise FileNotFoundError(
                    f"{start}{name} is not there any more; put it back or open the folder again."
                ) from None
        return out

    def _reader(self, inside: Region) -> Callable[[str], Array]:
        template = self.template
        if template is None:
            return lambda path: self._checked(path)[inside]
        fast = TemplateReader(template, inside).read

        def read(path: str) -> Array:
            block = fast(path)
            if block is not None:
                return block
            other = similar(template, path)
            block = TemplateReader(other, inside).read(path) if other else None
            return self._checked(path)[inside] if block is None else block

        return read

    def _checked(self, path: str) -> Array:
        array = read_file(path)
        if array.shape != self.file_shape or array.dtype != self.dtype.newbyteorder("="):
            raise ValueError(
                f"{path} holds {described(array.shape, array.dtype)} and the other files "
                f"{described(self.file_shape, self.dtype)}; take it out of the folder."
            )
        return array


def read_file(path: str) -> Array:
    """All of one image file, in this machine's byte order.

    Raises
    ------
    ValueError
        Where the file is no image, or is damaged.
    """
    if path.lower().endswith(TIFF_ENDINGS):
        source = open_tiff(path).source
        array = source.read(tuple(slice(0, length) for length in source.shape))
    else:
        array = decode(path)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def described(shape: Sequence[int], dtype: np.dtype[Any]) -> str:
    """A shape and type in words: "64 x 64 uint16"."""
    return f"{' x '.join(map(str, shape))} {dtype.newbyteorder('=')}"


def pack_names(names: Sequence[str]) -> bytes:
    """Names of files as a short string of bytes."""
    return zlib.compress(os.fsencode("\0".join(names)), 6)


@lru_cache(maxsize=8)
def unpack_names(packed: bytes) -> tuple[str, ...]:
    """What `pack_names` packed."""
    return tuple(os.fsdecode(zlib.decompress(packed)).split("\0"))

"""Arrays in MATLAB files of versions 5 to 7.2, found without unpacking them.

After "MAT-File Format", The MathWorks, chapter 1. Own code, as SciPy's reader ends the process on
some damaged files.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array
from napari_framewise.stacks.sources.mapped import mapped_file

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_NUMERIC_CLASSES = range(6, 16)
_COMPLEX, _LOGICAL = 0x0800, 0x0200
# Flags, dimensions and a name of up to 63 letters fit in this.
_HEAD_BYTES = 4096
_PACKED_HEAD_BYTES = 65536
_MOST_VARIABLES = 100_000


@dataclass(frozen=True)
class MatArray:
    """An array of numbers in a file.

    Attributes
    ----------
    name : str
        The variable.
    shape : tuple of int
        Its size in MATLAB; the first axis runs fastest.
    element : str
        Type in which it is stored, which for whole numbers may be less than its class.
    is_complex : bool
        An imaginary part follows.
    offset : int
        Where its elements begin: in the file, or in what the packed bytes hold.
    packed : tuple of int, optional
        Start and stop of its compressed bytes in the file.
    """

    name: str
    shape: tuple[int, ...]
    element: str
    is_complex: bool
    offset: int
    packed: tuple[int, int] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        return math.prod(self.shape) * np.dtype(self.element).itemsize


def arrays_of(path: str) -> list[MatArray]:
    """All arrays of numbers in a file; text, cells, structures and objects are left out.

    Raises
    ------
    ValueError
        Where the file is no MATLAB file of these versions, or is cut off or damaged.
    """
    content = mapped_file(path)
    mark = bytes(content[126:128])
    if mark not in (b"IM", b"MI"):
        raise ValueError(f"{path} is no whole MATLAB file of version 5 or later; save it again.")
    order = "<" if mark == b"IM" else ">"
    try:
        return list(_arrays(content, order))
    except (struct.error, zlib.error, KeyError, IndexError, UnicodeDecodeError):
        raise ValueError(
            f"{path} is cut off or damaged: its variables can't be told apart; save it again."
        ) from None


def unpack(path: str, name: str) -> Array:
    """One compressed array, as (first axis, ...) in MATLAB's order.

    Raises
    ------
    ValueError
        Where its bytes are damaged.
    """
    found = next(array for array in arrays_of(path) if array.name == name and array.packed)
    start, stop = found.packed or (0, 0)
    needed = found.offset + found.nbytes
    raw = zlib.decompressobj().decompress(mapped_file(path)[start:stop], needed)
    if len(raw) < needed:
        raise ValueError(f"{path} is cut off: the variable {name} is not whole; save it again.")
    count = math.prod(found.shape)
    return np.frombuffer(raw, found.element, count, found.offset).reshape(found.shape, order="F")


def _arrays(content: Any, order: str) -> Iterator[MatArray]:
    position, number = _HEADER, 0
    while position < len(content):
        kind, start, size, position = _element(content, position, order)
        if start + size > len(content):
            raise IndexError
        number += 1
        if kind not in (_MATRIX, _COMPRESSED) or number > _MOST_VARIABLES:
            raise IndexError
        if kind == _COMPRESSED:
            position = start + size
            packed = start, start + size
            ahead = min(position, start + _PACKED_HEAD_BYTES)
            head = zlib.decompressobj().decompress(content[start:ahead], _HEAD_BYTES)
            kind, start, _, _ = _element(head, 0, order)
            found = _matrix(head, start, order, packed) if kind == _MATRIX else None
        else:
            found = _matrix(content, start, order, None) if kind == _MATRIX and size else None
        if found is not None:
            yield found


def _element(content: Any, position: int, order: str) -> tuple[int, int, int, int]:
    """Kind of a data element, where its data begin, their bytes, and where the next one is."""
    kind, size = struct.unpack_from(order + "II", content, position)
    if kind >> 16:
        return kind & 0xFFFF, position + 4, kind >> 16, position + 8
    start = position + 8
    return kind, start, size, start + size + -size % 8


def _matrix(
    content: Any, position: int, order: str, packed: tuple[int, int] | None
) -> MatArray | None:
    """A matrix by its head; None where it holds no numbers."""
    _, start, _, position = _element(content, position, order)
    (flags,) = struct.unpack_from(order + "I", content, start)
    if flags & 0xFF not in _NUMERIC_CLASSES:
        return None
    _, start, size, position = _element(content, position, order)
    shape = struct.unpack_from(f"{order}{size // 4}i", content, start)
    _, start, size, position = _element(content, position, order)
    name = bytes(content[start : start + size]).decode("ascii")
    kind, start, size, _ = _element(content, position, order)
    stored = _STORED[kind]
    element = "|b1" if flags & _LOGICAL and stored == "u1" else np.dtype(order + stored).str
    found = MatArray(name, shape, element, bool(flags & _COMPLEX), start, packed)
    if not name:
        # What has no name belongs to MATLAB's objects and function handles.
        return None
    if min(shape, default=0) < 0 or found.nbytes != size:
        raise IndexError
    return found

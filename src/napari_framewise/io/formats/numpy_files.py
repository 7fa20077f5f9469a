"""NumPy's own files: .npy mapped, .npz by member."""

from __future__ import annotations

import lzma
import math
import zipfile
import zlib
from itertools import islice
from tokenize import TokenError
from typing import IO, Any

import numpy as np

from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.stacks.faults import reason_of
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.loaded import LOADED_BYTES, LoadedSource
from napari_framewise.stacks.sources.mapped import mapped_source
from napari_framewise.stacks.sources.packed import PackedSource, check_claim
from napari_framewise.stacks.sources.transposed import TransposedSource

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_LOCAL_HEADER = 30
_ENCRYPTED = 1
# A header is read as a Python literal, which fails in as many ways as there are literals.
_UNREADABLE = (
    ValueError, KeyError, EOFError, TypeError, MemoryError, RecursionError, SyntaxError, TokenError,
)  # fmt: skip
_MOST_AXES = 32
# To say that a choice is needed, these are enough.
_LOOKED_AT = 200


def npy_source(path: str) -> Source:
    """The array of an .npy file, mapped.

    Raises
    ------
    ValueError
        Where it holds Python objects, which are never loaded, is cut off, or is no .npy file.
    """
    with open(path, "rb") as file:
        shape, fortran, dtype = _header(file, path)
        return mapped_source(path, shape, dtype, file.tell(), fortran)


def npz_source(path: str, key: str | None) -> Source:
    """An array of an .npz file: mapped where it is stored plainly, else unpacked when it is read.

    Raises
    ------
    ValueError
        As `npy_source` does, and where a choice is needed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            if key is not None and key in members:
                members = {key: members[key]}
            members = dict(islice(members.items(), _LOOKED_AT))
            found = {name: _member(path, archive, info) for name, info in members.items()}
            faults = [source for source in found.values() if isinstance(source, str)]
            sources = {name: each for name, each in found.items() if not isinstance(each, str)}
            if faults and not sources:
                raise ValueError(faults[0])
            arrays = [Candidate(name, each.shape, each.dtype) for name, each in sources.items()]
            return sources[choose(path, arrays, key).key]
    except zipfile.BadZipFile:
        raise ValueError(
            f"{path} is cut off or no .npz file; write it again with numpy.savez."
        ) from None


def _member(path: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Source | str:
    """A member's source, or the sentence that says why it has none."""
    name = info.filename.removesuffix(".npy")
    what = f"{path}, member {name},"
    if info.flag_bits & _ENCRYPTED:
        return f"{what} is encrypted; save it without a password."
    try:
        with archive.open(info) as file:
            shape, fortran, dtype = _header(file, what)
            header_bytes = file.tell()
    except NotImplementedError:
        return f"{what} is compressed in a way that is not supported; save it with numpy.savez."
    except OSError:
        # A place before the file's beginning: the system's words would say nothing.
        return f"{what} is damaged; copy or write it again."
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        return f"{what} is damaged ({reason_of(error)}); write it again with numpy.savez."
    except ValueError as error:
        return str(error)
    needed = header_bytes + math.prod(shape) * dtype.itemsize
    if info.file_size < needed:
        return f"{what} is cut off; write it again with numpy.savez."
    place = _place(path, info)
    if info.compress_type == zipfile.ZIP_STORED:
        return mapped_source(path, shape, dtype, place + header_bytes, fortran)
    if info.compress_type != zipfile.ZIP_DEFLATED or needed <= LOADED_BYTES:
        return LoadedSource(path, "npz", name, shape, dtype.str)
    check_claim(path, name, needed, info.compress_size)
    packed = PackedSource(
        path,
        shape[::-1] if fortran else shape,
        dtype.str,
        (place, place + info.compress_size),
        header_bytes,
        -zlib.MAX_WBITS,
        info.CRC if info.file_size == needed else None,
    )
    return TransposedSource(packed, tuple(reversed(range(len(shape))))) if fortran else packed


def _place(path: str, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin in the file."""
    with open(path, "rb") as raw:
        raw.seek(info.header_offset)
        local = raw.read(_LOCAL_HEADER)
    lengths = np.frombuffer(local, "<u2", 2, _LOCAL_HEADER - 4)
    return info.header_offset + _LOCAL_HEADER + int(lengths.sum())


def _header(file: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        shape, fortran, dtype = _READERS[version](file)
    except _UNREADABLE:
        raise ValueError(f"{what} is no whole .npy file; write it again with numpy.save.") from None
    if dtype.hasobject:
        raise ValueError(
            f"{what} holds pickled Python objects, which are not loaded because that could run "
            "code; save an array of numbers."
        )
    if min(shape, default=0) < 0 or len(shape) > _MOST_AXES:
        raise ValueError(f"{what} claims an impossible shape; write it again with numpy.save.")
    return shape, fortran, dtype

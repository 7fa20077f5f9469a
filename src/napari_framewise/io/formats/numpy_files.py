"""NumPy's own files: .npy mapped, .npz by member."""

from __future__ import annotations

import math
import zipfile
from typing import IO, Any

import numpy as np

from napari_framewise.io.formats.candidates import Candidate, choose
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.loaded import LoadedSource
from napari_framewise.stacks.sources.mapped import mapped_source

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_LOCAL_HEADER = 30


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
    try:
        with archive.open(info) as file:
            shape, fortran, dtype = _header(file, f"{path}, member {name},")
            header_bytes = file.tell()
    except ValueError as error:
        return str(error)
    needed = math.prod(shape) * dtype.itemsize
    if info.file_size < header_bytes + needed:
        return f"{path}, member {name}, is cut off; write it again with numpy.savez."
    if info.compress_type != zipfile.ZIP_STORED:
        return LoadedSource(path, "npz", name, shape, dtype.str)
    with open(path, "rb") as raw:
        raw.seek(info.header_offset)
        local = raw.read(_LOCAL_HEADER)
    lengths = np.frombuffer(local, "<u2", 2, _LOCAL_HEADER - 4)
    offset = info.header_offset + _LOCAL_HEADER + int(lengths.sum()) + header_bytes
    return mapped_source(path, shape, dtype, offset, fortran)


def _header(file: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        shape, fortran, dtype = _READERS[version](file)
    except (ValueError, KeyError, EOFError):
        raise ValueError(f"{what} is no whole .npy file; write it again with numpy.save.") from None
    if dtype.hasobject:
        raise ValueError(
            f"{what} holds pickled Python objects, which are not loaded because that could run "
            "code; save an array of numbers."
        )
    return shape, fortran, dtype

"""The one way to open a file or a folder as a stack."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from napari_framewise.io.formats.folder import PICTURE_ENDINGS
from napari_framewise.stacks.axes import Axis, default_axis_names
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.stack import Origin, Selection, Stack
from napari_framewise.tools.registry import MODEL_FILES, ModelFile

_FIRST_BYTES = 16
_ZIP = b"PK\x03\x04"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZARR_FILES = ("zarr.json", ".zgroup", ".zarray")


@dataclass(frozen=True)
class Opened:
    """What a reader makes of a file."""

    source: Source
    axes: tuple[Axis, ...]
    rgb: bool = False
    frames_along: tuple[int, ...] | None = None
    remark: str = ""


Reader: TypeAlias = Callable[[str, str | None, str | None], Opened]


@dataclass(frozen=True)
class Format:
    """What can be opened.

    Attributes
    ----------
    title : str
        Name of the format.
    extensions : tuple of str
        Endings of its files; empty for folders.
    reads : str
        What of it is read, and how.
    starts : tuple of bytes
        First bytes of its files, where they say what it is.
    reader : callable
        `reader(path, key, pattern)` makes the source and its axes.
    """

    title: str
    extensions: tuple[str, ...]
    reads: str
    starts: tuple[bytes, ...]
    reader: Reader


def readable_formats() -> tuple[Format, ...]:
    """Everything that `open_stack` opens, for the docs and the manifest."""
    return _FORMATS


def can_open(path: str | os.PathLike[str]) -> bool:
    """Whether `open_stack` has a reader for a path; looks at its name and its first bytes.

    Parameters
    ----------
    path : path
        A file or folder.
    """
    given = Path(path)
    try:
        if given.is_dir():
            from napari_framewise.io.formats.folder import has_images

            return _is_zarr(given) or has_images(str(given))
        return given.is_file() and _format_of(given) is not None
    except OSError:
        return False


def open_stack(
    path: str | os.PathLike[str], *, key: str | None = None, pattern: str | None = None
) -> Stack:
    """Open a file or a folder as a stack; only its description is read.

    Parameters
    ----------
    path : path
        A file, a folder of image files, or a zarr folder.
    key : str, optional
        Name of the array where a file holds several: the member of .npz, the variable of .mat,
        the dataset of HDF5, the array of zarr, the number of the series of TIFF.
    pattern : str, optional
        Which files of a folder: "*.tif".

    Returns
    -------
    Stack
        With the names, scale and units of its axes as far as the file gives them. The name of a
        result of ours that was not written to its end says "(unfinished)".

    Raises
    ------
    FileNotFoundError
        Where there is nothing at the path.
    ValueError
        Where no reader fits, the file is damaged, holds no numbers, or a choice is needed.
    """
    given = Path(path).expanduser()
    if not given.exists():
        raise FileNotFoundError(f"There is no file or folder {given}; check the path.")
    place = os.path.abspath(given)
    opened = _opened(place, key, pattern)
    shape, dtype = opened.source.shape, opened.source.dtype
    if not shape or dtype.kind not in "buifc":
        what = f"elements of type {dtype}" if shape else "a single value"
        raise ValueError(f"{given} holds {what}; give an array of numbers.")
    if 0 in shape:
        raise ValueError(
            f"{given} holds an array of shape {shape}, with no pixels; give a file "
            "with at least one frame."
        )
    return Stack(
        opened.source,
        opened.axes,
        opened.rgb,
        f"{given.name}{opened.remark}",
        Selection(frames_along=opened.frames_along),
        Origin(str(path), key, pattern),
    )


def _opened(place: str, key: str | None, pattern: str | None) -> Opened:
    """What the reader makes of a path; one sentence whatever a library makes of a damaged file."""
    reader = _reader_of(Path(place))
    try:
        return reader(place, key, pattern)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(place):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ValueError(f"{place} is damaged ({reason}); copy or write it again.") from error


def _reader_of(path: Path) -> Reader:
    if path.is_dir():
        return _zarr if _is_zarr(path) else _folder
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes); give a file that holds data.")
    found = _format_of(path)
    if found is None:
        known = ", ".join(ending for each in _FORMATS for ending in each.extensions)
        raise ValueError(f"{path} is of no kind that can be opened; the kinds are {known}.")
    return found.reader


def _format_of(path: Path) -> Format | None:
    """The format by the first bytes where they say it, else by the ending."""
    with path.open("rb") as file:
        start = file.read(_FIRST_BYTES)
    ending = path.suffix.casefold()
    told = [each for each in _FORMATS if any(start.startswith(mark) for mark in each.starts)]
    named = [each for each in told or _FORMATS if ending in each.extensions]
    # A zip archive may be anything, so there the ending has to agree.
    return next(iter(named or [each for each in told if each.starts != (_ZIP,)]), None)


def _is_zarr(path: Path) -> bool:
    return any((path / name).is_file() for name in _ZARR_FILES)


def _npy(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.numpy_files import npy_source

    return _unnamed(npy_source(path))


def _npz(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.numpy_files import npz_source

    return _unnamed(npz_source(path, key))


def _unnamed(source: Source) -> Opened:
    """An array of a format that names no axes."""
    ndim = len(source.shape)
    rgb = ndim > 2 and source.shape[-1] in (3, 4) and source.dtype.kind == "u"
    names = default_axis_names(ndim, rgb)
    return Opened(source, tuple(Axis(name) for name in names), rgb)


def _mat(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.matlab import mat_parts

    return Opened(*mat_parts(path, key))


def _hdf5(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.hdf5 import hdf5_parts

    return Opened(*hdf5_parts(path, key))


def _zarr(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.zarr_files import open_zarr

    image = open_zarr(path, key)
    remark = "" if image.complete else " (unfinished)"
    return Opened(image.source, image.axes, image.rgb, remark=remark)


def _tiff(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.tiff import axes_of, is_rgb
    from napari_framewise.stacks.sources.tiff import open_tiff

    image = open_tiff(path, key)
    return Opened(image.source, axes_of(image), is_rgb(image))


def _picture(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.folder import picture_axes
    from napari_framewise.stacks.sources.loaded import LoadedSource
    from napari_framewise.stacks.sources.pictures import picture_layout

    shape, dtype = picture_layout(path)
    rgb = len(shape) > 2 and shape[-1] in (3, 4)
    source = LoadedSource(path, "pictures", "", shape, dtype.str)
    return Opened(source, picture_axes(shape, rgb), rgb)


def _model_reader(file: ModelFile) -> Reader:
    """The reader of a format that a tool's model brings."""

    def opened(path: str, key: str | None, pattern: str | None) -> Opened:
        source, axes = file.load().open_source(path)
        return Opened(source, axes, frames_along=(0,))

    return opened


def _folder(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.folder import folder_parts

    return Opened(*folder_parts(path, pattern))


_FORMATS = (
    Format(
        "NumPy array",
        (".npy",),
        "mapped, so that only what is looked at is read",
        (b"\x93NUMPY",),
        _npy,
    ),
    Format(
        "NumPy archive",
        (".npz",),
        "mapped where it is stored plainly; a compressed member is unpacked whole",
        (_ZIP,),
        _npz,
    ),
    Format(
        "TIFF",
        (".tif", ".tiff", ".btf", ".tf8", ".lsm", ".stk"),
        "plain, compressed, tiled, BigTIFF; ImageJ and OME axes, scale and units; files written "
        "page by page as one stack",
        (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
        _tiff,
    ),
    Format(
        "HDF5",
        (".h5", ".hdf5", ".hdf", ".he5", ".ims", ".nc"),
        "in parts; dimension labels and scales, element_size_um",
        (_HDF5,),
        _hdf5,
    ),
    Format(
        "MATLAB",
        (".mat",),
        "versions 5 to 7.3, in parts; a compressed variable before 7.3 is unpacked whole; rows, "
        "columns and pages become frames of rows and columns",
        (b"MATLAB 5.0 MAT", b"MATLAB 7.3 MAT", _HDF5),
        _mat,
    ),
    Format(
        "Picture",
        PICTURE_ENDINGS,
        "one picture, or the frames of a moving one",
        (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM"),
        _picture,
    ),
    *(
        Format(each.title, (each.ending,), each.reads, (each.starts,), _model_reader(each))
        for each in MODEL_FILES
    ),
    Format(
        "Zarr folder",
        (".zarr",),
        "in parts; versions 2 and 3, OME-Zarr 0.4 and 0.5 with axes, scale, translation and units",
        (),
        _zarr,
    ),
    Format(
        "Folder of images",
        (),
        "file by file, in natural order; TIFF files of one layout the fast way",
        (),
        _folder,
    ),
)

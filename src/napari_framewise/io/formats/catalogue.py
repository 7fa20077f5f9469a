"""Which formats there are: how each is told, what of it is read, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from napari_framewise.io.formats.folder import PICTURE_ENDINGS
from napari_framewise.io.formats.guessing import guessed_axes
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Source
from napari_framewise.tools.registry import MODEL_FILES, ModelFile

ZIP = b"PK\x03\x04"
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Opened:
    """What a reader makes of a file.

    Attributes
    ----------
    source : Source
        Its pixels.
    axes : tuple of Axis
        One per axis of the source.
    rgb : bool
        The file says that its last axis holds the components of a colour.
    frames_along : tuple of int, optional
        Axes that the frames run along, where the format decides that.
    mark : str
        What follows the file's name: " (unfinished)".
    remarks : tuple of str
        What the user should know: that axes are guessed, that parts are missing.
    no_data : tuple of float
        Values that the file declares to stand for no data.
    """

    source: Source
    axes: tuple[Axis, ...]
    rgb: bool = False
    frames_along: tuple[int, ...] | None = None
    mark: str = ""
    remarks: tuple[str, ...] = ()
    no_data: tuple[float, ...] = ()


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


def _npy(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.numpy_files import npy_source

    return _unnamed(npy_source(path))


def _npz(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.numpy_files import npz_source

    return _unnamed(npz_source(path, key))


def _unnamed(source: Source) -> Opened:
    """An array of a format that names no axes."""
    axes, remarks = guessed_axes(source.shape, source.dtype)
    return Opened(source, axes, remarks=remarks)


def _mat(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.matlab import mat_parts

    source, axes, remarks = mat_parts(path, key)
    return Opened(source, axes, remarks=remarks)


def _hdf5(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.hdf5 import hdf5_image

    image = hdf5_image(path, key)
    return Opened(image.source, image.axes, image.rgb, remarks=image.remarks, no_data=image.no_data)


def read_zarr(path: str, key: str | None, pattern: str | None) -> Opened:
    """What a folder of zarr holds."""
    from napari_framewise.io.formats.zarr_files import open_zarr

    image = open_zarr(path, key)
    mark = "" if image.complete else " (unfinished)"
    return Opened(image.source, image.axes, image.rgb, None, mark, image.remarks, image.no_data)


def _tiff(path: str, key: str | None, pattern: str | None) -> Opened:
    from napari_framewise.io.formats.tiff import axes_of, is_rgb, no_data_of, remarks_of
    from napari_framewise.stacks.sources.tiff import open_tiff

    image = open_tiff(path, key)
    return Opened(
        image.source,
        axes_of(image),
        is_rgb(image),
        remarks=remarks_of(image),
        no_data=no_data_of(image),
    )


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


def read_folder(path: str, key: str | None, pattern: str | None) -> Opened:
    """What a folder of images holds."""
    from napari_framewise.io.formats.folder import folder_parts

    return Opened(*folder_parts(path, pattern))


FORMATS = (
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
        (ZIP,),
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
        (".h5", ".hdf5", ".hdf", ".he5", ".ims", ".nc", ".hspy", ".emd", ".nxs"),
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
        if each.reads
    ),
    Format(
        "Zarr folder",
        (".zarr", ".zspy"),
        "in parts; versions 2 and 3, OME-Zarr 0.4 and 0.5 with axes, scale, translation and units",
        (),
        read_zarr,
    ),
    Format(
        "Folder of images",
        (),
        "file by file, in natural order; TIFF files of one layout the fast way",
        (),
        read_folder,
    ),
)

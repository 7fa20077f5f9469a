"""The one way to open a file or a folder as a stack."""

from __future__ import annotations

import os
from pathlib import Path

from napari_framewise.io.formats.catalogue import (
    FORMATS,
    ZIP,
    Format,
    Opened,
    Reader,
    read_folder,
    read_zarr,
)
from napari_framewise.io.formats.legends import legend_at
from napari_framewise.stacks.faults import check_regular, os_faults_told, reason_of
from napari_framewise.stacks.stack import Origin, Selection, Stack

_FIRST_BYTES = 16
_ZARR_FILES = ("zarr.json", ".zgroup", ".zarray")


def readable_formats() -> tuple[Format, ...]:
    """Everything that `open_stack` opens, for the docs and the manifest."""
    return FORMATS


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
    path: str | os.PathLike[str],
    *,
    key: str | None = None,
    pattern: str | None = None,
    no_data: float | None = None,
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
    no_data : float, optional
        Value that stands for missing pixels, which are read as NaN; by default what the file says.

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
    with os_faults_told(path):
        given = Path(path).expanduser()
        if not os.path.lexists(given):
            raise FileNotFoundError(f"There is no file or folder {given}; check the path.")
        check_regular(given)
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
        f"{given.name}{opened.mark}",
        Selection(frames_along=opened.frames_along, no_data=no_data),
        Origin(str(path), key, pattern),
        (*opened.remarks, *_further(opened.no_data)),
        no_data=opened.no_data[0] if opened.no_data else None,
        legend=legend_at(place) if dtype.kind in "iu" and not opened.rgb else None,
    )


def _further(no_data: tuple[float, ...]) -> tuple[str, ...]:
    """What is said of values that stand for no data beside the first, which alone is read so."""
    if len(no_data) < 2:
        return ()
    others = ", ".join(f"{value:g}" for value in no_data[1:])
    return (f"{others} also stand for no data, which is not read so",)


def _opened(place: str, key: str | None, pattern: str | None) -> Opened:
    """What the reader makes of a path; one sentence whatever a library makes of a damaged file."""
    reader = _reader_of(Path(place))
    try:
        return reader(place, key, pattern)
    except MemoryError:
        raise ValueError(
            f"{place} claims more than fits into memory; it is damaged, or too large to open."
        ) from None
    except RecursionError:
        raise ValueError(f"{place} nests its description too deeply to be read.") from None
    except (ImportError, NotImplementedError) as error:
        raise ValueError(
            f"{place} is stored in a way that is not supported here ({reason_of(error)})."
        ) from error
    except Exception as error:
        told = isinstance(error, (ValueError, OSError)) and str(error).startswith(place)
        if told or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise ValueError(
            f"{place} is damaged ({reason_of(error)}); copy or write it again."
        ) from error


def _reader_of(path: Path) -> Reader:
    if path.is_dir():
        return read_zarr if _is_zarr(path) else read_folder
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes); give a file that holds data.")
    found = _format_of(path)
    if found is None:
        known = ", ".join(ending for each in FORMATS for ending in each.extensions)
        raise ValueError(f"{path} is of no kind that can be opened; the kinds are {known}.")
    return found.reader


def _format_of(path: Path) -> Format | None:
    """The format by the first bytes where they say it, else by the ending."""
    with path.open("rb") as file:
        start = file.read(_FIRST_BYTES)
    ending = path.suffix.casefold()
    told = [each for each in FORMATS if any(start.startswith(mark) for mark in each.starts)]
    named = [each for each in told or FORMATS if ending in each.extensions]
    # A zip archive may be anything, so there the ending has to agree.
    return next(iter(named or [each for each in told if each.starts != (ZIP,)]), None)


def _is_zarr(path: Path) -> bool:
    return any(os.path.lexists(path / name) for name in _ZARR_FILES)

"""A TIFF file as one array: which of its pages belong together, and the source that reads them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.loaded import LoadedSource
from napari_framewise.stacks.sources.mapped import (
    MappedSource,
    mapped_file,
    mapped_source,
    strides_of,
    truncated,
)
from napari_framewise.stacks.sources.tiff_layout import Page, TiffError, pages_of
from napari_framewise.stacks.sources.tiff_pages import (
    MISSING,
    TiffPagesSource,
    decoding_fault,
    pack_places,
)

# Kinds of TIFF whose own metadata say how the pages make up an array.
_SPEAKING = (
    "ome", "imagej", "lsm", "mmstack", "ndtiff", "fluoview", "stk", "sis", "svs", "scn", "qpi",
    "ndpi", "bif", "avs", "eer", "philips", "scanimage", "nih", "mdgel",
)  # fmt: skip


@dataclass(frozen=True)
class TiffImage:
    """One image of a TIFF file.

    Attributes
    ----------
    source : Source
        Its pixels.
    axes : str
        A letter per axis as tifffile gives them: T, C, Z, Y, X; S for samples; I or Q for others.
    metadata : mapping
        "imagej": ImageJ's properties; "ome": OME-XML; "resolution": pixels per unit along x and y
        and the unit's number, as the tags of the first page have them; "series": number.
    """

    source: Source
    axes: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


def open_tiff(path: str, key: str | None = None) -> TiffImage:
    """The image in a TIFF file; equal pages and equal series are taken together.

    Parameters
    ----------
    path : str
        The file.
    key : str, optional
        Number of the series, where there are several that differ.

    Raises
    ------
    ValueError
        Where the file is no TIFF, is cut off, needs a decoder that is not there, or holds several
        different images and no key was given.
    """
    try:
        # tifffile reads what is left of a file that is cut off; this does not.
        pages = list(pages_of(mapped_file(path)))
        with tifffile.TiffFile(path) as file:
            if key is None and not any(getattr(file, f"is_{kind}") for kind in _SPEAKING):
                source, axes = _equal_pages(path, file, pages) or _chosen(path, file, key)
            else:
                source, axes = _chosen(path, file, key)
            return TiffImage(source, axes, _metadata(file, key))
    except (TiffError, tifffile.TiffFileError) as error:
        raise ValueError(f"{path} {_reason(error)}; give a whole TIFF file.") from None


def plain_places(pages: Sequence[Page]) -> tuple[int, ...] | None:
    """Offsets of the pages where all are plain and alike, else None."""
    first = pages[0]
    if not first.plain or any(page.kind != first.kind for page in pages):
        return None
    return tuple(page.offsets[0] for page in pages)


def _equal_pages(
    path: str, file: tifffile.TiffFile, pages: Sequence[Page]
) -> tuple[Source, str] | None:
    """All pages as one array where they are alike and nothing says how else they belong."""
    first = file.pages.first
    if first.shaped_description and _promised(first.shaped_description) != first.shape:
        return None
    if any(page.kind != pages[0].kind for page in pages):
        return None
    lead = (len(pages),) if len(pages) > 1 else ()
    axes = "I" * len(lead) + first.axes
    shape = (*lead, *first.shape)
    offsets = plain_places(pages)
    if offsets is not None and pages[0].shape == first.shape:
        return _plain(path, shape, np.dtype(pages[0].element), offsets), axes
    segments = len(pages[0].offsets)
    if any(len(page.offsets) != segments or len(page.counts) != segments for page in pages):
        return None
    places = np.array([[page.offsets, page.counts] for page in pages], np.int64)
    places = np.moveaxis(np.insert(places, 0, 0, axis=1), 1, -1)
    return _coded((path,), lead, first, places), axes


def _promised(description: str) -> tuple[int, ...]:
    """Shape that tifffile noted when it wrote the file, without axes of length 1."""
    try:
        shape = json.loads(description)["shape"]
    except (ValueError, KeyError):
        return ()
    return tuple(length for length in shape if length != 1) or (1,)


def _plain(
    path: str, shape: tuple[int, ...], dtype: np.dtype[Any], offsets: Sequence[int]
) -> Source:
    """Plain pages: a map where they lie at equal distances, else page by page."""
    page_shape = shape[-(len(shape) - (len(offsets) > 1)) :]
    page_bytes = math.prod(page_shape) * dtype.itemsize
    needed, size = max(offsets) + page_bytes, os.path.getsize(path)
    if needed > size:
        raise ValueError(truncated(path, needed, size))
    if len(offsets) == 1:
        return mapped_source(path, shape, dtype, offsets[0])
    steps = set(np.diff(offsets).tolist())
    step = steps.pop()
    if not steps and step > 0:
        strides = (step, *strides_of(page_shape, dtype.itemsize))
        return MappedSource(path, shape, dtype.str, offsets[0], strides)
    places = np.zeros((len(offsets), 1, 3), np.int64)
    places[:, 0, 1] = offsets
    places[:, 0, 2] = page_bytes
    return TiffPagesSource((path,), shape[:1], page_shape, dtype.str, pack_places(places))


def _coded(
    files: tuple[str, ...],
    lead: tuple[int, ...],
    keyframe: tifffile.TiffPage,
    places: npt.NDArray[np.int64],
) -> TiffPagesSource:
    """Pages that need decoding; says at once where no decoder is there or a file is too short."""
    for number, path in enumerate(files):
        mine = places[places[..., 0] == number]
        needed, size = int((mine[:, 1] + mine[:, 2]).max(initial=0)), os.path.getsize(path)
        if needed > size:
            raise ValueError(truncated(path, needed, size))
    height, width = (
        (keyframe.tilelength, keyframe.tilewidth)
        if keyframe.is_tiled
        else (keyframe.rowsperstrip, keyframe.imagewidth)
    )
    extent = {"Y": min(height, keyframe.imagelength), "X": min(width, keyframe.imagewidth)}
    segment = tuple(
        extent.get(axis, 1 if axis == "S" and keyframe.planarconfig == 2 else length)
        for axis, length in zip(keyframe.axes, keyframe.shape, strict=True)
    )
    source = TiffPagesSource(
        files,
        lead,
        keyframe.shape,
        np.dtype(keyframe.dtype).str,
        pack_places(places),
        places.shape[1],
        keyframe.index,
        segment,
    )
    fault = decoding_fault(source)
    if fault:
        raise ValueError(fault)
    return source


def _chosen(path: str, file: tifffile.TiffFile, key: str | None) -> tuple[Source, str]:
    """One of the series that tifffile finds, or all where they are alike."""
    found = [series for series in file.series if math.prod(series.shape)]
    if not found:
        raise TiffError("holds no image")
    if key is not None:
        numbers = {str(number): series for number, series in enumerate(file.series)}
        if key not in numbers:
            raise ValueError(
                f"{path} has no series {key}; it has {_list(file.series)}: give its number as key."
            )
        return _series(path, numbers[key])
    alike = {(series.shape, series.dtype, series.axes) for series in found}
    if len(alike) > 1:
        raise ValueError(
            f"{path} holds images that differ: {_list(file.series)}; give the number of one of "
            "these series as key."
        )
    if len(found) == 1:
        return _series(path, found[0])
    pages = [page for series in found for page in series]
    source = _joined(path, "0", (len(found), *found[0].shape), found[0].keyframe, pages)
    return source, "I" + found[0].axes


def _list(series: Sequence[tifffile.TiffPageSeries]) -> str:
    shown = ", ".join(
        f"{number}: {' x '.join(map(str, each.shape))} {each.dtype}"
        for number, each in enumerate(series[:8])
    )
    return shown + (f" and {len(series) - 8} more" if len(series) > 8 else "")


def _series(path: str, series: tifffile.TiffPageSeries) -> tuple[Source, str]:
    if series.dataoffset is not None:
        order = series.keyframe.parent.byteorder
        dtype = np.dtype(series.dtype).newbyteorder(order)
        shape = tuple(int(length) for length in series.shape)
        return mapped_source(path, shape, dtype, series.dataoffset), series.axes
    key = str(series.index)
    return _joined(path, key, series.shape, series.keyframe, list(series)), series.axes


def _joined(
    path: str,
    key: str,
    shape: Sequence[int],
    keyframe: tifffile.TiffPage,
    pages: Sequence[tifffile.TiffPage | tifffile.TiffFrame | None],
) -> Source:
    """Pages of one or several files, as their series say; the missing ones read as zero."""
    lead = tuple(shape[: len(shape) - len(keyframe.shape)])
    if math.prod(lead) != len(pages) or (*lead, *keyframe.shape) != tuple(shape):
        # What tifffile puts together in ways of its own (mosaics, say) it also has to read.
        return LoadedSource(path, "tiff", key, tuple(shape), np.dtype(keyframe.dtype).str)
    files = dict.fromkeys([keyframe.parent.filehandle.path])
    files.update(dict.fromkeys(page.parent.filehandle.path for page in pages if page is not None))
    numbers = {file: number for number, file in enumerate(files)}
    segments = len(keyframe.dataoffsets)
    places = np.full((len(pages), segments, 3), MISSING, np.int64)
    for page, place in zip(pages, places, strict=True):
        if page is not None:
            place[:, 0] = numbers[page.parent.filehandle.path]
            place[:, 1] = page.dataoffsets
            place[:, 2] = page.databytecounts
    return _coded(tuple(files), lead, keyframe, places)


def _metadata(file: tifffile.TiffFile, key: str | None) -> dict[str, Any]:
    first = file.pages.first
    metadata: dict[str, Any] = {"series": int(key or 0)}
    if file.is_imagej:
        metadata["imagej"] = dict(file.imagej_metadata or {})
    if file.is_ome:
        metadata["ome"] = file.ome_metadata
    if 282 in first.tags and 283 in first.tags:
        (x, x_of), (y, y_of) = first.tags[282].value, first.tags[283].value
        unit = first.tags[296].value if 296 in first.tags else 2
        if x and y and x_of and y_of:
            metadata["resolution"] = (x / x_of, y / y_of, int(unit))
    return metadata


def _reason(error: Exception) -> str:
    if isinstance(error, TiffError):
        return str(error)
    return f"is not a whole TIFF file ({error})"

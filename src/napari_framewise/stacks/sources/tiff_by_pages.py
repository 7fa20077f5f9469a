"""TIFF pages as one array: all of one layout, or as tifffile makes series of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

import numpy as np
import tifffile

from napari_framewise.stacks.sources.loaded import LoadedSource
from napari_framewise.stacks.sources.mapped import mapped_source
from napari_framewise.stacks.sources.tiff_layout import Page, TiffError
from napari_framewise.stacks.sources.tiff_pages import MISSING
from napari_framewise.stacks.sources.tiff_places import (
    PageSet,
    coded_source,
    plain_places,
    plain_source,
)

# Kinds of TIFF whose own metadata say how the pages make up an array.
_SPEAKING = (
    "imagej", "lsm", "mmstack", "ndtiff", "fluoview", "stk", "sis", "svs", "scn", "qpi",
    "ndpi", "bif", "avs", "eer", "philips", "scanimage", "nih", "mdgel",
)  # fmt: skip
_HUGE = re.compile(r'(?:PlaneCount|NumPlanes|Size[ZCT]|First[ZCT]|IFD)="\d{6,}"')
_MOST_MISSING = 100_000


def by_pages(
    path: str, file: tifffile.TiffFile, pages: Sequence[Page], key: str | None, xml: str
) -> PageSet:
    """The image by its pages alone, or by what other metadata than OME's say of them.

    Raises
    ------
    ValueError
        Where a choice among images is needed, or they claim what can't be.
    """
    if xml and "Modulo" in xml and not _HUGE.search(xml):
        # Axes inside axes are rare; tifffile knows them.
        with tifffile.TiffFile(path) as described:
            return _chosen(path, described, key)
    if key is None and not any(getattr(file, f"is_{kind}") for kind in _SPEAKING):
        found = _equal_pages(path, file, pages)
        if found is not None:
            return found
    return _chosen(path, file, key)


def _equal_pages(path: str, file: tifffile.TiffFile, pages: Sequence[Page]) -> PageSet | None:
    """All pages as one array of one layout where nothing says how else they belong."""
    first = file.pages.first
    if first.shaped_description and _promised(first.shaped_description) != first.shape:
        return None
    if any(page.kind != pages[0].kind for page in pages):
        return None
    lead = (len(pages),) if len(pages) > 1 else ()
    axes = "I" * len(lead) + first.axes
    offsets = plain_places(pages)
    if offsets is not None and pages[0].shape == first.shape:
        dtype = np.dtype(pages[0].element)
        return PageSet(plain_source(path, lead, first.shape, dtype, offsets), axes)
    segments = len(pages[0].offsets)
    if any(len(page.offsets) != segments or len(page.counts) != segments for page in pages):
        return None
    places = np.array([[page.offsets, page.counts] for page in pages], np.int64)
    places = np.moveaxis(np.insert(places, 0, 0, axis=1), 1, -1)
    return PageSet(coded_source((path,), lead, first, places), axes)


def _promised(description: str) -> tuple[int, ...]:
    """Shape that tifffile noted when it wrote the file, without axes of length 1."""
    try:
        shape = json.loads(description)["shape"]
        return tuple(int(length) for length in shape if length != 1) or (1,)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()


def _chosen(path: str, file: tifffile.TiffFile, key: str | None) -> PageSet:
    """One of the series that tifffile finds, or all where they agree in layout."""
    found = [series for series in file.series if math.prod(series.shape)]
    if not found:
        raise TiffError("holds no image")
    if key is not None:
        numbers = {str(number): series for number, series in enumerate(file.series)}
        if key not in numbers:
            raise ValueError(
                f"{path} has no series {key}; it has {_list(file.series)}: give its number as key."
            )
        return _series(path, numbers[key], int(key))
    kinds = {(series.shape, series.dtype, series.axes) for series in found}
    if len(kinds) > 1:
        raise ValueError(
            f"{path} holds images that differ: {_list(file.series)}; give the number of one of "
            "these series as key."
        )
    if len(found) == 1:
        return _series(path, found[0], list(file.series).index(found[0]))
    pages = [page for series in found for page in series]
    shape = (len(found), *found[0].shape)
    return _joined(path, "0", shape, "I" + found[0].axes, found[0].keyframe, pages)


def _list(series: Sequence[tifffile.TiffPageSeries]) -> str:
    shown = ", ".join(
        f"{number}: {' x '.join(map(str, each.shape))} {each.dtype}"
        for number, each in enumerate(series[:8])
    )
    return shown + (f" and {len(series) - 8} more" if len(series) > 8 else "")


def _series(path: str, series: tifffile.TiffPageSeries, index: int) -> PageSet:
    if series.dataoffset is not None:
        order = series.keyframe.parent.byteorder
        dtype = np.dtype(series.dtype).newbyteorder(order)
        shape = tuple(int(length) for length in series.shape)
        return PageSet(mapped_source(path, shape, dtype, series.dataoffset), series.axes, index)
    pages = list(series)
    return _joined(path, str(index), series.shape, series.axes, series.keyframe, pages)


def _joined(
    path: str,
    key: str,
    shape: Sequence[int],
    axes: str,
    keyframe: tifffile.TiffPage,
    pages: Sequence[tifffile.TiffPage | tifffile.TiffFrame | None],
) -> PageSet:
    """Pages of one or several files, as their series say; the missing ones read as NaN."""
    number = int(key)
    lead = tuple(shape[: len(shape) - len(keyframe.shape)])
    if math.prod(lead) != len(pages) or (*lead, *keyframe.shape) != tuple(shape):
        # What tifffile puts together in ways of its own (mosaics, say) it also has to read.
        loaded = LoadedSource(path, "tiff", key, tuple(shape), np.dtype(keyframe.dtype).str)
        return PageSet(loaded, axes, number)
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
    lost = pages.count(None)
    remarks = (f"{lost:,} of {len(pages):,} pages are missing and hold no data",) if lost else ()
    source = coded_source(tuple(files), lead, keyframe, places)
    return PageSet(source, axes, number, remarks)

"""Sources for pages whose places in their files are known."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.mapped import (
    MappedSource,
    mapped_source,
    strides_of,
    truncated,
)
from napari_framewise.stacks.sources.tiff_coding import claims_fault, coding_fault
from napari_framewise.stacks.sources.tiff_layout import Page
from napari_framewise.stacks.sources.tiff_pages import MISSING, TiffPagesSource, pack_places


@dataclass(frozen=True)
class PageSet:
    """The pages of a file that belong together.

    Attributes
    ----------
    source : Source
        Their pixels.
    axes : str
        A letter per axis.
    series : int
        Number of the image in the file's own metadata.
    remarks : tuple of str
        What is missing.
    """

    source: Source
    axes: str
    series: int = 0
    remarks: tuple[str, ...] = ()


def plain_places(pages: Sequence[Page]) -> tuple[int, ...] | None:
    """Offsets of the pages where all are plain and of one layout, else None."""
    first = pages[0]
    if not first.plain or any(page.kind != first.kind for page in pages):
        return None
    return tuple(page.offsets[0] for page in pages)


def plain_source(
    path: str,
    lead: tuple[int, ...],
    page_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    offsets: Sequence[int],
) -> Source:
    """Plain pages: a map where they lie at equal distances, else page by page.

    Raises
    ------
    ValueError
        Where the file is too short for them.
    """
    page_bytes = math.prod(page_shape) * dtype.itemsize
    needed, size = max(offsets) + page_bytes, os.path.getsize(path)
    if needed > size:
        raise ValueError(truncated(path, needed, size))
    if len(offsets) == 1:
        return mapped_source(path, (*lead, *page_shape), dtype, offsets[0])
    steps = set(np.diff(offsets).tolist())
    step = steps.pop()
    if not steps and step > 0:
        outer = (step * math.prod(lead[axis + 1 :]) for axis in range(len(lead)))
        strides = (*outer, *strides_of(page_shape, dtype.itemsize))
        return MappedSource(path, (*lead, *page_shape), dtype.str, offsets[0], strides)
    places = np.zeros((len(offsets), 1, 3), np.int64)
    places[:, 0, 1] = offsets
    places[:, 0, 2] = page_bytes
    return TiffPagesSource((path,), lead, page_shape, dtype.str, pack_places(places))


def coded_source(
    files: tuple[str, ...],
    lead: tuple[int, ...],
    keyframe: tifffile.TiffPage,
    places: npt.NDArray[np.int64],
) -> TiffPagesSource:
    """Pages that need decoding, which is not done here; NaN where a page is missing.

    Parameters
    ----------
    files : tuple of str
        The files; the first holds the keyframe.
    lead : tuple of int
        Lengths of the axes that the pages run along.
    keyframe : TiffPage
        The page that says how all are decoded.
    places : ndarray of int64, shape (pages, segments, 3)
        Of each strip or tile the file's number, the offset and the bytes; `MISSING` for a page
        that is not there.

    Raises
    ------
    ValueError
        Where no decoder is there, a file is too short, or the page claims what can't be.
    """
    present = places[places[:, 0, 0] != MISSING]
    fault = coding_fault(files[0], keyframe) or claims_fault(files[0], keyframe, present[0, :, 2])
    if fault:
        raise ValueError(fault)
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
    return TiffPagesSource(
        files,
        lead,
        keyframe.shape,
        np.dtype(keyframe.dtype).str,
        pack_places(places),
        places.shape[1],
        keyframe.index,
        segment,
        len(present) < len(places),
    )

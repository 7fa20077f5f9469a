"""The image of an OME-TIFF, its planes wherever its OME-XML says that they lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tifffile

from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.tiff_layout import Page, TiffError
from napari_framewise.stacks.sources.tiff_ome import OmeSeries, PageFiles, ome_series
from napari_framewise.stacks.sources.tiff_pages import MISSING
from napari_framewise.stacks.sources.tiff_places import (
    PageSet,
    coded_source,
    plain_places,
    plain_source,
)


def by_ome(path: str, xml: str, pages: list[Page], key: str | None) -> PageSet | None:
    """The image as OME-XML describes it; None where it does not fit the pages.

    Raises
    ------
    ValueError
        Where a choice among images is needed, or more planes are claimed than can be.
    """
    files = PageFiles({path: pages})
    if "Modulo" in xml:
        return None
    series = [each for each in ome_series(path, xml, files) if _fits(each, files)]
    if not series:
        return None
    kinds = [(each.lead, each.axes, _page_of(each, files).kind) for each in series]
    if key is not None:
        if not key.isdigit() or int(key) >= len(series):
            raise ValueError(
                f"{path} has no series {key}; it has {_listed(series, files)}: give its number as "
                "key."
            )
        return _ome_source(path, series[int(key)], files)
    if len(series) == 1:
        return _ome_source(path, series[0], files)
    if len(set(kinds)) > 1:
        raise ValueError(
            f"{path} holds images that differ: {_listed(series, files)}; give the number of one "
            "of these series as key."
        )
    planes = {
        number * each.count + plane: place
        for number, each in enumerate(series)
        for plane, place in each.planes.items()
    }
    first = series[0]
    joined = OmeSeries(
        f"I{first.axes}", (len(series), *first.lead), planes, first.samples, first.number
    )
    return _ome_source(path, joined, files)


def _page_of(series: OmeSeries, files: PageFiles) -> Page:
    file, number = next(iter(series.planes.values()))
    return files.pages[file][number]


def _fits(series: OmeSeries, files: PageFiles) -> bool:
    """Whether the pages of a series agree in layout, so that they can be one array."""
    first = _page_of(series, files)
    pages = (files.pages[file][number] for file, number in series.planes.values())
    return all(page.kind == first.kind for page in pages)


def _listed(series: Sequence[OmeSeries], files: PageFiles) -> str:
    shown = ", ".join(
        f"{number}: {' x '.join(map(str, (*each.lead, *_page_of(each, files).shape)))}"
        for number, each in enumerate(series[:8])
    )
    return shown + (f" and {len(series) - 8} more" if len(series) > 8 else "")


def _ome_source(path: str, series: OmeSeries, files: PageFiles) -> PageSet:
    """Source of the planes of a series, wherever they lie."""
    # The first file that has a plane says how all are decoded.
    order = dict.fromkeys(file for file, _ in series.planes.values())
    names = tuple(order)
    number_of = {name: number for number, name in enumerate(names)}
    pages = [
        (number_of[file], files.pages[file][number])
        for file, number in (series.planes.get(plane, ("", 0)) for plane in range(series.count))
        if file
    ]
    whole = len(pages) == series.count
    first_file, first_number = next(iter(series.planes.values()))
    with tifffile.TiffFile(first_file, is_ome=False) as file:
        keyframe = file.pages[first_number]
        if not isinstance(keyframe, tifffile.TiffPage):
            keyframe = keyframe.aspage()
        axes = f"{series.axes}{keyframe.axes}"
        offsets = plain_places([page for _, page in pages])
        if whole and len(names) == 1 and offsets is not None:
            page = pages[0][1]
            if page.shape == keyframe.shape:
                source: Source = plain_source(
                    names[0], series.lead, page.shape, np.dtype(page.element), offsets
                )
                return PageSet(source, axes, series.number)
        segments = len(pages[0][1].offsets)
        places = np.full((series.count, segments, 3), MISSING, np.int64)
        present = sorted(series.planes)
        for plane, (number, page) in zip(present, pages, strict=True):
            if len(page.offsets) != segments or len(page.counts) != segments:
                raise TiffError("has pages cut into different numbers of strips or tiles")
            places[plane, :, 0] = number
            places[plane, :, 1] = page.offsets
            places[plane, :, 2] = page.counts
        source = coded_source(names, series.lead, keyframe, places)
        return PageSet(source, axes, series.number, series.remarks)

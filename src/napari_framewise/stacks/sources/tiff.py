"""A TIFF file as one array: which of its pages belong together, and the source that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tifffile

from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.mapped import mapped_file
from napari_framewise.stacks.sources.tiff_by_ome import by_ome
from napari_framewise.stacks.sources.tiff_by_pages import by_pages
from napari_framewise.stacks.sources.tiff_layout import TiffError, pages_of
from napari_framewise.stacks.sources.tiff_metadata import metadata_of
from napari_framewise.stacks.sources.tiff_ome import ome_xml

# RGB, YCbCr and CIE L*a*b*; CMYK and masks are channels.
_COLOURS = (2, 6, 8)


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
        As `metadata_of` gives it; "series" is the number of the image.
    colour : bool
        The file says that the samples are the components of a colour.
    remarks : tuple of str
        What is missing.
    """

    source: Source
    axes: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    colour: bool = False
    remarks: tuple[str, ...] = ()


def open_tiff(path: str, key: str | None = None) -> TiffImage:
    """The image in a TIFF file; equal pages and equal series are taken together.

    Only directories are read, no pixels.

    Parameters
    ----------
    path : str
        The file.
    key : str, optional
        Number of the series, where there are several that differ.

    Raises
    ------
    ValueError
        Where the file is no TIFF, is cut off, claims what it can't hold, needs a decoder that is
        not there, or holds several different images and no key was given.
    """
    try:
        # tifffile reads what is left of a file that is cut off; this does not.
        pages = list(pages_of(mapped_file(path)))
        # OME-XML is read here: tifffile takes memory for all that it claims.
        with tifffile.TiffFile(path, is_ome=False) as file:
            if not pages:
                raise TiffError("holds no image")
            first = file.pages.first
            xml, remarks = ome_xml(path, first.description) if first.is_ome else ("", ())
            found = by_ome(path, xml, pages, key) if xml else None
            if found is None:
                found = by_pages(path, file, pages, key, xml)
            metadata = metadata_of(file, xml, found.series)
            colour = first.photometric in _COLOURS
            return TiffImage(found.source, found.axes, metadata, colour, (*remarks, *found.remarks))
    except (TiffError, tifffile.TiffFileError) as error:
        raise ValueError(f"{path} {_reason(error)}; give a whole TIFF file.") from None


def _reason(error: Exception) -> str:
    if isinstance(error, TiffError):
        return str(error)
    return f"is not a whole TIFF file ({error})"

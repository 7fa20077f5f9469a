"""What the tags of a TIFF file say beside its pixels."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import tifffile

VENDORS = ("fei", "sem", "lsm", "sis", "stk", "fluoview", "micromanager", "tvips")
_RESOLUTION_X, _RESOLUTION_Y, _RESOLUTION_UNIT = 282, 283, 296
_GDAL_NODATA = 42113


def metadata_of(file: tifffile.TiffFile, xml: str, series: int) -> dict[str, Any]:
    """Metadata of a file, unread where they are damaged.

    Returns
    -------
    dict
        "series": number of the image; "ome": its OME-XML; "imagej": ImageJ's properties, and so
        for each kind in `VENDORS`; "resolution": pixels per unit along x and y and the
        unit's number, as the tags of the first page have them; "no_data": the text of
        GDAL_NODATA.
    """
    first = file.pages.first
    metadata: dict[str, Any] = {"series": series}
    if xml:
        metadata["ome"] = xml
    for name in ("imagej", *VENDORS):
        # Damaged metadata take nothing from the pixels.
        with contextlib.suppress(Exception):
            if getattr(file, f"is_{name}"):
                metadata[name] = dict(getattr(file, f"{name}_metadata") or {})
    with contextlib.suppress(TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError):
        x, y = (_ratio(first.tags[tag].value) for tag in (_RESOLUTION_X, _RESOLUTION_Y))
        unit = first.tags[_RESOLUTION_UNIT].value if _RESOLUTION_UNIT in first.tags else 2
        if x > 0 and y > 0:
            metadata["resolution"] = (x, y, int(unit))
    if _GDAL_NODATA in first.tags:
        metadata["no_data"] = str(first.tags[_GDAL_NODATA].value).strip("\0 ")
    return metadata


def _ratio(value: tuple[int, int]) -> float:
    above, below = value
    ratio = above / below
    return ratio if math.isfinite(ratio) else 0.0

"""TIFF metadata to axes: names, scale and units from OME-XML, ImageJ, microscopes or the tags."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from napari_framewise.io.formats.guessing import GUESSED_PAGES
from napari_framewise.io.formats.no_data import numbers_of
from napari_framewise.io.formats.tiff_vendors import Steps, vendor_steps
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.sources.tiff import TiffImage
from napari_framewise.stacks.sources.tiff_ome import parsed
from napari_framewise.stacks.units import PIXEL, scaled

_CENTIMETRE = 3
_CENTIMETRES_AN_INCH = 2.54
# Dots per inch that programs write for a printer or a screen, whatever the picture shows.
_PRINTERS = (
    72, 75, 96, 100, 120, 144, 150, 180, 200, 220, 240, 266, 300, 350, 360, 400, 600, 720, 1200,
    1440, 2400, 4800,
)  # fmt: skip
# Of OME's lengths these two are not among pint's.
_INCHES = {"li": 1 / 12, "pt": 1 / 72}
_NAMES = {"S": "c", "I": "page", "Q": "page"}


def is_rgb(image: TiffImage) -> bool:
    """Whether the file says that the last axis holds the 3 or 4 components of a colour."""
    return image.colour and image.axes.endswith("S") and image.source.shape[-1] in (3, 4)


def remarks_of(image: TiffImage) -> tuple[str, ...]:
    """What is missing of an image, and what had to be guessed of it."""
    guessed = (GUESSED_PAGES,) if {*image.axes} & {"I", "Q"} else ()
    return (*image.remarks, *_fewer_than_claimed(image), *guessed)


def _fewer_than_claimed(image: TiffImage) -> tuple[str, ...]:
    """What is said where ImageJ's header promises planes that are not there."""
    claimed = image.metadata.get("imagej", {}).get("images")
    lengths = zip(image.axes, image.source.shape, strict=True)
    held = math.prod(length for letter, length in lengths if letter not in "YXS")
    if not isinstance(claimed, int) or claimed <= held:
        return ()
    return (f"its ImageJ header claims {claimed:,} images, and the file holds {held:,}",)


def no_data_of(image: TiffImage) -> tuple[float, ...]:
    """Values that the file declares to stand for no data, as GDAL writes them."""
    return numbers_of([image.metadata.get("no_data", "")], image.source.dtype)


def axes_of(image: TiffImage) -> tuple[Axis, ...]:
    """The axes of a TIFF image with what its metadata say of them.

    The resolution tags alone are believed only in centimetres, as microscopes write them, and not
    where they are a printer's: dots per inch, or their usual numbers turned into centimetres.
    """
    metadata = image.metadata
    if "ome" in metadata:
        steps = _ome_steps(metadata["ome"], metadata["series"])
    elif "imagej" in metadata:
        steps = _imagej_steps(metadata["imagej"], metadata.get("resolution"))
    else:
        steps = vendor_steps(metadata) or _tag_steps(metadata.get("resolution"))
    names = _unique(_NAMES.get(letter, letter.lower()) for letter in image.axes)
    sizes = (steps.get(letter, (1.0, PIXEL)) for letter in image.axes)
    return tuple(
        Axis(name, size, 0.0, unit) for name, (size, unit) in zip(names, sizes, strict=True)
    )


def _unique(names: Iterable[str]) -> list[str]:
    """Names with their place behind those that come again."""
    unique: list[str] = []
    for position, name in enumerate(names):
        unique.append(f"{name} {position}" if name in unique else name)
    return unique


def _ome_steps(xml: str, series: int) -> Steps:
    root = parsed(xml)
    pixels = [] if root is None else [e for e in root.iter() if str(e.tag).endswith("}Pixels")]
    if series >= len(pixels):
        return {}
    found = pixels[series].attrib
    steps = {
        axis: _ome_length(
            found.get(f"PhysicalSize{axis}"), found.get(f"PhysicalSize{axis}Unit", "µm")
        )
        for axis in "XYZ"
    }
    steps["T"] = scaled(found.get("TimeIncrement"), found.get("TimeIncrementUnit", "s"))
    return steps


def _ome_length(size: object, unit: str) -> tuple[float, str]:
    if unit not in _INCHES:
        return scaled(size, unit)
    value, known = scaled(size, "inch")
    return (value, known) if known == PIXEL else (value * _INCHES[unit], known)


def _imagej_steps(
    properties: Mapping[str, Any], resolution: tuple[float, float, int] | None
) -> Steps:
    unit = properties.get("unit")
    steps = {"Z": scaled(properties.get("spacing"), properties.get("zunit", unit))}
    if resolution:
        x, y, _ = resolution
        steps["X"] = scaled(1 / x, unit)
        steps["Y"] = scaled(1 / y, properties.get("yunit", unit))
    steps["T"] = scaled(properties.get("finterval"), properties.get("tunit", "s"))
    return steps


def _tag_steps(resolution: tuple[float, float, int] | None) -> Steps:
    if resolution is None or resolution[2] != _CENTIMETRE:
        return {}
    x, y, _ = resolution
    if all(_is_printers(value * _CENTIMETRES_AN_INCH) for value in (x, y)):
        return {}
    return {"X": scaled(1e4 / x, "micrometer"), "Y": scaled(1e4 / y, "micrometer")}


def _is_printers(dots: float) -> bool:
    """Whether dots per inch are a usual setting, within a thousandth."""
    return any(math.isclose(dots, usual, rel_tol=1e-3) for usual in _PRINTERS)

"""OME-TIFF: which page of which file is which plane, by the OME-XML.

After "The OME-TIFF format" (docs.openmicroscopy.org, schema 2016-06). Own code, so that what a file
claims is held against what is there before any memory is taken for it.
"""

from __future__ import annotations

import math
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from napari_framewise.stacks.faults import check_regular, reason_of
from napari_framewise.stacks.sources.mapped import mapped_file
from napari_framewise.stacks.sources.tiff_layout import Page, TiffError, pages_of

# Beyond this many planes for each page that is there, a claim is no unfinished acquisition.
_PLANES_PER_PAGE = 1000
_PLANES_AT_LEAST = 100_000
_LONGEST_COMPANION = 2**28
_MOST_SHOWN = 3


@dataclass(frozen=True)
class OmeSeries:
    """One image of an OME-TIFF.

    Attributes
    ----------
    axes : str
        Letters of the leading axes, those of length 1 left out: "TC".
    lead : tuple of int
        Their lengths.
    planes : dict
        For each plane that is there, counted over `lead`, its file and the number of its page.
    samples : int
        Samples of a pixel that the XML tells of.
    number : int
        Which of the XML's images it is.
    missing : tuple of str
        Files that are not there.
    """

    axes: str
    lead: tuple[int, ...]
    planes: dict[int, tuple[str, int]]
    samples: int
    number: int
    missing: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of planes, the missing ones included."""
        return math.prod(self.lead)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is missing, in words."""
        lost = self.count - len(self.planes)
        if not lost:
            return ()
        files = ", ".join(self.missing[:_MOST_SHOWN])
        more = len(self.missing) - _MOST_SHOWN
        files += f" and {more:,} more" if more > 0 else ""
        because = f" (not there: {files})" if files else ""
        return (f"{lost:,} of {self.count:,} planes are missing{because} and hold no data",)


@dataclass
class PageFiles:
    """The pages of the files of a series, each looked at once."""

    pages: dict[str, list[Page]] = field(default_factory=dict)

    def of(self, path: str) -> list[Page]:
        """The pages of a file.

        Raises
        ------
        TiffError
            Where it is no whole TIFF file.
        OSError, ValueError
            Where it can't be opened.
        """
        if path not in self.pages:
            check_regular(path)
            self.pages[path] = list(pages_of(mapped_file(path)))
        return self.pages[path]


def ome_xml(path: str, description: str) -> tuple[str, tuple[str, ...]]:
    """The OME-XML of a file: its own, or that of the companion that it names.

    Returns
    -------
    str
        The XML; empty where the companion is missing.
    tuple of str
        Remarks for the user.
    """
    root = parsed(description)
    only = None if root is None else next((e for e in root if _tag(e) == "BinaryOnly"), None)
    if only is None:
        return description, ()
    name = os.path.basename(only.get("MetadataFile", ""))
    companion = os.path.join(os.path.dirname(path), name)
    try:
        check_regular(companion)
        if os.path.getsize(companion) > _LONGEST_COMPANION:
            raise ValueError(f"{companion} is too long")
        with open(companion, encoding="utf-8", errors="replace") as file:
            return file.read(), ()
    except (OSError, ValueError):
        return "", (f"the file {name} with its axes and scale is missing",)


def parsed(xml: str) -> ET.Element | None:
    """OME-XML as a tree; None where it can't be read, or declares entities, as OME never does."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        return None
    try:
        return ET.fromstring(xml.encode("utf-8", "replace"))
    except (ET.ParseError, ValueError, LookupError):
        return None


def ome_series(path: str, xml: str, files: PageFiles) -> list[OmeSeries]:
    """The images that OME-XML describes, of which at least one plane is there.

    Parameters
    ----------
    path : str
        The file that was opened.
    xml : str
        Its OME-XML.
    files : PageFiles
        Pages by file; those of `path` are there already.

    Raises
    ------
    ValueError
        Where more planes are claimed than any unfinished acquisition would lack.
    """
    root = parsed(xml)
    if root is None:
        return []
    names = _Names(path, root.get("UUID"))
    images = (element for element in root if _tag(element) == "Image")
    pixels = [each for image in images for each in image if _tag(each) == "Pixels"]
    found = (_series(path, element, number, names, files) for number, element in enumerate(pixels))
    return [each for each in found if each is not None and each.planes]


class _Names:
    """Where the files are that OME-XML names."""

    def __init__(self, path: str, uuid: str | None) -> None:
        self._path, self._uuid = path, uuid

    def place(self, data: ET.Element) -> str:
        """Path of the file that a TiffData element tells of; the one that was opened by default."""
        element = next((each for each in data if _tag(each) == "UUID"), None)
        if element is None or (self._uuid is not None and element.text == self._uuid):
            return self._path
        name = os.path.basename(element.get("FileName", "").replace("\\", "/"))
        if not name or name.casefold() == os.path.basename(self._path).casefold():
            return self._path
        return os.path.join(os.path.dirname(self._path), name)


def _series(
    path: str, pixels: ET.Element, number: int, names: _Names, files: PageFiles
) -> OmeSeries | None:
    order = pixels.get("DimensionOrder", "XYZCT")
    axes = [axis for axis in reversed(order) if axis in "ZCT"]
    sizes = {axis: _count(pixels.get(f"Size{axis}"), 1) for axis in "ZCT"}
    channels = [each for each in pixels if _tag(each) == "Channel"]
    samples = _count(channels[0].get("SamplesPerPixel"), 1) if channels else 1
    if samples > 1 and sizes["C"] % samples == 0:
        sizes["C"] //= samples
    lead = [sizes[axis] for axis in axes]
    if sorted(axes) != ["C", "T", "Z"] or min(lead) < 1:
        return None
    claimed, there = math.prod(lead), len(files.of(path))
    planes: dict[int, tuple[str, int]] = {}
    missing: dict[str, None] = {}
    for data in (each for each in pixels if _tag(each) == "TiffData"):
        place = names.place(data)
        try:
            pages = len(files.of(place))
        except (OSError, TiffError, ValueError) as error:
            absent = isinstance(error, FileNotFoundError)
            why = "" if absent else f" ({reason_of(error)})"
            missing[os.path.basename(place) + why] = None
            continue
        there = sum(map(len, files.pages.values()))
        planes.update(_planes(data, axes, lead, place, pages))
    if claimed > max(_PLANES_AT_LEAST, _PLANES_PER_PAGE * there):
        raise ValueError(
            f"{path} claims {claimed:,} planes, but holds {there:,}; it is damaged: write it again."
        )
    kept = [place for place, length in enumerate(lead) if length > 1]
    return OmeSeries(
        "".join(axes[place] for place in kept),
        tuple(lead[place] for place in kept),
        planes,
        samples,
        number,
        tuple(missing),
    )


def _planes(
    data: ET.Element, axes: Sequence[str], lead: Sequence[int], place: str, pages: int
) -> Iterator[tuple[int, tuple[str, int]]]:
    """Plane and page of one TiffData element."""
    first = [_count(data.get(f"First{axis}"), 0) for axis in axes]
    if any(not 0 <= index < length for index, length in zip(first, lead, strict=True)):
        return
    begin = 0
    for index, length in zip(first, lead, strict=True):
        begin = begin * length + index
    page = _count(data.get("IFD"), 0)
    usual = 1 if "IFD" in data.attrib else pages
    wanted = _count(data.get("PlaneCount") or data.get("NumPlanes"), usual)
    count = min(wanted, pages - page, math.prod(lead) - begin)
    for step in range(max(count, 0) if page >= 0 else 0):
        yield begin + step, (place, page + step)


def _count(text: str | None, default: int) -> int:
    try:
        return default if text is None else int(text)
    except ValueError:
        return default


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]

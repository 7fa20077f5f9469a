"""Pages of TIFF files at any place, plain or compressed, as one array."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.handles import HandleCache
from napari_framewise.stacks.sources.joined import with_gaps
from napari_framewise.stacks.sources.mapped import mapped_file, truncated
from napari_framewise.stacks.sources.tiff_coding import cannot_decode, check_segment

_KEYFRAMES: HandleCache[tifffile.TiffPage] = HandleCache(32)
MISSING = -1


@dataclass(frozen=True)
class TiffPagesSource:
    """Equal pages, read from where they lie in one file or several.

    Attributes
    ----------
    files : tuple of str
        The files.
    lead : tuple of int
        Lengths of the axes that the pages run along, the last fastest.
    page_shape : tuple of int
        Shape of a page.
    element : str
        Type of an element in NumPy's notation, byte order included.
    places : bytes
        Of each strip or tile of each page the file's number, the offset and the bytes; packed by
        `pack_places`.
    segments : int
        Strips or tiles of a page.
    keyframe : int
        Number of the page in `files[0]` that says how all are decoded; `MISSING` where they are
        plain, each in one piece.
    segment_shape : tuple of int
        Extent of a strip or tile in a page.
    gaps : bool
        Pages are missing, which read as NaN; the array is of floating point then.
    """

    files: tuple[str, ...]
    lead: tuple[int, ...]
    page_shape: tuple[int, ...]
    element: str
    places: bytes
    segments: int = 1
    keyframe: int = MISSING
    segment_shape: tuple[int, ...] = ()
    gaps: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes, then a page's."""
        return (*self.lead, *self.page_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element; floating point where pages are missing."""
        stored = np.dtype(self.element)
        return with_gaps(stored) if self.gaps else stored

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """A strip or tile of a compressed page; None where the pages are plain."""
        if self.keyframe == MISSING:
            return None
        return (*(1 for _ in self.lead), *self.segment_shape)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files."""
        return self.files

    def read(self, region: Region) -> Array:
        """A region, page by page; only the strips and tiles that it touches are decoded.

        Raises
        ------
        ValueError
            Where a file is cut off or damaged; it is named.
        """
        places = unpack_places(self.places, self.segments)
        numbers = np.arange(len(places)).reshape(self.lead)[region[: len(self.lead)]]
        inside = region[len(self.lead) :]
        shape = tuple(
            len(range(*part.indices(length)))
            for part, length in zip(inside, self.page_shape, strict=True)
        )
        out = np.empty((numbers.size, *shape), self.dtype)
        read = self._plain_page if self.keyframe == MISSING else self._decoded_page
        for row, number in enumerate(numbers.ravel()):
            missing = self.gaps and places[number, 0, 0] == MISSING
            out[row] = np.nan if missing else read(places[number], inside)
        return out.reshape(*numbers.shape, *shape)

    def _plain_page(self, place: npt.NDArray[np.int64], inside: Region) -> Array:
        file, offset, _ = place[0].tolist()
        content = mapped_file(self.files[file])
        count = math.prod(self.page_shape)
        stored = np.dtype(self.element)
        needed = offset + count * stored.itemsize
        if len(content) < needed:
            raise ValueError(truncated(self.files[file], needed, len(content)))
        content.look(needed - offset)
        page = np.frombuffer(content, stored, count, offset)
        return np.asarray(page.reshape(self.page_shape)[inside])

    def _decoded_page(self, place: npt.NDArray[np.int64], inside: Region) -> Array:
        keyframe = _keyframe(self.files[0], self.keyframe)
        page = np.full(keyframe.shaped, keyframe.nodata, np.dtype(self.element))
        rows = inside[keyframe.axes.index("Y")]
        for segment, (file, offset, count) in enumerate(place.tolist()):
            if file == MISSING or count == 0:
                continue
            top, height = _rows_of(keyframe, segment)
            if top >= rows.stop or top + height <= rows.start:
                continue
            _decode(keyframe, self.files[file], offset, count, segment, page)
        return np.asarray(page.reshape(self.page_shape)[inside])


def pack_places(places: npt.ArrayLike) -> bytes:
    """Places of segments, (pages, segments, 3), as a short string of bytes."""
    table = np.ascontiguousarray(places, np.dtype("<i8")).reshape(-1, 3)
    steps = np.diff(table, axis=0, prepend=np.zeros((1, 3), np.int64))
    return zlib.compress(steps.T.tobytes(), 1)


@lru_cache(maxsize=8)
def unpack_places(packed: bytes, segments: int) -> npt.NDArray[np.int64]:
    """What `pack_places` packed, as (pages, segments, 3)."""
    steps = np.frombuffer(zlib.decompress(packed), np.dtype("<i8")).reshape(3, -1)
    return np.cumsum(steps, axis=1).T.reshape(-1, segments, 3)


def _keyframe(path: str, number: int) -> tifffile.TiffPage:
    def load() -> tifffile.TiffPage:
        with tifffile.TiffFile(path) as file:
            page = file.pages[number]
            if not isinstance(page, tifffile.TiffPage):
                page = page.aspage()
            _ = page.decode, page.jpegtables
            return page

    return _KEYFRAMES.get(path, number, load)


def _rows_of(keyframe: tifffile.TiffPage, segment: int) -> tuple[int, int]:
    """First row and number of rows of a strip or tile."""
    if keyframe.is_tiled:
        across = -(-keyframe.imagewidth // keyframe.tilewidth)
        down = -(-keyframe.imagelength // keyframe.tilelength)
        return (segment // across) % down * keyframe.tilelength, keyframe.tilelength
    down = -(-keyframe.imagelength // keyframe.rowsperstrip)
    return segment % down * keyframe.rowsperstrip, keyframe.rowsperstrip


def _decode(
    keyframe: tifffile.TiffPage, path: str, offset: int, count: int, segment: int, page: Array
) -> None:
    """Decode one strip or tile into its place of `page` (samples, depth, y, x, samples)."""
    content = mapped_file(path)
    if len(content) < offset + count:
        raise ValueError(truncated(path, offset + count, len(content)))
    data = content[offset : offset + count]
    try:
        check_segment(data, keyframe)
        decoded, at, size = keyframe.decode(
            data,
            segment,
            jpegtables=keyframe.jpegtables,
            jpegheader=keyframe.jpegheader,
        )
    except Exception as error:
        # Each decoder has errors of its own.
        raise ValueError(cannot_decode(path, keyframe, error)) from error
    if decoded is None:
        return
    plane, depth, top, left, _ = at
    block = decoded[: size[0], : size[1], : size[2], : size[3]]
    target = page[plane, depth : depth + size[0], top : top + size[1], left : left + size[2]]
    target[...] = block[: target.shape[0], : target.shape[1], : target.shape[2]]

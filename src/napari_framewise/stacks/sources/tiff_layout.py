"""Where the pixels of a TIFF file lie: its image file directories, read without decoding.

After TIFF Revision 6.0 (Adobe, 1992) and the BigTIFF design (libtiff, 2007).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTH, LENGTH, BITS, COMPRESSION, FILL_ORDER = 256, 257, 258, 259, 266
STRIP_OFFSETS, SAMPLES, STRIP_COUNTS, PLANAR = 273, 277, 279, 284
TILE_WIDTH, TILE_OFFSETS, TILE_COUNTS, SAMPLE_FORMAT, DEPTH = 322, 324, 325, 339, 32997
_OFFSETS = frozenset({STRIP_OFFSETS, TILE_OFFSETS})
_PLACES = _OFFSETS | {STRIP_COUNTS, TILE_COUNTS}
# What decides how pixels are to be read; 254 marks thumbnails, 317 is the predictor, 530 the
# subsampling of colour, 347 the tables of JPEG.
_DECIDING = frozenset(
    {254, WIDTH, LENGTH, BITS, COMPRESSION, 262, FILL_ORDER, SAMPLES, 278, PLANAR, 317}
    | {TILE_WIDTH, 323, 338, SAMPLE_FORMAT, 347, 530, DEPTH}
)
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}
# Bytes of each type of value, 2 is text, 5 and 10 are fractions, 11 and 12 floating point.
_BYTES = {code: struct.calcsize("=" + letter) for code, letter in _CODES.items()} | {
    2: 1,
    5: 8,
    10: 8,
    11: 4,
    12: 8,
    17: 8,
}
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
_SIZES = frozenset({"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"})


# Directories may share the values of a tag, but not so often that they outgrow the file.
_MOST_SHARED, _SHARED_AT_LEAST = 16, 2**20
_MOST_VALUES = 2**24


class TiffError(ValueError):
    """The bytes are not those of a whole TIFF file; the message is the end of a sentence."""


@dataclass(frozen=True)
class Form:
    """Byte order and sizes of the fields of a TIFF file."""

    order: str
    big: bool

    @property
    def entry(self) -> struct.Struct:
        """One directory entry: tag, type, count, value or offset."""
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def number(self) -> struct.Struct:
        """Number of entries of a directory."""
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def offset(self) -> struct.Struct:
        """An offset into the file."""
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def head(self) -> int:
        """Bytes of a directory entry before its value: tag, type and count."""
        return self.entry.size - self.offset.size

    @property
    def header_size(self) -> int:
        """Bytes before anything else in the file."""
        return 16 if self.big else 8


@dataclass(frozen=True)
class Page:
    """One image of a TIFF file, as its directory describes it.

    Attributes
    ----------
    shape : tuple of int
        (y, x), (y, x, samples), or (samples, y, x) where the planes are stored one by one.
    element : str
        Type of an element in NumPy's notation; "" where it is none of NumPy's.
    kind : tuple
        All that must agree between pages that are read as one array.
    offsets, counts : tuple of int
        Place and bytes of each strip or tile.
    position : int
        Where its directory begins.
    runs : tuple of (start, stop)
        Parts of the file, counted from `position`, that, being equal in another file, make this
        description hold there.
    """

    shape: tuple[int, ...]
    element: str
    kind: tuple[Any, ...]
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    position: int
    runs: tuple[tuple[int, int], ...]

    @property
    def plain(self) -> bool:
        """Whether the elements lie in the file one behind the other as NumPy needs them."""
        return bool(self.kind[0])


def form_of(content: Any) -> tuple[Form, int]:
    """Byte order, size of fields and place of the first directory.

    Raises
    ------
    TiffError
        Where it does not begin as a TIFF file does.
    """
    start = bytes(content[:16])
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 8:
        raise TiffError("does not begin as a TIFF file does")
    (version,) = struct.unpack_from(order + "H", start, 2)
    if version == 42:
        form = Form(order, big=False)
    elif version == 43 and len(start) == 16:
        form = Form(order, big=True)
    else:
        raise TiffError("does not begin as a TIFF file does")
    return form, form.offset.unpack_from(start, 8 if form.big else 4)[0]


def pages_of(content: Any) -> Iterator[Page]:
    """The pages of a TIFF file in order.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.

    Raises
    ------
    TiffError
        Where the file is cut off or its directories point nowhere.
    """
    form, position = form_of(content)
    seen: set[int] = set()
    repeat: _Repeat | None = None
    looked_at = extent = 0
    while position:
        if position in seen:
            raise TiffError("has directories that point at each other in a ring")
        seen.add(position)
        try:
            page = repeat.page(content, position) if repeat else None
            if page is None:
                page, repeat = _page(content, position, form)
                extent = sum(stop - start for start, stop in page.runs)
            looked_at += extent
            if looked_at > _MOST_SHARED * len(content) + _SHARED_AT_LEAST:
                raise TiffError("has directories that lie in each other")
            (position,) = form.offset.unpack_from(content, position + page.runs[-1][0])
            if not position:
                # The last directory is the one whose values a cut takes away.
                _page(content, page.position, form)
        except (struct.error, IndexError, OverflowError):
            raise TiffError("is cut off or damaged: a directory lies past its end") from None
        except KeyError:
            raise TiffError("is damaged: a directory lacks what every image has") from None
        yield page


class _Repeat:
    """Directories that differ from one in the place of their pixels only: compared, not parsed.

    It serves pages of one strip or tile whose deciding values all lie inside the directory.
    """

    def __init__(
        self, page: Page, content: Any, order: str, places: dict[int, tuple[int, str]]
    ) -> None:
        # How many bytes a compressed page takes does not matter either.
        free = [at for tag, (at, _) in places.items() if tag in _OFFSETS or not page.plain]
        same = [run for run in page.runs[:-1] if run[0] not in free]
        start = page.position
        self._pieces = [
            (first, stop, content[start + first : start + stop])
            for first, stop in joined_spans(same)
        ]
        self._offset, self._count = (
            (at, struct.Struct(order + letter)) for _, (at, letter) in sorted(places.items())
        )
        self._page = page

    def page(self, content: Any, position: int) -> Page | None:
        """The page of another directory; None where it differs."""
        for first, stop, piece in self._pieces:
            if content[position + first : position + stop] != piece:
                return None
        like = self._page
        at, number = self._offset
        offsets = number.unpack_from(content, position + at)
        at, number = self._count
        counts = number.unpack_from(content, position + at)
        return Page(like.shape, like.element, like.kind, offsets, counts, position, like.runs)


def _page(content: Any, position: int, form: Form) -> tuple[Page, _Repeat | None]:
    number, entry, offset = form.number, form.entry, form.offset
    (count,) = number.unpack_from(content, position)
    first = position + number.size
    stop = first + count * entry.size
    table = content[first:stop]
    if len(table) != count * entry.size:
        raise IndexError
    values: dict[int, tuple[int, ...]] = {}
    places: dict[int, tuple[int, str]] = {}
    runs = [(position, first)]
    inside = True
    for row, (tag, code, length, field) in enumerate(entry.iter_unpack(table)):
        start = first + row * entry.size
        runs.append((start, start + form.head))
        size = length * _BYTES.get(code, 0)
        (place,) = (start + form.head,) if size <= offset.size else offset.unpack(field)
        if place + size > len(content):
            raise IndexError
        if tag not in _DECIDING and tag not in _PLACES:
            continue
        runs.append((start + form.head, start + entry.size))
        if size > offset.size:
            inside = False
            runs.append((place, place + size))
        letter = _CODES[code]
        if length > _MOST_VALUES:
            raise TiffError(f"claims {length:,} strips or tiles for a page")
        values[tag] = struct.unpack_from(f"{form.order}{length}{letter}", content, place)
        if tag in _PLACES:
            places[tag] = start + form.head - position, letter
    runs.append((stop, stop + offset.size))
    counted = tuple((start - position, end - position) for start, end in runs)
    page = _described(values, form.order, position, counted)
    single = inside and len(page.offsets) == len(page.counts) == 1 and len(places) == 2
    return page, _Repeat(page, content, form.order, places) if single else None


def _described(
    values: dict[int, tuple[int, ...]],
    order: str,
    position: int,
    runs: tuple[tuple[int, int], ...],
) -> Page:
    height, width = values[LENGTH][0], values[WIDTH][0]
    samples = values.get(SAMPLES, (1,))[0]
    separate = samples > 1 and values.get(PLANAR, (1,))[0] == 2
    shape: tuple[int, ...] = (height, width)
    if samples > 1:
        shape = (samples, height, width) if separate else (height, width, samples)
    bits = set(values.get(BITS, (1,)))
    formats = set(values.get(SAMPLE_FORMAT, (1,)))
    element = ""
    if len(bits) == 1 and len(formats) == 1:
        name = f"{_KINDS.get(formats.pop(), '')}{bits.pop() / 8:g}"
        if name in _SIZES:
            element = np.dtype(order + name).str
    tiled = TILE_OFFSETS in values
    offsets = values.get(TILE_OFFSETS if tiled else STRIP_OFFSETS, ())
    counts = values.get(TILE_COUNTS if tiled else STRIP_COUNTS, ())
    needed = math.prod(shape) * np.dtype(element).itemsize if element else 0
    plain = (
        bool(element)
        and not tiled
        and DEPTH not in values
        and values.get(COMPRESSION, (1,))[0] == 1
        and values.get(FILL_ORDER, (1,))[0] == 1
        and _adjacent(offsets, counts, needed)
    )
    deciding = tuple(sorted((tag, values[tag]) for tag in values if tag not in _PLACES))
    return Page(shape, element, (plain, *deciding), offsets, counts, position, runs)


def _adjacent(offsets: tuple[int, ...], counts: tuple[int, ...], needed: int) -> bool:
    """Whether the strips follow each other without gaps and hold what is needed."""
    if not offsets:
        return False
    if len(offsets) == 1:
        # Some writers leave the count out or round it up where there is one strip only.
        return not counts or counts[0] == 0 or counts[0] >= needed
    if len(counts) != len(offsets) or sum(counts) < needed:
        return False
    ends = (offset + count for offset, count in zip(offsets, counts, strict=True))
    return all(end == start for end, start in zip(ends, offsets[1:], strict=False))


def joined_spans(spans: Iterable[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """Spans in order, those that touch or lie within `gap` of each other made into one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined

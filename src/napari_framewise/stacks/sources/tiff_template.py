"""Many TIFF files of one layout: parse the first, then only compare bytes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.stacks.source import Array, Region
from napari_framewise.stacks.sources.mapped import mapped_file
from napari_framewise.stacks.sources.tiff_layout import TiffError, form_of, joined_spans, pages_of

_BINARY = getattr(os, "O_BINARY", 0)
# Shorter gaps are read over: another request costs more than these bytes.
_GAP = 16 * 1024
# Up to here one request for all of a file costs least.
_SMALL = 64 * 1024


@dataclass(frozen=True)
class TiffTemplate:
    """Where plain pixels lie in a TIFF file, and the bytes that say so.

    Attributes
    ----------
    size : int
        Bytes of the file.
    runs : tuple of (int, bytes)
        Offset and content of what decides the layout: header and directories without the values
        that don't matter, such as a date.
    offsets : tuple of int
        Where the pages begin.
    page_shape : tuple of int
        Shape of a page.
    element : str
        Type of an element in NumPy's notation, byte order included.
    """

    size: int
    runs: tuple[tuple[int, bytes], ...]
    offsets: tuple[int, ...]
    page_shape: tuple[int, ...]
    element: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a file: its page's, behind the number of pages where there are several."""
        return (len(self.offsets), *self.page_shape) if len(self.offsets) > 1 else self.page_shape


def template_of(content: Any) -> TiffTemplate | None:
    """Layout of a TIFF file with plain pages of one kind; None for any other.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.

    Raises
    ------
    TiffError
        Where the file is no TIFF, or is cut off.
    """
    form, _ = form_of(content)
    pages = list(pages_of(content))
    if not pages:
        raise TiffError("holds no image")
    first = pages[0]
    if not first.plain or any(page.kind != first.kind for page in pages):
        return None
    offsets = tuple(page.offsets[0] for page in pages)
    page_bytes = math.prod(first.shape) * np.dtype(first.element).itemsize
    if max(offsets) + page_bytes > len(content):
        raise TiffError("is cut off: its pixels end past the end of the file")
    runs = [(0, form.header_size)]
    for page in pages:
        runs += [(page.position + start, page.position + stop) for start, stop in page.runs]
    joined = tuple((start, bytes(content[start:stop])) for start, stop in joined_spans(runs))
    return TiffTemplate(len(content), joined, offsets, first.shape, first.element)


def similar(template: TiffTemplate, path: str) -> TiffTemplate | None:
    """Layout of another file with the same pages at other places; None where it has others."""
    try:
        other = template_of(mapped_file(path))
    except TiffError:
        return None
    same = other is not None and other.shape == template.shape
    return other if same and other is not None and other.element == template.element else None


class TemplateReader:
    """Reads regions of files that follow a template.

    Parameters
    ----------
    template : TiffTemplate
        Where the pixels lie.
    region : tuple of slice
        What to read of each file, one slice per axis of `template.shape`.
    """

    def __init__(self, template: TiffTemplate, region: Region) -> None:
        self._dtype = np.dtype(template.element)
        self._size = template.size
        several = len(template.offsets) > 1
        self._inside = region[1:] if several else region
        numbers = range(*region[0].indices(len(template.offsets))) if several else range(1)
        self._single = not several
        row_bytes = math.prod(template.page_shape[1:]) * self._dtype.itemsize
        rows = self._inside[0]
        self._rows = (slice(0, rows.stop - rows.start, rows.step), *self._inside[1:])
        self._block = (max(rows.stop - rows.start, 0), *template.page_shape[1:])
        starts = [template.offsets[number] + rows.start * row_bytes for number in numbers]
        wanted = [(start, start + self._block[0] * row_bytes) for start in starts]
        runs = [(start, start + len(content)) for start, content in template.runs]
        spans = [(0, template.size)]
        if template.size > _SMALL:
            spans = joined_spans([*wanted, *runs], _GAP)
        self._whole = spans == [(0, template.size)]
        self._spans = spans
        self._runs = tuple(
            (*_within(spans, start, start + len(content)), content)
            for start, content in template.runs
        )
        self._places = tuple(_within(spans, start, stop)[:2] for start, stop in wanted)

    def read(self, path: str) -> Array | None:
        """The region of one file; None where the file does not follow the template."""
        pieces = self._pieces(path)
        if pieces is None:
            return None
        for piece, start, stop, content in self._runs:
            if pieces[piece][start:stop] != content:
                return None
        count = math.prod(self._block)
        pages = [
            np.frombuffer(pieces[piece], self._dtype, count, start).reshape(self._block)
            for piece, start in self._places
        ]
        if self._single:
            return pages[0][self._rows]
        return np.stack([page[self._rows] for page in pages])

    def follows(self, path: str) -> bool:
        """Whether a file follows the template."""
        pieces = self._pieces(path)
        return pieces is not None and all(
            pieces[piece][start:stop] == content for piece, start, stop, content in self._runs
        )

    def _pieces(self, path: str) -> list[bytes] | None:
        """Bytes of the spans; None where the file is of another size."""
        handle = os.open(path, os.O_RDONLY | _BINARY)
        try:
            if self._whole:
                content = os.read(handle, self._size + 1)
                if len(content) != self._size:
                    return None
                return [content]
            if os.fstat(handle).st_size != self._size:
                return None
            return [_read(handle, start, stop - start) for start, stop in self._spans]
        finally:
            os.close(handle)


def _read(handle: int, start: int, count: int) -> bytes:
    """`count` bytes from `start` on; one call may give fewer, so it asks again."""
    os.lseek(handle, start, os.SEEK_SET)
    pieces = []
    while count > 0:
        piece = os.read(handle, count)
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _within(spans: list[tuple[int, int]], start: int, stop: int) -> tuple[int, int, int]:
    """Which span holds this one, and where in it."""
    number = next(n for n, span in enumerate(spans) if span[0] <= start and stop <= span[1])
    return number, start - spans[number][0], stop - spans[number][0]

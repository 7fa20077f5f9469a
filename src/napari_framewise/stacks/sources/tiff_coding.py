"""How the pixels of a TIFF page are coded: whether they can be decoded, and what they claim."""

from __future__ import annotations

import math
import struct
import zlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

# Bytes that a byte of each coding can become at most; PackBits, LZW, the two numbers of deflate.
_MOST_INFLATED = {1: 1, 32773: 128, 5: 4096, 8: 1032, 32946: 1032}
_MOST_OF_OTHERS = 100_000
# Strips and tiles of no bytes read as zero; larger ones are no use to anybody.
_MOST_SPARSE_BYTES = 2**28
_TILE_BYTES_AT_LEAST = 2**26
_DEFLATE = (8, 32946)
_JPEG_CODINGS = frozenset({6, 7, 34892, 33007})
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def coding_fault(path: str, page: tifffile.TiffPage) -> str:
    """Why a page can't be decoded here, in one sentence; empty where nothing speaks against it.

    No pixel is decoded.
    """
    try:
        # Without data a decoder gives the place of a segment, and one that is missing complains.
        page.decode(None, 0)
    except Exception as error:  # noqa: BLE001 - each decoder has errors of its own
        return cannot_decode(path, page, error)
    missing = page.compression in _JPEG_CODINGS and not _has_decoders()
    return _needs_package(path, page) if missing else ""


def cannot_decode(path: str, page: tifffile.TiffPage, error: Exception) -> str:
    """The sentence for a decoder's failure: not supported, or damaged."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
    if isinstance(error, ImportError) or "imagecodecs" in reason:
        return _needs_package(path, page)
    name = coding_name(page)
    supported = (NotImplementedError, KeyError)
    if isinstance(error, supported) or "not supported" in reason or "COMPRESSION" in reason:
        return f"{path} is stored as {name}, which is not supported here ({reason})."
    return f"{path} is damaged: its {name} data can't be decoded ({reason}); write it again."


@lru_cache(maxsize=1)
def _has_decoders() -> bool:
    try:
        return bool(version("imagecodecs"))
    except PackageNotFoundError:
        return False


def coding_name(page: tifffile.TiffPage) -> str:
    """What the coding of a page is called."""
    name = str(getattr(page.compression, "name", f"compression {int(page.compression)}"))
    return "uncompressed" if name == "NONE" else name


def _needs_package(path: str, page: tifffile.TiffPage) -> str:
    return (
        f"{path} is compressed with {coding_name(page)}; install the package imagecodecs to read "
        "it."
    )


def claims_fault(path: str, page: tifffile.TiffPage, counts: npt.NDArray[np.int64]) -> str:
    """Why a page can't be what it claims, in one sentence; empty where it can.

    Parameters
    ----------
    path : str
        The file.
    page : TiffPage
        The page that speaks for all.
    counts : ndarray of int64, shape (segments,)
        Bytes of the strips or tiles of the page.
    """
    itemsize = np.dtype(page.dtype).itemsize if page.dtype is not None else 1
    claimed = math.prod(page.shaped) * itemsize
    bits = page.bitspersample if isinstance(page.bitspersample, int) else 8 * itemsize
    stored = claimed * min(1.0, bits / (8 * itemsize))
    ratio = _MOST_INFLATED.get(int(page.compression), _MOST_OF_OTHERS)
    able = ratio * int(counts.sum()) + int((counts == 0).sum()) * _MOST_SPARSE_BYTES
    size = " x ".join(map(str, page.shape))
    if stored > able + itemsize:
        return (
            f"{path} claims pages of {size} pixels, {claimed:,} bytes each, but holds "
            f"{int(counts.sum()):,} bytes for one; it is damaged: write it again."
        )
    if page.is_tiled:
        tile = page.tilewidth * page.tilelength * max(page.tiledepth, 1) * itemsize
        tile *= page.samplesperpixel if page.planarconfig == 1 else 1
        if tile > max(_TILE_BYTES_AT_LEAST, 4 * claimed):
            return (
                f"{path} claims tiles of {page.tilelength} x {page.tilewidth} pixels for pages of "
                f"{size}; it is damaged: write it again."
            )
    return ""


def check_segment(data: bytes, page: tifffile.TiffPage) -> None:
    """Refuse a strip or tile whose own header claims more pixels than the page has for it.

    Raises
    ------
    ValueError
        Where it does; the decoder would take the memory for them first.
    """
    if page.is_tiled:
        height, width = page.tilelength, page.tilewidth
    else:
        height, width = page.imagelength, page.imagewidth
    if page.compression in _DEFLATE and not _has_decoders():
        # The decoder that tifffile has itself knows no bound.
        most = height * width * page.samplesperpixel * np.dtype(page.dtype).itemsize
        unpacker = zlib.decompressobj()
        unpacker.decompress(data, max(most, 1))
        if unpacker.unconsumed_tail:
            raise ValueError(f"a segment of {height} x {width} pixels becomes more than these")
    size = _jpeg_size(data) if page.compression in _JPEG_CODINGS else _image_size(data)
    if size is None:
        return
    # Encoders pad to whole blocks.
    if size[0] > height + 64 or size[1] > width + 64:
        raise ValueError(f"a segment of {height} x {width} claims {size[0]} x {size[1]} pixels")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Rows and columns by the frame header of a JPEG."""
    place = 2
    while place + 9 <= len(data):
        if data[place] != 0xFF:
            return None
        mark = data[place + 1]
        if mark == 0xFF or mark in _JPEG_BARE:
            place += 1 if mark == 0xFF else 2
            continue
        if mark in _JPEG_SIZES:
            rows, columns = struct.unpack_from(">HH", data, place + 5)
            return rows, columns
        place += 2 + int(struct.unpack_from(">H", data, place + 2)[0])
    return None


def _image_size(data: bytes) -> tuple[int, int] | None:
    """Rows and columns of JPEG 2000, PNG and WebP by their headers."""
    found: tuple[Any, ...] | None = None
    stream = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if stream >= 0 and len(data) >= stream + 24:
        columns, rows, left, top = struct.unpack_from(">4I", data, stream + 8)
        found = rows - top, columns - left
    elif data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        columns, rows = struct.unpack_from(">II", data, 16)
        found = rows, columns
    elif data[8:16] == b"WEBPVP8X" and len(data) >= 30:
        columns, rows = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        found = rows, columns
    elif data[8:16] == b"WEBPVP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        found = (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    return None if found is None else (int(found[0]), int(found[1]))

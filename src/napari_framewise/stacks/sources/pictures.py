"""Picture files (PNG, JPEG, GIF ...): what they hold by their header, and their pixels."""

from __future__ import annotations

import math
import os
import struct
from typing import Any

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from napari_framewise.stacks.memory import check_fits
from napari_framewise.stacks.source import Array

# Elements of a pixel and their type for each of Pillow's modes; palettes and others become colour.
_MODES: dict[str, tuple[int, str]] = {
    "1": (1, "|b1"),
    "L": (1, "|u1"),
    "I": (1, "<i4"),
    "F": (1, "<f4"),
    "I;16": (1, "<u2"),
    "I;16B": (1, ">u2"),
    "RGB": (3, "|u1"),
    "RGBA": (4, "|u1"),
}
# A moving picture of more bytes or pictures than these is not decoded to find out what it is.
_LARGE_BYTES = 64 * 2**20
_MANY = 500
_SEE_THROUGH = frozenset({"LA", "PA", "La", "RGBa"})
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KINDS = {(0, 1): (1, "|b1"), (0, 8): (1, "|u1"), (0, 16): (1, "<u2")} | {
    (2, 8): (3, "|u1"),
    (6, 8): (4, "|u1"),
    (4, 8): (4, "|u1"),
}


def picture_layout(path: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape of what `decode` gives, and the type of an element.

    Parameters
    ----------
    path : str
        A file that Pillow reads; of PNG only the first bytes are looked at.

    Returns
    -------
    shape : tuple of int
        (y, x), or (y, x, 3 or 4) for colour; behind the number of pictures of a moving one.
    dtype : dtype
        Type of an element.

    Raises
    ------
    ValueError
        Where the file is empty, is no picture, or holds more bits than could be read.
    """
    with open(path, "rb") as file:
        start = file.read(64)
    if not start:
        raise ValueError(f"{path} is empty (0 bytes); give a file that holds an image.")
    found = _png_layout(start, path)
    if found:
        _check_claim(path, *found)
        return found
    with _open(path) as picture:
        if getattr(picture, "n_frames", 1) == 1:
            samples, element = _MODES[_mode_of(picture)]
            return _with_samples((picture.height, picture.width), samples), np.dtype(element)
        if _is_large(picture):
            samples, element = _MODES[_mode_by_two(picture)]
            size = _with_samples((picture.height, picture.width), samples)
            return (int(getattr(picture, "n_frames", 1)), *size), np.dtype(element)
    # Later pictures may turn to colour, so a short moving one is looked at as a whole.
    pixels = decode(path)
    return pixels.shape, pixels.dtype


def decode(path: str) -> Array:
    """The pixels of a file: (y, x) or (y, x, 3 or 4), with the pictures of a moving one first.

    Raises
    ------
    ValueError
        Where the file is no picture, or is damaged or cut off.
    """
    with _open(path) as picture:
        if getattr(picture, "n_frames", 1) == 1:
            return _pixels(picture, path, _mode_of(picture))
        if _is_large(picture):
            return _large(picture, path)
        mode = _common_mode({_mode_of(each) for each in ImageSequence.Iterator(picture)})
        return np.stack([_pixels(each, path, mode) for each in ImageSequence.Iterator(picture)])


def _is_large(picture: Image.Image) -> bool:
    """Whether a moving picture takes so much that its first two pictures say what it is."""
    count = getattr(picture, "n_frames", 1)
    return bool(count > _MANY or count * picture.height * picture.width * 4 > _LARGE_BYTES)


def _mode_by_two(picture: Image.Image) -> str:
    """The mode that a large moving picture is read in, by its first two pictures."""
    modes = set()
    for number in (0, 1):
        picture.seek(number)
        modes.add(_mode_of(picture))
    picture.seek(0)
    return _common_mode(modes)


def _common_mode(modes: set[str]) -> str:
    if len(modes) == 1:
        return next(iter(modes))
    return "RGBA" if "RGBA" in modes else "RGB"


def _large(picture: Image.Image, path: str) -> Array:
    """All pictures of a large moving one, each decoded into its place."""
    mode = _mode_by_two(picture)
    samples, element = _MODES[mode]
    size = _with_samples((picture.height, picture.width), samples)
    count = int(getattr(picture, "n_frames", 1))
    check_fits(path, f"its {count:,} pictures", count * math.prod(size))
    pixels = np.empty((count, *size), element)
    for number, each in enumerate(ImageSequence.Iterator(picture)):
        pixels[number] = _pixels(each, path, mode)
    return pixels


def _check_claim(path: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse a PNG that claims more pixels than its bytes can become: 1032 of each, 8 pixels."""
    claimed, held = math.prod(shape) * dtype.itemsize, os.path.getsize(path)
    if claimed > 8 * 1032 * held:
        size = " x ".join(map(str, shape[:2]))
        raise ValueError(
            f"{path} claims {size} pixels, but the {held:,} bytes that it has can't become as "
            "many; it is damaged: write it again."
        )


def _png_layout(start: bytes, path: str) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """What the header of a plain PNG says; None for other files and rarer PNG."""
    if start[:8] != _PNG or start[12:16] != b"IHDR":
        return None
    width, height, bits, colour = struct.unpack_from(">IIBB", start, 16)
    if bits == 16 and colour != 0:
        raise ValueError(
            f"{path} is a PNG with 16 bits per colour, which would be cut to 8; "
            "save it as TIFF to keep all of them."
        )
    known = _PNG_KINDS.get((colour, bits))
    # An animation chunk follows the header; whatever else comes first is left to Pillow.
    if known is None or b"acTL" in start:
        return None
    return _with_samples((height, width), known[0]), np.dtype(known[1])


def _open(path: str) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        raise ValueError(
            f"{path} is not a picture that can be read; give PNG, JPEG, BMP, GIF or TIFF files."
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(
            f"{path} claims more pixels than a picture can have that is read as a whole; save it "
            "as a tiled TIFF or as zarr."
        ) from None
    except (OSError, SyntaxError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path} can't be read as a picture ({error}).") from None


def _mode_of(picture: Image.Image) -> str:
    """The mode that a picture is read in: its own, or colour for palettes and the like."""
    if picture.mode in _MODES:
        return picture.mode
    return "RGBA" if picture.mode in _SEE_THROUGH or "transparency" in picture.info else "RGB"


def _pixels(picture: Image.Image, path: str, mode: str) -> Array:
    try:
        if picture.mode != mode:
            picture = picture.convert(mode)
        pixels = np.asarray(picture)
        # Pillow before version 11 widened PNG of 16 bits.
        return (
            pixels.astype(np.uint16) if (picture.mode, picture.format) == ("I", "PNG") else pixels
        )
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or cut off ({error}); copy or write it again."
        ) from None


def _with_samples(shape: tuple[int, int], samples: int) -> tuple[int, ...]:
    return shape if samples == 1 else (*shape, samples)

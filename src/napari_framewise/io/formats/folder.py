"""A folder of image files as one stack: which files, in which order, and whether they agree."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from napari_framewise.io.formats import tiff
from napari_framewise.io.formats.natural import natural_key
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.sources.folder import TIFF_ENDINGS, FolderSource, described, pack_names
from napari_framewise.stacks.sources.mapped import mapped_file
from napari_framewise.stacks.sources.pictures import picture_layout
from napari_framewise.stacks.sources.tiff import TiffImage, open_tiff
from napari_framewise.stacks.sources.tiff_layout import TiffError
from napari_framewise.stacks.sources.tiff_template import (
    TemplateReader,
    TiffTemplate,
    similar,
    template_of,
)

Layout: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".tga")
_SAME = {".tiff": ".tif", ".jpeg": ".jpg"}
_KINDS = frozenset(_SAME.get(ending, ending) for ending in (*TIFF_ENDINGS, *PICTURE_ENDINGS))
_SHOWN = 3


def folder_parts(
    path: str, pattern: str | None
) -> tuple[FolderSource, tuple[Axis, ...], bool, tuple[int, ...] | None]:
    """Source, axes, whether it is colour, and frame axes where they are not the usual ones.

    Every file's header is looked at once, so that a file that differs is found now.

    Raises
    ------
    ValueError
        Where there are no images, several kinds of them, or images that differ.
    """
    names = image_names(path, pattern)
    start = os.path.join(path, "")
    if _ending(names[0]) == ".tif":
        image = open_tiff(start + names[0])
        shape, dtype = image.source.shape, image.source.dtype
        axes, rgb = tiff.axes_of(image), tiff.is_rgb(image)
        template = _template(start + names[0], image)
        layouts = _tiff_layouts(start, names, template)
    else:
        shape, dtype = picture_layout(start + names[0])
        rgb = shape[-1] in (3, 4) and len(shape) > 2
        axes, template = picture_axes(shape, rgb), None
        layouts = (picture_layout(start + name) for name in names)
    _check_equal(path, names, layouts)
    source = FolderSource(path, pack_names(names), len(names), shape, dtype.str, template)
    timed = [number + 1 for number, axis in enumerate(axes) if axis.name in ("t", "frame")]
    return source, (Axis("file"), *axes), rgb, (0, timed[0]) if timed else None


def image_layouts(path: str, names: Sequence[str]) -> list[Layout]:
    """Shape and type of every image of a folder, by its header."""
    start = os.path.join(path, "")
    if _ending(names[0]) == ".tif":
        return [_tiff_layout(start + name) for name in names]
    return [picture_layout(start + name) for name in names]


def picture_axes(shape: tuple[int, ...], rgb: bool) -> tuple[Axis, ...]:
    """Axes of a picture file: y, x, c for colour, behind the frames of a moving one."""
    names = ("frame", "y", "x", "c") if rgb else ("frame", "y", "x")
    return tuple(Axis(name) for name in names[-len(shape) :])


def image_names(path: str, pattern: str | None) -> list[str]:
    """Names of the images in a folder in natural order, without hidden files.

    Raises
    ------
    ValueError
        Where there are none, or several kinds and no pattern chooses one.
    """
    with os.scandir(path) as entries:
        visible = (entry for entry in entries if not entry.name.startswith("."))
        present = [entry.name for entry in visible if entry.is_file()]
    if pattern is not None:
        folded = pattern.casefold()
        chosen = [name for name in present if fnmatch.fnmatchcase(name.casefold(), folded)]
        if not chosen:
            raise ValueError(
                f"{path} holds no file {pattern} (it holds {_census(present)}); give a pattern "
                "that fits."
            )
    else:
        chosen = present
    images = [name for name in chosen if _ending(name) in _KINDS]
    kinds = Counter(_ending(name) for name in images)
    if not images:
        raise ValueError(
            f"{path} holds no image files (it holds {_census(chosen)}); give a folder of TIFF, "
            "PNG or JPEG files."
        )
    if len(kinds) > 1:
        example = kinds.most_common(1)[0][0]
        raise ValueError(
            f'{path} holds {_census(images)}; choose one kind with pattern="*{example}".'
        )
    return sorted(images, key=natural_key)


def has_images(path: str) -> bool:
    """Whether a folder holds an image file."""
    with os.scandir(path) as entries:
        return any(_ending(entry.name) in _KINDS and entry.name[0] != "." for entry in entries)


def _ending(name: str) -> str:
    ending = os.path.splitext(name)[1].casefold()
    return _SAME.get(ending, ending)


def _census(names: Sequence[str]) -> str:
    if not names:
        return "no files"
    kinds = Counter(_ending(name) or "nameless" for name in names).most_common(5)
    return ", ".join(
        f"{count:,} {ending} file{'s' if count > 1 else ''}" for ending, count in kinds
    )


def _template(path: str, image: TiffImage) -> TiffTemplate | None:
    """The first file's layout, where it agrees with what tifffile makes of the metadata."""
    try:
        template = template_of(mapped_file(path))
    except TiffError:
        return None
    if template is None or np.dtype(template.element) != image.source.dtype:
        return None
    return template if template.shape == image.source.shape else None


def _tiff_layouts(
    start: str, names: Sequence[str], template: TiffTemplate | None
) -> Iterator[Layout]:
    """Shape and type of every TIFF file; only headers are read where the template is followed."""
    if template is None:
        yield from (_tiff_layout(start + name) for name in names)
        return
    header_only = tuple(slice(0, 0, 1) for _ in template.shape)
    follows = TemplateReader(template, header_only).follows
    expected = _native(template.shape, np.dtype(template.element))
    for name in names:
        path = start + name
        yield expected if follows(path) or similar(template, path) else _tiff_layout(path)


def _tiff_layout(path: str) -> Layout:
    source = open_tiff(path).source
    return _native(source.shape, source.dtype)


def _native(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Layout:
    """Shape and type, the byte order left aside: files may differ in it."""
    return shape, dtype.newbyteorder("=")


def _check_equal(path: str, names: Sequence[str], layouts: Iterator[Layout]) -> None:
    found = list(layouts)
    if all(layout is found[0] for layout in found):
        return
    counts = Counter(found)
    if len(counts) == 1:
        return
    usual, number = counts.most_common(1)[0]
    odd = [(name, each) for name, each in zip(names, found, strict=True) if each != usual]
    shown = ", ".join(f"{name} ({described(*each)})" for name, each in odd[:_SHOWN])
    more = f" and {len(odd) - _SHOWN:,} more" if len(odd) > _SHOWN else ""
    raise ValueError(
        f"{path} holds images that differ: {number:,} of {described(*usual)}, but {shown}{more}; "
        "take these out, or choose files with a pattern."
    )

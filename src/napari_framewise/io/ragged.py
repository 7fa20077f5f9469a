"""A folder of images that may differ in size: a stack where they agree in size, else one by one."""

from __future__ import annotations

import os
from collections import Counter

from napari_framewise.io.formats.folder import image_layouts, image_names
from napari_framewise.io.opening import open_stack
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.sources.folder import described
from napari_framewise.stacks.stack import Origin, Stack


def open_images(
    path: str | os.PathLike[str], *, key: str | None = None, pattern: str | None = None
) -> Stack | RaggedStack:
    """Open a file or a folder as a stack, or a folder of images of different sizes one by one.

    Parameters
    ----------
    path, key, pattern
        As `open_stack` takes them.

    Raises
    ------
    FileNotFoundError, ValueError
        As `open_stack` does; images may differ in size, but not in type or number of channels.
    """
    folder = os.path.abspath(os.path.expanduser(path))
    if key is not None or not os.path.isdir(folder):
        return open_stack(path, key=key, pattern=pattern)
    try:
        return open_stack(path, pattern=pattern)
    except ValueError:
        ragged = _ragged(folder, Origin(str(path), None, pattern))
        if ragged is None:
            raise
        return ragged


def _ragged(folder: str, origin: Origin) -> RaggedStack | None:
    """The images of a folder that differ in size; None where they do not."""
    if not _has_images(folder, origin.pattern):
        return None
    names = tuple(image_names(folder, origin.pattern))
    layouts = image_layouts(folder, names)
    if len({shape for shape, _ in layouts}) < 2:
        return None
    kinds = Counter((_channels(shape), dtype) for shape, dtype in layouts)
    usual, number = kinds.most_common(1)[0]
    for name, (shape, dtype) in zip(names, layouts, strict=True):
        if (_channels(shape), dtype) != usual or len(shape) not in (2, 3):
            channels, element = usual
            raise ValueError(
                f"{folder} holds images that differ in more than size: {number:,} of {element} "
                f"with {channels} channel{'s' if channels > 1 else ''}, but {name} holds "
                f"{described(shape, dtype)}; take it out, or choose files with a pattern."
            )
    shapes = tuple(shape for shape, _ in layouts)
    return RaggedStack(folder, names, shapes, usual[1].str, os.path.basename(folder), origin)


def _has_images(folder: str, pattern: str | None) -> bool:
    try:
        return bool(image_names(folder, pattern))
    except ValueError:
        return False


def _channels(shape: tuple[int, ...]) -> int:
    return shape[2] if len(shape) > 2 else 1

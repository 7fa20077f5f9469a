"""Files and folders into napari: lazily, with axes, scale and units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from napari_framewise.io import can_open, layer_data, open_stack
from napari_framewise.plugin.layers.layers_in import METADATA_KEY
from napari_framewise.plugin.layers.legends import looks_of
from napari_framewise.stacks.stack import Stack

# The sliders of the window count in 32 bits.
_LONGEST = 2**31 - 1

LayerTuple = tuple[Any, dict[str, Any], str]


def get_reader(path: str | Sequence[str]) -> Callable[..., list[LayerTuple]] | None:
    """The reader for a path; None where there is none.

    Several files that were opened as one stack are left to other readers: a folder is what
    makes a stack of files here.
    """
    if not isinstance(path, str) or not can_open(path):
        return None
    return read


def read(path: str | Sequence[str]) -> list[LayerTuple]:
    """The stack in a file or folder as layer data.

    Raises
    ------
    ValueError
        Where it can't be opened, or is longer than a slider of the window.
    """
    paths = [path] if isinstance(path, str) else path
    stacks = [open_stack(each) for each in paths]
    for each, stack in zip(paths, stacks, strict=True):
        if max(stack.source.shape) > _LONGEST:
            raise ValueError(
                f"{each} is {max(stack.source.shape):,} long along an axis, and a slider ends at "
                f"{_LONGEST:,}; use it from Python or the command line, with --frames."
            )
    return [image_tuple(stack) for stack in stacks]


def image_tuple(stack: Stack, metadata: dict[str, Any] | None = None) -> LayerTuple:
    """A stack as a layer's data, with where it came from in its metadata.

    What has a legend is labels, with their colours and features.
    """
    data, options = layer_data(stack)
    own = {"origin": None if stack.origin is None else asdict(stack.origin), **(metadata or {})}
    if stack.no_data is not None:
        own["no_data"] = stack.no_data
    if stack.remarks:
        own["remarks"] = list(stack.remarks)
    options["metadata"] = {METADATA_KEY: own}
    if stack.legend is None:
        return data, options, "image"
    for name in ("contrast_limits", "rgb"):
        options.pop(name)
    return data, {**options, **looks_of(stack.legend)}, "labels"

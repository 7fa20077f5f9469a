"""Passes over images that may differ in size, by the same functions as over a stack."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import reduce
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import Sink
from napari_framewise.engine.work import Cost, MapFrames, MapPairs, Reduce
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


def run_images(
    work: MapFrames | Reduce,
    function: Callable[..., Any],
    images: Stack | RaggedStack,
    context: Sequence[Any] = (),
    *,
    engine: Engine,
    cost: Cost = Cost(),  # noqa: B008
    label: str = "Working",
    merge: Callable[[Any, Any], Any] | None = None,
) -> Generator[Progress, None, Any]:
    """Run a function over a stack's frames, or over images that differ in size.

    Parameters
    ----------
    work, function, context, engine, cost, label, merge
        As `run_pass` takes them. Of images that differ in size every block holds one, read when it
        is its turn.

    Returns
    -------
    object
        As of `run_pass`.
    """
    if isinstance(images, Stack):
        stacks: tuple[Stack, ...] = (images,)
        block, arguments = function, tuple(context)
    else:
        stacks, block = (images.numbers,), each_image
        arguments = (images, function, merge, tuple(context))
    found = yield from run_pass(
        work, block, stacks, arguments, engine=engine, cost=cost, label=label, merge=merge
    )
    if isinstance(images, RaggedStack) and merge is None:
        return [value for values in found for value in values]
    return found


def run_pairs(
    function: Callable[..., None],
    images: Stack | RaggedStack,
    context: Sequence[Any] = (),
    *,
    engine: Engine,
    into: Sink,
    symmetric: bool = True,
    cost: Cost = Cost(),  # noqa: B008
    label: str = "Comparing",
) -> Generator[Progress, None, None]:
    """Compare every frame, or every image of any size, with every other.

    Parameters
    ----------
    function : callable
        Importable; ``function(rows, columns, *context, out=)`` compares each image of `rows` with
        each of `columns`, and fills `out` (rows, columns). Both are sequences of images: blocks
        (n, *frame_shape) of a stack, lists of arrays of images that differ in size.
    images : Stack or RaggedStack
        What is compared.
    context, engine, label
        As `run_pass` takes them.
    into : Sink
        Where the (n, n) answers go: `MemorySink`, or `open_pairs` for more than memory holds.
    symmetric : bool
        Answer (i, j) is answer (j, i): only tiles on and above the diagonal are computed, and
        mirrored.
    cost : Cost
        Of one pair; reading an image that is not of a stack costs extra, once a tile.
    """
    if isinstance(images, Stack):
        stacks: tuple[Stack, ...] = (images,)
        tile, arguments = function, tuple(context)
    else:
        stacks, tile = (images.numbers,), tile_of_images
        arguments = (images, function, tuple(context))
    work = MapPairs(symmetric=symmetric)
    yield from run_pass(
        work, tile, stacks, arguments, engine=engine, cost=cost, label=label, into=into
    )


def each_image(
    numbers: Array,
    images: RaggedStack,
    function: Callable[..., Any],
    merge: Callable[[Any, Any], Any] | None,
    context: tuple[Any, ...],
) -> Any:
    """The values of some images in a list; merged in a reduction."""
    values = (function(image[None], *context) for image in images.read_each(numbers))
    return list(values) if merge is None else reduce(merge, values)


def tile_of_images(
    rows: Array,
    columns: Array,
    images: RaggedStack,
    function: Callable[..., None],
    context: tuple[Any, ...],
    *,
    out: Array,
) -> None:
    """A tile of pairs; the images of its rows are kept, those of its columns read in turn."""
    kept = list(images.read_each(rows))
    for column, image in enumerate(images.read_each(columns)):
        function(kept, [image], *context, out=out[:, column : column + 1])

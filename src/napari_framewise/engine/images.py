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
    function: Callable[..., Any],
    images: Stack | RaggedStack,
    context: Sequence[Any] = (),
    *,
    engine: Engine,
    into: Sink | None = None,
    symmetric: bool = True,
    cost: Cost = Cost(),  # noqa: B008
    label: str = "Comparing",
    prepare: Callable[..., Any] | None = None,
    beside: Sequence[Stack] = (),
    side: int = 0,
) -> Generator[Progress, None, list[Any]]:
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
    into : Sink, optional
        Where the (n, n) answers go: `MemorySink`, or `open_pairs` for more than memory holds.
        Without it `function` gets no `out`, and what it gives is returned, tile by tile.
    symmetric : bool
        Answer (i, j) is answer (j, i): only tiles on and above the diagonal are computed, and
        mirrored.
    cost : Cost
        Of one pair; reading an image that is not of a stack costs extra, once a tile.
    prepare : callable, optional
        Importable; ``prepare(images, *beside, *context)`` makes the images of a tile's rows, or
        columns, ready once, and `function` gets what it gives: the same object twice where rows and
        columns are the same.
    beside : sequence of Stack
        With `prepare`: stacks with a frame for each image, masks or numbers, or one frame for all.
    side : int
        Images along a tile, where preparing them is worth it, as `MapPairs` takes it.

    Returns
    -------
    list
        What `function` gave, as `run_pass` returns it.
    """
    ragged = None if isinstance(images, Stack) else images
    first = images if isinstance(images, Stack) else images.numbers
    stacks = (first, *beside)
    if prepare is not None:
        tile: Callable[..., Any] = prepared_tile
        arguments: tuple[Any, ...] = (ragged, prepare, function, tuple(context))
    elif ragged is None:
        tile, arguments = function, tuple(context)
    else:
        tile, arguments = tile_of_images, (ragged, function, tuple(context))
    found: list[Any] = yield from run_pass(
        MapPairs(symmetric=symmetric, side=side),
        tile,
        stacks,
        arguments,
        engine=engine,
        cost=cost,
        label=label,
        into=into,
    )
    return found


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


def prepared_tile(*given: Any, **keywords: Any) -> Any:
    """A tile of pairs of images that are made ready first.

    `given` are the blocks of the tile's rows, those of its columns, the images that they number (or
    None where they are the images), `prepare`, `function` and the context.
    """
    *blocks, images, prepare, function, context = given
    half = len(blocks) // 2
    rows, columns = blocks[:half], blocks[half:]
    same = all(
        a.shape == b.shape and (a is b or a.tobytes() == b.tobytes())
        for a, b in zip(rows, columns, strict=True)
    )
    ready = [
        prepare(first if images is None else list(images.read_each(first)), *others, *context)
        for first, *others in ([rows] if same else [rows, columns])
    ]
    return function(ready[0], ready[-1], *context, **keywords)

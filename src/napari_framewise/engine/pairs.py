"""A matrix of pairs on disk, larger than memory: a sharded zarr that is written tile by tile."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.engine.results import ShardSink, image_attributes, open_result
from napari_framewise.engine.shards import ARRAY, ShardedArray
from napari_framewise.engine.sinks import Several
from napari_framewise.engine.work import Block, MapPairs, Work
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.sources.view import SourceView

_CHUNK, _TILE = 256, 512


class PairSink(ShardSink):
    """Tiles of pairs into the shards of an (n, n) array; symmetric ones on both sides.

    Where `opposite` is set, answer (j, i) is minus answer (i, j): a shift from one to the other.
    """

    opposite = False

    @property
    def cut(self) -> tuple[int, int]:
        """Frames along a tile, and after how many that cut starts anew."""
        return self.array.shard[0], max(1, self.array.shape[0])

    def buffer(self, work: Work, block: Block) -> Array:
        """Memory for a tile."""
        rows, columns = work.place(block)
        return np.empty((rows.stop - rows.start, columns.stop - columns.start), self.array.dtype)

    def commit(self, work: Work, block: Block, answer: Array, check: Any) -> None:
        """Write the tile, and its mirror image."""
        rows, columns = (part.start for part in work.place(block))
        self.array.write_tile((rows, columns), answer, check)
        if isinstance(work, MapPairs) and work.mirrors(block):
            mirrored = -answer.T if self.opposite else answer.T
            self.array.write_tile((columns, rows), np.ascontiguousarray(mirrored), check)

    def finished(self, block: Block) -> bool:
        """Whether an earlier run has written it."""
        return self._number(block) in self._finished

    def mark(self, block: Block) -> None:
        """Add it to the list of what is written."""
        self.note(self._number(block))

    def view(self) -> SourceView:
        """The matrix as it is on disk, read where it is looked at."""
        from napari_framewise.stacks.sources.zarrs import ZarrSource

        array = self.array
        source = ZarrSource(array.path, ARRAY, array.shape, array.element, array.chunk)
        return SourceView(source)

    def _number(self, block: Block) -> int:
        return block.frames[0] * self.array.shape[0] + (block.partner or block.frames)[0]


class PairSinks:
    """Several matrices of the same pairs: the function's `out` is a tuple of places."""

    def __init__(self, sinks: Sequence[PairSink]) -> None:
        self.sinks = tuple(sinks)

    @property
    def paths(self) -> tuple[str, ...]:
        """The folders of all."""
        return tuple(path for sink in self.sinks for path in sink.paths)

    @property
    def cut(self) -> tuple[int, int]:
        """As of one of them: all are cut the same way."""
        return self.sinks[0].cut

    def buffer(self, work: Work, block: Block) -> Several:
        """Memory for a tile of each."""
        return Several(sink.buffer(work, block) for sink in self.sinks)

    def commit(self, work: Work, block: Block, answer: Any, check: Any) -> None:
        """Write the tile of each, and its mirror image."""
        for sink, each in zip(self.sinks, answer, strict=True):
            sink.commit(work, block, each, check)

    def finished(self, block: Block) -> bool:
        """Whether an earlier run has written all."""
        return all(sink.finished(block) for sink in self.sinks)

    def mark(self, block: Block) -> None:
        """Add it to the list of each."""
        for sink in self.sinks:
            sink.mark(block)

    def complete(self) -> None:
        """Say that nothing is missing in any."""
        for sink in self.sinks:
            sink.complete()


def open_pairs(
    path: str | os.PathLike[str],
    n: int,
    dtype: npt.DTypeLike = np.float64,
    *,
    name: str = "pairs",
    provenance: Mapping[str, Any] | None = None,
    fingerprint: str = "",
    opposite: bool = False,
    tile: int = _TILE,
) -> PairSink:
    """Make the folder of an (n, n) matrix, or go on with an unfinished one.

    Parameters
    ----------
    path : path
        Folder to make, by custom NAME.ome.zarr.
    n : int
        Number of frames.
    dtype : dtype
        Of the answers.
    name, provenance, fingerprint
        As `write_frames` takes them.
    opposite : bool
        Answer (j, i) is minus answer (i, j).
    tile : int
        Frames along a tile, about: each is one file, and two are in memory for each worker.

    Returns
    -------
    PairSink
        Call its `complete` when `run_pairs` has ended; its `view` is what a layer shows.

    Raises
    ------
    FileExistsError
        Where something else is at the path.
    OSError
        Where less is free than the matrix may take.
    """
    chunk = max(1, min(_CHUNK, tile, n))
    side = max(chunk, min(tile, n) // chunk * chunk)
    element = np.dtype(dtype).newbyteorder("=").str
    place = os.path.abspath(Path(path))
    array = ShardedArray(place, (), (n, n), element, (chunk, chunk), (side, side))
    axes = (Axis("y"), Axis("x"))
    attributes = image_attributes(axes, name, provenance=provenance)
    attributes["framewise"] |= {"complete": False, "fingerprint": fingerprint}
    sink = open_result(array, attributes, ["y", "x"], (0, 1), PairSink)
    assert isinstance(sink, PairSink)
    sink.opposite = opposite
    return sink

"""Work shapes: what kind of pass a computation is, and what one piece of it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class MapFrames:
    """Every frame for itself: `function(*blocks, *context) -> value`."""


@dataclass(frozen=True)
class MapNeighbours:
    """Every frame with those around it: `function(*blocks, *context, core=slice) -> value`.

    Each block holds up to `before` frames in front of and `after` behind the frames that it
    answers for, fewer at the ends of the stack; `core` says where in the block those are.
    """

    before: int = 0
    after: int = 1


@dataclass(frozen=True)
class Reduce:
    """All frames into one answer: `function(*blocks, *context) -> value`, then merged in order."""


@dataclass(frozen=True)
class Scan:
    """Each block needs the last one's state: `function(state, *blocks, *context) -> (state, value)`."""


@dataclass(frozen=True)
class MapTiles:
    """Rows of pixels with all frames: each block is (n_frames, rows, ...)."""


@dataclass(frozen=True)
class MapPairs:
    """Every frame with every frame, in tiles of the n x n matrix.

    `function(*rows, *columns, *context) -> value`: one block per stack for the tile's rows, then
    one per stack for its columns. With `symmetric` only tiles on and above the diagonal.
    """

    symmetric: bool = True


Work: TypeAlias = MapFrames | MapNeighbours | Reduce | Scan | MapTiles | MapPairs


@dataclass(frozen=True)
class Cost:
    """What a computation takes: per frame, per row of pixels for tiles, per pair for pairs.

    Attributes
    ----------
    output : int
        Bytes that are given back.
    scratch : int
        Bytes of temporaries.
    seconds : float
        Seconds of work; 0 where it is not known: it is measured then, except in reductions.
    """

    output: int = 0
    scratch: int = 0
    seconds: float = 0.0

"""Work shapes: what kind of pass a computation is, how it is cut, and what a piece costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack


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


@dataclass(frozen=True)
class Block:
    """A piece of a pass.

    Attributes
    ----------
    frames : tuple of int
        First and last (exclusive) frame that it answers for.
    reach : tuple of int
        Neighbours that are read in front of and behind those.
    rows : tuple of int, optional
        First and last (exclusive) row of pixels, of tiles.
    partner : tuple of int, optional
        Frames along the columns of a tile of pairs.
    """

    frames: tuple[int, int]
    reach: tuple[int, int] = (0, 0)
    rows: tuple[int, int] | None = None
    partner: tuple[int, int] | None = None

    @property
    def lead(self) -> tuple[int, int]:
        """The range that it may be cut along: rows of tiles, else frames."""
        return self.frames if self.rows is None else self.rows

    @property
    def length(self) -> int:
        """Length of that range."""
        return self.lead[1] - self.lead[0]

    @property
    def size(self) -> int:
        """Number of its items: frames, rows or pairs."""
        return self.length if self.partner is None else self.length * _length(self.partner)

    def describe(self) -> str:
        """What it covers, for messages: "frames 0 to 255", the last one included."""
        if self.rows is not None:
            rows = f"rows {self.rows[0]:,} to {self.rows[1] - 1:,}"
            single = self.frames[1] - self.frames[0] == 1
            return f"{rows} of frame {self.frames[0]:,}" if single else rows
        text = f"frames {self.frames[0]:,} to {self.frames[1] - 1:,}"
        if self.partner is None:
            return text
        return f"{text} with {self.partner[0]:,} to {self.partner[1] - 1:,}"


class Work:
    """A work shape: turns a range of items into blocks, and blocks into a function's arguments."""

    unit: ClassVar[str] = "frames"
    # Whether a block is cut into calls by the clock; else the plan alone decides.
    paced: ClassVar[bool] = True

    def length(self, stacks: Sequence[Stack]) -> int:
        """Number of items along the range that is cut: frames, or rows of pixels."""
        return stacks[0].n_frames

    def item_bytes(self, stacks: Sequence[Stack]) -> int:
        """Bytes that are read for one of those items."""
        return sum(stack.frame_bytes for stack in stacks)

    def block(self, lead: tuple[int, int], stacks: Sequence[Stack]) -> Block:
        """The block of a range of items."""
        return Block(lead)

    def part(self, block: Block, start: int, stop: int) -> Block:
        """Items `start` to `stop` of a block, counted from its first."""
        return replace(block, frames=(block.frames[0] + start, block.frames[0] + stop))

    def ranges(self, block: Block) -> list[tuple[int, int]]:
        """Ranges of frames that are read of each stack."""
        return [block.frames]

    def rows(self, block: Block) -> tuple[int, int] | None:
        """Rows of pixels that are read; None for all."""
        return block.rows

    def views(self, arrays: Sequence[Array], block: Block, part: Block, axis: int) -> list[Array]:
        """What a function gets for a part of the block that `arrays` were read for.

        `axis` is where rows of pixels are in the arrays.
        """
        start = part.frames[0] - block.frames[0]
        return [array[start : start + part.length] for array in arrays]

    def place(self, block: Block) -> tuple[Any, ...]:
        """Index of the block's answer in the array of the whole result."""
        return (slice(*block.frames),)

    def place_within(self, block: Block, part: Block) -> tuple[Any, ...]:
        """Index of a part's answer in the block's."""
        start = part.lead[0] - block.lead[0]
        return (slice(start, start + part.length),)

    def keywords(self, block: Block) -> dict[str, Any]:
        """Further keyword arguments of the function."""
        return {}


@dataclass(frozen=True)
class MapFrames(Work):
    """Every frame for itself: `function(*blocks, *context) -> value`."""


@dataclass(frozen=True)
class MapNeighbours(Work):
    """Every frame with those around it: `function(*blocks, *context, core=slice) -> value`.

    Each block holds up to `before` frames in front of and `after` behind the frames that it
    answers for, fewer at the ends of the stack; `core` says where in the block those are.
    """

    before: int = 0
    after: int = 1

    def block(self, lead: tuple[int, int], stacks: Sequence[Stack]) -> Block:
        """The block of a range of frames, with its neighbours."""
        behind = stacks[0].n_frames - lead[1]
        return Block(lead, (min(self.before, lead[0]), min(self.after, behind)))

    def part(self, block: Block, start: int, stop: int) -> Block:
        """Frames of a block with what they reach in it."""
        before, after = block.reach
        reach = (
            min(self.before, before + start),
            min(self.after, after + block.length - stop),
        )
        return replace(super().part(block, start, stop), reach=reach)

    def ranges(self, block: Block) -> list[tuple[int, int]]:
        """The frames with their neighbours."""
        return [(block.frames[0] - block.reach[0], block.frames[1] + block.reach[1])]

    def views(self, arrays: Sequence[Array], block: Block, part: Block, axis: int) -> list[Array]:
        """The part's frames with their neighbours."""
        origin = block.frames[0] - block.reach[0]
        ((start, stop),) = self.ranges(part)
        return [array[start - origin : stop - origin] for array in arrays]

    def keywords(self, block: Block) -> dict[str, Any]:
        """Where the frames are that the block answers for."""
        return {"core": slice(block.reach[0], block.reach[0] + block.length)}


class Rows(NamedTuple):
    """Rows of one frame that a band answers for, and those that it was given for it.

    Attributes
    ----------
    asked : tuple of int
        First and last (exclusive) row of the result.
    given : tuple of int
        First and last (exclusive) row of the frame that was read.
    axis : int
        Axis of a block (n, *frame_shape) that they run along.
    """

    asked: tuple[int, int]
    given: tuple[int, int]
    axis: int

    def of(self, block: Array) -> Array:
        """The rows asked for, of a block that has those given: where both have the same rows."""
        start, stop = (row - self.given[0] for row in self.asked)
        return block[(*(slice(None),) * self.axis, slice(start, stop))]


@dataclass(frozen=True)
class MapBands(Work):
    """Every frame for itself in bands of rows: `function(*blocks, *context, rows=Rows) -> value`.

    Each block answers for a band of the result of one frame, and holds the rows of the frame that
    these lie on, with up to `halo` rows in front of and behind them, fewer at the ends of the
    frame; `rows` says which those are.

    Attributes
    ----------
    halo : int
        Rows beyond its own that a row of the result depends on.
    band : int
        Rows of a block.
    height : int
        Rows of the result of a frame.
    axis : int
        Axis of a block (n, *frame_shape) of the result that its rows run along.
    source : int, optional
        Rows of the frame itself where the result has others.
    scale, offset : float
        Row r of the result lies on row ``scale * r + offset`` of the frame.
    """

    halo: int
    band: int
    height: int
    axis: int
    source: int | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit = "rows"
    paced = False

    def length(self, stacks: Sequence[Stack]) -> int:
        """Number of rows of all frames."""
        return stacks[0].n_frames * self.height

    @property
    def share(self) -> float:
        """What is read and worked on for a band, as a multiple of its part of the frame."""
        beside = 2 * self.halo / max(abs(self.scale), 1e-9)
        return min((self.band + beside) / self.band, self.height / self.band)

    def item_bytes(self, stacks: Sequence[Stack]) -> int:
        """Bytes that are read for one row, with its share of the halo."""
        return int(super().item_bytes(stacks) / self.height * self.share)

    def block(self, lead: tuple[int, int], stacks: Sequence[Stack]) -> Block:
        """The block of some rows of one frame, counted over all frames."""
        frame = lead[0] // self.height
        rows = (lead[0] - frame * self.height, lead[1] - frame * self.height)
        return Block((frame, frame + 1), rows=rows)

    def part(self, block: Block, start: int, stop: int) -> Block:
        """Rows of a block."""
        first = block.lead[0]
        return replace(block, rows=(first + start, first + stop))

    def rows(self, block: Block) -> tuple[int, int] | None:
        """The rows of the frame that those of the result depend on."""
        start, stop = block.lead
        ends = sorted(self.scale * row + self.offset for row in (start, stop - 1))
        most = self.height if self.source is None else self.source
        first = min(max(0, math.floor(ends[0]) - self.halo), most - 1)
        return first, max(first + 1, min(most, math.ceil(ends[1]) + self.halo + 1))

    def views(self, arrays: Sequence[Array], block: Block, part: Block, axis: int) -> list[Array]:
        """The part's rows with those that they reach."""
        (origin, _), (start, stop) = self.rows(block) or (0, 0), self.rows(part) or (0, 0)
        rows = (*(slice(None),) * axis, slice(start - origin, stop - origin))
        return [array[rows] for array in arrays]

    def place(self, block: Block) -> tuple[Any, ...]:
        """The rows of the frame in the array of all frames."""
        return (slice(*block.frames), *(slice(None),) * (self.axis - 1), slice(*block.lead))

    def place_within(self, block: Block, part: Block) -> tuple[Any, ...]:
        """The part's rows in the block's."""
        return (*(slice(None),) * self.axis, *super().place_within(block, part))

    def keywords(self, block: Block) -> dict[str, Any]:
        """Which rows the block answers for, and which it holds."""
        return {"rows": Rows(block.lead, self.rows(block) or block.lead, self.axis)}


@dataclass(frozen=True)
class Reduce(Work):
    """All frames into one answer: `function(*blocks, *context) -> value`, then merged in order."""

    paced = False


@dataclass(frozen=True)
class Scan(Work):
    """Blocks in order: `function(state, *blocks, *context) -> (state, value)`."""


@dataclass(frozen=True)
class MapTiles(Work):
    """Rows of pixels with all frames: each block is (n_frames, ..., rows, columns)."""

    unit = "rows"

    def length(self, stacks: Sequence[Stack]) -> int:
        """Number of rows of a frame."""
        return stacks[0].frame_shape[row_position(stacks[0]) - 1]

    def item_bytes(self, stacks: Sequence[Stack]) -> int:
        """Bytes of one row in all frames."""
        return max(1, sum(stack.nbytes for stack in stacks) // max(1, self.length(stacks)))

    def block(self, lead: tuple[int, int], stacks: Sequence[Stack]) -> Block:
        """The block of a range of rows."""
        return Block((0, stacks[0].n_frames), rows=lead)

    def part(self, block: Block, start: int, stop: int) -> Block:
        """Rows of a block."""
        return replace(block, rows=(block.lead[0] + start, block.lead[0] + stop))

    def views(self, arrays: Sequence[Array], block: Block, part: Block, axis: int) -> list[Array]:
        """The part's rows of all frames."""
        start = part.lead[0] - block.lead[0]
        rows = (*(slice(None),) * axis, slice(start, start + part.length))
        return [array[rows] for array in arrays]

    def place(self, block: Block) -> tuple[Any, ...]:
        """The rows of a result (..., rows, columns)."""
        return (..., slice(*block.lead), slice(None))

    def place_within(self, block: Block, part: Block) -> tuple[Any, ...]:
        """The part's rows in the block's."""
        return (..., *super().place_within(block, part), slice(None))


@dataclass(frozen=True)
class MapPairs(Work):
    """Every frame with every frame, in tiles of the n x n matrix.

    `function(*rows, *columns, *context) -> value`: one block per stack for the tile's rows, then
    one per stack for its columns. With `symmetric` only tiles on and above the diagonal. `side` is
    for a function that makes its images ready before it compares them: so many frames, where the
    budget holds them, reach it in one call, however long their pairs take.
    """

    symmetric: bool = True
    side: int = 0
    unit = "pairs"

    @property
    def paced(self) -> bool:  # type: ignore[override]
        """Whether the clock cuts a tile into calls."""
        return not self.side

    def ranges(self, block: Block) -> list[tuple[int, int]]:
        """Frames along the tile's rows, and along its columns."""
        return [block.frames, block.partner or block.frames]

    def views(self, arrays: Sequence[Array], block: Block, part: Block, axis: int) -> list[Array]:
        """The part's rows and all columns of the tile."""
        half = len(arrays) // 2
        return [*super().views(arrays[:half], block, part, axis), *arrays[half:]]

    def place(self, block: Block) -> tuple[Any, ...]:
        """The tile in the n x n matrix."""
        return (slice(*block.frames), slice(*(block.partner or block.frames)))

    def mirrors(self, block: Block) -> bool:
        """Whether the tile stands for the one on the other side of the diagonal too."""
        return self.symmetric and block.partner not in (None, block.frames)


def row_position(stack: Stack) -> int:
    """Axis of a block (n, *frame_shape) that rows of pixels run along."""
    return 1 + stack.image_axes.index(stack.row_axis)


def _length(limits: tuple[int, int]) -> int:
    return limits[1] - limits[0]

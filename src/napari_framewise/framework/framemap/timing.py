"""How long a filter takes, measured on a part of the first frame where nobody says it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from napari_framewise.engine.job import is_planar, native
from napari_framewise.engine.work import Block, MapBands, Rows
from napari_framewise.framework.framemap.blocks import Computation, filtered
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_ELEMENTS = 2**15
_MOST_KNOWN = 256
_known: dict[tuple[object, ...], float] = {}


def seconds_of(
    computation: Computation,
    stacks: Sequence[Stack | None],
    halo: int | None,
    rows: tuple[int, float, float] | None,
) -> float:
    """Seconds for one element; 0 where the result depends on whole frames.

    Measured once for a function, its parameters and the type of the frames, on some rows of the
    first frame; the second of two calls counts, for the first may compile something. `rows` is as
    `bands_of` takes it.
    """
    stack = stacks[0]
    assert stack is not None
    if halo is None:
        return 0.0
    question = (computation.function, repr(computation.parameters), stack.dtype, stack.channels > 0)
    if question not in _known:
        axis = computation.row_axis
        source = stack.frame_shape[axis - 1]
        width = max(1, stack.frame_bytes // stack.dtype.itemsize // source)
        height, scale, offset = rows or (source, 1.0, 0.0)
        count = min(height, max(1, int(_ELEMENTS / width / max(abs(scale), 1e-9))))
        start = (height - count) // 2
        work = MapBands(0, count, height, axis, source, scale, offset)
        part: Rows = work.keywords(Block((0, 1), rows=(start, start + count)))["rows"]
        blocks = [_part(each, part.given) for each in stacks]
        for _ in range(2):
            began = time.perf_counter()
            filtered(computation, blocks, part)
            taken = time.perf_counter() - began
        while len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[question] = taken / ((part.given[1] - part.given[0]) * width)
    return _known[question]


def _part(stack: Stack | None, rows: tuple[int, int]) -> Array | None:
    if stack is None:
        return None
    return native(stack.read(0, 1, rows if is_planar(stack) else None))

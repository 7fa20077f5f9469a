"""How long a filter takes, measured on a part of the first frame where nobody says it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from napari_framewise.engine.job import is_planar, native
from napari_framewise.framework.framemap.blocks import Computation, filtered
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_ELEMENTS = 2**15
_MOST_KNOWN = 256
_known: dict[tuple[object, ...], float] = {}


def seconds_of(computation: Computation, stacks: Sequence[Stack | None], halo: int | None) -> float:
    """Seconds for one element; 0 where the result depends on whole frames.

    Measured once for a function, its parameters and the type of the frames, on some rows of the
    first frame; the second of two calls counts, for the first may compile something.
    """
    stack = stacks[0]
    assert stack is not None
    if halo is None:
        return 0.0
    question = (computation.function, repr(computation.parameters), stack.dtype, stack.channels > 0)
    if question not in _known:
        height = stack.frame_shape[computation.row_axis - 1]
        width = max(1, stack.frame_bytes // stack.dtype.itemsize // height)
        rows = min(height, max(1, _ELEMENTS // width))
        start = (height - rows) // 2
        blocks = [_part(each, (start, start + rows)) for each in stacks]
        for _ in range(2):
            began = time.perf_counter()
            filtered(computation, blocks, None)
            taken = time.perf_counter() - began
        while len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[question] = taken / (rows * width)
    return _known[question]


def _part(stack: Stack | None, rows: tuple[int, int]) -> Array | None:
    if stack is None:
        return None
    return native(stack.read(0, 1, rows if is_planar(stack) else None))

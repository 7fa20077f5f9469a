"""Frames computed as one looks at them: an array-like that is also a source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .source import Array, Region
from .stack import Stack
from .work import Cost, MapFrames, MapNeighbours


class LazyFrames:
    """Frames that a function makes of a stack's frames, block by block, as they are looked at.

    Parameters
    ----------
    stacks : Stack or sequence of Stack
        All with the same number of frames. What differs from frame to frame (coefficients,
        transforms) comes as a further stack: `stack_of(x, axes=("t", "k"))` has frames of (K,).
    function : callable
        Importable: `function(*blocks, *context, out=array)` fills `out`, (n, *frame_shape); the
        same that `run_pass(..., into=)` takes.
    context : sequence
        Further arguments, the same for all blocks.
    dtype : dtype
        Of the result.
    frame_shape : tuple of int, optional
        Of the result; by default the first stack's.
    block_frames : int, optional
        Frames computed at once; by default from `cost`.
    cost : Cost
        Bytes and seconds of a frame.
    work : MapFrames or MapNeighbours
        Whether the function sees neighbours.
    """

    def __init__(
        self,
        stacks: Stack | Sequence[Stack],
        function: Callable[..., Any],
        context: Sequence[Any] = (),
        *,
        dtype: npt.DTypeLike,
        frame_shape: tuple[int, ...] | None = None,
        block_frames: int | None = None,
        cost: Cost = Cost(),  # noqa: B008
        work: MapFrames | MapNeighbours = MapFrames(),  # noqa: B008
    ) -> None:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the frame axes where all frames are chosen, else their number; the frame."""
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Array:
        raise NotImplementedError

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        raise NotImplementedError

    def read(self, region: Region) -> Array:
        """Elements of a region, as a source gives them."""
        return np.asarray(self[region])

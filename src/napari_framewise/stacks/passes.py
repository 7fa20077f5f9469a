"""One pass of a computation over stacks: the generator that every tool runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from .engine import Engine
from .progress import Progress
from .results import Sink
from .stack import Stack
from .work import Cost, Work


def run_pass(
    work: Work,
    function: Callable[..., Any],
    stacks: Sequence[Stack],
    context: Sequence[Any] = (),
    *,
    engine: Engine,
    cost: Cost = Cost(),  # noqa: B008
    label: str = "Working",
    merge: Callable[[Any, Any], Any] | None = None,
    state: Any = None,
    into: Sink | None = None,
) -> Generator[Progress, None, Any]:
    """Run a function over all frames; yield progress, return what it gave.

    Parameters
    ----------
    work : Work
        How frames reach the function; see the work shapes for its arguments.
    function : callable
        Importable (module-level). It is called with one native-endian array (n, *frame_shape) per
        stack, then `*context`. The number of frames per call follows the clock and the budget, so
        it must not matter to the values. With `into`, it is also given `out=`, the place for its
        result: (n, *sink.frame_shape) of `MapFrames`, `MapNeighbours` (core frames only) and
        `Scan`; (..., rows, columns) of `MapTiles`; (rows, columns) of `MapPairs`. It fills `out`.
    stacks : sequence of Stack
        All with the same number of frames.
    context : sequence
        Further arguments, the same for all blocks, picklable.
    engine : Engine
        Where it runs.
    cost : Cost
        Bytes and seconds that one item takes.
    label : str
        For progress and errors.
    merge : callable, optional
        Reduce only: `merge(accumulator, value) -> accumulator`, importable, where both are partial
        results; it may change and give back the accumulator.
    state : object, optional
        Scan only: the first call's state.
    into : Sink, optional
        Where frames go that the function writes to `out`.

    Yields
    ------
    Progress
        At least every 20 ms or so. Close the generator to cancel.

    Returns
    -------
    object
        List of the values in order, one per call (MapFrames, MapNeighbours, MapTiles, MapPairs);
        the merged value, None without frames (Reduce); final state and list of values (Scan).

    Raises
    ------
    BlockError
        Where the function failed: names the frames, with its error as the cause.
    ValueError
        Where the stacks differ in length.
    """
    raise NotImplementedError
    yield

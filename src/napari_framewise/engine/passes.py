"""One pass of a computation over stacks: the generator that every tool runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.job import Job, rows_at
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import Sink
from napari_framewise.engine.work import Cost, MapTiles, Reduce, Scan, Work
from napari_framewise.stacks.stack import Stack

_YIELD_SECONDS = 0.02


def run_pass(
    work: Work,
    function: Callable[..., Any],
    inputs: Sequence[Stack | None],
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
    inputs : sequence of Stack or None
        All with the same number of frames as the first, or with one frame, which goes with all of
        the first's: a mask for all frames reaches the function as (1, *frame_shape). None reaches
        it as None.
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
        At least every 20 ms or so. Close the generator to cancel: nothing further is begun, and a
        call that is under way is waited for, but for no more than 80 ms.

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
    stacks = tuple(stack for stack in inputs if stack is not None)
    _check(work, stacks, merge)
    plan = make_plan(work, stacks, cost, engine, into)
    began = time.perf_counter()
    yield Progress(label, 0, plan.items, work.unit)
    job = Job(
        work=work,
        function=function,
        stacks=stacks,
        context=tuple(context),
        merge=merge,
        into=into,
        span=plan.span,
        step=plan.step,
        rows_at=rows_at(stacks),
        given=tuple(stack is not None for stack in inputs),
    )
    run = engine.executor.start(job, plan, label, state)
    try:
        ended = False
        while not ended:
            ended = run.wait(_YIELD_SECONDS)
            yield Progress(label, run.done, plan.items, work.unit, time.perf_counter() - began)
    finally:
        run.stop()
    if isinstance(work, Reduce):
        return run.values[0] if run.values else None
    return (run.state, run.values) if isinstance(work, Scan) else run.values


def _check(work: Work, stacks: Sequence[Stack], merge: Callable[[Any, Any], Any] | None) -> None:
    """Refuse what does not fit together."""
    if not stacks:
        raise ValueError("No stack was given; give at least one.")
    if any(stack.n_frames not in (1, stacks[0].n_frames) for stack in stacks):
        named = ", ".join(f"{stack.name} has {stack.n_frames:,}" for stack in stacks)
        raise ValueError(
            f"The stacks differ in their number of frames ({named}); give equal ones, or one frame "
            "for all."
        )
    heights = {work.length([stack]) for stack in stacks}
    if isinstance(work, MapTiles) and len(heights) > 1:
        raise ValueError(
            f"The stacks' frames have {', '.join(map(str, sorted(heights)))} rows; to be cut into "
            "rows together they must have equally many."
        )
    if isinstance(work, Reduce) != (merge is not None):
        raise ValueError("A reduction, and nothing else, takes merge=.")

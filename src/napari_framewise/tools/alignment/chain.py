"""A chain of frames, each aligned to one before: its links, bridges over gaps, and its breaks."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import MapNeighbours
from napari_framewise.framework.in_step import series
from napari_framewise.numerics import alignment as numerics
from napari_framewise.numerics.alignment import Status
from napari_framewise.numerics.transforms import accumulated
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.blocks import (
    COLUMNS,
    FRAMES_BACK,
    Alignments,
    align_neighbours,
    plane_of,
)
from napari_framewise.tools.alignment.passes import Task, cost_of

_NAMED = 5


def to_previous(task: Task, engine: Engine) -> Generator[Progress, None, Alignments]:
    """Align each frame to the one before; compose the transforms."""
    parts = yield from run_pass(
        MapNeighbours(before=FRAMES_BACK, after=0),
        align_neighbours,
        (task.stack, task.mask, series(task.bad), series(_begins(task.bad))),
        (task.settings, task.channel),
        engine=engine,
        cost=cost_of(task.stack),
        label="Aligning",
    )
    alignments = yield from _bridged(task, Alignments.joined(parts))
    return replace(alignments, matrices=accumulated(alignments.matrices, alignments.back))


def _begins(bad: Array) -> Array:
    """Whether no good frame lies before each: the chain begins there."""
    before = np.cumsum(bad == 0) - (bad == 0)
    return np.asarray(before == 0)


def _broken(alignments: Alignments) -> Array:
    """Frames that match only frames which are lost themselves."""
    found = alignments.status < Status.FLAT
    order = np.arange(len(found))
    return np.flatnonzero(found & (alignments.back > 0) & ~found[order - alignments.back])


def _bridged(task: Task, alignments: Alignments) -> Generator[Progress, None, Alignments]:
    """The links with those mended that the last frame before the gap serves, however long it is."""
    broken = _broken(alignments)
    for count, number in enumerate(broken):
        yield Progress("Bridging gaps", count, len(broken))
        lost = int(number - alignments.back[number])
        before = np.flatnonzero((alignments.status < Status.FLAT)[:lost])
        if not len(before):
            continue
        last = int(before[-1])
        plane = plane_of(task.stack.frame(last), task.channel)
        template = numerics.prepare(plane, task.mask_of(last), settings=task.settings)
        for each in (lost, int(number)):
            if task.bad[each]:
                continue
            plane = plane_of(task.stack.frame(each), task.channel)
            found = numerics.align(template, plane, task.mask_of(each))
            if found.found:
                alignments = _with_link(alignments, each, each - last, found)
                break
    return alignments


def _with_link(
    alignments: Alignments, number: int, back: int, found: numerics.Alignment
) -> Alignments:
    """The links with that of one frame replaced."""
    row = replace(Alignments.of([found]), back=np.array([back]))

    def put(whole: Array, part: Array) -> Array:
        whole = whole.copy()
        whole[number] = part[0]
        return whole

    return Alignments(
        put(alignments.matrices, row.matrices),
        put(alignments.errors, row.errors),
        put(alignments.status, row.status),
        {name: put(alignments.columns[name], row.columns[name]) for name in COLUMNS},
        put(alignments.back, row.back),
    )


def chain_notes(stack: Stack, alignments: Alignments) -> list[str]:
    """What gaps in a chain of frames do to the frames behind them."""
    numbers = np.asarray(stack.frame_numbers)
    found = alignments.status < Status.FLAT
    order = np.arange(len(found))
    base = order - alignments.back
    said = []
    over = order[found & (alignments.back > 1) & found[base]]
    if len(over):
        named = ", ".join(f"{numbers[each]} to {numbers[base[each]]}" for each in over[:_NAMED])
        named += " ..." if len(over) > _NAMED else ""
        said.append(f"Gaps were bridged by aligning a frame to one before the gap: {named}.")
    broken = _broken(alignments)
    if not len(broken):
        return said
    named = ", ".join(str(numbers[each]) for each in broken[:_NAMED])
    named += " ..." if len(broken) > _NAMED else ""
    # The break that each frame's chain leads back to, if any.
    root = np.full(len(found), -1)
    for number in order[found]:
        if number in broken:
            root[number] = number
        elif alignments.back[number]:
            root[number] = root[base[number]]
    behind = numbers[root >= 0]
    said.append(
        f"The chain breaks before frame {named}: what moved in the gap is not known, and "
        f"{len(behind):,} of the frames from {behind[0]} to {behind[-1]} are placed as if nothing "
        "had. Align to a frame or to the mean instead, or leave the frames of the gap out."
    )
    return said

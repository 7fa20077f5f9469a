"""A tool of the tests' own whose matrices of all pairs go to disk where they are many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.images import run_pairs
from napari_framewise.engine.pairs import PairSinks, open_pairs
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, MapPairs
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "How far the frames' means lie apart.")
NAMES = ("distance", "difference")


class PairingParameters(Parameters):
    kept: int = parameter(10, "Kept in memory", "Most frames of which memory keeps matrices.")


def apart(rows: Array, columns: Array, *, out: Sequence[Array]) -> None:
    """Distance and difference of the means of each pair."""
    first, second = (block.reshape(len(block), -1).mean(axis=1) for block in (rows, columns))
    difference = first[:, None] - second
    for place, values in zip(out, (np.abs(difference), difference), strict=True):
        place[...] = values


def on_disk(inputs: Inputs, parameters: PairingParameters) -> int:
    n = inputs.stack("stack").n_frames
    return 16 * n**2 if n > parameters.kept else 0


def run(inputs: Inputs, parameters: PairingParameters, engine: Engine) -> Run:
    stack = inputs.stack("stack")
    assert engine.folder is not None
    paths = [engine.folder.of(name) for name in NAMES]
    sinks = PairSinks(
        [
            open_pairs(
                path, stack.n_frames, name=name, opposite=name == "difference",
                fingerprint=engine.folder.fingerprint, tile=64,
            )
            for path, name in zip(paths, NAMES, strict=True)
        ]
    )  # fmt: skip
    yield from run_pairs(apart, stack, engine=engine, into=sinks, cost=Cost(output=16))
    sinks.complete()
    grid = Grid((Axis("first"), Axis("second")), (stack.n_frames,) * 2)
    layers = tuple(
        ImageResult(
            f"{stack.name} {name}", sink.view(), grid, contrast_limits=(-1, 1), pairs=True,
            folder=path,
        )
        for path, name, sink in zip(paths, NAMES, sinks.sinks, strict=True)
    )  # fmt: skip
    return Outcome(layers, summary=f"{stack.n_frames} frames.")


def plan(inputs: Inputs, parameters: PairingParameters, engine: Engine) -> Plan:
    return make_plan(MapPairs(), (inputs.stack("stack"),), Cost(output=16), engine)


TOOL = Tool(
    name="pairing",
    title="Pairing",
    menu="measure",
    sentence=ENTRY.sentence,
    inputs=(Input("stack", Kind.STACK, "Stack", "To compare."),),
    parameters=PairingParameters,
    run=run,
    preview=lambda inputs, parameters, index: Outcome(),
    plan=plan,
    methods=lambda inputs, parameters: "Means were compared.",
    on_disk=on_disk,
)

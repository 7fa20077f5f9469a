"""A steered tool of the tests' own: seeds grow over bright pixels, one pixel a step."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Curve, ImageResult, Outcome, Plot, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.placing import stack_placing
from napari_framewise.framework.session import Session, driven
from napari_framewise.framework.tool import Tool
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "Seeds grow over bright pixels.")


class FillParameters(Parameters):
    level: float = parameter(0.5, "Level", "Darker pixels are never filled.")


@dataclass(frozen=True, eq=False)
class Filled:
    """Labels of every frame, how many pixels each step filled, and whether the last filled any."""

    labels: Array
    counts: tuple[int, ...] = ()
    growing: bool = True


def grown(frames: Array, labels: Array, level: float) -> Array:
    """Labels after one step: those of neighbours along rows and columns, the greatest first."""
    cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], bool)
    near = ndimage.maximum_filter(labels, footprint=cross, mode="constant")
    return np.where((labels == 0) & (frames > level), near, labels)


class FillSession(Session[Filled]):
    steers = ("seeds",)

    def seeds(self) -> Array:
        seeds = self.inputs.stack("seeds")
        return seeds.read(0, seeds.n_frames)

    def begin(self) -> Filled:
        stack = self.inputs.stack("stack")
        return Filled(np.broadcast_to(self.seeds(), stack.shape).copy())

    def advance(self, state: Filled) -> Generator[Progress, None, Filled]:
        seeds = self.seeds()
        seeded = np.where(seeds > 0, seeds, state.labels)
        blocks = yield from run_pass(
            MapFrames(),
            grown,
            (self.inputs.stack("stack"), stack_of(seeded)),
            (self.parameters.level,),
            engine=self.engine,
            cost=Cost(seconds=1e-3),
            label=f"Filling, step {self.number + 1}",
        )
        labels = np.concatenate(blocks)
        filled = int(np.count_nonzero(labels != state.labels))
        return Filled(labels, (*state.counts, filled), filled > 0)

    def ended(self, state: Filled) -> bool:
        seeds = self.seeds()
        return not state.growing and bool(((seeds == 0) | (state.labels == seeds)).all())

    def outcome_of(self, state: Filled) -> Outcome:
        stack = self.inputs.stack("stack")
        counts = np.array(state.counts, dtype=int)
        table = Table(
            "Filling", "iteration", {"iteration": np.arange(1, len(counts) + 1), "filled": counts}
        )
        plot = Plot("Pixels filled", "Filling", "iteration", (Curve("filled"),), "step", "pixels")
        image = ImageResult(
            f"{stack.name} filled", state.labels, stack_placing(stack), kind="labels"
        )
        return Outcome((image,), (table,), (plot,), summary=f"Filled in {len(counts)} steps.")


def preview(inputs: Inputs, parameters: FillParameters, index: int) -> Outcome:
    return Outcome(summary="Seeds are where they were painted.")


def plan(inputs: Inputs, parameters: FillParameters, engine: Engine) -> Plan:
    return make_plan(MapFrames(), inputs.stacks("stack"), Cost(seconds=1e-3), engine)


def methods(inputs: Inputs, parameters: FillParameters) -> str:
    return "Seeds grew over bright pixels."


TOOL = Tool(
    name="filling",
    title="Fill from seeds",
    menu="filter",
    sentence=ENTRY.sentence,
    inputs=(
        Input("stack", Kind.STACK, "Stack", "Whose bright pixels are filled."),
        Input(
            "seeds",
            Kind.LABELS,
            "Seeds",
            "Where labels begin.",
            same_frame_as="stack",
            folded=False,
        ),
    ),
    parameters=FillParameters,
    run=driven(FillSession),
    preview=preview,
    plan=plan,
    methods=methods,
    session=FillSession,
)

"""A small tool of the tests' own: it takes two stacks and gives vectors, a table and a model."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import model_validator
from skimage.registration import phase_cross_correlation

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.model import Model, Space
from napari_framewise.framework.outcome import (
    Curve,
    ImageResult,
    Outcome,
    Plot,
    Table,
    VectorsResult,
)
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.placing import frame_placing
from napari_framewise.framework.tool import Tool
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.registry import Entry

ENTRY = Entry(__name__, "How far every frame is shifted against its reference frame.")


class ShiftParameters(Parameters):
    upsampling: int = parameter(
        1, "Upsampling", "Shifts are found to one part in this many of a pixel.", ge=1, le=100
    )
    normalization: Literal["phase", "none"] = parameter(
        "phase", "Normalization", "Whether the cross-correlation counts phases only."
    )
    largest: float | None = parameter(
        None, "Largest shift", "Longer ones are taken as failed.", unit="pixels", gt=0, rare=True
    )
    trim: float = parameter(
        0.0, "Trim", "Part of each side that is left out.", ge=0, lt=0.5, group="Edges", rare=True
    )

    @model_validator(mode="after")
    def _finer_than_limit(self) -> ShiftParameters:
        if self.largest is not None and self.largest * self.upsampling < 1:
            raise ValueError(
                f"A largest shift of {self.largest} pixels is finer than the search with an "
                f"upsampling of {self.upsampling}; raise one of them."
            )
        return self


@dataclass(frozen=True, eq=False)
class Translation(Model):
    """One shift per frame: `output(p) = input(p + shift)`."""

    kind: ClassVar[str] = "translation"

    shifts: Array


def shift_block(
    frames: Array, references: Array, upsampling: int, normalization: str | None, trim: float
) -> Array:
    """Shift along rows and columns, and the error, for each pair of frames."""
    rows, columns = (int(trim * length) for length in frames.shape[1:])
    inside = np.s_[rows : frames.shape[1] - rows, columns : frames.shape[2] - columns]
    found = np.full((len(frames), 3), np.nan)
    for row, frame, reference in zip(found, frames, references, strict=True):
        if np.isfinite(frame[inside]).all() and np.isfinite(reference[inside]).all():
            shift, error, _ = phase_cross_correlation(
                frame[inside],
                reference[inside],
                upsample_factor=upsampling,
                normalization=normalization,
            )
            row[:] = (*shift, error)
    return found


def _context(parameters: ShiftParameters) -> tuple[int, str | None, float]:
    kind = None if parameters.normalization == "none" else parameters.normalization
    return parameters.upsampling, kind, parameters.trim


def _cost(stack: Stack) -> Cost:
    pixels = int(np.prod(stack.frame_shape))
    return Cost(output=24, scratch=64 * pixels, seconds=2e-4 + 1e-7 * pixels)


def run(
    inputs: Inputs, parameters: ShiftParameters, engine: Engine
) -> Generator[Progress, None, Outcome]:
    stacks = (inputs.stack("stack"), inputs.stack("reference"))
    blocks = yield from run_pass(
        MapFrames(),
        shift_block,
        stacks,
        _context(parameters),
        engine=engine,
        cost=_cost(stacks[0]),
        label="Shifting",
    )
    return outcome_of(stacks[0], np.concatenate(blocks), parameters)


def outcome_of(stack: Stack, found: Array, parameters: ShiftParameters) -> Outcome:
    shifts, errors = found[:, :2], found[:, 2]
    if parameters.largest is not None:
        too_far = np.hypot(*shifts.T) > parameters.largest
        shifts = np.where(too_far[:, None], np.nan, shifts)
    lost = int(np.isnan(shifts[:, 0]).sum())
    table = Table(
        "Shifts",
        "frame",
        {
            "frame": np.asarray(stack.frame_numbers),
            "rows": shifts[:, 0],
            "columns": shifts[:, 1],
            "error": errors,
        },
        {"rows": "Shift along rows, in pixels.", "columns": "Shift along columns, in pixels."},
    )
    space = Space(
        stack.name,
        stack.frame_shape,
        stack.grid.scale,
        stack.grid.units,
    )
    return Outcome(
        layers=(_vectors(stack, shifts),),
        tables=(table,),
        plots=(
            Plot(
                "Shift of every frame",
                "Shifts",
                "frame",
                (Curve("rows", "error", "rows"), Curve("columns", None, "columns")),
                "frame",
                "shift [pixels]",
                "error",
            ),
        ),
        models=(Translation(space, space, shifts),),
        summary=f"{len(shifts):,} frames, the longest shift is "
        f"{np.nanmax(np.hypot(*shifts.T), initial=0):.3g} pixels.",
        diagnostics=(f"{lost:,} frames gave no shift.",) if lost else (),
    )


def _vectors(stack: Stack, shifts: Array) -> VectorsResult:
    axes = (*stack.leading_axes, *stack.grid.axes)
    known = ~np.isnan(shifts[:, 0])
    data = np.zeros((int(known.sum()), 2, len(axes)))
    lengths = stack.leading_shape
    for axis, places in enumerate(np.unravel_index(np.flatnonzero(known), lengths)):
        data[:, 0, axis] = places
    data[:, 0, -2:] = (np.array(stack.frame_shape) - 1) / 2
    data[:, 1, -2:] = shifts[known]
    features = Table("lengths", "frame", {"length": np.hypot(*shifts[known].T)})
    return VectorsResult(
        f"{stack.name} shifts", data, Grid(axes, role="stack"), features, color_by="length"
    )


def preview(inputs: Inputs, parameters: ShiftParameters, index: int) -> Outcome:
    stack, reference = inputs.stack("stack"), inputs.stack("reference")
    frames, references = stack.read(index, index + 1), reference.read(index, index + 1)
    rows, columns, _ = shift_block(frames, references, *_context(parameters))[0]
    difference = frames[0].astype(float) - references[0]
    layers = (
        ImageResult(
            f"{stack.name} difference",
            difference,
            frame_placing(stack, "stack"),
            colormap="PiYG",
            contrast_limits=(float(np.nanmin(difference)), float(np.nanmax(difference))),
        ),
    )
    return Outcome(layers=layers, summary=f"Shift {rows:.3g} rows, {columns:.3g} columns.")


def plan(inputs: Inputs, parameters: ShiftParameters, engine: Engine) -> Plan:
    stacks = (inputs.stack("stack"), inputs.stack("reference"))
    return make_plan(MapFrames(), stacks, _cost(stacks[0]), engine)


def methods(inputs: Inputs, parameters: ShiftParameters) -> str:
    return "Shifts were found as the peak of the phase correlation."


TOOL = Tool(
    name="shifts",
    title="Shifts",
    menu="register",
    sentence=ENTRY.sentence,
    inputs=(
        Input("stack", Kind.STACK, "Stack", "The frames that moved."),
        Input(
            "reference",
            Kind.STACK,
            "Reference",
            "What each frame is compared with.",
            same_frame_as="stack",
            same_length_as="stack",
        ),
    ),
    parameters=ShiftParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=("Guizar-Sicairos, M. et al. (2008), Optics Letters 33, 156-158",),
)

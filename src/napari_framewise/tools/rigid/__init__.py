"""Align volumes: translation and rigid motion of volumes over time, voxels of any shape."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.in_step import in_step, series
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import Curve, ImageResult, Outcome, Plot, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.placing import layout_of
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.framework.transform import warp_block
from napari_framewise.numerics import rigid as numerics
from napari_framewise.numerics.alignment import Alignment, Status
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.common.registration import ORDERS, others, reference_frame
from napari_framewise.tools.rigid.model import RigidTransforms as RigidTransforms
from napari_framewise.tools.rigid.passes import (
    cost_of,
    mask_of,
    mean_of,
    to_previous,
    to_template,
)

INPUTS = (
    Input("stack", Kind.STACK, "Volumes", "The volumes over time to align; planes as well."),
    mask_input("align by"),
    others(same_frame_as="stack"),
    Input(
        "transforms",
        Kind.MODEL,
        "Known transforms",
        "Transforms of an earlier alignment of volumes: they are applied, nothing is estimated.",
        least=0,
        model_kind=RigidTransforms.kind,
    ),
)


class RigidParameters(Parameters):
    """Parameters of the alignment of volumes."""

    motion: Literal["translation", "euclidean"] = parameter(
        "euclidean",
        "Motion",
        "Shifts, or shifts and rotations (euclidean); a rotation keeps lengths as the scale of the "
        "layer has them.",
    )
    to: Literal["mean", "frame", "previous"] = parameter(
        "mean",
        "Align to",
        "The mean of the aligned volumes, in two passes; one volume; the volume before, with the "
        "transforms composed.",
    )
    reference_frame: int = reference_frame(
        "The volume that the first pass aligns to, counted from 0 among the chosen frames.",
        to=("mean", "frame"),
    )
    start: Literal["correlation", "given"] = parameter(
        "correlation",
        "Start",
        "Look for the best place by normalised cross-correlation, or begin where the volume lies.",
        rare=True,
    )
    interpolation: Literal["cubic", "linear"] = parameter(
        "cubic", "Interpolation", "How aligned volumes are computed between voxels.", group="Layers"
    )


def run(inputs: Inputs, parameters: RigidParameters, engine: Engine) -> Run:
    """Estimate the transforms, or take known ones; then move the stacks."""
    stack, mask = _inputs(inputs)
    alignments: list[Alignment] | None = None
    if inputs["transforms"]:
        (model,) = inputs["transforms"]
        assert isinstance(model, RigidTransforms)
        given = model.for_frames(stack.n_frames, stack.name)
        size = len(stack.frame_shape) + 1
        if model.matrices.shape[1:] != (size, size):
            raise ValueError(
                f"The transforms are matrices of {model.matrices.shape[1]} rows, but "
                f"frames of {stack.name} have {size - 1} axes; {size} x {size} are needed."
            )
        matrices = given.matrices
    else:
        alignments, matrices = yield from _estimated(stack, mask, parameters, engine)
    space = Space.of(stack.name, stack.spatial_grid)
    transforms = RigidTransforms(space, space, matrices, parameters.motion)
    table = _table(stack, matrices, alignments)
    known = transforms.found
    layers = [
        _layer(each, transforms, parameters)
        for each in (stack, *inputs.stacks("others"))
        if known.any()
    ]
    return Outcome(
        layers=tuple(layers),
        tables=(table,),
        plots=_plots(table, parameters),
        models=() if alignments is None else (transforms,),
        summary=_summary(stack, table, known, alignments),
        diagnostics=_diagnostics(stack, alignments),
    )


def preview(inputs: Inputs, parameters: RigidParameters, index: int) -> Outcome:
    """Align one volume to the reference, or to the one before."""
    stack, mask = _inputs(inputs)
    if inputs["transforms"]:
        return Outcome(summary="Known transforms are applied: press Run.")
    previous = parameters.to == "previous" and index > 0
    template = _reference(
        stack, mask, index - 1 if previous else parameters.reference_frame, parameters
    )
    found = numerics.align(template, stack.frame(index), _mask(mask, index))
    if not found.found:
        return Outcome(summary=found.status.sentence)
    shift = _shifts(found.matrix[None], stack.frame_shape)[0]
    text = ", ".join(f"{each:+.2f}" for each in shift)
    return Outcome(summary=f"Shift of the centre {text} px, within {found.motion_error:.2g} px.")


def plan(inputs: Inputs, parameters: RigidParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack, _ = _inputs(inputs)
    return make_plan(MapFrames(), (stack,), cost_of(stack), engine)


def methods(inputs: Inputs, parameters: RigidParameters) -> str:
    """Sentence for the methods part of a paper."""
    motion = "rigid" if parameters.motion == "euclidean" else "translational"
    return (
        f"Volumes were aligned by {motion} transforms in physical coordinates, estimated by the "
        "inverse compositional algorithm with Huber's loss and a free gain and offset, coarse to "
        f"fine, and resampled by {parameters.interpolation} interpolation."
    )


def _estimated(
    stack: Stack, mask: Stack | None, parameters: RigidParameters, engine: Engine
) -> Generator[Progress, None, tuple[list[Alignment], Array]]:
    size = len(stack.frame_shape) + 1
    if parameters.to == "previous":
        return (yield from to_previous(stack, mask, _scale(stack), _settings(parameters), engine))
    template = _reference(stack, mask, parameters.reference_frame, parameters)
    starts = np.full((stack.n_frames, size, size), np.nan)
    label = "Aligning" if parameters.to == "frame" else "Aligning, pass 1 of 2"
    found = yield from to_template(stack, mask, template, starts, engine, label)
    matrices = np.array([each.matrix for each in found])
    if parameters.to == "frame" or not np.isfinite(matrices).any():
        return found, matrices
    gains = np.array([[each.gain, each.offset] for each in found])
    mean = yield from mean_of(stack, mask, matrices, gains, engine)
    near = replace(_settings(parameters), start="given")
    template = numerics.prepare(mean, scale=_scale(stack), settings=near)
    again = yield from to_template(stack, mask, template, matrices, engine, "Aligning, pass 2 of 2")
    # What was not found at first has no start near enough to be judged by.
    kept = [two if one.found else one for one, two in zip(found, again, strict=True)]
    return kept, np.array([each.matrix for each in kept])


def _inputs(inputs: Inputs) -> tuple[Stack, Stack | None]:
    """Stack and mask.

    Raises
    ------
    ValueError
        Where the frames are neither volumes nor planes of one channel.
    """
    stack = inputs.stack("stack")
    if len(stack.frame_shape) not in (2, 3) or stack.channels:
        size = " x ".join(map(str, stack.frame_shape))
        raise ValueError(
            f"{stack.name} has frames of {size}; volumes (z, y, x) of one channel are needed: "
            "choose the axes that the frames run along, and a channel."
        )
    if stack.n_frames < 2 and not inputs["transforms"]:
        raise ValueError(f"{stack.name} is one volume; two or more over time are needed.")
    mask = inputs.optional_stack("mask")
    return stack, mask and in_step(mask, stack, "Mask")


def _reference(
    stack: Stack, mask: Stack | None, index: int, parameters: RigidParameters
) -> numerics.RigidTemplate:
    if index >= stack.n_frames:
        raise ValueError(
            f"Reference frame {index} was asked for, but {stack.name} has {stack.n_frames:,} "
            "frames, counted from 0."
        )
    return numerics.prepare(
        stack.frame(index), _mask(mask, index), scale=_scale(stack), settings=_settings(parameters)
    )


def _settings(parameters: RigidParameters) -> numerics.RigidSettings:
    return numerics.RigidSettings(motion=parameters.motion, start=parameters.start)


def _scale(stack: Stack) -> tuple[float, ...]:
    return tuple(abs(each) or 1.0 for each in stack.spatial_grid.scale)


def _mask(mask: Stack | None, index: int) -> Array | None:
    if mask is None:
        return None
    return mask_of(mask.frame(index if mask.n_frames > 1 else 0)[None], 0)


def _shifts(matrices: Array, shape: tuple[int, ...]) -> Array:
    """Shift of the frame's centre, (n, d)."""
    centre = (np.array(shape) - 1) / 2
    return np.asarray(matrices[:, :-1, :-1] @ centre + matrices[:, :-1, -1] - centre)


def _turns(matrices: Array, scale: tuple[float, ...]) -> Array:
    """Angle of each rotation in degrees, about whatever axis."""
    size = np.array(scale)
    linear = matrices[:, :-1, :-1] * size[:, None] / size
    d = linear.shape[1]
    cosine = (np.trace(linear, axis1=1, axis2=2) - (d - 2)) / 2
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _table(stack: Stack, matrices: Array, alignments: list[Alignment] | None) -> Table:
    columns, notes = frame_columns(stack)
    d = matrices.shape[1] - 1
    for axis, name in enumerate(("plane", "row", "column")[3 - d :]):
        columns[name] = _shifts(matrices, stack.frame_shape)[:, axis]
        notes[name] = f"Shift of the centre along {name}s, in pixels."
    columns["turn"] = _turns(matrices, _scale(stack))
    notes["turn"] = "Angle of the rotation, in degrees; its axis follows from the matrix."
    if alignments is not None:
        for name in ("gain", "offset", "correlation", "rmse", "overlap", "motion_error"):
            columns[name] = np.array([getattr(each, name) for each in alignments])
        notes["motion_error"] = "Root mean square standard error of the volume's corners, in pixels"
        notes["correlation"] = "Correlation of template and aligned volume."
        columns["iterations"] = np.array([each.iterations for each in alignments])
        columns["status"] = np.array([each.status.word for each in alignments])
        k = alignments[0].covariance.shape[0]
        motion: numerics.RigidMotion = "translation" if k == d else "euclidean"
        errors = np.array([np.sqrt(np.diag(each.covariance)) for each in alignments])
        for name, values in zip(numerics.names(motion, d), errors.T, strict=True):
            columns[f"{name}_error"] = values
            notes[f"{name}_error"] = "Standard error, in pixels; of rotations in radians."
    for row in range(d + 1):
        for column in range(d + 1):
            columns[f"m{row}{column}"] = matrices[:, row, column]
    return Table("rigid", "frame", columns, notes)


def _plots(table: Table, parameters: RigidParameters) -> tuple[Plot, ...]:
    names = [name for name in ("plane", "row", "column") if name in table.columns]
    curves = tuple(Curve(name, label=f"{name}s") for name in names)
    plots = [Plot("Translation", table.name, "frame", curves, "Frame", "Shift (px)")]
    if parameters.motion == "euclidean":
        turn = (Curve("turn"),)
        plots.append(Plot("Rotation", table.name, "frame", turn, "Frame", "Rotation (degrees)"))
    return tuple(plots)


def _layer(stack: Stack, transforms: RigidTransforms, parameters: RigidParameters) -> ImageResult:
    layout = layout_of(stack)
    own = stack.dtype.newbyteorder("=")
    pixels = int(np.prod(stack.frame_shape))
    order = ORDERS[parameters.interpolation]
    data = LazyFrames(
        (stack, series(transforms.maps)),
        warp_block,
        (transforms.with_maps(transforms.maps[:0]), order, False),
        dtype=np.promote_types(own, np.float32) if own.kind == "f" else own,
        frame_shape=layout.frame_shape,
        order=layout.order,
        cost=Cost(scratch=40 * pixels, seconds=1e-4 + 4e-7 * pixels),
    )
    return ImageResult(
        f"{stack.name} aligned", data, layout.grid, contrast_limits=limits_of(stack.frame(0))
    )


def _summary(stack: Stack, table: Table, known: Array, alignments: list[Alignment] | None) -> str:
    if not known.any():
        return f"Nothing could be aligned of {stack.name}."
    if alignments is None:
        return f"{stack.n_frames:,} frames of {stack.name} moved by known transforms."
    done = sum(each.status == Status.CONVERGED for each in alignments)
    spans = ", ".join(
        f"{name}s {np.nanmin(table.columns[name]):+.2f} to {np.nanmax(table.columns[name]):+.2f}"
        for name in ("plane", "row", "column")
        if name in table.columns
    )
    error = np.nanmedian(table.columns["motion_error"])
    return (
        f"{done:,} of {len(known):,} volumes aligned; shifts {spans} px, rotation up to "
        f"{np.nanmax(table.columns['turn']):.2f} degrees; median stated error {error:.2g} px."
    )


def _diagnostics(stack: Stack, alignments: list[Alignment] | None) -> tuple[str, ...]:
    said = []
    numbers = np.asarray(stack.frame_numbers)
    states = np.array([int(each.status) for each in alignments or ()])
    for status in Status:
        which = numbers[states == status] if len(states) else []
        if status == Status.CONVERGED or not len(which):
            continue
        named = ", ".join(map(str, which[:5])) + (" ..." if len(which) > 5 else "")
        said.append(f"{len(which):,} volumes ({named}): {status.word}. {status.sentence}")
    return tuple(said)


TOOL = Tool(
    name="rigid",
    title="Align volumes",
    menu="register",
    sentence="Bring volumes over time into register by shifts and rotations, voxels of any shape.",
    inputs=INPUTS,
    parameters=RigidParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Baker, S. and Matthews, I. (2004), International Journal of Computer Vision 56, 221-255",
        "Padfield, D. (2012), IEEE Trans. Image Processing 21, 2706-2718",
    ),
)

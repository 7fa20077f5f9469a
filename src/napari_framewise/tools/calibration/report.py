"""What is said of a calibration: model, tables, plot, uncertainty, words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import Curve, ImageResult, Outcome, Plot, Table
from napari_framewise.framework.placing import layout_of
from napari_framewise.numerics.calibration import Field, Judgement, common_to_neighbours, hull_of
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.tools.calibration.boards import Boards
from napari_framewise.tools.calibration.model import Calibration, knots_of
from napari_framewise.tools.calibration.parameters import CalibrationParameters

_COARSE = 32
"""Places along each side at which the uncertainty is found: it is smooth."""
_SHARED, _LEAST_SAID, _FAR, _STRAY, _FEWEST_COMMON = 0.3, 0.02, 5.0, 10.0, 4
"""What is said: a share of misfits that neighbours have in common, pixels, times the scatter, times
the median of nodes left out."""
_DEGREES = {0: "constant", 1: "linear", 2: "quadratic"}


def outcome_of(
    inputs: Inputs,
    parameters: CalibrationParameters,
    boards: Boards,
    field: Field,
    judgement: Judgement,
) -> Outcome:
    """All that a calibration gives back."""
    stack = inputs.stacks("images")[0]
    table = _value_table(boards, field, judgement)
    sigma = float(np.sqrt(np.mean(field.fit.sigma**2)))
    space = Space.of(stack.name, stack.spatial_grid)
    lattice = field.fit.lattice
    model = Calibration(
        source=space,
        target=space,
        coefficients=field.fit.coefficients,
        knots=knots_of(lattice.axes),
        values=np.unique(boards.values),
        quantity=parameters.quantity,
        unit=parameters.unit,
        hull=hull_of(boards.straight, boards.pitch / 2),
        sigma=sigma,
    )
    label = f"{parameters.quantity} [{parameters.unit}]" if parameters.unit else parameters.quantity
    plot = Plot(
        "Calibration",
        table.name,
        "value",
        (Curve("residual", label="residual"), Curve("left_out", label="left out")),
        label.capitalize(),
        "Pixels",
    )
    count = len(model.values)
    inner = judgement.left_out[~judgement.beyond]
    without = (
        f" A value between others, left out, is predicted to {np.sqrt((inner**2).mean()):.2g} "
        "pixels."
        if np.isfinite(inner).any()
        else ""
    )
    values = "1 value" if count == 1 else f"{count:,} values"
    fitted = (
        f"nodes lie {sigma:.2g} pixels from the field"
        if np.isfinite(sigma)
        else "the field goes through all nodes"
    )
    return Outcome(
        layers=(_uncertainty(inputs, field, model),) if np.isfinite(sigma) else (),
        tables=(table, _node_table(boards, field)),
        plots=(plot,),
        models=(model,),
        summary=(
            f"{len(boards.seen):,} nodes at {values}: {fitted} (standard deviation of a "
            f"coordinate).{without}"
        ),
        diagnostics=_diagnostics(boards, field, judgement),
    )


def _value_table(boards: Boards, field: Field, judgement: Judgement) -> Table:
    values, which = np.unique(boards.values, return_inverse=True)
    squares = (field.fit.residuals**2).sum(axis=1)
    moved = np.hypot(*(boards.seen - boards.straight).T)
    columns = {
        "object": np.arange(len(values)),
        "value": values,
        "nodes": np.bincount(which),
        "moved": np.array([moved[which == k].max() for k in range(len(values))]),
        "residual": np.array([np.sqrt(squares[which == k].mean()) for k in range(len(values))]),
        "left_out": judgement.left_out,
        "beyond": judgement.beyond.astype(np.int64),
    }
    notes = {
        "object": "Number of the value, in ascending order.",
        "value": "Value of the third variable.",
        "nodes": "Nodes at that value.",
        "moved": "Largest displacement of a node, in pixels.",
        "residual": "Root mean square distance of its nodes from the field, in pixels.",
        "left_out": "The same from the field fitted without that value.",
        "beyond": "1 where that field had to be extrapolated to it.",
    }
    return Table("calibration", "object", columns, notes)


def _node_table(boards: Boards, field: Field) -> Table:
    columns = {
        "landmark": np.arange(len(boards.seen)),
        "image": boards.image,
        "value": boards.values,
        "row": boards.index[:, 0],
        "column": boards.index[:, 1],
        "y": boards.seen[:, 0],
        "x": boards.seen[:, 1],
        "straight_y": boards.straight[:, 0],
        "straight_x": boards.straight[:, 1],
        "residual_y": field.fit.residuals[:, 0],
        "residual_x": field.fit.residuals[:, 1],
        "left_out_y": field.fit.left_out[:, 0],
        "left_out_x": field.fit.left_out[:, 1],
    }
    notes = {
        "landmark": "Number of the node.",
        "image": "Number of its image, over all images given.",
        "value": "Value of the third variable.",
        "row": "Row in the grid.",
        "column": "Column in the grid.",
        "y": "Where it is seen along the rows, in pixels.",
        "x": "Where it is seen along the columns, in pixels.",
        "straight_y": "Where it should be along the rows.",
        "straight_x": "Where it should be along the columns.",
        "residual_y": "How far it lies from the field down, in pixels.",
        "residual_x": "How far it lies from the field to the right.",
        "left_out_y": "The same from the field fitted without it.",
        "left_out_x": "The same from the field fitted without it.",
    }
    return Table("calibration nodes", "landmark", columns, notes)


def _uncertainty(inputs: Inputs, field: Field, model: Calibration) -> ImageResult:
    """Standard error of the field at coarse places over the frame.

    Image by image on their own axes where one stack was given, so that one slider moves both; else
    value by value. NaN for an image without nodes whose value is beyond the others'.
    """
    first, *others = inputs.stacks("images")
    shape = tuple(min(_COARSE, length) for length in first.spatial_shape)
    grid = first.spatial_grid.resampled(shape)
    axes = [
        (np.arange(coarse) + 0.5) * length / coarse - 0.5
        for coarse, length in zip(shape, first.spatial_shape, strict=True)
    ]
    wanted = model.values if others else inputs.values("images")
    values, which = np.unique(wanted, return_inverse=True)
    parts = np.meshgrid(values, *axes, indexing="ij")
    points = np.stack([each.ravel() for each in parts], axis=1)
    spread: Array = np.sqrt((field.fit.deviation(points) ** 2).sum(axis=0))
    spread = spread.reshape(parts[0].shape).astype(np.float32)
    spread[model.outside(values)] = np.nan
    if others:
        placing, data = replace(grid.after(_axis_of(values)), role="images"), spread
    else:
        layout = layout_of(first, "images", channels=False, on=grid)
        placing, data = layout.grid, layout.arranged(spread[which])
    return ImageResult(
        f"uncertainty of {first.name}",
        data,
        placing,
        contrast_limits=(0.0, float(np.nanmax(data)) or 1.0),
        colormap="viridis",
        visible=False,
        metadata={"unit": "pixels"},
    )


def _axis_of(values: Array) -> Grid:
    """An axis along the values, with their scale where they are evenly spaced."""
    steps = np.diff(values)
    even = len(steps) > 0 and np.allclose(steps, steps[0], rtol=1e-6)
    axis = Axis("value", float(steps[0]), float(values[0])) if even else Axis("value")
    return Grid((axis,), (len(values),))


def _diagnostics(boards: Boards, field: Field, judgement: Judgement) -> tuple[str, ...]:
    said = list(boards.notes)
    values, counts = np.unique(boards.values, return_counts=True)
    for value in values:
        said += _several(boards, float(value))
    degree = field.fit.lattice.axes[0].degree
    if degree in _DEGREES:
        what = "1 value" if len(values) == 1 else f"{len(values)} values"
        said.append(
            f"With {what} the field is {_DEGREES[degree]} along the value; cubic from 4 on."
        )
    few = counts < 0.5 * counts.max()
    if few.any():
        said.append(
            f"Fewer than half of the nodes are seen at {', '.join(f'{v:g}' for v in values[few])}."
        )
    if judgement.is_wrong:
        said.append(
            f"Fields of two halves of the nodes differ by {judgement.difference:.2g} pixels where "
            f"{judgement.expected:.2g} were to be expected: the model does not describe these "
            "nodes. Are rows and columns counted alike, and is every value right?"
        )
    share, size = common_to_neighbours(field.fit.residuals, boards.image, boards.index)
    if share > _SHARED and size > _LEAST_SAID:
        said.append(
            f"Neighbouring nodes lie off the field together, by {size:.2g} pixels: it bends more "
            "than its knots or its smoothing let it, or images disagree."
        )
    off = np.hypot(*field.fit.left_out.T)
    worst = int(np.argmax(off))
    if off[worst] > max(_STRAY * float(np.median(off)), _LEAST_SAID):
        row, column = boards.index[worst]
        said.append(
            f"The node of row {row} and column {column} at {boards.values[worst]:g} lies "
            f"{off[worst]:.2g} pixels from the field fitted without it, most nodes "
            f"{np.median(off):.2g}: correct it or take it out."
        )
    scatter = float(np.sqrt(np.sum(field.fit.sigma**2)))
    far = ~judgement.beyond & (judgement.left_out > _FAR * scatter)
    if np.isfinite(scatter) and far.any():
        worst = int(np.argmax(np.where(far, judgement.left_out, 0)))
        said.append(
            f"{values[worst]:g}, left out, is predicted only to {judgement.left_out[worst]:.2g} "
            f"pixels, where nodes scatter by {scatter:.2g}: the field changes faster than the "
            "steps of the value show. Take more values there; or is a value wrong?"
        )
    return tuple(said)


def _several(boards: Boards, value: float) -> list[str]:
    """What is said where several images have a value."""
    mine = boards.values == value
    numbers = np.unique(boards.image[mine])
    if len(numbers) < 2:
        return []
    first, *others = (
        {
            tuple(node): place
            for node, place in zip(
                boards.index[mine & (boards.image == number)].tolist(),
                boards.seen[mine & (boards.image == number)],
                strict=True,
            )
        }
        for number in numbers
    )
    apart = 0.0
    for other in others:
        both = [node for node in first if node in other]
        if len(both) < _FEWEST_COMMON:
            continue
        moved = np.array([other[node] - first[node] for node in both])
        share, size = common_to_neighbours(moved, np.zeros(len(both), np.int64), np.array(both))
        apart = max(apart, size if share > _SHARED and size > _LEAST_SAID else 0.0)
    if apart == 0:
        return [f"{len(numbers)} images have the value {value:g}; all count."]
    return [
        (
            f"{len(numbers)} images have the value {value:g}, but their grids lie {apart:.2g} "
            "pixels apart: the field goes between them. Is a value wrong, or did the grid move?"
        )
    ]

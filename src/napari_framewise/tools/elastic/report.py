"""What is said of an elastic registration: tables, plots, summary and diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics.elastic import Registration, Status, Step
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

_TABLE = "elastic"
_EVIDENCE = 6.0
_NOTES = {
    "correlation_before": "Mean local correlation with the reference at the start.",
    "correlation": "The same after registration.",
    "rmse_before": "Root mean square difference to the reference at the start, in intensities.",
    "rmse": "The same after registration.",
    "least_jacobian": "Smallest determinant of the Jacobian; it is above 0 where nothing folds.",
    "largest_jacobian": "Largest determinant of the Jacobian.",
    "inconsistency": "Largest distance of points from where they come back to, in pixels.",
    "evidence": "How far details are alike, in standard errors of unrelated images.",
    "blocks": "Share of the blocks that told a shift; the others follow their neighbours.",
    "left": "Shift of small blocks that is left, root mean square in pixels, beyond noise.",
    "landmark_error": "Mean distance of the landmarks from their partners, in pixels.",
    "iterations": "Steps on all levels.",
    "status": "How the registration ended.",
}


def frame_table(stack: Stack, found: Sequence[Registration]) -> Table:
    """A row for each frame."""
    columns, notes = frame_columns(stack)
    columns["correlation_before"] = np.array([each.correlation[0] for each in found])
    columns["correlation"] = np.array([each.correlation[1] for each in found])
    columns["rmse_before"] = np.array([each.rmse[0] for each in found])
    columns["rmse"] = np.array([each.rmse[1] for each in found])
    columns["least_jacobian"] = np.array([each.least_determinant for each in found])
    columns["largest_jacobian"] = np.array([each.largest_determinant for each in found])
    for name in ("inconsistency", "evidence"):
        columns[name] = np.array([getattr(each, name) for each in found])
    columns["left"] = np.array([each.left.shift for each in found])
    if any(each.landmark_errors.size for each in found):
        columns["landmark_error"] = np.array([each.landmark_errors.mean() for each in found])
    told = np.array([each.told for each in found])
    if np.isfinite(told).any():
        columns["blocks"] = told
    columns["iterations"] = np.array([len(each.history) for each in found])
    columns["status"] = np.array([each.status.word for each in found])
    return Table(
        _TABLE, "frame", columns, notes | {k: v for k, v in _NOTES.items() if k in columns}
    )


def objective_table(history: Array) -> Table:
    """A row for each step of a registration."""
    rows = history.reshape(-1, 4)
    return Table(
        "objective",
        "iteration",
        {
            "iteration": np.arange(1, len(rows) + 1),
            "pixel": rows[:, 0],
            "objective": rows[:, 1],
            "correlation": rows[:, 2],
            "step": rows[:, 3],
        },
        {
            "pixel": "Size of a pixel of the level, in pixels of the image.",
            "objective": "Mean loss of the residuals over their scale, with bending and landmarks.",
            "correlation": "Of what is compared on the level, before the step.",
            "step": "Root mean square of the step over the frame, in pixels.",
        },
    )


def objective_plot() -> Plot:
    """The objective against the steps; it starts anew on every level."""
    return Plot(
        "Objective", "objective", "iteration", (Curve("objective"),), "Step", "Objective"
    )  # fmt: skip


def row_of(step: Step) -> tuple[float, float, float, float]:
    """A step as a row of the history."""
    return step.pixel, step.objective, step.correlation, step.moved


def level_table(found: Registration) -> Table:
    """A row for each level of a registration, the coarsest first."""
    rows = found.similarity
    return Table(
        "levels",
        "object",
        {
            "pixel": rows[:, 0],
            "correlation_before": rows[:, 1],
            "correlation": rows[:, 2],
            "iterations": rows[:, 3].astype(np.int64),
        },
        {
            "pixel": "Size of a pixel of the level, in pixels of the image.",
            "correlation_before": "Of what is compared, before the level was fitted.",
            "correlation": "After it.",
        },
    )


def landmark_table(here: Array, there: Array, index: Array, found: Registration) -> Table:
    """A row for each pair of landmarks."""
    start = np.sqrt(((there - here) ** 2).sum(axis=1))
    return Table(
        "landmarks",
        "landmark",
        {
            "landmark": index,
            "row": here[:, 0],
            "column": here[:, 1],
            "image_row": there[:, 0],
            "image_column": there[:, 1],
            "before": start,
            "error": found.landmark_errors,
        },
        {
            "before": "Distance of the two in pixel coordinates of their images.",
            "error": "Distance after registration, in pixels of the image.",
        },
    )


def frame_plots(count: int) -> tuple[Plot, ...]:
    """Similarity against the frame, of several."""
    if count < 2:
        return ()
    curves = (Curve("correlation_before", label="before"), Curve("correlation", label="after"))
    return (
        Plot("Similarity", _TABLE, "frame", curves, "Frame", "Mean local correlation"),
        Plot("Jacobian", _TABLE, "frame", (Curve("least_jacobian", label="smallest"),
             Curve("largest_jacobian", label="largest")), "Frame", "Determinant"),
    )  # fmt: skip


def summary_of(stack: Stack, found: Sequence[Registration], aim: str, finest: float) -> str:
    """The result in a sentence or two."""
    known = [each for each in found if each.found]
    if not known:
        if len(found) == 1:
            return f"{stack.name} was not registered. {found[0].status.sentence}"
        return f"No frame of {stack.name} could be registered."
    before, after = np.nanmedian([each.correlation for each in known], axis=0)
    least = min(each.least_determinant for each in known)
    apart = max(each.inconsistency for each in known)
    what = stack.name if len(found) == 1 else f"{len(known):,} of {len(found):,} frames"
    text = (
        f"{what} registered to {aim}: the local correlation rose from {before:.3f} to {after:.3f}; "
        f"nothing folds (smallest Jacobian {least:.2f}); there and back agree within {apart:.1g} "
        f"px. Bends of less than {finest:g} px from crest to crest are followed in part, if at all."
    )
    errors = [each.landmark_errors.mean() for each in known if each.landmark_errors.size]
    return text + (f" Landmarks are off by {np.mean(errors):.2f} px." if errors else "")


def diagnostics_of(stack: Stack, found: Sequence[Registration]) -> tuple[str, ...]:
    """What to know before trusting it."""
    said = []
    numbers = np.asarray(stack.frame_numbers)
    for status in Status:
        which = numbers[np.array([each.status == status for each in found], bool)]
        if status == Status.CONVERGED or not len(which):
            continue
        if len(found) == 1:
            said.append(f"{status.word.capitalize()}: {status.sentence}")
            continue
        named = ", ".join(map(str, which[:5])) + (" ..." if len(which) > 5 else "")
        noun = "frame" if len(which) == 1 else "frames"
        said.append(f"{len(which):,} {noun} ({named}): {status.word}. {status.sentence}")
    led = [each for each in found if each.found and each.landmark_errors.size]
    if any(not each.evidence >= _EVIDENCE for each in led):
        said.append(
            "The images' details are no more alike than chance gives: what is shown is where the "
            "landmarks lead."
        )
    return tuple(said)

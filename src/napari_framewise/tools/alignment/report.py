"""What an alignment tells: table, plots, summary, diagnostics."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics.alignment import Alignment, Status
from napari_framewise.numerics.transforms import Motion, described, parameter_names
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.alignment.bad_frames import words_of
from napari_framewise.tools.alignment.blocks import COLUMNS, Alignments
from napari_framewise.tools.alignment.chain import chain_notes

_NOTES = {
    "row": "Shift of the template's centre in the frame, downwards, in pixels.",
    "column": "Shift of the template's centre in the frame, to the right, in pixels.",
    "rotation": "Rotation at the centre, in degrees, counter-clockwise as displayed.",
    "scale": "Root of the change of area at the centre.",
    "anisotropy": "Largest stretch over the smallest, at the centre.",
    "gain": "Brightness of the frame over that of the template.",
    "offset": "Offset of the frame's brightness, in its values.",
    "correlation": "Correlation of template and aligned frame.",
    "rmse": "Root mean square of frame minus template after alignment, in the frame's values.",
    "overlap": "Share of the template that lies in the frame.",
    "motion_error": "Root mean square standard error of the template's corners, in pixels.",
    "iterations": "Iterations over all levels of the pyramid.",
    "status": "How it ended.",
}
_DOUBTFUL = 6.0


def alignment_table(
    stack: Stack,
    matrices: Array,
    shape: tuple[int, int],
    alignments: Alignments | None,
    motion: Motion,
    codes: Array | None = None,
) -> Table:
    """A row per frame: what its transform does, how it went, what is wrong with it, the matrix."""
    columns, notes = frame_columns(stack)
    values = described(matrices, shape)
    columns |= values
    notes |= {name: _NOTES[name] for name in values}
    if alignments is not None:
        columns |= {name: alignments.columns[name] for name in COLUMNS}
        columns["status"] = np.array([Status(each).word for each in alignments.status])
        notes |= {name: _NOTES[name] for name in (*COLUMNS, "status")}
        for name, errors in zip(parameter_names(motion), alignments.errors.T, strict=True):
            columns[f"{name}_error"] = errors
            notes[f"{name}_error"] = _error_note(name)
    if codes is not None and codes.any():
        columns["bad"] = words_of(codes)
        notes["bad"] = "Why no reference was made of the frame; empty where it is fine."
    for row in range(3):
        for column in range(3):
            name = f"m{row}{column}"
            columns[name] = matrices[:, row, column]
            notes[name] = "Entry of the matrix from pixels (row, column, 1) of the result."
    return Table("alignment", "frame", columns, notes)


def plots_of(table: Table, motion: Motion, count: int) -> tuple[Plot, ...]:
    """Translation, rotation and scale against the frame."""
    if count < 2:
        return ()
    abscissa = "time" if "time" in table.columns else "frame"
    label = table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame"
    plots = [
        Plot(
            "Translation",
            table.name,
            abscissa,
            (Curve("row", label="rows"), Curve("column", label="columns")),
            label,
            "Shift (px)",
        )
    ]
    if motion != "translation":
        plots.append(
            Plot(
                "Rotation", table.name, abscissa, (Curve("rotation"),), label, "Rotation (degrees)"
            )
        )
    if motion in ("similarity", "affine", "homography"):
        plots.append(Plot("Scale", table.name, abscissa, (Curve("scale"),), label, "Scale"))
    return tuple(plots)


def history_of(found: Alignment) -> tuple[Table, tuple[Plot, ...]]:
    """Error, step and motion of every iteration of one alignment."""
    past = found.history
    number = np.arange(1, len(past) + 1)
    level, cost, step, motion, damping = past.T if len(past) else np.empty((5, 0))
    table = Table(
        "history",
        "iteration",
        {
            "iteration": number,
            "level": level.astype(np.int64),
            "error": cost,
            "step": step,
            "motion": motion,
            "damping": damping,
        },
        {
            "iteration": "Number of the iteration, from 1.",
            "level": "Level of the pyramid; 0 is the finest.",
            "error": "Root mean cost, in the image's values.",
            "step": "Root mean square step of the template's corners, in pixels.",
            "motion": "Their motion since the level began, in pixels.",
            "damping": "Levenberg-Marquardt damping.",
        },
    )
    plots = (
        Plot("Error", "history", "iteration", (Curve("error"),), "Iteration", "Error"),
        Plot(
            "Motion",
            "history",
            "iteration",
            (Curve("step", label="step"), Curve("motion", label="since the level began")),
            "Iteration",
            "Motion (px)",
        ),
    )
    return table, plots


def summary_of(
    stack: Stack,
    matrices: Array,
    alignments: Alignments | None,
    to: str,
    table: Table,
    faults: tuple[str, ...] = (),
) -> str:
    """The result in words."""
    count = len(matrices)
    known = np.isfinite(matrices).all(axis=(1, 2))
    if not known.any():
        return " ".join((f"Nothing could be aligned of {stack.name}.", *faults))
    row, column = table.columns["row"][known], table.columns["column"][known]
    turn = np.abs(table.columns["rotation"][known]).max()
    if alignments is None:
        return f"{counted(count, 'frame')} of {stack.name} moved by known transforms."
    if count == 1:
        return (
            f"{stack.name} aligned to {to}: {row[0]:+.3f} rows, {column[0]:+.3f} columns, rotation "
            f"{table.columns['rotation'][0]:+.3f} degrees, scale {table.columns['scale'][0]:.5f}, "
            f"within {alignments.columns['motion_error'][0]:.2g} px; correlation "
            f"{alignments.columns['correlation'][0]:.4f}."
        )
    converged = int((alignments.status == Status.CONVERGED).sum())
    return (
        f"{converged:,} of {count:,} frames aligned to {to}; shifts {row.min():+.2f} to "
        f"{row.max():+.2f} rows and {column.min():+.2f} to {column.max():+.2f} columns, rotation "
        f"up to {turn:.2f} degrees; median correlation "
        f"{np.nanmedian(alignments.columns['correlation']):.4f}."
    )


def diagnostics_of(
    stack: Stack, alignments: Alignments, faults: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """What the user should know before trusting the numbers; first, which image is at fault."""
    said = list(faults)
    numbers = np.asarray(stack.frame_numbers)
    for status in Status:
        which = numbers[alignments.status == status]
        if status == Status.CONVERGED or not len(which):
            continue
        named = ", ".join(map(str, which[:5])) + (" ..." if len(which) > 5 else "")
        frames = f"Frame {named}" if len(which) == 1 else f"{len(which):,} frames ({named})"
        frames = stack.name if len(numbers) == 1 else frames
        said.append(f"{frames}: {status.word}. {status.sentence}")
    said += chain_notes(stack, alignments)
    correlation = alignments.columns["correlation"]
    known = correlation[np.isfinite(correlation)]
    if len(known) > 4:
        # Fisher's z is spread evenly, near a correlation of one as well.
        z = np.arctanh(np.clip(correlation, -0.999999, 0.999999))
        middle = np.nanmedian(z)
        scale = 1.4826 * np.nanmedian(np.abs(z - middle))
        low = numbers[np.nan_to_num(z - middle) < -_DOUBTFUL * max(scale, 0.1)]
        if len(low):
            named = ", ".join(map(str, low[:5])) + (" ..." if len(low) > 5 else "")
            said.append(
                f"Some frames correlate far less than the others, {len(low):,} of "
                f"{len(numbers):,} ({named}): look at them."
            )
    return tuple(said)


def _error_note(name: str) -> str:
    if name in ("row", "column"):
        return f"Standard error of the shift along {name}s, in pixels."
    if name == "rotation":
        return "Standard error of the rotation, in radians."
    if name == "log_scale":
        return "Standard error of the logarithm of the scale."
    return f"Standard error of {name}, counted from the template's centre."

"""What is said of motion that is left: tables, plots, words."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.residual_motion.passes import Judgement

_SHOWN_SCORES = 3
_AXES = ("plane", "row", "column")


def component_table(found: Judgement) -> Table:
    """A row per component, those of most variance first."""
    parts = found.components
    axes = _AXES[3 - found.extremes.ndim + 2 :]
    columns: dict[str, Array] = {
        "component": np.arange(1, len(parts) + 1),
        "share": found.shares,
        "motion": np.array([each.motion if each.moves else 0.0 for each in parts]),
        "varies": np.array([_word(each.found, each.moves) for each in parts]),
    }
    notes = {
        "component": "Number of the principal component, from 1.",
        "share": "Part of the variance over the frames.",
        "motion": "Root mean square motion that it stands for, in pixels.",
        "varies": "What varies: motion, or brightness and noise, which count as none.",
        "explained": "Part of the extremes' difference that a shift takes away.",
        "local": "Motion of parts of the frame beyond the common shift, in pixels.",
    }
    for axis, name in enumerate(axes):
        columns[f"{name}_shift"] = np.array([each.shift[axis] for each in parts])
        columns[f"{name}_error"] = np.array([each.error[axis] for each in parts])
        notes[f"{name}_shift"] = (
            f"Shift along {name}s of the highest against the lowest, in pixels."
        )
        notes[f"{name}_error"] = "Its standard error."
    columns["explained"] = np.array([each.explained for each in parts])
    columns["local"] = np.array([each.local for each in parts])
    return Table("residual_motion", "object", columns, notes)


def score_table(stack: Stack, found: Judgement) -> Table:
    """A row per frame: how much of each component is in it."""
    columns, notes = frame_columns(stack)
    for k, scores in enumerate(found.scores.T):
        columns[f"score_{k + 1}"] = np.where(found.usable, scores, np.nan)
        notes[f"score_{k + 1}"] = f"Score of component {k + 1}, in the frames' values."
    return Table("scores", "frame", columns, notes)


def component_plot(table: Table) -> Plot:
    """Motion of every component."""
    return Plot(
        "Motion left",
        table.name,
        "component",
        (Curve("motion", label="motion"), Curve("local", label="beyond a common shift")),
        "Component",
        "Motion (px)",
    )


def score_plot(table: Table, found: Judgement) -> Plot:
    """Scores against the frame."""
    abscissa = "time" if "time" in table.columns else "frame"
    return Plot(
        "Scores",
        table.name,
        abscissa,
        tuple(
            Curve(f"score_{k + 1}", label=f"component {k + 1}")
            for k in range(min(_SHOWN_SCORES, found.scores.shape[1]))
        ),
        table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame",
        "Score",
    )


def sentence_of(found: Judgement) -> str:
    """The number in words."""
    if not np.isfinite(found.motion):
        return "How much motion is left can't be told: no component's extremes can be registered."
    least = ""
    if np.isfinite(found.least):
        least = f"; motion that is in the noise, below about {found.least:.2g} px, would not show"
    return (
        f"{found.motion:.2g} px of motion are left (root mean square over the frames; at most "
        f"{found.upper:.2g} px with 95 % confidence{least})."
    )


def diagnostics_of(found: Judgement) -> tuple[str, ...]:
    """What should be known of the number."""
    said = []
    missing = sum(not each.found for each in found.components)
    if missing:
        said.append(
            f"Extremes of {missing:,} of {len(found.components):,} components could not be "
            "registered: motion in them does not count."
        )
    if found.black:
        said.append(
            f"Black borders were left out: {100 * found.black:.3g} % of the pixels are not shown "
            "by nearly all frames."
        )
    empty = int((~found.usable).sum())
    if empty:
        what = "without data, or of one value,"
        said.append(f"{counted(empty, 'frame', f'{what} was', f'{what} were')} left out.")
    return tuple(said)


def _word(found: bool, moves: bool) -> str:
    if not found:
        return "not known"
    return "motion" if moves else "brightness or noise"

"""What deconvolution says: tables, plots, a summary, and what its residual shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_framewise.framework.channels import channel_names
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics.deconvolution import Restored, Verdict, noise_gain_of
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.deconvolution.parameters import DeconvolutionParameters
from napari_framewise.tools.deconvolution.task import Task

_SAID = 5
NOTES = {
    "iterations": "How many it took.",
    "residual": "Root mean square of frame minus blurred result, in the frame's values.",
    "noise": "Standard deviation of the noise, stated or measured, in the frame's values.",
    "outliers": "Pixels that no scene can explain through this PSF: they count as missing.",
    "regularisation": "Weight of the regularisation; of gradient consensus the share that moved.",
    "freedom": "Share of the data's degrees of freedom that the scene takes up, where the weight "
    "of total variation follows from it: the residual is that much smaller than the noise.",
    "neighbours": "Correlation of the residual's neighbours: 0 for white noise.",
    "swing": "Mean excess past the frame's values, over their range.",
    "verdict": "What can be said of the result.",
}


def frames_table(stack: Stack, ended: Sequence[Sequence[Restored]]) -> Table:
    """A row for every frame that ended."""
    chosen = stack
    if len(ended) != stack.n_frames:
        numbers = stack.frame_numbers
        frames = (numbers.start, numbers.start + len(ended) * numbers.step, numbers.step)
        chosen = stack.select(replace(stack.selection, frames=frames))
    columns, notes = frame_columns(chosen)
    names = channel_names(stack)
    for channel in range(len(ended[0]) if ended else 0):
        end = f"_{names[channel]}" if names else ""
        found = [each[channel] for each in ended]
        columns |= {f"{name}{end}": values for name, values in measures(found).items()}
        notes |= {f"{name}{end}": note for name, note in NOTES.items()}
    return Table("deconvolution", "frame", columns, notes)


def measures(found: Sequence[Restored]) -> dict[str, Array]:
    """What is measured of restored frames, by column."""
    return {
        "iterations": np.array([each.iterations for each in found]),
        "residual": np.array([each.residual for each in found]),
        "noise": np.array([each.noise for each in found]),
        "outliers": np.array([each.outliers for each in found], np.int64),
        "regularisation": np.array([each.weight for each in found]),
        "freedom": np.array([each.freedom for each in found]),
        "neighbours": np.array([each.evidence.neighbours for each in found]),
        "swing": np.array([each.evidence.swing for each in found]),
        "verdict": np.array([each.verdict.word for each in found]),
    }


def course_table(course: Sequence[Restored]) -> Table:
    """A row for every iteration of the frame that is watched."""
    return Table(
        "iterations",
        "iteration",
        {
            "iteration": np.array([each.iterations for each in course], np.int64),
            "objective": np.array([each.objective for each in course]),
            "residual": np.array([each.residual for each in course]),
            "noise": np.array([each.noise for each in course]),
            "change": np.array([each.change for each in course]),
            "regularisation": np.array([each.weight for each in course]),
            "restarts": np.array([each.restarts for each in course], np.int64),
        },
        {
            "objective": "What is made small: half the sum of squares of the residual, plus the "
            "weight times the total variation; of Richardson-Lucy the Kullback-Leibler distance.",
            "change": "Root mean square of the change, over the frame's standard deviation.",
            "restarts": "How often FISTA's acceleration was begun anew.",
            **{name: NOTES[name] for name in ("residual", "noise", "regularisation")},
        },
    )


def plots(frames: int, course: int) -> tuple[Plot, ...]:
    """Plots of the two tables, as far as there is something to see."""
    found = []
    if course > 1:
        residual = (Curve("residual", label="residual"), Curve("noise", label="noise"))
        found += [
            Plot("Residual", "iterations", "iteration", residual, "Iteration", "Values",
                 log_y=True),
            Plot("Objective", "iterations", "iteration", (Curve("objective"),), "Iteration",
                 "Objective", log_y=True),
            Plot("Change", "iterations", "iteration", (Curve("change"),), "Iteration",
                 "Change / standard deviation", log_y=True),
        ]  # fmt: skip
    if frames > 1:
        found.append(Plot("Iterations", "deconvolution", "frame", (Curve("iterations"),), "Frame",
                          "Iterations"))  # fmt: skip
    return tuple(found)


def diagnostics(
    stack: Stack, ended: Sequence[Sequence[Restored]], task: Task, given: Sequence[str] = ()
) -> tuple[str, ...]:
    """What should be known before the result is trusted."""
    said = list(given)
    numbers = np.asarray(stack.frame_numbers)[: len(ended)]
    for verdict in Verdict:
        if not verdict.sentence:
            continue
        which = [
            int(number)
            for number, each in zip(numbers, ended, strict=True)
            if any(one.verdict is verdict for one in each)
        ]
        if not which:
            continue
        named = ", ".join(map(str, which[:_SAID])) + (" ..." if len(which) > _SAID else "")
        where = "" if stack.n_frames == 1 else f"{len(which):,} frames ({named}): "
        said.append(f"{where}{verdict.sentence}")
    every = [one for each in ended for one in each]
    said += what_was_found(every)
    first = task.prepared[0]
    if first.settings.method == "inverse":
        gain = noise_gain_of(first)
        said.append(
            f"The inverse multiplies the standard deviation of white noise by {gain:.3g}: its map "
            "by frequency is the layer 'noise amplification'."
        )
    return tuple(said)


def what_was_found(ended: Sequence[Restored]) -> list[str]:
    """What was found of noise and outliers, so that it can be judged."""
    said = []
    lost = sum(one.outliers for one in ended)
    if lost:
        said.append(
            f"{lost:,} pixels stand out of their neighbours by more than noise, and more than any "
            "scene could through this PSF: they count as missing. Of a sharp scene they are its "
            "points of light, and the PSF is too wide."
        )
    growth = float(np.median([one.growth for one in ended])) if ended else 1.0
    if growth > 1:
        said.append(
            f"The noise grows with brightness, as that of photons does: its variance is "
            f"{growth:,.3g} times as large in the brightest tenth as in the darkest. Its mean is "
            "taken."
        )
    times = float(np.median([one.correlation for one in ended])) if ended else 1.0
    if times > 1:
        said.append(
            f"The noise is correlated over pixels: {times:,.3g} times as large as neighbours show "
            "it, by what lies at frequencies that the PSF lets no light through. If it is not, "
            "this is the scene, and the PSF is too wide: then state the noise."
        )
    return said


def summary(stack: Stack, ended: Sequence[Sequence[Restored]], method: str) -> str:
    """The result in one or two sentences."""
    every = [one for each in ended for one in each]
    known = [one for one in every if one.verdict not in (Verdict.NO_DATA, Verdict.FLAT)]
    count = "1 frame" if len(ended) == 1 else f"{len(ended):,} frames"
    if not known:
        return f"{stack.name}: no frame of {len(ended):,} holds anything to restore."
    iterations = sorted(one.iterations for one in known)
    taken = f"{iterations[0]:,}" if iterations[0] == iterations[-1] else (
        f"{iterations[0]:,} to {iterations[-1]:,}"
    )  # fmt: skip
    plural = "" if iterations[-1] == 1 else "s"
    residual = float(np.median([one.residual for one in known]))
    noise = float(np.median([one.noise for one in known]))
    return (
        f"{count} of {stack.name} restored by {METHODS[method]} in {taken} iteration{plural}; "
        f"residual {residual:.4g} beside noise of {noise:.4g}."
    )


def methods(parameters: DeconvolutionParameters) -> str:
    """Sentence for the methods part of a paper."""
    if parameters.side_by_side:
        return "All methods of deconvolution were compared on a part of one frame."
    border = {
        "unknown": "no assumption about what lies past the border",
        "reflect": "reflected borders",
        "nearest": "repeated border pixels",
        "zero": "zeros past the border",
        "periodic": "periodic borders",
    }["periodic" if parameters.method == "inverse" else parameters.boundary]
    weight = parameters.weight
    chosen = ""
    if parameters.method in ("tv", "tv_fista", "tikhonov"):
        chosen = (
            ", the weight by the discrepancy principle"
            if weight is None
            else f", weight {weight:g}"
        )
    noise = "measured in each frame" if parameters.noise is None else f"{parameters.noise:g}"
    return (
        f"Frames were deconvolved by {METHODS[parameters.method]} with {border}{chosen} (noise "
        f"{noise})."
    )


METHODS = {
    "tv": "total variation (ADMM)",
    "tv_fista": "total variation (FISTA)",
    "richardson_lucy": "Richardson-Lucy",
    "gradient_consensus": "Richardson-Lucy with gradient consensus",
    "landweber": "Landweber's gradient descent",
    "wiener": "Wiener's filter",
    "tikhonov": "Tikhonov regularisation",
    "inverse": "division of Fourier spectra",
}


def decibels(values: Array) -> Array:
    """Amplification in decibels, for an image of it; infinite ones as the largest that is not."""
    finite = values[np.isfinite(values)]
    top = float(finite.max()) if finite.size else math.e
    return np.asarray(20 * np.log10(np.minimum(values, top)))

"""What is said of a flow: the table of pairs, directions, plots, summary and diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.tools.flow.blocks import BINS, PairResult
from napari_framewise.tools.flow.pairs import Pairs
from napari_framewise.tools.flow.units import Motion

_TABLE, _DIRECTIONS = "flow", "directions"
# Gradient sigma in pixels from which on the confidence is known to be too high.
_WIDE = 1.5


def pair_table(pairs: Pairs, results: Sequence[PairResult], motion: Motion) -> Table:
    """A row per pair of frames."""
    numbers = np.asarray(
        pairs.first_numbers if pairs.task.reference is None else pairs.second_numbers
    )
    columns: dict[str, Array] = {
        "pair": numbers,
        "first_frame": np.asarray(pairs.first_numbers),
        "second_frame": np.asarray(pairs.second_numbers),
    }
    notes = {
        "pair": "Number of the frame that the pair is shown at.",
        "first_frame": "Number of the first frame, from 0.",
        "second_frame": "Number of the second frame, from 0.",
    }
    for place, axis in enumerate(pairs.grid.axes):
        for kind in ("mean", "median"):
            columns[f"{kind}_{axis.name}"] = np.array(
                [getattr(result, kind)[place] for result in results]
            )
            notes[f"{kind}_{axis.name}"] = (
                f"{kind.title()} displacement of confident pixels along {axis.name}, in pixels."
            )
    sizes = np.array([result.magnitude for result in results]).reshape(len(results), 4)
    for place, kind in enumerate(("mean", "median")):
        columns[f"{kind}_magnitude"] = sizes[:, place]
        notes[f"{kind}_magnitude"] = f"{kind.title()} size of their displacement, in pixels."
        if motion.unit is not None:
            columns[f"{kind}_length"] = sizes[:, 2 + place]
            notes[f"{kind}_length"] = f"The same in {motion.unit}."
        if motion.speed is not None:
            columns[f"{kind}_speed"] = motion.speed * sizes[:, 2 + place]
            notes[f"{kind}_speed"] = f"{kind.title()} speed, in {motion.speed_unit}."
    columns["confident"] = np.array([result.confident for result in results])
    columns["usable"] = np.array([result.usable for result in results])
    for name in ("unseen", "repeating"):
        columns[name] = np.array([getattr(result, name) for result in results])
    columns["residual"] = np.array([result.residual for result in results])
    notes["confident"] = "Share of the pixels that are confident."
    notes["usable"] = "Share of the pixels with data in both frames, at both ends of the flow."
    notes["unseen"] = (
        "Share of the usable pixels where no motion can be told from noise in any direction."
    )
    notes["repeating"] = (
        "Share of the usable pixels where the image looks the same some pixels on, so that another "
        "motion is as likely."
    )
    notes["residual"] = (
        "Root mean square of what the warped second frame leaves of the first, in intensities."
    )
    return Table(_TABLE, "pair", columns, notes)


def direction_table(results: Sequence[PairResult]) -> Table:
    """Share of the moving confident pixels in each direction, over all pairs."""
    counts = np.sum([result.directions for result in results], axis=0, dtype=np.int64)
    total = max(1, int(counts.sum()))
    return Table(
        _DIRECTIONS,
        "object",
        {
            "direction": (np.arange(BINS) + 0.5) * 360 / BINS,
            "share": np.asarray(counts / total),
        },
        {
            "direction": "Middle of a bin of 10 degrees, from the right counter-clockwise.",
            "share": "Share of the confident pixels that move by more than 0.05 px.",
        },
    )


def plots_of(results: Sequence[PairResult], motion: Motion) -> tuple[Plot, ...]:
    """Magnitude against the frame, and the histogram of directions."""
    kind = "speed" if motion.speed is not None else "magnitude"
    unit = motion.speed_unit if motion.speed is not None else "pixels per frame"
    curves = (Curve(f"mean_{kind}", label="mean"), Curve(f"median_{kind}", label="median"))
    against = Plot(
        f"{kind.title()} of the motion", _TABLE, "pair", curves, "frame", f"{kind} ({unit})"
    )
    rose = Plot(
        "Directions of the motion",
        _DIRECTIONS,
        "direction",
        (Curve("share", label="share"),),
        "direction (degrees, counter-clockwise from the right)",
        "share of moving pixels",
    )
    return (against, rose) if len(results) > 1 else (rose, against)


def summary_of(pairs: Pairs, results: Sequence[PairResult], motion: Motion) -> str:
    """The result in a sentence or two."""
    sizes = np.array([result.magnitude for result in results]).reshape(len(results), 4)
    if not np.isfinite(sizes).any():
        return f"No pixel moved in a way that can be trusted{_unseen(results)}."
    median = float(np.nanmedian(sizes[:, 1]))
    share = 100 * float(np.mean([result.confident for result in results]))
    length = ""
    if motion.speed is not None:
        length = f" ({motion.speed * float(np.nanmedian(sizes[:, 3])):.3g} {motion.speed_unit})"
    elif motion.unit is not None:
        length = f" ({float(np.nanmedian(sizes[:, 3])):.3g} {motion.unit})"
    what = "The pair moved" if len(results) == 1 else f"{len(results):,} pairs moved"
    mean = np.nanmean([result.mean for result in results], axis=0)
    parts = ", ".join(
        f"{value:+.3g} along {axis.name}" for value, axis in zip(mean, pairs.grid.axes, strict=True)
    )
    return (
        f"{what} by a median of {median:.3g} pixels{length}, on average {parts}; {share:.0f} % of "
        f"the pixels are confident{_unseen(results)}."
    )


def _unseen(results: Sequence[PairResult]) -> str:
    """Where nothing is known of the motion, and why, from 1 % of the pixels on."""
    kept = [result for result in results if result.usable > 0]
    if not kept:
        return ""
    unseen, repeating = (
        100 * float(np.mean([getattr(result, name) for result in kept]))
        for name in ("unseen", "repeating")
    )
    said = ""
    if unseen >= 1:
        said += f"; no motion can be told from noise in {unseen:.0f} % of the pixels"
    if repeating >= 1:
        said += f"; in {repeating:.0f} % the image repeats itself, and other motions look the same"
    return said


def diagnostics_of(
    pairs: Pairs, results: Sequence[PairResult], notes: Sequence[str] = ()
) -> tuple[str, ...]:
    """What to know before trusting it."""
    found = list(notes)
    sigma = pairs.task.settings.gradient_sigma
    if sigma >= _WIDE:
        found.append(
            f"With a gradient sigma of {sigma:g} pixels more of the pixels called confident are "
            "wrong than the 5 % it stands for: up to half, in small frames whose light varies."
        )
    nothing = sum(result.usable == 0 for result in results)
    if nothing:
        found.append(
            counted(
                nothing,
                "pair",
                "held no data in common, or its frames were no neighbours.",
                "held no data in common, or were no neighbours.",
            )
        )
    unsure = sum(result.usable > 0 and result.confident < 0.1 for result in results)
    if unsure:
        found.append(
            f"In {counted(unsure, 'pair')} less than a tenth of the pixels is confident: the "
            "frames may be too different, too flat, too noisy, or too far apart. Elsewhere the "
            "flow is the smooth extension of what is known."
        )
    reach = max(pairs.shape) / 4
    far = sum(result.largest > reach for result in results)
    if far:
        found.append(
            f"In {counted(far, 'pair')} something moves by more than a quarter of the frame."
        )
    return tuple(found)

"""What is said of a bleach correction: the table of frames, the fits, the plot, the summary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.masks import Measured
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics.bleaching import Decay, misfit_of
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.scaling import by_channel

NOT_FOR_MEASURING = (
    "Histogram matching changes the proportions of pixels: use the result to segment or to track, "
    "not to measure intensity."
)

_FULL = {2.0**bits - 1 for bits in (8, 10, 12, 14, 16)}


def times_of(given: Measured) -> tuple[Array, str]:
    """Times of the frames, and the unit of a half-life."""
    columns, notes = frame_columns(given.stack)
    if "time" in columns:
        unit = notes["time"].rpartition(" in ")[2].rstrip(".")
        return np.asarray(columns["time"], np.float64), unit
    return np.asarray(columns["frame"], np.float64), "frames"


def frame_table(
    given: Measured, means: Array, gains: Array | None, decays: tuple[Decay, ...]
) -> Table:
    """One row per frame: its mean, the curve, and the factor that it was multiplied by."""
    columns, notes = frame_columns(given.stack)
    times, _ = times_of(given)
    for channel, suffix in enumerate(given.columns):
        columns[f"mean{suffix}"] = means[:, channel]
        notes[f"mean{suffix}"] = "Mean of the measured pixels before the correction, counts."
        if decays:
            columns[f"fit{suffix}"] = decays[channel](times)
            notes[f"fit{suffix}"] = "The decay that was fitted to the means, counts."
        if gains is not None:
            columns[f"gain{suffix}"] = gains[:, channel]
            notes[f"gain{suffix}"] = "What differences from the background were multiplied by."
    return Table("bleaching", "frame", columns, notes)


def decay_table(given: Measured, decays: tuple[Decay, ...]) -> Table:
    """One row per channel: the decay with its errors."""
    _, unit = times_of(given)
    notes = {
        "channel": "Name of the channel.",
        "half_life": f"Time in which half of what bleaches is gone, {unit}.",
        "half_life_error": f"Its standard error, {unit}; of noise that is independent in time.",
        "rate": f"Rate of the decay, per {unit}.",
        "rate_error": "Its standard error.",
        "amplitude": "What bleaches, at the first frame, counts.",
        "amplitude_error": "Its standard error, counts.",
        "level": "What remains, counts; 0 where it was not fitted.",
        "level_error": "Its standard error, counts.",
        "bleached": "Share of the first frame's value that is gone at the last.",
        "rmse": "Root mean square of what the curve leaves of the means, counts.",
    }
    columns: dict[str, Array] = {"channel": np.array(given.names or ("all",))}
    for name in list(notes)[1:]:
        columns[name] = np.array([getattr(decay, name) for decay in decays])
    return Table("decay", "object", columns, notes)


def brightness_plot(given: Measured, table: Table, fitted: bool) -> Plot:
    """Means, and the curve through them, against the frame or the time."""
    abscissa = "time" if "time" in table.columns else "frame"
    names = ("mean", "fit") if fitted else ("mean",)
    curves = tuple(
        Curve(f"{name}{suffix}", None, f"{name} {suffix[1:]}".strip())
        for suffix in given.columns[:3]
        for name in names
    )
    label = table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame"
    return Plot("Brightness", table.name, abscissa, curves, label, "Mean, counts")


def summary_of(given: Measured, means: Array, decays: tuple[Decay, ...]) -> str:
    """The result in words."""
    if not np.isfinite(means).any():
        return "No frame held a pixel to go by."
    if decays:
        _, unit = times_of(given)
        texts = [
            f"half-life {decay.half_life:.4g} ± {decay.half_life_error:.2g} {unit}, "
            f"{100 * decay.bleached:.3g} % gone at the end"
            for decay in decays
        ]
        return f"{by_channel(given.names, texts, '; ')}."
    texts = []
    for channel in means.T:
        known = channel[np.isfinite(channel)]
        texts.append(f"mean {known[0]:.5g} to {known[-1]:.5g}" if len(known) else "no data")
    count = counted(len(means), "frame")
    return f"{by_channel(given.names, texts, '; ')} before the correction, {count}."


def diagnostics_of(
    given: Measured,
    means: Array,
    gains: Array | None,
    decays: tuple[Decay, ...],
    background: float,
) -> tuple[str, ...]:
    """What the user should know before trusting the numbers."""
    numbers = given.stack.frame_numbers
    said = [NOT_FOR_MEASURING] if gains is None else []
    for channel, decay in enumerate(decays):
        name = given.names[channel] if given.names else ""
        said += [
            f"{name} {text}".strip()
            for text in _of_fit(decay, means[:, channel], times_of(given)[0], numbers, background)
        ]
    held = np.isfinite(means if gains is None else gains).all(axis=1)
    lost = np.flatnonzero(~held)
    if len(lost):
        above = "" if gains is None else f", or nothing above the background of {background:g},"
        said.append(
            f"{counted(len(lost), 'frame')} held no data{above} and got no result: "
            f"{_listed(lost, numbers)}."
        )
    known = np.array([]) if gains is None else gains[np.isfinite(gains)]
    if len(known) and known.max() > 5:
        said.append(
            f"The darkest frame was multiplied by {known.max():.3g}, and its noise with it."
        )
    return tuple(said)


def _of_fit(
    decay: Decay, means: Array, times: Array, numbers: Sequence[int], background: float
) -> list[str]:
    """What the residuals of a decay say of it."""
    said = []
    if not decay.settled:
        said.append(
            "The means hardly bend, or fall within a frame: half-life and level are not told by "
            "the data, only the curve between the first and last frame is."
        )
    misfit = misfit_of(decay, means, times)
    if misfit.lasts:
        said.append(
            "The means do not follow one exponential: what it leaves lasts over frames "
            f"(correlation of neighbours {misfit.correlation:.2f}), as with a second phase, a "
            "flash or a lamp that changes; the half-life is only a summary, and its error too "
            "small."
        )
    if misfit.outliers:
        said.append(
            f"{counted(len(misfit.outliers), 'frame', 'lies', 'lie')} more than six times the "
            f"scatter of the others off the curve, and pulled it: "
            f"{_listed(misfit.outliers, numbers)}."
        )
    light = decay(times) - background
    faint = np.flatnonzero(light < 3 * misfit.scatter)
    if len(faint):
        said.append(
            f"In {counted(len(faint), 'frame')} the curve lies less than three times the scatter "
            f"of the means above the background, so that their gain is noise: "
            f"{_listed(faint, numbers)}."
        )
    return said


def range_notes(given: Measured, largest: Array, flat: Array, matched: bool) -> tuple[str, ...]:
    """A word where pixels stand at the end of a detector's range, or a frame is of one value."""
    said = []
    top = float(np.nanmax(largest)) if np.isfinite(largest).any() else 0.0
    if given.stack.dtype.kind == "u" and top in _FULL:
        full = int((largest == top).any(axis=1).sum())
        said.append(
            f"In {counted(full, 'frame')} pixels stand at {top:.0f}, the end of a detector's "
            "range: where they are saturated the light was more, and bleaching is taken for slower "
            "than it is; measure a region without them."
        )
    alike = np.flatnonzero(flat.any(axis=1))
    if matched and len(alike):
        said.append(
            f"{counted(len(alike), 'frame', 'holds', 'hold')} one value alone, which has no "
            "histogram to match and became the largest of the reference frame: "
            f"{_listed(alike, given.stack.frame_numbers)}."
        )
    return tuple(said)


def _listed(places: Sequence[int] | Array, numbers: Sequence[int]) -> str:
    """The first five frames by number."""
    return ", ".join(str(numbers[k]) for k in places[:5]) + (" ..." if len(places) > 5 else "")

"""What is said of a bleach correction: the table of frames, the fits, the plot, the summary."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.masks import Measured
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics.bleaching import Decay
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.scaling import by_channel

NOT_FOR_MEASURING = (
    "Histogram matching changes the proportions of pixels: use the result to segment or to track, "
    "not to measure intensity."
)


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
    return f"{by_channel(given.names, texts, '; ')} before the correction, {len(means):,} frames."


def diagnostics_of(
    given: Measured, gains: Array | None, decays: tuple[Decay, ...], background: float
) -> tuple[str, ...]:
    """What the user should know before trusting the numbers."""
    said = []
    for name, decay in zip(given.names or ("",), decays, strict=False):
        if not decay.settled:
            said.append(
                f"{name} The means hardly bend, or fall within a frame: half-life and level are "
                "not told by the data, only the curve between the first and last frame is.".strip()
            )
    if gains is None:
        said.append(NOT_FOR_MEASURING)
        return tuple(said)
    lost = np.flatnonzero(~np.isfinite(gains).all(axis=1))
    if len(lost):
        names = ", ".join(map(str, lost[:5])) + (" ..." if len(lost) > 5 else "")
        said.append(
            f"{len(lost):,} frame{'s' if len(lost) > 1 else ''} held no data, or nothing above the "
            f"background of {background:g}, and got no result: {names}."
        )
    known = gains[np.isfinite(gains)]
    if len(known) and known.max() > 5:
        said.append(
            f"The darkest frame was multiplied by {known.max():.3g}, and its noise with it."
        )
    return tuple(said)

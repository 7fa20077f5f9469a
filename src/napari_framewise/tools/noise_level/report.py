"""What is said of noise: tables, plots, sentences."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics.noise import PLAIN, WHITE, Transfer
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.noise_level.passes import FIELDS

NO_TRUTH = (
    "Without a truth there is no PSNR; the mean over the standard deviation of an image is no "
    "signal-to-noise ratio, for it counts the image's structure as noise."
)
_NOTES = {
    "sigma": "Standard deviation of the white noise, in the image's units.",
    "error": "Its standard error, if nothing but white noise is in the blocks it rests on.",
    "share": "Part of the blocks of 8 x 8 pixels that it rests on: no more structure than noise.",
    "colour": "Power at middle over that at high frequencies in those: 1 for white noise.",
    "pixels": "Pixels with data.",
}
_SHOWN_CHANNELS = 4


def frame_table(stack: Stack, names: tuple[str, ...], found: Array) -> Table:
    """A row per frame, of (n, channels, fields)."""
    columns, notes = frame_columns(stack)
    for number, field in enumerate(FIELDS):
        for channel, name in enumerate(names or ("",)):
            title = "_".join(filter(None, ("sigma_error" if field == "error" else field, name)))
            columns[title], notes[title] = found[:, channel, number], _NOTES[field]
    return Table("noise", "frame", columns, notes)


def frame_plot(table: Table, names: tuple[str, ...]) -> Plot:
    """Noise against the frame."""
    abscissa = "time" if "time" in table.columns else "frame"
    suffixes = tuple(f"_{name}" for name in names[:_SHOWN_CHANNELS]) or ("",)
    return Plot(
        "Noise of every frame",
        table.name,
        abscissa,
        tuple(Curve(f"sigma{s}", f"sigma_error{s}", s[1:] or "sigma") for s in suffixes),
        table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame",
        "Standard deviation",
        "standard error",
    )


def frame_summary(stack: Stack, names: tuple[str, ...], found: Array) -> str:
    """Noise of all frames in words."""
    said = []
    for channel, name in enumerate(names or ("",)):
        sigma = found[:, channel, 0]
        known = sigma[np.isfinite(sigma)]
        lead = f"{name}: " if name else ""
        if not known.size:
            said.append(f"{lead}no frame holds enough data to tell its noise")
        elif len(known) == 1:
            error = found[np.isfinite(sigma), channel, 1][0]
            more = f" +- {error:.2g}" if np.isfinite(error) else ""
            said.append(f"{lead}noise of {known[0]:.4g}{more}")
        else:
            said.append(
                f"{lead}noise of {np.median(known):.4g} in the median of {len(known):,} frames "
                f"({known.min():.4g} to {known.max():.4g})"
            )
    return f"{stack.name}: {'; '.join(said)}. {NO_TRUTH}"


def frame_diagnostics(stack: Stack, found: Array) -> tuple[str, ...]:
    """Frames whose texture is taken for noise, or whose noise is not white."""
    said = []
    sigma, share, colour = (found[..., FIELDS.index(name)] for name in ("sigma", "share", "colour"))
    empty = ~np.isfinite(sigma).any(axis=1)
    none = (sigma == 0).any(axis=1)
    few = (~np.isfinite(share) & np.isfinite(sigma)).any(axis=1)
    doubtful = ((colour < WHITE[0]) | (colour > WHITE[1]) | (share < PLAIN)).any(axis=1)
    for which, text in (
        (empty, "held too little data to tell their noise"),
        (
            none,
            "hold no noise at all where they are plain: flat, clipped, or made by a program",
        ),
        (few, "have fewer than 16 whole blocks of 8 x 8 pixels with data: their noise is a guess"),
        (
            doubtful,
            (
                "have hardly a part without structure: texture is likely to be taken for noise, or "
                "the noise is correlated over pixels (a mosaic of colour filters, "
                "smoothing, compression)"
            ),
        ),
    ):
        numbers = np.asarray(stack.frame_numbers)[which]
        if len(numbers):
            named = ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
            said.append(f"{len(numbers):,} of {len(found):,} frames ({named}) {text}.")
    return tuple(said)


def detector_table(names: tuple[str, ...], fits: list[Transfer], flicker: float) -> Table:
    """A row per channel."""
    fields: tuple[tuple[str, list[float], str], ...] = (
        ("gain", [each.gain for each in fits], "Electrons per count."),
        ("gain_error", [each.gain_error for each in fits], "Its standard error."),
        ("slope", [each.slope for each in fits], "Variance per count of light: 1 / gain."),
        ("slope_error", [each.slope_error for each in fits], "Its standard error."),
        (
            "intercept",
            [each.intercept for each in fits],
            "Read noise squared; without dark frames minus slope times offset.",
        ),
        ("intercept_error", [each.intercept_error for each in fits], "Its standard error."),
        ("offset", [each.offset for each in fits], "Counts without light, from dark frames."),
        ("offset_error", [each.offset_error for each in fits], "Its standard error."),
        ("read_noise", [each.read_noise for each in fits], "Counts, from dark frames."),
        (
            "read_noise_electrons",
            [each.read_noise * each.gain for each in fits],
            "The same in electrons.",
        ),
        ("flicker", [flicker] * len(fits), "Standard deviation of the frames' mean, taken out."),
        ("pixels", [each.pixels for each in fits], "Pixels of the fit."),
        ("left_out", [each.left_out for each in fits], "Pixels whose variance is not of the line."),
        ("saturated", [each.saturated for each in fits], "Pixels at the top of the range."),
    )
    columns: dict[str, Array] = {"channel": np.array(names or ("all",))}
    notes = {"channel": "Name of the channel."}
    for name, values, note in fields:
        columns[name], notes[name] = np.array(values), note
    return Table("detector", "object", columns, notes)


def curve_tables(names: tuple[str, ...], fits: list[Transfer]) -> tuple[Table, ...]:
    """Variance against mean of each channel."""
    tables = []
    for name, fit in zip(names or ("",), fits, strict=True):
        columns = {
            "mean": fit.mean,
            "variance": fit.variance,
            "variance_error": fit.error,
            "fitted": fit.fitted,
        }
        notes = {
            "mean": "Mean of pixels of like brightness, in counts.",
            "variance": "Mean of their variances over the frames, in counts squared.",
            "variance_error": "Its standard error.",
            "fitted": "The line.",
        }
        title = " ".join(filter(None, ("photon transfer", name)))
        tables.append(Table(title, "object", columns, notes))
    return tuple(tables)


def curve_plots(tables: tuple[Table, ...]) -> tuple[Plot, ...]:
    """The photon transfer curve of each channel."""
    return tuple(
        Plot(
            table.name.capitalize(),
            table.name,
            "mean",
            (Curve("variance", "variance_error", "measured"), Curve("fitted", label="line")),
            "Mean, counts",
            "Variance, counts squared",
            "standard error",
        )
        for table in tables
    )


def detector_summary(stack: Stack, names: tuple[str, ...], fits: list[Transfer]) -> str:
    """Gain, offset and read noise in words."""
    said = []
    for name, fit in zip(names or ("",), fits, strict=True):
        lead = f"{name}: " if name else ""
        if not np.isfinite(fit.gain):
            said.append(f"{lead}no gain could be told")
            continue
        text = f"{lead}gain {fit.gain:.4g} +- {fit.gain_error:.1g} electrons per count"
        if np.isfinite(fit.offset):
            text += (
                f", offset {fit.offset:.5g} +- {fit.offset_error:.1g}, read noise "
                f"{fit.read_noise:.3g} counts ({fit.read_noise * fit.gain:.3g} electrons)"
            )
        else:
            text += (
                f", read noise squared minus offset over gain {fit.intercept:.4g} +- "
                f"{fit.intercept_error:.1g} (apart only with dark frames)"
            )
        said.append(text)
    return f"{stack.name}: {'; '.join(said)}. {NO_TRUTH}"


def detector_diagnostics(fits: list[Transfer], flicker: float, noise: float) -> tuple[str, ...]:
    """What speaks against the line."""
    said = []
    if any(not np.isfinite(each.gain) for each in fits):
        said.append(
            "Variance does not grow with the mean over the pixels: frames of a scene that stands "
            "still, with bright and dark parts, are needed to tell a gain."
        )
    lost = max((each.left_out / max(1, each.left_out + each.pixels) for each in fits), default=0.0)
    if lost > 0.01:
        said.append(
            f"{100 * lost:.3g} % of the pixels vary more or less than the line allows, and were "
            "left out: parts that move, blink or saturate, or a detector whose pixels differ."
        )
    if flicker > 0.2 * noise > 0:
        said.append(
            f"The frames differ in brightness by {flicker:.3g}: what all pixels follow was taken "
            "out."
        )
    return tuple(said)

"""What is said of a mixture: the table of frames, the design, the plot, the summary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics import mixing as numerics
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.mixing.design import Prepared, shares_frames
from napari_framewise.tools.mixing.parameters import MixingParameters

_CURVES = 10
_NAMED = 5


def coefficient_table(
    stack: Stack, fits: numerics.MixingFit, prepared: Prepared, parameters: MixingParameters
) -> Table:
    """One row per frame; columns for what was asked for."""
    columns, notes = frame_columns(stack)
    low, high = numerics.confidence_interval(fits)
    least, most = numerics.confidence_interval(fits, shared=True)
    bounded = bool(parameters.lowest or parameters.highest) or parameters.constraint in (
        "non_negative",
        "fully_constrained",
    )
    per_coefficient: tuple[tuple[str, Array, str, bool], ...] = (
        ("", fits.coefficients, "Share of {}.", True),
        ("_error", fits.errors, "Standard error of {}; empty where a bound holds it.", True),
        ("_interval", (high - low) / 2, "Half width of the 95 % interval of {}.", True),
        (
            "_error_dof",
            fits.error_dof,
            "Degrees of freedom of the error of {}, for Student's t.",
            parameters.errors != "classical",
        ),
        (
            "_shared_error",
            fits.shared_errors,
            "Error of {} that all frames share.",
            prepared.corrected,
        ),
        (
            "_total_interval",
            (most - least) / 2,
            "Half width of the 95 % interval of {} with the error that all frames share.",
            prepared.corrected,
        ),
        ("_free", fits.unconstrained, "Share of {} without bounds.", bounded),
        ("_free_error", fits.unconstrained_errors, "Standard error of {} without bounds.", bounded),
        ("_at_bound", fits.at_bound, "Whether a bound holds {}.", bounded),
    )
    for suffix, values, note, wanted in per_coefficient:
        if not wanted:
            continue
        for k, (symbol, name) in enumerate(zip(prepared.symbols, prepared.names, strict=True)):
            columns[symbol + suffix] = values[:, k]
            notes[symbol + suffix] = note.format(name)
    for i, first in enumerate(prepared.symbols):
        for j in range(i + 1, len(prepared.symbols)):
            name = f"covariance_{first}_{prepared.symbols[j]}"
            columns[name] = fits.covariance[:, i, j]
            notes[name] = "Covariance of the two coefficients."
    detector = parameters.detector_gain is not None
    per_frame: tuple[tuple[str, Array, str, bool], ...] = (
        ("offset", fits.offset, "Fitted background, counts.", parameters.offset),
        ("offset_error", fits.offset_errors, "Its standard error, counts.", parameters.offset),
        ("gain", fits.gain, "Sum of the fitted coefficients.", parameters.gain),
        ("gain_error", fits.gain_errors, "Standard error of the gain.", parameters.gain),
        ("rss", fits.rss, "Weighted residual sum of squares, counts squared.", True),
        ("rmse", fits.rmse, "Root mean square residual, counts.", True),
        ("r2", fits.r2, "Centred weighted R squared over the used pixels.", True),
        ("chi2", fits.chi2, "Reduced chi-square under the detector's noise.", detector),
        ("n_pixels", fits.n_pixels, "Pixels used.", True),
        ("dof", fits.dof, "Residual degrees of freedom.", True),
        ("status", fits.status, "Sum of the frame's status values; 0: a plain fit.", True),
    )
    for name, values, note, wanted in per_frame:
        if wanted:
            columns[name] = values
            notes[name] = note
    return Table("mixing", "frame", columns, notes)


def region_table(
    stack: Stack,
    fits: Sequence[numerics.MixingFit],
    prepared: Prepared,
    parameters: MixingParameters,
) -> Table:
    """One row per frame: the columns of `coefficient_table` for every region, by its number."""
    columns, notes = frame_columns(stack)
    own = tuple(columns)
    for each, found in zip(prepared.regions, fits, strict=True):
        number = each.region.number
        alone = coefficient_table(stack, found, prepared, parameters)
        for name, values in alone.columns.items():
            if name not in own:
                columns[f"{name}_{number}"] = values
                notes[f"{name}_{number}"] = f"Region {number}: {alone.notes[name]}"
    return Table("regions", "frame", columns, notes)


def design_table(prepared: Prepared) -> Table:
    """What holds for the fit as a whole: one row."""
    design = prepared.design
    columns = {
        "rank": np.array([design.rank]),
        "condition": np.array([design.condition]),
        "difference": np.array([design.difference]),
        "n_pixels": np.array([design.n_pixels]),
        "reference_pixels_left_out": np.array([design.reference_pixels_left_out]),
        "saturated_pixels_left_out": np.array([design.saturated_pixels_left_out]),
    }
    notes = {
        "rank": "Rank of the design really solved.",
        "condition": "Its condition number, columns at unit norm.",
        "difference": "Norm of the difference of two references over the used pixels, counts; of "
        "more references the smallest singular value, scaled to agree with that.",
        "n_pixels": "Pixels in use for all frames.",
        "reference_pixels_left_out": "Pixels without a finite reference, dark, flat or weight.",
        "saturated_pixels_left_out": "Pixels that a mixture may saturate.",
    }
    return Table("design", "object", columns, notes)


def region_plot(table: Table, fits: Sequence[numerics.MixingFit], prepared: Prepared) -> Plot:
    """Coefficients of the first regions with their error bands."""
    names = dict(zip(prepared.symbols, prepared.names, strict=True))
    curves = []
    for each, found in zip(prepared.regions, fits, strict=True):
        number = each.region.number
        for k in _telling(found.coefficients):
            symbol = prepared.symbols[k]
            label = f"{symbol} ({names[symbol]}), region {number}"
            curves.append(Curve(f"{symbol}_{number}", f"{symbol}_interval_{number}", label))
    return _plotted("Mixing coefficients of regions", table, tuple(curves[:_CURVES]))


def coefficient_plot(table: Table, prepared: Prepared) -> Plot:
    """Coefficients with their error bands against the frame, or against time where it is known."""
    values = np.stack([table.columns[symbol] for symbol in prepared.symbols], axis=1)
    names = dict(zip(prepared.symbols, prepared.names, strict=True))
    shown = [prepared.symbols[k] for k in _telling(values)]
    curves = tuple(Curve(each, f"{each}_interval", f"{each} ({names[each]})") for each in shown)
    return _plotted("Mixing coefficients", table, curves)


def _plotted(title: str, table: Table, curves: tuple[Curve, ...]) -> Plot:
    abscissa = "time" if "time" in table.columns else "frame"
    return Plot(
        title=title,
        table=table.name,
        x=abscissa,
        curves=curves,
        x_label=table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame",
        y_label="Coefficient",
        band="95 % interval",
    )


def summary_of(fits: numerics.MixingFit, prepared: Prepared, frame: int | None = None) -> str:
    """The result in words."""
    design = prepared.design
    said = []
    for k in _telling(fits.coefficients):
        what = f"{prepared.symbols[k]} ({prepared.names[k]})"
        values = _finite(fits.coefficients[:, k])
        if not len(values):
            continue
        errors = _finite(fits.errors[:, k])
        if frame is not None:
            error = f" ± {errors[0]:.2g}" if len(errors) else " (no error: a bound holds it)"
            said.append(f"{what} = {values[0]:.4g}{error}")
            continue
        typical = f", standard error {np.median(errors):.2g}" if len(errors) else ""
        said.append(
            f"{what}: mean {values.mean():.4g}, {values.min():.4g} to {values.max():.4g}{typical}"
        )
    if not said:
        return "No frame could be fitted."
    if frame is not None:
        return f"Frame {frame}: {'; '.join(said)}."
    what = "Smallest difference of references"
    if len(prepared.names) == 2:
        what = f"The norm of {' minus '.join(prepared.names)}"
    return (
        f"{'; '.join(said)}; over {counted(len(fits), 'frame')}. {what} = "
        f"{_counts(design.difference)} counts over {design.n_pixels:,} pixels, "
        f"rank {design.rank}, condition number {design.condition:.3g}."
    )


def region_summary(fits: Sequence[numerics.MixingFit], prepared: Prepared) -> str:
    """The mean coefficients of the first regions, in words."""
    said = []
    for each, found in zip(prepared.regions, fits, strict=True):
        means = []
        for k in _telling(found.coefficients):
            known = _finite(found.coefficients[:, k])
            mean = f"{known.mean():.4g}" if len(known) else "no answer"
            means.append(f"{prepared.symbols[k]} {mean}")
        said.append(f"region {each.region.number}: {', '.join(means)}")
    more = f" and {len(said) - _NAMED:,} more" if len(said) > _NAMED else ""
    return f"On average in {'; '.join(said[:_NAMED])}{more}."


def diagnostics_of(
    fits: numerics.MixingFit, prepared: Prepared, inputs: Inputs, parameters: MixingParameters
) -> tuple[str, ...]:
    """What the user should know before trusting the numbers."""
    design = prepared.design
    said = [*numerics.diagnostics(fits), *prepared.left_out[:_NAMED]]
    if len(prepared.left_out) > _NAMED:
        said.append(f"{len(prepared.left_out) - _NAMED:,} more regions were left out likewise.")
    for count, why in (
        (design.reference_pixels_left_out, "a reference, dark, flat or weight is not finite there"),
        (design.saturated_pixels_left_out, "a mixture may saturate there"),
    ):
        if count:
            left = counted(count, "pixel", "was", "were")
            said.append(f"{left} left out of all frames: {why}.")
    stack = inputs.stack("stack")
    said += _high_leverage(design)
    taken = sum(shares_frames(each, stack) for each in inputs.stacks("references"))
    if taken:
        said.append(
            f"{taken} references are frames of the stack itself; the coefficients of those frames "
            "share the references' noise."
        )
    if parameters.lowest and parameters.highest:
        widths = np.array(parameters.highest) - np.array(parameters.lowest)
        errors = fits.unconstrained_errors
        known = errors[np.isfinite(errors).all(axis=1)]
        if len(known) and np.any(np.median(known, axis=0) > widths / 4):
            said.append(
                "The standard error without bounds is more than a quarter of the bounds' width: "
                "the bounds, not the data, decide many coefficients."
            )
    shared = _finite(fits.shared_errors)
    if prepared.corrected and len(shared) and shared.max() > 0:
        said.append(
            f"The noise of the references moves all frames together by up to {shared.max():.2g}; "
            "averaging frames does not lessen it."
        )
    return tuple(said)


def _high_leverage(design: numerics.Design) -> list[str]:
    """Pixels that nearly fix their own fitted value, by row and column."""
    pixels = design.high_leverage_pixels
    if not len(pixels):
        return []
    places = zip(*np.unravel_index(pixels[:_NAMED], design.frame_shape), strict=True)
    named = ", ".join(
        f"({', '.join(map(str, map(int, place)))}) {design.leverage[pixel]:.2f}"
        for place, pixel in zip(places, pixels, strict=False)
    )
    more = f" and {len(pixels) - _NAMED:,} more" if len(pixels) > _NAMED else ""
    what = "pixel has" if len(pixels) == 1 else "pixels have"
    said = (
        f"{len(pixels):,} {what} a high leverage, so that few pixels tell the references apart: "
        f"{named}{more} (row, column and leverage, of at most 1); mask a pixel that is a fault of "
        "a reference."
    )
    return [said]


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _counts(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _telling(coefficients: Array) -> range:
    """Which coefficients to tell: the second of two that sum to one says nothing new."""
    count = coefficients.shape[1]
    total = _finite(coefficients.sum(axis=1))
    return range(1 if count == 2 and np.all(np.abs(total - 1) < 1e-9) else count)

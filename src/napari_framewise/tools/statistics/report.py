"""What is said of a data set: tables of channels, images, covariances and bins, plots, summary."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics import statistics as numerics
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.scaling import by_channel

_SHOWN_CHANNELS = 4


def channel_table(
    names: tuple[str, ...],
    pooled: numerics.Pooled,
    percentiles: tuple[float, ...],
    values: Array | None,
    dtype: np.dtype[Any],
) -> Table:
    """One row per channel; of integers, mean and deviation also as parts of the type's range."""
    columns: dict[str, Array] = {"channel": np.array(names or ("all",))}
    notes = {"channel": "Name of the channel."}
    with np.errstate(all="ignore"):
        off = 100 * (pooled.mean_of_stds / pooled.std - 1)
    everything: tuple[tuple[str, Array, str], ...] = (
        ("images", pooled.images, "Images with data."),
        ("pixels", pooled.count, "Pixels with data."),
        ("mean", pooled.mean, "Mean of all pixels."),
        ("std", pooled.std, "Standard deviation of all pixels, divisor N."),
        ("minimum", pooled.minimum, "Least pixel."),
        ("maximum", pooled.maximum, "Greatest pixel."),
        ("variance", pooled.variance, "Variance: within images plus between their means."),
        ("within", pooled.within, "Mean of the images' variances."),
        ("between", pooled.between, "Variance of the images' means."),
        ("between_share", pooled.between_share, "Part of the variance that lies between images."),
        ("mean_of_stds", pooled.mean_of_stds, "Average of the images' deviations: leaves it out."),
        ("mean_of_stds_off", off, "How far that is off the standard deviation, %."),
    )
    for name, column, note in everything:
        columns[name], notes[name] = column, note
    if dtype.kind in "ui":
        top = np.iinfo(dtype).max
        for name, column in (("mean", pooled.mean), ("std", pooled.std)):
            columns[f"{name}_01"] = column / top
            notes[f"{name}_01"] = f"{name} of the data divided by {top}, for a transform of those."
    if values is not None:
        for percentile, row in zip(percentiles, values, strict=True):
            columns[f"p{percentile:g}"] = row
            notes[f"p{percentile:g}"] = f"{percentile:g} % percentile of all pixels, exact."
    return Table("statistics", "object", columns, notes)


def file_columns(images: RaggedStack) -> tuple[dict[str, Array], dict[str, str]]:
    """Number, name and size of each image of a folder."""
    shapes = np.array([shape[:2] for shape in images.shapes])
    columns: dict[str, Array] = {
        "frame": np.arange(images.n_frames),
        "name": np.array(images.names),
        "rows": shapes[:, 0],
        "columns": shapes[:, 1],
    }
    return columns, {"frame": "Number of the image in the folder's order, from 0."}


def image_table(
    columns: dict[str, Array],
    notes: dict[str, str],
    names: tuple[str, ...],
    moments: numerics.Moments,
) -> Table:
    """One row per image: what it is called, then what was found."""
    everything: tuple[tuple[str, Array, str], ...] = (
        ("mean", moments.mean, "Mean."),
        ("std", moments.std(), "Standard deviation, divisor N."),
        ("minimum", moments.minimum, "Least pixel."),
        ("maximum", moments.maximum, "Greatest pixel."),
        ("pixels", moments.count, "Pixels with data."),
    )
    for title, values, note in everything:
        for channel, name in enumerate(names or ("",)):
            column = f"{title}_{name}" if name else title
            columns[column], notes[column] = values[:, channel], note
    return Table("images", "frame", columns, notes)


def covariance_table(
    names: tuple[str, ...], cross: numerics.CrossMoments, weights: numerics.Weights
) -> Table:
    """One row per pair of channels."""
    found = numerics.covariance(cross, weights)
    pairs = [(a, b) for a in range(len(names)) for b in range(a, len(names))]
    with np.errstate(all="ignore"):
        spread = np.sqrt(np.diag(found))
        correlation = found / np.outer(spread, spread)
    columns = {
        "first": np.array([names[a] for a, _ in pairs]),
        "second": np.array([names[b] for _, b in pairs]),
        "covariance": np.array([found[pair] for pair in pairs]),
        "correlation": np.array([correlation[pair] for pair in pairs]),
    }
    notes = {
        "covariance": "Over pixels with data in every channel, divisor N.",
        "correlation": "Covariance over both standard deviations.",
    }
    return Table("covariance", "object", columns, notes)


def histogram_table(names: tuple[str, ...], edges: Array, bins: Array) -> Table:
    """One row per bin."""
    columns: dict[str, Array] = {"value": (edges[:-1] + edges[1:]) / 2}
    notes = {"value": f"Middle of the bin; bins are {edges[1] - edges[0]:g} wide."}
    for channel, name in enumerate(names or ("",)):
        column = f"pixels_{name}" if name else "pixels"
        columns[column], notes[column] = bins[channel], "Pixels in the bin."
    return Table("histogram", "object", columns, notes)


def plots_of(names: tuple[str, ...], images: Table, histogram: Table | None) -> tuple[Plot, ...]:
    """Mean and spread against the image, and the histogram."""
    suffixes = tuple(f"_{name}" for name in names[:_SHOWN_CHANNELS]) or ("",)
    abscissa = "time" if "time" in images.columns else "frame"
    plots = [
        Plot(
            "Mean of every image",
            images.name,
            abscissa,
            tuple(Curve(f"mean{s}", f"std{s}", f"mean {s[1:]}".strip()) for s in suffixes),
            images.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame",
            "Value",
            "standard deviation",
        )
    ]
    if histogram is not None:
        plots.append(
            Plot(
                "Histogram",
                histogram.name,
                "value",
                tuple(Curve(f"pixels{s}", None, s[1:] or "pixels") for s in suffixes),
                "Value",
                "Pixels",
            )
        )
    return tuple(plots)


def summary_of(names: tuple[str, ...], pooled: numerics.Pooled) -> str:
    """The result in words, with what averaging standard deviations would have given."""
    if not pooled.count.any():
        return "No image holds data."
    texts = [
        f"mean {mean:.6g}, standard deviation {std:.6g}, {low:.6g} to {high:.6g}"
        for mean, std, low, high in zip(
            pooled.mean, pooled.std, pooled.minimum, pooled.maximum, strict=True
        )
    ]
    said = (
        f"{by_channel(names, texts, '; ')}; over "
        f"{counted(int(pooled.count.max()), 'pixel')} of "
        f"{counted(int(pooled.images.max()), 'image')}."
    )
    with np.errstate(all="ignore"):
        share = np.nanmax(np.where(pooled.between_share > 0, pooled.between_share, 0))
        off = 100 * np.nanmin(np.where(pooled.std > 0, pooled.mean_of_stds / pooled.std - 1, 0))
    if share < 0.001:
        return said
    return (
        f"{said} Up to {100 * share:.3g} % of the variance lies between images: averaging their "
        f"standard deviations would be {abs(off):.3g} % too low."
    )


def frame_summary(names: tuple[str, ...], found: numerics.Moments) -> str:
    """One image in words."""
    texts = [
        f"mean {mean:.6g}, standard deviation {std:.6g}, {low:.6g} to {high:.6g}"
        for mean, std, low, high in zip(
            found.mean[0], found.std()[0], found.minimum[0], found.maximum[0], strict=True
        )
    ]
    if not found.count.any():
        return "no pixel holds data."
    return f"{by_channel(names, texts, '; ')}; {counted(int(found.count.max()), 'pixel')}."


def diagnostics_of(moments: numerics.Moments) -> tuple[str, ...]:
    """Images without data, and with pixels that took no part."""
    said = []
    empty = (moments.count == 0).any(axis=1)
    partial = (moments.count < moments.in_use).any(axis=1) & ~empty
    for found, text in ((empty, "no data"), (partial, "NaN or infinite pixels: they took no part")):
        numbers = np.flatnonzero(found)
        if len(numbers):
            named = ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
            plural = "s" if len(numbers) > 1 else ""
            said.append(f"{len(numbers):,} image{plural} held {text} ({named}).")
    return tuple(said)

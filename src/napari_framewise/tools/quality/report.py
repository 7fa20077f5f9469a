"""What is said of a restoration: tables, plots, sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.numerics import quality as numerics
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.quality.blocks import Judged

NOTES = {
    "psnr": "Peak signal to noise: 10 log10(peak^2 / MSE), dB.",
    "ssim": "Structural similarity, in the variant chosen; -1 to 1.",
    "rmse": "Root of the mean squared error, in the images' units.",
    "mse": "Mean squared error.",
    "mae": "Mean absolute error.",
    "maximum": "Largest absolute error.",
    "bias": "Mean error, image minus truth.",
    "ms_ssim": "Structural similarity over five scales; NaN below 161 pixels a side.",
    "snr_mean": "Mean of the truth over the standard deviation of the error.",
    "snr_power": "10 log10(sum of truth^2 / sum of error^2), dB.",
    "snr_variance": "Variance of the truth over the variance of the error.",
    "isnr": "10 log10(MSE before / MSE), dB: what the restoration gained.",
    "gain": "What the image is multiplied by to come nearest to the truth.",
    "offset": "What is added then.",
    "matched_rmse": "RMSE after that gain and offset.",
    "matched_psnr": "PSNR after that gain and offset, dB.",
    "matched_ssim": "SSIM after that gain and offset.",
    "even_rmse": "RMSE without what varies smoothly over the frame.",
    "even_psnr": "PSNR without what varies smoothly over the frame, dB.",
    "even_ssim": "SSIM without what varies smoothly over the frame.",
    "rms_uniform": "RMS of the error that one gain and offset explains.",
    "rms_smooth": "RMS of the error that smoothly varying light explains further.",
    "rms_rough": "RMS of what is left; the three squares add up to MSE.",
    "neighbours": "Correlation of the error with that of the next pixel: 0 for white noise.",
    "with_truth": "Correlation of error and truth: negative where contrast was lost.",
    "pixels": "Pixels with data.",
    "peak": "What counts as full in PSNR and SSIM.",
}

# A gain beyond this, or one over it, is said.
_LEAST_GAIN = 0.4


def unique_names(stacks: Sequence[Stack]) -> tuple[str, ...]:
    """Names of the images, told apart where they are the same; empty for one."""
    if len(stacks) == 1:
        return ()
    names: list[str] = []
    for number, stack in enumerate(stacks):
        taken = [each.name for each in stacks].count(stack.name) > 1
        names.append(f"{stack.name} {number + 1}" if taken else stack.name)
    return tuple(names)


def joined(blocks: Sequence[Judged]) -> dict[str, Array]:
    """Columns of all frames."""
    names = blocks[0].columns if blocks else {}
    return {name: np.concatenate([each.columns[name] for each in blocks]) for name in names}


def frame_table(
    stack: Stack, names: tuple[str, ...], found: Sequence[dict[str, Array]], peak: float
) -> Table:
    """A row per frame, the columns of each restoration with its name."""
    columns, notes = frame_columns(stack)
    for name, each in zip(names or ("",), found, strict=True):
        for title, values in each.items():
            column = f"{title}_{name}" if name else title
            columns[column], notes[column] = values, NOTES[title]
    columns["peak"], notes["peak"] = np.full(stack.n_frames, peak), NOTES["peak"]
    return Table("quality", "frame", columns, notes)


def restoration_table(names: Sequence[str], found: Sequence[dict[str, Array]]) -> Table:
    """A row per restoration: means over the frames, the best PSNR first."""
    means = [{title: _mean(values) for title, values in each.items()} for each in found]
    order = sorted(range(len(means)), key=lambda n: -np.nan_to_num(means[n]["psnr"], nan=-np.inf))
    columns: dict[str, Array] = {"name": np.array([names[n] for n in order])}
    notes = {"name": "Name of the images."}
    for title in means[0]:
        columns[title] = np.array([means[n][title] for n in order])
        notes[title] = f"{NOTES[title]} Mean over the frames."
    return Table("restorations", "object", columns, notes)


def structure_tables(
    names: tuple[str, ...], judged: Sequence[Sequence[Judged]]
) -> tuple[Table, ...]:
    """Spectrum and autocorrelation of the errors, averaged over frames and channels."""
    spectrum: dict[str, Array] = {"frequency": numerics.frequencies()}
    notes = {"frequency": "Cycles per pixel, middle of a ring."}
    lags: dict[str, Array] = {}
    lag_notes = {"distance": "Pixels, along an axis."}
    for name, blocks in zip(names or ("",), judged, strict=True):
        end = f"_{name}" if name else ""
        parts = [each for block in blocks for each in block.left]
        spectrum[f"error{end}"] = _average([each.spectrum for each in parts])
        notes[f"error{end}"] = "Power of the error over its pixels; white noise: its variance."
        spectrum["truth"] = _average([each.of_truth for each in parts])
        notes["truth"] = "Power of the truth around its mean, likewise."
        for axis, line in _lines(parts).items():
            lags[f"{axis}{end}"] = line
            lag_notes[f"{axis}{end}"] = f"Correlation of the error with itself, along {axis}."
    longest = max(map(len, lags.values()), default=0)
    padded = {
        title: np.concatenate([line, np.full(longest - len(line), np.nan)])
        for title, line in lags.items()
    }
    return (
        Table("error spectrum", "object", spectrum, notes),
        Table(
            "error autocorrelation",
            "object",
            {"distance": np.arange(longest), **padded},
            lag_notes,
        ),
    )


def plots_of(
    table: Table, names: tuple[str, ...], structure: tuple[Table, ...]
) -> tuple[Plot, ...]:
    """PSNR and SSIM against the frame, spectrum and autocorrelation of the error."""
    abscissa = "time" if "time" in table.columns else "frame"
    label = table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame"
    plots = []
    for title, unit in (("psnr", "PSNR, dB"), ("ssim", "SSIM")):
        curves = tuple(
            Curve(f"{title}_{name}" if name else title, label=name or title.upper())
            for name in names or ("",)
        )
        plots.append(
            Plot(f"{title.upper()} of every frame", table.name, abscissa, curves, label, unit)
        )
    for each, x_label, y_label in zip(
        structure,
        ("Frequency, cycles per pixel", "Distance, pixels"),
        ("Power", "Correlation"),
        strict=False,
    ):
        first, *others = each.columns
        curves = tuple(Curve(name, label=name.replace("_", " ")) for name in others)
        spectrum = first == "frequency"
        plots.append(
            Plot(each.name.capitalize(), each.name, first, curves, x_label, y_label, log_y=spectrum)
        )
    return tuple(plots)


def summary_of(names: Sequence[str], found: Sequence[dict[str, Array]], peak: float) -> str:
    """The result in words, with the peak and the variant that it takes."""
    said = []
    for name, each in zip(names, found, strict=True):
        if not np.isfinite(each["rmse"]).any():
            said.append(f"{name}: no pixel has data in image and truth")
            continue
        if not np.nanmax(each["mse"]):
            said.append(f"{name}: the same as the truth")
            continue
        text = f"{name}: PSNR {_mean(each['psnr']):.2f} dB, SSIM {_mean(each['ssim']):.4f}, RMSE "
        text += f"{_mean(each['rmse']):.4g}"
        if "isnr" in each:
            text += f", ISNR {_mean(each['isnr']):+.2f} dB"
        if "even_psnr" in each and np.isfinite(_mean(each["even_psnr"])):
            text += f" (apart from light {_mean(each['even_psnr']):.2f} dB)"
        said.append(text)
    return f"{'; '.join(said)}. Peak {peak:g}."


def diagnostics_of(names: Sequence[str], found: Sequence[dict[str, Array]]) -> tuple[str, ...]:
    """What should be known before the numbers are believed."""
    said = []
    for name, each in zip(names, found, strict=True):
        empty = np.flatnonzero(each["pixels"] == 0)
        if len(empty):
            hold = counted(len(empty), "frame", "holds", "hold")
            said.append(f"{name}: {hold} no data beside the truth.")
        gain = _mean(each["gain"]) if "gain" in each else np.nan
        if gain > 0 and not _LEAST_GAIN < gain < 1 / _LEAST_GAIN:
            said.append(
                f"{name} comes nearest to the truth when it is multiplied by {gain:.4g}: if the "
                "two are in different units, only the columns matched and even compare them."
            )
        if "neighbours" in each and _mean(each["neighbours"]) > 0.2:
            said.append(
                f"{name}: the error of a pixel and the next go together (correlation "
                f"{_mean(each['neighbours']):.2f}), so structure is left in it, not noise alone."
            )
        if "ms_ssim" in each and np.isnan(each["ms_ssim"]).all() and not len(empty):
            said.append(
                f"{name}: MS-SSIM needs frames of {numerics.least_side()} pixels a side or more."
            )
    return tuple(said)


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _average(parts: Sequence[Array]) -> Array:
    every = np.concatenate(parts) if parts else np.empty((0, numerics.BINS))
    known = ~np.isnan(every)
    count = known.sum(axis=0)
    total = np.where(known, every, 0.0).sum(axis=0)
    mean = np.full(every.shape[1:], np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _lines(parts: Sequence[numerics.Leftovers]) -> dict[str, Array]:
    """Autocorrelation along each axis, from 0 outwards."""
    if not parts:
        return {}
    mean = _average([each.autocorrelation for each in parts])
    middle = tuple(length // 2 for length in mean.shape)
    names = ("planes", "rows", "columns")[-mean.ndim :]
    lines = {}
    for axis, name in enumerate(names):
        at = tuple(
            slice(middle[axis], None) if n == axis else each for n, each in enumerate(middle)
        )
        lines[name] = mean[at]
    return lines

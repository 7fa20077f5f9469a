"""What a band-pass filter says of its band: words, tables and plots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.outcome import Curve, Outcome, Plot, Table
from napari_framewise.numerics import bandpass as numerics
from napari_framewise.stacks.source import Array


@dataclass(frozen=True)
class Sampled:
    """A transfer function over pixels of a size.

    Attributes
    ----------
    response : Response
        In cycles per unit.
    spacing : tuple of float
        Size of a pixel along each axis, in that unit.
    band : Band
        Its half-power edges, peak and gain.
    unit : str
        What the frequencies are cycles of.
    """

    response: numerics.Response
    spacing: tuple[float, ...]
    band: numerics.Band
    unit: str


def report_of(sampled: Sampled, frame: Array, after: Array, number: int) -> Outcome:
    """The band in words, the transfer function, and a frame's spectrum before and after."""
    before = numerics.radial_spectrum(frame, sampled.spacing)
    spectrum = Table(
        "spectrum",
        "object",
        {
            "frequency": before.frequencies,
            "before": before.power,
            "after": numerics.radial_spectrum(after, sampled.spacing).power,
        },
        {
            "frequency": f"Cycles per {sampled.unit}.",
            "before": f"Mean power of frame {number:,} at that frequency.",
            "after": "The same of the filtered frame.",
        },
    )
    transfer = _transfer(sampled)
    label = f"Frequency (cycles per {sampled.unit})"
    gains = tuple(Curve(name, label=name) for name in transfer.columns if name != "frequency")
    powers = (Curve("before", label="before"), Curve("after", label="after"))
    plots = [Plot("Transfer function", "transfer", "frequency", gains, label, "Gain")]
    said: tuple[str, ...] = ()
    if np.isnan(before.power).all():
        said = (f"Frame {number:,} has missing pixels, so that it has no spectrum to show.",)
    else:
        plots.append(
            Plot(
                "Spectrum", "spectrum", "frequency", powers, label, "Power", log_x=True, log_y=True
            )
        )
    return Outcome(
        tables=(_band(sampled), transfer, spectrum),
        plots=tuple(plots),
        summary=in_words(sampled),
        diagnostics=said,
    )


def _transfer(sampled: Sampled) -> Table:
    frequencies = np.linspace(0, 0.5 / max(sampled.spacing), 201)
    columns = {"frequency": frequencies, "transfer": sampled.response.transfer(frequencies)}
    notes = {"frequency": f"Cycles per {sampled.unit}.", "transfer": "Gain at that frequency."}
    if isinstance(sampled.response, numerics.Gaussians):
        columns["narrow"], columns["wide"] = sampled.response.parts(frequencies)
        notes |= {"narrow": "Gain of the narrow Gaussian.", "wide": "Gain of the wide Gaussian."}
    return Table("transfer", "object", columns, notes)


def _band(sampled: Sampled) -> Table:
    band, response = sampled.band, sampled.response
    columns = {"low": band.low, "high": band.high, "peak": band.peak, "gain": band.gain}
    notes = {
        "low": f"Lower half-power edge in cycles per {sampled.unit}.",
        "high": f"Upper half-power edge in cycles per {sampled.unit}.",
        "peak": f"Frequency of the largest gain in cycles per {sampled.unit}.",
        "gain": "The largest gain.",
    }
    if isinstance(response, numerics.Gaussians):
        columns |= {"narrow": response.narrow, "wide": response.wide}
        notes |= {
            "narrow": f"Sigma of the narrow Gaussian in units of {sampled.unit}.",
            "wide": f"Sigma of the wide Gaussian in units of {sampled.unit}.",
        }
    return Table("band", "object", {k: np.array([v]) for k, v in columns.items()}, notes)


def in_words(sampled: Sampled) -> str:
    """The band in a sentence or two."""
    band, response, unit = sampled.band, sampled.response, sampled.unit
    if not math.isfinite(band.high):
        text = f"High-pass from {band.low:.4g} cycles per {unit}"
    elif band.low == 0:
        text = f"Low-pass up to {band.high:.4g} cycles per {unit}"
    else:
        octaves = math.log2(band.high / band.low)
        edges = f"{band.low:.4g} and {band.high:.4g}"
        text = f"Half power at {edges} cycles per {unit}, {octaves:.2f} octaves"
    if isinstance(response, numerics.Gaussians):
        sigmas = [s for s in (response.narrow, response.wide) if 0 < s < math.inf]
        named = " and ".join(f"{sigma:.4g}" for sigma in sigmas)
        text += f"; sigma {named} {unit}s; largest gain {band.gain:.3f}"
    return f"{text}."

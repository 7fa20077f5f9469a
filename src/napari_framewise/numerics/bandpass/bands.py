"""From half-power edges to the sigmas of a difference of Gaussians, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq

from napari_framewise.numerics.bandpass.responses import Gaussians

NARROWEST = 2.3365376
"""Ratio of the half-power edges of the narrowest difference of Gaussians, of sigmas that agree."""

_TINY, _HUGE = 1e-7, 1e12


@dataclass(frozen=True)
class Band:
    """What a difference of Gaussians lets through.

    Attributes
    ----------
    low, high : float
        Half-power edges: where the gain is ``gain / sqrt(2)``. A low-pass filter has a low edge of
        0, a high-pass filter an infinite high edge.
    peak : float
        Frequency of the largest gain; of a high-pass filter infinite.
    gain : float
        The largest gain.
    """

    low: float
    high: float
    peak: float
    gain: float


def band_of(gaussians: Gaussians) -> Band:
    """Half-power edges, peak and gain of a difference of Gaussians.

    With ``x = 2 (pi f narrow)^2`` and ``q = (wide / narrow)^2 - 1`` the gain is
    ``exp(-x) (1 - exp(-q x))``, largest at ``x = ln(1 + q) / q``.

    Parameters
    ----------
    gaussians : Gaussians
        Standard deviations in units of the spacing.

    Returns
    -------
    Band
        In cycles per unit of the spacing.

    Examples
    --------
    >>> band = band_of(Gaussians(1.0, 1.6))
    >>> round(band.high / band.low, 3), round(band.gain, 3)
    (2.412, 0.334)
    """
    narrow, wide = gaussians.narrow, gaussians.wide
    if narrow == 0:
        edge = _frequency(-math.log1p(-math.sqrt(0.5)), wide) if math.isfinite(wide) else 0.0
        return Band(edge, math.inf, math.inf, 1.0)
    if not math.isfinite(wide):
        return Band(0.0, _frequency(math.log(2) / 2, narrow), 0.0, 1.0)
    excess = (wide - narrow) * (wide + narrow) / narrow**2
    low, peak, high = _edges(excess)
    gain = -math.exp(-peak) * math.expm1(-excess * peak)
    frequencies = {"low": low, "high": high, "peak": peak}
    return Band(**{name: _frequency(x, narrow) for name, x in frequencies.items()}, gain=gain)


def gaussians_of(low: float | None, high: float | None) -> Gaussians:
    """The difference of Gaussians with these half-power edges; one Gaussian where one is None.

    Parameters
    ----------
    low, high : float or None
        Edges in cycles per unit of the spacing, above 0. Without a low edge it is a low-pass,
        without a high edge a high-pass filter.

    Returns
    -------
    Gaussians
        Standard deviations in units of the spacing.

    Raises
    ------
    ValueError
        Where an edge is not above 0, the edges are the wrong way round, none is given, or their
        ratio is less than `NARROWEST`: no difference of Gaussians is that narrow.

    Examples
    --------
    >>> gaussians = gaussians_of(0.05, 0.2)
    >>> round(gaussians.narrow, 4), round(gaussians.wide, 4)
    (0.7805, 4.5983)
    >>> round(band_of(gaussians).low, 12), round(band_of(gaussians).high, 12)
    (0.05, 0.2)
    """
    if low is None and high is None:
        raise ValueError("No edge was given; give the lower edge, the upper edge, or both.")
    for edge in (low, high):
        if edge is not None and not 0 < edge < math.inf:
            raise ValueError(f"An edge of {edge:g} was given; give a frequency above 0.")
    if low is None:
        assert high is not None
        return Gaussians(_sigma(math.log(2) / 2, high))
    if high is None:
        return Gaussians(0.0, _sigma(-math.log1p(-math.sqrt(0.5)), low))
    ratio = high / low
    if ratio <= 1:
        raise ValueError(
            f"A band from {low:g} to {high:g} was asked for; the upper edge must lie above the "
            "lower edge."
        )
    if ratio < _ratio(_TINY):
        raise ValueError(
            f"A band from {low:g} to {high:g} was asked for, {math.log2(ratio):.3f} octaves; no "
            f"difference of Gaussians is narrower than {math.log2(NARROWEST):.3f} octaves (a ratio "
            f"of {NARROWEST:.4f}): widen the band, or take a log-Gabor or Butterworth filter."
        )
    if ratio > _ratio(_HUGE):
        raise ValueError(
            f"A band from {low:g} to {high:g} was asked for; for a ratio above "
            f"{_ratio(_HUGE):,.0f} leave out the lower edge."
        )
    excess = math.exp(
        brentq(lambda log: _ratio(math.exp(log)) - ratio, math.log(_TINY), math.log(_HUGE))
    )
    narrow = _sigma(_edges(excess)[2], high)
    return Gaussians(narrow, narrow * math.sqrt(1 + excess))


def _edges(excess: float) -> tuple[float, float, float]:
    """Lower edge, peak and upper edge as ``x = 2 (pi f narrow)^2``."""
    peak = math.log1p(excess) / excess

    def over(log: float) -> float:
        x = math.exp(log)
        return math.exp(peak - x) * math.expm1(-excess * x) / math.expm1(-excess * peak) - half

    half = math.sqrt(0.5)
    top = math.log(peak)
    low = brentq(over, top - 40, top, xtol=1e-15, rtol=1e-15)
    high = brentq(over, top, math.log(peak + 10), xtol=1e-15, rtol=1e-15)
    return math.exp(low), peak, math.exp(high)


def _ratio(excess: float) -> float:
    low, _, high = _edges(excess)
    return math.sqrt(high / low)


def _frequency(x: float, sigma: float) -> float:
    return math.sqrt(x / 2) / (math.pi * sigma)


def _sigma(x: float, frequency: float) -> float:
    return math.sqrt(x / 2) / (math.pi * frequency)

"""Parameters of the band-pass filter, and the transfer function that they ask for."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import model_validator

from napari_framewise.framework.framemap import FrameMapParameters
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import bandpass as numerics
from napari_framewise.tools.common.frequencies import FrequencyParameters


class BandpassParameters(FrequencyParameters, FrameMapParameters):
    """Parameters of the band-pass filter."""

    ask: Literal["band", "sigmas"] = parameter(
        "band", "Asked by", "The edges of the band, or the sigmas of two Gaussians."
    )
    low: float | None = parameter(
        0.03,
        "Lower edge",
        "Where the power falls to half of the largest; empty for a low-pass filter.",
        gt=0,
        start=0.03,
        shown_when={"ask": "band"},
    )
    high: float | None = parameter(
        0.12,
        "Upper edge",
        "Where the power falls to half of the largest; empty for a high-pass filter.",
        gt=0,
        start=0.12,
        shown_when={"ask": "band"},
    )
    form: Literal["gaussians", "log_gabor", "butterworth"] = parameter(
        "gaussians",
        "Form",
        "Difference of Gaussians, of 1.224 octaves or more; log-Gabor, of any width; Butterworth, "
        "flat inside the band.",
        shown_when={"ask": "band"},
    )
    order: int = parameter(
        2,
        "Order",
        "How steep the edges of a Butterworth filter are.",
        ge=1,
        le=20,
        shown_when={"form": "butterworth"},
    )
    narrow: float = parameter(
        1.0,
        "Narrow sigma",
        "Of the first Gaussian, in the unit of the frequencies: pixels, the scale's unit or "
        "degrees; 0 for a high-pass filter.",
        ge=0,
        shown_when={"ask": "sigmas"},
    )
    wide: float | None = parameter(
        4.0,
        "Wide sigma",
        "Of the Gaussian that is taken away, in the same unit; empty for a low-pass filter.",
        gt=0,
        start=4.0,
        shown_when={"ask": "sigmas"},
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> BandpassParameters:
        response_of(self)
        return self


def response_of(parameters: BandpassParameters) -> numerics.Response:
    """The transfer function that is asked for.

    Raises
    ------
    ValueError
        Where there is none of that form and band.
    """
    low, high = parameters.low, parameters.high
    if parameters.ask == "sigmas":
        wide = math.inf if parameters.wide is None else parameters.wide
        return numerics.Gaussians(parameters.narrow, wide)
    if parameters.form == "gaussians" or (low is None and high is None):
        return numerics.gaussians_of(low, high)
    edges = (low or 0.0, math.inf if high is None else high)
    if parameters.form == "log_gabor":
        return numerics.LogGabor(*edges)
    return numerics.Butterworth(*edges, parameters.order)

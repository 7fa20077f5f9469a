"""Parameters of the tool that normalises frames."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import field_validator, model_validator

from napari_framewise.framework.framemap import Result, channels_parameter, result_parameter
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics import normalise as numerics

RANGED = ("min_max", "percentiles", "maximum", "dtype_range")
"""Methods that bring values to the ends of a range."""


class NormaliseParameters(Parameters):
    """Parameters of normalising."""

    method: Literal["min_max", "percentiles", "maximum", "dtype_range", "mean", "z_score"] = (
        parameter(
            "min_max",
            "Method",
            "What is brought to the ends of the range: least and greatest pixel, two percentiles, "
            "0 and the greatest pixel, or the range of the data's type. Mean brings the mean pixel "
            "(of a region) to 1; z-score brings mean and standard deviation to 0 and 1.",
        )
    )
    scope: Literal["frame", "stack"] = parameter(
        "frame",
        "Measured over",
        "Each frame by itself, or the whole stack, with the same levels for all frames.",
    )
    per_channel: bool = parameter(
        True, "Channels apart", "Measure each channel of a frame by itself."
    )
    low_percentile: float = parameter(
        0.1,
        "Low percentile",
        "Brought to the low end; exact.",
        unit="%",
        shown_when={"method": "percentiles"},
        ge=0,
        le=100,
    )
    high_percentile: float = parameter(
        99.9,
        "High percentile",
        "Brought to the high end; exact.",
        unit="%",
        shown_when={"method": "percentiles"},
        ge=0,
        le=100,
    )
    dtype: Literal["float32", "float64", "uint8", "uint16"] = parameter(
        "float32", "Type", "Type of the result; integers are rounded and clipped, never wrapped."
    )
    low: float | None = parameter(
        None,
        "Low end",
        "What levels become; empty: 0.",
        shown_when={"method": RANGED},
        group="Range",
        rare=True,
    )
    high: float | None = parameter(
        None,
        "High end",
        "Empty: 1, or the greatest number that an integer type holds.",
        start=1.0,
        shown_when={"method": RANGED},
        group="Range",
        rare=True,
    )
    clip: bool = parameter(
        False,
        "Clip",
        "Clip float results to the range; what is clipped can't be undone.",
        shown_when={"method": RANGED, "dtype": ("float32", "float64")},
        group="Range",
        rare=True,
    )
    region: tuple[int, ...] = parameter(
        (),
        "Region",
        "Rectangle to measure: first row, row behind the last, first column, column behind the "
        "last.",
        unit="pixels",
        shown_when={"method": ("min_max", "percentiles", "maximum", "mean", "z_score")},
        rare=True,
    )
    channels_along: int | None = channels_parameter()
    result: Result = result_parameter()

    @field_validator("region")
    @classmethod
    def _four(cls, region: tuple[int, ...]) -> tuple[int, ...]:
        if len(region) not in (0, 4):
            raise ValueError(
                "it should be four numbers: first row, row behind the last, first column, column "
                "behind the last"
            )
        return region

    @model_validator(mode="after")
    def _range(self) -> NormaliseParameters:
        if self.low_percentile >= self.high_percentile:
            raise ValueError(
                f"The low percentile {self.low_percentile:g} is not below the high one, "
                f"{self.high_percentile:g}; exchange them or move them apart."
            )
        if self.method == "dtype_range" and self.region:
            raise ValueError(
                "The range of the data's type needs no region; choose another method or none."
            )
        numerics.result_range(self.method, self.dtype, self.ends, clip=self.clip)
        return self

    @property
    def ranged(self) -> bool:
        """Whether the method brings values to the ends of a range."""
        return self.method in RANGED

    @property
    def ends(self) -> tuple[float, float] | None:
        """The range that was asked for; None where it was left open."""
        if self.low is None and self.high is None:
            return None
        whole = np.dtype(self.dtype).kind == "u"
        highest = float(np.iinfo(self.dtype).max) if whole else 1.0
        return (
            0.0 if self.low is None else self.low,
            highest if self.high is None else self.high,
        )

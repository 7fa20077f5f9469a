"""What bleach correction is asked for: inputs by role, and parameters."""

from __future__ import annotations

from typing import Literal

from napari_framewise.framework.framemap import Result, channels_parameter, result_parameter
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.tools.common.mask_input import mask_input

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames that grow darker."),
    mask_input("measure, such as the cell", "All pixels are corrected.", title="Region"),
)


class BleachingParameters(Parameters):
    """Parameters of bleach correction."""

    method: Literal["ratio", "exponential", "histogram"] = parameter(
        "ratio",
        "Method",
        "Ratio of means brings the mean of every frame to that of the reference frame; exponential "
        "fit divides by a decay that is fitted to the means, so that real changes stay; histogram "
        "matching gives every frame the values of the reference frame, for segmenting and "
        "tracking, not for measuring.",
    )
    reference_frame: int = parameter(
        0,
        "Reference frame",
        "Number of the frame that the others are brought to.",
        ge=0,
        shown_when={"method": ("ratio", "histogram")},
    )
    background: float = parameter(
        0.0,
        "Background",
        "Value of a pixel without light: it does not bleach. Measure it where there is no sample.",
        unit="counts",
        shown_when={"method": ("ratio", "exponential")},
    )
    level: bool = parameter(
        True,
        "Fit what remains",
        "Fit the level that the decay ends at as well; otherwise it ends at the background.",
        rare=True,
        shown_when={"method": "exponential"},
    )
    dtype: Literal["float32", "float64", "uint8", "uint16"] = parameter(
        "float32", "Type", "Type of the result; integers are rounded and clipped, never wrapped."
    )
    channels_along: int | None = channels_parameter()
    result: Result = result_parameter()

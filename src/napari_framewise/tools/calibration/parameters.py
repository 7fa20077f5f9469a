"""What a calibration asks for."""

from __future__ import annotations

from typing import Literal

from napari_framewise.framework.inputs import MASK, Input, InputValue, Kind
from napari_framewise.framework.parameters import parameter
from napari_framewise.tools.grid_nodes import GridNodesParameters

INPUTS = (
    Input(
        "images",
        Kind.STACK,
        "Images",
        "Images of a grid, each with the value that the distortion depends on.",
        most=64,
        frames="plane",
        value=InputValue("Value", per="frame", missing=0.0),
    ),
    Input(
        "reference",
        Kind.FRAME,
        "Reference",
        "Image of the same grid without distortion. Otherwise see Straight is.",
        least=0,
        folded=False,
        same_frame_as="images",
        frames="plane",
    ),
    Input(
        "nodes",
        Kind.POINTS,
        "Nodes",
        "Nodes that Grid nodes found on the images, corrected by hand or not; they are not looked "
        "for again.",
        least=0,
        lies_on="images",
        made_by=("grid_nodes",),
    ),
    Input(
        "mask",
        MASK,
        "Mask",
        "Pixels to look at in all images: not zero = use this pixel.",
        least=0,
        same_frame_as="images",
        selects=True,
    ),
)


class CalibrationParameters(GridNodesParameters):
    """Parameters of the calibration."""

    straight: Literal["auto", "lowest", "regular"] = parameter(
        "auto",
        "Straight is",
        "Where nodes should be: as in the reference, or without one as in the image of the lowest "
        "value (lowest); on a square grid that fits the image of the lowest value best (regular), "
        "which one value alone always takes.",
    )
    quantity: str = parameter("value", "Quantity", "What the values are, such as pressure.")
    unit: str = parameter("", "Unit", "Unit of the values, such as bar.")
    strength: float | None = parameter(
        None,
        "Smoothing",
        "Strength of the bending energy against the residuals; 0 goes through all nodes. By itself "
        "by generalised cross-validation.",
        ge=0,
        rare=True,
    )
    counting: Literal["least_motion", "as_given"] = parameter(
        "least_motion",
        "Rows and columns",
        "Count nodes so that they move least from image to image, or as their row and column say.",
        rare=True,
    )

"""What optical flow asks for: inputs by role and parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.flow import FlowSettings
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.flow.model import FlowModel

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "First image",
        "The frames whose pixels are followed.",
        frames=("plane", "volume"),
    ),
    Input(
        "second",
        Kind.FRAME,
        "Second image",
        "Where they are followed to: one image, or one for every frame. Without it the frames "
        "follow one another.",
        least=0,
        folded=False,
        same_frame_as="stack",
        several_frames=True,
    ),
    mask_input("follow"),
    Input(
        "others",
        Kind.STACK,
        "Move with it",
        "Further images, such as other channels, that are warped by the same flow.",
        least=0,
        most=8,
        folded=True,
    ),
    Input(
        "labels",
        Kind.LABELS,
        "Labels to move with it",
        "Labels that are warped by the same flow, by the nearest pixel.",
        least=0,
        most=8,
        folded=True,
        several_frames=True,
    ),
    Input(
        "points",
        Kind.POINTS,
        "Points to move with it",
        "Points that go along with the flow.",
        least=0,
        most=8,
        folded=True,
    ),
    Input(
        "flow",
        Kind.MODEL,
        "Known flow",
        "A flow that was estimated before, or comes from a .flo file: it is applied, nothing is "
        "estimated.",
        least=0,
        model_kind=FlowModel.kind,
    ),
)


class FlowParameters(Parameters):
    """Parameters of optical flow."""

    pairs: Literal["next", "reference"] = parameter(
        "next",
        "Pairs",
        "What the frames of a stack are followed to where there is no second image: each to the "
        "next; or the reference frame to each.",
    )
    reference_frame: int = parameter(
        0,
        "Reference frame",
        "Counted from 0 among the chosen frames.",
        shown_when={"pairs": "reference"},
        ge=0,
    )
    quality: Literal["fast", "thorough"] = parameter(
        FlowSettings.quality,
        "Quality",
        "Thorough takes about five times as long: it uses every channel, warps more often, and "
        "cleans up where things move apart.",
    )
    channel: int | None = parameter(
        None,
        "Channel",
        "Channel to follow, counted from 0; where none is given, fast takes their mean and "
        "thorough all of them.",
        ge=0,
    )
    method: Literal["pyramid", "iterative", "one_shot"] = parameter(
        FlowSettings.method,
        "Method",
        "Coarse to fine; at full size only, for motion of a pixel or two; or a single linear "
        "solution as in the textbook, for less than a pixel.",
        group="Estimation",
        rare=True,
    )
    smoothing: Literal["jumps", "jumps_and_edges", "even", "none"] = parameter(
        FlowSettings.smoothing,
        "Smoothing",
        "How the flow of a pixel follows its neighbours': less across jumps of the flow, or also "
        "across edges of the image; evenly; not at all (plain Lucas-Kanade).",
        group="Estimation",
        rare=True,
    )
    regularisation: float = parameter(
        FlowSettings.regularisation,
        "Smoothness",
        "Strength of that smoothing, in medians of the structure tensor's trace; where the "
        "measured noise is larger, in shares of the noise.",
        shown_when={"smoothing": ("jumps", "jumps_and_edges", "even")},
        group="Estimation",
        gt=0,
        le=1e4,
        rare=True,
    )
    gradient_sigma: float = parameter(
        FlowSettings.gradient_sigma,
        "Gradient sigma",
        "Gaussian whose derivatives are the gradients. More smooths both frames before, so that "
        "fine detail goes; noise is taken into account without it.",
        unit="pixels",
        ge=0,
        le=10,
        group="Estimation",
        rare=True,
    )
    window_sigma: float | None = parameter(
        FlowSettings.window_sigma,
        "Window sigma",
        "Gaussian window that a pixel's equations are summed over; left empty it is 0.5 (0.3 if "
        "thorough), and 2 without smoothing.",
        start=0.5,
        unit="pixels",
        ge=0,
        le=50,
        group="Estimation",
        rare=True,
    )
    brightness: Literal["changing", "constant"] = parameter(
        FlowSettings.brightness,
        "Brightness",
        "Fit a gain and an offset between the frames as well, and fields of both where the light "
        "is found to vary over the frame; or take them as they are.",
        group="Estimation",
        rare=True,
    )
    ratio: float = parameter(
        FlowSettings.ratio,
        "Pyramid ratio",
        "Size of each level of the pyramid over that before.",
        shown_when={"method": "pyramid"},
        ge=0.3,
        le=0.95,
        group="Estimation",
        rare=True,
    )
    ranking: Literal["combined", "forward_backward", "residual", "eigenvalue"] = parameter(
        "combined",
        "Confidence",
        "What it rests on: whether the flow there and back returns (forward-backward), the "
        "residual over the tensor's smallest eigenvalue, both, or that eigenvalue alone. Without "
        "the way back it takes half the time.",
        group="Confidence",
    )
    least_confidence: float = parameter(
        0.5,
        "Least confidence",
        "Pixels of less are left out of vectors, means and the direction histogram. From 0.5 on "
        "nearly all are less than a pixel off; 0 is given where no motion can be told from noise.",
        ge=0,
        le=1,
        group="Confidence",
    )
    vectors: bool = parameter(True, "Vectors", "Add arrows as a layer.", group="Vectors")
    step: int = parameter(
        10,
        "Step",
        "Pixels from arrow to arrow.",
        unit="pixels",
        shown_when={"vectors": True},
        ge=1,
        le=1000,
        group="Vectors",
    )
    placement: Literal["grid", "surest"] = parameter(
        "grid",
        "Placement",
        "Arrows on a regular grid, or at the most confident pixel of each square of that size.",
        shown_when={"vectors": True},
        group="Vectors",
    )
    on_edges: Literal["full", "across"] = parameter(
        "full",
        "On edges",
        "Show the full flow, or, where the image shows an edge, only the part across it: that is "
        "all that is known there.",
        shown_when={"vectors": True},
        group="Vectors",
        rare=True,
    )
    colour_by: Literal["direction", "magnitude", "confidence"] = parameter(
        "direction",
        "Colour by",
        "What the colour of an arrow shows.",
        shown_when={"vectors": True},
        group="Vectors",
    )
    field: Literal["none", "components", "colour", "both"] = parameter(
        "colour",
        "Dense flow",
        "Add the flow of every pixel: as an image for each component, in the usual colours (hue is "
        "direction, saturation is size) with their legend, or both.",
        group="Layers",
    )
    confidence: bool = parameter(
        True, "Confidence", "Add the confidence of every pixel, 0 to 1.", group="Layers"
    )
    uncertainty: bool = parameter(
        False,
        "Uncertainty",
        "Add what the confidence rests on, in pixels: it ranks errors, and is no standard "
        "deviation of them.",
        group="Layers",
        rare=True,
    )
    structure: bool = parameter(
        False,
        "Structure",
        "Add labels: 1 edge, 2 corner (3 in a volume); 0 where nothing is known.",
        group="Layers",
        rare=True,
    )
    warped: bool = parameter(
        True,
        "Warped image",
        "Add the second frame warped back onto the first.",
        group="Layers",
    )
    direction: Literal["back", "forward"] = parameter(
        "back",
        "Move",
        "Where further images, labels and points are moved: back, from the second frame of a pair "
        "onto the first; or forward, with the motion.",
        group="Layers",
        rare=True,
    )

    @model_validator(mode="after")
    def _smoothed(self) -> FlowParameters:
        if self.window_sigma == 0 and self.smoothing == "none":
            raise ValueError(
                "Without a window and without smoothing a pixel has one equation for two unknowns; "
                "give a window sigma above 0, or choose a smoothing."
            )
        return self

    @property
    def settings(self) -> FlowSettings:
        """The same for the numerics."""
        return self.as_settings(FlowSettings)

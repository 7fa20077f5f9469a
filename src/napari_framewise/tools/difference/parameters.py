"""What a change map asks for."""

from __future__ import annotations

from typing import Literal

from napari_framewise.framework.framemap import Result, channels_parameter, result_parameter
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.difference import Measure, Settings
from napari_framewise.tools.common.mask_input import mask_input

INPUTS = (
    Input("stack", Kind.STACK, "Images", "The later image, or a stack of them.", frames="plane"),
    Input(
        "reference",
        Kind.FRAME,
        "Reference",
        "The earlier image, for all frames, or one for each; without it every frame is compared "
        "with the frame before.",
        least=0,
        same_frame_as="stack",
        several_frames=True,
        folded=False,
    ),
    mask_input("compare"),
)


class DifferenceParameters(Parameters):
    """Parameters of a change map."""

    measure: Measure = parameter(
        Settings.measure,
        "Measure",
        "Residual: mean squared difference over what noise and a rest of displacement explain. "
        "Others: local MSE, MAE, 1 minus normalised correlation, 1 minus SSIM or one of its terms, "
        "difference of gradients, distance of histograms.",
    )
    window: Length = parameter(
        Length((Settings.window,)), "Window", "Sigma of the windows that are compared.", gt=0
    )
    tolerance: Literal["flow", "shift", "search", "none"] = parameter(
        Settings.tolerance,
        "Displacement",
        "Flow: a field of displacements that is smooth over more than the changes sought. Shift: "
        "one for the frame. Search: the best match near each place. None: nothing moved.",
    )
    smoothness: Length = parameter(
        Length((Settings.smoothness,)),
        "Smoothness",
        "Sigma over which displacements and light are smooth: more than the changes sought, or "
        "they are taken for motion.",
        gt=0,
    )
    reach: int = parameter(
        Settings.reach,
        "Search",
        "How far a match is searched for.",
        unit="pixels",
        ge=1,
        le=16,
        shown_when={"tolerance": "search"},
    )
    focus: bool = parameter(
        Settings.focus, "Match focus", "Blur the sharper image until it is as the other."
    )
    light: Literal["local", "global", "none"] = parameter(
        Settings.light,
        "Match light",
        "Bring the reference to the brightness and contrast of the image: smoothly over it, as a "
        "whole, or not.",
    )
    rate: float = parameter(
        Settings.rate,
        "False discovery rate",
        "Share of what is called changed that may be none.",
        gt=0,
        lt=1,
    )
    p_map: bool = parameter(
        True, "Map of p-values", "-log10 of the p-value, as a layer.", group="Layers"
    )
    shift_map: bool = parameter(
        False, "Displacement found", "Rows and columns, as a layer.", group="Layers"
    )
    channels_along: int | None = channels_parameter()
    result: Result = result_parameter()

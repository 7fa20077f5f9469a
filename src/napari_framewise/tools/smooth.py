"""Smooth: Gaussian, box or any kernel, by what is known of each frame."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict

from napari_framewise.framework.framemap import Filtered, FrameMap, FrameMapParameters, Image
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import normalised_convolution as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.certain import CERTAINTY, CITATION, axes_of

KERNEL_IMAGE = Input(
    "kernel_image",
    Kind.FRAME,
    "Kernel image",
    "The weights of a kernel, an odd number of pixels along each axis.",
    least=0,
)


class SmoothParameters(FrameMapParameters):
    """Parameters of smoothing."""

    kernel: Literal["gaussian", "box", "image"] = parameter(
        "gaussian", "Kernel", "Weights around each pixel: a bell, equal ones, or those of an image."
    )
    sigma: Length = parameter(
        Length((2.0,)),
        "Sigma",
        "Standard deviation of the Gaussian, one number or one for each axis; cut at four sigma.",
        ge=0,
        shown_when={"kernel": "gaussian"},
    )
    size: Length = parameter(
        Length((5.0,)),
        "Size",
        "Whole width of the box, one number or one for each axis.",
        gt=0,
        shown_when={"kernel": "box"},
    )
    empty: Literal["nan", "nearest", "coarser"] = parameter(
        "nan",
        "Where nothing is known",
        "What stands where no known pixel lies under the kernel: NaN, the nearest result, or a "
        "filling from coarser scales. The confidence is 0 there in any case.",
    )
    border_normalised: bool = parameter(
        False,
        "Confidence up to the border",
        "Count only the part of the kernel inside the frame, so that the confidence of complete "
        "data is 1 up to the border; else it falls to a half along an edge.",
        rare=True,
    )


class Settled(SmoothParameters):
    """With the weights of the kernel in pixels."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    window: Any


def settle(inputs: Inputs, parameters: SmoothParameters) -> Settled:
    """The kernel, from lengths and the frames' axes, or from its image.

    Raises
    ------
    ValueError
        Where the kernel image is missing, not asked for, or no kernel.
    """
    if isinstance(parameters, Settled):
        return parameters
    given, kernel = inputs.optional_stack("kernel_image"), parameters.kernel
    if (given is None) == (kernel == "image"):
        have = "no kernel image was given" if given is None else "a kernel image was given"
        raise ValueError(
            f"The kernel is to be {'an image' if kernel == 'image' else f'a {kernel}'}, but "
            f"{have}; choose the image and “image” as the kernel, or neither."
        )
    axes = axes_of(inputs, parameters)
    window: Any
    if given is not None:
        window = numerics.window_of(given.frame(0), len(axes))
    elif kernel == "box":
        window = numerics.box_window(parameters.size.in_pixels(axes, "Size"))
    else:
        window = numerics.gaussian_window(parameters.sigma.in_pixels(axes, "Sigma"))
    return Settled(**dict(parameters), window=window)


def smooth(
    frames: Array,
    parameters: Settled,
    mask: Array | None = None,
    confidence: Array | None = None,
) -> Filtered:
    """A block of frames, smoothed, and how much of the kernel's weight lay on known pixels."""
    values, known = numerics.smoothed(
        frames,
        parameters.window,
        mask=mask,
        confidence=confidence,
        border_normalised=parameters.border_normalised,
    )
    if parameters.empty == "nearest":
        values = numerics.nearest(values)
    elif parameters.empty == "coarser":
        values = numerics.filled(values).values
    return Filtered((values, known))


def halo(parameters: Settled) -> int | None:
    """The radius of the kernel; what fills gaps may come from anywhere."""
    return max(numerics.reach_of(parameters.window)) if parameters.empty == "nan" else None


def methods(inputs: Inputs, parameters: SmoothParameters) -> str:
    """Sentence for the methods part of a paper."""
    kernel = {
        "gaussian": f"a Gaussian of sigma {parameters.sigma}, cut at four sigma",
        "box": f"a box of {parameters.size}",
        "image": "a kernel given as an image",
    }[parameters.kernel]
    empty = {
        "nan": "pixels without any known pixel under the kernel were left empty",
        "nearest": "pixels without any known pixel under the kernel took the nearest result",
        "coarser": "pixels without any known pixel under the kernel were filled from coarser "
        "scales",
    }[parameters.empty]
    return (
        f"Frames were smoothed by normalised convolution (Knutsson & Westin 1993) with {kernel}; "
        f"{empty}."
    )


def warm_up() -> None:
    """Compile the kernels of the defaults."""
    numerics.smoothed(np.zeros((1, 4, 4)), numerics.gaussian_window((1.0, 1.0)))


TOOL = FrameMap(
    name="smooth",
    title="Smooth",
    sentence="Gaussian, box or any kernel on frames with missing pixels, which leave no trace.",
    parameters=SmoothParameters,
    function=smooth,
    images=(
        Image("smoothed"),
        Image("confidence", dtype="float32", visible=False, limits=lambda _: (0.0, 1.0)),
    ),
    inputs=CERTAINTY,
    whole=(KERNEL_IMAGE,),
    settle=settle,
    halo=halo,
    methods=methods,
    citations=(CITATION,),
    scratch=88.0,
    label="Smoothing",
    warm_up=warm_up,
    compile_seconds=4.5,
).tool

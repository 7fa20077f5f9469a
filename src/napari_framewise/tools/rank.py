"""Rank filter: median, percentile, minimum or maximum of a window around each pixel."""

from __future__ import annotations

from typing import Literal

import numpy as np

from napari_framewise.framework.framemap import FrameMap, Image
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import rank as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.certain import CERTAINTY
from napari_framewise.tools.common.windows import WindowParameters

_PERCENTILES = {"minimum": 0.0, "maximum": 100.0}


class RankParameters(WindowParameters):
    """Parameters of the rank filter."""

    statistic: Literal["median", "percentile", "minimum", "maximum"] = parameter(
        "median", "Value", "Which of the pixels in the window, in their order, is taken."
    )
    percentile: float = parameter(
        25.0,
        "Percentile",
        "Share of the pixels in the window below the value, interpolated between two of them.",
        unit="percent",
        shown_when={"statistic": "percentile"},
        ge=0,
        le=100,
    )
    shape: Literal["box", "disc"] = parameter(
        "box", "Window", "A square, or a disc; in volumes a cube or a ball."
    )


def rank(frames: Array, parameters: RankParameters, mask: Array | None = None) -> Array:
    """A block of frames, filtered."""
    sides, shape = parameters.sides(frames.ndim - 1), parameters.shape
    if parameters.statistic == "median":
        return numerics.median_filter(frames, sides, shape, mask)
    percentile = _PERCENTILES.get(parameters.statistic, parameters.percentile)
    return numerics.percentile_filter(frames, percentile, sides, shape, mask)


def images(parameters: RankParameters) -> tuple[Image, ...]:
    """The one image, by what it holds."""
    percentile = f"{parameters.percentile:g}th percentile"
    return (Image(percentile if parameters.statistic == "percentile" else parameters.statistic),)


def methods(inputs: Inputs, parameters: RankParameters) -> str:
    """Sentence for the methods part of a paper."""
    (image,) = images(parameters)
    return (
        f"Each pixel was replaced by the {image.name} of the pixels with data in a "
        f"{parameters.shape} of {parameters.in_words} around it."
    )


def warm_up() -> None:
    """Compile what a median of floats and of 8-bit frames needs."""
    for dtype in (np.float32, np.uint8):
        numerics.median_filter(np.zeros((1, 3, 3), dtype), (3, 3))


TOOL = FrameMap(
    name="rank",
    title="Rank filter",
    sentence="Median, percentile, minimum or maximum of a window, exact, with pixels missing.",
    parameters=RankParameters,
    function=rank,
    images=images,
    inputs=CERTAINTY[:1],
    halo=lambda parameters: parameters.size // 2,
    methods=methods,
    citations=(
        (
            "Huang, T. S., Yang, G. J. & Tang, G. Y. (1979). A fast two-dimensional median "
            "filtering algorithm. IEEE Trans. Acoustics, Speech, and Signal Processing 27, 13-18."
        ),
        (
            "Perreault, S. & Hebert, P. (2007). Median filtering in constant time. IEEE Trans. "
            "Image Processing 16, 2389-2394."
        ),
    ),
    scratch=64.0,
    warm_up=warm_up,
    compile_seconds=2,
).tool

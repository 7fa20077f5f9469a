"""A tool of the tests' own: a median filter, as a plain filter of frames is declared."""

from __future__ import annotations

from scipy import ndimage

from napari_framewise.framework.framemap import FrameMap, FrameMapParameters, Image
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.parameters import parameter
from napari_framewise.stacks.source import Array
from napari_framewise.tools.registry import Entry


class MedianParameters(FrameMapParameters):
    """Parameters of the median filter."""

    size: int = parameter(3, "Size", "Side of the window.", unit="pixels", ge=1, le=99)


def median(frames: Array, parameters: MedianParameters) -> Array:
    """Median of a window around every pixel of each frame."""
    return ndimage.median_filter(frames, (1, *(parameters.size,) * (frames.ndim - 1)))


def methods(inputs: Inputs, parameters: MedianParameters) -> str:
    """Sentence for the methods part of a paper."""
    return f"Frames were smoothed by a median filter of {parameters.size} pixels."


TOOL = FrameMap(
    name="median",
    title="Median filter",
    sentence="Replace every pixel by the median of its surroundings.",
    parameters=MedianParameters,
    function=median,
    images=(Image("median", dtype="same"),),
    halo=lambda parameters: parameters.size // 2,
    methods=methods,
).tool
ENTRY = Entry(__name__, TOOL.sentence)

"""The tools there are. A tool's module is imported when it is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_framewise.framework.tool import Tool


@dataclass(frozen=True)
class Entry:
    """What can be said of a tool without importing it: its module and its sentence."""

    module: str
    sentence: str


@dataclass(frozen=True)
class ModelFile:
    """A file format of its own that a tool's model has, beside the common one.

    Attributes
    ----------
    kind : str
        Of the model.
    ending : str
        Of its files.
    starts : bytes
        First bytes of its files.
    title, reads : str
        Name of the format, and what of it is read as an image; empty where it is none.
    module : str
        Where `read_model(path)`, `write_model(model, path)` and `open_source(path)` stand; the last
        gives the model's values as frames along the first axis: their source and axes.
    """

    kind: str
    ending: str
    starts: bytes
    title: str
    reads: str
    module: str

    def load(self) -> Any:
        """The module."""
        return import_module(self.module)


MODEL_FILES = (
    ModelFile(
        "flow",
        ".flo",
        b"PIEH",
        "Optical flow",
        "the displacement of every pixel down and to the right, as two frames",
        f"{__package__}.flow.flo",
    ),
    *(
        ModelFile("transforms", ending, b"", title, "", f"{__package__}.alignment.matrix_files")
        for ending, title in (
            (".txt", "MultiStackReg transformations"),
            (".npy", "pystackreg matrices"),
            (".csv", "Matrices as a table"),
        )
    ),
)

MODEL_NAMES = f"Models (*.npz {' '.join(f'*{each.ending}' for each in MODEL_FILES)})"
"""Files of models, as a dialog offers them."""

TOOLS: dict[str, Entry] = {
    "mixing": Entry(
        f"{__package__}.mixing",
        "How much of each reference image is in every frame, with how far to trust it.",
    ),
    "unmixing": Entry(
        f"{__package__}.unmixing",
        "How much of each known spectrum is in every pixel of a stack of bands.",
    ),
    "alignment": Entry(
        f"{__package__}.alignment",
        "Bring an image onto a template, or the frames of a stack onto each other.",
    ),
    "flow": Entry(
        f"{__package__}.flow",
        "Where every pixel of a frame went, as arrows and colours, and how surely.",
    ),
    "elastic": Entry(
        f"{__package__}.elastic",
        "Bend an image onto a reference, or the frames of a stack onto each other.",
    ),
    "rigid": Entry(
        f"{__package__}.rigid",
        "Bring volumes over time into register by shifts and rotations, voxels of any shape.",
    ),
    "residual_motion": Entry(
        f"{__package__}.residual_motion",
        "How much the frames of an aligned stack still move, by what varies in them.",
    ),
    "calibration": Entry(
        f"{__package__}.calibration",
        "Distortion of a lens over pressure, temperature or focus, from images of a grid.",
    ),
    "statistics": Entry(
        f"{__package__}.statistics",
        "Mean, deviation, extremes and percentiles of all images, channel by channel.",
    ),
    "contour_normals": Entry(
        f"{__package__}.contour_normals",
        "Outlines of labels or shapes as smooth curves, with normals, curvature and length.",
    ),
    "curves": Entry(
        f"{__package__}.curves",
        "Outlines of layers through noise and gaps, each as one curve, with its measures.",
    ),
    "difference": Entry(
        f"{__package__}.difference",
        "What really changed between images, whatever moved, blurred or lit them otherwise.",
    ),
    "quality": Entry(
        f"{__package__}.quality",
        "Errors, PSNR, SSIM and what is left, of images beside what they should be.",
    ),
    "noise_level": Entry(
        f"{__package__}.noise_level",
        "Noise of each frame without a truth, or gain and read noise of the detector.",
    ),
    "similarity": Entry(
        f"{__package__}.similarity",
        "Which images show the same, though shifted, cut or lit differently.",
    ),
    "grid_nodes": Entry(
        f"{__package__}.grid_nodes",
        "Corners of a chessboard, centres of dots or crossings of lines, to sub-pixels.",
    ),
    "psf": Entry(
        f"{__package__}.psf",
        "What a point of light becomes: from a point, beads, a pair of images, or a formula.",
    ),
    "normalise": Entry(
        f"{__package__}.normalise",
        "Bring every frame, or the whole stack, to a range, a mean of one, or z-scores.",
    ),
    "standardise": Entry(
        f"{__package__}.standardise",
        "Bring each channel of every frame, or of the stack, to mean 0 and deviation 1.",
    ),
    "bleaching": Entry(
        f"{__package__}.bleaching",
        "Give frames that grow darker their brightness back: ratio, exponential, histogram.",
    ),
    "smooth": Entry(
        f"{__package__}.smooth",
        "Gaussian, box or any kernel on frames with missing pixels, which leave no trace.",
    ),
    "gradient": Entry(
        f"{__package__}.gradient",
        "Slope of every frame by planes fitted to its known pixels, with standard errors.",
    ),
    "rank": Entry(
        f"{__package__}.rank",
        "Median, percentile, minimum or maximum of a window, exact, with pixels missing.",
    ),
    "local_statistics": Entry(
        f"{__package__}.local_statistics",
        "Mean, deviation, variation and neighbour correlation of a window, exactly.",
    ),
    "speckle": Entry(
        f"{__package__}.speckle",
        "Lee filters for speckle and for additive noise, with pixels missing.",
    ),
    "fill": Entry(
        f"{__package__}.fill",
        "Replace what is missing by its surroundings, and say how far they are.",
    ),
    "inpainting": Entry(
        f"{__package__}.inpainting",
        "Fill holes with texture and edges, patch by patch from the best match elsewhere.",
    ),
    "bilateral": Entry(
        f"{__package__}.bilateral",
        "Smooth where a frame is alike, and keep its edges: its base, and the detail left.",
    ),
    "tonemap": Entry(
        f"{__package__}.tonemap",
        "Bring a high dynamic range to a chosen contrast, with detail and colours kept.",
    ),
    "bandpass": Entry(
        f"{__package__}.bandpass",
        "Keep a band of frequencies, asked for by its edges; low-pass and high-pass as well.",
    ),
    "deconvolution": Entry(
        f"{__package__}.deconvolution",
        "Take the blur of a known point spread function out of frames, noise kept small.",
    ),
    "renormalise": Entry(
        f"{__package__}.renormalise",
        "Use offsets and gains that were found on one stack on another, or take them back.",
    ),
    "erasing": Entry(
        f"{__package__}.erasing",
        "Erase 1 to 4 random rectangles of every frame, an exact share of its pixels.",
    ),
    "colorization": Entry(
        f"{__package__}.colorization",
        "Spread the colours of scribbles over grey frames, where neighbours are alike.",
    ),
    "warp": Entry(
        f"{__package__}.warp",
        "Frames on other pixels by a matrix, alignment or flow, without aliasing.",
    ),
    "undistort": Entry(
        f"{__package__}.undistort",
        "Frames straightened by a calibration, each at its own value of the third variable.",
    ),
    "resample": Entry(
        f"{__package__}.resample",
        "Larger or smaller pixels, by a factor or a pixel size, without aliasing.",
    ),
    "noise_image": Entry(
        f"{__package__}.noise_image",
        "Noise that fills a band of frequencies, with its mean and contrast as asked for.",
    ),
}
"""In the order of the menus."""


def get_tool(name: str) -> Tool[Any]:
    """The tool of that name.

    Raises
    ------
    ValueError
        Where there is no such tool.
    """
    if name not in TOOLS:
        raise ValueError(f"There is no tool {name!r}; the tools are: {', '.join(TOOLS)}.")
    tool: Tool[Any] = import_module(TOOLS[name].module).TOOL
    return tool


def all_tools() -> tuple[Tool[Any], ...]:
    """All tools, in the order of the menus."""
    return tuple(get_tool(name) for name in TOOLS)


def model_file(path: str | os.PathLike[str], kind: str | None = None) -> ModelFile | None:
    """The format of its own that a file of that name has, of models of that kind."""
    ending = os.path.splitext(path)[1].lower()
    fitting = (each for each in MODEL_FILES if each.ending == ending and kind in (None, each.kind))
    return next(fitting, None)

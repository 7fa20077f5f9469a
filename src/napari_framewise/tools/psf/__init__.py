"""PSF: what a point of light becomes, measured or by formula."""

from __future__ import annotations

from typing import Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import psf as numerics
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.psf.model import PSF

__all__ = ["PSF", "TOOL"]

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Image",
        "The image of a point or of beads, the blurred image of a pair, or the PSF itself; by "
        "formula, the frames whose pixels it is for.",
    ),
    Input(
        "points",
        Kind.POINTS,
        "Beads",
        "A point on every bead: their PSFs are averaged.",
        least=0,
        lies_on="stack",
    ),
    Input(
        "sharp",
        Kind.FRAME,
        "Sharp image",
        "Of a pair: the same scene, sharp and in register.",
        least=0,
        same_frame_as="stack",
    ),
)


class PSFParameters(Parameters):
    """Parameters of the PSF."""

    method: Literal["point", "beads", "pair", "image", "gaussian", "disc", "motion"] = parameter(
        "point",
        "From",
        "The brightest point of the image; beads that a Points layer marks; a sharp and a blurred "
        "image; the image as it is; or a formula: Gaussian, disc of defocus, motion along a line.",
    )
    radius: Length = parameter(
        Length((8.0,)),
        "Radius",
        "Within which the light of a point falls; the background is taken from a ring outside it.",
        gt=0,
        shown_when={"method": ("point", "beads", "pair")},
    )
    energy: float = parameter(
        0.99,
        "Light kept",
        "Share of its light that the PSF is cut to.",
        gt=0.5,
        le=1,
        rare=True,
        shown_when={"method": ("point", "beads", "pair")},
    )
    width: Length = parameter(
        Length((2.0,)),
        "Width",
        "Sigma of the Gaussian, or radius of the disc; one number, or one for each axis.",
        ge=0,
        shown_when={"method": ("gaussian", "disc")},
    )
    length: Length = parameter(
        Length((9.0,)), "Length", "Of the line.", gt=0, shown_when={"method": "motion"}
    )
    angle: float = parameter(
        0.0,
        "Angle",
        "Of the line with the rows, from right towards down.",
        unit="degrees",
        shown_when={"method": "motion"},
    )
    frame: int = parameter(0, "Frame", "Of a stack: which of the chosen frames.", ge=0, rare=True)


def made_of(inputs: Inputs, parameters: PSFParameters, index: int) -> Outcome:
    """The PSF as layer, table and model.

    Raises
    ------
    ValueError
        Where it can't be measured.
    """
    stack = inputs.stack("stack")
    if index >= stack.n_frames:
        raise ValueError(
            f"Frame {index} was asked for, but {stack.name} has {stack.n_frames:,} frames, counted "
            "from 0."
        )
    frame = np.asarray(stack.frame(index), np.float64)
    images = [frame[..., n] for n in range(stack.channels)] if stack.channels else [frame]
    if stack.rgb:
        images = images[:3]
    found = [_kernel(inputs, parameters, image, index) for image in images]
    shape = tuple(max(each.shape[n] for each, _, _ in found) for n in range(images[0].ndim))
    every = [numerics.padded_to(each, shape) for each, _, _ in found]
    kernel = np.stack(every, axis=-1) if stack.channels else every[0]
    words = _words(parameters, stack)
    spatial = stack.spatial_grid
    grid = Grid(spatial.axes, shape)
    space = Space.of(stack.name, grid)
    model = PSF(space, space, kernel, len(every) if stack.channels else 0, words)
    shown = kernel.sum(axis=-1) / kernel.shape[-1] if stack.channels else kernel
    layer = ImageResult(
        f"{stack.name} PSF", shown, grid, contrast_limits=limits_of(shown), colormap="magma"
    )
    table = _table(stack, every, [each for _, each, _ in found])
    widths = numerics.half_maximum_widths(every[0])
    named = " x ".join(f"{each:.3g}" for each in widths)
    return Outcome(
        layers=(layer,),
        tables=(table,),
        models=(model,),
        summary=f"{words}: {' x '.join(map(str, shape))} pixels, full width at half maximum "
        f"{named} pixels.",
        diagnostics=tuple(dict.fromkeys(note for _, _, notes in found for note in notes)),
    )


def _kernel(
    inputs: Inputs, parameters: PSFParameters, image: Array, index: int
) -> tuple[Array, dict[str, float], list[str]]:
    """A kernel, numbers about it, and what should be known."""
    stack, method = inputs.stack("stack"), parameters.method
    axes = stack.spatial_grid.axes
    radius = parameters.radius.in_pixels(axes, "Radius")
    if method == "image":
        return numerics.kernel_of(image), {}, []
    if method == "gaussian":
        return numerics.gaussian_psf(parameters.width.in_pixels(axes, "Width")), {}, []
    if method == "disc":
        return numerics.disc_psf(parameters.width.in_pixels(axes, "Width")), {}, []
    if method == "motion":
        length = parameters.length.in_pixels(axes[-1:], "Length")[0]
        return numerics.motion_psf(length, parameters.angle, len(axes)), {}, []
    if method == "pair":
        sharp = inputs.optional_stack("sharp")
        if sharp is None:
            raise ValueError("No sharp image was given; give one of the same scene, in register.")
        kernel, left = numerics.pair_psf(_plain(sharp), image, radius, parameters.energy)
        notes = []
        if left > _LEFT:
            notes.append(
                f"Blurring the sharp image leaves {left:.0%} of the blurred one unexplained: are "
                "they in register, and of one scene?"
            )
        return kernel, {"unexplained": left}, notes
    if method == "beads":
        return _beads(inputs, image, radius, parameters.energy, index)
    point = numerics.point_psf(image, radius, energy=parameters.energy)
    return point.kernel, _numbers(point), _doubts([point])


_LEFT = 0.2


def _plain(sharp: Stack) -> Array:
    frame = np.asarray(sharp.frame(0), np.float64)
    return frame.mean(axis=-1) if sharp.channels else frame


def _beads(
    inputs: Inputs, image: Array, radius: tuple[float, ...], energy: float, index: int
) -> tuple[Array, dict[str, float], list[str]]:
    drawn = inputs.points("points")
    if not drawn:
        raise ValueError("No beads were marked; give a Points layer with a point on each bead.")
    places = drawn[0].places
    if drawn[0].frames is not None:
        places = places[drawn[0].frames == index]
    points, notes, left = [], [], []
    for number, place in enumerate(places):
        apart = np.sqrt(np.sum(np.square((places - place) / np.array(radius)), axis=1))
        if np.count_nonzero(apart < 2) > 1:
            left.append(f"{number} (another within twice the radius)")
            continue
        try:
            points.append(numerics.point_psf(image, radius, place, energy))
        except ValueError as error:
            left.append(f"{number} ({str(error).partition(';')[0].rstrip('.')})")
    if left:
        notes.append(f"Left out: beads {', '.join(left)}.")
    if not points:
        raise ValueError(
            f"None of {len(places):,} beads could be measured: {', '.join(left) or 'none marked'}; "
            "mark beads that stand alone, or take a smaller radius."
        )
    notes += _doubts(points)
    kernel, spread = numerics.bead_psf(points, energy)
    lights = {name: float(np.mean([_numbers(each)[name] for each in points])) for name in _MEASURED}
    places_of = {name: np.nan for name in lights if name.startswith("centre")}
    return kernel, lights | places_of | {"beads": float(len(points)), "spread": spread}, notes


def _doubts(points: list[numerics.Point]) -> list[str]:
    """What speaks against points."""
    notes = []
    if any(each.alone for each in points):
        notes.append(
            "Nearly all light of a point falls on a single pixel: a defect of the detector is no "
            "point of light; mark beads, or take that pixel out."
        )
    if any(np.isnan(numerics.half_maximum_widths(each.kernel)).any() for each in points):
        notes.append(
            "The light does not fall to half of its peak within the radius: that is an edge or a "
            "patch and no point, or the radius is too small."
        )
    count = max(each.saturated for each in points)
    if count:
        notes.append(
            f"{count:,} pixels of a point share its largest value: it is saturated, and the PSF "
            "too flat on top; take an image of less exposure."
        )
    return notes


_MEASURED = ("background", "light", "noise")


def _numbers(point: numerics.Point) -> dict[str, float]:
    names = ("plane", "row", "column")[-len(point.place) :]
    numbers = {f"centre_{name}": float(at) for name, at in zip(names, point.place, strict=True)}
    numbers["centre_error"] = float(point.place_error.max())
    return numbers | {
        "background": point.background, "light": point.light, "noise": point.noise,
    }  # fmt: skip


def _table(stack: Stack, kernels: list[Array], numbers: list[dict[str, float]]) -> Table:
    columns: dict[str, Array] = {"channel": np.arange(len(kernels))}
    for name in numbers[0]:
        columns[name] = np.array([each[name] for each in numbers])
    notes = dict(_NOTES)
    for n, axis in enumerate(stack.spatial_grid.axes):
        sizes = [numerics.half_maximum_widths(each)[n] for each in kernels]
        columns[f"fwhm_{axis.name}"] = np.array(sizes)
        columns[f"sd_{axis.name}"] = np.array([numerics.widths(each)[n] for each in kernels])
        notes[f"fwhm_{axis.name}"] = f"Full width at half maximum along {axis.name}, in pixels."
        notes[f"sd_{axis.name}"] = f"Standard deviation along {axis.name}, in pixels."
    return Table("psf", "object", columns, {n: t for n, t in notes.items() if n in columns})


_NOTES = {
    "channel": "Number of the channel, from 0.",
    "centre_plane": "Centroid of the point, in pixels.",
    "centre_row": "Centroid of the point, in pixels.",
    "centre_column": "Centroid of the point, in pixels.",
    "centre_error": "Standard error of the centroid, of the axis where it is largest: by the noise "
    "of the ring, or by what differs between the point and its mirror image, where that is more.",
    "background": "Median of the ring about the point; of beads their mean.",
    "light": "Sum of the point's pixels above the background; of beads their mean.",
    "noise": "Standard deviation of the ring; of beads their mean.",
    "beads": "How many were averaged.",
    "spread": "Rms difference of the beads' PSFs from their mean, over the size of the mean.",
    "unexplained": "Standard deviation of the residual over that of the blurred image.",
}


def _words(parameters: PSFParameters, stack: Stack) -> str:
    return {
        "point": f"PSF of the brightest point of {stack.name}",
        "beads": f"Mean PSF of beads in {stack.name}",
        "pair": f"PSF between a sharp image and {stack.name}",
        "image": f"PSF image {stack.name}",
        "gaussian": f"Gaussian PSF of sigma {parameters.width}",
        "disc": f"Defocus disc of radius {parameters.width}",
        "motion": f"Motion of {parameters.length} at {parameters.angle:g} degrees",
    }[parameters.method]


def run(inputs: Inputs, parameters: PSFParameters, engine: Engine) -> Run:
    """Measure or make the PSF."""
    yield Progress("Measuring", 0, 1)
    outcome = made_of(inputs, parameters, parameters.frame)
    yield Progress("Measuring", 1, 1)
    return outcome


def preview(inputs: Inputs, parameters: PSFParameters, index: int) -> Outcome:
    """The PSF of the frame that is looked at."""
    return made_of(inputs, parameters, index)


def plan(inputs: Inputs, parameters: PSFParameters, engine: Engine) -> Plan:
    """One frame is read."""
    return make_plan(MapFrames(), (inputs.stack("stack"),), Cost(), engine)


def methods(inputs: Inputs, parameters: PSFParameters) -> str:
    """Sentence for the methods part of a paper."""
    return f"The point spread function was: {_words(parameters, inputs.stack('stack'))}."


TOOL = Tool(
    name="psf",
    title="PSF",
    menu="measure",
    sentence="What a point of light becomes: from a point, beads, a pair of images, or a formula.",
    inputs=INPUTS,
    parameters=PSFParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
)

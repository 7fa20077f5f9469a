"""Gradient: planes fitted to what is known of each frame."""

from __future__ import annotations

from typing import Literal

import numpy as np

from napari_framewise.framework.framemap import Filtered, FrameMap, FrameMapParameters, Image, Rows
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.limits import symmetric_limits
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import normalised_convolution as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.certain import CERTAINTY, CITATION, axes_of

_MOST = 192**2
_LONGEST = 99.0


class GradientParameters(FrameMapParameters):
    """Parameters of the gradient."""

    sigma: Length = parameter(
        Length((2.0,)),
        "Sigma",
        "Standard deviation of the Gaussian window in which a plane is fitted, one number or one "
        "for each axis.",
        gt=0,
    )
    per: Literal["pixel", "unit"] = parameter(
        "pixel", "Change per", "Slopes are changes per pixel, or per unit of the layer's scale."
    )
    arrows: bool = parameter(
        False,
        "Arrows",
        "Add a layer of arrows that point to where values rise. They are found for all frames at "
        "once, where images are computed as one looks.",
    )
    spacing: int = parameter(
        16, "Spacing", "From arrow to arrow.", unit="pixels", ge=1, shown_when={"arrows": True}
    )
    arrow_length: float | None = parameter(
        None,
        "Arrow length",
        "Pixels of arrow for a change of 1 per pixel; empty: the steepest of the first frame are "
        "as long as the spacing.",
        gt=0,
        start=1.0,
        shown_when={"arrows": True},
    )


class Settled(GradientParameters):
    """With lengths in pixels, what is found from the first frame, and the names of the axes."""

    sigmas: tuple[float, ...]
    axes: tuple[str, ...]
    scale: tuple[float, ...]
    centre: float


def settle(inputs: Inputs, parameters: GradientParameters) -> Settled:
    """Lengths in pixels; a value to count from and the length of arrows, from the first frame."""
    if isinstance(parameters, Settled):
        return parameters
    axes = axes_of(inputs, parameters)
    sigmas = parameters.sigma.in_pixels(axes, "Sigma")
    frames, further = GRADIENT.sample(inputs, parameters, 0, _MOST)
    first = frames.astype(np.float64)
    finite = np.isfinite(first)
    for given in further.values():
        finite &= True if given is None else np.nan_to_num(given) != 0
    settled = Settled(
        **dict(parameters),
        sigmas=sigmas,
        axes=tuple(axis.name for axis in axes),
        scale=tuple(axis.scale if parameters.per == "unit" else 1.0 for axis in axes),
        centre=float(np.median(first[finite])) if finite.any() else 0.0,
    )
    if not parameters.arrows or parameters.arrow_length is not None:
        return settled
    plain = np.where(finite, first, np.nan)[:1]
    slopes = numerics.gradient(plain, sigmas, centre=settled.centre).slopes
    steep = np.sqrt((slopes**2).sum(axis=0))
    steep = steep[np.isfinite(steep)]
    longest = float(np.percentile(steep, _LONGEST)) if steep.size else 0.0
    length = parameters.spacing / longest if longest > 0 else 1.0
    return settled.model_copy(update={"arrow_length": length})


def gradient(
    frames: Array,
    parameters: Settled,
    rows: Rows,
    mask: Array | None = None,
    confidence: Array | None = None,
) -> Filtered:
    """Slopes of a block of frames, their size and direction, errors, confidence, and arrows."""
    found = numerics.gradient(
        frames, parameters.sigmas, mask=mask, confidence=confidence, centre=parameters.centre
    )
    slopes = np.stack([rows.of(each) for each in found.slopes])
    errors = np.stack([rows.of(each) for each in found.errors])
    scale = np.abs(parameters.scale).reshape(-1, *(1,) * (slopes.ndim - 1))
    signs = np.sign(parameters.scale).reshape(scale.shape)
    physical = slopes / scale * signs
    images = [np.sqrt((physical**2).sum(axis=0))]
    if len(physical) == 2:
        images.append(np.degrees(np.arctan2(*physical)))
    images += [*physical, *errors / scale, rows.of(found.confidence)]
    return Filtered(
        images, vectors=_arrows(slopes, parameters, rows) if parameters.arrows else None
    )


def _arrows(slopes: Array, parameters: Settled, rows: Rows) -> list[Array]:
    """Starts and displacements of a frame's arrows, on a grid that bands of rows share."""
    ndim, axis, step = len(slopes), rows.axis - 1, parameters.spacing
    begins = [step // 2] * ndim
    begins[axis] = (step // 2 - rows.asked[0]) % step
    places = [np.arange(start, n, step) for start, n in zip(begins, slopes.shape[2:], strict=True)]
    at = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, ndim)
    length = parameters.arrow_length or 1.0
    arrows = []
    for number in range(slopes.shape[1]):
        moves = length * slopes[(slice(None), number, *at.T)].T
        known = np.isfinite(moves).all(axis=1)
        arrows.append(np.stack([at[known].astype(np.float64), moves[known]], axis=1))
    return arrows


def images(parameters: Settled) -> tuple[Image, ...]:
    """Magnitude, direction of planes, slopes, errors and confidence."""
    direction = Image("direction", colormap="hsv", visible=False, limits=lambda _: (-180.0, 180.0))
    return (
        Image("gradient magnitude", limits=from_zero),
        *((direction,) if len(parameters.axes) == 2 else ()),
        *(
            Image(f"gradient along {name}", visible=False, limits=symmetric_limits)
            for name in parameters.axes
        ),
        *(Image(f"error along {name}", visible=False) for name in parameters.axes),
        Image("rank confidence", dtype="float32", visible=False, limits=lambda _: (0.0, 1.0)),
    )


def from_zero(magnitude: Array) -> tuple[float, float]:
    """Limits that show nearly all: few known pixels make some slopes steep."""
    return 0.0, symmetric_limits(magnitude)[1]


def halo(parameters: Settled) -> int:
    """The radius of the window."""
    return max(numerics.reach_of(numerics.gaussian_window(parameters.sigmas)))


def report(inputs: Inputs, parameters: Settled) -> Outcome:
    """How long arrows are."""
    if not parameters.arrows:
        return Outcome()
    length = parameters.arrow_length or 1.0
    return Outcome(summary=f"Arrows are {length:.3g} pixels long for a change of 1 per pixel.")


def methods(inputs: Inputs, parameters: GradientParameters) -> str:
    """Sentence for the methods part of a paper."""
    return (
        "Gradients were found by normalised differential convolution in the plane-fit form "
        f"(Knutsson & Westin 1993) with a Gaussian of sigma {parameters.sigma}; pixels whose known "
        "neighbours determine a plane with a rank confidence below "
        f"{numerics.LEAST_RANK:g} were left empty."
    )


def warm_up() -> None:
    """Compile the kernels."""
    numerics.gradient(np.zeros((1, 8, 8)), (1.0, 1.0))


GRADIENT = FrameMap(
    name="gradient",
    title="Gradient",
    sentence="Slope of every frame by planes fitted to its known pixels, with standard errors.",
    parameters=GradientParameters,
    function=gradient,
    images=images,
    inputs=CERTAINTY,
    settle=settle,
    report=report,
    by_rows=True,
    halo=halo,
    vectors=lambda parameters: "gradient arrows" if parameters.arrows else None,
    methods=methods,
    citations=(CITATION,),
    scratch=320.0,
    label="Fitting planes",
    warm_up=warm_up,
    compile_seconds=4.5,
)
TOOL = GRADIENT.tool

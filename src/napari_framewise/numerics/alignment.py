"""Lucas-Kanade alignment: the transform that brings an image onto a template.

Minimises ``sum_p w_p rho(image(M p) - gain template(p) - offset)`` over the matrix M of a family of
transforms, coarse to fine, from a start that normalised cross-correlation finds. After Baker, S.
and Matthews, I. (2004), "Lucas-Kanade 20 years on: a unifying framework", International Journal of
Computer Vision 56, 221-255.

Typical use::

    template = prepare(reference, settings=Settings(motion="euclidean"))
    found = [align(template, frame) for frame in frames]
    aligned = [transforms.warp(frame, each.matrix) for frame, each in zip(frames, found)]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics import _alignment_levels as levels
from napari_framewise.numerics._alignment_levels import Fixed, Planes, as_planes
from napari_framewise.numerics._alignment_result import Alignment, Status, no_alignment
from napari_framewise.numerics._alignment_search import Search
from napari_framewise.numerics.pyramid import Level
from napari_framewise.numerics.transforms import MOTIONS, Motion, generators

__all__ = ["Alignment", "Settings", "Status", "Template", "align", "prepare", "warm_up"]

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """How to align.

    Attributes
    ----------
    motion : {"translation", "euclidean", "similarity", "affine", "homography"}
        Family of transforms.
    method : {"inverse", "forward"}
        Inverse compositional, with slopes of the template; or forward additive, with those of the
        image.
    start : {"correlation", "given"}
        Look for the best places by normalised cross-correlation, or trust the start given.
    rotations : float
        Look at starts turned by up to so many degrees to both sides as well.
    loss : {"linear", "huber", "tukey"}
        Least squares, or robust weights that scale with the residuals' median.
    brightness : bool
        Fit a gain and an offset between the images as well, the same for all channels.
    smoothing : float
        Gaussian that both images are smoothed by first, in pixels.
    tolerance : float
        Step of the corners that ends the iterations, in pixels.
    iterations : int
        Most of them on each level of the pyramid.
    least_overlap : float
        Share of the template's pixels that must lie in the image.
    """

    motion: Motion = "euclidean"
    method: Literal["inverse", "forward"] = "inverse"
    start: Literal["correlation", "given"] = "correlation"
    rotations: float = 0.0
    loss: Literal["linear", "huber", "tukey"] = "huber"
    brightness: bool = True
    smoothing: float = 0.0
    tolerance: float = 0.001
    iterations: int = 100
    least_overlap: float = 0.3

    def __post_init__(self) -> None:
        if self.motion not in MOTIONS:
            raise ValueError(
                f"The motion {self.motion!r} was asked for; give one of {', '.join(MOTIONS)}."
            )
        if not 0 < self.least_overlap <= 1 or self.tolerance <= 0 or self.iterations < 1:
            raise ValueError(
                f"A least overlap of {self.least_overlap}, a tolerance of {self.tolerance} px and "
                f"{self.iterations} iterations were asked for; give an overlap of up to 1, a "
                "tolerance above 0 and at least one iteration."
            )


@dataclass(frozen=True, eq=False)
class Template:
    """A template made ready: its pyramid, with slopes, and what is known of its pixels.

    Attributes
    ----------
    settings : Settings
        How to align to it.
    planes : Planes
        Its pixels.
    mean, spread : (channels,) float64
        Brightness that was taken out.
    fixed : tuple of Fixed
        Levels, from the finest; empty where there is nothing to align to.
    pyramid : tuple of Level
        What they were made of.
    status : Status or None
        Why nothing can be aligned to it.
    """

    settings: Settings
    planes: Planes
    mean: FloatArray
    spread: FloatArray
    fixed: tuple[Fixed, ...] = ()
    pyramid: tuple[Level, ...] = field(default=())
    status: Status | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.planes.shape


def prepare(image: ArrayLike, mask: ArrayLike | None = None, *, settings: Settings) -> Template:
    """Make a template ready.

    Parameters
    ----------
    image : (y, x) or (y, x, channels)
        Real numbers of any type; NaN is no data.
    mask : (y, x), optional
        Not zero = use this pixel. What stands under the mask changes nothing. Pixels whose slopes
        reach past it are left out.
    settings : Settings
        How to align.

    Raises
    ------
    ValueError
        For another number of axes, complex numbers, or a mask of another shape.
    """
    planes = as_planes(image, mask, "template")
    mean, spread = planes.brightness(per_channel=settings.brightness)
    if planes.blank:
        empty = planes.usable.sum() < levels.LEAST_PIXELS
        status = Status.NO_DATA if empty else Status.FLAT
        return Template(settings, planes, mean, spread, status=status)
    unit = levels.unit_of(planes.shape)
    fixed, pyramid = levels.fixed_levels(planes, mean, spread, settings.smoothing, unit)
    return Template(settings, planes, mean, spread, fixed, pyramid)


def align(
    template: Template,
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
) -> Alignment:
    """Bring an image onto a template.

    Parameters
    ----------
    template : Template
        From `prepare`.
    image : (y, x) or (y, x, channels)
        With as many channels as the template; of any size.
    mask : (y, x), optional
        Not zero = use this pixel.
    start : (3, 3), optional
        A guess of the matrix; by default the template lies in the middle of the image. With
        ``start="correlation"`` it is one of the places that are tried.

    Returns
    -------
    Alignment
        Where there is no answer its matrix is NaN and its status says why; nothing is raised.

    Raises
    ------
    ValueError
        For another number of axes or channels, complex numbers, or a mask of another shape.
    """
    settings = template.settings
    planes = as_planes(image, mask, "image")
    if len(planes.values) != len(template.planes.values):
        raise ValueError(
            f"The image has {len(planes.values)} channels and the template "
            f"{len(template.planes.values)}; choose one channel of each, or images that have as "
            "many."
        )
    n_parameters = len(generators(settings.motion))
    if template.status is not None:
        return no_alignment(settings.motion, template.status, n_parameters)
    if planes.blank:
        return no_alignment(settings.motion, Status.NO_DATA, n_parameters)
    mean, spread = template.mean, template.spread
    if settings.brightness and len(planes.values) == 1:
        mean, spread = planes.brightness(per_channel=True)
    unit = levels.unit_of(template.shape)
    moving, pyramid = levels.moving_levels(
        planes, mean, spread, settings.smoothing, unit, len(template.fixed)
    )
    search = Search(template, planes.shape, moving, pyramid, unit, mean, spread)
    return search.run(None if start is None else np.asarray(start, float))


def warm_up() -> None:
    """Compile or load the kernels that an alignment needs (some seconds the first time)."""
    rows, columns = np.mgrid[0:48, 0:48]
    image = np.sin(0.3 * rows) + np.cos(0.2 * columns + 0.1 * rows)
    align(prepare(image, settings=Settings()), image)

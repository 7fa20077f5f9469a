"""A template made ready for alignment, and how to align to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.alignment import levels
from napari_framewise.numerics.alignment.levels import Fixed, Planes, as_planes
from napari_framewise.numerics.alignment.result import Status
from napari_framewise.numerics.pyramid import Level
from napari_framewise.numerics.transforms import MOTIONS, Motion

FloatArray: TypeAlias = NDArray[np.float64]
T = TypeVar("T")


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

    @property
    def robust(self) -> bool:
        """Whether what does not fit has less say."""
        return self.loss != "linear"

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
    _ready: dict[str, Any] = field(default_factory=dict, repr=False)

    def ready(self, make: Callable[[Template], T]) -> T:
        """What a way to align makes of the template, once."""
        name = make.__qualname__
        if name not in self._ready:
            self._ready[name] = make(self)
        found: T = self._ready[name]
        return found

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

    Examples
    --------
    >>> rows, columns = np.mgrid[0:48, 0:48]
    >>> template = prepare(np.sin(rows / 4) + np.cos(columns / 5), settings=Settings())
    >>> template.shape
    (48, 48)
    """
    planes = as_planes(image, mask, "template")
    mean, spread = planes.brightness(per_channel=settings.brightness)
    if planes.blank:
        empty = planes.usable.sum() < levels.LEAST_PIXELS
        status = Status.NO_DATA if empty else Status.FLAT
        return Template(settings, planes, mean, spread, status=status)
    if settings.motion == "translation":
        return Template(settings, planes, mean, spread)
    unit = levels.unit_of(planes.shape)
    fixed, pyramid = levels.fixed_levels(
        planes, mean, spread, settings.smoothing, settings.robust, unit
    )
    return Template(settings, planes, mean, spread, fixed, pyramid)

"""Translation and rigid motion of volumes and planes, to a fraction of a pixel, with its error.

Coarse to fine: normalised correlation over every shift on the coarsest level (Padfield, 2012),
Gauss-Newton steps of the inverse compositional algorithm (Baker and Matthews, 2004) on each, on the
finest with a cubic B-spline. Pixels need not be cubes: a rotation keeps lengths as the scale has
them. Of pictures in a plane `numerics.alignment` knows more motions, and is faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.alignment import Alignment, Status
from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks
from napari_framewise.numerics.rigid.fitting import (
    Compared,
    Fit,
    Fixed,
    Rules,
    covariance,
    descend,
    inside,
    on_level,
    pulled_back,
)
from napari_framewise.numerics.rigid.levels import (
    Level,
    Raw,
    derivatives,
    level_of,
    level_steps,
    neighbours,
    raw,
    slopes_of,
    used,
)
from napari_framewise.numerics.rigid.motions import (
    RigidMotion,
    corner_motion,
    corner_points,
    directions,
    names,
)
from napari_framewise.numerics.rigid.verdict import Verdict, judged

__all__ = [
    "RigidMotion",
    "RigidSettings",
    "RigidTemplate",
    "align",
    "inside",
    "names",
    "prepare",
]

FloatArray: TypeAlias = NDArray[np.float64]
_PLACES = 3
# Levels of up to so many pixels are compared at every shift.
_JUDGED = 2**18


@dataclass(frozen=True)
class RigidSettings:
    """How to align.

    Attributes
    ----------
    motion : {"translation", "euclidean"}
        Shifts; with rotations.
    start : {"correlation", "given"}
        Look for the best place, or trust the start given.
    robust : bool
        Huber's loss; else least squares.
    brightness : bool
        Fit a gain and an offset as well.
    tolerance : float
        Step of the corners that ends the iterations, in pixels.
    iterations : int
        Most of them on each level.
    least_overlap : float
        Share of the template's pixels that must lie in the image.
    """

    motion: RigidMotion = "euclidean"
    start: Literal["correlation", "given"] = "correlation"
    robust: bool = True
    brightness: bool = True
    tolerance: float = 0.001
    iterations: int = 40
    least_overlap: float = 0.3

    @property
    def rules(self) -> Rules:
        """As the steps take them."""
        return Rules(
            self.robust, self.brightness, self.least_overlap, self.iterations, self.tolerance
        )


@dataclass(frozen=True, eq=False)
class RigidTemplate:
    """A template made ready.

    Attributes
    ----------
    settings : RigidSettings
    image : (*shape)
        As it was given.
    shape : tuple of int
    scale : tuple of float
        Size of a pixel along each axis.
    whole : Raw or None
        None where it holds no data.
    fixed : tuple of Fixed
        Its levels, from the finest.
    sigma : float
        Gaussian of the slopes on the finest level.
    """

    settings: RigidSettings
    image: NDArray[Any]
    shape: tuple[int, ...]
    scale: tuple[float, ...]
    whole: Raw | None = None
    fixed: tuple[Fixed, ...] = field(default=())
    sigma: float = 1.0


def prepare(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    scale: tuple[float, ...] | None = None,
    settings: RigidSettings = RigidSettings(),
) -> RigidTemplate:
    """Make a template ready.

    Parameters
    ----------
    image : (y, x) or (z, y, x)
        Any real dtype; NaN and infinite values are no data.
    mask : (*shape), optional
        Not zero = use this pixel.
    scale : tuple of float, optional
        Size of a pixel along each axis, in one unit; 1 by default.

    Raises
    ------
    ValueError
        For another number of axes, complex numbers, or a mask or scale that does not fit.

    Examples
    --------
    >>> prepare(np.zeros((8, 9, 10))).whole is None
    True
    """
    given = _checked(image, mask, "template")
    sizes = (1.0,) * given.ndim if scale is None else tuple(float(each) for each in scale)
    if len(sizes) != given.ndim or not all(np.isfinite(each) and each > 0 for each in sizes):
        raise ValueError(
            f"A scale of {scale} was given for a template of {given.ndim} axes; give the size of a "
            "pixel, above 0, along each."
        )
    whole = raw(given, None if mask is None else np.asarray(mask))
    if whole is None:
        return RigidTemplate(settings, given, given.shape, sizes)
    fixed, finest = [], 1.0
    for number, step in enumerate(level_steps(given.shape, sizes)):
        level = level_of(whole, step)
        noise = whole.noise * float(np.prod([_smoothed(each) for each in step]))
        slopes, sigma = slopes_of(level, noise)
        finest = sigma if number == 0 else finest
        along = directions(settings.motion, tuple(s * n for s, n in zip(sizes, step, strict=True)))
        centre = (np.array(level.values.shape) - 1) / 2
        fixed.append(
            Fixed(level, slopes, used(level, sigma), along, centre, neighbours(level.values))
        )
    return RigidTemplate(settings, given, given.shape, sizes, whole, tuple(fixed), finest)


def align(
    template: RigidTemplate,
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
) -> Alignment:
    """Bring a volume, or a plane, onto a template.

    Parameters
    ----------
    template : RigidTemplate
        From `prepare`.
    image : (z, y, x) or (y, x)
        With as many axes as the template, of any size, its pixels as large.
    mask : (*shape), optional
        Not zero = use this pixel.
    start : (d + 1, d + 1), optional
        A guess of the matrix; by default the template lies in the middle of the image.

    Returns
    -------
    Alignment
        Its matrix (d + 1, d + 1) leads from pixels (z, row, column, 1) of the template to those of
        the image; its covariance is of the parameters that `names` names, counted from the
        template's centre, in pixels and radians. Where there is no answer the matrix is NaN and
        the status says why; nothing is raised.

    Raises
    ------
    ValueError
        For another number of axes, complex numbers, or a mask of another shape.

    Examples
    --------
    >>> from scipy import ndimage
    >>> noise = np.random.default_rng(0).normal(size=(30, 50, 50))
    >>> scene = 100 * ndimage.gaussian_filter(noise, 2)
    >>> template = prepare(scene[3:27, 5:45, 5:45], settings=RigidSettings(motion="translation"))
    >>> found = align(template, scene[4:28, 3:43, 6:46])
    >>> (np.round(found.matrix[:3, 3], 2) + 0.0).tolist()
    [-1.0, 2.0, -1.0]
    """
    settings = template.settings
    given = _checked(image, mask, "image")
    if given.ndim != len(template.shape):
        raise ValueError(
            f"An image of {given.ndim} axes was given for a template of {len(template.shape)}; "
            "give as many."
        )
    whole = raw(given, None if mask is None else np.asarray(mask))
    if template.whole is None or whole is None:
        return _none(template, Status.NO_DATA)
    d = given.ndim
    first = np.eye(d + 1)
    first[:d, d] = (np.array(given.shape) - np.array(template.shape)) / 2
    if start is not None and np.isfinite(np.asarray(start)).all():
        first = np.array(start, float)
    moving = [level_of(whole, fixed.level.step) for fixed in template.fixed]
    fits = [Fit(first)]
    coarsest = len(moving) - 1
    if settings.start == "correlation":
        fits += [Fit(each) for each in _places(template, moving[coarsest], first)]
    compared: Compared | None = None
    for number in range(coarsest, -1, -1):
        order: Literal[1, 3] = 3 if number == 0 else 1
        answers = [
            (fit, descend(template.fixed[number], moving[number], fit, settings.rules, order))
            for fit in fits
        ]
        kept = sorted(
            (each for each in answers if each[1] is not None), key=lambda each: -_score(each[0])
        )
        if not kept:
            return _none(template, Status.LEFT)
        fits = [fit for fit, _ in kept[: 2 if number > 1 else 1]]
        compared = kept[0][1]
    assert compared is not None
    return _result(template, whole, fits[0], compared, moving)


def _result(
    template: RigidTemplate, whole: Raw, fit: Fit, compared: Compared, moving: list[Level]
) -> Alignment:
    fixed = template.fixed[0]
    spread = covariance(fixed, compared)
    if not np.isfinite(spread).all():
        return _none(template, Status.FLAT, fit)
    if template.settings.start == "correlation":
        verdict = _verdict(template, moving, fit)
        if verdict is not Verdict.CLEAR:
            status = Status.UNLIKE if verdict is Verdict.UNLIKE else Status.AMBIGUOUS
            return _none(template, status, fit)
    assert template.whole is not None
    gain = compared.gain * whole.spread / template.whole.spread
    offset = compared.offset * whole.spread + whole.mean - gain * template.whole.mean
    corners = corner_points(template.shape) - fixed.centre
    return Alignment(
        matrix=fit.matrix,
        motion=template.settings.motion,
        status=Status.CONVERGED if fit.converged else Status.SLOW,
        gain=float(gain),
        offset=float(offset),
        correlation=float(compared.correlation),
        rmse=float(compared.rmse * whole.spread),
        overlap=float(compared.overlap),
        covariance=spread,
        motion_error=corner_motion(spread, fixed.along, corners),
        iterations=len(fit.history),
        history=_history(fit, whole.spread),
    )


def _verdict(template: RigidTemplate, moving: list[Level], fit: Fit) -> Verdict:
    """Of the finest level that is small enough to be compared at every shift."""
    number = next(
        (n for n, each in enumerate(template.fixed) if each.level.values.size <= _JUDGED),
        len(moving) - 1,
    )
    fixed, there = template.fixed[number], moving[number]
    last = Fit(fit.matrix.copy())
    rules = Rules(False, template.settings.brightness, 0.0, 1, np.inf)
    if descend(fixed, there, last, rules, 1) is None:
        return Verdict.UNLIKE
    # The template as it lies in the image, a whole number of pixels off.
    matrix = on_level(last.matrix, fixed.level.step, there.step)
    centre = np.append(fixed.centre, 1.0)
    shift = np.rint((matrix @ centre - centre)[:-1]).astype(int)
    back = np.eye(len(matrix))
    back[:-1, -1] = shift
    back = np.linalg.inv(matrix) @ back
    shape = fixed.level.values.shape
    turned = pulled_back(fixed.level.values, back, shape, 1)
    use = inside(back, shape, shape) & (
        pulled_back(fixed.level.valid.astype(float), back, shape, 1) > 0.99
    )
    sigma = template.sigma if number == 0 else 1.0
    return judged(
        derivatives(turned, sigma),
        use,
        derivatives(there.values, sigma),
        there.valid,
        tuple(int(each) for each in shift),
    )


def _places(template: RigidTemplate, moving: Level, first: FloatArray) -> list[FloatArray]:
    """Where the template correlates best, on the coarsest level."""
    fixed = template.fixed[-1]
    shape = fixed.level.values.shape
    spectra = Spectra.of(moving.values[np.newaxis], moving.valid.astype(float), shape)
    values, overlap = correlations(
        spectra,
        fixed.level.values[np.newaxis],
        fixed.level.valid.astype(float),
        template.settings.least_overlap,
    )
    found = []
    for place in peaks(values, overlap, _PLACES, max(1, min(shape) // 8)):
        matrix = first.copy()
        shift = np.array(place) - np.array(shape) + 1
        matrix[:-1, :-1] = np.eye(len(shape))
        matrix[:-1, -1] = shift * fixed.level.step
        found.append(matrix)
    return found


def _score(fit: Fit) -> float:
    """Fisher's z and the overlap together: a few pixels at the border fit anything."""
    return float(np.arctanh(np.clip(fit.correlation, -0.9999, 0.9999)) * np.sqrt(fit.overlap))


def _history(fit: Fit, spread: float) -> FloatArray:
    past = np.array(fit.history, float).reshape(-1, 3)
    if not len(past):
        return np.empty((0, 5))
    level = np.log2(past[:, 0])
    return np.column_stack(
        [level, past[:, 1] * spread, past[:, 2], np.cumsum(past[:, 2]), np.zeros(len(past))]
    )


def _none(template: RigidTemplate, status: Status, fit: Fit | None = None) -> Alignment:
    nan, d = float("nan"), len(template.shape)
    k = len(names(template.settings.motion, d))
    past = _history(fit, 1.0) if fit is not None else np.empty((0, 5))
    return Alignment(
        np.full((d + 1, d + 1), nan), template.settings.motion, status, nan, nan, nan, nan, 0.0,
        np.full((k, k), nan), nan, len(past), past,
    )  # fmt: skip


def _smoothed(step: int) -> float:
    """By how much the smoothing before a step lessens the deviation of white noise."""
    return 1.0 if step == 1 else float(1 / np.sqrt(np.sqrt(np.pi) * step))


def _checked(image: ArrayLike, mask: ArrayLike | None, name: str) -> NDArray[Any]:
    given = np.asarray(image)
    if given.dtype.kind not in "buif" or given.ndim not in (2, 3) or 0 in given.shape:
        raise ValueError(
            f"The {name} is {given.dtype} of shape {given.shape}; give real numbers as "
            "(y, x) or (z, y, x)."
        )
    if mask is not None and np.asarray(mask).shape != given.shape:
        raise ValueError(
            f"The mask of the {name} has the shape {np.asarray(mask).shape}; "
            f"{given.shape} is needed."
        )
    return given

"""A change map of two images of one scene that bears with displacement, focus, light and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.derivatives import smooth
from napari_framewise.numerics.difference.fitting import Fit, fitted
from napari_framewise.numerics.difference.focus import focus
from napari_framewise.numerics.difference.light import Light
from napari_framewise.numerics.difference.measures import Measure, Windows, measured
from napari_framewise.numerics.difference.motion import SMOOTH, coarser, resized, resized_field
from napari_framewise.numerics.difference.significance import (
    Regions,
    discovered,
    kept,
    p_values,
    regions,
    scores,
)
from napari_framewise.numerics.interpolation import spline, warp
from napari_framewise.numerics.pyramid import filled

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
# Sides of an image, and share of a window with data, from which they are compared.
_SMALLEST, _SHARE = 16, 0.25
_BORDER = 6
# The first look, at images halved from this size on (which leaves so much of white noise's
# variance): displacements and light this much smoother, and the p-value from which windows are in
# doubt.
_HALVED, _HALF_NOISE, _STIFFER, _DOUBT = 64, (70 / 256) ** 2, 3.0, 0.01
# And the measure: a rest of displacement of two pixels and more.
_STRANGE = 2.0


@dataclass(frozen=True)
class Settings:
    """How two images are compared.

    Attributes
    ----------
    measure : str
        As `measured` has them.
    window : float
        Sigma of the Gaussian windows, in pixels.
    tolerance : {"flow", "shift", "search", "none"}
        A smooth field of displacements, one for the image, the best of a search window at each
        place, or none.
    smoothness : float
        Sigma in pixels that displacements and light are smooth over: more than the changes sought.
    reach : int
        Of the search window, in pixels.
    focus : bool
        Blur the sharper image as the other is.
    light : {"local", "global", "none"}
        Bring the reference to the image's brightness and contrast, smoothly over the image, as a
        whole, or not.
    rate : float
        False discovery rate.
    """

    measure: Measure = "residual"
    window: float = 4.0
    tolerance: Literal["flow", "shift", "search", "none"] = "flow"
    smoothness: float = 12.0
    reach: int = 2
    focus: bool = True
    light: Light = "local"
    rate: float = 0.05


@dataclass(frozen=True, eq=False)
class Change:
    """What changed between two images.

    Attributes
    ----------
    measure : (y, x) float64
        The measure around each pixel; NaN without data.
    p : (y, x) float64
        Probability of a measure as high where nothing changed.
    displacement : (2, y, x) float64
        Where each pixel of the image lies in the reference, from its place: rows, columns.
    changed : Regions
        Connected regions at the false discovery rate.
    blur : float
        Sigma that the reference (positive) or the image (negative) was blurred by.
    noise : float
        Standard deviation of the noise of the difference, before blur.
    unexplained : float
        Share of the windows whose mean squared difference is more than twice what noise and a rest
        of displacement explain. p-values compare windows with each other: where most are such, the
        images don't show one scene, or all of it changed.
    """

    measure: FloatArray
    p: FloatArray
    displacement: FloatArray
    changed: Regions
    blur: float
    noise: float
    unexplained: float


def compare(
    reference: NDArray[Any],
    image: NDArray[Any],
    settings: Settings = Settings(),
    valid: BoolArray | None = None,
) -> Change:
    """Compare an image with a reference of the same scene.

    Parameters
    ----------
    reference, image : (y, x)
        Any real dtype; NaN and infinite values are no data.
    settings : Settings
        What is borne with, and what is measured.
    valid : (y, x) bool, optional
        True = use this pixel, on the image's grid.

    Returns
    -------
    Change
        NaN, and no regions, where images are smaller than 16 pixels or hold no data.

    Raises
    ------
    ValueError
        Where the images differ in shape.

    Notes
    -----
    In turn: the sharper image is blurred as the other is (`focus`); the reference is brought to the
    image's light, by a gain and an offset that are least squares in windows of twice the
    smoothness; it is warped by a smooth field of displacements (`smooth_displacement`); the
    measure is taken in windows; its logarithm is compared with that of windows of like structure
    (`scores`); windows are called changed at Benjamini and Hochberg's rate, and of the regions that
    they form those are kept whose strongest window holds that rate over the regions (`kept`).
    Light and displacement are found twice on halved images: first smoother, and then without
    what may have changed by that, which would pull them.

    Examples
    --------
    >>> from scipy import ndimage
    >>> random = np.random.default_rng(0)
    >>> scene = 60 + 200 * ndimage.gaussian_filter(random.normal(size=(160, 180)), 2)
    >>> first, later = (scene + random.normal(0, 1, scene.shape) for _ in range(2))
    >>> later[30:44, 40:56] += 30
    >>> found = compare(first, later)
    >>> bool(found.measure[37, 48] > 10 * np.nanmedian(found.measure))
    True
    """
    given = [np.array(each, np.float64, order="C") for each in (reference, image)]
    if given[0].shape != given[1].shape:
        raise ValueError(
            f"The reference has the shape {given[0].shape} and the image {given[1].shape}; two of "
            "one shape are needed."
        )
    known = [np.isfinite(each) for each in given]
    if valid is not None:
        known[1] &= valid
    shape = given[0].shape
    if min(shape) < _SMALLEST or not all(each.any() for each in known):
        return _nothing(shape)
    size = max(float(np.abs(each[use]).max()) for each, use in zip(given, known, strict=True))
    unit = 2.0 ** np.floor(np.log2(size)) if size > 0 else 1.0
    a, b = (
        filled((each / unit)[None], use)[0][0] if not use.all() else each / unit
        for each, use in zip(given, known, strict=True)
    )
    sharp = focus(a, b)
    noise = sharp.noise[0] ** 2 + sharp.noise[1] ** 2
    blur = sharp.blur if settings.focus else 0.0
    if blur > 0:
        a = smooth(a[None], blur)[0]
    elif blur < 0:
        b = smooth(b[None], -blur)[0]
    both = (known[0] & known[1]).astype(np.float64)
    seen = _seen(a, b, known, _fit(a, b, both, settings, noise), settings, noise)
    windows, there, changed, chances = seen.windows, seen.there, seen.changed, seen.p
    limit = float(chances[changed].max()) if changed.any() else -1.0
    least = np.finfo(float).tiny
    lifted = np.exp(_fine(np.log(np.maximum(chances, least)), windows, shape))
    lifted[~there] = np.nan
    whole = _fine(seen.measure, windows, shape)
    whole[~there] = np.nan
    enough, nan = windows.count > _SHARE, float("nan")
    power = {"mse": 2, "mae": 1, "gradient": 1}.get(settings.measure, 0)
    with np.errstate(invalid="ignore"):
        where = lifted <= limit
    whole *= unit**power
    found = regions(where, whole, lifted)
    # Windows that hardly overlap: as many as their area, 1 / (sum of squared weights), allows.
    apart = float(there.sum()) / (4 * np.pi * settings.window**2)
    real = kept(found.p, max(apart, 1.0), settings.rate)
    if not real.all():
        found = regions(where & np.append(False, real)[found.labels], whole, lifted)
    return Change(
        whole,
        lifted,
        seen.displacement,
        found,
        blur,
        float(np.sqrt(noise)) * unit,
        float((seen.unexplained[enough] > _STRANGE).sum() / enough.sum()) if enough.any() else nan,
    )


def _fit(a: FloatArray, b: FloatArray, both: FloatArray, settings: Settings, noise: float) -> Fit:
    """Light and displacement: found from all, and again without what may have changed by that."""
    if settings.tolerance not in ("flow", "shift") and settings.light == "none":
        return Fit(None, np.zeros((2, *a.shape)))
    over = {"flow": settings.smoothness, "shift": np.inf}.get(settings.tolerance)
    # A shift first, where what is near is searched: it is light that is asked for here.
    stiffly = np.inf if settings.tolerance == "search" else over and _STIFFER * over
    factor = 2 if min(a.shape) >= _HALVED else 1
    near, later, weight = coarser(a, b, both) if factor == 2 else (a, b, both)
    nearly = replace(
        settings,
        measure="residual",
        window=max(settings.window / factor, 1.0),
        tolerance="none",
    )
    smoothness = settings.smoothness / factor
    first = fitted(
        near, later, weight, settings.light, _STIFFER * smoothness, stiffly and stiffly / factor
    )
    noise *= _HALF_NOISE if factor == 2 else 1.0
    seen = _seen(near, later, [weight > 0] * 2, first, nearly, noise, coarsely=True)
    trusted = _trusted(seen, weight)
    field = first.displacement
    if factor == 2 and over is not None and over < SMOOTH:
        # Displacements that vary so are seen on the images themselves.
        wide = both * _on_pixels(trusted > 0, 2, both.shape)
        field = resized_field(field, a.shape)
        return fitted(a, b, wide, settings.light, settings.smoothness, over, before=field)
    again = fitted(
        near,
        later,
        trusted,
        settings.light,
        smoothness,
        over and over / factor,
        before=field,
        halved=factor == 2,
    )
    return replace(again, times=factor)


def _trusted(seen: _Seen, weight: FloatArray) -> FloatArray:
    """The weight of pixels far from what may have changed."""
    with np.errstate(invalid="ignore"):
        strange = (seen.p < _DOUBT) | (seen.measure > _STRANGE)
    # One cell, four pixels of the image: twice as far, and too little is left to fit.
    doubted = ndimage.binary_dilation(strange, np.ones((3, 3), np.bool_))
    trusted = weight * ~_on_pixels(doubted, seen.windows.factor, weight.shape)
    # Where most of the image is in doubt nothing is better than anything else.
    return trusted if trusted.sum() > 0.5 * weight.sum() else weight


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one pass over the images gives, in cells; `there` and displacements in pixels."""

    windows: Windows
    there: BoolArray
    measure: FloatArray
    p: FloatArray
    unexplained: FloatArray
    changed: BoolArray
    displacement: FloatArray


def _seen(
    a: FloatArray,
    b: FloatArray,
    known: list[BoolArray],
    fit: Fit,
    settings: Settings,
    noise: float,
    *,
    coarsely: bool = False,
) -> _Seen:
    """Compare once, with light and displacement as they were found."""
    shape = a.shape
    a, displacement = fit.lit(a), fit.displaced(shape)
    values, _, inside = warp(
        spline(a[None], valid=None if known[0].all() else known[0]), displacement
    )
    there = known[1] & inside
    # What came in over the border blurs into it, and displacements are least sure there.
    weight = (there & _within(shape)).astype(np.float64)
    windows = Windows.of(weight, settings.window, coarsely=coarsely)
    found, structure, unexplained = measured(values[0], b, windows, settings.measure, noise)
    if settings.tolerance == "search":
        found, structure, unexplained, displacement = _searched(a, b, known, settings, noise)
    enough = windows.count > _SHARE
    chances = p_values(scores(found, structure, enough))
    changed = discovered(chances, settings.rate)
    found = np.where(enough, found, np.nan)
    return _Seen(windows, there, found, chances, unexplained, changed, displacement)


def _on_pixels(cells: BoolArray, factor: int, shape: tuple[int, ...]) -> BoolArray:
    """The cell, of so many pixels a side, that each pixel lies in."""
    wide = cells if factor == 1 else cells.repeat(factor, axis=0).repeat(factor, axis=1)
    return wide[: shape[0], : shape[1]]


def _within(shape: tuple[int, ...]) -> BoolArray:
    """Pixels that are not at the border."""
    inner = np.zeros(shape, np.bool_)
    inner[_BORDER:-_BORDER, _BORDER:-_BORDER] = True
    return inner


def _searched(
    a: FloatArray, b: FloatArray, known: list[BoolArray], settings: Settings, noise: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The least measure over shifts of the reference, with what belongs to it, and where it is."""
    r = settings.reach
    grown, use = np.pad(a, r, mode="edge"), np.pad(known[0], r, mode="constant")
    rows, columns = a.shape
    best: FloatArray | None = None
    for down in range(-r, r + 1):
        for right in range(-r, r + 1):
            place = (slice(r + down, r + down + rows), slice(r + right, r + right + columns))
            weight = (known[1] & use[place] & _within(a.shape)).astype(np.float64)
            windows = Windows.of(weight, settings.window)
            found, *other = measured(grown[place], b, windows, settings.measure, noise)
            found = np.where(windows.count > _SHARE, found, np.inf)
            if best is None:
                best, (under, left) = found, other
                shift = np.zeros((2, *found.shape))
                shift[0], shift[1] = down, right
                continue
            # Of equals the smallest shift.
            nearer = (found < best) | (
                (found == best) & (down**2 + right**2 < shift[0] ** 2 + shift[1] ** 2)
            )
            best, under, left = (
                np.where(nearer, new, old)
                for new, old in zip((found, *other), (best, under, left), strict=True)
            )
            shift[:, nearer] = np.array([[down], [right]])
    assert best is not None
    factor = windows.factor
    wide = shift.repeat(factor, axis=1).repeat(factor, axis=2)[:, :rows, :columns]
    return np.where(np.isfinite(best), best, np.nan), under, left, wide


def _fine(values: FloatArray, windows: Windows, shape: tuple[int, ...]) -> FloatArray:
    """On pixels, from cells; from those with data where others have none."""
    known = np.isfinite(values)
    if known.all():
        return resized(values, shape, windows.factor)
    if not known.any():
        return np.full(shape, np.nan)
    return resized(filled(values[None], known)[0][0], shape, windows.factor)


def _nothing(shape: tuple[int, ...]) -> Change:
    nan = np.full(shape, np.nan)
    none = regions(np.zeros(shape, np.bool_), nan, nan)
    return Change(nan, nan, np.zeros((2, *shape)), none, 0.0, float("nan"), float("nan"))

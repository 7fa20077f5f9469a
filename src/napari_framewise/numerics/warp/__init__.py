"""Anti-aliased warps: every pixel of a result is an average over its footprint in the image.

Footprints come from a map of the result's pixels to those of the image and its Jacobian, so one
code serves affine maps, homographies, displacements and splines. Coordinates are in row-column
order, with pixel centres on integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.common.blocks import working_type
from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.interpolation import Spline, sample, spline
from napari_framewise.numerics.pyramid import filled
from napari_framewise.numerics.warp import area, kernels
from napari_framewise.numerics.warp.fourier import BandLimited as BandLimited
from napari_framewise.numerics.warp.light import coded_light as coded_light
from napari_framewise.numerics.warp.light import linear_light as linear_light
from napari_framewise.numerics.warp.mapping import MAGNIFIED as MAGNIFIED
from napari_framewise.numerics.warp.mapping import Footprints as Footprints
from napari_framewise.numerics.warp.mapping import cap_of as cap_of
from napari_framewise.numerics.warp.mapping import footprints as footprints
from napari_framewise.numerics.warp.mapping import is_affine as is_affine
from napari_framewise.numerics.warp.mapping import share_of
from napari_framewise.numerics.warp.mapping import stretch as stretch
from napari_framewise.numerics.warp.profiles import profile as profile
from napari_framewise.numerics.warp.profiles import weights_of
from napari_framewise.numerics.warp.volumes import samples_of as samples_of
from napari_framewise.numerics.warp.volumes import volume_labels as volume_labels
from napari_framewise.numerics.warp.volumes import volume_mean as volume_mean

BoolArray: TypeAlias = NDArray[np.bool_]
Kernel: TypeAlias = Literal["jinc", "robidoux", "mitchell", "area"]
"""Weights over a footprint."""
KERNELS: tuple[Kernel, ...] = get_args(Kernel)


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image of which many parts of a result are taken; see `prepared`.

    Attributes
    ----------
    planes : (channels, y, x) float32 or float64
        Finite everywhere.
    usable : (y, x) bool or None
        Where it held data; None where it did everywhere.
    first_row : int
        Number of its first row, of a part of an image.
    """

    planes: NDArray[Any]
    usable: BoolArray | None
    first_row: int = 0

    @cached_property
    def spline(self) -> Spline:
        """The cubic B-spline through its pixels."""
        return spline(self.planes)

    @cached_property
    def padded(self) -> NDArray[Any]:
        """The planes with as many columns more as kernels may read."""
        rows, columns = self.planes.shape[1:]
        wide = np.zeros((len(self.planes), rows, columns + kernels.LANES), self.planes.dtype)
        wide[..., :columns] = self.planes
        return wide

    @property
    def valid(self) -> BoolArray:
        """Where it held data, as kernels take it: empty where it did everywhere."""
        return np.empty((0, 0), np.bool_) if self.usable is None else self.usable


def prepared(
    planes: NDArray[Any], valid: BoolArray | None = None, *, first_row: int = 0
) -> Prepared:
    """An image for `warped`, its gaps filled from around them.

    Parameters
    ----------
    planes : (channels, y, x) float32 or float64
        NaN and infinite values are gaps.
    valid : (y, x) bool, optional
        Further gaps, where it is False.
    first_row : int
        Number of the first row, where these are some rows of an image: all that is reached.

    Raises
    ------
    ValueError
        For planes of another shape.

    Examples
    --------
    >>> prepared(np.array([[[1.0, np.nan]]])).usable.tolist()
    [[True, False]]
    """
    if planes.ndim != 3:
        raise ValueError(
            f"An image of shape {planes.shape} was given; give (channels, rows, columns)."
        )
    whole, usable = filled(planes, valid)
    usable = None if usable is None else np.ascontiguousarray(usable)
    return Prepared(np.ascontiguousarray(whole), usable, first_row)


def reach_of(kernel: Kernel) -> float:
    """Pixels of the result that a footprint reaches from its centre.

    Examples
    --------
    >>> reach_of("mitchell"), reach_of("area")
    (2.0, 0.75)
    """
    # Half the diagonal of a pixel, and what it is turned by.
    return 0.75 if kernel == "area" else weights_of(kernel).radius


def warped(
    image: Prepared,
    at: Footprints,
    *,
    kernel: Kernel = "jinc",
    most: float = np.inf,
) -> NDArray[Any]:
    """An image on other pixels, each the average over its footprint.

    Where a footprint is longer than a pixel along any axis, ``sum w f / sum w`` over the pixels f
    of the image that are known, with the weight ``w = h(|J^-1 (q - T(p))|)`` of the pixel at q: J
    is the Jacobian of the map T at p, its singular values no less than 1 (Greene & Heckbert 1986).
    "area" weighs by the area that the pixel of the result, a polygon of four corners, has of each
    pixel of the image, exactly. Where the map magnifies, a cubic B-spline; from a stretch of 1 to
    1.25 the one becomes the other, with "area" at once.

    Parameters
    ----------
    image : Prepared
        What `prepared` makes of an image.
    at : Footprints
        Of the result's pixels.
    kernel : {"jinc", "robidoux", "mitchell", "area"}
        Weights, see `profile`; "jinc" stops most of what the result can't show.
    most : float
        Longest axis of a footprint, see `cap_of`.

    Returns
    -------
    (channels, rows, columns)
        In the image's float type. NaN where the centre lies more than half a pixel outside of the
        image; where it lies on a gap (spline), or less than half of the weight within the image is
        on known pixels (footprint).

    Raises
    ------
    ValueError
        For another kernel.

    Examples
    --------
    >>> ramp = np.arange(8.0)[None, None].repeat(8, axis=1)
    >>> half = lambda p: 2 * p + 0.5
    >>> at = footprints(half, lambda p: np.tile(2 * np.eye(2), (len(p), 1, 1)), (4, 4))
    >>> warped(prepared(ramp), at, kernel="area")[0, 0].tolist()
    [0.5, 2.5, 4.5, 6.5]
    """
    if kernel not in KERNELS:
        raise ValueError(f"The kernel {kernel!r} was asked for; give one of {', '.join(KERNELS)}.")
    long = at.stretch
    shrunk = long > 1.0 + 1e-9
    out = np.empty((len(image.planes), *at.shape), image.planes.dtype)
    if shrunk.any():
        part = slice(None) if shrunk.all() else shrunk
        out[:, part] = _averaged(image, at, part, kernel, most).reshape(out[:, part].shape)
    if shrunk.all():
        return out
    share = share_of(long)
    magnified = ~shrunk if kernel == "area" else share < 1
    smooth = _interpolated(image, at.places[magnified])
    mixed = out[:, magnified]
    weight = np.where(shrunk[magnified], share[magnified], 0.0).astype(out.dtype)
    with np.errstate(invalid="ignore"):
        both = smooth + weight * (mixed - smooth)
    out[:, magnified] = np.where(weight > 0, both, smooth)
    return out


def fourier_warped(image: Prepared, at: Footprints, limited: BandLimited) -> NDArray[Any]:
    """An image on the pixels of an affine map, cut at the frequencies that these can show.

    Parameters
    ----------
    image : Prepared
        What `prepared` makes of an image.
    at : Footprints
        Of the result's pixels, with corners where there are gaps.
    limited : BandLimited
        Of the image's planes and the map's slopes.

    Returns
    -------
    (channels, rows, columns)
        In the image's float type; NaN outside of the image, and where less than half of a pixel's
        area is known.

    Examples
    --------
    >>> image = prepared(np.ones((1, 16, 16)))
    >>> slopes = 2 * np.eye(2)
    >>> at = footprints(lambda p: 2 * p + 0.5, lambda p: np.tile(slopes, (len(p), 1, 1)), (8, 8))
    >>> found = fourier_warped(image, at, BandLimited(image.planes, slopes))
    >>> found.shape, bool(np.allclose(found, 1))
    ((1, 8, 8), True)
    """
    inside, within = _within(image, at.places.reshape(-1, 2))
    values = limited.sample(within).astype(image.planes.dtype)
    near = np.rint(within).astype(np.intp)
    if not share_of(at.stretch).any():
        exact = (near == within).all(axis=-1)
        values[:, exact] = image.planes[:, near[exact, 0], near[exact, 1]]
    if image.usable is not None:
        known = warped(prepared(image.usable[None].astype(np.float32)), at, kernel="area")[0]
        inside &= known.ravel() >= 0.5
    values[:, ~inside] = np.nan
    return values.reshape(len(values), *at.shape)


def warped_labels(labels: NDArray[Any], at: Footprints, *, most: float = np.inf) -> NDArray[Any]:
    """Labels on other pixels: that which most of a pixel's area has, exactly; 0 outside.

    Parameters
    ----------
    labels : (y, x)
        Whole numbers or bool. Of labels with equal areas the one that comes first, row by row.
    at : Footprints
        Of the result's pixels.
    most : float
        Furthest corner from a centre, see `cap_of`.

    Returns
    -------
    (rows, columns)
        In the labels' type.

    Raises
    ------
    ValueError
        For numbers that are not whole, or another shape.

    Examples
    --------
    >>> stripes = np.array([[1, 1, 2, 2, 2, 3]])
    >>> slopes = np.diag([1.0, 3.0])
    >>> third = lambda p: p @ slopes + [0, 1]
    >>> at = footprints(third, lambda p: np.tile(slopes, (len(p), 1, 1)), (1, 2))
    >>> warped_labels(stripes, at).tolist()
    [[1, 2]]
    """
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"Labels of shape {labels.shape} and type {labels.dtype} were given; give (rows, "
            "columns) of whole numbers."
        )
    names = labels.astype(np.int64)
    out = np.empty(at.places[..., 0].size, np.int64)
    compiled(area.majority, "int64/2", "float64/2", "float64/3", "float64", "int64", "=int64/1")(
        np.ascontiguousarray(names),
        np.ascontiguousarray(at.places.reshape(-1, 2)),
        np.ascontiguousarray(_corners(at).reshape(-1, 4, 2)),
        float(most),
        0,
        out,
    )
    return out.reshape(at.shape).astype(labels.dtype)


def interpolated(
    planes: NDArray[Any], places: NDArray[np.float64], order: Literal[0, 1, 3] = 3
) -> NDArray[Any]:
    """An image or a volume at places: nearest pixel, linear, or cubic B-spline; no averaging.

    Parameters
    ----------
    planes : (channels, *grid)
        Real numbers, 2-D or 3-D; NaN is no data.
    places : (*shape, d) float64
        Row-column order; NaN where there is none.
    order : {0, 1, 3}
        Nearest pixel, for values that must not be mixed; linear; cubic.

    Returns
    -------
    (channels, *shape)
        In the planes' type; integers rounded and clipped. NaN, 0 in integers, outside of the
        pixels' centres (the nearest pixel: outside of the pixels) and between pixels without data.

    Examples
    --------
    >>> interpolated(np.array([[[1.0, 2.0, 4.0]]]), np.array([[0.0, 1.5], [0.0, 9.0]]), 1).tolist()
    [[3.0, nan]]
    """
    given = planes.dtype
    kind = np.promote_types(given, np.float32) if given.kind == "f" else given
    points = np.moveaxis(places, -1, 0)
    empty = np.nan if kind.kind == "f" else 0
    if order == 0:
        near = np.rint(points)
        limits = np.array(planes.shape[1:]).reshape(-1, *(1,) * (near.ndim - 1)) - 1
        inside = ((near >= 0) & (near <= limits)).all(axis=0)
        at = np.where(inside, near, 0).astype(np.intp)
        return np.where(inside, planes[:, *at], np.array(empty, kind))
    work = planes.astype(working_type(given))
    known = np.isfinite(points).all(axis=0)
    values, _, inside = sample(spline(work, order=order), np.where(known, points, -1.0))
    near = np.rint(np.where(inside & known, points, 0.0)).astype(np.intp)
    exact_there = inside & known & (near == points).all(axis=0)
    # The spline goes through the pixels, but for rounding.
    values[:, exact_there] = work[:, *near[:, exact_there]]
    values[:, ~(inside & known)] = np.nan
    if kind.kind == "f":
        return values.astype(kind, copy=False)
    whole = np.nan_to_num(np.rint(values), nan=0.0)
    if kind.kind == "b":
        return np.asarray(whole > 0)
    bounds = np.iinfo(kind)
    # The largest float below 2**64 - 1 must be taken, or the conversion overflows.
    top = np.nextafter(np.float64(bounds.max), 0) if bounds.bits > 53 else bounds.max
    return np.asarray(np.clip(whole, bounds.min, top), kind)


def _corners(at: Footprints) -> NDArray[np.float64]:
    if at.corners is None:
        raise ValueError("Areas were asked for of footprints without corners; give them corners.")
    return at.corners


def _averaged(
    image: Prepared,
    at: Footprints,
    part: Any,
    kernel: Kernel,
    most: float,
) -> NDArray[Any]:
    """Averages over some of the footprints, (channels, n)."""
    places = np.ascontiguousarray(at.places[part].reshape(-1, 2))
    out = np.empty((len(image.planes), len(places)))
    kind, first = image.planes.dtype.name, image.first_row
    if kernel == "area":
        corners = np.ascontiguousarray(_corners(at)[part].reshape(-1, 4, 2))
        compiled(
            area.area_average, f"{kind}/3", "bool/2", "int64", "float64/2", "float64/3", "float64",
            "=float64/2",
        )(image.planes, image.valid, first, places, corners, float(most), out)  # fmt: skip
        return out
    weights = weights_of(kernel)
    slopes = np.ascontiguousarray(at.slopes[part].reshape(-1, 2, 2))
    compiled(
        kernels.average, f"{kind}/3", "bool/2", "int64", "float64/2", "float64/3", "float64/1",
        "bool", "float64", "float64", "float64", "bool", "=float64/2",
    )(
        image.padded, image.valid, first, places, slopes, *weights, float(most),
        _repeats(places, slopes), out,
    )  # fmt: skip
    return out


def _repeats(places: NDArray[np.float64], slopes: NDArray[np.float64]) -> bool:
    """Whether all footprints are alike and neighbours lie alike between pixels."""
    if len(places) < 2 or not np.isfinite(places[:2]).all() or not (slopes == slopes[0]).all():
        return False
    step = places[1] - places[0]
    return bool((step == np.rint(step)).all())


def _interpolated(image: Prepared, places: NDArray[np.float64]) -> NDArray[Any]:
    """The cubic B-spline at places (n, 2), NaN where the nearest pixel is not known: (c, n)."""
    inside, within = _within(image, places)
    values, _, _ = sample(image.spline, within.T)
    near = np.rint(within).astype(np.intp)
    exact = (near == within).all(axis=-1)
    # The spline goes through the pixels, but for rounding.
    values[:, exact] = image.planes[:, near[exact, 0], near[exact, 1]]
    if image.usable is not None:
        inside &= image.usable[near[:, 0], near[:, 1]]
    values[:, ~inside] = np.nan
    return values


def _within(image: Prepared, places: NDArray[np.float64]) -> tuple[BoolArray, NDArray[np.float64]]:
    """Which places lie on the image's pixels, and all of them between their centres."""
    places = places - [image.first_row, 0]
    last = np.array(image.planes.shape[1:]) - 1.0
    with np.errstate(invalid="ignore"):
        inside = np.asarray(((places >= -0.5) & (places <= last + 0.5)).all(axis=-1))
    return inside, np.clip(np.where(inside[:, None], places, 0.0), 0.0, last)

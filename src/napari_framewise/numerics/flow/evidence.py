"""What the images say of the flow of a pair: how far it can be told from noise and from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gradient, smooth
from napari_framewise.numerics.flow.levels import Planes, warped_onto
from napari_framewise.numerics.flow.light import detail, spread_of
from napari_framewise.numerics.flow.prepared import Prepared
from napari_framewise.numerics.flow.settings import FlowSettings
from napari_framewise.numerics.interpolation import spline, warp
from napari_framewise.numerics.noise import autocorrelation, variance_factor
from napari_framewise.numerics.pyramid import filled

BoolArray = NDArray[np.bool_]
# The window that evidence is collected over, the smoothing of both frames before, and of its
# gradients, in pixels.
_WINDOW, _SMOOTHED, _SLOPES = 4.0, 1.0, 0.5
# The error of a direction that counts as known; the least correlation of the two frames, and that
# which is needed where they leave so many times what the best quarter of the pixels does.
_KNOWN, _CORRELATED, _ALIKE, _MISFIT = 0.2, 0.65, 0.9, 6.0
_REACH, _MIDDLE = {2: 4, 3: 2}, 160
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the images say of the flow around each pixel, within a Gaussian window of sigma 4 px.

    Both frames are smoothed by a Gaussian of sigma 1 px before, and, unless the light is said to be
    constant, taken without what varies slowly over the frame (see `light.detail`). Intensities are
    in units of the first frame's standard deviation, `spread`.

    Attributes
    ----------
    tensor : (ndim (ndim + 1) / 2, *grid) float32
        Mean products of the first frame's gradient with that of the warped second frame, symmetric:
        yy, yx, xx (zz, zy, zx, yy, yx, xx), summed over channels. The noise of the frames, which is
        independent, adds nothing to it on average.
    unlike : (*grid) float32
        Largest eigenvalue of the same of half the gradients' difference: what noise, and whatever
        else the frames do not share, adds to a tensor.
    left : (*grid) float32
        Mean square of what the warped second frame leaves of the first, smoothed.
    correlation : (*grid) float32
        Of the first frame with the warped second.
    rival : (*grid) float32
        Distance in pixels to the nearest place that looks the same; inf where none does.
    step : (*grid) float32
        Distance in pixels from the flow to the window's own solution, for its whole flow.
    factor : float
        Pixels that are worth one independent one, by the residual's autocorrelation.
    noise : float
        Standard deviation of a frame's noise, white.
    rms : (*grid) float32
        Root mean square of what the warped second frame leaves of the first, without smoothing.
    spread : float
        The unit of intensity.
    usable : (*grid) bool
        Where both frames have data.
    beyond : float
        How many times what the frames do not share an eigenvalue must be, to be no chance.
    """

    tensor: Planes
    unlike: Planes
    left: Planes
    correlation: Planes
    rival: Planes
    step: Planes
    factor: float
    noise: float
    rms: Planes
    spread: float
    usable: BoolArray
    beyond: float = 1.5

    @property
    def ndim(self) -> int:
        """Axes of the grid."""
        return self.usable.ndim

    @property
    def pixels(self) -> float:
        """Pixels that a window is worth, ``(4 pi sigma^2)^(ndim / 2)``."""
        return float((4 * np.pi * _WINDOW**2) ** (self.ndim / 2))

    @property
    def residual(self) -> NDArray[np.float64]:
        """Root mean square of what the warped second frame leaves of the first, in intensities."""
        return self.rms.astype(np.float64) * self.spread

    def matrices(self) -> NDArray[np.float64]:
        """The tensors as symmetric matrices (*grid, ndim, ndim)."""
        return _matrices(self.tensor)

    def eigenvalues(self) -> NDArray[np.float64]:
        """Eigenvalues of the tensor (ndim, *grid), the smallest first; negative ones by chance."""
        return _eigenvalues(self.tensor)

    def structure(self) -> NDArray[np.uint8]:
        """Directions in which the flow is known: 0 flat, 1 edge, 2 corner (3 in a volume).

        A direction is known where its eigenvalue is `beyond` times what the frames do not share,
        and the residual leaves it uncertain by less than 0.2 px: on an edge only the flow across
        it is. Where the frames do not correlate by 0.65 (0.9 where they leave far more than in the
        best quarter of the pixels), nothing is known.
        """
        values = self.eigenvalues()
        least = self.left.astype(np.float64) * self.factor / (self.pixels * _KNOWN**2)
        known = (values > np.maximum(least, self._chance())).sum(axis=0)
        return np.where(self.usable & self._matched(), known, 0).astype(np.uint8)

    def seen(self) -> BoolArray:
        """Where the motion can be told: from noise, in all directions, and from any other."""
        found = self.eigenvalues()[0] > self._chance()
        return np.asarray(self.usable & self._matched() & found & np.isinf(self.rival))

    def known(self) -> float:
        """Share of the usable pixels where the flow is known in a direction at least."""
        if not self.usable.any():
            return 0.0
        return float((self.structure()[self.usable] > 0).mean())

    def standard_error(self, *, local: bool = True) -> Planes:
        """Error of a window's own solution in its least certain direction, in pixels.

        ``sqrt(k s^2 / (N lambda))`` with N pixels in the window, k of which are worth one, the
        smallest eigenvalue lambda, and s^2 the window's residual or, not `local`, the mean of all.
        To it is added, as a square, how far that solution lies from the flow, which was drawn to
        its neighbours. Inf where nothing can be told. The flow rests on more than one window, so
        this ranks its errors, and is not their standard deviation.
        """
        squares = self.left.astype(np.float64)
        if not local:
            squares = np.full_like(squares, squares[self.usable].mean() if self.usable.any() else 0)
        seen = self.seen()
        information = np.where(seen, self.pixels * self.eigenvalues()[0], 1.0)
        error = np.sqrt(self.factor * squares / information + self.step.astype(np.float64) ** 2)
        return np.where(seen, error, np.inf).astype(np.float32)

    def known_part(self, displacement: Planes) -> Planes:
        """The flow's part along the directions that are known: across an edge, none where flat."""
        _, vectors = np.linalg.eigh(self.matrices())
        count = self.structure()[..., None]
        kept = np.arange(self.ndim) >= self.ndim - count
        along = np.einsum("...ij,i...->...j", vectors, displacement.astype(np.float64))
        part: Planes = np.einsum("...ij,...j->i...", vectors, along * kept).astype(np.float32)
        return part

    def _chance(self) -> NDArray[np.float64]:
        return np.maximum(self.beyond * self.unlike.astype(np.float64), _LEAST)

    def _matched(self) -> BoolArray:
        # A flow that is free enough finds some likeness anywhere, but leaves more than noise.
        usual = float(np.quantile(self.left[self.usable], 0.25)) if self.usable.any() else 0.0
        plain = (self.left < _MISFIT * usual) | (self.correlation > _ALIKE)
        return np.asarray((self.correlation > _CORRELATED) & plain)


def evidence(
    pair: Prepared, flow: Planes, rival: Planes, settings: FlowSettings, *, varying: bool
) -> Evidence:
    """Collect it at the finest level of a pair, at its flow."""
    ndim = len(flow)
    first = pair.first[0].planes
    warped, usable = warped_onto(pair.first[0], pair.second[0], flow, settings, varying=varying)
    one, two = (smooth(each, _SMOOTHED, ndim=ndim) for each in (first, warped))
    if settings.brightness == "changing":
        # What a field of light may have made is no evidence of motion.
        one, two = detail(one), detail(two)
    residual = two - one
    before, after = (gradient(each, _SLOPES, ndim=ndim) for each in (one, two))
    products = _products(before, after)
    # Each pixel's equation for the whole of its flow, which may differ from its neighbours'.
    whole = _times(products, flow) - np.sum((before + after) * residual, axis=1) / 2
    parts = [
        np.ones((1, *usable.shape), np.float32),
        products,
        _products((after - before) / 2, (after - before) / 2),
        whole,
        np.mean((warped - first) ** 2, axis=0, keepdims=True),
        np.mean(residual**2, axis=0, keepdims=True),
        *(one, two, one * two, one * one, two * two),
    ]
    weighted = np.concatenate(parts) * usable.astype(np.float32)
    sums = smooth(weighted, _WINDOW, ndim=ndim, truncate=3.0)
    ends = np.cumsum([len(part) for part in parts])[:6]
    share, tensor, unlike, whole, raw, left, moments = np.split(sums, ends)
    share = np.maximum(share, np.float32(1e-6))
    largest = int(np.argmax([np.abs(each).mean() for each in residual]))
    # The middle of a large frame tells as much of its noise.
    middle = tuple(
        slice(max(0, n // 2 - _MIDDLE // 2), n // 2 + _MIDDLE // 2) for n in usable.shape
    )
    correlations = autocorrelation(residual[largest][middle], usable[middle], reach=_REACH[ndim])
    return Evidence(
        tensor=tensor,
        unlike=_eigenvalues(unlike)[-1].astype(np.float32),
        left=np.maximum(left / share, 0)[0],
        correlation=_correlation(moments / share),
        rival=rival,
        step=_length(tensor, whole - _times(tensor, flow), unlike),
        factor=variance_factor(correlations),
        noise=pair.noise,
        rms=np.sqrt(np.maximum(raw / share, 0)[0]),
        spread=pair.spread,
        usable=usable,
    )


def misfit(pair: Prepared, flow: Planes, settings: FlowSettings, *, varying: bool) -> float:
    """Spread of what the second frame, warped by a flow, leaves of the first."""
    warped, usable = warped_onto(pair.first[0], pair.second[0], flow, settings, varying=varying)
    return spread_of(warped - pair.first[0].planes, usable)


def extended(flow: Planes, seen: BoolArray) -> Planes:
    """The flow where it is seen, and smoothly extended from there; none where none is seen."""
    return np.asarray(filled(flow, seen)[0])


def there_and_back(forward: Planes, backward: Planes) -> Planes:
    """Distance in pixels from where a pixel ends that follows one flow and then the other.

    NaN where it leaves the frame.
    """
    returned, _, inside = warp(spline(backward, order=1), forward)
    distance: NDArray[Any] = np.sqrt(np.sum((forward + returned) ** 2, axis=0))
    return np.where(inside, distance, np.nan).astype(np.float32)


def _products(one: Planes, two: Planes) -> Planes:
    """Symmetric products of two gradients (ndim, channels, *grid), summed over channels."""
    rows, columns = np.triu_indices(len(one))
    return np.stack(
        [
            np.sum(one[i] * two[j] + one[j] * two[i], axis=0) / 2
            for i, j in zip(rows, columns, strict=True)
        ]
    )


def _times(tensor: Planes, flow: Planes) -> Planes:
    """Symmetric tensors times a flow, (ndim, *grid)."""
    ndim = len(flow)
    product = np.zeros_like(flow)
    for place, (row, column) in enumerate(zip(*np.triu_indices(ndim), strict=True)):
        product[row] += tensor[place] * flow[column]
        if row != column:
            product[column] += tensor[place] * flow[row]
    return product


def _correlation(moments: Planes) -> Planes:
    """Correlation of two frames from window means of both, their product and their squares."""
    a, b, ab, aa, bb = np.split(moments, 5)
    shared = np.sum(ab - a * b, axis=0)
    sizes = np.sum(np.maximum(aa - a * a, 0), axis=0) * np.sum(np.maximum(bb - b * b, 0), axis=0)
    found: Planes = shared / np.sqrt(np.maximum(sizes, np.float32(_LEAST)))
    return found


def _eigenvalues(tensor: Planes) -> NDArray[np.float64]:
    """Eigenvalues (ndim, *grid) of tensors, the smallest first."""
    if len(tensor) == 3:
        a, b, c = tensor.astype(np.float64)
        middle, half = (a + c) / 2, np.hypot((a - c) / 2, b)
        return np.asarray([middle - half, middle + half])
    return np.asarray(np.moveaxis(np.linalg.eigvalsh(_matrices(tensor)), -1, 0))


def _length(tensor: Planes, pull: Planes, unlike: Planes) -> Planes:
    """Length of the solution of ``T u = b``, T held by what is unlike, so that it is positive."""
    ndim = len(pull)
    matrices = _matrices(tensor)
    diagonal = range(ndim)
    matrices[..., diagonal, diagonal] += (_eigenvalues(unlike)[-1] + _LEAST)[..., np.newaxis]
    right = pull.astype(np.float64)
    if ndim == 2:
        (a, b), (_, c) = np.moveaxis(matrices, (-2, -1), (0, 1))
        p, q = right
        return np.asarray(np.hypot(c * p - b * q, a * q - b * p) / (a * c - b * b), np.float32)
    found = np.linalg.solve(matrices, np.moveaxis(right, 0, -1)[..., np.newaxis])
    return np.asarray(np.linalg.norm(found[..., 0], axis=-1), np.float32)


def _matrices(tensor: Planes) -> NDArray[np.float64]:
    """Tensors as symmetric matrices (*grid, ndim, ndim)."""
    ndim = tensor.ndim - 1
    full: NDArray[np.float64] = np.empty((*tensor.shape[1:], ndim, ndim))
    rows, columns = np.triu_indices(ndim)
    for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
        full[..., row, column] = full[..., column, row] = tensor[place]
    return full

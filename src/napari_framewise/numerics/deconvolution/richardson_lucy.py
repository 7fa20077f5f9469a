"""Richardson-Lucy: counts of photons, a flat field to the border, and two ways to stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array, Floats
from napari_framewise.numerics.deconvolution.operators import Blur

_TINY = 1e-12
_ROUNDED: dict[type, float] = {np.float64: 1e-12, np.float32: 1e-6}
_LEAST_LIGHT = 1e-3


def richardson_lucy_steps(
    blur: Blur,
    data: Data,
    *,
    weight: float = 0.0,
    weights: Sequence[float] = (),
    start: Array | None = None,
) -> Iterator[Step]:
    """Iterations ``x H'(w y / H x) / (H' w)`` (Richardson 1972; Lucy 1974).

    Division by ``H' w``, what each pixel of the scene gives to the pixels that count, keeps the
    field flat up to the border and around missing pixels. With a weight the divisor is ``H' w -
    weight div(D x / |D x|)`` (Dey et al. 2006, Microsc. Res. Tech. 69, 260-266). Negative values
    are taken as 0, for counts can't be.

    Parameters
    ----------
    weight : float
        Of the total variation; without unit, 0.002 to 0.02 as a rule.

    Yields
    ------
    Step
        Its objective is the Kullback-Leibler distance of data and blurred scene.
    """
    counts = _Counts.of(blur, data)
    scene = counts.start(start)
    blurred = counts.blur.forward(scene)
    for number in range(1, 1_000_000):
        curvature = weight * _curvature(scene, weights) if weight else None
        factor = counts.factor(counts.seen, blurred, curvature)
        before, scene = scene, scene * factor
        blurred = counts.blur.forward(scene)
        yield counts.step(number, scene, before, blurred, weight)


def gradient_consensus_steps(
    blur: Blur, data: Data, *, noise: float, seed: int = 0, start: Array | None = None
) -> Iterator[Step]:
    """Richardson-Lucy that moves a pixel only where two halves of the data agree.

    In each iteration the data are split into two images of independent noise: ``y / 2 + e`` and
    ``y / 2 - e``, with e normal of half the noise's standard deviation (which leaves their noise
    uncorrelated; counts of photons are split by a coin for each, Manton and York's gradient
    consensus). Each half says by which factor a pixel should change. Where the product of the two
    changes, smoothed by ``H' H``, is not positive, they follow noise, and the pixel stays. It has
    ended where fewer than 5 % of the pixels move.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise.
    seed : int
        Of the splits: the same number, the same result.

    Yields
    ------
    Step
        Its `weight` is the share of pixels that moved.
    """
    random = np.random.default_rng(seed)
    counts = _Counts.of(blur, data)
    blur, seen = counts.blur, counts.seen
    scene = counts.start(start)
    blurred = blur.forward(scene)
    for number in range(1, 1_000_000):
        parts = random.normal(0.0, noise / 2, data.shape).astype(seen.dtype)
        if not data.complete:
            parts *= data.weight
        factors = [
            counts.factor(np.maximum(half, 0), blurred)
            for half in (seen + 2 * parts, seen - 2 * parts)
        ]
        agreement = (factors[0] - 1) * (factors[1] - 1)
        agreement = blur.adjoint(blur.forward(agreement))
        moved = agreement > 0
        before = scene
        scene = np.where(moved, scene * (factors[0] + factors[1]) / 2, scene)
        blurred = blur.forward(scene)
        share = float(np.count_nonzero(moved)) / moved.size
        yield counts.step(number, scene, before, blurred, share)


@dataclass(frozen=True, eq=False)
class _Counts:
    """Data as counts, and what stays the same in all iterations, in the precision that does.

    Attributes
    ----------
    blur : Blur
    data : Data
    seen : ndarray
        The data, nowhere less than 0; 0 where a pixel does not count.
    light : ndarray
        ``H' w``: what each pixel of the scene gives to the pixels that count.
    per_light : ndarray
        One over that; 0 where next to nothing is given, and nothing known.
    unknown : ndarray of bool, optional
        Where that is.
    of_data : float
        ``sum(y log y - y)``: the part of the distance in which no scene is.
    """

    blur: Blur
    data: Data
    seen: Floats
    light: Floats
    per_light: Floats
    unknown: NDArray[np.bool_] | None
    of_data: float

    @classmethod
    def of(cls, blur: Blur, data: Data) -> _Counts:
        kind = np.float32 if data.single() else np.float64
        blur = blur.single if kind is np.float32 else blur
        light = blur.adjoint(data.weight.astype(kind))
        known = light > _LEAST_LIGHT
        per_light = np.divide(1, light, out=np.zeros_like(light), where=known)
        counts = np.maximum(data.values, 0.0)
        own = counts * np.log(np.where(counts > 0, counts, 1.0)) - counts
        unknown = None if known.all() else ~known
        return cls(blur, data, counts.astype(kind), light, per_light, unknown, float(own.sum()))

    def start(self, given: Array | None) -> Floats:
        """A flat scene of the data's mean, or one that was given, nowhere 0."""
        mean = max(float(self.seen.sum(dtype=np.float64)) / max(1, self.data.count), _TINY)
        if given is None:
            return np.full(self.blur.shape, mean, self.seen.dtype)
        return np.maximum(given, 1e-3 * mean).astype(self.seen.dtype)

    def factor(self, seen: Floats, blurred: Floats, curvature: Floats | None = None) -> Floats:
        """What the scene is multiplied by; `seen` is 0 where a pixel does not count."""
        ratio = np.maximum(blurred, _least(blurred))
        np.divide(seen, ratio, out=ratio)
        factor = self.blur.adjoint(ratio)
        if curvature is None:
            factor = factor * self.per_light
        else:
            # Where the regularisation outweighs the light, a step would change sign.
            below = np.maximum(self.light - curvature, 0.1 * self.light)
            factor = np.divide(factor, below, out=np.ones_like(below), where=self.per_light > 0)
        np.maximum(factor, 0, out=factor)
        if self.unknown is not None:
            factor[self.unknown] = 1
        return factor

    def step(
        self, number: int, scene: Floats, before: Floats, blurred: Floats, weight: float
    ) -> Step:
        """An iteration, its objective the Kullback-Leibler distance."""
        data = self.data
        given = np.maximum(blurred, _least(blurred))
        if not data.complete:
            given *= data.weight
        light = float(given.sum(dtype=np.float64))
        if not data.complete:
            given[~data.weight] = 1
        np.log(given, out=given)
        given *= self.seen
        distance = self.of_data + light - float(given.sum(dtype=np.float64))
        np.subtract(blurred, data.values, out=given, casting="same_kind")
        if not data.complete:
            given *= data.weight
        residual = float(np.vdot(given, given))
        change = data.change(scene, before)
        return Step(number, scene, residual, max(0.0, distance), change, weight)


def _least(blurred: Floats) -> float:
    """What is divided by at least: above the rounding of the transforms."""
    return _ROUNDED[blurred.dtype.type] * max(float(blurred.max()), _TINY)


def _curvature(scene: Floats, weights: Sequence[float]) -> Floats:
    """``div(D x / |D x|)``."""
    scales = tuple(weights) or (1.0,) * scene.ndim
    steps = []
    for axis, scale in enumerate(scales):
        ends = np.take(scene, [-1], axis)
        steps.append(scale * np.diff(scene, axis=axis, append=ends))
    size = np.sqrt(sum(np.square(each) for each in steps))
    size = np.maximum(size, 1e-6 * max(float(np.abs(scene).max()), _TINY))
    out = np.zeros_like(scene)
    for axis, (scale, each) in enumerate(zip(scales, steps, strict=True)):
        part = scale * each / size
        zeros = np.zeros_like(np.take(part, [0], axis))
        out += np.diff(part, axis=axis, prepend=zeros)
    return out
